/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/code_source.h"

#include <stdlib.h>

#include "common/model/fn_source.h"
#include "common/model/lambda_input.h"

bool code_source_is_archive(const cJSON *code)
{
    return cjson_str(code, "ZipFile").ptr || cjson_str(code, "S3Bucket").len;
}

/* Takes the text of ZipFile: the caller's, or NULL. A mark stays, so that @code still names a source. */
static char *take_zip(cJSON *code)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(code, "ZipFile");
    char *text;

    if (!cJSON_IsString(item))
        return NULL;
    text = item->valuestring;
    item->valuestring = str_dup(STR("-"));
    return text;
}

struct late {
    code_added_fn *done;
    void *arg;
    struct error err;
};

static void on_late(void *arg)
{
    struct late *late = arg;

    late->done(NULL, &late->err, late->arg);
    free(late);
}

static void fail_later(struct controller *c, const struct error *err, code_added_fn *done,
                       void *arg)
{
    struct late *late = calloc(1, sizeof(*late));

    if (!late)
        abort();
    *late = (struct late){done, arg, *err};
    loop_defer(c->loop, on_late, late);
}

void code_source_fetch(struct controller *c, cJSON *code, code_added_fn *done, void *arg)
{
    char *zip = take_zip(code);
    struct error err;

    if (zip) {
        code_store_add(c->store, zip, done, arg);
        return;
    }
    error_set(&err, ERR_BAD_REQUEST, "Please provide a source for function code.");
    fail_later(c, &err, done, arg);
}
