/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many operations at once, picked at random, on few functions, aliases, versions and layers: whatever
 * the order they come through in, every moment's world is whole.
 *
 * HEARTH_WORLD_SECONDS (default 4) and HEARTH_WORLD_SEED choose how long and which.
 */
#include "controller/world_fixture.h"

#define AT_ONCE 12u

static char zips[3][2000];
static uint64_t seed;
static unsigned statuses[600];
static char wrong[2000]; /* an answer that must not be */

static unsigned pick(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

/* A policy whose statement names, behind @member, everything. */
#define POLICY(member)                                                                             \
    "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C"     \
    "%22Action%22%3A%22sts%3AAssumeRole%22%2C%22" member "%22%3A%22%2A%22%7D%7D"
#define POLICY_ARN "arn:aws:iam::000000000000:policy/p@A@"

/* What may be sent: @F@ and so on are replaced by something that may be there. */
static const struct {
    const char *method, *path, *query, *body;
} templates[] = {
    {"POST", FN, "",
     "{\"FunctionName\":\"@F@\",\"Runtime\":\"python3.13\",\"Handler\":\"a.h\"," ROLE
     ",\"Publish\":@B@,\"Code\":{\"ZipFile\":\"@Z@\"}@L@@G@}"},
    {"POST", FN, "",
     "{\"FunctionName\":\"@F@\",\"PackageType\":\"Image\"," ROLE
     ",\"Publish\":@B@,\"Code\":{\"ImageUri\":\"127.0.0.1:5000/x:1\"}}"},
    {"DELETE", FN "/@F@", "", ""},
    {"DELETE", FN "/@F@", "Qualifier=@N@", ""},
    {"PUT", FN "/@F@/code", "", "{\"ZipFile\":\"@Z@\",\"Publish\":@B@}"},
    {"PUT", FN "/@F@/code", "", "{\"ZipFile\":\"@Z@\",\"Publish\":@B@}"},
    {"PUT", FN "/@F@/configuration", "", "{\"MemorySize\":@M@@L@}"},
    {"POST", FN "/@F@/versions", "", "{}"},
    {"POST", FN "/@F@/versions", "", "{}"},
    {"POST", FN "/@F@/aliases", "", "{\"Name\":\"@A@\",\"FunctionVersion\":\"@N@\"}"},
    {"PUT", FN "/@F@/aliases/@A@", "", "{\"FunctionVersion\":\"@N@\"}"},
    {"PUT", FN "/@F@/aliases/@A@", "",
     "{\"RoutingConfig\":{\"AdditionalVersionWeights\":{\"@N@\":0.5}}}"},
    {"DELETE", FN "/@F@/aliases/@A@", "", ""},
    {"POST", "/2018-10-31/layers/@Y@/versions", "", "{\"Content\":{\"ZipFile\":\"@Z@\"}}"},
    {"DELETE", "/2018-10-31/layers/@Y@/versions/@N@", "", ""},
    {"PUT", "/2017-10-31/functions/@F@/concurrency", "",
     "{\"ReservedConcurrentExecutions\":@M@}"},
    {"DELETE", "/2017-10-31/functions/@F@/concurrency", "", ""},
    {"PUT", "/2019-09-30/functions/@F@/provisioned-concurrency", "Qualifier=@Q@",
     "{\"ProvisionedConcurrentExecutions\":@N@}"},
    {"DELETE", "/2019-09-30/functions/@F@/provisioned-concurrency", "Qualifier=@Q@", ""},
    {"PUT", "/2019-09-25/functions/@F@/event-invoke-config", "Qualifier=@Q@",
     "{\"MaximumRetryAttempts\":1}"},
    {"POST", "/2021-10-31/functions/@F@/url", "Qualifier=@A@", "{\"AuthType\":\"NONE\"}"},
    {"POST", "/2021-10-31/functions/@F@/url", "", "{\"AuthType\":\"NONE\"}"},
    {"DELETE", "/2021-10-31/functions/@F@/url", "Qualifier=@A@", ""},
    {"POST", FN "/@F@/policy", "Qualifier=@Q@",
     "{\"StatementId\":\"s@N@\",\"Action\":\"lambda:InvokeFunction\","
     "\"Principal\":\"s3.amazonaws.com\"}"},
    {"DELETE", FN "/@F@/policy/s@N@", "Qualifier=@Q@", ""},
    {"POST", "/2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:function:@F@", "",
     "{\"Tags\":{\"a\":\"@N@\"}}"},
    {"POST", "/2015-03-31/event-source-mappings", "",
     "{\"EventSourceArn\":\"arn:aws:sqs:us-east-1:000000000000:@A@\",\"FunctionName\":\"@F@\"}"},
    {"PUT", "/2015-03-31/event-source-mappings/@U@", "",
     "{\"BatchSize\":@N@,\"FunctionName\":\"@F@\"}"},
    {"DELETE", "/2015-03-31/event-source-mappings/@U@", "", ""},
    {"POST", "/2020-04-22/code-signing-configs", "",
     "{\"AllowedPublishers\":{\"SigningProfileVersionArns\":[\"arn:aws:signer:us-east-1:"
     "000000000000:/signing-profiles/p/0123456789\"]}}"},
    {"PUT", "/2020-04-22/code-signing-configs/@C@", "", "{\"Description\":\"@M@\"}"},
    {"DELETE", "/2020-04-22/code-signing-configs/@C@", "", ""},
    {"PUT", "/2020-06-30/functions/@F@/code-signing-config", "",
     "{\"CodeSigningConfigArn\":\"@C@\"}"},
    {"DELETE", "/2020-06-30/functions/@F@/code-signing-config", "", ""},
    {"IAM", "", "", "Action=CreateRole&RoleName=r@A@&AssumeRolePolicyDocument=" POLICY("Principal")},
    {"IAM", "", "", "Action=DeleteRole&RoleName=r@A@"},
    {"IAM", "", "", "Action=CreatePolicy&PolicyName=p@A@&PolicyDocument=" POLICY("Resource")},
    {"IAM", "", "", "Action=DeletePolicy&PolicyArn=" POLICY_ARN},
    {"IAM", "", "", "Action=AttachRolePolicy&RoleName=r@A@&PolicyArn=" POLICY_ARN},
    {"IAM", "", "", "Action=AttachRolePolicy&RoleName=r@A@&PolicyArn=" POLICY_ARN},
    {"IAM", "", "", "Action=DetachRolePolicy&RoleName=r@A@&PolicyArn=" POLICY_ARN},
};

/* Things that exist by names that were made for them; the newest of each. */
static char uuids[4][64], signings[3][200];

static void remember(const cJSON *json)
{
    const cJSON *signing = cJSON_GetObjectItemCaseSensitive(json, "CodeSigningConfig");
    struct str uuid = cjson_str(json, "UUID"), arn = cjson_str(signing, "CodeSigningConfigArn");

    if (uuid.len)
        snprintf(uuids[pick(4)], sizeof(uuids[0]), "%.*s", STR_ARG(uuid));
    if (arn.len)
        snprintf(signings[pick(3)], sizeof(signings[0]), "%.*s", STR_ARG(arn));
}

static char *value_of(char place)
{
    static const char *const functions[] = {"f", "g"}, *const aliases[] = {"live", "test"},
                             *const layers[] = {"l", "k"}, *const memory[] = {"128", "256", "0"};
    unsigned n = 1 + pick(4);

    switch (place) {
    case 'F':
        return str_dup(str_of(functions[pick(2)]));
    case 'A':
        return str_dup(str_of(aliases[pick(2)]));
    case 'Y':
        return str_dup(str_of(layers[pick(2)]));
    case 'M':
        return str_dup(str_of(memory[pick(3)]));
    case 'B':
        return str_dup(pick(2) ? STR("true") : STR("false"));
    case 'Z':
        return str_dup(str_of(zips[pick(3)]));
    case 'U':
        return str_dup(str_of(uuids[pick(4)]));
    case 'C':
        return str_dup(str_of(signings[pick(3)]));
    case 'Q':
        return pick(2) ? str_printf("%u", n) : str_dup(str_of(aliases[pick(2)]));
    case 'L':
        return pick(2) ? str_printf(",\"Layers\":[\"arn:aws:lambda:us-east-1:000000000000:layer:"
                                    "%s:%u\"]",
                                    layers[pick(2)], n)
                       : str_dup(STR(""));
    case 'G':
        return signings[0][0] && pick(3) == 0
                   ? str_printf(",\"CodeSigningConfigArn\":\"%s\"", signings[pick(3)])
                   : str_dup(STR(""));
    default:
        return str_printf("%u", n);
    }
}

static char *fill(const char *text)
{
    struct buf b = BUF_INIT(16384);

    while (*text) {
        if (text[0] == '@' && text[1] && text[2] == '@') {
            CLEANUP(freep) char *value = value_of(text[1]);

            buf_append_str(&b, str_of(value));
            text += 3;
        } else {
            buf_append_char(&b, *text++);
        }
    }
    return buf_take(&b);
}

static void on_one(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    CLEANUP(freep) char *what = arg;
    int status = (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(ok, "status"));
    cJSON *json = cJSON_ParseWithLength(body.ptr ? body.ptr : "", body.len);

    if (err || status < 200 || status >= 500)
        snprintf(wrong, sizeof(wrong), "%s: status %d %.*s", what, status, STR_ARG(body));
    else
        statuses[status]++;
    remember(json);
    cJSON_Delete(json);
    got.count++;
    loop_stop(loop);
}

static void send_any(void)
{
    /* functions come often and go seldom: so there is something to work on */
    unsigned i = pick(4) == 0 ? pick(2) : pick(10) ? 3 + pick(ARRAY_LEN(templates) - 3) : 2;
    CLEANUP(freep) char *path = fill(templates[i].path);
    CLEANUP(freep) char *query = fill(templates[i].query);
    CLEANUP(freep) char *body = fill(templates[i].body);
    bool is_iam = strcmp(templates[i].method, "IAM") == 0;
    CLEANUP(freep) char *form = str_printf("%s&Version=2010-05-08", body);
    cJSON *args = cJSON_CreateObject();

    if (is_iam)
        cJSON_AddStringToObject(args, "service", "iam");
    cJSON_AddStringToObject(args, "method", is_iam ? "POST" : templates[i].method);
    cJSON_AddStringToObject(args, "path", is_iam ? "/" : path);
    cJSON_AddStringToObject(args, "query", query);
    cJSON_AddStringToObject(args, "account", "000000000000");
    cJSON_AddStringToObject(args, "request_id", "r");
    cJSON_AddStringToObject(args, "endpoint", "");
    rpc_call(gateway, "lambda", args, str_of(is_iam ? form : body), WAIT_US,
             on_one, str_printf("%s %s?%s", templates[i].method, is_iam ? form : path, query));
    cJSON_Delete(args);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    uint64_t v = otherwise;

    if (getenv(name))
        str_parse_u64(str_of(getenv(name)), &v);
    return v;
}

static void any_operations_at_once_leave_a_whole_world(void **state)
{
    uint64_t end = now_us() + SECONDS(setting("HEARTH_WORLD_SECONDS", 4));
    CLEANUP(freep) char *what = NULL;
    unsigned sent = 0, i;

    (void)state;
    need_server();
    seed = setting("HEARTH_WORLD_SEED", now_us());
    what = str_printf("HEARTH_WORLD_SEED=%llu", (unsigned long long)seed);
    invoker_connect();
    zip_base64("one", zips[0], sizeof(zips[0]));
    zip_base64("two", zips[1], sizeof(zips[1]));
    zip_base64("three", zips[2], sizeof(zips[2]));
    memset(uuids, 0, sizeof(uuids));
    for (i = 0; i < 4; i++)
        snprintf(uuids[i], sizeof(uuids[i]), "none");
    for (i = 0; i < 3; i++)
        snprintf(signings[i], sizeof(signings[i]),
                 "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-%017u", i);
    while (lambda("GET", "/2016-08-19/account-settings", "", "") == 503)
        assert_true(now_us() < end); /* the controller has not found Redis yet */
    got.count = 0;
    while (now_us() < end) {
        peer.prepare = pick(8) ? ANSWER : REFUSE; /* some changes fail */
        while (sent < got.count + AT_ONCE) {
            send_any();
            sent++;
        }
        wait_until(&got.count, sent - AT_ONCE / 2);
        if (wrong[0])
            fail_msg("%s: %s", what, wrong);
        world_check(what);
    }
    peer.prepare = ANSWER;
    wait_until(&got.count, sent);
    world_settle();
    world_check(what);
    world_check_archives();
    print_message("%u operations:", sent);
    for (i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i])
            print_message(" %u: %u", i, statuses[i]);
    print_message("\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(any_operations_at_once_leave_a_whole_world),
    };

    log_begin("world_test");
    return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
