/* SPDX-License-Identifier: Apache-2.0 */
/* Three controllers in this loop, of which some lead, and one who wants to know which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "common/base/log.h"

#include "common/io/leader_link.h"
#include "common/io/rpc.h"

#define CONTROLLERS 3

/* One of the controllers. */
struct end {
    char address[96];
    struct link_hello me;
    struct link_server *server;
    struct link *peer; /* its side of the link */
    int asked; /* "who" */
    struct rpc_request *kept; /* of "keep" */
};

/* An answer. */
struct got {
    int count;
    struct error err; /* code ERR_OK: none */
    char who[8];
};

static struct {
    struct loop *loop;
    char dir[64];
    struct end ends[CONTROLLERS];
    struct leader_link *ll;
    int ups, downs, streams;
    char leader[8]; /* id of the last that came up */
    struct error why; /* of the last on_down */
} t;

#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        uint64_t until_ = now_us() + SECONDS(20);                                                  \
        while (!(condition)) {                                                                     \
            if (now_us() > until_)                                                                 \
                fail_msg("waited too long for %s", #condition);                                    \
            uv_run(loop_uv(t.loop), UV_RUN_ONCE);                                                  \
        }                                                                                          \
    } while (0)

/* ---- the controllers */

static void serve_who(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct end *e = arg;
    cJSON *ok = cJSON_CreateObject();
    (void)args;
    (void)body;

    e->asked++;
    cJSON_AddStringToObject(ok, "who", e->me.id);
    rpc_reply(rpc, ok, STR_NULL);
    cJSON_Delete(ok);
}

static void serve_keep(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    struct end *e = arg;
    (void)args;
    (void)body;

    e->kept = rpc;
}

static const struct rpc_method end_methods[] = {
    {"who", serve_who}, {"keep", serve_keep}, {NULL, NULL}};

static void on_end_up(struct link *link, const struct link_hello *hello, void *arg)
{
    struct end *e = arg;

    assert_string_equal(hello->role, "gateway");
    e->peer = link;
}

static void on_end_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                          struct str head, void *arg)
{
    (void)link;
    assert_int_equal(kind, LINK_CALL);
    rpc_serve(t.loop, s, head, end_methods, arg);
}

static void on_end_down(struct link *link, const struct error *why, void *arg)
{
    struct end *e = arg;
    (void)why;

    if (e->peer == link)
        e->peer = NULL;
}

static const struct link_ops end_ops = {
    .on_up = on_end_up, .on_stream = on_end_stream, .on_down = on_end_down};

static void listen_at(struct end *e)
{
    assert_int_equal(link_listen(t.loop, e->address, &e->me, &end_ops, e, &e->server, NULL), 0);
}

/* ---- who wants to know */

static void serve_ping(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg)
{
    (void)args;
    (void)body;
    (void)arg;
    rpc_reply(rpc, NULL, STR_NULL);
}

static const struct rpc_method our_methods[] = {{"ping", serve_ping}, {NULL, NULL}};

static void on_up(struct link *link, const struct link_hello *peer, void *arg)
{
    (void)arg;
    assert_ptr_equal(link, leader_link_get(t.ll));
    assert_true(link_is_up(link));
    t.ups++;
    snprintf(t.leader, sizeof(t.leader), "%.7s", peer->id);
}

static void on_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                      struct str head, void *arg)
{
    (void)link;
    (void)arg;
    assert_int_equal(kind, LINK_CALL);
    t.streams++;
    rpc_serve(t.loop, s, head, our_methods, NULL);
}

static void on_down(const struct error *why, void *arg)
{
    (void)arg;
    t.downs++;
    t.why = *why;
}

static const struct leader_link_ops ops = {on_up, on_stream, on_down};

/* ---- asking */

static void on_done(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    const char *who = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ok, "who"));
    struct got *got = arg;
    (void)body;

    got->count++;
    if (err)
        got->err = *err;
    snprintf(got->who, sizeof(got->who), "%s", who ? who : "");
}

static struct got call(struct link *link, const char *method, const cJSON *args)
{
    struct got got = {0};

    rpc_call(link, method, args, STR_NULL, SECONDS(10), on_done, &got);
    WAIT_FOR(got.count == 1);
    return got;
}

/* Controller @i says that it leads with @term; 0: that it does not. */
static struct got say(int i, double term)
{
    cJSON *args = cJSON_CreateObject();
    struct got got;

    cJSON_AddNumberToObject(args, "term", term);
    got = call(t.ends[i].peer, "leader.is", args);
    cJSON_Delete(args);
    return got;
}

static void who_answers(const char *id)
{
    struct got got = call(leader_link_get(t.ll), "who", NULL);

    if (id) {
        assert_int_equal(got.err.code, ERR_OK);
        assert_string_equal(got.who, id);
    } else {
        assert_int_equal(got.err.code, ERR_UNAVAILABLE);
    }
    assert_int_equal(leader_link_is_up(t.ll), id != NULL);
}

/* ---- set-up */

static void begin(int older)
{
    char all[CONTROLLERS * 100] = "";
    struct link_hello me = {.role = "gateway", .id = "g"};
    int i;

    memset(&t, 0, sizeof(t));
    t.loop = loop_new();
    snprintf(t.dir, sizeof(t.dir), "/tmp/hearth-leader-XXXXXX");
    assert_non_null(mkdtemp(t.dir));
    for (i = 0; i < CONTROLLERS; i++) {
        struct end *e = &t.ends[i];

        snprintf(e->address, sizeof(e->address), "unix:%s/%d", t.dir, i);
        e->me = (struct link_hello){.role = "controller", .says_leader = i != older};
        snprintf(e->me.id, sizeof(e->me.id), "c%d", i);
        snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", e->address);
        listen_at(e);
    }
    assert_int_equal(leader_link_new(t.loop, all, &me, &ops, NULL, &t.ll, NULL), 0);
    WAIT_FOR(t.ends[0].peer && t.ends[1].peer && t.ends[2].peer);
}

static int set_up(void **state)
{
    (void)state;
    begin(-1);
    return 0;
}

static int set_up_older(void **state)
{
    (void)state;
    begin(1);
    return 0;
}

static int tear_down(void **state)
{
    int i;
    (void)state;

    leader_link_free(t.ll);
    for (i = 0; i < CONTROLLERS; i++)
        link_server_free(t.ends[i].server);
    loop_free(t.loop);
    assert_int_equal(rmdir(t.dir), 0);
    return 0;
}

/* ---- tests */

static void nobody_leads_before_one_says_so(void **state)
{
    (void)state;
    who_answers(NULL);
    assert_int_equal(say(0, 0).err.code, ERR_OK);
    assert_int_equal(t.ups, 0);
    assert_int_equal(say(1, 3).err.code, ERR_OK);
    assert_int_equal(t.ups, 1);
    assert_string_equal(t.leader, "c1");
    who_answers("c1");
    assert_int_equal(say(1, 3).err.code, ERR_OK); /* again: nothing new */
    assert_int_equal(say(1, 4).err.code, ERR_OK); /* nor is a greater term of the same one */
    assert_int_equal(t.ups, 1);
    assert_int_equal(t.downs, 0);
}

static void a_greater_term_takes_over_and_ends_what_the_one_before_was_asked(void **state)
{
    struct got kept = {0};
    (void)state;

    say(0, 1);
    rpc_call(leader_link_get(t.ll), "keep", NULL, STR_NULL, SECONDS(10), on_done, &kept);
    WAIT_FOR(t.ends[0].kept);
    assert_int_equal(say(2, 2).err.code, ERR_OK);
    assert_string_equal(t.leader, "c2");
    assert_int_equal(t.downs, 1);
    WAIT_FOR(kept.count == 1);
    assert_int_equal(kept.err.code, ERR_CLOSED);
    who_answers("c2");
    rpc_reply(t.ends[0].kept, NULL, STR_NULL);
    WAIT_FOR(t.ends[0].peer == NULL);
    WAIT_FOR(t.ends[0].peer); /* it is connected again, and does not lead */
    assert_int_equal(t.ups, 2);
    assert_int_equal(t.downs, 1);
    who_answers("c2");
}

static void a_term_that_is_over_is_refused_with_the_greatest(void **state)
{
    struct got got;
    (void)state;

    say(0, 7);
    got = say(1, 6);
    assert_int_equal(got.err.code, ERR_STALE);
    assert_string_equal(got.err.msg, "term 7");
    got = say(1, 7); /* the same one of another: one of them is wrong */
    assert_int_equal(got.err.code, ERR_STALE);
    assert_string_equal(got.err.msg, "term 7");
    who_answers("c0");
    link_server_free(t.ends[0].server);
    t.ends[0].server = NULL;
    WAIT_FOR(t.downs == 1);
    who_answers(NULL);
    assert_int_equal(say(1, 6).err.code, ERR_STALE); /* also when its leader has gone */
    assert_int_equal(say(1, 8).err.code, ERR_OK);
    who_answers("c1");
}

static void only_the_leader_is_served(void **state)
{
    struct got got;
    (void)state;

    say(0, 5);
    assert_int_equal(call(t.ends[0].peer, "ping", NULL).err.code, ERR_OK);
    got = call(t.ends[1].peer, "ping", NULL);
    assert_int_equal(got.err.code, ERR_STALE);
    assert_string_equal(got.err.msg, "term 5");
    assert_int_equal(t.streams, 1);
}

static void a_leader_that_comes_back_leads_when_it_has_said_so(void **state)
{
    (void)state;
    say(0, 5);
    link_server_free(t.ends[0].server);
    t.ends[0].peer = NULL;
    WAIT_FOR(t.downs == 1);
    listen_at(&t.ends[0]);
    WAIT_FOR(t.ends[0].peer);
    who_answers(NULL);
    assert_int_equal(say(0, 5).err.code, ERR_OK);
    assert_int_equal(t.ups, 2);
    who_answers("c0");
    assert_int_equal(say(0, 0).err.code, ERR_OK); /* it gives up by itself */
    assert_int_equal(t.downs, 2);
    who_answers(NULL);
}

static void an_older_controller_leads_until_one_says_more(void **state)
{
    (void)state;
    WAIT_FOR(t.ups == 1);
    assert_string_equal(t.leader, "c1");
    who_answers("c1");
    assert_int_equal(say(2, 1).err.code, ERR_OK);
    assert_int_equal(t.downs, 1);
    who_answers("c2");
    WAIT_FOR(t.ends[1].peer == NULL);
    WAIT_FOR(t.ends[1].peer);
    who_answers("c2");
    link_server_free(t.ends[2].server);
    t.ends[2].server = NULL;
    WAIT_FOR(t.ups == 3);
    who_answers("c1");
}

static void what_is_no_term_is_refused(void **state)
{
    static const double terms[] = {-1, 0.5, 1e300};
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(terms); i++)
        assert_int_equal(say(0, terms[i]).err.code, ERR_PROTOCOL);
    assert_int_equal(call(t.ends[0].peer, "leader.is", NULL).err.code, ERR_PROTOCOL);
    who_answers(NULL);
}

static void a_list_that_is_none_is_refused(void **state)
{
    static const char *const lists[] = {"", ",", "unix:/a,", "unix:/a;/b,c", "http://a"};
    struct link_hello me = {.role = "gateway", .id = "g"};
    struct leader_link *none = NULL;
    struct loop *loop = loop_new();
    struct buf many = BUF_INIT(4096);
    struct error err;
    size_t i;
    (void)state;

    for (i = 0; i < ARRAY_LEN(lists); i++)
        assert_int_equal(leader_link_new(loop, lists[i], &me, &ops, NULL, &none, &err),
                         -ERR_CONFIG);
    for (i = 0; i <= LEADER_LINK_MAX; i++)
        buf_printf(&many, "%sunix:/nowhere/%zu", i ? "," : "", i);
    CLEANUP(freep) char *text = buf_take(&many);

    assert_int_equal(leader_link_new(loop, text, &me, &ops, NULL, &none, &err), -ERR_CONFIG);
    assert_null(none);
    loop_free(loop);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(nobody_leads_before_one_says_so),
        WITH(a_greater_term_takes_over_and_ends_what_the_one_before_was_asked),
        WITH(a_term_that_is_over_is_refused_with_the_greatest),
        WITH(only_the_leader_is_served),
        WITH(a_leader_that_comes_back_leads_when_it_has_said_so),
        cmocka_unit_test_setup_teardown(an_older_controller_leads_until_one_says_more, set_up_older,
                                        tear_down),
        WITH(what_is_no_term_is_refused),
        cmocka_unit_test(a_list_that_is_none_is_refused),
    };

    log_init("leader_link_test", LOG_ERROR);
    return cmocka_run_group_tests_name("leader_link", tests, NULL, NULL);
}
