/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn_layers.h"

#include <inttypes.h>
#include <string.h>

#include "common/model/record.h"

#define AWS_LAYER_PREFIX ":awslayer:" /* layers of AWS's own have no region */

/* The part of a layer version's ARN in front of ":VERSION"; the whole when there is none. */
static struct str layer_of(const char *arn)
{
    const char *colon = strrchr(arn, ':');

    return colon ? str_from(arn, (size_t)(colon - arn)) : str_of(arn);
}

/* The fourth part of an ARN. */
static struct str region_of(const char *arn)
{
    struct str rest = str_of(arn), part = STR_NULL;
    int i;

    for (i = 0; i < 4; i++)
        if (!str_split(&rest, ':', &part))
            return STR_NULL;
    return part;
}

static int check_regions(char *const *arns, struct str region, struct error *err)
{
    for (; *arns; arns++)
        if (!strstr(*arns, AWS_LAYER_PREFIX) && !str_eq(region_of(*arns), region))
            return error_set(err, ERR_BAD_REQUEST,
                             "Layers are not in the same region as the function. Layers are "
                             "expected to be in region %.*s.",
                             STR_ARG(region));
    return 0;
}

static int check_twice(char *const *arns, struct error *err)
{
    size_t i, j;

    for (i = 0; arns[i]; i++)
        for (j = 0; j < i; j++)
            if (str_eq(layer_of(arns[i]), layer_of(arns[j])))
                return error_set(err, ERR_BAD_REQUEST,
                                 "Two different versions of the same layer are not allowed to be "
                                 "referenced in the same function. %s and %s are versions of the "
                                 "same layer.",
                                 arns[j], arns[i]);
    return 0;
}

int fn_layer_arns(const cJSON *input, struct str region, char ***ret, struct error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(input, "Layers");
    char **arns;
    int r;

    if (!list || cJSON_IsNull(list)) {
        *ret = NULL;
        return 0;
    }
    if (cJSON_GetArraySize(list) > FN_LAYERS_MAX)
        return error_set(err, ERR_BAD_REQUEST, "Cannot reference more than %d layers.",
                         FN_LAYERS_MAX);
    arns = strv_from_json(list);
    if (!arns)
        return error_set(err, ERR_SERIALIZATION, "Layers: not a list of strings");
    r = check_regions(arns, region, err);
    if (r == 0)
        r = check_twice(arns, err);
    if (r < 0) {
        strv_free(arns);
        return r;
    }
    *ret = arns;
    return 0;
}

int fn_layer_missing(const char *arn, struct error *err)
{
    return error_set(err, ERR_BAD_REQUEST, "Layer version %s does not exist.", arn);
}

int fn_check_unzipped(const struct fn_version *ver, struct error *err)
{
    uint64_t sum = ver->unzipped_bytes;
    size_t i;

    if (ver->layers_len == 0)
        return 0; /* the archive alone was looked at when it came */
    for (i = 0; i < ver->layers_len; i++)
        sum += ver->layers[i].unzipped_bytes;
    if (sum <= FN_UNZIPPED_BYTES_MAX)
        return 0;
    return error_set(err, ERR_BAD_REQUEST,
                     "Function code combined with layers exceeds the maximum allowed size of %d "
                     "bytes. The actual size is %" PRIu64 " bytes.",
                     FN_UNZIPPED_BYTES_MAX, sum);
}
