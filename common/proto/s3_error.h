/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3_error.h - the body of an answer with which an S3-compatible store refuses:
 * <Error><Code>NoSuchKey</Code><Message>…</Message>…</Error>.
 *
 * A small strict reader: elements, text, entities. No DOCTYPE, comment or CDATA, at most
 * S3_ERROR_BYTES_MAX bytes and S3_ERROR_DEPTH_MAX levels; what it does not need is skipped.
 *
 * Owns:    nothing; a struct s3_error is copied freely.
 * Threads: any.
 * Errors:  -ERR_PROTOCOL for what is no such body.
 * Source:  Amazon S3 API reference, "Error responses"; XML 1.0.
 */
#ifndef HEARTH_PROTO_S3_ERROR_H
#define HEARTH_PROTO_S3_ERROR_H

#include "common/base/error.h"
#include "common/base/str.h"

#define S3_ERROR_BYTES_MAX 65536u
#define S3_ERROR_DEPTH_MAX 8u

/* Printable UTF-8; what is missing is "". */
struct s3_error {
    char code[64]; /* letters, digits and dots; never "" */
    char message[400]; /* cut when it is longer */
    char region[64]; /* of the bucket: when the request went to another one */
    char endpoint[256]; /* that the request should have gone to */
};

int s3_error_parse(struct str xml, struct s3_error *ret, struct error *err);

#endif
