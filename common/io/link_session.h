/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_session.h - TLS on one connection, without the connection: bytes from the socket are put in,
 * bytes for the socket are taken out. For link.c and link_io.c.
 *
 * Owns:    its TLS state and the bytes that wait to be taken out.
 * Threads: loop thread only.
 * Errors:  -ERR_ACCESS_DENIED: one side does not believe the other; -ERR_PROTOCOL: no TLS, or broken;
 *          -ERR_TOO_LARGE: nobody takes the bytes out. A session that failed is good for nothing more,
 *          but what it still has for the socket tells the peer why.
 */
#ifndef HEARTH_IO_LINK_SESSION_H
#define HEARTH_IO_LINK_SESSION_H

#include <uv.h>

#include "common/base/buf.h"
#include "common/io/link_tls.h"

#define LINK_RECORD_BYTES 16384u /* plain bytes of a TLS record */

struct link_session;

/**
 * @connects   which side we are
 * @may_join   the peer may be without a certificate (only of the side that is connected to)
 * @out_max    ceiling of the bytes that wait to be taken out
 */
struct link_session *link_session_new(struct link_tls *tls, bool connects, bool may_join,
                                      size_t out_max);
void link_session_free(struct link_session *session);

/** Puts in bytes from the socket, borrowed until link_session_open() has returned 0 or failed. */
void link_session_feed(struct link_session *session, struct str bytes);
/** Goes on with the handshake; 0: done, 1: more bytes must be fed. */
int link_session_shake(struct link_session *session, struct error *err);
/**
 * After the handshake: who the peer is by its certificate; false: it has shown none.
 * -ERR_* never come here: an unbelievable certificate has failed the handshake.
 */
bool link_session_peer(const struct link_session *session, struct node_name *ret);
/** Takes out up to @size plain bytes; returns how many, 0 when more bytes must be fed, or -ERR_*. */
int link_session_open(struct link_session *session, char *to, size_t size, struct error *err);
/** Makes records of @bufs, as few as they fit in. */
int link_session_seal(struct link_session *session, const uv_buf_t *bufs, unsigned count,
                      struct error *err);
/** The bytes for the socket; the caller takes from the front, or all of the memory. */
struct buf *link_session_out(struct link_session *session);

#endif
