/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scaling.h - one call of the API of Application Auto Scaling, from its JSON to its one answer.
 *
 * scaling_api.c finds the operation and checks the input; operations on one target are steps
 * (scaling_targets.c, scaling_policies.c, scaling_actions.c): they look at the target's document and
 * change it. Lists are in scaling_lists.c; how documents are shown in scaling_show.c.
 *
 * Owns:    a struct scaling_request is freed with its answer.
 * Threads: loop thread only.
 * Errors:  AWS's, see SCALING_ERROR_MAP; what is ours (Redis) reaches the client without details.
 * Source:  Application Auto Scaling API reference; user guide, "AWS Lambda and Application Auto Scaling".
 */
#ifndef HEARTH_CONTROLLER_SCALING_SCALING_H
#define HEARTH_CONTROLLER_SCALING_SCALING_H

#include "common/model/fn_name.h"
#include "common/model/scaling_ops.h"
#include "controller/controller.h"
#include "controller/scaling/scaling_store.h"

#define SCALING_NAMESPACE "lambda"
#define SCALING_DIMENSION "lambda:function:ProvisionedConcurrency"
#define SCALING_METRIC "LambdaProvisionedConcurrencyUtilization"

#define SCALING_ACTIONS_MAX 200 /* of a target; AWS's quotas */
#define SCALING_TAGS_MAX 50

#define SCALING_ERROR_MAP(X)                                                                       \
    X(ValidationException, 400)                                                                    \
    X(ObjectNotFoundException, 400)                                                                \
    X(LimitExceededException, 400)                                                                 \
    X(ConcurrentUpdateException, 500)                                                              \
    X(InvalidNextTokenException, 400)                                                              \
    X(ResourceNotFoundException, 400)                                                              \
    X(TooManyTagsException, 400)                                                                   \
    X(SerializationException, 400)                                                                 \
    X(UnknownOperationException, 400)                                                              \
    X(InternalServiceException, 500)                                                               \
    X(ServiceUnavailable, 503)

enum scaling_error {
#define SCALING_ERROR_ENUM_(code, http) SCALING_##code,
    SCALING_ERROR_MAP(SCALING_ERROR_ENUM_)
#undef SCALING_ERROR_ENUM_
};

struct scaling_request {
    struct controller *c;
    struct rpc_request *rpc;
    const struct scaling_op *op;
    cJSON *input;
    char *account, *request_id;
    char *resource; /* "function:NAME:QUALIFIER", or NULL */
    struct str function, qualifier; /* of it */
    bool exists; /* RegisterScalableTarget: the version or alias is there */
    enum scaling_error error; /* of a step that failed */
    char message[ERROR_MSG_MAX];
    cJSON *answer;
    void *list; /* of scaling_lists.c */
};

/** The step's answer is in req->answer (NULL: {}); see scaling_decide_fn for @doc and the result. */
typedef int scaling_step(struct scaling_request *req, cJSON **doc);

/* scaling_targets.c */
scaling_step scaling_register, scaling_deregister, scaling_tag, scaling_untag, scaling_list_tags;
/* scaling_policies.c */
scaling_step scaling_put_policy, scaling_delete_policy;
/* scaling_actions.c */
scaling_step scaling_put_action, scaling_delete_action;
/* scaling_lists.c */
void scaling_list(struct scaling_request *req);

/** For steps: -1, with the error that becomes the answer. */
int scaling_refuse(struct scaling_request *req, enum scaling_error code, const char *fmt, ...)
    PRINTF_FORMAT(3, 4);
/** -1: "No scalable target registered for …". */
int scaling_not_registered(struct scaling_request *req);
/** Answers with req->answer. */
void scaling_reply(struct scaling_request *req);
/** Answers an error. */
void scaling_fail(struct scaling_request *req, enum scaling_error code, const char *message);
/** Answers an error of ours, of Redis. */
void scaling_fail_ours(struct scaling_request *req, const struct error *err);

/** The member @name of the input, or NULL. */
const cJSON *scaling_member(const struct scaling_request *req, const char *name);

/* ---- how documents are shown (scaling_show.c); the caller deletes what is returned ---- */

char *scaling_target_arn(const char *region, const char *account, const cJSON *doc);
char *scaling_policy_arn(const char *region, const char *account, const char *resource,
                         const cJSON *policy);
cJSON *scaling_show_target(const char *region, const char *account, const char *resource,
                           const cJSON *doc);
cJSON *scaling_show_policy(const char *region, const char *account, const char *resource,
                           const cJSON *policy);
cJSON *scaling_show_action(const char *region, const char *account, const char *resource,
                           const cJSON *action);
cJSON *scaling_show_activity(const char *resource, const cJSON *activity);

#endif
