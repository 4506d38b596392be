/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_lua.h - the Lua scripts of the registry: one for each change of more than one key.
 *
 * Keys of all: 1 the function, 2 the account's names, 3 its generation counter, 4 its changes under
 * way. Arguments of all: 1 the account's key prefix, 2 the function's name. Each answers an array
 * whose first entry is "ok" or what stood in the way: "exists", "missing", "busy", "revision",
 * "over". All keys of an account share one hash tag, so keys that a script makes from the prefix
 * lie in the same slot as those it is given.
 *
 * Threads: loop thread only (the hashes are filled at first use).
 * Details: docs/internals/redis.md.
 */
#ifndef HEARTH_CONTROLLER_REGISTRY_LUA_H
#define HEARTH_CONTROLLER_REGISTRY_LUA_H

#include "common/io/redis.h"

/* 3 doc, 4 revision, 5 code, 6 change → "ok", generation */
extern struct redis_script lua_create;
/* 3 doc, 4 revision, 5 code, 6 change, 7 expected revision → "ok", generation */
extern struct redis_script lua_begin;
/* 3 doc, 4 revision, 5 code, 6 change → "ok", generation, unused code … */
extern struct redis_script lua_switch;
extern struct redis_script lua_finish;
extern struct redis_script lua_fail;
/* → "ok", 0, unused code … */
extern struct redis_script lua_delete;
/* key 1 the names; 1 prefix, 2 where to begin (ZRANGEBYLEX), 3 how many → {doc, gen} … */
extern struct redis_script lua_list;

#endif
