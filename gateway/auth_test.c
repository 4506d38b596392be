/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/io/http_conn.h"
#include "common/proto/sigv4_sign.h"

#define ACCOUNT "000000000000"
#define NOW_S 1440938160u
#define FILE_TEXT                                                                                  \
    "[alice]\naws_access_key_id=AKIDALICE\naws_secret_access_key=0123456789abcdef\n"               \
    "[bob]\naws_access_key_id=AKIDBOB\naws_secret_access_key=fedcba9876543210\n"

static uint64_t now_s;

static uint64_t fake_now_ms(void)
{
    return now_s * 1000;
}

/* A request as the HTTP engine hands it over. */
struct sent {
    struct http_conn conn;
    struct buf head;
};

static const struct sigv4_credentials alice = {STR("AKIDALICE"), STR("0123456789abcdef"), STR_NULL};

static void send_headers(struct sent *s, const struct sigv4_header *headers, size_t count,
                         struct str body)
{
    size_t i;

    *s = (struct sent){.head = BUF_INIT(HTTP1_HEAD_MAX)};
    buf_printf(&s->head, "POST /2015-03-31/functions?a=1 HTTP/1.1\r\nHost: h:9000\r\n");
    for (i = 0; i < count; i++)
        buf_printf(&s->head, "%.*s: %.*s\r\n", STR_ARG(headers[i].name), STR_ARG(headers[i].value));
    buf_printf(&s->head, "\r\n");
    http1_head_init(&s->conn.head);
    assert_int_equal(http1_head_read(&s->conn.head, s->head.ptr, s->head.len), s->head.len);
    s->conn.in = s->head;
    s->conn.req.method = http1_str(s->head.ptr, s->conn.head.method);
    s->conn.req.path = http1_str(s->head.ptr, s->conn.head.path);
    s->conn.req.query = http1_str(s->head.ptr, s->conn.head.query);
    s->conn.req.body = body;
}

static void send_signed(struct sent *s, const struct sigv4_credentials *who, const char *region,
                        const char *service, struct str body)
{
    struct sigv4_header host = {STR("host"), STR("h:9000")};
    struct sigv4_request req = {STR("POST"), STR("/2015-03-31/functions"), STR("a=1"), &host, 1, body};
    struct sigv4_signed signed_;

    assert_int_equal(sigv4_sign(&req, who, str_of(region), str_of(service), NOW_S, &signed_, NULL), 0);
    send_headers(s, signed_.headers, signed_.count, body);
    sigv4_signed_done(&signed_);
}

static struct auth *begin(bool checked)
{
    char dir[] = "/tmp/hauth-XXXXXX";
    CLEANUP(freep) char *path = NULL;
    struct auth *auth;
    struct error err;

    assert_non_null(mkdtemp(dir));
    path = str_printf("%s/credentials", dir);
    assert_int_equal(file_write_atomic(path, STR(FILE_TEXT), 0600, &err), 0);
    assert_int_equal(auth_new(checked ? path : "", ACCOUNT, "eu-west-1", &auth, &err), 0);
    assert_int_equal(dir_remove(dir, &err), 0);
    now_s = NOW_S;
    auth_set_clock(auth, fake_now_ms);
    return auth;
}

/* Checks a request signed so; the caller's ARN must be @arn, or the error @r with @said. */
static void expect(struct auth *auth, const struct sigv4_credentials *who, const char *region,
                   enum auth_service service, const char *scope, int r, const char *said)
{
    const struct caller *caller = NULL;
    struct error err = {.msg = ""};
    struct sent s;

    send_signed(&s, who, region, scope, STR("{}"));
    assert_int_equal(auth_check(auth, &s.conn.req, service, &caller, &err), r);
    if (strcmp(r ? err.msg : caller->arn, said) != 0)
        fail_msg("%s instead of %s", r ? err.msg : caller->arn, said);
    buf_done(&s.head);
}

static void who_is_known_passes(void **state)
{
    static const struct sigv4_credentials bob = {STR("AKIDBOB"), STR("fedcba9876543210"), STR_NULL};
    struct auth *auth = begin(true);
    int round;

    (void)state;
    for (round = 0; round < 3; round++) { /* with the kept key as without */
        expect(auth, &alice, "eu-west-1", AUTH_LAMBDA, "lambda", 0,
               "arn:aws:iam::000000000000:user/alice");
        expect(auth, &bob, "eu-west-1", AUTH_LAMBDA, "lambda", 0,
               "arn:aws:iam::000000000000:user/bob");
        expect(auth, &alice, "eu-west-1", AUTH_SCALING, "application-autoscaling", 0,
               "arn:aws:iam::000000000000:user/alice");
        expect(auth, &alice, "us-east-1", AUTH_STS, "sts", 0, "arn:aws:iam::000000000000:user/alice");
        expect(auth, &alice, "eu-west-1", AUTH_STS, "sts", 0, "arn:aws:iam::000000000000:user/alice");
    }
    auth_free(auth);
}

static void who_is_not_known_is_refused_as_aws_does(void **state)
{
    static const struct sigv4_credentials nobody = {STR("AKIDNOBODY"), STR("0123456789abcdef"), STR_NULL};
    static const struct sigv4_credentials wrong = {STR("AKIDALICE"), STR("0123456789abcdeX"), STR_NULL};
    static const struct sigv4_credentials token = {STR("AKIDALICE"), STR("0123456789abcdef"), STR("x.y")};
    static const char mismatch[] =
        "The request signature we calculated does not match the signature you provided. Check your "
        "AWS Secret Access Key and signing method. Consult the service documentation for details.";
    struct auth *auth = begin(true);
    struct error err;
    struct sent s;

    (void)state;
    expect(auth, &nobody, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_UNKNOWN_CLIENT,
           "The security token included in the request is invalid.");
    expect(auth, &token, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_UNKNOWN_CLIENT,
           "The security token included in the request is invalid.");
    expect(auth, &wrong, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_BAD_SIGNATURE, mismatch);
    expect(auth, &alice, "us-east-1", AUTH_LAMBDA, "lambda", -ERR_BAD_SIGNATURE,
           "Credential should be scoped to a valid region, not 'us-east-1'.");
    expect(auth, &alice, "us-east-1", AUTH_SCALING, "application-autoscaling", -ERR_BAD_SIGNATURE,
           "Credential should be scoped to a valid region, not 'us-east-1'.");
    expect(auth, &alice, "eu-west-1", AUTH_LAMBDA, "s3", -ERR_BAD_SIGNATURE,
           "Credential should be scoped to correct service: 'lambda'.");
    now_s = NOW_S + 1000;
    expect(auth, &alice, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_BAD_SIGNATURE,
           "Signature expired: 20150830T123600Z is now earlier than 20150830T123740Z "
           "(20150830T125240Z - 15 min.)");
    now_s = NOW_S;
    send_headers(&s, NULL, 0, STR("{}"));
    assert_int_equal(auth_check(auth, &s.conn.req, AUTH_LAMBDA, NULL, &err), -ERR_NO_TOKEN);
    assert_int_equal(auth_check_head(auth, &s.conn.req, &err), -ERR_NO_TOKEN);
    buf_done(&s.head);
    send_signed(&s, &alice, "eu-west-1", "lambda", STR("{}"));
    assert_int_equal(auth_check_head(auth, &s.conn.req, &err), 0);
    s.conn.req.body = STR("{ }");
    assert_int_equal(auth_check(auth, &s.conn.req, AUTH_LAMBDA, NULL, &err), -ERR_BAD_SIGNATURE);
    buf_done(&s.head);
    auth_free(auth);
}

static void session_of(struct auth *auth, const struct caller *by, struct session *session,
                       struct buf *token)
{
    snprintf(session->arn, sizeof(session->arn), "arn:aws:sts::" ACCOUNT ":assumed-role/r/s");
    snprintf(session->user_id, sizeof(session->user_id), "AROAX:s");
    session->expires_s = NOW_S + 100;
    auth_issue(auth, by, session, token);
}

static void a_session_passes_at_every_gateway_until_it_expires(void **state)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(SESSION_TOKEN_MAX);
    struct auth *auth = begin(true), *other = begin(true);
    const struct caller *caller;
    struct sigv4_credentials who;
    struct session session;
    struct error err;
    struct sent s;
    size_t i;

    (void)state;
    send_signed(&s, &alice, "eu-west-1", "sts", STR("{}"));
    assert_int_equal(auth_check(auth, &s.conn.req, AUTH_STS, &caller, &err), 0);
    session_of(auth, caller, &session, &token);
    buf_done(&s.head);
    assert_int_equal(strlen(session.access_key), 20);
    assert_int_equal(strlen(session.secret), 40);
    who = (struct sigv4_credentials){str_of(session.access_key), str_of(session.secret),
                                     buf_str(&token)};
    for (i = 0; i < 2; i++) {
        expect(auth, &who, "eu-west-1", AUTH_LAMBDA, "lambda", 0, session.arn);
        expect(other, &who, "eu-west-1", AUTH_LAMBDA, "lambda", 0, session.arn);
    }
    who.token = STR_NULL; /* the key alone is nothing */
    expect(auth, &who, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_UNKNOWN_CLIENT,
           "The security token included in the request is invalid.");
    who.token = buf_str(&token);
    who.access_key = STR("ASIAOTHER");
    expect(auth, &who, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_UNKNOWN_CLIENT,
           "The security token included in the request is invalid.");
    who.access_key = str_of(session.access_key);
    for (i = 0; i < token.len; i++) { /* nor a token that was changed */
        token.ptr[i] ^= 1;
        who.token = buf_str(&token);
        if (token.ptr[i] > ' ' && token.ptr[i] < 0x7f)
            expect(other, &who, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_UNKNOWN_CLIENT,
                   "The security token included in the request is invalid.");
        token.ptr[i] ^= 1;
    }
    now_s = NOW_S + 100;
    expect(auth, &who, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_EXPIRED_TOKEN,
           "The security token included in the request is expired");
    auth_free(auth);
    auth_free(other);
}

static const struct seal_key *function_key(unsigned char byte)
{
    static struct seal_key key;
    unsigned char bytes[SEAL_KEY_BYTES];

    memset(bytes, byte, sizeof(bytes));
    seal_key_init(&key, bytes);
    return &key;
}

/* As a controller with that key issues them. */
static struct sigv4_credentials function_session(struct session *session, struct buf *token)
{
    snprintf(session->arn, sizeof(session->arn), "arn:aws:sts::" ACCOUNT ":assumed-role/r/f");
    snprintf(session->user_id, sizeof(session->user_id), "AROAX:f");
    session->expires_s = NOW_S + 100;
    session_issue(function_key(1), STR(SESSION_OF_FUNCTION), session, token);
    return (struct sigv4_credentials){str_of(session->access_key), str_of(session->secret),
                                      buf_str(token)};
}

static void a_functions_session_passes_once_the_controllers_key_is_here(void **state)
{
    static const char invalid[] = "The security token included in the request is invalid.";
    CLEANUP(buf_done) struct buf token = BUF_INIT(SESSION_TOKEN_MAX);
    struct auth *auth = begin(true);
    const struct caller *caller;
    struct sigv4_credentials who;
    struct session session;
    struct sent s;

    (void)state;
    who = function_session(&session, &token);
    expect(auth, &who, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_UNAVAILABLE,
           "The controller cannot be reached; is hearth-controller running?");
    auth_set_function_key(auth, NULL);
    expect(auth, &who, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_UNKNOWN_CLIENT, invalid);
    auth_set_function_key(auth, function_key(1));
    expect(auth, &who, "eu-west-1", AUTH_LAMBDA, "lambda", 0, session.arn);
    send_signed(&s, &who, "eu-west-1", "lambda", STR("{}"));
    assert_int_equal(auth_check(auth, &s.conn.req, AUTH_LAMBDA, &caller, NULL), 0);
    assert_true(caller->is_function && caller->is_session && !caller->credential);
    buf_done(&s.head);
    auth_set_function_key(auth, function_key(2)); /* also what was opened before */
    expect(auth, &who, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_UNKNOWN_CLIENT, invalid);
    auth_set_function_key(auth, function_key(1));
    token.ptr[token.len - 8] ^= 1;
    expect(auth, &who, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_UNKNOWN_CLIENT, invalid);
    token.ptr[token.len - 8] ^= 1;
    now_s = NOW_S + 100;
    expect(auth, &who, "eu-west-1", AUTH_LAMBDA, "lambda", -ERR_EXPIRED_TOKEN,
           "The security token included in the request is expired");
    auth_free(auth);
}

static void without_credentials_a_functions_session_is_known_all_the_same(void **state)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(SESSION_TOKEN_MAX);
    struct auth *auth = begin(false);
    struct sigv4_credentials who;
    struct session session;

    (void)state;
    who = function_session(&session, &token);
    expect(auth, &who, "us-east-1", AUTH_STS, "sts", 0, "arn:aws:iam::000000000000:root");
    auth_set_function_key(auth, function_key(1));
    expect(auth, &who, "us-east-1", AUTH_STS, "sts", 0, session.arn);
    auth_free(auth);
}

static void without_credentials_everyone_is_root(void **state)
{
    static const struct sigv4_credentials anyone = {STR("anything"), STR("x"), STR_NULL};
    CLEANUP(buf_done) struct buf token = BUF_INIT(SESSION_TOKEN_MAX);
    struct auth *auth = begin(false);
    const struct caller *caller;
    struct sigv4_credentials who;
    struct session session;
    struct sent s;

    (void)state;
    expect(auth, &anyone, "us-east-1", AUTH_STS, "sts", 0, "arn:aws:iam::000000000000:root");
    send_headers(&s, NULL, 0, STR("{}"));
    assert_int_equal(auth_check_head(auth, &s.conn.req, NULL), 0);
    assert_int_equal(auth_check(auth, &s.conn.req, AUTH_STS, &caller, NULL), 0);
    assert_string_equal(caller->arn, "arn:aws:iam::000000000000:root");
    assert_string_equal(caller->user_id, ACCOUNT);
    session_of(auth, caller, &session, &token);
    who = (struct sigv4_credentials){str_of(session.access_key), str_of(session.secret),
                                     buf_str(&token)};
    expect(auth, &who, "us-east-1", AUTH_STS, "sts", 0, "arn:aws:sts::000000000000:assumed-role/r/s");
    buf_done(&s.head);
    auth_free(auth);
}

static void a_body_in_signed_chunks_is_decoded(void **state)
{
    static char body[] = "3\r\nabc\r\n0\r\n\r\n";
    struct sigv4_header headers[] = {
        {STR("host"), STR("h:9000")},
        {STR("x-amz-decoded-content-length"), STR("3")},
        {STR("x-amz-content-sha256"), STR("STREAMING-UNSIGNED-PAYLOAD-TRAILER")},
        {STR("x-amz-date"), STR("20150830T123600Z")},
        {STR("authorization"), STR_NULL},
    };
    struct sigv4_request req = {STR("POST"), STR("/2015-03-31/functions"), STR("a=1"), headers, 4, STR_NULL};
    struct sigv4_auth signature = {
        .scope = {STR("AKIDALICE"), STR("20150830"), STR("eu-west-1"), STR("lambda")},
        .signed_headers = STR("host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length"),
        .time = "20150830T123600Z"};
    struct auth *auth = begin(true);
    unsigned char key[SHA256_BYTES];
    char hex[SHA256_HEX_MAX];
    struct sigv4_space space;
    struct error err;
    struct sent s;

    (void)state;
    sigv4_space_init(&space);
    sigv4_signing_key(alice.secret, &signature.scope, key);
    assert_int_equal(sigv4_canonical(&req, &signature, headers[2].value, &space, NULL), 0);
    sigv4_signature(&signature, key, &space, hex);
    CLEANUP(freep)
    char *authorization = str_printf("AWS4-HMAC-SHA256 Credential=AKIDALICE/20150830/eu-west-1/lambda/"
                                     "aws4_request, SignedHeaders=%.*s, Signature=%s",
                                     STR_ARG(signature.signed_headers), hex);

    headers[4].value = str_of(authorization);
    send_headers(&s, headers + 1, 4, str_from(body, sizeof(body) - 1));
    if (auth_check(auth, &s.conn.req, AUTH_LAMBDA, NULL, &err) < 0)
        fail_msg("%s", err.msg);
    assert_true(str_is(http_body(&s.conn.req), "abc"));
    buf_done(&s.head);
    sigv4_space_done(&space);
    auth_free(auth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_known_passes),
        cmocka_unit_test(who_is_not_known_is_refused_as_aws_does),
        cmocka_unit_test(a_session_passes_at_every_gateway_until_it_expires),
        cmocka_unit_test(a_functions_session_passes_once_the_controllers_key_is_here),
        cmocka_unit_test(without_credentials_a_functions_session_is_known_all_the_same),
        cmocka_unit_test(without_credentials_everyone_is_root),
        cmocka_unit_test(a_body_in_signed_chunks_is_decoded),
    };

    log_init("auth_test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
