/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_record.h - one line that a function printed, as one line of JSON: the form in the invoker's
 * segment files, in Kafka and in the answers to log readers.
 *
 * {"time":…,"seq":…,"node":…,"epoch":…,"account":…,"region":…,"function":…,"version":…,
 *  "log_group":…,"log_stream":…,"sandbox":…,"request_id":…,"stream":"stdout|stderr|platform",
 *  "continues":true,"message":…}
 *
 * (node, epoch, seq) names a record for ever; in one node and epoch seq only grows. `continues` is
 * there only on a piece of a line that was too long: the stream's next record goes on with it.
 * Bytes that are no UTF-8 become U+FFFD, control bytes (NUL too) are escaped.
 *
 * Owns:    nothing; what is read borrows from the line.
 * Threads: any.
 * Errors:  -ERR_PROTOCOL for a line that is no record; -ERR_TOO_LARGE at the buf's ceiling, the
 *          buf is then as it was.
 * Source:  RFC 8259; docs/internals/logs.md.
 */
#ifndef HEARTH_PROTO_LOG_RECORD_H
#define HEARTH_PROTO_LOG_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

/** A record's JSON never exceeds this, newline included: Kafka brokers take 1 MiB by default. */
#define LOG_RECORD_MAX (960u * 1024u)

enum log_record_stream {
    LOG_RECORD_STDOUT,
    LOG_RECORD_STDERR,
    LOG_RECORD_PLATFORM,
    LOG_RECORD_EXTENSION, /* what external extensions print */
};

/** What all records of one sandbox share. */
struct log_origin {
    struct str node;
    uint64_t epoch; /* grows with each start of the node's log writer */
    struct str account, region, function, version;
    struct str log_group, log_stream;
    struct str sandbox;
};

struct log_line {
    uint64_t time_ms; /* Unix time */
    uint64_t seq;
    struct str request_id; /* empty in the init phase */
    enum log_record_stream stream;
    bool continues;
    struct str message; /* without its newline */
};

struct log_record {
    struct log_origin origin;
    struct log_line line;
};

/** Appends the members of @origin as a piece of JSON, for log_record_write(). */
int log_origin_write(struct buf *b, const struct log_origin *origin);
/** Appends one record and a newline; @origin as log_origin_write() made it. */
int log_record_write(struct buf *b, struct str origin, const struct log_line *line);
/**
 * Reads one record (@json without its newline). Strings in @ret are still escaped: compare them
 * with what buf_append_json() makes, or use log_record_unescape(). Members may come in any order;
 * unknown ones with plain values are ignored. UTF-8 is not checked again.
 */
int log_record_read(struct str json, struct log_record *ret);
/** Appends the plain bytes of the escaped @text of a record. */
int log_record_unescape(struct buf *b, struct str text);
/** "stdout", "stderr", "platform" or "extension"; static. */
const char *log_record_stream_name(enum log_record_stream stream);

#endif
