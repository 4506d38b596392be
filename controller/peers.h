/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peers.h - the gateways and invokers that are connected now, and questions to all of them.
 *
 * Owns:    a struct peer for each link, and the link from peers_add() on.
 * Threads: loop thread only; callbacks never run inside a call.
 * Errors:  a peer that does not answer, or with an error, is cut off: it will connect again and
 *          then start from nothing (docs/internals/links.md).
 */
#ifndef HEARTH_CONTROLLER_PEERS_H
#define HEARTH_CONTROLLER_PEERS_H

#include <cjson/cJSON.h>

#include "common/base/list.h"
#include "common/io/rpc.h"

enum peer_role { PEER_GATEWAY, PEER_INVOKER };

struct peer {
    struct list_node node;
    uint64_t number; /* never given twice: to find it again after a wait */
    enum peer_role role;
    struct link *link;
    char id[64]; /* what it calls itself */
    bool registered; /* an invoker that has said node.register */
    bool draining; /* one that takes nothing new */
    struct list_node asks; /* questions that it has not answered */
};

/** Whether it may be asked to make something ready. */
static inline bool peer_takes_work(const struct peer *peer)
{
    return peer->registered && !peer->draining;
}

struct peers;

/** @on_cut is told of a peer that is cut off, before it is freed. */
struct peers *peers_new(struct loop *loop, void (*on_cut)(struct peer *peer, void *arg), void *arg);
/** @fn is told the term of each refusal by a peer that knows of another leader (leader_link.h). */
void peers_on_term(struct peers *peers, void (*fn)(uint64_t term, void *arg), void *arg);
/** Closes all links; questions end with ERR_CLOSED, inside this call. */
void peers_free(struct peers *peers);

struct loop *peers_loop(const struct peers *peers);

/** The link of a new peer. */
struct peer *peers_add(struct peers *peers, struct link *link, enum peer_role role, const char *id);
/** Its link is down: forgets it. */
void peers_remove(struct peers *peers, struct peer *peer);
/** Closes its link and forgets it; its questions end with ERR_CLOSED. */
void peers_cut(struct peers *peers, struct peer *peer, const struct error *why);
/** The peer with @number, or NULL when it has gone. */
struct peer *peers_find(struct peers *peers, uint64_t number);
/** The peer behind @link, or NULL. */
struct peer *peers_by_link(struct peers *peers, const struct link *link);
/** Iterates: @after NULL for the first; NULL at the end. */
struct peer *peers_next(struct peers *peers, const struct peer *after);

/** As rpc_call(), but @done comes also when the link is closed by us. */
void peers_ask(struct peers *peers, struct peer *peer, const char *method, const cJSON *args,
               uint64_t timeout_us, rpc_done_fn *done, void *arg);
/** The same with bytes behind the arguments. */
void peers_ask_with(struct peers *peers, struct peer *peer, const char *method, const cJSON *args,
                    struct str body, uint64_t timeout_us, rpc_done_fn *done, void *arg);

/** Exactly once, when every peer that was asked has answered or has gone. */
typedef void peers_done_fn(void *arg);
/** Asks @method of every peer of @role; @args (borrowed) are the same for all. */
void peers_ask_all(struct peers *peers, enum peer_role role, const char *method, const cJSON *args,
                   uint64_t timeout_us, peers_done_fn *done, void *arg);

#endif
