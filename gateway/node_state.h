/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node_state.h - what a node says of itself (`node.state`), read and handed to placement.
 *
 * Owns:    nothing.
 * Threads: loop thread only.
 * Errors:  -ERR_BAD_REQUEST for a word that makes no sense; nothing of it is believed then.
 * Source:  docs/internals/links.md, method `node.state`.
 */
#ifndef HEARTH_GATEWAY_NODE_STATE_H
#define HEARTH_GATEWAY_NODE_STATE_H

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "gateway/placement.h"

int node_state_read(struct place_node *node, const cJSON *args, bool *ret_draining,
                    struct error *err);

#endif
