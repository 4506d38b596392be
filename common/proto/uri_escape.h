/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uri_escape.h - percent escapes, as AWS wants them: everything but letters, digits and "-._~" is
 * %XX with upper-case digits.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST for a '%' without two hex digits; -ERR_TOO_LARGE beyond the buf's
 *          ceiling. What was appended before stays only on success.
 * Source:  RFC 3986 section 2.1; Signature Version 4, "UriEncode".
 */
#ifndef HEARTH_PROTO_URI_ESCAPE_H
#define HEARTH_PROTO_URI_ESCAPE_H

#include "common/base/buf.h"
#include "common/base/error.h"

/** Appends @text escaped; @keep_slash leaves '/' as it is. */
int uri_escape(struct buf *b, struct str text, bool keep_slash);
/** Appends @text with %XX decoded (any bytes, NUL too); @plus_is_blank: as forms have it. */
int uri_unescape(struct buf *b, struct str text, bool plus_is_blank);

#endif
