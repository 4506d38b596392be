/* SPDX-License-Identifier: Apache-2.0 */
/* Permits that are recalled, moved, given up as they end, void. */
#include "gateway/leases_fixture.h"

static void a_draining_pool_gives_up_what_ends(void **state)
{
    struct lease_recall recall = {ME, STR("*"), true};
    struct fixture f;
    struct lease_question told[1];
    struct lease_pool *pool;
    struct permit p, q;
    struct waiter w;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 3);
    take(&f, pool, &p);
    take(&f, pool, &q);
    assert_int_equal(leases_recall(f.l, str_of(f.incarnation), EPOCH, &recall, 1, NULL, 0, f.now_us,
                                   told, NULL),
                     1);
    assert_int_equal(told[0].held, 2);
    wait_for(pool, &w, STR("f"));
    permit_return(&p); /* it does not go to who waits */
    turn(&f);
    assert_int_equal(w.told, 0);
    expect_asked(&f, 2, 1, 2, 2);
    answer(&f, answer_to(&f, 0, 1)); /* granted anew: it drains no more */
    assert_true(permit_is_held(&w.permit));
    permit_return(&q);
    take(&f, pool, &q);
    assert_int_equal(f.asks, 2);
    permit_return(&q);
    permit_return(&w.permit);
    end(&f, pool);
}

static void what_a_node_refuses_is_not_sent_on_while_the_pool_drains(void **state)
{
    const struct lease_recall drain = {ME, STR("*"), true};
    struct fixture f;
    struct lease_question told[1];
    struct lease_pool *pool;
    struct permit p, q;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 2);
    take(&f, pool, &p);
    take(&f, pool, &q);
    permit_refused(&q);
    assert_true(permit_is_held(&q) && !q.is_sent); /* for the next node */
    q.is_sent = true;
    leases_recall(f.l, str_of(f.incarnation), EPOCH, &drain, 1, NULL, 0, f.now_us, told, NULL);
    assert_int_equal(told[0].held, 2);
    permit_refused(&q);
    assert_false(permit_is_held(&q));
    turn(&f);
    expect_asked(&f, 2, 1, 1, 1);
    permit_return(&p);
    end(&f, pool);
}

static void a_lower_limit_takes_back_what_is_not_sent_yet(void **state)
{
    const struct lease_recall drain = {ME, STR("*"), true}, others = {ME, STR("*"), false};
    struct fixture f;
    struct lease_question told[1];
    struct lease_pool *pool;
    struct permit p, q;
    struct waiter w;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 2);
    take(&f, pool, &p);
    take(&f, pool, &q);
    q.is_sent = false;
    wait_for(pool, &w, STR("f"));
    permit_return(&p); /* its waiter has got it, but does not know */
    leases_recall(f.l, str_of(f.incarnation), EPOCH, &others, 1, NULL, 0, f.now_us, told, NULL);
    assert_int_equal(told[0].held, 2);
    leases_recall(f.l, str_of(f.incarnation), EPOCH, &drain, 1, NULL, 0, f.now_us, told, NULL);
    assert_int_equal(told[0].held, 0);
    turn(&f);
    assert_int_equal(w.told, 1);
    assert_false(permit_is_held(&w.permit) || permit_is_held(&q));
    permit_return(&q);
    end(&f, pool);
}

static void an_answer_may_tell_to_drain(void **state)
{
    struct fixture f;
    struct lease_answer drain;
    struct lease_pool *pool;
    struct permit p;
    struct waiter w;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 1);
    take(&f, pool, &p);
    wait_for(pool, &w, STR("f"));
    turn(&f);
    drain = answer_to(&f, 0, 0);
    drain.drain = drain.dry = true;
    answer(&f, drain);
    permit_return(&p);
    turn(&f);
    expect_asked(&f, 3, 0, 0, 0); /* said at once */
    end(&f, pool);
}

static void what_runs_of_a_function_that_is_reserved_now_moves(void **state)
{
    const struct lease_recall recall = {ME, STR("*"), false};
    const struct lease_move move = {ME, STR("f")};
    struct fixture f;
    struct lease_question told[3];
    struct lease_pool *pool;
    struct permit p = {0}, q = {0}, other = {0};

    (void)state;
    begin(&f);
    pool = pool_with(&f, 4);
    take(&f, pool, &p);
    take(&f, pool, &q);
    assert_int_equal(lease_take(pool, STR("g"), f.now_us, &other), 0);
    assert_int_equal(leases_recall(f.l, str_of(f.incarnation), EPOCH, &recall, 1, &move, 1,
                                   f.now_us, told, NULL),
                     2);
    assert_true(str_is(told[0].pool, "*") && str_is(told[1].pool, "f"));
    assert_int_equal(told[0].held, 1);
    assert_false(told[0].moved);
    assert_int_equal(told[1].held, 2);
    assert_true(told[1].moved);
    assert_true(str_is(lease_pool_name(p.pool), "f"));
    assert_true(str_is(lease_pool_name(other.pool), "*"));
    permit_return(&p); /* given up: the function may run fewer now */
    turn(&f);
    assert_true(str_is(f.asked[0].pool, "f"));
    expect_asked(&f, 2, 1, 1, 1);
    assert_true(f.asked[0].moved); /* the statement may have been lost */
    answer(&f, answer_to(&f, 0, 0));
    permit_return(&q);
    turn(&f);
    expect_asked(&f, 3, 0, 0, 0);
    assert_false(f.asked[0].moved);
    permit_return(&other);
    end(&f, pool);
}

static void a_recall_of_another_epoch_or_incarnation_is_refused(void **state)
{
    const struct lease_recall recall = {ME, STR("*"), false};
    struct fixture f;
    struct lease_question told[1];
    struct lease_pool *pool;
    struct error err;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 2);
    assert_int_equal(leases_recall(f.l, str_of(f.incarnation), EPOCH + 1, &recall, 1, NULL, 0,
                                   f.now_us, told, &err),
                     -ERR_STALE);
    assert_int_equal(
        leases_recall(f.l, STR("gw.x"), EPOCH, &recall, 1, NULL, 0, f.now_us, told, &err),
        -ERR_STALE);
    expect_described(&f, "[" POOL("2", "0", "0") "]");
    end(&f, pool);
}

static void an_epoch_that_is_over_makes_all_void(void **state)
{
    struct fixture f;
    struct lease_pool *pool;
    struct permit p, lost = {0};
    struct waiter w;
    char before[LEASE_INCARNATION_MAX];

    (void)state;
    begin(&f);
    pool = pool_with(&f, 3);
    take(&f, pool, &p);
    permit_pass(&p, &lost, STR("f"));
    assert_false(permit_is_held(&p));
    assert_true(permit_is_held(&lost));
    take(&f, pool, &p);
    snprintf(before, sizeof(before), "%s", f.incarnation);
    leases_fenced(f.l, EPOCH - 1, f.now_us); /* known already */
    assert_true(permit_is_held(&p));
    leases_fenced(f.l, EPOCH, f.now_us);
    assert_false(permit_is_held(&p) || permit_is_held(&lost));
    permit_return(&p);
    permit_return(&lost);
    assert_int_equal(leases_epoch(f.l), 0);
    wait_for(pool, &w, STR("f"));
    turn(&f);
    assert_int_equal(f.joins, 2); /* at once, as somebody new */
    assert_string_not_equal(f.incarnation, before);
    assert_int_equal(f.asks, 1);
    join(&f, EPOCH + 1);
    expect_asked(&f, 2, 0, 2, 1);
    assert_int_equal(f.ask_epoch, EPOCH + 1);
    answer(&f, answer_to(&f, 0, 1));
    assert_true(permit_is_held(&w.permit));
    /* once more: not at once */
    leases_fenced(f.l, EPOCH + 1, f.now_us);
    turn(&f);
    assert_int_equal(f.joins, 2);
    pass(&f, LEASE_JOIN_RETRY_US);
    assert_int_equal(f.joins, 3);
    end(&f, pool);
}

static void a_gateway_that_was_given_up_begins_anew(void **state)
{
    struct error stale = {.code = ERR_STALE, .msg = "given up"};
    struct fixture f;
    struct lease_pool *pool;
    struct lease_answer late;
    struct permit p;
    struct waiter w;
    uint64_t number;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 1);
    take(&f, pool, &p);
    wait_for(pool, &w, STR("f"));
    turn(&f);
    number = f.ask_number;
    late = answer_to(&f, 0, 5);
    leases_failed(f.l, number, &stale, f.now_us);
    assert_false(permit_is_held(&p));
    turn(&f);
    assert_int_equal(f.joins, 2);
    /* the join is refused too: yet another one, after a pause */
    leases_joined(f.l, f.join_number, 0, &stale, f.now_us);
    turn(&f);
    pass(&f, LEASE_JOIN_RETRY_US);
    assert_int_equal(f.joins, 3);
    leases_answered(f.l, number, &late, 1, f.now_us);
    leases_failed(f.l, number, &stale, f.now_us); /* about what is over */
    turn(&f);
    assert_int_equal(w.told, 0);
    join(&f, EPOCH);
    expect_asked(&f, 3, 0, 2, 1);
    permit_wait_cancel(&w.wait);
    end(&f, pool);
}

static void a_lost_link_costs_nothing_that_is_held(void **state)
{
    struct error closed = {.code = ERR_CLOSED, .msg = "lost"};
    struct error busy = {.code = ERR_UNAVAILABLE, .msg = "recovering"};
    char before[LEASE_INCARNATION_MAX];
    struct fixture f;
    struct lease_pool *pool;
    struct permit p, q;
    struct waiter w;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 2);
    take(&f, pool, &p);
    leases_link(f.l, false);
    turn(&f);
    assert_string_equal(leases_why(f.l),
                        "the controller cannot be reached; is hearth-controller running?");
    take(&f, pool, &q);
    wait_for(pool, &w, STR("f"));
    pass(&f, SECONDS(3));
    assert_int_equal(f.asks, 1);
    snprintf(before, sizeof(before), "%s", f.incarnation);
    leases_link(f.l, true);
    turn(&f);
    leases_joined(f.l, f.join_number, 0, &closed, f.now_us);
    pass(&f, LEASE_JOIN_RETRY_US);
    leases_joined(f.l, f.join_number, 0, &busy, f.now_us);
    assert_string_equal(leases_why(f.l), "recovering");
    pass(&f, LEASE_JOIN_RETRY_US);
    assert_int_equal(f.joins, 4);
    assert_string_equal(f.incarnation, before); /* the same one */
    join(&f, EPOCH);
    assert_true(permit_is_held(&p) && permit_is_held(&q));
    expect_asked(&f, 2, 2, 4, 3);
    answer(&f, answer_to(&f, 0, 1));
    /* joined into another epoch: nothing of that is left */
    leases_link(f.l, false);
    leases_link(f.l, true);
    turn(&f);
    join(&f, EPOCH + 1);
    assert_string_equal(f.incarnation, before);
    assert_false(permit_is_held(&p) || permit_is_held(&w.permit));
    assert_int_equal(leases_epoch(f.l), EPOCH + 1);
    end(&f, pool);
}

/* Two lead for a while, and each join leads to the other one. What runs by the first one's leases still does. */
static void a_gateway_comes_back_to_an_older_epoch_as_somebody_new(void **state)
{
    char before[LEASE_INCARNATION_MAX];
    struct fixture f;
    struct lease_pool *pool;
    struct permit p;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 1);
    take(&f, pool, &p);
    snprintf(before, sizeof(before), "%s", f.incarnation);
    leases_link(f.l, false);
    leases_link(f.l, true);
    turn(&f);
    join(&f, EPOCH + 1);
    assert_string_equal(f.incarnation, before);
    leases_link(f.l, false);
    leases_link(f.l, true);
    turn(&f);
    join(&f, EPOCH);
    assert_string_not_equal(f.incarnation, before); /* this one joins, the one before is given up */
    assert_int_equal(leases_epoch(f.l), 0);
    assert_int_equal(f.joins, 4);
    join(&f, EPOCH);
    assert_int_equal(leases_epoch(f.l), EPOCH);
    assert_int_equal(f.joins, 4);
    end(&f, pool);
}

static void what_was_said_last_is_said_again_after_a_lost_link(void **state)
{
    const struct lease_recall recall = {ME, STR("*"), false};
    struct fixture f;
    struct lease_question told[1];
    struct lease_pool *pool;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 2);
    leases_recall(f.l, str_of(f.incarnation), EPOCH, &recall, 1, NULL, 0, f.now_us, told, NULL);
    turn(&f);
    assert_int_equal(f.asks, 1);
    leases_link(f.l, false); /* and with it the answer */
    leases_link(f.l, true);
    turn(&f);
    join(&f, EPOCH);
    expect_asked(&f, 2, 0, 0, 0);
    end(&f, pool);
}

static void a_gateway_that_stops_gives_back(void **state)
{
    struct fixture f;
    struct lease_pool *pool;
    struct permit p;

    (void)state;
    begin(&f);
    pool = pool_with(&f, 3);
    take(&f, pool, &p);
    leases_stop(f.l);
    turn(&f);
    expect_asked(&f, 2, 1, 1, 1);
    answer(&f, answer_to(&f, 0, 0));
    permit_return(&p);
    turn(&f);
    expect_asked(&f, 3, 0, 0, 0);
    end(&f, pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draining_pool_gives_up_what_ends),
        cmocka_unit_test(what_a_node_refuses_is_not_sent_on_while_the_pool_drains),
        cmocka_unit_test(a_lower_limit_takes_back_what_is_not_sent_yet),
        cmocka_unit_test(an_answer_may_tell_to_drain),
        cmocka_unit_test(what_runs_of_a_function_that_is_reserved_now_moves),
        cmocka_unit_test(a_recall_of_another_epoch_or_incarnation_is_refused),
        cmocka_unit_test(an_epoch_that_is_over_makes_all_void),
        cmocka_unit_test(a_gateway_that_was_given_up_begins_anew),
        cmocka_unit_test(a_lost_link_costs_nothing_that_is_held),
        cmocka_unit_test(a_gateway_comes_back_to_an_older_epoch_as_somebody_new),
        cmocka_unit_test(what_was_said_last_is_said_again_after_a_lost_link),
        cmocka_unit_test(a_gateway_that_stops_gives_back),
    };

    return cmocka_run_group_tests_name("leases_void", tests, NULL, NULL);
}
