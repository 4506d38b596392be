/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/code/code_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/base64.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "controller/code/zip_check.h"

#define LIST_BYTES_MAX (256u * 1024u * 1024u)

struct code_store {
    struct loop *loop;
    char *dir;
    char owner[UUID_MAX]; /* <dir>/pins/<owner>/: pins of ours */
    int lock; /* on that folder, as long as we live */
    unsigned jobs; /* on workers */
    bool freed;
};

/* One piece of work: runs on a worker, ends on the loop. */
struct job {
    struct code_store *store;
    void (*work)(struct job *job);
    void (*finish)(struct job *job); /* calls done_* */
    union {
        code_added_fn *added;
        code_read_fn *read;
        code_done_fn *done;
    } to;
    void *arg;
    char *base64;
    bool referred;
    struct code_pin pin;
    struct buf bytes;
    bool failed;
    struct error err;
};

bool code_sha256_is_valid(struct str s)
{
    size_t i;
    char c;

    if (s.len != SHA256_HEX_MAX - 1)
        return false;
    for (i = 0; i < s.len; i++) {
        c = s.ptr[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
            return false;
    }
    return true;
}

/* ---- names; the caller frees them ---- */

static char *archive_path(const struct code_store *store, const char *sha256)
{
    return str_printf("%s/%.2s/%s.zip", store->dir, sha256, sha256);
}

static char *pin_path(const struct code_store *store, const char *name)
{
    return str_printf("%s/pins/%s/%s", store->dir, store->owner, name);
}

static char *trash_path(const struct code_store *store, const char *sha256)
{
    return str_printf("%s/trash/%s", store->dir, sha256);
}

static void store_end(struct code_store *store)
{
    CLEANUP(freep) char *own = str_printf("%s/pins/%s", store->dir, store->owner);

    rmdir(own); /* unless a pin is left: whoever starts next removes it */
    if (store->lock >= 0)
        close(store->lock);
    free(store->dir);
    free(store);
}

/* ---- jobs ---- */

static void job_work(void *arg)
{
    struct job *job = arg;

    job->work(job);
}

static void job_free(struct job *job)
{
    struct code_store *store = job->store;

    free(job->base64);
    buf_done(&job->bytes);
    free(job);
    store->jobs--;
    if (store->freed && store->jobs == 0)
        store_end(store);
}

static void on_job_done(void *arg)
{
    struct job *job = arg;

    if (!job->store->freed)
        job->finish(job);
    job_free(job);
}

static void finish_added(struct job *job)
{
    job->to.added(job->failed ? NULL : &job->pin, job->failed ? &job->err : NULL, job->arg);
}

static void finish_read(struct job *job)
{
    job->to.read(job->failed ? NULL : &job->bytes, job->failed ? &job->err : NULL, job->arg);
}

static void finish_done(struct job *job)
{
    if (job->to.done)
        job->to.done(job->failed ? &job->err : NULL, job->arg);
}

static struct job *job_new(struct code_store *store, void (*work)(struct job *job),
                           void (*finish)(struct job *job), void *arg)
{
    struct job *job = calloc(1, sizeof(*job));

    if (!job)
        abort();
    job->store = store;
    job->work = work;
    job->finish = finish;
    job->arg = arg;
    return job;
}

static void job_start(struct job *job)
{
    job->store->jobs++;
    loop_work(job->store->loop, job_work, on_job_done, job);
}

static void job_fail_errno(struct job *job, const char *what)
{
    job->failed = true;
    error_set_errno(&job->err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, errno, "%s", what);
}

/* ---- on workers ---- */

static int sync_folder(const char *file)
{
    CLEANUP(freep) char *folder = str_dup(str_of(file));
    CLEANUP(closep) int fd = -1;

    *strrchr(folder, '/') = '\0';
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -1 : 0;
}

/* A further name for a file; there already is fine. */
static int name_also(const char *from, const char *to)
{
    if (link(from, to) < 0 && errno != EEXIST)
        return -1;
    return sync_folder(to);
}

/* The archive gets its name by content, durably. */
static void publish(struct job *job)
{
    CLEANUP(freep) char *path = archive_path(job->store, job->pin.sha256);
    CLEANUP(freep) char *pin = pin_path(job->store, job->pin.name);
    CLEANUP(freep) char *folder = str_printf("%s/%.2s", job->store->dir, job->pin.sha256);

    if (dir_make(folder, 0700, &job->err) < 0)
        job->failed = true;
    else if (name_also(pin, path) < 0 || sync_folder(folder) < 0)
        job_fail_errno(job, "keeping an archive");
}

static void keep(struct job *job)
{
    CLEANUP(freep) char *path = archive_path(job->store, job->pin.sha256);
    CLEANUP(freep) char *pin = pin_path(job->store, job->pin.name);

    if (link(path, pin) == 0) /* the same archive is here: it was checked and synced then */
        return;
    job->failed = file_write_atomic(pin, buf_str(&job->bytes), 0600, &job->err) < 0;
    if (!job->failed)
        publish(job);
    if (job->failed)
        unlink(pin);
}

static int decode(struct job *job)
{
    int r;

    job->bytes = BUF_INIT((uint64_t)ZIP_BYTES_MAX + 4);
    r = base64_decode(&job->bytes, str_of(job->base64));
    free(job->base64);
    job->base64 = NULL;
    return r;
}

static void work_add(struct job *job)
{
    struct error why = {.code = ERR_OK};
    int r = job->base64 ? decode(job) : 0;

    if (r == -ERR_TOO_LARGE || job->bytes.len > ZIP_BYTES_MAX)
        r = error_set(&job->err, ERR_BAD_REQUEST, "Zipped size must be smaller than %u bytes",
                      ZIP_BYTES_MAX);
    else if (r < 0)
        r = error_set(&job->err, ERR_BAD_REQUEST,
                      "Could not unzip uploaded file. Please check your "
                      "file, then try to upload again.");
    if (r == 0)
        r = zip_check(buf_str(&job->bytes), NULL, &job->pin.unzipped_bytes, &why, &job->err);
    if (r < 0) {
        log_debug("code", "archive refused", KV_ERR(why.code ? &why : &job->err));
        job->failed = true;
        return;
    }
    job->pin.bytes = job->bytes.len;
    sha256_hex(buf_str(&job->bytes), job->pin.sha256);
    keep(job);
    buf_done(&job->bytes);
}

static void work_settle(struct job *job)
{
    CLEANUP(freep) char *pin = pin_path(job->store, job->pin.name);

    if (job->referred)
        publish(job); /* somebody may have taken it away before the registry referred to it */
    unlink(pin);
}

static void work_read(struct job *job)
{
    CLEANUP(freep)
    char *path = job->pin.name[0] ? pin_path(job->store, job->pin.name)
                                  : archive_path(job->store, job->pin.sha256);
    struct stat st;

    if (stat(path, &st) < 0) {
        free(path); /* it may be in use nevertheless: code_gc.h is about to find out */
        path = trash_path(job->store, job->pin.sha256);
    }
    if (stat(path, &st) < 0) {
        job_fail_errno(job, "reading an archive");
        return;
    }
    job->bytes = BUF_INIT((size_t)st.st_size + 1);
    buf_reserve(&job->bytes, (size_t)st.st_size);
    job->failed = file_read(path, &job->bytes, &job->err) < 0;
}

static void work_trash(struct job *job)
{
    CLEANUP(freep) char *path = archive_path(job->store, job->pin.sha256);
    CLEANUP(freep) char *trash = trash_path(job->store, job->pin.sha256);

    if (rename(path, trash) < 0)
        job_fail_errno(job, "removing an archive");
}

static void work_restore(struct job *job)
{
    CLEANUP(freep) char *path = archive_path(job->store, job->pin.sha256);
    CLEANUP(freep) char *trash = trash_path(job->store, job->pin.sha256);

    if (name_also(trash, path) < 0 || unlink(trash) < 0)
        job_fail_errno(job, "putting an archive back");
}

static void work_purge(struct job *job)
{
    CLEANUP(freep) char *trash = trash_path(job->store, job->pin.sha256);

    if (unlink(trash) < 0)
        job_fail_errno(job, "removing an archive");
}

static void closedirp(DIR **d)
{
    if (*d)
        closedir(*d);
}

/* "<64 hex digits>.zip" without a second name. */
static bool is_free_archive(DIR *d, const char *name)
{
    struct str s = str_of(name);
    struct stat st;

    return s.len == SHA256_HEX_MAX - 1 + 4 && str_is(str_sub(s, s.len - 4, s.len), ".zip") &&
           code_sha256_is_valid(str_sub(s, 0, s.len - 4)) &&
           fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink == 1;
}

static void work_list(struct job *job)
{
    unsigned i;

    job->bytes = BUF_INIT(LIST_BYTES_MAX);
    for (i = 0; i < 256; i++) {
        CLEANUP(freep) char *folder = str_printf("%s/%02x", job->store->dir, i);
        CLEANUP(closedirp) DIR *d = opendir(folder);
        struct dirent *e;

        while (d && (e = readdir(d)))
            if (is_free_archive(d, e->d_name))
                buf_append_str(&job->bytes, str_sub(str_of(e->d_name), 0, SHA256_HEX_MAX - 1));
    }
}

/* ---- public ---- */

void code_store_add(struct code_store *store, char *base64, code_added_fn *done, void *arg)
{
    struct job *job = job_new(store, work_add, finish_added, arg);

    job->to.added = done;
    job->base64 = base64;
    uuid_make(job->pin.name);
    job_start(job);
}

void code_store_add_bytes(struct code_store *store, struct buf *bytes, code_added_fn *done,
                          void *arg)
{
    struct job *job = job_new(store, work_add, finish_added, arg);

    job->to.added = done;
    job->bytes = *bytes;
    *bytes = BUF_INIT(0);
    uuid_make(job->pin.name);
    job_start(job);
}

void code_store_settle(struct code_store *store, const struct code_pin *pin, bool referred,
                       code_done_fn *done, void *arg)
{
    struct job *job = job_new(store, work_settle, finish_done, arg);

    job->to.done = done;
    job->pin = *pin;
    job->referred = referred;
    job_start(job);
}

/* @sha256 is part of a path: what is none finds nothing. */
static struct job *job_on(struct code_store *store, const char *sha256,
                          void (*work)(struct job *job), void (*finish)(struct job *job), void *arg)
{
    static const char nobody[] = "0000000000000000000000000000000000000000000000000000000000000000";
    struct job *job = job_new(store, work, finish, arg);

    snprintf(job->pin.sha256, sizeof(job->pin.sha256), "%s",
             code_sha256_is_valid(str_of(sha256)) ? sha256 : nobody);
    return job;
}

void code_store_read(struct code_store *store, const char *sha256, code_read_fn *done, void *arg)
{
    struct job *job = job_on(store, sha256, work_read, finish_read, arg);

    job->to.read = done;
    job_start(job);
}

void code_store_read_pinned(struct code_store *store, const struct code_pin *pin,
                            code_read_fn *done, void *arg)
{
    struct job *job = job_new(store, work_read, finish_read, arg);

    job->to.read = done;
    job->pin = *pin;
    job_start(job);
}

void code_store_trash(struct code_store *store, const char *sha256, code_done_fn *done, void *arg)
{
    struct job *job = job_on(store, sha256, work_trash, finish_done, arg);

    job->to.done = done;
    job_start(job);
}

void code_store_restore(struct code_store *store, const char *sha256, code_done_fn *done, void *arg)
{
    struct job *job = job_on(store, sha256, work_restore, finish_done, arg);

    job->to.done = done;
    job_start(job);
}

void code_store_purge(struct code_store *store, const char *sha256, code_done_fn *done, void *arg)
{
    struct job *job = job_on(store, sha256, work_purge, finish_done, arg);

    job->to.done = done;
    job_start(job);
}

void code_store_list(struct code_store *store, code_read_fn *done, void *arg)
{
    struct job *job = job_new(store, work_list, finish_read, arg);

    job->to.read = done;
    job_start(job);
}

/* ---- life ---- */

static int make_folder(const char *dir, const char *name, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/%s", dir, name);

    return dir_make(path, 0700, err);
}

/* The pins of one controller, if it lives no more. */
static void remove_dead(int pins, const char *owner)
{
    CLEANUP(closep) int fd = openat(pins, owner, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    CLEANUP(closedirp) DIR *d = NULL;
    struct dirent *e;

    if (fd < 0 && errno == ENOTDIR) /* a pin of a time before there were folders */
        unlinkat(pins, owner, 0);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return;
    d = fdopendir(dup(fd));
    while (d && (e = readdir(d)))
        unlinkat(fd, e->d_name, 0);
    unlinkat(pins, owner, AT_REMOVEDIR);
}

/* One controller at a time looks for the dead and enters itself. */
static int own_pins(struct code_store *store, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/pins", store->dir);
    CLEANUP(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP(closedirp) DIR *d = opendir(path);
    struct dirent *e;

    if (fd < 0 || !d || flock(fd, LOCK_EX) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "reading folder %s", path);
    while ((e = readdir(d)))
        if (e->d_name[0] != '.')
            remove_dead(fd, e->d_name);
    uuid_make(store->owner);
    if (mkdirat(fd, store->owner, 0700) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "making a folder in %s", path);
    store->lock = openat(fd, store->owner, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->lock < 0 || flock(store->lock, LOCK_EX | LOCK_NB) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "locking a folder in %s", path);
    return 0;
}

static int tell_trash(const char *dir, code_found_fn *trashed, void *arg, struct error *err)
{
    CLEANUP(freep) char *path = str_printf("%s/trash", dir);
    CLEANUP(closedirp) DIR *d = opendir(path);
    struct dirent *e;

    if (!d)
        return error_set_errno(err, ERR_SYSTEM, errno, "reading folder %s", path);
    while ((e = readdir(d)))
        if (code_sha256_is_valid(str_of(e->d_name)))
            trashed(e->d_name, arg);
    return 0;
}

int code_store_new(struct loop *loop, const char *dir, code_found_fn *trashed, void *arg,
                   struct code_store **ret, struct error *err)
{
    struct code_store *store;
    int r;

    r = dir_make(dir, 0700, err);
    if (r == 0)
        r = make_folder(dir, "pins", err);
    if (r == 0)
        r = make_folder(dir, "trash", err);
    if (r == 0)
        r = tell_trash(dir, trashed, arg, err);
    if (r < 0)
        return r;
    store = calloc(1, sizeof(*store));
    if (!store)
        abort();
    store->loop = loop;
    store->dir = str_dup(str_of(dir));
    store->lock = -1;
    r = own_pins(store, err);
    if (r < 0)
        store_end(store);
    else
        *ret = store;
    return r;
}

void code_store_free(struct code_store *store)
{
    if (!store)
        return;
    store->freed = true;
    if (store->jobs == 0)
        store_end(store);
}
