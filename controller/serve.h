/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve.h - what the controller answers to its peers: handlers of rpc.h, @arg is the struct
 * controller. Each method is described in docs/internals/links.md.
 *
 * Threads: loop thread only.
 */
#ifndef HEARTH_CONTROLLER_SERVE_H
#define HEARTH_CONTROLLER_SERVE_H

#include "controller/controller.h"

/** `lambda`: a management call of a client; api.c. */
void serve_lambda(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg);
/** The same of IAM (`service` is "iam"), @body is the form; iam_api.c. */
void serve_iam(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg);
/** The same of Application Auto Scaling (`service` is "autoscaling"); scaling/scaling_api.c. */
void serve_scaling(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg);
/** `route.resolve`; routes.c. */
void serve_route_resolve(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg);
/** `version.get`; specs.c. */
void serve_version_get(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg);
/** `function.key`; role_sessions.c. */
void serve_function_key(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg);
/** `code.get`; specs.c. */
void serve_code_get(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg);
/** `async.enqueue`; controller.c. */
void serve_async_enqueue(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg);
/** `code.download`; specs.c. */
void serve_code_download(struct rpc_request *rpc, const cJSON *args, struct str body, void *arg);

#endif
