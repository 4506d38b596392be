/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_runtime.h - crun or runc, which make blank sandboxes: namespaces, cgroup, /proc, /sys and
 * /dev, and hearth-init as PID 1 in a file system that holds nothing else.
 *
 * Owns:    the folder @dir: the blank's file system, bundles, the runtime's state.
 * Threads: immutable after it is made; oci_runtime_run() and _forget() block, for worker threads.
 * Errors:  -ERR_UNSUPPORTED when there is no runtime, -ERR_CONFIG when the one that is asked for is
 *          none; -ERR_SYSTEM with what the runtime said.
 * Source:  OCI runtime specification 1.0, config.md; crun(1), runc(8); docs/internals/native.md.
 */
#ifndef HEARTH_INVOKER_OCI_RUNTIME_H
#define HEARTH_INVOKER_OCI_RUNTIME_H

#include <cjson/cJSON.h>
#include <sys/types.h>

#include "invoker/cgroup_life.h"

struct oci_runtime;

/* Borrowed for the call, but the cgroups, which outlive the runtime. */
struct oci_runtime_options {
    const char *program; /* a path; NULL: crun, else runc, where such programs are */
    const char *dir; /* made here; absolute */
    const char *init_path; /* the static hearth-init */
    const struct cgroup_life *cgroups;
};

int oci_runtime_new(const struct oci_runtime_options *options, struct oci_runtime **ret,
                    struct error *err);
void oci_runtime_free(struct oci_runtime *rt);
/** The program's path. */
const char *oci_runtime_program(const struct oci_runtime *rt);

/** config.json of the blank sandbox @id; the caller deletes it. */
cJSON *oci_blank_config(const struct oci_runtime *rt, const char *id);
/**
 * Makes the blank sandbox @id, whose PID 1 has @socket as its descriptor 3. Its cgroup has the name
 * @id. @ret_pidfd is the caller's, and so is the end of the sandbox.
 */
int oci_runtime_run(const struct oci_runtime *rt, const char *id, int socket, int *ret_pidfd,
                    struct error *err);
/** Removes what the runtime keeps about @id, whose processes are gone. */
int oci_runtime_forget(const struct oci_runtime *rt, const char *id, struct error *err);

#endif
