/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_merge.h - lays one folder's content over another's, as Lambda lays layers over one another.
 * Both are trees of our own making (see code_unpack.h); no link in them is followed.
 *
 * Owns:    nothing. Threads: a worker; blocks.
 * Errors:  -ERR_SYSTEM; both trees are then somewhere between.
 * Source:  Lambda developer guide, "Packaging your layer content".
 */
#ifndef HEARTH_INVOKER_TREE_MERGE_H
#define HEARTH_INVOKER_TREE_MERGE_H

#include "common/base/error.h"

/**
 * Moves everything in @from into @to, on the same file system: folders that both have merge,
 * anything else takes the place of what @to has under its name, be it a file, a link or a folder
 * with all in it. Folders that merged are left in @from, empty.
 */
int tree_merge(const char *from, const char *to, struct error *err);

#endif
