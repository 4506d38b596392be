/* SPDX-License-Identifier: Apache-2.0 */
/* Links that break, come back, are freed in their own callbacks; addresses. */
#include "common/io/link_test_ends.h"

#include <fcntl.h>
#include <sys/stat.h>

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

static const struct link_ops die_link_ops = {
    .on_up = on_die_up, .on_stream = on_die_stream, .on_down = on_die_down};

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
    for (i = 0; i < ARRAY_LEN(places); i++) {
        struct talk talk;

        suicide.where = places[i];
        suicide.freed = 0;
        t.ups = t.downs = 0;
        make_address(address, sizeof(address), "die");
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
    static const char *const bad[] = {"", "unix:", "tcp://127.0.0.1", "tcp://127.0.0.1:0",
                                      "/tmp/x"};
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
    if (over_tcp)
        return; /* no file is left there */
    un = unix_of(t.address);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    close(fd); /* the file stays, as after a crash */
    listen_again();
    assert_int_equal(stat(un.sun_path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);

    assert_int_equal(link_listen(t.loop, t.address, &server_hello, &server_ops, NULL, &other, &err),
                     -ERR_IN_USE);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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

    return RUN_OVER_BOTH("link_life", tests);
}
