/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage.h - tells the leading controller how much of what is provisioned is in use here: what target
 * tracking goes by.
 *
 * Owns:    nothing.
 * Threads: loop thread only.
 * Errors:  -ERR_BAD_REQUEST to the controller.
 * Wire:    docs/internals/links.md, usage.get.
 */
#ifndef HEARTH_GATEWAY_USAGE_H
#define HEARTH_GATEWAY_USAGE_H

#include "common/io/rpc.h"
#include "gateway/leases.h"

/** Answers `usage.get`; each maximum that is told begins anew. */
void usage_serve(struct leases *leases, struct rpc_request *req, const cJSON *args);

#endif
