/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_fixture.h - what the tests of controller/store share: a Redis of their own, a loop, and
 * waiting for answers.
 *
 * Owns:    all of it; store_open() and store_close() stand around each test.
 * Threads: one. Included by tests only, once in a program.
 */
#ifndef HEARTH_CONTROLLER_STORE_FIXTURE_H
#define HEARTH_CONTROLLER_STORE_FIXTURE_H

#include "common/io/redis.h"
#include "controller/redis_fixture.h"

#define WAIT_US SECONDS(20)
#define ACCOUNT "000000000000"

static struct {
    struct redis_fixture server;
    struct loop *loop;
    struct redis *redis;
    unsigned count; /* answers that came */
    enum error_code code; /* of the last one */
    bool late;
} store;

/* What connects to the server. */
static inline struct redis_options store_options(void)
{
    return (struct redis_options){.url = store.server.url,
                                  .command_timeout_us = SECONDS(10),
                                  .patience_us = SECONDS(10)};
}

/* 0, or -1 when the server did not come up; without one there is nothing to do. */
static inline int store_open(void)
{
    struct redis_options options;

    if (!fixture_is_possible())
        return 0;
    if (!fixture_new(&store.server) || !fixture_start(&store.server))
        return -1;
    store.count = 0;
    options = store_options();
    store.loop = loop_new();
    return redis_new(store.loop, &options, &store.redis, NULL) < 0 ? -1 : 0;
}

static inline void store_close(void)
{
    if (!fixture_is_possible())
        return;
    redis_free(TAKE(store.redis));
    loop_free(TAKE(store.loop));
    fixture_done(&store.server);
}

/* Of each callback. */
static inline void store_answered(const struct error *err)
{
    store.count++;
    store.code = err ? err->code : ERR_OK;
    loop_stop(store.loop);
}

static inline void store_on_late(void *arg)
{
    (void)arg;
    store.late = true;
    loop_stop(store.loop);
}

/* Until store.count is @least. */
static inline void store_wait(unsigned least)
{
    struct timer guard;

    store.late = false;
    timer_init(&guard, store.loop, store_on_late, NULL);
    timer_start(&guard, WAIT_US);
    while (store.count < least && !store.late)
        loop_run(store.loop);
    timer_stop(&guard);
    assert_false(store.late);
}

#endif
