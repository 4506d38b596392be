/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blank.h - a sandbox made before it is known whose it will be. Its PID 1 has the socket as
 * descriptor 3, a file system with nothing but itself in it, and CAP_SYS_ADMIN, SETUID, SETGID and
 * SETPCAP. ASSIGN brings the function's file system; then all of these are given up.
 *
 * Owns:    the mounts it received, until it is assigned.
 * Threads: one.
 * Errors:  -1 with errno.
 * Source:  docs/internals/native.md.
 */
#ifndef HEARTH_INIT_BLANK_H
#define HEARTH_INIT_BLANK_H

#include <stdbool.h>

#include "common/proto/init_wire.h"

#define BLANK_ARGUMENT "--blank"

struct blank {
    bool waits; /* is one, and was not assigned yet */
    int fds[INIT_MOUNTS_MAX];
    int fds_len;
};

/** Makes us a blank sandbox; the socket, or -1. */
int blank_begin(struct blank *blank);
/** As recv(2); descriptors that come along are kept while it waits, and closed otherwise. */
ssize_t blank_recv(struct blank *blank, int sock, void *buf, size_t len);
/** Does what ASSIGN says, once. On -1 @ret_stage and @ret_what tell where; end the sandbox. */
int blank_assign(struct blank *blank, const struct init_frame *f, enum init_stage *ret_stage,
                 const char **ret_what);

#endif
