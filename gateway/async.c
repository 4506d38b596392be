/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/async.h"

#include <string.h>

#include "gateway/reply.h"

#define ENQUEUE_TIMEOUT_US SECONDS(15)
#define ANSWER_MAX (1024u * 1024u) /* of a function's answer, as far as the controller wants it */

struct enqueue {
    struct list_node node; /* in invokes->enqueues */
    struct invocation *inv; /* NULL: its client has left */
};

static void add_str(cJSON *to, const char *name, struct str s)
{
    CLEANUP(freep) char *text = str_dup(s);

    cJSON_AddStringToObject(to, name, text);
}

static struct str json_str(const cJSON *json, const char *name)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(json, name);

    return cJSON_IsString(m) ? str_of(m->valuestring) : STR_NULL;
}

/* ---- to the queue ---- */

static void accepted(struct invocation *inv)
{
    const struct http_header headers[] = {
        {STR("x-amzn-RequestId"), str_from(inv->request_id, UUID_LEN)},
        {STR("X-Amzn-Trace-Id"), buf_str(&inv->ask.trace_id)},
        {STR("Content-Type"), STR("application/json")},
    };
    bool tells = inv->ask.is_invoke_async; /* Invoke's answer has no body, nor a type of one */

    http_reply(inv->req, 202, headers, tells ? 3 : 2, tells ? STR("{\"Status\":202}") : STR_NULL);
    invocation_release(inv);
}

static void refused(struct invocation *inv, const struct error *err)
{
    bool unknown = err->code == ERR_CLOSED || err->code == ERR_TIMEOUT;

    if (err->code == ERR_NOT_FOUND)
        invocation_fail_not_found(inv);
    else if (err->code == ERR_THROTTLED)
        invocation_fail_with(inv, ERR_THROTTLED, "%s", err->msg);
    else
        invocation_fail_with(inv, ERR_UNAVAILABLE, "The event %s: %.300s",
                             unknown ? "may not have been queued" : "was not queued", err->msg);
}

static void on_enqueued(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct enqueue *enqueue = arg;
    struct invocation *inv = enqueue->inv;

    (void)ok;
    (void)body;
    list_remove(&enqueue->node);
    free(enqueue);
    if (!inv)
        return;
    inv->enqueue = NULL;
    if (err)
        refused(inv, err);
    else
        accepted(inv);
}

void async_enqueue(struct invocation *inv)
{
    const struct fn_name *fn = &inv->ask.fn;
    struct enqueue *enqueue = calloc(1, sizeof(*enqueue));
    cJSON *args = cJSON_CreateObject();

    if (!enqueue)
        abort();
    enqueue->inv = inv;
    inv->enqueue = enqueue;
    list_append(&inv->invokes->enqueues, &enqueue->node);
    add_str(args, "account", fn->account);
    add_str(args, "name", fn->name);
    add_str(args, "qualifier", fn->qualifier.ptr ? fn->qualifier : STR(""));
    add_str(args, "request_id", str_from(inv->request_id, UUID_LEN));
    add_str(args, "trace_id", buf_str(&inv->ask.trace_id));
    rpc_call(leader_link_get(inv->invokes->parts.controller), "async.enqueue", args,
             inv->ask.payload, ENQUEUE_TIMEOUT_US, on_enqueued, enqueue);
    cJSON_Delete(args);
}

void async_leave(struct invocation *inv)
{
    if (inv->enqueue)
        inv->enqueue->inv = NULL;
    inv->enqueue = NULL;
}

void async_end(struct invokes *invokes)
{
    struct enqueue *enqueue;

    while ((enqueue = LIST_FIRST(&invokes->enqueues, struct enqueue, node))) {
        list_remove(&enqueue->node);
        free(enqueue);
    }
}

/* ---- from the queue ---- */

int async_read(struct invocation *inv, const cJSON *args, struct str body, struct error *err)
{
    struct str account = json_str(args, "account"), name = json_str(args, "name");
    struct str qualifier = json_str(args, "qualifier"), id = json_str(args, "request_id");
    struct invoke_request *ask = &inv->ask;
    int r;

    if (id.len != UUID_LEN || account.len == 0 || name.len == 0)
        return error_set(err, ERR_BAD_REQUEST, "account, name and a request's id are needed");
    memcpy(inv->request_id, id.ptr, UUID_LEN);
    inv->request_id[UUID_LEN] = '\0';
    r = buf_append_str(&ask->name, account);
    if (r == 0)
        r = buf_append_str(&ask->name, name);
    if (r == 0)
        r = buf_append_str(&ask->qualifier, qualifier);
    if (r == 0)
        r = buf_append_str(&ask->trace_id, json_str(args, "trace_id"));
    if (r < 0)
        return error_set(err, ERR_BAD_REQUEST, "the event's names are too long");
    ask->kind = INVOKE_SYNC;
    ask->fn = (struct fn_name){
        .region = inv->invokes->parts.home.region,
        .account = str_from(ask->name.ptr, account.len),
        .name = str_from(ask->name.ptr + account.len, name.len),
        .qualifier = qualifier.len ? buf_str(&ask->qualifier) : STR_NULL,
    };
    ask->payload = body;
    return 0;
}

void async_succeed(struct invocation *inv)
{
    struct rpc_request *rpc = TAKE(inv->rpc);
    bool fits = inv->result.len <= ANSWER_MAX;
    cJSON *ok = cJSON_CreateObject();

    cJSON_AddBoolToObject(ok, "function_error", inv->outcome == INVOKE_FUNCTION_ERROR);
    cJSON_AddStringToObject(ok, "executed_version", inv->executed_version);
    cJSON_AddBoolToObject(ok, "too_large", !fits);
    rpc_reply(rpc, ok, fits ? buf_str(&inv->result) : STR_NULL);
    cJSON_Delete(ok);
}

void async_fail(struct invocation *inv, const struct error *err)
{
    rpc_fail(TAKE(inv->rpc), err);
}
