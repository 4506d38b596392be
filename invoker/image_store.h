/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_store.h - where root filesystems come from: makes the image of a reference present on this
 * node and tells what is in its configuration.
 *
 * References. With a registry host ("127.0.0.1:5000/hello:1", "docker.io/library/x:2") a tag is
 * resolved anew by a pull each time; by digest it is pulled only when it is not here. Without a
 * host ("hearth/python:3.13", "sha256:<id>") the name is local: used as it is when it is here,
 * and pulled by the engine's own rules only when it is not.
 *
 * Owns:    images it reports are the engine's; struct image_info belongs to who receives it.
 * Threads: loop thread only.
 * Errors:  by the callback, code ERR_BAD_REQUEST, message "<StateReasonCode>: <text>" with AWS's
 *          code (ImageAccessDenied, ImageDeleted, InvalidImage); ERR_UNAVAILABLE with
 *          "InternalError: <text>" when engine or registry are away. See docs/internals/links.md.
 */
#ifndef HEARTH_INVOKER_IMAGE_STORE_H
#define HEARTH_INVOKER_IMAGE_STORE_H

#include <stdint.h>

#include "common/base/error.h"

/** Keeps the folders of an image's layers, until the last struct image_info that has it goes. */
struct image_hold {
    unsigned refs;
    void (*release)(struct image_hold *hold);
};

struct image_info {
    char *reference; /* to run: "<repository>@sha256:..." or, for a local image, "sha256:<id>" */
    char *digest; /* "sha256:..." */
    char *architecture; /* Docker's word: "amd64", "arm64" */
    uint64_t size_bytes;
    char **entry_point; /* NULL-terminated, never NULL; may be empty */
    char **command;
    char **env; /* "NAME=value" */
    char *working_directory; /* "" when the image sets none */
    char **volumes; /* paths of VOLUME, NULL-terminated; NULL: none */
    char **layers; /* unpacked, on this host: the uppermost first; NULL or empty: not to be had */
    struct image_hold *hold; /* NULL: none is needed */
};

/** Exactly once. @err NULL: @info is borrowed for the call; image_info_copy() keeps it. */
typedef void image_done_fn(const struct image_info *info, const struct error *err, void *arg);

/** Exactly once. @err NULL: @reference (to prepare later) and @digest are borrowed for the call. */
typedef void image_resolved_fn(const char *reference, const char *digest, const struct error *err,
                               void *arg);

struct image_store;
struct image_store_ops {
    const char *name; /* "docker", "containerd" */
    void (*prepare)(struct image_store *store, const char *reference, image_done_fn *done,
                    void *arg);
    void (*resolve)(struct image_store *store, const char *reference, image_resolved_fn *done,
                    void *arg);
    /* May be NULL: there is nothing to give back. */
    void (*stop)(struct image_store *store, void (*done)(void *arg), void *arg);
    void (*free)(struct image_store *store);
};

/** The head of every implementation's own struct. */
struct image_store {
    const struct image_store_ops *ops;
};

/** Shares the hold, copies the rest. */
struct image_info *image_info_copy(const struct image_info *info);
void image_info_free(struct image_info *info);
/** NULL is fine. */
void image_hold_unref(struct image_hold *hold);

/**
 * Makes the image of @reference (copied) present; @done comes from the loop, never before we
 * return. Callers that ask for one reference at the same time share one pull.
 */
static inline void image_prepare(struct image_store *store, const char *reference,
                                 image_done_fn *done, void *arg)
{
    store->ops->prepare(store, reference, done, arg);
}

/**
 * Tells what the image of @reference (copied) is now, without pulling it: the reference and digest
 * that image_prepare() would give. @done as there. A tag of a registry is the registry's to tell; a
 * name without a host is asked of the registry when it is not here; a digest is its own answer, also
 * while its registry is away.
 */
static inline void image_resolve(struct image_store *store, const char *reference,
                                 image_resolved_fn *done, void *arg)
{
    store->ops->resolve(store, reference, done, arg);
}

/**
 * Gives back what is held for images, while the engine can still be told; @done may come before we
 * return, and comes within two seconds. Nobody uses an image any more.
 */
static inline void image_store_stop(struct image_store *store, void (*done)(void *arg), void *arg)
{
    if (store->ops->stop)
        store->ops->stop(store, done, arg);
    else
        done(arg);
}

/** Pulls that run are cancelled; their callbacks do not come. NULL is fine. */
static inline void image_store_free(struct image_store *store)
{
    if (store)
        store->ops->free(store);
}

#endif
