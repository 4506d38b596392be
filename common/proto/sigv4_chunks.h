/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sigv4_chunks.h - a body in signed chunks (aws-chunked, x-amz-content-sha256: STREAMING-…): each
 * chunk's signature covers its bytes and the signature before it; the first one follows the
 * request's own.
 *
 *      400;chunk-signature=<64 hex>\r\n <1024 bytes> \r\n … 0;chunk-signature=<64 hex>\r\n \r\n
 *
 * The trailer forms end in header lines (`x-amz-checksum-crc32:…`), signed as a whole by
 * x-amz-trailer-signature unless the payload is unsigned. Checksums in trailers are not computed
 * again: where there is a signature it proves the bytes.
 *
 * Threads: any.
 * Errors:  -ERR_HALF_SIGNED (malformed), -ERR_BAD_SIGNATURE.
 * Source:  Amazon S3 API reference, "Signature calculations: transfer payload in multiple chunks".
 */
#ifndef HEARTH_PROTO_SIGV4_CHUNKS_H
#define HEARTH_PROTO_SIGV4_CHUNKS_H

#include "common/proto/sigv4.h"

/**
 * Decodes in place: what stands at @body afterwards is the payload, *@len its length. After a
 * failure the bytes are good for nothing.
 *
 * @auth  of the request, verified; sigv4_is_chunked()
 */
int sigv4_chunks_decode(const struct sigv4_auth *auth, const unsigned char key[SHA256_BYTES],
                        char *body, size_t *len, struct error *err);

#endif
