/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpc.h - calls over a link: a method name and JSON arguments, optionally bytes behind them; one
 * answer (JSON, optionally bytes) or an error.
 *
 * On the wire: a LINK_CALL stream. Head of the question: {"method":…,"args":{…}}; head of the
 * answer: {"ok":{…}} or {"error":{"code":"NOT_FOUND","message":…}}; the stream's data are the bytes.
 *
 * Owns:    args and answers given to us are borrowed for the call. A handler's args and body are
 *          good until it replies.
 * Threads: loop thread only; callbacks never run inside rpc_call() or rpc_reply().
 */
#ifndef HEARTH_IO_RPC_H
#define HEARTH_IO_RPC_H

#include <cjson/cJSON.h>

#include "common/base/buf.h"
#include "common/io/link.h"

#define RPC_BODY_MAX (96u * 1024u * 1024u) /* a 50 MB zip in base64, with room */

struct rpc_request; /* a question that waits for our answer */

/**
 * Exactly once: @err NULL and the answer, or @err set. @ok and @body are borrowed. Not at all when
 * the link is freed by its user before: link_free() forgets what was asked.
 */
typedef void rpc_done_fn(const cJSON *ok, struct str body, const struct error *err, void *arg);

/**
 * Asks @method of the peer; answers within @timeout_us or -ERR_TIMEOUT comes. A link that is down
 * gives ERR_UNAVAILABLE by callback; one that goes down before the answer ERR_CLOSED (the question
 * may have had its effect). @args NULL: {}. Errors of the peer's handler come in its own words.
 */
void rpc_call(struct link *link, const char *method, const cJSON *args, struct str body,
              uint64_t timeout_us, rpc_done_fn *done, void *arg);

/** One served method; the handler replies now or later, exactly once, with rpc_reply or rpc_fail. */
struct rpc_method {
    const char *name;
    void (*handle)(struct rpc_request *req, const cJSON *args, struct str body, void *arg);
};

/**
 * Feeds a LINK_CALL stream (from link_ops.on_stream) to @methods (ends with a NULL name). Unknown
 * methods and malformed heads are answered with an error.
 */
void rpc_serve(struct loop *loop, struct link_stream *s, struct str head,
               const struct rpc_method *methods, void *arg);
/** Whether @head, of a LINK_CALL stream, asks @method. */
bool rpc_asks(struct str head, const char *method);
/** Answers a LINK_CALL stream, whatever it asks, with @err; to be called in link_ops.on_stream. */
void rpc_refuse(struct link_stream *s, const struct error *err);
/** Moves the question's bytes to @ret, the caller's now; else @req keeps them until the answer. */
void rpc_take_body(struct rpc_request *req, struct buf *ret);
/** Answers; @ok is borrowed (NULL: {}), @body copied as needed. Fine when the asker has gone. */
void rpc_reply(struct rpc_request *req, const cJSON *ok, struct str body);
void rpc_fail(struct rpc_request *req, const struct error *err);
/** The link the question came by; NULL when it has gone meanwhile. */
struct link *rpc_request_link(const struct rpc_request *req);

#endif
