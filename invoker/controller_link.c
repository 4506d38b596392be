/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/controller_link.h"

#include <stdlib.h>

#include "common/base/log.h"
#include "common/io/rpc.h"
#include "invoker/code_download.h"

#define REGISTER_LIMIT_US SECONDS(5)
#define REGISTER_AGAIN_US SECONDS(1)
#define SPEC_LIMIT_US SECONDS(10)

#if defined(__aarch64__)
#define OWN_ARCHITECTURE "arm64"
#else
#define OWN_ARCHITECTURE "x86_64"
#endif

struct controller_link {
    struct controller_link_options options;
    struct controller_link_parts parts;
    struct link *link;
    struct timer register_again;
    struct list_node tasks; /* questions in both directions */
    struct list_node downloads; /* questions for code */
    bool was_up;
};

/* One question under way and what its answer is for. It is in the list so that the end finds it. */
struct task {
    struct controller_link *cl;
    struct list_node node;
    struct rpc_request *request; /* the controller asks us; NULL: we ask it */
    spec_fetched_fn *on_spec;
    void *on_spec_arg;
    char *account, *name; /* a version that is checked */
    uint64_t generation;
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
    free(t);
}

/* Deletes @args after the call that read them. */
static void ask(struct controller_link *cl, const char *method, cJSON *args, uint64_t limit_us,
                rpc_done_fn *done, void *arg)
{
    rpc_call(cl->link, method, args, STR_NULL, limit_us, done, arg);
    cJSON_Delete(args);
}

/* ---- registering */

static void on_registered(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct controller_link *cl = arg;
    (void)ok;
    (void)body;

    if (!err) {
        log_info("controller", "registered", KV_STR("node", cl->options.node));
    } else if (link_is_up(cl->link)) {
        log_warn("controller", "not registered, retrying in 1 s", KV_ERR(err));
        timer_start(&cl->register_again, REGISTER_AGAIN_US);
    }
}

static void register_node(void *arg)
{
    struct controller_link *cl = arg;
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "id", cl->options.node);
    cJSON_AddStringToObject(args, "address", cl->options.address);
    cJSON_AddNumberToObject(args, "memory_mib", (double)cl->options.memory_mib);
    cJSON_AddStringToObject(args, "architecture", OWN_ARCHITECTURE);
    ask(cl, "node.register", args, REGISTER_LIMIT_US, on_registered, cl);
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
    (void)ok;
    (void)body;

    if (err && err->code == ERR_STALE)
        spec_cache_retire(t->cl->parts.specs, str_of(t->account), str_of(t->name),
                          t->generation + 1);
    else if (err && err->code == ERR_NOT_FOUND)
        spec_cache_retire(t->cl->parts.specs, str_of(t->account), str_of(t->name), 0);
    task_free(t);
}

static void check_version(const struct sandbox_spec *spec, void *arg)
{
    struct controller_link *cl = arg;
    struct task *t = task_new(cl, NULL);

    t->account = str_dup(str_of(spec->account));
    t->name = str_dup(str_of(spec->name));
    t->generation = spec->generation;
    ask(cl, "version.get",
        version_args(spec->account, spec->name, spec->version, spec->generation), SPEC_LIMIT_US,
        on_checked, t);
}

/* ---- code */

void controller_link_fetch_code(struct code_fetch *fetch, const char *sha256, const char *path,
                                void *arg)
{
    struct controller_link *cl = arg;

    code_download(cl->options.loop, cl->link, &cl->downloads, fetch, sha256, path);
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

static void on_image_prepared(const struct image_info *info, const struct error *err, void *arg)
{
    struct task *t = arg;
    cJSON *ok;

    if (err) {
        rpc_fail(t->request, err);
        task_free(t);
        return;
    }
    ok = cJSON_CreateObject();
    cJSON_AddStringToObject(ok, "digest", info->digest);
    cJSON_AddStringToObject(ok, "reference", info->reference);
    cJSON_AddNumberToObject(ok, "size", (double)info->size_bytes);
    cJSON_AddStringToObject(ok, "architecture", info->architecture);
    cJSON_AddBoolToObject(ok, "has_entry_point", info->entry_point[0] || info->command[0]);
    rpc_reply(t->request, ok, STR_NULL);
    cJSON_Delete(ok);
    task_free(t);
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

static void on_code_prepared(struct code *code, const struct error *err, void *arg)
{
    struct task *t = arg;

    if (err)
        rpc_fail(t->request, err);
    else
        rpc_reply(t->request, NULL, STR_NULL);
    code_unref(code); /* it stays in the cache, as long as there is room */
    task_free(t);
}

static void on_code_prepare(struct rpc_request *req, const cJSON *args, struct str body, void *arg)
{
    struct controller_link *cl = arg;
    const char *sha256 = string_arg(args, "sha256");
    (void)body;

    if (sha256)
        code_get(cl->parts.codes, sha256, on_code_prepared, task_new(cl, req));
    else
        bad_args(req, "code.prepare");
}

static void on_version_retire(struct rpc_request *req, const cJSON *args, struct str body,
                              void *arg)
{
    struct controller_link *cl = arg;
    const char *account = string_arg(args, "account"), *name = string_arg(args, "name");
    const cJSON *generation = cJSON_GetObjectItemCaseSensitive(args, "generation");
    (void)body;

    if (!account || !name || !cJSON_IsNumber(generation) || generation->valuedouble < 0) {
        bad_args(req, "version.retire");
        return;
    }
    log_info("controller", "version retired", KV_STR("function", name),
             KV_U64("generation", generation->valuedouble));
    spec_cache_retire(cl->parts.specs, str_of(account), str_of(name),
                      (uint64_t)generation->valuedouble);
    rpc_reply(req, NULL, STR_NULL);
}

static const struct rpc_method methods[] = {
    {"image.prepare", on_image_prepare},
    {"code.prepare", on_code_prepare},
    {"version.retire", on_version_retire},
    {NULL, NULL},
};

/* ---- the link */

static void on_up(struct link *link, const struct link_hello *peer, void *arg)
{
    struct controller_link *cl = arg;
    (void)link;

    log_info("controller", "link up", KV_STR("peer", peer->id));
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

static void on_down(struct link *link, const struct error *why, void *arg)
{
    struct controller_link *cl = arg;
    (void)link;

    timer_stop(&cl->register_again);
    log_warn("controller", "link down, retrying; what is known here goes on", KV_ERR(why));
}

static const struct link_ops link_ops = {
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
    return link_connect(cl->options.loop, cl->options.controller, &me, &link_ops, cl, &cl->link,
                        err);
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
    link_free(cl->link);
    free(cl);
}
