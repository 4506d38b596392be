/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/containerd_views.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/base/alloc.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"

#define LABEL_ROOT "containerd.io/gc.root"
#define LABEL_NODE "hearth.node"
#define LABEL_LIFE "hearth.life"
#define RETRY_MIN_US MSEC(200)
#define RETRY_MAX_US SECONDS(10)
#define STOP_LIMIT_US SECONDS(2)

struct containerd_views {
    struct loop *loop;
    struct containerd *c;
    char *node, *prefix; /* of our keys: "hearth-<node>-<life>-" */
    char life[9];
    uint64_t count;
    struct list_node holds; /* struct view */
    struct list_node removals; /* the first is under way when there is a call */
    struct containerd_call *call; /* of a listing or a removal */
    bool listed, told;
    uint64_t removed; /* of earlier lives */
    struct timer retry, limit;
    uint64_t retry_us;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

struct view {
    struct image_hold hold;
    struct containerd_views *views; /* NULL: it is removed already, or we are gone */
    char *key;
    struct list_node node;
};

struct removal {
    char *key;
    bool earlier; /* of an earlier life */
    struct list_node node;
};

static void work(struct containerd_views *views);

static void removal_free(struct removal *removal)
{
    list_remove(&removal->node);
    free(removal->key);
    free(removal);
}

static void removal_new(struct containerd_views *views, struct str key, bool earlier)
{
    struct removal *removal = xcalloc(sizeof(*removal));

    removal->key = str_dup(key);
    removal->earlier = earlier;
    list_append(&views->removals, &removal->node);
}

static void stopped(struct containerd_views *views)
{
    void (*done)(void *) = TAKE(views->stopped);

    timer_stop(&views->limit);
    timer_stop(&views->retry);
    if (done)
        done(views->stopped_arg);
}

/* Tries again after a pause; at the end nobody waits for a containerd that is away. */
static void work_later(struct containerd_views *views, const struct error *err)
{
    if (!views->told)
        log_warn("images", "snapshots that nobody needs are not removed yet, trying again",
                 KV_ERR(err));
    views->told = true;
    if (views->stopped) {
        stopped(views);
        return;
    }
    timer_start(&views->retry, views->retry_us);
    views->retry_us = views->retry_us * 2 < RETRY_MAX_US ? views->retry_us * 2 : RETRY_MAX_US;
}

static void on_removed(struct str answer, const struct error *err, void *arg)
{
    struct containerd_views *views = arg;
    struct removal *removal = LIST_FIRST(&views->removals, struct removal, node);
    (void)answer;

    views->call = NULL;
    if (err && err->code != ERR_NOT_FOUND) {
        list_remove(&removal->node); /* others may go */
        list_append(&views->removals, &removal->node);
        work_later(views, err);
        return;
    }
    views->told = false;
    views->retry_us = RETRY_MIN_US;
    views->removed += removal->earlier;
    removal_free(removal);
    if (views->removed && list_is_empty(&views->removals)) {
        log_info("images", "snapshots of an earlier life removed",
                 KV_U64("count", views->removed));
        views->removed = 0;
    }
    work(views);
}

static void on_listed(struct str answer, const struct error *err, void *arg)
{
    struct containerd_views *views = arg;
    struct str name;

    views->call = NULL;
    if (err) {
        work_later(views, err);
        return;
    }
    views->listed = true;
    views->told = false;
    while (containerd_next_snapshot(&answer, &name) > 0)
        if (!str_starts(name, str_of(views->prefix)))
            removal_new(views, name, true);
    work(views);
}

/* The next step, if there is one and none is under way. */
static void work(struct containerd_views *views)
{
    struct removal *removal = LIST_FIRST(&views->removals, struct removal, node);

    if (views->call || timer_is_armed(&views->retry))
        return;
    if (!views->listed && !views->stopped) {
        CLEANUP(freep)
        char *filter = str_printf("labels.\"" LABEL_NODE "\"==\"%s\"", views->node);

        views->call = containerd_list(views->c, filter, on_listed, views);
    } else if (removal) {
        views->call = containerd_remove(views->c, removal->key, on_removed, views);
    } else if (views->stopped) {
        stopped(views);
    }
}

static void on_retry(void *arg)
{
    work(arg);
}

/* ---- holds */

static void view_free(struct view *view)
{
    list_remove(&view->node);
    free(view->key);
    free(view);
}

static void on_release(struct image_hold *hold)
{
    struct view *view = CONTAINER_OF(hold, struct view, hold);

    if (view->views) {
        removal_new(view->views, str_of(view->key), false);
        work(view->views);
    }
    view_free(view);
}

struct containerd_call *containerd_views_make(struct containerd_views *views, const char *chain_id,
                                              struct image_hold **ret_hold,
                                              containerd_done_fn *done, void *arg)
{
    struct view *view = xcalloc(sizeof(*view));
    char now[32];
    const time_t seconds = time(NULL);
    struct tm tm;
    struct str labels[] = {STR(LABEL_ROOT), STR_NULL,        STR(LABEL_NODE),
                           STR_NULL,        STR(LABEL_LIFE), STR_NULL};

    gmtime_r(&seconds, &tm);
    strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", &tm);
    labels[1] = str_of(now);
    labels[3] = str_of(views->node);
    labels[5] = str_of(views->life);
    view->hold = (struct image_hold){.refs = 1, .release = on_release};
    view->views = views;
    view->key = str_printf("%s%" PRIu64, views->prefix, ++views->count);
    list_append(&views->holds, &view->node);
    *ret_hold = &view->hold;
    return containerd_view(views->c, view->key, chain_id, labels, ARRAY_LEN(labels), done, arg);
}

/* ---- life */

static void on_limit(void *arg)
{
    struct containerd_views *views = arg;

    log_warn("images", "snapshots of images stay in containerd until the next start");
    stopped(views);
}

void containerd_views_stop(struct containerd_views *views, void (*done)(void *arg), void *arg)
{
    struct view *view;

    views->stopped = done;
    views->stopped_arg = arg;
    while ((view = LIST_FIRST(&views->holds, struct view, node))) {
        removal_new(views, str_of(view->key), false);
        view->views = NULL;
        list_remove(&view->node);
    }
    timer_stop(&views->retry);
    timer_start(&views->limit, STOP_LIMIT_US);
    work(views);
}

struct containerd_views *containerd_views_new(struct loop *loop, struct containerd *c,
                                              const char *node)
{
    struct containerd_views *views = xcalloc(sizeof(*views));

    views->loop = loop;
    views->c = c;
    views->node = str_dup(str_of(node));
    token_make(4, views->life);
    views->prefix = str_printf("hearth-%s-%s-", node, views->life);
    views->retry_us = RETRY_MIN_US;
    list_init(&views->holds);
    list_init(&views->removals);
    timer_init(&views->retry, loop, on_retry, views);
    timer_init(&views->limit, loop, on_limit, views);
    work(views);
    return views;
}

void containerd_views_free(struct containerd_views *views)
{
    struct removal *removal;
    struct view *view;

    if (!views)
        return;
    if (views->call)
        containerd_call_cancel(views->call);
    timer_stop(&views->retry);
    timer_stop(&views->limit);
    while ((removal = LIST_FIRST(&views->removals, struct removal, node)))
        removal_free(removal);
    while ((view = LIST_FIRST(&views->holds, struct view, node))) {
        view->views = NULL; /* whoever has it frees it */
        list_remove(&view->node);
    }
    free(views->node);
    free(views->prefix);
    free(views);
}
