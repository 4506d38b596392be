/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/logs_read.h"

#include <stdlib.h>

#include "common/io/rpc.h"
#include "common/proto/log_record.h"
#include "gateway/parked.h"
#include "gateway/reply.h"
#include "gateway/routes.h"

#define READ_TIMEOUT_US SECONDS(20)
#define GATHERED_MAX (64u * 1024u * 1024u)

struct log_reads {
    struct nodes *nodes;
    const char *account;
    struct list_node all;
};

struct reading {
    struct parked parked;
    struct list_node asks; /* invokers that have not answered */
    unsigned answered, missing;
    bool more;
    struct buf lines;
};

/* A record and what it is ordered by. */
struct line {
    uint64_t time_ms;
    size_t place; /* as it came: keeps the order of one invoker */
    struct str text;
};

/* One invoker that was asked; it is held, so that its answer or its end is heard of. */
struct ask {
    struct list_node list;
    struct reading *reading;
    struct node *node;
};

static void reading_free(struct reading *r)
{
    struct ask *ask;

    while ((ask = LIST_FIRST(&r->asks, struct ask, list))) { /* at the gateway's end only */
        list_remove(&ask->list);
        free(ask);
    }
    parked_end(&r->parked);
    buf_done(&r->lines);
    free(r);
}

static int by_time(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* The time stands first in a record: {"time":1700000000123,… */
static uint64_t time_of(struct str record)
{
    struct str key = STR("{\"time\":");
    uint64_t ms = 0;

    if (str_starts(record, key) &&
        str_parse_u64(str_sub(record, key.len, str_find(record, ',', key.len)), &ms) < 0)
        ms = 0;
    return ms;
}

/* All lines in the order of their times; each invoker's are so already. */
static void sort_lines(struct reading *r, struct buf *ret)
{
    struct str rest = buf_str(&r->lines), text;
    struct line *lines;
    size_t n = 0, i;

    for (i = 0; i < rest.len; i++)
        n += rest.ptr[i] == '\n';
    lines = calloc(n + 1, sizeof(*lines));
    if (!lines)
        abort();
    for (i = 0; i < n && str_split(&rest, '\n', &text); i++)
        lines[i] = (struct line){time_of(text), i, text};
    qsort(lines, n, sizeof(*lines), by_time);
    for (i = 0; i < n; i++) {
        buf_append_str(ret, lines[i].text);
        buf_append_char(ret, '\n');
    }
    free(lines);
}

static void answer(struct reading *r)
{
    CLEANUP(buf_done) struct buf sorted = BUF_INIT(GATHERED_MAX);
    CLEANUP(freep) char *missing = str_printf("%u", r->missing);
    struct http_header headers[4] = {{STR("Content-Type"), STR("application/x-ndjson")},
                                     {STR("x-amzn-RequestId"), str_of(r->parked.request_id)}};
    size_t count = 2;

    if (r->answered == 0) {
        reply_error(r->parked.req, r->parked.request_id, ERR_UNAVAILABLE,
                    STR("No invoker answers; is hearth-invoker running?"), NULL);
        return;
    }
    if (r->more)
        headers[count++] = (struct http_header){STR("X-Hearth-More"), STR("true")};
    if (r->missing)
        headers[count++] = (struct http_header){STR("X-Hearth-Missing-Nodes"), str_of(missing)};
    if (r->answered > 1)
        sort_lines(r, &sorted);
    http_reply(r->parked.req, 200, headers, count, buf_str(r->answered > 1 ? &sorted : &r->lines));
}

static void on_lines(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct ask *ask = arg;
    struct reading *r = ask->reading;

    node_end(ask->node);
    list_remove(&ask->list);
    free(ask);
    if (err || buf_append_str(&r->lines, body) < 0) {
        r->missing++;
    } else {
        r->answered++;
        r->more = r->more || cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(ok, "more"));
    }
    if (!list_is_empty(&r->asks))
        return;
    if (r->parked.req)
        answer(r);
    reading_free(r);
}

static void ask(struct reading *r, struct node *node, const cJSON *args)
{
    struct ask *ask = calloc(1, sizeof(*ask));

    if (!ask)
        abort();
    ask->reading = r;
    ask->node = node;
    list_append(&r->asks, &ask->list);
    node_begin(node);
    rpc_call(node_link(node), "logs.read", args, STR_NULL, READ_TIMEOUT_US, on_lines, ask);
}

/* Fills the arguments of logs.read from the query. */
static int read_query(struct str query, cJSON *args, struct error *err)
{
    static const struct {
        const char *query, *arg;
    } numbers[] = {{"since", "since_ms"}, {"limit", "limit"}};
    CLEANUP(buf_done) struct buf decoded = BUF_INIT(4096);
    uint64_t v;
    size_t i;

    if (routes_query_value(query, "request-id", &decoded) == 0) {
        CLEANUP(freep) char *id = str_dup(buf_str(&decoded));

        cJSON_AddStringToObject(args, "request_id", id);
    }
    for (i = 0; i < ARRAY_LEN(numbers); i++) {
        if (routes_query_value(query, numbers[i].query, &decoded) < 0)
            continue;
        if (str_parse_u64(buf_str(&decoded), &v) < 0)
            return error_set(err, ERR_BAD_REQUEST, "%s must be a whole number", numbers[i].query);
        cJSON_AddNumberToObject(args, numbers[i].arg, (double)v);
    }
    return 0;
}

void log_reads_serve(struct log_reads *reads, struct http_req *req, struct str name,
                     const char *request_id)
{
    CLEANUP(freep) char *name_copy = str_dup(name);
    cJSON *args = cJSON_CreateObject();
    struct node *node = NULL;
    struct reading *r;
    struct error err;

    cJSON_AddStringToObject(args, "account", reads->account);
    cJSON_AddStringToObject(args, "name", name_copy);
    if (read_query(http_query(req), args, &err) < 0) {
        reply_error_of(req, request_id, &err);
        cJSON_Delete(args);
        return;
    }
    r = calloc(1, sizeof(*r));
    if (!r)
        abort();
    buf_init(&r->lines, GATHERED_MAX);
    list_init(&r->asks);
    parked_begin(&r->parked, &reads->all, req, request_id);
    while ((node = nodes_next(reads->nodes, node)))
        ask(r, node, args);
    cJSON_Delete(args);
    if (list_is_empty(&r->asks)) {
        answer(r);
        reading_free(r);
    }
}

struct log_reads *log_reads_new(struct nodes *nodes, const char *account)
{
    struct log_reads *reads = calloc(1, sizeof(*reads));

    if (!reads)
        abort();
    reads->nodes = nodes;
    reads->account = account;
    list_init(&reads->all);
    return reads;
}

void log_reads_free(struct log_reads *reads)
{
    struct reading *r;

    if (!reads)
        return;
    while ((r = LIST_FIRST(&reads->all, struct reading, parked.node)))
        reading_free(r);
    free(reads);
}
