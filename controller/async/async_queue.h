/* SPDX-License-Identifier: Apache-2.0 */
/*
 * async_queue.h - the durable queue of asynchronous invocations: events that wait for their function,
 * and messages that wait for their destination.
 *
 * At least once: what was put is there until it is finished. Who takes an item has it for the length
 * of a lease, which he renews; when it is over, others may take it. Every step is one script, so that
 * items are never in two places and a step that is told to have happened is on Redis' disk (with
 * appendfsync always).
 *
 * Items lie in queues: one for each function's events, one for each function's messages
 * ("@<function>"). A queue has at most so many items taken at a time, so that none starves others.
 *
 * This is the seam for other queues: nothing above it knows of Redis.
 *
 * Owns:    nothing of the caller's; all is copied.
 * Threads: loop thread only; callbacks never run inside a call and come exactly once.
 * Errors:  those of redis.h, besides the ones named. Asked again after ERR_TIMEOUT or ERR_UNAVAILABLE,
 *          each step has its effect once.
 * Keys:    docs/internals/redis.md. Design: docs/internals/async.md.
 */
#ifndef HEARTH_CONTROLLER_ASYNC_ASYNC_QUEUE_H
#define HEARTH_CONTROLLER_ASYNC_ASYNC_QUEUE_H

#include "common/base/buf.h"
#include "common/io/redis.h"

struct async_queue;

struct async_queue_options {
    struct redis *redis;
    const char *owner; /* names this controller's leases: nobody else's */
    uint64_t lease_ms;
    uint64_t queue_max; /* items of one queue that may be taken at a time */
    uint64_t bytes_max; /* of an account's items; async_queue_put() refuses more */
};

#define ASYNC_RENEW_MAX 200u /* items that one async_queue_renew() is for */
#define ASYNC_FOLLOWERS_MAX 2u

enum async_kind { ASYNC_EVENT, ASYNC_MESSAGE };

/* What is put. */
struct async_item {
    enum async_kind kind;
    struct str id; /* of the request; a message's is its own */
    struct str function; /* the event's; the message's: where it comes from */
    struct str qualifier; /* events: as invoked; empty: none */
    struct str doc; /* JSON that the queue does not look into */
    struct str payload;
};

/* What was taken. */
struct async_taken {
    enum async_kind kind;
    struct str id, function, qualifier, doc, payload;
    uint64_t age_ms; /* since it was put */
    uint64_t tries, waits; /* as async_queue_retry() left them; 0 at first */
    struct str context, answer; /* the same: of the last try; empty: none */
    struct str config; /* events: the qualifier's event invoke configuration, JSON; empty: none */
    int64_t reserved; /* events: the function's reserved concurrency; -1: none */
};

struct async_queue *async_queue_new(const struct async_queue_options *options);
void async_queue_free(struct async_queue *q);

typedef void async_done_fn(const struct error *err, void *arg);

/**
 * Keeps @item. ERR_NOT_FOUND: its function is not there; ERR_THROTTLED: the account has bytes_max.
 */
void async_queue_put(struct async_queue *q, struct str account, const struct async_item *item,
                     async_done_fn *done, void *arg);

/** @items are borrowed for the call. @next_ms: when to ask again, UINT64_MAX: when something is put. */
typedef void async_taken_fn(const struct async_taken *items, size_t len, uint64_t next_ms,
                            const struct error *err, void *arg);
/** Takes what is due: at most @count items and, if it is more than one, @bytes of payload. */
void async_queue_take(struct async_queue *q, struct str account, size_t count, size_t bytes,
                      async_taken_fn *done, void *arg);

/* An item that its taker has. */
struct async_held {
    struct str account, id, function;
    enum async_kind kind;
};

/** Lengthens the leases of at most ASYNC_RENEW_MAX items of one account. */
void async_queue_renew(struct async_queue *q, struct str account, const struct async_held *items,
                       size_t len, async_done_fn *done, void *arg);

struct async_retry {
    uint64_t delay_ms;
    uint64_t tries, waits;
    struct str context, answer; /* ptr NULL: as they were */
};

/** Puts it back for later. ERR_STALE: it is not the caller's any more. */
void async_queue_retry(struct async_queue *q, const struct async_held *item,
                       const struct async_retry *retry, async_done_fn *done, void *arg);

/** @missing: those of the followers (bits) whose function is not there: they were not put. */
typedef void async_finished_fn(unsigned missing, const struct error *err, void *arg);
/**
 * It is over: takes it away and puts @followers in the same step. ERR_STALE: as above.
 *
 * @count  what to count it as, see docs/internals/async.md
 */
void async_queue_finish(struct async_queue *q, const struct async_held *item, const char *count,
                        const struct async_item *followers, size_t len, async_finished_fn *done,
                        void *arg);

#endif
