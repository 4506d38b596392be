/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_op.h - operations on one function that are one step: the function is read, the step looks at it
 * and decides, what it decides is written all or nothing, the client is answered. When somebody
 * else has written meanwhile, all of it is done again.
 *
 * So a step is a plain function of the request and the view, without waits; it is in ops_*.c, and
 * its row in the table of fn_op.c.
 *
 * Owns:    nothing; a request owns its view and its write.
 * Threads: loop thread only.
 * Errors:  a step's own, as AWS has them; "Function not found: <ARN>" for a function, or (where the
 *          row says so) a qualifier, that does not exist.
 */
#ifndef HEARTH_CONTROLLER_FN_OP_H
#define HEARTH_CONTROLLER_FN_OP_H

#include "controller/api.h"
#include "controller/fn_write.h"

/**
 * Decides.
 *
 * @w    what is to be written; empty: the answer is true as it is
 * @ret  the answer's body, given away; NULL: none
 *
 * Returns 0 or -ERR_*; then nothing is written.
 */
typedef int fn_op_step(struct api_request *req, const struct fn_view *view, struct fn_write *w,
                       cJSON **ret, struct error *err);

enum fn_op_qualifier {
    FN_QUALIFIER_STEP, /* the step looks for itself whether it exists */
    FN_QUALIFIER_EXISTS, /* a version or an alias that must exist */
};

struct fn_op {
    fn_op_step *step;
    enum fn_name_kind kind; /* of FunctionName */
    enum fn_op_qualifier qualifier;
    unsigned wants; /* FN_WANT() */
};

/** The row of an operation; step NULL: it is no operation of this kind. */
const struct fn_op *fn_op_find(enum lambda_op_id id);
/** Does it; the request is answered, now or later. */
void fn_op_run(struct api_request *req, const struct fn_op *op);

/* ---- what steps share ---- */

/** "$LATEST" or the request's qualifier: the field of documents kept for each qualifier. */
struct str fn_op_field(const struct api_request *req);
/** The ARN of the function, with @qualifier unless that is empty; the caller frees it. */
char *fn_op_arn(const struct api_request *req, struct str qualifier);
/** -ERR_NOT_FOUND "Function not found: <ARN with the request's qualifier>". */
int fn_op_not_found(const struct api_request *req, struct error *err);
/** Whether the request's qualifier names something: none, $LATEST, a version, an alias. */
bool fn_op_qualifier_exists(const struct api_request *req, const struct fn_view *view);
/** -ERR_PRECONDITION unless the input's RevisionId is absent or @revision_id. */
int fn_op_check_revision(const struct api_request *req, const char *revision_id,
                         struct error *err);
/** -ERR_CONFLICT "… An update is in progress for resource: <ARN>" while a change is under way. */
int fn_op_check_idle(const struct api_request *req, const struct fn_view *view, struct error *err);

/* ops_version.c */
fn_op_step op_publish_version, op_delete_version;
/* ops_alias.c */
fn_op_step op_create_alias, op_get_alias, op_list_aliases, op_update_alias, op_delete_alias;

#endif
