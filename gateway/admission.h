/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admission.h - who may run now: which pool an invocation takes its permit from, and how fast they may
 * begin. How many there are is the ledger's business: leases.h.
 *
 * An invocation of a version that concurrency is provisioned for takes a permit of that, or else one of
 * the function's plain ones: those of its reservation, or what the account has for all functions without
 * one. A function with a reservation of 0 may not run at all; nobody is asked.
 *
 * Beside that, invocations may begin at a rate of so many times the function's limit a second, of which
 * this gateway takes its share: a bucket that holds one second's worth.
 *
 * Owns:    accounts and functions; a struct fn_admission is shared by those who hold a reference.
 * Borrows: the leases; they outlive it.
 * Threads: loop thread only.
 * Errors:  -ERR_THROTTLED; the message is AWS's ADMISSION_MESSAGE, the reason one of AWS's.
 * Source:  Lambda API reference, TooManyRequestsException; recorded AWS answers.
 */
#ifndef HEARTH_GATEWAY_ADMISSION_H
#define HEARTH_GATEWAY_ADMISSION_H

#include "gateway/leases.h"

#define ADMISSION_MESSAGE "Rate Exceeded."
#define ADMISSION_ACCOUNT "ConcurrentInvocationLimitExceeded"
#define ADMISSION_FUNCTION "ReservedFunctionConcurrentInvocationLimitExceeded"
#define ADMISSION_ACCOUNT_RATE "FunctionInvocationRateLimitExceeded"
#define ADMISSION_FUNCTION_RATE "ReservedFunctionInvocationRateLimitExceeded"
#define ADMISSION_WAITING_MAX 10000u /* invocations of an account that wait for a route or a permit */

struct admission;
struct account; /* what one account has waiting */
struct fn_admission; /* one function */

/* What the controller says with a route. */
struct fn_limits {
    bool has_reserved, has_unreserved;
    uint64_t reserved; /* of the function; 0: it may not run */
    uint64_t unreserved; /* left by all reservations for the account's other functions */
};

/** @rate_factor: invocations a second for each that may run at once; 0: at any rate. */
struct admission *admission_new(struct leases *leases, uint64_t rate_factor);
/** After all references are given back. */
void admission_free(struct admission *a);
/** What the account's functions without a reservation may run at once, from now on. */
void admission_set_unreserved(struct admission *a, struct str account, uint64_t unreserved);
/** Rates are shared with so many gateways, this one included; at least 1. */
void admission_set_gateways(struct admission *a, uint64_t gateways);

/** The function; *@ret is a reference of the caller's. */
struct fn_admission *admission_fn(struct admission *a, struct str account, struct str name);
struct fn_admission *fn_admission_ref(struct fn_admission *fn);
/** NULL does nothing. */
void fn_admission_unref(struct fn_admission *fn);
/** The limits from now on. */
void fn_admission_set_limits(struct fn_admission *fn, const struct fn_limits *limits);
/** The pool of what is provisioned for @version; for lease_pool_unref(). */
struct lease_pool *fn_admission_class(struct fn_admission *fn, struct str version);
/**
 * Takes a permit into @w->permit, for permit_return().
 *
 * @class  what is provisioned for the version; NULL: nothing
 * @w      with permit, function and fn set
 *
 * 0; -ERR_NOT_READY: @w waits for one, and is told; -ERR_THROTTLED with AWS's reason in *@ret_reason.
 */
int fn_admission_take(struct fn_admission *fn, struct lease_pool *class, uint64_t now_us,
                      struct permit_wait *w, const char **ret_reason);
/** Whether @permit, which is held, is one that an invocation of the function may run on now. */
bool fn_admission_fits(const struct fn_admission *fn, const struct lease_pool *class,
                       const struct permit *permit);
/**
 * Whether one more invocation may begin at @now_us (monotonic): -ERR_THROTTLED with AWS's reason in
 * *@ret_reason. @permit: it has that one. For those that somebody waits for: events are not refused for
 * their rate.
 */
int fn_admission_pace(struct fn_admission *fn, const struct permit *permit, uint64_t now_us,
                      const char **ret_reason);

/**
 * One more invocation waits for its route or its permit: no more of them than ADMISSION_WAITING_MAX.
 * *@ret is for admission_waited(). -ERR_THROTTLED when there are too many (ADMISSION_ACCOUNT).
 */
int admission_wait(struct admission *a, struct str account, struct account **ret);
/** It waits no more. NULL does nothing. */
void admission_waited(struct account *account);

#endif
