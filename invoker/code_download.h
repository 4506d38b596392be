/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_download.h - gets one archive from the controller into a file, for the code cache.
 *
 * Owns:    each download runs to its end by itself, or code_downloads_end(). Borrows: loop, link.
 * Threads: loop thread only; the file is written on a worker.
 * Errors:  by code_fetched(): those of the call (ERR_NOT_FOUND, ERR_UNAVAILABLE, …) or ERR_SYSTEM.
 * Source:  docs/internals/links.md, `code.get`.
 */
#ifndef HEARTH_INVOKER_CODE_DOWNLOAD_H
#define HEARTH_INVOKER_CODE_DOWNLOAD_H

#include "common/io/link.h"
#include "invoker/code_cache.h"

/** @sha256 and @path stay good until code_fetched(@fetch) is called, which is once and later. */
void code_download(struct loop *loop, struct link *link, struct list_node *asking,
                   struct code_fetch *fetch, const char *sha256, const char *path);
/** Ends those in @asking, which wait for the controller; the link is about to go. */
void code_downloads_end(struct list_node *asking);

#endif
