/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One round of metrics: how much there is of each target that has a policy, then how much of it is in
 * use, asked of all gateways at once (`usage.get`). A gateway that does not say leaves a gap: less would
 * be believed to be in use than is.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "controller/scaling/scaler_impl.h"

#define QUESTION_MAX 1000 /* targets in one question */

/* One target in a round. */
struct sample {
    struct scaled *t;
    struct scaled_look look;
    bool is_known; /* @look is */
    uint64_t used; /* on all gateways */
    bool has_gap; /* some gateway has not said */
};

struct round {
    struct scaler *s;
    struct sample *samples;
    size_t len;
    unsigned waiting;
};

/* A question to one gateway about some of the samples. */
struct question {
    struct round *round;
    size_t from, to;
};

static const cJSON *policy_of(const struct scaled *t)
{
    const cJSON *policies = cJSON_GetObjectItemCaseSensitive(t->doc, "policies");

    return policies ? policies->child : NULL; /* there is one metric, so there is one policy at most */
}

/* ---- what follows ---- */

static uint64_t seconds_of(const cJSON *policy, const char *name)
{
    return SECONDS(scaling_number(policy, name, 0));
}

struct scaling_out {
    struct tracking_policy policy;
    uint64_t from, to;
};

static void on_set(struct scaled *t, int status, void *arg)
{
    struct scaling_out *scaling = arg;

    if (status < 300)
        tracking_scaled(&t->tracking, &scaling->policy, scaling->from, scaling->to, now_us());
    scaled_idle(t, status < 500 ? 0 : SCALER_RETRY_US);
    free(scaling);
}

static void scale(struct scaled *t, const cJSON *policy, const struct tracking_policy *rules, uint64_t from,
                  uint64_t to)
{
    struct scaling_out *scaling = calloc(1, sizeof(*scaling));
    CLEANUP(freep)
    char *cause = str_printf("the utilization of provisioned concurrency, %.2f, is %s the target %g of policy %.200s",
                             t->tracking.points[0].utilisation, to > from ? "above" : "below", rules->target,
                             policy->string);

    if (!scaling)
        abort();
    *scaling = (struct scaling_out){*rules, from, to};
    t->is_busy = true;
    timer_stop(&t->timer);
    scaled_set(t, to, cause, on_set, scaling);
}

static void evaluate(struct scaled *t, const struct sample *sample)
{
    const cJSON *policy = policy_of(t), *suspended = cJSON_GetObjectItemCaseSensitive(t->doc, "suspended");
    const struct scaled_look *look = &sample->look;
    struct tracking_policy rules;
    struct tracking_state state;
    uint64_t wanted;

    if (!policy || t->is_gone)
        return;
    if (!sample->is_known || sample->has_gap || look->allocated == 0) {
        tracking_gap(&t->tracking);
        return;
    }
    tracking_push(&t->tracking, sample->used, look->allocated);
    rules = (struct tracking_policy){
        .target = scaling_number(policy, "target", 1),
        .out_cooldown_us = seconds_of(policy, "out_cooldown"),
        .in_cooldown_us = seconds_of(policy, "in_cooldown"),
        .no_in = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(policy, "no_in"))};
    state = (struct tracking_state){
        .capacity = look->requested,
        .is_ready = look->allocated >= look->requested,
        .min = (uint64_t)scaling_number(t->doc, "min", 0),
        .max = (uint64_t)scaling_number(t->doc, "max", 0),
        .in_suspended = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(suspended, "in")),
        .out_suspended = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(suspended, "out"))};
    wanted = tracking_desired(&t->tracking, &rules, &state, now_us());
    if (wanted != look->requested && !t->is_busy)
        scale(t, policy, &rules, look->requested, wanted);
}

static void round_end(struct round *round)
{
    struct scaler *s = round->s;
    size_t i;

    s->round_under_way = false;
    for (i = 0; i < round->len; i++) {
        if (!s->is_stopped)
            evaluate(round->samples[i].t, &round->samples[i]);
        scaled_release(round->samples[i].t);
    }
    free(round->samples);
    free(round);
}

static void one_less(struct round *round)
{
    if (--round->waiting == 0)
        round_end(round);
}

/* ---- how much is in use ---- */

static void on_used(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct question *q = arg;
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(ok, "used"), *item = list ? list->child : NULL;
    size_t i;

    (void)body;
    if (err && err->code != ERR_CLOSED && err->code != ERR_NO_OPERATION)
        log_warn("scaling", "a gateway does not say how much is in use", KV_ERR(err));
    for (i = q->from; i < q->to; i++) {
        struct sample *sample = &q->round->samples[i];

        if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e9)
            sample->used += (uint64_t)item->valuedouble;
        else
            sample->has_gap = true;
        item = item ? item->next : NULL;
    }
    one_less(q->round);
    free(q);
}

static cJSON *question_args(const struct round *round, size_t from, size_t to)
{
    cJSON *args = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(args, "versions"), *item;
    size_t i;

    for (i = from; i < to; i++) {
        const struct sample *sample = &round->samples[i];
        CLEANUP(freep) char *name = str_dup(sample->t->function);

        item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "account", sample->t->account);
        cJSON_AddStringToObject(item, "name", name);
        cJSON_AddStringToObject(item, "version", sample->look.version);
        cJSON_AddItemToArray(list, item);
    }
    return args;
}

static void ask(struct round *round, struct peer *peer, size_t from, size_t to)
{
    const struct controller *c = round->s->c;
    struct question *q = calloc(1, sizeof(*q));
    cJSON *args = question_args(round, from, to);

    if (!q)
        abort();
    *q = (struct question){round, from, to};
    round->waiting++;
    peers_ask(c->peers, peer, "usage.get", args, c->config->peer_timeout_us, on_used, q);
    cJSON_Delete(args);
}

static void ask_all(struct round *round)
{
    struct peers *peers = round->s->c->peers;
    struct peer *peer = NULL;
    size_t from, to, asked = 0;

    round->waiting = 1;
    while (!round->s->is_stopped && (peer = peers_next(peers, peer))) {
        if (peer->role != PEER_GATEWAY)
            continue;
        asked++;
        for (from = 0; from < round->len; from = to) {
            to = from + QUESTION_MAX < round->len ? from + QUESTION_MAX : round->len;
            ask(round, peer, from, to);
        }
    }
    for (from = 0; asked == 0 && from < round->len; from++)
        round->samples[from].has_gap = true;
    one_less(round);
}

/* ---- how much there is ---- */

struct looked {
    struct round *round;
    size_t at;
};

static void on_look(struct scaled *t, const struct scaled_look *look, const struct error *err, void *arg)
{
    struct looked *l = arg;
    struct round *round = l->round;

    (void)t;
    if (!err)
        round->samples[l->at].look = *look;
    round->samples[l->at].is_known = !err;
    free(l);
    if (--round->waiting == 0)
        ask_all(round);
}

void scaler_round(struct scaler *s)
{
    struct round *round = calloc(1, sizeof(*round));
    struct looked *l;
    struct str key;
    void *value;
    size_t at = 0, i;

    if (!round)
        abort();
    round->s = s;
    round->samples = calloc(s->all.len + 1, sizeof(*round->samples));
    if (!round->samples)
        abort();
    while (map_next(&s->all, &at, &key, &value)) {
        struct scaled *t = value;

        if (!policy_of(t)) {
            tracking_gap(&t->tracking);
            continue;
        }
        scaled_hold(t);
        round->samples[round->len++].t = t;
    }
    s->round_under_way = round->len > 0;
    round->waiting = (unsigned)round->len;
    for (i = 0; i < round->len; i++) {
        l = calloc(1, sizeof(*l));
        if (!l)
            abort();
        *l = (struct looked){round, i};
        scaled_look(round->samples[i].t, on_look, l);
    }
    if (round->len == 0) {
        free(round->samples);
        free(round);
    }
}
