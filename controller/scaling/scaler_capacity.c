/* SPDX-License-Identifier: Apache-2.0 */
/* How much of a target there is, changes of it, and the activities that tell of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "controller/api.h"
#include "controller/ops/concurrency.h"
#include "controller/scaling/scaler_impl.h"

#define WATCH_US MSEC(500)
#define TEXT_MAX 512

/* ---- activities ---- */

static void set_text(cJSON *json, const char *name, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(json, name);
    cJSON_AddStringToObject(json, name, text);
}

cJSON *scaled_activity(const char *description, const char *cause, const char *status,
                       const char *message)
{
    cJSON *activity = cJSON_CreateObject();
    char id[UUID_MAX];

    uuid_make(id);
    cJSON_AddStringToObject(activity, "id", id);
    cJSON_AddStringToObject(activity, "description", description);
    cJSON_AddStringToObject(activity, "cause", cause);
    cJSON_AddNumberToObject(activity, "started", scaling_now());
    cJSON_AddStringToObject(activity, "status", status);
    cJSON_AddStringToObject(activity, "message", message);
    return activity;
}

void scaled_activity_end(cJSON *activity, const char *status, const char *message)
{
    set_text(activity, "status", status);
    set_text(activity, "message", message);
    cJSON_AddNumberToObject(activity, "ended", scaling_now());
}

static void record(struct scaled *t, const cJSON *activity)
{
    scaling_record(t->s->c, str_of(t->account), str_of(t->resource), activity);
}

/* The change that was waited for is over, one way or the other. */
static void end_pending(struct scaled *t, const char *status, const char *message)
{
    timer_stop(&t->watch);
    if (!t->pending)
        return;
    scaled_activity_end(t->pending, status, message);
    record(t, t->pending);
    cJSON_Delete(TAKE(t->pending));
}

/* ---- how much there is ---- */

struct looking {
    struct scaled *t;
    scaled_look_fn *done;
    void *arg;
};

/* What the nodes have of it; the version itself may have failed. */
static void count(struct scaled *t, const struct fn_view *view, struct scaled_look *ret)
{
    struct provisioner_counts has;
    uint64_t all;

    provisioner_counts_get(t->s->c->provisioner, str_of(t->account), t->function, t->qualifier,
                           str_of(ret->version), &has);
    all = has.ready + has.leaving;
    ret->allocated = all < ret->requested ? all : ret->requested;
    if (has.ready >= ret->requested)
        return;
    ret->has_failed = has.has_failed || has.lacks_room || view->version->state == FN_FAILED;
    ret->reason = has.lacks_room && !has.has_failed ? "The nodes do not have the memory for it."
                                                    : "FUNCTION_ERROR_INIT_FAILURE";
}

static void on_view(struct fn_view *view, const struct error *err, void *arg)
{
    struct looking *l = arg;
    struct scaled *t = l->t;
    struct scaled_look look = {.exists = view && (view->version || view->alias)};

    if (view && view->version) {
        snprintf(look.version, sizeof(look.version), "%s", view->version->version);
        look.requested = (uint64_t)concurrency_requested(fn_view_doc(view, FN_PROVISIONED, t->qualifier));
        if (look.requested)
            count(t, view, &look);
    }
    l->done(t, &look, err && err->code != ERR_NOT_FOUND ? err : NULL, l->arg);
    fn_view_free(view);
    scaled_release(t);
    free(l);
}

void scaled_look(struct scaled *t, scaled_look_fn *done, void *arg)
{
    struct looking *l = calloc(1, sizeof(*l));

    if (!l)
        abort();
    *l = (struct looking){t, done, arg};
    scaled_hold(t);
    fn_view_get(t->s->c->redis, &t->s->c->key, str_of(t->account), t->function, t->qualifier,
                FN_WANT(FN_PROVISIONED), on_view, l);
}

/* ---- whether what was asked for is there ---- */

static void on_watched(struct scaled *t, const struct scaled_look *look, const struct error *err,
                       void *arg)
{
    uint64_t capacity = (uint64_t)scaling_number(t->pending, "capacity", 0);
    char message[TEXT_MAX];

    (void)arg;
    if (!t->pending || t->s->is_stopped)
        return;
    if (err || (look->exists && look->requested == capacity && look->allocated < capacity && !look->has_failed)) {
        scaled_watch(t);
        return;
    }
    if (!look->exists || look->requested != capacity) {
        end_pending(t, "Overridden", "The provisioned concurrency was changed by somebody else.");
        return;
    }
    snprintf(message, sizeof(message),
             look->allocated >= capacity
                 ? "Successfully set provisioned concurrency to %llu. Change successfully fulfilled by lambda."
                 : "Provisioned concurrency was set to %llu, but is not all there. Reason: %s",
             (unsigned long long)capacity, look->reason ? look->reason : "");
    end_pending(t, look->allocated >= capacity ? "Successful" : "Unfulfilled", message);
}

void scaled_on_watch(void *arg)
{
    scaled_look(arg, on_watched, NULL);
}

void scaled_watch(struct scaled *t)
{
    uint64_t period_us = t->s->period_us;

    if (!t->is_gone && !t->s->is_stopped)
        timer_start(&t->watch, period_us < WATCH_US ? period_us : WATCH_US);
}

/* ---- changes ---- */

struct setting {
    struct scaled *t;
    uint64_t capacity;
    cJSON *activity;
    scaled_set_fn *done;
    void *arg;
};

/* The text of the API's error. */
static char *reason_of(struct str body)
{
    cJSON *json = cJSON_ParseWithLength(body.ptr, body.len);
    struct str text = cjson_str(json, "message");
    char *copy = str_dup(text.ptr ? text : cjson_str(json, "Message"));

    cJSON_Delete(json);
    return copy;
}

static void on_set(int status, struct str body, void *arg)
{
    struct setting *setting = arg;
    struct scaled *t = setting->t;
    CLEANUP(freep) char *reason = NULL, *message = NULL;

    if (status < 300) {
        log_info("scaling", "provisioned concurrency", KV_STR("resource", t->resource),
                 KV_U64("requested", setting->capacity), KV_S("cause", cjson_str(setting->activity, "cause")));
        end_pending(t, "Overridden", "A later scaling activity has replaced it.");
        record(t, setting->activity);
        t->pending = TAKE(setting->activity);
        scaled_watch(t);
    } else if (status < 500) {
        reason = reason_of(body);
        message = str_printf("Failed to set provisioned concurrency to %llu. Reason: %s",
                             (unsigned long long)setting->capacity, reason);
        scaled_activity_end(setting->activity, "Failed", message);
        record(t, setting->activity);
    }
    setting->done(t, status, setting->arg);
    cJSON_Delete(setting->activity);
    scaled_release(t);
    free(setting);
}

void scaled_set(struct scaled *t, uint64_t capacity, const char *cause, scaled_set_fn *done,
                void *arg)
{
    struct setting *setting = calloc(1, sizeof(*setting));
    cJSON *input = cJSON_CreateObject();
    CLEANUP(freep) char *function = str_dup(t->function), *qualifier = str_dup(t->qualifier);
    char description[TEXT_MAX];

    if (!setting)
        abort();
    snprintf(description, sizeof(description), "Setting provisioned concurrency to %llu.",
             (unsigned long long)capacity);
    *setting = (struct setting){.t = t, .capacity = capacity, .done = done, .arg = arg};
    setting->activity = scaled_activity(description, cause, "InProgress",
                                        "Successfully requested. Waiting for it to be there.");
    cJSON_AddNumberToObject(setting->activity, "capacity", (double)capacity);
    cJSON_AddStringToObject(input, "FunctionName", function);
    cJSON_AddStringToObject(input, "Qualifier", qualifier);
    if (capacity > 0)
        cJSON_AddNumberToObject(input, "ProvisionedConcurrentExecutions", (double)capacity);
    scaled_hold(t);
    api_call(t->s->c, str_of(t->account),
             capacity > 0 ? LAMBDA_OP_PutProvisionedConcurrencyConfig
                          : LAMBDA_OP_DeleteProvisionedConcurrencyConfig,
             input, on_set, setting);
}
