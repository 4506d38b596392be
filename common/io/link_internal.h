/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_internal.h - what the files of a link share: link.c (life and greeting), link_server.c
 * (listening), link_io.c (frames in and out), link_stream.c (streams).
 *
 * Three rules keep re-entrancy harmless. A callback may do anything, even link_free(): so a link's
 * memory goes with its last reference, and whoever calls back holds one. A stream that is gone in
 * a callback stays readable (s->gone) until link->calling is 0 again. And a link that fails says
 * so at the end of the turn, never inside a call of the user's.
 *
 * Owns:    see struct link.
 * Threads: loop thread only.
 */
#ifndef HEARTH_IO_LINK_INTERNAL_H
#define HEARTH_IO_LINK_INTERNAL_H

#include <cjson/cJSON.h>
#include <uv.h>

#include "common/base/buf.h"
#include "common/base/list.h"
#include "common/base/log_limit.h"
#include "common/io/link.h"
#include "common/io/link_session.h"
#include "common/model/link_address.h"
#include "common/proto/link_frame.h"

#define LINK_PROTOCOL 1 /* what we speak best */
#define LINK_PROTOCOL_MIN 1 /* and what we still understand: N-1 once there is a 2 */

#define LINK_GREETING_US SECONDS(5) /* for each of connecting, the TLS handshake, the greeting */
#define LINK_JOINER_TICKS 4 /* a joiner's link ends after so many */
#define LINK_STRANGERS_MAX 128u /* TCP connections of a listener that have not proved who they are */
#define LINK_BACKOFF_MIN_US MSEC(50)
#define LINK_BACKOFF_MAX_US SECONDS(2)
#define LINK_DEAD_TICKS 4 /* a link that is silent for so many after a PING is dead */
#define LINK_TICK_US (LINK_DEAD_US / LINK_DEAD_TICKS)

#define LINK_READ_BYTES (64u * 1024u)
#define LINK_OUT_MAX (64u * 1024u * 1024u) /* frames for a peer that does not read */
#define LINK_SMALL_FRAME 4096u /* a frame up to this may wait for the end of the turn … */
#define LINK_SMALL_TOTAL (32u * 1024u) /* … while no more than this waits */
#define LINK_LOW_WATER (LINK_WINDOW / 4) /* of a stream's queue, for on_drain */
#define LINK_PEER_STREAMS_MAX 65536u
#define LINK_SPARE_STREAMS 1024u
#define LINK_FOUND_MAX 8u /* addresses of a host that are tried */

/*
 *   connect:  WAITING → CONNECTING → SECURING → GREETING → UP → BROKEN → CLOSING → WAITING …
 *   accept:                          SECURING → GREETING → UP → BROKEN → FREED
 * Unix sockets pass SECURING by. CONNECTING to GREETING may go to BROKEN, all may go to FREED. All
 * up to UP are watched by the timer; BROKEN ends with the turn, CLOSING in libuv's close callback.
 */
enum link_state {
    LINK_WAITING, /* for the next try */
    LINK_CONNECTING, /* or looking the host up */
    LINK_SECURING, /* the TLS handshake */
    LINK_GREETING, /* our HELLO is out, the peer's is awaited */
    LINK_UP,
    LINK_BROKEN, /* streams and user are told at the end of the turn */
    LINK_CLOSING, /* the old socket is being closed */
    LINK_FREED, /* nobody is told anything any more */
};

struct link {
    struct loop *loop;
    enum link_state state;
    unsigned refs; /* the user's, the open socket's, each pending call of the loop's, callers' */
    unsigned calling; /* callbacks of the user's that are running, in depth */
    struct link_server *server; /* that accepted it; NULL when it connects */
    struct list_node node; /* in server->links */
    const struct link_ops *ops;
    void *arg, *user;
    struct link_hello me, peer;
    struct node_name proved; /* over TCP: who the peer's certificate says that it is */
    struct link_address address; /* to connect to; of an accepted one, what it listens on */
    struct sockaddr_storage found[LINK_FOUND_MAX]; /* what the host's name means, in turn */
    unsigned found_len, tries;
    bool looking_up;
    struct timer timer; /* what for depends on the state */
    uint64_t backoff_us;
    unsigned ticks, silent_ticks;
    bool heard; /* bytes came since the last tick */
    bool was_up; /* when it broke */
    struct error why; /* it broke */

    union { /* open: holds a reference */
        uv_handle_t handle;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tcp_t tcp;
    };
    struct link_session *session; /* over TCP, once connected */
    uv_getaddrinfo_t lookup; /* while looking_up; holds a reference */
    uv_connect_t connect;
    uv_write_t write;
    bool open; /* the handle is initialised and not yet closed */
    bool writing; /* write is busy with inflight: the socket is full */
    bool is_stranger; /* accepted over TCP, and counted in server->strangers */
    bool turn_end_planned;
    unsigned writes_in_turn;
    struct buf out; /* frames that wait for the socket or for the end of the turn */
    struct buf inflight;

    struct link_stream **table; /* chains by id */
    size_t table_size; /* power of two */
    size_t stream_count, peer_stream_count;
    uint32_t next_id; /* ours: odd when we connected, even when we accepted */
    struct list_node streams; /* all */
    struct list_node ready; /* have something to send and credit for it */
    struct list_node drained; /* on_drain is due */
    struct list_node dead; /* gone, while link->calling */
    struct list_node spare; /* to be used again */
    size_t spare_count;
    struct list_node dependents; /* of rpc.c; told when the user frees the link */

    struct link_parser parser;
    char read_buf[LINK_READ_BYTES];
};

/* Bytes of a stream that wait for credit or for the socket. */
struct link_queue {
    char *ptr;
    size_t at, len, cap; /* @len bytes from ptr + at */
};

struct link_stream {
    struct link *link;
    uint32_t id;
    bool ours; /* opened by us */
    bool accepted, answered;
    bool end_asked; /* our user has said @end */
    bool end_sent;
    bool peer_ended;
    bool gone; /* the pointer is no longer good */
    bool wants_drain;
    uint32_t credit; /* bytes we may send */
    uint32_t window; /* bytes the peer may send */
    uint32_t consumed; /* dealt with, and not yet told to the peer */
    struct link_queue queue;
    const struct link_stream_ops *ops; /* NULL: both sides have ended, the rest is being sent */
    void *arg;
    struct link_stream *chain; /* in link->table */
    struct list_node node; /* in link->streams, dead or spare */
    struct list_node ready, drained; /* in the lists of the same name */
};

/* One address of a server. */
struct link_listener {
    struct list_node node;
    struct link_server *server;
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tcp_t tcp;
    };
    struct link_address address;
    dev_t device; /* of a Unix socket: which file is ours */
    ino_t inode;
};

struct link_server {
    struct loop *loop;
    struct list_node listeners;
    struct list_node links;
    const struct link_ops *ops;
    void *arg;
    struct link_hello me;
    unsigned strangers;
    struct log_limit complaints; /* of strangers, in the log */
};

/* ---- link.c */

/** A link with one reference, LINK_WAITING, no timer armed; @connects: else it is accepted. */
struct link *link_new(struct loop *loop, const struct link_hello *me, const struct link_ops *ops,
                      void *arg, bool connects);
/** Initialises the handle that link->address needs. */
void link_open_socket(struct link *link);
/** The socket is connected: reads, and begins with TLS or the greeting. */
void link_begin(struct link *link);
/** Greets. */
void link_greet(struct link *link);
/** The TLS handshake is done: who is it? -ERR_ACCESS_DENIED. */
int link_take_certificate(struct link *link, struct error *err);
/** Takes the peer's HELLO; calls on_up. -ERR_PROTOCOL. */
int link_take_hello(struct link *link, struct str head, struct error *err);
/** The link has failed: no more bytes either way; all are told at the end of the turn. */
void link_break(struct link *link, const struct error *why);
/** Looks whether the peer has been heard; asks it, or breaks the link. Every LINK_TICK_US. */
void link_tick(struct link *link);
void link_unref(struct link *link);
/** Around callbacks of the user's. */
void link_enter(struct link *link);
void link_leave(struct link *link);

/* ---- link_io.c */

/** Sends a frame: at once if the socket takes it, else as soon as it does. */
void link_transmit(struct link *link, const struct link_frame *frame, struct str head,
                   struct str data);
/** Begins to read. */
void link_read_start(struct link *link);
/** Hands to the socket what it takes of what waits. */
void link_flush(struct link *link);
/** Goes on with the TLS handshake. */
void link_secure(struct link *link);

/* ---- link_stream.c */

void link_streams_init(struct link *link, bool odd);
/** Frees the memory of all streams, none of which may be in use. */
void link_streams_done(struct link *link);
struct link_stream *link_stream_find(const struct link *link, uint32_t id);
/** A stream that the peer opens; NULL when it has too many. */
struct link_stream *link_stream_add_peers(struct link *link, uint32_t id);
/** The stream is gone: nobody hears of it any more. */
void link_stream_drop(struct link_stream *s);
/** Drops all, silently. */
void link_streams_drop_all(struct link *link);
/** Tells each stream that it is reset, and drops it. Stops when a callback frees the link. */
void link_streams_reset_all(struct link *link, const struct error *why);
/** Both sides have ended: the user is through with it; it goes when all is sent. */
void link_stream_detach(struct link_stream *s);
/** More credit; -ERR_PROTOCOL when it is more than the window. */
int link_stream_take_credit(struct link_stream *s, uint32_t bytes, struct error *err);
/** Sends what streams have queued, a frame each in turn, while the socket takes it. */
void link_pump(struct link *link);
/** Calls on_drain of those whose queue has become short. */
void link_tell_drained(struct link *link);
/** Frees or keeps the streams that went while link->calling. */
void link_bury_dead(struct link *link);

/* ---- for rpc.c */

/* Something that must not outlive the link; link_free() calls no other callback. */
struct link_dependent {
    struct list_node node;
    void (*on_dropped)(struct link_dependent *dependent);
};

/** @fn is called once, inside link_free(), unless list_remove(&@dependent->node) comes before. */
void link_add_dependent(struct link *link, struct link_dependent *dependent,
                        void (*fn)(struct link_dependent *dependent));
/** The JSON value that @bytes are, all of them; NULL when they are none. */
cJSON *link_json_parse(struct str bytes);

#endif
