/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/model/fn_apply_parts.h"
#include "common/model/fn_source.h"

#define S3 "\"S3Bucket\":\"b\",\"S3Key\":\"k\""
#define NO_SOURCE "Please provide a source for function code."
#define ALONE "Please do not provide other FunctionCode parameters when providing a ZipFile."

static const struct {
    enum fn_package package;
    const char *code;
    const char *created; /* the message; NULL: accepted */
    const char *updated;
} cases[] = {
    {FN_ZIP, "{\"ZipFile\":\"UEs=\"}", NULL, NULL},
    {FN_ZIP, "{" S3 "}", NULL, NULL},
    {FN_ZIP, "{" S3 ",\"S3ObjectStorageMode\":\"COPY\"}", NULL, NULL},
    {FN_ZIP, "{}", NO_SOURCE, NO_SOURCE},
    {FN_ZIP, "{\"S3Bucket\":\"b\"}", NO_SOURCE, NO_SOURCE},
    {FN_ZIP, "{\"ZipFile\":\"\"}", "Uploaded file must be a non-empty zip",
     "Uploaded file must be a non-empty zip"},
    {FN_ZIP, "{\"ZipFile\":\"UEs=\"," S3 "}", ALONE, ALONE},
    {FN_ZIP, "{\"ImageUri\":\"i\"}", NO_SOURCE,
     "Please don't provide ImageUri when updating a function with packageType Zip."},
    {FN_IMAGE, "{\"ImageUri\":\"i\"}", NULL, NULL},
    {FN_IMAGE, "{}", "Please provide ImageUri when creating a function with packageType Image.",
     "Please provide ImageUri when updating a function with packageType Image."},
    {FN_IMAGE, "{\"ZipFile\":\"UEs=\"}",
     "Please provide ImageUri when creating a function with packageType Image.",
     "Please provide ImageUri when updating a function with packageType Image."},
    {FN_IMAGE, "{" S3 "}",
     "Please provide ImageUri when creating a function with packageType Image.",
     "Please provide ImageUri when updating a function with packageType Image."},
};

static void the_source_must_be_of_the_packages_kind(void **state)
{
    size_t i;
    int creating;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++)
        for (creating = 0; creating < 2; creating++) {
            CLEANUP(fn_version_freep) struct fn_version *ver = fn_version_new();
            const char *message = creating ? cases[i].created : cases[i].updated;
            cJSON *code = cJSON_Parse(cases[i].code);
            struct error err;

            ver->package = cases[i].package;
            assert_int_equal(fn_apply_source(code, creating, ver, &err),
                             message ? -ERR_BAD_REQUEST : 0);
            if (message)
                assert_string_equal(err.msg, message);
            cJSON_Delete(code);
        }
}

static void an_object_in_s3_is_told_whole(void **state)
{
    cJSON *code = cJSON_Parse("{" S3 ",\"S3ObjectVersion\":\"v\",\"SourceKMSKeyArn\":\"a\"}");
    struct fn_source source;

    (void)state;
    assert_int_equal(fn_source_read(code, &source, NULL), 0);
    assert_int_equal(source.kind, FN_SOURCE_S3);
    assert_true(str_is(source.s3_bucket, "b"));
    assert_true(str_is(source.s3_key, "k"));
    assert_true(str_is(source.s3_object_version, "v"));
    assert_true(str_is(source.kms_key_arn, "a"));
    cJSON_Delete(code);
}

static void code_is_always_copied(void **state)
{
    cJSON *code = cJSON_Parse("{" S3 ",\"S3ObjectStorageMode\":\"REFERENCE\"}");
    struct fn_source source;
    struct error err;

    (void)state;
    assert_int_equal(fn_source_read(code, &source, &err), -ERR_UNSUPPORTED);
    assert_true(str_starts(str_of(err.msg), STR("S3ObjectStorageMode: ")));
    cJSON_Delete(code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_source_must_be_of_the_packages_kind),
        cmocka_unit_test(an_object_in_s3_is_told_whole),
        cmocka_unit_test(code_is_always_copied),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
