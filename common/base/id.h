/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id.h - random identifiers: request ids (UUID version 4) and hexadecimal tokens.
 *
 * Threads: one; the random pool is not shared. Errors: none, aborts without a random source.
 * Source:  RFC 9562 section 5.4.
 */
#ifndef HEARTH_BASE_ID_H
#define HEARTH_BASE_ID_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/str.h"

#define UUID_LEN 36
#define UUID_MAX (UUID_LEN + 1)

/** A random UUID, lower case, with NUL, into @ret (UUID_MAX bytes). Cheap: no system call a call. */
void uuid_make(char *ret);
/** Whether @s has the form of a UUID, any case. */
bool uuid_is_valid(struct str s);
/** @bytes random bytes (at most 64) as hexadecimal with NUL; @ret has room for 2 * @bytes + 1. */
void token_make(size_t bytes, char *ret);

#endif
