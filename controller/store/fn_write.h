/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_write.h - what an operation changes of one function: $LATEST's revision, published versions,
 * and what is kept beside them. All or nothing, and only if nobody has written since the view that
 * it was made from was read.
 *
 * Owns:    itself until fn_write_run() or fn_write_free().
 * Borrows: the view, until it is run.
 * Threads: loop thread only; callbacks never run inside a call.
 * Errors:  those of docs.h; ERR_STALE: read the function again and decide again.
 */
#ifndef HEARTH_CONTROLLER_STORE_FN_WRITE_H
#define HEARTH_CONTROLLER_STORE_FN_WRITE_H

#include "controller/store/docs.h"
#include "controller/store/fn_view.h"

struct fn_write;

struct fn_write *fn_write_new(struct redis *redis, const struct seal_key *key, struct str account,
                              struct str name, const struct fn_view *view);
void fn_write_free(struct fn_write *w);
bool fn_write_is_empty(const struct fn_write *w);

/** Sets, or takes away, the document of @kind under @field. */
void fn_write_doc(struct fn_write *w, enum fn_kind kind, struct str field, const cJSON *doc);
void fn_write_no_doc(struct fn_write *w, enum fn_kind kind, struct str field);
/** The same of a setting (FN_SETTINGS), a JSON value of any type. */
void fn_write_setting(struct fn_write *w, const char *name, const cJSON *value);
void fn_write_number(struct fn_write *w, const char *name, double value);
void fn_write_string(struct fn_write *w, const char *name, struct str value);
void fn_write_no_setting(struct fn_write *w, const char *name);
/** A new RevisionId of $LATEST. */
void fn_write_revision(struct fn_write *w, const char *revision_id);
/** A published version, new or changed; a new one is entered with its archives. */
int fn_write_version(struct fn_write *w, const struct fn_version *ver, bool is_new,
                     struct error *err);
/** Takes the published version away. */
void fn_write_no_version(struct fn_write *w, const struct fn_version *ver);
/** The commit below, for writes beyond the function. */
struct docs_commit *fn_write_commit(struct fn_write *w);

/* ---- what follows from the change, before the client is answered ---- */

/** Gateways must look the function up again. */
void fn_write_drops_routes(struct fn_write *w);
bool fn_write_is_dropping_routes(const struct fn_write *w);
/** And what functions without a reservation may run together is @unreserved now. */
void fn_write_tells_unreserved(struct fn_write *w, uint64_t unreserved);
/** False: that has not changed. */
bool fn_write_unreserved(const struct fn_write *w, uint64_t *ret);
/**
 * What the function has reserved or provisioned changes, or is as the request wants it already: what gateways
 * hold follows, before the client is answered. @is_reserved: something is reserved afterwards.
 */
void fn_write_moves_limits(struct fn_write *w, bool is_reserved);
bool fn_write_is_moving_limits(const struct fn_write *w, bool *ret_is_reserved);
/** The version that fn_write_no_version() took away, or NULL. */
const char *fn_write_retired(const struct fn_write *w);
/** Archives that may be without a function now, separated by blanks; "" when there are none. */
const char *fn_write_left_code(const struct fn_write *w);

/** Runs the commit; @w lives on for fn_write_free(). */
void fn_write_run(struct fn_write *w, docs_commit_fn *done, void *arg);

#endif
