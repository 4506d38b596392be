/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/image_store_docker.h"

#include <string.h>
#include <sys/utsname.h>

#include "common/base/list.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "common/proto/image_ref.h"
#include "invoker/docker_outage.h"

#define BASE_IMAGES "hearth/" /* what images/build.sh names its images */

struct docker_store {
    struct image_store base;
    struct loop *loop;
    struct docker *docker;
    const char *architecture; /* of this node, in Docker's words */
    struct list_node flights;
};

/* One reference being prepared or resolved, for all who asked for it meanwhile. */
struct flight {
    struct docker_store *store;
    char *reference;
    bool resolving; /* without a pull */
    struct image_ref ref; /* points into it */
    struct docker_call *call; /* NULL only at the begin of a reference that is none */
    bool pulled;
    struct timer bad; /* fails such a one */
    struct list_node waiters, node;
};

struct waiter {
    image_done_fn *done; /* this one ... */
    image_resolved_fn *resolved; /* ... or, of a flight that resolves, this one */
    void *arg;
    struct list_node node;
};

static void *xcalloc(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        abort();
    return p;
}

static void flight_free(struct flight *flight)
{
    struct waiter *w;

    list_remove(&flight->node);
    timer_stop(&flight->bad);
    if (flight->call)
        docker_call_cancel(flight->call);
    while ((w = LIST_FIRST(&flight->waiters, struct waiter, node))) {
        list_remove(&w->node);
        free(w);
    }
    free(flight->reference);
    free(flight);
}

/* Tells all who wait. It is no longer found meanwhile, so that a new question starts anew. */
static void flight_end(struct flight *flight, const struct image_info *info,
                       const struct error *err)
{
    struct waiter *w;

    list_remove(&flight->node);
    while ((w = LIST_FIRST(&flight->waiters, struct waiter, node))) {
        list_remove(&w->node);
        if (flight->resolving)
            w->resolved(info ? info->reference : NULL, info ? info->digest : NULL, err, w->arg);
        else
            w->done(info, err, w->arg);
        free(w);
    }
    flight_free(flight);
}

/* ---- failures, in AWS's words */

static void flight_fail(struct flight *flight, const struct error *cause)
{
    const char *reference = flight->reference;
    bool fixed = flight->ref.digest.len > 0;
    struct error err;

    switch ((int)cause->code) {
    case ERR_ACCESS_DENIED:
        error_set(
            &err, ERR_BAD_REQUEST,
            "ImageAccessDenied: Lambda does not have permission to access the image %s. Check "
            "the registry's permissions. (%s)",
            reference, cause->msg);
        break;
    case ERR_NOT_FOUND:
        error_set(&err, ERR_BAD_REQUEST,
                  "%s: Source image %s does not exist. Provide a valid source image.",
                  fixed ? "ImageDeleted" : "InvalidImage", reference);
        break;
    case ERR_BAD_REQUEST:
    case ERR_UNSUPPORTED:
        error_set(&err, ERR_BAD_REQUEST, "InvalidImage: %s", cause->msg);
        break;
    default: /* without an engine, the cause names its socket */
        error_set(&err, ERR_UNAVAILABLE, "InternalError: preparing the image %s: %s%s", reference,
                  docker_outage_is_unheard(cause)
                      ? "the Docker engine does not answer; is it running? "
                      : "",
                  cause->msg);
    }
    flight_end(flight, NULL, &err);
}

static void fail_invalid(struct flight *flight)
{
    struct error err;

    error_set(&err, ERR_BAD_REQUEST,
              "Source image %.200s is not valid. Provide a valid source image.", flight->reference);
    flight_fail(flight, &err);
}

static void on_bad(void *arg)
{
    fail_invalid(arg);
}

/* ---- what the engine knows of an image */

static const char *string_in(const cJSON *json, const char *key)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));

    return s ? s : "";
}

/* The strings of an array, borrowed; NULL or no array gives none. free() the result. */
static char **strings_in(const cJSON *json, const char *key)
{
    const cJSON *array = cJSON_GetObjectItemCaseSensitive(json, key), *item;
    char **strings = xcalloc(((size_t)cJSON_GetArraySize(array) + 1) * sizeof(*strings));
    size_t n = 0;

    cJSON_ArrayForEach(item, array)
    {
        if (cJSON_IsString(item))
            strings[n++] = item->valuestring;
    }
    return strings;
}

/* The names of an object's members, borrowed. free() the result. */
static char **names_in(const cJSON *json, const char *key)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(json, key), *item;
    char **names = xcalloc(((size_t)cJSON_GetArraySize(object) + 1) * sizeof(*names));
    size_t n = 0;

    cJSON_ArrayForEach(item, object)
    {
        names[n++] = item->string;
    }
    return names;
}

/*
 * The folders of an image's layers when the engine keeps them as overlay2 does: UpperDir is the
 * uppermost, LowerDir has the others in order. Pointers into @ret_text; free() both.
 */
static char **layers_of(const cJSON *json, char **ret_text)
{
    const cJSON *driver = cJSON_GetObjectItemCaseSensitive(json, "GraphDriver");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(driver, "Data");
    const char *upper = string_in(data, "UpperDir"), *lower = string_in(data, "LowerDir");
    char **layers, *at, *save = NULL;
    size_t n = 2, i = 0;

    *ret_text = str_printf("%s:%s", upper, lower);
    for (at = *ret_text; *at; at++)
        n += *at == ':';
    layers = xcalloc((n + 1) * sizeof(*layers));
    if (strcmp(string_in(driver, "Name"), "overlay2") != 0)
        return layers;
    for (at = strtok_r(*ret_text, ":", &save); at; at = strtok_r(NULL, ":", &save))
        layers[i++] = at;
    return layers;
}

/* Docker leaves its own registry's names out: "docker.io/library/x" is "x" to it. */
static struct str familiar_name(const struct image_ref *ref)
{
    struct str name = ref->name;

    if (!str_is(ref->host, "docker.io"))
        return name;
    name = ref->repository;
    if (str_starts(name, STR("library/")))
        name = str_sub(name, 8, name.len);
    return name;
}

/* "<our name>@sha256:..." among the image's digests, or NULL. */
static const char *find_repo_digest(const cJSON *json, const struct image_ref *ref)
{
    const cJSON *item;
    struct str name = familiar_name(ref), s;
    size_t at;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "RepoDigests"))
    {
        s = str_of(cJSON_GetStringValue(item));
        at = str_find(s, '@', 0);
        if (!str_eq(str_sub(s, 0, at), name) || !image_digest_is_valid(str_sub(s, at + 1, s.len)))
            continue;
        /* an image may have several; a reference by digest names its own */
        if (ref->digest.len == 0 || str_eq(str_sub(s, at + 1, s.len), ref->digest))
            return item->valuestring;
    }
    return NULL;
}

/* Whether the image may run here is found out when it is prepared. */
static void deliver_identity(struct flight *flight, const cJSON *json)
{
    const char *repo_digest = find_repo_digest(json, &flight->ref);
    const char *id = string_in(json, "Id");
    CLEANUP(freep) char *reference = str_dup(str_of(repo_digest ? repo_digest : id));
    CLEANUP(freep)
    char *digest = str_dup(str_of(repo_digest ? strchr(repo_digest, '@') + 1 : id));

    flight_end(flight, &(struct image_info){.reference = reference, .digest = digest}, NULL);
}

static void deliver(struct flight *flight, const cJSON *json)
{
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "Config");
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(json, "Size");
    const char *repo_digest = find_repo_digest(json, &flight->ref);
    const char *id = string_in(json, "Id");
    CLEANUP(freep) char **entry_point = strings_in(config, "Entrypoint");
    CLEANUP(freep) char **command = strings_in(config, "Cmd");
    CLEANUP(freep) char **env = strings_in(config, "Env");
    CLEANUP(freep) char **volumes = names_in(config, "Volumes");
    CLEANUP(freep) char *layers_text = NULL;
    CLEANUP(freep) char **layers = layers_of(json, &layers_text);
    CLEANUP(freep) char *reference = str_dup(str_of(repo_digest ? repo_digest : id));
    CLEANUP(freep) char *digest = NULL;
    const struct image_info info = {
        .reference = reference,
        .digest = digest = str_dup(str_of(repo_digest ? strchr(repo_digest, '@') + 1 : id)),
        .architecture = (char *)string_in(json, "Architecture"),
        .size_bytes =
            cJSON_IsNumber(size) && size->valuedouble > 0 ? (uint64_t)size->valuedouble : 0,
        .entry_point = entry_point,
        .command = command,
        .env = env,
        .working_directory = (char *)string_in(config, "WorkingDir"),
        .volumes = volumes,
        .layers = layers,
    };
    struct error err;

    if (strcmp(info.architecture, flight->store->architecture) != 0 ||
        strcmp(string_in(json, "Os"), "linux") != 0) {
        error_set(&err, ERR_UNSUPPORTED, "The image %s is for %s/%s. Provide one for linux/%s.",
                  flight->reference, string_in(json, "Os"), info.architecture,
                  flight->store->architecture);
        flight_fail(flight, &err);
        return;
    }
    if (volumes[0])
        log_warn("images", "the image declares volumes: their folders will be empty",
                 KV_STR("image", flight->reference), KV_STR("first", volumes[0]));
    flight_end(flight, &info, NULL);
}

/* ---- the steps */

/*
 * Our own base images are built on the node and never published: whoever owns that name on a public
 * registry would give us a program of theirs to run.
 */
static bool is_base_image(const struct image_ref *ref)
{
    return ref->host.len == 0 && str_starts(ref->repository, STR(BASE_IMAGES));
}

static void fail_not_built(struct flight *flight)
{
    struct error err;

    error_set(&err, ERR_BAD_REQUEST,
              "The image %s is not on this node; build it with images/build.sh %s",
              flight->reference, flight->reference + strlen(BASE_IMAGES));
    flight_fail(flight, &err);
}

/* With both a tag and a digest the digest counts; the engine knows the image by that alone. */
static char *inspected_name(const struct flight *flight)
{
    const struct image_ref *ref = &flight->ref;

    if (ref->name.len && ref->digest.len)
        return str_printf("%.*s@%.*s", STR_ARG(ref->name), STR_ARG(ref->digest));
    return str_dup(str_of(flight->reference));
}

static void flight_inspect(struct flight *flight);

static void on_pulled(const struct error *err, void *arg)
{
    struct flight *flight = arg;

    flight->call = NULL;
    flight->pulled = true;
    if (err)
        flight_fail(flight, err);
    else
        flight_inspect(flight);
}

static void flight_pull(struct flight *flight)
{
    flight->call =
        docker_image_pull(flight->store->docker, flight->reference, NULL, on_pulled, flight);
}

/* The registry's digest under the name that the client wrote. */
static void deliver_digest(struct flight *flight, struct str digest)
{
    CLEANUP(freep)
    char *reference = str_printf("%.*s@%.*s", STR_ARG(flight->ref.name), STR_ARG(digest));
    CLEANUP(freep) char *text = str_dup(digest);

    flight_end(flight, &(struct image_info){.reference = reference, .digest = text}, NULL);
}

static void on_distribution(const cJSON *json, const struct error *err, void *arg)
{
    struct flight *flight = arg;
    const char *digest = string_in(cJSON_GetObjectItemCaseSensitive(json, "Descriptor"), "digest");
    struct error own;

    flight->call = NULL;
    if (!err && image_digest_is_valid(str_of(digest))) {
        deliver_digest(flight, str_of(digest));
    } else if (!err) {
        error_set(&own, ERR_PROTOCOL, "the Docker engine tells no digest");
        flight_fail(flight, &own);
    } else if (err->code == ERR_BAD_REQUEST) {
        fail_invalid(flight);
    } else if (flight->ref.digest.len && err->code != ERR_NOT_FOUND &&
               err->code != ERR_ACCESS_DENIED) {
        deliver_digest(flight, flight->ref.digest);
    } else {
        flight_fail(flight, err);
    }
}

static void flight_ask_registry(struct flight *flight)
{
    CLEANUP(freep) char *name = inspected_name(flight);

    flight->call =
        docker_distribution_inspect(flight->store->docker, name, on_distribution, flight);
}

static void on_inspected(const cJSON *json, const struct error *err, void *arg)
{
    struct flight *flight = arg;
    bool is_id = flight->ref.name.len == 0;

    flight->call = NULL;
    if (!err && flight->resolving)
        deliver_identity(flight, json);
    else if (!err)
        deliver(flight, json);
    else if (err->code == ERR_NOT_FOUND && is_base_image(&flight->ref))
        fail_not_built(flight);
    else if (err->code == ERR_NOT_FOUND && flight->resolving && !is_id)
        flight_ask_registry(flight);
    else if (err->code == ERR_NOT_FOUND && !flight->pulled && !is_id)
        flight_pull(flight);
    else
        flight_fail(flight, err);
}

static void flight_inspect(struct flight *flight)
{
    CLEANUP(freep) char *name = inspected_name(flight);

    flight->call = docker_image_inspect(flight->store->docker, name, on_inspected, flight);
}

static struct flight *flight_new(struct docker_store *store, const char *reference, bool resolving)
{
    struct flight *flight = xcalloc(sizeof(*flight));

    flight->store = store;
    flight->reference = str_dup(str_of(reference));
    flight->resolving = resolving;
    list_init(&flight->waiters);
    list_append(&store->flights, &flight->node);
    timer_init(&flight->bad, store->loop, on_bad, flight);
    if (image_ref_parse(str_of(flight->reference), &flight->ref, NULL) < 0)
        timer_start(&flight->bad, 0);
    else if (flight->ref.host.len == 0 || flight->ref.digest.len)
        flight_inspect(flight);
    else if (resolving) /* only the registry knows what a tag means now */
        flight_ask_registry(flight);
    else
        flight_pull(flight);
    return flight;
}

/* The waiter of a flight for @reference, one that is under way or a new one. */
static struct waiter *flight_wait(struct docker_store *store, const char *reference, bool resolving)
{
    struct waiter *w = xcalloc(sizeof(*w));
    struct flight *flight;
    struct list_node *n;

    LIST_FOREACH(&store->flights, n)
    {
        flight = CONTAINER_OF(n, struct flight, node);
        if (flight->resolving == resolving && strcmp(flight->reference, reference) == 0) {
            list_append(&flight->waiters, &w->node);
            return w;
        }
    }
    flight = flight_new(store, reference, resolving);
    list_append(&flight->waiters, &w->node);
    return w;
}

/* ---- image_store.h */

static void docker_store_prepare(struct image_store *base, const char *reference,
                                 image_done_fn *done, void *arg)
{
    struct docker_store *store = CONTAINER_OF(base, struct docker_store, base);
    struct waiter *w = flight_wait(store, reference, false);

    w->done = done;
    w->arg = arg;
}

static void docker_store_resolve(struct image_store *base, const char *reference,
                                 image_resolved_fn *done, void *arg)
{
    struct docker_store *store = CONTAINER_OF(base, struct docker_store, base);
    struct waiter *w = flight_wait(store, reference, true);

    w->resolved = done;
    w->arg = arg;
}

static void docker_store_free(struct image_store *base)
{
    struct docker_store *store = CONTAINER_OF(base, struct docker_store, base);
    struct flight *flight;

    while ((flight = LIST_FIRST(&store->flights, struct flight, node)))
        flight_free(flight);
    free(store);
}

static const struct image_store_ops docker_store_ops = {
    .name = "docker",
    .prepare = docker_store_prepare,
    .resolve = docker_store_resolve,
    .free = docker_store_free,
};

/* The kernel's word for the machine to Docker's. */
static const char *node_architecture(void)
{
    static const char *const words[][2] = {{"x86_64", "amd64"}, {"aarch64", "arm64"}};
    struct utsname u;
    size_t i;

    if (uname(&u) < 0)
        abort();
    for (i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(u.machine, words[i][0]) == 0)
            return words[i][1];
    return "unknown";
}

struct image_store *image_store_docker_new(struct loop *loop, struct docker *docker)
{
    struct docker_store *store = xcalloc(sizeof(*store));

    store->base.ops = &docker_store_ops;
    store->loop = loop;
    store->docker = docker;
    store->architecture = node_architecture();
    list_init(&store->flights);
    return &store->base;
}
