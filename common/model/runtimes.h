/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtimes.h - which runtime identifiers exist and the image that runs each: data, never an enum.
 *
 * The text: {"runtimes": {"python3.13": {"image": "hearth/python:3.13", "fallback": "...",
 * "architectures": ["x86_64", "arm64"], "snap_start": true}, "python2.7": {"deprecated": true},
 * ...}}
 *
 * Owns:    its strings. Immutable once made.
 * Threads: any.
 * Errors:  -ERR_CONFIG names the entry that is wrong.
 */
#ifndef HEARTH_MODEL_RUNTIMES_H
#define HEARTH_MODEL_RUNTIMES_H

#include "common/base/buf.h"
#include "common/base/error.h"

struct runtime {
    char *name; /* "python3.13" */
    char *image; /* image reference; "" for a deprecated one without image */
    char *fallback; /* image for where @image is not at hand; "" when there is none */
    bool x86_64, arm64; /* what functions may ask for */
    bool snap_start; /* whether SnapStart may be asked for */
    bool deprecated; /* refused by create and update, with AWS's words */
};

struct runtimes {
    struct runtime *items; /* in the order of the text */
    size_t len;
};

int runtimes_parse(struct str text, struct runtimes **ret, struct error *err);
void runtimes_free(struct runtimes *rts);
/** The entry or NULL. */
const struct runtime *runtimes_find(const struct runtimes *rts, struct str name);
/**
 * Whether a function may be created with or changed to runtime @name.
 *
 * -ERR_BAD_REQUEST: unknown (the message names those that AWS names, in its order), or deprecated.
 */
int runtimes_check(const struct runtimes *rts, struct str name, struct error *err);

#endif
