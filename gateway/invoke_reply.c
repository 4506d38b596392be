/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/invoke_reply.h"

#include "common/proto/event_stream.h"
#include "gateway/reply.h"

#define CHUNK_MAX (64u * 1024u)
#define HEADERS_MAX 6

static size_t write_headers(const struct invoke_answer *a, struct str content_type,
                            struct http_header *ret)
{
    ret[0] = (struct http_header){STR("Content-Type"), content_type};
    ret[1] = (struct http_header){STR("x-amzn-RequestId"), str_of(a->request_id)};
    ret[2] = (struct http_header){STR("X-Amzn-Trace-Id"), a->trace_id};
    ret[3] = (struct http_header){STR("X-Amz-Executed-Version"), str_of(a->executed_version)};
    return 4;
}

static void reply_with(struct http_req *req, int status, const struct invoke_answer *a,
                       struct str body)
{
    struct http_header headers[HEADERS_MAX];
    size_t count = write_headers(a, STR("application/json"), headers);

    if (a->function_error)
        headers[count++] = (struct http_header){STR("X-Amz-Function-Error"), STR(INVOKE_UNHANDLED)};
    if (a->log.ptr)
        headers[count++] = (struct http_header){STR("X-Amz-Log-Result"), a->log};
    http_reply(req, status, headers, count, body);
}

void invoke_reply(struct http_req *req, const struct invoke_answer *answer)
{
    reply_with(req, 200, answer, answer->payload);
}

void invoke_reply_dry(struct http_req *req, const struct invoke_answer *answer)
{
    reply_with(req, 204, answer, STR_NULL);
}

/* ---- events ---- */

static int append_member(struct buf *b, const char *name, struct str value)
{
    int r = buf_printf(b, "%c\"%s\":\"", b->len == 0 ? '{' : ',', name);

    if (r == 0)
        r = buf_append_json(b, value);
    return r < 0 ? r : buf_append_char(b, '"');
}

/* Members that have nothing to say are left out, as AWS does. */
static int append_complete(struct buf *events, const struct invoke_complete *c)
{
    CLEANUP(buf_done) struct buf json = BUF_INIT(EVENT_PAYLOAD_MAX);
    int r = 0;

    if (c->error_code.len > 0) {
        r = append_member(&json, "ErrorCode", c->error_code);
        if (r == 0)
            r = append_member(&json, "ErrorDetails", c->error_details);
    }
    if (r == 0 && c->log.ptr)
        r = append_member(&json, "LogResult", c->log);
    if (r == 0 && json.len == 0)
        r = buf_append_char(&json, '{');
    if (r == 0)
        r = buf_append_char(&json, '}');
    return r < 0 ? r
                 : event_stream_append(events, STR("InvokeComplete"), STR("application/json"),
                                       buf_str(&json));
}

static int append_chunks(struct buf *events, struct str payload)
{
    size_t at, end;
    int r = 0;

    for (at = 0; r == 0 && at < payload.len; at = end) {
        end = payload.len - at < CHUNK_MAX ? payload.len : at + CHUNK_MAX;
        r = event_stream_append(events, STR("PayloadChunk"), STR("application/octet-stream"),
                                str_sub(payload, at, end));
    }
    return r;
}

void invoke_reply_events(struct http_req *req, const struct invoke_answer *answer,
                         struct buf *events)
{
    struct http_header headers[HEADERS_MAX];
    size_t count = write_headers(answer, STR(EVENT_STREAM_TYPE), headers);
    struct invoke_complete complete = {.log = answer->log};

    if (answer->function_error) {
        complete.error_code = STR(INVOKE_UNHANDLED);
        complete.error_details = answer->payload;
    }
    if (append_chunks(events, answer->payload) < 0 || append_complete(events, &complete) < 0) {
        reply_error(req, answer->request_id, ERR_INTERNAL,
                    STR("The function's answer does not fit into events."), NULL);
        return;
    }
    http_reply(req, 200, headers, count, buf_str(events));
}

void invoke_reply_stream_begin(struct http_req *req, const struct invoke_answer *answer)
{
    struct http_header headers[HEADERS_MAX];

    http_reply_begin(req, 200, headers, write_headers(answer, STR(EVENT_STREAM_TYPE), headers));
}

int invoke_reply_stream_chunk(struct buf *events, struct str bytes)
{
    return append_chunks(events, bytes);
}

void invoke_reply_stream_end(struct http_req *req, const struct invoke_complete *complete,
                             struct buf *events)
{
    buf_clear(events);
    if (append_complete(events, complete) < 0) { /* no end is better than a false one */
        http_drop(req);
        return;
    }
    http_reply_write(req, buf_str(events));
    http_reply_end(req);
}
