/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/leadership.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/base/clock.h"
#include "common/base/log.h"

#define LEADER_KEY "hearth:leader"
#define TERM_KEY "hearth:term"
#define SEAL_KEY_KEY "hearth:key"
#define RESIGN_LIMIT_US MSEC(500) /* then the key is left to its lease */
#define NUMBER_MAX 24
#define ID_MAX 64

enum state { STANDBY, LEADING, OVER };

struct leadership {
    struct leadership_options o;
    enum state state;
    uint64_t term; /* LEADING */
    uint64_t heard; /* the greatest that a peer has told of */
    bool doubted; /* scripts are held back until it is clear who leads */
    bool looked; /* once: who sat here before us has been seen, or has not */
    unsigned waiting; /* answers under way */
    uint64_t asked_us; /* when the newest look began, by clock_boot */
    uint64_t confirmed_us; /* when the one began that was answered last that we lead; 0: none */
    bool again; /* the script is to be sent anew when it is answered */
    bool confirm; /* on_lead is due though nothing has changed */
    bool freed;
    struct timer timer; /* the next look; of OVER: the end of giving back */
    void (*done)(void *arg); /* of leadership_resign() */
    void *done_arg;
};

/* KEYS: leader, term, key. ARGV: id, our term (0: we stand by), lease in ms, greatest term heard of, id
 * of the sealing key, our seat or "". Both keys hold "<term> <id>". */
static struct redis_script lua_hold = {
    .name = "leader_hold",
    .source =
        "local id, mine, heard = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])\n"
        "local function read(key)\n"
        "  local text = redis.call('GET', key)\n"
        "  if not text then return 0, false end\n"
        "  local term, whose = string.match(text, '^(%d+) (.*)$')\n"
        "  return tonumber(term) or 0, whose\n"
        "end\n"
        "local held, holder = read(KEYS[1])\n"
        "local last, owner = read(KEYS[2])\n"
        "local function text(term) return string.format('%.0f', term) end\n"
        "if mine > 0 then\n"
        "  if holder and holder ~= id and held >= mine then\n"
        "    return {'over', text(held), holder} end\n"
        "  if owner and owner ~= id and last >= mine then return {'over', text(last), owner} end\n"
        "  if heard >= mine then\n"
        "    if holder ~= id then return {'over', text(heard), ''} end\n"
        "    mine = heard + 1\n"
        "  end\n"
        "else\n"
        "  local key = redis.call('GET', KEYS[3])\n"
        "  if key and key ~= ARGV[5] then return {'key', '0', ''} end\n"
        "  local seat = ARGV[6]\n"
        "  if holder and (seat == '' or string.sub(holder, 1, #seat) ~= seat) then\n"
        "    return {'wait', text(held), holder} end\n"
        "  mine = math.max(last, heard) + 1\n"
        "end\n"
        "redis.call('SET', KEYS[1], text(mine) .. ' ' .. id, 'PX', ARGV[3])\n"
        "if owner ~= id or last ~= mine then\n"
        "  redis.call('SET', KEYS[2], text(mine) .. ' ' .. id) end\n"
        "redis.call('SET', KEYS[3], ARGV[5], 'NX')\n"
        "return {'lead', text(mine), id}",
    .is_free = true};

/* KEYS: leader. ARGV: id. */
static struct redis_script lua_give_back = {
    .name = "leader_give_back",
    .source = "local text = redis.call('GET', KEYS[1])\n"
              "if text and string.match(text, '^%d+ (.*)$') == ARGV[1] then\n"
              "  redis.call('DEL', KEYS[1])\n"
              "end\n"
              "return 1",
    .is_free = true};

int leadership_read(const struct redis_value *value, struct leadership_answer *ret,
                    struct error *err)
{
    static const char *const words[] = {[LEADERSHIP_LEADS] = "lead",
                                        [LEADERSHIP_WAITS] = "wait",
                                        [LEADERSHIP_OVER] = "over",
                                        [LEADERSHIP_OTHER_KEY] = "key"};
    const struct redis_value *items = value->items;
    size_t i;

    for (i = 0; value->type == REDIS_ARRAY && value->len == 3 && i < ARRAY_LEN(words); i++) {
        if (!str_is(items[0].str, words[i]) || str_parse_u64(items[1].str, &ret->term) < 0)
            continue;
        ret->verdict = (enum leadership_verdict)i;
        snprintf(ret->id, sizeof(ret->id), "%.*s", STR_ARG(items[2].str));
        return 0;
    }
    return error_set(err, ERR_PROTOCOL, "the answer about who leads makes no sense");
}

/* ---- the guard: scripts run only where hearth:term is ours */

static void guard(struct leadership *l, bool open)
{
    char value[NUMBER_MAX + ID_MAX];

    snprintf(value, sizeof(value), "%" PRIu64 " %s", l->term, l->o.id);
    redis_guard_set(l->o.redis, TERM_KEY, open ? value : "nobody");
    l->doubted = !open;
}

/* ---- what comes of an answer */

static void over(struct leadership *l, const struct error *why)
{
    l->state = OVER;
    timer_stop(&l->timer);
    guard(l, false);
    l->o.on_over(why, l->o.arg);
}

static void lead(struct leadership *l, uint64_t term)
{
    bool is_new = l->state != LEADING || l->term != term;

    if (is_new)
        log_info("leader", l->state == LEADING ? "leads on with a greater term" : "leads",
                 KV_U64("term", term));
    l->state = LEADING;
    l->term = term;
    l->confirmed_us = l->asked_us;
    if (is_new || l->doubted)
        guard(l, true);
    timer_start(&l->timer, l->again ? 0 : l->o.renew_us);
    if (is_new || l->confirm) {
        l->confirm = false;
        l->o.on_lead(term, l->o.arg);
    }
}

static void take_answer(struct leadership *l, const struct leadership_answer *answer)
{
    struct error why;

    switch (answer->verdict) {
    case LEADERSHIP_LEADS:
        lead(l, answer->term);
        return;
    case LEADERSHIP_WAITS:
        timer_start(&l->timer, l->again ? 0 : l->o.look_us);
        return;
    case LEADERSHIP_OVER:
        error_set(&why, ERR_STALE, "controller %s has been elected, with term %" PRIu64 " after our %" PRIu64,
                  answer->id[0] ? answer->id : "(unknown)", answer->term, l->term);
        over(l, &why);
        return;
    case LEADERSHIP_OTHER_KEY:
        error_set(&why, ERR_CONFIG,
                  "the functions in this Redis were sealed with another key than ours: all controllers "
                  "need the same HEARTH_KEY_FILE (if that key is lost for good: DEL " SEAL_KEY_KEY
                  ", and create anew the functions that have environments)");
        over(l, &why);
        return;
    }
}

static void take(struct leadership *l, const struct redis_value *value, const struct error *err)
{
    struct leadership_answer answer;
    struct error wrong;

    if (!err && leadership_read(value, &answer, &wrong) < 0)
        err = &wrong;
    if (!err) {
        l->looked = true;
        take_answer(l, &answer);
    } else { /* away: its return wakes us; this is for errors of other kinds */
        log_debug("leader", "Redis does not say who leads", KV_ERR(err));
        timer_start(&l->timer, l->o.look_us);
    }
}

static void on_answer(const struct redis_value *value, const struct error *err, void *arg)
{
    struct leadership *l = arg;

    l->waiting--;
    if (l->freed && l->waiting == 0)
        free(l);
    else if (!l->freed && l->state != OVER)
        take(l, value, err);
}

/* Looks who leads; holds on to the key, or takes it when it is free. */
static void look(void *arg)
{
    struct leadership *l = arg;
    const struct str keys[] = {STR(LEADER_KEY), STR(TERM_KEY), STR(SEAL_KEY_KEY)};
    char term[NUMBER_MAX], lease[NUMBER_MAX], heard[NUMBER_MAX];
    struct str args[6];

    l->again = l->waiting > 0;
    if (l->again)
        return;
    if (!redis_is_up(l->o.redis))
        return;
    snprintf(term, sizeof(term), "%" PRIu64, l->state == LEADING ? l->term : 0);
    snprintf(lease, sizeof(lease), "%" PRIu64, l->o.lease_us / 1000);
    snprintf(heard, sizeof(heard), "%" PRIu64, l->heard);
    args[0] = str_of(l->o.id);
    args[1] = str_of(term);
    args[2] = str_of(lease);
    args[3] = str_of(heard);
    args[4] = str_of(l->o.key_id);
    args[5] = str_of(l->looked ? "" : l->o.seat);
    l->waiting++;
    l->asked_us = clock_now_us(&clock_boot);
    redis_eval(l->o.redis, &lua_hold, keys, ARRAY_LEN(keys), args, ARRAY_LEN(args), on_answer, l);
}

void leadership_redis_here(struct leadership *l)
{
    if (l->state == OVER)
        return;
    l->confirm = true;
    look(l);
}

void leadership_heard(struct leadership *l, uint64_t term)
{
    if (l->state == OVER || term <= l->heard)
        return;
    l->heard = term;
    if (l->state != LEADING || term < l->term)
        return;
    log_warn("leader", "a peer knows of another leader; asking Redis", KV_U64("term", term),
             KV_U64("ours", l->term));
    guard(l, false);
    look(l);
}

uint64_t leadership_term(const struct leadership *l)
{
    return l->state == LEADING ? l->term : 0;
}

uint64_t leadership_age_us(const struct leadership *l)
{
    return l->confirmed_us ? clock_now_us(&clock_boot) - l->confirmed_us : UINT64_MAX;
}

/* ---- giving it back */

static void given_back(void *arg)
{
    struct leadership *l = arg;
    void (*done)(void *arg) = TAKE(l->done);

    timer_stop(&l->timer);
    if (done)
        done(l->done_arg);
}

static void on_given_back(const struct redis_value *value, const struct error *err, void *arg)
{
    struct leadership *l = arg;
    (void)value;
    (void)err;

    l->waiting--;
    if (l->freed && l->waiting == 0)
        free(l);
    else if (!l->freed)
        given_back(l);
}

void leadership_resign(struct leadership *l, void (*done)(void *arg), void *arg)
{
    const struct str key = STR(LEADER_KEY), id = str_of(l->o.id);
    bool leads = l->state == LEADING && redis_is_up(l->o.redis);

    l->state = OVER;
    guard(l, false);
    l->done = done;
    l->done_arg = arg;
    timer_stop(&l->timer);
    timer_init(&l->timer, l->o.loop, given_back, l);
    timer_start(&l->timer, leads ? RESIGN_LIMIT_US : 0);
    if (!leads)
        return;
    l->waiting++;
    redis_eval(l->o.redis, &lua_give_back, &key, 1, &id, 1, on_given_back, l);
}

/* ---- life */

struct leadership *leadership_new(const struct leadership_options *options)
{
    struct leadership *l = xcalloc(sizeof(*l));

    l->o = *options;
    timer_init(&l->timer, options->loop, look, l);
    guard(l, false);
    return l;
}

void leadership_free(struct leadership *l)
{
    if (!l)
        return;
    timer_stop(&l->timer);
    l->freed = true;
    if (l->waiting == 0)
        free(l);
}
