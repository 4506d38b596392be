/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/docker_request.h"

#include <string.h>

#include "common/base/alloc.h"
#include "common/base/clock.h"

#define ANSWER_MAX (16u << 20) /* bytes: lists of containers are the longest */
#define LINE_MAX_BYTES (1u << 20)
#define HEAD_MAX 4096
#define API_MINOR 41
#define VERSION_TIMEOUT_US SECONDS(10)

struct docker_call {
    struct docker *docker;
    struct http_call *http; /* NULL while it waits for the version */
    char *method, *path, *body, *header;
    size_t body_len;
    uint64_t timeout_us;
    docker_json_fn *json_done;
    docker_done_fn *done;
    void (*on_line)(struct str line, void *arg);
    void (*on_cancel)(void *arg);
    void *arg;
    struct buf line; /* on_line: what has come of the next one */
    struct buf head; /* on_line: how the answer begins, in case it is an error's */
    bool line_too_long;
    bool *ret_freed; /* set while callbacks run that may free the call */
    struct list_node node;
};

static void call_free(struct docker_call *call)
{
    if (call->ret_freed)
        *call->ret_freed = true;
    list_remove(&call->node);
    free(call->method);
    free(call->path);
    free(call->body);
    if (call->header)
        explicit_bzero(call->header, strlen(call->header));
    free(call->header);
    buf_done(&call->line);
    buf_done(&call->head);
    free(call);
}

static void encode(struct buf *b, struct str s, const char *keep)
{
    size_t i;
    char c;

    for (i = 0; i < s.len; i++) {
        c = s.ptr[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c && strchr(keep, c)))
            buf_append_char(b, c);
        else
            buf_printf(b, "%%%02X", (unsigned char)c);
    }
}

void docker_encode(struct buf *b, struct str s)
{
    encode(b, s, "-._~");
}

void docker_encode_path(struct buf *b, struct str s)
{
    encode(b, s, "-._~/:@");
}

enum error_code docker_status_code(int status)
{
    switch (status) {
    case 304:
    case 409:
        return ERR_CONFLICT;
    case 400:
        return ERR_BAD_REQUEST;
    case 401:
    case 403:
        return ERR_ACCESS_DENIED;
    case 404:
        return ERR_NOT_FOUND;
    case 503:
        return ERR_UNAVAILABLE;
    default:
        return ERR_INTERNAL;
    }
}

/* The engine's own words for a status that is not a success. */
static void status_error(int status, struct str body, struct error *err)
{
    cJSON *json = cJSON_ParseWithLength(body.ptr ? body.ptr : "", body.len);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "message"));

    if (text)
        error_set(err, docker_status_code(status), "%s", text);
    else
        error_set(err, docker_status_code(status), "the Docker engine answered status %d", status);
    cJSON_Delete(json);
}

/* Hands the outcome over; the call is gone afterwards. */
static void finish(struct docker_call *call, const cJSON *json, const struct error *err)
{
    docker_json_fn *json_done = call->json_done;
    docker_done_fn *done = call->done;
    void *arg = call->arg;

    call_free(call);
    if (json_done)
        json_done(json, err, arg);
    else
        done(err, arg);
}

static void on_answer(int status, struct str body, const struct error *http_err, void *arg)
{
    struct docker_call *call = arg;
    struct docker *docker = call->docker;
    struct error err;
    cJSON *json = NULL;

    call->http = NULL;
    if (http_err) {
        err = *http_err;
        error_wrap(&err, 0, "Docker engine at %s", docker->socket);
        /* whoever answers there next may be another version */
        if (err.code == ERR_UNAVAILABLE)
            docker->api_minor = 0;
        finish(call, NULL, &err);
        return;
    }
    if (status < 200 || status > 299) {
        status_error(status, call->on_line ? buf_str(&call->head) : body, &err);
        finish(call, NULL, &err);
        return;
    }
    if (body.len && call->json_done) {
        json = cJSON_ParseWithLength(body.ptr, body.len);
        if (!json) {
            error_set(&err, ERR_PROTOCOL, "the Docker engine's answer is not JSON");
            finish(call, NULL, &err);
            return;
        }
    }
    finish(call, json, NULL);
    cJSON_Delete(json);
}

/* Cuts a stream of JSON into its lines. */
static void on_chunk(struct str chunk, void *arg)
{
    struct docker_call *call = arg;
    bool freed = false;
    size_t nl;

    buf_append_str(&call->head, str_sub(chunk, 0, HEAD_MAX - call->head.len));
    call->ret_freed = &freed;
    while (chunk.len && !freed) {
        nl = str_find(chunk, '\n', 0);
        if (buf_append_str(&call->line, str_sub(chunk, 0, nl)) < 0)
            call->line_too_long = true; /* dropped as a whole: nothing of use is that long */
        if (nl == chunk.len)
            break;
        chunk = str_sub(chunk, nl + 1, chunk.len);
        if (!call->line_too_long && call->line.len) {
            struct buf line = call->line;

            buf_init(&call->line, LINE_MAX_BYTES);
            call->on_line(buf_str(&line), call->arg);
            buf_done(&line);
        } else {
            buf_clear(&call->line);
            call->line_too_long = false;
        }
    }
    if (!freed)
        call->ret_freed = NULL;
}

static void send_call(struct docker_call *call)
{
    struct docker *docker = call->docker;
    CLEANUP(freep) char *url = str_printf("http://docker/v1.%d%s", docker->api_minor, call->path);
    const char *headers[3] = {NULL};
    struct http_call_options o = {
        .method = call->method,
        .url = url,
        .unix_socket = docker->socket,
        .headers = headers,
        .body = str_from(call->body, call->body_len),
        .timeout_us = call->timeout_us,
        .body_max = ANSWER_MAX,
        .on_chunk = call->on_line ? on_chunk : NULL,
    };
    size_t n = 0;

    if (call->body_len)
        headers[n++] = "Content-Type: application/json";
    if (call->header)
        headers[n++] = call->header;
    call->http = http_call(docker->http, &o, on_answer, call);
}

/* ---- the version */

/* "1.41" to 41; -1 when it is not 1.x. */
static int minor_of(const cJSON *json, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
    struct str s = str_of(text);
    uint64_t n;

    if (!str_starts(s, STR("1.")) || str_parse_u64(str_sub(s, 2, s.len), &n) < 0 || n > 9999)
        return -1;
    return (int)n;
}

static int choose_version(struct str body, int *ret_minor, struct error *err)
{
    cJSON *json = cJSON_ParseWithLength(body.ptr ? body.ptr : "", body.len);
    int newest = minor_of(json, "ApiVersion"), least = minor_of(json, "MinAPIVersion");

    cJSON_Delete(json);
    if (newest < 0)
        return error_set(err, ERR_PROTOCOL, "the Docker engine does not tell its API version");
    if (newest < API_MINOR)
        return error_set(
            err, ERR_UNSUPPORTED,
            "the Docker engine speaks API 1.%d; 1.%d (Docker 20.10) or later is needed", newest,
            API_MINOR);
    *ret_minor = least > API_MINOR ? least : API_MINOR;
    return 0;
}

static void on_version(int status, struct str body, const struct error *http_err, void *arg)
{
    struct docker *docker = arg;
    struct list_node waiting;
    struct docker_call *call;
    struct error err;
    int r = 0;

    docker->negotiation = NULL;
    if (http_err) {
        err = *http_err;
        r = error_wrap(&err, -(int)err.code, "Docker engine at %s", docker->socket);
    } else if (status != 200) {
        status_error(status, body, &err);
        r = -(int)err.code;
    } else {
        r = choose_version(body, &docker->api_minor, &err);
    }
    /* set aside: callbacks may make new calls, which wait for the next try */
    list_init(&waiting);
    while ((call = LIST_FIRST(&docker->calls, struct docker_call, node))) {
        list_remove(&call->node);
        list_append(&waiting, &call->node);
    }
    while ((call = LIST_FIRST(&waiting, struct docker_call, node))) {
        list_remove(&call->node);
        list_append(&docker->calls, &call->node);
        if (call->http)
            continue;
        if (r < 0)
            finish(call, NULL, &err);
        else
            send_call(call);
    }
}

static void negotiate(struct docker *docker)
{
    const struct http_call_options o = {
        .method = "GET",
        .url = "http://docker/version",
        .unix_socket = docker->socket,
        .timeout_us = VERSION_TIMEOUT_US,
        .body_max = ANSWER_MAX,
    };

    if (!docker->negotiation)
        docker->negotiation = http_call(docker->http, &o, on_version, docker);
}

/* ---- */

struct docker_call *docker_request(struct docker *docker, const struct docker_request *rq)
{
    struct docker_call *call = xcalloc(sizeof(*call));

    call->docker = docker;
    call->method = str_dup(str_of(rq->method));
    call->path = str_dup(str_of(rq->path));
    call->body = str_dup(rq->body);
    call->body_len = rq->body.len;
    call->header = rq->header ? str_dup(str_of(rq->header)) : NULL;
    call->timeout_us = rq->timeout_us;
    call->json_done = rq->json_done;
    call->done = rq->done;
    call->on_line = rq->on_line;
    call->on_cancel = rq->on_cancel;
    call->arg = rq->arg;
    buf_init(&call->line, LINE_MAX_BYTES);
    buf_init(&call->head, HEAD_MAX);
    list_append(&docker->calls, &call->node);
    if (docker->api_minor)
        send_call(call);
    else
        negotiate(docker);
    return call;
}

void docker_call_cancel(struct docker_call *call)
{
    void (*on_cancel)(void *arg) = call->on_cancel;
    void *arg = call->arg;

    if (call->http)
        http_call_cancel(call->http);
    call_free(call);
    if (on_cancel)
        on_cancel(arg);
}

struct docker *docker_new(const struct docker_options *options)
{
    struct docker *docker = xcalloc(sizeof(*docker));
    struct str socket = str_of(options->socket);

    if (str_starts(socket, STR("unix://")))
        socket = str_sub(socket, 7, socket.len);
    docker->loop = options->loop;
    docker->http = options->http;
    docker->socket = str_dup(socket);
    docker->auth_file = str_dup(str_of(options->auth_file));
    list_init(&docker->calls);
    list_init(&docker->events);
    return docker;
}

void docker_free(struct docker *docker)
{
    struct docker_events *events;
    struct docker_call *call;

    if (!docker)
        return;
    while ((events = docker_events_first(docker)))
        docker_events_free(events);
    while ((call = LIST_FIRST(&docker->calls, struct docker_call, node)))
        docker_call_cancel(call);
    if (docker->negotiation)
        http_call_cancel(docker->negotiation);
    free(docker->socket);
    free(docker->auth_file);
    free(docker);
}
