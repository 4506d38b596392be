/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zip_names.h - the paths inside an archive: each leads to a place below the root, none is there
 * twice, none lies below a file or a link.
 *
 * Owns:    the set of paths.
 * Threads: one at a time.
 * Errors:  -ERR_BAD_REQUEST says what is wrong with which path.
 */
#ifndef HEARTH_CONTROLLER_CODE_ZIP_NAMES_H
#define HEARTH_CONTROLLER_CODE_ZIP_NAMES_H

#include "common/base/error.h"
#include "common/base/map.h"

enum zip_kind { ZIP_FILE, ZIP_FOLDER, ZIP_LINK };

struct zip_names {
    struct map paths; /* cleaned path -> a static tag for its kind */
};

void zip_names_init(struct zip_names *names);
void zip_names_done(struct zip_names *names);
/** Whether @path, as the archive has it, stays below the root. */
int zip_name_check(struct str path, struct error *err);
/** Adds the entry @path; the same folder twice is fine, anything else twice is not. */
int zip_names_add(struct zip_names *names, struct str path, enum zip_kind kind, struct error *err);
/** Whether a link at @path to @target stays below the root. */
int zip_link_check(struct str path, struct str target, struct error *err);
/** After the last entry: whether nothing lies below a file or a link. */
int zip_names_finish(const struct zip_names *names, struct error *err);

#endif
