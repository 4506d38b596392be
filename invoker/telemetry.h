/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry.h - the telemetry of one sandbox: what happens in it, told to the extensions that have
 * subscribed.
 *
 * Subscriptions come during the init phase only. Until it is over, events are kept, so that a
 * subscriber hears of what was before it; with the end of the init phase they go. A sandbox without
 * subscribers pays one comparison for each event from then on.
 *
 * Owns:    the subscribers' buffers and connections.
 * Threads: loop thread only.
 * Errors:  none: see telemetry_sink.h.
 * Source:  Lambda developer guide, "Lambda Telemetry API".
 */
#ifndef HEARTH_INVOKER_TELEMETRY_H
#define HEARTH_INVOKER_TELEMETRY_H

#include "common/io/loop.h"
#include "invoker/telemetry_event.h"

struct telemetry;

struct telemetry_ops {
    /** Opens a connection from inside the sandbox; telemetry_socket() is the answer. */
    void (*dial)(uint32_t token, uint16_t port, void *arg);
    /** telemetry_is_delivering() may have become false. */
    void (*settled)(void *arg);
};

struct telemetry *telemetry_new(struct loop *loop, const struct telemetry_ops *ops, void *arg);
/** NULL is fine. */
void telemetry_free(struct telemetry *t);
/** Whether an event may reach anybody; NULL: no. */
bool telemetry_is_wanted(const struct telemetry *t);
/** To all who want it, now or yet to subscribe. */
void telemetry_emit(struct telemetry *t, const struct telemetry_event *ev);
/**
 * A subscription of the extension @name, in the place of an earlier one; the same once more changes
 * nothing. False: the sandbox has as many subscribers as it may have extensions.
 */
bool telemetry_subscribe(struct telemetry *t, const char *name,
                         const struct telemetry_subscription *sub);
/** The init phase is over: nobody subscribes any more. */
void telemetry_close(struct telemetry *t);
/** @fd is taken over; -1: refused. */
void telemetry_socket(struct telemetry *t, uint32_t token, int fd);
/** Everything gathered goes out now. */
void telemetry_flush(struct telemetry *t);
/** Something is being handed over now; what was refused and waits to be tried again is not. */
bool telemetry_is_delivering(const struct telemetry *t);
/** While @on, when the sandbox is frozen, all is gathered and nothing is handed over. */
void telemetry_hold(struct telemetry *t, bool on);

#endif
