/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_apply_parts.h - the parts of fn_apply.c: each takes the members of a request that it knows,
 * checks them as AWS does and sets them in the version. What a request does not name stays.
 *
 * Owns:    nothing; what is set in the version is the version's.
 * Threads: any.
 * Errors:  as fn_apply.h.
 */
#ifndef HEARTH_MODEL_FN_APPLY_PARTS_H
#define HEARTH_MODEL_FN_APPLY_PARTS_H

#include "common/model/fn_apply.h"

/** The member @name of @json, or NULL when it is absent or null. */
const cJSON *fn_member(const cJSON *json, const char *name);

/** Runtime, Handler and ImageConfig, as the package type allows them. fn_apply_code.c */
int fn_apply_code_settings(const cJSON *input, const struct fn_defaults *defaults,
                           struct fn_version *ver, struct error *err);
/** Architectures, which the runtime must have. */
int fn_apply_architecture(const cJSON *input, const struct fn_defaults *defaults,
                          struct fn_version *ver, struct error *err);
/**
 * The source of the code, which must be of the package's kind: @code is Code of CreateFunction or
 * the whole of UpdateFunctionCode.
 */
int fn_apply_source(const cJSON *code, bool creating, struct fn_version *ver, struct error *err);

/** Environment; the message about one that is too large goes to @message. fn_apply_env.c */
int fn_apply_environment(const cJSON *input, struct buf *message, struct fn_version *ver,
                         struct error *err);

/** VpcConfig and FileSystemConfigs. fn_apply_vpc.c */
int fn_apply_network(const cJSON *input, const struct fn_defaults *defaults, struct fn_version *ver,
                     struct error *err);

/** DeadLetterConfig, TracingConfig, KMSKeyArn, SnapStart and LoggingConfig. fn_apply_settings.c */
int fn_apply_settings(const cJSON *input, const struct fn_defaults *defaults,
                      struct fn_version *ver, struct error *err);

#endif
