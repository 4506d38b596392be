/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime_face.h - the Runtime API of one sandbox over HTTP: what runtime_api.h decides, on the
 * listener that came out of the sandbox. Which sandbox asks is known by the listener alone.
 *
 * Owns:    the listener, its connections, the request that waits in next.
 * Borrows: the event that runs, until the runtime has answered it.
 * Threads: loop thread only. runtime_face_give() may be called inside the ops.
 * Errors:  runtime_face_new() reports; later ones are answers to the runtime.
 * Source:  Lambda developer guide, "Using the Lambda runtime API".
 */
#ifndef HEARTH_INVOKER_RUNTIME_FACE_H
#define HEARTH_INVOKER_RUNTIME_FACE_H

#include "common/io/loop.h"
#include "invoker/runtime_api.h"

/** What a runtime is given for one invocation; empty members are left out. */
struct runtime_event_data {
    struct str request_id; /* at most RUNTIME_ID_MAX bytes */
    struct str invoked_arn;
    struct str trace_id;
    struct str client_context; /* JSON on one line */
    struct str cognito_identity; /* JSON on one line */
    struct str payload;
    bool wants_stream; /* a streamed answer is handed on as it comes; else it is gathered */
};

struct http_req;
struct runtime_face;

struct runtime_face_ops {
    /* The runtime waits for an event. */
    void (*on_waiting)(void *arg);
    /* It does so no longer: its connection is gone, and no event was given. */
    void (*on_left)(void *arg);
    /*
     * RUNTIME_ANSWERED, _FAILED, _INIT_FAILED or one of _ANSWER_…, before the runtime is told that
     * it was taken. @body and @error_type (the header, maybe empty) are borrowed.
     */
    void (*on_answer)(enum runtime_event event, struct str body, struct str error_type, void *arg);
    /*
     * The next bytes of a streamed response; none when it begins. The sandbox says when it can take
     * no more with runtime_face_hold(), or at all with runtime_face_refuse_stream().
     */
    void (*on_stream)(struct str bytes, void *arg);
    /*
     * It has ended. @error_type and @error (base64) are its trailers, maybe empty; borrowed. When it
     * breaks off, on_answer(RUNTIME_ANSWER_TRUNCATED) comes instead.
     */
    void (*on_stream_end)(struct str error_type, struct str error, void *arg);
    /* A request of another API on the same listener? True: it was taken. Also after _close(). */
    bool (*on_other)(struct http_req *req, void *arg);
    /* A request that on_other took has gone, or it is none of those: false. */
    bool (*on_other_left)(struct http_req *req, void *arg);
};

/** Serves @listen_fd (taken over, also on failure). */
int runtime_face_new(struct loop *loop, int listen_fd, const struct runtime_face_ops *ops,
                     void *arg, struct runtime_face **ret, struct error *err);
/** Not inside one of its ops. NULL is fine. */
void runtime_face_free(struct runtime_face *face);
/** From now on the runtime's requests are dropped, and no op but the last two is called. */
void runtime_face_close(struct runtime_face *face);
/** While @on, when the sandbox is frozen, time limits of its connections stand still. */
void runtime_face_pause(struct runtime_face *face, bool on);
bool runtime_face_is_waiting(const struct runtime_face *face);
/** The streamed response is not read on (@on) until it is said again with false. */
void runtime_face_hold(struct runtime_face *face, bool on);
/** In on_stream: it has become too large. The runtime is told so; nothing more comes of it. */
void runtime_face_refuse_stream(struct runtime_face *face);
/** Gives the waiting runtime an event, which must be done by @deadline_ms (Unix time). */
void runtime_face_give(struct runtime_face *face, const struct runtime_event_data *event,
                       uint64_t deadline_ms);

#endif
