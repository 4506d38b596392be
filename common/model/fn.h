/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn.h - one version of a function: configuration, code and state, and its JSON forms.
 *
 * Two forms: the registry's (ours, in Redis; the environment is one sealed text, see seal.h) and
 * AWS's FunctionConfiguration. What a client asks for becomes a version in fn_apply.h.
 *
 * Owns:    its strings; fn_version_free() wipes environment values.
 * Threads: one at a time.
 * Errors:  -ERR_PROTOCOL for a registry record that is wrong; it names the member.
 * Source:  Lambda API reference, FunctionConfiguration; recorded AWS answers.
 */
#ifndef HEARTH_MODEL_FN_H
#define HEARTH_MODEL_FN_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/model/runtimes.h"
#include "common/model/sandbox_spec.h"

enum fn_package { FN_ZIP, FN_IMAGE };

enum fn_state { FN_PENDING, FN_ACTIVE, FN_INACTIVE, FN_FAILED, FN_STATE_MAX };

enum fn_update_status {
    FN_UPDATE_NONE, /* not created yet: AWS leaves it out */
    FN_UPDATE_SUCCESSFUL,
    FN_UPDATE_IN_PROGRESS,
    FN_UPDATE_FAILED,
    FN_UPDATE_STATUS_MAX,
};

/* A state or a status with its reason; both strings NULL when there is nothing to say. */
struct fn_reason {
    char *text; /* "The function is being created." */
    char *code; /* "Creating" */
};

/* A layer version that a function uses; one that was deleted since stays usable. */
struct fn_layer {
    char *arn; /* of the layer version, as the client gave it */
    char *sha256; /* lower-case hex of its archive */
    uint64_t bytes; /* of the archive: AWS's CodeSize */
    uint64_t unzipped_bytes;
};

struct fn_file_system {
    char *arn; /* of an access point */
    char *mount_path; /* "/mnt/data" */
    char *direct_s3_read; /* S3FilesConfig.DirectS3Read, or NULL */
};

struct fn_version {
    /* name */
    char *account;
    char *region;
    char *name;
    char *version; /* "$LATEST" or a number */

    /* configuration */
    enum fn_package package;
    char *runtime; /* NULL for images */
    char *runtime_version; /* identity of the runtime's image, 64 hex digits; NULL for images */
    char *handler; /* NULL for images */
    char *role;
    char *description; /* "" when not given */
    char *architecture; /* "x86_64", "arm64" */
    uint32_t memory_mib;
    uint32_t timeout_s;
    uint32_t ephemeral_mib;
    bool has_env; /* Environment was given: AWS shows it, even when it is empty */
    struct env_var *env; /* in clear; values are secret */
    size_t env_len;
    char **entry_point; /* ImageConfig; NULL-terminated; NULL when absent */
    char **command;
    char *working_directory;
    char *log_group; /* "/aws/lambda/<name>" unless chosen */
    bool log_json; /* LogFormat JSON; Text otherwise */
    char *application_log_level; /* "INFO"; NULL with LogFormat Text */
    char *system_log_level; /* "INFO"; NULL with LogFormat Text */
    bool has_vpc; /* VpcConfig was given: AWS shows it, even when it is empty */
    char *vpc_id; /* "vpc-" and 17 hex digits; "" when has_vpc but no subnets; else NULL */
    char **subnet_ids; /* NULL-terminated; NULL when there are none */
    char **security_group_ids;
    bool vpc_ipv6; /* Ipv6AllowedForDualStack */
    char *dead_letter_arn; /* an SQS queue or SNS topic, or NULL */
    bool tracing_active; /* TracingConfig.Mode Active; PassThrough otherwise */
    char *kms_key_arn; /* NULL: none */
    bool snap_start; /* SnapStart.ApplyOn PublishedVersions; None otherwise */
    struct fn_layer *layers; /* in the order of merging */
    size_t layers_len;
    struct fn_file_system *file_systems;
    size_t file_systems_len;
    cJSON *tags; /* what CreateFunction was given: object of strings, or NULL */

    /* code */
    char *image_uri; /* as the client gave it; NULL for zip */
    char *resolved_image_uri; /* by digest; NULL until prepared */
    char *code_sha256; /* lower-case hex; of the archive or the image digest; NULL until known */
    uint64_t code_bytes;
    uint64_t unzipped_bytes; /* of the archive; 0 when not known */
    char *source_kms_key_arn; /* SourceKMSKeyArn, or NULL */

    /* state */
    enum fn_state state;
    struct fn_reason state_reason;
    enum fn_update_status update_status;
    struct fn_reason update_reason;
    char *revision_id; /* UUID; new with each change */
    char *source_description; /* $LATEST's when this version was published; NULL for $LATEST */
    uint64_t generation; /* grows with each change of code or configuration */
    uint64_t created_ms; /* Unix time, milliseconds */
    uint64_t modified_ms;
};

/** An empty version ($LATEST, Pending, generation 0). */
struct fn_version *fn_version_new(void);
struct fn_version *fn_version_copy(const struct fn_version *ver);
void fn_version_free(struct fn_version *ver);
/** For CLEANUP. */
void fn_version_freep(struct fn_version **ver);

/** Whether @ver is $LATEST and not a published version. */
bool fn_version_is_latest(const struct fn_version *ver);
/**
 * A published copy of $LATEST: Pending/Creating with SnapStart or when @latest is not ready yet,
 * else active at once. Tags stay with the function.
 *
 * @description  of the version; ptr NULL: $LATEST's
 */
struct fn_version *fn_version_publish(const struct fn_version *latest, uint64_t number,
                                      struct str description, uint64_t now_ms,
                                      const char *revision_id);
/**
 * Whether code and configuration are the same, so that publishing @latest again would give what
 * @published is already. A description given to PublishVersion alone makes no difference;
 * $LATEST's own does.
 */
bool fn_version_same_code_and_configuration(const struct fn_version *latest,
                                            const struct fn_version *published);

/** Sets state and reason; @text and @code are copied, NULL for none. */
void fn_version_set_state(struct fn_version *ver, enum fn_state state, const char *code,
                          const char *text);
void fn_version_set_update(struct fn_version *ver, enum fn_update_status status, const char *code,
                           const char *text);
/** What the image is: @reference to run, @digest "sha256:<hex>"; both are copied. */
void fn_version_set_image(struct fn_version *ver, struct str reference, struct str digest);
/** Replaces *@field by a copy of @value (ptr NULL: by NULL). */
void fn_set_str(char **field, struct str value);
/** Replaces the layers by a copy of @layers. */
void fn_set_layers(struct fn_version *ver, const struct fn_layer *layers, size_t len);

struct fn_layer *fn_layers_copy(const struct fn_layer *layers, size_t len);
void fn_layers_free(struct fn_layer *layers, size_t len);
struct fn_file_system *fn_file_systems_copy(const struct fn_file_system *systems, size_t len);
void fn_file_systems_free(struct fn_file_system *systems, size_t len);

/* AWS's words for the reasons that go with Creating. */
#define FN_REASON_CREATING "Creating"
#define FN_REASON_CREATING_TEXT "The function is being created."

/** "Pending", "Active", ...; static. */
const char *fn_state_name(enum fn_state state);
/** "Successful", ...; NULL for FN_UPDATE_NONE. */
const char *fn_update_status_name(enum fn_update_status status);

/** The environment as JSON text {"K":"V",...}, for sealing; the caller wipes and frees @ret. */
int fn_env_to_text(const struct fn_version *ver, struct buf *ret);
/** Replaces the environment by what fn_env_to_text() wrote. */
int fn_env_from_text(struct fn_version *ver, struct str text, struct error *err);

/** The registry record; @sealed_env is the sealed text, ptr NULL when there is no environment. */
cJSON *fn_version_to_registry(const struct fn_version *ver, struct str sealed_env);
/**
 * Reads a registry record. The environment stays sealed: @ret_sealed_env borrows its text from
 * @json (ptr NULL: none); unseal it and call fn_env_from_text().
 */
int fn_version_from_registry(const cJSON *json, struct fn_version **ret, struct str *ret_sealed_env,
                             struct error *err);

/**
 * AWS's FunctionConfiguration; the caller deletes it (it holds secrets: cjson_wipe_strings()).
 *
 * @qualifier  what the request named (version, alias, $LATEST), which FunctionArn then carries;
 *             STR_NULL: nothing
 */
cJSON *fn_version_to_aws(const struct fn_version *ver, struct str qualifier);
/** CodeSha256 as the API has it; the caller frees it, NULL: not known yet. */
char *fn_version_code_sha256_text(const struct fn_version *ver);
/** What CreateFunction answers: FunctionArn is the function's, also when @ver was published. */
cJSON *fn_version_to_aws_created(const struct fn_version *ver);
/** The ARN of the runtime version that it has; the caller frees it, NULL: an image. */
char *fn_version_runtime_arn(const struct fn_version *ver);
/** As lists have each: without state, last update status and runtime version. */
cJSON *fn_version_to_aws_listed(const struct fn_version *ver, struct str qualifier);

struct fn_get_extra {
    const char *code_location; /* URL of a zip's archive; NULL for images */
    int64_t reserved_concurrency; /* -1: none */
    const cJSON *tags; /* object, or NULL */
    struct str qualifier; /* as fn_version_to_aws() */
};

/** The whole answer of GetFunction. */
cJSON *fn_version_to_get_function(const struct fn_version *ver, const struct fn_get_extra *extra);

/**
 * What an invoker needs to run @ver. -ERR_INTERNAL when the image is not known yet; for zip
 * functions @rts gives the runtime's image.
 */
int fn_version_to_spec(const struct fn_version *ver, const struct runtimes *rts,
                       struct sandbox_spec **ret, struct error *err);

#endif
