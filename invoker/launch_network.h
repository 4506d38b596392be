/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_network.h - a sandbox gets its link and its function's rules while the loop goes on.
 *
 * Owns:    the work until it is done; what it made, when nobody waits for it any more.
 * Threads: loop thread only; the kernel is asked on a worker thread.
 * Errors:  by the callback.
 */
#ifndef HEARTH_INVOKER_LAUNCH_NETWORK_H
#define HEARTH_INVOKER_LAUNCH_NETWORK_H

#include "invoker/net/network.h"

struct launch_network;

/** @port is the receiver's, NULL with @err. Never called before launch_network_begin() returns. */
typedef void launch_network_fn(struct network_port *port, const struct error *err, void *arg);

/**
 * Attaches the sandbox of @pid unless it has a @port (taken, and given back by @done), then makes
 * @policy hold for it (copied; NULL: none).
 */
struct launch_network *launch_network_begin(struct loop *loop, struct network *network, pid_t pid,
                                            struct network_port *port,
                                            const struct net_policy *policy,
                                            launch_network_fn *done, void *arg);
/** @done is not called any more, and the port goes. NULL is fine. */
void launch_network_cancel(struct launch_network *work);

#endif
