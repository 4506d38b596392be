/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native_host.h - what all native sandboxes of one life of an invoker share: its cgroups, its OCI
 * runtime, its mounts, its folder. Whether this host can do it at all is found out here.
 *
 * A child process, the janitor, waits for our end, however it comes, and then removes what is left:
 * a dead invoker leaves neither processes nor cgroups, also when none is started again.
 *
 * Owns:    its parts and the folder <dir>/<life>. Shared: worker threads hold a reference.
 * Threads: native_host_ref() and _unref() on the loop's thread; the parts see their own headers.
 * Errors:  -ERR_UNSUPPORTED, -ERR_SYSTEM, -ERR_CONFIG: why native sandboxes cannot be here.
 */
#ifndef HEARTH_INVOKER_NATIVE_HOST_H
#define HEARTH_INVOKER_NATIVE_HOST_H

#include "common/io/loop.h"
#include "invoker/cgroup_life.h"
#include "invoker/net/network.h"
#include "invoker/oci_runtime.h"
#include "invoker/rootfs_mount.h"

struct native_host {
    struct loop *loop;
    struct network *network; /* NULL: sandboxes have their loopback only */
    struct cgroup_life *cgroups;
    struct oci_runtime *runtime;
    struct rootfs_mounts *mounts;
    char *dir;
    char life[9];
    int janitor; /* it ends when this is closed */
    bool swept; /* nothing of an earlier life is left */
    unsigned refs;
};

struct native_host_options {
    struct loop *loop;
    struct network *network; /* NULL: none */
    const char *node; /* id of this node */
    const char *dir; /* absolute; made here; earlier lives' folders in it are removed */
    const char *scratch_dir; /* absolute; for the disks of /tmp; NULL: memory */
    const char *init_path; /* the static hearth-init */
    const char *program; /* the OCI runtime; NULL: one is looked for */
};

/** Removes what earlier lives left, for some seconds at most, then makes all parts. Blocking, for start-up. */
int native_host_new(const struct native_host_options *options, struct native_host **ret,
                    struct error *err);
/** One more look at what earlier lives left; whether nothing is. Some system calls for each sandbox. */
bool native_host_sweep(struct native_host *host);
struct native_host *native_host_ref(struct native_host *host);
/** With the last one the parts go, and the janitor sweeps. NULL is fine. */
void native_host_unref(struct native_host *host);

#endif
