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
};

static char zip[2000], other_zip[2000];

/* @text with its places filled in; the caller frees it. */
static char *fill(const char *text, const char *name)
{
    static const char *const places[] = {"@NAME@",        "@ZIP@",         "@OTHER@",
                                         "{FunctionName}", "{LayerName}",   "{Name}",
                                         "{VersionNumber}", "{StatementId}"};
    const char *values[] = {name, zip, other_zip, name, name, "live", "1", "s"};
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
    assert_int_equal(send_one(o, name), lambda_op_table[o->id].success);
}

static void make_world(unsigned needs, const char *name)
{
    static const struct operation function = {OP(CreateFunction), 0, "", ZIP_FN
                                              ",\"Publish\":true}"},
                                  draft = {OP(CreateFunction), 0, "", ZIP_FN "}"},
                                  alias = {OP(CreateAlias), 0, "",
                                           "{\"Name\":\"live\",\"FunctionVersion\":\"1\"}"},
                                  layer = {OP(PublishLayerVersion), 0, "",
                                           "{\"Content\":{\"ZipFile\":\"@OTHER@\"}}"},
                                  policy = {OP(AddLayerVersionPermission), 0, "",
                                            "{\"StatementId\":\"s\",\"Principal\":\"*\","
                                            "\"Action\":\"lambda:GetLayerVersion\"}"};

    if (needs & (A_FUNCTION | A_DRAFT)) {
        must(needs & A_DRAFT ? &draft : &function, name);
        wait_for(name, "State", "Active");
        world_settle();
    }
    if (needs & AN_ALIAS)
        must(&alias, name);
    if (needs & A_LAYER)
        must(&layer, name);
    if (needs & A_POLICY)
        must(&policy, name);
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
