/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/invoke_request.h"

#include <endian.h>
#include <string.h>

#include "common/base/base64.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/model/validate.h"
#include "common/proto/json_check.h"
#include "gateway/routes.h"

#define HTTP_PATH_MAX 16384
#define QUALIFIER_MAX 1024 /* before it is checked; the message of a refusal cites it */

void invoke_request_init(struct invoke_request *r)
{
    memset(r, 0, sizeof(*r));
    buf_init(&r->name, HTTP_PATH_MAX);
    buf_init(&r->qualifier, QUALIFIER_MAX);
    buf_init(&r->client_context, CLIENT_CONTEXT_MAX);
    buf_init(&r->trace_id, TRACE_ID_MAX + 64);
}

void invoke_request_done(struct invoke_request *r)
{
    buf_done(&r->name);
    buf_done(&r->qualifier);
    buf_done(&r->client_context);
    buf_done(&r->trace_id);
}

void invoke_request_clear(struct invoke_request *r)
{
    r->fn = (struct fn_name){0};
    r->kind = INVOKE_SYNC;
    r->wants_log_tail = r->is_invoke_async = false;
    r->payload = STR_NULL;
    buf_clear(&r->name);
    buf_clear(&r->qualifier);
    buf_clear(&r->client_context);
    buf_clear(&r->trace_id);
}

/* Something breaks the API's model: its full check finds AWS's words. @fallback stands when it
 * finds nothing wrong. */
static int model_error(const struct invoke_source *source, const char *fallback, struct error *err)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(VALIDATE_MESSAGE_MAX);
    cJSON *input = NULL;
    int r;

    r = lambda_input_new(source->match, source->query, STR_NULL, source->header, source->arg,
                         &input, err);
    if (r < 0)
        return r;
    r = validate_input(source->match->op, input, &message);
    cJSON_Delete(input);
    if (r < 0)
        return error_set(err, (enum error_code) - r, "%.*s", STR_ARG(buf_str(&message)));
    return error_set(err, ERR_BAD_REQUEST, "%s", fallback);
}

/* The value of Qualifier in the query, decoded; the first one counts. */
static int read_qualifier(struct invoke_request *r, const struct invoke_source *source,
                          struct error *err)
{
    struct str rest = source->query, item;
    size_t eq;

    if (rest.len == 0)
        return 0;
    while (str_split(&rest, '&', &item)) {
        eq = str_find(item, '=', 0);
        if (!str_is(str_sub(item, 0, eq), "Qualifier"))
            continue;
        if (routes_decode(&r->qualifier, str_sub(item, eq + 1, item.len), true) < 0 ||
            !fn_qualifier_is_valid(buf_str(&r->qualifier)))
            return model_error(source, "The qualifier is malformed.", err);
        return 0;
    }
    return 0;
}

static int read_types(struct invoke_request *r, const struct invoke_source *source,
                      struct error *err)
{
    bool is_stream = source->match->op->id == LAMBDA_OP_InvokeWithResponseStream;
    struct str type = source->header(source->arg, "x-amz-invocation-type");
    struct str log = source->header(source->arg, "x-amz-log-type");

    r->kind = is_stream ? INVOKE_STREAM : INVOKE_SYNC;
    if (log.ptr && str_is(log, "Tail"))
        r->wants_log_tail = true;
    else if (log.ptr && !str_is(log, "None"))
        return model_error(source, "X-Amz-Log-Type must be None or Tail.", err);
    if (!type.ptr || str_is(type, "RequestResponse"))
        return 0;
    if (str_is(type, "DryRun"))
        r->kind = INVOKE_DRY_RUN;
    else if (str_is(type, "Event") && !is_stream)
        r->kind = INVOKE_EVENT;
    else
        return model_error(source, "X-Amz-Invocation-Type must be RequestResponse or DryRun.",
                           err);
    return 0;
}

/* What we cannot do we refuse, rather than run as if it had not been asked for. */
static int refuse_unsupported(const struct invoke_source *source, struct error *err)
{
    if (source->header(source->arg, "x-amz-tenant-id").ptr)
        return error_set(err, ERR_UNSUPPORTED,
                         "TenantId is not offered: Hearth has no tenant isolation mode.");
    if (source->match->op->id == LAMBDA_OP_Invoke &&
        source->header(source->arg, "x-amz-durable-execution-name").ptr)
        return error_set(err, ERR_UNSUPPORTED,
                         "DurableExecutionName is not offered: Hearth has no durable functions.");
    return 0;
}

static int read_client_context(struct invoke_request *r, const struct invoke_source *source,
                               struct error *err)
{
    struct str text = source->header(source->arg, "x-amz-client-context");
    struct str json;

    if (text.len == 0)
        return 0;
    if (text.len > CLIENT_CONTEXT_MAX)
        return error_set(err, ERR_BAD_CONTENT, "Client context must be no more than %u bytes.",
                         CLIENT_CONTEXT_MAX);
    if (base64_decode(&r->client_context, text) == 0) {
        json = str_trim(buf_str(&r->client_context));
        if (json.len > 0 && json.ptr[0] == '{' && json_check(json, NULL) == 0)
            return 0;
    }
    return error_set(err, ERR_BAD_CONTENT,
                     "Client context must be a valid Base64-encoded JSON object.");
}

/*
 * Root is for the trace, Parent the segment that the function's own hang under, Sampled says who
 * records it: we record nothing, so 0 unless the client decided. Tracing libraries take a function
 * without a parent for one that still starts, and warn of every segment.
 */
static void complete_trace_id(struct buf *id)
{
    char hex[17];

    if (!memmem(id->ptr, id->len, ";Parent=", 8)) {
        token_make(8, hex);
        buf_append(id, ";Parent=", 8);
        buf_append(id, hex, 16);
    }
    if (!memmem(id->ptr, id->len, ";Sampled=", 9))
        buf_append(id, ";Sampled=0", 10);
}

static void read_trace_id(struct invoke_request *r, const struct invoke_source *source)
{
    struct str given = source->header(source->arg, "x-amzn-trace-id");
    uint32_t seconds = htobe32((uint32_t)(wall_ms() / 1000));
    char hex[25];

    if (str_starts(given, STR("Root=")) && given.len <= TRACE_ID_MAX) {
        buf_append_str(&r->trace_id, given);
        complete_trace_id(&r->trace_id);
        return;
    }
    hex_encode(&seconds, sizeof(seconds), hex);
    buf_append(&r->trace_id, "Root=1-", 7);
    buf_append(&r->trace_id, hex, 8);
    token_make(12, hex);
    buf_append_char(&r->trace_id, '-');
    buf_append(&r->trace_id, hex, 24);
    complete_trace_id(&r->trace_id);
}

int invoke_request_read(struct invoke_request *r, const struct invoke_source *source,
                        struct error *err)
{
    bool is_async = source->match->op->id == LAMBDA_OP_InvokeAsync;
    int result = 0;

    buf_append_str(&r->name, lambda_match_label(source->match, "FunctionName"));
    if (!is_async)
        result = read_qualifier(r, source, err);
    if (result == 0)
        result = fn_name_resolve(buf_str(&r->name), FN_NAME_NAMESPACED, buf_str(&r->qualifier),
                                 source->home, &r->fn, err);
    if (is_async) /* takes a name and a payload, nothing else */
        r->kind = INVOKE_EVENT;
    else if (result == 0)
        result = read_types(r, source, err);
    if (result == 0 && !is_async)
        result = refuse_unsupported(source, err);
    if (result == 0 && r->kind != INVOKE_EVENT)
        result = read_client_context(r, source, err);
    if (result < 0)
        return result;
    r->is_invoke_async = is_async;
    read_trace_id(r, source);
    r->payload = source->body.len ? source->body : STR("{}");
    return r->kind == INVOKE_DRY_RUN ? 0 : json_check(r->payload, err);
}
