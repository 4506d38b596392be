/* SPDX-License-Identifier: Apache-2.0 */
/* What peers that mean ill may use of the small engine: connections and bytes. */
#include "common/io/http_server.h"

#include <fcntl.h>
#include <netinet/tcp.h>

#include "common/io/http_conn.h"
#include "common/io/http_test_ends.h"

#define MIB (1u << 20)

/* One more client, that only sends. */
static int connect_one(const struct fixture *f)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    in.sin_port = htons((uint16_t)http_server_port(f->server));
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Sends all of it, however slowly it is taken; false when the peer has closed. */
static bool send_all(struct fixture *f, int fd, const char *bytes, size_t len)
{
    ssize_t n;

    while (len) {
        n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
        turn_loop(f);
    }
    return true;
}

/* The status of the answer that has come; 0: none has. */
static int status_of(struct fixture *f, int fd)
{
    char text[64] = "";
    uint64_t status;

    turn_loop(f);
    return recv(fd, text, sizeof(text) - 1, MSG_PEEK) > 12 && str_parse_u64(str_from(text + 9, 3), &status) == 0
               ? (int)status
               : 0;
}

static size_t taken(const struct fixture *f)
{
    const struct list_node *node;
    size_t n = 0;

    LIST_FOREACH(&f->server->conns, node)
        n++;
    return n;
}

static size_t held(const struct fixture *f)
{
    const struct http_conn *c;
    const struct list_node *node;
    size_t sum = 0;

    LIST_FOREACH(&f->server->conns, node)
    {
        c = CONTAINER_OF(node, struct http_conn, node);
        sum += c->in.cap + c->body.cap + f->server->transport->queued(c);
    }
    return sum;
}

static void no_more_connections_are_taken_than_allowed_and_the_others_wait(void **state)
{
    enum { MANY = 20, MOST = 5 };
    struct fixture f;
    int fd[MANY], i;

    (void)state;
    begin(&f, SMALL_TCP);
    http_small_limit(f.server, MOST, 0, 0);
    turn_loop(&f);
    for (i = 0; i < MANY; i++) {
        fd[i] = connect_one(&f);
        assert_true(send_all(&f, fd[i], "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 27));
    }
    turn_loop(&f);
    assert_int_equal(taken(&f), MOST);
    assert_int_equal(f.requests, MOST - 1); /* the fixture's own client says nothing */
    say(&f, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n")); /* who is in is served */
    hear(&f, "hello");
    for (i = 0; i < MANY; i++) { /* a place for the next each time */
        close(fd[i]);
        turn_loop(&f);
        assert_int_equal(taken(&f), MANY - i < MOST ? MANY - i : MOST);
    }
    assert_int_equal(f.requests, MANY + 1);
    end(&f);
}

static void a_server_goes_while_one_waits_for_a_place(void **state)
{
    struct fixture f;
    int fd;

    (void)state;
    begin(&f, SMALL_TCP);
    http_small_limit(f.server, 1, 0, 0);
    turn_loop(&f);
    fd = connect_one(&f);
    turn_loop(&f);
    assert_int_equal(taken(&f), 1);
    end(&f);
    close(fd);
}

static void bodies_that_are_too_much_together_are_refused(void **state)
{
    static char half[2000000];
    static const char *const heads[] = {
        "POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n",
        "POST /big HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3d0900\r\n",
    };
    struct fixture f;
    size_t i;
    int one, two;

    (void)state;
    for (i = 0; i < ARRAY_LEN(heads); i++) {
        begin(&f, SMALL_TCP);
        http_small_limit(f.server, 0, 5 * MIB, 0);
        one = connect_one(&f);
        two = connect_one(&f);
        assert_true(send_all(&f, one, heads[i], strlen(heads[i])));
        assert_true(send_all(&f, one, half, sizeof(half)));
        assert_int_equal(status_of(&f, one), 0);
        assert_true(send_all(&f, two, heads[i], strlen(heads[i])));
        (void)(send_all(&f, two, half, sizeof(half)) && send_all(&f, two, half, sizeof(half)));
        assert_int_equal(status_of(&f, two), 503);
        assert_true(held(&f) <= 5 * MIB);
        assert_true(send_all(&f, one, half, sizeof(half))); /* the first one goes on */
        if (i == 1)
            assert_true(send_all(&f, one, "\r\n0\r\n\r\n", 7));
        assert_int_equal(status_of(&f, one), 500); /* as /big says: not 5 MiB */
        close(one);
        close(two);
        end(&f);
    }
}

static void heads_that_are_too_much_together_are_refused(void **state)
{
    enum { MANY = 12 };
    static char letters[MIB - 1000];
    struct fixture f;
    int fd[MANY], i, refused = 0;

    (void)state;
    begin(&f, SMALL_TCP);
    http_small_limit(f.server, 0, 6 * MIB, 0);
    memset(letters, 'a', sizeof(letters));
    for (i = 0; i < MANY; i++) {
        fd[i] = connect_one(&f);
        (void)(send_all(&f, fd[i], "GET / HTTP/1.1\r\nHost: h\r\nX: ", 28) &&
               send_all(&f, fd[i], letters, sizeof(letters)));
        assert_true(held(&f) <= 6 * MIB + MANY * 65536);
    }
    for (i = 0; i < MANY; i++) {
        refused += status_of(&f, fd[i]) == 503;
        close(fd[i]);
    }
    assert_true(refused >= MANY / 2);
    end(&f);
}

/* A request of 40 bytes may be answered with megabytes: again and again, without ever reading. */
static void answers_that_are_not_read_are_limited(void **state)
{
    struct fixture f;
    int i, one = 1;

    (void)state;
    begin(&f, SMALL_TCP);
    http_small_limit(f.server, 0, 8 * MIB, 0);
    watch_set(f.watch, 0);
    assert_int_equal(setsockopt(f.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
    turn_loop(&f);
    for (i = 0; i < 40; i++) {
        (void)send(f.fd, "GET /large HTTP/1.1\r\nHost: h\r\n\r\n", 32, MSG_NOSIGNAL);
        turn_loop(&f);
        assert_true(held(&f) <= 8 * MIB);
    }
    assert_int_equal(taken(&f), 0);
    client_leave(&f);
    client_connect(&f); /* the server serves others */
    say(&f, STR("GET /large HTTP/1.1\r\nHost: h\r\n\r\n"));
    hear(&f, "Content-Length: 3145728\r\n\r\n");
    end(&f);
}

/* 1,000 requests in one packet, and somebody else's one behind them. */
static void who_asks_without_end_keeps_nobody_else_waiting(void **state)
{
    enum { MANY = 1000, A_TURN = 10 };
    struct fixture f;
    int fd, i, before;

    (void)state;
    begin(&f, SMALL_TCP);
    http_small_limit(f.server, 0, 0, A_TURN);
    fd = connect_one(&f);
    turn_loop(&f);
    for (i = 0; i < MANY; i++)
        assert_int_equal(send(fd, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 27, MSG_NOSIGNAL), 27);
    for (i = 0; i < 5; i++) {
        before = f.requests;
        loop_defer(f.loop, (loop_fn *)loop_stop, f.loop);
        loop_run(f.loop);
        assert_true(f.requests - before <= 2 * A_TURN); /* the end of one turn, and the next */
    }
    assert_true(f.requests < MANY / 2);
    say(&f, STR("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    hear(&f, "hello");
    assert_true(f.requests < MANY / 2);
    while (f.requests < MANY + 1) /* all of them in the end */
        turn_loop(&f);
    close(fd);
    end(&f);
}

static void connections_come_by_and_by(void **state)
{
    enum { MANY = 100, A_TURN = 10 };
    struct fixture f;
    int fd[MANY], i;
    size_t before;

    (void)state;
    begin(&f, SMALL_TCP);
    http_small_limit(f.server, 0, 0, A_TURN);
    for (i = 0; i < MANY; i++)
        fd[i] = connect_one(&f);
    for (i = 0; i < 3; i++) {
        before = taken(&f);
        loop_defer(f.loop, (loop_fn *)loop_stop, f.loop);
        loop_run(f.loop);
        assert_true(taken(&f) - before <= 2 * A_TURN);
    }
    turn_loop(&f);
    assert_int_equal(taken(&f), MANY + 1);
    for (i = 0; i < MANY; i++)
        close(fd[i]);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_more_connections_are_taken_than_allowed_and_the_others_wait),
        cmocka_unit_test(a_server_goes_while_one_waits_for_a_place),
        cmocka_unit_test(bodies_that_are_too_much_together_are_refused),
        cmocka_unit_test(heads_that_are_too_much_together_are_refused),
        cmocka_unit_test(answers_that_are_not_read_are_limited),
        cmocka_unit_test(who_asks_without_end_keeps_nobody_else_waiting),
        cmocka_unit_test(connections_come_by_and_by),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
