/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/image_store_docker.h"

#include <string.h>

#include "common/base/str.h"
#include "invoker/image_config.h"
#include "invoker/image_flight.h"

struct docker_store {
    struct image_store base;
    struct docker *docker;
    struct image_flights flights;
};

struct flight {
    struct image_flight base;
    struct docker_call *call; /* the step that runs */
    bool pulled;
};

static struct flight *flight_of(struct image_flight *base)
{
    return CONTAINER_OF(base, struct flight, base);
}

static struct docker *docker_of(const struct flight *flight)
{
    return CONTAINER_OF(flight->base.all, struct docker_store, flights)->docker;
}

/* ---- what the engine knows of an image */

/*
 * The folders of an image's layers when the engine keeps them as overlay2 does: UpperDir is the
 * uppermost, LowerDir has the others in order. Pointers into @ret_text; free() both.
 */
static char **layers_of(const cJSON *json, char **ret_text)
{
    const cJSON *driver = cJSON_GetObjectItemCaseSensitive(json, "GraphDriver");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(driver, "Data");
    const char *upper = image_config_string(data, "UpperDir");
    const char *lower = image_config_string(data, "LowerDir");
    char **layers, *at, *save = NULL;
    size_t n = 2, i = 0;

    *ret_text = str_printf("%s:%s", upper, lower);
    for (at = *ret_text; *at; at++)
        n += *at == ':';
    layers = calloc(n + 1, sizeof(*layers));
    if (!layers)
        abort();
    if (strcmp(image_config_string(driver, "Name"), "overlay2") != 0)
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

static void deliver(struct flight *flight, const cJSON *json)
{
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(json, "Size");
    const char *repo_digest = find_repo_digest(json, &flight->base.ref);
    const char *id = image_config_string(json, "Id");
    const char *reference = repo_digest ? repo_digest : id;
    const char *digest = repo_digest ? strchr(repo_digest, '@') + 1 : id;
    CLEANUP(freep) char *layers_text = NULL;
    CLEANUP(freep) char **layers = layers_of(json, &layers_text);
    struct image_info info = {
        .reference = (char *)reference,
        .digest = (char *)digest,
        .architecture = (char *)image_config_string(json, "Architecture"),
        .size_bytes =
            cJSON_IsNumber(size) && size->valuedouble > 0 ? (uint64_t)size->valuedouble : 0,
        .layers = layers,
    };

    if (flight->base.resolving) {
        image_flight_deliver_identity(&flight->base, reference, digest);
        return;
    }
    image_config_borrow(cJSON_GetObjectItemCaseSensitive(json, "Config"), &info);
    image_flight_deliver(&flight->base, &info, image_config_string(json, "Os"));
    image_config_done(&info);
}

/* ---- the steps */

static void flight_inspect(struct flight *flight);

static void on_pulled(const struct error *err, void *arg)
{
    struct flight *flight = arg;

    flight->call = NULL;
    flight->pulled = true;
    if (err)
        image_flight_fail(&flight->base, err);
    else
        flight_inspect(flight);
}

static void flight_pull(struct flight *flight)
{
    flight->call =
        docker_image_pull(docker_of(flight), flight->base.reference, NULL, on_pulled, flight);
}

static void on_distribution(const cJSON *json, const struct error *err, void *arg)
{
    struct flight *flight = arg;
    const struct str known = flight->base.ref.digest;
    const char *digest =
        image_config_string(cJSON_GetObjectItemCaseSensitive(json, "Descriptor"), "digest");
    struct error own;

    flight->call = NULL;
    if (!err && image_digest_is_valid(str_of(digest))) {
        image_flight_deliver_digest(&flight->base, str_of(digest));
    } else if (!err) {
        error_set(&own, ERR_PROTOCOL, "the Docker engine tells no digest");
        image_flight_fail(&flight->base, &own);
    } else if (err->code == ERR_BAD_REQUEST) {
        image_flight_fail_invalid(&flight->base);
    } else if (known.len && err->code != ERR_NOT_FOUND && err->code != ERR_ACCESS_DENIED) {
        image_flight_deliver_digest(&flight->base, known);
    } else {
        image_flight_fail(&flight->base, err);
    }
}

static void flight_ask_registry(struct flight *flight)
{
    CLEANUP(freep) char *name = image_flight_name(&flight->base);

    flight->call = docker_distribution_inspect(docker_of(flight), name, on_distribution, flight);
}

static void on_inspected(const cJSON *json, const struct error *err, void *arg)
{
    struct flight *flight = arg;
    bool is_id = flight->base.ref.name.len == 0;

    flight->call = NULL;
    if (!err)
        deliver(flight, json);
    else if (err->code == ERR_NOT_FOUND && image_flight_is_base(&flight->base))
        image_flight_fail_not_built(&flight->base);
    else if (err->code == ERR_NOT_FOUND && flight->base.resolving && !is_id)
        flight_ask_registry(flight);
    else if (err->code == ERR_NOT_FOUND && !flight->pulled && !is_id)
        flight_pull(flight);
    else
        image_flight_fail(&flight->base, err);
}

static void flight_inspect(struct flight *flight)
{
    CLEANUP(freep) char *name = image_flight_name(&flight->base);

    flight->call = docker_image_inspect(docker_of(flight), name, on_inspected, flight);
}

static void flight_begin(struct image_flight *base)
{
    struct flight *flight = flight_of(base);

    if (base->ref.host.len == 0 || base->ref.digest.len)
        flight_inspect(flight);
    else if (base->resolving) /* only the registry knows what a tag means now */
        flight_ask_registry(flight);
    else
        flight_pull(flight);
}

static void flight_cancel(struct image_flight *base)
{
    struct flight *flight = flight_of(base);

    if (flight->call)
        docker_call_cancel(flight->call);
}

static const struct image_flight_ops flight_ops = {
    .engine = "the Docker engine",
    .then = "",
    .size = sizeof(struct flight),
    .begin = flight_begin,
    .cancel = flight_cancel,
};

/* ---- image_store.h */

static struct docker_store *store_of(struct image_store *base)
{
    return CONTAINER_OF(base, struct docker_store, base);
}

static void docker_store_prepare(struct image_store *base, const char *reference,
                                 image_done_fn *done, void *arg)
{
    image_flights_prepare(&store_of(base)->flights, reference, done, arg);
}

static void docker_store_resolve(struct image_store *base, const char *reference,
                                 image_resolved_fn *done, void *arg)
{
    image_flights_resolve(&store_of(base)->flights, reference, done, arg);
}

static void docker_store_free(struct image_store *base)
{
    image_flights_done(&store_of(base)->flights);
    free(store_of(base));
}

static const struct image_store_ops docker_store_ops = {
    .name = "docker",
    .prepare = docker_store_prepare,
    .resolve = docker_store_resolve,
    .free = docker_store_free,
};

struct image_store *image_store_docker_new(struct loop *loop, struct docker *docker)
{
    struct docker_store *store = calloc(1, sizeof(*store));

    if (!store)
        abort();
    store->base.ops = &docker_store_ops;
    store->docker = docker;
    image_flights_init(&store->flights, loop, &flight_ops);
    return &store->base;
}
