/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/permits/ledger_lua.h"

/*
 * The ledger is a hash: term, epoch, run, total; p:<pool> and f:<function> the totals of those that have
 * any; g:<gateway> 1 when it has joined, 0 when it was given up; n:<node> each node that told of itself. A hash
 * for each gateway (l:<pool> its lease, s:<pool> the number of its newest question) and for each node
 * (incarnation, seq, o:<pool>, was:<incarnation> those that were replaced).
 *
 * enter: nothing is done for an older term; a newer one is taken over. is_other: not this epoch's ledger.
 */
#define ENTER                                                                                      \
    "local P, TERM, EPOCH, A = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])\n"           \
    "local LEDGER = P .. 'permits'\n"                                                              \
    "local function enter(term)\n"                                                                 \
    "  term = tonumber(term or 0)\n"                                                               \
    "  if TERM < term then return false end\n"                                                     \
    "  if TERM > term then redis.call('HSET', LEDGER, 'term', TERM) end\n"                         \
    "  return true\n"                                                                              \
    "end\n"                                                                                        \
    "local function is_other(epoch) return epoch ~= EPOCH end\n"                                   \
    "local function gateway_key(gw) return P .. 'permits_gateway:' .. gw end\n"                    \
    "local function node_key(node) return P .. 'permits_node:' .. node end\n"                      \
    "local function fn_of(pool) return string.match(pool, '^[^:*]+') end\n"

/* add: @by more permits of @pool, in the sums that count() writes; @sums has those that are there by field. */
#define SUMS                                                                                       \
    "local sums, counted = {}, {}\n"                                                               \
    "local function add(pool, by)\n"                                                               \
    "  if by == 0 then return end\n"                                                               \
    "  local fn = fn_of(pool)\n"                                                                   \
    "  for _, field in ipairs({'total', 'p:' .. pool, fn and 'f:' .. fn}) do\n"                    \
    "    sums[field] = (sums[field] or 0) + by\n"                                                  \
    "    counted[field] = true\n"                                                                  \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    /* one HSET and one HDEL: what has come to nothing goes */                                     \
    "local function store(key, values)\n"                                                          \
    "  local set, unset = {}, {}\n"                                                                \
    "  for field, n in pairs(values) do\n"                                                         \
    "    if n == 0 and field ~= 'total' then unset[#unset + 1] = field\n"                          \
    "    else set[#set + 1] = field set[#set + 1] = n end\n"                                       \
    "    if #set >= 400 then redis.call('HSET', key, unpack(set)) set = {} end\n"                  \
    "    if #unset >= 400 then redis.call('HDEL', key, unpack(unset)) unset = {} end\n"            \
    "  end\n"                                                                                      \
    "  if #set > 0 then redis.call('HSET', key, unpack(set)) end\n"                                \
    "  if #unset > 0 then redis.call('HDEL', key, unpack(unset)) end\n"                            \
    "end\n"                                                                                        \
    /* where the sums were not read before: by what they have grown */                             \
    "local function grow()\n"                                                                      \
    "  local fields = {}\n"                                                                        \
    "  for field in pairs(counted) do fields[#fields + 1] = field end\n"                           \
    "  for _, field in ipairs(fields) do\n"                                                        \
    "    local is = redis.call('HINCRBY', LEDGER, field, sums[field])\n"                           \
    "    if is == 0 and field ~= 'total' then redis.call('HDEL', LEDGER, field) end\n"             \
    "  end\n"                                                                                      \
    "end\n"

/* What the registry says (docs/internals/redis.md): a function's reservation, and its classes by version. */
#define LIMITS                                                                                     \
    "local known = {}\n"                                                                           \
    "local function registry(fn)\n"                                                                \
    "  if known[fn] then return known[fn] end\n"                                                   \
    "  local key, out = P .. 'fn:' .. fn, {sum = 0, classes = {}}\n"                               \
    "  local reserved = redis.call('HGET', key .. ':settings', 'reserved')\n"                      \
    "  out.reserved = reserved and tonumber(reserved)\n"                                           \
    "  local docs = redis.call('HGETALL', key .. ':provisioned')\n"                                \
    "  for i = 1, #docs, 2 do\n"                                                                   \
    "    local version, n = docs[i], cjson.decode(docs[i + 1]).requested\n"                        \
    "    if string.find(version, '%D') then\n"                                                     \
    "      local alias = redis.call('HGET', key .. ':aliases', version)\n"                         \
    "      version = alias and cjson.decode(alias).FunctionVersion\n"                              \
    "    end\n"                                                                                    \
    "    out.sum = out.sum + n\n"                                                                  \
    "    if version then out.classes[version] = (out.classes[version] or 0) + n end\n"             \
    "  end\n"                                                                                      \
    "  known[fn] = out\n"                                                                          \
    "  return out\n"                                                                               \
    "end\n"                                                                                        \
    "local function limit(pool)\n"                                                                 \
    "  if pool == '*' then\n"                                                                      \
    "    local held = redis.call('MGET', P .. 'reserved', P .. 'provisioned')\n"                   \
    "    return math.max(0, A - tonumber(held[1] or 0) - tonumber(held[2] or 0))\n"                \
    "  end\n"                                                                                      \
    "  local fn, version = string.match(pool, '^([^:]+):?(.*)$')\n"                                \
    "  local has = registry(fn)\n"                                                                 \
    "  if version ~= '' then return has.classes[version] or 0 end\n"                               \
    "  return has.reserved and math.max(0, has.reserved - has.sum) or 0\n"                         \
    "end\n"

/*
 * First what is held less (and what has moved), of all pools; then what is wanted more. The bound is named that
 * left the least room: 1 the pool's limit, 2 its function's reservation, 3 the account's limit.
 */
struct redis_script lua_ledger_state = {
    .name = "ledger.state",
    .source = ENTER SUMS LIMITS
    "local gw = ARGV[5]\n"
    "local own, wants, leases, numbers = gateway_key(gw), {}, {}, {}\n"
    "local fields, held_fields = {'term', 'epoch', 'g:' .. gw, 'total'}, {}\n"
    "for i = 6, #ARGV, 5 do\n"
    "  local pool = ARGV[i]\n"
    "  local fn = fn_of(pool)\n"
    "  wants[#wants + 1] = {pool = pool, fn = fn, seq = tonumber(ARGV[i + 1]), held = tonumber(ARGV[i + 2]),\n"
    "                       want = tonumber(ARGV[i + 3]), moved = ARGV[i + 4] == 'moved', again = ARGV[i + 4] == 'again'}\n"
    "  fields[#fields + 1] = 'p:' .. pool\n"
    "  if fn then fields[#fields + 1] = 'f:' .. fn end\n"
    "  held_fields[#held_fields + 1] = 'l:' .. pool\n"
    "  held_fields[#held_fields + 1] = 's:' .. pool\n"
    "end\n"
    "local cur = redis.call('HMGET', LEDGER, unpack(fields))\n"
    "if not enter(cur[1]) then return {'deposed'} end\n"
    "if is_other(cur[2]) then return {'closed'} end\n"
    "if cur[3] ~= '1' then return {cur[3] and 'given up' or 'unknown'} end\n"
    "for i = 4, #fields do sums[fields[i]] = tonumber(cur[i] or 0) end\n"
    "local has = redis.call('HMGET', own, unpack(held_fields))\n"
    "for i, q in ipairs(wants) do\n"
    "  local seq = tonumber(has[2 * i] or 0)\n"
    "  q.lease = tonumber(has[2 * i - 1] or 0)\n"
    "  q.old = q.seq <= seq\n"
    "  if q.again then q.old = q.seq ~= seq end\n"
    "  if not q.old and not q.again then\n"
    "    numbers['s:' .. q.pool] = q.seq\n"
    "    if q.held < q.lease or q.moved then\n"
    "      add(q.pool, q.held - q.lease)\n"
    "      q.lease = q.held\n"
    "      leases['l:' .. q.pool] = q.lease\n"
    "    end\n"
    "  end\n"
    "end\n"
    "local function rooms(q)\n"
    "  local all = {limit(q.pool) - sums['p:' .. q.pool], math.huge, A - sums.total}\n"
    "  local reserved = q.fn and registry(q.fn).reserved\n"
    "  if reserved then all[2] = reserved - sums['f:' .. q.fn] end\n"
    "  return all\n"
    "end\n"
    "for _, q in ipairs(wants) do\n"
    "  q.bound = 0\n"
    "  if not q.old and q.want > q.lease then\n"
    "    local by = q.want - q.lease\n"
    "    for bound, room in ipairs(rooms(q)) do\n"
    "      if room < by then by, q.bound = room, bound end\n"
    "    end\n"
    "    by = math.max(0, by)\n"
    "    add(q.pool, by)\n"
    "    q.lease = q.lease + by\n"
    "    leases['l:' .. q.pool] = q.lease\n"
    "  end\n"
    "end\n"
    "local out = {'ok'}\n"
    "for _, q in ipairs(wants) do\n"
    "  local answer = {-1, 0, 0, 0}\n"
    "  if not q.old then\n"
    "    local all = rooms(q)\n"
    "    answer = {q.bound, math.max(0, q.lease - q.held), q.lease, math.min(unpack(all)) < 0 and 1 or 0}\n"
    "  end\n"
    "  for i = 1, 4 do out[#out + 1] = answer[i] end\n"
    "end\n"
    "local changed = {}\n"
    "for field in pairs(counted) do changed[field] = sums[field] end\n"
    "store(LEDGER, changed)\n"
    "store(own, leases)\n"
    "store(own, numbers)\n"
    "return out\n"};

struct redis_script lua_ledger_join = {
    .name = "ledger.join",
    .source = ENTER
    "local cur = redis.call('HMGET', LEDGER, 'term', 'epoch', 'g:' .. ARGV[5])\n"
    "if not enter(cur[1]) then return {'deposed'} end\n"
    "if is_other(cur[2]) then return {'closed'} end\n"
    "if cur[3] == '0' then return {'given up'} end\n"
    "redis.call('HSET', LEDGER, 'g:' .. ARGV[5], 1)\n"
    "return {'ok'}\n"};

struct redis_script lua_ledger_give_up = {
    .name = "ledger.give_up",
    .source = ENTER SUMS
    "local cur = redis.call('HMGET', LEDGER, 'term', 'epoch')\n"
    "if not enter(cur[1]) then return {'deposed'} end\n"
    "if is_other(cur[2]) then return {'closed'} end\n"
    "local own = gateway_key(ARGV[5])\n"
    "local has = redis.call('HGETALL', own)\n"
    "for i = 1, #has, 2 do\n"
    "  local pool = string.match(has[i], '^l:(.*)$')\n"
    "  if pool then add(pool, -tonumber(has[i + 1])) end\n"
    "end\n"
    "grow()\n"
    "redis.call('DEL', own)\n"
    "redis.call('HSET', LEDGER, 'g:' .. ARGV[5], 0)\n"
    "return {'ok'}\n"};

/* lines: the fields of a list. counts: @len pools and their counts from line @at on, as {o:<pool> = count}. */
#define LISTS                                                                                      \
    "local function lines(text)\n"                                                                 \
    "  local out = {}\n"                                                                           \
    "  for line in string.gmatch(text, '[^\\n]+') do out[#out + 1] = line end\n"                   \
    "  return out\n"                                                                               \
    "end\n"                                                                                        \
    "local function counts(list, at, len)\n"                                                       \
    "  local out = {}\n"                                                                           \
    "  for i = at, at + 2 * len - 1, 2 do\n"                                                       \
    "    local n = tonumber(list[i + 1])\n"                                                        \
    "    if n > 0 then out['o:' .. list[i]] = (out['o:' .. list[i]] or 0) + n end\n"               \
    "  end\n"                                                                                      \
    "  return out\n"                                                                               \
    "end\n"

struct redis_script lua_ledger_orphans = {
    .name = "ledger.orphans",
    .source = ENTER SUMS LISTS
    "local cur = redis.call('HMGET', LEDGER, 'term', 'epoch')\n"
    "if not enter(cur[1]) then return {'deposed'} end\n"
    "if is_other(cur[2]) then return {'closed'} end\n"
    "local node, incarnation, seq = ARGV[5], ARGV[6], tonumber(ARGV[7])\n"
    "local key = node_key(node)\n"
    "local is = redis.call('HMGET', key, 'incarnation', 'seq', 'was:' .. incarnation)\n"
    "if is[3] then return {'ok'} end\n"
    "if is[1] == incarnation and seq <= tonumber(is[2]) then return {'ok'} end\n"
    "local list = lines(ARGV[8])\n"
    "local new, write = counts(list, 1, #list / 2), {}\n"
    "local has = redis.call('HGETALL', key)\n"
    "for i = 1, #has, 2 do\n"
    "  local pool = string.match(has[i], '^o:(.*)$')\n"
    "  if pool then\n"
    "    add(pool, -tonumber(has[i + 1]))\n"
    "    write[has[i]] = 0\n"
    "  end\n"
    "end\n"
    "for field, n in pairs(new) do\n"
    "  add(string.sub(field, 3), n)\n"
    "  write[field] = n\n"
    "end\n"
    "grow()\n"
    "store(key, write)\n"
    "if is[1] and is[1] ~= incarnation then redis.call('HSET', key, 'was:' .. is[1], 1) end\n"
    "redis.call('HSET', key, 'incarnation', incarnation, 'seq', ARGV[7])\n"
    "redis.call('HSET', LEDGER, 'n:' .. node, 1)\n"
    "return {'ok'}\n"};

/* Sent again it is there already, and leases may have been granted since. */
struct redis_script lua_ledger_open = {
    .name = "ledger.open",
    .source = ENTER SUMS LISTS
    "local cur = redis.call('HMGET', LEDGER, 'term', 'epoch')\n"
    "if not enter(cur[1]) then return {'deposed'} end\n"
    "if cur[2] == EPOCH then return {'ok'} end\n"
    "if cur[2] and tonumber(cur[2]) > tonumber(EPOCH) then return {'newer'} end\n"
    "for _, field in ipairs(redis.call('HKEYS', LEDGER)) do\n"
    "  local kind, name = string.match(field, '^([gn]):(.*)$')\n"
    "  if kind then redis.call('DEL', kind == 'g' and gateway_key(name) or node_key(name)) end\n"
    "end\n"
    "redis.call('DEL', LEDGER)\n"
    "redis.call('HSET', LEDGER, 'term', TERM, 'epoch', EPOCH, 'run', ARGV[5], 'total', 0)\n"
    "local list, at = lines(ARGV[6]), 1\n"
    "while at <= #list do\n"
    "  local node, len = list[at], tonumber(list[at + 3])\n"
    "  local has = counts(list, at + 4, len)\n"
    "  for field, n in pairs(has) do add(string.sub(field, 3), n) end\n"
    "  store(node_key(node), has)\n"
    "  redis.call('HSET', node_key(node), 'incarnation', list[at + 1], 'seq', list[at + 2])\n"
    "  redis.call('HSET', LEDGER, 'n:' .. node, 1)\n"
    "  at = at + 4 + 2 * len\n"
    "end\n"
    "grow()\n"
    "return {'ok'}\n"};

/* Term 0 only looks. */
struct redis_script lua_ledger_read = {
    .name = "ledger.read",
    .source = ENTER
    "if TERM > 0 and not enter(redis.call('HGET', LEDGER, 'term')) then return {'deposed'} end\n"
    "local all, gateways, nodes = redis.call('HGETALL', LEDGER), {}, {}\n"
    "for i = 1, #all, 2 do\n"
    "  local kind, name = string.match(all[i], '^([gn]):(.*)$')\n"
    "  if kind == 'g' and all[i + 1] == '1' then\n"
    "    gateways[#gateways + 1] = name\n"
    "    gateways[#gateways + 1] = redis.call('HGETALL', gateway_key(name))\n"
    "  elseif kind == 'n' then\n"
    "    nodes[#nodes + 1] = name\n"
    "    nodes[#nodes + 1] = redis.call('HGETALL', node_key(name))\n"
    "  end\n"
    "end\n"
    "return {'ok', all, gateways, nodes}\n"};

/* Those that have to shrink: the account's common pool, the function's plain one, classes of other versions. */
struct redis_script lua_ledger_ready = {
    .name = "ledger.ready",
    .source = ENTER LIMITS
    "local fn, class = ARGV[5], ARGV[5] .. ':' .. ARGV[6]\n"
    "local cur = redis.call('HMGET', LEDGER, 'term', 'epoch', 'total', 'f:' .. fn, 'p:*', 'p:' .. class)\n"
    "if not enter(cur[1]) then return {'deposed'} end\n"
    "if is_other(cur[2]) then return {'closed'} end\n"
    "for i = 3, 6 do cur[i] = tonumber(cur[i] or 0) end\n"
    "local fits = cur[6]\n"
    "local function count(pool)\n"
    "  local total = tonumber(redis.call('HGET', LEDGER, 'p:' .. pool) or 0)\n"
    "  fits = fits + math.min(total, limit(pool))\n"
    "end\n"
    "count(fn)\n"
    "for version in pairs(registry(fn).classes) do\n"
    "  if version ~= ARGV[6] then count(fn .. ':' .. version) end\n"
    "end\n"
    "local need = math.max(0, limit(class) - cur[6])\n"
    "local ready = fits == cur[4] and cur[5] <= limit('*') and cur[3] + need <= A\n"
    "return {'ok', ready and 1 or 0}\n"};
