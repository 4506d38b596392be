/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/provisioned_reader.h"

#include <stdlib.h>

#include "common/base/map.h"
#include "common/model/lambda_input.h"
#include "controller/ops/concurrency.h"

#define SCAN_COUNT "1000"

struct provisioned_reader {
    struct provisioned_reader_options o;
    struct map looks; /* "<account>/<name>" to struct look: functions that are being read */
    struct timer scan_again;
    bool scanning;
    unsigned first_looks; /* of the scan, under way */
};

/* One function while it is read: what is provisioned for it, then each version by itself. */
struct look {
    struct provisioned_reader *r;
    char *account, *name;
    cJSON *left; /* {qualifier: document}: still to be read */
    cJSON *found;
    bool again; /* it has changed meanwhile */
    bool is_first; /* of the scan */
    struct timer retry;
};

static void look_begin(struct look *look);

static void look_free(struct look *look)
{
    timer_stop(&look->retry);
    cJSON_Delete(look->left);
    cJSON_Delete(look->found);
    free(look->account);
    free(look->name);
    free(look);
}

static void look_end(struct look *look)
{
    CLEANUP(freep) char *key = str_printf("%s/%s", look->account, look->name);
    struct provisioned_reader *r = look->r;

    r->o.found(str_of(look->account), str_of(look->name), look->found, r->o.arg);
    if (look->is_first && --r->first_looks == 0 && !r->scanning)
        r->o.all_read(r->o.arg);
    look->is_first = false;
    if (look->again) {
        look_begin(look);
        return;
    }
    map_remove(&r->looks, str_of(key));
    look_free(look);
}

/* Redis has gone: whoever it was that wanted to know waits, and so do the nodes. */
static void look_later(struct look *look)
{
    timer_start(&look->retry, look->r->o.retry_us);
}

static void read_next(struct look *look);

static void on_version(struct fn_view *view, const struct error *err, void *arg)
{
    struct look *look = arg;
    const cJSON *doc;
    cJSON *item;

    if (err && err->code != ERR_NOT_FOUND) {
        look_later(look);
        return;
    }
    doc = view ? fn_view_doc(view, FN_PROVISIONED, str_of(look->left->child->string)) : NULL;
    if (doc && view->version && view->version->state == FN_ACTIVE) {
        item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "version", view->version->version);
        cJSON_AddStringToObject(item, "qualifier", look->left->child->string);
        cJSON_AddNumberToObject(item, "generation", (double)view->version->generation);
        cJSON_AddNumberToObject(item, "memory_mib", view->version->memory_mib);
        cJSON_AddNumberToObject(item, "count", (double)concurrency_requested(doc));
        cJSON_AddItemToArray(look->found, item);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(look->left, look->left->child->string);
    fn_view_free(view);
    read_next(look);
}

static void read_next(struct look *look)
{
    const struct provisioned_reader_options *o = &look->r->o;

    if (!look->left->child)
        look_end(look);
    else
        fn_view_get(o->redis, o->key, str_of(look->account), str_of(look->name),
                    str_of(look->left->child->string), FN_WANT(FN_PROVISIONED), on_version, look);
}

static void on_function(struct fn_view *view, const struct error *err, void *arg)
{
    struct look *look = arg;

    if (err && err->code != ERR_NOT_FOUND) {
        look_later(look);
        return;
    }
    look->left = view && view->kinds[FN_PROVISIONED]
                     ? cJSON_Duplicate(view->kinds[FN_PROVISIONED], true)
                     : cJSON_CreateObject();
    look->found = cJSON_CreateArray();
    fn_view_free(view);
    read_next(look);
}

static void look_begin(struct look *look)
{
    const struct provisioned_reader_options *o = &look->r->o;

    look->again = false;
    cJSON_Delete(TAKE(look->left));
    cJSON_Delete(TAKE(look->found));
    fn_view_get(o->redis, o->key, str_of(look->account), str_of(look->name), STR_NULL,
                FN_WANT(FN_PROVISIONED), on_function, look);
}

static void on_retry(void *arg)
{
    look_begin(arg);
}

static struct look *look_get(struct provisioned_reader *r, struct str account, struct str name)
{
    CLEANUP(freep) char *key = str_printf("%.*s/%.*s", STR_ARG(account), STR_ARG(name));
    struct look *look = map_get(&r->looks, str_of(key));

    if (look) {
        look->again = true;
        return look;
    }
    look = calloc(1, sizeof(*look));
    if (!look)
        abort();
    look->r = r;
    look->account = str_dup(account);
    look->name = str_dup(name);
    timer_init(&look->retry, r->o.loop, on_retry, look);
    map_put(&r->looks, str_of(key), look);
    look_begin(look);
    return look;
}

void provisioned_reader_look(struct provisioned_reader *r, struct str account, struct str name)
{
    look_get(r, account, name);
}

/* ---- reading all ---- */

static void scan_from(struct provisioned_reader *r, struct str cursor);

/* "hearth:{<account>}:fn:<name>:provisioned" */
static void on_key(struct provisioned_reader *r, struct str key)
{
    struct str name;
    struct look *look;
    size_t open, close, end;

    open = str_find(key, '{', 0);
    close = str_find(key, '}', 0);
    if (close >= key.len || open > close || key.len < close + sizeof("}:fn:x:provisioned") - 1)
        return;
    end = key.len - (sizeof(":provisioned") - 1);
    name = str_from(key.ptr + close + sizeof("}:fn:") - 1, end - (close + sizeof("}:fn:") - 1));
    look = look_get(r, str_from(key.ptr + open + 1, close - open - 1), name);
    if (!look->is_first) {
        look->is_first = true;
        r->first_looks++;
    }
}

static void on_scanned(const struct redis_value *value, const struct error *err, void *arg)
{
    struct provisioned_reader *r = arg;
    size_t i;

    if (err || value->len != 2) {
        r->scanning = false;
        timer_start(&r->scan_again, r->o.retry_us);
        return;
    }
    for (i = 0; i < value->items[1].len; i++)
        on_key(r, value->items[1].items[i].str);
    if (!str_is(value->items[0].str, "0")) {
        scan_from(r, value->items[0].str);
        return;
    }
    r->scanning = false;
    if (r->first_looks == 0)
        r->o.all_read(r->o.arg);
}

static void scan_from(struct provisioned_reader *r, struct str cursor)
{
    const struct str words[] = {STR("SCAN"),  cursor,       STR("MATCH"), STR("hearth:{*}:fn:*:provisioned"),
                                STR("COUNT"), STR(SCAN_COUNT), STR("TYPE"), STR("hash")};

    redis_command(r->o.redis, words, ARRAY_LEN(words), on_scanned, r);
}

static void on_scan_again(void *arg)
{
    provisioned_reader_all(arg);
}

void provisioned_reader_all(struct provisioned_reader *r)
{
    if (r->scanning)
        return;
    timer_stop(&r->scan_again);
    r->scanning = true;
    scan_from(r, STR("0"));
}

/* ---- life ---- */

struct provisioned_reader *provisioned_reader_new(const struct provisioned_reader_options *options)
{
    struct provisioned_reader *r = calloc(1, sizeof(*r));

    if (!r)
        abort();
    r->o = *options;
    map_init(&r->looks, NULL);
    timer_init(&r->scan_again, options->loop, on_scan_again, r);
    return r;
}

void provisioned_reader_free(struct provisioned_reader *r)
{
    size_t at = 0;
    void *look;

    if (!r)
        return;
    while (map_next(&r->looks, &at, NULL, &look))
        look_free(look);
    map_done(&r->looks);
    timer_stop(&r->scan_again);
    free(r);
}
