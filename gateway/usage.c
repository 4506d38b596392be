/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/usage.h"

#include "common/model/lambda_input.h"

#define VERSIONS_MAX 1000

static bool read_version(const cJSON *item, struct str *ret_account, struct str *ret_name,
                         struct str *ret_version)
{
    *ret_account = cjson_str(item, "account");
    *ret_name = cjson_str(item, "name");
    *ret_version = cjson_str(item, "version");
    return ret_account->ptr && ret_name->ptr && ret_version->ptr;
}

void usage_serve(struct leases *leases, struct rpc_request *req, const cJSON *args)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(args, "versions"), *item;
    cJSON *ok = cJSON_CreateObject(), *used = cJSON_AddArrayToObject(ok, "used");
    bool fine = cJSON_IsArray(list) && cJSON_GetArraySize(list) <= VERSIONS_MAX;
    struct str account, name, version;
    struct error err;

    if (fine)
        cJSON_ArrayForEach(item, list)
            fine = fine && read_version(item, &account, &name, &version);
    if (!fine) {
        error_set(&err, ERR_BAD_REQUEST, "usage.get has up to %d versions, each with account, name and version",
                  VERSIONS_MAX);
        rpc_fail(req, &err);
        cJSON_Delete(ok);
        return;
    }
    cJSON_ArrayForEach(item, list)
    {
        CLEANUP(freep) char *pool = NULL;

        (void)read_version(item, &account, &name, &version);
        pool = str_printf("%.*s:%.*s", STR_ARG(name), STR_ARG(version));
        cJSON_AddItemToArray(used, cJSON_CreateNumber((double)leases_peak(leases, account, str_of(pool))));
    }
    rpc_reply(req, ok, STR_NULL);
    cJSON_Delete(ok);
}
