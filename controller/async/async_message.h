/* SPDX-License-Identifier: Apache-2.0 */
/*
 * async_message.h - what leaves Hearth when an asynchronous invocation has ended: invocation records
 * to a destination, events to a dead letter queue; to SQS, SNS, EventBridge or S3.
 *
 * Owns:    nothing but calls under way.
 * Borrows: the clients.
 * Threads: loop thread only; the callback never runs inside async_message_send() and comes exactly
 *          once, unless it returned an error.
 * Errors:  -ERR_UNAVAILABLE: no endpoint is configured for the service, -ERR_BAD_REQUEST, -ERR_TOO_LARGE;
 *          by the callback those of aws_client.h. All may be tried again.
 * Source:  SQS API reference, SendMessage; SNS, Publish; EventBridge, PutEvents; S3, PutObject; what
 *          AWS Lambda puts into each (recorded).
 */
#ifndef HEARTH_CONTROLLER_ASYNC_ASYNC_MESSAGE_H
#define HEARTH_CONTROLLER_ASYNC_ASYNC_MESSAGE_H

#include <cjson/cJSON.h>

#include "controller/async/aws_client.h"

struct async_message {
    struct str target; /* ARN */
    struct str body; /* JSON */
    bool is_dead_letter; /* the event itself, with the error beside it; else a record */
    bool is_success; /* records: of an invocation that went well */
    struct str function; /* the function's name, and its ARN with the qualifier */
    struct str function_arn;
    struct str request_id, trace_id;
    struct str error_code, error_message; /* dead letters */
};

/* What is sent through whom; NULL: no endpoint is configured. */
struct async_clients {
    struct aws_client *aws;
    struct aws_client *s3;
    struct str s3_region; /* ptr NULL: the one that the caller has */
};

/** As it is kept in the queue beside its body: JSON, the caller deletes it. */
cJSON *async_message_doc(const struct async_message *message);
/** The reverse: texts borrow from @doc. */
void async_message_read(const cJSON *doc, struct async_message *ret);

typedef void async_sent_fn(const struct error *err, void *arg);
int async_message_send(const struct async_clients *clients, const struct async_message *message,
                       async_sent_fn *done, void *arg, struct error *err);

#endif
