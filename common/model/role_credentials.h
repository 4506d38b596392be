/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_credentials.h - temporary credentials of a function's role, as `version.get` hands them to
 * an invoker and as a sandbox has them in its environment.
 *
 * Owns:    its strings; role_credentials_free() wipes them all.
 * Threads: any; immutable after they are made.
 * Errors:  -ERR_PROTOCOL names the member that is wrong.
 * Source:  docs/internals/links.md; docs/internals/auth.md, "Sessions of functions".
 */
#ifndef HEARTH_MODEL_ROLE_CREDENTIALS_H
#define HEARTH_MODEL_ROLE_CREDENTIALS_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/str.h"

struct role_credentials {
    char *access_key; /* "ASIA…" */
    char *secret; /* never logged, as the next */
    char *token;
    uint64_t expires_s; /* Unix time */
};

int role_credentials_from_json(const cJSON *json, struct role_credentials **ret, struct error *err);
/** The caller wipes and deletes it. */
cJSON *role_credentials_to_json(const struct role_credentials *credentials);
struct role_credentials *role_credentials_new(struct str access_key, struct str secret,
                                              struct str token, uint64_t expires_s);
/** NULL is fine. */
void role_credentials_free(struct role_credentials *credentials);

#endif
