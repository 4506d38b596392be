/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/net/uplink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "invoker/net/forwarding.h"
#include "invoker/net/netns.h"

#define ROUTER_LINK "out"
#define MTU_DEFAULT 1500u
#define TEXT_MAX (1u << 20)
/* Where a range is looked for: shared address space, which the internet does not have either. */
#define POOL 0x64400000u
#define POOL_BITS 10
#define RANGE_BITS 20
#define PROBE_TRIES 20
#define PROBE_TRIES_FIRST 3 /* where Docker is its first packet is kept: an exception made in vain does no harm */
#define PROBE_STEP_NS 5000000
#define PROBE_PORT 9

struct uplink {
    struct net_setup *setup;
    char link[IF_NAMESIZE]; /* the node's end */
    char out[IF_NAMESIZE]; /* the node's own link to the internet; "": none was found */
    uint32_t mtu;
    int router_ns;
    ino_t node_inode;
    struct rtnl node, router;
    struct nft *node_filter, *router_filter;
    struct forwarding forwarding;
    int probe; /* a socket of the router's */
};

static uint32_t hash_of(const char *text)
{
    uint32_t h = 2166136261u;

    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 16777619u;
    return h;
}

/* ---- the router */

static int make_router_inside(struct uplink *up, struct error *err)
{
    static const struct {
        const char *name, *value;
        bool needed;
    } settings[] = {
        {"ipv4/ip_forward", "1", true},
        {"ipv4/conf/all/rp_filter", "1", true}, /* a sandbox's packets have its own address */
        {"ipv4/conf/default/rp_filter", "1", true},
        {"ipv4/icmp_ratelimit", "0", true}, /* what is refused is told so each time */
        {"ipv6/conf/all/disable_ipv6", "1", false}, /* perhaps there is no IPv6 at all */
        {"ipv6/conf/default/disable_ipv6", "1", false},
    };
    size_t i;
    int r = 0;

    for (i = 0; i < ARRAY_LEN(settings) && r == 0; i++)
        if (netns_set(settings[i].name, settings[i].value, err) < 0 && settings[i].needed)
            r = -ERR_SYSTEM;
    if (r == 0)
        r = rtnl_open(&up->router, err);
    if (r == 0)
        r = nft_new(&up->router_filter, err);
    up->probe = r == 0 ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    return r;
}

static int make_router(struct uplink *up, struct error *err)
{
    int back, r = netns_new(&up->router_ns, err);

    if (r == 0)
        r = netns_enter(up->router_ns, &back, err);
    if (r < 0)
        return r;
    r = make_router_inside(up, err);
    netns_leave(back);
    return r;
}

/* The one of an earlier life may need a moment to go with its namespace. */
static int make_link(struct uplink *up, struct error *err)
{
    const uint32_t h = hash_of(up->link);
    const uint8_t mac[6] = {0x02, 0x68, (uint8_t)(h >> 24), (uint8_t)(h >> 16), (uint8_t)(h >> 8),
                            (uint8_t)h};

    (void)rtnl_delete_link(&up->node, up->link, NULL);
    return rtnl_add_veth(&up->node, &(struct rtnl_end){up->link, 0},
                         &(struct rtnl_end){ROUTER_LINK, 0}, up->router_ns, mac, up->mtu, err);
}

/* ---- the range */

struct taken {
    struct cidr range;
    bool taken;
};

static void on_route(struct cidr to, void *arg)
{
    struct taken *t = arg;

    t->taken = t->taken || (to.bits && cidr_overlaps(to, t->range));
}

static int is_taken(struct uplink *up, struct cidr range, bool *ret, struct error *err)
{
    const struct net_setup *s = up->setup;
    struct taken t = {range, false};
    size_t i;
    int r = rtnl_each_route(&up->node, on_route, &t, err);

    for (i = 0; i < s->dns_len; i++)
        on_route((struct cidr){s->dns[i], 32}, &t);
    for (i = 0; i < s->allow_len; i++)
        on_route(s->allow[i].to, &t);
    *ret = t.taken;
    return r;
}

/* Takes it by a route to it, which there can be only one of. EEXIST in @err: it is taken. */
static int take_range(struct uplink *up, struct cidr range, struct error *err)
{
    char text[CIDR_TEXT_MAX];
    bool taken;
    int r = is_taken(up, range, &taken, err);

    if (r == 0 && taken) {
        cidr_format(range, text);
        return error_set_errno(err, ERR_CONFIG, EEXIST,
                               "the range %s for sandboxes (egress_range) is in use on this node", text);
    }
    if (r == 0)
        r = rtnl_add_route(&up->node, rtnl_index(up->link), range, err);
    if (r == 0)
        up->setup->range = range;
    return r;
}

static int choose_range(struct uplink *up, struct error *err)
{
    const uint32_t count = 1u << (RANGE_BITS - POOL_BITS), first = hash_of(up->link) % count;
    struct error own;
    uint32_t i;
    int r;

    if (up->setup->range.bits)
        return take_range(up, up->setup->range, err);
    for (i = 0; i < count; i++) {
        const uint32_t n = (first + i) % count;

        r = take_range(up, (struct cidr){POOL | n << (32 - RANGE_BITS), RANGE_BITS}, &own);
        if (r == 0 || own.sys_errno != EEXIST) {
            if (r < 0 && err)
                *err = own;
            return r;
        }
    }
    return error_set(err, ERR_UNSUPPORTED,
                     "no range of 100.64.0.0/10 is free on this node: set egress_range");
}

/* ---- the node's part */

static int give_addresses(struct uplink *up, struct error *err)
{
    const struct cidr everywhere = {0, 0};
    uint32_t index = rtnl_index(up->link);
    int back, r;

    up->setup->router = up->setup->range.addr + 2;
    r = rtnl_add_address(&up->node, index, up->setup->range.addr + 1, err);
    if (r == 0)
        r = netns_enter(up->router_ns, &back, err);
    if (r < 0)
        return r;
    index = rtnl_index(ROUTER_LINK);
    netns_leave(back);
    r = rtnl_set_up(&up->router, index, err);
    if (r == 0)
        r = rtnl_add_address(&up->router, index, up->setup->router, err);
    return r == 0 ? rtnl_add_route(&up->router, index, everywhere, err) : r;
}

static int write_rules(struct uplink *up, struct error *err)
{
    CLEANUP(buf_done) struct buf node = BUF_INIT(TEXT_MAX);
    CLEANUP(buf_done) struct buf router = BUF_INIT(TEXT_MAX);
    int r;

    net_rules_router(up->setup, &router);
    net_rules_node(up->setup, &node);
    if (buf_append_char(&router, '\0') < 0 || buf_append_char(&node, '\0') < 0)
        return error_set(err, ERR_CONFIG, "too many rules for the sandboxes' network");
    r = nft_run(up->router_filter, router.ptr, err);
    return r == 0 ? nft_run(up->node_filter, node.ptr, err) : r;
}

static int make_all(struct uplink *up, struct error *err)
{
    struct stat st;
    int own, r = netns_own(&own, err);

    if (r < 0)
        return r;
    r = fstat(own, &st) < 0 ? error_set_errno(err, ERR_SYSTEM, errno, "the node's network") : 0;
    up->node_inode = st.st_ino;
    close(own);
    if (r == 0)
        r = rtnl_open(&up->node, err);
    if (r == 0)
        r = nft_new(&up->node_filter, err);
    if (r < 0)
        return r;
    if (rtnl_find_route(&up->node, NET_PROBE_TO, up->out, &up->mtu, NULL) < 0 || !up->mtu)
        up->mtu = MTU_DEFAULT;
    r = make_router(up, err);
    if (r == 0)
        r = make_link(up, err);
    if (r == 0)
        r = choose_range(up, err);
    if (r == 0)
        r = give_addresses(up, err);
    if (r == 0)
        r = forwarding_start(&up->forwarding, up->link, up->out, err);
    if (r < 0)
        return r;
    up->setup->uplink = up->forwarding.uplink[0] ? up->forwarding.uplink : NULL;
    return write_rules(up, err);
}

/* ---- does a packet leave? */

static void pause_a_moment(void)
{
    const struct timespec step = {0, PROBE_STEP_NS};

    nanosleep(&step, NULL);
}

/* Whether one that is sent by the router comes to where it would leave the node. */
static int probe(struct uplink *up, int tries, bool *ret, struct error *err)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(PROBE_PORT),
                                   .sin_addr = {htonl(NET_PROBE_TO)}};
    uint64_t before, now = 0;
    int i, r = nft_count(up->node_filter, up->link, "probe", &before, err);

    if (r < 0)
        return r;
    for (i = 0; i < tries; i++) {
        if (i % 8 == 0) /* an answer that nobody is there is told by the next send */
            (void)sendto(up->probe, "", 1, 0, (const struct sockaddr *)&to, sizeof(to));
        r = nft_count(up->node_filter, up->link, "probe", &now, err);
        if (r < 0 || now != before)
            break;
        pause_a_moment();
    }
    *ret = now != before;
    return r;
}

int uplink_check(struct uplink *up, struct error *err)
{
    char name[IF_NAMESIZE];
    struct error own = {0};
    bool leaves = false;
    uint32_t mtu;
    int r;

    if (rtnl_find_route(&up->node, NET_PROBE_TO, name, &mtu, NULL) < 0)
        return error_set(err, ERR_UNSUPPORTED, "this node has no route to the internet");
    forwarding_keep(&up->forwarding);
    r = probe(up, PROBE_TRIES_FIRST, &leaves, err);
    if (r < 0 || leaves)
        return r;
    r = forwarding_let_through(&up->forwarding, &own);
    if (probe(up, PROBE_TRIES, &leaves, NULL) == 0 && leaves) /* or the first try was too short */
        return 0;
    return error_set(err, ERR_UNSUPPORTED,
                     "packets that this node forwards for %s do not leave it: another firewall keeps "
                     "them; let that link through its forward chain%s%s",
                     up->link, r < 0 ? "; " : "", r < 0 ? own.msg : "");
}

/* ---- uplink.h */

int uplink_new(const char *node, struct net_setup *setup, struct uplink **ret, struct error *err)
{
    struct uplink *up = calloc(1, sizeof(*up));
    struct error own;
    int r;

    if (!up)
        abort();
    up->setup = setup;
    up->router_ns = up->node.fd = up->router.fd = up->probe = up->forwarding.janitor = -1;
    snprintf(up->link, sizeof(up->link), FORWARDING_LINK "%08x", hash_of(node));
    setup->link = up->link;
    if (geteuid() != 0)
        r = error_set(&own, ERR_UNSUPPORTED, "it needs root");
    else
        r = make_all(up, &own);
    if (r < 0) {
        if (own.sys_errno == EPERM || own.sys_errno == EROFS)
            r = error_set(err, ERR_UNSUPPORTED,
                          "%s (it needs CAP_NET_ADMIN and CAP_SYS_ADMIN, and /proc/sys writable)",
                          own.msg);
        else if (err)
            *err = own;
        uplink_free(up);
        return r;
    }
    *ret = up;
    return 0;
}

void uplink_free(struct uplink *up)
{
    if (!up)
        return;
    nft_free(up->node_filter);
    nft_free(up->router_filter);
    if (up->node.fd >= 0 && up->router_ns >= 0) /* else it would go a moment later, by itself */
        (void)rtnl_delete_link(&up->node, up->link, NULL);
    rtnl_close(&up->node);
    rtnl_close(&up->router);
    closep(&up->probe);
    closep(&up->router_ns);
    forwarding_stop(&up->forwarding);
    free(up);
}

struct rtnl *uplink_router(struct uplink *up)
{
    return &up->router;
}

struct nft *uplink_filter(struct uplink *up)
{
    return up->router_filter;
}

uint32_t uplink_mtu(const struct uplink *up)
{
    return up->mtu;
}

ino_t uplink_node_inode(const struct uplink *up)
{
    return up->node_inode;
}
