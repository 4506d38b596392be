/* SPDX-License-Identifier: Apache-2.0 */
/* A store that answers as the test says: on a Unix socket, its requests kept. */
#include "controller/code/code_s3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/http_script.h"
#include "common/proto/sigv4.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define OK_8 "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n12345678"
#define REFUSED(status, xml)                                                                       \
    "HTTP/1.1 " status "\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n"            \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>" xml "<RequestId>1</RequestId></Error>"

struct fixture {
    struct loop *loop;
    struct http_script server;
    struct code_s3 *s3;
    struct code_s3_options options;
    unsigned done, expected, good;
    bool failed;
    struct error err;
    char body[64];
};

static void begin(struct fixture *f, const char *const *answers)
{
    *f = (struct fixture){.loop = loop_new(), .expected = 1};
    http_script_start(&f->server, answers);
    f->options = (struct code_s3_options){.loop = f->loop,
                                          .endpoint = "http://store.example:9000/",
                                          .region = "eu-central-1",
                                          .access_key = "AKIDEXAMPLE",
                                          .secret = STR(SECRET),
                                          .timeout_us = SECONDS(20),
                                          .bytes_max = 100,
                                          .unix_socket = f->server.path};
}

static void end(struct fixture *f)
{
    code_s3_free(f->s3);
    http_script_stop(&f->server);
    loop_free(f->loop);
}

static void on_done(struct buf *bytes, const struct error *err, void *arg)
{
    struct fixture *f = arg;

    f->failed = err != NULL;
    if (err)
        f->err = *err;
    else if (++f->good)
        snprintf(f->body, sizeof(f->body), "%.*s", STR_ARG(buf_str(bytes)));
    if (++f->done == f->expected)
        loop_stop(f->loop);
}

static void get(struct fixture *f, const char *bucket, const char *key, const char *version)
{
    const struct code_s3_object object = {str_of(bucket), str_of(key),
                                          version ? str_of(version) : STR_NULL};

    if (!f->s3)
        f->s3 = code_s3_new(&f->options);
    code_s3_get(f->s3, &object, on_done, f);
    assert_int_equal(f->done, 0);
    loop_run(f->loop);
}

/* ---- the request ---- */

/* The head of a request as our own verifier reads it; @text is cut up. */
static size_t parse_head(char *text, struct sigv4_request *req, struct sigv4_header *headers)
{
    char *line = text, *next, *sep;
    size_t n = 0;

    next = strstr(line, "\r\n");
    *next = '\0';
    assert_int_equal(strncmp(line, "GET ", 4), 0);
    *strstr(line, " HTTP/1.1") = '\0';
    sep = strchr(line, '?');
    req->method = STR("GET");
    req->query = sep ? str_of(sep + 1) : STR("");
    if (sep)
        *sep = '\0';
    req->path = str_of(line + 4);
    for (line = next + 2; *line != '\r'; line = next + 2) {
        next = strstr(line, "\r\n");
        *next = '\0';
        sep = strchr(line, ':');
        *sep = '\0';
        headers[n++] = (struct sigv4_header){str_of(line), str_trim(str_of(sep + 1))};
    }
    return n;
}

static void the_request_is_signed_for_what_it_asks(void **state)
{
    static const struct {
        const char *key, *version, *target;
    } cases[] = {
        {"a.zip", NULL, "/bucket/a.zip"},
        {"dir/b c+\xc3\xa9?.zip", "v/1==", "/bucket/dir/b%20c%2B%C3%A9%3F.zip"},
        {"//a/../b/./c%2Fd", NULL, "/bucket///a/../b/./c%252Fd"},
    };
    static const char *const answers[] = {OK_8, NULL};
    struct sigv4_header headers[20];
    struct sigv4_request req;
    struct sigv4_space space;
    struct sigv4_auth auth;
    unsigned char key[SHA256_BYTES];
    struct fixture f;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        begin(&f, answers);
        get(&f, "bucket", cases[i].key, cases[i].version);
        assert_false(f.failed);
        assert_string_equal(f.body, "12345678");
        req = (struct sigv4_request){.headers = headers};
        req.header_count = parse_head(f.server.seen[0], &req, headers);
        assert_true(str_is(req.path, cases[i].target));
        assert_true(str_is(req.query, cases[i].version ? "versionId=v%2F1%3D%3D" : ""));
        assert_true(str_is(sigv4_header(&req, "host"), "store.example:9000"));
        if (sigv4_read(&req, &auth, &err) < 0)
            fail_msg("%s", err.msg);
        assert_true(str_is(auth.scope.region, "eu-central-1"));
        assert_true(str_is(auth.scope.service, "s3"));
        assert_int_equal(sigv4_check_time(&auth, wall_ms() / 1000, &err), 0);
        sigv4_signing_key(STR(SECRET), &auth.scope, key);
        sigv4_space_init(&space);
        assert_int_equal(sigv4_verify(&req, &auth, key, &space, &err), 0);
        sigv4_space_done(&space);
        end(&f);
    }
}

static void without_an_access_key_nothing_is_signed(void **state)
{
    static const char *const answers[] = {OK_8, NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    f.options.access_key = "";
    get(&f, "bucket", "key", NULL);
    assert_false(f.failed);
    assert_non_null(strcasestr(f.server.seen[0], "host: store.example:9000\r\n"));
    assert_null(strcasestr(f.server.seen[0], "authorization"));
    end(&f);
}

/* ---- refusals ---- */

#define ERROR_OCCURRED "Error occurred while GetObject. "
#define REGION_MESSAGE                                                                             \
    ERROR_OCCURRED "S3 Error Code: PermanentRedirect. S3 Error Message: The bucket is in this "    \
                   "region: eu-west-1. Please use this region to retry the request"

static void what_the_store_refuses_is_told_as_aws_does(void **state)
{
    static const struct {
        const char *answer, *message;
        enum error_code code;
    } cases[] = {
        {REFUSED("404 Not Found",
                 "<Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>"),
         ERROR_OCCURRED
         "S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.",
         ERR_BAD_REQUEST},
        {REFUSED("404 Not Found", "<Code>NoSuchBucket</Code><Message/>"),
         ERROR_OCCURRED
         "S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist",
         ERR_BAD_REQUEST},
        {REFUSED("403 Forbidden", "<Code>AccessDenied</Code><Message>Access Denied.</Message>"),
         "Your access has been denied by S3, please make sure your request credentials have "
         "permission to GetObject for b/k. S3 Error Code: AccessDenied. S3 Error Message: Access "
         "Denied",
         ERR_ACCESS_DENIED},
        {REFUSED("301 Moved Permanently",
                 "<Code>PermanentRedirect</Code><Message>Elsewhere.</Message>"
                 "<Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint>"),
         REGION_MESSAGE, ERR_BAD_REQUEST},
        {REFUSED("301 Moved Permanently", "<Code>PermanentRedirect</Code><Message>Elsewhere."
                                          "</Message><Endpoint>s3-eu-west-1.amazonaws.com</Endpoint>"),
         REGION_MESSAGE, ERR_BAD_REQUEST},
        {REFUSED("400 Bad Request", "<Code>AuthorizationHeaderMalformed</Code><Message>Wrong."
                                    "</Message><Region>eu-west-1</Region>"),
         REGION_MESSAGE, ERR_BAD_REQUEST},
        {REFUSED("301 Moved Permanently",
                 "<Code>PermanentRedirect</Code><Message>Elsewhere.</Message>"),
         ERROR_OCCURRED "S3 Error Code: PermanentRedirect. S3 Error Message: Elsewhere.",
         ERR_BAD_REQUEST},
        {REFUSED("503 Slow Down", "<Code>SlowDown</Code><Message>Slowly &amp; gently.</Message>"),
         ERROR_OCCURRED "S3 Error Code: SlowDown. S3 Error Message: Slowly & gently.",
         ERR_BAD_REQUEST},
    };
    struct fixture f;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const answers[] = {cases[i].answer, NULL};

        begin(&f, answers);
        f.options.bytes_max = 1000;
        get(&f, "b", "k", NULL);
        assert_true(f.failed);
        assert_string_equal(f.err.msg, cases[i].message);
        assert_int_equal(f.err.code, cases[i].code);
        end(&f);
    }
}

static void what_is_no_answer_of_a_store_is_explained(void **state)
{
    static const struct {
        const char *answer, *part;
        uint64_t timeout_us;
    } cases[] = {
        {"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/x\r\nContent-Length: 0\r\n\r\n",
         "HTTP status 302 and without an S3 error (redirects are not followed). See whether", 0},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope", "HTTP status 404", 0},
        {"HTTP/1.1 204 None\r\n\r\n", "HTTP status 204", 0},
        {"", "The object store at http://store.example:9000 did not send the object: ", 0},
        {"nonsense\r\nConnection: close\r\n\r\n", "did not send the object: ", 0},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 80\r\n\r\nless",
         "did not send the object: ", 0},
        {"HTTP/1.1 200 OK\r\nX-Hang: 1\r\nContent-Length: 80\r\n\r\nless",
         "within 50 ms. See whether it is well, or let HEARTH_S3_TIMEOUT be longer.", MSEC(50)},
        {"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n0123456789ab",
         "Zipped size must be smaller than 11 bytes", 0},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0123456789ab",
         "Zipped size must be smaller than 11 bytes", 0},
    };
    struct fixture f;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const answers[] = {cases[i].answer, NULL};

        begin(&f, answers);
        f.options.bytes_max = 11;
        if (cases[i].timeout_us)
            f.options.timeout_us = cases[i].timeout_us;
        get(&f, "b", "k", NULL);
        assert_true(f.failed);
        if (!strstr(f.err.msg, cases[i].part))
            fail_msg("\"%s\" instead of \"%s\"", f.err.msg, cases[i].part);
        assert_int_equal(f.err.code, ERR_BAD_REQUEST);
        assert_null(strstr(f.err.msg, SECRET));
        code_s3_free(TAKE(f.s3)); /* its connection, before the server waits for it */
        end(&f);
    }
}

static void a_store_that_is_not_there_is_named(void **state)
{
    static const char *const answers[] = {NULL};
    struct fixture f;

    (void)state;
    begin(&f, answers);
    f.options.unix_socket = "/nowhere/store.sock";
    get(&f, "b", "k", NULL);
    assert_true(f.failed);
    assert_non_null(strstr(f.err.msg, "http://store.example:9000 did not send the object: "));
    assert_non_null(strstr(f.err.msg, "whether HEARTH_S3_ENDPOINT names it."));
    end(&f);
}

/* ---- many, and the end ---- */

#define OK_AND_CLOSE "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"

static void those_that_wait_have_their_turn(void **state)
{
    static const char *const answers[] = {OK_AND_CLOSE, OK_AND_CLOSE, OK_AND_CLOSE, OK_AND_CLOSE,
                                          OK_AND_CLOSE, OK_AND_CLOSE, OK_AND_CLOSE, OK_AND_CLOSE,
                                          NULL};
    const struct code_s3_object object = {STR("b"), STR("k"), STR_NULL};
    struct fixture f;
    unsigned i;

    (void)state;
    begin(&f, answers);
    f.options.timeout_us = SECONDS(1);
    f.s3 = code_s3_new(&f.options);
    f.expected = CODE_S3_AT_ONCE + 5; /* the store has eight answers: the others wait in vain */
    for (i = 0; i < f.expected; i++)
        code_s3_get(f.s3, &object, on_done, &f);
    loop_run(f.loop);
    assert_int_equal(f.done, f.expected);
    assert_int_equal(f.good, 8);
    end(&f);
}

static void the_end_of_the_store_ends_all(void **state)
{
    static const char *const answers[] = {NULL};
    const struct code_s3_object object = {STR("b"), STR("k"), STR_NULL};
    struct fixture f;
    unsigned i;

    (void)state;
    begin(&f, answers);
    f.s3 = code_s3_new(&f.options);
    f.expected = CODE_S3_AT_ONCE + 5;
    for (i = 0; i < f.expected; i++)
        code_s3_get(f.s3, &object, on_done, &f);
    assert_int_equal(f.done, 0);
    code_s3_free(TAKE(f.s3));
    assert_int_equal(f.done, f.expected);
    assert_int_equal(f.err.code, ERR_CLOSED);
    end(&f);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
    static const char *const answers[] = {NULL};
    static char key[20000];
    struct fixture f;

    (void)state;
    memset(key, 'k', sizeof(key) - 1);
    begin(&f, answers);
    get(&f, "b", key, NULL);
    assert_true(f.failed);
    assert_string_equal(f.err.msg, "S3Bucket, S3Key and S3ObjectVersion are too long.");
    end(&f);
}

static void an_endpoint_is_a_scheme_and_a_host(void **state)
{
    static const char *const good[] = {"", "http://127.0.0.1:9000", "https://s3.example.com",
                                       "https://s3.example.com/", "http://[::1]:9000"};
    static const char *const bad[] = {"s3.example.com",        "ftp://a",        "http://",
                                      "http://a/b",            "http://a?x=y",   "http://user@a",
                                      "http://user:secret@a",  "http://a:",      "http://:9000",
                                      "http://a\r\nX-Split: b", "http://a b:9000"};
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(good); i++)
        assert_null(code_s3_check_endpoint(str_of(good[i])));
    for (i = 0; i < ARRAY_LEN(bad); i++)
        assert_non_null(code_s3_check_endpoint(str_of(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_signed_for_what_it_asks),
        cmocka_unit_test(without_an_access_key_nothing_is_signed),
        cmocka_unit_test(what_the_store_refuses_is_told_as_aws_does),
        cmocka_unit_test(what_is_no_answer_of_a_store_is_explained),
        cmocka_unit_test(a_store_that_is_not_there_is_named),
        cmocka_unit_test(those_that_wait_have_their_turn),
        cmocka_unit_test(the_end_of_the_store_ends_all),
        cmocka_unit_test(a_name_that_is_too_long_is_refused),
        cmocka_unit_test(an_endpoint_is_a_scheme_and_a_host),
    };

    log_init("code_s3_test", LOG_ERROR + 1);
    return cmocka_run_group_tests_name("code_s3", tests, NULL, NULL);
}
