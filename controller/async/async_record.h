/* SPDX-License-Identifier: Apache-2.0 */
/*
 * async_record.h - what is said of an asynchronous invocation that has ended: the invocation record
 * for destinations, and the error for dead letter queues.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_TOO_LARGE beyond the ceiling of the caller's buf.
 * Source:  Lambda developer guide, "Capturing records of Lambda asynchronous invocations"; recorded
 *          messages.
 */
#ifndef HEARTH_CONTROLLER_ASYNC_ASYNC_RECORD_H
#define HEARTH_CONTROLLER_ASYNC_ASYNC_RECORD_H

#include "common/base/buf.h"

#define ASYNC_RECORD_MAX (4u * 1024u * 1024u) /* payload, answer and what is around them */
#define ASYNC_SMALL_RECORD 1048576u /* what destinations take: with more, the answer is left out */
#define ASYNC_ERROR_MESSAGE_MAX 1024u /* bytes, AWS's */

enum async_condition {
    ASYNC_SUCCESS,
    ASYNC_RETRIES_EXHAUSTED,
    ASYNC_AGE_EXCEEDED,
    ASYNC_ZERO_RESERVED,
};

struct async_end {
    enum async_condition condition;
    struct str request_id;
    struct str function_arn; /* with the qualifier, $LATEST when there was none */
    uint64_t count; /* how often the function has answered */
    struct str payload; /* JSON */
    struct str context; /* as async_context_write(); empty: it never answered */
    struct str answer; /* of the last time; ptr NULL: not known, it was too large */
    uint64_t now_ms; /* Unix time */
};

/** "Success", "RetriesExhausted", ...; static. */
const char *async_condition_name(enum async_condition condition);
/** responseContext of an answer, JSON. */
int async_context_write(struct buf *b, struct str executed_version, bool function_error);
/** The record, JSON. */
int async_record_write(struct buf *b, const struct async_end *end);
/**
 * What a dead letter says of the last answer: its errorMessage, or all of it, at most
 * ASYNC_ERROR_MESSAGE_MAX bytes and no control characters.
 */
int async_error_message(struct buf *b, struct str answer);

#endif
