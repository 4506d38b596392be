/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/link.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/io/link_internal.h"

#define COMPLAINTS_A_SECOND 10

_Static_assert(LINK_HEAD_MAX == LINK_FRAME_HEAD_MAX, "the API and the wire agree");

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
    link_session_free(link->session);
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

/* Whether @word is one of the words of @words, which have blanks between. */
static bool is_listed(const char *words, const char *word)
{
    struct str rest = str_of(words), one;

    while (str_split(&rest, ' ', &one))
        if (str_is(one, word))
            return true;
    return false;
}

/* Whether the peer may be what it says. */
static int check_hello(const struct link *link, struct error *err)
{
    const struct link_hello *peer = &link->peer;
    bool is_joiner = strcmp(peer->role, LINK_JOINER) == 0;

    /* a joiner has no certificate: there is nothing that its id could be compared with */
    if (link->session && !is_joiner && strcmp(link->proved.role, LINK_JOINER) == 0)
        return error_set(err, ERR_ACCESS_DENIED,
                         "the peer says that it is %s %s, but shows no certificate", peer->role, peer->id);
    if (link->session && (strcmp(peer->role, link->proved.role) != 0 ||
                          (!is_joiner && !node_id_is(link->proved.id, peer->id))))
        return error_set(err, ERR_ACCESS_DENIED,
                         "the peer says that it is %s %s, but its certificate is for %s %s", peer->role,
                         peer->id, link->proved.role, link->proved.id);
    if (link->ops->peers ? !is_listed(link->ops->peers, peer->role) : is_joiner)
        return error_set(err, ERR_ACCESS_DENIED, "the peer is %s %s: the role must be %s", peer->role,
                         peer->id, link->ops->peers ? link->ops->peers : "another one");
    return 0;
}

static void count_stranger(struct link *link, bool is_stranger)
{
    if (is_stranger == link->is_stranger)
        return;
    link->is_stranger = is_stranger;
    if (is_stranger)
        link->server->strangers++;
    else
        link->server->strangers--;
}

int link_take_hello(struct link *link, struct str head, struct error *err)
{
    int r = read_hello(head, &link->peer, err);

    if (r == 0)
        r = check_hello(link, err);
    if (r < 0) {
        /* nobody is told of a link that never was up, and no retry mends this; said once a link */
        if (!link->session && strcmp(link->why.msg, err->msg) != 0)
            log_warn("link", "greeting refused", KV_ERR(err));
        return r;
    }
    if (strcmp(link->peer.role, LINK_JOINER) != 0)
        count_stranger(link, false);
    link->state = LINK_UP;
    link->backoff_us = LINK_BACKOFF_MIN_US;
    link->ticks = link->silent_ticks = 0;
    timer_start(&link->timer, LINK_TICK_US);
    link->ops->on_up(link, &link->peer, link->arg);
    return 0;
}

int link_take_certificate(struct link *link, struct error *err)
{
    if (link_session_peer(link->session, &link->proved))
        return 0;
    if (!link->server || !link->ops->peers || !is_listed(link->ops->peers, LINK_JOINER))
        return error_set(err, ERR_ACCESS_DENIED, "the peer shows no certificate");
    link->proved = (struct node_name){.role = LINK_JOINER};
    return 0;
}

/* ---- connecting, watching, breaking */

void link_begin(struct link *link)
{
    bool may_join = link->server && link->ops->peers && is_listed(link->ops->peers, LINK_JOINER);

    link_read_start(link);
    if (!link->address.is_tcp) {
        link_greet(link);
        return;
    }
    uv_tcp_nodelay(&link->tcp, 1);
    if (link->server)
        count_stranger(link, true);
    link->session = link_session_new(link->me.tls, !link->server, may_join, LINK_OUT_MAX);
    link->state = LINK_SECURING;
    timer_start(&link->timer, LINK_GREETING_US);
    link_secure(link);
}

static const char *address_text(const struct link *link, char *ret, size_t size)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(512);

    (void)link_address_write(&text, &link->address); /* it fits */
    snprintf(ret, size, "%.*s", STR_ARG(buf_str(&text)));
    return ret;
}

/* Where an accepted link comes from. */
static const char *peer_text(const struct link *link, char *ret, size_t size)
{
    struct sockaddr_storage from;
    int len = sizeof(from);

    if (uv_tcp_getpeername(&link->tcp, (struct sockaddr *)&from, &len) < 0 ||
        uv_ip_name((const struct sockaddr *)&from, ret, size) < 0)
        snprintf(ret, size, "?");
    return ret;
}

static void connect_failed(struct link *link, int sys_errno)
{
    char address[512];
    struct error why;

    error_set_errno(&why, ERR_UNAVAILABLE, sys_errno, "connecting to %s",
                    link->address.is_tcp ? address_text(link, address, sizeof(address))
                                         : link->address.path);
    link_break(link, &why);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct link *link = req->data;

    if (link->state != LINK_CONNECTING)
        return; /* freed meanwhile */
    if (status < 0)
        connect_failed(link, -status);
    else
        link_begin(link);
}

void link_open_socket(struct link *link)
{
    int r = link->address.is_tcp ? uv_tcp_init(loop_uv(link->loop), &link->tcp)
                                 : uv_pipe_init(loop_uv(link->loop), &link->pipe, 0);

    if (r < 0)
        abort();
    link->handle.data = link->connect.data = link->write.data = link;
    link->open = true;
    link->refs++; /* until on_closed() */
}

/* Each try takes the next of the host's addresses. */
static void connect_to_found(struct link *link)
{
    const struct sockaddr_storage *to = &link->found[link->tries++ % link->found_len];
    int r = uv_tcp_connect(&link->connect, &link->tcp, (const struct sockaddr *)to, on_connected);

    if (r < 0)
        connect_failed(link, -r);
}

static void on_looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
    struct link *link = req->data;
    struct addrinfo *one;
    struct error why;

    link->looking_up = false;
    link->found_len = 0;
    for (one = found; one && link->found_len < LINK_FOUND_MAX; one = one->ai_next)
        if (one->ai_addrlen <= sizeof(link->found[0]))
            memcpy(&link->found[link->found_len++], one->ai_addr, one->ai_addrlen);
    uv_freeaddrinfo(found);
    if (link->state == LINK_CONNECTING && link->found_len > 0) {
        connect_to_found(link);
    } else if (link->state == LINK_CONNECTING) {
        error_set(&why, ERR_UNAVAILABLE, "looking up the host %s: %s", link->address.host,
                  status < 0 ? uv_strerror(status) : "it has no address");
        link_break(link, &why);
    }
    link_unref(link);
}

/* Without blocking: on a thread, unless the host is a number. */
static void find_host(struct link *link)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char port[8];

    if (uv_ip4_addr(link->address.host, link->address.port, (struct sockaddr_in *)&link->found[0]) == 0 ||
        uv_ip6_addr(link->address.host, link->address.port, (struct sockaddr_in6 *)&link->found[0]) == 0) {
        link->found_len = 1;
        connect_to_found(link);
        return;
    }
    if (link->looking_up)
        return; /* an earlier try's answer serves this one */
    snprintf(port, sizeof(port), "%u", (unsigned)link->address.port);
    link->lookup.data = link;
    if (uv_getaddrinfo(loop_uv(link->loop), &link->lookup, on_looked_up, link->address.host, port,
                       &hints) < 0)
        abort();
    link->looking_up = true;
    link->refs++; /* until on_looked_up() */
}

static void try_to_connect(struct link *link)
{
    if (link->address.is_tcp && !link_tls_is_ready(link->me.tls)) {
        timer_start(&link->timer, LINK_BACKOFF_MIN_US); /* until there is a certificate */
        return;
    }
    link_open_socket(link);
    link->state = LINK_CONNECTING;
    timer_start(&link->timer, LINK_GREETING_US);
    if (link->address.is_tcp)
        find_host(link);
    else
        uv_pipe_connect(&link->connect, &link->pipe, link->address.path, on_connected);
}

static void on_closed(uv_handle_t *handle)
{
    struct link *link = handle->data;

    link->open = false;
    link_session_free(TAKE(link->session));
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
            uv_close(&link->handle, on_closed);
        }
    }
    link_leave(link);
    link_unref(link);
}

/* Nobody is told of a link that never was up. Over TCP a person may have to act: what goes wrong at
 * connecting is said once, of strangers that connect to us so often a second. */
static void complain(struct link *link, const struct error *why)
{
    struct link_server *server = link->server;
    char text[512];

    if (!server && strcmp(link->why.msg, why->msg) != 0) {
        log_warn("link", "not connected, trying again",
                 KV_STR("address", address_text(link, text, sizeof(text))), KV_ERR(why));
    } else if (server && log_limit_take(&server->complaints, COMPLAINTS_A_SECOND, now_us())) {
        log_warn("link", "connection refused", KV_STR("from", peer_text(link, text, sizeof(text))),
                 KV_ERR(why));
    }
}

void link_break(struct link *link, const struct error *why)
{
    if (link->state < LINK_CONNECTING || link->state > LINK_UP)
        return;
    if (link->address.is_tcp && link->state != LINK_UP)
        complain(link, why);
    else
        log_debug("link", "broken", KV_STR("peer", link->peer.id), KV_ERR(why));
    link->was_up = link->state == LINK_UP;
    link->why = *why;
    link->state = LINK_BROKEN;
    timer_stop(&link->timer);
    uv_read_stop(&link->stream);
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
    if (link->server && ++link->ticks >= LINK_JOINER_TICKS && strcmp(link->peer.role, LINK_JOINER) == 0) {
        error_set(&why, ERR_TIMEOUT, "a joining node took too long");
        link_break(link, &why);
        return;
    }
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
        error_set(&why, ERR_TIMEOUT, "%s",
                  link->state == LINK_CONNECTING ? "connecting takes too long"
                  : link->state == LINK_SECURING ? "the peer does not go on with TLS"
                                                 : "the peer does not greet");
        link_break(link, &why);
    }
}

/* ---- public */

int link_connect(struct loop *loop, const char *address, const struct link_hello *me,
                 const struct link_ops *ops, void *arg, struct link **ret, struct error *err)
{
    struct link_address to;
    struct link *link;
    int r;

    r = link_address_parse(str_of(address), &to, err);
    if (r < 0)
        return r;
    if (to.is_tcp && (!me->tls || to.port == 0))
        return error_set(err, ERR_CONFIG, "link address %s: %s", address,
                         me->tls ? "the port is missing" : "there is no certificate for links over TCP");
    link = link_new(loop, me, ops, arg, true);
    link->address = to;
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
    count_stranger(link, false);
    link_enter(link);
    link_streams_drop_all(link);
    while ((dependent = LIST_FIRST(&link->dependents, struct link_dependent, node))) {
        list_remove(&dependent->node);
        dependent->on_dropped(dependent);
    }
    link_leave(link);
    if (link->open && !uv_is_closing(&link->handle))
        uv_close(&link->handle, on_closed);
    if (link->looking_up)
        uv_cancel((uv_req_t *)&link->lookup); /* or its end is waited for */
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

const struct link_hello *link_peer(const struct link *link)
{
    return &link->peer;
}

bool link_is_tcp(const struct link *link)
{
    return link->address.is_tcp;
}

const char *link_proved_id(const struct link *link)
{
    return link->session ? link->proved.id : NULL;
}

bool link_local_host(const struct link *link, char *ret, size_t size)
{
    struct sockaddr_storage own;
    int len = sizeof(own);

    return link->state == LINK_UP && link->address.is_tcp &&
           uv_tcp_getsockname(&link->tcp, (struct sockaddr *)&own, &len) == 0 &&
           uv_ip_name((const struct sockaddr *)&own, ret, size) == 0;
}

void link_set_user(struct link *link, void *user)
{
    link->user = user;
}

void *link_user(const struct link *link)
{
    return link->user;
}
