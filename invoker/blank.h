/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blank.h - one native sandbox: made without a function, assigned later, ended and removed.
 *
 *   blank_new() ── on_ready ── (the owner assigns it over its link) ── blank_end() ── gone
 *          └───────────── on_lost (any time before blank_adopt) ──────────┘
 *
 * Owns:    the sandbox's processes, cgroup and the runtime's state of it; the link to its PID 1.
 * Threads: loop thread only; callbacks never run inside the call that asked for them.
 * Errors:  by on_lost. Removal is tried until it is done.
 */
#ifndef HEARTH_INVOKER_BLANK_H
#define HEARTH_INVOKER_BLANK_H

#include "invoker/init_link.h"
#include "invoker/native_host.h"

struct blank;

struct blank_handler {
    void (*on_ready)(struct blank *blank, void *arg);
    /** It could not be made, or died: to be ended by blank_end(). At most once. */
    void (*on_lost)(struct blank *blank, const struct error *err, void *arg);
};

/** Begins to make one; @id is unique in this life. @handler is borrowed. */
struct blank *blank_new(struct native_host *host, const char *id, uint64_t limit_us,
                        const struct blank_handler *handler, void *arg);
/** The name of its cgroup, among those of this life. */
const char *blank_id(const struct blank *blank);
/** Of its PID 1, borrowed; -1: it is not there. */
int blank_pidfd(const struct blank *blank);
/** Good until blank_end(). */
const struct cgroup *blank_cgroup(const struct blank *blank);
/** Its network; NULL: none. */
struct network_port *blank_port(const struct blank *blank);
/** From now on @handler hears what PID 1 says and that it ended; on_lost comes no more. */
struct init_link *blank_adopt(struct blank *blank, const struct init_link_handler *handler,
                              void *arg);
/** What HELLO brought, once; the caller's. */
struct launch_fds blank_take_fds(struct blank *blank);
/**
 * Ends it in any state, at once, and frees it when all of it is removed; then @gone. Before that, where it
 * had processes, @dead: all of them are. Both may be NULL.
 */
void blank_end(struct blank *blank, void (*dead)(void *arg), void (*gone)(void *arg), void *arg);
/** Lets go of it without waiting: it dies, the janitor removes what is left. No callback comes. */
void blank_free(struct blank *blank);

#endif
