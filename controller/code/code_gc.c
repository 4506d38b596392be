/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/code/code_gc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"

struct suspect {
    struct list_node node;
    char sha256[SHA256_HEX_MAX];
    bool trashed; /* the next question decides; also: by a controller that did not come so far */
    bool pinned; /* @pin is to be ended first */
    struct code_pin pin;
};

struct code_gc {
    struct loop *loop;
    struct registry *registry;
    struct code_store *store; /* NULL until it is started */
    struct list_node suspects;
    struct suspect *current; /* no longer in the list */
    struct timer timer;
    uint64_t retry_us;
    bool sweeping;
};

static void next(void *arg);
static void ask(struct code_gc *gc);

static void current_end(struct code_gc *gc, bool again)
{
    struct suspect *s = TAKE(gc->current);

    if (again) {
        s->trashed = false;
        list_append(&gc->suspects, &s->node);
    } else {
        free(s);
    }
    timer_start(&gc->timer, again ? gc->retry_us : 0);
}

static void on_purged(const struct error *err, void *arg)
{
    struct code_gc *gc = arg;

    if (err)
        log_warn("code", "an archive could not be removed; it stays", KV_ERR(err));
    else
        log_debug("code", "removed an archive without function",
                  KV_STR("sha256", gc->current->sha256));
    current_end(gc, false);
}

static void on_restored(const struct error *err, void *arg)
{
    struct code_gc *gc = arg;

    if (err)
        log_error("code", "an archive in use could not be put back", KV_ERR(err),
                  KV_STR("sha256", gc->current->sha256));
    current_end(gc, false);
}

static void on_restored_for_later(const struct error *err, void *arg)
{
    (void)err;
    current_end(arg, true);
}

static void on_trashed(const struct error *err, void *arg)
{
    struct code_gc *gc = arg;

    if (err && err->code != ERR_NOT_FOUND)
        log_warn("code", "an archive could not be looked at; it stays", KV_ERR(err));
    gc->current->trashed = !err;
    if (err)
        current_end(gc, false);
    else
        ask(gc);
}

/* In the trash, the answer is for good: who refers to it from now on brings it along. */
static void on_used(bool used, const struct error *err, void *arg)
{
    struct code_gc *gc = arg;
    const char *sha256 = gc->current->sha256;

    if (!gc->current->trashed && (err || used))
        current_end(gc, err != NULL);
    else if (!gc->current->trashed)
        code_store_trash(gc->store, sha256, on_trashed, gc);
    else if (err)
        code_store_restore(gc->store, sha256, on_restored_for_later, gc);
    else if (used)
        code_store_restore(gc->store, sha256, on_restored, gc);
    else
        code_store_purge(gc->store, sha256, on_purged, gc);
}

static void ask(struct code_gc *gc)
{
    registry_code_used(gc->registry, gc->current->sha256, on_used, gc);
}

static void on_settled(const struct error *err, void *arg)
{
    struct code_gc *gc = arg;

    gc->current->pinned = false;
    if (err)
        log_warn("code", "a pin could not be ended", KV_ERR(err));
    ask(gc);
}

static void next(void *arg)
{
    struct code_gc *gc = arg;
    struct suspect *s;

    if (!gc->store || gc->current || list_is_empty(&gc->suspects))
        return;
    s = gc->current = LIST_FIRST(&gc->suspects, struct suspect, node);
    list_remove(&s->node);
    if (s->pinned)
        code_store_settle(gc->store, &s->pin, true, on_settled, gc);
    else
        ask(gc);
}

static struct suspect *add(struct code_gc *gc, const char *sha256)
{
    struct suspect *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    snprintf(s->sha256, sizeof(s->sha256), "%s", sha256);
    list_append(&gc->suspects, &s->node);
    if (!timer_is_armed(&gc->timer))
        timer_start(&gc->timer, 0);
    return s;
}

void code_gc_consider(struct code_gc *gc, const char *sha256, bool trashed)
{
    add(gc, sha256)->trashed = trashed;
}

void code_gc_unpin(struct code_gc *gc, const struct code_pin *pin)
{
    struct suspect *s = add(gc, pin->sha256);

    s->pinned = true;
    s->pin = *pin;
}

/* ---- the sweep ---- */

static void on_listed(const struct buf *digests, const struct error *err, void *arg)
{
    struct code_gc *gc = arg;
    char sha256[SHA256_HEX_MAX];
    size_t i;

    gc->sweeping = false;
    if (err) {
        log_warn("code", "the archives could not be listed", KV_ERR(err));
        return;
    }
    for (i = 0; i + SHA256_HEX_MAX - 1 <= digests->len; i += SHA256_HEX_MAX - 1) {
        memcpy(sha256, digests->ptr + i, SHA256_HEX_MAX - 1);
        sha256[SHA256_HEX_MAX - 1] = '\0';
        code_gc_consider(gc, sha256, false);
    }
}

static void on_entered(bool entered, const struct error *err, void *arg)
{
    struct code_gc *gc = arg;

    if (!err && entered)
        code_store_list(gc->store, on_listed, gc);
    else
        gc->sweeping = false;
}

void code_gc_sweep(struct code_gc *gc)
{
    if (!gc->store || gc->sweeping)
        return;
    gc->sweeping = true;
    registry_is_entered(gc->registry, on_entered, gc);
}

struct code_gc *code_gc_new(struct loop *loop, struct registry *registry, uint64_t retry_us)
{
    struct code_gc *gc = calloc(1, sizeof(*gc));

    if (!gc)
        abort();
    gc->loop = loop;
    gc->registry = registry;
    gc->retry_us = retry_us;
    list_init(&gc->suspects);
    timer_init(&gc->timer, loop, next, gc);
    return gc;
}

void code_gc_start(struct code_gc *gc, struct code_store *store)
{
    gc->store = store;
    timer_start(&gc->timer, 0);
}

void code_gc_free(struct code_gc *gc)
{
    struct suspect *s;

    if (!gc)
        return;
    timer_stop(&gc->timer);
    while ((s = LIST_FIRST(&gc->suspects, struct suspect, node))) {
        list_remove(&s->node);
        free(s);
    }
    free(gc->current);
    free(gc);
}
