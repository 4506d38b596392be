/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/runtimes.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "common/model/lambda_ops.h"
#include "common/model/record.h"

#define NAMES_TEXT_MAX 4096

void runtimes_free(struct runtimes *rts)
{
    size_t i;

    if (!rts)
        return;
    for (i = 0; i < rts->len; i++) {
        free(rts->items[i].name);
        free(rts->items[i].image);
        free(rts->items[i].fallback);
    }
    free(rts->items);
    free(rts);
}

/* "architectures" of an entry; absent: both. */
static int read_architectures(const cJSON *json, struct runtime *rt, struct error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "architectures"), *item;

    if (!list) {
        rt->x86_64 = rt->arm64 = true;
        return 0;
    }
    if (!cJSON_IsArray(list))
        return error_set(err, ERR_CONFIG, "runtime %s: architectures is not a list", rt->name);
    cJSON_ArrayForEach(item, list)
    {
        struct str s = str_of(cJSON_GetStringValue(item));

        if (str_is(s, "x86_64"))
            rt->x86_64 = true;
        else if (str_is(s, "arm64"))
            rt->arm64 = true;
        else
            return error_set(err, ERR_CONFIG,
                             "runtime %s: architectures are x86_64 and arm64, nothing else",
                             rt->name);
    }
    return 0;
}

/* The flag @name of an entry; absent: false. */
static int read_flag(const cJSON *json, const char *name, bool *ret, const struct runtime *rt,
                     struct error *err)
{
    const cJSON *flag = cJSON_GetObjectItemCaseSensitive(json, name);

    if (flag && !cJSON_IsBool(flag))
        return error_set(err, ERR_CONFIG, "runtime %s: %s is true or false", rt->name, name);
    *ret = cJSON_IsTrue(flag);
    return 0;
}

static int read_runtime(const cJSON *json, struct runtime *rt, struct error *err)
{
    int r;

    rt->name = str_dup(str_of(json->string));
    if (!cJSON_IsObject(json))
        return error_set(err, ERR_CONFIG, "runtime %s: not an object", rt->name);
    r = read_flag(json, "deprecated", &rt->deprecated, rt, err);
    if (r == 0)
        r = read_flag(json, "snap_start", &rt->snap_start, rt, err);
    if (r < 0)
        return r;
    if (record_opt_str(json, "image", &rt->image, NULL) < 0 ||
        record_opt_str(json, "fallback", &rt->fallback, NULL) < 0)
        return error_set(err, ERR_CONFIG, "runtime %s: image and fallback are strings", rt->name);
    if (!rt->deprecated && (!rt->image || !rt->image[0]))
        return error_set(err, ERR_CONFIG, "runtime %s: image is missing", rt->name);
    r = read_architectures(json, rt, err);
    if (!rt->image)
        rt->image = str_dup(STR(""));
    if (!rt->fallback)
        rt->fallback = str_dup(STR(""));
    return r;
}

static int read_table(const cJSON *json, struct runtimes **ret, struct error *err)
{
    const cJSON *table = cJSON_GetObjectItemCaseSensitive(json, "runtimes"), *item;
    struct runtimes *rts;
    int r = 0;

    if (!cJSON_IsObject(table))
        return error_set(err, ERR_CONFIG, "the runtimes file has no object \"runtimes\"");
    rts = calloc(1, sizeof(*rts));
    if (!rts)
        abort();
    rts->items = calloc((size_t)cJSON_GetArraySize(table) + 1, sizeof(*rts->items));
    if (!rts->items)
        abort();
    cJSON_ArrayForEach(item, table)
    {
        r = read_runtime(item, &rts->items[rts->len++], err);
        if (r < 0) {
            runtimes_free(rts);
            return r;
        }
    }
    *ret = rts;
    return 0;
}

int runtimes_parse(struct str text, struct runtimes **ret, struct error *err)
{
    const char *end = NULL;
    cJSON *json;
    int r;

    text = str_trim(text);
    json = cJSON_ParseWithLengthOpts(text.ptr, text.len, &end, 0);
    if (!json || end != text.ptr + text.len) {
        cJSON_Delete(json);
        return error_set(err, ERR_CONFIG, "the runtimes file is not JSON");
    }
    r = read_table(json, ret, err);
    cJSON_Delete(json);
    return r;
}

const struct runtime *runtimes_find(const struct runtimes *rts, struct str name)
{
    size_t i;

    for (i = 0; i < rts->len; i++)
        if (str_is(name, rts->items[i].name))
            return &rts->items[i];
    return NULL;
}

/* What AWS tells of a runtime it does not know: the list it also tells for layers. */
static const char *const *aws_names(void)
{
    const struct lambda_shape *input = lambda_input_shape(LAMBDA_OP_PublishLayerVersion);

    return lambda_shape_member(input, STR("CompatibleRuntimes"))->shape->recorded_values;
}

int runtimes_check(const struct runtimes *rts, struct str name, struct error *err)
{
    CLEANUP(buf_done) struct buf names = BUF_INIT(NAMES_TEXT_MAX);
    const struct runtime *rt = runtimes_find(rts, name);
    const char *const *at;

    if (rt && !rt->deprecated)
        return 0;
    if (rt)
        return error_set(err, ERR_BAD_REQUEST,
                         "The runtime parameter of %s is no longer supported for creating or "
                         "updating AWS Lambda functions. We recommend you use a supported runtime "
                         "while creating or updating functions.",
                         rt->name);
    for (at = aws_names(); *at; at++)
        buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", *at);
    return error_set(err, ERR_BAD_REQUEST,
                     "Value %.*s at 'runtime' failed to satisfy constraint: Member must satisfy "
                     "enum value set: [%.*s] or be a valid ARN",
                     STR_ARG(str_sub(name, 0, 128)), STR_ARG(buf_str(&names)));
}
