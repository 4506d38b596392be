/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/lost_runs.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "common/io/rpc.h"

#define ASK_TIMEOUT_US SECONDS(5)
#define ASK_MAX 5000u /* runs of one question */

/* An invocation that may still run. */
struct lost_run {
    struct list_node list; /* in its lost_node's runs */
    char request_id[UUID_MAX];
    char *function;
    struct permit permit;
    bool asked; /* in the question under way */
};

/* A node that has some. */
struct lost_node {
    struct list_node list; /* in lost->nodes */
    struct lost_runs *lost;
    char *id; /* its address may change while it runs them */
    struct list_node runs;
    struct timer timer; /* armed when no question is under way */
    uint64_t pause_us;
    struct node *asking; /* held while a question is under way */
};

struct lost_runs {
    struct loop *loop;
    struct nodes *nodes;
    struct leases *leases;
    struct list_node at; /* the nodes */
};

static void run_free(struct lost_run *run)
{
    permit_return(&run->permit);
    list_remove(&run->list);
    free(run->function);
    free(run);
}

static void lost_node_free(struct lost_node *at)
{
    struct lost_run *run;

    while ((run = LIST_FIRST(&at->runs, struct lost_run, list)))
        run_free(run);
    timer_stop(&at->timer);
    list_remove(&at->list);
    free(at->id);
    free(at);
}

/* The node, as long as it is in the list. */
static struct node *node_of(const struct lost_node *at)
{
    struct node *node = NULL;

    while ((node = nodes_next(at->lost->nodes, node)))
        if (strcmp(node_id(node), at->id) == 0)
            return node;
    return NULL;
}

/* ---- asking ---- */

static cJSON *question(struct lost_node *at)
{
    cJSON *args = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(args, "requests");
    struct lost_run *run;
    struct list_node *n;
    size_t len = 0;

    cJSON_AddStringToObject(args, "gateway", leases_incarnation(at->lost->leases));
    LIST_FOREACH (&at->runs, n) {
        run = CONTAINER_OF(n, struct lost_run, list);
        run->asked = len < ASK_MAX;
        if (len++ < ASK_MAX)
            cJSON_AddItemToArray(list, cJSON_CreateString(run->request_id));
    }
    return args;
}

/* Those that were asked about and are not in @list have ended. Whether any has. */
static bool take_answer(struct lost_node *at, const cJSON *list)
{
    struct list_node *n, *after;
    struct lost_run *run;
    const cJSON *item;
    struct map alive;
    bool any = false;

    map_init(&alive, NULL);
    cJSON_ArrayForEach (item, list) {
        if (cJSON_IsString(item))
            map_put(&alive, str_of(item->valuestring), at);
    }
    LIST_FOREACH_SAFE (&at->runs, n, after) {
        run = CONTAINER_OF(n, struct lost_run, list);
        if (!run->asked || map_get(&alive, str_of(run->request_id)))
            continue;
        run_free(run);
        any = true;
    }
    map_done(&alive);
    return any;
}

static void on_alive(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(ok, "requests");
    struct lost_node *at = arg;
    struct node *node = TAKE(at->asking);

    (void)body;
    if (!err && !cJSON_IsArray(list))
        log_error("lost_runs", "the node's answer is malformed, asking again",
                  KV_STR("node", node_id(node)));
    else if (err)
        log_debug("lost_runs", "no answer, asking again", KV_STR("node", node_id(node)),
                  KV_ERR(err));
    else if (take_answer(at, list))
        at->pause_us = LOST_RETRY_MIN_US;
    node_end(node);
    timer_start(&at->timer, at->pause_us);
    at->pause_us = at->pause_us < LOST_RETRY_MAX_US / 2 ? at->pause_us * 2 : LOST_RETRY_MAX_US;
}

/* Those whose permit has become void meanwhile are nobody's business any more. */
static void drop_void(struct lost_node *at)
{
    struct list_node *n, *after;
    struct lost_run *run;

    LIST_FOREACH_SAFE (&at->runs, n, after) {
        run = CONTAINER_OF(n, struct lost_run, list);
        if (!permit_is_held(&run->permit))
            run_free(run);
    }
}

static void on_timer(void *arg)
{
    struct lost_node *at = arg;
    struct node *node = node_of(at);
    cJSON *args;

    drop_void(at);
    if (!node || list_is_empty(&at->runs)) { /* it has ended everything */
        lost_node_free(at);
        return;
    }
    if (!link_is_up(node_link(node))) {
        timer_start(&at->timer, LOST_RETRY_MAX_US);
        return;
    }
    node_begin(node);
    at->asking = node;
    args = question(at);
    rpc_call(node_link(node), "runs.alive", args, STR_NULL, ASK_TIMEOUT_US, on_alive, at);
    cJSON_Delete(args);
}

void lost_runs_kick(struct lost_runs *lost)
{
    struct lost_node *at;
    struct list_node *n;

    LIST_FOREACH (&lost->at, n) {
        at = CONTAINER_OF(n, struct lost_node, list);
        at->pause_us = LOST_RETRY_MIN_US;
        if (!at->asking)
            timer_start(&at->timer, 0);
    }
}

/* ---- the runs ---- */

static struct lost_node *lost_node_at(struct lost_runs *lost, struct node *node)
{
    struct lost_node *at;
    struct list_node *n;

    LIST_FOREACH (&lost->at, n) {
        at = CONTAINER_OF(n, struct lost_node, list);
        if (strcmp(at->id, node_id(node)) == 0)
            return at;
    }
    at = xcalloc(sizeof(*at));
    at->lost = lost;
    at->id = str_dup(str_of(node_id(node)));
    at->pause_us = LOST_RETRY_MIN_US;
    list_init(&at->runs);
    timer_init(&at->timer, lost->loop, on_timer, at);
    list_append(&lost->at, &at->list);
    return at;
}

void lost_runs_add(struct lost_runs *lost, struct node *node, const char *request_id,
                   struct permit *permit)
{
    struct lost_node *at;
    struct lost_run *run;

    if (!permit_is_held(permit))
        return;
    at = lost_node_at(lost, node);
    run = xcalloc(sizeof(*run));
    snprintf(run->request_id, sizeof(run->request_id), "%s", request_id);
    run->function = str_dup(permit->function);
    permit_pass(permit, &run->permit, str_of(run->function));
    list_append(&at->runs, &run->list);
    if (!at->asking && !timer_is_armed(&at->timer))
        timer_start(&at->timer, 0);
}

size_t lost_runs_len(const struct lost_runs *lost)
{
    struct list_node *n, *m;
    size_t len = 0;

    LIST_FOREACH (&lost->at, n)
        LIST_FOREACH (&CONTAINER_OF(n, struct lost_node, list)->runs, m)
            len++;
    return len;
}

struct lost_runs *lost_runs_new(struct loop *loop, struct nodes *nodes, struct leases *leases)
{
    struct lost_runs *lost = xcalloc(sizeof(*lost));

    lost->loop = loop;
    lost->nodes = nodes;
    lost->leases = leases;
    list_init(&lost->at);
    return lost;
}

void lost_runs_free(struct lost_runs *lost)
{
    struct lost_node *at;

    if (!lost)
        return;
    while ((at = LIST_FIRST(&lost->at, struct lost_node, list)))
        lost_node_free(at);
    free(lost);
}
