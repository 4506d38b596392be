/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/image_flight.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/base/alloc.h"
#include "common/base/log.h"

#define BASE_IMAGES "hearth/" /* what images/build.sh names its images */

struct waiter {
    image_done_fn *done; /* this one ... */
    image_resolved_fn *resolved; /* ... or, of a flight that resolves, this one */
    void *arg;
    struct list_node node;
};

static void flight_free(struct image_flight *flight)
{
    struct waiter *w;

    list_remove(&flight->node);
    timer_stop(&flight->bad);
    flight->all->ops->cancel(flight);
    while ((w = LIST_FIRST(&flight->waiters, struct waiter, node))) {
        list_remove(&w->node);
        free(w);
    }
    free(flight->reference);
    free(flight);
}

/* Tells all who wait. It is no longer found meanwhile, so that a new question starts anew. */
static void flight_end(struct image_flight *flight, const struct image_info *info,
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

void image_flight_fail(struct image_flight *flight, const struct error *cause)
{
    const char *reference = flight->reference;
    const bool fixed = flight->ref.digest.len > 0;
    const bool unheard = cause->code == ERR_UNAVAILABLE && cause->sys_errno == ECONNREFUSED;
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
        error_set(&err, ERR_UNAVAILABLE, "InternalError: preparing the image %s: %s%s%s", reference,
                  unheard ? flight->all->ops->engine : "",
                  unheard ? " does not answer; is it running? " : "", cause->msg);
    }
    flight_end(flight, NULL, &err);
}

void image_flight_fail_invalid(struct image_flight *flight)
{
    struct error err;

    error_set(&err, ERR_BAD_REQUEST,
              "Source image %.200s is not valid. Provide a valid source image.", flight->reference);
    image_flight_fail(flight, &err);
}

static void on_bad(void *arg)
{
    image_flight_fail_invalid(arg);
}

bool image_flight_is_base(const struct image_flight *flight)
{
    return flight->ref.host.len == 0 && str_starts(flight->ref.repository, STR(BASE_IMAGES));
}

void image_flight_fail_not_built(struct image_flight *flight)
{
    struct error err;

    error_set(&err, ERR_BAD_REQUEST,
              "The image %s is not on this node; build it with images/build.sh %s%s",
              flight->reference, flight->reference + strlen(BASE_IMAGES), flight->all->ops->then);
    image_flight_fail(flight, &err);
}

/* ---- successes */

void image_flight_deliver(struct image_flight *flight, const struct image_info *info,
                          const char *os)
{
    const char *ours = flight->all->architecture;
    struct error err;

    if (strcmp(info->architecture, ours) != 0 || strcmp(os, "linux") != 0) {
        error_set(&err, ERR_UNSUPPORTED, "The image %s is for %s/%s. Provide one for linux/%s.",
                  flight->reference, os, info->architecture, ours);
        image_flight_fail(flight, &err);
        return;
    }
    if (info->volumes && info->volumes[0])
        log_warn("images", "the image declares volumes: their folders will be empty",
                 KV_STR("image", flight->reference), KV_STR("first", info->volumes[0]));
    flight_end(flight, info, NULL);
}

/* Whether the image may run here is found out when it is prepared. */
void image_flight_deliver_identity(struct image_flight *flight, const char *reference,
                                   const char *digest)
{
    const struct image_info info = {.reference = (char *)reference, .digest = (char *)digest};

    flight_end(flight, &info, NULL);
}

void image_flight_deliver_digest(struct image_flight *flight, struct str digest)
{
    CLEANUP(freep)
    char *reference = str_printf("%.*s@%.*s", STR_ARG(flight->ref.name), STR_ARG(digest));
    CLEANUP(freep) char *text = str_dup(digest);

    image_flight_deliver_identity(flight, reference, text);
}

char *image_flight_name(const struct image_flight *flight)
{
    const struct image_ref *ref = &flight->ref;

    if (ref->name.len && ref->digest.len)
        return str_printf("%.*s@%.*s", STR_ARG(ref->name), STR_ARG(ref->digest));
    return str_dup(str_of(flight->reference));
}

/* ---- asking */

static struct image_flight *flight_new(struct image_flights *all, const char *reference,
                                       bool resolving)
{
    struct image_flight *flight = xcalloc(all->ops->size);

    flight->all = all;
    flight->reference = str_dup(str_of(reference));
    flight->resolving = resolving;
    list_init(&flight->waiters);
    list_append(&all->flights, &flight->node);
    timer_init(&flight->bad, all->loop, on_bad, flight);
    if (image_ref_parse(str_of(flight->reference), &flight->ref, NULL) < 0)
        timer_start(&flight->bad, 0);
    else
        all->ops->begin(flight);
    return flight;
}

/* The waiter of a flight for @reference, one that is under way or a new one. */
static struct waiter *flight_wait(struct image_flights *all, const char *reference, bool resolving)
{
    struct waiter *w = xcalloc(sizeof(*w));
    struct image_flight *flight;
    struct list_node *n;

    LIST_FOREACH(&all->flights, n)
    {
        flight = CONTAINER_OF(n, struct image_flight, node);
        if (flight->resolving == resolving && strcmp(flight->reference, reference) == 0) {
            list_append(&flight->waiters, &w->node);
            return w;
        }
    }
    flight = flight_new(all, reference, resolving);
    list_append(&flight->waiters, &w->node);
    return w;
}

void image_flights_prepare(struct image_flights *all, const char *reference, image_done_fn *done,
                           void *arg)
{
    struct waiter *w = flight_wait(all, reference, false);

    w->done = done;
    w->arg = arg;
}

void image_flights_resolve(struct image_flights *all, const char *reference,
                           image_resolved_fn *done, void *arg)
{
    struct waiter *w = flight_wait(all, reference, true);

    w->resolved = done;
    w->arg = arg;
}

/* ---- life */

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

void image_flights_init(struct image_flights *all, struct loop *loop,
                        const struct image_flight_ops *ops)
{
    all->loop = loop;
    all->ops = ops;
    all->architecture = node_architecture();
    list_init(&all->flights);
}

void image_flights_done(struct image_flights *all)
{
    struct image_flight *flight;

    while ((flight = LIST_FIRST(&all->flights, struct image_flight, node)))
        flight_free(flight);
}
