/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - small whole files and folders.
 *
 * Blocking: for start-up, command-line programs and worker threads; never on a loop's hot path.
 * Threads:  any.
 */
#ifndef HEARTH_BASE_FILE_H
#define HEARTH_BASE_FILE_H

#include <sys/types.h>

#include "common/base/buf.h"
#include "common/base/error.h"

/** Appends the file's bytes to @b; -ERR_NOT_FOUND, -ERR_TOO_LARGE, -ERR_SYSTEM. */
int file_read(const char *path, struct buf *b, struct error *err);
/**
 * Writes @s to @path so that a crash leaves the old or the new file, never half of one: a
 * temporary file beside it, fsync, rename, fsync of the folder. -ERR_SYSTEM.
 */
int file_write_atomic(const char *path, struct str s, mode_t mode, struct error *err);
/** Creates @path and the folders above it (mode 0755 above, @mode for the last); exists already: fine. */
int dir_make(const char *path, mode_t mode, struct error *err);
/** Removes @path and all below it, never following links; absent: fine. */
int dir_remove(const char *path, struct error *err);
/** The same for @name in the folder @parent, a descriptor. */
int dir_remove_at(int parent, const char *name, struct error *err);

#endif
