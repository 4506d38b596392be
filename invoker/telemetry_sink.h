/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry_sink.h - one subscriber of the Telemetry or Logs API: its buffer, and the delivery of
 * batches to its port inside the sandbox.
 *
 * A batch goes out when one of the subscription's three bounds is met (items, bytes, time since the
 * first item); the next one is gathered meanwhile. A batch that was not taken is sent again, with
 * growing pauses, until it is. What does not fit any more is dropped, counted, and told by a
 * platform.logsDropped event as soon as there is room. So a sink holds at most two batches.
 *
 * Connections come from inside the sandbox: the sink asks for one and is given the descriptor.
 *
 * Owns:    its buffers and its connection.
 * Threads: loop thread only.
 * Errors:  none; a subscriber that does not listen is its own loss.
 * Source:  Lambda developer guide, "Lambda Telemetry API", buffering; RFC 9112.
 */
#ifndef HEARTH_INVOKER_TELEMETRY_SINK_H
#define HEARTH_INVOKER_TELEMETRY_SINK_H

#include "common/io/loop.h"
#include "common/proto/telemetry_subscription.h"

struct telemetry_sink;

struct telemetry_sink_ops {
    /** Asks for a connection to @port of the sandbox; telemetry_sink_socket() is the answer. */
    void (*connect)(uint16_t port, void *arg);
    /** An attempt has ended, well or not. */
    void (*settled)(void *arg);
};

struct telemetry_sink *telemetry_sink_new(struct loop *loop,
                                          const struct telemetry_subscription *sub,
                                          const struct telemetry_sink_ops *ops, void *arg);
/** NULL is fine. */
void telemetry_sink_free(struct telemetry_sink *sink);
const struct telemetry_subscription *telemetry_sink_subscription(const struct telemetry_sink *sink);
/** One event, as JSON on one line. */
void telemetry_sink_add(struct telemetry_sink *sink, struct str json);
/** @fd (taken over; -1: refused), perhaps still connecting. */
void telemetry_sink_socket(struct telemetry_sink *sink, int fd);
/** Sends what is gathered without waiting for its bounds. */
void telemetry_sink_flush(struct telemetry_sink *sink);
/** Nothing is gathered or under way. */
bool telemetry_sink_is_empty(const struct telemetry_sink *sink);
/** A batch is being handed over; between two attempts none is. */
bool telemetry_sink_is_delivering(const struct telemetry_sink *sink);
/** While @on, when nobody in the sandbox can answer, all is gathered and no attempt begins. */
void telemetry_sink_hold(struct telemetry_sink *sink, bool on);

#endif
