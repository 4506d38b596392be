/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_lua.h - the scripts behind ledger.c, one for each step. Their arguments begin alike: 1 the
 * account's prefix, 2 the term, 3 the epoch, 4 the account's limit. Each answers an array whose first entry
 * is "ok" or what stood in the way: "deposed", "closed", "unknown", "given up", "newer".
 *
 * Time is no part of them.
 *
 * Threads: loop thread only (their hashes are filled in at first use).
 * Details: docs/internals/redis.md.
 */
#ifndef HEARTH_CONTROLLER_PERMITS_LEDGER_LUA_H
#define HEARTH_CONTROLLER_PERMITS_LEDGER_LUA_H

#include "common/io/redis.h"

/* 5 gateway, then for each question: pool, seq, held, want, "" or "moved" or "again" → for each: what bounds it
 * (enum ledger_bound; -1: old), more, lease, 1 for drain */
extern struct redis_script lua_ledger_state;
/* 5 gateway */
extern struct redis_script lua_ledger_join, lua_ledger_give_up;
/* 5 node, 6 incarnation, 7 seq, 8 pools and counts, a line each */
extern struct redis_script lua_ledger_orphans;
/* 5 run, 6 for each node: its id, incarnation, seq, how many pools, and these as above; a line each */
extern struct redis_script lua_ledger_open;
/* → the ledger's hash, {gateway, its hash, …}, {node, its hash, …} */
extern struct redis_script lua_ledger_read;
/* 5 function, 6 version → 1 or 0 */
extern struct redis_script lua_ledger_ready;

#endif
