/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_version.h - one version of one function at one generation, with all that a sandbox of it needs
 * at hand on this node: its specification, its image, its unpacked code, its place in the pool.
 *
 * Owns:    the four of them; freed with the last reference. Holders: the spec cache, each sandbox,
 *          each invocation that has not ended.
 * Threads: loop thread only.
 * Errors:  none.
 */
#ifndef HEARTH_INVOKER_FN_VERSION_H
#define HEARTH_INVOKER_FN_VERSION_H

#include "common/model/sandbox_spec.h"
#include "invoker/code_cache.h"
#include "invoker/image_store.h"
#include "invoker/pool.h"

struct fn_version;

/** Takes @spec, @image and @code (NULL for images) over; one reference is the caller's. */
struct fn_version *fn_version_new(struct pool *pool, struct sandbox_spec *spec,
                                  struct image_info *image, struct code *code);
struct fn_version *fn_version_ref(struct fn_version *ver);
/** NULL is fine. */
void fn_version_unref(struct fn_version *ver);
/** For CLEANUP. */
void fn_version_unrefp(struct fn_version **ver);

const struct sandbox_spec *fn_version_spec(const struct fn_version *ver);
const struct image_info *fn_version_image(const struct fn_version *ver);
/** What its main process is begun with, and where; "" when nothing says. */
const char *fn_version_program(const struct fn_version *ver);
const char *fn_version_folder(const struct fn_version *ver);
/** NULL for images. */
const char *fn_version_code_dir(const struct fn_version *ver);
struct pool_version *fn_version_pool(const struct fn_version *ver);
/** How many hold it. */
unsigned fn_version_refs(const struct fn_version *ver);
/** One more sandbox is to have its init phase within an invocation (see sandbox_start()). */
void fn_version_expect_slow(struct fn_version *ver);
/** Whether the one that begins now is such; takes it off the account. */
bool fn_version_take_slow(struct fn_version *ver);
/** The image is not on the node any more: it has to be prepared anew before the next start. */
void fn_version_set_image_lost(struct fn_version *ver);
bool fn_version_is_image_lost(const struct fn_version *ver);

#endif
