/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query_api.h - requests to "/": services without paths of their own. The service is named by
 * X-Amz-Target (Application Auto Scaling, served by the controller), else it is that of the
 * signature's scope, else of the Version: STS is served here, IAM by the controller. Others get the
 * error of their protocol: XML for forms, JSON for X-Amz-Target.
 *
 * Owns:    nothing.
 * Threads: loop thread only.
 * Errors:  all go to the client, as AWS's.
 */
#ifndef HEARTH_GATEWAY_QUERY_API_H
#define HEARTH_GATEWAY_QUERY_API_H

#include "gateway/auth.h"
#include "gateway/manage.h"

struct query_api {
    struct auth *auth;
    struct manage *manage;
    const char *account;
};

void query_api_serve(const struct query_api *api, struct http_req *req, const char *request_id);

/** Answers with @err; a request that no route takes, in the form of the service it is signed for. */
void query_api_refuse(const struct query_api *api, struct http_req *req, const char *request_id,
                      const struct error *err);

#endif
