/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/peers.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"

struct peers {
    struct loop *loop;
    struct list_node all;
    uint64_t last_number;
    void (*on_cut)(struct peer *peer, void *arg);
    void *arg;
    void (*on_term)(uint64_t term, void *arg); /* or NULL */
    void *term_arg;
};

/* A question to one peer. link_free() makes rpc forget its callback, so we keep our own. */
struct ask {
    struct list_node node; /* in peer->asks */
    struct peers *peers;
    rpc_done_fn *done;
    void *arg;
};

/* A question to all. */
struct round {
    struct peers *peers;
    unsigned waiting;
    const char *method; /* static */
    peers_done_fn *done;
    void *arg;
};

/* One answer of a round. */
struct part {
    struct round *round;
    uint64_t number;
};

static const char *role_name(enum peer_role role)
{
    return role == PEER_GATEWAY ? "gateway" : "invoker";
}

struct peers *peers_new(struct loop *loop, void (*on_cut)(struct peer *peer, void *arg), void *arg)
{
    struct peers *peers = calloc(1, sizeof(*peers));

    if (!peers)
        abort();
    peers->loop = loop;
    peers->on_cut = on_cut;
    peers->arg = arg;
    list_init(&peers->all);
    return peers;
}

void peers_on_term(struct peers *peers, void (*fn)(uint64_t term, void *arg), void *arg)
{
    peers->on_term = fn;
    peers->term_arg = arg;
}

static void forget(struct peer *peer)
{
    list_remove(&peer->node);
    free(peer);
}

static void ask_close(void *arg)
{
    struct ask *ask = arg;
    struct error err;

    error_set(&err, ERR_CLOSED, "the link was closed");
    ask->done(NULL, STR_NULL, &err, ask->arg);
    free(ask);
}

void peers_free(struct peers *peers)
{
    struct peer *peer;
    struct ask *ask;

    if (!peers)
        return;
    while ((peer = LIST_FIRST(&peers->all, struct peer, node))) {
        link_free(peer->link);
        while ((ask = LIST_FIRST(&peer->asks, struct ask, node))) {
            list_remove(&ask->node);
            ask_close(ask);
        }
        forget(peer);
    }
    free(peers);
}

struct loop *peers_loop(const struct peers *peers)
{
    return peers->loop;
}

struct peer *peers_add(struct peers *peers, struct link *link, enum peer_role role, const char *id)
{
    struct peer *peer = calloc(1, sizeof(*peer));

    if (!peer)
        abort();
    peer->number = ++peers->last_number;
    peer->role = role;
    peer->link = link;
    snprintf(peer->id, sizeof(peer->id), "%s", id);
    list_init(&peer->asks);
    list_append(&peers->all, &peer->node);
    return peer;
}

/* The end of its questions comes from the loop, as every answer does. */
static void close_asks(struct peers *peers, struct peer *peer)
{
    struct ask *ask;

    while ((ask = LIST_FIRST(&peer->asks, struct ask, node))) {
        list_remove(&ask->node);
        loop_defer(peers->loop, ask_close, ask);
    }
}

void peers_remove(struct peers *peers, struct peer *peer)
{
    close_asks(peers, peer); /* none: the link has ended them */
    forget(peer);
}

void peers_cut(struct peers *peers, struct peer *peer, const struct error *why)
{
    log_warn("peers", "a peer does not do as asked; its link is closed, it will connect again",
             KV_STR("role", role_name(peer->role)), KV_STR("peer", peer->id), KV_ERR(why));
    peers->on_cut(peer, peers->arg);
    link_free(peer->link);
    close_asks(peers, peer);
    forget(peer);
}

struct peer *peers_next(struct peers *peers, const struct peer *after)
{
    struct list_node *n = after ? after->node.next : peers->all.next;

    return n == &peers->all ? NULL : CONTAINER_OF(n, struct peer, node);
}

struct peer *peers_find(struct peers *peers, uint64_t number)
{
    struct peer *peer = NULL;

    while ((peer = peers_next(peers, peer)) && peer->number != number)
        ;
    return peer;
}

struct peer *peers_by_link(struct peers *peers, const struct link *link)
{
    struct peer *peer = NULL;

    while ((peer = peers_next(peers, peer)) && peer->link != link)
        ;
    return link ? peer : NULL;
}

/* "term 7": it knows of a leader with that term. */
static void look_for_term(struct peers *peers, const struct error *err)
{
    struct str text = str_of(err->msg);
    uint64_t term;

    if (err->code == ERR_STALE && str_starts(text, STR("term ")) &&
        str_parse_u64(str_sub(text, 5, text.len), &term) == 0 && peers->on_term)
        peers->on_term(term, peers->term_arg);
}

static void on_ask_answer(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct ask *ask = arg;

    list_remove(&ask->node);
    if (err)
        look_for_term(ask->peers, err);
    ask->done(ok, body, err, ask->arg);
    free(ask);
}

void peers_ask_with(struct peers *peers, struct peer *peer, const char *method, const cJSON *args,
                    struct str body, uint64_t timeout_us, rpc_done_fn *done, void *arg)
{
    struct ask *ask = calloc(1, sizeof(*ask));

    if (!ask)
        abort();
    ask->peers = peers;
    ask->done = done;
    ask->arg = arg;
    list_append(&peer->asks, &ask->node);
    rpc_call(peer->link, method, args, body, timeout_us, on_ask_answer, ask);
}

void peers_ask(struct peers *peers, struct peer *peer, const char *method, const cJSON *args,
               uint64_t timeout_us, rpc_done_fn *done, void *arg)
{
    peers_ask_with(peers, peer, method, args, STR_NULL, timeout_us, done, arg);
}

static void round_end(void *arg)
{
    struct round *round = arg;

    round->done(round->arg);
    free(round);
}

static void on_part(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct part *part = arg;
    struct round *round = part->round;
    struct peer *peer;

    (void)ok;
    (void)body;
    /* ERR_CLOSED: the peer has gone, or all peers are being freed */
    peer = err && err->code != ERR_CLOSED ? peers_find(round->peers, part->number) : NULL;
    if (peer) {
        struct error why = *err;

        error_wrap(&why, 0, "%s", round->method);
        peers_cut(round->peers, peer, &why);
    }
    free(part);
    if (--round->waiting == 0)
        round_end(round);
}

void peers_ask_all(struct peers *peers, enum peer_role role, const char *method, const cJSON *args,
                   uint64_t timeout_us, peers_done_fn *done, void *arg)
{
    struct round *round = calloc(1, sizeof(*round));
    struct peer *peer = NULL;
    struct part *part;

    if (!round)
        abort();
    *round = (struct round){.peers = peers, .method = method, .done = done, .arg = arg};
    while ((peer = peers_next(peers, peer))) {
        if (peer->role != role)
            continue;
        part = calloc(1, sizeof(*part));
        if (!part)
            abort();
        *part = (struct part){round, peer->number};
        round->waiting++;
        peers_ask(peers, peer, method, args, timeout_us, on_part, part);
    }
    if (round->waiting == 0)
        loop_defer(peers->loop, round_end, round);
}
