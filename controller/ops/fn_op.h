/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_op.h - operations on one function that are one step: the function is read, the step looks at it
 * and decides, what it decides is written all or nothing, the client is answered. When somebody
 * else has written meanwhile, all of it is done again.
 *
 * So a step is a plain function of the request and the view, without waits; it is in ops_*.c, and
 * its row in fn_op_table.c.
 *
 * Owns:    nothing; a request owns its view and its write.
 * Threads: loop thread only.
 * Errors:  a step's own, as AWS has them; "Function not found: <ARN>" for a function, or (where the
 *          row says so) a qualifier, that does not exist.
 */
#ifndef HEARTH_CONTROLLER_OPS_FN_OP_H
#define HEARTH_CONTROLLER_OPS_FN_OP_H

#include "controller/api.h"
#include "controller/store/fn_write.h"

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

/**
 * Reads what the step needs beside the function, each time before the function is read: keeps it in
 * req->before (freed with the request), then goes on with fn_op_look(); or answers the request.
 */
typedef void fn_op_before(struct api_request *req);

/** Says what is wrong when there is no such function; returns -ERR_*. */
typedef int fn_op_missing(const struct api_request *req, struct error *err);
/** Names in @ret (FN_OTHERS_MAX) what else the step asks to be there; returns how many. */
typedef size_t fn_op_others(const struct api_request *req, struct fn_other *ret);

enum fn_op_qualifier {
    FN_QUALIFIER_STEP, /* the step looks for itself whether it exists */
    FN_QUALIFIER_EXISTS, /* a version or an alias that must exist */
};

struct fn_op {
    fn_op_step *step;
    enum fn_name_kind kind; /* of FunctionName */
    enum fn_op_qualifier qualifier;
    unsigned wants; /* FN_WANT() */
    fn_op_missing *missing; /* says what is wrong without the function; NULL: as above */
    fn_op_others *others; /* names what else the step asks to be there; NULL: nothing */
    fn_op_before *before; /* what has to be read first; NULL: nothing */
};

/** The row of an operation; step NULL: it is no operation of this kind. */
const struct fn_op *fn_op_find(enum lambda_op_id id);
/** Does it; the request is answered, now or later. */
void fn_op_run(struct api_request *req, const struct fn_op *op);

/** Goes on behind fn_op_before(): reads the function. */
void fn_op_look(struct api_request *req);
/** The same on the function that @req->fn names. */
void fn_op_run_named(struct api_request *req, const struct fn_op *op);

/* ---- what steps share ---- */

/** "$LATEST" or the request's qualifier: the field of documents kept for each qualifier. */
struct str fn_op_field(const struct api_request *req);
/** The ARN of the function, with @qualifier unless that is empty; the caller frees it. */
char *fn_op_arn(const struct api_request *req, struct str qualifier);
/** -ERR_NOT_FOUND "Function not found: <ARN with the request's qualifier>". */
int fn_op_not_found(const struct api_request *req, struct error *err);
/** -ERR_NOT_FOUND for a qualifier: "Cannot find alias arn: …" for a name, else as above. */
int fn_op_no_qualifier(const struct api_request *req, struct error *err);
/** Whether the request's qualifier names something: none, $LATEST, a version, an alias. */
bool fn_op_qualifier_exists(const struct api_request *req, const struct fn_view *view);
/** -ERR_PRECONDITION unless the input's RevisionId is absent or @revision_id. */
int fn_op_check_revision(const struct api_request *req, const char *revision_id,
                         struct error *err);
/** -ERR_CONFLICT "… An update is in progress for resource: <ARN>" while a change is under way. */
int fn_op_check_idle(const struct api_request *req, const struct fn_view *view, struct error *err);

/* ops_policy.c */
fn_op_step op_add_permission, op_get_policy, op_remove_permission;
fn_op_missing op_get_policy_missing, op_remove_permission_missing;
/* ops_tags.c */
fn_op_step op_tag_function, op_untag_function, op_list_function_tags;
/* ops_event_config.c */
fn_op_step op_put_event_config, op_update_event_config, op_get_event_config,
    op_delete_event_config, op_list_event_configs;
fn_op_missing op_event_config_no_function, op_event_config_missing;
fn_op_others op_event_config_others;
/* ops_settings.c */
fn_op_step op_get_recursion, op_put_recursion, op_get_runtime_management,
    op_put_runtime_management;
/* ops_concurrency.c */
fn_op_step op_put_concurrency, op_get_concurrency, op_delete_concurrency;
/* ops_provisioned.c */
fn_op_step op_put_provisioned, op_get_provisioned, op_delete_provisioned, op_list_provisioned;
/* ops_version.c */
fn_op_step op_publish_version, op_delete_version;
/* ops_alias.c */
fn_op_step op_create_alias, op_get_alias, op_list_aliases, op_update_alias, op_delete_alias;
/* ops_url.c */
fn_op_missing op_url_no_function, op_url_no_resource;
fn_op_step op_create_url, op_get_url, op_list_urls, op_update_url, op_delete_url;
#define URLS_KEY "urls" /* hash: id in a URL → {"function", "qualifier"} */
/** Takes the URL of @field (wanted: FN_URLS) away, if there is one. */
void op_url_forget(const struct fn_view *view, struct fn_write *w, struct str field);
/* ops_code_signing.c */
fn_op_step op_put_code_signing, op_get_code_signing, op_delete_code_signing;
fn_op_before op_before_put_code_signing;

#endif
