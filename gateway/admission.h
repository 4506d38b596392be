/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admission.h - who may run now: the reserved concurrency of a function, or else what the account
 * has left for functions without one.
 *
 * A permit is held from the moment an invocation is let in until it is answered. It is counted at
 * the function, over all its versions and aliases; those of functions without a reservation also at
 * the account. The counter of a function outlives its routes, so that a change of the function
 * forgets nobody who runs. Today the numbers are this gateway's own; leases granted by the controller
 * will come through the same seam.
 *
 * Beside that, invocations may begin at a rate of so many times the same limit a second: a bucket that
 * holds one second's worth.
 *
 * Owns:    accounts and function counters; a struct fn_lease is shared by those who hold a reference
 *          and those who run.
 * Threads: loop thread only.
 * Errors:  -ERR_THROTTLED; the message is AWS's ADMISSION_MESSAGE, the reason one of AWS's.
 * Source:  Lambda API reference, TooManyRequestsException; recorded AWS answers.
 */
#ifndef HEARTH_GATEWAY_ADMISSION_H
#define HEARTH_GATEWAY_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"

#define ADMISSION_MESSAGE "Rate Exceeded."
#define ADMISSION_ACCOUNT "ConcurrentInvocationLimitExceeded"
#define ADMISSION_FUNCTION "ReservedFunctionConcurrentInvocationLimitExceeded"
#define ADMISSION_ACCOUNT_RATE "FunctionInvocationRateLimitExceeded"
#define ADMISSION_FUNCTION_RATE "ReservedFunctionInvocationRateLimitExceeded"

struct admission;
struct account; /* what one account has running and waiting */
struct fn_lease; /* the permits of one function */

/* What the controller says with a route. */
struct fn_limits {
    bool has_reserved, has_unreserved;
    uint64_t reserved; /* of the function; 0: it may not run */
    uint64_t set_aside; /* of @reserved, provisioned for some of its versions: others cannot have it */
    uint64_t unreserved; /* left by all reservations for the account's other functions */
};

/**
 * @account_limit  what an account may run until the controller says its `unreserved`
 * @rate_factor    invocations a second for each that may run at once; 0: at any rate
 */
struct admission *admission_new(uint64_t account_limit, uint64_t rate_factor);
/** After all references and permits are given back. */
void admission_free(struct admission *a);
/** What the account's functions without a reservation may run at once, from now on. */
void admission_set_unreserved(struct admission *a, struct str account, uint64_t unreserved);

/** The counter of a function; *@ret is a reference of the caller's. */
struct fn_lease *admission_fn(struct admission *a, struct str account, struct str name);
struct fn_lease *fn_lease_ref(struct fn_lease *fn);
/** NULL does nothing. */
void fn_lease_unref(struct fn_lease *fn);
/** The limits from now on; who runs already is counted under them too. */
void fn_lease_set_limits(struct fn_lease *fn, const struct fn_limits *limits);
/**
 * Takes a permit for fn_lease_return(); -ERR_THROTTLED with AWS's reason in *@ret_reason.
 *
 * @is_provisioned  for a version that concurrency is provisioned for
 */
int fn_lease_take(struct fn_lease *fn, bool is_provisioned, const char **ret_reason);
/**
 * Whether one more invocation may begin at @now_us (monotonic): -ERR_THROTTLED with AWS's reason in
 * *@ret_reason. For those that somebody waits for: events are not refused for their rate.
 */
int fn_lease_pace(struct fn_lease *fn, uint64_t now_us, const char **ret_reason);
/** Gives the permit back, once, as it was taken. NULL does nothing. */
void fn_lease_return(struct fn_lease *fn, bool is_provisioned);

/**
 * One more invocation waits to learn what its limits are: no more of them than the account's limit.
 * *@ret is for admission_waited(). -ERR_THROTTLED when there are too many (ADMISSION_ACCOUNT).
 */
int admission_wait(struct admission *a, struct str account, struct account **ret);
/** It waits no more. NULL does nothing. */
void admission_waited(struct account *account);

#endif
