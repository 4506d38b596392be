/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/provisioner.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/base/log.h"
#include "common/model/lambda_input.h"
#include "controller/provisioned_reader.h"
#include "controller/provisioner_plan.h"

#define CLASS_RETRY_US MSEC(100) /* what others run of the same limit ends by and by */

struct provisioner {
    struct provisioner_options o;
    struct plan plan;
    struct provisioned_reader *reader;
    struct timer spread; /* the plan, at the end of the turn */
    struct timer grace; /* the next look for nodes that stay away */
    struct timer classes; /* the next look for permits that others still have */
    bool is_known; /* all that is wanted was read once */
};

static void spread_soon(struct provisioner *p)
{
    if (!timer_is_armed(&p->spread))
        timer_start(&p->spread, 0);
}

/* ---- what is wanted ---- */

static void count_on_nodes(const struct provisioner *p, const char *key,
                           struct provisioner_counts *ret)
{
    const struct node_has *has;
    const struct list_node *n;

    LIST_FOREACH(&p->plan.nodes, n) {
        has = map_get(&CONTAINER_OF(n, struct plan_node, node)->has, str_of(key));
        if (!has)
            continue;
        ret->ready += has->ready;
        ret->has_failed = ret->has_failed || has->has_failed;
    }
}

static struct plan_version *version_of(struct provisioner *p, struct str account, struct str name,
                                       const cJSON *item)
{
    struct str version = cjson_str(item, "version");
    uint64_t generation = (uint64_t)cJSON_GetNumberValue(
        cJSON_GetObjectItemCaseSensitive(item, "generation"));
    CLEANUP(freep)
    char *key = plan_key(account, name, version, generation);
    struct plan_version *v = plan_version_find(&p->plan, key);

    return v ? v
             : plan_version_add(&p->plan, account, name, version, generation);
}

static bool is_of(const struct plan_version *v, struct str account, struct str name)
{
    return str_is(account, v->account) && str_is(name, v->name);
}

static bool is_settled(const struct provisioner *p, const struct plan_version *v)
{
    struct provisioner_counts has = {0};

    count_on_nodes(p, v->key, &has);
    return has.ready >= v->count || has.has_failed;
}

/* Versions that an alias has left stay as they are until its new one is ready, or does not come up. */
static void settle_moves(struct provisioner *p)
{
    const struct plan_version *heir;
    struct list_node *n, *after;

    LIST_FOREACH_SAFE(&p->plan.versions, n, after) {
        struct plan_version *v = CONTAINER_OF(n, struct plan_version, node);

        if (!v->is_leaving)
            continue;
        heir = plan_heir(&p->plan, v);
        if (heir && !is_settled(p, heir))
            continue;
        plan_version_remove(v);
        spread_soon(p);
    }
}

/* What was found is all that is wanted of the function. */
static void on_found(struct str account, struct str name, const cJSON *versions, void *arg)
{
    struct provisioner *p = arg;
    struct list_node *n;
    struct plan_version *v;
    const cJSON *item;

    LIST_FOREACH(&p->plan.versions, n)
        CONTAINER_OF(n, struct plan_version, node)->marked = false;
    cJSON_ArrayForEach(item, versions)
    {
        v = version_of(p, account, name, item);
        v->memory_mib = (uint32_t)cJSON_GetNumberValue(
            cJSON_GetObjectItemCaseSensitive(item, "memory_mib"));
        v->count =
            (uint32_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, "count"));
        free(v->qualifier);
        v->qualifier = str_dup(cjson_str(item, "qualifier"));
        v->is_leaving = false;
        v->marked = true;
    }
    LIST_FOREACH(&p->plan.versions, n) {
        v = CONTAINER_OF(n, struct plan_version, node);
        if (!v->marked && is_of(v, account, name))
            v->is_leaving = true;
    }
    settle_moves(p);
    spread_soon(p);
}

static void on_all_read(void *arg)
{
    struct provisioner *p = arg;

    p->is_known = true;
    spread_soon(p);
}

/* ---- permits ---- */

/* A question about the class of a version. */
struct class_look {
    struct provisioner *p;
    char *key;
    uint64_t number;
};

static void on_class(bool ready, void *arg)
{
    struct class_look *look = arg;
    struct provisioner *p = look->p;
    struct plan_version *v = plan_version_find(&p->plan, look->key);

    if (v) {
        v->class_is_asked = false;
        v->has_class = ready && v->class_number == look->number;
        if (!v->has_class)
            timer_start(&p->classes, CLASS_RETRY_US);
    }
    free(look->key);
    free(look);
}

static void on_classes(void *arg)
{
    struct provisioner *p = arg;
    struct class_look *look;
    struct list_node *n;

    LIST_FOREACH(&p->plan.versions, n) {
        struct plan_version *v = CONTAINER_OF(n, struct plan_version, node);

        if (v->is_leaving || v->has_class || v->class_is_asked)
            continue;
        look = xcalloc(sizeof(*look));
        *look = (struct class_look){p, str_dup(str_of(v->key)), v->class_number};
        v->class_is_asked = permits_class_ready(p->o.permits, str_of(v->account), str_of(v->name),
                                                str_of(v->version), on_class, look);
        if (!v->class_is_asked) {
            timer_start(&p->classes, CLASS_RETRY_US);
            free(look->key);
            free(look);
        }
    }
}

/* What was found out of its classes counts no more. */
static void forget_classes(struct provisioner *p, struct str account, struct str name)
{
    struct list_node *n;

    LIST_FOREACH(&p->plan.versions, n) {
        struct plan_version *v = CONTAINER_OF(n, struct plan_version, node);

        if (!is_of(v, account, name))
            continue;
        v->has_class = false;
        v->class_number++;
    }
}

void provisioner_look(struct provisioner *p, struct str account, struct str name)
{
    forget_classes(p, account, name);
    provisioned_reader_look(p->reader, account, name);
}

void provisioner_redis_here(struct provisioner *p)
{
    struct list_node *n;

    LIST_FOREACH(&p->plan.versions, n) { /* what is wanted no longer is not found by itself */
        struct plan_version *v = CONTAINER_OF(n, struct plan_version, node);

        provisioned_reader_look(p->reader, str_of(v->account), str_of(v->name));
    }
    provisioned_reader_all(p->reader);
}

/* ---- telling the nodes ---- */

static cJSON *list_for(const struct provisioner *p, const struct plan_node *node)
{
    cJSON *args = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(args, "versions"), *item;
    struct list_node *n, *m;

    LIST_FOREACH(&p->plan.versions, n) {
        const struct plan_version *v = CONTAINER_OF(n, struct plan_version, node);

        LIST_FOREACH(&v->shares, m) {
            const struct plan_share *share = CONTAINER_OF(m, struct plan_share, node);

            if (share->on != node)
                continue;
            item = cJSON_CreateObject();
            cJSON_AddStringToObject(item, "account", v->account);
            cJSON_AddStringToObject(item, "name", v->name);
            cJSON_AddStringToObject(item, "version", v->version);
            cJSON_AddNumberToObject(item, "generation", (double)v->generation);
            cJSON_AddNumberToObject(item, "count", share->count);
            cJSON_AddItemToArray(list, item);
        }
    }
    return args;
}

/* A node that was told: its list counts only once it has answered. */
struct telling {
    struct provisioner *p;
    char *node;
};

static void on_told(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct telling *telling = arg;
    struct plan_node *node = plan_node_find(&telling->p->plan, str_of(telling->node));
    (void)ok;
    (void)body;

    if (err && err->code != ERR_CLOSED) /* one whose link is lost is told when it registers */
        log_warn("provisioner", "a node does not take what it is to keep initialised; trying again",
                 KV_STR("node", telling->node), KV_ERR(err));
    if (err && node) {
        free(TAKE(node->told));
        timer_start(&telling->p->spread, telling->p->o.retry_us);
    }
    free(telling->node);
    free(telling);
}

/* A node that has nothing, is to have nothing and was never told anything need not be. */
static bool is_told(const struct plan_node *node, const char *list)
{
    if (!node->told)
        return strcmp(list, "{\"versions\":[]}") == 0 && node->has.len == 0;
    return strcmp(list, node->told) == 0;
}

static void tell(struct provisioner *p, struct plan_node *node)
{
    struct peer *peer = node->is_here ? peers_find(p->o.peers, node->peer) : NULL;
    cJSON *args = peer ? list_for(p, node) : NULL;
    char *text = args ? cJSON_PrintUnformatted(args) : NULL;
    struct telling *telling;

    if (text && !is_told(node, text)) {
        telling = calloc(1, sizeof(*telling));
        if (!telling)
            abort();
        telling->p = p;
        telling->node = str_dup(str_of(node->id));
        free(node->told);
        node->told = TAKE(text);
        peers_ask(p->o.peers, peer, "node.provision", args, p->o.peer_timeout_us, on_told, telling);
    }
    free(text);
    cJSON_Delete(args);
}

static void on_spread(void *arg)
{
    struct provisioner *p = arg;
    struct list_node *n;

    if (!p->is_known)
        return;
    timer_start(&p->classes, 0);
    plan_spread(&p->plan);
    LIST_FOREACH(&p->plan.nodes, n)
        tell(p, CONTAINER_OF(n, struct plan_node, node));
}

/* ---- nodes ---- */

void provisioner_node_here(struct provisioner *p, const struct peer *peer, uint64_t memory_mib)
{
    struct plan_node *node = plan_node_find(&p->plan, str_of(peer->id));

    if (!node)
        node = plan_node_add(&p->plan, str_of(peer->id));
    node->is_here = true;
    node->peer = peer->number;
    node->memory_mib = memory_mib;
    free(TAKE(node->told));
    spread_soon(p);
}

void provisioner_node_drains(struct provisioner *p, const struct peer *peer)
{
    struct plan_node *node = plan_node_find(&p->plan, str_of(peer->id));

    if (!node)
        return;
    plan_node_remove(&p->plan, node);
    spread_soon(p);
}

static void on_grace(void *arg)
{
    struct provisioner *p = arg;
    uint64_t now = loop_now_us(p->o.loop), due;
    struct list_node *n, *after;

    LIST_FOREACH_SAFE(&p->plan.nodes, n, after) {
        struct plan_node *node = CONTAINER_OF(n, struct plan_node, node);

        if (node->is_here)
            continue;
        due = node->lost_us + p->o.grace_us;
        if (due <= now)
            plan_node_remove(&p->plan, node);
        else if (!timer_is_armed(&p->grace))
            timer_start(&p->grace, due - now);
    }
    spread_soon(p);
}

void provisioner_node_lost(struct provisioner *p, const struct peer *peer)
{
    struct plan_node *node = plan_node_find(&p->plan, str_of(peer->id));

    if (!node || node->peer != peer->number)
        return;
    node->is_here = false;
    node->lost_us = loop_now_us(p->o.loop);
    map_done(&node->has); /* nobody knows */
    map_init(&node->has, free);
    if (!timer_is_armed(&p->grace))
        timer_start(&p->grace, p->o.grace_us);
}

static uint32_t count_of(const cJSON *item, const char *name)
{
    double value = cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, name));

    return value >= 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

int provisioner_told(struct provisioner *p, const struct peer *peer, const cJSON *args,
                     struct error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(args, "versions"), *item;
    struct plan_node *node = peer ? plan_node_find(&p->plan, str_of(peer->id)) : NULL;

    if (!cJSON_IsArray(list) || !node || node->peer != peer->number)
        return error_set(err, ERR_BAD_REQUEST, "a registered node tells a list of versions");
    map_done(&node->has);
    map_init(&node->has, free);
    cJSON_ArrayForEach(item, list)
    {
        double generation =
            cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, "generation"));
        const struct node_has has = {
            .begun = count_of(item, "begun"),
            .ready = count_of(item, "ready"),
            .has_failed = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "failed"))};
        CLEANUP(freep)
        char *key = plan_key(cjson_str(item, "account"), cjson_str(item, "name"),
                             cjson_str(item, "version"), generation > 0 ? (uint64_t)generation : 0);

        plan_node_set(node, key, &has);
    }
    settle_moves(p);
    spread_soon(p); /* it may have what nobody wants any more */
    return 0;
}

void provisioner_counts_get(const struct provisioner *p, struct str account, struct str name,
                            struct str qualifier, struct str version,
                            struct provisioner_counts *ret)
{
    struct provisioner_counts left;
    const struct list_node *n;

    *ret = (struct provisioner_counts){0};
    LIST_FOREACH(&p->plan.versions, n) {
        const struct plan_version *v = CONTAINER_OF(n, struct plan_version, node);

        if (!is_of(v, account, name))
            continue;
        if (str_is(version, v->version)) {
            count_on_nodes(p, v->key, ret);
            ret->lacks_room = v->lacks_room;
            ret->has_class = v->has_class;
        } else if (str_is(qualifier, v->qualifier)) { /* also when the move is not read yet */
            left = (struct provisioner_counts){0};
            count_on_nodes(p, v->key, &left);
            ret->leaving += left.ready;
        }
    }
}

/* ---- life ---- */

struct provisioner *provisioner_new(const struct provisioner_options *options)
{
    struct provisioner *p = calloc(1, sizeof(*p));
    const struct provisioned_reader_options reader = {.loop = options->loop,
                                                      .redis = options->redis,
                                                      .key = options->key,
                                                      .retry_us = options->retry_us,
                                                      .found = on_found,
                                                      .all_read = on_all_read,
                                                      .arg = p};

    if (!p)
        abort();
    p->o = *options;
    p->reader = provisioned_reader_new(&reader);
    plan_init(&p->plan);
    timer_init(&p->spread, options->loop, on_spread, p);
    timer_init(&p->grace, options->loop, on_grace, p);
    timer_init(&p->classes, options->loop, on_classes, p);
    return p;
}

void provisioner_free(struct provisioner *p)
{
    if (!p)
        return;
    provisioned_reader_free(p->reader);
    timer_stop(&p->spread);
    timer_stop(&p->grace);
    timer_stop(&p->classes);
    plan_done(&p->plan);
    free(p);
}
