/* SPDX-License-Identifier: Apache-2.0 */
/* Permits that are held, asked for, waited for, given back. */
#include "gateway/leases_fixture.h"

static void who_finds_none_waits_for_the_answer(void **state)
{
    struct fixture f;
    struct lease_pool *pool;
    struct waiter w, v;
    struct permit p;

    (void)state;
    begin(&f);
    pool = leases_pool(f.l, ME, STR("*"));
    assert_int_equal(lease_take(pool, STR("f"), f.now_us, &p), -ERR_NOT_READY);
    wait_for(pool, &w, STR("f"));
    wait_for(pool, &v, STR("g"));
    assert_int_equal(f.asks, 0); /* not inside the call */
    turn(&f);
    expect_asked(&f, 1, 0, 3, 2); /* both, and one to spare, in one question */
    assert_int_equal(f.ask_epoch, EPOCH);
    assert_int_equal(w.told, 0);
    answer(&f, answer_to(&f, 0, 3));
    assert_int_equal(w.told, 1);
    assert_int_equal(v.told, 1);
    assert_true(permit_is_held(&w.permit) && permit_is_held(&v.permit));
    take(&f, pool, &p); /* the spare one */
    expect_described(&f, "[" POOL("3", "3", "0") "]");
    permit_return(&w.permit);
    permit_return(&w.permit); /* harmless */
    take(&f, pool, &w.permit);
    assert_int_equal(f.asks, 1);
    end(&f, pool);
}

static void a_freed_permit_goes_to_who_waits(void **state)
{
    struct fixture f;
    struct lease_pool *pool;
    struct permit p;
    struct waiter w, left;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 1);
    take(&f, pool, &p);
    wait_for(pool, &left, STR("f"));
    wait_for(pool, &w, STR("f"));
    permit_wait_cancel(&left.wait);
    permit_return(&p);
    turn(&f);
    assert_int_equal(w.told, 1);
    assert_true(permit_is_held(&w.permit));
    assert_int_equal(left.told, 0);
    assert_int_equal(f.asks, 1); /* nobody waits any more */
    permit_wait_cancel(&w.wait);
    permit_return(&w.permit);
    end(&f, pool);
}

static void a_dry_pool_refuses_at_once_for_a_while(void **state)
{
    struct fixture f;
    struct lease_answer dry;
    struct lease_pool *pool;
    struct permit p = {0}, q = {0};
    struct waiter w;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 1);
    take(&f, pool, &p);
    wait_for(pool, &w, STR("f"));
    turn(&f);
    expect_asked(&f, 2, 1, 3, 2);
    dry = answer_to(&f, 0, 0);
    dry.dry = true;
    answer(&f, dry);
    assert_int_equal(w.told, 1);
    assert_false(permit_is_held(&w.permit));
    assert_int_equal(lease_take(pool, STR("f"), f.now_us, &q), -ERR_THROTTLED);
    pass(&f, LEASE_DRY_US - 1);
    assert_int_equal(lease_take(pool, STR("f"), f.now_us, &q), -ERR_THROTTLED);
    permit_return(&p); /* what it holds is used all the same */
    take(&f, pool, &q);
    pass(&f, 1);
    assert_int_equal(lease_take(pool, STR("f"), f.now_us, &p), -ERR_NOT_READY);
    permit_return(&q);
    end(&f, pool);
}

static void a_late_word_that_there_are_none_is_for_those_alone_who_asked(void **state)
{
    struct fixture f;
    struct lease_answer dry;
    struct lease_pool *pool;
    struct waiter w, late;
    struct permit p;

    (void)state;
    begin(&f);
    pool = leases_pool(f.l, ME, STR("*"));
    wait_for(pool, &w, STR("f"));
    turn(&f);
    wait_for(pool, &late, STR("f"));
    f.now_us += LEASE_DRY_US;
    dry = answer_to(&f, 0, 0);
    dry.dry = true;
    answer(&f, dry);
    assert_int_equal(w.told, 1);
    assert_int_equal(late.told, 0);
    expect_asked(&f, 2, 0, 2, 1);
    assert_int_equal(lease_take(pool, STR("f"), f.now_us, &p), -ERR_NOT_READY);
    wait_for(pool, &w, STR("f"));
    dry = answer_to(&f, 0, 0);
    dry.dry = true;
    answer(&f, dry); /* a fresh one is for all */
    assert_int_equal(w.told, 1);
    assert_int_equal(late.told, 1);
    end(&f, pool);
}

static void only_the_newest_question_is_answered(void **state)
{
    struct fixture f;
    struct lease_answer old;
    struct lease_pool *pool;
    struct lease_question told[1];
    struct waiter w;
    struct lease_recall recall = {ME, STR("*"), false};
    uint64_t number;

    (void)state;
    begin(&f);
    pool = leases_pool(f.l, ME, STR("*"));
    wait_for(pool, &w, STR("f"));
    turn(&f);
    old = answer_to(&f, 0, 2);
    number = f.ask_number;
    /* a recall in between makes it void */
    assert_int_equal(leases_recall(f.l, str_of(f.incarnation), EPOCH, &recall, 1, NULL, 0, f.now_us,
                                   told, NULL),
                     1);
    assert_int_equal(told[0].held, 0);
    assert_int_equal(told[0].want, 0);
    assert_true(told[0].seq > old.seq);
    leases_answered(f.l, number, &old, 1, f.now_us);
    turn(&f);
    assert_int_equal(w.told, 0);
    expect_asked(&f, 2, 0, 1, 1); /* anew, and nothing to spare: others want them too */
    assert_true(f.asked[0].seq > told[0].seq);
    answer(&f, answer_to(&f, 0, 1));
    assert_int_equal(w.told, 1);
    answer(&f, answer_to(&f, 0, 1)); /* twice */
    leases_answered(f.l, number, &old, 1, f.now_us);
    expect_described(&f, "[" POOL("1", "1", "0") "]");
    permit_return(&w.permit);
    end(&f, pool);
}

static void a_question_that_failed_is_asked_again_with_growing_pauses(void **state)
{
    struct error err = {.code = ERR_UNAVAILABLE, .msg = "recovering"};
    uint64_t pause_us = LEASE_RETRY_MIN_US;
    struct fixture f;
    struct lease_pool *pool;
    struct waiter w;
    int i;

    (void)state;
    begin(&f);
    pool = leases_pool(f.l, ME, STR("*"));
    wait_for(pool, &w, STR("f"));
    turn(&f);
    for (i = 1; i < 9; i++) {
        assert_int_equal(f.asks, i);
        leases_failed(f.l, f.ask_number, &err, f.now_us);
        turn(&f);
        assert_string_equal(leases_why(f.l), "recovering");
        assert_int_equal(f.next_us, f.now_us + pause_us);
        pass(&f, pause_us - 1);
        assert_int_equal(f.asks, i);
        pass(&f, 1);
        pause_us = pause_us < LEASE_RETRY_MAX_US / 2 ? pause_us * 2 : LEASE_RETRY_MAX_US;
    }
    /* nobody waits any more, but the ledger may have granted what was asked: it is given back */
    permit_wait_cancel(&w.wait);
    leases_failed(f.l, f.ask_number, &err, f.now_us);
    pass(&f, LEASE_RETRY_MAX_US);
    expect_asked(&f, 10, 0, 0, 0);
    answer(&f, answer_to(&f, 0, 0));
    pass(&f, SECONDS(5));
    assert_int_equal(f.asks, 10);
    end(&f, pool);
}

static void a_pool_that_the_answer_leaves_out_is_asked_about_again(void **state)
{
    struct fixture f;
    struct lease_pool *pool;
    struct waiter w;

    (void)state;
    begin(&f);
    pool = leases_pool(f.l, ME, STR("*"));
    wait_for(pool, &w, STR("f"));
    turn(&f);
    leases_answered(f.l, f.ask_number, NULL, 0, f.now_us);
    pass(&f, LEASE_RETRY_MIN_US);
    expect_asked(&f, 2, 0, 2, 1);
    permit_wait_cancel(&w.wait);
    end(&f, pool);
}

static void what_nobody_used_for_a_while_goes_back(void **state)
{
    struct fixture f;
    struct lease_pool *pool;
    struct permit p, q;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 5);
    pass(&f, LEASE_IDLE_US); /* from here on */
    take(&f, pool, &p);
    take(&f, pool, &q);
    permit_return(&p);
    permit_return(&q);
    assert_int_equal(f.asks, 1);
    pass(&f, LEASE_IDLE_US);
    expect_asked(&f, 2, 2, 2, 0); /* two have been in use at once */
    answer(&f, answer_to(&f, 0, 0));
    pass(&f, LEASE_IDLE_US);
    expect_asked(&f, 3, 0, 0, 0);
    answer(&f, answer_to(&f, 0, 0));
    lease_pool_unref(pool);
    pass(&f, LEASE_IDLE_US); /* and then the pool is forgotten */
    assert_int_equal(f.next_us, UINT64_MAX);
    assert_int_equal(f.asks, 3);
    end(&f, NULL);
}

static void who_has_left_does_not_ask(void **state)
{
    static struct waiter waiters[LEASE_BATCH_MAX + 5];
    static struct lease_pool *pools[LEASE_BATCH_MAX + 5];
    struct fixture f;
    char name[16];
    size_t i;

    (void)state;
    begin(&f);
    for (i = 0; i < ARRAY_LEN(pools); i++) {
        snprintf(name, sizeof(name), "f%zu", i);
        pools[i] = leases_pool(f.l, ME, str_of(name));
        wait_for(pools[i], &waiters[i], STR("f"));
    }
    for (i = 0; i < 10; i++)
        permit_wait_cancel(&waiters[i].wait); /* who has left does not ask */
    f.woken = false;
    leases_turn(f.l, f.now_us);
    assert_int_equal(f.asked_len, LEASE_BATCH_MAX - 5);
    assert_int_equal(f.asks, 1);
    for (i = 0; i < 10; i++)
        wait_for(pools[i], &waiters[i], STR("f"));
    turn(&f);
    assert_int_equal(f.asked_len, 10);
    for (i = 0; i < ARRAY_LEN(pools); i++) {
        permit_wait_cancel(&waiters[i].wait);
        lease_pool_unref(pools[i]);
    }
    end(&f, NULL);
}

static void a_question_is_cut_to_what_one_may_hold(void **state)
{
    static struct waiter waiters[LEASE_BATCH_MAX + 5];
    static struct lease_pool *pools[LEASE_BATCH_MAX + 5];
    struct fixture f;
    char name[16];
    size_t i;

    (void)state;
    begin(&f);
    for (i = 0; i < ARRAY_LEN(pools); i++) {
        snprintf(name, sizeof(name), "f%zu", i);
        pools[i] = leases_pool(f.l, ME, str_of(name));
        wait_for(pools[i], &waiters[i], STR("f"));
    }
    f.woken = false;
    leases_turn(f.l, f.now_us);
    assert_int_equal(f.asked_len, LEASE_BATCH_MAX);
    assert_true(f.woken);
    turn(&f);
    assert_int_equal(f.asked_len, 5);
    assert_int_equal(f.asks, 2);
    for (i = 0; i < ARRAY_LEN(pools); i++) {
        permit_wait_cancel(&waiters[i].wait);
        lease_pool_unref(pools[i]);
    }
    end(&f, NULL);
}

static void the_most_that_were_in_use_are_told_once(void **state)
{
    struct fixture f;
    struct lease_pool *pool;
    struct permit p, q;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 3);
    assert_int_equal(leases_peak(f.l, ME, STR("*")), 3);
    assert_int_equal(leases_peak(f.l, ME, STR("*")), 0);
    take(&f, pool, &p);
    take(&f, pool, &q);
    permit_return(&p);
    assert_int_equal(leases_peak(f.l, ME, STR("*")), 2);
    assert_int_equal(leases_peak(f.l, ME, STR("*")), 1); /* it runs on */
    permit_return(&q);
    assert_int_equal(leases_peak(f.l, ME, STR("*")), 1);
    assert_int_equal(leases_peak(f.l, ME, STR("*")), 0);
    assert_int_equal(leases_peak(f.l, ME, STR("none")), 0);
    end(&f, pool);
}

/* Nobody else can be granted it, and nobody here again. */
static void what_is_idle_is_kept_while_nobody_hears_of_it(void **state)
{
    struct fixture f;
    struct lease_pool *pool, *other;
    struct waiter w;
    struct error away;
    struct permit p;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 3);
    turn(&f);
    leases_link(f.l, false); /* the controller is away */
    pass(&f, LEASE_IDLE_US);
    pass(&f, 3 * LEASE_IDLE_US);
    expect_described(&f, "[" POOL("3", "0", "0") "]");
    take(&f, pool, &p);
    permit_return(&p);
    leases_link(f.l, true);
    turn(&f);
    join(&f, EPOCH);
    answer(&f, answer_to(&f, 0, 0));
    other = leases_pool(f.l, ME, STR("other"));
    wait_for(other, &w, STR("other")); /* now it is Redis that is away */
    turn(&f);
    error_set(&away, ERR_UNAVAILABLE, "not now");
    leases_failed(f.l, f.ask_number, &away, f.now_us);
    pass(&f, 2 * LEASE_IDLE_US);
    expect_described(&f, "[" POOL("3", "0", "0")
                         ",{\"account\":\"000000000000\",\"pool\":\"other\",\"held\":0,\"used\":0,\"waiting\":1}]");
    answer(&f, answer_to(&f, 0, 1));
    permit_return(&w.permit);
    pass(&f, LEASE_IDLE_US);
    pass(&f, LEASE_IDLE_US);
    expect_described(&f, "[]");
    lease_pool_unref(other);
    end(&f, pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_idle_is_kept_while_nobody_hears_of_it),
        cmocka_unit_test(who_finds_none_waits_for_the_answer),
        cmocka_unit_test(a_freed_permit_goes_to_who_waits),
        cmocka_unit_test(a_dry_pool_refuses_at_once_for_a_while),
        cmocka_unit_test(a_late_word_that_there_are_none_is_for_those_alone_who_asked),
        cmocka_unit_test(only_the_newest_question_is_answered),
        cmocka_unit_test(a_question_that_failed_is_asked_again_with_growing_pauses),
        cmocka_unit_test(a_pool_that_the_answer_leaves_out_is_asked_about_again),
        cmocka_unit_test(what_nobody_used_for_a_while_goes_back),
        cmocka_unit_test(who_has_left_does_not_ask),
        cmocka_unit_test(a_question_is_cut_to_what_one_may_hold),
        cmocka_unit_test(the_most_that_were_in_use_are_told_once),
    };

    return cmocka_run_group_tests_name("leases", tests, NULL, NULL);
}
