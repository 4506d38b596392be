/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/containerd.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/io/registry_auth.h"
#include "common/proto/grpc_frame.h"
#include "common/proto/registry_refusal.h"

#define CRI "/runtime.v1.ImageService/"
#define IMAGES "/containerd.services.images.v1.Images/"
#define CONTENT "/containerd.services.content.v1.Content/"
#define SNAPSHOTS "/containerd.services.snapshots.v1.Snapshots/"
#define INTROSPECTION "/containerd.services.introspection.v1.Introspection/"

#define REQUEST_MAX 65536u
#define ANSWER_MAX (8u << 20) /* bytes: lists of snapshots are the longest */
#define CONTENT_MAX (4u << 20)
#define QUESTION_TIMEOUT_US SECONDS(30)
/* A pull tells nothing while it runs; containerd 1.7 and later end one that stands still. */
#define PULL_TIMEOUT_US MINUTES(15)

struct containerd {
    struct http_client *http;
    char *socket, *auth_file, *snapshotter;
    bool away; /* and it was said */
    struct list_node calls;
};

struct containerd_call {
    struct containerd *c;
    struct http_call *http;
    bool is_content, is_pull, is_cri;
    struct error failure; /* of a call to CRI, while containerd is asked whether there is one */
    containerd_done_fn *done;
    void *arg;
    struct list_node node;
};

static void call_free(struct containerd_call *call)
{
    list_remove(&call->node);
    free(call);
}

static void note_away(struct containerd *c, const struct error *err)
{
    if (!c->away)
        log_warn("images", "containerd does not answer: nothing can be pulled until it does",
                 KV_ERR(err));
    c->away = true;
}

static void note_back(struct containerd *c)
{
    if (c->away)
        log_info("images", "containerd answers again", KV_STR("socket", c->socket));
    c->away = false;
}

/*
 * A service that is not there refuses a question as soon as it has read its head. When the rest
 * leaves us after that, libcurl (7.88) drops the refusal: the stream just breaks off.
 */
static bool may_lack_cri(const struct containerd_call *call, const struct error *http_err)
{
    return call->is_cri && http_err && http_err->code == ERR_PROTOCOL;
}

/* How it went, in words that name the socket where that helps. */
static int check(struct containerd_call *call, const struct error *http_err, struct error *err)
{
    const struct str status = http_call_header(call->http, "grpc-status");
    const bool refused = status.len && !str_is(status, "0");
    int r;

    if (http_err && !refused) { /* having refused, the server may reset the stream at once */
        *err = *http_err;
        if (err->code == ERR_PROTOCOL) /* the connection broke off */
            err->code = ERR_UNAVAILABLE;
        r = error_wrap(err, -(int)err->code, "containerd at %s", call->c->socket);
        if (r == -ERR_UNAVAILABLE && !may_lack_cri(call, http_err))
            note_away(call->c, err);
        return r;
    }
    note_back(call->c);
    r = grpc_status_check(status, http_call_header(call->http, "grpc-message"), err);
    if (r < 0 && call->is_pull) {
        err->code = registry_refusal_code(err->msg, err->code);
        r = -(int)err->code;
    }
    return r;
}

/*
 * The messages of an answer behind one another: repeated fields of several messages are those of
 * one that has them all; of content, what is in them.
 */
static int join(struct containerd_call *call, struct str frames, struct buf *ret, struct error *err)
{
    struct str message;
    int r, full = 0;

    while ((r = grpc_frame_next(&frames, &message)) > 0 && full == 0)
        full = buf_append_str(ret, call->is_content ? containerd_get_content(message) : message);
    if (full < 0)
        return error_set(err, ERR_TOO_LARGE, "more than %zu bytes", ret->max);
    return r < 0 ? error_set(err, ERR_PROTOCOL, "containerd's answer is cut off") : 0;
}

static void deliver(struct containerd_call *call, struct str answer, const struct error *err)
{
    containerd_done_fn *done = call->done;
    void *arg = call->arg;

    call_free(call);
    done(answer, err, arg);
}

/* Sends @message. */
static void send_to(struct containerd_call *call, const char *method, const struct buf *message,
                    uint64_t timeout_us, http_done_fn *done)
{
    static const char *const headers[] = {"Content-Type: application/grpc", "TE: trailers",
                                          "containerd-namespace: k8s.io", NULL};
    CLEANUP(freep) char *url = str_printf("http://containerd%s", method);
    CLEANUP(buf_done) struct buf frame = BUF_INIT(REQUEST_MAX + 16);

    if (grpc_frame_put(&frame, buf_str(message)) < 0)
        abort();
    call->http = http_call(call->c->http,
                           &(struct http_call_options){.method = "POST",
                                                       .url = url,
                                                       .unix_socket = call->c->socket,
                                                       .headers = headers,
                                                       .body = buf_str(&frame),
                                                       .timeout_us = timeout_us,
                                                       .body_max = ANSWER_MAX,
                                                       .keep_head = true,
                                                       .http2 = true},
                           done, call);
    if (frame.len)
        explicit_bzero(frame.ptr, frame.len);
}

/* ---- a containerd without CRI: packages of Docker's come so */

static void on_plugins(int status, struct str body, const struct error *http_err, void *arg)
{
    struct containerd_call *call = arg;
    CLEANUP(buf_done) struct buf answer = BUF_INIT(ANSWER_MAX);
    struct containerd_plugin cri;
    struct error failure = call->failure, err;

    (void)status;
    if (check(call, http_err, &err) == 0 && join(call, body, &answer, &err) == 0 &&
        containerd_get_plugin(buf_str(&answer), &cri) == 0) {
        if (!cri.is_there)
            error_set(&failure, ERR_INTERNAL,
                      "containerd at %s lacks a service (runtime.v1.ImageService); is \"cri\" among "
                      "the disabled_plugins in its config.toml?",
                      call->c->socket);
        else if (cri.failure.len)
            error_set(&failure, ERR_INTERNAL,
                      "the plugin \"cri\" of containerd at %s did not start: %.*s", call->c->socket,
                      cri.failure.len > 300 ? 300 : (int)cri.failure.len, cri.failure.ptr);
    }
    deliver(call, STR_NULL, &failure);
}

static void look_for_cri(struct containerd_call *call, const struct error *err)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(REQUEST_MAX);

    call->failure = *err;
    call->is_cri = false;
    (void)containerd_put_plugin(&message, STR("io.containerd.grpc.v1"), STR("cri"));
    send_to(call, INTROSPECTION "Plugins", &message, QUESTION_TIMEOUT_US, on_plugins);
}

/* ---- calls */

static void on_answer(int status, struct str body, const struct error *http_err, void *arg)
{
    struct containerd_call *call = arg;
    CLEANUP(buf_done)
    struct buf answer = BUF_INIT(call->is_content ? CONTENT_MAX : ANSWER_MAX);
    struct error err;
    int r = check(call, http_err, &err);

    (void)status; /* 200 as a rule; what counts is in the trailers */
    if (may_lack_cri(call, http_err) || (call->is_cri && r == -ERR_NO_OPERATION)) {
        look_for_cri(call, &err);
        return;
    }
    if (r == 0)
        r = join(call, body, &answer, &err);
    deliver(call, buf_str(&answer), r < 0 ? &err : NULL);
}

/* Sends @message, which has room for all that can be in it. */
static struct containerd_call *call_new(struct containerd *c, const char *method,
                                        const struct buf *message, uint64_t timeout_us,
                                        containerd_done_fn *done, void *arg)
{
    struct containerd_call *call = calloc(1, sizeof(*call));

    if (!call)
        abort();
    call->c = c;
    call->is_cri = str_starts(str_of(method), STR(CRI));
    call->done = done;
    call->arg = arg;
    list_append(&c->calls, &call->node);
    send_to(call, method, message, timeout_us, on_answer);
    return call;
}

struct containerd_call *containerd_pull(struct containerd *c, const char *reference,
                                        struct str host, containerd_done_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(REQUEST_MAX);
    struct containerd_auth auth;
    struct registry_auth known;
    struct containerd_call *call;
    bool has_auth = registry_auth_load(c->auth_file, host, &known);

    if (has_auth)
        auth = (struct containerd_auth){.username = str_of(known.username),
                                        .password = str_of(known.password),
                                        .identity_token = str_of(known.identity_token),
                                        .registry_token = str_of(known.registry_token)};
    if (containerd_put_pull(&message, str_of(reference), has_auth ? &auth : NULL) < 0) {
        buf_clear(&message); /* credentials of 64 KiB: without them the registry refuses */
        (void)containerd_put_pull(&message, str_of(reference), NULL);
    }
    if (has_auth)
        registry_auth_done(&known);
    call = call_new(c, CRI "PullImage", &message, PULL_TIMEOUT_US, done, arg);
    call->is_pull = true;
    if (message.len)
        explicit_bzero(message.ptr, message.len);
    return call;
}

struct containerd_call *containerd_image_status(struct containerd *c, const char *name,
                                                containerd_done_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(REQUEST_MAX);

    (void)containerd_put_image_status(&message, str_of(name));
    return call_new(c, CRI "ImageStatus", &message, QUESTION_TIMEOUT_US, done, arg);
}

struct containerd_call *containerd_image_get(struct containerd *c, const char *name,
                                             containerd_done_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(REQUEST_MAX);

    (void)containerd_put_image_get(&message, str_of(name));
    return call_new(c, IMAGES "Get", &message, QUESTION_TIMEOUT_US, done, arg);
}

struct containerd_call *containerd_read(struct containerd *c, const char *digest,
                                        containerd_done_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(REQUEST_MAX);
    struct containerd_call *call;

    (void)containerd_put_read(&message, str_of(digest));
    call = call_new(c, CONTENT "Read", &message, QUESTION_TIMEOUT_US, done, arg);
    call->is_content = true;
    return call;
}

struct containerd_call *containerd_view(struct containerd *c, const char *key, const char *parent,
                                        const struct str *labels, size_t labels_len,
                                        containerd_done_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(REQUEST_MAX);

    (void)containerd_put_view(&message, str_of(c->snapshotter), str_of(key), str_of(parent), labels,
                              labels_len);
    return call_new(c, SNAPSHOTS "View", &message, QUESTION_TIMEOUT_US, done, arg);
}

struct containerd_call *containerd_remove(struct containerd *c, const char *key,
                                          containerd_done_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(REQUEST_MAX);

    (void)containerd_put_remove(&message, str_of(c->snapshotter), str_of(key));
    return call_new(c, SNAPSHOTS "Remove", &message, QUESTION_TIMEOUT_US, done, arg);
}

struct containerd_call *containerd_list(struct containerd *c, const char *filter,
                                        containerd_done_fn *done, void *arg)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(REQUEST_MAX);

    (void)containerd_put_list(&message, str_of(c->snapshotter), str_of(filter));
    return call_new(c, SNAPSHOTS "List", &message, QUESTION_TIMEOUT_US, done, arg);
}

/* ---- life */

void containerd_call_cancel(struct containerd_call *call)
{
    http_call_cancel(call->http);
    call_free(call);
}

struct containerd *containerd_new(const struct containerd_options *options)
{
    struct containerd *c = calloc(1, sizeof(*c));
    struct str socket = str_of(options->socket);

    if (!c)
        abort();
    if (str_starts(socket, STR("unix://")))
        socket = str_sub(socket, 7, socket.len);
    c->http = options->http;
    c->socket = str_dup(socket);
    c->auth_file = str_dup(str_of(options->auth_file));
    c->snapshotter = str_dup(str_of(options->snapshotter));
    list_init(&c->calls);
    return c;
}

void containerd_free(struct containerd *c)
{
    struct containerd_call *call;

    if (!c)
        return;
    while ((call = LIST_FIRST(&c->calls, struct containerd_call, node)))
        containerd_call_cancel(call);
    free(c->socket);
    free(c->auth_file);
    free(c->snapshotter);
    free(c);
}
