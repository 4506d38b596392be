/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permits_bench - what a permit costs: through leases (gateway/leases.h asking controller/permits/ledger.h), against a script for
 * each permit, in turn on one Redis.
 *
 * Leases: gateways that each get invocations of functions with and without a reservation, by virtual time: arrivals
 * at random, at a rate of each function's own that changes every second, run for an exponentially distributed time. What is asked goes to the real
 * ledger, one round trip at a time while virtual time stands still.
 * A script for each: ZREMRANGEBYSCORE of what has lapsed, ZCARD against the limit, ZADD; ZREM gives it back. Sixty-four
 * permits under way, so that nothing waits for a round trip.
 *
 *   permits_bench [invocations of a round] [rounds]
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "common/base/alloc.h"
#include "common/base/random.h"
#include "controller/permits/ledger.h"
#include "controller/redis_fixture.h"
#include "gateway/leases.h"

#define ACCOUNT "000000000000"
#define PREFIX "hearth:{" ACCOUNT "}:"
#define GATEWAYS 4
#define FNS 9 /* the first one has no reservation: "*" */
#define RESERVED 100
#define ACCOUNT_LIMIT 2000
#define EPOCH 1
#define PER_SECOND 4000.0 /* invocations of all gateways; the n-th function has 1/n of the first one's */
#define RUNS_US 20000.0
#define WARM_UP_US SECONDS(3)
#define RUNS_MAX 65536u
#define IN_FLIGHT 64u
#define ROUNDS_MAX 15u

struct gateway {
    struct leases *l;
    struct lease_pool *pools[FNS];
    uint64_t next_us;
    bool is_woken;
};

/* An arrival of a function at a gateway, or the end of a run. */
struct event {
    uint64_t at_us;
    uint32_t gateway, fn, run; /* run: RUNS_MAX for an arrival */
};

struct run {
    struct permit permit;
    struct permit_wait wait;
    uint32_t gateway, fn;
};

/* A question on its way to the ledger. */
struct asked {
    struct gateway *gateway;
    uint64_t number;
    size_t len;
    struct lease_question questions[];
};

struct cost {
    double wall_us, redis_us, commands;
};

static struct {
    struct redis_fixture server;
    struct loop *loop;
    struct redis *redis;
    struct ledger *ledger;
    struct ledger_at at;
    struct gateway gateways[GATEWAYS];
    struct event heap[RUNS_MAX + GATEWAYS * FNS];
    size_t heap_len;
    struct run runs[RUNS_MAX];
    uint32_t free[RUNS_MAX];
    size_t free_len;
    struct random random;
    uint64_t now, second; /* virtual */
    double rates[FNS]; /* of this second, against the average */
    unsigned waiting; /* for Redis */
    uint64_t done, throttled, commands;
    char info[16384];
} b;

static void die(const char *what, const struct error *err)
{
    fprintf(stderr, "permits_bench: %s: %s\n", what, err ? err->msg : "");
    exit(1);
}

/* ---- Redis ---- */

static void wait_for_redis(void)
{
    while (b.waiting)
        loop_run(b.loop);
}

static void came_back(void)
{
    b.waiting--;
    loop_stop(b.loop);
}

static void on_reply(const struct redis_value *value, const struct error *err, void *arg)
{
    (void)arg;
    if (err)
        die("a command", err);
    if (value->type == REDIS_STRING)
        snprintf(b.info, sizeof(b.info), "%.*s", STR_ARG(value->str));
    came_back();
}

/* One command, its words parted by blanks. */
static void command(const char *text)
{
    struct str rest = str_of(text), word, words[8];
    size_t len = 0;

    while (str_split(&rest, ' ', &word))
        words[len++] = word;
    b.waiting++;
    redis_command(b.redis, words, len, on_reply, NULL);
    wait_for_redis();
}

/* The processor time that Redis has used, microseconds. */
static double redis_cpu_us(void)
{
    const char *user, *sys;

    command("INFO cpu");
    user = strstr(b.info, "used_cpu_user:");
    sys = strstr(b.info, "used_cpu_sys:");
    if (!user || !sys)
        die("INFO cpu", NULL);
    return (strtod(user + strlen("used_cpu_user:"), NULL) + strtod(sys + strlen("used_cpu_sys:"), NULL)) * 1e6;
}

/* ---- events, the nearest first ---- */

static void event_add(struct event e)
{
    size_t i = b.heap_len++;

    for (; i > 0 && b.heap[(i - 1) / 2].at_us > e.at_us; i = (i - 1) / 2)
        b.heap[i] = b.heap[(i - 1) / 2];
    b.heap[i] = e;
}

static struct event event_take(void)
{
    struct event first = b.heap[0], last = b.heap[--b.heap_len];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < b.heap_len) {
        child += child + 1 < b.heap_len && b.heap[child + 1].at_us < b.heap[child].at_us;
        if (last.at_us <= b.heap[child].at_us)
            break;
        b.heap[i] = b.heap[child];
        i = child;
    }
    b.heap[i] = last;
    return first;
}

static uint64_t exponential(double mean_us)
{
    return (uint64_t)(-log(1.0 - random_unit(&b.random)) * mean_us);
}

static void arrive_next(uint32_t gateway, uint32_t fn)
{
    double sum = 0, per_second;
    int i;

    for (i = 1; i <= FNS; i++)
        sum += 1.0 / i;
    per_second = PER_SECOND * b.rates[fn] / (fn + 1) / sum / GATEWAYS;
    event_add((struct event){b.now + exponential(1e6 / per_second), gateway, fn, RUNS_MAX});
}

/* ---- the gateways' leases ---- */

static void on_joined(const struct error *err, void *arg)
{
    struct asked *asked = arg;

    if (err)
        die("join", err);
    leases_joined(asked->gateway->l, asked->number, EPOCH, NULL, b.now);
    free(asked);
    came_back();
}

static void join(const char *incarnation, uint64_t number, void *arg)
{
    struct asked *asked = xcalloc(sizeof(*asked));

    asked->gateway = arg;
    asked->number = number;
    b.waiting++;
    ledger_join(b.ledger, &b.at, str_of(incarnation), on_joined, asked);
}

static void on_state(const struct ledger_answer *answers, size_t len, const struct error *err,
                     void *arg)
{
    struct asked *asked = arg;
    struct lease_answer told[LEASE_BATCH_MAX];
    size_t i;

    if (err)
        die("state", err);
    for (i = 0; i < len; i++) {
        const struct lease_question *q = &asked->questions[i];

        told[i] = (struct lease_answer){.account = q->account, .pool = q->pool, .seq = q->seq,
                                        .more = answers[i].more, .drain = answers[i].drain,
                                        .dry = q->held + answers[i].more < q->need};
    }
    leases_answered(asked->gateway->l, asked->number, told, len, b.now);
    free(asked);
    came_back();
}

static void ask(const char *incarnation, uint64_t epoch, uint64_t number,
                const struct lease_question *questions, size_t len, void *arg)
{
    struct asked *asked = xcalloc(sizeof(*asked) + len * sizeof(asked->questions[0]));
    struct ledger_question to[LEASE_BATCH_MAX];
    size_t i;

    (void)epoch;
    asked->gateway = arg;
    asked->number = number;
    asked->len = len;
    for (i = 0; i < len; i++) {
        asked->questions[i] = questions[i]; /* pools are referred to here, so their names stay */
        to[i] = (struct ledger_question){.pool = questions[i].pool, .seq = questions[i].seq,
                                         .held = questions[i].held, .want = questions[i].want};
    }
    b.waiting++;
    b.commands++;
    ledger_state(b.ledger, &b.at, str_of(incarnation), to, len, on_state, asked);
}

static void wake(void *arg)
{
    ((struct gateway *)arg)->is_woken = true;
}

static void begin_run(struct run *run)
{
    run->permit.is_sent = true;
    event_add((struct event){b.now + exponential(RUNS_US), run->gateway, run->fn,
                             (uint32_t)(run - b.runs)});
}

static void end_run(struct run *run)
{
    b.done++;
    b.free[b.free_len++] = (uint32_t)(run - b.runs);
}

static void on_told(struct permit_wait *w)
{
    struct run *run = CONTAINER_OF(w, struct run, wait);

    if (permit_is_held(&run->permit)) {
        begin_run(run);
        return;
    }
    b.throttled++;
    end_run(run);
}

static void arrive(struct gateway *g, uint32_t gateway, uint32_t fn)
{
    struct run *run;
    int r;

    if (b.free_len == 0)
        die("too many run", NULL);
    run = &b.runs[b.free[--b.free_len]];
    *run = (struct run){.gateway = gateway, .fn = fn};
    r = lease_take(g->pools[fn], STR("f"), b.now, &run->permit);
    if (r == 0) {
        begin_run(run);
    } else if (r == -ERR_NOT_READY) {
        run->wait = (struct permit_wait){.permit = &run->permit, .function = STR("f"), .fn = on_told};
        list_init(&run->wait.node);
        lease_wait(g->pools[fn], &run->wait);
    } else {
        b.throttled++;
        end_run(run);
    }
}

static void turn(struct gateway *g)
{
    while (g->is_woken || b.now >= g->next_us) {
        g->is_woken = false;
        g->next_us = leases_turn(g->l, b.now);
        wait_for_redis();
    }
}

/* Each function by itself: nearly nothing up to twice its average. */
static void change_rates(void)
{
    int f;

    b.second = b.now / SECONDS(1);
    for (f = 0; f < FNS; f++)
        b.rates[f] = 0.02 + 1.96 * random_unit(&b.random);
}

static void step(void)
{
    struct event e = event_take();
    struct gateway *g = &b.gateways[e.gateway];

    b.now = e.at_us;
    if (b.now / SECONDS(1) != b.second)
        change_rates();
    if (e.run == RUNS_MAX) {
        arrive(g, e.gateway, e.fn);
        arrive_next(e.gateway, e.fn);
    } else {
        permit_return(&b.runs[e.run].permit);
        end_run(&b.runs[e.run]);
    }
    turn(g);
}

static void run_until(uint64_t until_us)
{
    while (b.now < until_us)
        step();
}

static void gateways_begin(void)
{
    static const struct leases_ops ops = {.wake = wake, .join = join, .ask = ask};
    char id[16], name[16];
    uint32_t i, f;

    for (i = 0; i < RUNS_MAX; i++)
        b.free[b.free_len++] = i;
    change_rates();
    for (i = 0; i < GATEWAYS; i++) {
        struct gateway *g = &b.gateways[i];

        snprintf(id, sizeof(id), "g%u", i);
        g->l = leases_new(id, &ops, g);
        for (f = 0; f < FNS; f++) {
            snprintf(name, sizeof(name), f ? "f%u" : "*", f);
            g->pools[f] = leases_pool(g->l, STR(ACCOUNT), str_of(name));
            arrive_next(i, f);
        }
        leases_link(g->l, true);
        turn(g);
    }
}

static struct cost with_leases(uint64_t invocations)
{
    uint64_t began, done = b.done, commands = b.commands;
    double redis = redis_cpu_us(), n;
    struct cost cost;

    began = now_us();
    while (b.done - done < invocations)
        step();
    n = (double)(b.done - done);
    cost.wall_us = (double)(now_us() - began) / n;
    cost.redis_us = (redis_cpu_us() - redis) / n;
    cost.commands = (double)(b.commands - commands) / n;
    return cost;
}

/* ---- a script for each permit ---- */

static struct redis_script lua_permit = {
    .name = "bench.permit",
    .source = "local time = redis.call('TIME')\n"
              "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1])\n"
              "if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end\n"
              "redis.call('ZADD', KEYS[1], time[1] + ARGV[2], ARGV[3])\n"
              "return 1\n"};

static uint64_t to_take, taken;

static void take_one(uintptr_t slot);

static void on_given_back(const struct redis_value *value, const struct error *err, void *arg)
{
    (void)value;
    if (err)
        die("ZREM", err);
    b.waiting--;
    taken++;
    if (to_take)
        take_one((uintptr_t)arg);
    else if (b.waiting == 0)
        loop_stop(b.loop);
}

static void on_permit(const struct redis_value *value, const struct error *err, void *arg)
{
    char id[24];
    struct str words[] = {STR("ZREM"), STR(PREFIX "bench"), STR_NULL};

    if (err || value->integer != 1)
        die("a permit", err);
    snprintf(id, sizeof(id), "request-%zu", (size_t)arg);
    words[2] = str_of(id);
    redis_command(b.redis, words, ARRAY_LEN(words), on_given_back, arg);
}

static void take_one(uintptr_t slot)
{
    struct str key = STR(PREFIX "bench"), args[] = {STR("1000"), STR("900"), STR_NULL};
    char id[24];

    snprintf(id, sizeof(id), "request-%zu", (size_t)slot);
    args[2] = str_of(id);
    to_take--;
    b.waiting++;
    redis_eval(b.redis, &lua_permit, &key, 1, args, ARRAY_LEN(args), on_permit, (void *)slot);
}

static struct cost with_scripts(uint64_t permits)
{
    double redis = redis_cpu_us();
    uint64_t began = now_us();
    struct cost cost = {.commands = 2};
    uintptr_t slot;

    to_take = permits;
    taken = 0;
    for (slot = 0; slot < IN_FLIGHT && to_take; slot++)
        take_one(slot);
    while (taken < permits)
        loop_run(b.loop);
    cost.wall_us = (double)(now_us() - began) / (double)permits;
    cost.redis_us = (redis_cpu_us() - redis) / (double)permits;
    return cost;
}

/* ---- the bench ---- */

static void on_opened(const struct error *err, void *arg)
{
    (void)arg;
    if (err)
        die("open", err);
    came_back();
}

static void begin(void)
{
    struct redis_options options = {.command_timeout_us = SECONDS(60), .patience_us = SECONDS(60)};
    char text[96];
    struct error err;
    int f;

    if (!fixture_is_possible() || !fixture_new(&b.server) || !fixture_start_in_memory(&b.server))
        die("no " FIXTURE_SERVER, NULL);
    options.url = b.server.url;
    b.loop = loop_new();
    if (redis_new(b.loop, &options, &b.redis, &err) < 0)
        die("Redis", &err);
    b.ledger = ledger_new(b.loop, b.redis);
    b.at = (struct ledger_at){STR(ACCOUNT), ACCOUNT_LIMIT, 1, EPOCH};
    random_init(&b.random);
    for (f = 1; f < FNS; f++) {
        snprintf(text, sizeof(text), "HSET " PREFIX "fn:f%d:settings reserved %d", f, RESERVED);
        command(text);
    }
    snprintf(text, sizeof(text), "SET " PREFIX "reserved %d", RESERVED * (FNS - 1));
    command(text);
    b.waiting++;
    ledger_open(b.ledger, &b.at, STR("bench"), NULL, 0, on_opened, NULL);
    wait_for_redis();
}

static void end(void)
{
    uint32_t i, f;

    for (i = 0; i < RUNS_MAX; i++)
        permit_return(&b.runs[i].permit);
    for (i = 0; i < GATEWAYS; i++) {
        for (f = 0; f < FNS; f++)
            lease_pool_unref(b.gateways[i].pools[f]);
        leases_free(b.gateways[i].l);
    }
    redis_free(b.redis);
    ledger_free(b.ledger);
    loop_free(b.loop);
    fixture_done(&b.server);
}

static int by_value(const void *a, const void *c)
{
    double x = *(const double *)a, y = *(const double *)c;

    return (x > y) - (x < y);
}

static double median(const struct cost *costs, size_t n, size_t offset)
{
    double list[ROUNDS_MAX];
    size_t i;

    for (i = 0; i < n; i++)
        list[i] = *(const double *)(const void *)((const char *)&costs[i] + offset);
    qsort(list, n, sizeof(list[0]), by_value);
    return list[n / 2];
}

#define MEDIAN(costs, n, member) median(costs, n, offsetof(struct cost, member))

int main(int argc, char **argv)
{
    uint64_t invocations = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    size_t rounds = argc > 2 ? strtoull(argv[2], NULL, 10) : 5, i;
    struct cost leases[ROUNDS_MAX], scripts[ROUNDS_MAX];
    double a, c;

    if (rounds < 1 || rounds > ROUNDS_MAX || invocations < 1000) {
        fprintf(stderr, "usage: permits_bench [invocations of a round, at least 1000] [rounds, 1 to 15]\n");
        return 2;
    }
    begin();
    gateways_begin();
    run_until(WARM_UP_US);
    with_scripts(1000);
    for (i = 0; i < rounds; i++) {
        leases[i] = with_leases(invocations);
        scripts[i] = with_scripts(invocations / 4);
    }
    a = 1e6 / MEDIAN(leases, rounds, wall_us);
    c = 1e6 / MEDIAN(scripts, rounds, wall_us);
    printf("figure=permits_through_leases value=%.0f unit=/s against=script_for_each ratio=%.1f\n", a, a / c);
    printf("figure=permits_by_a_script_for_each value=%.0f unit=/s\n", c);
    a = MEDIAN(leases, rounds, redis_us);
    c = MEDIAN(scripts, rounds, redis_us);
    printf("figure=permits_redis_cpu_through_leases value=%.3f unit=us against=script_for_each ratio=%.4f\n", a, a / c);
    printf("figure=permits_redis_cpu_by_a_script_for_each value=%.2f unit=us\n", c);
    printf("figure=permits_redis_commands_per_invocation value=%.5f unit= against=script_for_each ratio=%.5f\n",
           MEDIAN(leases, rounds, commands), MEDIAN(leases, rounds, commands) / 2);
    printf("figure=permits_throttled value=%" PRIu64 " unit=\n", b.throttled);
    end();
    return 0;
}
