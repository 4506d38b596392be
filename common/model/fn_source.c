/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/fn_source.h"

#include "common/model/lambda_input.h"

static struct str none_if_empty(struct str s)
{
    return s.len > 0 ? s : STR_NULL;
}

/* An archive in the request comes alone. */
static int check_zip(const struct fn_source *source, struct error *err)
{
    if (source->s3_bucket.ptr || source->s3_key.ptr || source->s3_object_version.ptr ||
        source->image_uri.ptr)
        return error_set(err, ERR_BAD_REQUEST,
                         "Please do not provide other FunctionCode parameters when providing a "
                         "ZipFile.");
    if (source->zip_base64.len == 0)
        return error_set(err, ERR_BAD_REQUEST, "Uploaded file must be a non-empty zip");
    return 0;
}

int fn_source_read(const cJSON *code, struct fn_source *ret, struct error *err)
{
    struct fn_source source = {
        .kind = FN_SOURCE_NONE,
        .zip_base64 = cjson_str(code, "ZipFile"),
        .s3_bucket = none_if_empty(cjson_str(code, "S3Bucket")),
        .s3_key = none_if_empty(cjson_str(code, "S3Key")),
        .s3_object_version = none_if_empty(cjson_str(code, "S3ObjectVersion")),
        .image_uri = none_if_empty(cjson_str(code, "ImageUri")),
        .kms_key_arn = none_if_empty(cjson_str(code, "SourceKMSKeyArn")),
    };
    int r;

    if (str_is(cjson_str(code, "S3ObjectStorageMode"), "REFERENCE"))
        return error_set(err, ERR_UNSUPPORTED,
                         "S3ObjectStorageMode: Hearth keeps a copy of the code; leave it out or "
                         "give COPY.");
    if (source.zip_base64.ptr) {
        r = check_zip(&source, err);
        if (r < 0)
            return r;
        source.kind = FN_SOURCE_ZIP;
    } else if (source.s3_bucket.ptr && source.s3_key.ptr) {
        source.kind = FN_SOURCE_S3;
    } else if (source.image_uri.ptr) {
        source.kind = FN_SOURCE_IMAGE;
    }
    *ret = source;
    return 0;
}
