/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/routes.h"

#include "common/proto/uri_escape.h"

#define HEALTH_PATH "/_hearth/health"
#define LOGS_PATH "/_hearth/v1/logs/"
#define CODE_PATH "/_hearth/v1/code/"

/* Whether something stands behind @prefix. */
static bool path_below(struct str path, struct str prefix, struct str *ret)
{
    *ret = str_sub(path, prefix.len, path.len);
    return str_starts(path, prefix) && ret->len > 0;
}

static bool is_invoke(enum lambda_op_id id)
{
    return id == LAMBDA_OP_Invoke || id == LAMBDA_OP_InvokeWithResponseStream ||
           id == LAMBDA_OP_InvokeAsync;
}

int routes_unknown(struct str method, struct str path, struct error *err)
{
    return error_set(err, ERR_NO_OPERATION,
                     "%.*s %.*s%s is no operation of Hearth. It offers the AWS Lambda API "
                     "(/2015-03-31/functions and its other dated paths), Application Auto Scaling, STS and "
                     "IAM (POST /), "
                     "GET " HEALTH_PATH " and GET " LOGS_PATH "NAME.",
                     (int)(method.len < 20 ? method.len : 20), method.ptr,
                     (int)(path.len < 200 ? path.len : 200), path.ptr, path.len > 200 ? "..." : "");
}

int routes_find(struct str method, struct str path, struct str query, struct routes_match *ret,
                struct error *err)
{
    if (lambda_op_match(method, path, query, &ret->lambda) == 0) {
        ret->service = is_invoke(ret->lambda.op->id) ? SERVICE_INVOKE : SERVICE_MANAGE;
        return 0;
    }
    if (str_is(path, "/")) {
        ret->service = SERVICE_ROOT;
        return 0;
    }
    if (str_is(path, HEALTH_PATH) && (str_is(method, "GET") || str_is(method, "HEAD"))) {
        ret->service = SERVICE_HEALTH;
        return 0;
    }
    if (str_is(method, "GET") && path_below(path, STR(LOGS_PATH), &ret->name)) {
        ret->service = SERVICE_LOGS;
        return 0;
    }
    if (str_is(method, "GET") && path_below(path, STR(CODE_PATH), &ret->name)) {
        ret->service = SERVICE_CODE;
        return 0;
    }
    return routes_unknown(method, path, err);
}

bool routes_is_open(const struct routes_match *match)
{
    return match->service == SERVICE_HEALTH || match->service == SERVICE_CODE;
}

size_t routes_body_max(struct str path, struct str type)
{
    if (str_ends(path, STR("/")))
        path.len--;
    if (str_ends(path, STR("/invocations")))
        return type.ptr && str_is(type, "Event") ? INVOKE_EVENT_MAX : INVOKE_PAYLOAD_MAX;
    if (str_ends(path, STR("/response-streaming-invocations")))
        return INVOKE_PAYLOAD_MAX;
    if (str_ends(path, STR("/invoke-async")))
        return INVOKE_ASYNC_MAX;
    return path.len == 0 ? ROOT_BODY_MAX : MANAGE_BODY_MAX;
}

void routes_too_large(struct str method, struct str path, struct str query, struct str type,
                      struct error *err)
{
    const char *name = "GET";
    struct routes_match m;

    if (routes_find(method, path, query, &m, err) < 0)
        return;
    if (m.service == SERVICE_ROOT) {
        error_set(err, ERR_TOO_LARGE, "Request must be smaller than %u bytes", ROOT_BODY_MAX);
        return;
    }
    if (m.service == SERVICE_INVOKE || m.service == SERVICE_MANAGE)
        name = m.lambda.op->id == LAMBDA_OP_Invoke ? "InvokeFunction" : m.lambda.op->name;
    error_set(err, m.service == SERVICE_INVOKE ? ERR_TOO_LARGE : ERR_ENTITY_TOO_LARGE,
              "Request must be smaller than %zu bytes for the %s operation",
              routes_body_max(path, type), name);
}

int routes_decode(struct buf *b, struct str text, bool is_query)
{
    size_t start = b->len;
    struct str plain;

    if (uri_unescape(b, text, is_query) < 0)
        return -ERR_BAD_REQUEST;
    plain = str_from(b->ptr + start, b->len - start);
    if (str_find(plain, '\0', 0) == plain.len && str_is_utf8(plain))
        return 0;
    b->len = start;
    return -ERR_BAD_REQUEST;
}

int routes_query_value(struct str query, const char *name, struct buf *ret)
{
    struct str pair;
    size_t eq;

    while (str_split(&query, '&', &pair)) {
        eq = str_find(pair, '=', 0);
        if (!str_is(str_sub(pair, 0, eq), name))
            continue;
        buf_clear(ret);
        if (routes_decode(ret, str_sub(pair, eq + 1, pair.len), true) == 0 && ret->len > 0)
            return 0;
    }
    return -ERR_NOT_FOUND;
}
