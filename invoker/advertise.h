/* SPDX-License-Identifier: Apache-2.0 */
/*
 * advertise.h - which of its addresses a node tells gateways.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_CONFIG: it cannot be told from the settings.
 */
#ifndef HEARTH_INVOKER_ADVERTISE_H
#define HEARTH_INVOKER_ADVERTISE_H

#include "common/model/link_address.h"

/**
 * @advertise   what the settings say; "": the first tcp:// address in @listen, else the first one
 * @controllers where the controllers are: when each is behind TCP, the host may be one that stands for
 *              all addresses (link_address_is_any()), to be filled in from the link
 */
int advertise_choose(const char *advertise, const char *listen, const char *controllers,
                     struct link_address *ret, struct error *err);

#endif
