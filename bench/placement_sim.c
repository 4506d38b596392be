/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placement_sim.c - how good the decisions of the gateway's placement are, against the rule "the node that
 * served the version last, unless it has 8 more in flight than the least busy one; else that one", which
 * needs no word of the nodes. (What they cost: placement_cost.c.)
 *
 * A virtual cluster of unequal nodes, shared by two gateways who know of one another only by the nodes'
 * words, each 50 ms; functions as popular as Zipf says, and bursts; the same arrivals for both rules.
 *
 * Threads: one. Prints figure=… lines (bench/README.md).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/alloc.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "gateway/placement.h"

static size_t draw(struct random *r, size_t n)
{
    return (size_t)((random_next(r) >> 32) * n >> 32);
}

static struct place_ask ask_of(char *name, size_t size, size_t version, uint32_t mib, uint64_t now_us)
{
    snprintf(name, size, "function-%zu", version);
    return (struct place_ask){.key = {STR("000000000000"), str_of(name), STR("$LATEST"), 1},
                              .memory_mib = mib,
                              .now_us = now_us};
}

#define NODES 24
#define FUNCTIONS 300
#define GATEWAYS 2
#define SECONDS_LONG 300
#define ARRIVALS_S 700
#define COLD_US MSEC(300)
#define TTL_US SECONDS(60)
#define TELL_US MSEC(50)
#define BURST_EVERY_US SECONDS(10)
#define BURST 150
#define SLACK 8 /* of the other rule */

struct box { /* a sandbox */
    struct list_node of_fn; /* idle ones of the function at the node, last used first */
    struct list_node of_node; /* all idle ones at the node, longest idle first */
    size_t node, fn;
    uint64_t idle_since_us;
};

struct sim_node {
    uint64_t memory_mib, used_mib;
    struct list_node idle;
    struct list_node idle_of[FUNCTIONS];
    uint32_t idle_count[FUNCTIONS];
    bool changed[FUNCTIONS];
    bool is_changed;
    uint32_t stream[GATEWAYS];
};

enum event_kind { ARRIVAL, BURST_COMES, END, WORDS };

struct event {
    uint64_t at_us;
    enum event_kind kind;
    struct box *box;
    struct place_run *run;
    size_t gateway;
};

struct result {
    uint64_t invocations, warm, cold, avoidable, asked, refused;
    double unevenness; /* mean of the standard deviation of used shares */
    uint64_t samples;
};

static struct sim {
    bool by_placement;
    struct sim_node nodes[NODES];
    uint32_t fn_mib[FUNCTIONS];
    double popularity[FUNCTIONS]; /* sums, up to 1 */
    struct event *heap;
    size_t heap_len, heap_cap;
    uint64_t now_us;
    struct random arrivals, other;
    struct placement *placements[GATEWAYS];
    struct place_node places[GATEWAYS][NODES];
    size_t last[GATEWAYS][FUNCTIONS]; /* the other rule: node + 1 */
    uint64_t in_flight[GATEWAYS][NODES];
    struct result result;
} sim;

static void push(struct event e)
{
    size_t i = sim.heap_len++;

    if (sim.heap_len > sim.heap_cap) {
        sim.heap_cap = sim.heap_cap ? sim.heap_cap * 2 : 1024;
        sim.heap = realloc(sim.heap, sim.heap_cap * sizeof(*sim.heap));
        if (!sim.heap)
            abort();
    }
    for (; i > 0 && sim.heap[(i - 1) / 2].at_us > e.at_us; i = (i - 1) / 2)
        sim.heap[i] = sim.heap[(i - 1) / 2];
    sim.heap[i] = e;
}

static struct event pop(void)
{
    struct event first = sim.heap[0], last = sim.heap[--sim.heap_len];
    size_t i = 0, k;

    while ((k = 2 * i + 1) < sim.heap_len) {
        k += k + 1 < sim.heap_len && sim.heap[k + 1].at_us < sim.heap[k].at_us;
        if (sim.heap[k].at_us >= last.at_us)
            break;
        sim.heap[i] = sim.heap[k];
        i = k;
    }
    sim.heap[i] = last;
    return first;
}

static uint64_t exponential_us(struct random *r, double mean_us)
{
    return (uint64_t)(-log(1 - random_unit(r)) * mean_us);
}

/* ---- a node of the virtual cluster */

static void change(size_t n, size_t fn)
{
    sim.nodes[n].changed[fn] = sim.nodes[n].is_changed = true;
}

static void idle_take(struct box *box)
{
    list_remove(&box->of_fn);
    list_remove(&box->of_node);
    sim.nodes[box->node].idle_count[box->fn]--;
    change(box->node, box->fn);
}

static void idle_end(struct box *box)
{
    idle_take(box);
    sim.nodes[box->node].used_mib -= sim.fn_mib[box->fn];
    free(box);
}

/* The sandbox for one invocation, or NULL: no room. */
static struct box *node_take(size_t n, size_t fn, bool *ret_cold)
{
    struct sim_node *node = &sim.nodes[n];
    struct box *box = LIST_FIRST(&node->idle_of[fn], struct box, of_fn);
    uint64_t idle_mib = 0;
    struct list_node *l;

    *ret_cold = box == NULL;
    if (box) {
        idle_take(box);
        return box;
    }
    LIST_FOREACH (&node->idle, l)
        idle_mib += sim.fn_mib[CONTAINER_OF(l, struct box, of_node)->fn];
    if (node->used_mib - idle_mib + sim.fn_mib[fn] > node->memory_mib)
        return NULL;
    while (node->used_mib + sim.fn_mib[fn] > node->memory_mib)
        idle_end(LIST_FIRST(&node->idle, struct box, of_node));
    node->used_mib += sim.fn_mib[fn];
    box = xcalloc(sizeof(*box));
    box->node = n;
    box->fn = fn;
    list_init(&box->of_fn);
    list_init(&box->of_node);
    change(n, fn);
    return box;
}

static void node_free_box(struct box *box)
{
    struct sim_node *node = &sim.nodes[box->node];

    box->idle_since_us = sim.now_us;
    list_prepend(&node->idle_of[box->fn], &box->of_fn);
    list_append(&node->idle, &box->of_node);
    node->idle_count[box->fn]++;
    change(box->node, box->fn);
}

static void say_words(void)
{
    char name[32];
    size_t n, g, fn;

    for (n = 0; n < NODES; n++) {
        struct sim_node *node = &sim.nodes[n];
        struct place_told told = {.memory_mib = node->memory_mib,
                                  .free_mib = (int64_t)(node->memory_mib - node->used_mib),
                                  .has_received = true};
        struct list_node *l;

        while (!list_is_empty(&node->idle) &&
               LIST_FIRST(&node->idle, struct box, of_node)->idle_since_us + TTL_US < sim.now_us)
            idle_end(LIST_FIRST(&node->idle, struct box, of_node));
        if (!node->is_changed)
            continue;
        LIST_FOREACH (&node->idle, l)
            told.idle_mib += sim.fn_mib[CONTAINER_OF(l, struct box, of_node)->fn];
        for (g = 0; g < GATEWAYS && sim.by_placement; g++) {
            told.received = node->stream[g];
            placement_told(&sim.places[g][n], &told);
            for (fn = 0; fn < FUNCTIONS; fn++) {
                struct place_ask ask = ask_of(name, sizeof(name), fn, sim.fn_mib[fn], sim.now_us);

                if (node->changed[fn])
                    placement_told_version(&sim.places[g][n], &told, &ask.key, node->idle_count[fn], 0);
            }
        }
        memset(node->changed, 0, sizeof(node->changed));
        node->is_changed = false;
    }
}

static void measure(void)
{
    double sum = 0, squares = 0, share;
    size_t n;

    for (n = 0; n < NODES; n++) {
        share = (double)sim.nodes[n].used_mib / (double)sim.nodes[n].memory_mib;
        sum += share;
        squares += share * share;
    }
    sim.result.unevenness += sqrt(fmax(0, squares / NODES - sum / NODES * sum / NODES));
    sim.result.samples++;
}

/* ---- the two rules */

/* A node's number, or NODES: none is left. */
static size_t choose_other(size_t g, size_t fn, const bool *tried)
{
    size_t n, least = NODES, last = sim.last[g][fn];

    for (n = 0; n < NODES; n++)
        if (!tried[n] && (least == NODES || sim.in_flight[g][n] < sim.in_flight[g][least]))
            least = n;
    if (least < NODES && last > 0 && !tried[last - 1] &&
        sim.in_flight[g][last - 1] <= sim.in_flight[g][least] + SLACK)
        return last - 1;
    return least;
}

static struct box *run_by_other(size_t g, size_t fn, bool *ret_cold)
{
    bool tried[NODES] = {false};
    struct box *box = NULL;
    size_t n, tries;

    for (tries = 0; tries < 4 && !box; tries++) {
        n = choose_other(g, fn, tried);
        sim.result.asked++;
        tried[n] = true;
        sim.last[g][fn] = n + 1;
        box = node_take(n, fn, ret_cold);
        if (box)
            sim.in_flight[g][n]++;
    }
    return box;
}

static struct box *run_by_placement(size_t g, size_t fn, struct place_run *run, bool *ret_cold)
{
    char name[32];
    struct place_ask ask = ask_of(name, sizeof(name), fn, sim.fn_mib[fn], sim.now_us);
    enum place_how how = PLACE_WARM;
    struct place_node *node;
    struct box *box = NULL;
    size_t n;

    while (!box && how != PLACE_QUEUE) {
        node = placement_choose(sim.placements[g], &ask, &how);
        n = (size_t)(node - sim.places[g]);
        sim.result.asked++;
        placement_begin(sim.placements[g], node, &ask, sim.nodes[n].stream[g] += 2, run);
        box = node_take(n, fn, ret_cold);
        if (box)
            return box;
        placement_full(node, &ask);
        placement_end(sim.placements[g], run, PLACE_REFUSED);
    }
    return box;
}

/* ---- events */

static bool is_idle_anywhere(size_t fn)
{
    size_t n;

    for (n = 0; n < NODES; n++)
        if (sim.nodes[n].idle_count[fn])
            return true;
    return false;
}

static void arrive(size_t fn)
{
    size_t g = draw(&sim.arrivals, GATEWAYS);
    uint64_t lasts_us = exponential_us(&sim.arrivals, 200000);
    struct place_run *run = sim.by_placement ? xcalloc(sizeof(*run)) : NULL;
    bool is_cold, was_idle = is_idle_anywhere(fn);
    struct box *box = sim.by_placement ? run_by_placement(g, fn, run, &is_cold)
                                       : run_by_other(g, fn, &is_cold);

    sim.result.invocations++;
    if (!box) {
        sim.result.refused++;
        free(run);
        return;
    }
    sim.result.cold += is_cold;
    sim.result.warm += !is_cold;
    sim.result.avoidable += is_cold && was_idle;
    push((struct event){.at_us = sim.now_us + lasts_us + (is_cold ? COLD_US : 0),
                        .kind = END,
                        .box = box,
                        .run = run,
                        .gateway = g});
}

static size_t popular(void)
{
    double unit = random_unit(&sim.arrivals);
    size_t low = 0, high = FUNCTIONS - 1, mid;

    while (low < high) {
        mid = (low + high) / 2;
        if (sim.popularity[mid] > unit)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static void happen(const struct event *e)
{
    size_t i, fn;

    switch (e->kind) {
    case ARRIVAL:
        arrive(popular());
        push((struct event){.at_us = sim.now_us + exponential_us(&sim.arrivals, 1e6 / ARRIVALS_S),
                            .kind = ARRIVAL});
        break;
    case BURST_COMES:
        fn = draw(&sim.arrivals, FUNCTIONS);
        for (i = 0; i < BURST; i++)
            arrive(fn);
        push((struct event){.at_us = sim.now_us + BURST_EVERY_US, .kind = BURST_COMES});
        break;
    case END:
        if (e->run)
            placement_end(sim.placements[e->gateway], e->run, PLACE_RAN);
        else
            sim.in_flight[e->gateway][e->box->node]--;
        free(e->run);
        node_free_box(e->box);
        break;
    case WORDS:
        say_words();
        measure();
        push((struct event){.at_us = sim.now_us + TELL_US, .kind = WORDS});
        break;
    }
}

static void sim_begin(bool by_placement)
{
    const struct placement_options options = {.seed = 5};
    double sum = 0;
    size_t i, g;

    memset(&sim, 0, sizeof(sim));
    sim.by_placement = by_placement;
    sim.arrivals = (struct random){{11, 22, 33, 44}};
    for (i = 0; i < FUNCTIONS; i++) {
        sim.fn_mib[i] = 128u << i % 5;
        sum += 1.0 / (double)(i + 1);
        sim.popularity[i] = sum;
    }
    for (i = 0; i < FUNCTIONS; i++)
        sim.popularity[i] /= sum;
    for (i = 0; i < NODES; i++) {
        sim.nodes[i].memory_mib = 8192u << i % 3;
        sim.nodes[i].is_changed = true;
        list_init(&sim.nodes[i].idle);
        for (g = 0; g < FUNCTIONS; g++)
            list_init(&sim.nodes[i].idle_of[g]);
    }
    for (g = 0; g < GATEWAYS; g++) {
        sim.placements[g] = placement_new(&options);
        for (i = 0; i < NODES; i++) {
            placement_add(sim.placements[g], &sim.places[g][i], i + 1);
            placement_up(&sim.places[g][i]);
        }
    }
    say_words();
}

static struct result simulate(bool by_placement)
{
    struct event e;
    size_t g, i;

    sim_begin(by_placement);
    push((struct event){.kind = ARRIVAL});
    push((struct event){.at_us = SECONDS(5), .kind = BURST_COMES});
    push((struct event){.at_us = TELL_US, .kind = WORDS});
    while (sim.now_us < SECONDS(SECONDS_LONG)) {
        e = pop();
        sim.now_us = e.at_us;
        happen(&e);
    }
    while (sim.heap_len > 0) {
        e = pop();
        if (e.kind == END)
            happen(&e);
    }
    for (i = 0; i < NODES; i++)
        while (!list_is_empty(&sim.nodes[i].idle))
            idle_end(LIST_FIRST(&sim.nodes[i].idle, struct box, of_node));
    for (g = 0; g < GATEWAYS; g++) {
        for (i = 0; i < NODES; i++)
            placement_down(&sim.places[g][i]);
        placement_free(sim.placements[g]);
    }
    free(sim.heap);
    return sim.result;
}

static void print_ratio(const char *name, double value, double other, const char *unit, int digits)
{
    printf("figure=placement_%s value=%.*f unit=%s against=last_or_least_busy ratio=%.3f\n", name, digits,
           value, unit, other > 0 ? value / other : 1.0);
}

int main(void)
{
    struct result other = simulate(false), is = simulate(true);

    print_ratio("warm_share", (double)is.warm / (double)is.invocations,
                (double)other.warm / (double)other.invocations, "", 4);
    print_ratio("cold_starts", (double)is.cold, (double)other.cold, "", 0);
    print_ratio("cold_starts_with_an_idle_sandbox_elsewhere", (double)is.avoidable,
                (double)other.avoidable, "", 0);
    print_ratio("refused_for_room", (double)is.refused, (double)other.refused, "", 0);
    print_ratio("nodes_asked_per_invocation", (double)is.asked / (double)is.invocations,
                (double)other.asked / (double)other.invocations, "", 3);
    print_ratio("memory_unevenness", is.unevenness / (double)is.samples,
                other.unevenness / (double)other.samples, "", 4);
    return 0;
}
