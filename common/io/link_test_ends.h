/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_test_ends.h - for the tests of links: a client and a server in one loop, over a socket in
 * a folder of their own or over TCP, and streams that note what comes.
 *
 * Owns: everything in t; set_up() and tear_down() make and free it for each test.
 */
#ifndef HEARTH_IO_LINK_TEST_ENDS_H
#define HEARTH_IO_LINK_TEST_ENDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "common/io/link_internal.h"
#include "common/io/link_test_pki.h"

#pragma GCC diagnostic ignored "-Wunused-function" /* each test uses some of it */

/* What one side sees of one stream. */
struct talk {
    struct link_stream *s;
    struct buf head, data;
    bool hold; /* gives no credit back */
    bool ended;
    int resets, drains;
    size_t ended_at; /* t.ends when it ended */
    struct error why;
};

enum mode {
    MODE_RECORD, /* take the stream, remember it in t.taken */
    MODE_ECHO, /* answer with the head and send each byte back */
    MODE_IGNORE, /* do not take it */
};

static struct {
    struct loop *loop;
    char dir[64], address[96];
    struct link_server *server;
    struct link *client, *accepted;
    int ups, downs, server_ups, server_downs;
    struct link_hello seen_by_client, seen_by_server;
    struct error why;
    enum mode mode;
    struct talk taken;
    size_t ends;
    bool inside; /* a call of ours is running: no callback may come */
} t;

static struct link_hello client_hello = {.role = "gateway", .id = "g-1"};
static struct link_hello server_hello = {.role = "invoker", .id = "node \"7\""};
static bool over_tcp; /* the tests of this group are */
static struct cert_authority pki; /* of both ends, over TCP */

#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        uint64_t until_ = now_us() + SECONDS(20);                                                  \
        while (!(condition)) {                                                                     \
            if (now_us() > until_)                                                                 \
                fail_msg("waited too long for %s", #condition);                                    \
            uv_run(loop_uv(t.loop), UV_RUN_ONCE);                                                  \
        }                                                                                          \
    } while (0)

/* Lets the loop do all it can do without waiting. */
static void settle(void)
{
    int i;

    for (i = 0; i < 200; i++)
        uv_run(loop_uv(t.loop), UV_RUN_NOWAIT);
}

/* ---- a stream that notes what comes */

static void talk_init(struct talk *talk)
{
    *talk = (struct talk){.head = BUF_INIT(LINK_HEAD_MAX), .data = BUF_INIT(64u << 20)};
}

static void talk_done(struct talk *talk)
{
    buf_done(&talk->head);
    buf_done(&talk->data);
}

static void on_talk_head(struct link_stream *s, struct str head, void *arg)
{
    struct talk *talk = arg;

    assert_false(t.inside);
    assert_ptr_equal(s, talk->s);
    assert_int_equal(buf_append_str(&talk->head, head), 0);
}

static void on_talk_data(struct link_stream *s, struct str bytes, void *arg)
{
    struct talk *talk = arg;

    assert_false(t.inside);
    assert_ptr_equal(s, talk->s);
    assert_true(bytes.len > 0);
    assert_int_equal(buf_append_str(&talk->data, bytes), 0);
    if (!talk->hold)
        link_stream_consumed(s, bytes.len);
}

static void on_talk_end(struct link_stream *s, void *arg)
{
    struct talk *talk = arg;

    (void)s;
    assert_false(t.inside);
    assert_false(talk->ended);
    talk->ended = true;
    talk->ended_at = ++t.ends;
}

static void on_talk_reset(struct link_stream *s, const struct error *why, void *arg)
{
    struct talk *talk = arg;

    assert_false(t.inside);
    assert_ptr_equal(s, talk->s);
    talk->s = NULL;
    talk->resets++;
    talk->why = *why;
}

static void on_talk_drain(struct link_stream *s, void *arg)
{
    struct talk *talk = arg;

    assert_false(t.inside);
    assert_true(link_stream_queued(s) <= LINK_LOW_WATER);
    talk->drains++;
}

static const struct link_stream_ops talk_ops = {
    .on_head = on_talk_head,
    .on_data = on_talk_data,
    .on_end = on_talk_end,
    .on_reset = on_talk_reset,
    .on_drain = on_talk_drain,
};

/* ---- a stream that sends back what comes */

static void on_echo_data(struct link_stream *s, struct str bytes, void *arg)
{
    (void)arg;
    link_stream_send(s, bytes, false);
    link_stream_consumed(s, bytes.len);
}

static void on_echo_end(struct link_stream *s, void *arg)
{
    (void)arg;
    link_stream_send(s, STR_NULL, true);
}

static void on_echo_reset(struct link_stream *s, const struct error *why, void *arg)
{
    (void)s;
    (void)why;
    (void)arg;
}

static const struct link_stream_ops echo_ops = {
    .on_data = on_echo_data, .on_end = on_echo_end, .on_reset = on_echo_reset};

/* ---- the two ends */

static void on_client_up(struct link *link, const struct link_hello *peer, void *arg)
{
    (void)link;
    (void)arg;
    assert_false(t.inside);
    t.ups++;
    t.seen_by_client = *peer;
}

static void on_server_up(struct link *link, const struct link_hello *peer, void *arg)
{
    (void)arg;
    t.server_ups++;
    t.seen_by_server = *peer;
    t.accepted = link;
    link_set_user(link, &t);
}

static void on_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                      struct str head, void *arg)
{
    (void)arg;
    (void)kind;
    assert_false(t.inside);
    assert_ptr_equal(link_stream_link(s), link);
    switch (t.mode) {
    case MODE_RECORD:
        t.taken.s = s;
        buf_clear(&t.taken.head);
        assert_int_equal(buf_append_str(&t.taken.head, head), 0);
        link_stream_accept(s, &talk_ops, &t.taken);
        return;
    case MODE_ECHO:
        link_stream_accept(s, &echo_ops, NULL);
        link_stream_answer(s, head, STR_NULL, false);
        return;
    case MODE_IGNORE:
        return;
    }
}

static void on_client_down(struct link *link, const struct error *why, void *arg)
{
    (void)arg;
    assert_false(t.inside);
    assert_false(link_is_up(link));
    t.downs++;
    t.why = *why;
}

static void on_server_down(struct link *link, const struct error *why, void *arg)
{
    (void)arg;
    (void)why;
    assert_ptr_equal(link_user(link), &t);
    t.server_downs++;
    t.accepted = NULL;
}

static const struct link_ops client_ops = {
    .on_up = on_client_up, .on_stream = on_stream, .on_down = on_client_down};
static const struct link_ops server_ops = {
    .on_up = on_server_up, .on_stream = on_stream, .on_down = on_server_down};

/* Where the socket of "unix:/path" is. */
static struct sockaddr_un unix_of(const char *address)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    assert_true(strlen(address + 5) < sizeof(un.sun_path));
    memcpy(un.sun_path, address + 5, strlen(address + 5));
    return un;
}

/* A port that was free a moment ago. */
static unsigned free_port(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&in, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    close(fd);
    return ntohs(in.sin_port);
}

/* An address that nobody listens on; @name is its file's, if it has one. */
static void make_address(char *ret, size_t size, const char *name)
{
    if (over_tcp)
        snprintf(ret, size, "tcp://127.0.0.1:%u", free_port());
    else
        snprintf(ret, size, "unix:%s/%s", t.dir, name);
}

static void listen_again(void)
{
    assert_int_equal(link_listen(t.loop, t.address, &server_hello, &server_ops, NULL, &t.server,
                                 NULL),
                     0);
}

static int set_up_unlinked(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    talk_init(&t.taken);
    t.loop = loop_new();
    memcpy(t.dir, "/tmp/link-test-XXXXXX", 22);
    assert_non_null(mkdtemp(t.dir));
    make_address(t.address, sizeof(t.address), "s");
    return 0;
}

static int set_up_tcp_group(void **state)
{
    (void)state;
    over_tcp = true;
    pki_new(&pki);
    client_hello.tls = pki_node(&pki, client_hello.role, client_hello.id);
    server_hello.tls = pki_node(&pki, server_hello.role, server_hello.id);
    return 0;
}

static int tear_down_tcp_group(void **state)
{
    (void)state;
    over_tcp = false;
    link_tls_free(TAKE(client_hello.tls));
    link_tls_free(TAKE(server_hello.tls));
    cert_authority_done(&pki);
    return 0;
}

static int set_up(void **state)
{
    set_up_unlinked(state);
    listen_again();
    assert_int_equal(link_connect(t.loop, t.address, &client_hello, &client_ops, NULL, &t.client,
                                  NULL),
                     0);
    WAIT_FOR(t.ups == 1 && t.server_ups == 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    link_free(t.client);
    link_server_free(t.server);
    loop_free(t.loop);
    talk_done(&t.taken);
    if (!over_tcp)
        unlink(t.address + 5);
    assert_int_equal(rmdir(t.dir), 0);
    return 0;
}

static void open_talk(struct talk *talk, struct str head, struct str data, bool end)
{
    talk_init(talk);
    t.inside = true;
    talk->s = link_open(t.client, LINK_INVOKE, head, data, end, &talk_ops, talk);
    t.inside = false;
    assert_non_null(talk->s);
}

static char *make_bytes(size_t len, unsigned seed)
{
    char *bytes = malloc(len);
    size_t i;

    assert_non_null(bytes);
    for (i = 0; i < len; i++) {
        seed = seed * 1103515245u + 12345u;
        bytes[i] = (char)(seed >> 16);
    }
    return bytes;
}

/* Runs @tests over Unix sockets, then over TCP. */
#define RUN_OVER_BOTH(name, tests)                                                                 \
    (cmocka_run_group_tests_name(name, tests, NULL, NULL) +                                        \
     cmocka_run_group_tests_name(name " over TCP", tests, set_up_tcp_group, tear_down_tcp_group))

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
#define TEST_UNLINKED(fn) cmocka_unit_test_setup_teardown(fn, set_up_unlinked, tear_down)

#endif
