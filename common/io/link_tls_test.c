/* SPDX-License-Identifier: Apache-2.0 */
/* Who is let in over TCP and who is not, and that each side says why. */
#include "common/io/link_test_ends.h"

#include <errno.h>
#include <fcntl.h>

#include "common/base/log.h"

static struct cert_authority other_pki;

static int set_up_group(void **state)
{
    log_least = LOG_ERROR; /* what is refused here is meant to be */
    pki_new(&other_pki);
    return set_up_tcp_group(state);
}

static int tear_down_group(void **state)
{
    cert_authority_done(&other_pki);
    return tear_down_tcp_group(state);
}

/* Each test begins with good certificates. */
static int set_up_listening(void **state)
{
    pki_certify_at(&pki, client_hello.tls, client_hello.role, client_hello.id, 0, 3600);
    pki_certify_at(&pki, server_hello.tls, server_hello.role, server_hello.id, 0, 3600);
    set_up_unlinked(state);
    listen_again();
    return 0;
}

static void connect_with(const struct link_ops *ops)
{
    assert_int_equal(link_connect(t.loop, t.address, &client_hello, ops, NULL, &t.client, NULL), 0);
}

/* The newest link that the server has accepted; NULL: none. */
static struct link *newest(void)
{
    struct list_node *last = t.server->links.prev;

    return last == &t.server->links ? NULL : CONTAINER_OF(last, struct link, node);
}

/* The client fails for the reason that has @words in it, and no side is told of a link. */
static void expect_refusal(const char *words)
{
    connect_with(&client_ops);
    WAIT_FOR(t.client->why.msg[0]);
    if (!strstr(t.client->why.msg, words))
        fail_msg("%s", t.client->why.msg);
    assert_int_equal(t.ups + t.server_ups + t.downs + t.server_downs, 0);
}

/* ---- certificates */

static void a_certificate_of_another_ca_is_refused_by_both_sides(void **state)
{
    (void)state;
    pki_certify_at(&other_pki, client_hello.tls, "gateway", "g-1", 0, 3600);
    expect_refusal("another cluster: its CA is not ours");
}

static void the_client_learns_that_the_server_does_not_believe_it(void **state)
{
    struct cert_authority both = pki;

    (void)state;
    /* it believes the server's CA, but its own certificate is of another one */
    both.key = other_pki.key;
    both.certs = sk_X509_dup(other_pki.certs);
    sk_X509_push(both.certs, sk_X509_value(pki.certs, 0));
    pki_certify_at(&both, client_hello.tls, "gateway", "g-1", 0, 3600);
    sk_X509_free(both.certs);
    expect_refusal("the peer does not believe our certificate: it is of another cluster");
}

static void two_cas_are_believed_while_one_is_replaced(void **state)
{
    struct cert_authority both = pki;

    (void)state;
    both.certs = sk_X509_dup(pki.certs);
    sk_X509_push(both.certs, sk_X509_value(other_pki.certs, 0));
    pki_certify_at(&both, server_hello.tls, server_hello.role, server_hello.id, 0, 3600);
    sk_X509_free(both.certs);
    both = other_pki;
    both.certs = sk_X509_dup(other_pki.certs);
    sk_X509_push(both.certs, sk_X509_value(pki.certs, 0));
    pki_certify_at(&both, client_hello.tls, "gateway", "g-1", 0, 3600);
    sk_X509_free(both.certs);
    connect_with(&client_ops);
    WAIT_FOR(t.ups == 1 && t.server_ups == 1);
}

static void an_expired_certificate_is_refused_with_its_dates(void **state)
{
    (void)state;
    pki_certify_at(&pki, server_hello.tls, server_hello.role, server_hello.id, 7200, 3600);
    expect_refusal("has expired: it is good from ");
    assert_non_null(strstr(t.client->why.msg, "set the clocks right"));
}

static void a_client_whose_certificate_has_expired_is_told_so(void **state)
{
    (void)state;
    pki_certify_at(&pki, client_hello.tls, "gateway", "g-1", 7200, 3600);
    expect_refusal("the peer says that our certificate has expired");
}

static void a_certificate_of_the_future_is_refused_with_its_dates(void **state)
{
    (void)state;
    pki_certify_at(&pki, server_hello.tls, server_hello.role, server_hello.id, -7200, 3600);
    expect_refusal("is not good yet");
}

static void who_greets_as_another_than_the_certificate_says_is_refused(void **state)
{
    static const char *const names[][2] = {{"invoker", "g-1"}, {"gateway", "g-2"}};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(names); i++) {
        pki_certify_at(&pki, client_hello.tls, names[i][0], names[i][1], 0, 3600);
        connect_with(&client_ops);
        WAIT_FOR(t.client->why.msg[0]);
        assert_int_equal(t.server_ups, 0);
        link_free(TAKE(t.client));
        settle();
    }
    pki_certify_at(&pki, client_hello.tls, "gateway", "g-1", 0, 3600);
    pki_certify_at(&pki, server_hello.tls, "invoker", "another", 0, 3600);
    t.ups = 0; /* the server had greeted before it knew */
    connect_with(&client_ops);
    WAIT_FOR(t.client->why.msg[0]);
    assert_non_null(strstr(t.client->why.msg, "but its certificate is for invoker another"));
    assert_int_equal(t.ups, 0);
}

static void a_peer_of_the_wrong_role_is_refused(void **state)
{
    struct link_ops ops = client_ops;

    (void)state;
    ops.peers = "controller";
    connect_with(&ops);
    WAIT_FOR(t.client->why.msg[0]);
    assert_non_null(strstr(t.client->why.msg, "the role must be controller"));
    assert_int_equal(t.ups, 0);
    link_free(TAKE(t.client));

    ops.peers = "controller invoker";
    connect_with(&ops);
    WAIT_FOR(t.ups == 1);
}

/* ---- a node that has no certificate */

static struct link_hello joiner(const char *ca_print)
{
    struct link_hello me = {.role = LINK_JOINER, .id = "new"};

    me.tls = link_tls_new_joiner(ca_print);
    return me;
}

static void listen_for_joiners(void)
{
    static struct link_ops ops;

    ops = server_ops;
    ops.peers = "gateway " LINK_JOINER;
    link_server_free(t.server);
    assert_int_equal(link_listen(t.loop, t.address, &server_hello, &ops, NULL, &t.server, NULL), 0);
}

static void a_joiner_is_let_in_only_where_joiners_are_awaited(void **state)
{
    struct link_hello me = joiner(pki.print);

    (void)state;
    assert_int_equal(link_connect(t.loop, t.address, &me, &client_ops, NULL, &t.client, NULL), 0);
    WAIT_FOR(t.client->why.msg[0]);
    assert_non_null(strstr(t.client->why.msg, "the peer wants a certificate"));
    assert_int_equal(t.server_ups, 0);
    link_free(TAKE(t.client));
    settle();

    listen_for_joiners();
    assert_int_equal(link_connect(t.loop, t.address, &me, &client_ops, NULL, &t.client, NULL), 0);
    WAIT_FOR(t.ups == 1 && t.server_ups == 1);
    assert_string_equal(t.seen_by_server.role, LINK_JOINER);
    assert_string_equal(t.seen_by_client.role, "invoker");
    link_free(TAKE(t.client));
    settle();
    link_tls_free(me.tls);
}

static void a_joiner_may_open_one_stream_and_stay_for_a_while(void **state)
{
    struct link_hello me = joiner(pki.print);
    struct talk first, second;
    int i;

    (void)state;
    listen_for_joiners();
    assert_int_equal(link_connect(t.loop, t.address, &me, &client_ops, NULL, &t.client, NULL), 0);
    WAIT_FOR(t.ups == 1 && t.server_ups == 1);
    t.taken.hold = true;
    open_talk(&first, STR("h"), STR("x"), false);
    open_talk(&second, STR("h"), STR("x"), false);
    WAIT_FOR(second.resets == 1);
    assert_int_equal(second.why.code, ERR_THROTTLED);
    assert_int_equal(first.resets, 0);
    for (i = 0; i < LINK_JOINER_TICKS; i++) {
        assert_non_null(t.accepted);
        t.accepted->heard = true;
        link_tick(t.accepted);
    }
    WAIT_FOR(first.resets == 1 && t.server_downs == 1);
    talk_done(&first);
    talk_done(&second);
    link_free(TAKE(t.client));
    settle();
    link_tls_free(me.tls);
}

static void who_has_no_certificate_cannot_say_that_he_is_a_gateway(void **state)
{
    struct link_hello me = joiner(pki.print);

    (void)state;
    memcpy(me.role, "gateway", 8);
    listen_for_joiners();
    assert_int_equal(link_connect(t.loop, t.address, &me, &client_ops, NULL, &t.client, NULL), 0);
    WAIT_FOR(t.client->why.msg[0]);
    assert_int_equal(t.server_ups, 0);
    link_free(TAKE(t.client));
    settle();
    link_tls_free(me.tls);
}

static void a_joiner_goes_nowhere_but_to_the_ca_that_it_knows(void **state)
{
    struct link_hello me = joiner(other_pki.print);

    (void)state;
    listen_for_joiners();
    assert_int_equal(link_connect(t.loop, t.address, &me, &client_ops, NULL, &t.client, NULL), 0);
    WAIT_FOR(t.client->why.msg[0]);
    assert_non_null(strstr(t.client->why.msg, "another cluster than the join token"));
    assert_int_equal(t.ups + t.server_ups, 0);
    link_free(TAKE(t.client));
    settle();
    link_tls_free(me.tls);
}

/* ---- what speaks no TLS, or does not speak */

static int raw_connect(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)link_server_port(t.server))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    assert_true(connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0 || errno == EINPROGRESS);
    WAIT_FOR(newest());
    return fd;
}

static bool is_closed(int fd)
{
    char bytes[256];
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
        ; /* an alert, perhaps */
    return n == 0 || errno != EAGAIN;
}

static void plain_bytes_are_refused(void **state)
{
    static const struct str plain[] = {
        STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        /* a greeting of ours, but without TLS */
        STR("\0\0\0\x10\0\0\0\0\0\0\0\x10\x01\0\0\0{\"protocol\":1}\n\n"),
        STR("\x16\x03\x01\xff\xff\x01junk junk junk junk"),
    };
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(plain); i++) {
        int fd = raw_connect();

        assert_int_equal(write(fd, plain[i].ptr, plain[i].len), plain[i].len);
        WAIT_FOR(is_closed(fd));
        assert_int_equal(t.server->strangers, 0);
        close(fd);
    }
    connect_with(&client_ops);
    WAIT_FOR(t.ups == 1); /* others are served as before */
}

static void a_client_is_told_that_the_server_speaks_no_tls(void **state)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), fd;
    socklen_t len = sizeof(in);

    (void)state;
    assert_int_equal(bind(listener, (struct sockaddr *)&in, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&in, &len), 0);
    snprintf(t.address, sizeof(t.address), "tcp://localhost:%u", ntohs(in.sin_port));
    connect_with(&client_ops); /* a name: it is looked up, and its addresses are tried in turn */
    fcntl(listener, F_SETFL, O_NONBLOCK);
    WAIT_FOR((fd = accept(listener, NULL, NULL)) >= 0);
    assert_int_equal(write(fd, "220 mail.example.org ready\r\n", 28), 28);
    WAIT_FOR(strstr(t.client->why.msg, "the peer does not speak TLS"));
    close(fd);
    close(listener);
}

static void a_handshake_that_does_not_go_on_ends(void **state)
{
    int fd = raw_connect();
    struct link *link = newest();

    (void)state;
    assert_int_equal(link->state, LINK_SECURING);
    assert_true(timer_is_armed(&link->timer));
    assert_true(link->timer.due_us <= loop_now_us(t.loop) + LINK_GREETING_US);
    timer_stop(&link->timer);
    link->timer.fn(link->timer.arg); /* as when it is over */
    WAIT_FOR(is_closed(fd) && !newest());
    close(fd);
}

static void strangers_are_limited_in_number(void **state)
{
    int fds[LINK_STRANGERS_MAX], one_more;
    size_t i;

    (void)state;
    for (i = 0; i < LINK_STRANGERS_MAX; i++)
        fds[i] = raw_connect();
    WAIT_FOR(t.server->strangers == LINK_STRANGERS_MAX);
    one_more = raw_connect();
    WAIT_FOR(is_closed(one_more));
    close(one_more);
    for (i = 0; i < LINK_STRANGERS_MAX; i++)
        close(fds[i]);
    WAIT_FOR(t.server->strangers == 0);
    connect_with(&client_ops);
    WAIT_FOR(t.ups == 1 && t.server_ups == 1);
    assert_int_equal(t.server->strangers, 0); /* it has proved who it is */
}

/* ---- certificates that come and change */

static void a_link_waits_until_it_has_a_certificate(void **state)
{
    struct link_tls *good = client_hello.tls;

    (void)state;
    client_hello.tls = link_tls_new();
    connect_with(&client_ops);
    settle();
    assert_int_equal(t.client->state, LINK_WAITING);
    assert_int_equal(t.client->why.msg[0], 0);
    pki_certify_at(&pki, client_hello.tls, "gateway", "g-1", 0, 3600);
    WAIT_FOR(t.ups == 1);
    link_free(TAKE(t.client));
    settle();
    link_tls_free(client_hello.tls);
    client_hello.tls = good;
}

static void a_new_certificate_serves_new_links_and_disturbs_none(void **state)
{
    struct link *second = NULL;
    struct talk talk;

    (void)state;
    t.mode = MODE_ECHO;
    connect_with(&client_ops);
    WAIT_FOR(t.ups == 1 && t.server_ups == 1);
    /* both change to a CA that the other one does not know until it has changed, too */
    pki_certify_at(&other_pki, server_hello.tls, server_hello.role, server_hello.id, 0, 3600);
    pki_certify_at(&other_pki, client_hello.tls, "gateway", "g-1", 0, 3600);
    open_talk(&talk, STR("h"), STR("still here"), true);
    WAIT_FOR(talk.ended);
    assert_true(str_is(buf_str(&talk.data), "still here"));
    assert_int_equal(t.downs, 0);
    assert_int_equal(link_connect(t.loop, t.address, &client_hello, &client_ops, NULL, &second, NULL),
                     0);
    WAIT_FOR(t.ups == 2 && t.server_ups == 2);
    talk_done(&talk);
    link_free(second);
    settle();
}

static void a_certificate_without_its_key_is_refused(void **state)
{
    CLEANUP(key_freep) EVP_PKEY *key = node_key_make(), *another = node_key_make();
    const struct node_name name = {"gateway", "g-1"};
    X509 *cert;

    (void)state;
    assert_int_equal(cert_authority_issue(&pki, key, &name, (int64_t)(wall_ms() / 1000), 60, &cert, NULL),
                     0);
    assert_int_equal(link_tls_set(client_hello.tls, another, cert, pki.certs, NULL), -ERR_CONFIG);
    X509_free(cert);
    connect_with(&client_ops);
    WAIT_FOR(t.ups == 1); /* the one before is still in use */
}

/* ---- addresses */

static void several_addresses_are_one_server(void **state)
{
    char address[160];
    struct link *local = NULL;

    (void)state;
    link_server_free(t.server);
    t.server = NULL;
    settle();
    snprintf(address, sizeof(address), "unix:%s/s, tcp://127.0.0.1:0, tcp://[::1]:0", t.dir);
    assert_int_equal(link_listen(t.loop, address, &server_hello, &server_ops, NULL, &t.server, NULL), 0);
    snprintf(t.address, sizeof(t.address), "tcp://127.0.0.1:%u", link_server_port(t.server));
    connect_with(&client_ops);
    snprintf(address, sizeof(address), "unix:%s/s", t.dir);
    assert_int_equal(link_connect(t.loop, address, &client_hello, &client_ops, NULL, &local, NULL), 0);
    WAIT_FOR(t.ups == 2 && t.server_ups == 2);
    assert_true(link_is_tcp(t.client));
    assert_false(link_is_tcp(local));
    assert_true(link_local_host(t.client, address, sizeof(address)));
    assert_string_equal(address, "127.0.0.1");
    assert_false(link_local_host(local, address, sizeof(address)));
    link_free(local);
    settle();
}

static void where_it_cannot_listen_it_says_so_and_leaves_nothing(void **state)
{
    static const char *const bad[] = {"tcp://localhost:7400", "tcp://192.0.2.1:0", "tcp://x", ""};
    struct link_hello bare = server_hello;
    struct link_server *server;
    char address[160];
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(address, sizeof(address), "unix:%s/y,%s", t.dir, bad[i]);
        assert_true(link_listen(t.loop, address, &server_hello, &server_ops, NULL, &server, &err) < 0);
        assert_int_equal(access(address + 5, F_OK), -1);
    }
    assert_int_equal(link_listen(t.loop, t.address, &server_hello, &server_ops, NULL, &server, &err),
                     -ERR_IN_USE);
    bare.tls = NULL;
    assert_int_equal(link_listen(t.loop, "tcp://127.0.0.1:0", &bare, &server_ops, NULL, &server, &err),
                     -ERR_CONFIG);
    assert_non_null(strstr(err.msg, "no certificate"));
    assert_int_equal(link_connect(t.loop, t.address, &bare, &client_ops, NULL, &t.client, &err),
                     -ERR_CONFIG);
}

static void a_name_that_means_nothing_is_said_and_asked_again(void **state)
{
    (void)state;
    assert_int_equal(link_connect(t.loop, "tcp://no-such-host.invalid:7400", &client_hello, &client_ops,
                                  NULL, &t.client, NULL),
                     0);
    WAIT_FOR(t.client->why.msg[0]);
    assert_non_null(strstr(t.client->why.msg, "looking up the host no-such-host.invalid"));
    WAIT_FOR(t.client->state == LINK_WAITING);
}

static void a_link_may_be_freed_while_its_host_is_looked_up(void **state)
{
    (void)state;
    assert_int_equal(link_connect(t.loop, "tcp://no-such-host.invalid:7400", &client_hello, &client_ops,
                                  NULL, &t.client, NULL),
                     0);
    link_free(TAKE(t.client));
}

int main(void)
{
#define TEST_LISTENING(fn) cmocka_unit_test_setup_teardown(fn, set_up_listening, tear_down)
    const struct CMUnitTest tests[] = {
        TEST_LISTENING(a_certificate_of_another_ca_is_refused_by_both_sides),
        TEST_LISTENING(the_client_learns_that_the_server_does_not_believe_it),
        TEST_LISTENING(two_cas_are_believed_while_one_is_replaced),
        TEST_LISTENING(an_expired_certificate_is_refused_with_its_dates),
        TEST_LISTENING(a_client_whose_certificate_has_expired_is_told_so),
        TEST_LISTENING(a_certificate_of_the_future_is_refused_with_its_dates),
        TEST_LISTENING(who_greets_as_another_than_the_certificate_says_is_refused),
        TEST_LISTENING(a_peer_of_the_wrong_role_is_refused),
        TEST_LISTENING(a_joiner_is_let_in_only_where_joiners_are_awaited),
        TEST_LISTENING(a_joiner_may_open_one_stream_and_stay_for_a_while),
        TEST_LISTENING(who_has_no_certificate_cannot_say_that_he_is_a_gateway),
        TEST_LISTENING(a_joiner_goes_nowhere_but_to_the_ca_that_it_knows),
        TEST_LISTENING(plain_bytes_are_refused),
        TEST_LISTENING(a_client_is_told_that_the_server_speaks_no_tls),
        TEST_LISTENING(a_handshake_that_does_not_go_on_ends),
        TEST_LISTENING(strangers_are_limited_in_number),
        TEST_LISTENING(a_link_waits_until_it_has_a_certificate),
        TEST_LISTENING(a_new_certificate_serves_new_links_and_disturbs_none),
        TEST_LISTENING(a_certificate_without_its_key_is_refused),
        TEST_LISTENING(several_addresses_are_one_server),
        TEST_LISTENING(where_it_cannot_listen_it_says_so_and_leaves_nothing),
        TEST_LISTENING(a_name_that_means_nothing_is_said_and_asked_again),
        TEST_LISTENING(a_link_may_be_freed_while_its_host_is_looked_up),
    };

    return cmocka_run_group_tests_name("link_tls", tests, set_up_group, tear_down_group);
}
