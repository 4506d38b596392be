/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis.h - one Redis connection on the loop (hiredis), which reconnects by itself.
 *
 * Addresses: redis://[:password@]host:port[/db], unix:/path[?password=…&db=n].
 * Lua scripts are sent by EVALSHA and loaded again on NOSCRIPT.
 *
 * Owns:    nothing of the caller's. Replies are borrowed for the callback.
 * Threads: loop thread only; callbacks never run inside redis_command().
 * Errors:  ERR_UNAVAILABLE while there is no connection or it broke under the command (its effect is then
 *          unknown), ERR_TIMEOUT, ERR_INTERNAL with Redis' own words.
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
    char sha1[41]; /* filled at first use */
};

struct redis_options {
    const char *url;
    uint64_t command_timeout_us;
    /* Told at each change; @why NULL when it is up. May be NULL. */
    void (*on_state)(bool up, const struct error *why, void *arg);
    void *arg;
};

/** Begins to connect; -ERR_CONFIG for a URL that is not one. */
int redis_new(struct loop *loop, const struct redis_options *options, struct redis **ret,
              struct error *err);
void redis_free(struct redis *r);
bool redis_is_up(const struct redis *r);
/** Sends one command; @argv is copied. */
void redis_command(struct redis *r, const struct str *argv, size_t argc, redis_done_fn *done,
                   void *arg);
/** Runs @script with @keys and @args. */
void redis_eval(struct redis *r, struct redis_script *script, const struct str *keys,
                size_t key_count, const struct str *args, size_t arg_count, redis_done_fn *done,
                void *arg);

#endif
