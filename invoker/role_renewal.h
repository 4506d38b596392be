/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_renewal.h - credentials of functions' roles are renewed in time: those of each version that
 * is ready here once less than 6 of their 12 hours are left, and each sandbox that has old ones in
 * its environment is replaced before they end.
 *
 * It looks once a minute, so that no start and no invocation waits for it. While the controller is
 * away, starts use what is known, and no sandbox is ended for want of something better.
 *
 * Borrows: loop, spec cache, the node's sandboxes; they outlive it.
 * Threads: loop thread only.
 * Errors:  none: who does not answer is asked again.
 * Source:  docs/internals/auth.md, "Sessions of functions".
 */
#ifndef HEARTH_INVOKER_ROLE_RENEWAL_H
#define HEARTH_INVOKER_ROLE_RENEWAL_H

#include "invoker/sandbox.h"
#include "invoker/spec_cache.h"

struct role_renewal;

struct role_renewal_options {
    struct loop *loop;
    struct spec_cache *specs;
    struct sandbox_host *host;
    /* Asks for new credentials of @key; they come to spec_cache_renew(). */
    void (*ask)(const struct spec_key *key, void *arg);
    void *arg;
    uint64_t (*now_ms)(void); /* Unix time: wall_ms() */
};

/** Looks from now on. */
struct role_renewal *role_renewal_new(const struct role_renewal_options *options);
/** NULL is fine. */
void role_renewal_free(struct role_renewal *renewal);
/** The look of each minute, at once; for tests. */
void role_renewal_look(struct role_renewal *renewal);

#endif
