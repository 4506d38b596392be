/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/init_link.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/base/buf.h"

/* What PID 1 sends is small; a longer frame is not its. */
#define IN_MAX 4096
#define OUT_MAX (INIT_FRAME_MAX + 4096)

struct init_link {
    struct loop *loop;
    const struct init_link_handler *handler;
    void *arg;
    char *path;
    int listener, fd; /* the one, then the other */
    struct watch *watch; /* of whichever is open */
    int fds[INIT_FDS_MAX]; /* received, not given away yet */
    int fds_len;
    bool hello_seen, extensions_seen, closed;
    uint8_t in[IN_MAX];
    size_t in_len;
    struct buf out;
};

static void close_all(struct init_link *link)
{
    int i;

    watch_free(TAKE(link->watch));
    if (link->listener >= 0)
        unlink(link->path);
    closep(&link->listener);
    closep(&link->fd);
    for (i = 0; i < link->fds_len; i++)
        close(link->fds[i]);
    link->fds_len = 0;
    link->closed = true;
}

static void closed(struct init_link *link, const struct error *err)
{
    close_all(link);
    link->handler->on_closed(err, link->arg);
}

static void broken(struct init_link *link, const char *what)
{
    struct error err;

    error_set(&err, ERR_PROTOCOL, "hearth-init: %s", what);
    closed(link, &err);
}

/* ---- what PID 1 says */

static void on_hello(struct init_link *link, const struct init_frame *f)
{
    struct launch_fds fds = LAUNCH_FDS_NONE;
    struct init_hello m;
    int i, n = 3;

    if (link->hello_seen || init_hello_read(f, &m) < 0 ||
        link->fds_len != init_hello_fds(m.flags)) {
        broken(link, "wrong HELLO");
        return;
    }
    if (m.version != INIT_WIRE_VERSION) {
        broken(link, "another version than ours");
        return;
    }
    link->hello_seen = true;
    for (i = 0; i < 3; i++)
        fcntl(link->fds[i], F_SETFL, O_NONBLOCK);
    fds.listener = link->fds[0];
    fds.stdout_fd = link->fds[1];
    fds.stderr_fd = link->fds[2];
    if (m.flags & INIT_HAS_MEMORY_USAGE)
        fds.memory_usage = link->fds[n++];
    if (m.flags & INIT_HAS_MEMORY_EVENTS)
        fds.memory_events = link->fds[n++];
    link->fds_len = 0;
    link->handler->on_hello(&fds, link->arg);
}

/* The descriptor that came with the frame being read; -1: none did. */
static int take_fd(struct init_link *link)
{
    int fd = link->fds_len ? link->fds[0] : -1;

    if (fd < 0)
        return -1;
    link->fds_len--;
    memmove(link->fds, link->fds + 1, sizeof(int) * (size_t)link->fds_len);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void on_extensions(struct init_link *link, const struct init_frame *f)
{
    struct init_extensions m;
    int fd;

    if (link->extensions_seen || init_extensions_read(f, &m) < 0 || (fd = take_fd(link)) < 0) {
        broken(link, "wrong EXTENSIONS");
        return;
    }
    link->extensions_seen = true;
    link->handler->on_extensions(&m, fd, link->arg);
}

static void on_socket_frame(struct init_link *link, const struct init_frame *f)
{
    struct init_socket m;
    int fd = -1;

    if (init_socket_read(f, &m) < 0 || (m.sys_errno == 0 && (fd = take_fd(link)) < 0)) {
        broken(link, "wrong SOCKET");
        return;
    }
    link->handler->on_socket(&m, fd, link->arg);
}

static void on_restarted(struct init_link *link, const struct init_frame *f)
{
    int out, err;

    if (f->body_len || link->fds_len != INIT_RESTARTED_FDS) {
        broken(link, "wrong RESTARTED");
        return;
    }
    out = take_fd(link);
    err = take_fd(link);
    link->extensions_seen = false;
    link->handler->on_restarted(out, err, link->arg);
}

static void on_frame(struct init_link *link, const struct init_frame *f)
{
    struct init_extension extension;
    struct init_started started;
    struct init_exited exited;
    struct init_failure failure;

    if (!link->hello_seen && f->type != INIT_HELLO && f->type != INIT_ERROR) {
        broken(link, "no HELLO");
        return;
    }
    switch (f->type) {
    case INIT_HELLO:
        on_hello(link, f);
        return;
    case INIT_STARTED:
        if (init_started_read(f, &started) < 0)
            break;
        link->handler->on_started(&started, link->arg);
        return;
    case INIT_EXITED:
        if (init_exited_read(f, &exited) < 0)
            break;
        link->handler->on_exited(&exited, link->arg);
        return;
    case INIT_ERROR:
        if (init_failure_read(f, &failure) < 0)
            break;
        link->handler->on_failure(&failure, link->arg);
        return;
    case INIT_EXTENSIONS:
        on_extensions(link, f);
        return;
    case INIT_EXTENSION:
        if (init_extension_read(f, &extension) < 0)
            break;
        link->handler->on_extension(&extension, link->arg);
        return;
    case INIT_SOCKET:
        on_socket_frame(link, f);
        return;
    case INIT_RESTARTED:
        on_restarted(link, f);
        return;
    case INIT_START:
    case INIT_SIGNAL:
    case INIT_KILL:
    case INIT_ASSIGN:
    case INIT_GO:
    case INIT_CONNECT:
    case INIT_RESTART:
        break;
    }
    broken(link, "unexpected message");
}

/* Descriptors come with HELLO, EXTENSIONS, SOCKET and RESTARTED, each with a frame's first byte: one recvmsg(2)
 * gives those of one frame at most, as the kernel ends it behind them. */
static bool take_fds(struct init_link *link, struct msghdr *msg)
{
    struct cmsghdr *c;
    size_t n, i;
    int fd;
    bool ok = !(msg->msg_flags & MSG_CTRUNC);

    for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (i = 0; i < n; i++) {
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (link->fds_len < INIT_FDS_MAX) {
                link->fds[link->fds_len++] = fd;
            } else {
                close(fd);
                ok = false;
            }
        }
    }
    return ok;
}

static void read_some(struct init_link *link)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * INIT_FDS_MAX)];
    } control;
    struct iovec iov = {link->in + link->in_len, sizeof(link->in) - link->in_len};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    ssize_t n = recvmsg(link->fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    struct init_frame f;
    struct error err;
    int r = 0;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        error_set(&err, ERR_CLOSED, "the sandbox's PID 1 ended");
        closed(link, &err);
        return;
    }
    if (!take_fds(link, &msg)) {
        broken(link, "unexpected descriptors");
        return;
    }
    link->in_len += (size_t)n;
    while (!link->closed && (r = init_frame_parse(link->in, link->in_len, &f)) > 0) {
        on_frame(link, &f);
        link->in_len -= f.total;
        memmove(link->in, link->in + f.total, link->in_len);
    }
    if (!link->closed && (r < 0 || link->in_len == sizeof(link->in)))
        broken(link, "malformed frame");
    if (!link->closed && link->in_len == 0 && link->fds_len)
        broken(link, "unexpected descriptors");
}

/* ---- what we say */

/* It may have held the environment. */
static void wipe_out(struct init_link *link)
{
    if (link->out.ptr)
        explicit_bzero(link->out.ptr, link->out.cap);
    buf_done(&link->out);
}

static void write_some(struct init_link *link)
{
    ssize_t n = 0;

    while (link->out.len) {
        n = send(link->fd, link->out.ptr, link->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        buf_consume(&link->out, (size_t)n);
    }
    /* a broken connection shows when it is read */
    if (n < 0 && errno != EAGAIN)
        buf_clear(&link->out);
    if (link->out.len == 0)
        wipe_out(link);
    watch_set(link->watch, WATCH_READ | (link->out.len ? WATCH_WRITE : 0));
}

static void on_socket(int fd, int events, void *arg)
{
    struct init_link *link = arg;

    (void)fd;
    if (events & WATCH_WRITE)
        write_some(link);
    if (events & WATCH_READ)
        read_some(link);
}

static void on_connection(int listener, int events, void *arg)
{
    struct init_link *link = arg;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)events;
    if (fd < 0)
        return;
    watch_free(link->watch);
    unlink(link->path);
    closep(&link->listener);
    link->fd = fd;
    link->watch = watch_new(link->loop, fd, on_socket, link);
    watch_set(link->watch, WATCH_READ);
}

static void send_small(struct init_link *link, const uint8_t *frame, ssize_t len)
{
    if (link->fd < 0 || len < 0)
        return;
    buf_append(&link->out, frame, (size_t)len);
    write_some(link);
}

pid_t init_link_pid(const struct init_link *link)
{
    struct ucred peer = {0};
    socklen_t size = sizeof(peer);

    return link->fd >= 0 && getsockopt(link->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
               ? peer.pid
               : 0;
}

void init_link_start(struct init_link *link, const struct init_start *start)
{
    ssize_t size = init_start_size(start);

    if (link->fd < 0 || size < 0 || buf_reserve(&link->out, (size_t)size) < 0)
        return;
    init_start_write(link->out.ptr + link->out.len, (size_t)size, start);
    link->out.len += (size_t)size;
    write_some(link);
}

void init_link_signal(struct init_link *link, int signo)
{
    uint8_t frame[INIT_HEADER + 1];

    send_small(link, frame, init_signal_write(frame, sizeof(frame), signo));
}

void init_link_kill(struct init_link *link)
{
    uint8_t frame[INIT_HEADER];

    send_small(link, frame, init_kill_write(frame, sizeof(frame)));
}

int init_link_assign(struct init_link *link, const struct init_assign *m, const int *fds,
                     struct error *err)
{
    size_t size = sizeof(int) * (size_t)init_assign_fds(m->mounts);
    uint8_t frame[INIT_HEADER + 9];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * INIT_MOUNTS_MAX)];
    } control = {.bytes = {0}};
    struct iovec iov = {frame, (size_t)init_assign_write(frame, sizeof(frame), m)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = CMSG_SPACE(size)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(c), fds, size);
    /* nothing was sent before: it fits, or PID 1 is gone */
    if (link->fd < 0 ||
        sendmsg(link->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)iov.iov_len)
        return error_set_errno(err, ERR_SYSTEM, link->fd < 0 ? EPIPE : errno,
                               "handing the file system to the sandbox");
    return 0;
}

void init_link_go(struct init_link *link)
{
    uint8_t frame[INIT_HEADER];

    send_small(link, frame, init_go_write(frame, sizeof(frame)));
}

void init_link_restart(struct init_link *link)
{
    uint8_t frame[INIT_HEADER];

    send_small(link, frame, init_restart_write(frame, sizeof(frame)));
}

void init_link_connect(struct init_link *link, uint32_t token, uint16_t port)
{
    const struct init_connect m = {token, port};
    uint8_t frame[INIT_HEADER + 8];

    send_small(link, frame, init_connect_write(frame, sizeof(frame), &m));
}

/* ---- */

static int listen_at(const char *path, struct error *err)
{
    CLEANUP(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(addr.sun_path))
        return error_set(err, ERR_SYSTEM, "%s is too long for a socket (%zu bytes at most)", path,
                         sizeof(addr.sun_path) - 1);
    memcpy(addr.sun_path, path, strlen(path));
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "making the socket %s", path);
    /* PID 1 has another user; who may come here is decided by the folders above */
    if (chmod(path, 0666) < 0 || listen(fd, 1) < 0)
        return error_set_errno(err, ERR_SYSTEM, errno, "making the socket %s", path);
    return TAKE_FD(fd);
}

static struct init_link *link_new(struct loop *loop, const struct init_link_handler *handler,
                                  void *arg)
{
    struct init_link *link = calloc(1, sizeof(*link));

    if (!link)
        abort();
    link->loop = loop;
    link->handler = handler;
    link->arg = arg;
    link->listener = link->fd = -1;
    buf_init(&link->out, OUT_MAX);
    return link;
}

int init_link_new(struct loop *loop, const char *path, const struct init_link_handler *handler,
                  void *arg, struct init_link **ret, struct error *err)
{
    int fd = listen_at(path, err);
    struct init_link *link;

    if (fd < 0)
        return fd;
    link = link_new(loop, handler, arg);
    link->path = str_dup(str_of(path));
    link->listener = fd;
    link->watch = watch_new(loop, fd, on_connection, link);
    watch_set(link->watch, WATCH_READ);
    *ret = link;
    return 0;
}

struct init_link *init_link_new_connected(struct loop *loop, int fd,
                                          const struct init_link_handler *handler, void *arg)
{
    struct init_link *link = link_new(loop, handler, arg);

    link->fd = fd;
    link->watch = watch_new(loop, fd, on_socket, link);
    watch_set(link->watch, WATCH_READ);
    return link;
}

void init_link_set_handler(struct init_link *link, const struct init_link_handler *handler,
                           void *arg)
{
    link->handler = handler;
    link->arg = arg;
}

static void free_now(void *arg)
{
    struct init_link *link = arg;

    wipe_out(link);
    free(link->path);
    free(link);
}

void init_link_free(struct init_link *link)
{
    if (!link)
        return;
    close_all(link);
    loop_defer(link->loop, free_now, link); /* we may be inside one of its callbacks */
}
