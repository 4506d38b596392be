/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/net/network.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/base/log.h"
#include "invoker/net/netns.h"
#include "invoker/net/settings.h"
#include "invoker/net/uplink.h"

#define CHECK_US SECONDS(30)
#define SANDBOX_LINK "eth0"
/* Numbers of links: far from those that the kernel gives by itself. */
#define SANDBOX_INDEX 100
#define ROUTER_INDEX 1000u
#define FIRST_SLOT 4u /* the addresses before are the node's, the router's, and spare */
#define TEXT_MAX (1u << 20)

/* The rules of all functions with the same ones. */
struct policy {
    struct list_node node; /* in network->policies */
    char *key;
    unsigned id;
    unsigned users; /* addresses bound to it */
};

struct network_port {
    struct network *network;
    atomic_uint refs;
    uint32_t slot;
    struct policy *policy; /* NULL: what all may reach */
    struct list_node node; /* detached, still bound: in network->left */
};

/* A check of the way out on a worker thread. */
struct check {
    struct network *network;
    int r;
    struct error err;
};

struct network {
    atomic_uint refs;
    struct loop *loop;
    struct net_setup setup;
    struct net_rules allow;
    struct cidr *deny;
    struct timer timer;
    struct check *check; /* the one that runs */
    bool blocked; /* as the last check said */
    bool stopped;
    uint32_t slots; /* one behind the last */

    pthread_mutex_t kernel; /* of what follows: held over calls that may last */
    struct uplink *uplink;
    struct list_node policies;
    unsigned last_policy;

    pthread_mutex_t lock; /* of what follows: held for an instant; taken after the other one */
    uint32_t next; /* where the next free slot is looked for: the longest unused */
    uint8_t *used; /* a byte for each */
    struct list_node left;
};

/* ---- slots */

static uint32_t address_of(const struct network *net, uint32_t slot)
{
    return net->setup.range.addr + slot;
}

/* 0: none is free. */
static uint32_t slot_take(struct network *net)
{
    uint32_t i, slot, found = 0;

    pthread_mutex_lock(&net->lock);
    for (i = FIRST_SLOT; i < net->slots && !found; i++) {
        slot = net->next;
        net->next = slot + 1 < net->slots ? slot + 1 : FIRST_SLOT;
        if (!net->used[slot])
            found = slot;
    }
    net->used[found] = 1; /* 0 is no slot */
    pthread_mutex_unlock(&net->lock);
    return found;
}

static void slot_give(struct network *net, uint32_t slot)
{
    pthread_mutex_lock(&net->lock);
    net->used[slot] = 0;
    pthread_mutex_unlock(&net->lock);
}

/* ---- what detached sandboxes have left */

static void policy_free(struct policy *policy)
{
    list_remove(&policy->node);
    free(policy->key);
    free(policy);
}

static int run_commands(struct network *net, struct buf *commands, struct error *err)
{
    if (buf_append_char(commands, '\0') < 0)
        return error_set(err, ERR_SYSTEM, "too many rules for the packet filter");
    return nft_run(uplink_filter(net->uplink), commands->ptr, err);
}

/* Takes all that have gone since the last time. */
static void take_left(struct network *net, struct list_node *ret)
{
    struct network_port *port;

    list_init(ret);
    pthread_mutex_lock(&net->lock);
    while ((port = LIST_FIRST(&net->left, struct network_port, node))) {
        list_remove(&port->node);
        list_append(ret, &port->node);
    }
    pthread_mutex_unlock(&net->lock);
}

/* Their addresses are free, and policies that nobody has go. */
static void forget(struct network *net, struct list_node *left)
{
    struct list_node *n, *after;
    struct network_port *port;

    while ((port = LIST_FIRST(left, struct network_port, node))) {
        list_remove(&port->node);
        slot_give(net, port->slot);
        free(port);
    }
    LIST_FOREACH_SAFE(&net->policies, n, after)
        if (CONTAINER_OF(n, struct policy, node)->users == 0)
            policy_free(CONTAINER_OF(n, struct policy, node));
}

/* It is not known that they are unbound: their addresses stay taken until that works. */
static void put_back(struct network *net, struct list_node *left)
{
    struct network_port *port;

    while ((port = LIST_FIRST(left, struct network_port, node))) {
        list_remove(&port->node);
        port->policy->users++;
        pthread_mutex_lock(&net->lock);
        list_append(&net->left, &port->node);
        pthread_mutex_unlock(&net->lock);
    }
}

static void tidy(struct network *net)
{
    CLEANUP(buf_done) struct buf commands = BUF_INIT(TEXT_MAX);
    struct list_node left, *n;
    struct error err;

    take_left(net, &left);
    if (list_is_empty(&left))
        return;
    LIST_FOREACH(&left, n)
    {
        struct network_port *port = CONTAINER_OF(n, struct network_port, node);

        net_rules_unbind(address_of(net, port->slot), &commands);
        if (--port->policy->users == 0)
            net_rules_drop_policy(port->policy->id, &commands);
    }
    if (run_commands(net, &commands, &err) == 0) {
        forget(net, &left);
    } else {
        put_back(net, &left);
        log_warn("network", "rules of ended sandboxes stay, trying again", KV_ERR(&err));
    }
}

/* ---- references: ports and checks have one each */

struct network *network_ref(struct network *net)
{
    atomic_fetch_add(&net->refs, 1);
    return net;
}

void network_unref(struct network *net)
{
    struct network_port *port;
    struct policy *policy;

    if (atomic_fetch_sub(&net->refs, 1) > 1)
        return;
    uplink_free(net->uplink);
    while ((port = LIST_FIRST(&net->left, struct network_port, node))) {
        list_remove(&port->node);
        free(port);
    }
    while ((policy = LIST_FIRST(&net->policies, struct policy, node)))
        policy_free(policy);
    net_rules_done(&net->allow);
    free(net->deny);
    free(net->used);
    pthread_mutex_destroy(&net->kernel);
    pthread_mutex_destroy(&net->lock);
    free(net);
}

/* ---- the way out is looked at now and then: firewalls come and go */

static void check_work(void *arg)
{
    struct check *check = arg;
    struct network *net = check->network;

    pthread_mutex_lock(&net->kernel);
    tidy(net);
    check->r = uplink_check(net->uplink, &check->err);
    pthread_mutex_unlock(&net->kernel);
}

static void check_done(void *arg)
{
    struct check *check = arg;
    struct network *net = check->network;
    bool blocked = check->r < 0;

    if (blocked && !net->blocked)
        log_warn("network", "sandboxes do not reach the internet any more", KV_ERR(&check->err));
    else if (!blocked && net->blocked)
        log_info("network", "sandboxes reach the internet again");
    net->blocked = blocked;
    net->check = NULL;
    if (!net->stopped)
        timer_start(&net->timer, CHECK_US);
    free(check);
    network_unref(net);
}

static void on_timer(void *arg)
{
    struct network *net = arg;

    net->check = calloc(1, sizeof(*net->check));
    if (!net->check)
        abort();
    net->check->network = network_ref(net);
    loop_work(net->loop, check_work, check_done, net->check);
}

/* ---- a sandbox */

struct sandbox_side {
    int ns;
    struct rtnl rt;
};

static void side_close(struct sandbox_side *side)
{
    closep(&side->ns);
    rtnl_close(&side->rt);
}

/* What is needed from inside, so that the thread is there for a moment only. */
static int side_open(const struct network *net, int pidfd, struct sandbox_side *ret, struct error *err)
{
    struct stat st;
    int back, r = netns_enter(pidfd, &back, err);

    if (r < 0)
        return r;
    r = netns_own(&ret->ns, err);
    if (r == 0 && (fstat(ret->ns, &st) < 0 || st.st_ino == uplink_node_inode(net->uplink)))
        r = error_set(err, ERR_SYSTEM, "the sandbox has no network namespace of its own");
    if (r == 0) {
        (void)netns_set("ipv6/conf/default/disable_ipv6", "1", NULL); /* perhaps there is none */
        r = rtnl_open(&ret->rt, err);
    }
    netns_leave(back);
    return r;
}

/* Links of ended sandboxes may still be there under numbers that are free: those are passed over. */
static int add_link(struct network *net, int ns, uint32_t *ret_slot, struct error *err)
{
    struct error own = {0};
    uint32_t tries, slot;

    for (tries = 0; tries < net->slots; tries++) {
        const struct rtnl_end far = {SANDBOX_LINK, SANDBOX_INDEX};
        struct rtnl_end near;
        uint8_t mac[6] = {0x02, 0x68, 0x74, 0x68, 0, 0};
        char name[IF_NAMESIZE];
        int r;

        slot = slot_take(net);
        if (!slot)
            break;
        snprintf(name, sizeof(name), "s%u", slot);
        near = (struct rtnl_end){name, ROUTER_INDEX + slot};
        mac[4] = (uint8_t)(slot >> 8);
        mac[5] = (uint8_t)slot;
        r = rtnl_add_veth(uplink_router(net->uplink), &near, &far, ns, mac, uplink_mtu(net->uplink),
                          &own);
        if (r == 0) {
            r = rtnl_add_route(uplink_router(net->uplink), near.index,
                               (struct cidr){address_of(net, slot), 32}, err);
            if (r < 0)
                slot_give(net, slot);
            else
                *ret_slot = slot;
            return r;
        }
        slot_give(net, slot);
        if (own.sys_errno != EEXIST && own.sys_errno != EBUSY)
            break;
    }
    if (own.code) {
        if (err)
            *err = own;
        return -(int)own.code;
    }
    return error_set(err, ERR_SYSTEM,
                     "all addresses of the sandboxes' range are in use: set a wider egress_range");
}

int network_attach(struct network *net, int pidfd, struct network_port **ret, struct error *err)
{
    CLEANUP(side_close) struct sandbox_side side = {-1, {-1, 0}};
    const struct cidr everywhere = {0, 0};
    struct network_port *port;
    uint32_t slot;
    int r = side_open(net, pidfd, &side, err);

    if (r < 0)
        return error_wrap(err, r, "the sandbox's network");
    pthread_mutex_lock(&net->kernel);
    r = add_link(net, side.ns, &slot, err);
    pthread_mutex_unlock(&net->kernel);
    if (r < 0)
        return error_wrap(err, r, "the sandbox's network");
    port = calloc(1, sizeof(*port));
    if (!port)
        abort();
    port->network = network_ref(net);
    atomic_init(&port->refs, 1);
    port->slot = slot;
    r = rtnl_set_up(&side.rt, SANDBOX_INDEX, err);
    if (r == 0)
        r = rtnl_add_address(&side.rt, SANDBOX_INDEX, address_of(net, slot), err);
    if (r == 0)
        r = rtnl_add_route(&side.rt, SANDBOX_INDEX, everywhere, err);
    if (r < 0) {
        network_detach(port);
        return error_wrap(err, r, "the sandbox's network");
    }
    *ret = port;
    return 0;
}

static char *key_of(const struct net_policy *policy)
{
    cJSON *json = net_policy_to_json(policy);
    char *key = cJSON_PrintUnformatted(json);

    cJSON_Delete(json);
    if (!key)
        abort();
    return key;
}

static struct policy *policy_find(const struct network *net, const char *key)
{
    struct list_node *n;

    LIST_FOREACH(&net->policies, n)
        if (strcmp(CONTAINER_OF(n, struct policy, node)->key, key) == 0)
            return CONTAINER_OF(n, struct policy, node);
    return NULL;
}

static struct policy *policy_add(struct network *net, const struct net_policy *of, const char *key,
                                 struct buf *commands)
{
    struct policy *policy = calloc(1, sizeof(*policy));

    if (!policy)
        abort();
    policy->key = str_dup(str_of(key));
    policy->id = ++net->last_policy;
    list_append(&net->policies, &policy->node);
    net_rules_policy(of, policy->id, commands);
    return policy;
}

int network_restrict(struct network_port *port, const struct net_policy *of, struct error *err)
{
    CLEANUP(buf_done) struct buf commands = BUF_INIT(TEXT_MAX);
    CLEANUP(freep) char *key = key_of(of);
    struct network *net = port->network;
    struct policy *policy;
    int r;

    pthread_mutex_lock(&net->kernel);
    tidy(net);
    policy = policy_find(net, key);
    if (!policy)
        policy = policy_add(net, of, key, &commands);
    net_rules_bind(address_of(net, port->slot), policy->id, &commands);
    r = run_commands(net, &commands, err);
    if (r == 0) {
        policy->users++;
        port->policy = policy;
    } else if (policy->users == 0) {
        policy_free(policy);
    }
    pthread_mutex_unlock(&net->kernel);
    return r;
}

struct network_port *network_port_ref(struct network_port *port)
{
    atomic_fetch_add(&port->refs, 1);
    return port;
}

void network_detach(struct network_port *port)
{
    struct network *net;

    if (!port || atomic_fetch_sub(&port->refs, 1) > 1)
        return;
    net = port->network;
    pthread_mutex_lock(&net->lock);
    if (port->policy) { /* its address is free once nothing is bound to it */
        list_append(&net->left, &port->node);
    } else {
        net->used[port->slot] = 0;
        free(port);
    }
    pthread_mutex_unlock(&net->lock);
    network_unref(net);
}

/* ---- making it */

static int read_options(struct network *net, const struct network_options *o, struct error *err)
{
    struct net_setup *s = &net->setup;

    if (net_parse_allow(str_of(o->allow), &net->allow) < 0 ||
        net_parse_deny(str_of(o->deny), &net->deny, &s->deny_len) < 0 ||
        (*o->dns && net_parse_dns(str_of(o->dns), s->dns, &s->dns_len) < 0) ||
        (strcmp(o->range, "auto") != 0 && cidr_parse(str_of(o->range), &s->range) < 0))
        return error_set(err, ERR_CONFIG, "the settings of the sandboxes' network");
    s->allow = net->allow.list;
    s->allow_len = net->allow.len;
    s->deny = net->deny;
    if (!*o->dns)
        net_find_dns(s->dns, &s->dns_len);
    return 0;
}

static int make(struct network *net, const struct network_options *o, struct error *err)
{
    int r = read_options(net, o, err);

    if (r == 0)
        r = uplink_new(o->node, &net->setup, &net->uplink, err);
    if (r < 0)
        return r;
    net->slots = (1u << (32 - net->setup.range.bits)) - 1;
    net->next = FIRST_SLOT;
    net->used = calloc(net->slots, 1);
    if (!net->used)
        abort();
    return 0;
}

/* What stands, and what the operator may have to do. */
static int report(struct network *net, const struct network_options *o, struct error *err)
{
    char range[CIDR_TEXT_MAX];
    struct error own;
    int r = uplink_check(net->uplink, &own);

    if (r < 0 && strcmp(o->egress, "on") == 0) {
        if (err)
            *err = own;
        return r;
    }
    net->blocked = r < 0;
    cidr_format(net->setup.range, range);
    log_info("network", "sandboxes have a network", KV_STR("link", net->setup.link),
             KV_STR("range", range), KV_U64("name_servers", net->setup.dns_len));
    if (r < 0)
        log_warn("network", "sandboxes do not reach the internet", KV_ERR(&own));
    if (net->setup.dns_len == 0)
        log_warn("network", "sandboxes cannot look up names: this node's name servers are on its "
                            "loopback, or there are none; set egress_dns");
    return 0;
}

int network_new(const struct network_options *o, struct network **ret, struct error *err)
{
    struct network *net;
    struct error own;
    int r;

    *ret = NULL;
    if (strcmp(o->egress, "off") == 0)
        return 0;
    net = calloc(1, sizeof(*net));
    if (!net)
        abort();
    net->loop = o->loop;
    atomic_init(&net->refs, 1);
    pthread_mutex_init(&net->kernel, NULL);
    pthread_mutex_init(&net->lock, NULL);
    list_init(&net->policies);
    list_init(&net->left);
    timer_init(&net->timer, o->loop, on_timer, net);
    r = make(net, o, &own);
    if (r == 0)
        r = report(net, o, &own);
    if (r == 0) {
        timer_start(&net->timer, CHECK_US);
        *ret = net;
        return 0;
    }
    network_free(net);
    if (strcmp(o->egress, "on") == 0) {
        if (err)
            *err = own;
        return error_wrap(err, r, "the sandboxes' network (egress)");
    }
    log_info("network", "sandboxes have no network: this node cannot give them one", KV_ERR(&own));
    return 0;
}

void network_free(struct network *net)
{
    if (!net)
        return;
    net->stopped = true;
    timer_stop(&net->timer);
    network_unref(net);
}

char **network_name_servers(const struct network *net)
{
    size_t i, len = net ? net->setup.dns_len : 0;
    char **servers = calloc(NET_DNS_MAX + 1, sizeof(*servers)), address[CIDR_TEXT_MAX];

    if (!servers)
        abort();
    for (i = 0; i < len; i++) {
        cidr_format((struct cidr){NET_DNS_FIRST + (uint32_t)i, 32}, address);
        servers[i] = str_dup(str_of(address));
    }
    if (len == 0)
        servers[0] = str_dup(STR("127.0.0.1"));
    return servers;
}
