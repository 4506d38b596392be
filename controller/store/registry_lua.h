/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_lua.h - the Lua scripts of the registry: one for each step of a change of a function.
 *
 * Keys of all: 1 the function, 2 the account's names, 3 its generation counter, 4 its changes under
 * way. Arguments of all: 1 the account's key prefix, 2 the function's name. Those that write go on
 * with 3 document, 4 revision, 5 archives (separated by blanks), 6 change, 7 bytes of the archive,
 * 8 number of the version that is published with it ("": none), 9 the seq that is expected ("":
 * any), and then triples of what is written beside the function: kind, field, text.
 *
 * Each answers an array whose first entry is "ok" or what stood in the way: "exists", "missing",
 * "busy", "moved", "over". All keys of an account share one hash tag, so keys that a script makes
 * from the prefix lie in the same slot as those it is given.
 *
 * Threads: loop thread only (the hashes are filled at first use).
 * Details: docs/internals/redis.md.
 */
#ifndef HEARTH_CONTROLLER_STORE_REGISTRY_LUA_H
#define HEARTH_CONTROLLER_STORE_REGISTRY_LUA_H

#include "common/io/redis.h"

/* → "ok", generation */
extern struct redis_script lua_create;
extern struct redis_script lua_begin;
/* → "ok", generation, unused code … */
extern struct redis_script lua_switch;
extern struct redis_script lua_finish;
extern struct redis_script lua_fail;
/* → "ok", 0, unused code … */
extern struct redis_script lua_delete;
/* key 1 the names; 1 prefix, 2 and 3 where to begin and to end (ZRANGEBYLEX), 4 how many →
 * {doc, gen, rev} … */
extern struct redis_script lua_list;
/* the same with versions; 5 the version behind which the first function goes on */
extern struct redis_script lua_list_all;

#endif
