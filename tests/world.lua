-- SPDX-License-Identifier: Apache-2.0
--
-- What must be true of an account's keys at every moment, whoever wrote them and whatever failed.
-- EVAL with the account's prefix ("hearth:{<account>}:"); answers one text for each thing that is not so.
-- Keys: docs/internals/redis.md.
local prefix = ARGV[1]
local bad = {}
local function note(...) bad[#bad + 1] = string.format(...) end
local function hash(key)
  local flat, out = redis.call('HGETALL', prefix .. key), {}
  for i = 1, #flat, 2 do out[flat[i]] = flat[i + 1] end
  return out
end
local function set(command, ...)
  local out = {}
  for _, m in ipairs(redis.call(command, ...)) do out[m] = true end
  return out
end
local function same(what, a, b)
  for k in pairs(a) do if not b[k] then note('%s: %s is in the first only', what, k) end end
  for k in pairs(b) do if not a[k] then note('%s: %s is in the second only', what, k) end end
end

local names = set('ZRANGE', prefix .. 'fns', 0, -1)
local hashes, layers, code = {}, {}, {}
for _, key in ipairs(redis.call('KEYS', prefix .. '*')) do
  local rest = string.sub(key, #prefix + 1)
  local name, kind = string.match(rest, '^fn:([^:]+):?(.*)$')
  if name and kind == '' then hashes[name] = true end
  if name and kind ~= '' and redis.call('EXISTS', prefix .. 'fn:' .. name) == 0 then
    note('%s is left of a function that is not there', rest)
  end
  local sha = string.match(rest, '^code:(.*)$')
  if sha then code[sha] = set('SMEMBERS', key) end
  local layer = string.match(rest, '^layer:(.*)$')
  if layer then layers[layer] = true end
end
same('names and functions', names, hashes)

-- what the other keys have to say
local users, bytes, reserved, provisioned, changing, signed, urls = {}, 0, 0, 0, {}, {}, {}
local function use(shas, who)
  for sha in string.gmatch(shas or '', '%S+') do
    users[sha] = users[sha] or {}
    users[sha][who] = true
  end
end
for name in pairs(hashes) do
  local fn = hash('fn:' .. name)
  for _, field in ipairs({'doc', 'gen', 'seq', 'rev', 'stage', 'code', 'bytes'}) do
    if not fn[field] then note('function %s has no %s', name, field) end
  end
  use(fn.code, name)
  use(fn.serving_code, name)
  bytes = bytes + (tonumber(fn.bytes) or 0) + (tonumber(fn.serving_bytes) or 0)
  if fn.stage ~= '' then changing[name] = true end
  if (fn.stage == '') == (fn.change ~= nil) then note('function %s: stage "%s" and change', name, fn.stage) end
  if fn.stage ~= 'prepare' and fn.serving then note('function %s serves two', name) end

  local versions, vcode, vbytes = hash('fn:' .. name .. ':versions'), hash('fn:' .. name .. ':vcode'), hash('fn:' .. name .. ':vbytes')
  same('versions and archives of ' .. name, versions, vcode)
  same('versions and sizes of ' .. name, versions, vbytes)
  for n, shas in pairs(vcode) do
    use(shas, name .. ':' .. n)
    bytes = bytes + vbytes[n]
  end
  local settings = hash('fn:' .. name .. ':settings')
  reserved = reserved + (tonumber(settings.reserved) or 0)
  if not settings.reserved then
    for _, text in pairs(hash('fn:' .. name .. ':provisioned')) do
      provisioned = provisioned + cjson.decode(text).requested
    end
  end
  local csc = settings.code_signing and string.match(settings.code_signing, 'csc%-%w+')
  if csc then
    signed[csc] = signed[csc] or {}
    signed[csc][name] = true
  end
  for q, text in pairs(hash('fn:' .. name .. ':urls')) do urls[cjson.decode(text).Id] = name .. ':' .. q end
  for n in pairs(versions) do
    if tonumber(n) >= (tonumber(settings.next_version) or 1) then note('version %s:%s is ahead of its number', name, n) end
  end
  local aliases = hash('fn:' .. name .. ':aliases')
  for alias, text in pairs(aliases) do
    local doc = cjson.decode(text)
    local function leads(n)
      if n ~= '$LATEST' and not versions[n] then note('alias %s:%s leads to version %s, which is not there', name, alias, n) end
    end
    leads(doc.FunctionVersion)
    for n in pairs(doc.RoutingConfig and doc.RoutingConfig.AdditionalVersionWeights or {}) do leads(n) end
  end
  for _, kind in ipairs({'policies', 'urls', 'events', 'provisioned', 'runtimes'}) do
    for q in pairs(hash('fn:' .. name .. ':' .. kind)) do
      if q ~= '$LATEST' and not versions[q] and not aliases[q] then note('%s of %s:%s, which is not there', kind, name, q) end
    end
  end
end
same('changes and stages', set('SMEMBERS', prefix .. 'changes'), changing)

local entries = hash('layer')
same('names of layers', set('ZRANGE', prefix .. 'layers', 0, -1), entries)
for layer in pairs(layers) do
  for n, text in pairs(hash('layer:' .. layer)) do
    local doc = cjson.decode(text)
    use(doc.sha256, 'layer:' .. layer .. ':' .. n)
    bytes = bytes + doc.bytes
    if not entries[layer] or tonumber(n) >= cjson.decode(entries[layer]).next then note('layer %s:%s is ahead of its number', layer, n) end
  end
end

same('archives', code, users)
for sha, who in pairs(users) do same('users of archive ' .. sha, code[sha] or {}, who) end
local function number(key) return tonumber(redis.call('GET', prefix .. key) or 0) end
if number('code_bytes') ~= bytes then note('code_bytes is %d, it should be %d', number('code_bytes'), bytes) end
if number('reserved') ~= reserved then note('reserved is %d, it should be %d', number('reserved'), reserved) end
if number('provisioned') ~= provisioned then
  note('provisioned is %d, it should be %d', number('provisioned'), provisioned)
end

local configs, kept = hash('csc'), {}
same('names of code signing configurations', set('ZRANGE', prefix .. 'cscs', 0, -1), configs)
for _, key in ipairs(redis.call('KEYS', prefix .. 'csc_fns:*')) do
  local csc = string.match(key, 'csc_fns:(.*)$')
  kept[csc] = set('ZRANGE', key, 0, -1)
end
same('functions that name a code signing configuration', kept, signed)
for csc, who in pairs(signed) do
  same('functions of ' .. csc, kept[csc] or {}, who)
  if not configs[csc] then note('a function names %s, which is not there', csc) end
end
local ids = hash('urls')
same('ids of URLs', ids, urls)
for id, text in pairs(ids) do
  local doc = cjson.decode(text)
  local q = doc.qualifier == '' and '$LATEST' or doc.qualifier
  if urls[id] and doc['function'] .. ':' .. q ~= urls[id] then note('URL %s is of %s', id, urls[id]) end
end
local esms, paired = hash('esm'), {}
same('names of mappings', set('ZRANGE', prefix .. 'esms', 0, -1), esms)
for pair, uuid in pairs(hash('esm_pairs')) do
  if not esms[uuid] then note('pair "%s" is of mapping %s, which is not there', pair, uuid) end
  paired[uuid] = true
end
same('mappings and pairs', esms, paired)
for arn in pairs(hash('tags:esm')) do
  if not esms[string.match(arn, '[^:]*$')] then note('tags of %s, which is not there', arn) end
end
for arn in pairs(hash('tags:csc')) do
  if not configs[string.match(arn, '[^:]*$')] then note('tags of %s, which is not there', arn) end
end
local roles, policies, attached, kept_attached = hash('iam:role'), hash('iam:policy'), {}, {}
same('names of roles', set('ZRANGE', prefix .. 'iam:roles', 0, -1), roles)
same('names of policies', set('ZRANGE', prefix .. 'iam:policies', 0, -1), policies)
for role, text in pairs(roles) do
  for _, arn in ipairs(cjson.decode(text).AttachedPolicies or {}) do
    attached[arn] = attached[arn] or {}
    attached[arn][role] = true
    local own = string.match(arn, '^arn:aws:iam::%d+:policy/(.*)$')
    if own and not policies[string.lower(string.match(own, '[^/]*$'))] then note('role %s has %s, which is not there', role, arn) end
  end
end
for _, key in ipairs(redis.call('KEYS', prefix .. 'iam:attached:*')) do
  kept_attached[string.match(key, 'iam:attached:(.*)$')] = set('ZRANGE', key, 0, -1)
end
same('attached policies', kept_attached, attached)
for arn, who in pairs(attached) do same('roles with ' .. arn, kept_attached[arn] or {}, who) end
-- permits: the sums of the ledger are those of all leases and orphans
local ledger, sums = hash('permits'), {}
local function count(pool, n)
  if not string.match(n, '^[1-9]%d*$') then note('permits: %s of pool %s', n, pool) end
  local fn = string.match(pool, '^[^:*]+')
  for _, field in ipairs({'total', 'p:' .. pool, fn and 'f:' .. fn}) do sums[field] = (sums[field] or 0) + n end
end
for _, key in ipairs(redis.call('KEYS', prefix .. 'permits_*')) do
  local kind, who = string.match(string.sub(key, #prefix + 1), '^permits_(%a+):(.*)$')
  local has = hash(string.sub(key, #prefix + 1))
  if kind == 'gateway' and ledger['g:' .. who] ~= '1' then note('permits: gateway %s has not joined', who) end
  if kind == 'node' and ledger['n:' .. who] ~= '1' then note('permits: node %s is not in the ledger', who) end
  if kind == 'node' and not (has.incarnation and has.seq) then note('permits: node %s has no incarnation or number', who) end
  for field, n in pairs(has) do
    local what, pool = string.match(field, '^([lo]):(.*)$')
    if what then count(pool, n) end
    if what == 'l' and not has['s:' .. pool] then note('permits: lease of %s for %s without a number', who, pool) end
  end
end
if ledger.epoch then sums.total = sums.total or 0 end
for field, n in pairs(ledger) do
  if (field == 'total' or string.match(field, '^[pf]:')) and tonumber(n) ~= sums[field] then
    note('permits: %s is %s, it should be %s', field, n, tostring(sums[field]))
  end
end
for field, n in pairs(sums) do
  if not ledger[field] then note('permits: %s is missing, it should be %d', field, n) end
end
if ledger.epoch and not (ledger.term and ledger.run) then note('permits: the ledger has no term or no run') end

local account = string.match(prefix, '{(.*)}')
if (next(hashes) or next(layers)) and redis.call('SISMEMBER', 'hearth:accounts', account) == 0 then
  note('account %s was never entered', account)
end
return bad
