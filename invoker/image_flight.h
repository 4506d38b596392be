/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_flight.h - what the image stores have in common: callers that ask for one reference at the
 * same time share one flight; its end is told to all of them, failures in AWS's words.
 *
 * An image store has a struct image_flights and, for each flight, a struct whose first member is
 * struct image_flight. It takes the steps, and ends the flight by one of the functions below,
 * which frees it.
 *
 * Owns:    its flights. Borrows: the loop.
 * Threads: loop thread only.
 * Errors:  see image_store.h.
 */
#ifndef HEARTH_INVOKER_IMAGE_FLIGHT_H
#define HEARTH_INVOKER_IMAGE_FLIGHT_H

#include "common/base/list.h"
#include "common/io/loop.h"
#include "common/proto/image_ref.h"
#include "invoker/image_store.h"

struct image_flight;

struct image_flight_ops {
    const char *engine; /* for messages: "the Docker engine" */
    const char *then; /* for messages: what is to be done with an image that was built, or "" */
    size_t size; /* of the store's struct for a flight */
    /* The first step; never for what is no reference. */
    void (*begin)(struct image_flight *flight);
    /* Cancels the step that runs, and frees what the store's struct has. */
    void (*cancel)(struct image_flight *flight);
};

struct image_flights {
    struct loop *loop;
    const struct image_flight_ops *ops;
    const char *architecture; /* of this node, in Docker's words */
    struct list_node flights;
};

struct image_flight {
    struct image_flights *all;
    char *reference;
    bool resolving; /* without a pull */
    struct image_ref ref; /* points into it */
    struct timer bad; /* fails what is no reference */
    struct list_node waiters, node;
};

void image_flights_init(struct image_flights *all, struct loop *loop,
                        const struct image_flight_ops *ops);
/** Cancels them; their callbacks do not come. */
void image_flights_done(struct image_flights *all);
/** image_prepare() and image_resolve(). */
void image_flights_prepare(struct image_flights *all, const char *reference, image_done_fn *done,
                           void *arg);
void image_flights_resolve(struct image_flights *all, const char *reference,
                           image_resolved_fn *done, void *arg);

/** Prepared: @info, unless the image is for another machine. */
void image_flight_deliver(struct image_flight *flight, const struct image_info *info,
                          const char *os);
/** Resolved: the image is @reference, whose digest is @digest. */
void image_flight_deliver_identity(struct image_flight *flight, const char *reference,
                                   const char *digest);
/** Resolved: @digest under the name that the client wrote. */
void image_flight_deliver_digest(struct image_flight *flight, struct str digest);
/** Not: @cause is borrowed. */
void image_flight_fail(struct image_flight *flight, const struct error *cause);
/** The reference means nothing to the engine. */
void image_flight_fail_invalid(struct image_flight *flight);

/**
 * Our own base images are built on the node and never published: whoever owns that name on a public
 * registry would give us a program of theirs to run. One that is not here is not pulled.
 */
bool image_flight_is_base(const struct image_flight *flight);
void image_flight_fail_not_built(struct image_flight *flight);
/**
 * How engines know the image: with both a tag and a digest the digest alone counts. The caller
 * frees it.
 */
char *image_flight_name(const struct image_flight *flight);

#endif
