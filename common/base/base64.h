/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64.h - standard base64 with padding (RFC 4648 section 4).
 *
 * Threads: any.
 */
#ifndef HEARTH_BASE_BASE64_H
#define HEARTH_BASE_BASE64_H

#include "common/base/buf.h"

/** Appends the encoding of @s; -ERR_TOO_LARGE at the ceiling. */
int base64_encode(struct buf *b, struct str s);
/** Appends the decoding of @s; -ERR_BAD_REQUEST when it is not strict base64, -ERR_TOO_LARGE. */
int base64_decode(struct buf *b, struct str s);

#endif
