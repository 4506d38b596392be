/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/scaling/scaling_store.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "controller/scaling/scaler.h"

#define TRIES_MAX 20u /* of a change that others overtake */

/* ---- documents ---- */

void scaling_put_sorted(cJSON *list, const char *name, cJSON *item)
{
    const cJSON *other;
    int at = 0, behind;

    cJSON_DeleteItemFromObjectCaseSensitive(list, name);
    cJSON_ArrayForEach(other, list)
    {
        if (strcmp(other->string, name) > 0)
            break;
        at++;
    }
    behind = cJSON_GetArraySize(list) - at;
    cJSON_AddItemToObject(list, name, item);
    for (; behind > 0; behind--) /* those behind it, one after the other, to the end */
        cJSON_AddItemToArray(list, cJSON_DetachItemFromArray(list, at));
}

double scaling_number(const cJSON *doc, const char *name, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(doc, name);

    return cJSON_IsNumber(item) ? item->valuedouble : otherwise;
}

cJSON *scaling_object(cJSON *doc, const char *name)
{
    cJSON *item = cJSON_GetObjectItemCaseSensitive(doc, name);

    return item ? item : cJSON_AddObjectToObject(doc, name);
}

void scaling_wants_adjusting(cJSON *doc)
{
    char mark[UUID_MAX]; /* so that who has done it knows whether it is wanted again */

    uuid_make(mark);
    cJSON_DeleteItemFromObjectCaseSensitive(doc, "adjust");
    cJSON_AddStringToObject(doc, "adjust", mark);
}

double scaling_now(void)
{
    return (double)wall_ms() / 1000.0;
}

/* ---- changes ---- */

struct change {
    struct controller *c;
    char *account, *resource;
    scaling_decide_fn *decide;
    scaling_changed_fn *done;
    void *arg;
    char *before; /* the text that was read; NULL: none */
    char *id; /* of the document that was read */
    cJSON *doc; /* as it was decided */
    int result;
    unsigned tries;
};

static void change_end(struct change *change, const struct error *err)
{
    change->done(change->result, err, change->arg);
    free(change->account);
    free(change->resource);
    free(change->before);
    free(change->id);
    cJSON_Delete(change->doc);
    free(change);
}

static void begin(struct change *change);

static void on_committed(const struct error *err, void *arg)
{
    struct change *change = arg;

    if (!err)
        scaler_put(change->c->scaler, str_of(change->account), str_of(change->resource), change->doc);
    if (err && err->code == ERR_STALE && ++change->tries < TRIES_MAX)
        begin(change);
    else
        change_end(change, err);
}

static void commit(struct change *change)
{
    struct docs_commit *commit = docs_commit_new(change->c->redis, str_of(change->account));
    struct str resource = str_of(change->resource);
    cJSON *name = cJSON_CreateString(change->resource);

    docs_expect(commit, SCALING_TARGETS, resource, str_of(change->before));
    if (!change->doc) {
        docs_unset(commit, SCALING_TARGETS, resource);
        docs_unset(commit, SCALING_ACTIVITIES, resource);
        docs_unset(commit, SCALING_IDS, str_of(change->id));
        docs_remove_name(commit, SCALING_NAMES, resource);
    } else {
        docs_set_json(commit, SCALING_TARGETS, resource, change->doc);
        if (!change->before) {
            docs_set_json(commit, SCALING_IDS, cjson_str(change->doc, "id"), name);
            docs_add_name(commit, SCALING_NAMES, resource);
        }
    }
    cJSON_Delete(name);
    docs_commit_run(commit, on_committed, change);
}

static void on_read(const struct redis_value *values, size_t len, const struct error *err, void *arg)
{
    struct change *change = arg;
    struct error own;

    (void)len;
    change->result = -1;
    if (err) {
        change_end(change, err);
        return;
    }
    if (values[0].type == REDIS_STRING) {
        change->before = str_dup(values[0].str);
        change->doc = docs_json(&values[0]);
        if (!cJSON_IsObject(change->doc)) {
            error_set(&own, ERR_INTERNAL, "what Redis has of a scalable target is no JSON");
            change_end(change, &own);
            return;
        }
        change->id = str_dup(cjson_str(change->doc, "id"));
    }
    change->result = change->decide(&change->doc, change->arg);
    if (change->result > 0)
        commit(change);
    else
        change_end(change, NULL);
}

static void begin(struct change *change)
{
    struct docs_read *read = docs_read_new(change->c->redis, str_of(change->account));

    freep(&change->before);
    freep(&change->id);
    cJSON_Delete(TAKE(change->doc));
    docs_read_field(read, SCALING_TARGETS, str_of(change->resource));
    docs_read_run(read, on_read, change);
}

void scaling_change(struct controller *c, struct str account, struct str resource,
                    scaling_decide_fn *decide, scaling_changed_fn *done, void *arg)
{
    struct change *change = calloc(1, sizeof(*change));

    if (!change)
        abort();
    *change = (struct change){.c = c,
                              .account = str_dup(account),
                              .resource = str_dup(resource),
                              .decide = decide,
                              .done = done,
                              .arg = arg};
    begin(change);
}

/* ---- activities ---- */

struct record {
    struct controller *c;
    char *account, *resource;
    cJSON *activity;
    unsigned tries;
};

static void record_free(struct record *record)
{
    free(record->account);
    free(record->resource);
    cJSON_Delete(record->activity);
    free(record);
}

static void record_begin(struct record *record);

static void on_recorded(const struct error *err, void *arg)
{
    struct record *record = arg;

    if (err && err->code == ERR_STALE && ++record->tries < TRIES_MAX) {
        record_begin(record);
        return;
    }
    if (err && err->code != ERR_CLOSED)
        log_warn("scaling", "a scaling activity is not in the list of them",
                 KV_STR("resource", record->resource), KV_ERR(err));
    record_free(record);
}

/*
 * Puts the record's activity into @list, in place of the one with its id or before those that began
 * earlier. Records overtake one another when they are written again: that it has ended is never undone.
 */
static void enter(struct record *record, cJSON *list)
{
    struct str id = cjson_str(record->activity, "id");
    double started = scaling_number(record->activity, "started", 0);
    int at = 0, place = 0, behind;
    const cJSON *other;

    cJSON_ArrayForEach(other, list)
    {
        if (str_eq(cjson_str(other, "id"), id)) {
            if (!cJSON_HasObjectItem(other, "ended"))
                cJSON_ReplaceItemInArray(list, at, cJSON_Duplicate(record->activity, 1));
            return;
        }
        at++;
        if (scaling_number(other, "started", 0) > started)
            place = at;
    }
    behind = at - place;
    cJSON_AddItemToArray(list, cJSON_Duplicate(record->activity, 1));
    for (; behind > 0; behind--) /* those behind it, one after the other, to the end */
        cJSON_AddItemToArray(list, cJSON_DetachItemFromArray(list, place));
    while (cJSON_GetArraySize(list) > SCALING_ACTIVITIES_MAX)
        cJSON_DeleteItemFromArray(list, SCALING_ACTIVITIES_MAX);
}

static void on_activities(const struct redis_value *values, size_t len, const struct error *err,
                          void *arg)
{
    struct record *record = arg;
    struct docs_commit *commit;
    cJSON *list;

    (void)len;
    if (err) {
        on_recorded(err, record);
        return;
    }
    if (values[0].type != REDIS_STRING) { /* deregistered: so are its activities */
        record_free(record);
        return;
    }
    list = docs_json(&values[1]);
    if (!cJSON_IsArray(list)) {
        cJSON_Delete(list);
        list = cJSON_CreateArray();
    }
    enter(record, list);
    commit = docs_commit_new(record->c->redis, str_of(record->account));
    docs_expect(commit, SCALING_TARGETS, str_of(record->resource), values[0].str);
    docs_expect(commit, SCALING_ACTIVITIES, str_of(record->resource),
                values[1].type == REDIS_STRING ? values[1].str : STR_NULL);
    docs_set_json(commit, SCALING_ACTIVITIES, str_of(record->resource), list);
    docs_commit_run(commit, on_recorded, record);
    cJSON_Delete(list);
}

static void record_begin(struct record *record)
{
    struct docs_read *read = docs_read_new(record->c->redis, str_of(record->account));

    docs_read_field(read, SCALING_TARGETS, str_of(record->resource));
    docs_read_field(read, SCALING_ACTIVITIES, str_of(record->resource));
    docs_read_run(read, on_activities, record);
}

void scaling_record(struct controller *c, struct str account, struct str resource,
                    const cJSON *activity)
{
    struct record *record = calloc(1, sizeof(*record));

    if (!record)
        abort();
    record->c = c;
    record->account = str_dup(account);
    record->resource = str_dup(resource);
    record->activity = cJSON_Duplicate(activity, 1);
    record_begin(record);
}
