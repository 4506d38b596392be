/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placement_cost.c - what a decision of the gateway's placement costs with more and more nodes: choose,
 * begin and end, with words of nodes in between, in a steady state.
 *
 * First the same work on more nodes, which shows whether there is a search in it; then work that grows with
 * the nodes, which shows the memory too. Beside each stands how much memory the decisions are spread over
 * (placement's and the bench's own), and what one read takes at random places of as much, each place known
 * by the read before: what a decision takes longer than with 10 nodes is then also told in such reads.
 * Worlds take turns, so that all have the machine's good and bad moments.
 *
 * Threads: one. Prints figure=… lines (bench/README.md).
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/alloc.h"
#include "common/base/random.h"
#include "gateway/placement.h"

#define WARM_UP 3000000 /* decisions, until few sandboxes are begun any more */
#define ROUND 200000
#define ROUND_WARM_UP (ROUND / 2) /* not measured: other worlds have had the caches */
#define ROUNDS 12
#define READS 200000
#define WORD_EVERY 20 /* decisions for one word of a node */
#define CACHE_LINE 64
#define NAME_SIZE 16

struct world {
    size_t nodes_len, versions, runs_len;
    struct placement *p;
    struct place_node *nodes;
    struct place_run *runs;
    char (*names)[NAME_SIZE];
    struct random random;
    uint32_t stream;
    uint64_t now_us;
    size_t bytes; /* of all that */
    char *bare; /* as many, one read leads to the next */
    uint32_t bare_at;
    double best_rate, best_read_ns;
};

static size_t draw(struct random *r, size_t n)
{
    return (size_t)((random_next(r) >> 32) * n >> 32);
}

/* One more invocation in the place of one that ends. */
static void step(struct world *w)
{
    struct place_run *run = &w->runs[draw(&w->random, w->runs_len)];
    size_t version = draw(&w->random, w->versions);
    struct place_ask ask = {
        .key = {STR("000000000000"), str_of(w->names[version]), STR("$LATEST"), 1},
        .memory_mib = 128u << version % 4,
        .now_us = w->now_us += 2};
    struct place_node *node;
    enum place_how how;

    placement_end(w->p, run, PLACE_RAN);
    node = placement_choose(w->p, &ask, &how);
    if (node)
        placement_begin(w->p, node, &ask, w->stream += 2, run);
    if (w->stream / 2 % WORD_EVERY == 0) {
        const struct place_told told = {.memory_mib = 65536,
                                        .free_mib = (int64_t)draw(&w->random, 65536),
                                        .idle_mib = 1024,
                                        .received = w->stream,
                                        .has_received = true};

        placement_told(&w->nodes[draw(&w->random, w->nodes_len)], &told);
    }
}

/* Processor time of this program: others use the machine too. */
static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* @len of @size bytes, zeroed, none of which is in more cache lines than it must be. */
static void *array(size_t len, size_t size)
{
    size_t bytes = (len * size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE, i;
    char *a = aligned_alloc(CACHE_LINE, bytes);

    if (!a)
        abort();
    for (i = 0; i < bytes; i++)
        a[i] = 0;
    return a;
}

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* One ring through all cache lines, in random order. */
static void bare_begin(struct world *w)
{
    size_t lines = w->bytes / CACHE_LINE, i, other;
    uint32_t *order = array(lines, sizeof(*order)), swap;

    w->bare = array(lines, CACHE_LINE);
    for (i = 0; i < lines; i++)
        order[i] = (uint32_t)i;
    for (i = lines - 1; i > 0; i--) {
        other = draw(&w->random, i); /* not itself: else there would be several rings */
        swap = order[i];
        order[i] = order[other];
        order[other] = swap;
    }
    for (i = 0; i < lines; i++)
        *(uint32_t *)(w->bare + i * CACHE_LINE) = order[i];
    free(order);
}

static void bare_round(struct world *w)
{
    size_t lines = w->bytes / CACHE_LINE, i;
    uint32_t at = w->bare_at;
    double begin = 0, ns;

    for (i = 0; i < lines + READS; i++) {
        if (i == lines) /* all has been read once */
            begin = cpu_ns();
        at = *(uint32_t *)(w->bare + (size_t)at * CACHE_LINE);
    }
    ns = (cpu_ns() - begin) / READS;
    w->bare_at = at; /* else nothing need be read */
    w->best_read_ns = w->best_read_ns == 0 || ns < w->best_read_ns ? ns : w->best_read_ns;
}

static void world_begin(struct world *w, size_t nodes, size_t versions, size_t in_flight)
{
    const struct placement_options options = {.seed = 1};
    const struct place_told told = {.memory_mib = 65536, .free_mib = 65536};
    size_t before = allocated(), i;

    *w = (struct world){.p = placement_new(&options),
                        .nodes = array(nodes, sizeof(struct place_node)),
                        .nodes_len = nodes,
                        .versions = versions,
                        .names = array(versions, NAME_SIZE),
                        .runs_len = in_flight,
                        .runs = array(in_flight, sizeof(struct place_run)),
                        .random = {{1, 2, 3, 4}},
                        .now_us = 1};
    for (i = 0; i < versions; i++)
        snprintf(w->names[i], NAME_SIZE, "function-%u", (unsigned)i % 1000000);
    for (i = 0; i < nodes; i++) {
        placement_add(w->p, &w->nodes[i], i + 1);
        placement_up(&w->nodes[i]);
        placement_told(&w->nodes[i], &told);
    }
    for (i = 0; i < WARM_UP; i++)
        step(w);
    w->bytes = allocated() - before;
    bare_begin(w);
}

static void world_round(struct world *w)
{
    double begin, rate;
    size_t i;

    for (i = 0; i < ROUND_WARM_UP; i++)
        step(w);
    begin = cpu_ns();
    for (i = 0; i < ROUND; i++)
        step(w);
    rate = ROUND * 1e9 / (cpu_ns() - begin);
    w->best_rate = rate > w->best_rate ? rate : w->best_rate;
}

static void world_end(struct world *w)
{
    size_t i;

    for (i = 0; i < w->runs_len; i++)
        placement_end(w->p, &w->runs[i], PLACE_RAN);
    for (i = 0; i < w->nodes_len; i++)
        placement_down(&w->nodes[i]);
    placement_free(w->p);
    free(w->nodes);
    free(w->names);
    free(w->runs);
    free(w->bare);
}

static void print(const char *kind, const struct world *w, const struct world *first)
{
    printf("figure=placement_%s_%zu_nodes_decisions value=%.0f unit=/s against=10_nodes ratio=%.2f\n", kind,
           w->nodes_len, w->best_rate, w->best_rate / first->best_rate);
    printf("figure=placement_%s_%zu_nodes_memory value=%.1f unit=MiB\n", kind, w->nodes_len,
           (double)w->bytes / (1 << 20));
    printf("figure=placement_%s_%zu_nodes_bare_read value=%.1f unit=ns against=10_nodes ratio=%.2f\n", kind,
           w->nodes_len, w->best_read_ns, w->best_read_ns / first->best_read_ns);
    printf("figure=placement_%s_%zu_nodes_longer value=%.1f unit=bare_reads\n", kind, w->nodes_len,
           (1e9 / w->best_rate - 1e9 / first->best_rate) / w->best_read_ns);
}

int main(void)
{
    static const size_t sizes[] = {10, 1000, 10000};
    static struct world same[3], grown[3];
    size_t i;
    int round;

    for (i = 0; i < 3; i++) {
        world_begin(&same[i], sizes[i], 1000, 64);
        world_begin(&grown[i], sizes[i], sizes[i] < 500 ? 1000 : sizes[i] * 2, sizes[i] * 6);
    }
    for (round = 0; round < ROUNDS; round++) {
        for (i = 0; i < 3; i++) {
            world_round(&same[i]);
            world_round(&grown[i]);
            bare_round(&same[i]);
            bare_round(&grown[i]);
        }
    }
    for (i = 0; i < 3; i++)
        print("same", &same[i], &same[0]);
    for (i = 0; i < 3; i++)
        print("grown", &grown[i], &grown[0]);
    for (i = 0; i < 3; i++) {
        world_end(&same[i]);
        world_end(&grown[i]);
    }
    return 0;
}
