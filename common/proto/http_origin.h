/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_origin.h - the address of an HTTP service, http(s)://host[:port] (RFC 6454), as settings
 * give it.
 *
 * Owns:    nothing; what is returned is the caller's.
 * Threads: any.
 * Errors:  none.
 */
#ifndef HEARTH_PROTO_HTTP_ORIGIN_H
#define HEARTH_PROTO_HTTP_ORIGIN_H

#include <stdbool.h>

#include "common/base/str.h"

/**
 * Whether @text is an origin; one slash may end it. No path, no user, no query. @words: what may
 * also stand in it, as "{region}", NULL-terminated; or NULL.
 */
bool http_origin_is_good(struct str text, const char *const *words);

/**
 * The authority of an origin without a slash at its end, as libcurl sends it in the Host header:
 * without a port that goes without saying. The caller frees it.
 */
char *http_origin_host(struct str origin);

#endif
