/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every operation of the API with every one of its Redis commands failing, in two ways: refused, and
 * done with the answer lost. Each time the client gets its success or a 503 that SDKs try again, what
 * is in Redis is whole, and the same request sent again ends it. Nothing leaks (run with sanitizers,
 * whose builds have the fault points).
 */
#include "controller/api.h"
#include "controller/world_fixture.h"

#ifdef HEARTH_FAULT_POINTS

#define COMMANDS_MAX 64u /* an operation that needs more does not come to an end */

/* What is there before the operation; each in the order given. */
enum {
    A_FUNCTION = 1, /* with version 1 */
    AN_ALIAS = 2, /* "live" → 1 */
    A_LAYER = 4, /* version 1 */
    A_POLICY = 8, /* of that layer version, statement "s" */
    A_DRAFT = 16, /* a function without versions */
    A_STATEMENT = 32, /* "s" in the function's policy */
    A_URL = 64,
    AN_EVENT_CONFIG = 128,
    A_RESERVATION = 256,
    PROVISIONED = 512, /* version 1 */
    A_MAPPING = 1024, /* of an event source */
    A_SIGNING = 2048, /* a code signing configuration */
    A_SIGNED_FUNCTION = 4096, /* which the function names */
};

struct operation {
    enum lambda_op_id id;
    unsigned needs;
    const char *query;
    const char *body; /* @NAME@ and @ZIP@ are filled in */
};

#define ZIP_FN                                                                                     \
    "{\"FunctionName\":\"@NAME@\",\"Runtime\":\"python3.13\",\"Handler\":\"app.h\"," ROLE          \
    ",\"Tags\":{\"a\":\"b\"},\"Code\":{\"ZipFile\":\"@ZIP@\"}"
#define STATEMENT                                                                                  \
    "{\"StatementId\":\"s\",\"Action\":\"lambda:InvokeFunction\",\"Principal\":\"s3.amazonaws.com\"}"
#define EVENT_CONFIG "{\"MaximumRetryAttempts\":1}"
#define RESERVED "{\"ReservedConcurrentExecutions\":5}"
#define PROVIDED "{\"ProvisionedConcurrentExecutions\":1}"
#define SIGNING                                                                                    \
    "{\"AllowedPublishers\":{\"SigningProfileVersionArns\":[\"arn:aws:signer:us-east-1:"          \
    "000000000000:/signing-profiles/p/0123456789\"]}}"
#define MAPPING                                                                                    \
    "{\"EventSourceArn\":\"arn:aws:sqs:us-east-1:000000000000:@NAME@\",\"FunctionName\":"          \
    "\"@NAME@\"}"
#define LAYER_ARN "arn:aws:lambda:us-east-1:000000000000:layer:@NAME@:1"
#define OP(name) LAMBDA_OP_##name

static const struct operation operations[] = {
    {OP(CreateFunction), 0, "", ZIP_FN "}"},
    {OP(CreateFunction), A_LAYER, "", ZIP_FN ",\"Publish\":true,\"Layers\":[\"" LAYER_ARN "\"]}"},
    {OP(GetFunction), A_FUNCTION, "", ""},
    {OP(GetFunctionConfiguration), A_FUNCTION | AN_ALIAS, "Qualifier=live", ""},
    {OP(ListFunctions), A_FUNCTION, "", ""},
    {OP(ListFunctions), A_FUNCTION, "FunctionVersion=ALL", ""},
    {OP(UpdateFunctionCode), A_FUNCTION, "", "{\"ZipFile\":\"@OTHER@\",\"Publish\":true}"},
    {OP(UpdateFunctionCode), A_FUNCTION, "", "{\"ZipFile\":\"@OTHER@\",\"DryRun\":true}"},
    {OP(UpdateFunctionConfiguration), A_FUNCTION | A_LAYER, "",
     "{\"MemorySize\":256,\"Layers\":[\"" LAYER_ARN "\"]}"},
    {OP(DeleteFunction), A_FUNCTION | AN_ALIAS, "", ""},
    {OP(DeleteFunction), A_FUNCTION, "Qualifier=1", ""},
    {OP(PublishVersion), A_DRAFT, "", "{\"Description\":\"other\"}"},
    {OP(ListVersionsByFunction), A_FUNCTION, "", ""},
    {OP(CreateAlias), A_FUNCTION, "", "{\"Name\":\"live\",\"FunctionVersion\":\"1\"}"},
    {OP(GetAlias), A_FUNCTION | AN_ALIAS, "", ""},
    {OP(ListAliases), A_FUNCTION | AN_ALIAS, "", ""},
    {OP(UpdateAlias), A_FUNCTION | AN_ALIAS, "", "{\"FunctionVersion\":\"$LATEST\"}"},
    {OP(DeleteAlias), A_FUNCTION | AN_ALIAS, "", ""},
    {OP(PublishLayerVersion), 0, "", "{\"Content\":{\"ZipFile\":\"@OTHER@\"}}"},
    {OP(GetLayerVersion), A_LAYER, "", ""},
    {OP(GetLayerVersionByArn), A_LAYER, "find=LayerVersion&Arn=" LAYER_ARN, ""},
    {OP(DeleteLayerVersion), A_LAYER, "", ""},
    {OP(ListLayers), A_LAYER, "", ""},
    {OP(ListLayerVersions), A_LAYER, "", ""},
    {OP(AddLayerVersionPermission), A_LAYER, "",
     "{\"StatementId\":\"s\",\"Action\":\"lambda:GetLayerVersion\",\"Principal\":\"*\"}"},
    {OP(RemoveLayerVersionPermission), A_LAYER | A_POLICY, "", ""},
    {OP(GetLayerVersionPolicy), A_LAYER | A_POLICY, "", ""},
    {OP(TagResource), A_FUNCTION, "", "{\"Tags\":{\"c\":\"d\"}}"},
    {OP(UntagResource), A_FUNCTION, "tagKeys=a", ""},
    {OP(ListTags), A_FUNCTION, "", ""},
    {OP(GetAccountSettings), A_FUNCTION, "", ""},
    {OP(AddPermission), A_FUNCTION, "", STATEMENT},
    {OP(RemovePermission), A_FUNCTION | A_STATEMENT, "", ""},
    {OP(GetPolicy), A_FUNCTION | A_STATEMENT, "", ""},
    {OP(CreateFunctionUrlConfig), A_FUNCTION, "", "{\"AuthType\":\"NONE\"}"},
    {OP(GetFunctionUrlConfig), A_FUNCTION | A_URL, "", ""},
    {OP(UpdateFunctionUrlConfig), A_FUNCTION | A_URL, "", "{\"AuthType\":\"AWS_IAM\"}"},
    {OP(ListFunctionUrlConfigs), A_FUNCTION | A_URL, "", ""},
    {OP(DeleteFunctionUrlConfig), A_FUNCTION | A_URL, "", ""},
    {OP(DeleteFunction), A_FUNCTION | AN_ALIAS | A_URL | PROVISIONED | A_SIGNING | A_SIGNED_FUNCTION,
     "", ""},
    {OP(PutFunctionEventInvokeConfig), A_FUNCTION, "", EVENT_CONFIG},
    {OP(UpdateFunctionEventInvokeConfig), A_FUNCTION | AN_EVENT_CONFIG, "",
     "{\"MaximumEventAgeInSeconds\":100}"},
    {OP(GetFunctionEventInvokeConfig), A_FUNCTION | AN_EVENT_CONFIG, "", ""},
    {OP(ListFunctionEventInvokeConfigs), A_FUNCTION | AN_EVENT_CONFIG, "", ""},
    {OP(DeleteFunctionEventInvokeConfig), A_FUNCTION | AN_EVENT_CONFIG, "", ""},
    {OP(PutFunctionConcurrency), A_FUNCTION | PROVISIONED, "", RESERVED},
    {OP(GetFunctionConcurrency), A_FUNCTION | A_RESERVATION, "", ""},
    {OP(DeleteFunctionConcurrency), A_FUNCTION | A_RESERVATION, "", ""},
    {OP(PutProvisionedConcurrencyConfig), A_FUNCTION, "Qualifier=1", PROVIDED},
    {OP(GetProvisionedConcurrencyConfig), A_FUNCTION | PROVISIONED, "Qualifier=1", ""},
    {OP(ListProvisionedConcurrencyConfigs), A_FUNCTION | PROVISIONED, "List=ALL", ""},
    {OP(DeleteProvisionedConcurrencyConfig), A_FUNCTION | PROVISIONED, "Qualifier=1", ""},
    {OP(PutRuntimeManagementConfig), A_FUNCTION, "", "{\"UpdateRuntimeOn\":\"Auto\"}"},
    {OP(GetRuntimeManagementConfig), A_FUNCTION, "", ""},
    {OP(PutFunctionRecursionConfig), A_FUNCTION, "", "{\"RecursiveLoop\":\"Allow\"}"},
    {OP(GetFunctionRecursionConfig), A_FUNCTION, "", ""},
    {OP(CreateEventSourceMapping), A_FUNCTION, "", MAPPING},
    {OP(GetEventSourceMapping), A_FUNCTION | A_MAPPING, "", ""},
    {OP(UpdateEventSourceMapping), A_FUNCTION | A_MAPPING, "", "{\"BatchSize\":2}"},
    {OP(ListEventSourceMappings), A_FUNCTION | A_MAPPING, "", ""},
    {OP(DeleteEventSourceMapping), A_FUNCTION | A_MAPPING, "", ""},
    {OP(CreateCodeSigningConfig), 0, "", SIGNING},
    {OP(GetCodeSigningConfig), A_SIGNING, "", ""},
    {OP(UpdateCodeSigningConfig), A_SIGNING, "", "{\"Description\":\"other\"}"},
    {OP(ListCodeSigningConfigs), A_SIGNING, "", ""},
    {OP(ListFunctionsByCodeSigningConfig), A_SIGNING, "", ""},
    {OP(DeleteCodeSigningConfig), A_SIGNING, "", ""},
    {OP(PutFunctionCodeSigningConfig), A_FUNCTION | A_SIGNING, "",
     "{\"CodeSigningConfigArn\":\"{CodeSigningConfigArn}\"}"},
    {OP(GetFunctionCodeSigningConfig), A_FUNCTION | A_SIGNING | A_SIGNED_FUNCTION, "", ""},
    {OP(DeleteFunctionCodeSigningConfig), A_FUNCTION | A_SIGNING | A_SIGNED_FUNCTION, "", ""},
};

static char zip[2000], other_zip[2000];
static char signing_arn[200], mapping[64]; /* made last */

/* @text with its places filled in; the caller frees it. */
static char *fill(const char *text, const char *name)
{
    static const char *const places[] = {"@NAME@",        "@ZIP@",         "@OTHER@",
                                         "{FunctionName}", "{LayerName}",   "{Name}",
                                         "{VersionNumber}", "{StatementId}", "{Resource}",
                                         "{CodeSigningConfigArn}", "{UUID}"};
    CLEANUP(freep) char *arn = str_printf("arn:aws:lambda:us-east-1:000000000000:function:%s", name);
    const char *values[] = {name, zip, other_zip,   name,   name, "live", "1",
                            "s",  arn, signing_arn, mapping};
    struct buf b = BUF_INIT(8192);
    size_t i;

    while (*text) {
        for (i = 0; i < ARRAY_LEN(places); i++)
            if (strncmp(text, places[i], strlen(places[i])) == 0)
                break;
        if (i == ARRAY_LEN(places)) {
            buf_append_char(&b, *text++);
        } else {
            buf_append_str(&b, str_of(values[i]));
            text += strlen(places[i]);
        }
    }
    return buf_take(&b);
}

static int send_one(const struct operation *o, const char *name)
{
    const struct lambda_op *op = &lambda_op_table[o->id];
    CLEANUP(freep) char *path = fill(op->uri, name);
    CLEANUP(freep) char *query = fill(o->query, name);
    CLEANUP(freep) char *body = fill(o->body, name);

    path[strcspn(path, "?")] = '\0';
    return lambda(op->method, path, query, body);
}

static void must(const struct operation *o, const char *name)
{
    int status = send_one(o, name);

    if (status != lambda_op_table[o->id].success)
        fail_msg("%s: status %d %.*s", lambda_op_table[o->id].name, status,
                 STR_ARG(buf_str(&got.body)));
}

/* What makes each thing, in this order. */
static const struct {
    unsigned need;
    struct operation how;
} makers[] = {
    {A_FUNCTION, {OP(CreateFunction), 0, "", ZIP_FN ",\"Publish\":true}"}},
    {A_DRAFT, {OP(CreateFunction), 0, "", ZIP_FN "}"}},
    {AN_ALIAS,
     {OP(CreateAlias), 0, "", "{\"Name\":\"live\",\"FunctionVersion\":\"1\"}"}},
    {A_LAYER, {OP(PublishLayerVersion), 0, "", "{\"Content\":{\"ZipFile\":\"@OTHER@\"}}"}},
    {A_POLICY,
     {OP(AddLayerVersionPermission), 0, "",
      "{\"StatementId\":\"s\",\"Principal\":\"*\",\"Action\":\"lambda:GetLayerVersion\"}"}},
    {A_STATEMENT, {OP(AddPermission), 0, "", STATEMENT}},
    {A_URL, {OP(CreateFunctionUrlConfig), 0, "", "{\"AuthType\":\"NONE\"}"}},
    {AN_EVENT_CONFIG, {OP(PutFunctionEventInvokeConfig), 0, "", EVENT_CONFIG}},
    {A_RESERVATION, {OP(PutFunctionConcurrency), 0, "", RESERVED}},
    {PROVISIONED, {OP(PutProvisionedConcurrencyConfig), 0, "Qualifier=1", PROVIDED}},
    {A_MAPPING, {OP(CreateEventSourceMapping), 0, "", MAPPING}},
    {A_SIGNING, {OP(CreateCodeSigningConfig), 0, "", SIGNING}},
    {A_SIGNED_FUNCTION,
     {OP(PutFunctionCodeSigningConfig), 0, "",
      "{\"CodeSigningConfigArn\":\"{CodeSigningConfigArn}\"}"}},
};

static void make_world(unsigned needs, const char *name)
{
    const cJSON *signing;
    size_t i;

    for (i = 0; i < ARRAY_LEN(makers); i++) {
        if (!(needs & makers[i].need))
            continue;
        must(&makers[i].how, name);
        if (makers[i].how.id == OP(CreateFunction)) {
            wait_for(name, "State", "Active");
            world_settle();
        }
        if (makers[i].need == A_MAPPING)
            snprintf(mapping, sizeof(mapping), "%s", member("UUID"));
        signing = cJSON_GetObjectItemCaseSensitive(got.json, "CodeSigningConfig");
        if (makers[i].need == A_SIGNING)
            snprintf(signing_arn, sizeof(signing_arn), "%.*s",
                     STR_ARG(cjson_str(signing, "CodeSigningConfigArn")));
    }
}

static void clean(const char *name)
{
    unsigned version;
    int status;

    status = on_fn("DELETE", name, "", "", "");
    assert_true(status == 204 || status == 404);
    world_check_gone(name);
    for (version = 1; version <= 2; version++) { /* published again, it is another one */
        CLEANUP(freep)
        char *layer = str_printf("/2018-10-31/layers/%s/versions/%u", name, version);

        assert_int_equal(lambda("DELETE", layer, "", ""), 204);
    }
}

/* The operation with its @n-th command failing. False: it does not have so many. */
static bool try(const struct operation *o, enum redis_fault kind, unsigned n)
{
    const struct lambda_op *op = &lambda_op_table[o->id];
    CLEANUP(freep)
    char *what = str_printf("%s, command %u %s", op->name, n,
                            kind == REDIS_FAULT_LOSE ? "with its answer lost" : "refused");
    CLEANUP(freep) char *name = str_printf("f%u-%d-%zu", n, (int)kind, (size_t)(o - operations));
    unsigned tries = 0;
    bool happened;
    int status;

    make_world(o->needs, name);
    redis_fault_arm(kind, n);
    status = send_one(o, name);
    if (status == 503)
        assert_string_equal(got.error_type, "ServiceException");
    else if (status != op->success)
        fail_msg("%s: status %d %.*s", what, status, STR_ARG(buf_str(&got.body)));
    world_settle();
    happened = !redis_fault_is_armed();
    redis_fault_arm(kind, 0);
    world_check(what);
    do /* as SDKs do; a command of the collector may be the one whose answer is about to be lost */
        status = send_one(o, name);
    while (status == 503 && ++tries < 3);
    if (status != op->success && status != 404 && status != 409)
        fail_msg("%s, again: status %d %.*s", what, status, STR_ARG(buf_str(&got.body)));
    world_settle();
    world_check(what);
    clean(name);
    return happened;
}

static void sweep(enum redis_fault kind)
{
    size_t i;
    unsigned n;

    need_server();
    invoker_connect();
    zip_base64("one", zip, sizeof(zip));
    zip_base64("two", other_zip, sizeof(other_zip));
    for (i = 0; i < ARRAY_LEN(operations); i++) {
        for (n = 1; try(&operations[i], kind, n); n++)
            assert_true(n < COMMANDS_MAX);
        print_message("%s: %u commands\n", lambda_op_table[operations[i].id].name, n - 1);
    }
    world_check("at the end");
    world_check_archives();
    assert_int_equal(world_number("GET", PREFIX "code_bytes"), 0);
}

static void every_command_of_every_operation_may_be_refused(void **state)
{
    (void)state;
    sweep(REDIS_FAULT_REFUSE);
}

static void the_answer_to_every_command_of_every_operation_may_be_lost(void **state)
{
    (void)state;
    sweep(REDIS_FAULT_LOSE);
}

/* ---- who has an old route does not keep it ---- */

/* Grows with each write of the function. */
static long seq_of(const char *name)
{
    CLEANUP(freep) char *key = str_printf(PREFIX "fn:%s", name);

    return strtol(WORLD("HGET", key, "seq"), NULL, 10);
}

/* Whether the operation was done, and its client told that it may not have been. */
static bool lose_commit(const struct operation *o, unsigned n, unsigned round)
{
    CLEANUP(freep) char *name = str_printf("d%u-%u-%zu", n, round, (size_t)(o - operations));
    unsigned drops;
    bool is_lost;
    long seq;

    make_world(o->needs, name);
    become_quiet();
    seq = seq_of(name);
    drops = peer.drops;
    redis_fault_arm(REDIS_FAULT_LOSE, n);
    is_lost = send_one(o, name) == 503 && seq_of(name) != seq;
    redis_fault_arm(REDIS_FAULT_LOSE, 0);
    if (is_lost)
        wait_until(&peer.drops, drops + 1);
    world_settle();
    clean(name);
    return is_lost;
}

static void gateways_look_anew_for_what_may_have_been_written(void **state)
{
    static const enum lambda_op_id ids[] = {OP(PutFunctionConcurrency), OP(DeleteFunctionConcurrency),
                                            OP(PutProvisionedConcurrencyConfig), OP(UpdateAlias), OP(DeleteAlias)};
    bool is_lost;
    unsigned round, n;
    size_t i, k;

    (void)state;
    need_server();
    invoker_connect();
    zip_base64("one", zip, sizeof(zip));
    for (i = 0; i < ARRAY_LEN(ids); i++) {
        for (k = 0; operations[k].id != ids[i]; k++)
            ;
        is_lost = false;
        for (round = 0; round < 3 && !is_lost; round++) /* what others ask of Redis counts, too */
            for (n = 1; n < 8 && !is_lost; n++)
                is_lost = lose_commit(&operations[k], n, round);
        assert_true(is_lost);
    }
}

/* The first one's answer was lost, with the controller perhaps: the second one finds nothing to write. */
static void a_limit_that_is_so_already_is_told_all_the_same(void **state)
{
    static const struct operation put = {OP(PutFunctionConcurrency), 0, "", RESERVED},
                                  forget = {OP(DeleteFunctionConcurrency), 0, "", ""};
    const struct operation *both[] = {&put, &forget};
    unsigned drops;
    size_t i;

    (void)state;
    need_server();
    invoker_connect();
    zip_base64("one", zip, sizeof(zip));
    make_world(A_FUNCTION, "again");
    for (i = 0; i < ARRAY_LEN(both); i++) {
        must(both[i], "again");
        drops = peer.drops;
        must(both[i], "again");
        assert_true(peer.drops > drops);
    }
}

static void every_operation_that_is_offered_is_swept(void **state)
{
    enum lambda_op_id id;
    unsigned missing = 0;
    size_t i;

    (void)state;
    for (id = 0; id < LAMBDA_OP_MAX; id++) {
        for (i = 0; i < ARRAY_LEN(operations) && operations[i].id != id; i++)
            ;
        if (api_is_offered(id) && i == ARRAY_LEN(operations)) {
            print_message("not swept: %s\n", lambda_op_table[id].name);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_that_is_offered_is_swept),
        WORLD_TEST(gateways_look_anew_for_what_may_have_been_written),
        WORLD_TEST(a_limit_that_is_so_already_is_told_all_the_same),
        WORLD_TEST(every_command_of_every_operation_may_be_refused),
        WORLD_TEST(the_answer_to_every_command_of_every_operation_may_be_lost),
    };

    log_begin("fault_test");
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}

#else

int main(void)
{
    print_message("skipped: a build without fault points\n");
    return 0;
}

#endif
