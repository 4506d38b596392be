/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending.h - what a parked HTTP request points to (http_user()): how to give it up when its client
 * leaves. First member of whatever works for the request.
 *
 * Owns:    nothing.
 * Threads: loop thread only.
 */
#ifndef HEARTH_GATEWAY_PENDING_H
#define HEARTH_GATEWAY_PENDING_H

struct pending {
    /* The client is gone: stop working for it; the request must not be touched any more. */
    void (*on_client_gone)(struct pending *p);
    /* A streamed answer may go on; set by who streams. */
    void (*on_writable)(struct pending *p);
};

#endif
