/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/code_download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/io/rpc.h"

#define DOWNLOAD_LIMIT_US MINUTES(2)

struct download {
    struct list_node node; /* in the caller's list, until the answer is there */
    struct loop *loop;
    struct code_fetch *fetch;
    const char *path;
    char *bytes; /* a copy, while the worker writes it */
    size_t len;
    struct error err; /* of the worker; code ERR_OK: none */
};

static int write_all(int fd, const char *bytes, size_t len)
{
    ssize_t n;

    while (len) {
        n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* On a worker thread. */
static void write_file(void *arg)
{
    struct download *d = arg;
    int fd = open(d->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int r = fd < 0 ? -errno : write_all(fd, d->bytes, d->len);

    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = -errno;
    if (r < 0)
        error_set_errno(&d->err, ERR_SYSTEM, -r, "writing %s", d->path);
}

static void on_written(void *arg)
{
    struct download *d = arg;

    code_fetched(d->fetch, d->err.code == ERR_OK ? NULL : &d->err);
    free(d->bytes);
    free(d);
}

static void on_answer(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct download *d = arg;
    (void)ok;

    list_remove(&d->node);
    if (err) {
        code_fetched(d->fetch, err);
        free(d);
        return;
    }
    d->len = body.len;
    d->bytes = malloc(body.len + 1);
    if (!d->bytes)
        abort();
    memcpy(d->bytes, body.ptr, body.len);
    loop_work(d->loop, write_file, on_written, d);
}

void code_download(struct loop *loop, struct link *link, struct list_node *asking,
                   struct code_fetch *fetch, const char *sha256, const char *path)
{
    struct download *d = calloc(1, sizeof(*d));
    cJSON *args = cJSON_CreateObject();

    if (!d)
        abort();
    d->loop = loop;
    d->fetch = fetch;
    d->path = path;
    list_append(asking, &d->node);
    cJSON_AddStringToObject(args, "sha256", sha256);
    rpc_call(link, "code.get", args, STR_NULL, DOWNLOAD_LIMIT_US, on_answer, d);
    cJSON_Delete(args);
}

void code_downloads_end(struct list_node *asking)
{
    struct error gone;
    struct download *d;

    error_set(&gone, ERR_UNAVAILABLE, "the node is shutting down");
    while ((d = LIST_FIRST(asking, struct download, node))) {
        list_remove(&d->node);
        code_fetched(d->fetch, &gone);
        free(d);
    }
}
