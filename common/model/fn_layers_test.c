/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn_layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/model/record.h"

#define ARN "arn:aws:lambda:us-east-1:000000000000:layer:"
#define OTHER "arn:aws:lambda:eu-west-1:000000000000:layer:"
#define TWICE "Two different versions of the same layer are not allowed to be referenced in the " \
              "same function. "

static const struct {
    const char *input;
    int count; /* -1: not spoken of; -2: refused */
    const char *message;
} cases[] = {
    {"{}", -1, NULL},
    {"{\"Layers\":null}", -1, NULL},
    {"{\"Layers\":[]}", 0, NULL},
    {"{\"Layers\":[\"" ARN "b:2\",\"" ARN "a:1\"]}", 2, NULL},
    {"{\"Layers\":[\"arn:aws:lambda:::awslayer:AmazonLinux1703\"]}", 1, NULL},
    {"{\"Layers\":[\"" ARN "a:1\",\"" ARN "b:1\",\"" ARN "c:1\",\"" ARN "d:1\",\"" ARN
     "e:1\",\"" ARN "f:1\"]}",
     -2, "Cannot reference more than 5 layers."},
    {"{\"Layers\":[\"" ARN "a:1\",\"" OTHER "a:1\"]}", -2,
     "Layers are not in the same region as the function. Layers are expected to be in region "
     "us-east-1."},
    {"{\"Layers\":[\"" ARN "a:1\",\"" ARN "a:2\",\"" ARN "a:3\"]}", -2,
     TWICE ARN "a:1 and " ARN "a:2 are versions of the same layer."},
    {"{\"Layers\":[\"" ARN "a:1\",\"" ARN "b:1\",\"" ARN "a:1\"]}", -2,
     TWICE ARN "a:1 and " ARN "a:1 are versions of the same layer."},
};

static void the_layers_of_a_request_are_read_in_order(void **state)
{
    struct error err;
    char **arns;
    size_t i;
    int r, n;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        cJSON *input = cJSON_Parse(cases[i].input);

        arns = NULL;
        r = fn_layer_arns(input, STR("us-east-1"), &arns, &err);
        cJSON_Delete(input);
        assert_int_equal(r, cases[i].message ? -ERR_BAD_REQUEST : 0);
        if (cases[i].message)
            assert_string_equal(err.msg, cases[i].message);
        for (n = 0; arns && arns[n]; n++)
            continue;
        assert_int_equal(arns ? n : r < 0 ? -2 : -1, cases[i].count);
        if (n == 2)
            assert_string_equal(arns[0], ARN "b:2");
        strv_free(arns);
    }
}

static void a_missing_layer_is_told_in_awss_words(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(fn_layer_missing(ARN "a:9", &err), -ERR_BAD_REQUEST);
    assert_string_equal(err.msg, "Layer version " ARN "a:9 does not exist.");
}

static void code_and_layers_together_have_a_limit(void **state)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = fn_version_new();
    char arn[] = ARN "a:1", sha256[] = "00";
    struct fn_layer layer = {arn, sha256, 1, 262000000};
    struct error err;

    (void)state;
    ver->unzipped_bytes = 144001;
    assert_int_equal(fn_check_unzipped(ver, &err), 0);
    fn_set_layers(ver, &layer, 1);
    assert_int_equal(fn_check_unzipped(ver, &err), -ERR_BAD_REQUEST);
    assert_string_equal(err.msg, "Function code combined with layers exceeds the maximum allowed "
                                 "size of 262144000 bytes. The actual size is 262144001 bytes.");
    ver->unzipped_bytes = 144000;
    assert_int_equal(fn_check_unzipped(ver, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layers_of_a_request_are_read_in_order),
        cmocka_unit_test(a_missing_layer_is_told_in_awss_words),
        cmocka_unit_test(code_and_layers_together_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
