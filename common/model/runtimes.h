/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtimes.h - which runtime identifiers exist and the image that runs each: data, never an enum.
 *
 * The text: {"runtimes": {"python3.13": {"image": "hearth/python:3.13", "deprecated": false}, ...}}
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
 * -ERR_VALIDATION: unknown, with the set of those that are not deprecated;
 * -ERR_BAD_REQUEST: deprecated.
 */
int runtimes_check(const struct runtimes *rts, struct str name, struct error *err);

#endif
