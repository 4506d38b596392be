/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_unpack.h - one zip archive of a function or layer into a fresh folder. The archive is foreign:
 * nothing in it makes us write outside of that folder, follow a link, or write more than allowed.
 *
 * Owns:    nothing. Threads: a worker; blocks.
 * Errors:  -ERR_INVALID_ZIP when the archive is to blame, -ERR_SYSTEM. What was written stays.
 * Source:  PKWARE APPNOTE; Lambda quotas: 262,144,000 bytes unpacked.
 */
#ifndef HEARTH_INVOKER_CODE_UNPACK_H
#define HEARTH_INVOKER_CODE_UNPACK_H

#include <stdint.h>

#include "common/base/error.h"

/* Entries of one archive: folders cost inodes but no bytes. */
#define CODE_ENTRIES_MAX 200000u

/**
 * Unpacks @archive below @dir, which exists and is empty. Files become 0644 and keep their execute
 * bits, folders 0755; symbolic links must stay below @dir; set-id bits, owners and device files
 * are never taken over.
 *
 * @size_max   bytes of all files together, counted while they are inflated
 * @ret_bytes  what they came to
 */
int code_unpack(const char *archive, const char *dir, uint64_t size_max, uint64_t *ret_bytes,
                struct error *err);

#endif
