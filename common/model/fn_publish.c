/* SPDX-License-Identifier: Apache-2.0 */
/* Published versions: how one comes from $LATEST, and whether there is anything new to publish. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/fn.h"
#include "common/model/fn_name.h"

/* Members of a registry record that are neither code nor configuration. */
static const char *const other_members[] = {
    "version",        "description",       "source_description",
    "package",        "image_uri",         "resolved_image_uri",
    "code_bytes",     "unzipped_bytes",    "source_kms_key_arn",
    "tags",           "runtime_version",   "state",
    "state_reason",   "state_reason_code", "update_status",
    "update_reason",  "update_reason_code", "revision_id",
    "generation",     "created_ms",        "modified_ms",
};

bool fn_version_is_latest(const struct fn_version *ver)
{
    return strcmp(ver->version, FN_LATEST) == 0;
}

struct fn_version *fn_version_publish(const struct fn_version *latest, uint64_t number,
                                      struct str description, uint64_t now_ms,
                                      const char *revision_id)
{
    struct fn_version *ver = fn_version_copy(latest);
    bool ready = latest->state == FN_ACTIVE && latest->update_status == FN_UPDATE_SUCCESSFUL;

    free(ver->version);
    ver->version = str_printf("%" PRIu64, number);
    fn_set_str(&ver->source_description, str_of(latest->description));
    if (description.ptr)
        fn_set_str(&ver->description, description);
    fn_set_str(&ver->revision_id, str_of(revision_id));
    ver->modified_ms = now_ms;
    cJSON_Delete(ver->tags);
    ver->tags = NULL;
    if (ready && !ver->snap_start)
        return ver;
    fn_version_set_state(ver, FN_PENDING, FN_REASON_CREATING, FN_REASON_CREATING_TEXT);
    fn_version_set_update(ver, FN_UPDATE_NONE, NULL, NULL);
    return ver;
}

/* The record of @ver reduced to what decides how it runs. */
static cJSON *essence_new(const struct fn_version *ver)
{
    cJSON *json = fn_version_to_registry(ver, STR_NULL);
    size_t i;

    for (i = 0; i < ARRAY_LEN(other_members); i++)
        cJSON_DeleteItemFromObjectCaseSensitive(json, other_members[i]);
    return json;
}

static bool same_environment(const struct fn_version *a, const struct fn_version *b)
{
    size_t i, j;

    if (a->env_len != b->env_len)
        return false;
    for (i = 0; i < a->env_len; i++) {
        for (j = 0; j < b->env_len; j++)
            if (strcmp(a->env[i].name, b->env[j].name) == 0)
                break;
        if (j == b->env_len || strcmp(a->env[i].value, b->env[j].value) != 0)
            return false;
    }
    return true;
}

/* What $LATEST's description was when @ver was made of it. */
static const char *source_description(const struct fn_version *ver)
{
    return ver->source_description ? ver->source_description : ver->description;
}

bool fn_version_same_code_and_configuration(const struct fn_version *latest,
                                            const struct fn_version *published)
{
    cJSON *a = essence_new(latest), *b = essence_new(published);
    bool same = cJSON_Compare(a, b, 1) && same_environment(latest, published) &&
                strcmp(source_description(latest), source_description(published)) == 0;

    cJSON_Delete(a);
    cJSON_Delete(b);
    return same;
}
