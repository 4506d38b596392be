/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admission.h - who may run now: the limit of concurrent invocations of an account.
 *
 * An invocation holds a lease from the moment it is let in until it is answered. Today a lease is
 * this gateway's own share of the limit; leases granted by the controller will come through the
 * same seam, with an epoch that fences older ones.
 *
 * Owns:    the leases, one for each account.
 * Threads: loop thread only.
 * Errors:  -ERR_THROTTLED, in AWS's words; the reason is ADMISSION_REASON.
 */
#ifndef HEARTH_GATEWAY_ADMISSION_H
#define HEARTH_GATEWAY_ADMISSION_H

#include <stdint.h>

#include "common/base/error.h"
#include "common/base/str.h"

#define ADMISSION_REASON "ConcurrentInvocationLimitExceeded"

struct admission;

/* A block of permits of one account. */
struct lease {
    uint64_t epoch; /* goes with each invocation; 0: granted by nobody but us */
    uint64_t permits;
    uint64_t in_use;
};

struct admission *admission_new(uint64_t account_limit);
void admission_free(struct admission *a);
/** Takes a permit; *@ret is for lease_return(). */
int lease_take(struct admission *a, struct str account, struct lease **ret, struct error *err);
/** Gives the permit back, once. NULL does nothing. */
void lease_return(struct lease *lease);

#endif
