/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/fence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ACCOUNT "000000000000"
#define A "a.1"
#define B "b.1"

static struct {
    struct clock clock; /* first */
    uint64_t now_us;
    struct fence *f;
    struct fence_run runs[8];
    int changes;
    struct error err;
} w;

static uint64_t fake_now(const struct clock *clock)
{
    (void)clock;
    return w.now_us;
}

static void on_changed(void *arg)
{
    (void)arg;
    w.changes++;
}

static int make(void **state)
{
    (void)state;
    memset(&w, 0, sizeof(w));
    w.clock.now_us = fake_now;
    w.now_us = SECONDS(100);
    w.f = fence_new(&(struct fence_options){.clock = &w.clock, .orphans_changed = on_changed});
    return 0;
}

static int end(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(w.runs); i++)
        fence_over(w.f, &w.runs[i]);
    fence_free(w.f);
    return 0;
}

static int hear(uint64_t term, uint64_t number, uint64_t epoch, const char *first, const char *second)
{
    const struct str gateways[] = {str_of(first), str_of(second)};
    const struct fence_news news = {term, epoch, number, gateways, (size_t)(!!first + !!second)};

    return fence_hear(w.f, &news, &w.err);
}

static int admit(int run, const char *gateway, uint64_t epoch, const char *pool)
{
    const struct fence_claim claim = {str_of(gateway), epoch, STR(ACCOUNT), str_of(pool)};

    return fence_admit(w.f, &w.runs[run], &claim, &w.err);
}

static uint32_t orphans_of(const char *pool)
{
    struct fence_orphans o;
    size_t at = 0;

    while (fence_orphans_next(w.f, &at, &o)) {
        assert_true(str_is(o.account, ACCOUNT));
        if (str_is(o.pool, pool))
            return o.count;
    }
    return 0;
}

static void runs_are_counted_for_their_gateway(void **state)
{
    (void)state;
    assert_int_equal(hear(1, 1, 7, A, B), 0);
    assert_int_equal(admit(0, A, 7, "*"), 0);
    assert_int_equal(admit(1, A, 7, "f:3"), 0);
    assert_int_equal(admit(2, B, 7, "*"), 0);
    assert_int_equal(fence_runs(w.f, STR(A)), 2);
    assert_int_equal(fence_runs(w.f, STR(B)), 1);
    fence_over(w.f, &w.runs[0]);
    fence_over(w.f, &w.runs[0]);
    assert_int_equal(fence_runs(w.f, STR(A)), 1);
    assert_int_equal(w.changes, 0);
}

static void nobody_is_let_in_who_was_not_heard_of(void **state)
{
    (void)state;
    assert_int_equal(admit(0, A, 7, "*"), -ERR_UNAVAILABLE); /* no controller yet */
    assert_int_equal(hear(1, 1, 7, B, NULL), 0);
    assert_int_equal(admit(0, A, 7, "*"), -ERR_UNAVAILABLE);
    assert_string_equal(w.err.msg, "the node has not heard of gateway " A);
    assert_int_equal(admit(0, B, 8, "*"), -ERR_UNAVAILABLE); /* an epoch that is yet to be told */
    assert_int_equal(admit(0, B, 6, "*"), -ERR_FENCED);
    assert_int_equal(admit(0, A, 6, "*"), -ERR_FENCED);
    assert_null(w.runs[0].of);
}

static void a_new_epoch_makes_orphans_of_all(void **state)
{
    uint64_t seq = fence_orphans_seq(w.f);

    (void)state;
    assert_int_equal(hear(1, 1, 7, A, B), 0);
    assert_int_equal(admit(0, A, 7, "*"), 0);
    assert_int_equal(admit(1, B, 7, "*"), 0);
    assert_int_equal(admit(2, B, 7, "f"), 0);
    assert_int_equal(hear(1, 2, 8, A, B), 0);
    assert_int_equal(orphans_of("*"), 2);
    assert_int_equal(orphans_of("f"), 1);
    assert_true(fence_orphans_seq(w.f) > seq);
    assert_int_equal(w.changes, 1);
    assert_int_equal(fence_runs(w.f, STR(A)), 0);
    assert_int_equal(admit(3, A, 7, "*"), -ERR_FENCED);
    assert_int_equal(admit(3, A, 8, "*"), 0);
    fence_over(w.f, &w.runs[0]);
    fence_over(w.f, &w.runs[1]);
    assert_int_equal(orphans_of("*"), 0);
    assert_int_equal(orphans_of("f"), 1);
    assert_int_equal(w.changes, 3);
}

static void a_gateway_that_is_given_up_leaves_orphans(void **state)
{
    (void)state;
    assert_int_equal(hear(1, 1, 7, A, B), 0);
    assert_int_equal(admit(0, A, 7, "*"), 0);
    assert_int_equal(admit(1, B, 7, "*"), 0);
    assert_int_equal(hear(1, 2, 7, B, NULL), 0);
    assert_int_equal(orphans_of("*"), 1);
    assert_int_equal(admit(2, A, 7, "*"), -ERR_UNAVAILABLE);
    assert_int_equal(fence_runs(w.f, STR(B)), 1); /* goes on as it was */
    assert_int_equal(hear(1, 3, 7, B, NULL), 0);
    assert_int_equal(orphans_of("*"), 1);
    assert_int_equal(w.changes, 1);
}

static void what_is_older_is_not_believed(void **state)
{
    (void)state;
    assert_int_equal(hear(2, 5, 7, A, NULL), 0);
    assert_int_equal(hear(1, 9, 9, B, NULL), -ERR_STALE);
    assert_string_equal(w.err.msg, "term 2");
    assert_int_equal(hear(2, 4, 7, B, NULL), -ERR_STALE);
    assert_int_equal(hear(2, 6, 6, B, NULL), -ERR_STALE);
    assert_string_equal(w.err.msg, "epoch 7");
    assert_int_equal(hear(2, 5, 7, A, NULL), 0); /* once more: no matter */
    assert_int_equal(admit(0, A, 7, "*"), 0);
    assert_int_equal(hear(3, 1, 7, B, NULL), 0); /* another leader counts anew */
    assert_int_equal(orphans_of("*"), 1);
    fence_relinked(w.f); /* so does the same one on another link */
    assert_int_equal(hear(3, 1, 7, B, NULL), 0);
}

static void an_earlier_life_has_heard_it_already(void **state)
{
    (void)state;
    fence_free(w.f);
    w.f = fence_new(&(struct fence_options){.clock = &w.clock, .term = 3, .epoch = 9});
    assert_int_equal(hear(2, 1, 9, A, NULL), -ERR_STALE);
    assert_int_equal(hear(3, 1, 8, A, NULL), -ERR_STALE);
    assert_int_equal(admit(0, A, 9, "*"), -ERR_UNAVAILABLE);
    assert_int_equal(hear(3, 1, 9, A, NULL), 0);
    assert_int_equal(admit(0, A, 9, "*"), 0);
}

static void a_lease_that_is_over_lets_nobody_in(void **state)
{
    (void)state;
    assert_int_equal(hear(1, 1, 7, A, NULL), 0);
    fence_renew(w.f, w.now_us, SECONDS(30));
    assert_int_equal(fence_lease_end_us(w.f), SECONDS(130));
    assert_int_equal(admit(0, A, 7, "*"), 0);
    w.now_us = SECONDS(130) - 1;
    assert_false(fence_look(w.f));
    assert_int_equal(admit(1, A, 7, "*"), 0);
    w.now_us = SECONDS(130); /* and nobody has looked yet: perhaps the whole node stood still */
    assert_int_equal(admit(2, A, 7, "*"), -ERR_UNAVAILABLE);
    assert_int_equal(admit(2, "", 0, ""), -ERR_UNAVAILABLE);
    fence_renew(w.f, SECONDS(129), SECONDS(30)); /* an answer that was on its way: too late */
    assert_true(fence_is_shut(w.f));
    assert_true(fence_look(w.f));
    assert_false(fence_look(w.f));
    assert_int_equal(fence_state(w.f), FENCE_LAPSED);
    assert_int_equal(fence_runs(w.f, STR(A)), 2); /* until they have ended */
}

static void after_a_lapse_it_takes_a_lease_and_news(void **state)
{
    int first;

    (void)state;
    for (first = 0; first < 2; first++) {
        assert_int_equal(hear(1, 1, 7, A, NULL), 0);
        fence_renew(w.f, w.now_us, SECONDS(30));
        w.now_us += SECONDS(30);
        assert_true(fence_look(w.f));
        if (first) {
            assert_int_equal(hear(1, 2, 7, A, NULL), 0);
            assert_int_equal(admit(0, A, 7, "*"), -ERR_UNAVAILABLE);
            assert_false(fence_look(w.f));
            fence_renew(w.f, w.now_us, SECONDS(30));
        } else {
            fence_renew(w.f, w.now_us - SECONDS(30), SECONDS(30)); /* of before: as good as none */
            assert_int_equal(fence_lease_end_us(w.f), 0);
            fence_renew(w.f, w.now_us, SECONDS(30));
            assert_int_equal(admit(0, A, 7, "*"), -ERR_UNAVAILABLE);
            assert_int_equal(hear(1, 2, 7, A, NULL), 0);
        }
        assert_int_equal(admit(0, A, 7, "*"), 0);
        assert_int_equal(end(state), 0);
        assert_int_equal(make(state), 0);
    }
}

static void a_lease_only_grows(void **state)
{
    (void)state;
    fence_renew(w.f, w.now_us, SECONDS(30));
    fence_renew(w.f, w.now_us - SECONDS(3), SECONDS(30));
    assert_int_equal(fence_lease_end_us(w.f), w.now_us + SECONDS(30));
}

static void a_lease_lets_nobody_in_by_another_epochs_permits(void **state)
{
    (void)state;
    fence_renew(w.f, w.now_us, SECONDS(30));
    assert_int_equal(hear(2, 1, 7, A, NULL), 0);
    assert_int_equal(admit(0, A, 7, "*"), 0);
    w.now_us += SECONDS(10);
    fence_relinked(w.f); /* to one who is no more sure that it leads, and has taken a greater term */
    fence_renew(w.f, w.now_us - SECONDS(30), SECONDS(30));
    assert_int_equal(admit(1, A, 7, "*"), 0); /* it was not heard yet */
    assert_int_equal(hear(3, 1, 8, B, NULL), 0);
    assert_int_equal(admit(2, B, 8, "*"), -ERR_UNAVAILABLE);
    assert_false(fence_look(w.f)); /* what runs goes on */
    assert_int_equal(fence_lease_end_us(w.f), SECONDS(130));
    assert_int_equal(orphans_of("*"), 2);

    fence_renew(w.f, w.now_us - SECONDS(29), SECONDS(30)); /* sure until a second from now */
    assert_int_equal(admit(2, B, 8, "*"), 0);
    w.now_us += SECONDS(1);
    assert_int_equal(admit(3, B, 8, "*"), -ERR_UNAVAILABLE);
    assert_int_equal(fence_lease_end_us(w.f), SECONDS(130));

    fence_relinked(w.f); /* back to the one who leads */
    fence_renew(w.f, w.now_us, SECONDS(30));
    assert_int_equal(admit(3, B, 8, "*"), -ERR_UNAVAILABLE); /* what is in force is not its word yet */
    assert_int_equal(hear(4, 1, 9, A, NULL), 0);
    assert_int_equal(admit(3, A, 9, "*"), 0);
    assert_int_equal(fence_lease_end_us(w.f), w.now_us + SECONDS(30));
}

static void leaders_of_one_epoch_follow_one_another(void **state)
{
    (void)state;
    fence_renew(w.f, w.now_us, SECONDS(30));
    assert_int_equal(hear(2, 1, 7, A, NULL), 0);
    w.now_us += SECONDS(10);
    fence_relinked(w.f); /* to one that has just begun to lead, and has yet to ask whether its Redis may be trusted */
    fence_renew(w.f, w.now_us - SECONDS(30), SECONDS(30));
    assert_int_equal(hear(3, 1, 7, A, NULL), 0);
    assert_int_equal(admit(0, A, 7, "*"), 0);
    fence_renew(w.f, w.now_us, SECONDS(30));
    w.now_us += SECONDS(30) - 1;
    assert_int_equal(admit(1, A, 7, "*"), 0);
    w.now_us += 1;
    assert_int_equal(admit(2, A, 7, "*"), -ERR_UNAVAILABLE);
}

static void a_controller_of_before_fences_nobody(void **state)
{
    (void)state;
    fence_set_absent(w.f);
    assert_int_equal(admit(0, A, 7, "*"), 0);
    w.now_us += MINUTES(60);
    assert_false(fence_look(w.f));
    assert_int_equal(admit(1, B, 3, "*"), 0);
    assert_int_equal(hear(1, 1, 7, A, NULL), 0); /* it has been replaced */
    assert_int_equal(orphans_of("*"), 2);
    fence_renew(w.f, w.now_us, SECONDS(30));
    fence_set_absent(w.f); /* and back */
    w.now_us += MINUTES(60);
    assert_false(fence_look(w.f));
    assert_int_equal(admit(2, A, 7, "*"), 0);
}

static void a_gateway_of_before_runs_on_nobodys_lease(void **state)
{
    (void)state;
    assert_int_equal(admit(0, "", 0, ""), 0); /* also where no controller was heard */
    assert_int_equal(orphans_of("*"), 1);
    assert_int_equal(hear(1, 1, 7, A, NULL), 0);
    assert_int_equal(admit(1, "", 0, ""), 0);
    assert_int_equal(orphans_of("*"), 2);
    fence_over(w.f, &w.runs[0]);
    fence_over(w.f, &w.runs[1]);
    assert_int_equal(orphans_of("*"), 0);
    assert_int_equal(w.changes, 4);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(runs_are_counted_for_their_gateway),
        T(nobody_is_let_in_who_was_not_heard_of),
        T(a_new_epoch_makes_orphans_of_all),
        T(a_gateway_that_is_given_up_leaves_orphans),
        T(what_is_older_is_not_believed),
        T(an_earlier_life_has_heard_it_already),
        T(a_lease_that_is_over_lets_nobody_in),
        T(after_a_lapse_it_takes_a_lease_and_news),
        T(a_lease_only_grows),
        T(a_lease_lets_nobody_in_by_another_epochs_permits),
        T(leaders_of_one_epoch_follow_one_another),
        T(a_controller_of_before_fences_nobody),
        T(a_gateway_of_before_runs_on_nobodys_lease),
    };

    return cmocka_run_group_tests_name("fence", tests, NULL, NULL);
}
