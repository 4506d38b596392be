/* SPDX-License-Identifier: Apache-2.0 */
/* IAM beside Lambda: roles, their policies, managed policies, as the query protocol has them. */
#include "common/proto/iam_document.h"
#include "controller/controller_fixture.h"
#include "controller/iam/iam_managed.h"

#define VERSION "&Version=2010-05-08"
#define TRUST                                                                                      \
    "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C"  \
    "%22Principal%22%3A%7B%22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts"   \
    "%3AAssumeRole%22%7D%5D%7D"
#define POLICY                                                                                     \
    "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C"     \
    "%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D"
#define AWS_POLICY "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
#define OUR_POLICY "arn:aws:iam::000000000000:policy/"
#define NO_MORE "<IsTruncated>false</IsTruncated>"

static const char *caller; /* NULL: the gateway does not say */

/* Asks and returns the status; the answer's text is what body() has. */
static int iam_with(const char *method, const char *query, const char *form)
{
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "service", "iam");
    cJSON_AddStringToObject(args, "method", method);
    cJSON_AddStringToObject(args, "path", "/");
    cJSON_AddStringToObject(args, "query", query);
    cJSON_AddStringToObject(args, "account", "000000000000");
    cJSON_AddStringToObject(args, "request_id", "request-1");
    if (caller)
        cJSON_AddStringToObject(args, "caller_arn", caller);
    ask(gateway, "lambda", args, str_of(form));
    assert_int_equal(got.code, ERR_OK);
    return got.status;
}

static const char *body(void)
{
    buf_reserve(&got.body, 1);
    got.body.ptr[got.body.len] = '\0';
    return got.body.ptr;
}

static int iam(const char *form)
{
    CLEANUP(freep) char *whole = str_printf("%s" VERSION, form);

    return iam_with("POST", "", whole);
}

static void has(const char *text)
{
    if (!strstr(body(), text))
        fail_msg("no %s in %s", text, body());
}

static void has_not(const char *text)
{
    if (strstr(body(), text))
        fail_msg("%s is in %s", text, body());
}

static void fine(const char *form)
{
    if (iam(form) != 200)
        fail_msg("%s: %d %s", form, got.status, body());
}

static void refused(const char *form, int status, const char *code, const char *message)
{
    CLEANUP(freep)
    char *error = str_printf("<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"
                             "<Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error>"
                             "<RequestId>request-1</RequestId></ErrorResponse>",
                             status < 500 ? "Sender" : "Receiver", code, message);

    iam(form);
    has(error);
    assert_int_equal(got.status, status);
}

/* What stands between <@name> and </@name>; the caller frees it. */
static char *element(const char *name)
{
    CLEANUP(freep) char *open = str_printf("<%s>", name);
    CLEANUP(freep) char *close = str_printf("</%s>", name);
    const char *from = strstr(body(), open);
    const char *to = from ? strstr(from, close) : NULL;

    assert_non_null(to);
    from += strlen(open);
    return str_dup(str_from(from, (size_t)(to - from)));
}

static void create_role(const char *name)
{
    CLEANUP(freep)
    char *form = str_printf("Action=CreateRole&RoleName=%s&AssumeRolePolicyDocument=%s", name, TRUST);

    fine(form);
}

static void create_policy(const char *name)
{
    CLEANUP(freep)
    char *form = str_printf("Action=CreatePolicy&PolicyName=%s&PolicyDocument=%s", name, POLICY);

    fine(form);
}

/* ---- roles ---- */

static void a_role_is_created_shown_changed_and_deleted(void **state)
{
    CLEANUP(freep) char *id = NULL, *again = NULL;

    (void)state;
    need_server();
    fine("Action=CreateRole&RoleName=Worker&Path=/team/a/&Description=does+it&"
         "MaxSessionDuration=7200&Tags.member.1.Key=b&Tags.member.1.Value=2&"
         "Tags.member.2.Key=a&Tags.member.2.Value=1&AssumeRolePolicyDocument=" TRUST);
    assert_true(
        str_is(cjson_str(cJSON_GetObjectItemCaseSensitive(got.ok, "headers"), "Content-Type"),
               "text/xml"));
    has("<CreateRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"
        "<CreateRoleResult><Role><Path>/team/a/</Path><RoleName>Worker</RoleName><RoleId>AROA");
    has("<Arn>arn:aws:iam::000000000000:role/team/a/Worker</Arn>");
    has("<AssumeRolePolicyDocument>" TRUST "</AssumeRolePolicyDocument>");
    has("<Tags><member><Key>a</Key><Value>1</Value></member>"
        "<member><Key>b</Key><Value>2</Value></member></Tags></Role></CreateRoleResult>"
        "<ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata>");
    has_not("<Description>");
    id = element("RoleId");
    assert_int_equal(strlen(id), 21);

    fine("Action=GetRole&RoleName=Worker");
    again = element("RoleId");
    assert_string_equal(id, again);
    has("<Description>does it</Description><MaxSessionDuration>7200</MaxSessionDuration>");
    has("<RoleLastUsed/>");

    fine("Action=UpdateRole&RoleName=Worker&MaxSessionDuration=3600");
    has("<UpdateRoleResult></UpdateRoleResult>");
    fine("Action=UpdateRoleDescription&RoleName=Worker&Description=%C3%A4");
    has("<Description>\xc3\xa4</Description><MaxSessionDuration>3600</MaxSessionDuration>");
    fine("Action=UpdateAssumeRolePolicy&RoleName=Worker&PolicyDocument=%20" TRUST);
    fine("Action=GetRole&RoleName=Worker");
    has("<AssumeRolePolicyDocument>%20%7B");

    fine("Action=DeleteRole&RoleName=Worker");
    has("<DeleteRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"
        "<ResponseMetadata>");
    refused("Action=GetRole&RoleName=Worker", 404, "NoSuchEntity",
            "The role with name Worker cannot be found.");
    fine("Action=ListRoles");
    has("<Roles></Roles>" NO_MORE);
}

static void a_role_is_refused_in_awss_words(void **state)
{
    (void)state;
    need_server();
    create_role("Taken");
    refused("Action=CreateRole&RoleName=TAKEN&AssumeRolePolicyDocument=" TRUST, 409,
            "EntityAlreadyExists", "Role with name TAKEN already exists.");
    refused("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=%7B", 400,
            "MalformedPolicyDocument", "This policy contains invalid Json");
    refused("Action=UpdateAssumeRolePolicy&RoleName=Taken&PolicyDocument=" POLICY, 400,
            "MalformedPolicyDocument", "Has prohibited field Resource");
    refused("Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=" TRUST
            "&Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=A&"
            "Tags.member.2.Value=2",
            400, "InvalidInput",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    refused("Action=CreateRole&RoleName=r", 400, "ValidationError",
            "1 validation error detected: Value null at 'assumeRolePolicyDocument' failed to "
            "satisfy constraint: Member must not be null");
    refused("Action=GetRole&RoleName=a+b", 400, "ValidationError",
            "The specified value for roleName is invalid. It must contain only alphanumeric "
            "characters and/or the following: +=,.@_-");
    refused("Action=ListRoles&MaxItems=many", 400, "MalformedInput",
            "STRING_VALUE cannot be converted to Integer");
    refused("Action=DeleteRole&RoleName=nobody", 404, "NoSuchEntity",
            "The role with name nobody cannot be found.");
}

static void roles_are_listed_in_pages_by_name(void **state)
{
    static const char *const names[] = {"delta", "Alpha", "charlie", "Bravo"};
    CLEANUP(freep) char *marker = NULL, *form = NULL;
    size_t i;

    (void)state;
    need_server();
    for (i = 0; i < ARRAY_LEN(names); i++)
        create_role(names[i]);
    fine("Action=CreateRole&RoleName=zulu&Path=/p/&AssumeRolePolicyDocument=" TRUST);
    fine("Action=ListRoles&MaxItems=2");
    assert_true(strstr(body(), ">Alpha<") < strstr(body(), ">Bravo<"));
    has("<IsTruncated>true</IsTruncated>");
    has_not("charlie");
    marker = element("Marker");
    form = str_printf("Action=ListRoles&Marker=%s", marker);
    fine(form);
    assert_true(strstr(body(), ">charlie<") < strstr(body(), ">delta<"));
    has(">zulu<");
    has_not("Alpha");
    has(NO_MORE);
    fine("Action=ListRoles&PathPrefix=/p");
    has(">zulu<");
    has_not("delta");
    refused("Action=ListRoles&Marker=x", 400, "ValidationError", "Invalid Marker.");
    refused("Action=ListRoles&Marker=cDE=", 400, "ValidationError", "Invalid Marker.");
}

/* ---- inline policies ---- */

static void inline_policies_are_kept_exactly(void **state)
{
    CLEANUP(freep) char *marker = NULL, *form = NULL;

    (void)state;
    need_server();
    create_role("r");
    fine("Action=PutRolePolicy&RoleName=r&PolicyName=two&PolicyDocument=" POLICY "%20");
    fine("Action=PutRolePolicy&RoleName=r&PolicyName=one&PolicyDocument=" POLICY);
    fine("Action=PutRolePolicy&RoleName=r&PolicyName=three&PolicyDocument=" POLICY);
    fine("Action=GetRolePolicy&RoleName=r&PolicyName=two");
    has("<GetRolePolicyResult><RoleName>r</RoleName><PolicyName>two</PolicyName>"
        "<PolicyDocument>" POLICY "%20</PolicyDocument>");
    fine("Action=ListRolePolicies&RoleName=r&MaxItems=2");
    has("<PolicyNames><member>one</member><member>three</member></PolicyNames>"
        "<IsTruncated>true</IsTruncated>");
    marker = element("Marker");
    form = str_printf("Action=ListRolePolicies&RoleName=r&Marker=%s", marker);
    fine(form);
    has("<PolicyNames><member>two</member></PolicyNames>" NO_MORE);

    refused("Action=PutRolePolicy&RoleName=r&PolicyName=bad&PolicyDocument=" TRUST, 400,
            "MalformedPolicyDocument", "Policy document should not specify a principal.");
    refused("Action=DeleteRole&RoleName=r", 409, "DeleteConflict",
            "Cannot delete entity, must delete policies first.");
    fine("Action=DeleteRolePolicy&RoleName=r&PolicyName=one");
    refused("Action=GetRolePolicy&RoleName=r&PolicyName=one", 404, "NoSuchEntity",
            "The role policy with name one cannot be found.");
    fine("Action=DeleteRolePolicy&RoleName=r&PolicyName=two");
    fine("Action=DeleteRolePolicy&RoleName=r&PolicyName=three");
    fine("Action=DeleteRole&RoleName=r");
}

static void quotas_are_awss(void **state)
{
    CLEANUP(freep) char *filler = calloc(1, 10061), *form = NULL;
    size_t i;

    (void)state;
    need_server();
    create_role("r");
    memset(filler, 'a', 10060);
    form = str_printf("Action=PutRolePolicy&RoleName=r&PolicyName=long&PolicyDocument="
                      "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:%s\","
                      "\"Resource\":\"*\"}}",
                      filler);
    fine(form);
    fine("Action=PutRolePolicy&RoleName=r&PolicyName=long2&PolicyDocument=" POLICY);
    refused("Action=PutRolePolicy&RoleName=r&PolicyName=long3&PolicyDocument=" POLICY, 409,
            "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role r");
    freep(&form);
    form = str_printf("Action=CreatePolicy&PolicyName=p&PolicyDocument={\"Statement\":{\"Effect\":"
                      "\"Allow\",\"Action\":\"s3:%s\",\"Resource\":\"*\"}}",
                      filler);
    refused(form, 409, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144");
    filler = realloc(filler, 66001);
    assert_non_null(filler);
    memset(filler, '+', 66000);
    filler[66000] = '\0';
    freep(&form);
    form = str_printf("Action=CreatePolicy&PolicyName=p&PolicyDocument=%s%s", filler, POLICY);
    refused(form, 409, "LimitExceeded",
            "A policy document cannot be longer than 65536 bytes, white space included.");
    for (i = 0; i < 11; i++) {
        freep(&form);
        form = str_printf("Action=AttachRolePolicy&RoleName=r&PolicyArn=arn:aws:iam::aws:policy"
                          "%s%s",
                          iam_managed_table[i].path, iam_managed_table[i].name);
        if (i < 10)
            fine(form);
    }
    refused(form, 409, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10");
}

/* ---- managed policies ---- */

static void managed_policies_are_attached_and_detached(void **state)
{
    (void)state;
    need_server();
    create_role("r");
    create_policy("mine");
    fine("Action=AttachRolePolicy&RoleName=r&PolicyArn=" AWS_POLICY);
    fine("Action=AttachRolePolicy&RoleName=r&PolicyArn=" OUR_POLICY "mine");
    fine("Action=AttachRolePolicy&RoleName=r&PolicyArn=" OUR_POLICY "mine");
    fine("Action=ListAttachedRolePolicies&RoleName=r");
    has("<AttachedPolicies><member><PolicyName>AWSLambdaBasicExecutionRole</PolicyName>"
        "<PolicyArn>" AWS_POLICY "</PolicyArn></member><member><PolicyName>mine</PolicyName>"
        "<PolicyArn>" OUR_POLICY "mine</PolicyArn></member></AttachedPolicies>" NO_MORE);
    fine("Action=ListAttachedRolePolicies&RoleName=r&PathPrefix=/service-role/");
    has_not("mine");
    fine("Action=GetPolicy&PolicyArn=" OUR_POLICY "mine");
    has("<AttachmentCount>1</AttachmentCount>");
    fine("Action=ListEntitiesForPolicy&PolicyArn=" AWS_POLICY);
    has("<PolicyRoles><member><RoleName>r</RoleName><RoleId>AROA");
    fine("Action=ListEntitiesForPolicy&EntityFilter=User&PolicyArn=" AWS_POLICY);
    has("<PolicyRoles/>" NO_MORE);
    fine("Action=ListPolicies&OnlyAttached=true");
    assert_true(strstr(body(), ">mine<") < strstr(body(), ">AWSLambdaBasicExecutionRole<"));
    has_not("AWSLambdaExecute");

    refused("Action=DeleteRole&RoleName=r", 409, "DeleteConflict",
            "Cannot delete entity, must detach all policies first.");
    refused("Action=DeletePolicy&PolicyArn=" OUR_POLICY "mine", 409, "DeleteConflict",
            "Cannot delete a policy attached to entities.");
    refused("Action=AttachRolePolicy&RoleName=r&PolicyArn=" OUR_POLICY "none", 404,
            "NoSuchEntity",
            "Policy " OUR_POLICY "none does not exist or is not attachable.");
    refused("Action=AttachRolePolicy&RoleName=r&PolicyArn=not-an-arn-but-long-enough", 400,
            "InvalidInput", "ARN not-an-arn-but-long-enough is not valid.");
    refused("Action=AttachRolePolicy&RoleName=no&PolicyArn=" AWS_POLICY, 404, "NoSuchEntity",
            "The role with name no cannot be found.");
    fine("Action=DetachRolePolicy&RoleName=r&PolicyArn=" OUR_POLICY "mine");
    refused("Action=DetachRolePolicy&RoleName=r&PolicyArn=" OUR_POLICY "mine", 404,
            "NoSuchEntity", "Policy " OUR_POLICY "mine was not found.");
    fine("Action=DetachRolePolicy&RoleName=r&PolicyArn=" AWS_POLICY);
    fine("Action=DeletePolicy&PolicyArn=" OUR_POLICY "mine");
    fine("Action=DeleteRole&RoleName=r");
}

static void a_policy_has_up_to_five_versions(void **state)
{
#define MINE "&PolicyArn=" OUR_POLICY "p/mine"
    size_t i;

    (void)state;
    need_server();
    fine("Action=CreatePolicy&PolicyName=mine&Path=/p/&Description=d&PolicyDocument=" POLICY);
    has("<CreatePolicyResult><Policy><PolicyName>mine</PolicyName><PolicyId>ANPA");
    has("<Arn>" OUR_POLICY "p/mine</Arn><Path>/p/</Path><DefaultVersionId>v1</DefaultVersionId>"
        "<AttachmentCount>0</AttachmentCount>"
        "<PermissionsBoundaryUsageCount>0</PermissionsBoundaryUsageCount>"
        "<IsAttachable>true</IsAttachable>");
    refused("Action=CreatePolicy&PolicyName=Mine&PolicyDocument=" POLICY, 409,
            "EntityAlreadyExists",
            "A policy called Mine already exists. Duplicate names are not allowed.");
    refused("Action=GetPolicy&PolicyArn=" OUR_POLICY "mine", 404, "NoSuchEntity",
            "Policy " OUR_POLICY "mine was not found.");
    fine("Action=GetPolicy" MINE);
    has("<Description>d</Description><Tags></Tags></Policy>");
    for (i = 0; i < 4; i++)
        fine("Action=CreatePolicyVersion&SetAsDefault=true&PolicyDocument=" POLICY MINE);
    has("<PolicyVersion><VersionId>v5</VersionId><IsDefaultVersion>true</IsDefaultVersion>");
    refused("Action=CreatePolicyVersion&PolicyDocument=" POLICY MINE, 409, "LimitExceeded",
            "A managed policy can have up to 5 versions. Before you create a new version, you "
            "must delete an existing version.");
    refused("Action=DeletePolicyVersion&VersionId=v5" MINE, 409, "DeleteConflict",
            "Cannot delete the default version of a policy.");
    refused("Action=DeletePolicy" MINE, 409, "DeleteConflict",
            "This policy has more than one version. Before you delete a policy, you must delete "
            "the policy's versions. The default version is deleted with the policy.");
    fine("Action=SetDefaultPolicyVersion&VersionId=v2" MINE);
    fine("Action=DeletePolicyVersion&VersionId=v5" MINE);
    fine("Action=CreatePolicyVersion&PolicyDocument=" POLICY "%20" MINE);
    has("<VersionId>v6</VersionId><IsDefaultVersion>false</IsDefaultVersion>");
    fine("Action=ListPolicyVersions" MINE);
    assert_true(strstr(body(), ">v6<") < strstr(body(), ">v4<"));
    has("<VersionId>v2</VersionId><IsDefaultVersion>true</IsDefaultVersion>");
    has_not("<Document>");
    fine("Action=GetPolicyVersion&VersionId=v6" MINE);
    has("<PolicyVersion><Document>" POLICY "%20</Document><VersionId>v6</VersionId>");
    refused("Action=GetPolicyVersion&VersionId=v5" MINE, 404, "NoSuchEntity",
            "Policy " OUR_POLICY "p/mine version v5 does not exist or is not attachable.");
#undef MINE
}

static void policies_of_aws_are_there_and_cannot_be_changed(void **state)
{
    CLEANUP(freep) char *marker = NULL, *form = NULL;
    size_t i, seen = 0;

    (void)state;
    need_server();
    create_policy("aaa");
    create_policy("zzz");
    fine("Action=GetPolicy&PolicyArn=" AWS_POLICY);
    has("<Arn>" AWS_POLICY "</Arn><Path>/service-role/</Path>"
        "<DefaultVersionId>v1</DefaultVersionId>");
    fine("Action=GetPolicyVersion&VersionId=v1&PolicyArn=" AWS_POLICY);
    has("logs%3ACreateLogGroup");
    fine("Action=ListPolicyVersions&PolicyArn=" AWS_POLICY);
    has("<IsDefaultVersion>true</IsDefaultVersion>");
    refused("Action=DeletePolicy&PolicyArn=" AWS_POLICY, 403, "AccessDenied",
            "User: arn:aws:iam::000000000000:root is not authorized to perform: "
            "iam:DeletePolicy on resource: policy " AWS_POLICY);
    for (i = 0; i < iam_managed_len; i++) { /* each is one that IAM takes from a customer */
        struct str text = str_of(iam_managed_table[i].document);

        assert_int_equal(iam_document_check(text, IAM_IDENTITY_POLICY, NULL), 0);
        assert_true(i == 0 || strcmp(iam_managed_table[i - 1].name, iam_managed_table[i].name) < 0);
    }
    /* all pages together: ours, then AWS's, each once */
    fine("Action=ListPolicies&MaxItems=5");
    for (;;) {
        const char *at = body();

        while ((at = strstr(at, "<PolicyName>"))) {
            seen++;
            at++;
        }
        if (!strstr(body(), "<IsTruncated>true"))
            break;
        freep(&marker);
        freep(&form);
        marker = element("Marker");
        form = str_printf("Action=ListPolicies&MaxItems=5&Marker=%s", marker);
        fine(form);
    }
    assert_int_equal(seen, iam_managed_len + 2);
    fine("Action=ListPolicies&Scope=Local");
    has(">aaa<");
    has_not("AWSLambda");
    fine("Action=ListPolicies&Scope=AWS&PathPrefix=/service-role/");
    has_not(">aaa<");
    has_not(">AWSLambdaExecute<");
}

/* ---- tags, boundary ---- */

static void tags_are_put_and_removed_whatever_their_case(void **state)
{
    (void)state;
    need_server();
    create_role("r");
    create_policy("p");
    fine("Action=TagRole&RoleName=r&Tags.member.1.Key=Env&Tags.member.1.Value=a&"
         "Tags.member.2.Key=Zone&Tags.member.2.Value=");
    fine("Action=TagRole&RoleName=r&Tags.member.1.Key=env&Tags.member.1.Value=b");
    fine("Action=ListRoleTags&RoleName=r");
    has("<Tags><member><Key>Zone</Key><Value></Value></member>"
        "<member><Key>env</Key><Value>b</Value></member></Tags>" NO_MORE);
    fine("Action=UntagRole&RoleName=r&TagKeys.member.1=ENV&TagKeys.member.2=none");
    fine("Action=GetRole&RoleName=r");
    has("<Tags><member><Key>Zone</Key><Value></Value></member></Tags>");
    fine("Action=TagPolicy&PolicyArn=" OUR_POLICY "p&Tags.member.1.Key=a&Tags.member.1.Value=b");
    fine("Action=ListPolicyTags&PolicyArn=" OUR_POLICY "p");
    has("<Tags><member><Key>a</Key><Value>b</Value></member></Tags>");
    fine("Action=UntagPolicy&PolicyArn=" OUR_POLICY "p&TagKeys.member.1=a");
    fine("Action=ListPolicyTags&PolicyArn=" OUR_POLICY "p");
    has("<Tags></Tags>" NO_MORE);
    refused("Action=TagRole&RoleName=r&Tags.member.1.Key=aws:x&Tags.member.1.Value=b", 400,
            "InvalidInput", "Tag keys that begin with aws: are reserved for AWS's own use.");
}

static void a_boundary_counts_as_use_of_its_policy(void **state)
{
    (void)state;
    need_server();
    create_policy("b");
    fine("Action=CreateRole&RoleName=r&PermissionsBoundary=" OUR_POLICY
         "b&AssumeRolePolicyDocument=" TRUST);
    has("<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType>"
        "<PermissionsBoundaryArn>" OUR_POLICY "b</PermissionsBoundaryArn></PermissionsBoundary>");
    fine("Action=GetPolicy&PolicyArn=" OUR_POLICY "b");
    has("<PermissionsBoundaryUsageCount>1</PermissionsBoundaryUsageCount>");
    refused("Action=DeletePolicy&PolicyArn=" OUR_POLICY "b", 409, "DeleteConflict",
            "Cannot delete a policy attached to entities.");
    fine("Action=PutRolePermissionsBoundary&RoleName=r&PermissionsBoundary=" AWS_POLICY);
    fine("Action=DeletePolicy&PolicyArn=" OUR_POLICY "b");
    fine("Action=ListEntitiesForPolicy&PolicyUsageFilter=PermissionsBoundary&PolicyArn="
         AWS_POLICY);
    has("<RoleName>r</RoleName>");
    fine("Action=DeleteRolePermissionsBoundary&RoleName=r");
    fine("Action=GetRole&RoleName=r");
    has_not("PermissionsBoundary");
    refused("Action=CreateRole&RoleName=x&PermissionsBoundary=" OUR_POLICY
            "b&AssumeRolePolicyDocument=" TRUST,
            404, "NoSuchEntity", "Policy " OUR_POLICY "b does not exist or is not attachable.");
}

/* ---- the protocol ---- */

static void the_user_is_who_asks(void **state)
{
    (void)state;
    need_server();
    fine("Action=GetUser");
    has("<UserId>000000000000</UserId><Arn>arn:aws:iam::000000000000:root</Arn>");
    caller = "arn:aws:iam::000000000000:user/team/me";
    fine("Action=GetUser&UserName=me");
    has("<Path>/team/</Path><UserName>me</UserName><UserId>AIDA");
    has("<Arn>arn:aws:iam::000000000000:user/team/me</Arn>");
    refused("Action=GetUser&UserName=root", 404, "NoSuchEntity",
            "The user with name root cannot be found.");
    caller = "arn:aws:sts::000000000000:assumed-role/r/session";
    refused("Action=GetUser", 400, "ValidationError",
            "Must specify userName when calling with non-User credentials");
    caller = NULL;
}

static void what_is_no_operation_is_said_in_awss_words(void **state)
{
    (void)state;
    need_server();
    refused("Action=Nothing", 400, "InvalidAction",
            "Could not find operation Nothing for version 2010-05-08");
    assert_int_equal(iam_with("POST", "", "Action=GetRole&RoleName=r"), 400);
    has("Could not find operation GetRole for version NO_VERSION_SPECIFIED");
    refused("RoleName=r", 400, "MissingAction",
            "The request is missing an action or a required parameter.");
    refused("Action=CreateUser&UserName=u", 400, "InvalidAction",
            "Hearth does not offer the operation CreateUser of IAM. It has roles, their policies "
            "and managed policies.");
    refused("Action=%zz", 404, "MalformedQueryString",
            "The query string contains a syntax error.");
    assert_int_equal(iam_with("GET", "Action=ListRoles" VERSION, ""), 200);
    fine("Action=ListAccountAliases");
    has("<AccountAliases/>" NO_MORE);
    create_role("r");
    fine("Action=ListInstanceProfilesForRole&RoleName=r");
    has("<InstanceProfiles/>" NO_MORE);
}

/* Both changes of one role stand, whoever comes first. */
static void changes_at_the_same_time_all_take_effect(void **state)
{
    enum { CHANGES = 6 };
    unsigned before;
    size_t i;

    (void)state;
    need_server();
    create_role("r");
    before = got.count;
    for (i = 0; i < CHANGES; i++) {
        CLEANUP(freep)
        char *form = str_printf("Action=PutRolePolicy&RoleName=r&PolicyName=p%zu&PolicyDocument=%s",
                                i, POLICY VERSION);
        cJSON *args = cJSON_CreateObject();

        cJSON_AddStringToObject(args, "service", "iam");
        cJSON_AddStringToObject(args, "method", "POST");
        cJSON_AddStringToObject(args, "account", "000000000000");
        rpc_call(gateway, "lambda", args, str_of(form), WAIT_US, on_answer, NULL);
        cJSON_Delete(args);
    }
    wait_until(&got.count, before + CHANGES);
    fine("Action=ListRolePolicies&RoleName=r");
    has("<member>p0</member><member>p1</member><member>p2</member><member>p3</member>"
        "<member>p4</member><member>p5</member>");
}

static void without_redis_a_client_is_asked_to_try_again(void **state)
{
    (void)state;
    need_server();
    create_role("r");
    fixture_stop(&server);
    refused("Action=GetRole&RoleName=r", 503, "ServiceUnavailable",
            "The registry cannot be reached at the moment. Please try again.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_role_is_created_shown_changed_and_deleted),
        LIVE(a_role_is_refused_in_awss_words),
        LIVE(roles_are_listed_in_pages_by_name),
        LIVE(inline_policies_are_kept_exactly),
        LIVE(quotas_are_awss),
        LIVE(managed_policies_are_attached_and_detached),
        LIVE(a_policy_has_up_to_five_versions),
        LIVE(policies_of_aws_are_there_and_cannot_be_changed),
        LIVE(tags_are_put_and_removed_whatever_their_case),
        LIVE(a_boundary_counts_as_use_of_its_policy),
        LIVE(the_user_is_who_asks),
        LIVE(what_is_no_operation_is_said_in_awss_words),
        LIVE(changes_at_the_same_time_all_take_effect),
        LIVE(without_redis_a_client_is_asked_to_try_again),
    };

    log_begin("iam-test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
