/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/ledger/mutants.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/str.h"
#include "controller/permits/ledger_lua.h"

struct mutant {
    struct redis_script *script;
    const char *name, *from, *to;
};

#define TERM "if TERM < term then return false end"
#define NEWER_TERM "if TERM > term then redis.call('HSET', LEDGER, 'term', TERM) end"
#define EPOCH "return epoch ~= EPOCH"
/* what every script has, and must have */
#define ALL_HAVE(name, script)                                                                     \
    {&(script), name " takes an older term", TERM, ""},                                            \
        {&(script), name " does not take over a newer term", NEWER_TERM, ""},                      \
    {                                                                                              \
        &(script), name " does not look at the epoch", EPOCH, "return false"                       \
    }

static const struct mutant mutants[] = {
    ALL_HAVE("state", lua_ledger_state),
    ALL_HAVE("join", lua_ledger_join),
    ALL_HAVE("give_up", lua_ledger_give_up),
    ALL_HAVE("orphans", lua_ledger_orphans),
    ALL_HAVE("ready", lua_ledger_ready),
    {&lua_ledger_open, "open takes an older term", TERM, ""},
    {&lua_ledger_read, "read takes an older term", TERM, ""},
    {&lua_ledger_read, "read does not take over a newer term", NEWER_TERM, ""},
    {&lua_ledger_state, "no sequence numbers", "q.old = q.seq <= seq", "q.old = false"},
    {&lua_ledger_state, "a question twice", "q.old = q.seq <= seq", "q.old = q.seq < seq"},
    {&lua_ledger_state, "the number is not kept", "numbers['s:' .. q.pool] = q.seq", ""},
    {&lua_ledger_state, "an old question again", "q.old = q.seq ~= seq", "q.old = false"},
    {&lua_ledger_state, "again gives up", "if not q.old and not q.again then", "if not q.old then"},
    {&lua_ledger_state, "compares what is wanted, not what is held", "q.held < q.lease or",
     "q.want < q.lease or"},
    {&lua_ledger_state, "nothing moves", " or q.moved", ""},
    {&lua_ledger_state, "no limit of the pool", "{limit(q.pool) - sums['p:' .. q.pool],",
     "{math.huge,"},
    {&lua_ledger_state, "no total of the function", "if reserved then all[2]",
     "if false then all[2]"},
    {&lua_ledger_state, "no total of the account", "A - sums.total}", "math.huge}"},
    {&lua_ledger_state, "all or nothing", "by, q.bound = room, bound end", "by, q.bound = 0, bound end"},
    {&lua_ledger_state, "one too many", "by = math.max(0, by)", "by = math.max(0, by + 1)"},
    {&lua_ledger_state, "says all of the lease", "math.max(0, q.lease - q.held)", "q.lease"},
    {&lua_ledger_state, "drains for the pool only", "math.min(unpack(all)) < 0", "all[1] < 0"},
    {&lua_ledger_state, "any gateway", "if cur[3] ~= '1' then", "if false then"},
    {&lua_ledger_state, "functions are not summed up", "'p:' .. pool, fn and 'f:' .. fn}",
     "'p:' .. pool}"},
    {&lua_ledger_state, "what was given up stays a lease",
     "      q.lease = q.held\n      leases['l:' .. q.pool] = q.lease\n", "      q.lease = q.held\n"},
    {&lua_ledger_state, "the common pool has what is reserved", "A - tonumber(held[1] or 0) -", "A -"},
    {&lua_ledger_state, "the common pool has what is provisioned", " - tonumber(held[2] or 0))", ")"},
    {&lua_ledger_state, "plain permits have what is provisioned", "has.reserved - has.sum",
     "has.reserved"},
    {&lua_ledger_state, "aliases lead nowhere", "if string.find(version, '%D') then", "if false then"},
    {&lua_ledger_state, "one qualifier of a version", "(out.classes[version] or 0) + n", "n"},
    {&lua_ledger_state, "functions share what was read", "known[fn] = out", "known[fn] = out known['f'] = out"},
    {&lua_ledger_join, "who was given up joins again", "if cur[3] == '0' then return {'given up'} end",
     ""},
    {&lua_ledger_give_up, "its permits are lost", "add(pool, -tonumber(has[i + 1]))", ""},
    {&lua_ledger_give_up, "its leases stay", "redis.call('DEL', own)", ""},
    {&lua_ledger_give_up, "it is forgotten", "redis.call('HSET', LEDGER, 'g:' .. ARGV[5], 0)",
     "redis.call('HDEL', LEDGER, 'g:' .. ARGV[5])"},
    {&lua_ledger_orphans, "no sequence numbers", "and seq <= tonumber(is[2])", "and false"},
    {&lua_ledger_orphans, "one sequence for all processes", "is[1] == incarnation and seq",
     "is[1] and seq"},
    {&lua_ledger_orphans, "a process comes back", "if is[3] then return {'ok'} end", ""},
    {&lua_ledger_orphans, "forgets which were replaced", "if is[1] and is[1] ~= incarnation then",
     "if false then"},
    {&lua_ledger_orphans, "counts are added", "add(pool, -tonumber(has[i + 1]))", ""},
    {&lua_ledger_orphans, "those that have ended stay", "write[has[i]] = 0", ""},
    {&lua_ledger_open, "the same again", "if cur[2] == EPOCH then return {'ok'} end", ""},
    {&lua_ledger_open, "an older epoch", "if cur[2] and tonumber(cur[2]) > tonumber(EPOCH) then",
     "if false then"},
    {&lua_ledger_open, "leases stay", "if kind then", "if kind == 'n' then"},
    {&lua_ledger_open, "what nodes ran stays", "if kind then", "if kind == 'g' then"},
    {&lua_ledger_open, "sums stay", "redis.call('DEL', LEDGER)", ""},
    {&lua_ledger_open, "what runs is not counted", "add(string.sub(field, 3), n)", ""},
    {&lua_ledger_ready, "others' excess", "fits == cur[4] and ", ""},
    {&lua_ledger_ready, "others' excess is theirs", "math.min(total, limit(pool))", "total"},
    {&lua_ledger_ready, "the common pool's excess", "cur[5] <= limit('*') and ", ""},
    {&lua_ledger_ready, "no room in the account", " and cur[3] + need <= A", ""},
};
const size_t mutants_len = ARRAY_LEN(mutants);

static struct {
    struct redis_script *script;
    const char *source;
    char *changed;
} now;

const char *mutant_begin(size_t i)
{
    const struct mutant *m = &mutants[i];
    const char *source = m->script->source, *at = strstr(source, m->from);

    if (!at || strstr(at + 1, m->from))
        return NULL;
    now.script = m->script;
    now.source = source;
    now.changed = str_printf("%.*s%s%s", (int)(at - source), source, m->to, at + strlen(m->from));
    m->script->source = now.changed;
    m->script->sha1[0] = '\0';
    return m->name;
}

void mutant_end(void)
{
    now.script->source = now.source;
    now.script->sha1[0] = '\0';
    free(now.changed);
}
