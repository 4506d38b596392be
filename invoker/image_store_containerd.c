/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be known of an image, step by step:
 *
 *   PullImage → ImageStatus (id) → Images.Get (digest of the tag) → Content.Read (configuration)
 *   → Snapshots.View (folders of the layers)
 *
 * A local name and a digest begin with ImageStatus, and are pulled when they are not here, or not
 * unpacked any more. Resolving ends with the digest.
 */
#include "invoker/image_store_containerd.h"

#include <string.h>

#include "common/io/containerd.h"
#include "common/io/registry.h"
#include "common/proto/digest.h"
#include "invoker/containerd_views.h"
#include "invoker/image_config.h"
#include "invoker/image_flight.h"

struct containerd_store {
    struct image_store base;
    struct http_client *http;
    struct containerd *containerd;
    struct containerd_views *views;
    char *auth_file, *snapshotter;
    struct image_flights flights;
};

struct flight {
    struct image_flight base;
    struct containerd_call *call; /* the step that runs, this one ... */
    struct registry_question *question; /* ... or this one */
    bool pulled;
    char *id; /* digest of the configuration */
    uint64_t size_bytes;
    char *digests; /* "name@sha256:..." as containerd knows it, each with '\n' */
    char *digest; /* of the manifest, or index; NULL: a local image has none */
    cJSON *config;
    struct image_hold *hold;
};

static struct flight *flight_of(struct image_flight *base)
{
    return CONTAINER_OF(base, struct flight, base);
}

static struct containerd_store *store_of_flight(const struct flight *flight)
{
    return CONTAINER_OF(flight->base.all, struct containerd_store, flights);
}

static void look(struct flight *flight);

static void fail(struct flight *flight, enum error_code code, const char *what)
{
    struct error err;

    error_set(&err, code, "The image %s %s", flight->base.reference, what);
    image_flight_fail(&flight->base, &err);
}

/* ---- pull */

static void on_pulled(struct str answer, const struct error *err, void *arg)
{
    struct flight *flight = arg;
    const char *ours = flight->base.all->architecture;
    CLEANUP(freep) char *wrong = NULL;
    (void)answer;

    flight->call = NULL;
    flight->pulled = true;
    if (err && err->code == ERR_UNSUPPORTED) { /* containerd's words name a digest */
        wrong = str_printf("is not for this machine. Provide one for linux/%s.", ours);
        fail(flight, ERR_UNSUPPORTED, wrong);
    } else if (err) {
        image_flight_fail(&flight->base, err);
    } else {
        look(flight);
    }
}

static void pull(struct flight *flight)
{
    CLEANUP(freep) char *name = image_flight_name(&flight->base);

    flight->call = containerd_pull(store_of_flight(flight)->containerd, name,
                                   flight->base.ref.host, on_pulled, flight);
}

/* ---- the registry's own answer */

static void on_registry(const char *digest, const struct error *err, void *arg)
{
    struct flight *flight = arg;
    const struct str known = flight->base.ref.digest;

    flight->question = NULL;
    if (!err)
        image_flight_deliver_digest(&flight->base, str_of(digest));
    else if (err->code == ERR_NOT_FOUND || err->code == ERR_ACCESS_DENIED)
        image_flight_fail(&flight->base, err);
    else if (known.len)
        image_flight_deliver_digest(&flight->base, known);
    else /* containerd may know a mirror, or a certificate, that we do not */
        pull(flight);
}

static void ask_registry(struct flight *flight)
{
    const struct containerd_store *store = store_of_flight(flight);

    flight->question = registry_ask(store->http, &flight->base.ref, store->auth_file, on_registry,
                                    flight);
}

/* ---- folders */

/* The strings between ':', in place. free() the array. */
static char **split(char *text)
{
    char **parts, *at, *save = NULL;
    size_t n = 1, i = 0;

    for (at = text; *at; at++)
        n += *at == ':';
    parts = calloc(n + 1, sizeof(*parts));
    if (!parts)
        abort();
    for (at = strtok_r(text, ":", &save); at; at = strtok_r(NULL, ":", &save))
        parts[i++] = at;
    return parts;
}

/* "<name as the client wrote it>@<digest>", or the id of a local image. */
static char *reference_of(const struct flight *flight)
{
    if (!flight->digest)
        return str_dup(str_of(flight->id));
    return str_printf("%.*s@%s", STR_ARG(flight->base.ref.name), flight->digest);
}

static void deliver(struct flight *flight, struct str folders)
{
    CLEANUP(freep) char *text = str_dup(folders);
    CLEANUP(freep) char **layers = split(text);
    CLEANUP(freep) char *reference = reference_of(flight);
    cJSON *config = TAKE(flight->config);
    struct image_hold *hold = TAKE(flight->hold);
    CLEANUP(freep) char *digest = str_dup(str_of(flight->digest ? flight->digest : flight->id));
    struct image_info info = {
        .reference = reference,
        .digest = digest,
        .architecture = (char *)image_config_string(config, "architecture"),
        .size_bytes = flight->size_bytes,
        .layers = layers,
        .hold = hold,
    };

    image_config_borrow(cJSON_GetObjectItemCaseSensitive(config, "config"), &info);
    image_flight_deliver(&flight->base, &info, image_config_string(config, "os"));
    image_config_done(&info);
    image_hold_unref(hold);
    cJSON_Delete(config);
}

static void on_view(struct str answer, const struct error *err, void *arg)
{
    struct flight *flight = arg;
    struct str folders;
    struct error own;

    flight->call = NULL;
    if (err) {
        own = *err;
    } else if (containerd_get_folders(answer, &folders, &own) == 0) {
        deliver(flight, folders);
        return;
    }
    image_hold_unref(TAKE(flight->hold));
    if (own.code == ERR_BAD_REQUEST) /* a snapshotter that is not there: not the image's fault */
        own.code = ERR_INTERNAL;
    if (own.code != ERR_NOT_FOUND) {
        image_flight_fail(&flight->base, &own);
    } else if (!flight->pulled && flight->base.ref.host.len) {
        pull(flight);
    } else {
        CLEANUP(freep)
        char *why = str_printf("is here but not unpacked by the snapshotter %s; import or pull it "
                               "again with that one",
                               store_of_flight(flight)->snapshotter);

        fail(flight, ERR_UNSUPPORTED, why);
    }
}

/*
 * What a stack of layers is called: the digest of the first, then of "<what is below> <next>".
 * NULL: the configuration tells no layers. The caller frees it.
 */
static char *chain_id(const cJSON *config)
{
    const cJSON *rootfs = cJSON_GetObjectItemCaseSensitive(config, "rootfs"), *item;
    char *chain = NULL, *both, hex[SHA256_HEX_MAX];
    struct str id;

    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(rootfs, "diff_ids"))
    {
        id = str_of(cJSON_GetStringValue(item));
        if (!image_digest_is_valid(id)) {
            free(chain);
            return NULL;
        }
        if (!chain) {
            chain = str_dup(id);
            continue;
        }
        both = str_printf("%s %.*s", chain, STR_ARG(id));
        sha256_hex(str_of(both), hex);
        free(both);
        free(chain);
        chain = str_printf("sha256:%s", hex);
    }
    return chain;
}

static void on_config(struct str answer, const struct error *err, void *arg)
{
    struct flight *flight = arg;
    CLEANUP(freep) char *chain = NULL;

    flight->call = NULL;
    if (err) {
        image_flight_fail(&flight->base, err);
        return;
    }
    flight->config = cJSON_ParseWithLength(answer.ptr ? answer.ptr : "", answer.len);
    chain = chain_id(flight->config);
    if (!chain) {
        fail(flight, ERR_UNSUPPORTED, "has a configuration that tells no layers");
        return;
    }
    flight->call = containerd_views_make(store_of_flight(flight)->views, chain, &flight->hold,
                                         on_view, flight);
}

static void identified(struct flight *flight)
{
    CLEANUP(freep) char *reference = reference_of(flight);
    CLEANUP(freep) char *digest = str_dup(str_of(flight->digest ? flight->digest : flight->id));

    if (flight->base.resolving)
        image_flight_deliver_identity(&flight->base, reference, digest);
    else
        flight->call =
            containerd_read(store_of_flight(flight)->containerd, flight->id, on_config, flight);
}

/* ---- what containerd knows of a name */

static void on_target(struct str answer, const struct error *err, void *arg)
{
    struct flight *flight = arg;
    CLEANUP(freep) char *digest = str_dup(containerd_get_image_target(answer));
    CLEANUP(freep) char *name = NULL, *line = NULL;

    flight->call = NULL;
    if (err && err->code != ERR_NOT_FOUND) {
        image_flight_fail(&flight->base, err);
        return;
    }
    /* what was imported has a manifest, too, but from no registry: nobody else could find it */
    name = image_ref_full_name(&flight->base.ref);
    line = str_printf("%s@%s\n", name, digest);
    if (!err && image_digest_is_valid(str_of(digest)) && strstr(flight->digests, line))
        flight->digest = TAKE(digest);
    identified(flight);
}

/* An image may have several digests under one name: which of them the tag means now? */
static void ask_target(struct flight *flight)
{
    const struct image_ref *ref = &flight->base.ref;
    CLEANUP(freep) char *name = image_ref_full_name(ref);
    CLEANUP(freep)
    char *full = str_printf("%s:%.*s", name, STR_ARG(ref->tag.len ? ref->tag : STR("latest")));

    flight->call =
        containerd_image_get(store_of_flight(flight)->containerd, full, on_target, flight);
}

static void missing(struct flight *flight)
{
    const bool is_id = flight->base.ref.name.len == 0;

    if (image_flight_is_base(&flight->base))
        image_flight_fail_not_built(&flight->base);
    else if (flight->base.resolving && !is_id && !flight->pulled)
        ask_registry(flight);
    else if (!flight->pulled && !is_id)
        pull(flight);
    else
        fail(flight, ERR_NOT_FOUND, "is not on this node");
}

static void keep(struct flight *flight, const struct containerd_image *image)
{
    CLEANUP(buf_done) struct buf lines = BUF_INIT(1u << 20);
    struct str digest;
    size_t at = 0;

    while (containerd_image_digest(image, &at, &digest))
        (void)buf_printf(&lines, "%.*s\n", STR_ARG(digest));
    free(flight->digests);
    flight->digests = buf_take(&lines);
    free(flight->id);
    flight->id = str_dup(image->id);
    flight->size_bytes = image->size;
}

static void on_status(struct str answer, const struct error *err, void *arg)
{
    struct flight *flight = arg;
    const struct image_ref *ref = &flight->base.ref;
    struct containerd_image image;
    struct error own;

    flight->call = NULL;
    if (!err && containerd_get_image_status(answer, &image) < 0) {
        error_set(&own, ERR_PROTOCOL, "containerd's answer tells no image");
        err = &own;
    }
    if (err) {
        image_flight_fail(&flight->base, err);
    } else if (!image_digest_is_valid(image.id)) {
        missing(flight);
    } else {
        keep(flight, &image);
        if (ref->name.len && ref->digest.len && !flight->digest)
            flight->digest = str_dup(ref->digest);
        if (ref->digest.len)
            identified(flight);
        else
            ask_target(flight);
    }
}

static void look(struct flight *flight)
{
    CLEANUP(freep) char *name = image_flight_name(&flight->base);

    flight->call =
        containerd_image_status(store_of_flight(flight)->containerd, name, on_status, flight);
}

/* ---- a flight */

static void flight_begin(struct image_flight *base)
{
    struct flight *flight = flight_of(base);

    if (base->ref.host.len == 0 || base->ref.digest.len)
        look(flight);
    else if (base->resolving) /* only the registry knows what a tag means now */
        ask_registry(flight);
    else
        pull(flight);
}

static void flight_cancel(struct image_flight *base)
{
    struct flight *flight = flight_of(base);

    if (flight->call)
        containerd_call_cancel(flight->call);
    if (flight->question)
        registry_cancel(flight->question);
    image_hold_unref(flight->hold);
    cJSON_Delete(flight->config);
    free(flight->id);
    free(flight->digests);
    free(flight->digest);
}

static const struct image_flight_ops flight_ops = {
    .engine = "containerd",
    .then = " and hand it over: docker save NAME | ctr -n k8s.io images import -",
    .size = sizeof(struct flight),
    .begin = flight_begin,
    .cancel = flight_cancel,
};

/* ---- image_store.h */

static struct containerd_store *store_of(struct image_store *base)
{
    return CONTAINER_OF(base, struct containerd_store, base);
}

static void containerd_store_prepare(struct image_store *base, const char *reference,
                                     image_done_fn *done, void *arg)
{
    image_flights_prepare(&store_of(base)->flights, reference, done, arg);
}

static void containerd_store_resolve(struct image_store *base, const char *reference,
                                     image_resolved_fn *done, void *arg)
{
    image_flights_resolve(&store_of(base)->flights, reference, done, arg);
}

static void containerd_store_stop(struct image_store *base, void (*done)(void *arg), void *arg)
{
    image_flights_done(&store_of(base)->flights);
    containerd_views_stop(store_of(base)->views, done, arg);
}

static void containerd_store_free(struct image_store *base)
{
    struct containerd_store *store = store_of(base);

    image_flights_done(&store->flights);
    containerd_views_free(store->views);
    containerd_free(store->containerd);
    free(store->auth_file);
    free(store->snapshotter);
    free(store);
}

static const struct image_store_ops containerd_store_ops = {
    .name = "containerd",
    .prepare = containerd_store_prepare,
    .resolve = containerd_store_resolve,
    .stop = containerd_store_stop,
    .free = containerd_store_free,
};

struct image_store *image_store_containerd_new(const struct image_store_containerd_options *o)
{
    const struct containerd_options engine = {.http = o->http,
                                              .socket = o->socket,
                                              .auth_file = o->auth_file,
                                              .snapshotter = o->snapshotter};
    struct containerd_store *store = calloc(1, sizeof(*store));

    if (!store)
        abort();
    store->base.ops = &containerd_store_ops;
    store->http = o->http;
    store->auth_file = str_dup(str_of(o->auth_file));
    store->snapshotter = str_dup(str_of(o->snapshotter));
    store->containerd = containerd_new(&engine);
    store->views = containerd_views_new(o->loop, store->containerd, o->node);
    image_flights_init(&store->flights, o->loop, &flight_ops);
    return &store->base;
}
