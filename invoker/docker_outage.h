/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker_outage.h - a Docker engine that does not answer: one line in the log for each outage, and
 * a pace for those who would try again.
 *
 * Owns:    its timer. Borrows: loop.
 * Threads: loop thread only; the callback comes from the loop.
 * Errors:  none.
 */
#ifndef HEARTH_INVOKER_DOCKER_OUTAGE_H
#define HEARTH_INVOKER_DOCKER_OUTAGE_H

#include "common/base/error.h"
#include "common/io/loop.h"

struct docker_outage {
    char *socket; /* for messages */
    uint64_t pause_us; /* 0: the engine answers, as far as we know */
    struct timer timer; /* armed: nobody tries */
};

/** @retry(@arg) when a pause is over. @socket is copied; NULL: unknown. */
void docker_outage_init(struct docker_outage *outage, struct loop *loop, const char *socket,
                        void (*retry)(void *arg), void *arg);
void docker_outage_done(struct docker_outage *outage);

/** Whether @err (may be NULL) says that no engine is there. */
bool docker_outage_tells(const struct error *err);
/** Whether @err says so, and that the request has not reached it for sure. */
bool docker_outage_is_unheard(const struct error *err);
/**
 * Such an error came: an outage begins, or goes on with a longer pause (0.2 s, doubling to 5 s).
 * Those that come within a pause count as one.
 */
void docker_outage_begin(struct docker_outage *outage, const struct error *err);
/** The engine has answered. Whether that ends an outage. */
bool docker_outage_end(struct docker_outage *outage);
bool docker_outage_is_on(const struct docker_outage *outage);
/** An outage is on and nobody should try at present. */
bool docker_outage_is_pausing(const struct docker_outage *outage);
/** ERR_UNAVAILABLE in words for whoever runs the node. */
void docker_outage_error(const struct docker_outage *outage, struct error *ret);

#endif
