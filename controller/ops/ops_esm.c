/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CreateEventSourceMapping, GetEventSourceMapping, UpdateEventSourceMapping,
 * DeleteEventSourceMapping, ListEventSourceMappings.
 *
 * What a request needs while it waits: req->answer is the document to be written, req->before the
 * text of the one that it was made from.
 *
 * Whether a queue, stream or cluster exists is not looked up: who polls it finds out.
 */
#include "controller/ops/ops_esm.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/model/lambda_input.h"
#include "controller/api.h"
#include "controller/store/docs.h"
#include "controller/ops/esm_check.h"
#include "controller/ops/fn_op.h"
#include "controller/ops/page.h"

#define TRIES_MAX 50u
#define LIST_MAX 100u /* AWS: never more in one answer, whatever MaxItems says */
#define LIST_BATCH 100u /* documents read at a time */

static struct docs_read *reading(const struct api_request *req)
{
    return docs_read_new(req->c->redis, req->home.account);
}

static struct str uuid_of(const struct api_request *req)
{
    return cjson_str(req->input, "UUID");
}

static char *esm_arn(const struct api_request *req, struct str uuid)
{
    return str_printf("arn:%s:lambda:%.*s:%.*s:event-source-mapping:%.*s",
                      fn_arn_partition(req->home.region), STR_ARG(req->home.region),
                      STR_ARG(req->home.account), STR_ARG(uuid));
}

static void reply(struct api_request *req, const cJSON *esm, const char *state)
{
    api_reply(req, esm_to_aws(esm, wall_ms(), state));
}

/* ---- the function that a mapping invokes ---- */

/* Reads two values: whether the function is there, and whether its qualifier is. */
static void read_function(const struct api_request *req, struct docs_read *read)
{
    CLEANUP(freep) char *main_key = str_printf("fn:%.*s", STR_ARG(req->fn.name));
    struct str qualifier = req->fn.qualifier;
    enum fn_kind kind = fn_version_number_is_valid(qualifier) ? FN_VERSIONS : FN_ALIASES;
    CLEANUP(freep) char *key = fn_kind_key(req->fn.name, kind);

    docs_read_field(read, main_key, STR("rev"));
    docs_read_field(read, key, qualifier);
}

static bool has_function(const struct api_request *req, const struct redis_value *values)
{
    struct str qualifier = req->fn.qualifier;

    return values[0].type == REDIS_STRING &&
           (qualifier.len == 0 || str_is(qualifier, FN_LATEST) || values[1].type == REDIS_STRING);
}

/* ---- writing ---- */

static void look(struct api_request *req);

static void on_written(const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err && err->code == ERR_STALE && ++req->tries < TRIES_MAX)
        look(req);
    else if (err && err->code == ERR_STALE)
        api_fail_with(req, ERR_IN_USE,
                      "Cannot update the event source mapping because it is in use.");
    else if (err)
        api_fail(req, err);
    else
        reply(req, req->answer, NULL);
}

/* Lets go of the pairs that only @before has, takes those that only @now has. */
static void write_pairs(struct docs_commit *commit, const struct esm_pairs *before,
                        const struct esm_pairs *now, struct str uuid)
{
    size_t i;

    for (i = 0; i < before->len; i++)
        if (!esm_pairs_has(now, before->fields[i]))
            docs_unset(commit, ESM_PAIRS_KEY, str_of(before->fields[i]));
    for (i = 0; i < now->len; i++) {
        if (esm_pairs_has(before, now->fields[i]))
            continue;
        docs_expect(commit, ESM_PAIRS_KEY, str_of(now->fields[i]), STR_NULL);
        docs_set(commit, ESM_PAIRS_KEY, str_of(now->fields[i]), uuid);
    }
}

static void write_tags(const struct api_request *req, struct docs_commit *commit)
{
    const cJSON *tags = api_member(req, "Tags");

    if (!req->before && tags && tags->child)
        docs_set_json(commit, ESM_TAGS_KEY,
                      cjson_str(esm_mapping(req->answer), "EventSourceMappingArn"), tags);
}

static void write_esm(struct api_request *req, enum esm_source source)
{
    struct docs_commit *commit = docs_commit_new(req->c->redis, req->home.account);
    const cJSON *mapping = esm_mapping(req->answer);
    struct str uuid = cjson_str(mapping, "UUID");
    cJSON *old = req->before ? cJSON_Parse(req->before) : NULL;
    struct esm_pairs before = {.len = 0}, now;

    esm_pairs_init(&now, source, mapping);
    if (old)
        esm_pairs_init(&before, source, esm_mapping(old));
    docs_expect(commit, ESM_KEY, uuid, req->before ? str_of(req->before) : STR_NULL);
    if (req->fn.name.len) {
        CLEANUP(freep) char *key = str_printf("fn:%.*s", STR_ARG(req->fn.name));

        docs_expect_key(commit, key, true);
    }
    write_pairs(commit, &before, &now, uuid);
    docs_set_json(commit, ESM_KEY, uuid, req->answer);
    docs_add_name(commit, ESM_NAMES_KEY, uuid);
    write_tags(req, commit);
    esm_pairs_done(&before);
    esm_pairs_done(&now);
    cJSON_Delete(old);
    docs_commit_run(commit, on_written, req);
}

/* Behind the function's two values: whose the pairs are. */
static int check_pairs(struct api_request *req, enum esm_source source,
                       const struct redis_value *values, size_t len, struct error *err)
{
    const cJSON *mapping = esm_mapping(req->answer);
    size_t i;

    for (i = 0; i < len; i++)
        if (values[i].type == REDIS_STRING && !str_eq(values[i].str, cjson_str(mapping, "UUID")))
            return esm_pairs_conflict(source, mapping, req->fn.name, values[i].str, err);
    return 0;
}

static void on_surroundings(const struct redis_value *values, size_t len, const struct error *err,
                            void *arg)
{
    struct api_request *req = arg;
    enum esm_source source;
    struct error own;
    int r;

    if (err) {
        api_fail(req, err);
        return;
    }
    r = esm_source_of(esm_mapping(req->answer), &source, &own);
    if (r == 0 && !has_function(req, values))
        r = error_set(&own, ERR_BAD_REQUEST, "Function does not exist");
    if (r == 0)
        r = check_pairs(req, source, values + 2, len - 2, &own);
    if (r < 0)
        api_fail(req, &own);
    else
        write_esm(req, source);
}

/* The function, and who else reads what this mapping reads. */
static void look_around(struct api_request *req, enum esm_source source)
{
    struct docs_read *read = reading(req);
    struct esm_pairs pairs;
    size_t i;

    read_function(req, read);
    esm_pairs_init(&pairs, source, esm_mapping(req->answer));
    for (i = 0; i < pairs.len; i++)
        docs_read_field(read, ESM_PAIRS_KEY, str_of(pairs.fields[i]));
    esm_pairs_done(&pairs);
    docs_read_run(read, on_surroundings, req);
}

/* ---- CreateEventSourceMapping ---- */

static int make(struct api_request *req, enum esm_source source, struct error *err)
{
    CLEANUP(freep) char *function = fn_op_arn(req, req->fn.qualifier);
    CLEANUP(freep) char *arn = NULL;
    char uuid[UUID_MAX];

    uuid_make(uuid);
    arn = esm_arn(req, str_of(uuid));
    req->answer = esm_new(source, str_of(uuid), str_of(arn));
    esm_apply(req->answer, source, req->input, str_of(function));
    esm_begin_transition(req->answer, req->input, true, wall_ms());
    return esm_check_mapping(source, esm_mapping(req->answer), NULL, err);
}

void api_create_esm(struct api_request *req)
{
    enum esm_source source;
    struct error err;
    int r = esm_source_of(req->input, &source, &err);

    if (r == 0)
        r = esm_check_input(source, req->input, true, &err);
    if (r < 0) {
        api_fail(req, &err);
        return;
    }
    if (!api_name(req, FN_NAME_NAMESPACED))
        return;
    if (make(req, source, &err) < 0)
        api_fail(req, &err);
    else
        look_around(req, source);
}

/* ---- UpdateEventSourceMapping ---- */

static int change(struct api_request *req, enum esm_source source, struct error *err)
{
    CLEANUP(freep)
    char *function = req->fn.name.len ? fn_op_arn(req, req->fn.qualifier) : NULL;
    cJSON *before = cJSON_Duplicate(esm_mapping(req->answer), 1);
    int r;

    esm_apply(req->answer, source, req->input, str_of(function));
    esm_begin_transition(req->answer, req->input, false, wall_ms());
    r = esm_check_mapping(source, esm_mapping(req->answer), before, err);
    cJSON_Delete(before);
    return r;
}

/* req->before and req->answer: the document as it is. False: the request has been answered. */
static bool take_document(struct api_request *req, const struct redis_value *value)
{
    free(req->before);
    cJSON_Delete(req->answer);
    req->before = value->type == REDIS_STRING ? str_dup(value->str) : NULL;
    req->answer = docs_json(value);
    if (req->answer)
        return true;
    api_fail_with(req, ERR_NOT_FOUND, "The resource you requested does not exist.");
    return false;
}

static void on_current(const struct redis_value *values, size_t len, const struct error *err,
                       void *arg)
{
    struct api_request *req = arg;
    enum esm_source source;
    struct error own;
    int r;

    (void)len;
    if (err) {
        api_fail(req, err);
        return;
    }
    if (!take_document(req, &values[0]))
        return;
    r = esm_source_of(esm_mapping(req->answer), &source, &own);
    if (r == 0)
        r = esm_check_input(source, req->input, false, &own);
    if (r == 0)
        r = change(req, source, &own);
    if (r < 0)
        api_fail(req, &own);
    else if (req->fn.name.len)
        look_around(req, source);
    else
        write_esm(req, source);
}

static void read_current(struct api_request *req, docs_read_fn *done)
{
    struct docs_read *read = reading(req);

    docs_read_field(read, ESM_KEY, uuid_of(req));
    docs_read_run(read, done, req);
}

/* Once more, after somebody else has written. */
static void look(struct api_request *req)
{
    enum esm_source source;

    if (req->op->id == LAMBDA_OP_UpdateEventSourceMapping)
        read_current(req, on_current);
    else if (esm_source_of(req->input, &source, NULL) == 0)
        look_around(req, source);
}

void api_update_esm(struct api_request *req)
{
    if (!api_member(req, "FunctionName") || api_name(req, FN_NAME_NAMESPACED))
        read_current(req, on_current);
}

/* ---- GetEventSourceMapping ---- */

static void on_get(const struct redis_value *values, size_t len, const struct error *err,
                   void *arg)
{
    struct api_request *req = arg;

    (void)len;
    if (err)
        api_fail(req, err);
    else if (take_document(req, &values[0]))
        reply(req, req->answer, NULL);
}

void api_get_esm(struct api_request *req)
{
    read_current(req, on_get);
}

/* ---- DeleteEventSourceMapping ---- */

static void on_delete(const struct redis_value *values, size_t len, const struct error *err,
                      void *arg);

static void on_deleted(const struct error *err, void *arg)
{
    struct api_request *req = arg;

    if (err && err->code == ERR_STALE && ++req->tries < TRIES_MAX)
        read_current(req, on_delete);
    else if (err && err->code == ERR_STALE)
        api_fail_with(req, ERR_IN_USE,
                      "Cannot delete the event source mapping because it is in use.");
    else if (err)
        api_fail(req, err);
    else
        reply(req, req->answer, "Deleting");
}

static void on_delete(const struct redis_value *values, size_t len, const struct error *err,
                      void *arg)
{
    struct api_request *req = arg;
    struct esm_pairs before = {.len = 0}, none = {.len = 0};
    struct docs_commit *commit;
    enum esm_source source;

    (void)len;
    if (err) {
        api_fail(req, err);
        return;
    }
    if (!take_document(req, &values[0]))
        return;
    commit = docs_commit_new(req->c->redis, req->home.account);
    docs_expect(commit, ESM_KEY, uuid_of(req), str_of(req->before));
    if (esm_source_of(esm_mapping(req->answer), &source, NULL) == 0)
        esm_pairs_init(&before, source, esm_mapping(req->answer));
    write_pairs(commit, &before, &none, uuid_of(req));
    esm_pairs_done(&before);
    docs_unset(commit, ESM_KEY, uuid_of(req));
    docs_remove_name(commit, ESM_NAMES_KEY, uuid_of(req));
    docs_unset(commit, ESM_TAGS_KEY,
               cjson_str(esm_mapping(req->answer), "EventSourceMappingArn"));
    docs_commit_run(commit, on_deleted, req);
}

void api_delete_esm(struct api_request *req)
{
    read_current(req, on_delete);
}

/* ---- ListEventSourceMappings: batches of documents until a page is full ---- */

static bool is_wanted(const struct api_request *req, const cJSON *mapping)
{
    CLEANUP(freep)
    char *function = req->fn.name.len ? fn_op_arn(req, req->fn.qualifier) : NULL;
    struct str source = cjson_str(req->input, "EventSourceArn");

    return (!function || str_is(cjson_str(mapping, "FunctionArn"), function)) &&
           (source.len == 0 || str_eq(cjson_str(mapping, "EventSourceArn"), source));
}

/* False: the page is full. */
static bool list_add(struct api_request *req, const cJSON *esm)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(req->answer, "EventSourceMappings");
    int len = cJSON_GetArraySize(list);

    if (!is_wanted(req, esm_mapping(esm)))
        return true;
    if ((uint32_t)len >= page_limit(req->input, LIST_MAX)) {
        page_add_marker(req->answer, cjson_str(cJSON_GetArrayItem(list, len - 1), "UUID"));
        return false;
    }
    cJSON_AddItemToArray(list, esm_to_aws(esm, wall_ms(), NULL));
    return true;
}

static void list_more(struct api_request *req);

static void on_batch(const struct redis_value *values, size_t len, const struct error *err,
                     void *arg)
{
    struct api_request *req = arg;
    const struct redis_value *page = values;
    bool room = true;
    size_t i;

    (void)len;
    if (err) {
        api_fail(req, err);
        return;
    }
    for (i = 0; room && i + 1 < page->len; i += 2) {
        cJSON *esm = docs_json(&page->items[i + 1]);

        if (esm)
            room = list_add(req, esm);
        cJSON_Delete(esm);
    }
    if (!room || page->len < 2 * LIST_BATCH) {
        api_reply(req, TAKE(req->answer));
        return;
    }
    free(req->before);
    req->before = str_dup(page->items[page->len - 2].str);
    list_more(req);
}

static void list_more(struct api_request *req)
{
    struct docs_read *read = reading(req);

    docs_read_page(read, ESM_NAMES_KEY, ESM_KEY, str_of(req->before), LIST_BATCH);
    docs_read_run(read, on_batch, req);
}

void api_list_esms(struct api_request *req)
{
    CLEANUP(buf_done) struct buf after = BUF_INIT(PAGE_MARKER_MAX);
    struct error err;

    if (api_member(req, "FunctionName") && !api_name(req, FN_NAME_NAMESPACED))
        return;
    if (page_marker(req->input, &after, &err) < 0) {
        api_fail(req, &err);
        return;
    }
    req->before = buf_take(&after);
    req->answer = cJSON_CreateObject();
    cJSON_AddArrayToObject(req->answer, "EventSourceMappings");
    list_more(req);
}
