/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_apply.h - what a client asks for becomes a version: the checks AWS makes beyond the API
 * model's constraints, and the defaults.
 *
 * The input has passed validate_input(). What the API model has and Hearth does not offer is
 * refused by name (fn_unoffered.h); all else is kept and shown. Publish and CodeSigningConfigArn
 * are the caller's, as is fetching the code (fn_source.h).
 *
 * A message may be longer than a struct error holds: it is then in the request's long_message,
 * which is empty otherwise, and tells what the client sent: never log it.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST and -ERR_VALIDATION with AWS's words; -ERR_UNSUPPORTED names the member
 *          that Hearth does not offer yet.
 * Source:  Lambda API reference, CreateFunction, UpdateFunctionConfiguration, UpdateFunctionCode;
 *          recorded AWS answers.
 */
#ifndef HEARTH_MODEL_FN_APPLY_H
#define HEARTH_MODEL_FN_APPLY_H

#include "common/model/fn.h"

/* What a request does not say. All borrowed. */
struct fn_defaults {
    struct str account;
    struct str region;
    struct str architecture; /* "x86_64" or "arm64": what Architectures is when not given */
    const struct runtimes *runtimes;
    const struct networks *networks; /* NULL: no subnet is known */
    uint64_t now_ms; /* Unix time, milliseconds */
    const char *revision_id; /* a fresh UUID */
    const struct fn_layer *layers; /* what was found for fn_layer_arns(), in its order */
    size_t layers_len;
    struct buf *long_message; /* gets a message that no struct error holds; NULL: it is cut */
};

/**
 * CreateFunction: a new $LATEST, Pending/Creating, generation 1. For zip the caller fetches the
 * code and sets code_sha256, code_bytes and unzipped_bytes, then calls fn_check_unzipped().
 */
int fn_apply_create(const cJSON *input, const struct fn_defaults *defaults, struct fn_version **ret,
                    struct error *err);
/**
 * UpdateFunctionConfiguration: a changed copy of @cur, next generation, update InProgress/Creating.
 * -ERR_PRECONDITION when RevisionId is given and is not @cur's.
 */
int fn_apply_update_configuration(const cJSON *input, const struct fn_defaults *defaults,
                                  const struct fn_version *cur, struct fn_version **ret,
                                  struct error *err);
/**
 * UpdateFunctionCode: a changed copy of @cur, next generation, update InProgress/Creating; an
 * image's resolved URI and digest are cleared. For zip the caller does as with fn_apply_create().
 */
int fn_apply_update_code(const cJSON *input, const struct fn_defaults *defaults,
                         const struct fn_version *cur, struct fn_version **ret, struct error *err);

#endif
