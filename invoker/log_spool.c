/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/log_spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/file.h"

struct log_spool {
    struct log_spool_options options; /* folder is ours */
    int lock_fd;
    int records_fd, index_fd; /* of the newest segment */
    uint64_t index_size;
    uint64_t newest_since_ms; /* when the newest segment got its first record; 0: it has none */
    struct log_segment *segments; /* oldest first; at least one after opening */
    size_t len, cap;
    uint64_t epoch, next_seq, shipped, torn_bytes;
};

static struct log_segment *newest(const struct log_spool *spool)
{
    return &spool->segments[spool->len - 1];
}

/* ---- small files ---- */

static int number_read(const struct log_spool *spool, const char *name, uint64_t *ret,
                       struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", spool->options.folder, name);
    CLEANUP(buf_done) struct buf b = BUF_INIT(64);
    int r = file_read(path, &b, err);

    if (r == -ERR_NOT_FOUND)
        return 0; /* *ret stays */
    if (r < 0)
        return r;
    if (str_parse_u64(str_trim(buf_str(&b)), ret) < 0)
        return error_set(err, ERR_SYSTEM, "%s does not hold a number", path);
    return 0;
}

static int number_write(const struct log_spool *spool, const char *name, uint64_t number,
                        struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", spool->options.folder, name);
    CLEANUP(buf_done) struct buf b = BUF_INIT(64);

    buf_printf(&b, "%" PRIu64 "\n", number);
    return file_write_atomic(path, buf_str(&b), 0600, err);
}

static int folder_sync(const struct log_spool *spool, struct error *err)
{
    CLEANUP(closep) int fd = open(spool->options.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "syncing %s", spool->options.folder);
    return 0;
}

static int write_at(int fd, const void *ptr, size_t len, uint64_t offset, struct error *err)
{
    const char *p = ptr;
    ssize_t n;

    while (len) {
        n = pwrite(fd, p, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(err, ERR_SYSTEM, errno, "writing function logs");
        p += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

/* ---- segments ---- */

static void segment_add(struct log_spool *spool, const struct log_segment *seg)
{
    if (spool->len == spool->cap) {
        spool->cap = spool->cap ? 2 * spool->cap : 16;
        spool->segments = reallocarray(spool->segments, spool->cap, sizeof(*seg));
        if (!spool->segments)
            abort();
    }
    spool->segments[spool->len++] = *seg;
}

static int by_first_seq(const void *a, const void *b)
{
    const struct log_segment *x = a, *y = b;

    return x->first_seq < y->first_seq ? -1 : x->first_seq > y->first_seq;
}

static int open_file(const struct log_spool *spool, uint64_t first_seq, enum log_file which,
                     int flags, struct error *err)
{
    CLEANUP(freep) char *path = log_segment_path(spool->options.folder, first_seq, which);
    int fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);

    if (fd < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "opening %s", path);
    return fd;
}

static void use_files(struct log_spool *spool, int records_fd, int index_fd)
{
    closep(&spool->records_fd);
    closep(&spool->index_fd);
    spool->records_fd = records_fd;
    spool->index_fd = index_fd;
}

/* Begins a new segment. The old one is synced: after a power cut only the newest can be torn. */
static int segment_begin(struct log_spool *spool, uint64_t first_seq, struct error *err)
{
    struct log_segment seg = {.first_seq = first_seq};
    CLEANUP(closep) int records_fd = -1;
    CLEANUP(closep) int index_fd = -1;
    int r;

    if (spool->records_fd >= 0 &&
        (fdatasync(spool->records_fd) < 0 || fdatasync(spool->index_fd) < 0))
        return error_set_errno(err, ERR_SYSTEM, errno, "syncing function logs");
    records_fd = open_file(spool, first_seq, LOG_FILE_RECORDS, O_CREAT | O_TRUNC, err);
    if (records_fd < 0)
        return records_fd;
    index_fd = open_file(spool, first_seq, LOG_FILE_INDEX, O_CREAT | O_TRUNC, err);
    if (index_fd < 0)
        return index_fd;
    r = folder_sync(spool, err);
    if (r < 0)
        return r;
    if (spool->len)
        seg.base = newest(spool)->base + newest(spool)->size;
    segment_add(spool, &seg);
    use_files(spool, TAKE_FD(records_fd), TAKE_FD(index_fd));
    spool->index_size = 0;
    spool->newest_since_ms = 0;
    return 0;
}

static int segment_remove(struct log_spool *spool, size_t i, struct error *err)
{
    const enum log_file files[] = {LOG_FILE_RECORDS, LOG_FILE_INDEX};
    size_t f;

    for (f = 0; f < ARRAY_LEN(files); f++) {
        CLEANUP(freep) char *path =
            log_segment_path(spool->options.folder, spool->segments[i].first_seq, files[f]);

        if (unlink(path) < 0 && errno != ENOENT)
            return error_set_errno(err, ERR_SYSTEM, errno, "removing %s", path);
    }
    spool->len--;
    memmove(&spool->segments[i], &spool->segments[i + 1],
            (spool->len - i) * sizeof(*spool->segments));
    return 0;
}

/* ---- opening ---- */

static int folder_lock(struct log_spool *spool, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/lock", spool->options.folder);

    spool->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (spool->lock_fd < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "opening %s", path);
    if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return error_set(err, ERR_IN_USE, "the log folder %s is in use by another process",
                         spool->options.folder);
    return 0;
}

static int folder_list(struct log_spool *spool, struct error *err)
{
    DIR *dir = opendir(spool->options.folder);
    struct log_segment seg = {0};
    struct dirent *entry;
    struct stat st;
    uint64_t base = 0;
    size_t i;

    if (!dir)
        return error_set_errno(err, ERR_SYSTEM, errno, "reading %s", spool->options.folder);
    while ((entry = readdir(dir))) {
        if (!log_segment_parse_name(entry->d_name, &seg.first_seq) ||
            fstatat(dirfd(dir), entry->d_name, &st, 0) < 0)
            continue;
        seg.size = (uint64_t)st.st_size;
        seg.last_ms = (uint64_t)st.st_mtim.tv_sec * 1000 + (uint64_t)st.st_mtim.tv_nsec / 1000000;
        segment_add(spool, &seg);
    }
    closedir(dir);
    if (spool->len)
        qsort(spool->segments, spool->len, sizeof(seg), by_first_seq);
    for (i = 0; i < spool->len; i++) {
        spool->segments[i].base = base;
        base += spool->segments[i].size;
    }
    return 0;
}

/* Cuts the newest segment behind its last record, writes its index anew, learns the last seq. */
static int newest_recover(struct log_spool *spool, struct error *err)
{
    struct log_segment *seg = newest(spool);
    struct log_runs runs = {0};
    uint64_t good = 0, last_seq = 0, last_epoch = 0;
    int r;

    spool->records_fd = open_file(spool, seg->first_seq, LOG_FILE_RECORDS, 0, err);
    if (spool->records_fd < 0)
        return spool->records_fd;
    spool->index_fd = open_file(spool, seg->first_seq, LOG_FILE_INDEX, O_CREAT | O_TRUNC, err);
    if (spool->index_fd < 0)
        return spool->index_fd;
    r = log_segment_scan(spool->records_fd, seg->size, &runs, &good, &last_seq, &last_epoch, err);
    if (r == 0 && good < seg->size && ftruncate(spool->records_fd, (off_t)good) < 0)
        r = error_set_errno(err, ERR_SYSTEM, errno, "cutting a torn line off the function logs");
    if (r == 0)
        r = write_at(spool->index_fd, runs.items, runs.len * sizeof(*runs.items), 0, err);
    if (r == 0) {
        spool->torn_bytes = seg->size - good;
        spool->index_size = runs.len * sizeof(*runs.items);
        seg->size = good;
        spool->next_seq = seg->first_seq;
        if (good) {
            spool->newest_since_ms = runs.items[0].last_ms;
            spool->next_seq = last_seq + 1;
            if (last_epoch > spool->epoch)
                spool->epoch = last_epoch;
        }
    }
    log_runs_done(&runs);
    return r;
}

static int spool_recover(struct log_spool *spool, struct error *err)
{
    int r = folder_lock(spool, err);

    if (r == 0)
        r = number_read(spool, "epoch", &spool->epoch, err);
    if (r == 0)
        r = number_read(spool, "shipped", &spool->shipped, err);
    if (r == 0)
        r = folder_list(spool, err);
    if (r == 0 && spool->len)
        r = newest_recover(spool, err);
    if (r < 0)
        return r;
    /* A power cut may have taken records that Kafka already has: their numbers are used up. */
    if (spool->shipped > spool->next_seq)
        spool->next_seq = spool->shipped;
    if (spool->next_seq == 0)
        spool->next_seq = 1;
    r = number_write(spool, "epoch", ++spool->epoch, err);
    if (r == 0 && spool->len == 0)
        r = segment_begin(spool, spool->next_seq, err);
    return r;
}

int log_spool_open(const struct log_spool_options *options, struct log_spool **ret,
                   struct error *err)
{
    struct log_spool *spool;
    int r = dir_make(options->folder, 0700, err);

    if (r < 0)
        return r;
    spool = calloc(1, sizeof(*spool));
    if (!spool)
        abort();
    spool->options = *options;
    spool->options.folder = str_dup(str_of(options->folder));
    spool->lock_fd = spool->records_fd = spool->index_fd = -1;
    r = spool_recover(spool, err);
    if (r < 0) {
        log_spool_free(spool);
        return error_wrap(err, r, "opening the log spool");
    }
    *ret = spool;
    return 0;
}

void log_spool_free(struct log_spool *spool)
{
    if (!spool)
        return;
    use_files(spool, -1, -1);
    closep(&spool->lock_fd);
    free((char *)spool->options.folder);
    free(spool->segments);
    free(spool);
}

/* ---- numbers ---- */

uint64_t log_spool_epoch(const struct log_spool *spool)
{
    return spool->epoch;
}

uint64_t log_spool_next_seq(const struct log_spool *spool)
{
    return spool->next_seq;
}

uint64_t log_spool_shipped(const struct log_spool *spool)
{
    return spool->shipped;
}

uint64_t log_spool_torn_bytes(const struct log_spool *spool)
{
    return spool->torn_bytes;
}

struct log_view *log_spool_view(const struct log_spool *spool)
{
    return log_view_new(spool->options.folder, spool->segments, spool->len);
}

/* ---- writing ---- */

/* A segment also ends by age, so that retention by age is no coarser than an eighth of it. */
static bool segment_is_full(const struct log_spool *spool, uint64_t now_ms)
{
    return newest(spool)->size >= spool->options.segment_bytes ||
           (spool->newest_since_ms && now_ms > spool->newest_since_ms &&
            now_ms - spool->newest_since_ms > spool->options.retention_ms / 8);
}

static int write_runs(struct log_spool *spool, const struct log_batch *batch, struct error *err)
{
    size_t bytes = batch->runs.len * sizeof(struct log_run), i;
    CLEANUP(freep) struct log_run *runs = malloc(bytes);

    if (!runs)
        abort();
    memcpy(runs, batch->runs.items, bytes);
    for (i = 0; i < batch->runs.len; i++)
        runs[i].offset += (uint32_t)newest(spool)->size;
    return write_at(spool->index_fd, runs, bytes, spool->index_size, err);
}

int log_spool_append(struct log_spool *spool, const struct log_batch *batch, uint64_t now_ms,
                     struct error *err)
{
    int r;

    if (batch->bytes.len == 0)
        return 0;
    if (newest(spool)->size && segment_is_full(spool, now_ms)) {
        r = segment_begin(spool, batch->first_seq, err);
        if (r < 0)
            return r;
    }
    r = write_at(spool->records_fd, batch->bytes.ptr, batch->bytes.len, newest(spool)->size, err);
    if (r == 0)
        r = write_runs(spool, batch, err);
    if (r == 0 && spool->options.sync && fdatasync(spool->records_fd) < 0)
        r = error_set_errno(err, ERR_SYSTEM, errno, "syncing function logs");
    if (r < 0)
        return r;
    newest(spool)->size += batch->bytes.len;
    newest(spool)->last_ms = now_ms;
    spool->index_size += batch->runs.len * sizeof(struct log_run);
    if (!spool->newest_since_ms)
        spool->newest_since_ms = now_ms;
    spool->next_seq = batch->last_seq + 1;
    return 0;
}

static uint64_t total_bytes(const struct log_spool *spool)
{
    return newest(spool)->base + newest(spool)->size - spool->segments[0].base;
}

int log_spool_retain(struct log_spool *spool, uint64_t now_ms, uint64_t keep_seq,
                     struct error *err)
{
    const struct log_spool_options *o = &spool->options;
    bool is_old;
    int r;

    for (;;) {
        is_old = spool->segments[0].last_ms && now_ms > spool->segments[0].last_ms &&
                 now_ms - spool->segments[0].last_ms > o->retention_ms;
        if (!is_old && total_bytes(spool) <= o->retention_bytes)
            return 0;
        if (spool->len == 1) {
            /* The newest one: only when it is old; its successor's name keeps the next number. */
            if (!is_old || newest(spool)->size == 0 || spool->next_seq > keep_seq)
                return 0;
            r = segment_begin(spool, spool->next_seq, err);
            if (r < 0)
                return r;
        }
        if (spool->segments[1].first_seq > keep_seq)
            return 0;
        r = segment_remove(spool, 0, err);
        if (r < 0)
            return r;
    }
}

int log_spool_save_shipped(struct log_spool *spool, uint64_t seq, struct error *err)
{
    int r = number_write(spool, "shipped", seq, err);

    if (r == 0)
        spool->shipped = seq;
    return r;
}
