/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/query_api.h"

#include "common/model/scaling_ops.h"
#include "gateway/authorization.h"
#include "gateway/reply.h"
#include "gateway/routes.h"
#include "gateway/sts.h"

#define IAM_VERSION "2010-05-08"
#define NOBODYS_XMLNS "http://webservices.amazon.com/AWSFault/2005-15-09"
#define OFFERED                                                                                    \
    "Hearth offers Lambda, Application Auto Scaling, STS (version " STS_VERSION                    \
    ") and IAM (version " IAM_VERSION ")."

/* The JSON protocols name the operation in X-Amz-Target: "Logs_20140328.DescribeLogGroups". */
static void refuse_target(struct http_req *req, struct str target, const char *request_id)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(8192);
    struct http_header headers[] = {
        {STR("Content-Type"), STR("application/x-amz-json-1.1")},
        {STR("x-amzn-RequestId"), str_of(request_id)},
        {STR("x-amzn-ErrorType"), STR("UnknownOperationException")},
    };

    buf_printf(&body, "{\"__type\":\"UnknownOperationException\",\"message\":\"Unknown operation ");
    buf_append_json(&body, str_sub(target, 0, 256));
    buf_printf(&body, ". " OFFERED "\"}");
    http_reply(req, 400, headers, ARRAY_LEN(headers), buf_str(&body));
}

static void serve_scaling(const struct query_api *api, struct http_req *req, struct str operation,
                          const char *request_id)
{
    CLEANUP(freep)
    char *action = str_printf("application-autoscaling:%.*s", STR_ARG(str_sub(operation, 0, 64)));
    const struct caller *caller;
    struct error err;

    if (auth_check(api->auth, req, AUTH_SCALING, &caller, &err) < 0 ||
        authorization_action(caller, str_of(action), STR("*"), &err) < 0)
        reply_target_error_of(req, request_id, &err);
    else
        manage_serve_scaling(api->manage, req, str_sub(operation, 0, 128), request_id);
}

static void refuse_action(struct http_req *req, const struct aws_query *query,
                          const char *request_id)
{
    struct error err;

    error_set(&err, ERR_NO_OPERATION, "Could not find operation %.*s for version %.*s. " OFFERED,
              STR_ARG(str_sub(aws_query_get(query, "Action"), 0, 128)),
              STR_ARG(str_sub(aws_query_get(query, "Version"), 0, 32)));
    reply_query_error_of(req, request_id, NOBODYS_XMLNS, &err);
}

static void serve_iam(const struct query_api *api, struct http_req *req,
                      const struct aws_query *query, const char *request_id)
{
    CLEANUP(freep) char *action =
        str_printf("iam:%.*s", STR_ARG(str_sub(aws_query_get(query, "Action"), 0, 64)));
    const struct caller *caller;
    struct error err;

    if (auth_check(api->auth, req, AUTH_IAM, &caller, &err) < 0 ||
        authorization_action(caller, str_of(action), STR("*"), &err) < 0)
        reply_query_error_of(req, request_id, IAM_XMLNS, &err);
    else
        manage_serve_iam(api->manage, req, caller->arn, request_id);
}

static void serve_form(const struct query_api *api, struct http_req *req,
                       const struct aws_query *query, const char *request_id)
{
    struct str service = auth_service_of(api->auth, req);
    struct str version = aws_query_get(query, "Version");
    bool is_sts = str_is(service, "sts"), is_iam = str_is(service, "iam");

    if (is_sts || (!is_iam && str_is(version, STS_VERSION)))
        sts_serve(api->auth, api->account, req, query, request_id);
    else if (is_iam || str_is(version, IAM_VERSION))
        serve_iam(api, req, query, request_id);
    else
        refuse_action(req, query, request_id);
}

/* Services whose clients read XML from any path. */
static bool reads_xml(struct str service)
{
    static const char *const names[] = {"s3", "s3express", "cloudfront", "route53"};
    size_t i;

    for (i = 0; i < ARRAY_LEN(names); i++)
        if (str_is(service, names[i]))
            return true;
    return false;
}

void query_api_refuse(const struct query_api *api, struct http_req *req, const char *request_id,
                      const struct error *err)
{
    if (err->code == ERR_NO_OPERATION && reads_xml(auth_service_of(api->auth, req)))
        reply_query_error_of(req, request_id, NOBODYS_XMLNS, err);
    else
        reply_error_of(req, request_id, err);
}

void query_api_serve(const struct query_api *api, struct http_req *req, const char *request_id)
{
    struct str target = http_header(req, "x-amz-target"), body = http_body(req);
    struct str scaling = STR(SCALING_TARGET_PREFIX);
    struct aws_query query;
    struct error err;

    if (target.ptr && str_starts(target, scaling)) {
        serve_scaling(api, req, str_sub(target, scaling.len, target.len), request_id);
        return;
    }
    if (target.ptr) {
        refuse_target(req, target, request_id);
        return;
    }
    if (!body.len && !http_query(req).len) { /* nothing that a service could understand */
        if (auth_check(api->auth, req, AUTH_LAMBDA, NULL, &err) == 0)
            routes_unknown(http_method(req), http_path(req), &err);
        query_api_refuse(api, req, request_id, &err);
        return;
    }
    if (aws_query_parse(body.len ? body : http_query(req), &query, &err) < 0) {
        reply_query_error_of(req, request_id, NOBODYS_XMLNS, &err);
        return;
    }
    serve_form(api, req, &query, request_id);
    aws_query_done(&query);
}
