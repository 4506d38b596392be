/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/scaling/scaler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "controller/scaling/actions.h"
#include "controller/scaling/scaler_impl.h"

#define ACCOUNTS_KEY "hearth:accounts"
#define LOOK_MAX_US SECONDS(30) /* until the next look at the wall clock, which may be set */
#define TEXT_MAX 512

static uint64_t bound(const struct scaled *t, const char *name)
{
    return (uint64_t)scaling_number(t->doc, name, 0);
}

/* ---- bringing the capacity between its bounds ---- */

struct adjusting {
    struct scaled *t;
    char mark[UUID_MAX]; /* of the wish that is being fulfilled */
};

static int decide_adjusted(cJSON **doc, void *arg)
{
    const struct adjusting *a = arg;

    if (!*doc || !str_is(cjson_str(*doc, "adjust"), a->mark))
        return 0;
    cJSON_DeleteItemFromObjectCaseSensitive(*doc, "adjust");
    return 1;
}

static void adjust_end(struct adjusting *a, uint64_t after_us)
{
    scaled_idle(a->t, after_us);
    free(a);
}

static void on_adjusted(int result, const struct error *err, void *arg)
{
    struct adjusting *a = arg;
    struct scaled *t = a->t;

    (void)result;
    adjust_end(a, err ? SCALER_RETRY_US : 0);
    scaled_release(t);
}

/* The wish is fulfilled, or cannot be. */
static void adjusted(struct adjusting *a)
{
    struct scaled *t = a->t;

    scaled_hold(t);
    scaling_change(t->s->c, str_of(t->account), str_of(t->resource), decide_adjusted, on_adjusted, a);
}

static void on_adjust_set(struct scaled *t, int status, void *arg)
{
    (void)t;
    if (status >= 500)
        adjust_end(arg, SCALER_RETRY_US);
    else
        adjusted(arg);
}

static void on_adjust_look(struct scaled *t, const struct scaled_look *look, const struct error *err,
                           void *arg)
{
    struct adjusting *a = arg;
    uint64_t min = bound(t, "min"), max = bound(t, "max"), wanted = look->requested;
    char cause[TEXT_MAX];

    if (err) {
        adjust_end(a, SCALER_RETRY_US);
        return;
    }
    if (wanted < min)
        wanted = min;
    if (wanted > max)
        wanted = max;
    if (!look->exists || wanted == look->requested) {
        adjusted(a);
        return;
    }
    snprintf(cause, sizeof(cause), "%s capacity was set to %llu",
             wanted > look->requested ? "minimum" : "maximum", (unsigned long long)wanted);
    scaled_set(t, wanted, cause, on_adjust_set, a);
}

static void adjust(struct scaled *t)
{
    struct adjusting *a = calloc(1, sizeof(*a));

    if (!a)
        abort();
    a->t = t;
    snprintf(a->mark, sizeof(a->mark), "%.*s", STR_ARG(cjson_str(t->doc, "adjust")));
    t->is_busy = true;
    scaled_look(t, on_adjust_look, a);
}

/* ---- scheduled actions ---- */

struct firing {
    struct scaled *t;
    cJSON *activity; /* what was decided, or NULL: nothing is to be told */
};

/* What @action makes of the bounds of @doc, as an activity. */
static cJSON *fire(cJSON *doc, const cJSON *action)
{
    double min = scaling_number(action, "min", scaling_number(doc, "min", 0));
    double max = scaling_number(action, "max", scaling_number(doc, "max", 0));
    char description[TEXT_MAX], cause[TEXT_MAX], message[2 * TEXT_MAX];
    cJSON *activity;

    snprintf(description, sizeof(description), "Setting min capacity to %.0f and max capacity to %.0f", min, max);
    snprintf(cause, sizeof(cause), "scheduled action name %.*s was triggered",
             STR_ARG(str_sub(cjson_str(action, "name"), 0, TEXT_MAX - 64)));
    if (min > max) {
        snprintf(message, sizeof(message),
                 "Failed to set min capacity to %.0f and max capacity to %.0f. Reason: the minimum would be "
                 "greater than the maximum.",
                 min, max);
    } else {
        cJSON_DeleteItemFromObjectCaseSensitive(doc, "min");
        cJSON_DeleteItemFromObjectCaseSensitive(doc, "max");
        cJSON_AddNumberToObject(doc, "min", min);
        cJSON_AddNumberToObject(doc, "max", max);
        scaling_wants_adjusting(doc);
        snprintf(message, sizeof(message), "Successfully set min capacity to %.0f and max capacity to %.0f", min, max);
    }
    activity = scaled_activity(description, cause, "InProgress", message);
    scaled_activity_end(activity, min > max ? "Failed" : "Successful", message);
    return activity;
}

static int decide_firing(cJSON **doc, void *arg)
{
    struct firing *f = arg;
    const cJSON *suspended = cJSON_GetObjectItemCaseSensitive(*doc, "suspended");
    cJSON *actions = cJSON_GetObjectItemCaseSensitive(*doc, "actions"), *action;
    const cJSON *due;
    int64_t at;

    cJSON_Delete(TAKE(f->activity));
    due = *doc ? actions_due(f->t->s->zones, actions, (int64_t)scaling_now(), &at) : NULL;
    if (!due)
        return 0;
    action = cJSON_GetObjectItemCaseSensitive(actions, due->string);
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(suspended, "scheduled")))
        f->activity = fire(*doc, action);
    cJSON_DeleteItemFromObjectCaseSensitive(action, "last");
    cJSON_AddNumberToObject(action, "last", (double)at);
    return 1;
}

static void on_fired(int result, const struct error *err, void *arg)
{
    struct firing *f = arg;
    struct scaled *t = f->t;

    if (!err && result > 0 && f->activity) {
        log_info("scaling", "a scheduled action was due", KV_STR("resource", t->resource),
                 KV_S("cause", cjson_str(f->activity, "cause")), KV_S("status", cjson_str(f->activity, "status")));
        scaling_record(t->s->c, str_of(t->account), str_of(t->resource), f->activity);
    }
    scaled_idle(t, err ? SCALER_RETRY_US : 0);
    scaled_release(t);
    cJSON_Delete(f->activity);
    free(f);
}

static void run_action(struct scaled *t)
{
    struct firing *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    f->t = t;
    t->is_busy = true;
    scaled_hold(t);
    scaling_change(t->s->c, str_of(t->account), str_of(t->resource), decide_firing, on_fired, f);
}

/* ---- steps ---- */

/* Until @at, a Unix time in seconds. */
static uint64_t until_us(int64_t at)
{
    uint64_t now_ms = wall_ms(), at_ms = (uint64_t)at * 1000;
    uint64_t left_us = at_ms > now_ms ? MSEC(at_ms - now_ms) : 0;

    return left_us < LOOK_MAX_US ? left_us : LOOK_MAX_US;
}

static void step(struct scaled *t)
{
    const cJSON *actions = cJSON_GetObjectItemCaseSensitive(t->doc, "actions");
    int64_t now = (int64_t)scaling_now(), at;

    if (t->is_busy || t->is_gone || t->s->is_stopped || !t->s->c->term)
        return;
    if (cJSON_HasObjectItem(t->doc, "adjust"))
        adjust(t);
    else if (actions_due(t->s->zones, actions, now, &at))
        run_action(t);
    else if (actions_next(t->s->zones, actions, now, &at))
        timer_start(&t->timer, until_us(at));
}

static void on_timer(void *arg)
{
    step(arg);
}

void scaled_wake(struct scaled *t)
{
    if (!t->is_busy && !t->is_gone && !t->s->is_stopped)
        timer_start(&t->timer, 0);
}

void scaled_idle(struct scaled *t, uint64_t after_us)
{
    t->is_busy = false;
    if (!t->is_gone && !t->s->is_stopped)
        timer_start(&t->timer, after_us);
}

/* ---- targets in memory ---- */

static void scaled_free(struct scaled *t)
{
    timer_stop(&t->timer);
    timer_stop(&t->watch);
    cJSON_Delete(t->doc);
    cJSON_Delete(t->pending);
    free(t->account);
    free(t->resource);
    free(t);
}

void scaled_hold(struct scaled *t)
{
    t->holds++;
    t->s->holds++;
}

void scaled_release(struct scaled *t)
{
    struct scaler *s = t->s;

    if (--t->holds == 0 && t->is_gone)
        scaled_free(t);
    if (--s->holds == 0 && s->is_freed)
        free(s);
}

/* For the map: it is no target any more. */
static void on_gone(void *value)
{
    struct scaled *t = value;

    t->is_gone = true;
    timer_stop(&t->timer);
    timer_stop(&t->watch);
    if (t->holds == 0)
        scaled_free(t);
}

static struct scaled *scaled_new(struct scaler *s, struct str account, struct str resource)
{
    struct scaled *t = calloc(1, sizeof(*t));
    struct str rest, kind;

    if (!t)
        abort();
    t->s = s;
    t->account = str_dup(account);
    t->resource = str_dup(resource);
    rest = str_of(t->resource); /* "function:NAME:QUALIFIER": the API has looked */
    (void)str_split(&rest, ':', &kind);
    (void)str_split(&rest, ':', &t->function);
    t->qualifier = rest;
    timer_init(&t->timer, s->c->loop, on_timer, t);
    timer_init(&t->watch, s->c->loop, scaled_on_watch, t);
    return t;
}

void scaler_put(struct scaler *s, struct str account, struct str resource, const cJSON *doc)
{
    CLEANUP(freep) char *key = str_printf("%.*s/%.*s", STR_ARG(account), STR_ARG(resource));
    struct scaled *t = map_get(&s->all, str_of(key));

    if (!doc) {
        if (t)
            on_gone(map_remove(&s->all, str_of(key)));
        return;
    }
    if (!t) {
        t = scaled_new(s, account, resource);
        map_put(&s->all, str_of(key), t);
    }
    cJSON_Delete(t->doc);
    t->doc = cJSON_Duplicate(doc, 1);
    scaled_wake(t);
}

/* ---- what Redis has ---- */

struct reading {
    struct scaler *s;
    char *account;
};

/* An activity that a leader before us has begun and not ended. */
static void take_pending(struct scaled *t, const cJSON *activities)
{
    const cJSON *activity;

    cJSON_ArrayForEach(activity, activities)
    {
        if (t->pending || !str_is(cjson_str(activity, "status"), "InProgress"))
            continue;
        t->pending = cJSON_Duplicate(activity, 1);
        scaled_watch(t);
    }
}

/* Targets of the account that are not in @docs are gone. */
static void drop_others(struct scaler *s, const char *account, const cJSON *docs)
{
    struct str key;
    void *value;
    size_t at;
    bool found;

    do {
        found = false;
        for (at = 0; !found && map_next(&s->all, &at, &key, &value);) {
            struct scaled *t = value;

            found = strcmp(t->account, account) == 0 && !cJSON_GetObjectItemCaseSensitive(docs, t->resource);
            if (found)
                scaler_put(s, str_of(account), str_of(t->resource), NULL);
        }
    } while (found);
}

static void on_docs(const struct redis_value *values, size_t len, const struct error *err, void *arg)
{
    struct reading *reading = arg;
    struct scaler *s = reading->s;
    cJSON *docs, *activities, *doc;
    struct scaled *t;

    (void)len;
    if (!err && !s->is_stopped) {
        docs = docs_hash_json(&values[0]);
        activities = docs_hash_json(&values[1]);
        drop_others(s, reading->account, docs);
        cJSON_ArrayForEach(doc, docs)
        {
            CLEANUP(freep) char *key = str_printf("%s/%s", reading->account, doc->string);

            scaler_put(s, str_of(reading->account), str_of(doc->string), doc);
            t = map_get(&s->all, str_of(key));
            take_pending(t, cJSON_GetObjectItemCaseSensitive(activities, doc->string));
        }
        cJSON_Delete(docs);
        cJSON_Delete(activities);
    }
    free(reading->account); /* Redis gone again: it will be here again */
    free(reading);
}

static void on_accounts(const struct redis_value *value, const struct error *err, void *arg)
{
    struct scaler *s = arg;
    struct docs_read *read;
    struct reading *reading;
    size_t i;

    for (i = 0; !err && !s->is_stopped && i < value->len; i++) {
        reading = calloc(1, sizeof(*reading));
        if (!reading)
            abort();
        *reading = (struct reading){s, str_dup(value->items[i].str)};
        read = docs_read_new(s->c->redis, value->items[i].str);
        docs_read_hash(read, SCALING_TARGETS);
        docs_read_hash(read, SCALING_ACTIVITIES);
        docs_read_run(read, on_docs, reading);
    }
}

void scaler_redis_here(struct scaler *s)
{
    struct str words[] = {STR("SMEMBERS"), STR(ACCOUNTS_KEY)};

    redis_command(s->c->redis, words, ARRAY_LEN(words), on_accounts, s);
    if (!timer_is_armed(&s->period))
        timer_start(&s->period, s->period_us);
}

/* ---- life ---- */

static void on_period(void *arg)
{
    struct scaler *s = arg;

    timer_start(&s->period, s->period_us);
    if (s->c->term && !s->round_under_way)
        scaler_round(s);
}

struct zones *scaler_zones(struct scaler *s)
{
    return s->zones;
}

struct scaler *scaler_new(struct controller *c, uint64_t period_us)
{
    struct scaler *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->c = c;
    s->period_us = period_us;
    s->zones = zones_new();
    map_init(&s->all, on_gone);
    timer_init(&s->period, c->loop, on_period, s);
    return s;
}

void scaler_stop(struct scaler *s)
{
    if (!s)
        return;
    s->is_stopped = true;
    timer_stop(&s->period);
}

void scaler_free(struct scaler *s)
{
    if (!s)
        return;
    map_done(&s->all);
    zones_free(TAKE(s->zones));
    s->is_freed = true;
    if (s->holds == 0)
        free(s);
}
