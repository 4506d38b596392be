/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api.h - blocking calls of the command line to a Hearth endpoint (libcurl).
 *
 * Owns:    an answer owns its bytes; api_answer_done().
 * Threads: one. Blocking: this is a command, not a daemon.
 */
#ifndef HEARTH_CLI_API_H
#define HEARTH_CLI_API_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "common/base/buf.h"

struct api_answer {
    int status; /* HTTP; 0 when Hearth could not be reached */
    struct buf body;
    char error_type[128]; /* x-amzn-ErrorType */
    char function_error[32]; /* X-Amz-Function-Error */
    bool more; /* X-Hearth-More */
    struct buf log_result; /* X-Amz-Log-Result, decoded */
};

/** Sets the endpoint for all calls; NULL: from the environment, else http://127.0.0.1:9000. */
void api_set_endpoint(const char *url);
/** The endpoint in use. */
const char *api_endpoint(void);
/**
 * One call; @headers ("Name: value", NULL-terminated) may be NULL. @timeout_s of the whole call.
 * Returns 0, or an exit status after it has printed why (not reached).
 */
int api_call(const char *method, const char *path, const char *const *headers, struct str body,
             long timeout_s, struct api_answer *ret);
void api_answer_done(struct api_answer *a);
/** For a status >= 400: prints AWS's error type and message; returns the exit status that fits. */
int api_complain(const struct api_answer *a);
/** @s percent-encoded for a path or query; the caller frees it. */
char *api_escape(const char *s);

#endif
