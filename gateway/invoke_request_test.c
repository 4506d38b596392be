/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/invoke_request.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <strings.h>

#define NAME_65 "01234567890123456789012345678901234567890123456789012345678901234"
#define LONG_NAME NAME_65 NAME_65 NAME_65 NAME_65

struct header {
    const char *name, *value;
};

static struct str header_of(void *arg, const char *name)
{
    const struct header *h;

    for (h = arg; h->name; h++)
        if (strcasecmp(h->name, name) == 0)
            return str_of(h->value);
    return STR_NULL;
}

static int read_op(struct invoke_request *r, const char *op, const char *function,
                   const char *query, const struct header *headers, struct str body,
                   struct error *err)
{
    static const struct fn_home home = {{"000000000000", 12}, {"us-east-1", 9}};
    struct lambda_match match = {.op = lambda_op_by_name(str_of(op))};
    struct invoke_source source = {&match, str_of(query), body, header_of, (void *)headers, &home};

    match.labels[0] = str_of(function);
    match.label_names[0] = STR("FunctionName");
    invoke_request_clear(r);
    return invoke_request_read(r, &source, err);
}

static int read_it(struct invoke_request *r, const char *function, const char *query,
                   const struct header *headers, struct str body, struct error *err)
{
    return read_op(r, "Invoke", function, query, headers, body, err);
}

static const struct header none[] = {{NULL, NULL}};

static void names_and_qualifiers_are_read_in_all_their_forms(void **state)
{
    static const struct {
        const char *function, *query, *name, *qualifier;
    } cases[] = {
        {"hello", "", "hello", ""},
        {"hello", "Qualifier=live", "hello", "live"},
        {"hello", "a=b&Qualifier=%24LATEST", "hello", "$LATEST"},
        {"hello:7", "", "hello", "7"},
        {"hello:7", "Qualifier=7", "hello", "7"},
        {"000000000000:function:hello", "", "hello", ""},
        {"arn:aws:lambda:us-east-1:000000000000:function:hello:live", "", "hello", "live"},
    };
    struct invoke_request r;
    size_t i;

    (void)state;
    invoke_request_init(&r);
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(read_it(&r, cases[i].function, cases[i].query, none, STR("1"), NULL), 0);
        assert_true(str_is(r.fn.name, cases[i].name));
        assert_true(str_is(r.fn.account, "000000000000"));
        assert_int_equal(r.fn.qualifier.len, strlen(cases[i].qualifier));
        assert_memory_equal(r.fn.qualifier.ptr ? r.fn.qualifier.ptr : "", cases[i].qualifier,
                            r.fn.qualifier.len);
        assert_true(str_is(r.payload, "1"));
    }
    invoke_request_done(&r);
}

static void what_is_wrong_is_told_in_aws_words(void **state)
{
    static const struct {
        const char *function, *query;
        struct header headers[2];
        const char *body;
        enum error_code code;
        const char *message; /* its beginning */
    } cases[] = {
        {"hello",
         "",
         {{"X-Amz-Invocation-Type", "Later"}},
         "{}",
         ERR_VALIDATION,
         "1 validation error detected: Value 'Later' at 'invocationType' failed to satisfy "
         "constraint: Member "
         "must satisfy enum value set: ["},
        {"hello",
         "",
         {{"X-Amz-Log-Type", "tail"}},
         "{}",
         ERR_VALIDATION,
         "1 validation error detected: Value 'tail' at 'logType' failed to satisfy constraint: "
         "Member must "
         "satisfy enum value set: ["},
        {"hello",
         "",
         {{"X-Amz-Invocation-Type", "Event"}},
         "{",
         ERR_BAD_CONTENT,
         "Could not parse request body into json: Could not parse payload into json: "},
        {"hello", "", {{"X-Amz-Tenant-Id", "t"}}, "{}", ERR_UNSUPPORTED, "TenantId is not offered"},
        {"hello",
         "Qualifier=a%20b",
         {{0}},
         "{}",
         ERR_VALIDATION,
         "1 validation error detected: Value 'a b' at 'qualifier'"},
        {"hello:1",
         "Qualifier=2",
         {{0}},
         "{}",
         ERR_BAD_REQUEST,
         "The derived qualifier from the function name does not match the specified qualifier."},
        {"arn:aws:lambda:eu-west-1:000000000000:function:hello",
         "",
         {{0}},
         "{}",
         ERR_NOT_FOUND,
         "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"},
        {"arn:aws:lambda:us-east-1:111111111111:function:hello",
         "",
         {{0}},
         "{}",
         ERR_ACCESS_DENIED,
         ""},
        {LONG_NAME, "", {{0}}, "{}", ERR_VALIDATION, "1 validation error detected: Value '0123"},
        {"hello",
         "",
         {{0}},
         "n\x87r",
         ERR_BAD_CONTENT,
         "Could not parse request body into json: Could not parse payload into json: "},
        {"hello",
         "",
         {{"X-Amz-Client-Context", "no base64"}},
         "{}",
         ERR_BAD_CONTENT,
         "Client context must be a valid Base64-encoded JSON object."},
        {"hello",
         "",
         {{"X-Amz-Client-Context", "W10="}},
         "{}",
         ERR_BAD_CONTENT,
         "Client context must be a valid Base64-encoded JSON object."}, /* [] */
        {"hello",
         "",
         {{"X-Amz-Client-Context", "eyJhIjp9"}},
         "{}",
         ERR_BAD_CONTENT,
         "Client context must be a valid Base64-encoded JSON object."}, /* {"a":} */
    };
    struct invoke_request r;
    struct error err;
    size_t i;

    (void)state;
    invoke_request_init(&r);
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("case %zu\n", i);
        assert_int_equal(read_it(&r, cases[i].function, cases[i].query, cases[i].headers,
                                 str_of(cases[i].body), &err),
                         -(int)cases[i].code);
        assert_int_equal(err.code, cases[i].code);
        assert_memory_equal(err.msg, cases[i].message, strlen(cases[i].message));
    }
    invoke_request_done(&r);
}

static void client_context_is_decoded_up_to_its_limit(void **state)
{
    struct header headers[] = {{"x-amz-client-context", NULL}, {NULL, NULL}};
    char text[CLIENT_CONTEXT_MAX + 4];
    struct invoke_request r;
    struct error err;

    (void)state;
    invoke_request_init(&r);
    headers[0].value = "eyJhIjoxfQ==";
    assert_int_equal(read_it(&r, "hello", "", headers, STR_NULL, NULL), 0);
    assert_true(str_is(buf_str(&r.client_context), "{\"a\":1}"));
    assert_true(str_is(r.payload, "{}")); /* an empty body */
    memset(text, 'A', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    headers[0].value = text;
    assert_int_equal(read_it(&r, "hello", "", headers, STR_NULL, &err), -ERR_BAD_CONTENT);
    assert_string_equal(err.msg, "Client context must be no more than 3583 bytes.");
    invoke_request_done(&r);
}

static void types_are_read(void **state)
{
    static const struct {
        const char *op;
        struct header headers[3];
        const char *body;
        enum invoke_kind kind;
        bool wants_log_tail;
    } cases[] = {
        {"Invoke", {{0}}, "", INVOKE_SYNC, false},
        {"Invoke",
         {{"X-Amz-Invocation-Type", "RequestResponse"}, {"X-Amz-Log-Type", "None"}},
         "1",
         INVOKE_SYNC,
         false},
        {"Invoke",
         {{"X-Amz-Invocation-Type", "DryRun"}, {"X-Amz-Log-Type", "Tail"}},
         "no json: not looked at",
         INVOKE_DRY_RUN,
         true},
        {"Invoke",
         {{"X-Amz-Invocation-Type", "Event"}, {"X-Amz-Client-Context", "no base64: not passed on"}},
         "{}",
         INVOKE_EVENT,
         false},
        {"InvokeWithResponseStream", {{"X-Amz-Log-Type", "Tail"}}, "{}", INVOKE_STREAM, true},
        {"InvokeWithResponseStream",
         {{"X-Amz-Invocation-Type", "DryRun"}},
         "",
         INVOKE_DRY_RUN,
         false},
        {"InvokeAsync",
         {{"X-Amz-Invocation-Type", "no header of this operation"}, {"X-Amz-Tenant-Id", "nor this"}},
         "{}",
         INVOKE_EVENT,
         false},
    };
    struct invoke_request r;
    size_t i;

    (void)state;
    invoke_request_init(&r);
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(read_op(&r, cases[i].op, "hello", "", cases[i].headers,
                                 str_of(cases[i].body), NULL),
                         0);
        assert_int_equal(r.kind, cases[i].kind);
        assert_int_equal(r.wants_log_tail, cases[i].wants_log_tail);
    }
    invoke_request_done(&r);
}

static void a_stream_has_types_of_its_own(void **state)
{
    static const struct header event[] = {{"X-Amz-Invocation-Type", "Event"}, {NULL, NULL}};
    struct invoke_request r;
    struct error err;

    (void)state;
    invoke_request_init(&r);
    assert_int_equal(
        read_op(&r, "InvokeWithResponseStream", "hello", "", event, STR("{}"), &err),
        -ERR_VALIDATION);
    assert_string_equal(err.msg,
                        "1 validation error detected: Value 'Event' at 'invocationType' failed to "
                        "satisfy constraint: Member must satisfy enum value set: "
                        "[RequestResponse, DryRun]");
    invoke_request_done(&r);
}

static void a_trace_is_kept_completed_or_begun(void **state)
{
    static const struct {
        const char *given, *expected; /* NULL: a new one */
    } cases[] = {
        {"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
         "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"},
        {"Root=1-5759e988-bd862e3fe1be46a994272793",
         "Root=1-5759e988-bd862e3fe1be46a994272793;Parent="},
        {"Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
         "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1;Parent="},
        {"nonsense", NULL},
        {NULL, NULL},
    };
    struct header headers[] = {{"X-Amzn-Trace-Id", NULL}, {NULL, NULL}};
    struct invoke_request r;
    const char *parent;
    struct str made;
    size_t i;

    (void)state;
    invoke_request_init(&r);
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        headers[0].value = cases[i].given;
        assert_int_equal(read_it(&r, "hello", "", headers, STR_NULL, NULL), 0);
        made = buf_str(&r.trace_id);
        assert_non_null(memmem(made.ptr, made.len, ";Sampled=", 9));
        parent = memmem(made.ptr, made.len, ";Parent=", 8);
        assert_non_null(parent);
        assert_int_equal(strspn(parent + 8, "0123456789abcdef"), 16);
        if (cases[i].expected) {
            assert_true(str_starts(made, str_of(cases[i].expected)));
            continue;
        }
        assert_int_equal(
            made.len,
            strlen("Root=1-12345678-123456789012345678901234;Parent=1234567890123456;Sampled=0"));
        assert_true(str_starts(made, STR("Root=1-")));
        assert_int_equal(made.ptr[15], '-');
        assert_true(str_ends(made, STR(";Sampled=0")));
    }
    invoke_request_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_qualifiers_are_read_in_all_their_forms),
        cmocka_unit_test(what_is_wrong_is_told_in_aws_words),
        cmocka_unit_test(client_context_is_decoded_up_to_its_limit),
        cmocka_unit_test(types_are_read),
        cmocka_unit_test(a_stream_has_types_of_its_own),
        cmocka_unit_test(a_trace_is_kept_completed_or_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
