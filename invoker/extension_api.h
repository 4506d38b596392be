/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extension_api.h - the rules of the Extensions API for one sandbox: who is registered, which call
 * is allowed when, and what it is answered. Pure: requests and answers are values, nothing is sent
 * here. The subscriptions of the Telemetry API and the Logs API begin here too, as extensions make
 * them.
 *
 *   STARTED ── register ──► REGISTERED ── next ──► READY ── event ──► RUNNING ── next ──► READY …
 *      │ launch failed          └ init/error           └ exit/error      └ exit/error
 *      ▼                          ▼                      ▼
 *   LAUNCH_ERROR               INIT_ERROR            EXIT_ERROR       all: EXITED when it ends
 *
 * An internal extension, which is code inside the runtime's process, begins as REGISTERED.
 *
 * Owns:    the table of extensions.
 * Threads: any, one at a time.
 * Errors:  wrong requests are answers too (400, 403, 404, 405), with AWS's words.
 * Source:  Lambda developer guide, "Using the Lambda Extensions API"; recordings of AWS's Runtime
 *          Interface Emulator 1.30.
 */
#ifndef HEARTH_INVOKER_EXTENSION_API_H
#define HEARTH_INVOKER_EXTENSION_API_H

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/id.h"
#include "common/model/sandbox_spec.h"
#include "common/proto/extension_register.h"
#include "common/proto/init_wire.h"
#include "common/proto/telemetry_subscription.h"

#define EXTENSIONS_MAX INIT_EXTENSIONS_MAX /* external and internal ones together */

enum extension_state {
    EXTENSION_STARTED,
    EXTENSION_REGISTERED,
    EXTENSION_READY, /* waits in event/next */
    EXTENSION_RUNNING,
    EXTENSION_INIT_ERROR,
    EXTENSION_EXIT_ERROR,
    EXTENSION_LAUNCH_ERROR,
    EXTENSION_EXITED,
    EXTENSION_STATE_MAX,
};

struct extension {
    char name[INIT_NAME_MAX];
    char id[UUID_MAX]; /* "" until it is registered */
    bool is_external;
    unsigned events; /* EXTENSION_INVOKE, EXTENSION_SHUTDOWN */
    enum extension_state state;
    bool was_shut_down; /* was given SHUTDOWN */
    bool has_subscribed, is_logs; /* to telemetry; by the Logs API */
    char error_type[64]; /* what it reported, or how its launch failed */
};

struct extension_api {
    const struct sandbox_spec *spec; /* borrowed */
    struct extension list[EXTENSIONS_MAX];
    size_t len;
    bool registration_closed; /* the runtime is ready */
    bool subscription_closed; /* the init phase is over */
};

/** What of a request matters here. */
struct extension_request {
    struct str method, path, body;
    struct str name; /* Lambda-Extension-Name */
    struct str identifier; /* Lambda-Extension-Identifier */
    struct str accept_feature; /* Lambda-Extension-Accept-Feature */
    struct str error_type; /* Lambda-Extension-Function-Error-Type */
};

/** What a request means; the state has moved already. */
enum extension_event {
    EXTENSION_EVENT_NONE, /* nothing else happened */
    EXTENSION_EVENT_REGISTERED,
    EXTENSION_EVENT_NEXT, /* waits for an event: keep the request, there is no answer yet */
    EXTENSION_EVENT_INIT_FAILED,
    EXTENSION_EVENT_EXIT_FAILED,
    EXTENSION_EVENT_SUBSCRIBED,
};

struct extension_answer {
    int status;
    const char *content_type; /* NULL: none */
    const char *allow; /* value of Allow; NULL: none */
    const char *identifier; /* value of Lambda-Extension-Identifier; NULL: none */
    struct buf body; /* the caller's: initialised before, done after */
    size_t at; /* the extension that asked, where the event is not NONE */
    struct telemetry_subscription subscription; /* SUBSCRIBED */
};

#define EXTENSION_ANSWER_MAX 4096u

void extension_api_init(struct extension_api *api, const struct sandbox_spec *spec);
/** Whether @path is one of the paths that are judged here. */
bool extension_api_has_path(struct str path);
/** Judges @req, moves the state, fills @ret (but for EXTENSION_EVENT_NEXT). */
enum extension_event extension_api_request(struct extension_api *api,
                                           const struct extension_request *req,
                                           struct extension_answer *ret);
/** An executable was found, and will be started. -ERR_TOO_LARGE: there are too many. */
int extension_api_add(struct extension_api *api, const char *name);
/** The external extension @name, or NULL. */
struct extension *extension_api_find(struct extension_api *api, const char *name);
/** A waiting request is answered with an event, or its connection is gone. */
void extension_api_given(struct extension *ext);

/* Of all of them: */
/** No external one is still to register. */
bool extension_api_is_registered(const struct extension_api *api);
/** Each waits in event/next. */
bool extension_api_is_ready(const struct extension_api *api);
bool extension_api_has_external(const struct extension_api *api);

/** As it stands in AWS's log lines: "Ready". */
const char *extension_state_name(enum extension_state state);

#endif
