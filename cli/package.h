/* SPDX-License-Identifier: Apache-2.0 */
/*
 * package.h - a folder or a file as the zip archive that Lambda takes.
 *
 * The same contents always give the same bytes (names sorted, times fixed), so that Lambda's
 * CodeSha256 tells whether anything changed.
 *
 * Threads: one; blocking.
 */
#ifndef HEARTH_CLI_PACKAGE_H
#define HEARTH_CLI_PACKAGE_H

#include "common/base/buf.h"
#include "common/base/error.h"

/**
 * Appends the archive of @path to @zip: a .zip file as it is, a folder with all below it, a single file
 * alone. -ERR_NOT_FOUND, -ERR_TOO_LARGE, -ERR_SYSTEM.
 */
int package_make(const char *path, struct buf *zip, struct error *err);

#endif
