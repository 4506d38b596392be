/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permit_link.h - what node and leading controller say to one another of permits, over the controller's link:
 * who may run here (permits.fence), what runs on nobody's lease (permits.orphans), that the node is alive
 * (node.alive); and what becomes of the node when it is not heard.
 *
 * A controller that is a version older knows none of it (NO_OPERATION to node.alive): then nobody is fenced,
 * until permits.fence is heard.
 *
 * When the lease is over, all that runs is ended, and the link is cut: what the controller said before counts
 * no more, and it hears the node anew.
 *
 * The newest term and epoch are kept in a file, and are there before the leader is answered: a process that begins
 * anew does not believe a controller that was deposed. When they cannot be kept (a full disk) the link is cut, and
 * the node does not register: one that was there and never answered would be waited for for ever, one that is away
 * until its lease is over.
 *
 * Owns:    the fence, its timers. Borrows: the loop, the link while it is up.
 * Threads: loop thread only. The options' functions are called from timers and calls of the peer.
 * Errors:  permit_link_new() reports a file that cannot be read; later ones are logged.
 * Wire:    docs/internals/links.md.
 */
#ifndef HEARTH_INVOKER_PERMIT_LINK_H
#define HEARTH_INVOKER_PERMIT_LINK_H

#include "common/io/rpc.h"
#include "invoker/fence.h"
#include "invoker/lease_guard.h"

#define PERMIT_INCARNATION_MAX 33u

struct permit_link;

struct permit_link_options {
    struct loop *loop;
    const char *file; /* copied */
    bool has_rivals; /* several controllers: one may go on that another one, unknown to it, has replaced */
    /* The lease is over: all that runs has to end now. */
    void (*lapsed)(void *arg);
    struct lease_guard *guard; /* borrowed, NULL: none; does the same a twentieth of the lease later, if we stand still */
    /* So many nodes are registered. */
    void (*nodes)(uint32_t count, void *arg);
    void *arg;
};

int permit_link_new(const struct permit_link_options *options, struct permit_link **ret,
                    struct error *err);
/** The link is freed before, and nothing is counted in the fence any more. NULL is fine. */
void permit_link_free(struct permit_link *pl);

struct fence *permit_link_fence(struct permit_link *pl);
/** Of this process: a node that registers with another one has ended what it ran as this one. */
const char *permit_link_incarnation(const struct permit_link *pl);
/** Now, as permit_link_registered() wants it. */
uint64_t permit_link_now_us(void);

/** There is a link to the leading controller. */
void permit_link_up(struct permit_link *pl, struct link *link);
/** Before the node registers: keeps what it has heard, if that is not done yet; an error if it cannot be. */
int permit_link_keep(struct permit_link *pl, struct error *err);
/** It has answered node.register, asked at @sent_us, with @ok. */
void permit_link_registered(struct permit_link *pl, uint64_t sent_us, const cJSON *ok);
void permit_link_down(struct permit_link *pl);
/** Serves permits.fence. */
void permit_link_hear(struct permit_link *pl, struct rpc_request *req, const cJSON *args);

#endif
