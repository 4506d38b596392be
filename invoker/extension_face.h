/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extension_face.h - the Extensions API of one sandbox over HTTP, and the subscriptions of the
 * Telemetry and Logs APIs: what extension_api.h decides, on requests that the Runtime API's
 * listener hands over.
 *
 * Owns:    the table of extensions and the requests that wait in event/next.
 * Threads: loop thread only. Ops are called after the answer is out, and may call back.
 * Source:  Lambda developer guide, "Using the Lambda Extensions API".
 */
#ifndef HEARTH_INVOKER_EXTENSION_FACE_H
#define HEARTH_INVOKER_EXTENSION_FACE_H

#include "common/io/http_server.h"
#include "invoker/extension_api.h"

struct extension_face;

struct extension_face_ops {
    void (*on_registered)(const struct extension *ext, void *arg);
    /* It waits in event/next. */
    void (*on_waiting)(const struct extension *ext, void *arg);
    /* It does so no longer: its connection is gone, and no event was given. */
    void (*on_left)(const struct extension *ext, void *arg);
    /* It called init/error or exit/error. */
    void (*on_failed)(const struct extension *ext, void *arg);
    void (*on_subscribed)(const struct extension *ext, const struct telemetry_subscription *sub,
                          void *arg);
};

/** @spec is borrowed and outlives it. */
struct extension_face *extension_face_new(const struct sandbox_spec *spec,
                                          const struct extension_face_ops *ops, void *arg);
/** After the server whose requests it holds. NULL is fine. */
void extension_face_free(struct extension_face *face);
/** Its table, for changes that do not come by HTTP. */
struct extension_api *extension_face_api(struct extension_face *face);

/** Takes @req if its path is one of the three APIs'; false: it is not, and was left alone. */
bool extension_face_request(struct extension_face *face, struct http_req *req);
/** @req went away; false: it was none of ours. */
bool extension_face_abort(struct extension_face *face, struct http_req *req);

/** Gives every extension that is registered for it INVOKE; @deadline_ms is Unix time. */
struct extension_invoke {
    struct str request_id, invoked_arn, trace_id;
    uint64_t deadline_ms;
};
void extension_face_invoke(struct extension_face *face, const struct extension_invoke *ev);
/**
 * From here on whoever is registered for SHUTDOWN gets it, at once or with its next event/next.
 * @reason is static: "SPINDOWN", "TIMEOUT" or "FAILURE".
 */
void extension_face_shut_down(struct extension_face *face, const char *reason,
                              uint64_t deadline_ms);

#endif
