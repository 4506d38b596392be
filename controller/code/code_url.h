/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_url.h - the link to an archive in GetFunction's Code.Location: signed, good for ten minutes.
 *
 * /_hearth/v1/code/<sha256>.zip?expires=<Unix seconds>&signature=<hex>; who has it may read the
 * archive, nobody can make one. The gateway hands its three parts to `code.download`.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -ERR_ACCESS_DENIED.
 * Source:  RFC 2104 (HMAC).
 */
#ifndef HEARTH_CONTROLLER_CODE_CODE_URL_H
#define HEARTH_CONTROLLER_CODE_CODE_URL_H

#include "common/proto/seal.h"

#define CODE_URL_S 600u

/** @endpoint ("http://host:port") and the path for @sha256, from @now_s on; the caller frees it. */
char *code_url_new(const struct seal_key *key, const char *endpoint, const char *sha256,
                   uint64_t now_s);
/** Whether @signature belongs to @sha256 and @expires_s, and the time is not over. */
int code_url_check(const struct seal_key *key, struct str sha256, uint64_t expires_s,
                   struct str signature, uint64_t now_s, struct error *err);

#endif
