/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_core.h - what the parts of the function logs share: the state of a struct logs, and how a
 * source hands a line in. Only logs.c and log_source.c include this.
 *
 * Two batches change roles: one is filled on the loop, the other is written by the one disk job
 * that may run at a time. While a job runs, the spool is the job's; the loop knows it by its last
 * view.
 *
 * Threads: loop thread, but for struct disk_job and the spool while a job runs.
 */
#ifndef HEARTH_INVOKER_LOG_CORE_H
#define HEARTH_INVOKER_LOG_CORE_H

#include "common/base/list.h"
#include "invoker/log_batch.h"
#include "invoker/log_shipper.h"
#include "invoker/log_spool.h"
#include "invoker/logs.h"

#define LOGS_READ_BUFFER (64u * 1024u)

/** What a worker thread does in one go, and how it went. */
struct disk_job {
    bool write, retain, save; /* what to do */
    uint64_t now_ms, keep_seq, save_seq;
    int write_r, tend_r;
    struct error write_err, tend_err;
    struct log_view *view; /* afterwards; NULL when nothing changed */
};

struct logs {
    struct loop *loop;
    char *node;
    uint64_t epoch, next_seq, written_seq; /* all records before written_seq are in segments */
    uint64_t spool_bytes; /* ceiling of what Kafka has not got */
    uint64_t rate_bytes; /* a second, of one source; 0: no limit */

    struct log_batch filling, writing;
    struct log_spool *spool;
    struct log_view *view;
    struct disk_job job;
    bool job_runs, flush_is_due, retain_is_due, save_is_due, disk_failed;
    struct timer flush_timer, retry_timer, tend_timer;
    unsigned tend_count;

    struct kafka_options kafka; /* strings are ours */
    struct log_shipper *shipper; /* NULL without Kafka */
    uint64_t saved_seq;

    struct list_node sources;
    struct list_node reads; /* wait for records to be written */
    bool is_blocked; /* pipes are not read */
    struct logs_counters counters;
    char read_buffer[LOGS_READ_BUFFER]; /* for whichever pipe is read now */

    loop_fn *on_closed; /* set: closing */
    void *on_closed_arg;
    struct timer close_timer;
    bool close_is_overdue, close_has_saved;
};

/** Frames one line: numbers it and adds it to the batch. False when its JSON is too long. */
bool logs_add_line(struct logs *logs, struct str origin, uint64_t function_hash,
                   uint64_t request_hash, struct log_line *line);
/** Whether a new invocation must be refused: too much waits already. */
bool logs_is_full(const struct logs *logs);

/** is_blocked has changed, for the source whose place in logs->sources is @node. */
void log_source_set_reading(struct list_node *node);

#endif
