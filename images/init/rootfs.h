/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootfs.h - a blank sandbox gets its file system: the invoker's detached mounts become the root,
 * and the blank's own /proc, /sys and /dev move into it.
 *
 * Owns:    nothing; the descriptors are the caller's, and are of no use afterwards.
 * Threads: one.
 * Errors:  -1 with errno; @ret_what names the step. The sandbox is unusable then.
 * Source:  move_mount(2), pivot_root(2); docs/internals/native.md.
 */
#ifndef HEARTH_INIT_ROOTFS_H
#define HEARTH_INIT_ROOTFS_H

#include "common/proto/init_wire.h"

/** @fds: @assign's mounts in the order of INIT_MOUNT_*, the root first. Needs CAP_SYS_ADMIN. */
int rootfs_enter(const struct init_assign *assign, const int *fds, const char **ret_what);

#endif
