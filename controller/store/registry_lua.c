/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/store/registry_lua.h"

/*
 * use: @who refers to the archives; leave: it does no more, unless they are among @keep. What
 * nobody refers to goes to @out.
 */
#define CODE_FUNCTIONS                                                                             \
    "local function use(code, who)\n"                                                              \
    "  for sha in string.gmatch(code or '', '%S+') do\n"                                           \
    "    redis.call('SADD', ARGV[1] .. 'code:' .. sha, who)\n"                                     \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "local function leave(code, who, keep, out)\n"                                                 \
    "  for sha in string.gmatch(code or '', '%S+') do\n"                                           \
    "    if not string.find(keep or '', sha, 1, true) then\n"                                      \
    "      local key = ARGV[1] .. 'code:' .. sha\n"                                                \
    "      redis.call('SREM', key, who)\n"                                                         \
    "      if redis.call('EXISTS', key) == 0 then out[#out + 1] = sha end\n"                       \
    "    end\n"                                                                                    \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "local function size(by)\n"                                                                    \
    "  if by ~= 0 then redis.call('INCRBY', ARGV[1] .. 'code_bytes', by) end\n"                    \
    "end\n"

/*
 * The new document, what lies beside it, and the version that is published with it: entered by the
 * first step of a change, and kept up by the others unless it was deleted meanwhile. An archive of
 * a layer (all but the first word of the archives) must be referred to by somebody: then it is not
 * being removed.
 */
#define WRITE_FUNCTIONS                                                                            \
    "local function beside(is_new)\n"                                                              \
    "  for i = 11, #ARGV, 3 do\n"                                                                  \
    "    local key = KEYS[1] .. ':' .. ARGV[i]\n"                                                  \
    "    if is_new or ARGV[i] ~= 'versions' or redis.call('HEXISTS', key, ARGV[i + 1]) == 1 then\n" \
    "      redis.call('HSET', key, ARGV[i + 1], ARGV[i + 2])\n"                                    \
    "    end\n"                                                                                    \
    "    if ARGV[i + 1] == 'code_signing' then\n"                                                  \
    "      local csc = string.match(ARGV[i + 2], 'csc%-%w+')\n"                                    \
    "      redis.call('ZADD', ARGV[1] .. 'csc_fns:' .. csc, 0, ARGV[2])\n"                         \
    "    end\n"                                                                                    \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "local function signing_is_gone()\n"                                                           \
    "  for i = 11, #ARGV, 3 do\n"                                                                  \
    "    local csc = ARGV[i + 1] == 'code_signing' and string.match(ARGV[i + 2], 'csc%-%w+')\n"    \
    "    if csc and redis.call('HEXISTS', ARGV[1] .. 'csc', csc) == 0 then return true end\n"      \
    "  end\n"                                                                                      \
    "  return false\n"                                                                             \
    "end\n"                                                                                        \
    "local function layer_is_gone()\n"                                                             \
    "  for sha in string.gmatch(string.match(ARGV[5], ' .*') or '', '%S+') do\n"                   \
    "    if redis.call('EXISTS', ARGV[1] .. 'code:' .. sha) == 0 then return true end\n"           \
    "  end\n"                                                                                      \
    "  return false\n"                                                                             \
    "end\n"                                                                                        \
    "local function publish()\n"                                                                   \
    "  redis.call('HSET', KEYS[1], 'publish', ARGV[8])\n"                                          \
    "  if ARGV[8] == '' then return end\n"                                                         \
    "  redis.call('HSET', KEYS[1] .. ':vcode', ARGV[8], ARGV[5])\n"                                \
    "  redis.call('HSET', KEYS[1] .. ':vbytes', ARGV[8], ARGV[7])\n"                               \
    "  use(ARGV[5], ARGV[2] .. ':' .. ARGV[8])\n"                                                  \
    "  size(tonumber(ARGV[7]))\n"                                                                  \
    "end\n"                                                                                        \
    "local function is_full(old)\n"                                                                \
    "  local new = tonumber(ARGV[7])\n"                                                            \
    "  if ARGV[8] ~= '' then new = new * 2 end\n"                                                  \
    "  local by, most = new - (tonumber(old) or 0), tonumber(ARGV[10])\n"                          \
    "  local is = tonumber(redis.call('GET', ARGV[1] .. 'code_bytes') or '0')\n"                   \
    "  return most > 0 and by > 0 and is + by > most\n"                                            \
    "end\n"                                                                                        \
    "local function write(stage)\n"                                                                \
    "  redis.call('HSET', KEYS[1], 'doc', ARGV[3], 'rev', ARGV[4], 'stage', stage)\n"              \
    "  redis.call('HINCRBY', KEYS[1], 'seq', 1)\n"                                                 \
    "end\n"

struct redis_script lua_create = {
    .name = "create",
    .source = CODE_FUNCTIONS WRITE_FUNCTIONS
    "if redis.call('EXISTS', KEYS[1]) == 1 then return {'exists'} end\n"
    "if layer_is_gone() then return {'unlayered'} end\n"
    "if signing_is_gone() then return {'unsigned'} end\n"
    "if is_full(0) then return {'full'} end\n"
    "local gen = redis.call('INCR', KEYS[3])\n"
    "write('prepare')\n"
    "redis.call('HSET', KEYS[1], 'code', ARGV[5], 'bytes', ARGV[7], 'gen', gen,\n"
    "           'change', ARGV[6])\n"
    "redis.call('ZADD', KEYS[2], 0, ARGV[2])\n"
    "redis.call('SADD', KEYS[4], ARGV[2])\n"
    "use(ARGV[5], ARGV[2])\n"
    "size(tonumber(ARGV[7]))\n"
    "publish()\n"
    "beside(true)\n"
    "return {'ok', gen}\n"};

struct redis_script lua_begin = {
    .name = "begin",
    .source = CODE_FUNCTIONS WRITE_FUNCTIONS
    "local cur = redis.call('HMGET', KEYS[1], 'seq', 'stage', 'doc', 'gen', 'code', 'bytes')\n"
    "if not cur[1] then return {'missing'} end\n"
    "if cur[2] ~= '' then return {'busy'} end\n"
    "if ARGV[9] ~= '' and cur[4] .. '.' .. cur[1] ~= ARGV[9] then return {'moved'} end\n"
    "if layer_is_gone() then return {'unlayered'} end\n"
    "if is_full(cur[6]) then return {'full'} end\n"
    "local gen = redis.call('INCR', KEYS[3])\n"
    "write('prepare')\n"
    "redis.call('HSET', KEYS[1], 'code', ARGV[5], 'bytes', ARGV[7], 'gen', gen,\n"
    "           'change', ARGV[6], 'serving', cur[3], 'serving_gen', cur[4],\n"
    "           'serving_code', cur[5], 'serving_bytes', cur[6])\n"
    "redis.call('SADD', KEYS[4], ARGV[2])\n"
    "use(ARGV[5], ARGV[2])\n"
    "size(tonumber(ARGV[7]))\n"
    "publish()\n"
    "beside(true)\n"
    "return {'ok', gen}\n"};

#define CURRENT                                                                                    \
    "local cur = redis.call('HMGET', KEYS[1], 'change', 'stage', 'gen', 'code', 'serving_gen',\n"  \
    "                       'serving_code', 'bytes', 'serving_bytes')\n"

#define FORGET_SERVING                                                                             \
    "redis.call('HDEL', KEYS[1], 'serving', 'serving_gen', 'serving_code', 'serving_bytes')\n"
#define FORGET_CHANGE                                                                              \
    "redis.call('HDEL', KEYS[1], 'change', 'publish')\n"                                           \
    "redis.call('SREM', KEYS[4], ARGV[2])\n"

/* Asked again after an answer was lost, it says ok again. */
struct redis_script lua_switch = {
    .name = "switch",
    .source = CODE_FUNCTIONS WRITE_FUNCTIONS CURRENT
    "if cur[1] ~= ARGV[6] then return {'over'} end\n"
    "local out = {'ok', tonumber(cur[3])}\n"
    "if cur[2] == 'switch' then return out end\n"
    "write('switch')\n"
    "beside(false)\n"
    FORGET_SERVING
    "leave(cur[6], ARGV[2], cur[4], out)\n"
    "size(-(tonumber(cur[8]) or 0))\n"
    "return out\n"};

struct redis_script lua_finish = {
    .name = "finish",
    .source = CODE_FUNCTIONS WRITE_FUNCTIONS CURRENT
    "if cur[1] ~= ARGV[6] or cur[2] ~= 'switch' then return {'over'} end\n"
    "write('')\n"
    "beside(false)\n"
    FORGET_CHANGE
    "return {'ok', tonumber(cur[3])}\n"};

/* What was being created stays, as failed; an update gives way to what served before it. */
struct redis_script lua_fail = {
    .name = "fail",
    .source = CODE_FUNCTIONS WRITE_FUNCTIONS CURRENT
    "if cur[1] ~= ARGV[6] or cur[2] ~= 'prepare' then return {'over'} end\n"
    "local out = {'ok', tonumber(cur[5] or cur[3])}\n"
    "write('')\n"
    "beside(false)\n"
    "if cur[5] then\n"
    "  redis.call('HSET', KEYS[1], 'gen', cur[5], 'code', cur[6], 'bytes', cur[8])\n"
    "  leave(cur[4], ARGV[2], cur[6], out)\n"
    "  size(-(tonumber(cur[7]) or 0))\n"
    "end\n"
    FORGET_SERVING FORGET_CHANGE
    "return out\n"};

/* The function and all that lies beside it. */
struct redis_script lua_delete = {
    .name = "delete",
    .source = CODE_FUNCTIONS
    "local cur = redis.call('HMGET', KEYS[1], 'rev', 'code', 'serving_code', 'bytes',\n"
    "                       'serving_bytes')\n"
    "if not cur[1] then return {'missing'} end\n"
    "local out = {'ok', 0}\n"
    "local bytes = (tonumber(cur[4]) or 0) + (tonumber(cur[5]) or 0)\n"
    "local code = redis.call('HGETALL', KEYS[1] .. ':vcode')\n"
    "for _, n in ipairs(redis.call('HVALS', KEYS[1] .. ':vbytes')) do bytes = bytes + n end\n"
    "local reserved = redis.call('HGET', KEYS[1] .. ':settings', 'reserved')\n"
    "if reserved then\n"
    "  redis.call('DECRBY', ARGV[1] .. 'reserved', reserved)\n" /* not -0, which is no integer */
    "else\n"
    "  local sum = 0\n"
    "  for _, doc in ipairs(redis.call('HVALS', KEYS[1] .. ':provisioned')) do\n"
    "    sum = sum + cjson.decode(doc).requested\n"
    "  end\n"
    "  if sum > 0 then redis.call('DECRBY', ARGV[1] .. 'provisioned', sum) end\n"
    "end\n"
    "local csc = redis.call('HGET', KEYS[1] .. ':settings', 'code_signing')\n"
    "if csc then\n"
    "  redis.call('ZREM', ARGV[1] .. 'csc_fns:' .. string.match(csc, 'csc%-%w+'), ARGV[2])\n"
    "end\n"
    "for _, url in ipairs(redis.call('HVALS', KEYS[1] .. ':urls')) do\n"
    "  redis.call('HDEL', ARGV[1] .. 'urls', cjson.decode(url)['Id'])\n"
    "end\n"
    "for _, kind in ipairs({'', ':settings', ':versions', ':aliases', ':policies', ':urls',\n"
    "                       ':events', ':provisioned', ':runtimes', ':vcode', ':vbytes'}) do\n"
    "  redis.call('DEL', KEYS[1] .. kind)\n"
    "end\n"
    /* its events end with it; their contents are taken away bit by bit (async_queue_lua.c) */
    "for _, kind in ipairs({'wait:', 'lease:'}) do\n"
    "  local key = ARGV[1] .. 'async:' .. kind .. ARGV[2]\n"
    "  if redis.call('EXISTS', key) == 1 then\n"
    "    redis.call('ZUNIONSTORE', ARGV[1] .. 'async:dropped', 2, ARGV[1] .. 'async:dropped', key)\n"
    "    redis.call('DEL', key)\n"
    "  end\n"
    "end\n"
    "redis.call('ZREM', ARGV[1] .. 'async:queues', ARGV[2])\n"
    "redis.call('ZREM', KEYS[2], ARGV[2])\n"
    "redis.call('SREM', KEYS[4], ARGV[2])\n"
    "leave(cur[2], ARGV[2], nil, out)\n"
    "leave(cur[3], ARGV[2], cur[2], out)\n"
    "for i = 1, #code, 2 do leave(code[i + 1], ARGV[2] .. ':' .. code[i], nil, out) end\n"
    "size(-bytes)\n"
    "return out\n"};

struct redis_script lua_list = {
    .name = "list",
    .source =
    "local names = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])\n"
    "local out = {}\n"
    "for i, name in ipairs(names) do\n"
    "  out[i] = redis.call('HMGET', ARGV[1] .. 'fn:' .. name, 'doc', 'gen', 'rev')\n"
    "end\n"
    "return out\n"};

/* Each function's $LATEST, then its versions from the oldest on. */
struct redis_script lua_list_all = {
    .name = "list_all",
    .source =
    "local limit = tonumber(ARGV[4])\n"
    /* one more: of the first, all may have been shown before */
    "local names = redis.call('ZRANGEBYLEX', KEYS[1], ARGV[2], ARGV[3], 'LIMIT', 0, limit + 1)\n"
    "local out = {}\n"
    "local behind = ARGV[5]\n"
    "for _, name in ipairs(names) do\n"
    "  if '[' .. name ~= ARGV[2] then behind = '' end\n" /* the one that was named is gone */
    "  local fn = ARGV[1] .. 'fn:' .. name\n"
    "  if behind == '' then\n"
    "    out[#out + 1] = redis.call('HMGET', fn, 'doc', 'gen', 'rev')\n"
    "  end\n"
    "  local from = tonumber(behind) or 0\n"
    "  local numbers = {}\n"
    "  for _, n in ipairs(redis.call('HKEYS', fn .. ':versions')) do\n"
    "    if tonumber(n) > from then numbers[#numbers + 1] = tonumber(n) end\n"
    "  end\n"
    "  table.sort(numbers)\n"
    "  for _, n in ipairs(numbers) do\n"
    "    if #out >= limit then return out end\n"
    "    out[#out + 1] = {redis.call('HGET', fn .. ':versions', string.format('%d', n)), '0', ''}\n"
    "  end\n"
    "  if #out >= limit then return out end\n"
    "  behind = ''\n"
    "end\n"
    "return out\n"};
