/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip_check.h - is this archive one that may become a function's code?
 *
 * First the central directory is read by itself (names with NUL bytes, count), then every entry is
 * inflated and counted: sizes that an archive states of itself are never believed. Nothing is
 * written.
 *
 * Owns:    nothing.
 * Threads: any; takes up to seconds: worker threads only.
 * Errors:  -ERR_BAD_REQUEST with AWS's words. What exactly is wrong with an archive that AWS would
 *          only call unreadable goes to @why, for the log.
 * Source:  Lambda quotas; recorded AWS answers; PKWARE APPNOTE 6.3.10, sections 4.3.12 to 4.3.16.
 */
#ifndef HEARTH_CONTROLLER_CODE_ZIP_CHECK_H
#define HEARTH_CONTROLLER_CODE_ZIP_CHECK_H

#include "common/base/error.h"
#include "common/base/str.h"

#define ZIP_BYTES_MAX 52428800u /* of an archive */
#define ZIP_UNPACKED_MAX 262144000u /* bytes of all its entries together */
#define ZIP_ENTRIES_MAX 100000u

struct zip_limits {
    uint64_t unpacked_max;
    uint32_t entries_max;
};

/**
 * Checks the archive @zip.
 *
 * @limits  NULL: the above
 * @ret_unpacked  bytes of all its entries together; may be NULL
 * @why           the reason in our words when the answer is AWS's "Could not unzip"; may be NULL
 */
int zip_check(struct str zip, const struct zip_limits *limits, uint64_t *ret_unpacked,
              struct error *why, struct error *err);

#endif
