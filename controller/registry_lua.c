/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/registry_lua.h"

/* use: the function refers to an archive; leave: it does no more, unless it is @keep. */
#define CODE_FUNCTIONS                                                                             \
    "local function use(sha)\n"                                                                    \
    "  if sha and sha ~= '' then redis.call('SADD', ARGV[1] .. 'code:' .. sha, ARGV[2]) end\n"     \
    "end\n"                                                                                        \
    "local function leave(sha, keep, out)\n"                                                       \
    "  if not sha or sha == '' or sha == keep then return end\n"                                   \
    "  local key = ARGV[1] .. 'code:' .. sha\n"                                                    \
    "  redis.call('SREM', key, ARGV[2])\n"                                                         \
    "  if redis.call('EXISTS', key) == 0 then out[#out + 1] = sha end\n"                           \
    "end\n"

struct redis_script lua_create = {
    .name = "create",
    .source = CODE_FUNCTIONS
    "if redis.call('EXISTS', KEYS[1]) == 1 then return {'exists'} end\n"
    "local gen = redis.call('INCR', KEYS[3])\n"
    "redis.call('HSET', KEYS[1], 'doc', ARGV[3], 'rev', ARGV[4], 'code', ARGV[5], 'gen', gen,\n"
    "           'stage', 'prepare', 'change', ARGV[6])\n"
    "redis.call('ZADD', KEYS[2], 0, ARGV[2])\n"
    "redis.call('SADD', KEYS[4], ARGV[2])\n"
    "use(ARGV[5])\n"
    "return {'ok', gen}\n"};

struct redis_script lua_begin = {
    .name = "begin",
    .source = CODE_FUNCTIONS
    "local cur = redis.call('HMGET', KEYS[1], 'rev', 'stage', 'doc', 'gen', 'code')\n"
    "if not cur[1] then return {'missing'} end\n"
    "if cur[2] ~= '' then return {'busy'} end\n"
    "if cur[1] ~= ARGV[7] then return {'revision'} end\n"
    "local gen = redis.call('INCR', KEYS[3])\n"
    "redis.call('HSET', KEYS[1], 'doc', ARGV[3], 'rev', ARGV[4], 'code', ARGV[5], 'gen', gen,\n"
    "           'stage', 'prepare', 'change', ARGV[6],\n"
    "           'serving', cur[3], 'serving_gen', cur[4], 'serving_code', cur[5])\n"
    "redis.call('SADD', KEYS[4], ARGV[2])\n"
    "use(ARGV[5])\n"
    "return {'ok', gen}\n"};

#define CHECK_STAGE(stage)                                                                         \
    "local cur = redis.call('HMGET', KEYS[1], 'change', 'stage', 'gen', 'code',\n"                 \
    "                       'serving_gen', 'serving_code')\n"                                      \
    "if cur[1] ~= ARGV[6] or cur[2] ~= '" stage "' then return {'over'} end\n"

#define FORGET_SERVING "redis.call('HDEL', KEYS[1], 'serving', 'serving_gen', 'serving_code')\n"
#define FORGET_CHANGE                                                                              \
    "redis.call('HDEL', KEYS[1], 'change')\n"                                                      \
    "redis.call('SREM', KEYS[4], ARGV[2])\n"

/* Asked again after an answer was lost, it says ok again. */
struct redis_script lua_switch = {
    .name = "switch",
    .source = CODE_FUNCTIONS
    "local cur = redis.call('HMGET', KEYS[1], 'change', 'stage', 'gen', 'code',\n"
    "                       'serving_gen', 'serving_code')\n"
    "if cur[1] ~= ARGV[6] then return {'over'} end\n"
    "local out = {'ok', tonumber(cur[3])}\n"
    "if cur[2] == 'switch' then return out end\n"
    "redis.call('HSET', KEYS[1], 'doc', ARGV[3], 'rev', ARGV[4], 'stage', 'switch')\n"
    FORGET_SERVING
    "leave(cur[6], cur[4], out)\n"
    "return out\n"};

struct redis_script lua_finish = {
    .name = "finish",
    .source = CHECK_STAGE("switch")
    "redis.call('HSET', KEYS[1], 'doc', ARGV[3], 'rev', ARGV[4], 'stage', '')\n"
    FORGET_CHANGE
    "return {'ok', tonumber(cur[3])}\n"};

/* What was being created stays, as failed; an update gives way to what served before it. */
struct redis_script lua_fail = {
    .name = "fail",
    .source = CODE_FUNCTIONS CHECK_STAGE("prepare")
    "local out = {'ok', tonumber(cur[5] or cur[3])}\n"
    "redis.call('HSET', KEYS[1], 'doc', ARGV[3], 'rev', ARGV[4], 'stage', '')\n"
    "if cur[5] then\n"
    "  redis.call('HSET', KEYS[1], 'gen', cur[5], 'code', cur[6])\n"
    "  leave(cur[4], cur[6], out)\n"
    "end\n"
    FORGET_SERVING FORGET_CHANGE
    "return out\n"};

struct redis_script lua_delete = {
    .name = "delete",
    .source = CODE_FUNCTIONS
    "local cur = redis.call('HMGET', KEYS[1], 'rev', 'code', 'serving_code')\n"
    "if not cur[1] then return {'missing'} end\n"
    "local out = {'ok', 0}\n"
    "redis.call('DEL', KEYS[1])\n"
    "redis.call('ZREM', KEYS[2], ARGV[2])\n"
    "redis.call('SREM', KEYS[4], ARGV[2])\n"
    "leave(cur[2], nil, out)\n"
    "leave(cur[3], cur[2], out)\n"
    "return out\n"};

struct redis_script lua_list = {
    .name = "list",
    .source =
    "local names = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[2], '+', 'LIMIT', 0, ARGV[3])\n"
    "local out = {}\n"
    "for i, name in ipairs(names) do\n"
    "  out[i] = redis.call('HMGET', ARGV[1] .. 'fn:' .. name, 'doc', 'gen')\n"
    "end\n"
    "return out\n"};
