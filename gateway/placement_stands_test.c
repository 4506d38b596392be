/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "gateway/placement_impl.h"

#define NODES 100
#define NAME_SIZE 24

struct world {
    struct placement *p;
    struct place_node nodes[NODES];
    uint32_t stream;
};

static struct world w;

static void begin(size_t stands_max)
{
    const struct placement_options options = {.seed = 3, .stands_max = stands_max};
    const struct place_told told = {.memory_mib = 8192, .free_mib = 8192};
    size_t i;

    memset(&w, 0, sizeof(w));
    w.p = placement_new(&options);
    for (i = 0; i < NODES; i++) {
        placement_add(w.p, &w.nodes[i], i + 1);
        placement_up(&w.nodes[i]);
        placement_told(&w.nodes[i], &told);
    }
}

/* Nothing is left when all nodes are down. */
static void end(void)
{
    size_t i;

    for (i = 0; i < NODES; i++)
        placement_down(&w.nodes[i]);
    assert_int_equal(w.p->stands.len, 0);
    assert_int_equal(w.p->versions.len, 0);
    placement_free(w.p);
}

static struct place_ask ask_of(char *name, size_t function)
{
    snprintf(name, NAME_SIZE, "function-%zu", function);
    return (struct place_ask){.key = {STR("000000000000"), str_of(name), STR("$LATEST"), 1},
                              .memory_mib = 512,
                              .now_us = SECONDS(1)};
}

static void say_idle(size_t n, size_t function, uint32_t idle, uint32_t kept)
{
    const struct place_told told = {.memory_mib = 8192, .free_mib = 8192};
    char name[NAME_SIZE];
    struct place_ask ask = ask_of(name, function);

    placement_told_version(&w.nodes[n], &told, &ask.key, idle, kept);
}

static void say_free(size_t n, int64_t free_mib)
{
    const struct place_told told = {.memory_mib = 8192, .free_mib = free_mib};

    placement_told(&w.nodes[n], &told);
}

static size_t peek(size_t function, enum place_how *ret_how)
{
    char name[NAME_SIZE];
    struct place_ask ask = ask_of(name, function);
    struct place_node *node = placement_choose(w.p, &ask, ret_how);

    assert_non_null(node);
    return (size_t)(node - w.nodes);
}

static void go(size_t function, enum place_how how, size_t at, struct place_run *ret)
{
    char name[NAME_SIZE];
    struct place_ask ask = ask_of(name, function);
    enum place_how got;

    assert_int_equal(peek(function, &got), at);
    assert_int_equal(got, how);
    placement_begin(w.p, &w.nodes[at], &ask, w.stream += 2, ret);
}

static void what_a_decision_reads_stays_small(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct place_stand), 32); /* two in a cache line */
    assert_int_equal(sizeof(struct place_run), 32);
    assert_true(offsetof(struct place_version, key) <= 48);
}

/* More than the arrays and tables begin with. */
static void thousands_of_versions_are_each_found_where_they_are(void **state)
{
    enum place_how how;
    size_t i;

    (void)state;
    begin(0);
    for (i = 0; i < 5000; i++)
        say_idle(i * 7 % NODES, i, 1, 0);
    assert_int_equal(w.p->stands.len, 5000);
    assert_int_equal(w.p->versions.len, 5000);
    for (i = 0; i < 5000; i++) {
        assert_int_equal(peek(i, &how), i * 7 % NODES);
        assert_int_equal(how, PLACE_WARM);
    }
    placement_down(&w.nodes[7]);
    assert_int_equal(w.p->stands.len, 5000 - 50);
    for (i = 0; i < 5000; i++) {
        size_t at = peek(i, &how);

        assert_int_not_equal(at, 7);
        assert_int_equal(how, i % NODES == 1 ? PLACE_COLD : PLACE_WARM);
    }
    end();
}

static void idle_ones_are_a_stack_and_each_can_leave_it(void **state)
{
    struct place_run runs[4];
    enum place_how how;

    (void)state;
    begin(0);
    say_idle(1, 0, 1, 0);
    say_idle(2, 0, 2, 0);
    say_idle(3, 0, 1, 0);
    say_idle(4, 0, 1, 1);
    say_idle(2, 0, 0, 0); /* out of the middle */
    go(0, PLACE_WARM, 4, &runs[0]);
    go(0, PLACE_WARM, 3, &runs[1]);
    go(0, PLACE_WARM, 1, &runs[2]);
    peek(0, &how);
    assert_int_equal(how, PLACE_COLD);
    placement_end(w.p, &runs[1], PLACE_RAN);
    placement_end(w.p, &runs[0], PLACE_RAN);
    placement_end(w.p, &runs[2], PLACE_RAN);
    placement_down(&w.nodes[1]); /* the first */
    go(0, PLACE_WARM, 4, &runs[0]);
    go(0, PLACE_WARM, 3, &runs[1]);
    placement_end(w.p, &runs[0], PLACE_REFUSED);
    placement_end(w.p, &runs[1], PLACE_LOST);
    peek(0, &how);
    assert_int_equal(how, PLACE_COLD);
    end();
}

/* It has gone down and come up again meanwhile: what is known there now is another's. */
static void an_invocation_keeps_its_place_until_it_ends(void **state)
{
    struct place_run run, other;
    enum place_how how;
    char name[NAME_SIZE];
    struct place_ask ask = ask_of(name, 0), another;
    char another_name[NAME_SIZE];

    (void)state;
    another = ask_of(another_name, 1);
    begin(0);
    placement_begin(w.p, &w.nodes[0], &ask, 2, &run);
    placement_down(&w.nodes[0]);
    placement_up(&w.nodes[0]);
    placement_begin(w.p, &w.nodes[0], &another, 4, &other);
    assert_int_not_equal(run.stand, other.stand);
    placement_end(w.p, &run, PLACE_RAN);
    placement_end(w.p, &run, PLACE_RAN);
    peek(0, &how);
    assert_int_equal(how, PLACE_COLD);
    placement_end(w.p, &other, PLACE_RAN);
    assert_int_equal(peek(1, &how), 0);
    assert_int_equal(how, PLACE_WARM);
    end();
}

static void what_is_used_is_not_forgotten_and_places_are_used_again(void **state)
{
    struct place_run run, held;
    enum place_how how;
    char name[NAME_SIZE];
    struct place_ask ask = ask_of(name, 1);
    size_t i;

    (void)state;
    begin(200);
    say_idle(5, 0, 1, 0);
    placement_begin(w.p, &w.nodes[6], &ask, w.stream += 2, &held);
    for (i = 2; i < 20000; i++) {
        say_idle(i % NODES, i, 1, 0);
        if (i % 50)
            continue;
        go(0, PLACE_WARM, 5, &run);
        placement_end(w.p, &run, PLACE_RAN);
    }
    assert_true(w.p->stands.len <= 204);
    assert_true(w.p->versions.len <= 204);
    assert_true(w.p->stands.end <= 205);
    placement_end(w.p, &held, PLACE_RAN);
    assert_int_equal(peek(1, &how), 6); /* what runs is not forgotten either */
    assert_int_equal(how, PLACE_WARM);
    end();
}

static void of_many_that_have_the_image_those_with_room_are_found(void **state)
{
    enum place_how how;
    size_t i, n;

    (void)state;
    begin(0);
    for (n = 0; n < NODES; n++)
        say_free(n, 4096);
    for (n = 0; n < 40; n++) {
        say_idle(n, 0, 0, 0);
        say_free(n, n == 3 ? 4096 : 100);
    }
    for (i = 0; i < 5; i++) /* eight are looked at each time */
        peek(0, &how);
    for (i = 0; i < 20; i++) {
        assert_int_equal(peek(0, &how), 3);
        assert_int_equal(how, PLACE_COLD);
    }
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_decision_reads_stays_small),
        cmocka_unit_test(thousands_of_versions_are_each_found_where_they_are),
        cmocka_unit_test(idle_ones_are_a_stack_and_each_can_leave_it),
        cmocka_unit_test(an_invocation_keeps_its_place_until_it_ends),
        cmocka_unit_test(what_is_used_is_not_forgotten_and_places_are_used_again),
        cmocka_unit_test(of_many_that_have_the_image_those_with_room_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
