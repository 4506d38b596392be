/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sts.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "gateway/authorization.h"
#include "gateway/reply.h"

#define ANSWER_MAX 65536
#define MESSAGE_MAX (ERROR_MSG_MAX - 64)
#define LIFE_MIN_S 900u
#define ROLE_LIFE_S 3600u /* unless the caller says otherwise */
#define ROLE_LIFE_MAX_S 43200u
#define CHAINED_LIFE_MAX_S 3600u /* of a role that a role assumes */
#define USER_LIFE_S 43200u
#define USER_LIFE_MAX_S 129600u
#define TAGS_MAX 50u
#define NAME_PATTERN "[\\w+=,.@-]*"

struct call {
    struct auth *auth;
    const char *account;
    struct http_req *req;
    const struct aws_query *query;
    const char *request_id;
    const struct caller *caller;
    struct buf complaints; /* what is wrong with the parameters */
    unsigned complaint_count;
};

/* ---- checks of parameters: all that is wrong is told at once */

static void complain(struct call *call, const char *name, struct str value, const char *what)
{
    struct buf *b = &call->complaints;

    if (call->complaint_count++ > 0)
        buf_printf(b, "; ");
    if (value.ptr)
        buf_printf(b, "Value '%.*s' at '%c%s' failed to satisfy constraint: %s",
                   STR_ARG(str_sub(value, 0, 256)), name[0] | 0x20, name + 1, what);
    else
        buf_printf(b, "Value null at '%c%s' failed to satisfy constraint: Member must not be null",
                   name[0] | 0x20, name + 1);
}

/* The length in characters. */
static size_t count_chars(struct str s)
{
    size_t n = 0, i;

    for (i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

/* The text parameter @name, absent only when it may be; of letters, digits and @more unless that
 * is NULL. */
static struct str text_param(struct call *call, const char *name, bool required, size_t min,
                             size_t max, const char *more, const char *pattern)
{
    struct str s = aws_query_get(call->query, name);
    char what[160];
    size_t i;

    if (!s.ptr) {
        if (required)
            complain(call, name, s, NULL);
        return s;
    }
    if (count_chars(s) < min || count_chars(s) > max) {
        snprintf(what, sizeof(what), "Member must have length %s than or equal to %zu",
                 count_chars(s) < min ? "greater" : "less", count_chars(s) < min ? min : max);
        complain(call, name, s, what);
    }
    for (i = 0; more && i < s.len; i++) {
        if (s.ptr[i] && strchr(more, s.ptr[i]))
            continue;
        if ((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') ||
            (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '_')
            continue;
        snprintf(what, sizeof(what), "Member must satisfy regular expression pattern: %s", pattern);
        complain(call, name, s, what);
        break;
    }
    return s;
}

static uint64_t duration_param(struct call *call, uint64_t usual, uint64_t max)
{
    struct str s = aws_query_get(call->query, "DurationSeconds");
    char what[128];
    uint64_t n = 0;

    if (!s.ptr)
        return usual;
    if (str_parse_u64(s, &n) < 0 || n < LIFE_MIN_S || n > max) {
        snprintf(what, sizeof(what), "Member must have value %s than or equal to %" PRIu64,
                 n > max ? "less" : "greater", n > max ? max : (uint64_t)LIFE_MIN_S);
        complain(call, "DurationSeconds", s, what);
    }
    return n;
}

static void check_tags(struct call *call)
{
    size_t count = aws_query_members(call->query, "Tags"), i;
    struct str key, value;

    if (count > TAGS_MAX)
        complain(call, "Tags", STR("..."), "Member must have length less than or equal to 50");
    for (i = 1; i <= count && i <= TAGS_MAX; i++) {
        key = aws_query_getf(call->query, "Tags.member.%zu.Key", i);
        value = aws_query_getf(call->query, "Tags.member.%zu.Value", i);
        if (count_chars(key) < 1 || count_chars(key) > 128)
            complain(call, "Tags", key.ptr ? key : STR(""),
                     "Member must satisfy constraint: [Member must have length between 1 and 128]");
        if (count_chars(value) > 256)
            complain(call, "Tags", value,
                     "Member must satisfy constraint: [Member must have length less than or equal "
                     "to 256]");
    }
}

/* ---- answers ---- */

static void fail(struct call *call, enum error_code code, const char *message)
{
    struct error err;

    error_set(&err, code, "%s", message);
    reply_query_error_of(call->req, call->request_id, STS_XMLNS, &err);
}

/* Whether nothing was wrong; answers otherwise. */
static bool is_valid(struct call *call)
{
    struct error err;

    if (call->complaint_count == 0)
        return true;
    error_set(&err, ERR_VALIDATION, "%u validation error%s detected: %.*s", call->complaint_count,
              call->complaint_count > 1 ? "s" : "",
              STR_ARG(str_sub(buf_str(&call->complaints), 0, MESSAGE_MAX)));
    reply_query_error_of(call->req, call->request_id, STS_XMLNS, &err);
    return false;
}

static void write_credentials(struct buf *b, const struct session *session, struct str token)
{
    char expires[CLOCK_ISO_MAX];

    clock_format_iso(session->expires_s * 1000, expires);
    memcpy(expires + strlen("2026-01-31T12:00:00"), "Z", 2); /* without milliseconds */
    xml_open(b, "Credentials");
    xml_text(b, "AccessKeyId", str_of(session->access_key));
    xml_text(b, "SecretAccessKey", str_of(session->secret));
    xml_text(b, "SessionToken", token);
    xml_text(b, "Expiration", str_of(expires));
    xml_close(b, "Credentials");
}

static void answer(struct call *call, const char *op, struct buf *b)
{
    if (aws_query_answer_end(b, op, call->request_id) < 0)
        fail(call, ERR_INTERNAL, "The answer is too large.");
    else
        reply_xml(call->req, call->request_id, 200, buf_str(b));
}

/* ---- operations ---- */

static void get_caller_identity(struct call *call)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(ANSWER_MAX);

    aws_query_answer_begin(&b, STS_XMLNS, "GetCallerIdentity");
    xml_text(&b, "Arn", str_of(call->caller->arn));
    xml_text(&b, "UserId", str_of(call->caller->user_id));
    xml_text(&b, "Account", str_of(call->account));
    answer(call, "GetCallerIdentity", &b);
}

/* Refuses what would have to change what the session may do. */
static bool asks_too_much(struct call *call)
{
    if (aws_query_get(call->query, "SerialNumber").ptr ||
        aws_query_get(call->query, "TokenCode").ptr) {
        fail(call, ERR_ACCESS_DENIED,
             "MultiFactorAuthentication failed: Hearth knows no MFA devices.");
        return true;
    }
    if (aws_query_get(call->query, "Policy").ptr || aws_query_members(call->query, "PolicyArns")) {
        fail(call, ERR_VALIDATION,
             "Hearth does not narrow sessions by policies yet: leave out Policy and PolicyArns.");
        return true;
    }
    return false;
}

static void get_session_token(struct call *call)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(ANSWER_MAX);
    CLEANUP(buf_done) struct buf token = BUF_INIT(SESSION_TOKEN_MAX);
    uint64_t life_s = duration_param(call, USER_LIFE_S, USER_LIFE_MAX_S);
    struct session session;

    if (!is_valid(call) || asks_too_much(call))
        return;
    if (call->caller->is_session) {
        fail(call, ERR_ACCESS_DENIED, "Cannot call GetSessionToken with session credentials");
        return;
    }
    snprintf(session.arn, sizeof(session.arn), "%s", call->caller->arn);
    snprintf(session.user_id, sizeof(session.user_id), "%s", call->caller->user_id);
    session.expires_s = auth_now_s(call->auth) + life_s;
    auth_issue(call->auth, call->caller, &session, &token);
    aws_query_answer_begin(&b, STS_XMLNS, "GetSessionToken");
    write_credentials(&b, &session, buf_str(&token));
    answer(call, "GetSessionToken", &b);
    explicit_bzero(&session, sizeof(session));
    explicit_bzero(b.ptr, b.len);
}

/* Checks the role; its name into @ret. */
static bool find_role(struct call *call, struct str arn, struct str *ret)
{
    char message[ERROR_MSG_MAX];
    struct str account;

    *ret = session_role_name(arn, &account);
    if (!ret->ptr) {
        fail(call, ERR_VALIDATION, "Request ARN is invalid");
        return false;
    }
    if (str_is(account, call->account))
        return true;
    snprintf(message, sizeof(message),
             "User: %s is not authorized to perform: sts:AssumeRole on resource: %.*s",
             call->caller->arn, STR_ARG(str_sub(arn, 0, 256)));
    fail(call, ERR_ACCESS_DENIED, message);
    return false;
}

static void answer_assumed(struct call *call, struct str role_arn, struct str role, struct str name,
                           struct str source, uint64_t life_s)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(ANSWER_MAX);
    CLEANUP(buf_done) struct buf token = BUF_INIT(SESSION_TOKEN_MAX);
    struct session session;

    session_name_role(&session, str_of(call->account), role_arn, role, name);
    session.expires_s = auth_now_s(call->auth) + life_s;
    auth_issue(call->auth, call->caller, &session, &token);
    aws_query_answer_begin(&b, STS_XMLNS, "AssumeRole");
    xml_text_maybe(&b, "SourceIdentity", source);
    xml_open(&b, "AssumedRoleUser");
    xml_text(&b, "AssumedRoleId", str_of(session.user_id));
    xml_text(&b, "Arn", str_of(session.arn));
    xml_close(&b, "AssumedRoleUser");
    write_credentials(&b, &session, buf_str(&token));
    answer(call, "AssumeRole", &b);
    explicit_bzero(&session, sizeof(session));
    explicit_bzero(b.ptr, b.len);
}

static void assume_role(struct call *call)
{
    struct str arn = text_param(call, "RoleArn", true, 20, 2048, NULL, NULL), role;
    struct str name = text_param(call, "RoleSessionName", true, 2, 64, "+=,.@-", NAME_PATTERN);
    struct str source = text_param(call, "SourceIdentity", false, 2, 64, "+=,.@-", NAME_PATTERN);
    uint64_t life_s = duration_param(call, ROLE_LIFE_S, ROLE_LIFE_MAX_S);

    text_param(call, "ExternalId", false, 2, 1224, "+=,.@:/-", "[\\w+=,.@:\\/-]*");
    check_tags(call);
    if (!is_valid(call) || asks_too_much(call) || !find_role(call, arn, &role))
        return;
    if (call->caller->is_session && strstr(call->caller->arn, ":assumed-role/") &&
        life_s > CHAINED_LIFE_MAX_S) {
        fail(call, ERR_VALIDATION,
             "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
             "role chaining");
        return;
    }
    answer_assumed(call, arn, role, name, source, life_s);
}

static void assume_role_with_web_identity(struct call *call)
{
    text_param(call, "RoleArn", true, 20, 2048, NULL, NULL);
    text_param(call, "RoleSessionName", true, 2, 64, "+=,.@-", NAME_PATTERN);
    text_param(call, "WebIdentityToken", true, 4, 20000, NULL, NULL);
    duration_param(call, ROLE_LIFE_S, ROLE_LIFE_MAX_S);
    if (!is_valid(call))
        return;
    reply_query_error(call->req, call->request_id, STS_XMLNS, "InvalidIdentityToken", 400,
                      STR("No OpenIDConnect provider found in your account: Hearth does not verify "
                          "web identity tokens yet. Use AssumeRole with an access key."));
}

static const struct {
    const char *name;
    void (*serve)(struct call *call);
    bool is_unsigned;
} ops[] = {
    {"GetCallerIdentity", get_caller_identity, false},
    {"AssumeRole", assume_role, false},
    {"GetSessionToken", get_session_token, false},
    {"AssumeRoleWithWebIdentity", assume_role_with_web_identity, true},
};

static void refuse_unknown(struct call *call, struct str action)
{
    struct error err;

    if (!action.len) {
        reply_query_error(call->req, call->request_id, STS_XMLNS, "MissingAction", 400,
                          STR("The request has no parameter Action."));
        return;
    }
    error_set(&err, ERR_NO_OPERATION,
              "Could not find operation %.*s for version %.*s. Hearth offers GetCallerIdentity, "
              "AssumeRole and GetSessionToken for version " STS_VERSION ".",
              STR_ARG(str_sub(action, 0, 128)),
              STR_ARG(str_sub(aws_query_get(call->query, "Version"), 0, 32)));
    reply_query_error_of(call->req, call->request_id, STS_XMLNS, &err);
}

/* Whether the caller may not do this; the answer says so. */
static bool refuse_action(struct call *call, struct str action)
{
    CLEANUP(freep) char *name = str_printf("sts:%.*s", STR_ARG(action));
    struct str role = aws_query_get(call->query, "RoleArn");
    struct error err;

    if (authorization_action(call->caller, str_of(name),
                             role.len ? str_sub(role, 0, 200) : STR("*"), &err) == 0)
        return false;
    reply_query_error_of(call->req, call->request_id, STS_XMLNS, &err);
    return true;
}

void sts_serve(struct auth *auth, const char *account, struct http_req *req,
               const struct aws_query *query, const char *request_id)
{
    struct call call = {.auth = auth,
                        .account = account,
                        .req = req,
                        .query = query,
                        .request_id = request_id,
                        .complaints = BUF_INIT(MESSAGE_MAX)};
    struct str action = aws_query_get(query, "Action");
    struct error err;
    size_t i;

    for (i = 0; i < ARRAY_LEN(ops) && !str_is(action, ops[i].name); i++)
        ;
    if ((i == ARRAY_LEN(ops) || !ops[i].is_unsigned) &&
        auth_check(auth, req, AUTH_STS, &call.caller, &err) < 0) {
        reply_query_error_of(req, request_id, STS_XMLNS, &err);
        return;
    }
    if (i == ARRAY_LEN(ops) || !str_is(aws_query_get(query, "Version"), STS_VERSION)) {
        refuse_unknown(&call, action);
        return;
    }
    if (!ops[i].is_unsigned && refuse_action(&call, action))
        return;
    ops[i].serve(&call);
    buf_done(&call.complaints);
}
