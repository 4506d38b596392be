/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launcher_docker.h - sandboxes as containers of a Docker engine.
 *
 * Owns:    its launches. Borrows: loop, docker; both outlive it.
 * Threads: loop thread only.
 * Errors:  see launcher.h; launcher_docker_new() checks the options and names the wrong one.
 */
#ifndef HEARTH_INVOKER_LAUNCHER_DOCKER_H
#define HEARTH_INVOKER_LAUNCHER_DOCKER_H

#include "common/io/docker.h"
#include "invoker/launcher.h"
#include "invoker/lease_guard.h"
#include "invoker/net/network.h"

/* All strings are copied. Paths are absolute and mean the same to the engine as to us. */
struct launcher_docker_options {
    struct loop *loop;
    struct docker *docker;
    const char *docker_socket; /* of that engine, for messages; NULL: unknown */
    const char *node; /* id of this node; containers of its earlier lives are removed */
    const char *run_dir; /* short: sockets are <run_dir>/<sandbox id>/init.sock, under 108 bytes */
    const char *init_path; /* the static hearth-init, on a file system that allows exec */
    struct network *network; /* borrowed, outlives the launcher; NULL: none */
    struct lease_guard *guard; /* the same; is told of each sandbox */
    bool freezes; /* sandboxes will be frozen: that needs a janitor */
    uint32_t starts_max; /* containers being created or started at once; 0: twice the CPUs */
    uint64_t connect_us; /* time for PID 1 to connect once the engine says started; 0: 10 s */
};

/**
 * Makes the launcher, empties @run_dir (blocking, start-up only) and begins to remove this node's
 * containers of earlier lives.
 *
 * Returns 0, -ERR_CONFIG or -ERR_SYSTEM.
 */
int launcher_docker_new(const struct launcher_docker_options *options, struct launcher **ret,
                        struct error *err);

#endif
