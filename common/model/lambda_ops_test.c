/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/lambda_ops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/buf.h"

struct route_case {
    const char *method, *path, *query;
    const char *op; /* NULL: no operation */
    const char *label0, *label1;
};

static const struct route_case routes[] = {
    {"POST", "/2015-03-31/functions/hello/invocations", "", "Invoke", "hello", NULL},
    {"POST", "/2015-03-31/functions/arn:aws:lambda:us-east-1:0123:function:f:v1/invocations", "",
     "Invoke", "arn:aws:lambda:us-east-1:0123:function:f:v1", NULL},
    {"GET", "/2015-03-31/functions/hello/invocations", "", NULL, NULL, NULL},
    {"POST", "/2014-11-13/functions/hello/invoke-async", "", "InvokeAsync", "hello", NULL},
    {"POST", "/2014-11-13/functions/hello/invoke-async/", "", "InvokeAsync", "hello", NULL},
    {"POST", "/2021-11-15/functions/f/response-streaming-invocations", "",
     "InvokeWithResponseStream", "f", NULL},
    {"POST", "/2015-03-31/functions", "", "CreateFunction", NULL, NULL},
    {"POST", "/2015-03-31/functions/", "", "CreateFunction", NULL, NULL},
    {"GET", "/2015-03-31/functions", "MaxItems=3", "ListFunctions", NULL, NULL},
    {"GET", "/2015-03-31/functions/hello", "", "GetFunction", "hello", NULL},
    {"GET", "/2015-03-31/functions/hello/configuration", "", "GetFunctionConfiguration", "hello",
     NULL},
    {"GET", "/2015-03-31/functions/hello/nothing", "", NULL, NULL, NULL},
    {"GET", "/2015-03-31/functions//configuration", "", NULL, NULL, NULL},
    {"PUT", "/2015-03-31/functions/f/aliases/prod", "", "UpdateAlias", "f", "prod"},
    {"DELETE", "/2018-10-31/layers/lib/versions/7", "", "DeleteLayerVersion", "lib", "7"},
    {"GET", "/2018-10-31/layers", "", "ListLayers", NULL, NULL},
    {"GET", "/2018-10-31/layers", "Arn=x&find=LayerVersion", "GetLayerVersionByArn", NULL, NULL},
    {"GET", "/2019-09-30/functions/f/provisioned-concurrency", "Qualifier=1",
     "GetProvisionedConcurrencyConfig", "f", NULL},
    {"GET", "/2019-09-30/functions/f/provisioned-concurrency", "List=ALL",
     "ListProvisionedConcurrencyConfigs", "f", NULL},
    {"GET", "/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:function:f", "", "ListTags",
     "arn:aws:lambda:us-east-1:000000000000:function:f", NULL},
    {"GET", "/2025-12-01/durable-executions/arn:a:function:f:1/durable-execution/n/i/history", "",
     "GetDurableExecutionHistory", "arn:a:function:f:1/durable-execution/n/i", NULL},
    {"GET", "/2025-12-01/durable-executions/arn:a:function:f:1/durable-execution/n/i", "",
     "GetDurableExecution", "arn:a:function:f:1/durable-execution/n/i", NULL},
    {"GET", "/", "", NULL, NULL, NULL},
    {"GET", "", "", NULL, NULL, NULL},
    {"PATCH", "/2015-03-31/functions", "", NULL, NULL, NULL},
    {"GET", "/2016-08-19/account-settings", "", "GetAccountSettings", NULL, NULL},
    {"GET", "/2016-08-19/account-settingsx", "", NULL, NULL, NULL},
};

static void a_request_finds_its_operation_and_labels(void **state)
{
    struct lambda_match m;
    size_t i;
    int r;

    (void)state;
    for (i = 0; i < ARRAY_LEN(routes); i++) {
        const struct route_case *c = &routes[i];

        r = lambda_op_match(str_of(c->method), str_of(c->path), str_of(c->query), &m);
        if (!c->op) {
            assert_int_equal(r, -ERR_NO_OPERATION);
            continue;
        }
        assert_int_equal(r, 0);
        assert_string_equal(m.op->name, c->op);
        if (c->label0)
            assert_true(str_is(m.labels[0], c->label0));
        if (c->label1)
            assert_true(str_is(m.labels[1], c->label1));
        assert_true(!m.label_names[0].ptr == !c->label0);
        assert_true(!m.label_names[1].ptr == !c->label1);
    }
}

static void three_labels_are_told_apart(void **state)
{
    struct lambda_match m;

    (void)state;
    assert_int_equal(lambda_op_match(STR("DELETE"),
                                     STR("/2018-10-31/layers/lib/versions/7/policy/sid"), STR_NULL,
                                     &m),
                     0);
    assert_string_equal(m.op->name, "RemoveLayerVersionPermission");
    assert_true(str_is(lambda_match_label(&m, "LayerName"), "lib"));
    assert_true(str_is(lambda_match_label(&m, "VersionNumber"), "7"));
    assert_true(str_is(lambda_match_label(&m, "StatementId"), "sid"));
    assert_null(lambda_match_label(&m, "Nothing").ptr);
}

/* Writes the path of @op with @value in place of every label whose pattern knows slashes. */
static bool path_with_slashes(const struct lambda_op *op, const char *value, struct buf *path)
{
    struct str uri = str_of(op->uri), part;
    bool any = false;

    uri = str_sub(uri, 1, str_find(uri, '?', 0));
    while (str_split(&uri, '/', &part)) {
        const struct lambda_member *m = NULL;

        if (part.len > 2 && part.ptr[0] == '{')
            m = lambda_shape_member(lambda_input_shape(op->id), str_sub(part, 1, part.len - 1));
        if (m && m->shape->pattern && strchr(m->shape->pattern, '/')) {
            part = str_of(value);
            any = true;
        }
        buf_printf(path, "/%.*s", STR_ARG(part));
    }
    return any;
}

static void labels_whose_values_may_hold_slashes_take_them(void **state)
{
    size_t i, tried = 0;

    (void)state;
    for (i = 0; i < LAMBDA_OP_MAX; i++) {
        const struct lambda_op *op = &lambda_op_table[i];
        const char *query = strchr(op->uri, '?');
        CLEANUP(buf_done) struct buf path = BUF_INIT(512);
        struct lambda_match m;

        if (!path_with_slashes(op, "a/b/c=", &path))
            continue;
        assert_int_equal(lambda_op_match(str_of(op->method), buf_str(&path),
                                         str_of(query ? query + 1 : NULL), &m),
                         0);
        assert_string_equal(m.op->name, op->name);
        assert_true(str_is(m.labels[0], "a/b/c="));
        tried++;
    }
    assert_true(tried > 0);
}

static void every_template_matches_itself_and_its_labels_are_uri_members(void **state)
{
    size_t i, j;

    (void)state;
    for (i = 0; i < LAMBDA_OP_MAX; i++) {
        const struct lambda_op *op = &lambda_op_table[i];
        const char *query = strchr(op->uri, '?');
        struct lambda_match m;

        assert_int_equal(op->id, i);
        assert_ptr_equal(lambda_op_by_name(str_of(op->name)), op);
        assert_int_equal(lambda_op_match(str_of(op->method),
                                         str_from(op->uri, query ? (size_t)(query - op->uri)
                                                                 : strlen(op->uri)),
                                         str_of(query ? query + 1 : NULL), &m),
                         0);
        assert_ptr_equal(m.op, op);
        for (j = 0; j < LAMBDA_LABELS_MAX && m.label_names[j].ptr; j++) {
            const struct lambda_member *member =
                lambda_shape_member(lambda_input_shape(op->id), m.label_names[j]);

            assert_non_null(member);
            assert_int_equal(member->location, LAMBDA_IN_URI);
            assert_true(member->required);
        }
    }
    assert_null(lambda_op_by_name(STR("invoke")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_finds_its_operation_and_labels),
        cmocka_unit_test(three_labels_are_told_apart),
        cmocka_unit_test(labels_whose_values_may_hold_slashes_take_them),
        cmocka_unit_test(every_template_matches_itself_and_its_labels_are_uri_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
