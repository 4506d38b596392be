/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api.h - one management call of a client, from the gateway's question to its one answer.
 *
 * api.c gathers and validates the input and finds the handler; handlers are in ops_*.c and end with
 * exactly one of the api_reply/api_fail functions, now or later.
 *
 * Owns:    a struct api_request belongs to its handler; replying frees it.
 * Threads: loop thread only.
 * Errors:  what is ours (Redis, files) reaches the client as a ServiceException without details,
 *          and the log with them.
 */
#ifndef HEARTH_CONTROLLER_API_H
#define HEARTH_CONTROLLER_API_H

#include "common/model/fn_apply.h"
#include "common/model/fn_name.h"
#include "common/model/lambda_ops.h"
#include "controller/controller.h"
#include "controller/ops/layers.h"

struct fn_op;
struct fn_write;

/** What a client would have got; @body is borrowed. */
typedef void api_done_fn(int status, struct str body, void *arg);

struct api_request {
    struct controller *c;
    struct rpc_request *rpc; /* NULL: the controller's own call, @done gets the answer */
    api_done_fn *done;
    void *done_arg;
    const struct lambda_op *op;
    cJSON *input; /* validated; may hold secrets */
    char *account, *request_id;
    char *endpoint; /* "http://host:port" that the client called, or "" */
    char *path, *query; /* what @match borrows from */
    struct lambda_match match;
    struct fn_home home;
    struct fn_name fn; /* of handlers that name a function: api_name() */
    struct layer_name layer; /* of handlers that name a layer: api_layer() */

    /* what a handler keeps while it waits */
    struct fn_version *ver; /* to be written */
    struct fn_version *cur; /* that it was made from */
    struct fn_layer *layers; /* that the input names */
    size_t layers_len;
    void (*then)(struct api_request *req); /* once they are found */
    struct buf long_message; /* of an error that a struct error does not hold */
    struct fn_version *publish; /* the version to publish with it, or NULL */
    char seq[24]; /* of the function that @cur is of */
    uint64_t next_version; /* that it would publish */
    int64_t account_code_bytes; /* of all archives of the account */
    struct code_pin pin; /* of an archive that came with the request */
    bool pinned;
    char *code_signing; /* ARN of the function's code signing configuration, or NULL */
    bool image_asked; /* the invokers, what the input's image is */
    char *image_reference, *image_digest; /* their answer; NULL: none could tell */
    char change[UUID_MAX];
    unsigned tries;
    unsigned waiting; /* answers of peers */

    /* of an operation that is one step: fn_op.h */
    const struct fn_op *fn_op;
    struct fn_write *write;
    struct limit_change *limits; /* that the write changes, until it is told; NULL: none */
    bool limits_untold; /* gateways may not know of it: nobody led to the end */
    char *before; /* what fn_op_before() has read */
    cJSON *answer;
};

typedef void api_handler_fn(struct api_request *req);

/* ops_create.c */
api_handler_fn api_create_function;
/* ops_function.c */
api_handler_fn api_get_function, api_get_function_configuration,
    api_list_functions, api_delete_function;
/* ops_settings.c */
api_handler_fn api_get_account_settings;
/* ops_tags.c */
api_handler_fn api_tags;
/* ops_version.c */
api_handler_fn api_list_versions;
/* ops_layer.c, ops_layer_list.c, ops_layer_policy.c */
api_handler_fn api_publish_layer_version, api_get_layer_version, api_get_layer_version_by_arn,
    api_delete_layer_version, api_list_layers, api_list_layer_versions, api_change_layer_policy,
    api_get_layer_version_policy;
/* ops_update.c */
api_handler_fn api_update_function_code, api_update_function_configuration;

/* ops_esm.c */
api_handler_fn api_create_esm, api_get_esm, api_update_esm, api_delete_esm, api_list_esms;
/* ops_code_signing.c: Create…; Get…, Update…, Delete… and ListFunctionsBy…; List… */
api_handler_fn api_create_code_signing, api_code_signing, api_list_code_signings;

/** Whether there is a handler for the operation. */
bool api_is_offered(enum lambda_op_id id);
/** Reads FunctionName (and Qualifier) of the input into req->fn. False: the request has been answered. */
bool api_name(struct api_request *req, enum fn_name_kind kind);
/** The same for operations on $LATEST alone: a name with another qualifier is refused. */
bool api_latest_name(struct api_request *req);
/** The qualifier that the client named, for FunctionArn; STR_NULL: none. */
struct str api_qualifier(const struct api_request *req);
/** What fn_apply_* needs; @revision_id (UUID_MAX bytes) is filled with a new one. */
struct fn_defaults api_defaults(struct api_request *req, char *revision_id);
/** "account" and "name" of the function, as route.drop and version.retire have them. */
cJSON *api_function_json(const struct api_request *req);
/** The member @name of the input, or NULL. */
const cJSON *api_member(const struct api_request *req, const char *name);
bool api_is_true(const struct api_request *req, const char *name);
/** Finds the layers that the input names, if it speaks of any, and goes on with @then. */
void api_find_layers(struct api_request *req, void (*then)(struct api_request *req));
/** A layer that was found has been deleted since: answers as if it had not been found. */
void api_fail_layers(struct api_request *req);
/** The archive behind @pin becomes req->ver's. */
void api_take_pin(struct api_request *req, const struct code_pin *pin);
/**
 * req->ver's image becomes what it is now, if an invoker can tell, and the request goes on with
 * @then. An image that does not exist or is denied: the request has been answered. Asks once for
 * each request.
 */
void api_resolve_image(struct api_request *req, void (*then)(struct api_request *req));
/** The archive that came with the request is not needed: it goes unless another function has it. */
void api_drop_archive(struct api_request *req);
/** req->ver as version @number, Pending until the change that makes it ends. */
struct fn_version *api_publish(const struct api_request *req, uint64_t number);
/**
 * The registry has taken req->ver as @generation (req->cur serves meanwhile, unless it is NULL):
 * answers with its configuration and leads the change.
 */
void api_accept(struct api_request *req, uint64_t generation);

/**
 * Does operation @id as a client of @account would: with its limits, errors and consequences.
 *
 * @input  by the API's member names; given away
 * @done   exactly once, never inside the call
 */
void api_call(struct controller *c, struct str account, enum lambda_op_id id, cJSON *input,
              api_done_fn *done, void *arg);

/** Answers success with @json (given away, may hold secrets; NULL: no body). */
void api_reply(struct api_request *req, cJSON *json);
/** Answers an error in AWS's shape. */
void api_fail(struct api_request *req, const struct error *err);
void api_fail_with(struct api_request *req, enum error_code code, const char *fmt, ...)
    PRINTF_FORMAT(3, 4);
/** "Function not found: <ARN>". */
void api_fail_not_found(struct api_request *req);
/** "… An update is in progress for resource: <ARN>". */
void api_fail_busy(struct api_request *req);

#endif
