/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launcher_native.h - sandboxes without an engine: a blank one of the pool (blank_pool.h) gets the
 * image's layers, code and /tmp as detached mounts (rootfs_mount.h) and its limits, and is started.
 *
 * Owns:    its launches, the pool, the host's parts. Borrows: the loop.
 * Threads: loop thread only.
 * Errors:  see launcher.h; launcher_native_new() says why this host cannot do it.
 */
#ifndef HEARTH_INVOKER_LAUNCHER_NATIVE_H
#define HEARTH_INVOKER_LAUNCHER_NATIVE_H

#include "common/io/loop.h"
#include "invoker/launcher.h"
#include "invoker/lease_guard.h"
#include "invoker/net/network.h"

/* All strings are copied. */
struct launcher_native_options {
    struct loop *loop;
    struct network *network; /* borrowed, outlives the launcher; NULL: none */
    struct lease_guard *guard; /* the same; is told of each sandbox */
    const char *docker_socket; /* of the engine whose images are run; NULL: they are another store's */
    const char *node; /* id of this node; what its earlier lives left is removed */
    const char *dir; /* absolute; for the blank's file system and the OCI runtime's state */
    const char *scratch_dir; /* absolute, on a disk; emptied; NULL: /tmp is memory */
    const char *init_path; /* the static hearth-init, on a file system that allows exec */
    const char *program; /* the OCI runtime; NULL: crun, else runc */
    uint32_t starts_max; /* blank sandboxes being made at once; 0: twice the CPUs */
    uint32_t blanks_max; /* kept ready at most */
    uint64_t connect_us; /* time for one to be made; 0: 10 s */
};

/**
 * Makes the launcher and removes what earlier lives left (blocking, start-up only).
 *
 * Returns 0, -ERR_CONFIG, -ERR_UNSUPPORTED or -ERR_SYSTEM.
 */
int launcher_native_new(const struct launcher_native_options *options, struct launcher **ret,
                        struct error *err);

#endif
