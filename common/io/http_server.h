/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server.h - one interface of serving HTTP, two engines: `edge` (for clients; libwebsockets
 * moves the bytes) and `small` (for sandboxes, where thousands of long polls are parked). Both read
 * the same strict HTTP/1.1 and behave alike; the edge has time limits for idle and slow clients.
 *
 * The engine reads the whole body (up to the limit that on_head sets) before on_request. A reply
 * may come at any later time; until then the request is parked at no cost but its memory.
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
     * The client went away before the reply; @req is gone when this returns. Never before
     * on_request or on_too_large was called, never inside a call of http_server.h. May be NULL.
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
/** Drops the connection without an answer; @req is gone afterwards. */
void http_drop(struct http_req *req);

/* ---- engines ---- */

/**
 * `small` on a listening socket that is handed in (ownership of @fd moves here).
 */
int http_small_new(struct loop *loop, int listen_fd, const struct http_handler *handler, void *arg,
                   struct http_server **ret, struct error *err);
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

#endif
