/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/node_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define VERSION                                                                                    \
    "{\"account\":\"000000000000\",\"name\":\"f\",\"version\":\"1\",\"generation\":3,\"idle\":2,\"kept\":1}"

static int read_text(struct place_node *node, const char *text, bool *ret_draining)
{
    cJSON *args = cJSON_Parse(text);
    struct error err;
    int r;

    assert_non_null(args);
    r = node_state_read(node, args, ret_draining, &err);
    cJSON_Delete(args);
    return r;
}

static void a_whole_word_is_believed(void **state)
{
    const struct placement_options options = {0};
    struct placement *p = placement_new(&options);
    struct place_node node = {0};
    const struct place_ask ask = {
        .key = {STR("000000000000"), STR("f"), STR("1"), 3}, .memory_mib = 128};
    enum place_how how;
    bool draining;

    (void)state;
    placement_add(p, &node, 1);
    placement_up(&node);
    assert_int_equal(read_text(&node,
                               "{\"memory_mib\":4096,\"free_mib\":-128,\"idle_mib\":256,\"received\":7,"
                               "\"draining\":true,\"all\":true,\"versions\":[" VERSION "],\"later\":1}",
                               &draining),
                     0);
    assert_true(draining);
    assert_int_equal(node.memory_mib, 4096);
    assert_int_equal(node.free_mib, -128);
    assert_ptr_equal(placement_choose(p, &ask, &how), &node);
    assert_int_equal(how, PLACE_WARM);
    assert_int_equal(read_text(&node,
                               "{\"memory_mib\":4096,\"free_mib\":0,\"idle_mib\":0,\"versions\":[],"
                               "\"all\":true}",
                               &draining),
                     0);
    assert_false(draining);
    placement_choose(p, &ask, &how);
    assert_int_equal(how, PLACE_QUEUE);
    placement_down(&node);
    placement_free(p);
}

static void a_word_that_makes_no_sense_changes_nothing(void **state)
{
    static const char *const words[] = {
        "{}",
        "[]",
        "{\"memory_mib\":0,\"free_mib\":0,\"idle_mib\":0,\"versions\":[]}",
        "{\"memory_mib\":1e300,\"free_mib\":0,\"idle_mib\":0,\"versions\":[]}",
        "{\"memory_mib\":4096,\"free_mib\":\"1\",\"idle_mib\":0,\"versions\":[]}",
        "{\"memory_mib\":4096,\"free_mib\":0,\"idle_mib\":-1,\"versions\":[]}",
        "{\"memory_mib\":4096,\"free_mib\":0,\"idle_mib\":0,\"versions\":{}}",
        "{\"memory_mib\":4096,\"free_mib\":0,\"idle_mib\":0,\"versions\":[" VERSION ",3]}",
        "{\"memory_mib\":4096,\"free_mib\":0,\"idle_mib\":0,\"versions\":[{\"account\":\"0\",\"name\":\"f\"}]}",
        "{\"memory_mib\":4096,\"free_mib\":0,\"idle_mib\":0,\"versions\":[{\"account\":\"0\",\"name\":\"f\","
        "\"version\":\"1\",\"generation\":-1,\"idle\":0,\"kept\":0}]}",
        "{\"memory_mib\":4096,\"free_mib\":0,\"idle_mib\":0,\"versions\":[{\"account\":\"0\",\"name\":\"f\","
        "\"version\":\"1\",\"generation\":1,\"idle\":5000000000,\"kept\":0}]}",
    };
    const struct placement_options options = {0};
    struct placement *p = placement_new(&options);
    struct place_node node = {0};
    bool draining;
    size_t i;

    (void)state;
    placement_add(p, &node, 1);
    placement_up(&node);
    for (i = 0; i < ARRAY_LEN(words); i++)
        assert_int_equal(read_text(&node, words[i], &draining), -ERR_BAD_REQUEST);
    assert_false(node.has_told);
    placement_down(&node);
    placement_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_word_is_believed),
        cmocka_unit_test(a_word_that_makes_no_sense_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
