/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hearth-init - PID 1 of every sandbox.
 *
 * It opens what must be opened inside the sandbox (the Runtime API's listener, the log pipes, the
 * memory files), hands all of it to the invoker over the mounted Unix socket, starts the
 * function's extensions and main process when told, collects children and reports how they ended,
 * and opens connections to the sandbox's own ports when the invoker wants one. When the socket
 * closes it exits, and the kernel takes everything else in the sandbox along: an invoker that died
 * leaves no sandbox behind.
 *
 * In a blank sandbox (blank.h) it begins as root with four capabilities and gives them up when the
 * sandbox is assigned, before anything of the function runs.
 *
 * It runs as the sandbox's user in a foreign image: static, no allocation, no file written.
 * It is not dumpable, so that the function, which has the same user, can neither trace it nor
 * open its descriptors through /proc.
 *
 * Source: docs/internals/sandboxes.md.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/proto/init_wire.h"
#include "images/init/blank.h"
#include "images/init/child.h"
#include "images/init/extensions.h"
#include "images/init/memory.h"

#define SOCKET_PATH "/.hearth/run/init.sock"
#define RUNTIME_API_PORT 9001
#define RUNTIME_API_BACKLOG 128
#define EXTENSIONS_DIR "/opt/extensions"
/* The kernel counts the pages of all pipes of one user, and every sandbox has the same user: larger
 * ones would soon leave functions' own pipes with 8 KiB each (pipe(7), pipe-user-pages-soft). */
#define PIPE_BYTES (256 * 1024)

/* Exit statuses, seen in the engine's "die" event. */
enum { EXIT_CLOSED = 0, EXIT_NO_SOCKET = 101, EXIT_NO_OPEN = 102, EXIT_PROTOCOL = 103 };

struct init {
    int sock;
    int signals;
    sigset_t mask; /* as it was before we blocked everything */
    struct memory_files memory;
    struct blank blank;
    int stdout_fd, stderr_fd; /* write ends, until the child has them */
    int report; /* of the child that is about to exec; -1: none */
    pid_t main_pid; /* 0: none yet, or it has ended */
    bool started; /* START was received */
    struct init_extensions extensions; /* found none: the main process starts at once */
    int extension_log; /* write end, until all of them are started */
    enum { GO_NOTHING, GO_MAIN, GO_EXTENSIONS, GO_ALL } due; /* what the next GO starts */
    struct init_start start; /* what START said: in kept_buf, as it may be needed again */
    bool restarting; /* RESTART was received, and something of the function is still there */
    uint64_t oom_kills; /* before it was started */
    size_t have; /* bytes in the receive buffer */
};

static uint8_t in_buf[INIT_FRAME_MAX], kept_buf[INIT_FRAME_MAX];
static const char *argv_buf[INIT_ARGV_MAX + 1], *env_buf[INIT_ENV_MAX + 1];

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Our exit is the end of the PID namespace; without one (started by hand), end our own child. */
static void finish(struct init *init, int status)
{
    if (getpid() != 1 && init->main_pid > 0)
        kill(-init->main_pid, SIGKILL);
    _exit(status);
}

static void kill_all(const struct init *init)
{
    if (getpid() == 1)
        kill(-1, SIGKILL);
    else if (init->main_pid > 0)
        kill(-init->main_pid, SIGKILL);
}

static void send_all(struct init *init, const uint8_t *buf, ssize_t len)
{
    ssize_t n, done = 0;

    while (done < len) {
        n = send(init->sock, buf + done, (size_t)(len - done), MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            finish(init, EXIT_CLOSED);
        if (n > 0)
            done += n;
    }
}

static void send_failure(struct init *init, enum init_stage stage, int sys_errno, const char *text)
{
    struct init_failure m = {.stage = (uint8_t)stage, .sys_errno = sys_errno};
    uint8_t buf[INIT_HEADER + 5 + INIT_TEXT_MAX];

    snprintf(m.text, sizeof(m.text), "%s", text);
    send_all(init, buf, init_failure_write(buf, sizeof(buf), &m));
}

static int connect_invoker(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(addr.sun_path))
        return -1;
    memcpy(addr.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
        return -1;
    return fd;
}

static int listen_runtime_api(void)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET,
        .sin_port = htons(RUNTIME_API_PORT),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
        listen(fd, RUNTIME_API_BACKLOG) < 0)
        return -1;
    return fd;
}

static int make_pipe(int *ret_read, int *ret_write)
{
    int p[2];

    if (pipe2(p, O_CLOEXEC) < 0)
        return -1;
    fcntl(p[1], F_SETPIPE_SZ, PIPE_BYTES);
    *ret_read = p[0];
    *ret_write = p[1];
    return 0;
}

/* A frame with descriptors that come along with its first byte. */
static void send_with_fds(struct init *init, uint8_t *buf, ssize_t len, const int *fds, int n)
{
    size_t size = sizeof(int) * (size_t)n;
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * INIT_FDS_MAX)];
    } control;
    struct iovec iov = {buf, (size_t)len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes};
    ssize_t sent;
    struct cmsghdr *c;

    memset(&control, 0, sizeof(control));
    msg.msg_controllen = CMSG_SPACE(size);
    c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(c), fds, size);
    do
        sent = sendmsg(init->sock, &msg, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        finish(init, EXIT_CLOSED);
    send_all(init, buf + sent, len - sent);
}

static void send_hello(struct init *init, const int *fds, uint8_t flags)
{
    struct init_hello m = {INIT_WIRE_VERSION, flags};
    uint8_t buf[INIT_HEADER + 2];

    send_with_fds(init, buf, init_hello_write(buf, sizeof(buf), &m), fds, init_hello_fds(flags));
}

/* Opens what the invoker gets and hands it over; we keep the write ends and the memory events. */
static void hand_over(struct init *init)
{
    int fds[INIT_FDS_MAX] = {-1, -1, -1, -1, -1}, n = 3, i;
    uint8_t flags = 0;

    fds[0] = listen_runtime_api();
    if (fds[0] < 0) {
        send_failure(init, INIT_STAGE_LISTEN, errno, "127.0.0.1:9001");
        finish(init, EXIT_NO_OPEN);
    }
    if (make_pipe(&fds[1], &init->stdout_fd) < 0 || make_pipe(&fds[2], &init->stderr_fd) < 0) {
        send_failure(init, INIT_STAGE_PIPES, errno, "log pipes");
        finish(init, EXIT_NO_OPEN);
    }
    memory_open(&init->memory);
    if (init->memory.usage >= 0) {
        flags |= INIT_HAS_MEMORY_USAGE;
        fds[n++] = init->memory.usage;
    }
    if (init->memory.events >= 0) {
        flags |= INIT_HAS_MEMORY_EVENTS;
        fds[n++] = init->memory.events;
    }
    send_hello(init, fds, flags);
    for (i = 0; i < 3; i++)
        close(fds[i]);
    close_fd(&init->memory.usage);
}

static void start_main(struct init *init, const struct init_start *start)
{
    init->main_pid =
        child_start(start, init->stdout_fd, init->stderr_fd, &init->mask, &init->report);
    if (init->main_pid < 0) {
        init->main_pid = 0;
        send_failure(init, INIT_STAGE_FORK, errno, "fork");
    }
    /* from here only the function holds them: end of file on the pipes means that it is gone */
    close_fd(&init->stdout_fd);
    close_fd(&init->stderr_fd);
}

static void on_assign(struct init *init, const struct init_frame *f)
{
    enum init_stage stage;
    const char *what;

    if (blank_assign(&init->blank, f, &stage, &what) == 0)
        return;
    send_failure(init, stage, errno, what);
    finish(init, EXIT_PROTOCOL);
}

/* Tells of the extensions; they and the main process start with GO. */
static void announce_extensions(struct init *init)
{
    uint8_t buf[INIT_HEADER + 4 + INIT_EXTENSIONS_MAX * INIT_NAME_MAX];
    int log = -1;

    if (make_pipe(&log, &init->extension_log) < 0) {
        send_failure(init, INIT_STAGE_PIPES, errno, "extensions");
        finish(init, EXIT_NO_OPEN);
    }
    init->due = GO_EXTENSIONS;
    send_with_fds(init, buf, init_extensions_write(buf, sizeof(buf), &init->extensions), &log, 1);
    close(log);
}

static void start_all(struct init *init)
{
    if (extensions_find(EXTENSIONS_DIR, &init->extensions))
        announce_extensions(init);
    else
        start_main(init, &init->start);
}

static void on_start(struct init *init, const struct init_frame *f)
{
    struct init_frame kept;

    if (!init->started)
        memcpy(kept_buf, f->body - INIT_HEADER, f->total);
    if (init->started || init->blank.waits || init_frame_parse(kept_buf, f->total, &kept) <= 0 ||
        init_start_read(&kept, argv_buf, env_buf, &init->start) < 0) {
        send_failure(init, INIT_STAGE_PROTOCOL, 0, init->started ? "second START" : "START");
        finish(init, EXIT_PROTOCOL);
    }
    init->started = true;
    start_all(init);
}

static void send_extension(struct init *init, const struct init_extension *m)
{
    uint8_t buf[INIT_HEADER + 5 + INIT_NAME_MAX];

    send_all(init, buf, init_extension_write(buf, sizeof(buf), m));
}

/* First the extensions, then the main process. */
static void on_go(struct init *init)
{
    struct init_extension m;
    uint32_t i;

    switch (init->due) {
    case GO_ALL:
        init->due = GO_NOTHING;
        start_all(init);
        break;
    case GO_EXTENSIONS:
        init->due = GO_MAIN;
        for (i = 0; i < init->extensions.len; i++) {
            extensions_start(i, init->start.env, init->extension_log, &init->mask, &m);
            send_extension(init, &m);
        }
        close_fd(&init->extension_log);
        break;
    case GO_MAIN:
        init->due = GO_NOTHING;
        start_main(init, &init->start);
        break;
    case GO_NOTHING:
        break;
    }
}

/* The child has become the function, or tells why it could not. */
static void on_report(struct init *init)
{
    struct init_started m = {init->main_pid};
    uint8_t buf[INIT_HEADER + 4];
    struct child_report r;
    ssize_t n;

    do
        n = read(init->report, &r, sizeof(r));
    while (n < 0 && errno == EINTR);
    close_fd(&init->report);
    if (n == (ssize_t)sizeof(r)) {
        init->main_pid = 0;
        send_failure(init, (enum init_stage)r.stage, r.sys_errno, "");
    } else {
        send_all(init, buf, init_started_write(buf, sizeof(buf), &m));
    }
}

static void on_main_exit(struct init *init, int status)
{
    struct init_exited m = {.pid = init->main_pid, .status = status};
    uint8_t buf[INIT_HEADER + 16];

    /* it may be dead before we have looked at its report */
    if (init->report >= 0)
        on_report(init);
    if (init->main_pid == 0)
        return;
    init->main_pid = 0;
    m.oom_kills = memory_oom_kills(init->memory.events) - init->oom_kills;
    send_all(init, buf, init_exited_write(buf, sizeof(buf), &m));
}

/* Nothing of the function is left: new pipes, and with GO it begins anew. */
static void restarted(struct init *init)
{
    uint8_t buf[INIT_HEADER];
    int fds[INIT_RESTARTED_FDS];

    init->restarting = false;
    init->oom_kills = memory_oom_kills(init->memory.events);
    close_fd(&init->stdout_fd);
    close_fd(&init->stderr_fd);
    close_fd(&init->extension_log);
    if (make_pipe(&fds[0], &init->stdout_fd) < 0 || make_pipe(&fds[1], &init->stderr_fd) < 0) {
        send_failure(init, INIT_STAGE_PIPES, errno, "log pipes");
        finish(init, EXIT_NO_OPEN);
    }
    init->due = GO_ALL;
    send_with_fds(init, buf, init_restarted_write(buf, sizeof(buf)), fds, INIT_RESTARTED_FDS);
    close(fds[0]);
    close(fds[1]);
}

static void reap(struct init *init)
{
    struct init_extension m;
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == init->main_pid)
            on_main_exit(init, status);
        else if (extensions_ended(pid, status, &m))
            send_extension(init, &m);
    }
    if (init->restarting && pid < 0 && errno == ECHILD)
        restarted(init);
}

/* No fork slips through: one that is under way when the signal comes fails (kill(2) of -1). */
static void on_restart(struct init *init)
{
    if (!init->started || init->restarting) {
        send_failure(init, INIT_STAGE_PROTOCOL, 0, "RESTART");
        finish(init, EXIT_PROTOCOL);
    }
    init->restarting = true;
    init->due = GO_NOTHING;
    kill_all(init);
    reap(init);
}

/* Never waits: whether the connection comes to be is seen by whoever uses it. */
static void on_connect(struct init *init, const struct init_connect *to)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET,
        .sin_port = htons(to->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct init_socket m = {.token = to->token};
    uint8_t buf[INIT_HEADER + 8];

    if (fd < 0 ||
        (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 && errno != EINPROGRESS)) {
        m.sys_errno = errno;
        send_all(init, buf, init_socket_write(buf, sizeof(buf), &m));
    } else {
        send_with_fds(init, buf, init_socket_write(buf, sizeof(buf), &m), &fd, 1);
    }
    close_fd(&fd);
}

static void on_frame(struct init *init, const struct init_frame *f)
{
    struct init_connect to;
    int signo;

    switch (f->type) {
    case INIT_START:
        on_start(init, f);
        return;
    case INIT_SIGNAL:
        if (init_signal_read(f, &signo) < 0)
            break;
        if (init->main_pid > 0)
            kill(init->main_pid, signo);
        return;
    case INIT_KILL:
        if (f->body_len != 0)
            break;
        kill_all(init);
        return;
    case INIT_ASSIGN:
        on_assign(init, f);
        return;
    case INIT_GO:
        if (f->body_len != 0)
            break;
        on_go(init);
        return;
    case INIT_CONNECT:
        if (init_connect_read(f, &to) < 0)
            break;
        on_connect(init, &to);
        return;
    case INIT_RESTART:
        if (f->body_len != 0)
            break;
        on_restart(init);
        return;
    case INIT_HELLO:
    case INIT_STARTED:
    case INIT_EXITED:
    case INIT_ERROR:
    case INIT_EXTENSIONS:
    case INIT_EXTENSION:
    case INIT_SOCKET:
    case INIT_RESTARTED:
        break;
    }
    send_failure(init, INIT_STAGE_PROTOCOL, 0, "unexpected message");
    finish(init, EXIT_PROTOCOL);
}

static void on_readable(struct init *init)
{
    ssize_t n = blank_recv(&init->blank, init->sock, in_buf + init->have,
                           sizeof(in_buf) - init->have);
    struct init_frame f;
    int r;

    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0)
        finish(init, EXIT_CLOSED);
    init->have += (size_t)n;
    while ((r = init_frame_parse(in_buf, init->have, &f)) > 0) {
        on_frame(init, &f);
        init->have -= f.total;
        memmove(in_buf, in_buf + f.total, init->have);
        /* the environment was in there */
        explicit_bzero(in_buf + init->have, f.total);
    }
    if (r < 0) {
        send_failure(init, INIT_STAGE_PROTOCOL, 0, "malformed frame");
        finish(init, EXIT_PROTOCOL);
    }
}

static void on_signal(struct init *init)
{
    struct signalfd_siginfo si;

    if (read(init->signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
        return;
    /* the engine shuts down; a sender inside the sandbox has a pid here and is not obeyed */
    if (si.ssi_signo == SIGTERM && si.ssi_pid == 0)
        finish(init, EXIT_CLOSED);
    reap(init);
}

int main(int argc, char **argv)
{
    struct init init = {.sock = -1, .stdout_fd = -1, .stderr_fd = -1, .report = -1,
                        .extension_log = -1};
    sigset_t all;

    prctl(PR_SET_DUMPABLE, 0);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &init.mask);
    if (argc > 1 && strcmp(argv[1], BLANK_ARGUMENT) == 0)
        init.sock = blank_begin(&init.blank);
    else
        init.sock = connect_invoker(argc > 1 ? argv[1] : SOCKET_PATH);
    if (init.sock < 0) {
        perror("hearth-init: no invoker");
        return EXIT_NO_SOCKET;
    }
    sigemptyset(&all);
    sigaddset(&all, SIGCHLD);
    sigaddset(&all, SIGTERM);
    init.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    if (init.signals < 0)
        return EXIT_NO_OPEN;
    hand_over(&init);
    for (;;) {
        struct pollfd p[3] = {
            {init.sock, POLLIN, 0}, {init.signals, POLLIN, 0}, {init.report, POLLIN, 0}};

        if (poll(p, 3, -1) < 0)
            continue;
        if (p[2].revents)
            on_report(&init);
        if (p[1].revents)
            on_signal(&init);
        if (p[0].revents)
            on_readable(&init);
    }
}
