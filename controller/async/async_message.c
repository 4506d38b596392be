/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/async/async_message.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/model/lambda_input.h"
#include "common/proto/uri_escape.h"

#define QUESTION_MAX (32u * 1024u * 1024u) /* a record in JSON in a form: six bytes each at worst */
#define KEY_MAX 4096u
#define JSON_1_0 "application/x-amz-json-1.0"
#define JSON_1_1 "application/x-amz-json-1.1"
#define FORM "application/x-www-form-urlencoded; charset=utf-8"

/* ---- in the queue ---- */

static void add_str(cJSON *to, const char *name, struct str s)
{
    CLEANUP(freep) char *text = str_dup(s);

    if (s.len)
        cJSON_AddStringToObject(to, name, text);
}

cJSON *async_message_doc(const struct async_message *m)
{
    cJSON *doc = cJSON_CreateObject();

    add_str(doc, "target", m->target);
    cJSON_AddBoolToObject(doc, "dead_letter", m->is_dead_letter);
    cJSON_AddBoolToObject(doc, "success", m->is_success);
    add_str(doc, "function", m->function);
    add_str(doc, "function_arn", m->function_arn);
    add_str(doc, "request_id", m->request_id);
    add_str(doc, "trace_id", m->trace_id);
    add_str(doc, "error_code", m->error_code);
    add_str(doc, "error_message", m->error_message);
    return doc;
}

void async_message_read(const cJSON *doc, struct async_message *ret)
{
    *ret = (struct async_message){
        .target = cjson_str(doc, "target"),
        .is_dead_letter = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(doc, "dead_letter")),
        .is_success = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(doc, "success")),
        .function = cjson_str(doc, "function"),
        .function_arn = cjson_str(doc, "function_arn"),
        .request_id = cjson_str(doc, "request_id"),
        .trace_id = cjson_str(doc, "trace_id"),
        .error_code = cjson_str(doc, "error_code"),
        .error_message = cjson_str(doc, "error_message"),
    };
}

/* ---- questions ---- */

/* The parts of arn:aws:sqs:region:account:name. */
struct target {
    struct str service, region, account, name;
};

static void split_arn(struct str arn, struct target *ret)
{
    struct str *parts[] = {NULL, NULL, &ret->service, &ret->region, &ret->account};
    struct str part;
    size_t i;

    *ret = (struct target){STR(""), STR(""), STR(""), STR("")};
    for (i = 0; i < ARRAY_LEN(parts) && str_split(&arn, ':', &part); i++)
        if (parts[i])
            *parts[i] = part;
    if (arn.ptr)
        ret->name = arn;
}

/* ,"name":{"DataType":…,"StringValue":…} of a dead letter. */
static const struct {
    const char *name, *type;
} attributes[] = {{"RequestID", "String"}, {"ErrorCode", "Number"}, {"ErrorMessage", "String"}};

static struct str attribute(const struct async_message *m, size_t i)
{
    return i == 0 ? m->request_id : i == 1 ? m->error_code : m->error_message;
}

static cJSON *attribute_new(const char *type, struct str value)
{
    CLEANUP(freep) char *text = str_dup(value);
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "DataType", type);
    cJSON_AddStringToObject(json, "StringValue", text);
    return json;
}

static int sqs_body(const struct aws_client *aws, const struct async_message *m,
                    const struct target *t, struct buf *ret)
{
    CLEANUP(freep) char *endpoint = aws_client_endpoint(aws, "sqs", t->region);
    CLEANUP(freep)
    char *url = str_printf("%s/%.*s/%.*s", endpoint, STR_ARG(t->account), STR_ARG(t->name));
    CLEANUP(freep) char *text = NULL;
    cJSON *json = cJSON_CreateObject(), *more;
    size_t i;

    cJSON_AddStringToObject(json, "QueueUrl", url);
    add_str(json, "MessageBody", m->body);
    if (m->is_dead_letter) {
        more = cJSON_AddObjectToObject(json, "MessageAttributes");
        for (i = 0; i < ARRAY_LEN(attributes); i++)
            if (attribute(m, i).len)
                cJSON_AddItemToObject(more, attributes[i].name,
                                      attribute_new(attributes[i].type, attribute(m, i)));
    }
    if (m->trace_id.len) {
        more = cJSON_AddObjectToObject(json, "MessageSystemAttributes");
        cJSON_AddItemToObject(more, "AWSTraceHeader", attribute_new("String", m->trace_id));
    }
    text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text ? buf_append_str(ret, str_of(text)) : -ERR_TOO_LARGE;
}

static int form_add(struct buf *b, const char *name, struct str value)
{
    int r = buf_printf(b, "&%s=", name);

    return r < 0 ? r : uri_escape(b, value, false);
}

static int sns_body(const struct async_message *m, struct buf *ret)
{
    unsigned n = 0;
    char name[64];
    size_t i;
    int r;

    r = buf_append_str(ret, STR("Action=Publish&Version=2010-03-31"));
    if (r == 0)
        r = form_add(ret, "TopicArn", m->target);
    if (r == 0)
        r = form_add(ret, "Message", m->body);
    for (i = 0; r == 0 && m->is_dead_letter && i < ARRAY_LEN(attributes); i++) {
        if (!attribute(m, i).len)
            continue;
        n++;
        snprintf(name, sizeof(name), "MessageAttributes.entry.%u.Name", n);
        r = form_add(ret, name, str_of(attributes[i].name));
        snprintf(name, sizeof(name), "MessageAttributes.entry.%u.Value.DataType", n);
        if (r == 0)
            r = form_add(ret, name, str_of(attributes[i].type));
        snprintf(name, sizeof(name), "MessageAttributes.entry.%u.Value.StringValue", n);
        if (r == 0)
            r = form_add(ret, name, attribute(m, i));
    }
    return r;
}

static int events_body(const struct async_message *m, struct buf *ret)
{
    CLEANUP(freep) char *text = NULL;
    cJSON *json = cJSON_CreateObject(), *entry = cJSON_CreateObject(), *resources;
    CLEANUP(freep) char *bus = str_dup(m->target);
    CLEANUP(freep) char *fn = str_dup(m->function_arn);

    cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "Entries"), entry);
    cJSON_AddStringToObject(entry, "Source", "lambda");
    cJSON_AddStringToObject(entry, "DetailType",
                            m->is_success ? "Lambda Function Invocation Result - Success"
                                          : "Lambda Function Invocation Result - Failure");
    add_str(entry, "Detail", m->body);
    resources = cJSON_AddArrayToObject(entry, "Resources");
    cJSON_AddItemToArray(resources, cJSON_CreateString(bus));
    cJSON_AddItemToArray(resources, cJSON_CreateString(fn));
    cJSON_AddStringToObject(entry, "EventBusName", bus);
    add_str(entry, "TraceHeader", m->trace_id);
    text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text ? buf_append_str(ret, str_of(text)) : -ERR_TOO_LARGE;
}

/* /bucket/aws/lambda/async/NAME/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-UUID */
static int s3_path(const struct async_message *m, const struct target *t, struct buf *ret)
{
    char id[UUID_MAX], when[64];
    time_t now = (time_t)(wall_ms() / 1000);
    struct tm tm;
    int r;

    uuid_make(id);
    gmtime_r(&now, &tm);
    strftime(when, sizeof(when), "%Y/%m/%d/%Y-%m-%dT%H.%M.%S", &tm);
    r = buf_append_char(ret, '/');
    if (r == 0)
        r = uri_escape(ret, t->name, false);
    return r < 0 ? r
                 : buf_printf(ret, "/aws/lambda/async/%.*s/%s-%s", STR_ARG(m->function), when, id);
}

/* ---- sending ---- */

struct sending {
    async_sent_fn *done;
    void *arg;
    bool to_events;
};

/* EventBridge answers 200 and says inside what it did not take. */
static int check_events(struct str body, struct error *err)
{
    int r = 0;
    cJSON *json = cJSON_ParseWithLength(body.ptr ? body.ptr : "", body.len);
    const cJSON *entry = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "Entries"), 0);
    struct str code = cjson_str(entry, "ErrorCode");

    if (!json || code.len)
        r = error_set(err, ERR_BAD_REQUEST, "events does not take it: %.*s",
                      STR_ARG(str_sub(code, 0, 100)));
    cJSON_Delete(json);
    return r;
}

static void on_called(struct str body, const struct error *err, void *arg)
{
    struct sending *sending = arg;
    struct error own;

    if (!err && sending->to_events && check_events(body, &own) < 0)
        err = &own;
    sending->done(err, sending->arg);
    free(sending);
}

/* The call for @t, its body in @body and its path in @path. */
static int make_call(const struct async_clients *clients, const struct async_message *m,
                     const struct target *t, struct aws_call_options *call, struct buf *body,
                     struct buf *path, struct error *err)
{
    int r;

    *call = (struct aws_call_options){
        .service = "sqs", .region = t->region, .method = "POST", .path = STR("/")};
    if (str_is(t->service, "s3")) {
        call->service = "s3";
        call->method = "PUT";
        call->content_type = "application/json";
        if (clients->s3_region.ptr)
            call->region = clients->s3_region;
        r = s3_path(m, t, path);
        if (r == 0)
            r = buf_append_str(body, m->body);
        call->path = buf_str(path);
    } else if (str_is(t->service, "sqs")) {
        call->content_type = JSON_1_0;
        call->target = "AmazonSQS.SendMessage";
        r = sqs_body(clients->aws, m, t, body);
    } else if (str_is(t->service, "sns")) {
        call->service = "sns";
        call->content_type = FORM;
        r = sns_body(m, body);
    } else if (str_is(t->service, "events")) {
        call->service = "events";
        call->content_type = JSON_1_1;
        call->target = "AWSEvents.PutEvents";
        r = events_body(m, body);
    } else {
        return error_set(err, ERR_BAD_REQUEST, "Hearth knows no such destination");
    }
    call->body = buf_str(body);
    return r < 0 ? error_set(err, ERR_TOO_LARGE, "the message is too large") : 0;
}

int async_message_send(const struct async_clients *clients, const struct async_message *message,
                       async_sent_fn *done, void *arg, struct error *err)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(QUESTION_MAX);
    CLEANUP(buf_done) struct buf path = BUF_INIT(KEY_MAX);
    struct aws_client *aws = clients->aws;
    struct aws_call_options call;
    struct sending *sending;
    struct target t;
    int r;

    split_arn(message->target, &t);
    if (str_is(t.service, "s3"))
        aws = clients->s3;
    if (!aws)
        return error_set(err, ERR_UNAVAILABLE, "no endpoint is configured: set %s",
                         str_is(t.service, "s3") ? "HEARTH_S3_ENDPOINT" : "HEARTH_AWS_ENDPOINT");
    r = make_call(clients, message, &t, &call, &body, &path, err);
    if (r < 0)
        return r;
    sending = calloc(1, sizeof(*sending));
    if (!sending)
        abort();
    *sending = (struct sending){done, arg, str_is(t.service, "events")};
    aws_client_call(aws, &call, on_called, sending);
    return 0;
}
