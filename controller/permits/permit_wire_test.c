/* SPDX-License-Identifier: Apache-2.0 */
/* What peers may say of permits, and what is refused. */
#include "controller/permits/permit_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int items(const char *text, struct permit_items *ret)
{
    CLEANUP(freep) char *whole = str_printf("{\"pools\":%s}", text);
    cJSON *json = cJSON_Parse(whole);
    struct error err;
    int r;

    assert_non_null(json);
    r = permit_items_parse(json, ret, &err);
    cJSON_Delete(json);
    return r;
}

static void questions_come_sorted_by_account_and_the_shared_pool_first(void **state)
{
    struct permit_items list = {0};

    (void)state;
    assert_int_equal(
        items("[{\"account\":\"2\",\"pool\":\"f\",\"seq\":1,\"held\":1,\"want\":3,\"need\":2},"
              "{\"account\":\"1\",\"pool\":\"f:3\",\"seq\":4,\"held\":0,\"want\":0,\"need\":0},"
              "{\"account\":\"1\",\"pool\":\"*\",\"seq\":7,\"held\":9007199,\"want\":9007199,"
              "\"need\":0,\"moved\":true}]",
              &list),
        0);
    assert_int_equal(list.len, 3);
    assert_string_equal(list.all[0].pool, "*");
    assert_true(list.all[0].moved);
    assert_string_equal(list.all[1].pool, "f:3");
    assert_string_equal(list.all[2].account, "2");
    assert_int_equal(list.all[2].want, 3);
    assert_int_equal(list.all[2].need, 2);
    permit_items_done(&list);
    assert_int_equal(items("[]", &list), 0);
    permit_items_done(&list);
}

static void questions_that_are_none_are_refused(void **state)
{
#define ONE(fields) "[{\"account\":\"1\",\"pool\":\"f\"," fields "}]"
    static const char *const wrong[] = {
        "{}",
        "7",
        "[7]",
        "[{}]",
        ONE("\"seq\":0,\"held\":0,\"want\":0,\"need\":0"),
        ONE("\"seq\":1,\"held\":2,\"want\":1,\"need\":0"),
        ONE("\"seq\":1,\"held\":0,\"want\":1,\"need\":2"),
        ONE("\"seq\":1,\"held\":0,\"want\":1"),
        ONE("\"seq\":1.5,\"held\":0,\"want\":1,\"need\":0"),
        ONE("\"seq\":1e300,\"held\":0,\"want\":1,\"need\":0"),
        ONE("\"seq\":1,\"held\":\"1\",\"want\":1,\"need\":0"),
        ONE("\"seq\":1,\"held\":0,\"want\":1000000001,\"need\":0"),
        "[{\"account\":\"1 2\",\"pool\":\"f\",\"seq\":1,\"held\":0,\"want\":0,\"need\":0}]",
        "[{\"account\":\"1\",\"pool\":\"f\",\"seq\":1,\"held\":0,\"want\":0,\"need\":0},"
        "{\"account\":\"1\",\"pool\":\"f\",\"seq\":2,\"held\":0,\"want\":0,\"need\":0}]",
    };
    struct permit_items list = {0};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(wrong); i++)
        if (items(wrong[i], &list) != -ERR_BAD_REQUEST)
            fail_msg("taken: %s", wrong[i]);
    assert_null(list.all);
}

static void statements_want_what_they_hold(void **state)
{
    cJSON *json = cJSON_Parse("{\"pools\":" ONE("\"seq\":3,\"held\":4") "}");
    struct permit_items list;

    (void)state;
    assert_int_equal(permit_statements_parse(json, &list, NULL), 0);
    assert_int_equal(list.all[0].want, 4);
    assert_int_equal(list.all[0].need, 4);
    permit_items_done(&list);
    cJSON_Delete(json);
}

static int orphans(const char *text, struct permit_orphans *ret)
{
    cJSON *json = cJSON_Parse(text);
    int r = permit_orphans_parse(json, ret, NULL);

    assert_non_null(json);
    cJSON_Delete(json);
    return r;
}

static void orphans_are_summed_by_pool(void **state)
{
    struct permit_orphans list, copy;
    struct ledger_count *counts;
    size_t len;

    (void)state;
    assert_int_equal(orphans("{\"seq\":5,\"orphans\":[{\"account\":\"1\",\"pool\":\"f\",\"count\":2},"
                             "{\"account\":\"2\",\"pool\":\"f\",\"count\":1},"
                             "{\"account\":\"1\",\"pool\":\"g\",\"count\":0},"
                             "{\"account\":\"1\",\"pool\":\"f\",\"count\":3}]}",
                             &list),
                     0);
    copy = permit_orphans_copy(&list);
    permit_orphans_done(&list);
    assert_int_equal(copy.seq, 5);
    assert_int_equal(copy.len, 2);
    counts = permit_orphans_of(&copy, "1", &len);
    assert_int_equal(len, 1);
    assert_int_equal(counts[0].count, 5);
    free(counts);
    assert_true(permit_orphans_has(&copy, "2"));
    assert_false(permit_orphans_has(&copy, "3"));
    permit_orphans_done(&copy);
}

static void orphans_that_are_none_are_refused(void **state)
{
    static const char *const wrong[] = {
        "{}",
        "{\"seq\":1}",
        "{\"seq\":0,\"orphans\":[]}",
        "{\"seq\":1,\"orphans\":[{\"account\":\"1\",\"pool\":\"f\",\"count\":-1}]}",
        "{\"seq\":1,\"orphans\":[{\"account\":\"1\",\"pool\":\"f\",\"count\":1},7]}",
        "{\"seq\":1,\"orphans\":[{\"account\":\"\",\"pool\":\"f\",\"count\":1}]}",
    };
    struct permit_orphans list = {0};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(wrong); i++)
        if (orphans(wrong[i], &list) != -ERR_BAD_REQUEST)
            fail_msg("taken: %s", wrong[i]);
    assert_null(list.all);
}

static void a_pool_names_its_function(void **state)
{
    (void)state;
    assert_true(str_is(permit_pool_function(STR("f:12")), "f"));
    assert_true(str_is(permit_pool_function(STR("f")), "f"));
    assert_int_equal(permit_pool_function(STR("*")).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_come_sorted_by_account_and_the_shared_pool_first),
        cmocka_unit_test(questions_that_are_none_are_refused),
        cmocka_unit_test(statements_want_what_they_hold),
        cmocka_unit_test(orphans_are_summed_by_pool),
        cmocka_unit_test(orphans_that_are_none_are_refused),
        cmocka_unit_test(a_pool_names_its_function),
    };

    return cmocka_run_group_tests_name("permit_wire", tests, NULL, NULL);
}
