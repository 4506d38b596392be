/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nft.h - the packet filter of one network namespace, by libnftables.
 *
 * A table with `flags owner` belongs to the connection it was made by: it goes with nft_free(), and
 * when this process dies, however it does.
 *
 * Owns:    its connection. Threads: any, one at a time for each struct.
 * Errors:  -ERR_SYSTEM with libnftables' words.
 * Source:  libnftables(3), nft(8).
 */
#ifndef HEARTH_INVOKER_NET_NFT_H
#define HEARTH_INVOKER_NET_NFT_H

#include <stdint.h>

#include "common/base/error.h"

struct nft;

/** In the calling thread's namespace. */
int nft_new(struct nft **ret, struct error *err);
void nft_free(struct nft *nft);
/** Commands as nft(8) reads them, all of them or none. */
int nft_run(struct nft *nft, const char *commands, struct error *err);
/** Packets that a named counter of an inet table has seen. */
int nft_count(struct nft *nft, const char *table, const char *counter, uint64_t *ret,
              struct error *err);

#endif
