/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - the long-lived connection between two of our programs: framed, multiplexed,
 * flow-controlled streams over a Unix socket, or over TCP with TLS and a certificate on both sides.
 *
 * A stream is opened by either side with a kind and a head (bytes), then carries data both ways,
 * an answer head from the accepting side, an end from each side; or a reset. A short message
 * (head, data and end together) is one frame and one write.
 *
 * Flow control: each direction of a stream starts with LINK_WINDOW bytes of credit; data beyond
 * it waits inside the sender until the receiver gives credit with link_stream_consumed(). Heads
 * cost no credit. A link whose peer does not answer PING for LINK_DEAD_US is closed.
 *
 * Owns:    streams belong to the link; a stream pointer is good until its on_end-and-both-ends or
 *          on_reset callback has returned, or link_stream_reset() was called by us. Both ends: the
 *          peer's (on_end) and ours (@end); if ours is the later one, the pointer is gone when that
 *          call returns, and what is still queued is sent without any more callbacks.
 * Threads: loop thread only. No callback runs inside a call of ours.
 * Errors:  on_down and on_reset carry why.
 * Wire:    docs/internals/links.md, common/proto/link_frame.h.
 */
#ifndef HEARTH_IO_LINK_H
#define HEARTH_IO_LINK_H

#include "common/base/clock.h"
#include "common/base/str.h"
#include "common/io/loop.h"

#define LINK_WINDOW (256u * 1024u)
#define LINK_HEAD_MAX (1024u * 1024u)
#define LINK_DEAD_US SECONDS(10)

struct link;
struct link_stream;
struct link_server;

enum link_kind { LINK_CALL = 1, LINK_INVOKE = 2 };

#define LINK_JOINER "joiner" /* role of a node without a certificate; it may only open one stream */

/** What one side says of itself at connect; strings NUL-terminated. */
struct link_hello {
    char role[16]; /* "gateway", "controller", "invoker" */
    char id[64]; /* node or instance id */
    bool says_leader; /* a controller that tells by `leader.is` whether it leads: leader_link.h */
    /* What proves role and id over TCP; borrowed, outlives the link. NULL: Unix sockets only, and of
     * a peer. */
    struct link_tls *tls;
};

struct link_stream_ops {
    /* The peer's answer head (only on streams that we opened). May be NULL. */
    void (*on_head)(struct link_stream *s, struct str head, void *arg);
    /* Bytes; borrowed for the call. Call link_stream_consumed() when they are dealt with. */
    void (*on_data)(struct link_stream *s, struct str bytes, void *arg);
    /* The peer will send no more. When our side has ended too, @s is gone after this returns. */
    void (*on_end)(struct link_stream *s, void *arg);
    /* The stream is gone (peer's reset, or the link went down). */
    void (*on_reset)(struct link_stream *s, const struct error *why, void *arg);
    /* Everything queued was handed to the socket below the low-water mark again. May be NULL. */
    void (*on_drain)(struct link_stream *s, void *arg);
};

struct link_ops {
    /* Handshake done; @peer is borrowed. */
    void (*on_up)(struct link *link, const struct link_hello *peer, void *arg);
    /* The peer opened a stream; call link_stream_accept() inside, or it is reset. */
    void (*on_stream)(struct link *link, struct link_stream *s, enum link_kind kind,
                      struct str head, void *arg);
    /* Gone; all its streams were reset before. A client link will be retried by itself; an
     * accepted one is freed by us after this returns. */
    void (*on_down)(struct link *link, const struct error *why, void *arg);
    /* Roles that the peer may have, words with blanks between; another one is refused. NULL: any but
     * LINK_JOINER, which a listener serves only when it is named here. */
    const char *peers;
};

/**
 * Connects to @address ("unix:/path" or "tcp://host:port") and stays connected: retries with back-off
 * 50 ms .. 2 s until link_free(). A name is looked up at each try. Other address forms, and TCP
 * without @me->tls: -ERR_CONFIG.
 */
int link_connect(struct loop *loop, const char *address, const struct link_hello *me,
                 const struct link_ops *ops, void *arg, struct link **ret, struct error *err);
/**
 * Listens on all of @addresses (with commas; the host of tcp:// is a number); each accepted link calls
 * @ops (on_up first). A stale socket file is replaced, a live one is -ERR_IN_USE. The socket file has
 * mode 0600.
 */
int link_listen(struct loop *loop, const char *addresses, const struct link_hello *me,
                const struct link_ops *ops, void *arg, struct link_server **ret,
                struct error *err);
/** A link that is never up: what is asked over it fails. */
struct link *link_none(struct loop *loop);
/**
 * Breaks a link that is up, as if the peer had gone: at the end of the turn its streams are reset
 * with @why and on_down comes; one that we made connects again.
 */
void link_cut(struct link *link, const struct error *why);
/** Closes; on_reset for each stream and on_down do not run. Freed when the loop has closed it. */
void link_free(struct link *link);
/** Stops listening and closes the links it accepted. */
void link_server_free(struct link_server *server);
/** The port of its first TCP address; 0 when it has none. */
unsigned link_server_port(const struct link_server *server);
bool link_is_up(const struct link *link);
/** It is up, but its peer has not answered a PING for a while (2.5 s): it may be dead or cut off. */
bool link_is_silent(const struct link *link);
/** Who the peer is, once the link has been up. */
const struct link_hello *link_peer(const struct link *link);
bool link_is_tcp(const struct link *link);
/** The id that the peer's certificate proves: what it calls itself may have more behind. NULL: not TCP. */
const char *link_proved_id(const struct link *link);
/** The number of our own end of a link over TCP that is up, as text into @ret; false: there is none. */
bool link_local_host(const struct link *link, char *ret, size_t size);
/** Any pointer of the user's, per link (for accepted ones). */
void link_set_user(struct link *link, void *user);
void *link_user(const struct link *link);

/**
 * Opens a stream: sends @head, and @data with it; @end when there is nothing more to come.
 * NULL when the link is down or @head is beyond LINK_HEAD_MAX. @ops and @arg stay until the stream
 * is gone.
 */
struct link_stream *link_open(struct link *link, enum link_kind kind, struct str head,
                              struct str data, bool end, const struct link_stream_ops *ops,
                              void *arg);
/** For a stream that the peer opened: takes it. */
void link_stream_accept(struct link_stream *s, const struct link_stream_ops *ops, void *arg);
/** The accepting side's answer: @head, with @data and @end as in link_open(). At most once. */
void link_stream_answer(struct link_stream *s, struct str head, struct str data, bool end);
/** Sends (or queues) bytes; copied if they cannot go at once. */
void link_stream_send(struct link_stream *s, struct str data, bool end);
/** Bytes queued in us for this stream. */
size_t link_stream_queued(const struct link_stream *s);
/** Gives the peer @n bytes of credit again. */
void link_stream_consumed(struct link_stream *s, size_t n);
/** Ends the stream both ways at once; no callback runs for it any more. @code goes to the peer. */
void link_stream_reset(struct link_stream *s, enum error_code code);
struct link *link_stream_link(const struct link_stream *s);
/** The same at both ends. Ids of the streams that one side opens on a link grow, and wrap. */
uint32_t link_stream_id(const struct link_stream *s);

#endif
