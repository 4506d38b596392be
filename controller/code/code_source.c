/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/code/code_source.h"

#include <stdlib.h>

#include "common/model/fn_source.h"
#include "common/model/lambda_input.h"

/* One archive that comes from a store, or fails at once. */
struct arrival {
    struct controller *c;
    struct error err;
    code_added_fn *done;
    void *arg;
};

static void arrival_fail(struct arrival *a, const struct error *err)
{
    a->done(NULL, err, a->arg);
    free(a);
}

static void on_late(void *arg)
{
    struct arrival *a = arg;

    arrival_fail(a, &a->err);
}

/* Takes the text of ZipFile. A mark stays, so that @code still names a source. */
static char *take_zip(cJSON *code)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(code, "ZipFile");
    char *text = item->valuestring;

    item->valuestring = str_dup(STR("-"));
    return text;
}

static void on_object(struct buf *bytes, const struct error *err, void *arg)
{
    struct arrival *a = arg;

    if (err) {
        arrival_fail(a, err);
        return;
    }
    code_store_add_bytes(a->c->store, bytes, a->done, a->arg);
    free(a);
}

static int begin(struct arrival *a, cJSON *code, struct error *err)
{
    struct code_s3_object object;
    struct fn_source source;
    int r;

    r = fn_source_read(code, &source, err);
    if (r < 0)
        return r;
    if (source.kind == FN_SOURCE_ZIP) {
        code_store_add(a->c->store, take_zip(code), a->done, a->arg);
        free(a);
        return 0;
    }
    if (source.kind != FN_SOURCE_S3)
        return error_set(err, ERR_BAD_REQUEST, "Please provide a source for function code.");
    if (!a->c->s3)
        return error_set(err, ERR_BAD_REQUEST,
                         "S3Bucket: this Hearth has no object store to fetch code from. Set "
                         "HEARTH_S3_ENDPOINT, or send the archive itself as ZipFile.");
    object = (struct code_s3_object){source.s3_bucket, source.s3_key, source.s3_object_version};
    code_s3_get(a->c->s3, &object, on_object, a);
    return 0;
}

void code_source_fetch(struct controller *c, cJSON *code, code_added_fn *done, void *arg)
{
    struct arrival *a = calloc(1, sizeof(*a));

    if (!a)
        abort();
    a->c = c;
    a->done = done;
    a->arg = arg;
    if (begin(a, code, &a->err) < 0)
        loop_defer(c->loop, on_late, a);
}
