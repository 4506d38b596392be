/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h - members of our own JSON records (registry, sandbox spec): read strictly, the wrong one
 * named; and the two kinds of list they hold.
 *
 * Owns:    nothing. What a reader sets is the caller's; a reader that fails sets nothing.
 * Threads: any.
 * Errors:  -ERR_PROTOCOL "<member> ...": the record is ours, so a wrong one is a broken peer.
 */
#ifndef HEARTH_MODEL_RECORD_H
#define HEARTH_MODEL_RECORD_H

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "common/base/str.h"
#include "common/model/sandbox_spec.h"

/** A string that must be there. */
int record_str(const cJSON *json, const char *name, char **ret, struct error *err);
/** A string that may be absent or null: then *@ret is NULL. */
int record_opt_str(const cJSON *json, const char *name, char **ret, struct error *err);
/** A whole number from 0 to @max (at most 2^53). */
int record_u64(const cJSON *json, const char *name, uint64_t max, uint64_t *ret, struct error *err);
int record_u32(const cJSON *json, const char *name, uint32_t *ret, struct error *err);
/** A string that is one of @names (NULL entries are skipped); *@ret is its index. */
int record_enum(const cJSON *json, const char *name, const char *const *names, size_t len,
                int *ret, struct error *err);
/** A list of strings, NULL-terminated; absent or null gives NULL. */
int record_strv(const cJSON *json, const char *name, char ***ret, struct error *err);
/** Adds @value under @name unless it is NULL. */
void record_add_str(cJSON *json, const char *name, const char *value);
void record_add_strv(cJSON *json, const char *name, char *const *strv);

void strv_free(char **strv);
char **strv_copy(char *const *strv);
/** Reads an array of strings; NULL when @json is not one. */
char **strv_from_json(const cJSON *json);

/** Wipes values, then frees. */
void env_free(struct env_var *env, size_t len);
struct env_var *env_copy(const struct env_var *env, size_t len);
/** {"NAME": "value"}; the caller wipes and deletes it. */
cJSON *env_to_json(const struct env_var *env, size_t len);
/** Reads that form, a name given twice counting once, the last; -ERR_PROTOCOL. */
int env_from_json(const cJSON *json, struct env_var **ret, size_t *ret_len, struct error *err);

#endif
