/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provisioned_reader.h - what is provisioned, as it stands in the registry: of one function when
 * something of it has changed, of all when Redis is there.
 *
 * Owns:    the reading under way. Borrows: redis and the sealing key; they outlive it.
 * Threads: loop thread only; callbacks never run inside a call.
 * Errors:  what Redis does not answer is asked again until it does.
 */
#ifndef HEARTH_CONTROLLER_PROVISIONED_READER_H
#define HEARTH_CONTROLLER_PROVISIONED_READER_H

#include <cjson/cJSON.h>

#include "common/io/redis.h"
#include "common/proto/seal.h"

struct provisioned_reader;

struct provisioned_reader_options {
    struct loop *loop;
    struct redis *redis;
    const struct seal_key *key;
    uint64_t retry_us;
    /* All that is wanted of a function that is there or not: [{"qualifier", "version", "generation",
     * "memory_mib", "count"}], of versions that can run. */
    void (*found)(struct str account, struct str name, const cJSON *versions, void *arg);
    /* All functions with something provisioned were found. */
    void (*all_read)(void *arg);
    void *arg;
};

struct provisioned_reader *provisioned_reader_new(const struct provisioned_reader_options *options);
/** After Redis has ended what was asked. NULL is fine. */
void provisioned_reader_free(struct provisioned_reader *r);
/** Reads the function, and again when that is being done. */
void provisioned_reader_look(struct provisioned_reader *r, struct str account, struct str name);
/** Looks for functions with something provisioned and reads each. */
void provisioned_reader_all(struct provisioned_reader *r);

#endif
