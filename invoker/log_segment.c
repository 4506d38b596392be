/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/log_segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_DIGITS 20
#define SCAN_BYTES (4u << 20)

/* ---- views ---- */

struct log_view *log_view_new(const char *folder, const struct log_segment *items, size_t len)
{
    struct log_view *view = malloc(sizeof(*view) + len * sizeof(*items));

    if (!view)
        abort();
    view->refs = 1;
    view->folder = str_dup(str_of(folder));
    view->len = len;
    if (len)
        memcpy(view->items, items, len * sizeof(*items));
    return view;
}

struct log_view *log_view_ref(struct log_view *view)
{
    view->refs++;
    return view;
}

void log_view_unref(struct log_view *view)
{
    if (!view || --view->refs > 0)
        return;
    free(view->folder);
    free(view);
}

uint64_t log_view_end(const struct log_view *view)
{
    const struct log_segment *last = view->len ? &view->items[view->len - 1] : NULL;

    return last ? last->base + last->size : 0;
}

uint64_t log_view_start(const struct log_view *view)
{
    return view->len ? view->items[0].base : 0;
}

/* ---- files ---- */

char *log_segment_path(const char *folder, uint64_t first_seq, enum log_file which)
{
    return str_printf("%s/%0*" PRIu64 ".%s", folder, NAME_DIGITS, first_seq,
                      which == LOG_FILE_INDEX ? "idx" : "log");
}

bool log_segment_parse_name(const char *name, uint64_t *ret)
{
    struct str s = str_of(name);

    return s.len == NAME_DIGITS + 4 && str_ends(s, STR(".log")) &&
           str_parse_u64(str_sub(s, 0, NAME_DIGITS), ret) == 0;
}

static int segment_open(const struct log_view *view, const struct log_segment *seg,
                        enum log_file which, struct error *err)
{
    CLEANUP(freep) char *path = log_segment_path(view->folder, seg->first_seq, which);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, errno,
                               "opening %s", path);
    return fd;
}

/* Appends the @len bytes at @offset, or as many as there are, to @out. */
static int read_at(int fd, uint64_t offset, size_t len, struct buf *out, struct error *err)
{
    int r = buf_reserve(out, len);
    ssize_t n;

    if (r < 0)
        return error_set(err, ERR_TOO_LARGE, "%zu bytes of log records do not fit", len);
    while (len) {
        n = pread(fd, out->ptr + out->len, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(err, ERR_SYSTEM, errno, "reading a log segment");
        if (n == 0)
            break;
        out->len += (size_t)n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

/* ---- whole segments ---- */

/* Takes the whole lines in front of @bytes; returns how many bytes were records. */
static size_t scan_lines(struct str bytes, uint64_t offset, struct log_runs *runs,
                         uint64_t *last_seq, uint64_t *last_epoch, bool *bad)
{
    struct log_record rec;
    size_t at = 0, end;

    for (; (end = str_find(bytes, '\n', at)) < bytes.len; at = end + 1) {
        if (log_record_read(str_sub(bytes, at, end), &rec) < 0) {
            *bad = true;
            break;
        }
        log_runs_add(runs, log_hash_function(rec.origin.account, rec.origin.function),
                     log_hash_request(rec.line.request_id), rec.line.time_ms, offset + at,
                     end + 1 - at);
        *last_seq = rec.line.seq;
        *last_epoch = rec.origin.epoch;
    }
    return at;
}

int log_segment_scan(int fd, uint64_t size, struct log_runs *runs, uint64_t *good,
                     uint64_t *last_seq, uint64_t *last_epoch, struct error *err)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(SCAN_BYTES + LOG_RECORD_MAX);
    uint64_t offset = 0; /* of b's first byte */
    bool bad = false;
    size_t n, had;
    int r;

    *good = 0;
    while (!bad && offset + b.len < size) {
        had = b.len;
        n = size - offset - had < SCAN_BYTES ? (size_t)(size - offset - had) : SCAN_BYTES;
        r = read_at(fd, offset + had, n, &b, err);
        if (r < 0)
            return r;
        if (b.len == had)
            break; /* shorter than it should be */
        n = scan_lines(buf_str(&b), offset, runs, last_seq, last_epoch, &bad);
        buf_consume(&b, n);
        offset += n;
        *good = offset;
        if (b.len > LOG_RECORD_MAX)
            break; /* so long a line is none of ours */
    }
    return 0;
}

/* Runs must tile the segment as readers know it; the file may already be ahead of them. */
static bool runs_are_sound(struct log_runs *runs, uint64_t size)
{
    uint64_t at = 0;
    size_t i;

    for (i = 0; i < runs->len && at < size; i++) {
        if (runs->items[i].offset != at || runs->items[i].len == 0)
            return false;
        at += runs->items[i].len;
    }
    runs->len = i;
    return at == size;
}

static int index_read(const struct log_view *view, const struct log_segment *seg,
                      struct log_runs *ret, struct error *err)
{
    CLEANUP(closep) int fd = segment_open(view, seg, LOG_FILE_INDEX, err);
    struct buf b = BUF_INIT(UINT32_MAX);
    struct stat st;
    int r;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "reading a log index");
    r = read_at(fd, 0, (size_t)st.st_size, &b, err);
    if (r < 0) {
        buf_done(&b);
        return r;
    }
    ret->len = ret->cap = b.len / sizeof(struct log_run);
    ret->items = (struct log_run *)(void *)buf_take(&b); /* malloc'ed, so aligned for any type */
    return 0;
}

int log_segment_runs(const struct log_view *view, const struct log_segment *seg,
                     struct log_runs *ret, struct error *err)
{
    struct log_runs runs = {0};
    uint64_t good, seq, epoch;
    int r = index_read(view, seg, &runs, NULL);

    if (r < 0 || !runs_are_sound(&runs, seg->size)) {
        CLEANUP(closep) int fd = segment_open(view, seg, LOG_FILE_RECORDS, err);

        runs.len = 0;
        r = fd < 0 ? fd : log_segment_scan(fd, seg->size, &runs, &good, &seq, &epoch, err);
    }
    if (r < 0) {
        log_runs_done(&runs);
        return r;
    }
    *ret = runs;
    return 0;
}

/* ---- positions ---- */

static const struct log_segment *segment_at(const struct log_view *view, uint64_t pos)
{
    size_t i;

    for (i = view->len; i-- > 0;)
        if (view->items[i].base <= pos && pos < view->items[i].base + view->items[i].size)
            return &view->items[i];
    return NULL;
}

static size_t whole_lines(struct str bytes)
{
    const char *end = bytes.len ? memrchr(bytes.ptr, '\n', bytes.len) : NULL;

    return end ? (size_t)(end - bytes.ptr) + 1 : 0;
}

int log_view_fetch(const struct log_view *view, uint64_t *pos, size_t max, struct buf *out,
                   struct error *err)
{
    const struct log_segment *seg;
    size_t start = out->len, n, left;
    int fd, r;

    if (*pos < log_view_start(view))
        *pos = log_view_start(view); /* retention without Kafka has been here */
    seg = segment_at(view, *pos);
    if (!seg)
        return 0;
    fd = segment_open(view, seg, LOG_FILE_RECORDS, err);
    if (fd < 0)
        return fd;
    left = (size_t)(seg->base + seg->size - *pos);
    r = read_at(fd, *pos - seg->base, left < max ? left : max, out, err);
    n = whole_lines(str_sub(buf_str(out), start, out->len));
    if (r == 0 && n == 0) {
        out->len = start;
        r = read_at(fd, *pos - seg->base, left < LOG_RECORD_MAX ? left : LOG_RECORD_MAX, out, err);
        n = str_find(buf_str(out), '\n', start);
        n = n < out->len ? n + 1 - start : 0;
    }
    close(fd);
    if (r == 0 && n == 0)
        r = error_set(err, ERR_SYSTEM, "segment %" PRIu64 " of the log spool is damaged",
                      seg->first_seq);
    out->len = start + (r < 0 ? 0 : n);
    *pos += r < 0 ? 0 : n;
    return r;
}

int log_view_seek(const struct log_view *view, uint64_t seq, uint64_t *ret, struct error *err)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(SCAN_BYTES + LOG_RECORD_MAX);
    struct log_record rec;
    uint64_t pos = log_view_start(view), next;
    size_t i, at, end;
    int r;

    for (i = 0; i < view->len; i++)
        if (view->items[i].first_seq <= seq)
            pos = view->items[i].base;
    for (next = pos;; pos = next) {
        buf_clear(&b);
        r = log_view_fetch(view, &next, SCAN_BYTES, &b, err);
        if (r < 0)
            return r;
        if (b.len == 0)
            break;
        for (at = 0; (end = str_find(buf_str(&b), '\n', at)) < b.len; at = end + 1) {
            if (log_record_read(str_sub(buf_str(&b), at, end), &rec) == 0 && rec.line.seq >= seq) {
                *ret = pos + at;
                return 0;
            }
        }
    }
    *ret = pos;
    return 0;
}
