/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invoke_stream.h - inside invoke.c: a streamed answer on its way from the node to the client. What
 * the client does not take is not consumed from the link, so the node stops, and with it the
 * function: at most the link's window of bytes waits here.
 *
 * Owns:    nothing; the invocation does.
 * Threads: loop thread only.
 * Errors:  in InvokeComplete, since the status has been sent.
 * Source:  common/proto/result_stream.h; Lambda API reference, InvokeWithResponseStream.
 */
#ifndef HEARTH_GATEWAY_INVOKE_STREAM_H
#define HEARTH_GATEWAY_INVOKE_STREAM_H

#include "gateway/invocation.h"

/** The node's head has come: the client gets status and headers. */
void invoke_stream_begin(struct invocation *inv);
/** @bytes came from the node. -ERR_PROTOCOL: they make no sense; @inv is as it was. */
int invoke_stream_take(struct invocation *inv, struct str bytes);
/** The client takes more. */
void invoke_stream_on_writable(struct pending *p);
/** Whether bytes wait for the client. */
bool invoke_stream_waits(const struct invocation *inv);
/** The node has said all, and was left: ends the client's answer. Does not release @inv. */
void invoke_stream_end(struct invocation *inv);
/** It has failed on its way: as invoke_stream_end(), with @err. */
void invoke_stream_fail(struct invocation *inv, const struct error *err);

#endif
