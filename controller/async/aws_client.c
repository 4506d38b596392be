/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/async/aws_client.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/io/http_client.h"
#include "common/proto/http_origin.h"
#include "common/proto/sigv4_sign.h"

#define ENDPOINT_MAX 4096u
#define ANSWER_MAX 65536u
#define HEADERS_MAX 12
#define CODE_MAX 96u

struct aws_client {
    struct loop *loop;
    struct http_client *http;
    char *endpoint; /* without a slash at its end */
    char *access_key, *secret, *unix_socket;
    uint64_t timeout_us;
    struct list_node waiting, running; /* calls */
    unsigned count; /* of those that run */
};

struct call {
    struct aws_client *aws;
    struct list_node node;
    const char *service, *method, *content_type, *target; /* static */
    char *region, *path;
    struct buf body;
    struct error err; /* it cannot begin: its end is due */
    bool failed;
    aws_done_fn *done;
    void *arg;
};

/* ---- endpoints ---- */

const char *aws_client_check_endpoint(struct str text)
{
    static const char *const words[] = {"{service}", "{region}", NULL};

    return text.len == 0 || http_origin_is_good(text, words)
               ? NULL
               : "is not http://host:port or https://host:port ({service} and {region} may stand "
                 "in it)";
}

char *aws_client_endpoint(const struct aws_client *aws, const char *service, struct str region)
{
    struct buf b = BUF_INIT(ENDPOINT_MAX);
    struct str rest = str_of(aws->endpoint);

    while (rest.len) {
        if (str_starts(rest, STR("{service}"))) {
            buf_append_str(&b, str_of(service));
            rest = str_sub(rest, 9, rest.len);
        } else if (str_starts(rest, STR("{region}"))) {
            buf_append_str(&b, region);
            rest = str_sub(rest, 8, rest.len);
        } else {
            buf_append_char(&b, rest.ptr[0]);
            rest = str_sub(rest, 1, rest.len);
        }
    }
    return buf_take(&b);
}

/* ---- ends ---- */

static void call_free(struct call *call)
{
    list_remove(&call->node);
    free(call->region);
    free(call->path);
    buf_done(&call->body);
    free(call);
}

static void start_next(struct aws_client *aws);

static void call_end(struct call *call, struct str body, const struct error *err)
{
    struct aws_client *aws = call->aws;

    aws->count--;
    list_remove(&call->node);
    start_next(aws);
    call->done(body, err, call->arg);
    call_free(call);
}

static bool is_code_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_';
}

/* The service's own name of the error: __type of JSON, <Code> of XML; "" when there is none. */
static void read_code(struct str body, char ret[CODE_MAX])
{
    CLEANUP(freep) char *text = str_dup(body);
    cJSON *json = cJSON_Parse(text);
    const char *at = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "__type"));
    const char *hash = at ? strchr(at, '#') : NULL;
    size_t n = 0;

    if (hash)
        at = hash + 1;
    if (!at) {
        at = strstr(text, "<Code>");
        at = at ? at + 6 : "";
    }
    while (n < CODE_MAX - 1 && is_code_char(at[n])) {
        ret[n] = at[n];
        n++;
    }
    ret[n] = '\0';
    cJSON_Delete(json);
}

static void on_done(int status, struct str body, const struct error *err, void *arg)
{
    struct call *call = arg;
    char code[CODE_MAX];
    struct error own;

    if (!err && (status < 200 || status > 299)) {
        read_code(body, code);
        error_set(&own, ERR_BAD_REQUEST, "%s answers %d%s%s", call->service, status,
                  code[0] ? " " : "", code);
        err = &own;
    }
    call_end(call, body, err);
}

static void on_cannot_start(void *arg)
{
    struct call *call = arg;

    if (call->aws)
        call_end(call, STR_NULL, &call->err);
    else
        call_free(call);
}

/* ---- the call ---- */

/* The headers of a signed request, "Name: value"; NULL-terminated. */
static int make_headers(const struct call *call, const char *host, char *headers[HEADERS_MAX],
                        struct error *err)
{
    const struct aws_client *aws = call->aws;
    struct sigv4_header given[] = {{STR("host"), str_of(host)},
                                   {STR("content-type"), str_of(call->content_type)},
                                   {STR("x-amz-target"), str_of(call->target)}};
    const struct sigv4_request req = {.method = str_of(call->method),
                                      .path = str_of(call->path),
                                      .query = STR(""),
                                      .headers = given,
                                      .header_count = call->target ? 3 : 2,
                                      .body = buf_str(&call->body)};
    const struct sigv4_credentials who = {str_of(aws->access_key), str_of(aws->secret), STR_NULL};
    struct sigv4_signed sig;
    size_t i, n = 0;
    int r;

    for (i = 0; i < req.header_count; i++)
        headers[n++] = str_printf("%.*s: %.*s", STR_ARG(given[i].name), STR_ARG(given[i].value));
    if (!aws->access_key[0])
        return 0;
    r = sigv4_sign(&req, &who, str_of(call->region), str_of(call->service), wall_ms() / 1000, &sig,
                   err);
    if (r < 0)
        return r;
    for (i = 0; i < sig.count; i++)
        headers[n++] =
            str_printf("%.*s: %.*s", STR_ARG(sig.headers[i].name), STR_ARG(sig.headers[i].value));
    sigv4_signed_done(&sig);
    return 0;
}

static void start(struct call *call)
{
    struct aws_client *aws = call->aws;
    CLEANUP(freep)
    char *endpoint = aws_client_endpoint(aws, call->service, str_of(call->region));
    CLEANUP(freep) char *host = http_origin_host(str_of(endpoint));
    CLEANUP(freep) char *url = str_printf("%s%s", endpoint, call->path);
    char *headers[HEADERS_MAX] = {NULL};
    struct http_call_options options = {.method = call->method,
                                        .url = url,
                                        .unix_socket = aws->unix_socket,
                                        .headers = (const char *const *)headers,
                                        .body = buf_str(&call->body),
                                        .timeout_us = aws->timeout_us,
                                        .body_max = ANSWER_MAX};
    size_t i;

    aws->count++;
    list_append(&aws->running, &call->node);
    if (make_headers(call, host, headers, &call->err) == 0) {
        http_call(aws->http, &options, on_done, call);
    } else {
        call->failed = true;
        loop_defer(aws->loop, on_cannot_start, call);
    }
    for (i = 0; headers[i]; i++)
        free(headers[i]);
}

static void start_next(struct aws_client *aws)
{
    struct call *call;

    while (aws->count < AWS_CALLS_AT_ONCE &&
           (call = LIST_FIRST(&aws->waiting, struct call, node))) {
        list_remove(&call->node);
        start(call);
    }
}

void aws_client_call(struct aws_client *aws, const struct aws_call_options *options,
                     aws_done_fn *done, void *arg)
{
    struct call *call = calloc(1, sizeof(*call));

    if (!call)
        abort();
    call->aws = aws;
    call->service = options->service;
    call->method = options->method;
    call->content_type = options->content_type;
    call->target = options->target;
    call->region = str_dup(options->region);
    call->path = str_dup(options->path);
    call->body = BUF_INIT(options->body.len);
    buf_append_str(&call->body, options->body);
    call->done = done;
    call->arg = arg;
    list_append(&aws->waiting, &call->node);
    start_next(aws);
}

/* ---- life ---- */

struct aws_client *aws_client_new(const struct aws_client_options *options)
{
    struct aws_client *aws = calloc(1, sizeof(*aws));
    struct str endpoint = str_of(options->endpoint);

    if (!aws)
        abort();
    if (str_ends(endpoint, STR("/")))
        endpoint.len--;
    aws->loop = options->loop;
    aws->http = http_client_new(options->loop);
    aws->endpoint = str_dup(endpoint);
    aws->access_key = str_dup(str_of(options->access_key));
    aws->secret = str_dup(options->secret);
    aws->unix_socket = options->unix_socket ? str_dup(str_of(options->unix_socket)) : NULL;
    aws->timeout_us = options->timeout_us;
    list_init(&aws->waiting);
    list_init(&aws->running);
    return aws;
}

static void end_all(struct list_node *calls)
{
    struct error err;
    struct call *call;

    error_set(&err, ERR_CLOSED, "the controller ends");
    while ((call = LIST_FIRST(calls, struct call, node))) {
        list_remove(&call->node);
        call->done(STR_NULL, &err, call->arg);
        if (call->failed)
            call->aws = NULL; /* freed by the end that is due */
        else
            call_free(call);
    }
}

void aws_client_free(struct aws_client *aws)
{
    if (!aws)
        return;
    http_client_free(aws->http);
    end_all(&aws->waiting);
    end_all(&aws->running);
    explicit_bzero(aws->secret, strlen(aws->secret));
    free(aws->endpoint);
    free(aws->access_key);
    free(aws->secret);
    free(aws->unix_socket);
    free(aws);
}
