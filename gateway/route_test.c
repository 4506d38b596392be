/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/route.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TARGET(version, state, weight)                                                             \
    "{\"version\":\"" version "\",\"generation\":7,\"state\":\"" state                             \
    "\",\"timeout_s\":3,\"weight\":" weight "}"
#define ARN "\"arn\":\"arn:aws:lambda:us-east-1:000000000000:function:f\""

static int read_text(const char *text, struct route *ret, struct error *err)
{
    cJSON *json = cJSON_Parse(text);
    int r;

    assert_non_null(json);
    r = route_read(json, ret, err);
    cJSON_Delete(json);
    return r;
}

static void an_answer_is_read_with_its_targets_and_limits(void **state)
{
    struct route route, copy;

    (void)state;
    assert_int_equal(read_text("{" ARN ",\"targets\":[" TARGET("3", "Active", "0.75") "," TARGET(
                                   "12", "Pending", "0.25") "],\"reserved\":0,\"unreserved\":900}",
                               &route, NULL),
                     0);
    route_copy(&route, &copy);
    route_done(&route);
    assert_string_equal(copy.arn, "arn:aws:lambda:us-east-1:000000000000:function:f");
    assert_int_equal(copy.targets_len, 2);
    assert_string_equal(copy.targets[0].version, "3");
    assert_string_equal(copy.targets[1].version, "12");
    assert_int_equal(copy.targets[1].generation, 7);
    assert_int_equal(copy.targets[1].timeout_s, 3);
    assert_true(route_target_is_active(&copy.targets[0]));
    assert_false(route_target_is_active(&copy.targets[1]));
    assert_false(route_is_active(&copy));
    assert_true(copy.limits.has_reserved);
    assert_int_equal(copy.limits.reserved, 0);
    assert_false(copy.targets[0].is_provisioned);
    assert_int_equal(copy.limits.unreserved, 900);
    route_done(&copy);

    assert_int_equal(
        read_text("{" ARN ",\"targets\":[" TARGET("$LATEST", "Active", "1") "]}", &route, NULL), 0);
    assert_true(route_is_active(&route));
    assert_false(route.limits.has_reserved);
    assert_false(route.limits.has_unreserved);
    route_done(&route);
}

static void malformed_answers_are_refused(void **state)
{
    static const char *const cases[] = {
        "{}",
        "{\"targets\":[" TARGET("1", "Active", "1") "]}",
        "{" ARN "}",
        "{" ARN ",\"targets\":[]}",
        "{" ARN ",\"targets\":{}}",
        "{" ARN ",\"targets\":[1]}",
        "{" ARN ",\"targets\":[" TARGET("", "Active", "1") "]}",
        "{" ARN ",\"targets\":[" TARGET("1", "", "1") "]}",
        "{" ARN ",\"targets\":[" TARGET("1", "Active", "1.5") "]}",
        "{" ARN ",\"targets\":[" TARGET("1", "Active", "\"1\"") "]}",
        "{" ARN ",\"targets\":[{\"version\":\"1\",\"state\":\"Active\",\"weight\":1}]}",
        "{" ARN ",\"targets\":[" TARGET("1", "Active", "1") ",{}]}",
        "{" ARN ",\"targets\":[" TARGET("1", "Active", "1") "," TARGET("2", "Active", "0") "," TARGET(
            "3", "Active", "0") "]}",
    };
    struct error err;
    struct route route;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("case %zu\n", i);
        assert_int_equal(read_text(cases[i], &route, &err), -ERR_INTERNAL);
    }
}

static void shares_are_those_of_the_weights(void **state)
{
    static const struct {
        double unit;
        const char *version;
    } cases[] = {{0, "2"}, {0.0999, "2"}, {0.1, "1"}, {0.5, "1"}, {0.9999, "1"}};
    struct route route;
    size_t i;

    (void)state;
    assert_int_equal(read_text("{" ARN ",\"targets\":[" TARGET("1", "Active", "0.9") "," TARGET(
                                   "2", "Active", "0.1") "]}",
                               &route, NULL),
                     0);
    for (i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(route_choose(&route, cases[i].unit)->version, cases[i].version);
    route.targets[1].weight = 0;
    assert_string_equal(route_choose(&route, 0)->version, "1");
    route.targets[1].weight = 1;
    assert_string_equal(route_choose(&route, 0.9999999)->version, "2");
    assert_string_equal(route_find_target(&route, "2")->version, "2");
    assert_null(route_find_target(&route, "3"));
    route_done(&route);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_read_with_its_targets_and_limits),
        cmocka_unit_test(malformed_answers_are_refused),
        cmocka_unit_test(shares_are_those_of_the_weights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
