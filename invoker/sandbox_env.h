/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_env.h - what a function's main process is started with: argument list, environment and
 * working folder, merged from image, function and Lambda.
 *
 * Environment, later wins: defaults of Lambda where the image is silent (LANG, TZ, PATH,
 * LD_LIBRARY_PATH, ...) < ENV of the image < variables of the function < reserved ones
 * (AWS_LAMBDA_*, AWS_REGION, the role's credentials, _HANDLER, ...).
 *
 * Owns:    its strings; sandbox_env_free() wipes values before it frees them.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST when there is nothing to run, -ERR_TOO_LARGE beyond INIT_FRAME_MAX.
 * Source:  Lambda developer guide, "Defined runtime environment variables" and "Container image
 *          settings".
 */
#ifndef HEARTH_INVOKER_SANDBOX_ENV_H
#define HEARTH_INVOKER_SANDBOX_ENV_H

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/model/sandbox_spec.h"
#include "invoker/image_store.h"

struct sandbox_env {
    char **argv; /* NULL-terminated */
    char **env; /* "NAME=value", NULL-terminated; secret */
    char *cwd;
};

/**
 * @bootstrap: the program of an OS-only runtime, which stands alone, or NULL. @log_stream and
 * @init_type are AWS_LAMBDA_LOG_STREAM_NAME and _INITIALIZATION_TYPE. @ret is the caller's:
 * sandbox_env_free().
 */
int sandbox_env_new(const struct sandbox_spec *spec, const struct image_info *image,
                    const char *bootstrap, const char *log_stream, const char *init_type,
                    struct sandbox_env **ret, struct error *err);
void sandbox_env_free(struct sandbox_env *env);

#endif
