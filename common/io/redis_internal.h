/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_internal.h - what the files of the Redis client share: redis.c (commands, their answers and
 * deadlines), redis_conn.c (names, connecting, logging in, hiredis' hooks), redis_sentinel.c (where the
 * master is).
 *
 * A hiredis context may die inside any of its callbacks. So when a connection ends, its data
 * pointer is cleared first, and the callbacks that still come do nothing.
 *
 * Owns:    see struct redis.
 * Threads: loop thread only.
 */
#ifndef HEARTH_IO_REDIS_INTERNAL_H
#define HEARTH_IO_REDIS_INTERNAL_H

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "common/base/clock.h"
#include "common/io/redis.h"
#include "common/io/redis_url.h"

#define REDIS_BACKOFF_LEAST_US MSEC(50)
#define REDIS_BACKOFF_MOST_US SECONDS(2)
#define REDIS_BACKOFF_SENTINEL_US MSEC(500) /* the most with sentinels: who fails over is asked for it */

/*
 *   WAITING ──► RESOLVING ──► CONNECTING ──► UP       RESOLVING only for names
 *      ▲            │              │          │
 *      └────────────┴──────────────┴──────────┘       every failure waits
 *
 * CONNECTING lasts until the answer to the last of AUTH, SELECT, ROLE and PING is there: a server that
 * still loads its data, is a replica, or refuses our password, is not up. With sentinels RESOLVING and
 * CONNECTING come twice: for the sentinel that is asked (asks_sentinel), then for the master it names.
 */
enum redis_phase {
    REDIS_WAITING,
    REDIS_RESOLVING,
    REDIS_CONNECTING,
    REDIS_UP,
    REDIS_FREED,
};

enum redis_told { REDIS_TOLD_NOTHING, REDIS_TOLD_DOWN, REDIS_TOLD_UP };

struct redis_resolve;

struct redis {
    struct loop *loop;
    struct redis_address address;
    char *text; /* of what it connects to, for messages */
    char *host; /* the same over TCP, and @port: the address's, a sentinel's or the master's */
    uint16_t port;
    bool is_sentinel; /* redis_options */
    bool asks_sentinel;
    size_t sentinel; /* that is asked first, the next time */
    size_t asked; /* sentinels in this try */
    uint64_t command_timeout_us, patience_us;
    void (*on_state)(bool up, const struct error *why, void *arg);
    void *arg;

    enum redis_phase phase;
    enum redis_told told;
    enum error_code told_code; /* of the last reason told */
    struct error why; /* why it is not up */
    redisAsyncContext *ac; /* NULL unless CONNECTING or UP */
    struct redis_resolve *resolve; /* NULL unless RESOLVING */
    struct timer timer; /* back-off, or the end of CONNECTING */
    uint64_t backoff_us;
    unsigned attempt; /* picks among the addresses of a name */
    struct list_node calls; /* sent, oldest first */
    struct timer deadline; /* of the oldest call */
    struct list_node waiting; /* calls that wait for the connection */
    struct timer patience; /* armed: calls may wait */
    char *guard_key, *guard_value; /* NULL: no guard */
};

/* ---- redis_conn.c */

/** The timer's function: the back-off is over, or connecting took too long. @arg: struct redis. */
void redis_conn_timer(void *arg);
/** The connection is over for @why: tells, fails what was sent, waits for the next try. */
void redis_conn_down(struct redis *r, const struct error *why);
/** hiredis says that its context is dying. */
void redis_conn_lost(struct redis *r);
/** Lets go of the context; @free_it: else hiredis frees it by itself. */
void redis_conn_forget(struct redis *r, bool free_it);
/** Connects to r->host; looks it up when it is a name. */
void redis_conn_to(struct redis *r, const char *host, uint16_t port);
/** A look-up of a name under way finds nobody to tell any more. */
void redis_resolve_abandon(struct redis_resolve *res);

/* ---- redis_sentinel.c */

/** Asks the sentinels in turn, and connects to the master that one names. */
void redis_sentinel_begin(struct redis *r);
/** There is a connection to a sentinel. */
void redis_sentinel_ask(struct redis *r);
/** The sentinel did not help, for @why: asks the next one, or the try is over. */
void redis_sentinel_failed(struct redis *r, const struct error *why);

/* ---- redis.c */

/** Ends what was sent with @err. */
void redis_calls_fail(struct redis *r, const struct error *err);
/** Sends what waits for the connection. */
void redis_calls_send_waiting(struct redis *r);

#endif
