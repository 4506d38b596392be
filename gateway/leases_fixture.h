/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leases_fixture.h - for tests: leases in virtual time, joined to a leader that says nothing by itself: each test
 * gives the answers.
 *
 * Threads: one.
 */
#ifndef HEARTH_GATEWAY_LEASES_FIXTURE_H
#define HEARTH_GATEWAY_LEASES_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/leases.h"

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

static inline void on_wake(void *arg)
{
    ((struct fixture *)arg)->woken = true;
}

static inline void on_join(const char *incarnation, uint64_t number, void *arg)
{
    struct fixture *f = arg;

    f->joins++;
    f->join_number = number;
    snprintf(f->incarnation, sizeof(f->incarnation), "%s", incarnation);
}

static inline void on_ask(const char *incarnation, uint64_t epoch, uint64_t number,
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
static inline void turn(struct fixture *f)
{
    do {
        f->woken = false;
        f->next_us = leases_turn(f->l, f->now_us);
    } while (f->woken);
}

static inline void pass(struct fixture *f, uint64_t us)
{
    f->now_us += us;
    turn(f);
}

static inline void join(struct fixture *f, uint64_t epoch)
{
    leases_joined(f->l, f->join_number, epoch, NULL, f->now_us);
    turn(f);
}

static inline void begin(struct fixture *f)
{
    *f = (struct fixture){.now_us = SECONDS(100)};
    f->l = leases_new("gw", &ops, f);
    leases_link(f->l, true);
    turn(f);
    join(f, EPOCH);
}

static inline struct lease_answer answer_to(const struct fixture *f, size_t which, uint64_t more)
{
    const struct lease_question *q = &f->asked[which];

    return (struct lease_answer){
        .account = q->account, .pool = q->pool, .seq = q->seq, .more = more};
}

static inline void answer(struct fixture *f, struct lease_answer a)
{
    leases_answered(f->l, f->ask_number, &a, 1, f->now_us);
    turn(f);
}

static inline void expect_asked(const struct fixture *f, int asks, uint64_t held, uint64_t want,
                         uint64_t need)
{
    assert_int_equal(f->asks, asks);
    assert_int_equal(f->asked[0].held, held);
    assert_int_equal(f->asked[0].want, want);
    assert_int_equal(f->asked[0].need, need);
}

static inline void expect_described(const struct fixture *f, const char *want)
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

static inline void on_told(struct permit_wait *w)
{
    CONTAINER_OF(w, struct waiter, wait)->told++;
}

static inline void wait_for(struct lease_pool *pool, struct waiter *w, struct str function)
{
    *w = (struct waiter){.wait = {.fn = on_told, .function = function}};
    w->wait.permit = &w->permit;
    list_init(&w->wait.node);
    lease_wait(pool, &w->wait);
}

/* A pool with @n permits, all idle. */
static inline struct lease_pool *pool_with(struct fixture *f, uint64_t n)
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

static inline void end(struct fixture *f, struct lease_pool *pool)
{
    lease_pool_unref(pool);
    leases_free(f->l);
}

static inline void take(struct fixture *f, struct lease_pool *pool, struct permit *permit)
{
    *permit = (struct permit){0};
    assert_int_equal(lease_take(pool, STR("f"), f->now_us, permit), 0);
    permit->is_sent = true;
}

#endif
