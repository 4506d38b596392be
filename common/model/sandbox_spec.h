/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox_spec.h - all that an invoker must know to run one version of one function: what the
 * controller answers to `version.get`.
 *
 * Owns:    its strings; sandbox_spec_free() wipes environment values and credentials before it frees them.
 * Threads: any; immutable after it is made, but for credentials, which are replaced by newer ones.
 * Source:  Lambda API reference, FunctionConfiguration; docs/internals/links.md.
 */
#ifndef HEARTH_MODEL_SANDBOX_SPEC_H
#define HEARTH_MODEL_SANDBOX_SPEC_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/model/fn_log_level.h"
#include "common/model/net_policy.h"
#include "common/model/role_credentials.h"

/** Pairs of the function's environment, in order. */
struct env_var {
    char *name;
    char *value; /* secret: never logged */
};

#define SANDBOX_LAYERS_MAX 5u /* Lambda's quota */

/** One layer of a function. */
struct sandbox_layer {
    char *arn; /* of the layer's version */
    char *sha256; /* lower-case hex of the archive */
    uint64_t bytes; /* size of the archive */
};

struct sandbox_spec {
    char *account; /* "000000000000" */
    char *region;
    char *name; /* function name */
    char *version; /* "$LATEST" or a number */
    char *arn; /* unqualified function ARN */
    uint64_t generation; /* grows with each change of code or configuration; fences old ones */
    char *image; /* reference to run, by digest where there is one */
    char *code_sha256; /* zip functions: lower-case hex of the archive; NULL for images */
    uint64_t code_bytes; /* size of the archive */
    struct sandbox_layer *layers; /* zip functions: over /opt in this order; NULL when none */
    size_t layers_len; /* up to SANDBOX_LAYERS_MAX */
    char *runtime; /* "python3.13"; NULL for images */
    char *handler; /* NULL for images */
    uint32_t memory_mib;
    uint32_t timeout_s;
    uint32_t ephemeral_mib; /* size of /tmp */
    struct env_var *env;
    size_t env_len;
    char **entry_point; /* ImageConfig overrides; NULL-terminated, NULL when absent */
    char **command;
    char *working_directory;
    char *log_group; /* "/aws/lambda/<name>" */
    bool log_json; /* LogFormat JSON; Text otherwise */
    enum fn_log_level application_log_level; /* with log_json: lines below it are left out */
    enum fn_log_level system_log_level;
    struct role_credentials *credentials; /* of its role, as they were issued; NULL: none */
    struct net_policy *network; /* what its VpcConfig lets it reach; NULL: what all functions may */
};

/** Reads the JSON form; -ERR_PROTOCOL names the member that is wrong. */
int sandbox_spec_from_json(const cJSON *json, struct sandbox_spec **ret, struct error *err);
/** The JSON form; the caller deletes it (it holds secrets). */
cJSON *sandbox_spec_to_json(const struct sandbox_spec *spec);
void sandbox_spec_free(struct sandbox_spec *spec);

/**
 * Layers by themselves, as `version.get` and `code.prepare` have them: [{"arn", "sha256", "bytes"}].
 * No list at all is none. -ERR_PROTOCOL; a reader that fails sets nothing.
 */
int sandbox_layers_from_json(const cJSON *json, struct sandbox_layer **ret, size_t *ret_len,
                             struct error *err);
cJSON *sandbox_layers_to_json(const struct sandbox_layer *layers, size_t len);
void sandbox_layers_free(struct sandbox_layer *layers, size_t len);

#endif
