/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layers.h - layer versions in the registry: their names, their documents, and finding those that
 * a function names.
 *
 * A document has the members that lists of the API show, and ours in small letters: "sha256",
 * "bytes" and "unzipped" of its archive, and "policy" {"revision", "statements"} when it has one. A
 * version that was deleted is gone; functions that use it keep what they need of it themselves.
 *
 * Owns:    nothing.
 * Threads: loop thread only; callbacks never run inside a call and come exactly once.
 * Errors:  those of redis.h; as each function says.
 * Keys:    docs/internals/redis.md.
 */
#ifndef HEARTH_CONTROLLER_OPS_LAYERS_H
#define HEARTH_CONTROLLER_OPS_LAYERS_H

#include "common/model/fn.h"
#include "common/model/fn_name.h"
#include "controller/store/docs.h"

#define LAYERS_NAMES "layers" /* sorted set of names; hash of {"next": number} by name */
#define LAYERS_KEY "layer"

/* Which layer, or which version of it; borrowed from the text it was read from. */
struct layer_name {
    struct str name;
    uint64_t version; /* 0: none was named */
};

/**
 * Reads a layer's name or ARN, with a version or without; -ERR_NOT_FOUND for one of another
 * account or region, or what names no layer.
 */
int layer_name_parse(struct str text, const struct fn_home *home, struct layer_name *ret,
                     struct error *err);
/** The key of a layer's versions (hash number → document); the caller frees it. */
char *layer_key(struct str name);
/** The ARN of a layer, with its version unless that is 0; the caller frees it. */
char *layer_arn(const struct fn_home *home, struct str name, uint64_t version);
/** What the API shows of @doc in lists; the caller deletes it. */
cJSON *layer_doc_listed(const cJSON *doc);

/** @err NULL: @layers are borrowed, as many and in the order as the ARNs. */
typedef void layers_found_fn(const struct fn_layer *layers, size_t len, const struct error *err,
                             void *arg);
/** Finds the layer versions @arns (NULL-terminated, 1 to 5); ERR_BAD_REQUEST names one that is not there. */
void layers_find(struct redis *redis, const struct fn_home *home, char *const *arns,
                 layers_found_fn *done, void *arg);

#endif
