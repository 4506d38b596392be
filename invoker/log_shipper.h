/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_shipper.h - sends the spool to Kafka, in order, one record a line, keyed "account:function".
 *
 * A window of records is under way. What has arrived without a gap before it is shipped: its end is
 * the position that survives a restart. After a failure nothing new is sent until all that is under
 * way has come back; then the failed ones, and only they, are sent again.
 *
 *            outcome FAILED          all came back           0.5 s
 *   flowing ───────────────▶ settling ────────────▶ pausing ───────▶ flowing
 *      └─────────── producer is broken (a new one is made) ─▲
 *
 * Owns:    the producer, the window, a view.
 * Threads: loop thread only; reads the spool by loop_work().
 * Errors:  logged here and retried for ever. A record that Kafka refuses for good is counted,
 *          logged and passed over: it stays in the segments.
 */
#ifndef HEARTH_INVOKER_LOG_SHIPPER_H
#define HEARTH_INVOKER_LOG_SHIPPER_H

#include "common/io/kafka.h"
#include "invoker/log_segment.h"

struct log_shipper;

struct log_shipper_counters {
    uint64_t shipped; /* acknowledged */
    uint64_t resent;
    uint64_t undeliverable;
};

/**
 * Begins to ship from the first record whose seq is at least @seq. Reads a segment: blocking, for
 * start-up.
 *
 * @kafka        its strings stay the caller's, and must outlive the shipper
 * @view         taken by reference
 * @on_progress  called from the loop when more was shipped
 */
int log_shipper_new(struct loop *loop, const struct kafka_options *kafka, struct log_view *view,
                    uint64_t seq, loop_fn *on_progress, void *arg, struct log_shipper **ret,
                    struct error *err);
/** Stops; what is under way may or may not arrive. No callback runs any more. NULL is fine. */
void log_shipper_free(struct log_shipper *s);
/** There is more: @view replaces the one before. */
void log_shipper_feed(struct log_shipper *s, struct log_view *view);
/** All records before this seq were shipped. */
uint64_t log_shipper_seq(const struct log_shipper *s);
/** Bytes in the view that were not. */
uint64_t log_shipper_left(const struct log_shipper *s);
void log_shipper_counters_get(const struct log_shipper *s, struct log_shipper_counters *ret);

#endif
