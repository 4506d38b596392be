/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/async/async_queue_lua.h"

/*
 * Time is Redis' own, so that controllers whose clocks differ agree. `schedule` keeps in async:queues
 * when something can be done for a queue next: its oldest item is due and may be taken, or a lease
 * ends. Functions are asked for what they have reserved: taking more would only be throttled.
 */
#define COMMON                                                                                     \
    "local P, OWNER, LEASE = ARGV[1], ARGV[3], tonumber(ARGV[4])\n"                                \
    "local time = redis.call('TIME')\n"                                                            \
    "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"                                    \
    "local function key(id) return P .. 'async:item:' .. id end\n"                                 \
    "local function wait(queue) return P .. 'async:wait:' .. queue end\n"                          \
    "local function lease(queue) return P .. 'async:lease:' .. queue end\n"                        \
    "local function size(id)\n"                                                                    \
    "  return redis.call('HSTRLEN', key(id), 'payload') +\n"                                       \
    "         redis.call('HSTRLEN', key(id), 'answer') + 1024\n"                                   \
    "end\n"                                                                                        \
    "local function reserved(queue)\n"                                                             \
    "  return tonumber(redis.call('HGET', P .. 'fn:' .. queue .. ':settings', 'reserved') or -1)\n"\
    "end\n"                                                                                        \
    "local function room(queue)\n"                                                                 \
    "  local most, own = tonumber(ARGV[2]), reserved(queue)\n"                                     \
    "  if own > 0 and own < most then most = own end\n"                                            \
    "  return most - redis.call('ZCARD', lease(queue))\n"                                          \
    "end\n"                                                                                        \
    "local function schedule(queue)\n"                                                             \
    "  local w = redis.call('ZRANGE', wait(queue), 0, 0, 'WITHSCORES')[2]\n"                       \
    "  local at = redis.call('ZRANGE', lease(queue), 0, 0, 'WITHSCORES')[2]\n"                     \
    "  if w and (not at or tonumber(w) < tonumber(at)) and room(queue) > 0 then at = w end\n"      \
    "  if at then redis.call('ZADD', P .. 'async:queues', at, queue)\n"                            \
    "  else redis.call('ZREM', P .. 'async:queues', queue) end\n"                                  \
    "end\n"

/* Its arguments from @i on: id, queue, function that must be there or '', kind, qualifier, doc, payload. */
#define PUT                                                                                        \
    "local function put(i, most)\n"                                                                \
    "  local id, queue, fn, payload = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 6]\n"            \
    "  if redis.call('EXISTS', key(id)) == 1 then return 'ok' end\n"                               \
    "  if fn ~= '' and redis.call('EXISTS', P .. 'fn:' .. fn) == 0 then return 'missing' end\n"    \
    "  local bytes = tonumber(redis.call('GET', P .. 'async:bytes') or 0)\n"                       \
    "  if most > 0 and bytes + #payload + 1024 > most then return 'full' end\n"                    \
    "  redis.call('HSET', key(id), 'queue', queue, 'kind', ARGV[i + 3], 'q', ARGV[i + 4],\n"       \
    "             'doc', ARGV[i + 5], 'payload', payload, 'at', now, 'tries', 0, 'waits', 0)\n"    \
    "  redis.call('INCRBY', P .. 'async:bytes', size(id))\n"                                       \
    "  redis.call('ZADD', wait(queue), now, id)\n"                                                 \
    "  schedule(queue)\n"                                                                          \
    "  return 'ok'\n"                                                                              \
    "end\n"

/* ARGV[6], ARGV[7]: item and queue. */
#define MINE                                                                                       \
    "local id, queue = ARGV[6], ARGV[7]\n"                                                         \
    "if redis.call('HGET', key(id), 'owner') ~= OWNER or\n"                                        \
    "   not redis.call('ZSCORE', lease(queue), id) then return {'gone'} end\n"

struct redis_script lua_async_put = {
    .name = "async.put",
    .source = COMMON PUT
    "local said = put(6, tonumber(ARGV[5]))\n"
    "if said == 'ok' then redis.call('HINCRBY', P .. 'async:counts', 'received', 1) end\n"
    "return {said}\n"};

/*
 * First a part of what deleted functions left. ARGV[6], ARGV[7]: items and bytes at most. At most 16
 * items of a queue and 64 queues a call: the rest is due at once, and others have their turn.
 */
struct redis_script lua_async_take = {
    .name = "async.take",
    .source = COMMON
    "local dropped = redis.call('ZPOPMIN', P .. 'async:dropped', 200)\n"
    "for i = 1, #dropped, 2 do\n"
    "  if redis.call('EXISTS', key(dropped[i])) == 1 then\n"
    "    redis.call('DECRBY', P .. 'async:bytes', size(dropped[i]))\n"
    "    redis.call('DEL', key(dropped[i]))\n"
    "    redis.call('HINCRBY', P .. 'async:counts', 'dropped', 1)\n"
    "  end\n"
    "end\n"
    "local left, bytes, out = tonumber(ARGV[6]), tonumber(ARGV[7]), {}\n"
    "local function give(queue, id)\n"
    "  local f = redis.call('HMGET', key(id), 'kind', 'q', 'doc', 'payload', 'at', 'tries',\n"
    "                       'waits', 'context', 'answer')\n"
    "  if not f[1] then redis.call('ZREM', wait(queue), id) return true end\n"
    "  if #out > 0 and #f[4] > bytes then return false end\n"
    "  redis.call('ZREM', wait(queue), id)\n"
    "  redis.call('ZADD', lease(queue), now + LEASE, id)\n"
    "  redis.call('HSET', key(id), 'owner', OWNER)\n"
    "  bytes, left = bytes - #f[4], left - 1\n"
    "  local q = f[2] == '' and '$LATEST' or f[2]\n"
    "  local config = redis.call('HGET', P .. 'fn:' .. queue .. ':events', q)\n"
    "  out[#out + 1] = {id, queue, f[1], f[2], f[3], f[4], now - f[5], tonumber(f[6]),\n"
    "                   tonumber(f[7]), f[8] or '', f[9] or '', config or '', reserved(queue)}\n"
    "  return true\n"
    "end\n"
    "local queues = redis.call('ZRANGEBYSCORE', P .. 'async:queues', '-inf', now, 'LIMIT', 0, 64)\n"
    "for _, queue in ipairs(queues) do\n"
    "  local late = redis.call('ZRANGEBYSCORE', lease(queue), '-inf', now, 'LIMIT', 0, 100)\n"
    "  for _, id in ipairs(late) do\n"
    "    redis.call('ZREM', lease(queue), id)\n"
    "    redis.call('ZADD', wait(queue), now, id)\n"
    "  end\n"
    "  local most = math.min(left, 16, room(queue))\n"
    "  if most > 0 then\n"
    "    local ids = redis.call('ZRANGEBYSCORE', wait(queue), '-inf', now, 'LIMIT', 0, most)\n"
    "    for _, id in ipairs(ids) do\n"
    "      if not give(queue, id) then left = 0 break end\n"
    "    end\n"
    "  end\n"
    "  schedule(queue)\n"
    "  if left <= 0 then break end\n"
    "end\n"
    "local first = redis.call('ZRANGE', P .. 'async:queues', 0, 0, 'WITHSCORES')[2]\n"
    "local next = first and math.max(0, math.ceil(first - now)) or -1\n"
    "if #dropped > 0 then next = 0 end\n"
    "return {next, out}\n"};

/* From ARGV[6] on: item and queue, item and queue, ... */
struct redis_script lua_async_renew = {
    .name = "async.renew",
    .source = COMMON
    "local queues = {}\n"
    "for i = 6, #ARGV, 2 do\n"
    "  if redis.call('HGET', key(ARGV[i]), 'owner') == OWNER then\n"
    "    redis.call('ZADD', lease(ARGV[i + 1]), 'XX', now + LEASE, ARGV[i])\n"
    "    queues[ARGV[i + 1]] = true\n"
    "  end\n"
    "end\n"
    "for queue in pairs(queues) do schedule(queue) end\n"
    "return {'ok'}\n"};

/* ARGV[8] delay, tries, waits, whether context and answer are given, context, answer. */
struct redis_script lua_async_retry = {
    .name = "async.retry",
    .source = COMMON MINE
    "local before = size(id)\n"
    "redis.call('ZREM', lease(queue), id)\n"
    "redis.call('ZADD', wait(queue), now + ARGV[8], id)\n"
    "redis.call('HSET', key(id), 'owner', '', 'tries', ARGV[9], 'waits', ARGV[10])\n"
    "if ARGV[11] == '1' then\n"
    "  redis.call('HSET', key(id), 'context', ARGV[12], 'answer', ARGV[13])\n"
    "  redis.call('INCRBY', P .. 'async:bytes', size(id) - before)\n"
    "end\n"
    "schedule(queue)\n"
    "return {'ok'}\n"};

/* ARGV[8]: what to count it as; then the arguments of `put` for each that follows. */
struct redis_script lua_async_finish = {
    .name = "async.finish",
    .source = COMMON PUT MINE
    "redis.call('DECRBY', P .. 'async:bytes', size(id))\n"
    "redis.call('DEL', key(id))\n"
    "redis.call('ZREM', lease(queue), id)\n"
    "schedule(queue)\n"
    "redis.call('HINCRBY', P .. 'async:counts', ARGV[8], 1)\n"
    "local out = {'ok'}\n"
    "for i = 9, #ARGV, 7 do out[#out + 1] = put(i, 0) end\n"
    "return out\n"};
