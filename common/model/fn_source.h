/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_source.h - where a request's code is to come from: an archive in the request, an object in S3,
 * or an image.
 *
 * Owns:    nothing; a struct fn_source borrows from the request it was read from.
 * Threads: any.
 * Errors:  -ERR_BAD_REQUEST with AWS's words; -ERR_UNSUPPORTED for S3ObjectStorageMode REFERENCE.
 * Source:  Lambda API reference, FunctionCode, UpdateFunctionCode.
 */
#ifndef HEARTH_MODEL_FN_SOURCE_H
#define HEARTH_MODEL_FN_SOURCE_H

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "common/base/str.h"

enum fn_source_kind {
    FN_SOURCE_NONE, /* the request names none */
    FN_SOURCE_ZIP,
    FN_SOURCE_S3,
    FN_SOURCE_IMAGE,
};

struct fn_source {
    enum fn_source_kind kind;
    struct str zip_base64; /* FN_SOURCE_ZIP */
    struct str s3_bucket; /* FN_SOURCE_S3 */
    struct str s3_key;
    struct str s3_object_version; /* ptr NULL: the latest */
    struct str image_uri; /* FN_SOURCE_IMAGE */
    struct str kms_key_arn; /* SourceKMSKeyArn; ptr NULL when there is none */
};

/** Reads @code: Code of CreateFunction, or the whole input of UpdateFunctionCode. */
int fn_source_read(const cJSON *code, struct fn_source *ret, struct error *err);

#endif
