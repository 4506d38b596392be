/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger against a real Redis, each rule by an example. tests/ledger has the rest: a million random steps. */
#include "controller/permits/ledger.h"

#include <inttypes.h>

#include "controller/store/store_fixture.h"

#define KEY "hearth:{" ACCOUNT "}:"

static struct ledger *ledger;
static struct ledger_at at;
/* what the last callback told */
static struct {
    struct ledger_answer answers[LEDGER_POOLS_MAX];
    size_t len;
    bool ready;
    struct ledger_view view;
    char run[32], gateway[32], lease[64], node[64];
    uint64_t pool_total;
} got;

static int setup(void **state)
{
    (void)state;
    if (store_open() < 0)
        return -1;
    if (fixture_is_possible())
        ledger = ledger_new(store.loop, store.redis);
    at = (struct ledger_at){STR(ACCOUNT), 100, 1, 50};
    memset(&got, 0, sizeof(got));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    store_close();
    ledger_free(TAKE(ledger));
    return 0;
}

static void on_done(const struct error *err, void *arg)
{
    (void)arg;
    store_answered(err);
}

static void on_state(const struct ledger_answer *answers, size_t len, const struct error *err,
                     void *arg)
{
    (void)arg;
    got.len = len;
    if (len)
        memcpy(got.answers, answers, len * sizeof(*answers));
    store_answered(err);
}

static void on_ready(bool ready, const struct error *err, void *arg)
{
    (void)arg;
    got.ready = ready;
    store_answered(err);
}

/* Numbers are kept, and a text of the first of each list. */
static void on_view(const struct ledger_view *view, const struct error *err, void *arg)
{
    (void)arg;
    if (view) {
        got.view = *view;
        snprintf(got.run, sizeof(got.run), "%.*s", STR_ARG(view->run));
        if (view->gateways_len)
            snprintf(got.gateway, sizeof(got.gateway), "%.*s", STR_ARG(view->gateways[0]));
        if (view->leases_len)
            snprintf(got.lease, sizeof(got.lease), "%.*s %.*s #%" PRIu64 " %" PRIu64,
                     STR_ARG(view->leases[0].gateway), STR_ARG(view->leases[0].pool),
                     view->leases[0].seq, view->leases[0].count);
        if (view->nodes_len)
            snprintf(got.node, sizeof(got.node), "%.*s %.*s #%" PRIu64 " %zu",
                     STR_ARG(view->nodes[0].node), STR_ARG(view->nodes[0].incarnation),
                     view->nodes[0].seq, view->nodes[0].len);
        got.pool_total = view->pools_len ? view->pools[0].count : 0;
    }
    store_answered(err);
}

static void on_reply(const struct redis_value *value, const struct error *err, void *arg)
{
    (void)arg;
    (void)value;
    store_answered(err);
}

static enum error_code waited(unsigned before)
{
    store_wait(before + 1);
    return store.code;
}

/* One command, its words parted by blanks; '_' inside a word is a blank. */
static void command(const char *text)
{
    CLEANUP(freep) char *copy = str_dup(str_of(text));
    struct str rest = str_of(copy), word, words[16];
    unsigned before = store.count;
    size_t len = 0;

    while (str_split(&rest, ' ', &word))
        words[len++] = word;
    redis_command(store.redis, words, len, on_reply, NULL);
    assert_int_equal(waited(before), ERR_OK);
}

static enum error_code open_ledger(const struct ledger_orphans *nodes, size_t len)
{
    unsigned before = store.count;

    ledger_open(ledger, &at, STR("run-1"), nodes, len, on_done, NULL);
    return waited(before);
}

static enum error_code join(const char *gateway)
{
    unsigned before = store.count;

    ledger_join(ledger, &at, str_of(gateway), on_done, NULL);
    return waited(before);
}

static enum error_code give_up(const char *gateway)
{
    unsigned before = store.count;

    ledger_give_up(ledger, &at, str_of(gateway), on_done, NULL);
    return waited(before);
}

static enum error_code state_of(const char *gateway, const struct ledger_question *questions,
                                size_t len)
{
    unsigned before = store.count;

    ledger_state(ledger, &at, str_of(gateway), questions, len, on_state, NULL);
    return waited(before);
}

static enum error_code ask(const char *gateway, const char *pool, uint64_t seq, uint64_t held,
                           uint64_t want)
{
    struct ledger_question q = {.pool = str_of(pool), .seq = seq, .held = held, .want = want};

    return state_of(gateway, &q, 1);
}

static enum error_code orphans(const char *node, const char *incarnation, uint64_t seq,
                               const char *pool, uint64_t count)
{
    struct ledger_count one = {str_of(pool), count};
    struct ledger_orphans o = {str_of(node), str_of(incarnation), seq, &one, count ? 1 : 0};
    unsigned before = store.count;

    ledger_set_orphans(ledger, &at, &o, on_done, NULL);
    return waited(before);
}

static enum error_code look(void)
{
    unsigned before = store.count;

    ledger_read(ledger, &at, on_view, NULL);
    return waited(before);
}

static bool is_ready(const char *function, const char *version)
{
    unsigned before = store.count;

    ledger_class_ready(ledger, &at, str_of(function), str_of(version), on_ready, NULL);
    assert_int_equal(waited(before), ERR_OK);
    return got.ready;
}

static void answered(bool old, uint64_t more, uint64_t lease, bool drain, enum ledger_bound bound)
{
    assert_int_equal(got.len, 1);
    assert_int_equal(got.answers[0].old, old);
    assert_int_equal(got.answers[0].more, more);
    assert_int_equal(got.answers[0].lease, lease);
    assert_int_equal(got.answers[0].drain, drain);
    assert_int_equal(got.answers[0].bound, bound);
}

/* An open ledger with gateways g1 and g2. */
static void begin(void)
{
    need_server();
    assert_int_equal(open_ledger(NULL, 0), ERR_OK);
    assert_int_equal(join("g1"), ERR_OK);
    assert_int_equal(join("g2"), ERR_OK);
}

static void a_ledger_is_closed_until_it_is_opened(void **state)
{
    (void)state;
    need_server();
    assert_int_equal(look(), ERR_OK);
    assert_int_equal(got.view.epoch, 0);
    assert_int_equal(join("g1"), ERR_STALE);
    assert_int_equal(ask("g1", "*", 1, 0, 1), ERR_STALE);
    assert_int_equal(open_ledger(NULL, 0), ERR_OK);
    assert_int_equal(ask("g1", "*", 1, 0, 1), ERR_NOT_FOUND); /* has not joined */
    assert_int_equal(join("g1"), ERR_OK);
    assert_int_equal(ask("g1", "*", 1, 0, 1), ERR_OK);
    answered(false, 1, 1, false, LEDGER_ENOUGH);
}

static void what_fits_is_granted_and_no_more(void **state)
{
    (void)state;
    begin();
    at.account_limit = 10;
    assert_int_equal(ask("g1", "*", 1, 0, 7), ERR_OK);
    answered(false, 7, 7, false, LEDGER_ENOUGH);
    assert_int_equal(ask("g2", "*", 1, 0, 7), ERR_OK);
    answered(false, 3, 3, false, LEDGER_POOL);
    assert_int_equal(ask("g1", "*", 2, 2, 2), ERR_OK); /* gives five back */
    answered(false, 0, 2, false, LEDGER_ENOUGH);
    assert_int_equal(ask("g2", "*", 2, 3, 9), ERR_OK);
    answered(false, 5, 8, false, LEDGER_POOL);
}

static void an_older_question_does_nothing(void **state)
{
    (void)state;
    begin();
    ask("g1", "*", 5, 0, 4);
    assert_int_equal(ask("g1", "*", 5, 0, 4), ERR_OK); /* twice */
    answered(true, 0, 0, false, LEDGER_ENOUGH);
    assert_int_equal(ask("g1", "*", 4, 0, 90), ERR_OK); /* late */
    answered(true, 0, 0, false, LEDGER_ENOUGH);
    ask("g1", "*", 6, 0, 0);
    assert_int_equal(ask("g1", "*", 5, 4, 4), ERR_OK); /* late, and nothing is held any more */
    answered(true, 0, 0, false, LEDGER_ENOUGH);
    look();
    assert_int_equal(got.view.total, 0);
    assert_string_equal(got.lease, "g1 * #6 0");
}

static void the_newest_question_may_be_asked_again(void **state)
{
    struct ledger_question q = {.pool = STR("*"), .seq = 1, .want = 8, .again = true};

    (void)state;
    begin();
    at.account_limit = 10;
    ask("g2", "*", 1, 0, 7);
    ask("g1", "*", 1, 0, 8);
    answered(false, 3, 3, false, LEDGER_POOL);
    ask("g2", "*", 2, 1, 1);
    assert_int_equal(state_of("g1", &q, 1), ERR_OK);
    answered(false, 8, 8, false, LEDGER_ENOUGH);
    ask("g1", "*", 2, 8, 8);
    assert_int_equal(state_of("g1", &q, 1), ERR_OK); /* it is not the newest any more */
    answered(true, 0, 0, false, LEDGER_ENOUGH);
}

static void limits_are_the_registrys(void **state)
{
    (void)state;
    begin();
    command("SET " KEY "reserved 30");
    command("SET " KEY "provisioned 6");
    command("HSET " KEY "fn:f:settings reserved 30");
    command("HSET " KEY "fn:f:provisioned 3 {\"requested\":4} live {\"requested\":5}");
    command("HSET " KEY "fn:f:aliases live {\"FunctionVersion\":\"7\"}");
    command("HSET " KEY "fn:u:provisioned 1 {\"requested\":6}");
    ask("g1", "*", 1, 0, 1000);
    answered(false, 64, 64, false, LEDGER_POOL);
    ask("g1", "f", 1, 0, 1000);
    answered(false, 21, 21, false, LEDGER_POOL);
    ask("g1", "f:3", 1, 0, 1000);
    answered(false, 4, 4, false, LEDGER_POOL);
    ask("g1", "f:7", 1, 0, 1000);
    answered(false, 5, 5, false, LEDGER_POOL);
    ask("g1", "f:8", 1, 0, 1000); /* nothing is provisioned for it */
    answered(false, 0, 0, false, LEDGER_POOL);
    ask("g1", "u", 1, 0, 1000); /* has no reservation */
    answered(false, 0, 0, false, LEDGER_POOL);
    ask("g1", "u:1", 1, 0, 1000);
    answered(false, 6, 6, false, LEDGER_POOL);
    command("HSET " KEY "fn:f:aliases live {\"FunctionVersion\":\"8\"}"); /* the alias moves */
    ask("g2", "f:8", 1, 0, 5);
    answered(false, 0, 0, false, LEDGER_FUNCTION); /* the reservation is used up */
    ask("g1", "f:7", 2, 2, 2);
    answered(false, 0, 2, true, LEDGER_ENOUGH);
    ask("g2", "f:8", 2, 0, 5);
    answered(false, 3, 3, false, LEDGER_FUNCTION);
}

static void a_lower_limit_drains(void **state)
{
    (void)state;
    begin();
    command("SET " KEY "reserved 10");
    command("HSET " KEY "fn:f:settings reserved 10");
    ask("g1", "f", 1, 0, 8);
    answered(false, 8, 8, false, LEDGER_ENOUGH);
    command("HSET " KEY "fn:f:settings reserved 3");
    ask("g1", "f", 2, 5, 8); /* would have its own back */
    answered(false, 0, 5, true, LEDGER_POOL);
    ask("g1", "f", 3, 2, 8);
    answered(false, 1, 3, false, LEDGER_POOL);
}

static void pools_of_an_account_share_its_limit(void **state)
{
    (void)state;
    begin();
    ask("g1", "*", 1, 0, 100);
    command("SET " KEY "reserved 10"); /* a reservation, while all is in use */
    command("HSET " KEY "fn:f:settings reserved 10");
    ask("g2", "f", 1, 0, 1);
    answered(false, 0, 0, false, LEDGER_ACCOUNT);
    ask("g1", "*", 2, 95, 95);
    answered(false, 0, 95, true, LEDGER_ENOUGH);
    ask("g2", "f", 2, 0, 10);
    answered(false, 5, 5, false, LEDGER_ACCOUNT);
}

static void what_has_moved_is_counted_where_it_is_now(void **state)
{
    struct ledger_question moves[] = {
        {.pool = STR("f"), .seq = 1, .held = 6, .want = 6, .moved = true},
        {.pool = STR("*"), .seq = 2, .held = 14, .want = 14},
    };

    (void)state;
    begin();
    ask("g1", "*", 1, 0, 20);
    command("SET " KEY "reserved 4");
    command("HSET " KEY "fn:f:settings reserved 4");
    assert_int_equal(state_of("g1", moves, 2), ERR_OK);
    assert_int_equal(got.answers[0].lease, 6);
    assert_true(got.answers[0].drain);
    assert_int_equal(got.answers[1].lease, 14);
    assert_false(got.answers[1].drain);
    look();
    assert_int_equal(got.view.total, 20);
    ask("g2", "f", 1, 0, 1);
    answered(false, 0, 0, true, LEDGER_POOL);
    assert_int_equal(state_of("g1", moves, 2), ERR_OK); /* twice */
    assert_true(got.answers[0].old && got.answers[1].old);
}

static void who_is_given_up_has_nothing_and_never_joins_again(void **state)
{
    (void)state;
    begin();
    ask("g1", "*", 1, 0, 20);
    assert_int_equal(give_up("g1"), ERR_OK);
    assert_int_equal(give_up("g1"), ERR_OK);
    assert_int_equal(join("g1"), ERR_PRECONDITION);
    assert_int_equal(ask("g1", "*", 2, 20, 20), ERR_PRECONDITION);
    look();
    assert_int_equal(got.view.total, 0);
    assert_int_equal(got.view.gateways_len, 1);
    assert_string_equal(got.gateway, "g2");
    ask("g2", "*", 1, 0, 100);
    answered(false, 100, 100, false, LEDGER_ENOUGH);
    assert_int_equal(give_up("g3"), ERR_OK); /* its join is still on its way */
    assert_int_equal(join("g3"), ERR_PRECONDITION);
}

static void orphans_count_until_their_node_says_otherwise(void **state)
{
    (void)state;
    begin();
    assert_int_equal(orphans("n1", "i1", 3, "*", 40), ERR_OK);
    assert_int_equal(orphans("n1", "i1", 2, "*", 90), ERR_OK); /* late */
    ask("g1", "*", 1, 0, 100);
    answered(false, 60, 60, false, LEDGER_POOL);
    assert_int_equal(orphans("n1", "i2", 0, "*", 10), ERR_OK); /* a new process */
    assert_int_equal(orphans("n1", "i1", 9, "*", 0), ERR_OK); /* late, of the one before */
    ask("g1", "*", 2, 60, 100);
    answered(false, 30, 90, false, LEDGER_POOL);
    look();
    assert_string_equal(got.node, "n1 i2 #0 1");
    assert_int_equal(orphans("n1", "i2", 1, "*", 0), ERR_OK);
    look();
    assert_string_equal(got.node, "n1 i2 #1 0");
    assert_int_equal(got.view.total, 90);
}

static void a_new_epoch_begins_with_what_runs(void **state)
{
    struct ledger_count counts[] = {{STR("*"), 5}, {STR("f:3"), 2}, {STR("*"), 1}};
    struct ledger_orphans nodes[] = {{STR("n1"), STR("i1"), 8, counts, 3},
                                     {STR("n 2"), STR("i1"), 0, NULL, 0}};

    (void)state;
    begin();
    ask("g1", "*", 1, 0, 20);
    orphans("n9", "i1", 1, "*", 3);
    at.epoch = 60;
    assert_int_equal(ask("g1", "*", 2, 20, 20), ERR_STALE);
    assert_int_equal(open_ledger(nodes, 2), ERR_OK);
    assert_int_equal(ask("g1", "*", 2, 20, 20), ERR_NOT_FOUND);
    look();
    assert_int_equal(got.view.epoch, 60);
    assert_string_equal(got.run, "run-1");
    assert_int_equal(got.view.total, 8);
    assert_int_equal(got.view.gateways_len, 0);
    assert_int_equal(got.view.leases_len, 0);
    assert_int_equal(got.view.nodes_len, 2);
    assert_int_equal(got.view.pools_len, 2);
    join("g1");
    ask("g1", "*", 1, 0, 10);
    assert_int_equal(open_ledger(NULL, 0), ERR_OK); /* once more: leases stay */
    look();
    assert_int_equal(got.view.total, 18);
    at.epoch = 59;
    assert_int_equal(open_ledger(NULL, 0), ERR_STALE);
}

static void an_older_leader_is_refused(void **state)
{
    struct ledger_at other = at;

    (void)state;
    begin();
    at.term = 2;
    assert_int_equal(look(), ERR_OK); /* from here on */
    at.term = 1;
    assert_int_equal(look(), ERR_CONFLICT);
    assert_int_equal(join("g3"), ERR_CONFLICT);
    assert_int_equal(ask("g1", "*", 1, 0, 1), ERR_CONFLICT);
    assert_int_equal(give_up("g1"), ERR_CONFLICT);
    assert_int_equal(orphans("n1", "i1", 1, "*", 1), ERR_CONFLICT);
    at.epoch = 61;
    assert_int_equal(open_ledger(NULL, 0), ERR_CONFLICT);
    at = other;
    at.term = 0;
    assert_int_equal(look(), ERR_OK); /* whoever only looks */
    assert_int_equal(got.view.term, 2);
}

static void a_class_is_ready_when_others_have_made_room(void **state)
{
    (void)state;
    begin();
    command("SET " KEY "reserved 10");
    command("HSET " KEY "fn:f:settings reserved 10");
    ask("g1", "f", 1, 0, 10);
    command("HSET " KEY "fn:f:provisioned 3 {\"requested\":4}");
    assert_false(is_ready("f", "3")); /* plain ones have what is provisioned now */
    ask("g1", "f", 2, 7, 7);
    assert_false(is_ready("f", "3"));
    ask("g1", "f", 3, 6, 6);
    assert_true(is_ready("f", "3"));
    ask("g1", "f:3", 1, 0, 4);
    assert_true(is_ready("f", "3"));
    command("HSET " KEY "fn:f:provisioned 4 {\"requested\":4}");
    command("HDEL " KEY "fn:f:provisioned 3");
    assert_false(is_ready("f", "4")); /* moved: the other version has them still */
    ask("g1", "f:3", 2, 0, 0);
    assert_true(is_ready("f", "4"));
    command("SET " KEY "provisioned 5");
    command("HSET " KEY "fn:u:provisioned 1 {\"requested\":5}");
    ask("g1", "*", 1, 0, 85);
    assert_true(is_ready("u", "1"));
    orphans("n1", "i1", 1, "*", 1);
    assert_false(is_ready("u", "1"));
}

static void many_pools_go_in_one_call(void **state)
{
    struct ledger_question questions[LEDGER_POOLS_MAX];
    struct ledger_count counts[LEDGER_POOLS_MAX];
    struct ledger_orphans node = {STR("n1"), STR("i1"), 1, counts, LEDGER_POOLS_MAX};
    char names[LEDGER_POOLS_MAX][16];
    unsigned before;
    size_t i;

    (void)state;
    begin();
    at.account_limit = 1000;
    for (i = 0; i < LEDGER_POOLS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "fn-%zu:1", i);
        questions[i] = (struct ledger_question){.pool = str_of(names[i]), .seq = 1, .want = 2};
        counts[i] = (struct ledger_count){str_of(names[i]), 1};
        CLEANUP(freep)
        char *text = str_printf("HSET " KEY "fn:fn-%zu:provisioned 1 {\"requested\":3}", i);

        command(text);
    }
    assert_int_equal(state_of("g1", questions, LEDGER_POOLS_MAX), ERR_OK);
    assert_int_equal(got.len, LEDGER_POOLS_MAX);
    for (i = 0; i < LEDGER_POOLS_MAX; i++)
        assert_int_equal(got.answers[i].more, 2);
    before = store.count;
    ledger_set_orphans(ledger, &at, &node, on_done, NULL);
    assert_int_equal(waited(before), ERR_OK);
    look();
    assert_int_equal(got.view.total, 3 * LEDGER_POOLS_MAX);
    assert_int_equal(got.view.leases_len, LEDGER_POOLS_MAX);
    give_up("g1");
    orphans("n1", "i1", 2, "*", 0);
    look();
    assert_int_equal(got.view.total, 0);
    assert_int_equal(got.view.pools_len, 0);
}

static void what_is_no_question_is_refused(void **state)
{
    static const char *const pools[] = {"", "f:", ":1", "f:x", "f g", "f\n1", "**", "f:1:2", "f{"};
    struct ledger_question q = {.pool = STR("*"), .seq = 1, .moved = true, .again = true};
    struct ledger_question twice[] = {{.pool = STR("f"), .seq = 1}, {.pool = STR("f"), .seq = 2}};
    size_t i;

    (void)state;
    begin();
    for (i = 0; i < ARRAY_LEN(pools); i++)
        assert_int_equal(ask("g1", pools[i], 1, 0, 1), ERR_BAD_REQUEST);
    assert_int_equal(ask("g1", "*", 0, 0, 1), ERR_BAD_REQUEST);
    assert_int_equal(ask("g1", "*", 1, 2, 1), ERR_BAD_REQUEST);
    assert_int_equal(ask("g1", "*", UINT64_C(1) << 53, 0, 1), ERR_BAD_REQUEST);
    assert_int_equal(ask("g1", "*", 1, 0, LEDGER_COUNT_MAX + 1ull), ERR_BAD_REQUEST);
    assert_int_equal(ask("", "*", 1, 0, 1), ERR_BAD_REQUEST);
    assert_int_equal(state_of("g1", &q, 1), ERR_BAD_REQUEST);
    assert_int_equal(state_of("g1", twice, 2), ERR_BAD_REQUEST);
    assert_int_equal(state_of("g1", &q, 0), ERR_BAD_REQUEST);
    assert_int_equal(state_of("g1", &q, LEDGER_POOLS_MAX + 1), ERR_BAD_REQUEST);
    assert_int_equal(join("g\n1"), ERR_BAD_REQUEST);
    assert_int_equal(orphans("", "i1", 1, "*", 1), ERR_BAD_REQUEST);
    assert_int_equal(orphans("n1", "", 1, "*", 1), ERR_BAD_REQUEST);
    assert_int_equal(orphans("n1", "i1", 1, "f:", 1), ERR_BAD_REQUEST);
    at.epoch = UINT64_C(1) << 53;
    assert_int_equal(open_ledger(NULL, 0), ERR_BAD_REQUEST);
}

#define LEDGER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEDGER_TEST(a_ledger_is_closed_until_it_is_opened),
        LEDGER_TEST(what_fits_is_granted_and_no_more),
        LEDGER_TEST(an_older_question_does_nothing),
        LEDGER_TEST(the_newest_question_may_be_asked_again),
        LEDGER_TEST(limits_are_the_registrys),
        LEDGER_TEST(a_lower_limit_drains),
        LEDGER_TEST(pools_of_an_account_share_its_limit),
        LEDGER_TEST(what_has_moved_is_counted_where_it_is_now),
        LEDGER_TEST(who_is_given_up_has_nothing_and_never_joins_again),
        LEDGER_TEST(orphans_count_until_their_node_says_otherwise),
        LEDGER_TEST(a_new_epoch_begins_with_what_runs),
        LEDGER_TEST(an_older_leader_is_refused),
        LEDGER_TEST(a_class_is_ready_when_others_have_made_room),
        LEDGER_TEST(many_pools_go_in_one_call),
        LEDGER_TEST(what_is_no_question_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
