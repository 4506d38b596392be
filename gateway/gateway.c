/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/gateway.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/version.h"
#include "common/io/http_server.h"
#include "common/io/leader_link.h"
#include "common/io/node_identity.h"
#include "common/io/rpc.h"
#include "common/model/lambda_input.h"
#include "common/proto/uri_escape.h"
#include "gateway/admission.h"
#include "gateway/auth.h"
#include "gateway/authorization.h"
#include "gateway/function_key.h"
#include "gateway/invoke.h"
#include "gateway/code_download.h"
#include "gateway/logs_read.h"
#include "gateway/lost_runs.h"
#include "gateway/manage.h"
#include "gateway/nodes.h"
#include "gateway/pending.h"
#include "gateway/permit_link.h"
#include "gateway/query_api.h"
#include "gateway/reply.h"
#include "gateway/route_cache.h"
#include "gateway/routes.h"
#include "gateway/usage.h"

#define RESOLVE_TIMEOUT_US SECONDS(10)
#define LAST_ANSWERS_US SECONDS(1) /* for answers to leave, when the time to drain is over */
#define IDLE_LOOK_US MSEC(50)
#define PATH_MAX_BYTES 16384
#define PROCESS_HEX 8 /* digits behind our id that tell our starts apart */
#define HEALTH_MAX 65536
#define UNSIGNED_BODY_MAX 65536u /* of a request that must be signed and is not */

struct gateway {
    struct loop *loop;
    const struct gateway_config *config;
    struct auth *auth;
    struct node_identity *identity;
    struct leader_link *controller;
    struct function_key *function_key;
    struct permit_link *permits;
    struct nodes *nodes;
    struct lost_runs *lost;
    struct route_cache *routes;
    struct admission *admission;
    struct invokes *invokes;
    struct manage *manage;
    struct log_reads *log_reads;
    struct downloads *downloads;
    struct query_api query_api;
    struct http_server *http;
    struct timer drain; /* until when it may take */
    struct timer idle; /* whether what runs for the controller has ended */
    struct buf path; /* scratch: a decoded path */
    char refusal_id[UUID_MAX]; /* request id of the engine's own answer under way */
    bool was_ready; /* controller and a node have been reached once */
    bool stopping;
};

/* ---- the controller ---- */

static struct str json_str(const cJSON *json, const char *name)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(json, name);

    return cJSON_IsString(m) ? str_of(m->valuestring) : STR_NULL;
}

static void on_resolved(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct route_lookup *lookup = arg;
    struct error bad;
    struct route route;

    (void)body;
    if (!err && route_read(ok, &route, &bad) < 0)
        err = &bad;
    route_lookup_answer(lookup, err ? NULL : &route, err);
}

static void add_str(cJSON *to, const char *name, struct str s)
{
    CLEANUP(freep) char *text = str_dup(s);

    cJSON_AddStringToObject(to, name, text);
}

static void resolve(struct route_lookup *lookup, const struct route_key *key, void *arg)
{
    struct gateway *gw = arg;
    cJSON *args = cJSON_CreateObject();

    add_str(args, "account", key->account);
    add_str(args, "name", key->name);
    add_str(args, "qualifier", key->qualifier);
    rpc_call(leader_link_get(gw->controller), "route.resolve", args, STR_NULL, RESOLVE_TIMEOUT_US,
             on_resolved, lookup);
    cJSON_Delete(args);
}

/* Acknowledged at once: from here on nobody can learn the old route (route_cache.h), and what is on
 * its way with it was begun before. */
static void handle_route_drop(struct rpc_request *req, const cJSON *args, struct str body,
                              void *arg)
{
    struct gateway *gw = arg;

    const cJSON *unreserved = cJSON_GetObjectItemCaseSensitive(args, "unreserved");

    (void)body;
    log_debug("routes", "drop", KV_S("name", json_str(args, "name")));
    route_cache_drop(gw->routes, json_str(args, "account"), json_str(args, "name"));
    if (cJSON_IsNumber(unreserved) && unreserved->valuedouble >= 0)
        admission_set_unreserved(gw->admission, json_str(args, "account"),
                                 (uint64_t)unreserved->valuedouble);
    rpc_reply(req, NULL, STR_NULL);
}

static void handle_nodes_set(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct gateway *gw = arg;
    struct error err;
    uint64_t gateways;
    int r;

    (void)body;
    if (cjson_get_u64(args, "gateways", &gateways))
        admission_set_gateways(gw->admission, gateways);
    r = nodes_set(gw->nodes, cJSON_GetObjectItemCaseSensitive(args, "nodes"), &err);
    lost_runs_kick(gw->lost);
    if (r < 0) {
        log_error("nodes", "the controller's list is unusable", KV_ERR(&err));
        rpc_fail(req, &err);
        return;
    }
    log_info("nodes", "list", KV_U64("nodes", nodes_len(gw->nodes)));
    rpc_reply(req, NULL, STR_NULL);
}

static void handle_async_run(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct gateway *gw = arg;
    struct error err;

    if (gw->stopping) { /* the controller asks another one, or later */
        error_set(&err, ERR_UNAVAILABLE, "the gateway is stopping");
        rpc_fail(req, &err);
        return;
    }
    invokes_run_event(gw->invokes, req, args, body);
}

static void handle_recall(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct gateway *gw = arg;

    (void)body;
    permit_link_recall(gw->permits, req, args);
}

static void handle_usage(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct gateway *gw = arg;

    (void)body;
    usage_serve(permit_link_leases(gw->permits), req, args);
}

static const struct rpc_method methods[] = {
    {"route.drop", handle_route_drop},
    {"async.run", handle_async_run},
    {"nodes.set", handle_nodes_set},
    {"permits.recall", handle_recall},
    {"usage.get", handle_usage},
    {NULL, NULL},
};

static void on_controller_up(struct link *link, const struct link_hello *peer, void *arg)
{
    struct gateway *gw = arg;

    log_info("controller", "up", KV_STR("peer", peer->id));
    node_identity_link(gw->identity, link);
    function_key_ask(gw->function_key);
    permit_link_set_up(gw->permits, true);
    route_cache_flush(gw->routes); /* drops were missed while it was down */
    invokes_kick(gw->invokes);
}

static void on_controller_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                                 struct str head, void *arg)
{
    struct gateway *gw = arg;

    (void)link;
    if (kind == LINK_CALL)
        rpc_serve(gw->loop, s, head, methods, gw);
}

static void on_controller_down(const struct error *why, void *arg)
{
    struct gateway *gw = arg;

    node_identity_link(gw->identity, NULL);
    permit_link_set_up(gw->permits, false);
    log_warn("controller", "down, trying again; known functions are served on", KV_ERR(why));
}

static const struct leader_link_ops controller_ops = {
    .on_up = on_controller_up,
    .on_stream = on_controller_stream,
    .on_down = on_controller_down,
};

static void on_node_up(void *arg)
{
    struct gateway *gw = arg;

    lost_runs_kick(gw->lost);
    invokes_kick(gw->invokes);
}

/* ---- requests ---- */

/* 503 until all has been up once, so that who starts us knows when to begin; later the status
 * tells. */
static void serve_health(struct gateway *gw, struct http_req *req, const char *request_id)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(HEALTH_MAX);
    bool controller = leader_link_is_up(gw->controller);
    bool ok = controller && nodes_up(gw->nodes) > 0;

    gw->was_ready = gw->was_ready || ok;
    buf_printf(&b, "{\"status\":\"%s\",\"version\":\"" HEARTH_VERSION "\",\"controller\":\"%s\",",
               ok              ? "ok"
               : gw->was_ready ? "degraded"
                               : "starting",
               controller ? "up" : "down");
    buf_printf(&b, "\"invocations\":%zu,\"routes\":%zu,\"nodes\":", invokes_in_flight(gw->invokes),
               route_cache_len(gw->routes));
    nodes_describe(gw->nodes, &b);
    buf_append_str(&b, STR(",\"permits\":"));
    leases_describe(permit_link_leases(gw->permits), &b);
    buf_printf(&b, ",\"lost_runs\":%zu}\n", lost_runs_len(gw->lost));
    reply_json(req, request_id, gw->was_ready ? 200 : 503, buf_str(&b));
}

/* The path with escapes decoded: the request's own when it has none. */
static int decoded_path(struct gateway *gw, struct http_req *req, struct str *ret)
{
    struct str path = http_path(req);

    *ret = path;
    if (str_find(path, '%', 0) == path.len)
        return 0;
    buf_clear(&gw->path);
    if (routes_decode(&gw->path, path, false) < 0)
        return -ERR_BAD_REQUEST;
    *ret = buf_str(&gw->path);
    return 0;
}

/* Who cannot pass does not send many megabytes first. */
static size_t on_head(struct http_req *req, void *arg)
{
    struct str length = http_header(req, "content-length");
    size_t max = routes_body_max(http_path(req), http_header(req, "x-amz-invocation-type"));
    struct gateway *gw = arg;
    uint64_t bytes;

    if (length.ptr && str_parse_u64(length, &bytes) == 0 && bytes <= UNSIGNED_BODY_MAX)
        return max;
    if (max > UNSIGNED_BODY_MAX && auth_check_head(gw->auth, req, NULL) < 0)
        return UNSIGNED_BODY_MAX;
    return max;
}

/* What the request is for, once it is known that who signed it may do that, where that is due. */
static int find_service(struct gateway *gw, struct http_req *req, struct str path,
                        struct routes_match *ret, struct error *err)
{
    int found = routes_find(http_method(req), path, http_query(req), ret, err), r;
    const struct caller *caller;

    if (found == 0 && (routes_is_open(ret) || ret->service == SERVICE_ROOT))
        return 0;
    r = auth_check(gw->auth, req, AUTH_LAMBDA, &caller, err);
    if (r < 0 || found < 0)
        return r < 0 ? r : found;
    return authorization_route(caller, ret, gw->config->account_id, gw->config->region, err);
}

static void on_request(struct http_req *req, void *arg)
{
    struct gateway *gw = arg;
    char request_id[UUID_MAX];
    struct routes_match match;
    struct error err;
    struct str path;

    uuid_make(request_id);
    if (decoded_path(gw, req, &path) < 0)
        error_set(&err, ERR_BAD_REQUEST, "The path holds malformed escapes.");
    else if (find_service(gw, req, path, &match, &err) == 0) {
        switch (match.service) {
        case SERVICE_INVOKE:
            invokes_serve(gw->invokes, req, &match.lambda, request_id);
            return;
        case SERVICE_MANAGE:
            manage_serve(gw->manage, req, path, request_id);
            return;
        case SERVICE_HEALTH:
            serve_health(gw, req, request_id);
            return;
        case SERVICE_LOGS:
            log_reads_serve(gw->log_reads, req, match.name, request_id);
            return;
        case SERVICE_CODE:
            downloads_serve(gw->downloads, req, match.name, request_id);
            return;
        case SERVICE_ROOT:
            query_api_serve(&gw->query_api, req, request_id);
            return;
        }
    }
    query_api_refuse(&gw->query_api, req, request_id, &err);
}

static void on_abort(struct http_req *req, void *arg)
{
    struct pending *p = http_user(req);

    (void)arg;
    if (p)
        p->on_client_gone(p);
}

static void on_writable(struct http_req *req, void *arg)
{
    struct pending *p = http_user(req);

    (void)arg;
    p->on_writable(p);
}

static void on_too_large(struct http_req *req, void *arg)
{
    struct gateway *gw = arg;
    char request_id[UUID_MAX];
    struct error err;
    struct str path;

    uuid_make(request_id);
    if (decoded_path(gw, req, &path) < 0)
        error_set(&err, ERR_BAD_REQUEST, "The path holds malformed escapes.");
    else if (auth_check_head(gw->auth, req, &err) == 0)
        routes_too_large(http_method(req), path, http_query(req),
                         http_header(req, "x-amz-invocation-type"), &err);
    reply_error_of(req, request_id, &err);
}

/* Every answer has a request id, also to what is no request of HTTP. */
static struct http_header on_refusal(void *arg)
{
    struct gateway *gw = arg;

    uuid_make(gw->refusal_id);
    return (struct http_header){STR("x-amzn-RequestId"), str_of(gw->refusal_id)};
}

static const struct http_handler http_handler = {
    .on_head = on_head,
    .on_request = on_request,
    .on_abort = on_abort,
    .on_too_large = on_too_large,
    .on_refusal = on_refusal,
    .on_writable = on_writable,
};

/* ---- the whole ---- */

/* The time to drain is over: who still waits is told so, rather than cut off. */
static void on_drain_over(void *arg)
{
    struct gateway *gw = arg;

    if (invokes_in_flight(gw->invokes) == 0) {
        loop_stop(gw->loop);
        return;
    }
    log_warn("gateway", "giving up", KV_U64("invocations", invokes_in_flight(gw->invokes)));
    invokes_give_up(gw->invokes);
    timer_start(&gw->drain, LAST_ANSWERS_US);
}

/* No client waits any more; events of the controller may still run. */
static void on_drained(void *arg)
{
    struct gateway *gw = arg;

    if (invokes_in_flight(gw->invokes) == 0)
        loop_stop(gw->loop);
    else
        timer_start(&gw->idle, IDLE_LOOK_US);
}

static void make_parts(struct gateway *gw, const struct link_hello *me)
{
    const struct gateway_config *config = gw->config;
    const struct route_resolver resolver = {resolve, gw};
    struct invoke_parts parts = {
        .loop = gw->loop,
        .controller = gw->controller,
        .home = {str_of(config->account_id), str_of(config->region)},
        .wait_us = config->invoke_wait_us,
    };

    gw->permits = permit_link_new(gw->loop, gw->controller, me->id);
    parts.leases = permit_link_leases(gw->permits);
    gw->nodes = parts.nodes = nodes_new(gw->loop, me, on_node_up, gw);
    gw->lost = parts.lost = lost_runs_new(gw->loop, gw->nodes, parts.leases);
    gw->admission = parts.admission = admission_new(parts.leases, config->request_rate_factor);
    gw->routes = parts.routes =
        route_cache_new(&resolver, gw->admission, config->route_cache_max);
    gw->invokes = invokes_new(&parts);
    gw->manage = manage_new(gw->controller, config->account_id);
    gw->function_key = function_key_new(gw->loop, gw->controller, gw->auth);
    gw->log_reads = log_reads_new(gw->nodes, config->account_id);
    gw->downloads = downloads_new(gw->controller);
    gw->query_api = (struct query_api){gw->auth, gw->manage, config->account_id};
}

/* "<id>.<8 hex>": an invoker cuts an older link of the same name, and two gateways may have one id. */
static void name_process(const char *id, struct link_hello *ret)
{
    char token[PROCESS_HEX + 1];

    token_make(PROCESS_HEX / 2, token);
    snprintf(ret->id, sizeof(ret->id), "%s.%s", id, token);
}

/* Who this gateway is towards other machines; each has a folder of its own in the data folder. */
static int open_identity(struct gateway *gw, const char *id, struct link_hello *me, struct error *err)
{
    CLEANUP(buf_done) struct buf dir = BUF_INIT(4096);
    CLEANUP(freep) char *path = NULL;
    struct node_identity_options options = {.loop = gw->loop,
                                            .role = me->role,
                                            .id = id,
                                            .controllers = gw->config->controller,
                                            .token = gw->config->join_token,
                                            .token_file = gw->config->join_token_file};
    int r;

    (void)buf_printf(&dir, "%s/gateway/", gw->config->data_dir); /* it fits */
    (void)uri_escape(&dir, str_of(id), false);
    options.dir = path = buf_take(&dir);
    r = node_identity_new(&options, &gw->identity, err);
    if (r == 0)
        me->tls = node_identity_tls(gw->identity);
    return r;
}

int gateway_new(struct loop *loop, const struct gateway_config *config, struct gateway **ret,
                struct error *err)
{
    struct gateway *gw = calloc(1, sizeof(*gw));
    struct link_hello me = {.role = "gateway"};
    char id[sizeof(me.id) - PROCESS_HEX - 1];
    int r;

    if (!gw)
        abort();
    gw->loop = loop;
    gw->config = config;
    buf_init(&gw->path, PATH_MAX_BYTES);
    timer_init(&gw->drain, loop, on_drain_over, gw);
    timer_init(&gw->idle, loop, on_drained, gw);
    snprintf(id, sizeof(id), "%s", config->id);
    name_process(id, &me);
    r = auth_new(config->credentials_file, config->account_id, config->region, &gw->auth, err);
    if (r == 0)
        r = open_identity(gw, id, &me, err);
    if (r == 0)
        r = leader_link_new(loop, config->controller, &me, &controller_ops, gw, &gw->controller,
                            err);
    if (r == 0) {
        make_parts(gw, &me);
        r = http_edge_new(loop, config->listen, &http_handler, gw, &gw->http, err);
    }
    if (r < 0) {
        gateway_free(gw);
        return r;
    }
    log_info("gateway", "listening", KV_STR("address", config->listen),
             KV_U64("port", http_server_port(gw->http)));
    *ret = gw;
    return 0;
}

int gateway_port(const struct gateway *gw)
{
    return http_server_port(gw->http);
}

void gateway_stop(struct gateway *gw)
{
    if (gw->stopping)
        return;
    gw->stopping = true;
    log_info("gateway", "stopping", KV_U64("invocations", invokes_in_flight(gw->invokes)),
             KV_U64("calls", manage_in_flight(gw->manage)));
    leases_stop(permit_link_leases(gw->permits));
    timer_start(&gw->drain, gw->config->drain_us);
    http_server_drain(gw->http, on_drained, gw);
}

void gateway_free(struct gateway *gw)
{
    if (!gw)
        return;
    timer_stop(&gw->drain);
    timer_stop(&gw->idle);
    http_server_free(gw->http);
    invokes_free(gw->invokes);
    leader_link_free(gw->controller);
    function_key_free(gw->function_key);
    manage_free(gw->manage);
    downloads_free(gw->downloads);
    lost_runs_free(gw->lost);
    nodes_free(gw->nodes);
    log_reads_free(gw->log_reads);
    route_cache_free(gw->routes);
    admission_free(gw->admission);
    permit_link_free(gw->permits);
    auth_free(gw->auth);
    node_identity_free(gw->identity);
    buf_done(&gw->path);
    free(gw);
}
