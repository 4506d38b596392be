/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/code/code_s3.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/base/log.h"
#include "common/io/http_client.h"
#include "common/proto/http_origin.h"
#include "common/proto/s3_error.h"
#include "common/proto/sigv4_sign.h"
#include "common/proto/uri_escape.h"

#define TARGET_MAX 16384u /* a key has 1024 bytes at most, a version too */
#define HEADERS_MAX 8

struct code_s3 {
    struct loop *loop;
    struct http_client *http;
    char *endpoint; /* without a slash at its end */
    char *host; /* as the Host header has it */
    char *region, *access_key, *secret, *unix_socket;
    uint64_t timeout_us;
    size_t bytes_max;
    struct list_node waiting, running; /* fetches */
    unsigned count; /* of those that run */
};

struct fetch {
    struct code_s3 *s3;
    char *bucket, *key, *version; /* version: or NULL */
    struct http_call *call;
    struct buf bytes;
    bool too_large;
    bool failed; /* it cannot begin: its end is due */
    struct error err; /* why */
    code_s3_done_fn *done;
    void *arg;
    struct list_node node;
};

const char *code_s3_check_endpoint(struct str text)
{
    return text.len == 0 || http_origin_is_good(text, NULL)
               ? NULL
               : "is not http://host:port or https://host:port";
}

/* ---- ends ---- */

static void fetch_free(struct fetch *f)
{
    list_remove(&f->node);
    buf_done(&f->bytes);
    free(f->bucket);
    free(f->key);
    free(f->version);
    free(f);
}

static void start_next(struct code_s3 *s3);

/* Tells the receiver. The next in line starts first: the receiver may do as it likes. */
static void fetch_end(struct fetch *f, const struct error *err)
{
    f->s3->count--;
    list_remove(&f->node);
    start_next(f->s3);
    f->done(err ? NULL : &f->bytes, err, f->arg);
    fetch_free(f);
}

static void fail_too_large(struct fetch *f, struct error *err)
{
    error_set(err, ERR_BAD_REQUEST, "Zipped size must be smaller than %zu bytes", f->s3->bytes_max);
}

/* What happened, why, what to do. */
static void fail_unreachable(struct fetch *f, const struct error *why, struct error *err)
{
    log_warn("code", "the object store does not give an archive",
             KV_STR("endpoint", f->s3->endpoint), KV_STR("bucket", f->bucket), KV_ERR(why));
    if (why->code == ERR_TIMEOUT)
        error_set(err, ERR_BAD_REQUEST,
                  "Error occurred while GetObject. The object store at %s did not send the object "
                  "within %llu ms. See whether it is well, or let HEARTH_S3_TIMEOUT be longer.",
                  f->s3->endpoint, (unsigned long long)(f->s3->timeout_us / 1000));
    else
        error_set(err, ERR_BAD_REQUEST,
                  "Error occurred while GetObject. The object store at %s did not send the object: "
                  "%.300s. See whether it runs and whether HEARTH_S3_ENDPOINT names it.",
                  f->s3->endpoint, why->msg);
}

/* ---- what the store refuses ---- */

/* AWS's words for those errors that stores word in several ways, or not at all. */
static const char *words(const struct s3_error *e)
{
    static const struct {
        const char *code, *message;
    } known[] = {
        {"NoSuchKey", "The specified key does not exist."},
        {"NoSuchBucket", "The specified bucket does not exist"},
        {"NoSuchVersion", "The specified version does not exist."},
        {"AccessDenied", "Access Denied"},
    };
    size_t i;

    for (i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(e->code, known[i].code) == 0)
            return known[i].message;
    return e->message;
}

/* "eu-west-1" of an endpoint such as bucket.s3.eu-west-1.amazonaws.com or s3-eu-west-1.…; or none. */
static struct str region_of(struct str endpoint)
{
    const struct str tail = STR(".amazonaws.com");
    size_t end, at;

    if (!str_ends(endpoint, tail))
        return STR_NULL;
    end = endpoint.len - tail.len;
    for (at = end; at > 0 && endpoint.ptr[at - 1] != '.'; at--)
        ;
    if (str_starts(str_sub(endpoint, at, end), STR("s3-")))
        at += 3;
    else if (str_is(str_sub(endpoint, at, end), "s3"))
        return STR("us-east-1");
    return at < end ? str_sub(endpoint, at, end) : STR_NULL;
}

/* A bucket of another region; AWS's client of S3 says it in its own words. */
static bool is_elsewhere(const struct s3_error *e, struct str *region)
{
    bool redirect = strcmp(e->code, "PermanentRedirect") == 0 ||
                    strcmp(e->code, "TemporaryRedirect") == 0;

    *region = str_of(e->region);
    if (!region->len)
        *region = region_of(str_of(e->endpoint));
    return region->len && (redirect || strcmp(e->code, "AuthorizationHeaderMalformed") == 0);
}

/* Ours are wrong: nothing that the client can change. */
static void warn_of_credentials(const struct fetch *f, const struct s3_error *e)
{
    static const char *const codes[] = {"InvalidAccessKeyId", "SignatureDoesNotMatch",
                                        "RequestTimeTooSkewed", "InvalidToken", "ExpiredToken"};
    size_t i;

    for (i = 0; i < ARRAY_LEN(codes); i++)
        if (strcmp(e->code, codes[i]) == 0)
            log_warn("code",
                     "the object store refuses our signature: see HEARTH_S3_ACCESS_KEY_ID, its "
                     "secret and the clock",
                     KV_STR("endpoint", f->s3->endpoint), KV_STR("why", e->code));
}

static void fail_refused(struct fetch *f, int status, struct error *err)
{
    struct s3_error e;
    struct error why;
    struct str region;

    if (s3_error_parse(buf_str(&f->bytes), &e, NULL) < 0) {
        error_set(&why, ERR_PROTOCOL, "it answered with HTTP status %d and without an S3 error%s",
                  status, status >= 300 && status < 400 ? " (redirects are not followed)" : "");
        fail_unreachable(f, &why, err);
        return;
    }
    warn_of_credentials(f, &e);
    if (strcmp(e.code, "AccessDenied") == 0)
        error_set(err, ERR_ACCESS_DENIED,
                  "Your access has been denied by S3, please make sure your request credentials "
                  "have permission to GetObject for %s/%.500s. S3 Error Code: AccessDenied. S3 "
                  "Error Message: %s",
                  f->bucket, f->key, words(&e));
    else if (is_elsewhere(&e, &region))
        error_set(err, ERR_BAD_REQUEST,
                  "Error occurred while GetObject. S3 Error Code: PermanentRedirect. S3 Error "
                  "Message: The bucket is in this region: %.*s. Please use this region to retry "
                  "the request",
                  STR_ARG(region));
    else
        error_set(err, ERR_BAD_REQUEST,
                  "Error occurred while GetObject. S3 Error Code: %s. S3 Error Message: %s", e.code,
                  words(&e));
}

/* ---- the call ---- */

static void on_chunk(struct str chunk, void *arg)
{
    struct fetch *f = arg;
    struct error err;

    if (buf_append_str(&f->bytes, chunk) == 0)
        return;
    http_call_cancel(TAKE(f->call));
    fail_too_large(f, &err);
    fetch_end(f, &err);
}

static void on_done(int status, struct str body, const struct error *why, void *arg)
{
    struct fetch *f = arg;
    struct error err;

    (void)body;
    f->call = NULL;
    if (!why && status == 200) {
        fetch_end(f, NULL);
        return;
    }
    if (why)
        fail_unreachable(f, why, &err);
    else
        fail_refused(f, status, &err);
    fetch_end(f, &err);
}

/* "/bucket/key" and "versionId=…", escaped. */
static int make_target(const struct fetch *f, struct buf *path, struct buf *query)
{
    int r;

    r = buf_append_char(path, '/');
    if (r == 0)
        r = uri_escape(path, str_of(f->bucket), false);
    if (r == 0)
        r = buf_append_char(path, '/');
    if (r == 0)
        r = uri_escape(path, str_of(f->key), true);
    if (r == 0 && f->version)
        r = buf_append_str(query, STR("versionId="));
    if (r == 0 && f->version)
        r = uri_escape(query, str_of(f->version), false);
    return r;
}

/* The headers of a signed request, "Name: value"; NULL-terminated. */
static int make_headers(const struct code_s3 *s3, struct str path, struct str query,
                        char *headers[HEADERS_MAX], struct error *err)
{
    const struct sigv4_header host = {STR("host"), str_of(s3->host)};
    const struct sigv4_request req = {
        .method = STR("GET"), .path = path, .query = query, .headers = &host, .header_count = 1};
    const struct sigv4_credentials who = {str_of(s3->access_key), str_of(s3->secret), STR_NULL};
    struct sigv4_signed sig;
    size_t i, n = 0;
    int r;

    headers[n++] = str_printf("host: %s", s3->host);
    if (!s3->access_key[0])
        return 0;
    r = sigv4_sign(&req, &who, str_of(s3->region), STR("s3"), wall_ms() / 1000, &sig, err);
    if (r < 0)
        return r;
    for (i = 0; i < sig.count; i++)
        headers[n++] = str_printf("%.*s: %.*s", STR_ARG(sig.headers[i].name),
                                  STR_ARG(sig.headers[i].value));
    sigv4_signed_done(&sig);
    return 0;
}

static void on_cannot_start(void *arg)
{
    struct fetch *f = arg;

    if (f->s3)
        fetch_end(f, &f->err);
    else
        fetch_free(f); /* the store was freed, and the receiver told, meanwhile */
}

static void start(struct fetch *f)
{
    CLEANUP(buf_done) struct buf path = BUF_INIT(TARGET_MAX);
    CLEANUP(buf_done) struct buf query = BUF_INIT(TARGET_MAX);
    CLEANUP(freep) char *url = NULL;
    char *headers[HEADERS_MAX] = {NULL};
    struct code_s3 *s3 = f->s3;
    struct http_call_options options = {.method = "GET",
                                        .headers = (const char *const *)headers,
                                        .unix_socket = s3->unix_socket,
                                        .timeout_us = s3->timeout_us,
                                        .on_chunk = on_chunk};
    size_t i;
    int r;

    s3->count++;
    list_append(&s3->running, &f->node);
    r = make_target(f, &path, &query);
    if (r < 0)
        error_set(&f->err, ERR_BAD_REQUEST, "S3Bucket, S3Key and S3ObjectVersion are too long.");
    else
        r = make_headers(s3, buf_str(&path), buf_str(&query), headers, &f->err);
    if (r == 0) {
        url = str_printf("%s%.*s%s%.*s", s3->endpoint, STR_ARG(buf_str(&path)),
                         query.len ? "?" : "", STR_ARG(buf_str(&query)));
        options.url = url;
        f->call = http_call(s3->http, &options, on_done, f);
    } else {
        f->failed = true;
        loop_defer(s3->loop, on_cannot_start, f);
    }
    for (i = 0; headers[i]; i++) {
        explicit_bzero(headers[i], strlen(headers[i]));
        free(headers[i]);
    }
}

static void start_next(struct code_s3 *s3)
{
    struct fetch *f;

    while (s3->count < CODE_S3_AT_ONCE && (f = LIST_FIRST(&s3->waiting, struct fetch, node))) {
        list_remove(&f->node);
        start(f);
    }
}

void code_s3_get(struct code_s3 *s3, const struct code_s3_object *object, code_s3_done_fn *done,
                 void *arg)
{
    struct fetch *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    f->s3 = s3;
    f->bucket = str_dup(object->bucket);
    f->key = str_dup(object->key);
    f->version = object->version.ptr ? str_dup(object->version) : NULL;
    f->bytes = BUF_INIT(s3->bytes_max);
    f->done = done;
    f->arg = arg;
    list_append(&s3->waiting, &f->node);
    start_next(s3);
}

/* ---- life ---- */

struct code_s3 *code_s3_new(const struct code_s3_options *options)
{
    struct code_s3 *s3 = calloc(1, sizeof(*s3));
    struct str endpoint = str_of(options->endpoint);

    if (!s3)
        abort();
    if (str_ends(endpoint, STR("/")))
        endpoint.len--;
    s3->loop = options->loop;
    s3->http = http_client_new(options->loop);
    s3->endpoint = str_dup(endpoint);
    s3->host = http_origin_host(endpoint);
    s3->region = str_dup(str_of(options->region));
    s3->access_key = str_dup(str_of(options->access_key));
    s3->secret = str_dup(options->secret);
    s3->unix_socket = options->unix_socket ? str_dup(str_of(options->unix_socket)) : NULL;
    s3->timeout_us = options->timeout_us;
    s3->bytes_max = options->bytes_max;
    list_init(&s3->waiting);
    list_init(&s3->running);
    return s3;
}

static void end_all(struct list_node *fetches)
{
    struct error err;
    struct fetch *f;

    error_set(&err, ERR_CLOSED, "the controller ends");
    while ((f = LIST_FIRST(fetches, struct fetch, node))) {
        list_remove(&f->node);
        if (f->call)
            http_call_cancel(TAKE(f->call));
        f->done(NULL, &err, f->arg);
        if (f->failed)
            f->s3 = NULL;
        else
            fetch_free(f);
    }
}

void code_s3_free(struct code_s3 *s3)
{
    if (!s3)
        return;
    end_all(&s3->waiting);
    end_all(&s3->running);
    http_client_free(s3->http);
    explicit_bzero(s3->secret, strlen(s3->secret));
    free(s3->endpoint);
    free(s3->host);
    free(s3->region);
    free(s3->access_key);
    free(s3->secret);
    free(s3->unix_socket);
    free(s3);
}
