/* SPDX-License-Identifier: Apache-2.0 */
/* The test plays PID 1 on the other end of the socket. */
#include "invoker/init_link.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "common/base/str.h"

struct fixture {
    struct loop *loop;
    struct init_link *link;
    char dir[64], path[96];
    int init; /* PID 1's end */
    struct launch_fds fds;
    int hellos, started, closed;
    struct init_exited exited;
    struct init_failure failure;
    struct error err;
    bool free_in_callback;
    struct init_extensions extensions;
    struct init_extension extension;
    struct init_socket socket;
    int log_fd, socket_fd, sockets, restarts;
};

static void on_hello(const struct launch_fds *fds, void *arg)
{
    struct fixture *f = arg;

    f->hellos++;
    f->fds = *fds;
    if (f->free_in_callback)
        init_link_free(TAKE(f->link));
    loop_stop(f->loop);
}

static void on_started(const struct init_started *m, void *arg)
{
    struct fixture *f = arg;

    f->started = m->pid;
}

static void on_exited(const struct init_exited *m, void *arg)
{
    struct fixture *f = arg;

    f->exited = *m;
    loop_stop(f->loop);
}

static void on_failure(const struct init_failure *m, void *arg)
{
    struct fixture *f = arg;

    f->failure = *m;
    loop_stop(f->loop);
}

static void on_closed(const struct error *err, void *arg)
{
    struct fixture *f = arg;

    f->closed++;
    f->err = *err;
    loop_stop(f->loop);
}

static void on_turn(void *arg)
{
    struct fixture *f = arg;

    loop_stop(f->loop);
}

static void on_extensions(const struct init_extensions *m, int log_fd, void *arg)
{
    struct fixture *f = arg;

    f->extensions = *m;
    closep(&f->log_fd);
    f->log_fd = log_fd;
    loop_stop(f->loop);
}

static void on_extension(const struct init_extension *m, void *arg)
{
    struct fixture *f = arg;

    f->extension = *m;
    loop_stop(f->loop);
}

static void on_socket(const struct init_socket *m, int fd, void *arg)
{
    struct fixture *f = arg;

    f->socket = *m;
    closep(&f->socket_fd);
    f->socket_fd = fd;
    f->sockets++;
    loop_stop(f->loop);
}

static void on_restarted(int stdout_fd, int stderr_fd, void *arg)
{
    struct fixture *f = arg;

    f->restarts++;
    close(stdout_fd);
    close(stderr_fd);
    loop_stop(f->loop);
}

static const struct init_link_handler handler = {
    on_hello,  on_started,    on_exited,    on_failure, on_closed,
    on_extensions, on_extension, on_socket, on_restarted};

static int connect_to(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
        return fd;
    close(fd);
    return -1;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->loop = loop_new();
    snprintf(f->dir, sizeof(f->dir), "/tmp/hearth-link-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/init.sock", f->dir);
    f->fds = (struct launch_fds){-1, -1, -1, -1, -1};
    f->log_fd = f->socket_fd = -1;
    assert_int_equal(init_link_new(f->loop, f->path, &handler, f, &f->link, NULL), 0);
    f->init = connect_to(f->path);
    assert_true(f->init >= 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    init_link_free(f->link);
    loop_free(f->loop);
    closep(&f->init);
    closep(&f->log_fd);
    closep(&f->socket_fd);
    closep(&f->fds.listener);
    closep(&f->fds.stdout_fd);
    closep(&f->fds.stderr_fd);
    closep(&f->fds.memory_usage);
    closep(&f->fds.memory_events);
    assert_int_equal(rmdir(f->dir), 0);
    free(f);
    return 0;
}

/* Sends a frame with @n descriptors, each of /dev/null. */
static void send_with_fds(struct fixture *f, const void *frame, ssize_t len, int n)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), fds[8];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(fds))];
    } control = {0};
    struct iovec iov = {(void *)frame, (size_t)len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes};
    struct cmsghdr *c;
    int i;

    for (i = 0; i < n; i++)
        fds[i] = null;
    msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n);
    c = CMSG_FIRSTHDR(&msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
    memcpy(CMSG_DATA(c), fds, sizeof(int) * (size_t)n);
    assert_int_equal(sendmsg(f->init, &msg, 0), len);
    close(null);
}

static void send_hello(struct fixture *f, uint8_t version, uint8_t flags, int fds)
{
    const struct init_hello m = {version, flags};
    uint8_t buf[16];

    send_with_fds(f, buf, init_hello_write(buf, sizeof(buf), &m), fds);
}

static void say_hello(struct fixture *f)
{
    send_hello(f, INIT_WIRE_VERSION, INIT_HAS_MEMORY_EVENTS, 4);
    loop_run(f->loop);
    assert_int_equal(f->hellos, 1);
}

static void test_hello_hands_the_descriptors_over_and_nobody_else_can_connect(void **state)
{
    struct fixture *f = *state;

    say_hello(f);
    assert_true(f->fds.listener >= 0 && f->fds.stdout_fd >= 0 && f->fds.stderr_fd >= 0);
    assert_int_equal(f->fds.memory_usage, -1);
    assert_true(f->fds.memory_events >= 0);
    assert_true(fcntl(f->fds.listener, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(f->fds.stdout_fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(connect_to(f->path), -1);
}

static void test_start_arrives_whole_even_when_it_exceeds_the_socket_buffer(void **state)
{
    static char big[200 * 1024];
    static const char *const argv[] = {"/bin/x", NULL}, *const env[] = {big, NULL};
    static uint8_t in[INIT_FRAME_MAX];
    const char *argv2[INIT_ARGV_MAX + 1], *env2[INIT_ENV_MAX + 1];
    struct fixture *f = *state;
    struct init_exited exited = {.pid = 2, .status = 0x100, .oom_kills = 1};
    struct init_start start;
    struct init_frame frame;
    uint8_t out[64];
    size_t len = 0;
    ssize_t n;
    int small = 4096;

    memset(big, 'x', sizeof(big) - 1);
    big[1] = '=';
    setsockopt(f->init, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    say_hello(f);
    init_link_start(f->link, &(struct init_start){"/", argv, env});
    do { /* turn by turn: the rest is written when there is room */
        n = recv(f->init, in + len, sizeof(in) - len, MSG_DONTWAIT);
        len += n > 0 ? (size_t)n : 0;
        if (n < 0) {
            loop_defer(f->loop, on_turn, f);
            loop_run(f->loop);
        }
    } while (init_frame_parse(in, len, &frame) == 0);
    assert_int_equal(frame.type, INIT_START);
    assert_int_equal(init_start_read(&frame, argv2, env2, &start), 0);
    assert_string_equal(start.env[0], big);
    n = init_started_write(out, sizeof(out), &(struct init_started){2});
    n += init_exited_write(out + n, sizeof(out) - (size_t)n, &exited);
    assert_int_equal(write(f->init, out, (size_t)n), n);
    loop_run(f->loop);
    assert_int_equal(f->started, 2);
    assert_int_equal(f->exited.status, 0x100);
    assert_true(f->exited.oom_kills == 1);
}

static void test_the_end_of_pid_1_is_told_once(void **state)
{
    struct fixture *f = *state;

    say_hello(f);
    closep(&f->init);
    loop_run(f->loop);
    assert_int_equal(f->closed, 1);
    assert_int_equal(f->err.code, ERR_CLOSED);
}

static void test_a_failure_before_hello_is_heard(void **state)
{
    const struct init_failure m = {INIT_STAGE_LISTEN, 98, "127.0.0.1:9001"};
    struct fixture *f = *state;
    uint8_t buf[64];
    ssize_t n = init_failure_write(buf, sizeof(buf), &m);

    assert_int_equal(write(f->init, buf, (size_t)n), n);
    loop_run(f->loop);
    assert_int_equal(f->failure.stage, INIT_STAGE_LISTEN);
    assert_int_equal(f->failure.sys_errno, 98);
}

/* Each row breaks the protocol in its own way. */
static void test_nonsense_ends_the_connection(void **state)
{
    static const struct {
        uint8_t version, flags;
        int fds;
    } rows[] = {
        {INIT_WIRE_VERSION + 1, 0, 3}, {INIT_WIRE_VERSION, 0, 2},
        {INIT_WIRE_VERSION, 0, 4},     {INIT_WIRE_VERSION, INIT_HAS_MEMORY_USAGE, 3},
        {INIT_WIRE_VERSION, 0, 8},
    };
    struct fixture *f = *state;
    size_t i;

    for (i = 0; i < ARRAY_LEN(rows); i++) {
        send_hello(f, rows[i].version, rows[i].flags, rows[i].fds);
        loop_run(f->loop);
        assert_int_equal(f->closed, (int)i + 1);
        assert_int_equal(f->err.code, ERR_PROTOCOL);
        assert_int_equal(f->hellos, 0);
        init_link_free(f->link);
        closep(&f->init);
        assert_int_equal(init_link_new(f->loop, f->path, &handler, f, &f->link, NULL), 0);
        f->init = connect_to(f->path);
    }
    say_hello(f);
    send_hello(f, INIT_WIRE_VERSION, 0, 3); /* a second one */
    loop_run(f->loop);
    assert_int_equal(f->closed, (int)i + 1);
}

static void test_descriptors_come_with_extensions_and_sockets(void **state)
{
    const struct init_extensions found = {.found = 1, .len = 1, .names = {"a"}};
    const struct init_extension news = {INIT_EXTENSION_FAILED, 13, "a"};
    struct fixture *f = *state;
    uint8_t buf[64];
    ssize_t n;

    say_hello(f);
    send_with_fds(f, buf, init_extensions_write(buf, sizeof(buf), &found), 1);
    loop_run(f->loop);
    assert_int_equal(f->extensions.found, 1);
    assert_true(f->log_fd >= 0);
    n = init_extension_write(buf, sizeof(buf), &news);
    assert_int_equal(write(f->init, buf, (size_t)n), n);
    loop_run(f->loop);
    assert_int_equal(f->extension.value, 13);
    send_with_fds(f, buf, init_socket_write(buf, sizeof(buf), &(struct init_socket){7, 0}), 1);
    loop_run(f->loop);
    assert_int_equal(f->socket.token, 7);
    assert_true(f->socket_fd >= 0);
    n = init_socket_write(buf, sizeof(buf), &(struct init_socket){8, 111});
    assert_int_equal(write(f->init, buf, (size_t)n), n);
    loop_run(f->loop);
    assert_int_equal(f->socket.sys_errno, 111);
    assert_int_equal(f->socket_fd, -1);
    assert_int_equal(f->closed, 0);
    n = init_socket_write(buf, sizeof(buf), &(struct init_socket){9, 0}); /* without one */
    assert_int_equal(write(f->init, buf, (size_t)n), n);
    loop_run(f->loop);
    assert_int_equal(f->closed, 1);
    assert_int_equal(f->sockets, 2);
}

static void test_descriptors_that_belong_to_nothing_end_the_connection(void **state)
{
    const struct init_extension news = {INIT_EXTENSION_FAILED, 13, "a"};
    struct fixture *f = *state;
    uint8_t buf[64];

    say_hello(f);
    send_with_fds(f, buf, init_extension_write(buf, sizeof(buf), &news), 1);
    while (!f->closed)
        loop_run(f->loop);
    assert_int_equal(f->err.code, ERR_PROTOCOL);
}

static void test_pipes_come_with_restarted_and_extensions_once_more(void **state)
{
    static const struct init_extensions m = {.found = 1, .len = 1, .names = {"a"}};
    struct fixture *f = *state;
    uint8_t extensions[64], restarted[16];
    ssize_t len = init_extensions_write(extensions, sizeof(extensions), &m),
            restarted_len = init_restarted_write(restarted, sizeof(restarted));
    int i;

    say_hello(f);
    for (i = 1; i <= 2; i++) {
        f->extensions.len = 0;
        send_with_fds(f, extensions, len, 1);
        loop_run(f->loop);
        assert_int_equal(f->extensions.len, 1);
        send_with_fds(f, restarted, restarted_len, 2);
        loop_run(f->loop);
        assert_int_equal(f->restarts, i);
    }
    send_with_fds(f, restarted, restarted_len, 1);
    loop_run(f->loop);
    assert_int_equal(f->restarts, 2);
    assert_int_equal(f->closed, 1);
}

static void test_it_may_be_freed_in_its_callback(void **state)
{
    struct fixture *f = *state;
    char c;

    f->free_in_callback = true;
    say_hello(f);
    assert_int_equal(read(f->init, &c, 1), 0);
    assert_int_equal(f->closed, 0);
}

static void test_a_blank_gets_its_mounts_with_assign(void **state)
{
    struct fixture *f = *state;
    const struct init_assign m = {INIT_MOUNT_TMP, 993, 990};
    int pair[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC), fds[2] = {null, null};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * INIT_MOUNTS_MAX)];
    } control;
    uint8_t in[64];
    struct iovec iov = {in, sizeof(in)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    struct init_frame frame;
    struct init_link *link;
    ssize_t n;
    int i, fd;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    link = init_link_new_connected(f->loop, pair[0], &handler, f);
    assert_int_equal(init_link_assign(link, &m, fds, NULL), 0);
    n = recvmsg(pair[1], &msg, MSG_CMSG_CLOEXEC);
    assert_int_equal(init_frame_parse(in, (size_t)n, &frame), 1);
    assert_int_equal(frame.type, INIT_ASSIGN);
    assert_int_equal(CMSG_FIRSTHDR(&msg)->cmsg_len, CMSG_LEN(2 * sizeof(int)));
    for (i = 0; i < 2; i++) {
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)) + (size_t)i * sizeof(int), sizeof(fd));
        close(fd);
    }
    close(pair[1]);
    assert_int_equal(init_link_assign(link, &m, fds, NULL), -ERR_SYSTEM);
    init_link_free(link);
    close(null);
}

static void test_a_path_too_long_for_a_socket_is_named(void **state)
{
    struct fixture *f = *state;
    CLEANUP(freep) char *path = str_printf("%s/%0100d", f->dir, 0);
    struct init_link *link = NULL;

    assert_int_equal(init_link_new(f->loop, path, &handler, f, &link, &f->err), -ERR_SYSTEM);
    assert_non_null(strstr(f->err.msg, "too long for a socket (107 bytes at most)"));
    assert_null(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_hello_hands_the_descriptors_over_and_nobody_else_can_connect, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_start_arrives_whole_even_when_it_exceeds_the_socket_buffer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_end_of_pid_1_is_told_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_failure_before_hello_is_heard, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nonsense_ends_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_descriptors_come_with_extensions_and_sockets, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            test_descriptors_that_belong_to_nothing_end_the_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pipes_come_with_restarted_and_extensions_once_more,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_may_be_freed_in_its_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_blank_gets_its_mounts_with_assign, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_path_too_long_for_a_socket_is_named, setup,
                                        teardown),
    };

    return cmocka_run_group_tests_name("init_link", tests, NULL, NULL);
}
