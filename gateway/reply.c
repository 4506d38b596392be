/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/reply.h"

#include "common/proto/aws_error.h"
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
