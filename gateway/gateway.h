/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway.h - the gateway program as one object: the only file behind it that knows all parts.
 *
 * Owns:    all parts.
 * Borrows: loop and configuration.
 * Threads: loop thread only.
 * Errors:  -ERR_CONFIG when it cannot listen or an address is none.
 */
#ifndef HEARTH_GATEWAY_GATEWAY_H
#define HEARTH_GATEWAY_GATEWAY_H

#include "common/io/loop.h"
#include "gateway/gateway_config.h"

struct gateway;

int gateway_new(struct loop *loop, const struct gateway_config *config, struct gateway **ret,
                struct error *err);
/** The port it listens on. */
int gateway_port(const struct gateway *gw);
/** Takes no more connections; loop_stop() when all is answered or the drain time is over. */
void gateway_stop(struct gateway *gw);
/** When the loop has stopped. */
void gateway_free(struct gateway *gw);

#endif
