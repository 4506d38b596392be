/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch_disk.h - /tmp of native sandboxes as Lambda has it: a disk of the configured size, whose
 * contents do not count towards the function's memory. Each is an ext4 file system of its own in a
 * sparse, unlinked file, on a loop device that goes with its last mount.
 *
 * Making one takes milliseconds, so a few of each size in use are kept ready. None is made for which
 * @dir's file system would not have room when all of them are filled: functions cannot fill it for the
 * logs and the code that are kept there.
 *
 * Owns:    the folder @dir, and the disks.
 * Threads: any, but _new() and _free().
 * Errors:  -ERR_UNSUPPORTED: this host has no loop devices, or no mkfs.ext4; -ERR_UNAVAILABLE:
 *          no room; -ERR_SYSTEM.
 * Source:  loop(4), mkfs.ext4(8), fsopen(2).
 */
#ifndef HEARTH_INVOKER_SCRATCH_DISK_H
#define HEARTH_INVOKER_SCRATCH_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"

struct scratch_disks;
/** One disk, from scratch_disk_open() until nobody uses it. */
struct scratch_disk;

/** Empties @dir, which should be on a disk, and makes one disk to see whether it can be done. */
int scratch_disks_new(const char *dir, struct scratch_disks **ret, struct error *err);
/** NULL is fine. */
void scratch_disks_free(struct scratch_disks *s);
/** Whether scratch_disk_open() has one of @mib ready. */
bool scratch_disk_is_ready(struct scratch_disks *s, uint32_t mib);
/** One with at least @mib MiB for files, mode 1777, root's. */
int scratch_disk_open(struct scratch_disks *s, uint32_t mib, struct scratch_disk **ret,
                      struct error *err);
/** Its detached mount, which is the caller's from here on. */
int scratch_disk_take_mount(struct scratch_disk *disk);
/** Who had it is gone: its room is free for others. NULL is fine. */
void scratch_disk_gone(struct scratch_disks *s, struct scratch_disk *disk);
/** Makes one that is missing of the sizes in use; true when there may be more to do. Blocking. */
bool scratch_disks_refill(struct scratch_disks *s);

#endif
