/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lambda_input.h - a request's labels, query, headers and JSON body as one object, keyed by the
 * API's member names and typed as the API's shapes say: what validate.h checks and handlers read.
 *
 * Owns:    nothing; the object is the caller's.
 * Threads: any.
 * Errors:  -ERR_SERIALIZATION: the body is not JSON, not an object, or a query value has not the
 *          member's type. Members that the API does not know are dropped, as AWS does.
 * Source:  AWS rest-json protocol.
 */
#ifndef HEARTH_MODEL_LAMBDA_INPUT_H
#define HEARTH_MODEL_LAMBDA_INPUT_H

#include <cjson/cJSON.h>

#include "common/model/lambda_ops.h"

/** The value of header @name (any case), or STR_NULL. */
typedef struct str lambda_header_fn(void *arg, const char *name);

/**
 * Gathers a request.
 *
 * @query   raw; percent-decoded here
 * @body    empty stands for {}; not looked at when the operation has a payload member
 * @header  may be NULL: no headers
 * @ret     the caller's: cJSON_Delete(); it may hold secrets, see cjson_wipe_strings()
 */
int lambda_input_new(const struct lambda_match *match, struct str query, struct str body,
                     lambda_header_fn *header, void *arg, cJSON **ret, struct error *err);
/** A body that must be one JSON object; -ERR_SERIALIZATION. *@ret as above. */
int lambda_body_parse(struct str body, cJSON **ret, struct error *err);
/**
 * From now on cJSON aborts when memory is gone, as our own small allocations do: an object that is
 * silently missing a member would be a wrong answer. Once, before the first use; in each main().
 */
void cjson_abort_without_memory(void);
/** Overwrites every string value below @json with zeros; for what holds secrets. */
void cjson_wipe_strings(cJSON *json);
/** The text of member @name of @json, or STR_NULL when it is absent, null or no string. */
struct str cjson_str(const cJSON *json, const char *name);
/** The whole number of member @name, 0 to 2^53 - 1; false, and *@ret as it was, when it is none. */
bool cjson_get_u64(const cJSON *json, const char *name, uint64_t *ret);

#endif
