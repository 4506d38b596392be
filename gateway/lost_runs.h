/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lost_runs.h - invocations that nobody hears of any more, since the link to their node broke or it did
 * not answer in time. Their permits stay in use until the node, over a link that is up, says that it does
 * not run them (`runs.alive`, asked again with growing pauses), or until the node has left the
 * controller's list: by then it must have ended everything.
 *
 * Owns:    the runs and their permits.
 * Borrows: nodes and leases; both outlive it, the nodes' links need not.
 * Threads: loop thread only.
 * Errors:  a node that does not answer is asked again; nothing is freed by that.
 * Wire:    docs/internals/links.md, runs.alive.
 */
#ifndef HEARTH_GATEWAY_LOST_RUNS_H
#define HEARTH_GATEWAY_LOST_RUNS_H

#include "gateway/leases.h"
#include "gateway/nodes.h"

#define LOST_RETRY_MIN_US MSEC(50)
#define LOST_RETRY_MAX_US SECONDS(1)

struct lost_runs;

struct lost_runs *lost_runs_new(struct loop *loop, struct nodes *nodes, struct leases *leases);
/** When the loop has stopped; gives the permits back. NULL is fine. */
void lost_runs_free(struct lost_runs *lost);
/** Takes over @permit of the run @request_id at @node; one that is not held any more is nothing to do. */
void lost_runs_add(struct lost_runs *lost, struct node *node, const char *request_id,
                   struct permit *permit);
/** A node is up, or the list of them is another one: looks again, at once. */
void lost_runs_kick(struct lost_runs *lost);
/** How many are lost. */
size_t lost_runs_len(const struct lost_runs *lost);

#endif
