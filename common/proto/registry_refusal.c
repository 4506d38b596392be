/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/registry_refusal.h"

#include <string.h>

/* First match wins. */
static const struct {
    const char *words;
    enum error_code code;
} refusals[] = {
    {"no matching manifest", ERR_UNSUPPORTED},
    {"no match for platform", ERR_UNSUPPORTED},
    {"does not match the specified platform", ERR_UNSUPPORTED},
    {"unauthorized", ERR_ACCESS_DENIED},
    {"authentication required", ERR_ACCESS_DENIED},
    {"no basic auth credentials", ERR_ACCESS_DENIED},
    {"access denied", ERR_ACCESS_DENIED},
    {"denied:", ERR_ACCESS_DENIED},
    {"forbidden", ERR_ACCESS_DENIED},
    {"manifest unknown", ERR_NOT_FOUND},
    {"name unknown", ERR_NOT_FOUND},
    {"repository name not known", ERR_NOT_FOUND},
    {"not found", ERR_NOT_FOUND},
    {"does not exist", ERR_NOT_FOUND},
    {"connection refused", ERR_UNAVAILABLE},
    {"no such host", ERR_UNAVAILABLE},
    {"timeout", ERR_UNAVAILABLE},
    {"deadline exceeded", ERR_UNAVAILABLE},
    {"network is unreachable", ERR_UNAVAILABLE},
    {"server gave HTTP response to HTTPS client", ERR_UNAVAILABLE},
};

enum error_code registry_refusal_code(const char *text, enum error_code otherwise)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        if (strcasestr(text, refusals[i].words))
            return refusals[i].code;
    return otherwise;
}
