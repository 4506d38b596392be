/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/provisions.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/map.h"

#define AGAIN_MIN_US MSEC(100)
#define AGAIN_MAX_US SECONDS(60)
#define CALM_US SECONDS(10) /* up for so long: what failed before is forgotten */
#define REPORT_AFTER_US MSEC(5) /* what happens together is told together */

struct provision {
    struct provisions *all;
    struct list_node node;
    char *account, *name, *version;
    uint64_t generation;
    uint32_t count;
    struct ready_version *ver; /* NULL: not ready yet */
    struct spec_wait wait; /* linked while it is being made ready */
    struct timer again;
    uint64_t again_us; /* the next pause; 0: none yet */
    uint64_t tried_us; /* when it was tried last */
    bool has_failed;
    bool marked; /* provisions_set(): still wanted */
};

struct provisions {
    struct loop *loop;
    struct spec_cache *specs;
    provisions_report_fn *report;
    void *arg;
    struct list_node list;
    struct map by_key; /* "<account>/<name>:<version>#<generation>" to struct provision */
    struct timer report_timer;
};

static char *key_text(const struct spec_key *key)
{
    return str_printf("%.*s/%.*s:%.*s#%" PRIu64, STR_ARG(key->account), STR_ARG(key->name),
                      STR_ARG(key->version), key->generation);
}

static struct spec_key key_of(const struct provision *pr)
{
    return (struct spec_key){.account = str_of(pr->account),
                             .name = str_of(pr->name),
                             .version = str_of(pr->version),
                             .generation = pr->generation};
}

/* ---- the report */

static void on_report(void *arg)
{
    struct provisions *p = arg;
    struct provision_status *all = calloc(p->by_key.len + 1, sizeof(*all));
    struct provision *pr;
    struct pool_kept kept;
    struct list_node *n;
    size_t len = 0;

    if (!all)
        abort();
    LIST_FOREACH(&p->list, n) {
        pr = CONTAINER_OF(n, struct provision, node);
        kept = (struct pool_kept){0};
        if (pr->ver)
            pool_version_kept(ready_version_pool(pr->ver), &kept);
        all[len++] = (struct provision_status){.key = key_of(pr),
                                               .wanted = pr->count,
                                               .begun = kept.begun,
                                               .ready = kept.ready,
                                               .has_failed = pr->has_failed};
    }
    p->report(all, len, p->arg);
    free(all);
}

void provisions_tell(struct provisions *p)
{
    if (!timer_is_armed(&p->report_timer))
        timer_start(&p->report_timer, REPORT_AFTER_US);
}

/* ---- one version */

/* It did not come up, or did not stay: again after a pause that grows with each time. */
static void try_later(struct provision *pr)
{
    uint64_t now = loop_now_us(pr->all->loop), pause;

    if (timer_is_armed(&pr->again))
        return;
    if (now - pr->tried_us > CALM_US)
        pr->again_us = 0;
    pause = pr->again_us;
    pr->again_us = pause ? pause * 2 : AGAIN_MIN_US;
    if (pr->again_us > AGAIN_MAX_US)
        pr->again_us = AGAIN_MAX_US;
    timer_start(&pr->again, pause);
}

static void keep(struct provision *pr)
{
    pr->tried_us = loop_now_us(pr->all->loop);
    pool_version_keep(ready_version_pool(pr->ver), pr->count);
}

static void on_version(struct spec_wait *w, struct ready_version *ver, const struct error *err)
{
    struct provision *pr = CONTAINER_OF(w, struct provision, wait);

    if (err) {
        log_warn("provisions", "a version cannot be made ready; trying again",
                 KV_STR("function", pr->name), KV_STR("version", pr->version), KV_ERR(err));
        pr->has_failed = true;
        try_later(pr);
    } else {
        pr->ver = ready_version_ref(ver);
        keep(pr);
    }
    provisions_tell(pr->all);
}

static void on_again(void *arg)
{
    struct provision *pr = arg;
    struct spec_key key = key_of(pr);
    struct ready_version *ver;

    if (pr->ver && ready_version_is_image_lost(pr->ver))
        ready_version_unref(TAKE(pr->ver));
    if (pr->ver) {
        keep(pr);
        return;
    }
    pr->tried_us = loop_now_us(pr->all->loop);
    switch (spec_cache_find(pr->all->specs, &key, &ver)) {
    case 0:
        on_version(&pr->wait, ver, NULL);
        break;
    case -ERR_NOT_FOUND:
        spec_cache_get(pr->all->specs, &key, &pr->wait);
        break;
    default: /* a newer generation is here: the controller will say so */
        break;
    }
}

static void provision_free(struct provision *pr)
{
    struct spec_key key = key_of(pr);
    CLEANUP(freep) char *text = key_text(&key);

    map_remove(&pr->all->by_key, str_of(text));
    list_remove(&pr->node);
    spec_cache_cancel(&pr->wait);
    timer_stop(&pr->again);
    if (pr->ver && !pool_version_is_retired(ready_version_pool(pr->ver)))
        pool_version_keep(ready_version_pool(pr->ver), 0);
    ready_version_unref(pr->ver);
    free(pr->account);
    free(pr->name);
    free(pr->version);
    free(pr);
}

static struct provision *provision_new(struct provisions *p, const struct spec_key *key)
{
    struct provision *pr = calloc(1, sizeof(*pr));

    if (!pr)
        abort();
    pr->all = p;
    pr->account = str_dup(key->account);
    pr->name = str_dup(key->name);
    pr->version = str_dup(key->version);
    pr->generation = key->generation;
    list_init(&pr->wait.node);
    pr->wait.done = on_version;
    timer_init(&pr->again, p->loop, on_again, pr);
    timer_start(&pr->again, 0);
    list_append(&p->list, &pr->node);
    return pr;
}

/* ---- all */

void provisions_changed(struct provisions *p, const struct ready_version *ver)
{
    struct pool_kept kept;
    struct provision *pr;
    struct list_node *n;

    LIST_FOREACH(&p->list, n) {
        pr = CONTAINER_OF(n, struct provision, node);
        if (pr->ver != ver)
            continue;
        pool_version_kept(ready_version_pool(ver), &kept);
        if (kept.paused) {
            pr->has_failed = kept.failed && kept.ready == 0;
            try_later(pr);
        } else if (kept.ready == pr->count) {
            pr->has_failed = false;
        }
    }
    provisions_tell(p);
}

static void want(struct provisions *p, const struct provision_want *w)
{
    CLEANUP(freep) char *text = key_text(&w->key);
    struct provision *pr = map_get(&p->by_key, str_of(text));

    if (!pr) {
        pr = provision_new(p, &w->key);
        map_put(&p->by_key, str_of(text), pr);
    }
    pr->marked = true;
    if (pr->count == w->count)
        return;
    pr->count = w->count;
    if (pr->ver)
        keep(pr);
}

void provisions_set(struct provisions *p, const struct provision_want *all, size_t len)
{
    struct list_node *n, *after;
    struct provision *pr;
    size_t i;

    LIST_FOREACH(&p->list, n)
        CONTAINER_OF(n, struct provision, node)->marked = false;
    for (i = 0; i < len; i++)
        want(p, &all[i]);
    LIST_FOREACH_SAFE(&p->list, n, after) {
        pr = CONTAINER_OF(n, struct provision, node);
        if (!pr->marked)
            provision_free(pr);
    }
    provisions_tell(p);
}

struct provisions *provisions_new(struct loop *loop, struct spec_cache *specs,
                                  provisions_report_fn *report, void *arg)
{
    struct provisions *p = calloc(1, sizeof(*p));

    if (!p)
        abort();
    p->loop = loop;
    p->specs = specs;
    p->report = report;
    p->arg = arg;
    list_init(&p->list);
    map_init(&p->by_key, NULL);
    timer_init(&p->report_timer, loop, on_report, p);
    return p;
}

void provisions_free(struct provisions *p)
{
    if (!p)
        return;
    provisions_set(p, NULL, 0);
    timer_stop(&p->report_timer);
    map_done(&p->by_key);
    free(p);
}
