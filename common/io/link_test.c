/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of a link in one loop, over a socket in a folder of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "common/io/link_internal.h"

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

static const struct link_hello client_hello = {"gateway", "g-1"};
static const struct link_hello server_hello = {"invoker", "node \"7\""};

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

static const struct link_ops client_ops = {on_client_up, on_stream, on_client_down};
static const struct link_ops server_ops = {on_server_up, on_stream, on_server_down};

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
    snprintf(t.address, sizeof(t.address), "unix:%s/s", t.dir);
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

/* ---- tests */

static void both_sides_learn_who_the_other_is(void **state)
{
    (void)state;
    assert_true(link_is_up(t.client));
    assert_string_equal(t.seen_by_client.role, "invoker");
    assert_string_equal(t.seen_by_client.id, "node \"7\"");
    assert_string_equal(t.seen_by_server.role, "gateway");
    assert_string_equal(t.seen_by_server.id, "g-1");
    assert_ptr_equal(link_user(t.accepted), &t);
}

static void a_question_and_its_answer(void **state)
{
    struct talk talk;

    (void)state;
    open_talk(&talk, STR("head"), STR("question"), true);
    WAIT_FOR(t.taken.ended);
    assert_true(str_is(buf_str(&t.taken.head), "head"));
    assert_true(str_is(buf_str(&t.taken.data), "question"));
    t.inside = true;
    link_stream_answer(t.taken.s, STR("result"), STR("answer"), true);
    t.inside = false;
    WAIT_FOR(talk.ended);
    assert_true(str_is(buf_str(&talk.head), "result"));
    assert_true(str_is(buf_str(&talk.data), "answer"));
    assert_int_equal(t.client->stream_count, 0);
    assert_int_equal(t.accepted->stream_count, 0);
    assert_int_equal(talk.resets + t.taken.resets, 0);
    talk_done(&talk);
}

static void the_accepting_side_can_open_streams_too(void **state)
{
    struct talk talk;

    (void)state;
    talk_init(&talk);
    t.mode = MODE_ECHO;
    talk.s = link_open(t.accepted, LINK_CALL, STR("h"), STR("x"), true, &talk_ops, &talk);
    WAIT_FOR(talk.ended);
    assert_true(str_is(buf_str(&talk.head), "h"));
    assert_true(str_is(buf_str(&talk.data), "x"));
    talk_done(&talk);
}

static void empty_messages_are_messages(void **state)
{
    struct talk talk;

    (void)state;
    t.mode = MODE_ECHO;
    open_talk(&talk, STR(""), STR(""), true);
    WAIT_FOR(talk.ended);
    assert_int_equal(talk.head.len + talk.data.len, 0);
    talk_done(&talk);
}

static void six_megabytes_go_both_ways_unharmed(void **state)
{
    enum { LEN = 6 * 1024 * 1024 };
    CLEANUP(freep) char *bytes = make_bytes(LEN, 1);
    CLEANUP(freep) char *head = make_bytes(LINK_HEAD_MAX, 2);
    struct talk talk;

    (void)state;
    t.mode = MODE_ECHO;
    open_talk(&talk, str_from(head, LINK_HEAD_MAX), str_from(bytes, LEN), true);
    assert_true(link_stream_queued(talk.s) > 0);
    WAIT_FOR(talk.ended);
    assert_int_equal(talk.head.len, LINK_HEAD_MAX);
    assert_memory_equal(talk.head.ptr, head, LINK_HEAD_MAX);
    assert_int_equal(talk.data.len, LEN);
    assert_memory_equal(talk.data.ptr, bytes, LEN);
    assert_int_equal(talk.drains, 1);
    assert_int_equal(t.client->stream_count, 0);
    assert_int_equal(t.accepted->stream_count, 0);
    talk_done(&talk);
}

static void a_receiver_that_gives_no_credit_stops_the_sender_at_the_window(void **state)
{
    enum { LEN = 1024 * 1024 };
    CLEANUP(freep) char *bytes = make_bytes(LEN, 3);
    struct talk talk;

    (void)state;
    t.taken.hold = true;
    open_talk(&talk, STR("h"), str_from(bytes, LEN), true);
    settle();
    assert_int_equal(t.taken.data.len, LINK_WINDOW);
    assert_int_equal(link_stream_queued(talk.s), LEN - LINK_WINDOW);
    assert_int_equal(talk.drains, 0);
    t.inside = true;
    t.taken.hold = false;
    link_stream_consumed(t.taken.s, LINK_WINDOW);
    t.inside = false;
    WAIT_FOR(t.taken.ended);
    assert_int_equal(t.taken.data.len, LEN);
    assert_memory_equal(t.taken.data.ptr, bytes, LEN);
    assert_int_equal(talk.drains, 1);
    link_stream_reset(t.taken.s, ERR_INTERNAL);
    WAIT_FOR(talk.resets == 1);
    talk_done(&talk);
}

static void a_small_stream_passes_a_big_one(void **state)
{
    enum { LEN = 6 * 1024 * 1024 };
    CLEANUP(freep) char *bytes = make_bytes(LEN, 4);
    struct talk big, small;

    (void)state;
    t.mode = MODE_ECHO;
    open_talk(&big, STR("b"), str_from(bytes, LEN), true);
    open_talk(&small, STR("s"), STR("quick"), true);
    WAIT_FOR(big.ended && small.ended);
    assert_true(small.ended_at < big.ended_at);
    assert_true(str_is(buf_str(&small.data), "quick"));
    assert_memory_equal(big.data.ptr, bytes, LEN);
    talk_done(&big);
    talk_done(&small);
}

static void streams_that_are_big_share_the_link(void **state)
{
    enum { LEN = 3 * 1024 * 1024, COUNT = 4 };
    CLEANUP(freep) char *bytes = make_bytes(LEN, 5);
    struct talk talks[COUNT];
    size_t i, least;

    (void)state;
    t.mode = MODE_ECHO;
    for (i = 0; i < COUNT; i++)
        open_talk(&talks[i], STR("h"), str_from(bytes, LEN), true);
    WAIT_FOR(t.ends == 1);
    for (i = 0, least = LEN; i < COUNT; i++)
        if (talks[i].data.len < least)
            least = talks[i].data.len;
    assert_true(least > LEN / 2); /* none was kept waiting for the others */
    WAIT_FOR(t.ends == COUNT);
    for (i = 0; i < COUNT; i++) {
        assert_memory_equal(talks[i].data.ptr, bytes, LEN);
        talk_done(&talks[i]);
    }
}

static void a_thousand_streams_at_once_get_their_own_answers(void **state)
{
    enum { COUNT = 1000 };
    static struct talk talks[COUNT];
    char text[32];
    size_t i;

    (void)state;
    t.mode = MODE_ECHO;
    for (i = 0; i < COUNT; i++) {
        snprintf(text, sizeof(text), "stream %zu", i);
        open_talk(&talks[i], str_of(text), str_of(text), true);
    }
    WAIT_FOR(t.ends == COUNT);
    for (i = 0; i < COUNT; i++) {
        snprintf(text, sizeof(text), "stream %zu", i);
        assert_true(str_is(buf_str(&talks[i].head), text));
        assert_true(str_is(buf_str(&talks[i].data), text));
        talk_done(&talks[i]);
    }
    assert_int_equal(t.client->stream_count, 0);
}

static void ids_start_again_when_they_are_used_up(void **state)
{
    struct talk parked, talks[3];
    size_t i;

    (void)state;
    t.taken.hold = true;
    open_talk(&parked, STR("h"), STR(""), false); /* id 1 stays in use */
    settle();
    t.mode = MODE_ECHO;
    t.client->next_id = UINT32_MAX - 2;
    for (i = 0; i < 3; i++)
        open_talk(&talks[i], STR("h"), STR("x"), true);
    assert_int_equal(talks[1].s->id, UINT32_MAX);
    assert_int_equal(talks[2].s->id, 3);
    WAIT_FOR(t.ends == 3);
    for (i = 0; i < 3; i++)
        talk_done(&talks[i]);
    talk_done(&parked);
}

static void a_reset_by_the_opener_reaches_the_other_side_once(void **state)
{
    struct talk talk;

    (void)state;
    open_talk(&talk, STR("h"), STR("x"), false);
    WAIT_FOR(t.taken.data.len == 1);
    t.inside = true;
    link_stream_reset(talk.s, ERR_TIMEOUT);
    t.inside = false;
    WAIT_FOR(t.taken.resets == 1);
    assert_int_equal(t.taken.why.code, ERR_TIMEOUT);
    settle();
    assert_int_equal(talk.resets, 0); /* whoever resets is not told */
    assert_int_equal(t.taken.resets, 1);
    assert_int_equal(t.client->stream_count + t.accepted->stream_count, 0);
    talk_done(&talk);
}

static void a_reset_by_the_accepting_side_reaches_the_opener_once(void **state)
{
    struct talk talk;

    (void)state;
    open_talk(&talk, STR("h"), STR("x"), false);
    WAIT_FOR(t.taken.data.len == 1);
    link_stream_reset(t.taken.s, ERR_STALE);
    link_stream_send(talk.s, STR("more"), true); /* crosses the reset */
    WAIT_FOR(talk.resets == 1);
    assert_int_equal(talk.why.code, ERR_STALE);
    settle();
    assert_int_equal(talk.resets, 1);
    assert_true(link_is_up(t.client));
    talk_done(&talk);
}

static void a_stream_that_nobody_takes_is_reset(void **state)
{
    struct talk talk;

    (void)state;
    t.mode = MODE_IGNORE;
    open_talk(&talk, STR("h"), STR("x"), true);
    WAIT_FOR(talk.resets == 1);
    assert_int_equal(talk.why.code, ERR_UNSUPPORTED);
    talk_done(&talk);
}

static void an_answer_may_come_before_the_question_has_ended(void **state)
{
    struct talk talk;

    (void)state;
    open_talk(&talk, STR("h"), STR("part"), false);
    WAIT_FOR(t.taken.data.len == 4);
    link_stream_answer(t.taken.s, STR("early"), STR_NULL, true);
    WAIT_FOR(talk.ended);
    assert_false(t.taken.ended);
    link_stream_send(talk.s, STR("rest"), true);
    WAIT_FOR(t.taken.ended);
    assert_true(str_is(buf_str(&t.taken.data), "partrest"));
    assert_int_equal(t.client->stream_count + t.accepted->stream_count, 0);
    talk_done(&talk);
}

static void when_the_peer_goes_each_stream_is_reset_once_and_the_link_comes_back(void **state)
{
    enum { COUNT = 10 };
    struct talk talks[COUNT], after;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT; i++)
        open_talk(&talks[i], STR("h"), STR("x"), false);
    settle();
    link_server_free(t.server);
    t.server = NULL;
    WAIT_FOR(t.downs == 1);
    assert_int_equal(t.why.code, ERR_CLOSED);
    for (i = 0; i < COUNT; i++) {
        assert_int_equal(talks[i].resets, 1);
        assert_int_equal(talks[i].why.code, ERR_CLOSED);
        talk_done(&talks[i]);
    }
    assert_null(link_open(t.client, LINK_CALL, STR("h"), STR("x"), true, &talk_ops, &after));
    assert_int_equal(t.server_downs, 0); /* it freed its links itself */

    t.mode = MODE_ECHO;
    listen_again();
    WAIT_FOR(t.ups == 2);
    open_talk(&after, STR("h"), STR("again"), true);
    WAIT_FOR(after.ended);
    assert_true(str_is(buf_str(&after.data), "again"));
    assert_int_equal(t.downs, 1);
    talk_done(&after);
}

static void a_link_that_breaks_while_data_is_queued_tells_both_sides_once(void **state)
{
    enum { LEN = 2 * 1024 * 1024 };
    CLEANUP(freep) char *bytes = make_bytes(LEN, 6);
    struct talk talk;

    (void)state;
    t.taken.hold = true;
    open_talk(&talk, STR("h"), str_from(bytes, LEN), true);
    WAIT_FOR(t.taken.data.len > 0);
    assert_int_equal(shutdown(t.client->pipe.io_watcher.fd, SHUT_RDWR), 0);
    WAIT_FOR(talk.resets == 1 && t.taken.resets == 1 && t.downs == 1 && t.server_downs == 1);
    WAIT_FOR(t.ups == 2);
    assert_int_equal(talk.resets + t.taken.resets, 2);
    talk_done(&talk);
}

static void a_write_that_fails_calls_nobody_before_the_turn_ends(void **state)
{
    struct talk talk;

    (void)state;
    assert_int_equal(shutdown(t.client->pipe.io_watcher.fd, SHUT_RDWR), 0);
    open_talk(&talk, STR("h"), STR("x"), true); /* asserts that no callback runs inside */
    assert_false(link_is_up(t.client));
    assert_int_equal(talk.resets, 0);
    WAIT_FOR(talk.resets == 1 && t.downs == 1);
    talk_done(&talk);
}

static void a_silent_peer_is_asked_and_then_given_up(void **state)
{
    struct talk talk;
    int i;

    (void)state;
    open_talk(&talk, STR("h"), STR("x"), false);
    settle();
    link_tick(t.client); /* bytes had come before */
    link_tick(t.client); /* none since: PING */
    assert_int_equal(t.client->silent_ticks, 1);
    settle(); /* PONG */
    link_tick(t.client);
    assert_int_equal(t.client->silent_ticks, 0);
    for (i = 0; i < LINK_DEAD_TICKS; i++) {
        link_tick(t.client);
        assert_true(link_is_up(t.client));
    }
    link_tick(t.client);
    assert_false(link_is_up(t.client));
    WAIT_FOR(talk.resets == 1 && t.downs == 1);
    assert_int_equal(talk.why.code, ERR_TIMEOUT);
    talk_done(&talk);
}

/* ---- callbacks that free the link they are called for */

enum where { AT_UP, AT_HEAD, AT_DATA, AT_END, AT_RESET, AT_DRAIN, AT_DOWN, AT_STREAM, WHERE_MAX };

static struct {
    enum where where;
    struct link *link;
    bool accepted; /* it is the server's */
    int freed;
} suicide;

static void die(struct link *link, enum where where)
{
    if (suicide.where != where)
        return;
    assert_int_equal(suicide.freed, 0);
    suicide.freed++;
    link_free(link);
}

static void on_die_up(struct link *link, const struct link_hello *peer, void *arg)
{
    (void)peer;
    (void)arg;
    die(link, AT_UP);
}

static void on_die_head(struct link_stream *s, struct str head, void *arg)
{
    (void)head;
    (void)arg;
    die(link_stream_link(s), AT_HEAD);
}

static void on_die_data(struct link_stream *s, struct str bytes, void *arg)
{
    (void)arg;
    if (suicide.where == AT_DATA)
        die(link_stream_link(s), AT_DATA);
    else
        link_stream_consumed(s, bytes.len);
}

static void on_die_end(struct link_stream *s, void *arg)
{
    (void)arg;
    die(link_stream_link(s), AT_END);
}

static void on_die_reset(struct link_stream *s, const struct error *why, void *arg)
{
    (void)why;
    (void)arg;
    die(link_stream_link(s), AT_RESET);
}

static void on_die_drain(struct link_stream *s, void *arg)
{
    (void)arg;
    die(link_stream_link(s), AT_DRAIN);
}

static const struct link_stream_ops die_ops = {on_die_head, on_die_data, on_die_end, on_die_reset,
                                               on_die_drain};

static void on_die_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                          struct str head, void *arg)
{
    (void)kind;
    (void)head;
    (void)arg;
    link_stream_accept(s, &die_ops, NULL);
    link_stream_answer(s, STR("a"), STR("b"), false);
    die(link, AT_STREAM);
}

static void on_die_down(struct link *link, const struct error *why, void *arg)
{
    (void)why;
    (void)arg;
    die(link, AT_DOWN);
}

static const struct link_ops die_link_ops = {on_die_up, on_die_stream, on_die_down};

/* A client whose callback frees it; the server echoes, resets or goes, as the case needs. */
static void try_suicide_of_a_client(enum where where)
{
    CLEANUP(freep) char *bytes = make_bytes(1 << 20, 7);
    struct talk quiet;
    struct link *link;

    suicide.where = where;
    suicide.freed = 0;
    t.server_ups = 0;
    t.mode = where == AT_RESET ? MODE_IGNORE : MODE_ECHO;
    assert_int_equal(link_connect(t.loop, t.address, &client_hello, &die_link_ops, NULL, &link,
                                  NULL),
                     0);
    WAIT_FOR(t.server_ups == 1);
    WAIT_FOR(suicide.freed || link_is_up(link));
    if (where == AT_STREAM) {
        talk_init(&quiet);
        quiet.s = link_open(t.accepted, LINK_CALL, STR("h"), STR("x"), true, &talk_ops, &quiet);
        WAIT_FOR(suicide.freed && quiet.resets == 1);
        talk_done(&quiet);
    } else if (where == AT_DOWN) {
        shutdown(link->pipe.io_watcher.fd, SHUT_RDWR);
    } else if (where != AT_UP) {
        assert_non_null(link_open(link, LINK_CALL, STR("h"), str_from(bytes, 1 << 20), true,
                                  &die_ops, NULL));
        assert_non_null(link_open(link, LINK_CALL, STR("h"), STR("x"), true, &die_ops, NULL));
    }
    WAIT_FOR(suicide.freed);
    settle();
}

static void any_callback_may_free_its_link(void **state)
{
    enum where where;

    (void)state;
    for (where = AT_UP; where < WHERE_MAX; where++)
        try_suicide_of_a_client(where);
}

static void an_accepted_link_may_be_freed_in_its_callbacks_too(void **state)
{
    static const enum where places[] = {AT_UP, AT_STREAM, AT_DATA, AT_END, AT_DOWN};
    struct link_server *server;
    struct link *link;
    char address[128];
    size_t i;

    (void)state;
    snprintf(address, sizeof(address), "unix:%s/die", t.dir);
    for (i = 0; i < ARRAY_LEN(places); i++) {
        struct talk talk;

        suicide.where = places[i];
        suicide.freed = 0;
        t.ups = t.downs = 0;
        assert_int_equal(link_listen(t.loop, address, &server_hello, &die_link_ops, NULL, &server,
                                     NULL),
                         0);
        assert_int_equal(link_connect(t.loop, address, &client_hello, &client_ops, NULL, &link,
                                      NULL),
                         0);
        WAIT_FOR(t.ups == 1 || suicide.freed);
        if (link_is_up(link)) {
            talk_init(&talk);
            talk.s = link_open(link, LINK_CALL, STR("h"), STR("x"), true, &talk_ops, &talk);
            settle();
            talk_done(&talk);
        }
        if (places[i] == AT_DOWN)
            link_free(link);
        WAIT_FOR(suicide.freed);
        link_server_free(server);
        if (places[i] != AT_DOWN)
            link_free(link);
        settle();
    }
}

static void on_regret_data(struct link_stream *s, struct str bytes, void *arg)
{
    struct talk *other = arg;

    (void)bytes;
    link_stream_reset(s, ERR_INTERNAL);
    link_stream_reset(s, ERR_INTERNAL); /* harmless inside the callback */
    link_stream_send(s, STR("x"), true);
    if (other->s)
        link_stream_reset(other->s, ERR_INTERNAL);
    other->s = NULL;
}

static void on_regret_end(struct link_stream *s, void *arg)
{
    (void)s;
    (void)arg;
    fail_msg("a reset stream ended");
}

static void a_callback_may_reset_its_own_stream_and_others(void **state)
{
    static const struct link_stream_ops regret_ops = {
        .on_data = on_regret_data, .on_end = on_regret_end, .on_reset = on_echo_reset};
    struct talk other;

    (void)state;
    t.mode = MODE_ECHO;
    open_talk(&other, STR("h"), STR(""), false);
    assert_non_null(link_open(t.client, LINK_CALL, STR("h"), STR("x"), true, &regret_ops, &other));
    WAIT_FOR(other.s == NULL);
    settle();
    assert_int_equal(t.client->stream_count + t.accepted->stream_count, 0);
    talk_done(&other);
}

/* ---- addresses */

static void addresses_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {"", "unix:", "tcp://127.0.0.1:1", "/tmp/x"};
    char longer[256] = "unix:/";
    struct link *link;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(link_connect(t.loop, bad[i], &client_hello, &client_ops, NULL, &link,
                                      &err),
                         -ERR_CONFIG);
    memset(longer + 6, 'x', 200);
    assert_int_equal(link_connect(t.loop, longer, &client_hello, &client_ops, NULL, &link, &err),
                     -ERR_CONFIG);
}

static void a_stale_socket_is_replaced_a_live_one_and_a_file_are_not(void **state)
{
    struct link_server *other;
    struct sockaddr_un un;
    struct error err;
    struct stat st;
    int fd;

    (void)state;
    assert_int_equal(link_address_parse(t.address, &un, NULL), 0);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    close(fd); /* the file stays, as after a crash */
    listen_again();
    assert_int_equal(stat(un.sun_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);

    assert_int_equal(link_listen(t.loop, t.address, &server_hello, &server_ops, NULL, &other, &err),
                     -ERR_CONFIG);
    assert_non_null(strstr(err.msg, "in use"));
    link_server_free(t.server);
    t.server = NULL;
    assert_int_equal(stat(un.sun_path, &st), -1);

    fd = open(un.sun_path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    assert_int_equal(link_listen(t.loop, t.address, &server_hello, &server_ops, NULL, &other, &err),
                     -ERR_CONFIG);
    assert_int_equal(stat(un.sun_path, &st), 0);
}

static void a_client_that_starts_first_waits_for_its_server(void **state)
{
    (void)state;
    assert_int_equal(link_connect(t.loop, t.address, &client_hello, &client_ops, NULL, &t.client,
                                  NULL),
                     0);
    assert_false(link_is_up(t.client));
    settle();
    listen_again();
    WAIT_FOR(t.ups == 1);
    assert_int_equal(t.downs, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
#define TEST_UNLINKED(fn) cmocka_unit_test_setup_teardown(fn, set_up_unlinked, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_sides_learn_who_the_other_is),
        TEST(a_question_and_its_answer),
        TEST(the_accepting_side_can_open_streams_too),
        TEST(empty_messages_are_messages),
        TEST(six_megabytes_go_both_ways_unharmed),
        TEST(a_receiver_that_gives_no_credit_stops_the_sender_at_the_window),
        TEST(a_small_stream_passes_a_big_one),
        TEST(streams_that_are_big_share_the_link),
        TEST(a_thousand_streams_at_once_get_their_own_answers),
        TEST(ids_start_again_when_they_are_used_up),
        TEST(a_reset_by_the_opener_reaches_the_other_side_once),
        TEST(a_reset_by_the_accepting_side_reaches_the_opener_once),
        TEST(a_stream_that_nobody_takes_is_reset),
        TEST(an_answer_may_come_before_the_question_has_ended),
        TEST(when_the_peer_goes_each_stream_is_reset_once_and_the_link_comes_back),
        TEST(a_link_that_breaks_while_data_is_queued_tells_both_sides_once),
        TEST(a_write_that_fails_calls_nobody_before_the_turn_ends),
        TEST(a_silent_peer_is_asked_and_then_given_up),
        TEST(any_callback_may_free_its_link),
        TEST(an_accepted_link_may_be_freed_in_its_callbacks_too),
        TEST(a_callback_may_reset_its_own_stream_and_others),
        TEST_UNLINKED(addresses_that_are_none_are_refused),
        TEST_UNLINKED(a_stale_socket_is_replaced_a_live_one_and_a_file_are_not),
        TEST_UNLINKED(a_client_that_starts_first_waits_for_its_server),
    };

    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
