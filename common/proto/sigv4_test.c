/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/proto/sigv4_chunks.h"
#include "common/proto/sigv4_sign.h"

#define SECRET STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
#define TIME "20150830T123600Z"
#define TIME_S 1440938160u
#define CREDENTIAL "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
#define TOKEN                                                                                      \
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSP" \
    "fIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT" \
    "7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlz" \
    "m8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
#define ALPHABET "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* The cases of AWS's own test suite for Signature Version 4. */
static const struct {
    const char *name, *method, *path, *query;
    struct {
        const char *name, *value;
    } headers[5];
    const char *body, *signed_headers, *signature;
} cases[] = {
    {"get-vanilla", "GET", "/", "", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-empty-query-key", "GET", "/", "Param1=value1", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query-order-key-case", "GET", "/", "Param2=value2&Param1=value1", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-order-key", "GET", "/", "Param1=value2&Param1=Value1", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"},
    {"get-vanilla-query-order-value", "GET", "/", "Param1=value2&Param1=value1", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
    {"get-vanilla-query-unreserved", "GET", "/", "-._~" ALPHABET "=-._~" ALPHABET, {{NULL, NULL}}, "",
     "host;x-amz-date",
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-utf8-query", "GET", "/", "%E1%88%B4=bar", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-utf8", "GET", "/\xe1\x88\xb4", "", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-unreserved", "GET", "/-._~" ALPHABET, "", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-relative", "GET", "/example/..", "", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-relative-relative", "GET", "/example1/example2/../..", "", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash", "GET", "//", "", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-dot-slash", "GET", "/./", "", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-pointless-dot", "GET", "/./example", "", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {"get-slashes", "GET", "//example//", "", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"get-space", "GET", "/example space/", "", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"get-header-key-duplicate", "GET", "/", "", {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}}, "",
     "host;my-header1;x-amz-date",
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-multiline", "GET", "/", "", {{"My-Header1", "value1\n  value2\n     value3"}}, "",
     "host;my-header1;x-amz-date",
     "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd"},
    {"get-header-value-order", "GET", "/", "", {{"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"}, {"My-Header1", "value2"}}, "",
     "host;my-header1;x-amz-date",
     "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"get-header-value-trim", "GET", "/", "", {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}, "",
     "host;my-header1;my-header2;x-amz-date",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"post-vanilla", "POST", "/", "", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-vanilla-query", "POST", "/", "Param1=value1", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-header-key-case", "POST", "/", "", {{NULL, NULL}}, "",
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-header-key-sort", "POST", "/", "", {{"My-Header1", "value1"}}, "",
     "host;my-header1;x-amz-date",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-header-value-case", "POST", "/", "", {{"My-Header1", "VALUE1"}}, "",
     "host;my-header1;x-amz-date",
     "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {"post-x-www-form-urlencoded", "POST", "/", "", {{"Content-Type", "application/x-www-form-urlencoded"}}, "Param1=value1",
     "content-type;host;x-amz-date",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {"post-x-www-form-urlencoded-parameters", "POST", "/", "", {{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}}, "Param1=value1",
     "content-type;host;x-amz-date",
     "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
    {"post-sts-header-before", "POST", "/", "", {{"X-Amz-Security-Token", TOKEN}}, "",
     "host;x-amz-date;x-amz-security-token",
     "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
};

struct fixture {
    struct sigv4_header headers[8];
    struct sigv4_request req;
    struct sigv4_auth auth;
    struct sigv4_space space;
    unsigned char key[SHA256_BYTES];
    struct error err;
};

/* A request signed in its header. */
static void fixture_init(struct fixture *f, const char *authorization)
{
    memset(f, 0, sizeof(*f));
    sigv4_space_init(&f->space);
    f->req = (struct sigv4_request){.method = STR("GET"), .path = STR("/"), .headers = f->headers};
    f->headers[0] = (struct sigv4_header){STR("Host"), STR("example.amazonaws.com")};
    f->headers[1] = (struct sigv4_header){STR("X-Amz-Date"), STR(TIME)};
    f->headers[2] = (struct sigv4_header){STR("Authorization"), str_of(authorization)};
    f->req.header_count = 3;
}

static int verify(struct fixture *f, struct str secret)
{
    int r = sigv4_read(&f->req, &f->auth, &f->err);

    if (r < 0)
        return r;
    sigv4_signing_key(secret, &f->auth.scope, f->key);
    return sigv4_verify(&f->req, &f->auth, f->key, &f->space, &f->err);
}

static void the_cases_of_the_test_suite_verify(void **state)
{
    struct fixture f;
    size_t i, k;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(freep)
        char *authorization = str_printf("AWS4-HMAC-SHA256 Credential=" CREDENTIAL
                                         ", SignedHeaders=%s, Signature=%s",
                                         cases[i].signed_headers, cases[i].signature);

        fixture_init(&f, authorization);
        f.req.method = str_of(cases[i].method);
        f.req.path = str_of(cases[i].path);
        f.req.query = str_of(cases[i].query);
        f.req.body = str_of(cases[i].body);
        for (k = 0; cases[i].headers[k].name; k++)
            f.headers[f.req.header_count++] = (struct sigv4_header){
                str_of(cases[i].headers[k].name), str_of(cases[i].headers[k].value)};
        if (verify(&f, SECRET) < 0)
            fail_msg("%s: %s\n%.*s", cases[i].name, f.err.msg, STR_ARG(buf_str(&f.space.canonical)));
        assert_int_equal(verify(&f, STR("another secret")), -ERR_BAD_SIGNATURE);
        f.req.body = STR("another body");
        assert_int_equal(verify(&f, SECRET), -ERR_BAD_SIGNATURE);
        sigv4_space_done(&f.space);
    }
}

static void the_canonical_request_is_the_documented_one(void **state)
{
    struct fixture f;
    struct str payload;
    char hex[SHA256_HEX_MAX];

    (void)state;
    fixture_init(&f, "AWS4-HMAC-SHA256 Credential=" CREDENTIAL ", SignedHeaders=host;x-amz-date;x-n, "
                     "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    f.req.path = STR("/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Aa/./b//");
    f.req.query = STR("b=%2f&a&a-=2&a=%7e+%2B&&b=1");
    f.headers[f.req.header_count++] = (struct sigv4_header){STR("X-N"), STR("  a \t b")};
    f.headers[f.req.header_count++] = (struct sigv4_header){STR("x-n"), STR("")};
    assert_int_equal(sigv4_read(&f.req, &f.auth, &f.err), 0);
    assert_int_equal(f.auth.time_s, TIME_S);
    assert_int_equal(sigv4_payload(&f.req, &f.auth, hex, &payload, &f.err), 0);
    assert_int_equal(sigv4_canonical(&f.req, &f.auth, payload, &f.space, &f.err), 0);
    buf_append_char(&f.space.canonical, '\0');
    assert_string_equal(
        f.space.canonical.ptr,
        "GET\n"
        "/2015-03-31/functions/arn%253Aaws%253Alambda%253Aus-east-1%253A1%253Afunction%253Aa/b/\n"
        "a=&a=~%20%2B&a-=2&b=%2F&b=1\n"
        "host:example.amazonaws.com\nx-amz-date:" TIME "\nx-n:a b,\n\n"
        "host;x-amz-date;x-n\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sigv4_space_done(&f.space);
}

static void malformed_escapes_in_the_query_are_refused(void **state)
{
    static const char *const queries[] = {"a=1&b=%&c=3", "a=1&%zz=1&c=3", "a=%4"};
    struct fixture f;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(queries); i++) {
        fixture_init(&f, "AWS4-HMAC-SHA256 Credential=" CREDENTIAL ", SignedHeaders=host, Signature="
                         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        f.req.query = str_of(queries[i]);
        assert_int_equal(verify(&f, SECRET), -ERR_HALF_SIGNED);
        assert_string_equal(f.err.msg, "The URL holds malformed escapes.");
        sigv4_space_done(&f.space);
    }
}

static void malformed_signatures_are_told_apart(void **state)
{
#define SIGNED_HEADERS ", SignedHeaders=host"
#define SIGNATURE ", Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    static const struct {
        const char *authorization;
        int r;
        const char *part;
    } bad[] = {
        {"Bearer abc", -ERR_HALF_SIGNED, "Unsupported AWS 'algorithm'"},
        {"AWS4-HMAC-SHA256", -ERR_HALF_SIGNED,
         "Authorization header requires 'Credential' parameter. Authorization header requires "
         "'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. (Hashed "
         "with SHA-256 and encoded with Base64) Authorization="},
        {"AWS4-HMAC-SHA256 Credential", -ERR_HALF_SIGNED, "(missing equal-sign)"},
        {"AWS4-HMAC-SHA256 Credential=a/b/c/d" SIGNED_HEADERS SIGNATURE, -ERR_HALF_SIGNED,
         "Credential must have exactly 5 slash-delimited elements"},
        {"AWS4-HMAC-SHA256 Credential=a/20150830/c/d/aws4_request/" SIGNED_HEADERS SIGNATURE,
         -ERR_HALF_SIGNED, "Credential must have exactly 5 slash-delimited elements"},
        {"AWS4-HMAC-SHA256 Credential=a/20150830/c/d/aws3_request" SIGNED_HEADERS SIGNATURE,
         -ERR_HALF_SIGNED, "Credential must have exactly 5"},
        {"AWS4-HMAC-SHA256 Credential=a/20150831/c/d/aws4_request" SIGNED_HEADERS SIGNATURE,
         -ERR_BAD_SIGNATURE,
         "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
         "'20150831' != '20150830', from '20150830T123600Z'."},
        {"AWS4-HMAC-SHA256 Credential=" CREDENTIAL ", SignedHeaders=x-amz-date" SIGNATURE,
         -ERR_BAD_SIGNATURE, "'Host' must be a 'SignedHeader' in the AWS Authorization."},
        {"AWS4-HMAC-SHA256 Credential=" CREDENTIAL ", SignedHeaders=Host" SIGNATURE,
         -ERR_HALF_SIGNED, "lower case"},
        {"AWS4-HMAC-SHA256 Credential=" CREDENTIAL SIGNED_HEADERS ", Signature=5fa0",
         -ERR_BAD_SIGNATURE, "does not match the signature you provided"},
    };
    struct fixture f;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(bad); i++) {
        fixture_init(&f, bad[i].authorization);
        assert_int_equal(verify(&f, SECRET), bad[i].r);
        if (!strstr(f.err.msg, bad[i].part))
            fail_msg("%s", f.err.msg);
        sigv4_space_done(&f.space);
    }
    fixture_init(&f, "");
    f.req.header_count = 2;
    assert_int_equal(verify(&f, SECRET), -ERR_NO_TOKEN);
    assert_string_equal(f.err.msg, "Missing Authentication Token");
}

static void dates_are_read_in_both_forms(void **state)
{
    static const struct {
        const char *name, *value;
        bool fine;
    } dates[] = {
        {"x-amz-date", "20150830T123600Z", true},  {"date", "20150830T123600Z", true},
        {"date", "Sun, 30 Aug 2015 12:36:00 GMT", true},
        {"date", "Sun, 30 Xxx 2015 12:36:00 GMT", false},
        {"x-amz-date", "20150830T126000Z", false}, {"x-amz-date", "20150832T123600Z", false},
        {"x-amz-date", "2015-08-30T12:36Z", false}, {"x-amz-date", "1440938160", false},
    };
    struct fixture f;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(dates); i++) {
        fixture_init(&f, "AWS4-HMAC-SHA256 Credential=" CREDENTIAL SIGNED_HEADERS SIGNATURE);
        f.headers[1] = (struct sigv4_header){str_of(dates[i].name), str_of(dates[i].value)};
        assert_int_equal(sigv4_read(&f.req, &f.auth, &f.err), dates[i].fine ? 0 : -ERR_HALF_SIGNED);
        if (dates[i].fine)
            assert_string_equal(f.auth.time, TIME);
    }
}

static void clocks_may_differ_by_fifteen_minutes(void **state)
{
    static const struct {
        int64_t offset;
        bool has_expires;
        uint64_t expires_s;
        const char *said;
    } times[] = {
        {0, false, 0, NULL},
        {900, false, 0, NULL},
        {-900, false, 0, NULL},
        {901, false, 0,
         "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z "
         "- 15 min.)"},
        {-901, false, 0,
         "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z "
         "(20150830T122059Z + 15 min.)"},
        {3600, true, 3600, NULL},
        {3601, true, 3600,
         "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T133601Z "
         "- 60 min.)"},
        {8, true, 7,
         "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T123608Z "
         "- 7 sec.)"},
    };
    struct sigv4_auth auth = {.time = TIME, .time_s = TIME_S};
    struct error err;
    size_t i;
    int r;

    (void)state;
    for (i = 0; i < ARRAY_LEN(times); i++) {
        auth.has_expires = times[i].has_expires;
        auth.expires_s = times[i].expires_s;
        r = sigv4_check_time(&auth, (uint64_t)(TIME_S + times[i].offset), &err);
        assert_int_equal(r, times[i].said ? -ERR_BAD_SIGNATURE : 0);
        if (times[i].said)
            assert_string_equal(err.msg, times[i].said);
    }
}

/* S3's documentation: "Authenticating requests: using query parameters". */
#define S3_SECRET STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
#define PRESIGNED                                                                                  \
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"         \
    "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"               \
    "X-Amz-SignedHeaders=host"
#define PRESIGNED_SIGNATURE                                                                        \
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"

static void a_presigned_url_verifies(void **state)
{
    struct sigv4_header host = {STR("host"), STR("examplebucket.s3.amazonaws.com")};
    struct fixture f;

    (void)state;
    fixture_init(&f, "");
    f.req = (struct sigv4_request){STR("GET"), STR("/test.txt"), STR(PRESIGNED PRESIGNED_SIGNATURE),
                                   &host, 1, STR_NULL};
    assert_int_equal(verify(&f, S3_SECRET), 0);
    assert_true(f.auth.in_query);
    assert_int_equal(f.auth.expires_s, 86400);
    assert_true(str_is(f.auth.scope.access_key, "AKIAIOSFODNN7EXAMPLE"));
    f.req.path = STR("/other.txt");
    assert_int_equal(verify(&f, S3_SECRET), -ERR_BAD_SIGNATURE);
    f.req.query = STR("X-Amz-Signature=1&X-Amz-Algorithm=AWS4-HMAC-SHA256");
    assert_int_equal(verify(&f, S3_SECRET), -ERR_HALF_SIGNED);
    assert_string_equal(f.err.msg,
                        "AWS query-string parameters must include 'X-Amz-Credential'. AWS "
                        "query-string parameters must include 'X-Amz-SignedHeaders'. AWS "
                        "query-string parameters must include 'X-Amz-Date'. Re-examine the "
                        "query-string parameters.");
    sigv4_space_done(&f.space);
}

static void a_request_is_signed_in_one_way_only(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f, "AWS4-HMAC-SHA256 Credential=" CREDENTIAL SIGNED_HEADERS SIGNATURE);
    f.req.query = STR(PRESIGNED PRESIGNED_SIGNATURE);
    assert_int_equal(verify(&f, SECRET), -ERR_HALF_SIGNED);
}

static void a_payload_is_what_its_header_says(void **state)
{
    struct sigv4_auth auth = {.payload = STR("UNSIGNED-PAYLOAD"), .scope.service = STR("lambda")};
    struct sigv4_request req = {.body = STR("abc")};
    char hex[SHA256_HEX_MAX];
    struct str payload;

    (void)state;
    assert_int_equal(sigv4_payload(&req, &auth, hex, &payload, NULL), 0);
    assert_true(str_is(payload, "UNSIGNED-PAYLOAD"));
    auth.payload = STR("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(sigv4_payload(&req, &auth, hex, &payload, NULL), 0);
    req.body = STR("abd");
    assert_int_equal(sigv4_payload(&req, &auth, hex, &payload, NULL), -ERR_BAD_SIGNATURE);
    auth.payload = STR("STREAMING-SOMETHING-ELSE");
    assert_int_equal(sigv4_payload(&req, &auth, hex, &payload, NULL), -ERR_BAD_SIGNATURE);
    auth.payload = STR_NULL;
    assert_int_equal(sigv4_payload(&req, &auth, hex, &payload, NULL), 0);
    assert_int_equal(payload.len, 64);
}

static void the_scope_is_read_from_whatever_looks_signed(void **state)
{
    static const char *const texts[] = {
        "AWS4-HMAC-SHA256 Credential=" CREDENTIAL,
        "AWS4-HMAC-SHA256 SignedHeaders=;host,Credential=" CREDENTIAL ", Signature=x",
    };
    char space[SIGV4_QUERY_VALUES_MAX];
    struct sigv4_scope scope;
    struct fixture f;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(texts); i++) {
        fixture_init(&f, texts[i]);
        assert_true(sigv4_read_scope(&f.req, space, &scope));
        assert_true(str_is(scope.service, "service"));
        assert_true(str_is(scope.access_key, "AKIDEXAMPLE"));
    }
    fixture_init(&f, "Basic abc");
    assert_false(sigv4_read_scope(&f.req, space, &scope));
    f.req.header_count = 2;
    assert_false(sigv4_read_scope(&f.req, space, &scope));
    f.req.query = STR(PRESIGNED);
    assert_true(sigv4_read_scope(&f.req, space, &scope));
    assert_true(str_is(scope.service, "s3"));
}

static void what_is_signed_here_verifies(void **state)
{
    static const struct sigv4_credentials credentials = {STR("AKIDEXAMPLE"), STR("secret"),
                                                         STR("a/token==")};
    static const char *const services[] = {"s3", "lambda"};
    struct sigv4_signed s;
    struct fixture f;
    size_t i, k;

    (void)state;
    for (i = 0; i < ARRAY_LEN(services); i++) {
        fixture_init(&f, "");
        f.headers[1] = (struct sigv4_header){STR("User-Agent"), STR("changes")};
        f.headers[2] = (struct sigv4_header){STR("Range"), STR("bytes=0-9")};
        f.req.path = STR("/bucket/a%20key/../%C3%BC");
        f.req.query = STR("versionId=1%2F2&acl");
        assert_int_equal(sigv4_sign(&f.req, &credentials, STR("eu-west-1"), str_of(services[i]),
                                    TIME_S, &s, NULL),
                         0);
        assert_int_equal(s.count, 4);
        f.headers[1].value = STR("has changed");
        for (k = 0; k < s.count; k++)
            f.headers[f.req.header_count++] = s.headers[k];
        assert_int_equal(verify(&f, STR("secret")), 0);
        assert_true(str_is(f.auth.signed_headers,
                           "host;range;x-amz-content-sha256;x-amz-date;x-amz-security-token"));
        assert_true(str_is(f.auth.token, "a/token=="));
        f.headers[2].value = STR("bytes=0-10");
        assert_int_equal(verify(&f, STR("secret")), -ERR_BAD_SIGNATURE);
        sigv4_signed_done(&s);
        sigv4_space_done(&f.space);
    }
}

/* ---- chunks: S3's documentation, "Transfer payload in multiple chunks" */

#define SEED "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
#define CHUNK_1 "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"
#define CHUNK_2 "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"
#define CHUNK_3 "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"
#define T_SEED "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
#define T_CHUNK_1 "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"
#define T_CHUNK_2 "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"
#define T_CHUNK_3 "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"
#define T_TRAILER "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"

static void chunk(struct buf *b, size_t size, const char *signature)
{
    size_t i;

    buf_printf(b, "%zx", size);
    if (signature)
        buf_printf(b, ";chunk-signature=%s", signature);
    buf_printf(b, "\r\n");
    for (i = 0; i < size; i++)
        buf_append_char(b, 'a');
    if (size)
        buf_printf(b, "\r\n");
}

static void chunked_auth(struct sigv4_auth *auth, const char *kind, const char *seed,
                         unsigned char key[SHA256_BYTES])
{
    memset(auth, 0, sizeof(*auth));
    snprintf(auth->time, sizeof(auth->time), "20130524T000000Z");
    auth->scope = (struct sigv4_scope){STR("AKIAIOSFODNN7EXAMPLE"), STR("20130524"),
                                       STR("us-east-1"), STR("s3")};
    auth->payload = str_of(kind);
    auth->signature = str_of(seed);
    sigv4_signing_key(S3_SECRET, &auth->scope, key);
    assert_true(sigv4_is_chunked(auth));
}

static void signed_chunks_are_those_of_the_documentation(void **state)
{
    CLEANUP(buf_done) struct buf whole = BUF_INIT(1 << 20);
    unsigned char key[SHA256_BYTES];
    struct sigv4_auth auth;
    struct error err;
    size_t i, len;

    (void)state;
    chunked_auth(&auth, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", SEED, key);
    chunk(&whole, 65536, CHUNK_1);
    chunk(&whole, 1024, CHUNK_2);
    chunk(&whole, 0, CHUNK_3);
    buf_printf(&whole, "\r\n");
    assert_int_equal(whole.len, 66824);
    for (i = 0; i < 66824; i += i < 200 ? 1 : 977) { /* any changed byte breaks it */
        CLEANUP(buf_done) struct buf b = BUF_INIT(1 << 20);

        buf_append_str(&b, buf_str(&whole));
        b.ptr[i] ^= 1;
        len = b.len;
        assert_true(sigv4_chunks_decode(&auth, key, b.ptr, &len, &err) < 0);
    }
    len = whole.len;
    assert_int_equal(sigv4_chunks_decode(&auth, key, whole.ptr, &len, &err), 0);
    assert_int_equal(len, 66560);
    for (i = 0; i < len; i++)
        assert_int_equal(whole.ptr[i], 'a');
}

static void signed_trailers_are_those_of_the_documentation(void **state)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(1 << 20);
    unsigned char key[SHA256_BYTES];
    struct sigv4_auth auth;
    struct error err;
    size_t len;

    (void)state;
    chunked_auth(&auth, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", T_SEED, key);
    chunk(&b, 65536, T_CHUNK_1);
    chunk(&b, 1024, T_CHUNK_2);
    chunk(&b, 0, T_CHUNK_3);
    buf_printf(&b, "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:" T_TRAILER "\r\n\r\n");
    len = b.len;
    if (sigv4_chunks_decode(&auth, key, b.ptr, &len, &err) < 0)
        fail_msg("%s", err.msg);
    assert_int_equal(len, 66560);
}

static void unsigned_chunks_are_decoded(void **state)
{
    static const struct {
        const char *body, *payload; /* NULL: malformed */
    } bodies[] = {
        {"3\r\nabc\r\nA\r\n0123456789\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n", "abc0123456789"},
        {"0\r\n\r\n", ""},
        {"0\r\n", NULL},
        {"", NULL},
        {"3\r\nabc", NULL},
        {"3\r\nabcd\r\n0\r\n\r\n", NULL},
        {"4\r\nabc\r\n0\r\n\r\n", NULL},
        {"3;x=1\r\nabc\r\n0\r\n\r\n", NULL},
        {"fffffffff\r\nabc\r\n0\r\n\r\n", NULL},
        {"ffffffff\r\nabc\r\n0\r\n\r\n", NULL},
        {"0\r\n\r\nmore", NULL},
        {"0\r\nno colon\r\n\r\n", NULL},
    };
    unsigned char key[SHA256_BYTES];
    struct sigv4_auth auth;
    size_t i, len;
    int r;

    (void)state;
    chunked_auth(&auth, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", SEED, key);
    for (i = 0; i < ARRAY_LEN(bodies); i++) {
        CLEANUP(freep) char *body = str_dup(str_of(bodies[i].body));

        len = strlen(body);
        r = sigv4_chunks_decode(&auth, key, body, &len, NULL);
        assert_int_equal(r, bodies[i].payload ? 0 : -ERR_HALF_SIGNED);
        if (r == 0)
            assert_true(str_is(str_from(body, len), bodies[i].payload));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cases_of_the_test_suite_verify),
        cmocka_unit_test(the_canonical_request_is_the_documented_one),
        cmocka_unit_test(malformed_escapes_in_the_query_are_refused),
        cmocka_unit_test(malformed_signatures_are_told_apart),
        cmocka_unit_test(dates_are_read_in_both_forms),
        cmocka_unit_test(clocks_may_differ_by_fifteen_minutes),
        cmocka_unit_test(a_presigned_url_verifies),
        cmocka_unit_test(a_request_is_signed_in_one_way_only),
        cmocka_unit_test(a_payload_is_what_its_header_says),
        cmocka_unit_test(the_scope_is_read_from_whatever_looks_signed),
        cmocka_unit_test(what_is_signed_here_verifies),
        cmocka_unit_test(signed_chunks_are_those_of_the_documentation),
        cmocka_unit_test(signed_trailers_are_those_of_the_documentation),
        cmocka_unit_test(unsigned_chunks_are_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
