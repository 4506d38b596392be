/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs.h - what an account has beside its functions' own documents: JSON texts in Redis hashes, with
 * sorted sets of names for listing. Two calls: a batch of reads that sees one moment, and a commit
 * that writes all or nothing, after it has compared what the writer had read.
 *
 * Keys are given without the account's prefix: "layer:utils" is "hearth:{<account>}:layer:utils".
 * Which keys there are: docs/internals/redis.md.
 *
 * Owns:    a batch belongs to its maker until it is run; then it frees itself.
 * Threads: loop thread only; callbacks never run inside a call and come exactly once.
 * Errors:  those of redis.h; a commit whose expectation does not hold ends with ERR_STALE and has
 *          written nothing: read again, decide again.
 */
#ifndef HEARTH_CONTROLLER_STORE_DOCS_H
#define HEARTH_CONTROLLER_STORE_DOCS_H

#include <cjson/cJSON.h>

#include "common/io/redis.h"

/* ---- reading ---- */

struct docs_read;

/** @values: one for each read, in order; NULL when @err is set. Borrowed for the call. */
typedef void docs_read_fn(const struct redis_value *values, size_t len, const struct error *err,
                          void *arg);

struct docs_read *docs_read_new(struct redis *redis, struct str account);
/** For a batch that is not run after all. */
void docs_read_free(struct docs_read *read);
/** One field of a hash → text or nil. */
void docs_read_field(struct docs_read *read, const char *key, struct str field);
/** A whole hash → array of field, text, field, text, … in no order. */
void docs_read_hash(struct docs_read *read, const char *key);
/** How many members the sorted set @key has → integer. */
void docs_read_size(struct docs_read *read, const char *key);
/** The counter @key → text or nil. */
void docs_read_counter(struct docs_read *read, const char *key);
/**
 * Names of the sorted set @names behind @after (empty: from the first), at most @limit, each with
 * its field of the hash @key → array of name, text or nil, … in order of names.
 */
void docs_read_page(struct docs_read *read, const char *names, const char *key, struct str after,
                    uint32_t limit);
/** Runs the batch and frees it. */
void docs_read_run(struct docs_read *read, docs_read_fn *done, void *arg);

/** Text @value as JSON; NULL when it is nil or none. The caller deletes it. */
cJSON *docs_json(const struct redis_value *value);
/** The answer of docs_read_hash() as an object {field: JSON}; the caller deletes it. */
cJSON *docs_hash_json(const struct redis_value *value);

/* ---- writing ---- */

struct docs_commit;

/** @err NULL: all is written. ERR_STALE: an expectation did not hold. */
typedef void docs_commit_fn(const struct error *err, void *arg);

struct docs_commit *docs_commit_new(struct redis *redis, struct str account);
/** For a commit that is not run after all. */
void docs_commit_free(struct docs_commit *commit);
/** Whether it would write nothing. */
bool docs_commit_is_empty(const struct docs_commit *commit);
/** Expects that @field of the hash @key is @value (ptr NULL: that there is no such field). */
void docs_expect(struct docs_commit *commit, const char *key, struct str field, struct str value);
/** Expects that @key exists, or does not. */
void docs_expect_key(struct docs_commit *commit, const char *key, bool exists);
/** Expects that the counter @key stands at @value (0: also that there is none). */
void docs_expect_counter(struct docs_commit *commit, const char *key, int64_t value);
void docs_set(struct docs_commit *commit, const char *key, struct str field, struct str value);
/** The same with @json's text; @json is borrowed. */
void docs_set_json(struct docs_commit *commit, const char *key, struct str field,
                   const cJSON *json);
void docs_unset(struct docs_commit *commit, const char *key, struct str field);
/** Removes the key @key with all that is in it. */
void docs_drop(struct docs_commit *commit, const char *key);
/** A name of the sorted set @key (for docs_read_page()). */
void docs_add_name(struct docs_commit *commit, const char *key, struct str name);
void docs_remove_name(struct docs_commit *commit, const char *key, struct str name);
/** A member of the plain set @key (references: code:<sha256>). */
void docs_add_member(struct docs_commit *commit, const char *key, struct str member);
void docs_remove_member(struct docs_commit *commit, const char *key, struct str member);
/** Adds @by to the number in @field of the hash @key. */
void docs_count_field(struct docs_commit *commit, const char *key, struct str field, int64_t by);
/** Adds @by to the counter @key. */
void docs_count(struct docs_commit *commit, const char *key, int64_t by);
/** Runs the commit and frees it. */
void docs_commit_run(struct docs_commit *commit, docs_commit_fn *done, void *arg);

#endif
