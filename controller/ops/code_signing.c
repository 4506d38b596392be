/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/ops/code_signing.h"

#include <stdlib.h>

#include "common/model/lambda_input.h"
#include "controller/store/docs.h"

struct str code_signing_id(struct str arn)
{
    size_t at = arn.len;

    while (at > 0 && arn.ptr[at - 1] != ':')
        at--;
    return str_sub(arn, at, arn.len);
}

char *code_signing_functions_key(struct str id)
{
    return str_printf("csc_fns:%.*s", STR_ARG(id));
}

bool code_signing_is_enforced(const cJSON *config)
{
    return str_is(cjson_str(cJSON_GetObjectItemCaseSensitive(config, "CodeSigningPolicies"),
                            "UntrustedArtifactOnDeployment"),
                  "Enforce");
}

const cJSON *code_signing_profiles(const cJSON *config)
{
    return cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(config, "AllowedPublishers"), "SigningProfileVersionArns");
}

int code_signing_missing(struct str arn, struct error *err)
{
    return error_set(err, ERR_NO_CODE_SIGNING,
                     "The code signing configuration cannot be found. Check that the provided "
                     "configuration is not deleted: %.*s.",
                     STR_ARG(arn));
}

struct finding {
    char *arn;
    code_signing_fn *done;
    void *arg;
};

static void on_found(const struct redis_value *values, size_t len, const struct error *err,
                     void *arg)
{
    struct finding *f = arg;
    struct error own;
    cJSON *config = err ? NULL : docs_json(&values[0]);

    (void)len;
    if (!err && (!config || !str_is(cjson_str(config, "CodeSigningConfigArn"), f->arn))) {
        code_signing_missing(str_of(f->arn), &own);
        err = &own;
    }
    f->done(err ? NULL : config, err ? STR_NULL : values[0].str, err, f->arg);
    cJSON_Delete(config);
    free(f->arn);
    free(f);
}

void code_signing_get(struct redis *redis, struct str account, struct str arn,
                      code_signing_fn *done, void *arg)
{
    struct docs_read *read = docs_read_new(redis, account);
    struct finding *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    *f = (struct finding){str_dup(arn), done, arg};
    docs_read_field(read, CODE_SIGNING_KEY, code_signing_id(arn));
    docs_read_run(read, on_found, f);
}
