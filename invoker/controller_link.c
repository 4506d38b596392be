/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/controller_link.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/io/leader_link.h"
#include "common/io/rpc.h"
#include "common/model/fn_name.h"
#include "invoker/code_download.h"

#define REGISTER_LIMIT_US SECONDS(5)
#define REGISTER_AGAIN_US SECONDS(1)
#define SPEC_LIMIT_US SECONDS(10)
#define PROVISIONED_LIMIT_US SECONDS(5)

#if defined(__aarch64__)
#define OWN_ARCHITECTURE "arm64"
#else
#define OWN_ARCHITECTURE "x86_64"
#endif

struct controller_link {
    struct controller_link_options options;
    struct controller_link_parts parts;
    struct leader_link *leader;
    struct timer register_again;
    struct list_node tasks; /* questions in both directions */
    struct list_node downloads; /* questions for code */
    bool was_up, may_register;
    bool draining;
    uint64_t registering_us; /* when it was asked for */
};

/* One question under way and what its answer is for. It is in the list so that the end finds it. */
struct task {
    struct controller_link *cl;
    struct list_node node;
    struct rpc_request *request; /* the controller asks us; NULL: we ask it */
    spec_fetched_fn *on_spec;
    void *on_spec_arg;
    char *account, *name, *version; /* a version that is checked */
    uint64_t generation;
    struct sandbox_layer *layers; /* to be prepared after the code */
    size_t layers_len;
    struct code *code; /* held until the layers are there too */
};

static struct task *task_new(struct controller_link *cl, struct rpc_request *request)
{
    struct task *t = calloc(1, sizeof(*t));

    if (!t)
        abort();
    t->cl = cl;
    t->request = request;
    list_append(&cl->tasks, &t->node);
    return t;
}

static void task_free(struct task *t)
{
    list_remove(&t->node);
    free(t->account);
    free(t->name);
    free(t->version);
    sandbox_layers_free(t->layers, t->layers_len);
    code_unref(t->code);
    free(t);
}

/* Deletes @args after the call that read them. */
static void ask(struct controller_link *cl, const char *method, cJSON *args, uint64_t limit_us,
                rpc_done_fn *done, void *arg)
{
    rpc_call(leader_link_get(cl->leader), method, args, STR_NULL, limit_us, done, arg);
    cJSON_Delete(args);
}

/* ---- registering */

static void on_registered(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct controller_link *cl = arg;
    (void)body;

    if (!err) {
        permit_link_registered(cl->parts.permits, cl->registering_us, ok);
        log_info("controller", "registered", KV_STR("node", cl->options.node));
        provisions_tell(cl->parts.provisions);
    } else if (leader_link_is_up(cl->leader)) {
        log_warn("controller", "not registered, retrying in 1 s", KV_ERR(err));
        timer_start(&cl->register_again, REGISTER_AGAIN_US);
    }
}

/* Where gateways reach us; the caller frees it. A host that stands for all addresses is the one that
 * the controller sees us by. */
static char *own_address(const struct controller_link *cl)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(512);
    struct link_address address = cl->options.address;

    if (link_address_is_any(&address))
        (void)link_local_host(leader_link_get(cl->leader), address.host, sizeof(address.host));
    (void)link_address_write(&text, &address); /* it fits */
    return buf_take(&text);
}

static void register_node(void *arg)
{
    struct controller_link *cl = arg;
    CLEANUP(freep) char *address = own_address(cl);
    struct error err;
    cJSON *args;

    if (!cl->may_register)
        return;
    if (permit_link_keep(cl->parts.permits, &err) < 0) {
        log_error("controller", "not registered, retrying in 1 s: the node is of no use before it can write", KV_ERR(&err));
        timer_start(&cl->register_again, REGISTER_AGAIN_US);
        return;
    }
    args = cJSON_CreateObject();
    cl->registering_us = permit_link_now_us();
    cJSON_AddStringToObject(args, "id", cl->options.node);
    cJSON_AddStringToObject(args, "incarnation", permit_link_incarnation(cl->parts.permits));
    cJSON_AddStringToObject(args, "address", address);
    cJSON_AddNumberToObject(args, "memory_mib", (double)cl->options.memory_mib);
    cJSON_AddStringToObject(args, "architecture", OWN_ARCHITECTURE);
    if (cl->draining)
        cJSON_AddTrueToObject(args, "draining");
    ask(cl, "node.register", args, REGISTER_LIMIT_US, on_registered, cl);
}

static void on_end_told(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct controller_link *cl = arg;
    (void)ok;
    (void)body;

    if (err && leader_link_is_up(cl->leader)) /* one that does not know the question sees us go */
        log_debug("controller", "it was not told that this node ends", KV_ERR(err));
}

void controller_link_drain(struct controller_link *cl)
{
    cl->draining = true;
    if (leader_link_is_up(cl->leader))
        ask(cl, "node.drain", NULL, REGISTER_LIMIT_US, on_end_told, cl);
}

void controller_link_leave(struct controller_link *cl)
{
    if (leader_link_is_up(cl->leader))
        ask(cl, "node.leave", NULL, REGISTER_LIMIT_US, on_end_told, cl);
}

void controller_link_may_register(struct controller_link *cl)
{
    cl->may_register = true;
    if (cl->leader && leader_link_is_up(cl->leader))
        register_node(cl);
}

/* ---- specifications */

static cJSON *version_args(const char *account, const char *name, const char *version,
                           uint64_t generation)
{
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "account", account);
    cJSON_AddStringToObject(args, "name", name);
    cJSON_AddStringToObject(args, "version", version);
    cJSON_AddNumberToObject(args, "generation", (double)generation);
    return args;
}

static void on_spec(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct task *t = arg;
    struct sandbox_spec *spec = NULL;
    struct error wrong;
    (void)body;

    if (!err && sandbox_spec_from_json(ok, &spec, &wrong) < 0)
        err = &wrong;
    t->on_spec(spec, err, t->on_spec_arg);
    task_free(t);
}

void controller_link_fetch_spec(const struct spec_key *key, spec_fetched_fn *done, void *done_arg,
                                void *arg)
{
    CLEANUP(freep) char *account = str_dup(key->account);
    CLEANUP(freep) char *name = str_dup(key->name);
    CLEANUP(freep) char *version = str_dup(key->version);
    struct controller_link *cl = arg;
    struct task *t = task_new(cl, NULL);

    t->on_spec = done;
    t->on_spec_arg = done_arg;
    ask(cl, "version.get", version_args(account, name, version, key->generation), SPEC_LIMIT_US,
        on_spec, t);
}

/* ---- are the versions known here still current? */

static void on_checked(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct task *t = arg;
    struct spec_key over = {.account = str_of(t->account),
                            .name = str_of(t->name),
                            .version = str_of(t->version),
                            .generation = t->generation + 1};
    struct spec_key known = over;
    struct sandbox_spec *spec;
    (void)body;

    known.generation = t->generation;
    if (!err && sandbox_spec_from_json(ok, &spec, NULL) == 0) {
        if (spec->credentials)
            spec_cache_renew(t->cl->parts.specs, &known, TAKE(spec->credentials));
        sandbox_spec_free(spec);
    }

    if (err && err->code == ERR_NOT_FOUND) /* this version; the others are asked for by themselves */
        over.generation = 0;
    if (err && (err->code == ERR_STALE || err->code == ERR_NOT_FOUND))
        spec_cache_retire(t->cl->parts.specs, &over);
    task_free(t);
}

void controller_link_check(const struct spec_key *key, void *arg)
{
    struct controller_link *cl = arg;
    struct task *t = task_new(cl, NULL);

    t->account = str_dup(key->account);
    t->name = str_dup(key->name);
    t->version = str_dup(key->version);
    t->generation = key->generation;
    ask(cl, "version.get", version_args(t->account, t->name, t->version, t->generation),
        SPEC_LIMIT_US, on_checked, t);
}

static void check_version(const struct spec_key *key, const struct ready_version *ver, void *arg)
{
    (void)ver;
    controller_link_check(key, arg);
}

/* ---- code */

void controller_link_fetch_code(struct code_fetch *fetch, const char *sha256, const char *path,
                                void *arg)
{
    struct controller_link *cl = arg;

    code_download(cl->options.loop, leader_link_get(cl->leader), &cl->downloads, fetch, sha256, path);
}

/* ---- what the controller asks of us */

static void bad_args(struct rpc_request *req, const char *method)
{
    struct error err;

    error_set(&err, ERR_PROTOCOL, "%s: an argument is missing or of the wrong kind", method);
    rpc_fail(req, &err);
}

static const char *string_arg(const cJSON *args, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(args, name));
}

/* What is known of an image: @info NULL when it was only resolved. */
static void answer_image(struct task *t, const char *reference, const char *digest,
                         const struct image_info *info)
{
    cJSON *ok = cJSON_CreateObject();

    cJSON_AddStringToObject(ok, "digest", digest);
    cJSON_AddStringToObject(ok, "reference", reference);
    if (info) {
        cJSON_AddNumberToObject(ok, "size", (double)info->size_bytes);
        cJSON_AddStringToObject(ok, "architecture", info->architecture);
        cJSON_AddBoolToObject(ok, "has_entry_point", info->entry_point[0] || info->command[0]);
    }
    rpc_reply(t->request, ok, STR_NULL);
    cJSON_Delete(ok);
    task_free(t);
}

static void fail_task(struct task *t, const struct error *err)
{
    rpc_fail(t->request, err);
    task_free(t);
}

static void on_image_prepared(const struct image_info *info, const struct error *err, void *arg)
{
    if (err)
        fail_task(arg, err);
    else
        answer_image(arg, info->reference, info->digest, info);
}

static void on_image_resolved(const char *reference, const char *digest, const struct error *err,
                              void *arg)
{
    if (err)
        fail_task(arg, err);
    else
        answer_image(arg, reference, digest, NULL);
}

static void on_image_prepare(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct controller_link *cl = arg;
    const char *image = string_arg(args, "image");
    (void)body;

    if (image)
        image_prepare(cl->parts.images, image, on_image_prepared, task_new(cl, req));
    else
        bad_args(req, "image.prepare");
}

static void on_image_resolve(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct controller_link *cl = arg;
    const char *image = string_arg(args, "image");
    (void)body;

    if (image)
        image_resolve(cl->parts.images, image, on_image_resolved, task_new(cl, req));
    else
        bad_args(req, "image.resolve");
}

static void prepared(struct task *t, const struct error *err)
{
    if (err)
        rpc_fail(t->request, err);
    else
        rpc_reply(t->request, NULL, STR_NULL);
    task_free(t);
}

static void on_layers_prepared(struct code *layers, const struct error *err, void *arg)
{
    prepared(arg, err);
    code_unref(layers); /* it stays in the cache, as long as there is room */
}

static void on_code_prepared(struct code *code, const struct error *err, void *arg)
{
    const char *hashes[SANDBOX_LAYERS_MAX];
    struct task *t = arg;
    size_t i;

    t->code = code;
    if (err || !t->layers_len) {
        prepared(t, err);
        return;
    }
    for (i = 0; i < t->layers_len; i++)
        hashes[i] = t->layers[i].sha256;
    code_get_layers(t->cl->parts.codes, hashes, t->layers_len, on_layers_prepared, t);
}

static void on_code_prepare(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct controller_link *cl = arg;
    const char *sha256 = string_arg(args, "sha256");
    struct sandbox_layer *layers;
    struct task *t;
    size_t len;
    (void)body;

    if (!sha256 || sandbox_layers_from_json(cJSON_GetObjectItemCaseSensitive(args, "layers"),
                                            &layers, &len, NULL) < 0) {
        bad_args(req, "code.prepare");
        return;
    }
    t = task_new(cl, req);
    t->layers = layers;
    t->layers_len = len;
    code_get(cl->parts.codes, sha256, on_code_prepared, t);
}

static void on_version_retire(struct rpc_request *req, const cJSON *args, struct str body,
                              void *arg)
{
    struct controller_link *cl = arg;
    const char *account = string_arg(args, "account"), *name = string_arg(args, "name");
    const char *version = string_arg(args, "version");
    const cJSON *generation = cJSON_GetObjectItemCaseSensitive(args, "generation");
    struct spec_key key;
    (void)body;

    if (!account || !name || !cJSON_IsNumber(generation) || generation->valuedouble < 0) {
        bad_args(req, "version.retire");
        return;
    }
    /* a controller that knows of no versions means this one when it does not mean all */
    key = (struct spec_key){.account = str_of(account),
                            .name = str_of(name),
                            .version = str_of(version ? version : FN_LATEST),
                            .generation = (uint64_t)generation->valuedouble};
    log_info("controller", "version retired", KV_STR("function", name),
             KV_STR("version", version || key.generation ? key.version.ptr : "all"),
             KV_U64("generation", key.generation));
    if (version || key.generation)
        spec_cache_retire(cl->parts.specs, &key);
    else
        spec_cache_retire_all(cl->parts.specs, key.account, key.name);
    rpc_reply(req, NULL, STR_NULL);
}

/* False: an element is not as it should be. */
static bool read_want(const cJSON *json, struct provision_want *ret)
{
    const char *account = string_arg(json, "account"), *name = string_arg(json, "name");
    const char *version = string_arg(json, "version");
    double generation = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, "generation"));
    double count = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(json, "count"));

    if (!account || !name || !version || !(generation > 0) || !(count >= 1) || count > UINT32_MAX)
        return false;
    *ret = (struct provision_want){.key = {.account = str_of(account),
                                           .name = str_of(name),
                                           .version = str_of(version),
                                           .generation = (uint64_t)generation},
                                   .count = (uint32_t)count};
    return true;
}

static void on_node_provision(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(args, "versions"), *json;
    struct provision_want *wants = calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*wants));
    struct controller_link *cl = arg;
    bool good = cJSON_IsArray(list);
    size_t len = 0;
    (void)body;

    if (!wants)
        abort();
    cJSON_ArrayForEach(json, list)
        good = good && read_want(json, &wants[len++]);
    if (good) {
        provisions_set(cl->parts.provisions, wants, len);
        rpc_reply(req, NULL, STR_NULL);
    } else {
        bad_args(req, "node.provision");
    }
    free(wants);
}

static void on_provisions_told(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct controller_link *cl = arg;
    (void)ok;
    (void)body;

    if (err && leader_link_is_up(cl->leader)) /* a controller that knows nothing of it, or is busy */
        log_debug("controller", "it was not told what is provisioned here", KV_ERR(err));
}

void controller_link_tell_provisions(const struct provision_status *all, size_t len, void *arg)
{
    struct controller_link *cl = arg;
    cJSON *args, *list, *json;
    size_t i;

    if (!cl->leader || !leader_link_is_up(cl->leader))
        return; /* it is told when it is up again */
    args = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(args, "versions");
    for (i = 0; i < len; i++) {
        CLEANUP(freep) char *account = str_dup(all[i].key.account);
        CLEANUP(freep) char *name = str_dup(all[i].key.name);
        CLEANUP(freep) char *version = str_dup(all[i].key.version);

        json = version_args(account, name, version, all[i].key.generation);
        cJSON_AddNumberToObject(json, "begun", all[i].begun);
        cJSON_AddNumberToObject(json, "ready", all[i].ready);
        cJSON_AddBoolToObject(json, "failed", all[i].has_failed);
        cJSON_AddItemToArray(list, json);
    }
    ask(cl, "node.provisioned", args, PROVISIONED_LIMIT_US, on_provisions_told, cl);
}

static void on_permits_fence(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct controller_link *cl = arg;
    (void)body;

    permit_link_hear(cl->parts.permits, req, args);
}

static const struct rpc_method methods[] = {
    {"permits.fence", on_permits_fence},
    {"image.prepare", on_image_prepare},
    {"image.resolve", on_image_resolve},
    {"code.prepare", on_code_prepare},
    {"version.retire", on_version_retire},
    {"node.provision", on_node_provision},
    {NULL, NULL},
};

/* ---- the link */

static void on_up(struct link *link, const struct link_hello *peer, void *arg)
{
    struct controller_link *cl = arg;

    permit_link_up(cl->parts.permits, link);
    log_info("controller", "link up", KV_STR("peer", peer->id));
    node_identity_link(cl->options.identity, link);
    register_node(cl);
    if (cl->was_up)
        spec_cache_each(cl->parts.specs, check_version, cl);
    cl->was_up = true;
}

static void on_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                      struct str head, void *arg)
{
    struct controller_link *cl = arg;
    (void)link;

    if (kind == LINK_CALL)
        rpc_serve(cl->options.loop, s, head, methods, cl);
}

static void on_down(const struct error *why, void *arg)
{
    struct controller_link *cl = arg;

    timer_stop(&cl->register_again);
    permit_link_down(cl->parts.permits);
    node_identity_link(cl->options.identity, NULL);
    log_warn("controller", "link down, retrying; what is known here goes on", KV_ERR(why));
}

static const struct leader_link_ops leader_ops = {
    .on_up = on_up, .on_stream = on_stream, .on_down = on_down};

struct controller_link *controller_link_new(const struct controller_link_options *options)
{
    struct controller_link *cl = calloc(1, sizeof(*cl));

    if (!cl)
        abort();
    cl->options = *options;
    list_init(&cl->tasks);
    list_init(&cl->downloads);
    timer_init(&cl->register_again, options->loop, register_node, cl);
    return cl;
}

int controller_link_start(struct controller_link *cl, const struct controller_link_parts *parts,
                          struct error *err)
{
    struct link_hello me = {.role = "invoker"};

    cl->parts = *parts;
    snprintf(me.id, sizeof(me.id), "%s", cl->options.node);
    me.tls = node_identity_tls(cl->options.identity);
    return leader_link_new(cl->options.loop, cl->options.controller, &me, &leader_ops, cl,
                           &cl->leader, err);
}

void controller_link_free(struct controller_link *cl)
{
    struct list_node *node, *after;
    struct error gone;
    struct task *t;

    if (!cl)
        return;
    timer_stop(&cl->register_again);
    error_set(&gone, ERR_UNAVAILABLE, "the node is shutting down");
    LIST_FOREACH_SAFE(&cl->tasks, node, after)
    {
        t = CONTAINER_OF(node, struct task, node);
        if (t->request)
            rpc_fail(t->request, &gone);
        task_free(t);
    }
    code_downloads_end(&cl->downloads);
    leader_link_free(cl->leader);
    free(cl);
}
