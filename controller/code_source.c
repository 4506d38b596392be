/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/code_source.h"

#include <stdlib.h>

#include "common/model/fn_source.h"
#include "common/model/lambda_input.h"
#include "controller/docs.h"

#define CODE_SIZE_KEY "code_bytes" /* the account's counter of archives' sizes */

/* One archive on its way. */
struct arrival {
    struct controller *c;
    char *account;
    uint64_t replaced_bytes;
    struct code_pin pin;
    struct error err; /* of one that fails at once */
    code_added_fn *done;
    void *arg;
};

static void arrival_end(struct arrival *a, const struct error *err)
{
    a->done(err ? NULL : &a->pin, err, a->arg);
    free(a->account);
    free(a);
}

static void on_late(void *arg)
{
    struct arrival *a = arg;

    arrival_end(a, &a->err);
}

/* ---- the account's limit ---- */

static void give_back(struct arrival *a, const struct error *err)
{
    code_store_settle(a->c->store, &a->pin, false, NULL, NULL);
    code_gc_consider(a->c->gc, a->pin.sha256, false);
    arrival_end(a, err);
}

static void on_counter(const struct redis_value *values, size_t len, const struct error *err,
                       void *arg)
{
    struct arrival *a = arg;
    struct error own;
    uint64_t used = 0;

    (void)len;
    if (err) {
        give_back(a, err);
        return;
    }
    if (values[0].type == REDIS_STRING && str_parse_u64(values[0].str, &used) < 0)
        used = 0; /* below zero: nothing is used */
    used -= a->replaced_bytes < used ? a->replaced_bytes : used;
    if (used + a->pin.bytes > a->c->config->code_storage_max) {
        error_set(&own, ERR_CODE_STORAGE, "Code storage limit exceeded.");
        give_back(a, &own);
        return;
    }
    arrival_end(a, NULL);
}

static void on_added(const struct code_pin *pin, const struct error *err, void *arg)
{
    struct arrival *a = arg;
    struct docs_read *read;

    if (err) {
        arrival_end(a, err);
        return;
    }
    a->pin = *pin;
    read = docs_read_new(a->c->redis, str_of(a->account));
    docs_read_counter(read, CODE_SIZE_KEY);
    docs_read_run(read, on_counter, a);
}

/* ---- where it comes from ---- */

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

    if (err)
        arrival_end(a, err);
    else
        code_store_add_bytes(a->c->store, bytes, on_added, a);
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
        code_store_add(a->c->store, take_zip(code), on_added, a);
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

void code_source_fetch(struct controller *c, const struct code_source_owner *owner, cJSON *code,
                       code_added_fn *done, void *arg)
{
    struct arrival *a = calloc(1, sizeof(*a));

    if (!a)
        abort();
    a->c = c;
    a->account = str_dup(owner->account);
    a->replaced_bytes = owner->replaced_bytes;
    a->done = done;
    a->arg = arg;
    if (begin(a, code, &a->err) < 0)
        loop_defer(c->loop, on_late, a);
}
