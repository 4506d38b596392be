/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/leases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ME STR("000000000000")
#define EPOCH 7

struct waiter {
    struct permit permit;
    struct permit_wait wait;
    int told;
};

struct fixture {
    struct leases *l;
    uint64_t now_us, next_us;
    bool woken;
    int joins;
    char incarnation[LEASE_INCARNATION_MAX];
    uint64_t join_number;
    int asks;
    uint64_t ask_number, ask_epoch;
    struct lease_question asked[LEASE_BATCH_MAX];
    size_t asked_len;
};

static void on_wake(void *arg)
{
    ((struct fixture *)arg)->woken = true;
}

static void on_join(const char *incarnation, uint64_t number, void *arg)
{
    struct fixture *f = arg;

    f->joins++;
    f->join_number = number;
    snprintf(f->incarnation, sizeof(f->incarnation), "%s", incarnation);
}

static void on_ask(const char *incarnation, uint64_t epoch, uint64_t number,
                   const struct lease_question *questions, size_t len, void *arg)
{
    struct fixture *f = arg;

    assert_string_equal(incarnation, f->incarnation);
    assert_in_range(len, 1, LEASE_BATCH_MAX);
    f->asks++;
    f->ask_epoch = epoch;
    f->ask_number = number;
    memcpy(f->asked, questions, len * sizeof(*questions));
    f->asked_len = len;
}

static const struct leases_ops ops = {on_wake, on_join, on_ask};

/* Turns until nothing wants another one. */
static void turn(struct fixture *f)
{
    do {
        f->woken = false;
        f->next_us = leases_turn(f->l, f->now_us);
    } while (f->woken);
}

static void pass(struct fixture *f, uint64_t us)
{
    f->now_us += us;
    turn(f);
}

static void join(struct fixture *f, uint64_t epoch)
{
    leases_joined(f->l, f->join_number, epoch, NULL, f->now_us);
    turn(f);
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.now_us = SECONDS(100)};
    f->l = leases_new("gw", &ops, f);
    leases_link(f->l, true);
    turn(f);
    join(f, EPOCH);
}

static struct lease_answer answer_to(const struct fixture *f, size_t which, uint64_t more)
{
    const struct lease_question *q = &f->asked[which];

    return (struct lease_answer){
        .account = q->account, .pool = q->pool, .seq = q->seq, .more = more};
}

static void answer(struct fixture *f, struct lease_answer a)
{
    leases_answered(f->l, f->ask_number, &a, 1, f->now_us);
    turn(f);
}

static void expect_asked(const struct fixture *f, int asks, uint64_t held, uint64_t want,
                         uint64_t need)
{
    assert_int_equal(f->asks, asks);
    assert_int_equal(f->asked[0].held, held);
    assert_int_equal(f->asked[0].want, want);
    assert_int_equal(f->asked[0].need, need);
}

static void expect_described(const struct fixture *f, const char *want)
{
    struct buf b = BUF_INIT(4096);

    leases_describe(f->l, &b);
    buf_append_char(&b, '\0');
    assert_string_equal(b.ptr, want);
    buf_done(&b);
}

#define POOL(held, used, waiting)                                                                  \
    "{\"account\":\"000000000000\",\"pool\":\"*\",\"held\":" held ",\"used\":" used                \
    ",\"waiting\":" waiting "}"

static void on_told(struct permit_wait *w)
{
    CONTAINER_OF(w, struct waiter, wait)->told++;
}

static void wait_for(struct lease_pool *pool, struct waiter *w, struct str function)
{
    *w = (struct waiter){.wait = {.fn = on_told, .function = function}};
    w->wait.permit = &w->permit;
    list_init(&w->wait.node);
    lease_wait(pool, &w->wait);
}

/* A pool with @n permits, all idle. */
static struct lease_pool *pool_with(struct fixture *f, uint64_t n)
{
    struct lease_pool *pool = leases_pool(f->l, ME, STR("*"));
    struct waiter waiters[16];
    uint64_t i;

    for (i = 0; i < n; i++)
        wait_for(pool, &waiters[i], STR("f"));
    turn(f);
    answer(f, answer_to(f, 0, n));
    for (i = 0; i < n; i++) {
        assert_true(permit_is_held(&waiters[i].permit));
        permit_return(&waiters[i].permit);
    }
    turn(f);
    return pool;
}

static void end(struct fixture *f, struct lease_pool *pool)
{
    lease_pool_unref(pool);
    leases_free(f->l);
}

static void take(struct fixture *f, struct lease_pool *pool, struct permit *permit)
{
    *permit = (struct permit){0};
    assert_int_equal(lease_take(pool, STR("f"), f->now_us, permit), 0);
    permit->is_sent = true;
}

/* ---- tests ---- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_finds_none_waits_for_the_answer),
        cmocka_unit_test(a_freed_permit_goes_to_who_waits),
        cmocka_unit_test(a_dry_pool_refuses_at_once_for_a_while),
        cmocka_unit_test(a_late_word_that_there_are_none_is_for_those_alone_who_asked),
        cmocka_unit_test(only_the_newest_question_is_answered),
        cmocka_unit_test(a_question_that_failed_is_asked_again_with_growing_pauses),
        cmocka_unit_test(a_pool_that_the_answer_leaves_out_is_asked_about_again),
        cmocka_unit_test(what_nobody_used_for_a_while_goes_back),
        cmocka_unit_test(a_draining_pool_gives_up_what_ends),
        cmocka_unit_test(what_a_node_refuses_is_not_sent_on_while_the_pool_drains),
        cmocka_unit_test(a_lower_limit_takes_back_what_is_not_sent_yet),
        cmocka_unit_test(an_answer_may_tell_to_drain),
        cmocka_unit_test(what_runs_of_a_function_that_is_reserved_now_moves),
        cmocka_unit_test(a_recall_of_another_epoch_or_incarnation_is_refused),
        cmocka_unit_test(an_epoch_that_is_over_makes_all_void),
        cmocka_unit_test(a_gateway_that_was_given_up_begins_anew),
        cmocka_unit_test(a_lost_link_costs_nothing_that_is_held),
        cmocka_unit_test(what_was_said_last_is_said_again_after_a_lost_link),
        cmocka_unit_test(a_gateway_that_stops_gives_back),
        cmocka_unit_test(who_has_left_does_not_ask),
        cmocka_unit_test(a_question_is_cut_to_what_one_may_hold),
        cmocka_unit_test(the_most_that_were_in_use_are_told_once),
    };

    return cmocka_run_group_tests_name("leases", tests, NULL, NULL);
}
