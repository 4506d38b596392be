/* SPDX-License-Identifier: Apache-2.0 */
/* Up to three controllers' leaderships over one real Redis, whose keys the tests change as others would. */
#include "controller/leadership.h"

#include "controller/redis_fixture.h"

#include "common/base/log.h"

#define WAIT_US SECONDS(20)
#define LONG_US SECONDS(600) /* a lease that no test waits for */
#define SHORT_US MSEC(150)

/* One controller. */
struct one {
    struct redis *redis;
    struct leadership *l;
    char id[32], seat[16], key[32];
    uint64_t term; /* that it was told last */
    unsigned leads, overs, dones;
    enum error_code why;
    char text[1024];
};

static struct redis_fixture server;
static struct loop *loop;
static struct one a, b;
static struct redis *hand; /* who changes the keys */
static uint64_t renew_us;
static struct {
    unsigned count;
    enum error_code code;
    char text[200];
} got;

#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        uint64_t until_ = now_us() + WAIT_US;                                                      \
        while (!(condition)) {                                                                     \
            if (now_us() > until_)                                                                 \
                fail_msg("waited too long for %s", #condition);                                    \
            turn();                                                                                \
        }                                                                                          \
    } while (0)

static void on_tick(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void turn(void)
{
    struct timer tick;

    timer_init(&tick, loop, on_tick, NULL);
    timer_start(&tick, MSEC(1));
    loop_run(loop);
    timer_stop(&tick);
}

static void on_lead(uint64_t term, void *arg)
{
    struct one *one = arg;

    one->leads++;
    one->term = term;
}

static void on_over(const struct error *why, void *arg)
{
    struct one *one = arg;

    one->overs++;
    one->why = why->code;
    snprintf(one->text, sizeof(one->text), "%s", why->msg);
}

static void on_done(void *arg)
{
    struct one *one = arg;

    one->dones++;
}

static void on_state(bool up, const struct error *why, void *arg)
{
    struct one *one = arg;
    (void)why;

    if (up && one->l)
        leadership_redis_here(one->l);
}

static void begin_in(struct one *one, const char *seat, uint64_t lease_us, const char *key)
{
    static unsigned number;
    struct redis_options redis = {
        .url = server.url, .command_timeout_us = SECONDS(10), .on_state = on_state, .arg = one};
    struct leadership_options options = {.loop = loop,
                                         .lease_us = lease_us,
                                         .renew_us = renew_us,
                                         .look_us = SHORT_US / 10,
                                         .on_lead = on_lead,
                                         .on_over = on_over,
                                         .arg = one};

    memset(one, 0, sizeof(*one));
    snprintf(one->seat, sizeof(one->seat), "%s", seat);
    snprintf(one->id, sizeof(one->id), "%s-%u", seat, ++number);
    snprintf(one->key, sizeof(one->key), "%s", key);
    assert_int_equal(redis_new(loop, &redis, &one->redis, NULL), 0);
    options.redis = one->redis;
    options.id = one->id;
    options.seat = one->seat;
    options.key_id = one->key;
    one->l = leadership_new(&options);
}

static void begin(struct one *one, const char *seat, uint64_t lease_us)
{
    begin_in(one, seat, lease_us, "0123456789abcdef");
}

static void end(struct one *one)
{
    redis_free(one->redis);
    leadership_free(one->l);
    one->redis = NULL;
    one->l = NULL;
}

static void on_answer(const struct redis_value *value, const struct error *err, void *arg)
{
    (void)arg;
    got.count++;
    got.code = err ? err->code : ERR_OK;
    snprintf(got.text, sizeof(got.text), "%.*s", STR_ARG(err ? str_of(err->msg) : value->str));
}

/* A command of up to four words, answered. */
static const char *redis(const char *text)
{
    struct str words[4], rest = str_of(text);
    unsigned before = got.count;
    size_t n = 0;

    while (n < ARRAY_LEN(words) && str_split(&rest, '|', &words[n]))
        n++;
    redis_command(hand, words, n, on_answer, NULL);
    WAIT_FOR(got.count > before);
    return got.text;
}

/* Whether a script of this controller's is run by Redis now. */
static bool may_write(struct one *one)
{
    static struct redis_script write = {.name = "write", .source = "return 'written'"};
    unsigned before = got.count;

    redis_eval(one->redis, &write, NULL, 0, NULL, 0, on_answer, NULL);
    WAIT_FOR(got.count > before);
    assert_true(got.code == ERR_OK || got.code == ERR_UNAVAILABLE);
    return got.code == ERR_OK;
}

static void holds(const char *key, uint64_t term, const struct one *one)
{
    char text[64], command[64];

    snprintf(text, sizeof(text), "%llu %s", (unsigned long long)term, one->id);
    snprintf(command, sizeof(command), "GET|%s", key);
    assert_string_equal(redis(command), text);
}

static int set_up(void **state)
{
    struct redis_options options = {
        .url = server.url, .command_timeout_us = SECONDS(10), .patience_us = SECONDS(10)};

    (void)state;
    if (!fixture_is_possible())
        return 0;
    if (!fixture_new(&server) || !fixture_start(&server))
        return -1;
    loop = loop_new();
    renew_us = SHORT_US / 5;
    memset(&a, 0, sizeof(a));
    memset(&b, 0, sizeof(b));
    return redis_new(loop, &options, &hand, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    if (!fixture_is_possible())
        return 0;
    end(&a);
    end(&b);
    redis_free(hand);
    loop_free(loop);
    fixture_done(&server);
    return 0;
}

/* ---- tests */

static void one_alone_leads(void **state)
{
    (void)state;
    need_server();
    begin(&a, "a", LONG_US);
    assert_int_equal(leadership_term(a.l), 0);
    WAIT_FOR(a.leads == 1);
    assert_int_equal(a.term, 1);
    assert_int_equal(leadership_term(a.l), 1);
    holds("hearth:leader", 1, &a);
    holds("hearth:term", 1, &a);
    assert_true(may_write(&a));
}

static void the_other_stands_by_and_writes_nothing(void **state)
{
    (void)state;
    need_server();
    begin(&a, "a", SHORT_US);
    WAIT_FOR(a.leads);
    begin(&b, "b", SHORT_US);
    WAIT_FOR(redis_is_up(b.redis));
    assert_false(may_write(&b));
    redis("SET|hearth:leader|1 forever"); /* by somebody who lives on */
    redis("SET|hearth:term|1 forever");
    WAIT_FOR(a.overs == 1);
    assert_int_equal(a.why, ERR_STALE);
    assert_int_equal(b.leads, 0);
    assert_int_equal(b.overs, 0);
}

static void a_lease_that_ends_makes_the_other_leader_with_a_greater_term(void **state)
{
    (void)state;
    need_server();
    begin(&a, "a", SHORT_US);
    WAIT_FOR(a.leads);
    begin(&b, "b", SHORT_US);
    end(&a); /* as if killed: nothing is given back */
    WAIT_FOR(b.leads == 1);
    assert_int_equal(b.term, 2);
    assert_true(may_write(&b));
}

static void a_leader_that_resigns_is_followed_at_once(void **state)
{
    (void)state;
    need_server();
    begin(&a, "a", LONG_US);
    WAIT_FOR(a.leads);
    begin(&b, "b", LONG_US);
    leadership_resign(a.l, on_done, &a);
    assert_int_equal(a.dones, 0);
    assert_int_equal(leadership_term(a.l), 0);
    WAIT_FOR(a.dones == 1 && b.leads == 1);
    assert_int_equal(b.term, 2);
    assert_false(may_write(&a));
    assert_int_equal(a.overs, 0);
}

static void who_stands_by_resigns_without_touching_the_key(void **state)
{
    (void)state;
    need_server();
    begin(&a, "a", LONG_US);
    WAIT_FOR(a.leads);
    begin(&b, "b", LONG_US);
    WAIT_FOR(redis_is_up(b.redis));
    leadership_resign(b.l, on_done, &b);
    WAIT_FOR(b.dones == 1);
    holds("hearth:leader", 1, &a);
}

static void without_redis_resigning_ends_soon(void **state)
{
    (void)state;
    need_server();
    begin(&a, "a", LONG_US);
    WAIT_FOR(a.leads);
    kill(server.pid, SIGSTOP);
    leadership_resign(a.l, on_done, &a);
    WAIT_FOR(a.dones == 1);
    kill(server.pid, SIGCONT);
}

static void a_process_that_sits_where_the_leader_sat_does_not_wait(void **state)
{
    (void)state;
    need_server();
    begin(&a, "seat", LONG_US);
    WAIT_FOR(a.leads);
    end(&a);
    begin(&b, "seat", LONG_US);
    WAIT_FOR(b.leads == 1);
    assert_int_equal(b.term, 2);
}

static void who_was_replaced_cannot_write_before_it_knows(void **state)
{
    (void)state;
    need_server();
    begin(&a, "a", LONG_US);
    WAIT_FOR(a.leads);
    redis("SET|hearth:term|2 other");
    assert_false(may_write(&a));
    WAIT_FOR(a.overs == 1);
    assert_int_equal(a.why, ERR_STALE);
    assert_non_null(strstr(a.text, "other"));
    assert_false(may_write(&a));
}

static void a_redis_that_lost_all_deposes_nobody(void **state)
{
    unsigned leads;

    (void)state;
    need_server();
    redis("SET|hearth:term|6 other");
    begin(&a, "a", LONG_US);
    WAIT_FOR(a.leads);
    assert_int_equal(a.term, 7);
    redis("FLUSHALL");
    WAIT_FOR(may_write(&a));
    holds("hearth:leader", 7, &a);
    leads = a.leads;
    redis("SET|hearth:leader|5 other"); /* whose election was before ours, and is seen again */
    redis("SET|hearth:term|5 other");
    WAIT_FOR(may_write(&a));
    holds("hearth:leader", 7, &a);
    assert_int_equal(a.leads, leads);
    assert_int_equal(a.overs, 0);
}

static void redis_back_is_told_when_it_has_been_compared(void **state)
{
    (void)state;
    need_server();
    begin(&a, "a", SHORT_US);
    assert_true(leadership_age_us(a.l) == UINT64_MAX);
    WAIT_FOR(a.leads == 1);
    assert_true(leadership_age_us(a.l) < SECONDS(60));
    fixture_stop(&server);
    WAIT_FOR(!redis_is_up(a.redis));
    assert_int_equal(leadership_term(a.l), 1);
    WAIT_FOR(leadership_age_us(a.l) > 2 * renew_us); /* it leads, and is less and less sure of it */
    assert_true(fixture_start(&server)); /* later than the lease */
    WAIT_FOR(a.leads == 2);
    assert_int_equal(a.term, 1);
    assert_true(may_write(&a));
}

static void a_term_that_peers_know_is_outbidden_by_whose_the_key_is(void **state)
{
    (void)state;
    need_server();
    begin(&a, "a", LONG_US);
    WAIT_FOR(a.leads == 1);
    leadership_heard(a.l, 0);
    assert_true(may_write(&a));
    leadership_heard(a.l, 9);
    WAIT_FOR(a.leads == 2);
    assert_int_equal(a.term, 10);
    holds("hearth:term", 10, &a);
    assert_true(may_write(&a));
    leadership_heard(a.l, 10); /* ours, said by another one */
    WAIT_FOR(a.leads == 3);
    assert_int_equal(a.term, 11);
    assert_int_equal(a.overs, 0);
}

static void a_term_that_peers_know_ends_whose_the_key_is_not(void **state)
{
    (void)state;
    need_server();
    renew_us = LONG_US; /* so that no renewal comes between */
    begin(&a, "a", LONG_US);
    WAIT_FOR(a.leads == 1);
    redis("DEL|hearth:leader");
    leadership_heard(a.l, 9);
    WAIT_FOR(a.overs == 1);
    assert_int_equal(a.why, ERR_STALE);
}

static void who_stands_by_begins_above_what_peers_know(void **state)
{
    (void)state;
    need_server();
    begin(&a, "a", LONG_US);
    leadership_heard(a.l, 41);
    WAIT_FOR(a.leads == 1);
    assert_int_equal(a.term, 42);
}

static void another_sealing_key_is_refused(void **state)
{
    (void)state;
    need_server();
    begin(&a, "a", LONG_US);
    WAIT_FOR(a.leads == 1);
    begin_in(&b, "b", LONG_US, "fedcba9876543210");
    WAIT_FOR(b.overs == 1);
    assert_int_equal(b.why, ERR_CONFIG);
    assert_non_null(strstr(b.text, "HEARTH_KEY_FILE"));
    end(&b);
    leadership_resign(a.l, on_done, &a);
    WAIT_FOR(a.dones == 1);
    begin_in(&b, "b", LONG_US, "fedcba9876543210"); /* also when nobody leads */
    WAIT_FOR(b.overs == 1);
    assert_string_equal(redis("GET|hearth:key"), "0123456789abcdef");
}

static void answers_are_read_or_refused(void **state)
{
    static const struct {
        const char *words[3];
        int ret;
    } cases[] = {
        {{"lead", "7", "x"}, 0},          {{"wait", "7", "x"}, 0}, {{"over", "7", ""}, 0},
        {{"key", "0", ""}, 0},            {{"leads", "7", "x"}, -ERR_PROTOCOL},
        {{"lead", "-7", "x"}, -ERR_PROTOCOL}, {{"lead", "", "x"}, -ERR_PROTOCOL},
    };
    struct leadership_answer answer;
    struct redis_value items[3];
    size_t i, k;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        struct redis_value value = {.type = REDIS_ARRAY, .items = items, .len = 3};

        for (k = 0; k < 3; k++)
            items[k] = (struct redis_value){.type = REDIS_STRING,
                                            .str = str_of(cases[i].words[k])};
        assert_int_equal(leadership_read(&value, &answer, NULL), cases[i].ret);
        value.len = 2;
        assert_int_equal(leadership_read(&value, &answer, NULL), -ERR_PROTOCOL);
        value = items[0];
        assert_int_equal(leadership_read(&value, &answer, NULL), -ERR_PROTOCOL);
    }
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(one_alone_leads),
        LIVE(the_other_stands_by_and_writes_nothing),
        LIVE(a_lease_that_ends_makes_the_other_leader_with_a_greater_term),
        LIVE(a_leader_that_resigns_is_followed_at_once),
        LIVE(who_stands_by_resigns_without_touching_the_key),
        LIVE(without_redis_resigning_ends_soon),
        LIVE(a_process_that_sits_where_the_leader_sat_does_not_wait),
        LIVE(who_was_replaced_cannot_write_before_it_knows),
        LIVE(a_redis_that_lost_all_deposes_nobody),
        LIVE(redis_back_is_told_when_it_has_been_compared),
        LIVE(a_term_that_peers_know_is_outbidden_by_whose_the_key_is),
        LIVE(a_term_that_peers_know_ends_whose_the_key_is_not),
        LIVE(who_stands_by_begins_above_what_peers_know),
        LIVE(another_sealing_key_is_refused),
        cmocka_unit_test(answers_are_read_or_refused),
    };

    log_init("leadership_test", LOG_ERROR);
    return cmocka_run_group_tests_name("leadership", tests, NULL, NULL);
}
