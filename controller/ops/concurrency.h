/* SPDX-License-Identifier: Apache-2.0 */
/*
 * concurrency.h - what of an account's concurrency functions hold: reserved by a function as a whole,
 * or, where nothing is reserved, provisioned for its versions and aliases.
 *
 * The account's two counters (fn_view.h) are the sums. A commit that was decided by them expects
 * them unchanged, so that two functions cannot take the same share; it then ends with ERR_STALE
 * and is decided again.
 *
 * Owns:    nothing.
 * Threads: loop thread only.
 * Errors:  AWS's.
 * Source:  developer guide, "Reserved concurrency", "Provisioned concurrency"; recorded answers.
 */
#ifndef HEARTH_CONTROLLER_OPS_CONCURRENCY_H
#define HEARTH_CONTROLLER_OPS_CONCURRENCY_H

#include "controller/ops/fn_op.h"

#define CONCURRENCY_UNRESERVED_MIN 100 /* stays for functions without a reservation */

/** What a document of FN_PROVISIONED (NULL: none) asks for. */
int64_t concurrency_requested(const cJSON *doc);
/** What the function has reserved; -1: nothing. */
int64_t concurrency_reserved(const struct fn_view *view);
/** What is provisioned for all its versions and aliases (FN_PROVISIONED). */
int64_t concurrency_provisioned(const struct fn_view *view);
/** CONCURRENCY_UNRESERVED_MIN, or the whole of a smaller account. */
int64_t concurrency_least_unreserved(const struct api_request *req);
/** What is left to functions without a reservation when @reserved are reserved. */
int64_t concurrency_unreserved(const struct api_request *req, int64_t reserved);
/** What all other functions leave of the account's (FN_WANT_ACCOUNT, FN_PROVISIONED). */
int64_t concurrency_left_by_others(const struct api_request *req, const struct fn_view *view);

/**
 * Whether @alias, as it is to be (the API's form), may have provisioned concurrency: it leads to one published version,
 * which no other qualifier provides for (FN_PROVISIONED, FN_ALIASES). -ERR_BAD_REQUEST, -ERR_CONFLICT.
 */
int concurrency_check_alias(const struct fn_view *view, const cJSON *alias, struct error *err);

/** The commit holds only while the account's counters stand as in @view. */
void concurrency_expect(struct fn_write *w, const struct fn_view *view);
/** What is provisioned for the function grows by @by. */
void concurrency_count_provisioned(struct fn_write *w, const struct fn_view *view, int64_t by);
/** Takes away what is provisioned for @qualifier (FN_PROVISIONED), if anything. */
void concurrency_drop_provisioned(struct fn_write *w, const struct fn_view *view,
                                  struct str qualifier);

/** -ERR_CONCURRENCY_LIMIT: "… below its minimum value of [100]." */
int concurrency_below_least(const struct api_request *req, struct error *err);

#endif
