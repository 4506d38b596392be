/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootfs_mount.h - the file systems of one native sandbox as detached mounts: no path of the host
 * leads to them, and they go with their last descriptor. The root is an overlay of the image's
 * layers, read-only, with a thin layer of ours above: places to mount on, and /etc/hosts, hostname
 * and resolv.conf.
 *
 * The overlay of an image is made once and kept (ROOTS_MAX, least recently used goes); sandboxes
 * get clones of it, where the kernel makes clones of detached mounts (since 6.15).
 *
 * Owns:    the folder @dir, the overlays it keeps; what it hands out is the caller's.
 * Threads: rootfs_make(), rootfs_refill() and rootfs_gone() any; the rest from one.
 * Errors:  -ERR_NOT_FOUND: a layer's folder is gone; -ERR_UNSUPPORTED: the kernel cannot;
 *          -ERR_SYSTEM.
 * Source:  fsopen(2), fsmount(2), open_tree(2), mount_setattr(2); filesystems/overlayfs.rst.
 */
#ifndef HEARTH_INVOKER_ROOTFS_MOUNT_H
#define HEARTH_INVOKER_ROOTFS_MOUNT_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/proto/init_wire.h"

struct rootfs_mounts;
struct scratch_disk;

struct rootfs_request {
    char *const *layers; /* NULL-terminated, the uppermost first */
    const char *code_dir; /* for /var/task; NULL: the image's own */
    const char *layers_dir; /* for /opt; NULL: the image's own */
    uint32_t tmp_mib; /* size of /tmp */
};

/** What hearth-init gets, in its order. */
struct rootfs {
    uint8_t mounts; /* INIT_MOUNT_* */
    int fds[INIT_MOUNTS_MAX];
    int fds_len;
    struct scratch_disk *disk; /* of /tmp; NULL: that is memory */
};

/**
 * Makes @dir and looks whether the kernel can do it. @scratch_dir: where the disks of /tmp are;
 * NULL, or when this host can make none: /tmp is memory. @name_servers go into resolv.conf.
 */
int rootfs_mounts_new(const char *dir, const char *scratch_dir, char *const *name_servers,
                      struct rootfs_mounts **ret,
                      struct error *err);
void rootfs_mounts_free(struct rootfs_mounts *m);
/** Makes ready what was used up; true when there may be more to do. Blocking. */
bool rootfs_refill(struct rootfs_mounts *m);
/** Whether rootfs_make() would take microseconds: the overlay is there, and a disk for /tmp. */
bool rootfs_is_quick(struct rootfs_mounts *m, const struct rootfs_request *request);
/** @ret is closed by rootfs_close(). */
int rootfs_make(struct rootfs_mounts *m, const struct rootfs_request *request, struct rootfs *ret,
                struct error *err);
/** Closes the descriptors; a sandbox that has its mounts keeps them. */
void rootfs_close(struct rootfs *r);
/** After rootfs_close(), when the sandbox is gone: gives back what was kept for it. Harmless twice. */
void rootfs_gone(struct rootfs_mounts *m, struct rootfs *r);

#endif
