/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provisions.h - what this node is to keep initialised ahead of any invocation (provisioned
 * concurrency): made ready, begun, begun again when one ends, and told about.
 *
 * The controller says all of it at once (provisions_set()); what it does not name any more is kept no
 * longer. What has become of each version is said all at once, too, soon after each change.
 *
 * A version that cannot be made ready, or whose sandbox fails or ends, is tried again: at once the
 * first time, then after 0.1 s, doubled to 60 s, until all have been up for 10 s.
 *
 * Owns:    the list; a reference of each version that is ready.
 * Borrows: loop and spec cache; they outlive it.
 * Threads: loop thread only; the report never comes inside a call.
 * Errors:  are part of the report.
 * Source:  Lambda developer guide, "Configuring provisioned concurrency".
 */
#ifndef HEARTH_INVOKER_PROVISIONS_H
#define HEARTH_INVOKER_PROVISIONS_H

#include "common/io/loop.h"
#include "invoker/spec_cache.h"

struct provisions;

/** One version that is provisioned here. */
struct provision_status {
    struct spec_key key; /* borrowed for the call */
    uint32_t wanted, begun, ready;
    bool has_failed; /* the last try; none is ready since */
};
/** All of them; borrowed for the call. */
typedef void provisions_report_fn(const struct provision_status *all, size_t len, void *arg);

struct provisions *provisions_new(struct loop *loop, struct spec_cache *specs,
                                  provisions_report_fn *report, void *arg);
/** Nothing is kept any more; before the spec cache is freed. NULL is fine. */
void provisions_free(struct provisions *p);

struct provision_want {
    struct spec_key key; /* borrowed for the call */
    uint32_t count;
};
/** All that is wanted from now on. */
void provisions_set(struct provisions *p, const struct provision_want *all, size_t len);
/** Kept sandboxes of @ver have changed (pool_ops.kept_changed). */
void provisions_changed(struct provisions *p, const struct ready_version *ver);
/** Reports soon, changed or not: the controller is here again. */
void provisions_tell(struct provisions *p);

#endif
