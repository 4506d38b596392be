/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/base/alloc.h"
#include "common/io/link_internal.h"

#define BACKLOG 512

static void on_connection(uv_stream_t *stream, int status)
{
    struct link_listener *listener = stream->data;
    struct link_server *server = listener->server;
    struct link *link;

    if (status < 0)
        return; /* out of descriptors: libuv has closed that one, and its peer will come again */
    link = link_new(server->loop, &server->me, server->ops, server->arg, false);
    link->server = server;
    link->address = listener->address;
    list_append(&server->links, &link->node);
    link_open_socket(link);
    if (uv_accept(stream, &link->stream) < 0 ||
        (link->address.is_tcp && (server->strangers >= LINK_STRANGERS_MAX ||
                                  !link_tls_is_ready(server->me.tls))))
        link_free(link);
    else
        link_begin(link);
}

/* ---- Unix sockets */

static struct sockaddr_un unix_address(const struct link_address *address)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    memcpy(un.sun_path, address->path, sizeof(address->path));
    return un;
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

/* ---- listening */

static struct link_listener *add_listener(struct link_server *server,
                                          const struct link_address *address)
{
    struct link_listener *listener = xcalloc(sizeof(*listener));

    listener->server = server;
    listener->address = *address;
    listener->handle.data = listener;
    list_append(&server->listeners, &listener->node);
    return listener;
}

static int begin_to_listen(struct link_listener *listener, struct error *err)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(512);
    int r = uv_listen(&listener->stream, BACKLOG, on_connection);

    if (r == 0)
        return 0;
    (void)link_address_write(&text, &listener->address); /* it fits */
    return error_set_errno(err, r == UV_EADDRINUSE ? ERR_IN_USE : ERR_CONFIG, -r,
                           "listening on %.*s", STR_ARG(buf_str(&text)));
}

static int listen_unix(struct link_server *server, const struct link_address *address,
                       struct error *err)
{
    struct sockaddr_un un = unix_address(address);
    struct link_listener *listener;
    struct stat st;
    int r = clear_address(&un, err), fd;

    if (r < 0)
        return r;
    fd = bind_socket(&un, &st, err);
    if (fd < 0)
        return fd;
    listener = add_listener(server, address);
    listener->device = st.st_dev;
    listener->inode = st.st_ino;
    if (uv_pipe_init(loop_uv(server->loop), &listener->pipe, 0) < 0 ||
        uv_pipe_open(&listener->pipe, fd) < 0)
        abort();
    return begin_to_listen(listener, err);
}

static int listen_tcp(struct link_server *server, const struct link_address *address,
                      struct error *err)
{
    struct sockaddr_storage to = {0};
    struct link_listener *listener;
    int r;

    if (!server->me.tls)
        return error_set(err, ERR_CONFIG, "listening on tcp://%s: there is no certificate for links "
                                          "over TCP", address->host);
    if (uv_ip4_addr(address->host, address->port, (struct sockaddr_in *)&to) < 0 &&
        uv_ip6_addr(address->host, address->port, (struct sockaddr_in6 *)&to) < 0)
        return error_set(err, ERR_CONFIG,
                         "listening on tcp://%s: the host must be a number, such as 0.0.0.0 or [::]",
                         address->host);
    listener = add_listener(server, address);
    if (uv_tcp_init(loop_uv(server->loop), &listener->tcp) < 0)
        abort();
    r = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&to, 0);
    if (r < 0)
        return error_set_errno(err, ERR_CONFIG, -r, "listening on tcp://%s", address->host);
    return begin_to_listen(listener, err);
}

static int listen_all(struct link_server *server, struct str addresses, struct error *err)
{
    struct link_address address;
    struct str one;
    int r = 0;

    while (r == 0 && link_addresses_next(&addresses, &one)) {
        r = link_address_parse(one, &address, err);
        if (r == 0)
            r = address.is_tcp ? listen_tcp(server, &address, err)
                               : listen_unix(server, &address, err);
    }
    return r;
}

int link_listen(struct loop *loop, const char *addresses, const struct link_hello *me,
                const struct link_ops *ops, void *arg, struct link_server **ret, struct error *err)
{
    struct link_server *server = xcalloc(sizeof(*server));
    int r;

    server->loop = loop;
    server->ops = ops;
    server->arg = arg;
    server->me = *me;
    list_init(&server->listeners);
    list_init(&server->links);
    r = listen_all(server, str_of(addresses), err);
    if (r < 0) {
        link_server_free(server);
        return r;
    }
    *ret = server;
    return 0;
}

unsigned link_server_port(const struct link_server *server)
{
    const struct link_listener *listener;
    struct sockaddr_storage own;
    struct list_node *n;
    int len = sizeof(own);

    LIST_FOREACH(&server->listeners, n) {
        listener = CONTAINER_OF(n, struct link_listener, node);
        if (!listener->address.is_tcp ||
            uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&own, &len) < 0)
            continue;
        return ntohs(own.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&own)->sin6_port
                                               : ((const struct sockaddr_in *)&own)->sin_port);
    }
    return 0;
}

static void on_listener_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void close_listener(struct link_listener *listener)
{
    struct stat st;

    /* unless another program has taken the address over */
    if (!listener->address.is_tcp && lstat(listener->address.path, &st) == 0 &&
        st.st_dev == listener->device && st.st_ino == listener->inode)
        unlink(listener->address.path);
    list_remove(&listener->node);
    uv_close(&listener->handle, on_listener_closed);
}

void link_server_free(struct link_server *server)
{
    struct link_listener *listener;
    struct link *link;

    if (!server)
        return;
    while ((link = LIST_FIRST(&server->links, struct link, node)))
        link_free(link);
    while ((listener = LIST_FIRST(&server->listeners, struct link_listener, node)))
        close_listener(listener);
    free(server); /* libuv calls nothing of a listener that is being closed but its end */
}
