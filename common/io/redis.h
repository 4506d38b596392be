/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis.h - one Redis connection on the loop (hiredis), which reconnects by itself.
 *
 * Addresses: redis://[[user]:password@]host:port[/db], unix:/path[?password=…&db=n], or the master that
 * sentinels name, sentinel://…; redis_url.h. A server that turns out to be a replica, or to load its
 * data, is away: it is connected to anew, with sentinels to the one they name then.
 * Lua scripts are sent by EVALSHA and whole on NOSCRIPT: such a one is done behind what was sent
 * after it, so whoever needs an order waits for the answer. A command that is not answered in time
 * costs the connection: Redis answers in order, so nothing behind it would be answered either.
 *
 * Owns:    nothing of the caller's. Replies are borrowed for the callback.
 * Threads: loop thread only; callbacks never run inside redis_command() or redis_eval().
 * Errors:  ERR_UNAVAILABLE while there is no connection, or it broke under the command (its effect
 *          is then unknown), or Redis is loading or failing over; ERR_TIMEOUT (effect unknown);
 *          ERR_ACCESS_DENIED for log-ins and rights, else ERR_INTERNAL, with Redis' own words.
 * Details: docs/internals/redis.md.
 */
#ifndef HEARTH_IO_REDIS_H
#define HEARTH_IO_REDIS_H

#include "common/base/str.h"
#include "common/io/loop.h"

struct redis;

enum redis_reply_type { REDIS_NIL, REDIS_STRING, REDIS_INTEGER, REDIS_ARRAY };

struct redis_value {
    enum redis_reply_type type;
    struct str str; /* REDIS_STRING; status replies too */
    int64_t integer;
    const struct redis_value *items; /* REDIS_ARRAY */
    size_t len;
};

/** Exactly once; @value is NULL when @err is set. */
typedef void redis_done_fn(const struct redis_value *value, const struct error *err, void *arg);

struct redis_script {
    const char *name; /* for logs */
    const char *source;
    bool is_free; /* runs whatever the guard says: redis_guard_set() */
    char sha1[41], guarded_sha1[41]; /* filled at first use */
};

struct redis_options {
    const char *url;
    uint64_t command_timeout_us;
    /* How long after a loss (or the beginning) commands wait for the connection, then fail. */
    uint64_t patience_us;
    bool is_sentinel; /* what is at @url: it is no master, and need not be */
    /* Told at each change: @why is NULL when it is up; down again for another kind of reason
     * (ERR_ACCESS_DENIED instead of ERR_UNAVAILABLE) is a change too. May be NULL. */
    void (*on_state)(bool up, const struct error *why, void *arg);
    void *arg;
};

/** Begins to connect; -ERR_CONFIG for a URL that is not one. */
int redis_new(struct loop *loop, const struct redis_options *options, struct redis **ret,
              struct error *err);
/** Commands that wait end with ERR_CLOSED, inside this call. NULL is fine; so are our callbacks. */
void redis_free(struct redis *r);
bool redis_is_up(const struct redis *r);
/** Whether it is up, over TCP, at @host and @port as the URL or a sentinel has them. */
bool redis_is_at(const struct redis *r, struct str host, uint16_t port);
/** Whether sentinels say where it is. */
bool redis_has_sentinels(const struct redis *r);
/** Gives up a connection that is up, for @why; what was sent ends as with every loss. */
void redis_reconnect(struct redis *r, const struct error *why);
/** Sends one command of 1 to 1024 words; @argv is copied. */
void redis_command(struct redis *r, const struct str *argv, size_t argc, redis_done_fn *done,
                   void *arg);
/** Runs @script, which must outlive the call, with @keys and @args (copied). */
void redis_eval(struct redis *r, struct redis_script *script, const struct str *keys,
                size_t key_count, const struct str *args, size_t arg_count, redis_done_fn *done,
                void *arg);

/**
 * From now on each script runs only where @key holds @value, looked at in the same step: else it does
 * nothing and fails with ERR_UNAVAILABLE. For who may have been replaced and not know it yet. @key
 * NULL: no guard. Scripts that are free, and plain commands, are not held back.
 */
void redis_guard_set(struct redis *r, const char *key, const char *value);

#ifdef HEARTH_FAULT_POINTS
/* For tests, in builds that have them: what happens to one of the next commands. */
enum redis_fault {
    REDIS_FAULT_REFUSE, /* it fails, and was not sent */
    REDIS_FAULT_LOSE, /* it is done; its answer is lost with the connection */
};
/** The @n-th command from now on (1: the next; 0: none) fails as @kind says; free scripts do not count. */
void redis_fault_arm(enum redis_fault kind, unsigned n);
/** Whether it has still to come. */
bool redis_fault_is_armed(void);
#endif

#endif
