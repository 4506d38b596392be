/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_layer.h - what the operations on layers share; each is a handler of api.h.
 *
 * Owns:    nothing.
 * Threads: loop thread only.
 * Errors:  as each says; AWS's words.
 */
#ifndef HEARTH_CONTROLLER_OPS_OPS_LAYER_H
#define HEARTH_CONTROLLER_OPS_OPS_LAYER_H

#include "controller/api.h"
#include "controller/ops/layers.h"

/** Reads LayerName and VersionNumber of the input. False: the request has been answered. */
bool api_layer(struct api_request *req, struct layer_name *ret);
/** "The resource you requested does not exist." */
void api_layer_fail_missing(struct api_request *req);
/** Reads the document of req->layer; the one value is text or nil. */
void api_layer_read(struct api_request *req, docs_read_fn *done, void *arg);

#endif
