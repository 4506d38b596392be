/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/ops/layers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/fn_layers.h"
#include "common/model/lambda_input.h"
#include "common/model/record.h"

#define ARN_PARTS_MIN 7u /* arn:aws:lambda:REGION:ACCOUNT:layer:NAME */

/* ---- names ---- */

static int not_found(struct error *err)
{
    return error_set(err, ERR_NOT_FOUND, "The resource you requested does not exist.");
}

int layer_name_parse(struct str text, const struct fn_home *home, struct layer_name *ret,
                     struct error *err)
{
    struct str parts[ARN_PARTS_MIN + 1], rest = text;
    size_t n = 0;

    if (!str_starts(text, STR("arn:"))) {
        *ret = (struct layer_name){text, 0};
        return 0;
    }
    while (n < ARRAY_LEN(parts) && str_split(&rest, ':', &parts[n]))
        n++;
    if (n < ARN_PARTS_MIN || !str_eq(parts[3], home->region) || !str_eq(parts[4], home->account) ||
        !str_is(parts[5], "layer"))
        return not_found(err);
    *ret = (struct layer_name){parts[6], 0};
    if (n > ARN_PARTS_MIN && str_parse_u64(parts[7], &ret->version) < 0)
        return not_found(err);
    return 0;
}

char *layer_key(struct str name)
{
    return str_printf("layer:%.*s", STR_ARG(name));
}

char *layer_arn(const struct fn_home *home, struct str name, uint64_t version)
{
    CLEANUP(freep)
    char *arn = str_printf("arn:%s:lambda:%.*s:%.*s:layer:%.*s", fn_arn_partition(home->region),
                           STR_ARG(home->region), STR_ARG(home->account), STR_ARG(name));

    return version ? str_printf("%s:%" PRIu64, arn, version) : TAKE(arn);
}

cJSON *layer_doc_listed(const cJSON *doc)
{
    cJSON *json = cJSON_Duplicate(doc, 1), *item, *next;

    for (item = json->child; item; item = next) {
        next = item->next;
        if (item->string[0] >= 'a' && item->string[0] <= 'z') /* ours */
            cJSON_Delete(cJSON_DetachItemViaPointer(json, item));
    }
    return json;
}

/* ---- finding ---- */

struct finding {
    char **arns;
    layers_found_fn *done;
    void *arg;
};

static int layer_read(const struct redis_value *value, const char *arn, struct fn_layer *ret,
                      struct error *err)
{
    cJSON *doc = docs_json(value);
    int r = 0;

    if (!doc || record_str(doc, "sha256", &ret->sha256, NULL) < 0 ||
        record_u64(doc, "bytes", UINT32_MAX, &ret->bytes, NULL) < 0 ||
        record_u64(doc, "unzipped", UINT32_MAX, &ret->unzipped_bytes, NULL) < 0)
        r = fn_layer_missing(arn, err);
    ret->arn = str_dup(str_of(arn));
    cJSON_Delete(doc);
    return r;
}

static void on_found(const struct redis_value *values, size_t len, const struct error *err,
                     void *arg)
{
    struct finding *finding = arg;
    struct fn_layer *layers = NULL;
    struct error own;
    size_t n = 0;
    int r = 0;

    if (!err) {
        layers = calloc(len + 1, sizeof(*layers));
        if (!layers)
            abort();
        while (r == 0 && n < len) {
            r = layer_read(&values[n], finding->arns[n], &layers[n], &own);
            n++;
        }
        if (r < 0)
            err = &own;
    }
    finding->done(err ? NULL : layers, err ? 0 : n, err, finding->arg);
    fn_layers_free(layers, n);
    strv_free(finding->arns);
    free(finding);
}

void layers_find(struct redis *redis, const struct fn_home *home, char *const *arns,
                 layers_found_fn *done, void *arg)
{
    struct docs_read *read = docs_read_new(redis, home->account);
    struct finding *finding = calloc(1, sizeof(*finding));
    size_t i;

    if (!finding)
        abort();
    finding->arns = strv_copy(arns);
    finding->done = done;
    finding->arg = arg;
    for (i = 0; arns[i]; i++) {
        struct layer_name name = {STR("-"), 0}; /* what is none names nothing that is there */
        CLEANUP(freep) char *key = NULL;
        char number[24];

        layer_name_parse(str_of(arns[i]), home, &name, NULL);
        key = layer_key(name.name);
        snprintf(number, sizeof(number), "%" PRIu64, name.version);
        docs_read_field(read, key, str_of(number));
    }
    docs_read_run(read, on_found, finding);
}
