/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_address.h - where a link goes or is awaited, as settings and nodes write it: unix:/path on one
 * machine, tcp://host:port between machines (IPv6 numbers in brackets), lists with commas.
 *
 * Owns:    nothing; a struct link_address is copied freely.
 * Threads: any.
 * Errors:  -ERR_CONFIG says what is wrong with which address.
 */
#ifndef HEARTH_MODEL_LINK_ADDRESS_H
#define HEARTH_MODEL_LINK_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"

#define LINK_PATH_MAX 108 /* of a Unix socket, with the NUL */
#define LINK_HOST_MAX 254 /* of a host's name or number, with the NUL */

struct link_address {
    bool is_tcp;
    char path[LINK_PATH_MAX]; /* of a Unix socket; absolute or not */
    char host[LINK_HOST_MAX]; /* of tcp: a name or a number, without brackets */
    uint16_t port; /* 0: a listener takes any that is free */
};

int link_address_parse(struct str text, struct link_address *ret, struct error *err);
/** Appends "unix:/path" or "tcp://host:port". */
int link_address_write(struct buf *b, const struct link_address *address);
/** Whether the host stands for every address of the machine: 0.0.0.0 or ::. */
bool link_address_is_any(const struct link_address *address);
/** Moves *@list behind its next address, which is @ret, without blanks; false at the end. */
bool link_addresses_next(struct str *list, struct str *ret);
/** Whether one of the addresses in @list is tcp://. */
bool link_addresses_have_tcp(struct str list);

#endif
