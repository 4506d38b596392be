/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server.h - one interface of serving HTTP, two engines: `edge` (for clients; libwebsockets
 * moves the bytes) and `small` (for sandboxes, where thousands of long polls are parked). Both read
 * the same strict HTTP/1.1 and behave alike; the edge has time limits for idle and slow clients.
 *
 * The engine reads the whole body (up to the limit that on_head sets) before on_request. A reply
 * may come at any later time; until then the request is parked at no cost but its memory.
 *
 * Either half may be streamed instead: a body is handed on as it comes (http_stream_body(),
 * on_body), an answer is sent as it is made (http_reply_begin(), _write(), _end(); on_writable).
 * The user says when he can take no more, and hears when the client can: memory stays bounded
 * however slow either is.
 *
 * Owns:    a request belongs to the engine; it is good until http_reply() or on_abort returned.
 *          Strings from a request are borrowed and live as long as it does.
 * Threads: loop thread only.
 * Errors:  malformed requests are answered by the engine (400, 408, 413, 431, 501) and logged at
 *          debug.
 * Source:  RFC 9110, RFC 9112.
 */
#ifndef HEARTH_IO_HTTP_SERVER_H
#define HEARTH_IO_HTTP_SERVER_H

#include "common/base/str.h"
#include "common/io/loop.h"

struct http_server;
struct http_req;

struct http_header {
    struct str name, value;
};

struct http_handler {
    /**
     * Head is complete. Returns the greatest body to accept, bytes; a larger one is answered with
     * 413 (through on_too_large when set). May be NULL: 6 MiB.
     */
    size_t (*on_head)(struct http_req *req, void *arg);
    /** The whole request is there; reply now or later. */
    void (*on_request)(struct http_req *req, void *arg);
    /**
     * The client went away before the reply, or before its end; @req is gone when this returns.
     * Never before on_request or on_too_large was called, never inside a call of http_server.h. May
     * be NULL.
     *
     * A client that ends its side of the connection (SHUT_WR, `nc -N`) counts as one that went
     * away: TCP shows the two alike, a parked request may wait for hours, and RFC 9112 lets a
     * client close behind the answer (9.6) and wants us to heed a close (9.5). Answers under way
     * are still sent.
     *
     * Heard of late, at worst never (the reply then goes nowhere), while the client has sent more
     * behind the parked request than there is room for (from 4 KiB on) or, at the edge, an answer
     * is under way.
     */
    void (*on_abort)(struct http_req *req, void *arg);
    /**
     * The body is beyond the limit (and was read to its end, so that the client reads the answer):
     * reply with http_reply() (413 …); the connection closes after it. May be NULL.
     */
    void (*on_too_large)(struct http_req *req, void *arg);
    /**
     * One header for an answer that the engine gives by itself (a request that never was one): an id
     * for the client to tell. What it points to must last until the next call. May be NULL.
     */
    struct http_header (*on_refusal)(void *arg);
    /**
     * Bytes of a body that is streamed; good until this returns or @req is answered. on_request
     * follows when the body has ended, or on_truncated. http_reply() and http_drop() may be called
     * inside: the rest of the body is thrown away then, and the connection closes.
     */
    void (*on_body)(struct http_req *req, struct str bytes, void *arg);
    /**
     * The client went away in the middle of the body, or broke the rules of its framing (it gets 400
     * then); @req is gone when this returns and must not be answered. Comes instead of on_request,
     * also for bodies that are not streamed, never inside a call of http_server.h. May be NULL.
     */
    void (*on_truncated)(struct http_req *req, void *arg);
    /**
     * All that was written of a streamed answer is with the system now, after some of it had to
     * wait. May be NULL.
     */
    void (*on_writable)(struct http_req *req, void *arg);
};

struct str http_method(const struct http_req *req); /* "GET" */
/** The path as sent (escapes not decoded), without the query. */
struct str http_path(const struct http_req *req);
/** What stands behind '?', raw; empty when there is none. */
struct str http_query(const struct http_req *req);
/** Value of the first header @name (lower case); a NULL ptr when there is none. */
struct str http_header(const struct http_req *req, const char *name);
/** All headers in the order in which they came, names in lower case; false: @at is behind the last. */
bool http_header_at(const struct http_req *req, size_t at, struct http_header *ret);
struct str http_body(const struct http_req *req);
/** The body's bytes, to be decoded where they are; http_body_cut() then says how many are left. */
char *http_body_edit(struct http_req *req);
void http_body_cut(struct http_req *req, size_t len);
/**
 * In on_head, before anything else of @req is looked at (what was looked at before is no longer
 * good): the body is handed on as it comes, in pieces of at most 64 KiB. The limit that on_head
 * returns does not count then.
 */
void http_stream_body(struct http_req *req);
/**
 * A streamed body is not read on (@on) until it is said again with false. One more piece never comes
 * in between; the end may, when it came with the last piece.
 */
void http_body_hold(struct http_req *req, bool on);
/**
 * In on_request: the first trailer field @name (lower case) of a streamed body; a NULL ptr when there
 * is none. All of them have HTTP1_TRAILERS_MAX bytes at most.
 */
struct str http_trailer(const struct http_req *req, const char *name);
/** Any pointer of the user's, per request. */
void http_set_user(struct http_req *req, void *user);
void *http_user(const struct http_req *req);
/** Per connection: lives until the connection closes. */
void *http_conn_user(const struct http_req *req);
void http_conn_set_user(struct http_req *req, void *user);

/**
 * Sends status, headers and body as one message (Content-Length and Date are the engine's;
 * Content-Type is not). The bytes are copied if the socket does not take them at once. @req is gone
 * afterwards.
 */
void http_reply(struct http_req *req, int status, const struct http_header *headers,
                size_t header_count, struct str body);
/**
 * The same in pieces: sends the head, without a length. Then as many http_reply_write() as there is
 * to say, and http_reply_end(), after which @req is gone. HTTP/1.1 clients get chunks, one for each
 * write of at most 64 KiB; those of HTTP/1.0 read up to the end of the connection. Until the end
 * on_abort may come, as for parked requests.
 */
void http_reply_begin(struct http_req *req, int status, const struct http_header *headers,
                      size_t header_count);
/** The bytes are copied if the socket does not take them at once. */
void http_reply_write(struct http_req *req, struct str bytes);
/** Bytes written that the system has not taken yet; when there are some, on_writable will come. */
size_t http_reply_queued(const struct http_req *req);
void http_reply_end(struct http_req *req);
/**
 * Drops the connection without an answer, or in the middle of a streamed one; @req is gone
 * afterwards.
 */
void http_drop(struct http_req *req);

/* ---- engines ---- */

/**
 * `small` on a listening socket that is handed in (ownership of @fd moves here).
 */
int http_small_new(struct loop *loop, int listen_fd, const struct http_handler *handler, void *arg,
                   struct http_server **ret, struct error *err);
/**
 * For `small`, whose peers may mean ill: at most @conns connections at once, further ones wait in the
 * kernel until one closes; at most @bytes in the buffers of all of them together. A request for which
 * there is no room gets 503, an answer for which there is none is not sent: its connection closes.
 * At most @a_turn requests and new connections in one turn of the loop: who asks without end keeps it
 * from nobody else.
 */
void http_small_limit(struct http_server *server, unsigned conns, size_t bytes, unsigned a_turn);
/**
 * `edge` on @address ("127.0.0.1:9000", "[::1]:9000"; port 0 picks one). -ERR_CONFIG with one clear
 * line when the address is in use or not ours.
 */
int http_edge_new(struct loop *loop, const char *address, const struct http_handler *handler,
                  void *arg, struct http_server **ret, struct error *err);
/** The port that the edge listens on. */
int http_server_port(const struct http_server *server);
/**
 * Takes no more connections, closes those without a request and lets the others finish what they
 * have;
 * @on_drained is called once, when the last one has closed.
 */
void http_server_drain(struct http_server *server, loop_fn *on_drained, void *arg);
/**
 * Closes listener and connections; parked requests end without callbacks. `edge`: not while the
 * loop runs (libwebsockets needs turns of it to let go, which happen in here).
 */
void http_server_free(struct http_server *server);
/**
 * While @on, time limits stand still: the peers cannot do anything meanwhile. What comes is read all
 * the same. Harmless twice.
 */
void http_server_pause(struct http_server *server, bool on);

#endif
