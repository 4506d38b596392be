/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/io/link_internal.h"

#define BACKLOG 512

static void on_connection(uv_stream_t *stream, int status)
{
    struct link_server *server = stream->data;
    struct link *link;

    if (status < 0)
        return; /* out of descriptors: libuv has closed that one, and its peer will come again */
    link = link_new(server->loop, &server->me, server->ops, server->arg, false);
    link->server = server;
    list_append(&server->links, &link->node);
    link_open_pipe(link);
    if (uv_accept(stream, (uv_stream_t *)&link->pipe) < 0)
        link_free(link);
    else
        link_greet(link);
}

/*
 * Looks at what is at the address: nothing, a socket nobody listens on (removed), or something that
 * must stay. A socket is only known to be stale by trying it.
 */
static int clear_address(const struct sockaddr_un *un, struct error *err)
{
    CLEANUP(closep) int fd = -1;
    struct stat st;

    if (lstat(un->sun_path, &st) < 0) {
        if (errno == ENOENT)
            return 0;
        return error_set_errno(err, ERR_CONFIG, errno, "link address %s", un->sun_path);
    }
    if (!S_ISSOCK(st.st_mode))
        return error_set(err, ERR_CONFIG, "link address %s: a file that is no socket is there",
                         un->sun_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "making a socket");
    if (connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0 || errno == EAGAIN)
        return error_set(err, ERR_IN_USE, "link address %s is in use", un->sun_path);
    if (errno != ECONNREFUSED && errno != ENOENT)
        return error_set_errno(err, ERR_CONFIG, errno, "link address %s", un->sun_path);
    if (unlink(un->sun_path) < 0 && errno != ENOENT)
        return error_set_errno(err, ERR_CONFIG, errno, "removing the stale socket %s",
                               un->sun_path);
    return 0;
}

/* A socket bound to @un with mode 0600, or -ERR_*. */
static int bind_socket(const struct sockaddr_un *un, struct stat *ret_st, struct error *err)
{
    CLEANUP(closep) int fd = -1;

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "making a socket");
    /* before bind: Linux gives the file the mode of the socket, so that it is never open to others
     * for a moment, and the process's umask, which other threads share, stays as it is */
    if (fchmod(fd, 0600) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "fchmod of a socket");
    if (bind(fd, (const struct sockaddr *)un, sizeof(*un)) < 0)
        return error_set_errno(err, ERR_CONFIG, errno, "listening on %s", un->sun_path);
    if (lstat(un->sun_path, ret_st) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "looking at %s", un->sun_path);
    return TAKE_FD(fd);
}

int link_listen(struct loop *loop, const char *address, const struct link_hello *me,
                const struct link_ops *ops, void *arg, struct link_server **ret, struct error *err)
{
    struct link_server *server;
    struct sockaddr_un un;
    struct stat st;
    int r, fd;

    r = link_address_parse(address, &un, err);
    if (r < 0)
        return r;
    r = clear_address(&un, err);
    if (r < 0)
        return r;
    fd = bind_socket(&un, &st, err);
    if (fd < 0)
        return fd;
    server = calloc(1, sizeof(*server));
    if (!server)
        abort();
    server->loop = loop;
    server->ops = ops;
    server->arg = arg;
    server->me = *me;
    server->address = un;
    server->device = st.st_dev;
    server->inode = st.st_ino;
    list_init(&server->links);
    if (uv_pipe_init(loop_uv(loop), &server->pipe, 0) < 0 || uv_pipe_open(&server->pipe, fd) < 0)
        abort();
    server->pipe.data = server;
    r = uv_listen((uv_stream_t *)&server->pipe, BACKLOG, on_connection);
    if (r < 0) {
        link_server_free(server);
        return error_set_errno(err, ERR_CONFIG, -r, "listening on %s", un.sun_path);
    }
    *ret = server;
    return 0;
}

static void on_server_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void link_server_free(struct link_server *server)
{
    struct link *link;
    struct stat st;

    if (!server)
        return;
    while ((link = LIST_FIRST(&server->links, struct link, node)))
        link_free(link);
    /* unless another program has taken the address over */
    if (lstat(server->address.sun_path, &st) == 0 && st.st_dev == server->device &&
        st.st_ino == server->inode)
        unlink(server->address.sun_path);
    uv_close((uv_handle_t *)&server->pipe, on_server_closed);
}
