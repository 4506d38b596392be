/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/reply.h"

#include "common/proto/aws_error.h"
#include "common/proto/aws_query.h"
#include "gateway/admission.h"

#define ERROR_BODY_MAX 65536

void reply_json(struct http_req *req, const char *request_id, int status, struct str body)
{
    struct http_header headers[] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("x-amzn-RequestId"), str_of(request_id)},
    };

    http_reply(req, status, headers, ARRAY_LEN(headers), body);
}

void reply_error(struct http_req *req, const char *request_id, enum error_code code,
                 struct str message, const char *reason)
{
    struct http_header headers[] = {
        {STR("Content-Type"), STR("application/json")},
        {STR("x-amzn-RequestId"), str_of(request_id)},
        {STR(AWS_ERROR_TYPE_HEADER), str_of(error_exception(code))},
    };
    struct buf body = BUF_INIT(ERROR_BODY_MAX);

    if (aws_error_body(&body, code, message, reason) < 0) {
        buf_clear(&body);
        aws_error_body(&body, code, STR("the message is too long"), reason);
    }
    http_reply(req, error_http_status(code), headers, ARRAY_LEN(headers), buf_str(&body));
    buf_done(&body);
}

void reply_error_of(struct http_req *req, const char *request_id, const struct error *err)
{
    reply_error(req, request_id, err->code, str_of(err->msg),
                err->code == ERR_THROTTLED ? ADMISSION_ACCOUNT : NULL);
}

void reply_target_error_of(struct http_req *req, const char *request_id, const struct error *err)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(ERROR_BODY_MAX);
    const char *type = error_exception(err->code);
    int status = error_http_status(err->code);
    struct http_header headers[] = {
        {STR("Content-Type"), STR("application/x-amz-json-1.1")},
        {STR("x-amzn-RequestId"), str_of(request_id)},
        {STR(AWS_ERROR_TYPE_HEADER), str_of(type)},
    };

    buf_printf(&body, "{\"__type\":\"%s\",\"Message\":\"", type);
    buf_append_json(&body, str_of(err->msg));
    buf_printf(&body, "\"}");
    /* what is the client's fault is 400 in this protocol, whatever it is */
    http_reply(req, status >= 500 || status == 413 ? status : 400, headers, ARRAY_LEN(headers), buf_str(&body));
}

void reply_xml(struct http_req *req, const char *request_id, int status, struct str body)
{
    struct http_header headers[] = {
        {STR("Content-Type"), STR("text/xml")},
        {STR("x-amzn-RequestId"), str_of(request_id)},
    };

    http_reply(req, status, headers, ARRAY_LEN(headers), body);
}

void reply_query_error(struct http_req *req, const char *request_id, const char *xmlns,
                       const char *code, int status, struct str message)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(ERROR_BODY_MAX);

    if (aws_query_error(&body, xmlns, code, message, status, request_id) < 0)
        aws_query_error(&body, xmlns, code, STR("the message is too long"), status, request_id);
    reply_xml(req, request_id, status, buf_str(&body));
}

/* The same errors have other names in the query protocol. */
static const struct {
    enum error_code code;
    const char *name;
    int status;
} query_codes[] = {
    {ERR_NO_TOKEN, "MissingAuthenticationToken", 403},
    {ERR_HALF_SIGNED, "IncompleteSignature", 400},
    {ERR_UNKNOWN_CLIENT, "InvalidClientTokenId", 403},
    {ERR_BAD_SIGNATURE, "SignatureDoesNotMatch", 403},
    {ERR_EXPIRED_TOKEN, "ExpiredToken", 403},
    {ERR_ACCESS_DENIED, "AccessDenied", 403},
    {ERR_VALIDATION, "ValidationError", 400},
    {ERR_BAD_REQUEST, "MalformedQueryString", 404},
    {ERR_NO_OPERATION, "InvalidAction", 400},
    {ERR_TOO_LARGE, "RequestEntityTooLarge", 413},
    {ERR_UNAVAILABLE, "ServiceUnavailable", 503},
    {ERR_CLOSED, "ServiceUnavailable", 503},
};

void reply_query_error_of(struct http_req *req, const char *request_id, const char *xmlns,
                          const struct error *err)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(query_codes); i++) {
        if (query_codes[i].code != err->code)
            continue;
        reply_query_error(req, request_id, xmlns, query_codes[i].name, query_codes[i].status,
                          str_of(err->msg));
        return;
    }
    reply_query_error(req, request_id, xmlns, "InternalFailure", 500, str_of(err->msg));
}
