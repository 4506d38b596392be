/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoke_request.h - what an invocation asks for, read and checked from its HTTP request: Invoke,
 * InvokeWithResponseStream and InvokeAsync.
 *
 * Owns:    the decoded parts; invoke_request_clear() keeps the memory for the next one.
 * Borrows: the body and the home, as long as it is read; all else is copied.
 * Threads: one.
 * Errors:  AWS's exceptions in AWS's words: VALIDATION, BAD_REQUEST, BAD_CONTENT, NOT_FOUND,
 *          ACCESS_DENIED.
 * Source:  Lambda API reference, Invoke, InvokeWithResponseStream, InvokeAsync; recorded AWS
 *          answers.
 */
#ifndef HEARTH_GATEWAY_INVOKE_REQUEST_H
#define HEARTH_GATEWAY_INVOKE_REQUEST_H

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/model/fn_name.h"
#include "common/model/lambda_input.h"

#define CLIENT_CONTEXT_MAX 3583u /* bytes of base64 */
#define TRACE_ID_MAX 512u /* of a client's; a longer one is replaced */

enum invoke_kind {
    INVOKE_SYNC, /* RequestResponse of Invoke: one answer */
    INVOKE_STREAM, /* of InvokeWithResponseStream: events */
    INVOKE_EVENT, /* Event of Invoke, or InvokeAsync: nobody waits for it */
    INVOKE_DRY_RUN, /* of either */
};

struct invoke_request {
    struct fn_name fn; /* qualifier.ptr NULL: none */
    enum invoke_kind kind;
    bool wants_log_tail;
    bool is_invoke_async; /* INVOKE_EVENT by the operation InvokeAsync */
    struct str payload; /* "{}" when the body was empty */
    struct buf name; /* the label as it was given */
    struct buf qualifier; /* decoded from the query */
    struct buf client_context; /* decoded JSON; events have none */
    struct buf trace_id; /* the client's with Sampled, or one made here */
};

/* Where the parts of the HTTP request are. */
struct invoke_source {
    const struct lambda_match *match;
    struct str query; /* raw */
    struct str body;
    lambda_header_fn *header;
    void *arg;
    const struct fn_home *home;
};

void invoke_request_init(struct invoke_request *r);
void invoke_request_done(struct invoke_request *r);
/** Reads @source into @r, which must be as init or clear left it. */
int invoke_request_read(struct invoke_request *r, const struct invoke_source *source,
                        struct error *err);
/** Forgets the contents. */
void invoke_request_clear(struct invoke_request *r);

#endif
