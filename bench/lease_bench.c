/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease_bench - what a permit that is held adds to a warm invocation in the gateway: its rate, taking it, whether it
 * fits the route, giving it back, as gateway/invoke.c does it. Processor time, best of the rounds.
 *
 *   lease_bench [invocations of a round] [rounds]
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/error.h"
#include "gateway/admission.h"

#define IN_FLIGHT 64u /* permits out at any time */
#define FNS 100u /* functions in turn, each tenth with a reservation */

struct bench {
    struct leases *leases;
    struct admission *admission;
    struct fn_admission *fns[FNS];
    struct permit permits[IN_FLIGHT];
    struct permit_wait waits[IN_FLIGHT];
    uint64_t join, now_us; /* one more each invocation */
};

static void on_wake(void *arg)
{
    (void)arg;
}

static void on_join(const char *incarnation, uint64_t number, void *arg)
{
    (void)incarnation;
    ((struct bench *)arg)->join = number;
}

/* All that is wanted is there. */
static void on_ask(const char *incarnation, uint64_t epoch, uint64_t number,
                   const struct lease_question *questions, size_t len, void *arg)
{
    struct lease_answer answers[LEASE_BATCH_MAX];
    struct bench *b = arg;
    size_t i;

    (void)incarnation;
    (void)epoch;
    for (i = 0; i < len; i++)
        answers[i] = (struct lease_answer){.account = questions[i].account,
                                           .pool = questions[i].pool,
                                           .seq = questions[i].seq,
                                           .more = questions[i].want - questions[i].held};
    leases_answered(b->leases, number, answers, len, b->now_us);
}

static const struct leases_ops ops = {on_wake, on_join, on_ask};

static void on_permit(struct permit_wait *w)
{
    (void)w;
}

static void begin(struct bench *b)
{
    const struct fn_limits reserved = {.has_reserved = true, .reserved = 1000};
    struct str account = STR("000000000000");
    char name[16];
    size_t i;

    b->leases = leases_new("bench", &ops, b);
    b->admission = admission_new(b->leases, 1000000);
    admission_set_unreserved(b->admission, account, 1000);
    b->now_us = SECONDS(1);
    leases_link(b->leases, true);
    leases_turn(b->leases, b->now_us);
    leases_joined(b->leases, b->join, 1, NULL, b->now_us);
    for (i = 0; i < FNS; i++) {
        snprintf(name, sizeof(name), "f%zu", i);
        b->fns[i] = admission_fn(b->admission, account, str_of(name));
        if (i % 10 == 0)
            fn_admission_set_limits(b->fns[i], &reserved);
    }
    for (i = 0; i < IN_FLIGHT; i++) {
        b->waits[i] = (struct permit_wait){
            .permit = &b->permits[i], .fn = on_permit, .function = STR("f")};
        list_init(&b->waits[i].node);
    }
}

/* An invocation of @fn begins in @slot, where one ends. */
static int one(struct bench *b, size_t slot, struct fn_admission *fn)
{
    uint64_t now_us = ++b->now_us;
    const char *reason;
    int r;

    permit_return(&b->permits[slot]);
    r = fn_admission_take(fn, NULL, now_us, &b->waits[slot], &reason);
    if (r == -ERR_NOT_READY) { /* the first ones only */
        leases_turn(b->leases, now_us);
        leases_turn(b->leases, now_us);
        r = permit_is_held(&b->permits[slot]) ? 0 : r;
    }
    if (r == 0)
        r = fn_admission_pace(fn, &b->permits[slot], now_us, &reason);
    b->permits[slot].is_sent = true;
    return r == 0 && fn_admission_fits(fn, NULL, &b->permits[slot]) ? 0 : -1;
}

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds an invocation; negative when one got no permit. */
static double round_of(struct bench *b, uint64_t invocations)
{
    double began = cpu_ns();
    uint64_t i;

    for (i = 0; i < invocations; i++)
        if (one(b, i % IN_FLIGHT, b->fns[i % FNS]) < 0)
            return -1;
    return (cpu_ns() - began) / (double)invocations;
}

int main(int argc, char **argv)
{
    uint64_t invocations = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
    uint64_t rounds = argc > 2 ? strtoull(argv[2], NULL, 10) : 7, i;
    static struct bench b;
    double best = -1, ns;
    size_t before, after;

    begin(&b);
    if (round_of(&b, 10000) < 0) {
        fprintf(stderr, "lease_bench: an invocation got no permit\n");
        return 1;
    }
    before = mallinfo2().uordblks;
    for (i = 0; i < rounds; i++) {
        ns = round_of(&b, invocations);
        if (ns < 0) {
            fprintf(stderr, "lease_bench: an invocation got no permit\n");
            return 1;
        }
        if (best < 0 || ns < best)
            best = ns;
    }
    after = mallinfo2().uordblks;
    printf("figure=permit_held_added_to_a_warm_invocation value=%.1f unit=ns\n", best);
    printf("figure=permit_held_bytes_allocated value=%zu unit=bytes\n", after - before);
    for (i = 0; i < IN_FLIGHT; i++)
        permit_return(&b.permits[i]);
    for (i = 0; i < FNS; i++)
        fn_admission_unref(b.fns[i]);
    admission_free(b.admission);
    leases_free(b.leases);
    return 0;
}
