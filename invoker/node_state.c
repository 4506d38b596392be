/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/node_state.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

#include "common/base/alloc.h"
#include "common/base/log.h"
#include "common/io/rpc.h"

#define TELL_US MSEC(50)
#define TELL_ALL_US SECONDS(1) /* also what does not matter much */
#define TELL_LIMIT_US SECONDS(10)
#define VERSIONS_MAX 1000 /* of one telling */

/* One gateway. */
struct listener {
    struct list_node node;
    struct node_state *ns;
    struct link *link;
    bool has_received;
    uint32_t received; /* id of the last stream with an invocation */
    bool is_busy; /* has not answered yet */
    bool is_behind; /* must be told everything */
};

struct node_state {
    struct node_state_options o;
    struct list_node listeners;
    struct timer tell;
    uint64_t tell_us; /* when it ends */
    uint64_t all_due_us; /* when what does not matter much is told, too */
    struct pool_room told; /* the last one */
    bool draining;
};

/* Then, or before. */
static void tell_in(struct node_state *ns, uint64_t pause_us)
{
    uint64_t due = loop_now_us(ns->o.loop) + pause_us;

    if (timer_is_armed(&ns->tell) && ns->tell_us <= due)
        return;
    ns->tell_us = due;
    timer_stop(&ns->tell);
    timer_start(&ns->tell, pause_us);
}

/* ---- the words ---- */

static void add_version(cJSON *list, const struct ready_version *ver, const struct pool_warm *warm)
{
    const struct sandbox_spec *spec = ready_version_spec(ver);
    cJSON *item = cJSON_CreateObject();

    cJSON_AddStringToObject(item, "account", spec->account);
    cJSON_AddStringToObject(item, "name", spec->name);
    cJSON_AddStringToObject(item, "version", spec->version);
    cJSON_AddNumberToObject(item, "generation", (double)spec->generation);
    cJSON_AddNumberToObject(item, "idle", warm->idle);
    cJSON_AddNumberToObject(item, "kept", warm->kept);
    cJSON_AddItemToArray(list, item);
}

/* A list that has an end. */
struct words {
    cJSON *list;
    int len;
    bool wants_idle; /* of all versions: those that have some, or the others */
};

static bool on_changed_version(const struct pool_warm *warm, void *arg)
{
    struct words *words = arg;

    if (words->len == VERSIONS_MAX)
        return false;
    words->len++;
    add_version(words->list, warm->user, warm);
    return true;
}

static void on_version(const struct spec_key *key, const struct ready_version *ver, void *arg)
{
    struct words *words = arg;
    struct pool_warm warm;
    (void)key;

    if (!ver || words->len == VERSIONS_MAX)
        return;
    pool_version_warm(ready_version_pool(ver), &warm);
    if ((warm.idle > 0) != words->wants_idle)
        return;
    words->len++;
    add_version(words->list, ver, &warm);
}

/* Those with idle sandboxes first; the others say where image and code are. */
static cJSON *all_versions(struct node_state *ns)
{
    struct words words = {.list = cJSON_CreateArray(), .wants_idle = true};

    spec_cache_each(ns->o.specs, on_version, &words);
    words.wants_idle = false;
    spec_cache_each(ns->o.specs, on_version, &words);
    return words.list;
}

static void on_told(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct listener *l = arg;
    (void)ok;
    (void)body;

    l->is_busy = false;
    if (err && link_is_up(l->link))
        log_debug("invoker", "a gateway was not told what is here", KV_ERR(err));
    if (l->is_behind)
        tell_in(l->ns, TELL_US);
}

/* @versions is a list of its own when @l is told everything. */
static void tell(struct listener *l, const struct pool_room *room, const cJSON *versions, bool all)
{
    cJSON *args = cJSON_CreateObject();
    uint32_t oldest;

    cJSON_AddNumberToObject(args, "memory_mib", (double)room->memory_mib);
    cJSON_AddNumberToObject(args, "free_mib", (double)room->free_mib);
    cJSON_AddNumberToObject(args, "idle_mib", (double)room->idle_mib);
    if (l->ns->draining)
        cJSON_AddTrueToObject(args, "draining");
    if (all)
        cJSON_AddTrueToObject(args, "all");
    if (invocations_oldest_unplaced(l->ns->o.invocations, l->link, &oldest))
        cJSON_AddNumberToObject(args, "received", oldest - 1);
    else if (l->has_received)
        cJSON_AddNumberToObject(args, "received", l->received);
    cJSON_AddItemReferenceToObject(args, "versions", (cJSON *)(uintptr_t)versions);
    l->is_busy = true;
    l->is_behind = false;
    rpc_call(l->link, "node.state", args, STR_NULL, TELL_LIMIT_US, on_told, l);
    cJSON_Delete(args);
}

/* ---- when ---- */

static bool room_differs(const struct pool_room *was, const struct pool_room *is)
{
    return was->memory_mib != is->memory_mib || was->free_mib != is->free_mib ||
           was->idle_mib != is->idle_mib;
}

static bool room_matters(const struct pool_room *was, const struct pool_room *is)
{
    int64_t more = is->free_mib - was->free_mib;
    uint64_t step = is->memory_mib / 64;

    return was->memory_mib != is->memory_mib || (uint64_t)(more < 0 ? -more : more) > step ||
           (was->free_mib > 0) != (is->free_mib > 0);
}

static void on_tell(void *arg)
{
    struct node_state *ns = arg;
    struct words words = {.list = cJSON_CreateArray()};
    uint64_t now = loop_now_us(ns->o.loop);
    bool is_due = now >= ns->all_due_us, is_left, is_news, differs;
    struct listener *l;
    struct list_node *n;
    struct pool_room room;
    cJSON *all = NULL;

    is_left = pool_each_changed(ns->o.pool, is_due, on_changed_version, &words);
    pool_room_get(ns->o.pool, &room);
    differs = room_differs(&ns->told, &room);
    is_news = words.len > 0 || (differs && is_due) || room_matters(&ns->told, &room);
    if (is_due)
        ns->all_due_us = now + TELL_ALL_US;
    LIST_FOREACH(&ns->listeners, n)
    {
        l = CONTAINER_OF(n, struct listener, node);
        l->is_behind = l->is_behind || (l->is_busy && is_news);
        if (l->is_behind && !l->is_busy) {
            all = all ? all : all_versions(ns);
            tell(l, &room, all, true);
        } else if (is_news && !l->is_busy) {
            tell(l, &room, words.list, false);
        }
    }
    if (is_news)
        ns->told = room;
    if (is_left || (differs && !is_news))
        tell_in(ns, words.len == VERSIONS_MAX ? TELL_US : TELL_ALL_US);
    cJSON_Delete(words.list);
    cJSON_Delete(all);
}

void node_state_changed(struct node_state *ns)
{
    if (list_is_empty(&ns->listeners))
        return; /* whoever comes is told all */
    tell_in(ns, TELL_US);
}

void node_state_hurry(struct node_state *ns)
{
    if (!list_is_empty(&ns->listeners))
        tell_in(ns, 0);
}

void node_state_drain(struct node_state *ns)
{
    struct list_node *n;

    ns->draining = true;
    LIST_FOREACH(&ns->listeners, n)
    {
        struct listener *l = CONTAINER_OF(n, struct listener, node);

        l->is_busy = false; /* this is not to wait */
        l->is_behind = true;
    }
    tell_in(ns, 0);
}

/* ---- links ---- */

static struct listener *find(const struct node_state *ns, const struct link *link)
{
    const struct list_node *n;

    LIST_FOREACH(&ns->listeners, n)
    {
        struct listener *l = CONTAINER_OF(n, struct listener, node);

        if (l->link == link)
            return l;
    }
    return NULL;
}

static void listener_free(struct listener *l)
{
    list_remove(&l->node);
    free(l);
}

void node_state_link_up(struct node_state *ns, struct link *link)
{
    struct listener *l = xcalloc(sizeof(*l));

    l->ns = ns;
    l->link = link;
    l->is_behind = true;
    list_append(&ns->listeners, &l->node);
    tell_in(ns, 0);
}

void node_state_link_down(struct node_state *ns, struct link *link)
{
    struct listener *l = find(ns, link);

    if (l)
        listener_free(l);
}

void node_state_received(struct node_state *ns, const struct link_stream *s)
{
    struct listener *l = find(ns, link_stream_link(s));

    if (!l)
        return;
    l->has_received = true;
    l->received = link_stream_id(s);
}

/* ---- life ---- */

struct node_state *node_state_new(const struct node_state_options *options)
{
    struct node_state *ns = xcalloc(sizeof(*ns));

    ns->o = *options;
    list_init(&ns->listeners);
    timer_init(&ns->tell, options->loop, on_tell, ns);
    return ns;
}

void node_state_free(struct node_state *ns)
{
    struct listener *l;

    if (!ns)
        return;
    timer_stop(&ns->tell);
    while ((l = LIST_FIRST(&ns->listeners, struct listener, node)))
        listener_free(l);
    free(ns);
}
