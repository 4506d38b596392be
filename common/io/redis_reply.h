/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redis_reply.h - from a hiredis reply to ours: a value, or the error that Redis told.
 *
 * Owns:    the arrays of a value; its strings are borrowed from the reply.
 * Threads: any.
 */
#ifndef HEARTH_IO_REDIS_REPLY_H
#define HEARTH_IO_REDIS_REPLY_H

#include "common/io/redis.h"

struct redisReply;

/** Fills @ret from @reply, which is no error; redis_value_done() frees what was allocated. */
void redis_value_from(const struct redisReply *reply, struct redis_value *ret);
void redis_value_done(struct redis_value *value);
/**
 * Fills @err from an error reply: ERR_UNAVAILABLE for states that pass (loading, fail-over),
 * ERR_ACCESS_DENIED for log-ins and rights, else ERR_INTERNAL; always with Redis' own words.
 */
int redis_reply_error(const struct redisReply *reply, struct error *err);
/** Whether the error @reply says that this server takes no writes now: it is a replica, or loads its data. */
bool redis_reply_is_away(const struct redisReply *reply);
/** Whether the error @reply says that the script must be sent again. */
bool redis_reply_is_noscript(const struct redisReply *reply);

#endif
