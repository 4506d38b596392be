/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/placement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"

#define NODES_MAX 10000
#define RUNS_MAX 4096
#define ASK(version, mib) ask_of("hello", version, 1, mib)

struct world {
    struct placement *p;
    struct place_node *nodes;
    size_t len;
    uint64_t now_us, serials;
    uint32_t stream;
    const struct place_node *silent;
    struct place_run runs[RUNS_MAX];
    const struct place_node *run_nodes[RUNS_MAX];
    size_t runs_len;
};

static struct world w;

static bool is_silent(const struct place_node *node, uint64_t now_us)
{
    (void)now_us;
    return node == w.silent;
}

static void say(size_t n, int64_t free_mib, int64_t idle_mib, uint32_t received)
{
    const struct place_told told = {.memory_mib = w.nodes[n].memory_mib ? w.nodes[n].memory_mib : 8192,
                                    .free_mib = free_mib,
                                    .idle_mib = idle_mib,
                                    .received = received,
                                    .has_received = received > 0};

    placement_told(&w.nodes[n], &told);
}

static void say_size(size_t n, uint64_t memory_mib)
{
    const struct place_told told = {.memory_mib = memory_mib, .free_mib = (int64_t)memory_mib};

    placement_told(&w.nodes[n], &told);
}

/* @len nodes of 8 GiB. */
static void begin_with(size_t len, size_t stands_max)
{
    const struct placement_options options = {
        .is_silent = is_silent, .seed = 7, .stands_max = stands_max};
    size_t i;

    memset(&w, 0, sizeof(w));
    w.p = placement_new(&options);
    w.len = len;
    w.now_us = SECONDS(1);
    w.nodes = calloc(len, sizeof(*w.nodes));
    assert_non_null(w.nodes);
    for (i = 0; i < len; i++) {
        placement_add(w.p, &w.nodes[i], ++w.serials);
        placement_up(&w.nodes[i]);
        say_size(i, 8192);
    }
}

static void begin(size_t len)
{
    begin_with(len, 0);
}

static void end(void)
{
    size_t i;

    for (i = 0; i < w.len; i++)
        placement_down(&w.nodes[i]);
    for (i = 0; i < w.runs_len; i++)
        placement_end(w.p, &w.runs[i], PLACE_LOST);
    placement_free(w.p);
    free(w.nodes);
}

static struct place_ask ask_of(const char *name, const char *version, uint64_t generation, uint32_t mib)
{
    return (struct place_ask){
        .key = {STR("000000000000"), str_of(name), str_of(version), generation},
        .memory_mib = mib,
        .now_us = w.now_us};
}

static size_t number(const struct place_node *node)
{
    assert_non_null(node);
    return (size_t)(node - w.nodes);
}

/* Chooses and begins. */
static struct place_run *go(struct place_ask ask, enum place_how how)
{
    struct place_run *run = &w.runs[w.runs_len++];
    enum place_how got;
    struct place_node *node = placement_choose(w.p, &ask, &got);

    assert_int_equal(got, how);
    assert_non_null(node);
    assert_true(w.runs_len < RUNS_MAX);
    placement_begin(w.p, node, &ask, w.stream += 2, run);
    w.run_nodes[run - w.runs] = node;
    return run;
}

static size_t at(const struct place_run *run)
{
    return number(w.run_nodes[run - w.runs]);
}

static size_t peek(struct place_ask ask, enum place_how how)
{
    enum place_how got;
    struct place_node *node = placement_choose(w.p, &ask, &got);

    assert_int_equal(got, how);
    return number(node);
}

static void warm_is_the_node_where_it_ended_last(void **state)
{
    struct place_run *a, *b;
    size_t first, second;

    (void)state;
    begin(5);
    a = go(ASK("1", 128), PLACE_COLD);
    b = go(ASK("1", 128), PLACE_COLD);
    first = at(a);
    second = at(b);
    placement_end(w.p, b, PLACE_RAN);
    placement_end(w.p, a, PLACE_RAN);
    a = go(ASK("1", 128), PLACE_WARM);
    b = go(ASK("1", 128), PLACE_WARM);
    assert_int_equal(at(a), first);
    assert_int_equal(at(b), second);
    go(ASK("1", 128), PLACE_COLD);
    go(ASK("2", 128), PLACE_COLD); /* another version has none */
    placement_end(w.p, a, PLACE_LOST); /* nobody knows what is idle there */
    placement_end(w.p, b, PLACE_REFUSED);
    peek(ASK("1", 128), PLACE_COLD);
    end();
}

static void provisioned_sandboxes_come_first_and_stay_what_they_are(void **state)
{
    const struct place_told told = {.memory_mib = 8192, .free_mib = 4096};
    const struct place_ask ask = ASK("1", 128);
    struct place_run *run, *other;

    (void)state;
    begin(3);
    placement_told_version(&w.nodes[2], &told, &ask.key, 1, 1);
    placement_told_version(&w.nodes[1], &told, &ask.key, 3, 0);
    run = go(ask, PLACE_WARM);
    other = go(ask, PLACE_WARM);
    assert_int_equal(at(run), 2);
    assert_int_equal(at(other), 1);
    placement_end(w.p, run, PLACE_RAN);
    placement_end(w.p, other, PLACE_RAN);
    assert_int_equal(at(go(ask, PLACE_WARM)), 2);
    end();
}

static void a_burst_of_cold_starts_is_spread_by_memory(void **state)
{
    size_t counts[10] = {0}, i;

    (void)state;
    begin(10);
    say_size(9, 4096); /* half as large as the others */
    for (i = 0; i < 100; i++)
        counts[at(go(ASK("1", 512), PLACE_COLD))]++;
    for (i = 0; i < 9; i++)
        assert_in_range(counts[i], 7, 14);
    assert_in_range(counts[9], 3, 8);
    end();
}

static void a_burst_over_many_nodes_is_spread_too(void **state)
{
    size_t *counts = calloc(1000, sizeof(*counts)), most = 0, i;

    (void)state;
    begin(1000);
    for (i = 0; i < 4000; i++)
        counts[at(go(ASK("1", 512), PLACE_COLD))]++;
    for (i = 0; i < 1000; i++)
        most = counts[i] > most ? counts[i] : most;
    assert_in_range(most, 4, 9); /* of the 16 that fit */
    free(counts);
    end();
}

static void what_was_sent_counts_until_the_node_has_it_in(void **state)
{
    struct place_run *first, *second;

    (void)state;
    begin(1);
    say(0, 1100, 0, 0);
    first = go(ASK("1", 512), PLACE_COLD);
    second = go(ASK("1", 512), PLACE_COLD);
    say(0, 1100, 0, 0); /* a word from before */
    peek(ASK("1", 512), PLACE_QUEUE);
    say(0, 588, 0, first->stream); /* the first one is in it: 76 are left */
    peek(ASK("1", 512), PLACE_QUEUE);
    peek(ASK("1", 64), PLACE_COLD);
    placement_end(w.p, second, PLACE_REFUSED); /* nothing was begun */
    go(ASK("1", 512), PLACE_COLD);
    placement_end(w.p, first, PLACE_RAN); /* its sandbox has the memory on */
    say(0, 0, 512, w.stream);
    peek(ASK("2", 512), PLACE_ROOM);
    end();
}

static void more_invocations_than_are_noted_one_by_one_all_count(void **state)
{
    size_t i;

    (void)state;
    begin(1);
    for (i = 0; i < PLACE_CHARGES_MAX + 8; i++)
        go(ASK("1", 128), PLACE_COLD);
    assert_int_equal(w.nodes[0].charged_mib, 128 * (PLACE_CHARGES_MAX + 8));
    for (i = 0; i < PLACE_CHARGES_MAX + 8; i++)
        placement_end(w.p, &w.runs[i], i % 2 ? PLACE_REFUSED : PLACE_RAN);
    assert_int_equal(w.nodes[0].charged_mib, 128 * (PLACE_CHARGES_MAX + 8) / 2);
    say(0, 8192 / 2, 0, w.stream);
    assert_int_equal(w.nodes[0].charged_mib, 0);
    end();
}

static void a_node_that_has_the_image_is_preferred_until_others_are_much_emptier(void **state)
{
    const struct place_told told = {.memory_mib = 8192, .free_mib = 5000};
    struct place_ask ask = ASK("1", 512);

    (void)state;
    begin(4);
    say(2, 5000, 0, 0);
    placement_told_version(&w.nodes[2], &told, &ask.key, 0, 0);
    say(0, 6500, 0, 0);
    say(1, 6500, 0, 0);
    say(3, 6500, 0, 0);
    assert_int_equal(peek(ask, PLACE_COLD), 2);
    say(2, 4000, 0, 0);
    assert_int_not_equal(peek(ask, PLACE_COLD), 2);
    end();
}

static void a_full_node_is_passed_over_for_a_while(void **state)
{
    struct place_ask ask = ASK("1", 512);

    (void)state;
    begin(2);
    say(1, 600, 0, 0);
    assert_int_equal(peek(ask, PLACE_COLD), 0);
    placement_full(&w.nodes[0], &ask);
    assert_int_equal(peek(ask, PLACE_COLD), 1);
    assert_int_equal(peek(ASK("2", 256), PLACE_COLD), 1); /* relative to its size it is as full */
    placement_full(&w.nodes[1], &ask);
    peek(ask, PLACE_QUEUE);
    peek(ASK("2", 256), PLACE_COLD); /* a smaller one may fit */
    w.now_us += PLACE_FULL_US;
    assert_int_equal(peek(ASK("1", 512), PLACE_COLD), 0);
    placement_full(&w.nodes[0], &ask);
    say(0, 8192, 0, 0); /* its word is newer */
    assert_int_equal(peek(ASK("1", 512), PLACE_COLD), 0);
    end();
}

static void idle_sandboxes_make_room_when_nothing_is_free(void **state)
{
    (void)state;
    begin(3);
    say(0, 0, 128, 0);
    say(1, 100, 3000, 0);
    say(2, -512, 0, 0);
    assert_int_equal(at(go(ASK("1", 1024), PLACE_ROOM)), 1);
    say(1, 0, 0, w.stream);
    assert_int_equal(peek(ASK("1", 1024), PLACE_QUEUE), 1); /* it has run it: its sandbox comes back */
    assert_int_equal(peek(ASK("2", 1024), PLACE_QUEUE), 0);
    end();
}

static void what_fits_nowhere_goes_to_the_largest_to_be_told_so(void **state)
{
    struct place_ask ask = ASK("1", 10240);

    (void)state;
    begin(3);
    say_size(1, 9000);
    assert_int_equal(peek(ask, PLACE_TOO_LARGE), 1);
    say_size(2, 10240);
    assert_int_equal(peek(ask, PLACE_COLD), 2);
    placement_down(&w.nodes[2]);
    assert_int_equal(peek(ask, PLACE_TOO_LARGE), 1);
    say_size(1, 4096);
    assert_int_equal(peek(ask, PLACE_TOO_LARGE), 0);
    end();
}

static void a_silent_node_is_asked_only_when_there_is_no_other(void **state)
{
    struct place_run *run;
    size_t warm;

    (void)state;
    begin(2);
    run = go(ASK("1", 128), PLACE_COLD);
    warm = at(run);
    placement_end(w.p, run, PLACE_RAN);
    w.silent = &w.nodes[warm];
    assert_int_equal(peek(ASK("1", 128), PLACE_COLD), 1 - warm);
    placement_down(&w.nodes[1 - warm]);
    assert_int_equal(peek(ASK("1", 128), PLACE_WARM), warm);
    end();
}

static void nodes_that_refused_are_passed_over(void **state)
{
    struct place_ask ask = ASK("1", 128);
    uint64_t tried[3];
    enum place_how how;
    size_t i;

    (void)state;
    begin(3);
    ask.tried = tried;
    for (i = 0; i < 3; i++) {
        ask.tried_len = i;
        tried[i] = w.nodes[peek(ask, PLACE_COLD)].serial;
    }
    ask.tried_len = 3;
    assert_null(placement_choose(w.p, &ask, &how));
    assert_int_equal(how, PLACE_NOWHERE);
    ask.memory_mib = 10240; /* larger than all of them */
    assert_null(placement_choose(w.p, &ask, &how));
    end();
}

static void a_node_that_is_down_is_forgotten(void **state)
{
    struct place_run *run;
    enum place_how how;
    struct place_ask ask = ASK("1", 128);

    (void)state;
    begin(1);
    run = go(ask, PLACE_COLD);
    placement_end(w.p, go(ask, PLACE_COLD), PLACE_RAN);
    placement_down(&w.nodes[0]);
    assert_null(placement_choose(w.p, &ask, &how));
    assert_int_equal(how, PLACE_NOWHERE);
    placement_up(&w.nodes[0]);
    peek(ask, PLACE_COLD);
    placement_end(w.p, run, PLACE_RAN); /* what ran there before is not warm now */
    peek(ask, PLACE_COLD);
    assert_int_equal(w.nodes[0].charged_mib, 0);
    end();
}

static void a_node_that_has_not_said_its_size_is_used_all_the_same(void **state)
{
    struct place_run *run;

    (void)state;
    begin(1);
    placement_down(&w.nodes[0]);
    placement_up(&w.nodes[0]);
    run = go(ASK("1", 10240), PLACE_COLD);
    peek(ASK("1", 10240), PLACE_QUEUE);
    placement_end(w.p, run, PLACE_RAN);
    peek(ASK("2", 10240), PLACE_COLD);
    end();
}

static void a_new_generation_is_not_warm_and_ends_the_old_ones(void **state)
{
    struct place_told told = {.memory_mib = 8192, .free_mib = 8192, .has_received = true};
    struct place_ask old = ASK("1", 128), new = ask_of("hello", "1", 2, 128);
    struct place_run *run;
    size_t n;

    (void)state;
    begin(3);
    run = go(old, PLACE_COLD);
    n = at(run);
    told.received = w.stream;
    placement_told_version(&w.nodes[n], &told, &old.key, 1, 0);
    peek(old, PLACE_WARM);
    assert_int_equal(peek(new, PLACE_COLD), n); /* most of its image is there */
    peek(old, PLACE_COLD);
    placement_end(w.p, run, PLACE_RAN);
    peek(new, PLACE_COLD);
    placement_told_version(&w.nodes[n], &told, &old.key, 5, 0); /* an old word */
    peek(new, PLACE_COLD);
    placement_told_version(&w.nodes[n], &told, &new.key, 1, 0);
    assert_int_equal(peek(new, PLACE_WARM), n);
    end();
}

static void a_nodes_word_replaces_what_was_believed(void **state)
{
    struct place_told told = {.memory_mib = 8192, .free_mib = 4096};
    struct place_ask one = ASK("1", 128), two = ASK("2", 128);

    (void)state;
    begin(1);
    placement_told_version(&w.nodes[0], &told, &one.key, 2, 0);
    placement_told_version(&w.nodes[0], &told, &two.key, 1, 0);
    go(one, PLACE_WARM);
    placement_told_version(&w.nodes[0], &told, &one.key, 2, 0); /* does not have it in yet */
    go(one, PLACE_WARM);
    peek(one, PLACE_COLD);
    told.received = w.stream;
    told.has_received = true;
    placement_told_version(&w.nodes[0], &told, &one.key, 2, 0);
    peek(one, PLACE_WARM);
    placement_told_all(&w.nodes[0], &told);
    peek(one, PLACE_COLD);
    peek(two, PLACE_COLD);
    end();
}

static void the_one_node_with_room_is_found_among_thousands(void **state)
{
    size_t i;

    (void)state;
    begin(NODES_MAX);
    for (i = 0; i < NODES_MAX; i++)
        say(i, i == 7777 ? 2048 : 100, 0, 0);
    for (i = 0; i < 100; i++)
        assert_int_equal(peek(ASK("1", 1769), PLACE_COLD), 7777);
    say(7777, 0, 2048, 0);
    for (i = 0; i < 100; i++)
        assert_int_equal(peek(ASK("1", 1769), PLACE_ROOM), 7777);
    end();
}

static void the_one_warm_node_is_found_among_thousands(void **state)
{
    const struct place_told told = {.memory_mib = 8192, .free_mib = 8192};
    const struct place_ask ask = ASK("1", 128);
    size_t i;

    (void)state;
    begin(NODES_MAX);
    for (i = 0; i < NODES_MAX; i++)
        placement_told_version(&w.nodes[i], &told, &ask.key, i == 4321, 0);
    assert_int_equal(peek(ask, PLACE_WARM), 4321);
    end();
}

static void what_is_remembered_has_an_end(void **state)
{
    struct place_run *run;
    char version[16];
    size_t i;

    (void)state;
    begin_with(4, 64);
    for (i = 0; i < 1000; i++) {
        snprintf(version, sizeof(version), "%zu", i);
        run = go(ask_of("many", version, 1, 128), PLACE_COLD);
        say(at(run), 8192, 0, w.stream);
        placement_end(w.p, run, PLACE_RAN);
    }
    peek(ask_of("many", "999", 1, 128), PLACE_WARM);
    peek(ask_of("many", "5", 1, 128), PLACE_COLD);
    end();
}

/* Whatever comes in whatever order: nobody is asked who cannot be, and nothing is counted twice. */
static void nothing_is_lost_under_random_events(void **state)
{
    struct random random = {{42, 1, 2, 3}};
    uint64_t steps;
    size_t i, n, r, len = 40;
    char version[16];

    (void)state;
    begin_with(len, 200);
    for (steps = 0; steps < 300000; steps++) {
        r = random_next(&random) % RUNS_MAX;
        n = random_next(&random) % len;
        snprintf(version, sizeof(version), "%d", (int)(random_next(&random) % 30));
        w.now_us += random_next(&random) % 1000;
        switch (random_next(&random) % 16) {
        case 0:
            placement_down(&w.nodes[n]);
            break;
        case 1:
            placement_up(&w.nodes[n]);
            break;
        case 2: {
            struct place_ask ask = ask_of("f", version, 1 + steps / 100000, 128);
            const struct place_told told = {.memory_mib = 4096,
                                            .free_mib = (int64_t)(random_next(&random) % 4096),
                                            .idle_mib = (int64_t)(random_next(&random) % 2048),
                                            .received = w.stream,
                                            .has_received = steps % 2};

            placement_told(&w.nodes[n], &told);
            if (steps % 5 == 0)
                placement_told_all(&w.nodes[n], &told);
            placement_told_version(&w.nodes[n], &told, &ask.key, (uint32_t)(steps % 3), 1);
            break;
        }
        case 3: {
            struct place_ask ask = ask_of("f", version, 1, 128u << steps % 4);

            placement_full(&w.nodes[n], &ask);
            break;
        }
        case 4:
            w.silent = &w.nodes[n];
            break;
        case 5:
        case 6:
        case 7:
        case 8:
            placement_end(w.p, &w.runs[r], (enum place_end)(steps % 3));
            break;
        default: {
            struct place_ask ask = ask_of("f", version, 1 + steps / 100000, 128u << steps % 4);
            enum place_how how;
            struct place_node *node = placement_choose(w.p, &ask, &how);

            assert_int_equal(node == NULL, how == PLACE_NOWHERE);
            assert_int_equal(node == NULL, placement_usable(w.p) == 0);
            assert_true(!node || node->is_up);
            if (node && !w.runs[r].stand)
                placement_begin(w.p, node, &ask, w.stream += 2, &w.runs[r]);
        }
        }
        assert_true(w.nodes[n].charged_mib >= 0);
    }
    for (i = 0; i < RUNS_MAX; i++)
        placement_end(w.p, &w.runs[i], PLACE_RAN);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warm_is_the_node_where_it_ended_last),
        cmocka_unit_test(provisioned_sandboxes_come_first_and_stay_what_they_are),
        cmocka_unit_test(a_burst_of_cold_starts_is_spread_by_memory),
        cmocka_unit_test(a_burst_over_many_nodes_is_spread_too),
        cmocka_unit_test(what_was_sent_counts_until_the_node_has_it_in),
        cmocka_unit_test(more_invocations_than_are_noted_one_by_one_all_count),
        cmocka_unit_test(a_node_that_has_the_image_is_preferred_until_others_are_much_emptier),
        cmocka_unit_test(a_full_node_is_passed_over_for_a_while),
        cmocka_unit_test(idle_sandboxes_make_room_when_nothing_is_free),
        cmocka_unit_test(what_fits_nowhere_goes_to_the_largest_to_be_told_so),
        cmocka_unit_test(a_silent_node_is_asked_only_when_there_is_no_other),
        cmocka_unit_test(nodes_that_refused_are_passed_over),
        cmocka_unit_test(a_node_that_is_down_is_forgotten),
        cmocka_unit_test(a_node_that_has_not_said_its_size_is_used_all_the_same),
        cmocka_unit_test(a_new_generation_is_not_warm_and_ends_the_old_ones),
        cmocka_unit_test(a_nodes_word_replaces_what_was_believed),
        cmocka_unit_test(the_one_node_with_room_is_found_among_thousands),
        cmocka_unit_test(the_one_warm_node_is_found_among_thousands),
        cmocka_unit_test(what_is_remembered_has_an_end),
        cmocka_unit_test(nothing_is_lost_under_random_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
