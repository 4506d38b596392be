/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_conn.h - one HTTP/1.1 server connection, apart from how its bytes travel: private to the
 * engines behind http_server.h. An engine is a transport (struct http_transport) and a listener;
 * what the bytes mean, when a request is answered, parked, refused or given up is decided here,
 * once.
 *
 * Life of a connection:   head -> body -> parked -> (replying ->) head ...
 *                           \_______\_______\__________\____-> finishing -> closed
 *
 * Owns:    the buffers of the connection. The struct itself is a member of the engine's own.
 * Borrows: the server, which lives as long as any of its connections (counted).
 * Threads: loop thread only.
 * Source:  RFC 9112.
 */
#ifndef HEARTH_IO_HTTP_CONN_H
#define HEARTH_IO_HTTP_CONN_H

#include "common/base/buf.h"
#include "common/io/http_server.h"
#include "common/proto/http1.h"

struct http_conn;

/* What an engine does for a connection. None of these calls back into the connection, but for
 * http_conn_failed(). */
struct http_transport {
    /** Sends @head, then @body (either may be empty); copies what cannot go at once. */
    void (*send)(struct http_conn *c, struct str head, struct str body);
    /** Bytes that send() has copied and that are not out yet. */
    size_t (*queued)(const struct http_conn *c);
    /** Bytes that the system has and the peer's has not. */
    size_t (*unacknowledged)(const struct http_conn *c);
    /** Stops reading (@on), or goes on. */
    void (*pause)(struct http_conn *c, bool on);
    /** Nothing more will be sent: says so to the peer when all that is queued is out. */
    void (*finish)(struct http_conn *c);
    /** Closes at once; http_conn_done() follows later. */
    void (*close)(struct http_conn *c);
    /** Takes no more connections. */
    void (*stop_listening)(struct http_server *server);
    /** Lets go of the engine's part of the server; stop_listening() was called. */
    void (*free_server)(struct http_server *server);
};

/* What a connection may wait for at most so long; each kind is a list in the order of arrival. */
enum http_wait {
    HTTP_WAIT_NONE,
    HTTP_WAIT_IDLE,
    HTTP_WAIT_HEAD,
    HTTP_WAIT_BODY,
    HTTP_WAIT_READER, /* of a streamed answer */
    HTTP_WAIT_FINISH,
    HTTP_WAIT_MAX
};

struct http_server {
    struct loop *loop;
    struct http_handler handler;
    void *arg;
    const struct http_transport *transport;
    uint64_t limits_us[HTTP_WAIT_MAX]; /* 0: no limit */
    uint32_t head_max; /* bytes of a request head; 0: HTTP1_HEAD_MAX */
    struct list_node waiting[HTTP_WAIT_MAX];
    struct list_node conns;
    unsigned conns_max; /* 0: no limit */
    size_t bytes_max; /* of all connections' buffers together; 0: no limit */
    unsigned turn_max; /* requests and new connections in one turn of the loop; 0: no limit */
    unsigned turn_done; /* of those, in the turn that … */
    uint64_t turn_us; /* … has this time */
    struct list_node ready; /* with bytes of the next request there, to go on at the end of the turn, or in the next */
    bool ready_deferred;
    bool draining; /* no further request on any connection */
    bool gone; /* freed by its owner; the memory goes with the last user */
    unsigned users; /* owner, connections, listener, deferred calls */
    loop_fn *on_drained; /* NULL: not asked for, or told */
    void *drained_arg;
    struct timer sweep;
    uint64_t paused_us; /* since when; 0: not at all */
    struct buf head; /* scratch: the response head being written */
    char date[40]; /* "Date: ...\r\n" */
    int64_t date_s;
    int port;
};

enum http_conn_state {
    HTTP_HEAD,
    HTTP_BODY,
    HTTP_PARKED,
    HTTP_REPLYING, /* a streamed answer has begun */
    HTTP_FINISHING,
    HTTP_CLOSED
};

struct http_req {
    struct str method, path, query, body;
    void *user;
};

struct http_conn {
    struct http_server *server;
    struct list_node node; /* in server->conns */
    struct list_node wait_node, ready_node;
    enum http_wait wait;
    enum http_conn_state state;
    bool running; /* the code below is on the stack: go on there, not here */
    bool paused;
    bool in_place; /* the body stays behind the head in @in */
    bool too_large;
    bool streamed; /* the body is handed on as it comes, from @in */
    bool held; /* … but not now */
    bool reply_chunked, reply_silent; /* the streamed answer: chunks; the head is all (HEAD) */
    bool owes_abort; /* closed while a streamed answer was written: its user is still to be told */
    bool last; /* no further request on this connection */
    uint64_t since_us; /* when @wait began */
    size_t progress; /* bytes of body, or bytes left to send, when @wait began */
    struct buf in;
    struct buf body;
    size_t head_len;
    size_t limit; /* of this body */
    uint64_t body_seen; /* bytes of the body so far, those thrown away included */
    struct http1_head head;
    struct http1_chunked chunked;
    struct buf trailers; /* of a streamed body: "name: value\r\n" each */
    struct http_req req;
    void *user;
};

/** Fills a zeroed @server of an engine; it has one user, its owner. */
void http_server_init(struct http_server *server, struct loop *loop,
                      const struct http_handler *handler, void *arg,
                      const struct http_transport *transport);
void http_server_ref(struct http_server *server);
/** The last one frees the memory. */
void http_server_unref(struct http_server *server);
/** A connection has gone: tells, at the end of the turn, when it was the last one of a drain. */
void http_server_conn_gone(struct http_server *server);

/* ---- http_reply.c: answers */

/** Sends an answer as one message; what becomes of the connection is the caller's. */
void http_conn_answer(struct http_conn *c, int status, const struct http_header *headers,
                      size_t header_count, struct str body);

/* ---- http_body.c */

#define HTTP_STREAMED_MAX 32768u /* bytes: a piece of a streamed body */
#define HTTP_NO_ROOM "there is no room for the request, others hold it"

/** The head is there; decides where the body goes. */
void http_body_begin(struct http_conn *c);
/** One step; false when it waits for bytes. */
bool http_body_step(struct http_conn *c);
/** Whether it is read into a buffer of its own length. */
bool http_body_fills(const struct http_conn *c);
/** Tells the handler that the body will not come to its end. */
void http_body_truncated(struct http_conn *c);
/** The same, and http_conn_refuse(). */
void http_body_refuse(struct http_conn *c, int status, const char *why);

/* ---- http_conn.c */

/** Answers for the engine itself and ends the connection. */
void http_conn_refuse(struct http_conn *c, int status, const char *why);
/** The request's words are where the head is now. */
void http_conn_point_at_head(struct http_conn *c);
/** Fills a zeroed @c. */
void http_conn_init(struct http_conn *c, struct http_server *server);
/** Where the next bytes from the peer go: *@ret and how many; 0 when it wants none now (paused). */
size_t http_conn_space(struct http_conn *c, char **ret);
/** @n bytes were put where http_conn_space() said. May call the handler. */
void http_conn_received(struct http_conn *c, size_t n);
/** The peer is lost: a parked request is aborted. The transport closes. From events only. */
void http_conn_lost(struct http_conn *c);
/**
 * The peer sends nothing more. It may have left altogether, so a parked request is aborted; answers
 * under way go out first. From events only.
 */
void http_conn_ended(struct http_conn *c);
/**
 * For the transport inside its send() or finish(): that is impossible. The transport closes. The
 * only request there can be is the one being answered: the handler hears of it when that is a
 * streamed answer, once the transport has closed.
 */
void http_conn_failed(struct http_conn *c);
/** All that was queued is out. From events only. */
void http_conn_drained(struct http_conn *c);
/** The answer is sent: forgets the request, keeps what has come of the next. */
void http_conn_end_request(struct http_conn *c);
/** After an answer or a change of what is wanted: goes on, not inside this call. */
void http_conn_go_on(struct http_conn *c);
/** Takes no more requests; ends when all that is queued is out. There is no parked request. */
void http_conn_finish(struct http_conn *c);
/** Whether one more request, or connection, may be begun in this turn; counts nothing. */
bool http_server_has_turn(struct http_server *server);
/** Whether the server's limit of bytes lets @c have @more of them. */
bool http_conn_may_take(const struct http_conn *c, size_t more);
/** The transport is closed: frees what @c owns, not @c. */
void http_conn_done(struct http_conn *c);

#endif
