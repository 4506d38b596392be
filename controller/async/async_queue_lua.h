/* SPDX-License-Identifier: Apache-2.0 */
/*
 * async_queue_lua.h - the scripts behind async_queue.c. Their arguments begin alike: the account's
 * prefix, how many items of a queue may be taken at a time, the owner, the length of a lease in
 * milliseconds, the account's bytes.
 *
 * Threads: loop thread only (their hashes are filled in at first use).
 */
#ifndef HEARTH_CONTROLLER_ASYNC_ASYNC_QUEUE_LUA_H
#define HEARTH_CONTROLLER_ASYNC_ASYNC_QUEUE_LUA_H

#include "common/io/redis.h"

extern struct redis_script lua_async_put, lua_async_take, lua_async_renew, lua_async_retry,
    lua_async_finish;

#endif
