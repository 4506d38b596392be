/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/fn_change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "controller/prepare.h"

#define TRIES_MAX 10u /* of an invoker whose engine or registry is away */
#define BIT(n) (1u << (n))

/*
 *   PREPARING ──► SWITCHING ──► TELLING ──► FINISHING ──► OVER
 *       │             └────────────┬───────────┴──────────► OVER   the registry says: not yours
 *       └───────► FAILING ────────────────────────────────► OVER
 *
 * PREPARING ends with the first invoker that is ready, with the last that refuses, or with its
 * deadline. SWITCHING, FINISHING and FAILING are one script each, repeated until Redis takes it.
 * TELLING ends when every peer has answered or was cut off.
 */
enum change_state { PREPARING, SWITCHING, TELLING, FINISHING, FAILING, OVER, CHANGE_STATE_MAX };

static const unsigned may_go_to[CHANGE_STATE_MAX] = {
    [PREPARING] = BIT(SWITCHING) | BIT(FAILING) | BIT(OVER),
    [SWITCHING] = BIT(TELLING) | BIT(OVER),
    [TELLING] = BIT(FINISHING) | BIT(OVER),
    [FINISHING] = BIT(OVER),
    [FAILING] = BIT(OVER),
};

static const char *const state_names[CHANGE_STATE_MAX] = {"preparing", "switching", "telling",
                                                          "finishing", "failing",   "over"};

struct fn_changes {
    struct fn_changes_options o;
    struct list_node all;
    unsigned waiting; /* callbacks that will come */
    bool freed;
};

/* What became of asking one invoker. */
enum trial_state { TRIAL_ASKED, TRIAL_REFUSED, TRIAL_AGAIN };

struct trial {
    struct list_node node;
    uint64_t number; /* of the peer */
    enum trial_state state;
    unsigned tries; /* that ended with "not now" */
};

struct fn_change {
    struct list_node node;
    struct fn_changes *changes;
    enum change_state state;
    struct fn_version *ver; /* what is to become current */
    struct fn_version *before; /* what serves meanwhile; NULL: nothing yet */
    struct fn_version *publish; /* the version that is published with it; NULL: none */
    char id[UUID_MAX];
    uint64_t deadline_us; /* of PREPARING */
    struct timer timer;
    struct list_node trials;
    struct error refusal; /* the last; code ERR_OK: none yet */
    unsigned rounds; /* of TELLING, under way */
    bool complained; /* that Redis refuses the script */
};

/* Names a change across a wait: it may be over when the answer comes. */
struct ticket {
    struct fn_changes *changes;
    char id[UUID_MAX];
};

static void change_enter(struct fn_change *change);

/* ---- tickets ---- */

static struct ticket *ticket_new(struct fn_change *change)
{
    struct ticket *t = calloc(1, sizeof(*t));

    if (!t)
        abort();
    t->changes = change->changes;
    snprintf(t->id, sizeof(t->id), "%s", change->id);
    t->changes->waiting++;
    return t;
}

static void changes_unwait(struct fn_changes *changes)
{
    changes->waiting--;
    if (changes->freed && changes->waiting == 0)
        free(changes);
}

static struct fn_change *find(struct fn_changes *changes, const char *id)
{
    struct list_node *n;

    if (changes->freed)
        return NULL;
    LIST_FOREACH(&changes->all, n) {
        struct fn_change *change = CONTAINER_OF(n, struct fn_change, node);

        if (strcmp(change->id, id) == 0)
            return change;
    }
    return NULL;
}

/* Frees @t; NULL when the change is over. The caller ends with changes_unwait(). */
static struct fn_change *ticket_end(struct ticket *t, struct fn_changes **ret_changes)
{
    struct fn_change *change = find(t->changes, t->id);

    *ret_changes = t->changes;
    free(t);
    return change;
}

/* ---- life of a change ---- */

static void trials_done(struct fn_change *change)
{
    struct trial *trial;

    while ((trial = LIST_FIRST(&change->trials, struct trial, node))) {
        list_remove(&trial->node);
        free(trial);
    }
}

static void change_free(struct fn_change *change)
{
    timer_stop(&change->timer);
    trials_done(change);
    list_remove(&change->node);
    fn_version_free(change->ver);
    fn_version_free(change->before);
    fn_version_free(change->publish);
    free(change);
}

/* The only writer of the state. The change may be freed when this returns. */
static void change_set_state(struct fn_change *change, enum change_state state)
{
    if (!(may_go_to[change->state] & BIT(state))) {
        log_error("change", "a move that is not allowed",
                  KV_STR("from", state_names[change->state]), KV_STR("to", state_names[state]));
        abort();
    }
    log_debug("change", "moves", KV_STR("function", change->ver->name),
              KV_U64("generation", change->ver->generation),
              KV_STR("from", state_names[change->state]), KV_STR("to", state_names[state]));
    change->state = state;
    timer_stop(&change->timer);
    change_enter(change);
}

/* ---- preparing ---- */

static struct trial *trial_find(struct fn_change *change, uint64_t number)
{
    struct list_node *n;

    LIST_FOREACH(&change->trials, n) {
        struct trial *trial = CONTAINER_OF(n, struct trial, node);

        if (trial->number == number)
            return trial;
    }
    return NULL;
}

static void fail_with(struct fn_change *change, const struct error *err);

/* With the last invoker's refusal nobody is left who could do it. */
static void look_for_end(struct fn_change *change)
{
    struct peer *peer = NULL;
    struct trial *trial;
    bool refused = false;

    while ((peer = peers_next(change->changes->o.peers, peer))) {
        if (!peer_takes_work(peer))
            continue;
        trial = trial_find(change, peer->number);
        if (!trial || trial->state != TRIAL_REFUSED)
            return;
        refused = true;
    }
    if (refused)
        fail_with(change, &change->refusal);
}

static void apply_found(struct fn_version *ver, const struct prepared *found)
{
    /* a runtime's image stays a name: who replaces it means existing functions, too */
    if (ver->package != FN_IMAGE)
        fn_set_str(&ver->resolved_image_uri, str_of(found->fallback));
    else if (!ver->resolved_image_uri) /* what the client was told is what was prepared */
        fn_version_set_image(ver, str_of(found->reference), str_of(found->digest));
}

/* The version is to blame, or the invoker cannot now: then it is asked again, but not for ever. */
static void trial_failed(struct fn_change *change, struct trial *trial, const struct error *err)
{
    change->refusal = *err;
    trial->tries++;
    if (trial->tries == 1 && err->code != ERR_BAD_REQUEST)
        log_warn("change", "an invoker cannot prepare a version now; asking again",
                 KV_STR("function", change->ver->name), KV_ERR(err));
    if (err->code == ERR_BAD_REQUEST || trial->tries >= TRIES_MAX) {
        trial->state = TRIAL_REFUSED;
        look_for_end(change);
    } else {
        trial->state = TRIAL_AGAIN;
        timer_start(&change->timer, change->changes->o.retry_us);
    }
}

static void on_prepared(uint64_t number, const struct prepared *found, const struct error *err,
                        void *arg)
{
    struct fn_changes *changes;
    struct fn_change *change = ticket_end(arg, &changes);
    struct trial *trial = change ? trial_find(change, number) : NULL;

    if (change && change->state == PREPARING && trial) {
        if (!err) {
            apply_found(change->ver, found);
            if (change->publish)
                apply_found(change->publish, found);
            change_set_state(change, SWITCHING);
        } else {
            trial_failed(change, trial, err);
        }
    }
    changes_unwait(changes);
}

static void ask_invoker(struct fn_change *change, struct peer *peer)
{
    struct fn_changes *changes = change->changes;
    struct trial *trial = trial_find(change, peer->number);
    uint64_t now = loop_now_us(changes->o.loop);

    if (trial && trial->state != TRIAL_AGAIN)
        return;
    if (!trial) {
        trial = calloc(1, sizeof(*trial));
        if (!trial)
            abort();
        trial->number = peer->number;
        list_append(&change->trials, &trial->node);
    }
    trial->state = TRIAL_ASKED;
    prepare_on(changes->o.peers, peer, change->ver, changes->o.runtimes,
               change->deadline_us > now ? change->deadline_us - now : 1, on_prepared,
               ticket_new(change));
}

static void ask_invokers(struct fn_change *change)
{
    struct peers *peers = change->changes->o.peers;
    struct peer *peer = NULL;

    while ((peer = peers_next(peers, peer)))
        if (peer_takes_work(peer))
            ask_invoker(change, peer);
}

static void prepare(struct fn_change *change)
{
    uint64_t now = loop_now_us(change->changes->o.loop);
    struct error err;

    if (now >= change->deadline_us) {
        if (change->refusal.code == ERR_OK)
            error_set(&err, ERR_UNAVAILABLE, "InternalError: No invoker was there in time.");
        else
            err = change->refusal;
        fail_with(change, &err);
        return;
    }
    timer_start(&change->timer, change->deadline_us - now);
    ask_invokers(change);
    look_for_end(change); /* the last one that had not refused may have gone */
}

/* ---- failing ---- */

/* What the function is after the failure: what it was, or a function that never came to be. */
static void fail_with(struct fn_change *change, const struct error *err)
{
    char code[64], revision[UUID_MAX];
    struct fn_version *ver;
    const char *text;

    prepare_reason(err, code, sizeof(code), &text);
    log_warn("change", "a version cannot be prepared", KV_STR("function", change->ver->name),
             KV_STR("code", code), KV_STR("reason", text));
    ver = fn_version_copy(change->before ? change->before : change->ver);
    if (!change->before)
        fn_version_set_state(ver, FN_FAILED, code, text);
    fn_version_set_update(ver, FN_UPDATE_FAILED, code, text);
    uuid_make(revision);
    fn_set_str(&ver->revision_id, str_of(revision));
    fn_version_free(change->ver);
    change->ver = ver;
    if (change->publish)
        fn_version_set_state(change->publish, FN_FAILED, code, text);
    change_set_state(change, FAILING);
}

/* ---- scripts ---- */

/* Redis that is away has been logged; one that refuses a script is for a person to see. */
static void complain(struct fn_change *change, const struct error *err)
{
    if (change->complained || err->code == ERR_UNAVAILABLE || err->code == ERR_TIMEOUT)
        return;
    change->complained = true;
    log_error("change", "Redis does not take a step of a change; trying until it does",
              KV_STR("function", change->ver->name), KV_STR("state", state_names[change->state]),
              KV_ERR(err));
}

static void on_written(const struct registry_change *done, const struct error *err, void *arg)
{
    static const enum change_state after[CHANGE_STATE_MAX] = {
        [SWITCHING] = TELLING, [FINISHING] = OVER, [FAILING] = OVER};
    struct fn_changes *changes;
    struct fn_change *change = ticket_end(arg, &changes);
    size_t i;

    for (i = 0; done && !changes->freed && i < done->unused_code_len; i++) {
        CLEANUP(freep) char *sha256 = str_dup(done->unused_code[i]);

        code_gc_consider(changes->o.gc, sha256, false);
    }
    if (change && !err) {
        change_set_state(change, after[change->state]);
    } else if (change && err->code == ERR_STALE) {
        change_set_state(change, OVER);
    } else if (change) {
        complain(change, err);
        timer_start(&change->timer, change->changes->o.retry_us);
    }
    changes_unwait(changes);
}

/* One step of the change in the registry. */
static void step_write(struct fn_change *change,
                  void (*step)(struct registry *reg, const struct registry_write *w,
                               registry_change_fn *done, void *arg))
{
    const struct registry_write w = {
        .ver = change->ver, .change = change->id, .publish = change->publish};

    step(change->changes->o.registry, &w, on_written, ticket_new(change));
}

static void finish(struct fn_change *change)
{
    char revision[UUID_MAX];

    uuid_make(revision);
    fn_set_str(&change->ver->revision_id, str_of(revision));
    fn_version_set_state(change->ver, FN_ACTIVE, NULL, NULL);
    fn_version_set_update(change->ver, FN_UPDATE_SUCCESSFUL, NULL, NULL);
    if (change->publish) {
        uuid_make(revision);
        fn_set_str(&change->publish->revision_id, str_of(revision));
        fn_version_set_state(change->publish, FN_ACTIVE, NULL, NULL);
        fn_version_set_update(change->publish, FN_UPDATE_SUCCESSFUL, NULL, NULL);
    }
    step_write(change, registry_finish);
}

/* ---- telling ---- */

static void on_told(void *arg)
{
    struct fn_changes *changes;
    struct fn_change *change = ticket_end(arg, &changes);

    if (change && change->state == TELLING && --change->rounds == 0)
        change_set_state(change, FINISHING);
    changes_unwait(changes);
}

static void tell(struct fn_change *change)
{
    const struct fn_changes_options *o = &change->changes->o;
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "account", change->ver->account);
    cJSON_AddStringToObject(args, "name", change->ver->name);
    change->rounds = 2;
    peers_ask_all(o->peers, PEER_GATEWAY, "route.drop", args, o->peer_timeout_us, on_told,
                  ticket_new(change));
    cJSON_AddStringToObject(args, "version", change->ver->version);
    cJSON_AddNumberToObject(args, "generation", (double)change->ver->generation);
    peers_ask_all(o->peers, PEER_INVOKER, "version.retire", args, o->peer_timeout_us, on_told,
                  ticket_new(change));
    cJSON_Delete(args);
}

/* ---- states ---- */

static void change_enter(struct fn_change *change)
{
    switch (change->state) {
    case PREPARING:
        prepare(change);
        break;
    case SWITCHING:
        step_write(change, registry_switch);
        break;
    case TELLING:
        tell(change);
        break;
    case FINISHING:
        finish(change);
        break;
    case FAILING:
        step_write(change, registry_fail);
        break;
    case OVER:
    case CHANGE_STATE_MAX:
        log_info("change", "over", KV_STR("function", change->ver->name),
                 KV_U64("generation", change->ver->generation),
                 KV_STR("state", fn_state_name(change->ver->state)));
        change->changes->o.on_over(str_of(change->ver->account), str_of(change->ver->name),
                                   change->changes->o.arg);
        change_free(change);
        break;
    }
}

/* The timer: of PREPARING's retries and deadline, of a script that Redis did not take. */
static void on_timer(void *arg)
{
    change_enter(arg);
}

void fn_changes_lead(struct fn_changes *changes, struct fn_record *rec)
{
    struct fn_change *change = calloc(1, sizeof(*change));

    if (!change)
        abort();
    change->changes = changes;
    change->ver = TAKE(rec->ver);
    change->before = TAKE(rec->serving);
    change->publish = TAKE(rec->publish);
    if (change->publish)
        change->publish->generation = change->ver->generation;
    snprintf(change->id, sizeof(change->id), "%s", rec->change);
    change->state = rec->stage == FN_STAGE_SWITCH ? TELLING : PREPARING;
    change->deadline_us = loop_now_us(changes->o.loop) + changes->o.prepare_timeout_us;
    list_init(&change->trials);
    timer_init(&change->timer, changes->o.loop, on_timer, change);
    list_append(&changes->all, &change->node);
    log_info("change", "begins", KV_STR("function", change->ver->name),
             KV_U64("generation", change->ver->generation),
             KV_STR("state", state_names[change->state]));
    fn_record_free(rec);
    change_enter(change);
}

/* ---- taking up ---- */

static void on_record(struct fn_record *rec, const struct error *err, void *arg)
{
    struct fn_changes *changes = arg;

    if (err && err->code != ERR_NOT_FOUND && err->code != ERR_UNAVAILABLE &&
        err->code != ERR_CLOSED)
        log_error("change", "a change cannot be taken up", KV_ERR(err));
    if (!err && !changes->freed && rec->stage != FN_STAGE_NONE && !find(changes, rec->change))
        fn_changes_lead(changes, TAKE(rec));
    fn_record_free(err ? NULL : rec);
    changes_unwait(changes);
}

static void on_pending(struct str account, struct str name, void *arg)
{
    struct fn_changes *changes = arg;

    if (changes->freed)
        return;
    changes->waiting++;
    registry_get(changes->o.registry, account, name, on_record, changes);
}

static void on_all_pending(const struct error *err, void *arg)
{
    struct fn_changes *changes = arg;

    if (err) /* when Redis is there again, we are called again */
        log_debug("change", "changes under way are not known", KV_ERR(err));
    changes_unwait(changes);
}

void fn_changes_resume(struct fn_changes *changes)
{
    changes->waiting++;
    registry_pending(changes->o.registry, on_pending, on_all_pending, changes);
}

void fn_changes_stop(struct fn_changes *changes, struct str account, struct str name)
{
    struct list_node *n, *after;

    LIST_FOREACH_SAFE(&changes->all, n, after) {
        struct fn_change *change = CONTAINER_OF(n, struct fn_change, node);

        if (str_eq(str_of(change->ver->account), account) &&
            str_eq(str_of(change->ver->name), name))
            change_set_state(change, OVER);
    }
}

void fn_changes_invoker_here(struct fn_changes *changes, struct peer *peer)
{
    struct list_node *n, *after;

    LIST_FOREACH_SAFE(&changes->all, n, after) {
        struct fn_change *change = CONTAINER_OF(n, struct fn_change, node);

        if (change->state == PREPARING)
            ask_invoker(change, peer);
    }
}

struct fn_changes *fn_changes_new(const struct fn_changes_options *options)
{
    struct fn_changes *changes = calloc(1, sizeof(*changes));

    if (!changes)
        abort();
    changes->o = *options;
    list_init(&changes->all);
    return changes;
}

void fn_changes_free(struct fn_changes *changes)
{
    struct fn_change *change;

    if (!changes)
        return;
    while ((change = LIST_FIRST(&changes->all, struct fn_change, node)))
        change_free(change);
    changes->freed = true;
    if (changes->waiting == 0)
        free(changes);
}
