/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/async/async_record.h"

#include <cjson/cJSON.h>
#include <inttypes.h>

#include "common/base/clock.h"
#include "common/proto/json_check.h"

#define PARSE_MAX (256u * 1024u) /* an answer that is larger is not looked into */

const char *async_condition_name(enum async_condition condition)
{
    static const char *const names[] = {
        [ASYNC_SUCCESS] = "Success",
        [ASYNC_RETRIES_EXHAUSTED] = "RetriesExhausted",
        [ASYNC_AGE_EXCEEDED] = "EventAgeExceeded",
        [ASYNC_ZERO_RESERVED] = "ZeroReservedConcurrency",
    };

    return names[condition];
}

static int append_string(struct buf *b, const char *name, struct str value)
{
    int r = buf_printf(b, "\"%s\":\"", name);

    if (r == 0)
        r = buf_append_json(b, value);
    return r < 0 ? r : buf_append_char(b, '"');
}

int async_context_write(struct buf *b, struct str executed_version, bool function_error)
{
    int r = buf_append_str(b, STR("{\"statusCode\":200,"));

    if (r == 0)
        r = append_string(b, "executedVersion", executed_version);
    if (r == 0 && function_error)
        r = buf_append_str(b, STR(",\"functionError\":\"Unhandled\""));
    return r < 0 ? r : buf_append_char(b, '}');
}

/* A function may answer anything; what is no JSON becomes a string. */
static int append_answer(struct buf *b, struct str answer)
{
    int r;

    if (answer.len == 0)
        return buf_append_str(b, STR("null"));
    if (json_check(answer, NULL) == 0)
        return buf_append_str(b, answer);
    r = buf_append_char(b, '"');
    if (r == 0)
        r = buf_append_json(b, answer);
    return r < 0 ? r : buf_append_char(b, '"');
}

static int append_request(struct buf *b, const struct async_end *end)
{
    char time[CLOCK_ISO_MAX];
    int r;

    clock_format_iso(end->now_ms, time);
    r = buf_printf(b, "{\"version\":\"1.0\",\"timestamp\":\"%s\",\"requestContext\":{", time);
    if (r == 0)
        r = append_string(b, "requestId", end->request_id);
    if (r == 0)
        r = buf_append_char(b, ',');
    if (r == 0)
        r = append_string(b, "functionArn", end->function_arn);
    if (r == 0)
        r = buf_printf(b,
                       ",\"condition\":\"%s\",\"approximateInvokeCount\":%" PRIu64
                       "},\"requestPayload\":",
                       async_condition_name(end->condition), end->count);
    return r < 0 ? r : buf_append_str(b, end->payload);
}

int async_record_write(struct buf *b, const struct async_end *end)
{
    size_t start = b->len, before;
    int r = append_request(b, end);

    if (r == 0 && end->context.len) {
        r = buf_append_str(b, STR(",\"responseContext\":"));
        if (r == 0)
            r = buf_append_str(b, end->context);
        before = b->len;
        if (r == 0 && end->answer.ptr)
            r = buf_append_str(b, STR(",\"responsePayload\":"));
        if (r == 0 && end->answer.ptr)
            r = append_answer(b, end->answer);
        if (r == 0 && b->len - start >= ASYNC_SMALL_RECORD)
            b->len = before;
    }
    return r < 0 ? r : buf_append_char(b, '}');
}

/* @text without control characters, cut between characters. */
static int append_cut(struct buf *b, struct str text)
{
    size_t end = text.len, i;
    int r = 0;

    if (end > ASYNC_ERROR_MESSAGE_MAX)
        for (end = ASYNC_ERROR_MESSAGE_MAX; end > 0 && (text.ptr[end] & 0xc0) == 0x80; end--)
            ;
    for (i = 0; r == 0 && i < end; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        r = buf_append_char(b, c < 0x20 && c != '\n' && c != '\t' && c != '\r' ? ' ' : text.ptr[i]);
    }
    return r;
}

int async_error_message(struct buf *b, struct str answer)
{
    cJSON *json = NULL;
    const char *message;
    int r;

    if (answer.len && answer.len <= PARSE_MAX)
        json = cJSON_ParseWithLength(answer.ptr, answer.len);
    message = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "errorMessage"));
    r = append_cut(b, message ? str_of(message) : answer);
    cJSON_Delete(json);
    return r;
}
