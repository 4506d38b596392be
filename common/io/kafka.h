/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kafka.h - sends records to one Kafka topic (librdkafka): an idempotent producer with acks=all.
 *
 * Records of one key keep their order. A record is given up by nobody but us: librdkafka retries it
 * for as long as it takes. librdkafka keeps its threads to itself; their news come to the loop by
 * a descriptor.
 *
 * Owns:    the producer; keys and values are copied by kafka_produce().
 * Threads: loop thread only; callbacks never run inside a call of ours. kafka_producer_free()
 *          leaves the ending of librdkafka's threads to a worker.
 * Errors:  -ERR_CONFIG for settings that librdkafka refuses; brokers that are away are no error but
 *          a state (on_state).
 * Source:  librdkafka INTRODUCTION.md, "Idempotent Producer"; Kafka protocol, Produce.
 */
#ifndef HEARTH_IO_KAFKA_H
#define HEARTH_IO_KAFKA_H

#include "common/base/str.h"
#include "common/io/loop.h"

struct kafka_producer;

struct kafka_options {
    const char *brokers; /* "host:port,host:port" */
    const char *topic;
    const char *client_id;
    /* further librdkafka settings, one "key=value" a line, # comments (TLS, SASL); may be NULL */
    const char *properties;
    uint32_t linger_ms; /* how long a record may wait for company */
    uint64_t queue_bytes; /* records in librdkafka at most, and at least 1 MiB */
};

enum kafka_outcome {
    KAFKA_DELIVERED, /* all in-sync replicas have it */
    KAFKA_REFUSED, /* never will: too large for the topic, or malformed */
    KAFKA_FAILED, /* may or may not have arrived; sending it again may succeed */
};

struct kafka_ops {
    /* The end of one record; in order for one key. */
    void (*on_outcome)(uint64_t token, enum kafka_outcome outcome, const struct error *why,
                       void *arg);
    /* The brokers cannot be reached (@why), or records arrive again (NULL); at changes. */
    void (*on_state)(bool up, const struct error *why, void *arg);
    /* This producer is of no use any more (its sequence is broken): free it and make another. */
    void (*on_fatal)(const struct error *why, void *arg);
};

/** Begins to connect, in the background. */
int kafka_producer_new(struct loop *loop, const struct kafka_options *options,
                       const struct kafka_ops *ops, void *arg, struct kafka_producer **ret,
                       struct error *err);
/** Forgets what was not delivered; no callback runs any more. NULL is fine. */
void kafka_producer_free(struct kafka_producer *p);
/**
 * Hands a record over; its end comes by on_outcome with @token.
 *
 * Returns 0; -ERR_THROTTLED when librdkafka holds queue_bytes (try again after an outcome);
 * -ERR_TOO_LARGE or -ERR_PROTOCOL for a record that cannot be sent; -ERR_CLOSED after a fatal
 * error.
 */
int kafka_produce(struct kafka_producer *p, struct str key, struct str value, uint64_t token,
                  struct error *err);

#endif
