/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime_api.h - the rules of the Lambda Runtime API for one sandbox: which request is allowed
 * when, and what it is answered. Pure: requests and answers are values, nothing is sent here.
 *
 * Owns:    the state and the id of the current invocation.
 * Threads: any, one at a time.
 * Errors:  wrong requests are answers too (400, 403, 404, 405, 413), with AWS's words.
 * Source:  Lambda developer guide, "Using the Lambda runtime API"; recordings of AWS's Runtime
 *          Interface Emulator 1.30 (status, headers, bodies and state names are theirs).
 */
#ifndef HEARTH_INVOKER_RUNTIME_API_H
#define HEARTH_INVOKER_RUNTIME_API_H

#include <stdbool.h>

#include "common/base/str.h"

#define RUNTIME_BODY_MAX 6291556u /* bytes of a response: 6 MiB + 100 */
#define RUNTIME_ID_MAX 64u /* greatest length of a request id */
#define RUNTIME_ANSWER_MAX 256u

/*
 *   STARTED ── next ──► READY ── event given ──► RUNNING ── response, error ──► SENT
 *      │                  ▲                         │                            │
 *      └ init/error       └─────────────────────────┼──────────── next ──────────┘
 *           ▼                                       └ response of an unknown mode
 *       INIT_ERROR                                          ▼ RESPONSE
 */
enum runtime_state {
    RUNTIME_STARTED,
    RUNTIME_INIT_ERROR,
    RUNTIME_READY, /* waits in next */
    RUNTIME_RUNNING,
    RUNTIME_RESPONSE, /* a response has begun */
    RUNTIME_SENT,
    RUNTIME_STATE_MAX,
};

struct runtime_api {
    enum runtime_state state;
    char request_id[RUNTIME_ID_MAX + 1]; /* of the invocation given last; "" before the first */
};

/** What of a request matters here. */
struct runtime_request {
    struct str method, path;
    struct str response_mode; /* Lambda-Runtime-Function-Response-Mode */
    bool is_open_ended; /* without a mode it is a stream all the same: see runtime_face.c */
    bool is_too_large; /* the body is beyond RUNTIME_BODY_MAX and was not read */
    bool is_truncated; /* the body broke off */
};

/** What a request means; the state has moved already. */
enum runtime_event {
    RUNTIME_DENIED, /* nothing happened */
    RUNTIME_NEXT, /* waits for an event: keep the request, there is no answer yet */
    RUNTIME_REPEAT, /* asks for the running event once more: no answer here, give the event */
    RUNTIME_ANSWERED, /* the body is the function's answer */
    RUNTIME_FAILED, /* the body is the function's error */
    RUNTIME_INIT_FAILED, /* the body is the error of its init phase */
    RUNTIME_ANSWER_TOO_LARGE, /* the invocation is over: Function.ResponseSizeTooLarge */
    RUNTIME_ANSWER_UNKNOWN_MODE, /* the invocation is over: Runtime.InvalidResponseModeHeader */
    RUNTIME_ANSWER_TRUNCATED, /* the invocation is over: Runtime.TruncatedResponse */
};

struct runtime_answer {
    int status;
    const char *content_type; /* NULL: none */
    const char *allow; /* value of Allow; NULL: none */
    bool no_sniff; /* X-Content-Type-Options: nosniff */
    char body[RUNTIME_ANSWER_MAX];
    size_t body_len;
};

void runtime_api_init(struct runtime_api *api);
/** Judges @req, moves the state, fills @ret (but for RUNTIME_NEXT and RUNTIME_REPEAT). */
enum runtime_event runtime_api_request(struct runtime_api *api, const struct runtime_request *req,
                                       struct runtime_answer *ret);
/**
 * Whether @req, of which only the head is there, is a streamed response to the running invocation:
 * then it has begun (RESPONSE), and runtime_api_end_stream() follows.
 */
bool runtime_api_begin_stream(struct runtime_api *api, const struct runtime_request *req);
/**
 * It has ended, is not read on since it is too large, or broke off: moves the state, fills @ret.
 *
 * @how  RUNTIME_ANSWERED, RUNTIME_ANSWER_TOO_LARGE or RUNTIME_ANSWER_TRUNCATED
 */
void runtime_api_end_stream(struct runtime_api *api, enum runtime_event how,
                            struct runtime_answer *ret);
/** The waiting runtime (READY) is given the event @request_id, at most RUNTIME_ID_MAX bytes. */
void runtime_api_give(struct runtime_api *api, struct str request_id);
/** The waiting request went away: the runtime has to ask again. Harmless in other states. */
void runtime_api_next_lost(struct runtime_api *api);

#endif
