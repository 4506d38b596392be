/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl forbids to use a multi handle inside its own callbacks. So those (on_socket, on_timer,
 * on_body) only take notes: what arrived is kept in the call, and users' callbacks run afterwards,
 * in deliver(), at the end of the loop's turn. There they may start and cancel calls.
 */
#include "common/io/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "common/base/alloc.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/version.h"

/* Time to connect when the call itself has no end. */
#define CONNECT_TIMEOUT_MS 10000L
/* Between two deliveries libcurl reads a bounded amount; more than this is a bug, not a peer. */
#define CHUNK_MAX (16u << 20)
#define HEAD_MAX 65536u

struct http_client {
    struct loop *loop;
    CURLM *multi;
    struct timer timer;
    struct list_node calls; /* those that run */
    struct list_node news; /* those with chunks or an end to deliver, in order */
    struct list_node sockets;
    bool deliver_is_due;
    bool dead; /* freed while a delivery was due */
};

struct http_call {
    struct http_client *client;
    CURL *easy; /* NULL once it has ended */
    struct curl_slist *headers;
    char *request_body;
    http_done_fn *done;
    void (*on_chunk)(struct str chunk, void *arg);
    void *arg;
    struct buf body; /* of the answer; with on_chunk what is not delivered yet */
    struct buf head; /* lines of the answer's head and trailers, when they are to be kept */
    bool too_large, ended;
    CURLcode result;
    int status;
    char curl_error[CURL_ERROR_SIZE];
    struct list_node node; /* in client->calls */
    struct list_node news_node; /* in client->news */
};

struct client_socket {
    struct http_client *client;
    struct watch *watch;
    struct list_node node;
};

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* ---- the end of a call */

static void call_free(struct http_call *call)
{
    if (call->easy) {
        curl_multi_remove_handle(call->client->multi, call->easy);
        curl_easy_cleanup(call->easy);
    }
    curl_slist_free_all(call->headers);
    free(call->request_body);
    buf_done(&call->body);
    buf_done(&call->head);
    list_remove(&call->node);
    list_remove(&call->news_node);
    free(call);
}

static void call_error(const struct http_call *call, struct error *err)
{
    const char *text = call->curl_error[0] ? call->curl_error : curl_easy_strerror(call->result);

    if (call->too_large)
        error_set(err, ERR_TOO_LARGE, "the answer is larger than %zu bytes", call->body.max);
    else if (call->result == CURLE_OPERATION_TIMEDOUT)
        error_set(err, ERR_TIMEOUT, "%s", text);
    else if (call->result == CURLE_COULDNT_CONNECT || call->result == CURLE_COULDNT_RESOLVE_HOST ||
             call->result == CURLE_SEND_ERROR || call->result == CURLE_RECV_ERROR ||
             call->result == CURLE_GOT_NOTHING)
        error_set(err, ERR_UNAVAILABLE, "%s", text);
    else
        error_set(err, ERR_PROTOCOL, "%s", text);
    if (call->result == CURLE_COULDNT_CONNECT)
        err->sys_errno = ECONNREFUSED; /* whatever it was: the request has not left us */
}

static void deliver_chunk(struct http_call *call)
{
    /* taken out first: the callback may cancel other calls, and new bytes need a place */
    struct buf chunk = call->body;

    buf_init(&call->body, CHUNK_MAX);
    call->on_chunk(buf_str(&chunk), call->arg);
    buf_done(&chunk);
}

static void deliver_end(struct http_call *call)
{
    struct error err = {0};

    if (call->result != CURLE_OK || call->too_large) {
        call_error(call, &err);
        call->done(call->status, STR_NULL, &err, call->arg);
    } else {
        call->done(call->status, buf_str(&call->body), NULL, call->arg);
    }
    call_free(call);
}

static void deliver(void *arg)
{
    struct http_client *client = arg;
    struct http_call *call;

    client->deliver_is_due = false;
    if (client->dead) {
        free(client);
        return;
    }
    while ((call = LIST_FIRST(&client->news, struct http_call, news_node))) {
        if (call->on_chunk && call->body.len > 0) {
            if (!call->ended)
                list_remove(&call->news_node);
            deliver_chunk(call);
        } else {
            /* a call in the list without a chunk has ended */
            list_remove(&call->news_node);
            deliver_end(call);
        }
    }
}

/* Users' callbacks come at the end of the turn, never from inside a call of ours or curl's. */
static void has_news(struct http_call *call)
{
    struct http_client *client = call->client;

    if (!list_is_linked(&call->news_node))
        list_append(&client->news, &call->news_node);
    if (!client->deliver_is_due) {
        client->deliver_is_due = true;
        loop_defer(client->loop, deliver, client);
    }
}

static void collect_ended(struct http_client *client)
{
    struct http_call *call;
    CURLMsg *msg;
    int left;
    long status;

    while ((msg = curl_multi_info_read(client->multi, &left))) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
        curl_easy_getinfo(msg->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        call->status = (int)status;
        call->result = msg->data.result;
        call->ended = true;
        curl_multi_remove_handle(client->multi, call->easy);
        curl_easy_cleanup(TAKE(call->easy));
        has_news(call);
    }
}

static void drive(struct http_client *client, curl_socket_t fd, int events)
{
    int running;

    curl_multi_socket_action(client->multi, fd, events, &running);
    collect_ended(client);
}

/* ---- what libcurl tells us */

static void on_ready(int fd, int events, void *arg)
{
    struct client_socket *s = arg;

    drive(s->client, fd,
          ((events & WATCH_READ) ? CURL_CSELECT_IN : 0) |
              ((events & WATCH_WRITE) ? CURL_CSELECT_OUT : 0));
}

static void socket_free(struct client_socket *s)
{
    watch_free(s->watch);
    list_remove(&s->node);
    free(s);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct http_client *client = arg;
    struct client_socket *s = socket_arg;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s)
            socket_free(s);
        curl_multi_assign(client->multi, fd, NULL);
        return 0;
    }
    if (!s) {
        s = xcalloc(sizeof(*s));
        s->client = client;
        s->watch = watch_new(client->loop, fd, on_ready, s);
        list_append(&client->sockets, &s->node);
        curl_multi_assign(client->multi, fd, s);
    }
    watch_set(s->watch, ((what & CURL_POLL_IN) ? WATCH_READ : 0) |
                            ((what & CURL_POLL_OUT) ? WATCH_WRITE : 0));
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct http_client *client = arg;

    (void)multi;
    if (timeout_ms < 0)
        timer_stop(&client->timer);
    else
        timer_start(&client->timer, MSEC(timeout_ms));
    return 0;
}

static void on_timeout(void *arg)
{
    drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

static size_t on_body(char *ptr, size_t size, size_t n, void *arg)
{
    struct http_call *call = arg;

    if (buf_append(&call->body, ptr, size * n) < 0) {
        call->too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    if (call->on_chunk)
        has_news(call);
    return size * n;
}

/* A line at a time; of what is too much the rest is left out. */
static size_t on_head(char *ptr, size_t size, size_t n, void *arg)
{
    struct http_call *call = arg;

    (void)buf_append(&call->head, ptr, size * n);
    return size * n;
}

/* ---- starting a call */

static void add_header(struct http_call *call, const char *header)
{
    call->headers = curl_slist_append(call->headers, header);
    must(call->headers != NULL);
}

static bool has_content_type(const char *const *headers)
{
    for (; headers && *headers; headers++)
        if (str_eq_nocase(str_sub(str_of(*headers), 0, 13), STR("content-type:")))
            return true;
    return false;
}

static void set_request(struct http_call *call, const struct http_call_options *o)
{
    const char *const *h;

    if (o->body.len || strcmp(o->method, "POST") == 0 || strcmp(o->method, "PUT") == 0) {
        call->request_body = str_dup(o->body);
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, call->request_body);
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->body.len);
        if (!has_content_type(o->headers))
            add_header(call, "Content-Type:"); /* libcurl's own guess would be a form's */
        add_header(call, "Expect:"); /* no extra round trip */
    }
    if (strcmp(o->method, "HEAD") == 0)
        curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, o->method);
    for (h = o->headers; h && *h; h++)
        add_header(call, *h);
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
}

static void set_transport(struct http_call *call, const struct http_call_options *o)
{
    CURL *e = call->easy;

    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
                     (long)(o->http2 ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                                     : CURL_HTTP_VERSION_1_1));
    if (o->http2) { /* libcurl 7.88 fails when it uses such a connection again */
        curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
    }
    curl_easy_setopt(e, CURLOPT_USERAGENT, "hearth/" HEARTH_VERSION);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)((o->timeout_us + 999) / 1000));
    if (o->unix_socket) {
        curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, o->unix_socket);
        curl_easy_setopt(e, CURLOPT_PROXY, ""); /* whatever the environment says */
    }
    curl_easy_setopt(e, CURLOPT_URL, o->url);
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L); /* what was signed is what is sent */
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, call->curl_error);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, call);
    if (o->keep_head) {
        curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head);
        curl_easy_setopt(e, CURLOPT_HEADERDATA, call);
    }
    curl_easy_setopt(e, CURLOPT_PRIVATE, call);
}

struct http_call *http_call(struct http_client *client, const struct http_call_options *options,
                            http_done_fn *done, void *arg)
{
    struct http_call *call = xcalloc(sizeof(*call));

    call->client = client;
    call->done = done;
    call->on_chunk = options->on_chunk;
    call->arg = arg;
    buf_init(&call->body, options->on_chunk ? CHUNK_MAX : options->body_max);
    buf_init(&call->head, HEAD_MAX);
    list_append(&client->calls, &call->node);
    list_init(&call->news_node);
    call->easy = curl_easy_init();
    must(call->easy != NULL);
    set_transport(call, options);
    set_request(call, options);
    /* this arms the timer at once; the work itself is done when it fires */
    must(curl_multi_add_handle(client->multi, call->easy) == CURLM_OK);
    return call;
}

struct str http_call_header(const struct http_call *call, const char *name)
{
    struct str rest = buf_str(&call->head), line, found = STR_NULL;
    size_t colon;

    while (rest.len && str_split(&rest, '\n', &line)) {
        colon = str_find(line, ':', 0);
        if (colon < line.len && str_eq_nocase(str_sub(line, 0, colon), str_of(name)))
            found = str_trim(str_sub(line, colon + 1, line.len));
    }
    return found;
}

void http_call_cancel(struct http_call *call)
{
    call_free(call);
}

struct http_client *http_client_new(struct loop *loop)
{
    struct http_client *client = xcalloc(sizeof(*client));

    must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    client->loop = loop;
    client->multi = curl_multi_init();
    must(client->multi != NULL);
    list_init(&client->calls);
    list_init(&client->news);
    list_init(&client->sockets);
    timer_init(&client->timer, loop, on_timeout, client);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    return client;
}

void http_client_free(struct http_client *client)
{
    struct http_call *call;
    struct client_socket *s;

    if (!client)
        return;
    while ((call = LIST_FIRST(&client->calls, struct http_call, node)))
        call_free(call);
    curl_multi_cleanup(client->multi);
    while ((s = LIST_FIRST(&client->sockets, struct client_socket, node)))
        socket_free(s);
    timer_stop(&client->timer);
    curl_global_cleanup();
    client->dead = true;
    if (!client->deliver_is_due)
        free(client);
}
