/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes a living link: the input is a play of what a peer sends (legal frames, illegal ones, any
 * bytes) and of what our side does with its streams between and inside the callbacks, up to freeing
 * the link. Nothing may be touched after it is gone (the sanitizer looks), no stream may hear of
 * its end twice, and everything is closed in the end.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/io/link_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SLOTS = 8 };

struct slot {
    struct link_stream *s; /* NULL: none, or gone */
    bool ours, answered, ended, peer_ended;
    size_t held; /* bytes not consumed */
};

static struct {
    struct loop *loop;
    struct link *link; /* NULL: gone */
    struct slot slots[SLOTS];
    int peer; /* descriptor */
    const uint8_t *at, *end; /* the play */
    unsigned depth; /* of actions inside callbacks */
} f;

static char bytes[300 * 1024];

static uint8_t next(void)
{
    return f.at < f.end ? *f.at++ : 0;
}

static void act(uint8_t what);

static void act_inside(void)
{
    if (f.depth < 2) {
        f.depth++;
        act(next());
        f.depth--;
    }
}

/* ---- our side */

static void forget_if_over(struct slot *slot)
{
    if (slot->ended && slot->peer_ended)
        *slot = (struct slot){0};
}

static void on_head(struct link_stream *s, struct str head, void *arg)
{
    struct slot *slot = arg;

    assert(slot->s == s && slot->ours && head.len <= LINK_HEAD_MAX);
    act_inside();
}

static void on_data(struct link_stream *s, struct str data, void *arg)
{
    struct slot *slot = arg;

    assert(slot->s == s && !slot->peer_ended && data.len > 0);
    slot->held += data.len;
    assert(slot->held <= LINK_WINDOW);
    act_inside();
}

static void on_end(struct link_stream *s, void *arg)
{
    struct slot *slot = arg;

    assert(slot->s == s && !slot->peer_ended);
    slot->peer_ended = true;
    if (!slot->ended)
        act_inside(); /* may end it, or take its place for another */
    else
        forget_if_over(slot);
}

static void on_reset(struct link_stream *s, const struct error *why, void *arg)
{
    struct slot *slot = arg;

    assert(slot->s == s && why->code != ERR_OK);
    *slot = (struct slot){0};
    act_inside();
}

static void on_drain(struct link_stream *s, void *arg)
{
    struct slot *slot = arg;

    assert(slot->s == s);
    act_inside();
}

static const struct link_stream_ops stream_ops = {on_head, on_data, on_end, on_reset, on_drain};

static struct slot *free_slot(void)
{
    size_t i;

    for (i = 0; i < SLOTS; i++)
        if (!f.slots[i].s)
            return &f.slots[i];
    return NULL;
}

static void on_stream(struct link *link, struct link_stream *s, enum link_kind kind,
                      struct str head, void *arg)
{
    struct slot *slot = free_slot();

    (void)head;
    (void)arg;
    assert(link == f.link && (kind == LINK_CALL || kind == LINK_INVOKE));
    if (!slot)
        return;
    *slot = (struct slot){.s = s};
    link_stream_accept(s, &stream_ops, slot);
    act_inside();
}

static void on_up(struct link *link, const struct link_hello *peer, void *arg)
{
    (void)peer;
    (void)arg;
    f.link = link;
    act_inside();
}

static void on_down(struct link *link, const struct error *why, void *arg)
{
    size_t i;

    (void)arg;
    assert(link == f.link && why->code != ERR_OK);
    for (i = 0; i < SLOTS; i++)
        assert(!f.slots[i].s);
    f.link = NULL;
}

static const struct link_ops link_ops = {
    .on_up = on_up, .on_stream = on_stream, .on_down = on_down};

/* ---- the play */

static struct str some_bytes(void)
{
    return str_from(bytes, (size_t)next() * next() * 4);
}

static void act_on_slot(uint8_t what, struct slot *slot)
{
    struct str data;
    bool end;

    switch (what) {
    case 0:
        if (!slot->ended) {
            data = some_bytes();
            end = slot->ended = next() & 1;
            link_stream_send(slot->s, data, end);
            forget_if_over(slot);
        }
        return;
    case 1:
        if (!slot->ended && !slot->ours && !slot->answered) {
            data = some_bytes();
            slot->answered = true;
            end = slot->ended = next() & 1;
            link_stream_answer(slot->s, STR("answer"), data, end);
            forget_if_over(slot);
        }
        return;
    case 2:
        link_stream_consumed(slot->s, slot->held);
        slot->held = 0;
        return;
    default:
        link_stream_reset(slot->s, ERR_INTERNAL);
        *slot = (struct slot){0};
    }
}

static void peer_sends(const void *from, size_t len)
{
    (void)!send(f.peer, from, len, MSG_NOSIGNAL);
}

static void peer_sends_frame(void)
{
    const struct link_frame frame = {
        .type = (enum link_frame_type)(1 + next() % 8),
        .flags = next() & 1,
        .kind = next() % 3,
        .stream = next() % 16,
        .head_len = next() % 8,
        .data_len = (uint32_t)next() * 64,
    };
    char header[LINK_FRAME_HEADER];
    char head[8];
    size_t i;

    link_frame_write(&frame, header);
    for (i = 0; i < sizeof(head); i++)
        head[i] = (char)(frame.type == LINK_FRAME_WINDOW && i < 2 ? 0 : next());
    peer_sends(header, sizeof(header));
    peer_sends(head, frame.head_len);
    peer_sends(bytes, frame.data_len);
}

static void act(uint8_t what)
{
    struct slot *slot = &f.slots[(what >> 4) % SLOTS];
    struct str data;
    char sink[65536];

    switch (what & 15) {
    default:
        if (slot->s)
            act_on_slot(what & 3, slot);
        return;
    case 8:
        slot = free_slot();
        if (f.link && slot) {
            data = some_bytes();
            slot->ours = true;
            slot->ended = next() & 1;
            slot->s = link_open(f.link, LINK_INVOKE, STR("head"), data, slot->ended, &stream_ops,
                                slot);
            if (!slot->s)
                *slot = (struct slot){0};
        }
        return;
    case 9:
    case 10:
    case 11:
        peer_sends_frame();
        return;
    case 12:
        peer_sends(f.at, (size_t)(f.end - f.at) < 5 ? (size_t)(f.end - f.at) : 5);
        return;
    case 13:
        while (read(f.peer, sink, sizeof(sink)) > 0)
            ;
        return;
    case 14:
        if (f.depth == 0)
            uv_run(loop_uv(f.loop), UV_RUN_NOWAIT);
        return;
    case 15:
        if ((what >> 4) == 0 && f.link) {
            link_free(f.link);
            f.link = NULL;
            memset(f.slots, 0, sizeof(f.slots));
        }
        return;
    }
}

static void connect_peer(const char *address)
{
    static const char json[] = "{\"protocol\":1,\"min\":1,\"role\":\"r\",\"id\":\"\"}";
    const struct link_frame hello = {.type = LINK_FRAME_HELLO, .head_len = sizeof(json) - 1};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    char header[LINK_FRAME_HEADER];

    snprintf(un.sun_path, sizeof(un.sun_path), "%s", address + strlen("unix:"));
    f.peer = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(f.peer, (const struct sockaddr *)&un, sizeof(un)) < 0)
        abort();
    link_frame_write(&hello, header);
    peer_sends(header, sizeof(header));
    peer_sends(json, sizeof(json) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char address[64];
    const struct link_hello me = {.role = "invoker", .id = "fuzz"};
    struct link_server *server;
    int i;

    if (!address[0]) {
        snprintf(address, sizeof(address), "unix:/tmp/fuzz-link-%d", (int)getpid());
        log_init("fuzz", LOG_ERROR);
    }
    memset(&f, 0, sizeof(f));
    f.at = data;
    f.end = data + size;
    f.loop = loop_new();
    if (link_listen(f.loop, address, &me, &link_ops, NULL, &server, NULL) < 0)
        abort();
    connect_peer(address);
    for (i = 0; i < 4; i++)
        uv_run(loop_uv(f.loop), UV_RUN_NOWAIT);
    while (f.at < f.end) {
        act(next());
        uv_run(loop_uv(f.loop), UV_RUN_NOWAIT);
    }
    for (i = 0; i < 10; i++) {
        act(13);
        uv_run(loop_uv(f.loop), UV_RUN_NOWAIT);
    }
    close(f.peer);
    for (i = 0; i < 10; i++)
        uv_run(loop_uv(f.loop), UV_RUN_NOWAIT);
    assert(!f.link); /* down, or freed by us */
    link_server_free(server);
    loop_free(f.loop);
    return 0;
}
