/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_signing.h - code signing configurations: whose signatures archives of functions need, and
 * what happens to those without.
 *
 * A function names its configuration in its setting CODE_SIGNING_SETTING, an ARN; the sorted set
 * "csc_fns:<id>" has the names of the functions that do.
 *
 * Owns:    nothing but the requests under way.
 * Threads: loop thread only; callbacks never run inside a call and come exactly once.
 * Errors:  those of docs.h; ERR_NO_CODE_SIGNING.
 * Keys:    docs/internals/redis.md.
 */
#ifndef HEARTH_CONTROLLER_OPS_CODE_SIGNING_H
#define HEARTH_CONTROLLER_OPS_CODE_SIGNING_H

#include <cjson/cJSON.h>

#include "common/io/redis.h"

#define CODE_SIGNING_SETTING "code_signing"
#define CODE_SIGNING_KEY "csc" /* hash: id → as the API shows it */
#define CODE_SIGNING_NAMES_KEY "cscs" /* sorted set of ids */
#define CODE_SIGNING_TAGS_KEY "tags:csc" /* hash: ARN → {tag: value} */

/** "csc-0123456789abcdef0" of an ARN; borrowed from it. */
struct str code_signing_id(struct str arn);
/** "csc_fns:<id>"; the caller frees it. */
char *code_signing_functions_key(struct str id);
/** Whether archives without a good signature are refused; else they are taken and logged. */
bool code_signing_is_enforced(const cJSON *config);
/** The ARNs of the profiles whose signatures are good: an array of strings. */
const cJSON *code_signing_profiles(const cJSON *config);

/** -ERR_NO_CODE_SIGNING in AWS's words. */
int code_signing_missing(struct str arn, struct error *err);

/** @err NULL: @config is borrowed for the call, @text is what docs_expect() compares. */
typedef void code_signing_fn(const cJSON *config, struct str text, const struct error *err,
                             void *arg);
/** Finds the configuration @arn; ERR_NO_CODE_SIGNING (with AWS's message) when there is none. */
void code_signing_get(struct redis *redis, struct str account, struct str arn,
                      code_signing_fn *done, void *arg);

#endif
