/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ready_version.h - one version of one function at one generation, with all that a sandbox of it needs
 * at hand on this node: its specification, its image, its unpacked code and layers, its place in
 * the pool.
 *
 * Owns:    all of them; freed with the last reference. Holders: the spec cache, each sandbox,
 *          each invocation that has not ended.
 * Threads: loop thread only.
 * Errors:  none.
 */
#ifndef HEARTH_INVOKER_READY_VERSION_H
#define HEARTH_INVOKER_READY_VERSION_H

#include "common/model/sandbox_spec.h"
#include "invoker/code_cache.h"
#include "invoker/image_store.h"
#include "invoker/pool.h"

struct ready_version;

/**
 * Takes @spec, @image, @code (NULL for images) and @layers (NULL: none) over; one reference is the
 * caller's. @habits: see pool_version_new().
 */
struct ready_version *ready_version_new(struct pool *pool, struct keep_alive *habits,
                                        struct sandbox_spec *spec,
                                        struct image_info *image, struct code *code,
                                        struct code *layers);
struct ready_version *ready_version_ref(struct ready_version *ver);
/** NULL is fine. */
void ready_version_unref(struct ready_version *ver);
/** For CLEANUP. */
void ready_version_unrefp(struct ready_version **ver);

const struct sandbox_spec *ready_version_spec(const struct ready_version *ver);
const struct image_info *ready_version_image(const struct ready_version *ver);
/**
 * What the zip function of an OS-only runtime is begun with, as on Lambda with nothing before it:
 * /var/task/bootstrap if its code has one, else /opt/bootstrap; NULL for all others. Without one in
 * the layers, the latter may be in the runtime's image, or nowhere: @ret_found is then false.
 */
const char *ready_version_bootstrap(const struct ready_version *ver, bool *ret_found);
/** What its main process is begun with, and where; "" when nothing says. */
const char *ready_version_program(const struct ready_version *ver);
const char *ready_version_folder(const struct ready_version *ver);
/** NULL for images. */
const char *ready_version_code_dir(const struct ready_version *ver);
/** All layers in one tree; NULL when there are none. */
const char *ready_version_layers_dir(const struct ready_version *ver);
struct pool_version *ready_version_pool(const struct ready_version *ver);
/** How many hold it. */
unsigned ready_version_refs(const struct ready_version *ver);
/** Takes @credentials (of the same role) over; sandboxes begun from now on have them. */
void ready_version_renew(struct ready_version *ver, struct role_credentials *credentials);
/** The image is not on the node any more: it has to be prepared anew before the next start. */
void ready_version_set_image_lost(struct ready_version *ver);
bool ready_version_is_image_lost(const struct ready_version *ver);

#endif
