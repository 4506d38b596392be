/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnl.h - links, addresses and routes of one network namespace, by rtnetlink.
 *
 * Owns:    its socket, which stays in the namespace it was opened in.
 * Threads: any, one at a time for each struct.
 * Errors:  -ERR_SYSTEM with the kernel's errno (EEXIST: there is one of that name or number).
 * Source:  rtnetlink(7), veth(4).
 */
#ifndef HEARTH_INVOKER_NET_RTNL_H
#define HEARTH_INVOKER_NET_RTNL_H

#include <net/if.h>
#include <stdint.h>

#include "common/base/cidr.h"
#include "common/base/error.h"

struct rtnl {
    int fd;
    uint32_t seq;
};

/** In the calling thread's namespace. */
int rtnl_open(struct rtnl *ret, struct error *err);
void rtnl_close(struct rtnl *rt);

/** One end of a veth. Both ends have @mac, and ask for nobody's: see rtnl_add_veth(). */
struct rtnl_end {
    const char *name; /* under IFNAMSIZ */
    uint32_t index; /* 0: the kernel's choice */
};

/**
 * Makes a veth whose @near end is here, up, and whose @far end is in the namespace @far_ns, to be
 * started there. They have no ARP and one hardware address for both: what one sends the other takes,
 * so there is no neighbour to be asked for or to be lied about.
 */
int rtnl_add_veth(struct rtnl *rt, const struct rtnl_end *near, const struct rtnl_end *far, int far_ns,
                  const uint8_t mac[6], uint32_t mtu, struct error *err);
int rtnl_delete_link(struct rtnl *rt, const char *name, struct error *err);
int rtnl_set_up(struct rtnl *rt, uint32_t index, struct error *err);
/** The number of the link @name in the thread's namespace, or 0. */
uint32_t rtnl_index(const char *name);
int rtnl_add_address(struct rtnl *rt, uint32_t index, uint32_t address, struct error *err);
/** All of @to is on the link. -ERR_SYSTEM with EEXIST when there is that route already. */
int rtnl_add_route(struct rtnl *rt, uint32_t index, struct cidr to, struct error *err);

/** Calls @each for the destination of each IPv4 route, of all tables, but default ones. */
int rtnl_each_route(struct rtnl *rt, void (*each)(struct cidr to, void *arg), void *arg,
                    struct error *err);
/** The link by which @address is reached, and its MTU; ENETUNREACH when by none. */
int rtnl_find_route(struct rtnl *rt, uint32_t address, char ret_name[IF_NAMESIZE], uint32_t *ret_mtu,
                    struct error *err);

#endif
