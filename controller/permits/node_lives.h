/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_lives.h - which invokers there are, or may still be: what each was told and has told, and when one
 * that is silent has surely ended all that it ran.
 *
 * An invoker ends everything by itself when nobody has answered its node.alive for the fence time. So a
 * node is surely dead a tenth later than that after it was last heard, by our clock; or when its id
 * comes back with another incarnation, which it does only after what ran before has ended. While
 * its link is up it is never taken for dead.
 *
 * Owns:    the nodes. Times are the caller's, microseconds; one of a sign of life is read after it came: that of
 *          the loop may be older.
 * Threads: one at a time.
 */
#ifndef HEARTH_CONTROLLER_PERMITS_NODE_LIVES_H
#define HEARTH_CONTROLLER_PERMITS_NODE_LIVES_H

#include "common/base/list.h"
#include "controller/permits/permit_wire.h"

struct node_life {
    struct list_node node;
    char *id;
    char *incarnation; /* "": an earlier leader has known it, it has not registered here */
    uint64_t peer; /* number of its link; 0: it has none */
    uint64_t heard_us;
    bool has_left; /* it said itself that nothing runs at it any more */

    /* fences.c */
    uint64_t told; /* number of the newest list that it has answered; 0: none */
    uint64_t told_seq; /* of its orphans in that answer */
    bool is_asked;
    uint64_t again_us; /* after an error it is not asked again before that; 0: there was none */

    /* orphans.c */
    struct permit_orphans orphans; /* as it told them last */
    struct permit_orphans written; /* as the ledger has them */
    bool is_written; /* the ledger has what it told last */
    bool is_writing;
};

struct node_lives {
    struct list_node all;
    uint64_t fence_us;
};

void node_lives_init(struct node_lives *lives, uint64_t fence_us);
void node_lives_done(struct node_lives *lives);
struct node_life *node_lives_find(const struct node_lives *lives, struct str id);
/** The node registers over link @peer; another incarnation of it begins with nothing told. */
struct node_life *node_lives_here(struct node_lives *lives, struct str id, struct str incarnation,
                                  uint64_t peer, uint64_t now_us);
/** An earlier leader has known it: it may run something, and counts as heard now. Known ones stay. */
struct node_life *node_lives_listed(struct node_lives *lives, struct str id, uint64_t now_us);
/** Something came over link @peer; NULL: it is no registered node's. */
struct node_life *node_lives_heard(struct node_lives *lives, uint64_t peer, uint64_t now_us);
/** Link @peer is lost: that is no sign of life. */
void node_lives_lost(struct node_lives *lives, uint64_t peer);
/** Whether nothing that it ran before can run any more. */
bool node_life_is_dead(const struct node_lives *lives, const struct node_life *node,
                       uint64_t now_us);
/** Microseconds until the next node will be dead; UINT64_MAX: none is about to be. */
uint64_t node_lives_next_us(const struct node_lives *lives, uint64_t now_us);
/** The node behind link @peer says that nothing runs at it any more, and takes nothing: it is dead at once. */
void node_lives_left(struct node_lives *lives, uint64_t peer);
/** Another leader may have heard and told them: all count as heard now, and as told nothing. */
void node_lives_anew(struct node_lives *lives, uint64_t now_us);
/** How many have a link. */
unsigned node_lives_count(const struct node_lives *lives);
void node_life_remove(struct node_life *node);

#endif
