/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/store/fn_doc.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"

#define DOC_MAX (256u * 1024u) /* a function's document; AWS's limits keep it far below */
#define ENV_MAX (64u * 1024u)
#define CODE_MAX 1024u /* six digests */

int fn_doc_write(const struct seal_key *key, const struct fn_version *ver, char **ret,
                 struct error *err)
{
    struct buf plain = BUF_INIT(ENV_MAX), sealed = BUF_INIT(2 * ENV_MAX);
    cJSON *json = NULL;
    int r = 0;

    if (ver->has_env) {
        r = fn_env_to_text(ver, &plain);
        if (r == 0)
            r = seal_text(key, str_of(ver->account), str_of(ver->name), buf_str(&plain), &sealed,
                          err);
        else
            error_set(err, ERR_TOO_LARGE, "the environment does not fit");
    }
    if (r == 0) {
        json = fn_version_to_registry(ver, ver->has_env ? buf_str(&sealed) : STR_NULL);
        *ret = cJSON_PrintUnformatted(json);
        if (!*ret)
            abort();
        cJSON_Delete(json);
    }
    seal_wipe_buf(&plain);
    buf_done(&sealed);
    return r;
}

int fn_doc_read(const struct seal_key *key, struct str text, bool forgive, struct fn_version **ret,
                struct error *err)
{
    cJSON *json = text.len <= DOC_MAX ? cJSON_ParseWithLength(text.ptr, text.len) : NULL;
    CLEANUP(fn_version_freep) struct fn_version *ver = NULL;
    struct buf plain = BUF_INIT(ENV_MAX);
    struct str sealed = STR_NULL;
    int r;

    if (!json)
        return error_set(err, ERR_PROTOCOL, "a function's document is no JSON");
    r = fn_version_from_registry(json, &ver, &sealed, err);
    if (r == 0 && sealed.ptr) {
        r = unseal_text(key, str_of(ver->account), str_of(ver->name), sealed, &plain, err);
        if (r == 0)
            r = fn_env_from_text(ver, buf_str(&plain), err);
        if (r < 0)
            error_wrap(err, r, "environment of function %s", ver->name);
        if (r < 0 && forgive) {
            log_warn("registry", "an environment is left out of a list",
                     KV_STR("function", ver->name));
            ver->has_env = false;
            r = 0;
        }
    }
    seal_wipe_buf(&plain);
    cJSON_Delete(json);
    if (r == 0)
        *ret = TAKE(ver);
    return r;
}

char *fn_doc_code(const struct fn_version *ver)
{
    struct buf b = BUF_INIT(CODE_MAX);
    size_t i;

    if (ver->package == FN_ZIP && ver->code_sha256)
        buf_append_str(&b, str_of(ver->code_sha256));
    for (i = 0; i < ver->layers_len; i++)
        buf_printf(&b, " %s", ver->layers[i].sha256);
    return buf_take(&b);
}
