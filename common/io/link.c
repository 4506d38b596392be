/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/link.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/io/link_internal.h"

_Static_assert(LINK_HEAD_MAX == LINK_FRAME_HEAD_MAX, "the API and the wire agree");

int link_address_parse(const char *address, struct sockaddr_un *ret, struct error *err)
{
    static const char scheme[] = "unix:";
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len;

    if (strncmp(address, scheme, sizeof(scheme) - 1) != 0)
        return error_set(err, ERR_CONFIG, "link address %s: must be unix:/path", address);
    address += sizeof(scheme) - 1;
    len = strlen(address);
    if (len == 0 || len >= sizeof(un.sun_path))
        return error_set(err, ERR_CONFIG, "link address unix:%s: the path must have 1 to %zu bytes",
                         address, sizeof(un.sun_path) - 1);
    memcpy(un.sun_path, address, len);
    *ret = un;
    return 0;
}

static void on_timer(void *arg);

struct link *link_new(struct loop *loop, const struct link_hello *me, const struct link_ops *ops,
                      void *arg, bool connects)
{
    struct link *link = malloc(sizeof(*link));

    if (!link)
        abort();
    memset(link, 0, offsetof(struct link, read_buf));
    link->loop = loop;
    link->refs = 1;
    link->me = *me;
    link->ops = ops;
    link->arg = arg;
    link->backoff_us = LINK_BACKOFF_MIN_US;
    list_init(&link->node);
    timer_init(&link->timer, loop, on_timer, link);
    link_streams_init(link, connects);
    list_init(&link->dependents);
    buf_init(&link->out, LINK_OUT_MAX);
    buf_init(&link->inflight, LINK_OUT_MAX);
    link_parser_init(&link->parser);
    return link;
}

void link_unref(struct link *link)
{
    if (--link->refs > 0)
        return;
    link_streams_done(link);
    link_parser_done(&link->parser);
    buf_done(&link->out);
    buf_done(&link->inflight);
    free(link);
}

void link_enter(struct link *link)
{
    link->refs++;
    link->calling++;
}

void link_leave(struct link *link)
{
    if (--link->calling == 0)
        link_bury_dead(link);
    link_unref(link);
}

void link_add_dependent(struct link *link, struct link_dependent *dependent,
                        void (*fn)(struct link_dependent *dependent))
{
    dependent->on_dropped = fn;
    list_append(&link->dependents, &dependent->node);
}

cJSON *link_json_parse(struct str bytes)
{
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(bytes.ptr, bytes.len, &end, false);

    if (json && end != bytes.ptr + bytes.len) {
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

/* ---- greeting */

static void send_hello(struct link *link)
{
    CLEANUP(buf_done) struct buf head = BUF_INIT(LINK_FRAME_HELLO_MAX);
    struct link_frame frame = {.type = LINK_FRAME_HELLO};

    /* it fits: role and id are short even when each byte is escaped */
    (void)buf_printf(&head, "{\"protocol\":%d,\"min\":%d,\"role\":\"", LINK_PROTOCOL,
                     LINK_PROTOCOL_MIN);
    (void)buf_append_json(&head, str_of(link->me.role));
    (void)buf_append_str(&head, STR("\",\"id\":\""));
    (void)buf_append_json(&head, str_of(link->me.id));
    (void)buf_append_str(&head, link->me.says_leader ? STR("\",\"says_leader\":true}") : STR("\"}"));
    frame.head_len = (uint32_t)head.len;
    link_transmit(link, &frame, buf_str(&head), STR_NULL);
}

void link_greet(struct link *link)
{
    link->state = LINK_GREETING;
    timer_start(&link->timer, LINK_GREETING_US);
    link_read_start(link);
    send_hello(link);
}

/* A whole number of 1 to a million, else 0. */
static int hello_number(const cJSON *hello, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(hello, name);

    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 1 && item->valuedouble <= 1e6) ||
        item->valuedouble != (double)item->valueint)
        return 0;
    return item->valueint;
}

static bool hello_text(const cJSON *hello, const char *name, char *ret, size_t size)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(hello, name);
    size_t len;

    if (!cJSON_IsString(item))
        return false;
    len = strlen(item->valuestring);
    if (len >= size)
        return false;
    memcpy(ret, item->valuestring, len + 1);
    return true;
}

static int read_hello(struct str head, struct link_hello *ret, struct error *err)
{
    cJSON *hello = link_json_parse(head);
    int best = hello_number(hello, "protocol"), least = hello_number(hello, "min");
    int r = 0;

    if (best == 0 || least == 0 || least > best ||
        !hello_text(hello, "role", ret->role, sizeof(ret->role)) ||
        !hello_text(hello, "id", ret->id, sizeof(ret->id)))
        r = error_set(err, ERR_PROTOCOL, "the peer's greeting makes no sense");
    else if (least > LINK_PROTOCOL || best < LINK_PROTOCOL_MIN)
        r = error_set(err, ERR_PROTOCOL,
                      "the peer (%s %s) speaks protocol %d to %d, we speak %d to %d", ret->role,
                      ret->id, least, best, LINK_PROTOCOL_MIN, LINK_PROTOCOL);
    ret->says_leader = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(hello, "says_leader"));
    cJSON_Delete(hello);
    return r;
}

int link_take_hello(struct link *link, struct str head, struct error *err)
{
    int r = read_hello(head, &link->peer, err);

    if (r < 0) {
        /* nobody is told of a link that never was up, and no retry mends this; said once a link */
        if (strcmp(link->why.msg, err->msg) != 0)
            log_warn("link", "greeting refused", KV_ERR(err));
        return r;
    }
    link->state = LINK_UP;
    link->backoff_us = LINK_BACKOFF_MIN_US;
    link->silent_ticks = 0;
    timer_start(&link->timer, LINK_TICK_US);
    link->ops->on_up(link, &link->peer, link->arg);
    return 0;
}

/* ---- connecting, watching, breaking */

static void on_connected(uv_connect_t *req, int status)
{
    struct link *link = req->data;
    struct error why;

    if (link->state != LINK_CONNECTING)
        return; /* freed meanwhile */
    if (status < 0) {
        error_set_errno(&why, ERR_UNAVAILABLE, -status, "connecting to %s",
                        link->address.sun_path);
        link_break(link, &why);
        return;
    }
    link_greet(link);
}

void link_open_pipe(struct link *link)
{
    if (uv_pipe_init(loop_uv(link->loop), &link->pipe, 0) < 0)
        abort();
    link->pipe.data = link->connect.data = link->write.data = link;
    link->open = true;
    link->refs++; /* until on_closed() */
}

static void try_to_connect(struct link *link)
{
    link_open_pipe(link);
    link->state = LINK_CONNECTING;
    timer_start(&link->timer, LINK_GREETING_US);
    uv_pipe_connect(&link->connect, &link->pipe, link->address.sun_path, on_connected);
}

static void on_closed(uv_handle_t *handle)
{
    struct link *link = handle->data;

    link->open = false;
    if (link->state == LINK_CLOSING) {
        link->state = LINK_WAITING;
        timer_start(&link->timer, link->backoff_us);
        link->backoff_us *= 2;
        if (link->backoff_us > LINK_BACKOFF_MAX_US)
            link->backoff_us = LINK_BACKOFF_MAX_US;
    }
    link_unref(link);
}

/* The end of the turn in which the link broke. */
static void on_broken(void *arg)
{
    struct link *link = arg;

    link_enter(link);
    if (link->state == LINK_BROKEN)
        link_streams_reset_all(link, &link->why);
    if (link->state == LINK_BROKEN && link->was_up)
        link->ops->on_down(link, &link->why, link->arg);
    if (link->state == LINK_BROKEN) {
        if (link->server) {
            link_free(link); /* an accepted link is ours to free */
        } else {
            buf_clear(&link->out);
            link_parser_done(&link->parser);
            link_parser_init(&link->parser);
            link->state = LINK_CLOSING;
            uv_close((uv_handle_t *)&link->pipe, on_closed);
        }
    }
    link_leave(link);
    link_unref(link);
}

void link_break(struct link *link, const struct error *why)
{
    if (link->state < LINK_CONNECTING || link->state > LINK_UP)
        return;
    log_debug("link", "broken", KV_STR("peer", link->peer.id), KV_ERR(why));
    link->was_up = link->state == LINK_UP;
    link->why = *why;
    link->state = LINK_BROKEN;
    timer_stop(&link->timer);
    uv_read_stop((uv_stream_t *)&link->pipe);
    link->refs++;
    loop_defer(link->loop, on_broken, link);
}

/* Counts ticks, not time: after a stop of our own (a debugger, a paused machine) the first tick
 * comes before the bytes that wait for us are read. */
void link_tick(struct link *link)
{
    struct link_frame ping = {.type = LINK_FRAME_PING};
    struct error why;

    link->silent_ticks = link->heard ? 0 : link->silent_ticks + 1;
    link->heard = false;
    if (link->silent_ticks > LINK_DEAD_TICKS) {
        error_set(&why, ERR_TIMEOUT, "the peer has been silent for %llu s",
                  (unsigned long long)(LINK_DEAD_US / SECONDS(1)));
        link_break(link, &why);
        return;
    }
    if (link->silent_ticks == 1)
        link_transmit(link, &ping, STR_NULL, STR_NULL);
    if (link->state == LINK_UP)
        timer_start(&link->timer, LINK_TICK_US);
}

static void on_timer(void *arg)
{
    struct link *link = arg;
    struct error why;

    if (link->state == LINK_WAITING) {
        try_to_connect(link);
    } else if (link->state == LINK_UP) {
        link_tick(link);
    } else {
        error_set(&why, ERR_TIMEOUT, "the peer does not greet");
        link_break(link, &why);
    }
}

/* ---- public */

int link_connect(struct loop *loop, const char *address, const struct link_hello *me,
                 const struct link_ops *ops, void *arg, struct link **ret, struct error *err)
{
    struct sockaddr_un un;
    struct link *link;
    int r;

    r = link_address_parse(address, &un, err);
    if (r < 0)
        return r;
    link = link_new(loop, me, ops, arg, true);
    link->address = un;
    try_to_connect(link);
    *ret = link;
    return 0;
}

struct link *link_none(struct loop *loop)
{
    static const struct link_hello nobody = {.role = ""};

    return link_new(loop, &nobody, NULL, NULL, true); /* waits, and no timer ends that */
}

void link_cut(struct link *link, const struct error *why)
{
    if (link->state == LINK_UP)
        link_break(link, why);
}

void link_free(struct link *link)
{
    struct link_dependent *dependent;

    if (!link || link->state == LINK_FREED)
        return;
    if (link->state == LINK_UP && !link->writing)
        link_flush(link); /* what waited for the end of the turn; the peer may be waiting for it */
    link->state = LINK_FREED;
    timer_stop(&link->timer);
    list_remove(&link->node);
    link_enter(link);
    link_streams_drop_all(link);
    while ((dependent = LIST_FIRST(&link->dependents, struct link_dependent, node))) {
        list_remove(&dependent->node);
        dependent->on_dropped(dependent);
    }
    link_leave(link);
    if (link->open && !uv_is_closing((uv_handle_t *)&link->pipe))
        uv_close((uv_handle_t *)&link->pipe, on_closed);
    link_unref(link);
}

bool link_is_up(const struct link *link)
{
    return link->state == LINK_UP;
}

bool link_is_silent(const struct link *link)
{
    return link->state == LINK_UP && link->silent_ticks > 1;
}

void link_set_user(struct link *link, void *user)
{
    link->user = user;
}

void *link_user(const struct link *link)
{
    return link->user;
}
