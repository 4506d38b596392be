/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigv4_sign.h - signs a request of ours with Signature Version 4, in the Authorization header: for
 * S3-compatible stores and other AWS-like services.
 *
 * Owns:    a struct sigv4_signed its texts; sigv4_signed_done() wipes and frees them.
 * Threads: any.
 * Errors:  -ERR_HALF_SIGNED for a path or query with malformed escapes.
 * Source:  as sigv4.h.
 */
#ifndef HEARTH_PROTO_SIGV4_SIGN_H
#define HEARTH_PROTO_SIGV4_SIGN_H

#include "common/proto/sigv4.h"

struct sigv4_credentials {
    struct str access_key, secret;
    struct str token; /* of a session; a NULL ptr: none */
};

struct sigv4_signed {
    /* to be added to the request: x-amz-date, x-amz-content-sha256, authorization and, with a
     * token, x-amz-security-token */
    struct sigv4_header headers[4];
    size_t count;
    char *text; /* what they point to */
    size_t text_len;
};

/**
 * @req      its headers are signed as they are, but for those that change on the way; `host` must
 *           be among them, the headers that we add must not
 * @service  "s3" and the like
 * @now_s    Unix time
 */
int sigv4_sign(const struct sigv4_request *req, const struct sigv4_credentials *credentials,
               struct str region, struct str service, uint64_t now_s, struct sigv4_signed *ret,
               struct error *err);
void sigv4_signed_done(struct sigv4_signed *s);

#endif
