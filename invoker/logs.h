/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logs.h - what functions print, and START, END and REPORT: read from the sandboxes' pipes,
 * framed line by line, spooled to segment files, read back, and sent to Kafka when brokers are
 * given.
 *
 *   logs_new ─┬─ log_source_new (one a sandbox)
 *             │    log_source_begin      before the event is handed to the runtime
 *             │    log_source_platform   "START RequestId: …"
 *             │    log_source_drain      when the runtime has answered: all it wrote before is in
 *             │    log_source_platform   "END …", "REPORT …"
 *             │    log_source_tail       for X-Amz-Log-Result
 *             │    log_source_end
 *             │    … next invocation …
 *             │    log_source_free       the sandbox is dead
 *             └─ logs_close
 *
 * Order of the last five is the caller's duty; then invariant 9 holds: a line written before the
 * answer is readable by logs_read() as soon as the answer is out, under its request id.
 *
 * Request ids: lines of the init phase carry none (as on Lambda). A line that comes between two
 * invocations carries the id of the one before: that is the code which left it behind.
 *
 * Back-pressure: when the disk is full, the spool is at its ceiling (Kafka away for long) or lines
 * come faster than the disk takes them, pipes are no longer read: functions block in write(2).
 * Nothing is dropped. An invocation that runs may always finish; new ones are refused by
 * log_source_begin() once LOGS_MEMORY_MAX bytes wait in memory, or the spool is a quarter above its
 * ceiling.
 *
 * Owns:    the folder, the pipe ends given to it. Everything in options and identities is copied.
 * Threads: loop thread only. Disk work is done by loop_work(), one batch at a time.
 * Errors:  logs_new() reports; later disk and Kafka trouble is logged here, retried, and shows in
 *          struct logs_counters.
 * Lasting: kill -9 loses what was read from pipes but not yet written: the last LOGS_BATCH_US or
 *          LOGS_BATCH_BYTES, plus one batch in the hands of a worker. A power cut may also lose
 *          what the kernel had not written back, unless sync is on (docs/internals/logs.md).
 * Source:  Lambda developer guide, "Lambda log formats", "Log-level filtering", "Configuring
 *          CloudWatch log groups", "Invoke: LogType"; design.md sections 7 and 9.
 */
#ifndef HEARTH_INVOKER_LOGS_H
#define HEARTH_INVOKER_LOGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/str.h"
#include "common/io/loop.h"
#include "common/io/rpc.h"
#include "common/model/fn_log_level.h"

#define LOGS_TAIL_MAX 4096 /* bytes of X-Amz-Log-Result before base64 */
#define LOGS_BATCH_BYTES (64u * 1024u)
#define LOGS_BATCH_US MSEC(20)
#define LOGS_MEMORY_MAX (64u * 1024u * 1024u)
#define LOGS_READ_LIMIT_MAX 10000u

struct logs;
struct log_source;

/** When a batch is forced to the disk before it counts as written. */
enum logs_sync {
    LOGS_SYNC_AUTO, /* on with Kafka, off without */
    LOGS_SYNC_OFF,
    LOGS_SYNC_ON, /* fdatasync(2) after each batch, on the worker thread */
};

struct logs_options {
    const char *folder; /* created when absent; one invoker at a time (it is locked) */
    const char *node; /* node id, in every record */
    uint64_t segment_bytes; /* a segment is closed at this size; 0: 16 MiB */
    uint64_t retention_s; /* segments whose last line is older are removed; 0: 7 days */
    uint64_t retention_bytes; /* and the oldest ones beyond this total; 0: 1 GiB */
    uint64_t spool_bytes; /* with Kafka: unsent lines beyond this stop the reading; 0: 4 GiB */
    uint64_t rate_bytes; /* a second that are read of one sandbox, which waits beyond; 0: no limit */
    enum logs_sync sync;
    const char *kafka_brokers; /* "host:port,…"; NULL or "": no Kafka */
    const char *kafka_topic; /* NULL or "": "hearth-logs" */
    const char *kafka_properties; /* more settings of librdkafka, "key=value" lines; may be NULL */
};

/** Who prints. All NUL-terminated; copied. */
struct log_identity {
    const char *account; /* "000000000000" */
    const char *region;
    const char *function; /* plain name */
    const char *version; /* "$LATEST" or a number */
    const char *log_group; /* "/aws/lambda/<name>" */
    const char *log_stream; /* see logs_stream_name() */
    const char *sandbox; /* sandbox id */
    enum fn_log_level least; /* lines of the function below it are left out; TRACE: none is */
};

/** Since start. Nothing here is ever reset. */
struct logs_counters {
    uint64_t lines; /* records framed, platform lines included */
    uint64_t bytes_read; /* from pipes */
    uint64_t bytes_spooled; /* written to segments, JSON form */
    uint64_t batches; /* writes to segments */
    uint64_t shipped; /* records that Kafka has acknowledged */
    uint64_t resent; /* records given to Kafka again after a failure */
    uint64_t undeliverable; /* records that Kafka refuses for good; they stay in the segments */
    uint64_t filtered; /* lines of functions left out by their level */
    uint64_t dropped; /* always 0: it is a promise with a number */
    uint64_t write_errors; /* failed attempts to write a batch; each is retried */
    uint64_t blocked; /* times that reading of pipes was stopped */
    /* now */
    uint64_t memory_bytes; /* framed, not yet in a segment */
    uint64_t segment_bytes; /* in all segments */
    uint64_t unshipped_bytes; /* of those, not yet acknowledged by Kafka; 0 without Kafka */
    bool is_blocked;
};

/**
 * Opens (or creates) the folder, cuts a torn line off its end, starts the Kafka producer when
 * brokers are given (an absent broker is no error). Reads the newest segment once: blocking, for
 * start-up.
 *
 * -ERR_IN_USE: another process has the folder; -ERR_CONFIG: Kafka settings are wrong; -ERR_SYSTEM.
 */
int logs_new(struct loop *loop, const struct logs_options *options, struct logs **ret,
             struct error *err);
/**
 * Writes what is in memory, waits at most @kafka_wait_us for Kafka to take the rest (it stays in
 * the spool otherwise, for the next start), saves the position, frees @logs, then calls
 * @done(@arg). All sources must be freed before. While the disk refuses writes, gives up after
 * @kafka_wait_us too.
 */
void logs_close(struct logs *logs, uint64_t kafka_wait_us, loop_fn *done, void *arg);
void logs_counters_get(const struct logs *logs, struct logs_counters *ret);

/* ---- one sandbox ---- */

#define LOGS_STREAM_NAME_MAX 192
/**
 * A new "YYYY/MM/DD/[version]hex32" of today (UTC) into @ret; with @function, the plain name of a
 * function whose log group is its own choice, "YYYY/MM/DD/function[version]hex32".
 */
void logs_stream_name(const char *function, const char *version, char ret[LOGS_STREAM_NAME_MAX]);

/**
 * Takes the read ends of a sandbox's standard output and standard error (-1: none), makes them
 * non-blocking and reads them from now on. Both are closed by log_source_free(), or at their end of
 * file.
 */
struct log_source *log_source_new(struct logs *logs, const struct log_identity *identity,
                                  int stdout_fd, int stderr_fd);
/** Others in their place, when those before have no writer any more; the rest of them is read. */
void log_source_set_pipes(struct log_source *src, int stdout_fd, int stderr_fd);
/** The same for what the sandbox's extensions print; before they start. */
void log_source_add_extensions(struct log_source *src, int fd);
/**
 * Calls @fn with each line, or piece of one, from the pipes, those that are left out as well;
 * @is_extension tells whose it is.
 */
typedef void log_source_line_fn(struct str text, bool is_extension, void *arg);
void log_source_on_line(struct log_source *src, log_source_line_fn *fn, void *arg);
/**
 * Reads what is left in the pipes under the old request id, closes both pipes and frees @src.
 * Unfinished lines become lines. NULL is fine.
 */
void log_source_free(struct log_source *src);

/**
 * From here on, lines carry @request_id. What is in the pipes already belongs to what was before.
 * With @want_tail the last LOGS_TAIL_MAX bytes of text are kept for log_source_tail().
 *
 * Returns 0, or -ERR_UNAVAILABLE when too many lines wait in memory for a disk that does not take
 * them: the invocation must be refused (nothing has changed).
 */
int log_source_begin(struct log_source *src, struct str request_id, bool want_tail);
/**
 * Reads, without blocking, all that was written to both pipes before this call. An unfinished last
 * line becomes a line.
 */
void log_source_drain(struct log_source *src);
/**
 * Adds a line of ours (stream "platform"), e.g. "START RequestId: …"; @text without newline.
 * Outside of an invocation it is an INIT_START or INIT_REPORT line.
 */
void log_source_platform(struct log_source *src, struct str text);
/**
 * The last LOGS_TAIL_MAX bytes of this invocation's lines, each with its newline, platform lines
 * included; empty unless log_source_begin() asked for it. Borrowed until the next call on @src.
 */
struct str log_source_tail(struct log_source *src);
/**
 * Adds to the tail of the source's first invocation what was printed before it (the last
 * LOGS_TAIL_MAX bytes): for one that is answered because the init phase failed. The records stay as
 * they are.
 */
void log_source_tail_add_init(struct log_source *src);
/** The invocation is over (after REPORT): unfinished lines become lines, the tail is dropped. */
void log_source_end(struct log_source *src);

/* ---- reading ---- */

struct logs_filter {
    struct str account;
    struct str function;
    struct str request_id; /* empty: any */
    uint64_t since_ms; /* Unix time; 0: any */
    uint32_t limit; /* records, 1..LOGS_READ_LIMIT_MAX; 0: 1000 */
};

/**
 * @lines: records as common/proto/log_record.h writes them, one a line, in the order in which they
 * came; borrowed. @more: the limit cut something off. @err set: nothing could be read.
 */
typedef void logs_read_fn(struct str lines, bool more, const struct error *err, void *arg);

/**
 * Finds lines on a worker thread, after everything framed before this call is in the segments.
 * With since_ms the first `limit` records from then on; without, the last `limit`. The answer is
 * cut at 16 MiB as if the limit were reached. @filter is copied; @done is called once, from the
 * loop.
 */
void logs_read(struct logs *logs, const struct logs_filter *filter, logs_read_fn *done, void *arg);

/**
 * Serves the method `logs.read` (docs/internals/links.md): @args {account, name, request_id?,
 * since_ms?, limit?}, answer {"more": bool} with the records as body. @logs is a struct logs.
 */
void logs_rpc_read(struct rpc_request *req, const cJSON *args, struct str body, void *logs);

#endif
