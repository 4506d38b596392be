/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_cache.h - zip archives of functions, unpacked once for each content hash, under
 * <dir>/<sha256>/, and lists of layers, merged into one tree once for each list; what nobody uses
 * goes, oldest use first, when the ceiling is passed.
 *
 * A caller asks for a hash and gets a folder it may mount read-only until it lets go. On a miss the
 * cache asks its fetch function for the archive, checks the hash and unpacks on a worker thread.
 * Callers that ask for one hash, or one list, at the same time share one fetch and one unpacking.
 *
 * Owns:    everything below <dir>; leftovers of a crash are removed when it is made.
 * Threads: loop thread only (files are written on workers).
 * Errors:  by the callback: ERR_BAD_REQUEST with "InvalidZipFileException: <text>" when the archive
 *          is to blame, else the fetch's own error or ERR_SYSTEM. See docs/internals/links.md.
 * Source:  Lambda quotas: 262,144,000 bytes unpacked.
 */
#ifndef HEARTH_INVOKER_CODE_CACHE_H
#define HEARTH_INVOKER_CODE_CACHE_H

#include "common/io/loop.h"

#define CODE_UNPACKED_MAX 262144000u /* bytes */
#define CODE_SHA256_LEN 64
#define CODE_LAYERS_MAX 5u

struct code_cache;
struct code; /* one unpacked archive, or list of them, in use */
struct code_fetch; /* a request of the cache for archives, one at a time */

/**
 * Gets the archive with hash @sha256 (lower-case hex) into the new file @path, then calls
 * code_fetched() exactly once, now or later. @sha256 and @path stay good until then.
 */
typedef void code_fetch_fn(struct code_fetch *fetch, const char *sha256, const char *path,
                           void *arg);

/** Exactly once, never before code_get() returns. @err NULL: @code is the receiver's. */
typedef void code_done_fn(struct code *code, const struct error *err, void *arg);

struct code_cache_options {
    const char *dir; /* absolute; made when absent */
    uint64_t size_max; /* bytes of unpacked code kept; what is in use may exceed it */
    code_fetch_fn *fetch;
    void *fetch_arg;
};

/** Start-up only: reads and cleans @options->dir (blocking). -ERR_SYSTEM. */
int code_cache_new(struct loop *loop, const struct code_cache_options *options,
                   struct code_cache **ret, struct error *err);
/** Work that runs ends by itself; callbacks do not come any more. NULL is fine. */
void code_cache_free(struct code_cache *cache);

/** Asks for the unpacked archive with hash @sha256: 64 lower-case hex digits, else it fails. */
void code_get(struct code_cache *cache, const char *sha256, code_done_fn *done, void *arg);
/**
 * Asks for the tree that the archives of @sha256s (1..CODE_LAYERS_MAX; borrowed for the call) give
 * when they are unpacked over one another in this order: folders merge, anything else of a later
 * archive takes the place of what earlier ones have there. All together may have CODE_UNPACKED_MAX
 * bytes. A list of one is the archive itself, as of code_get().
 */
void code_get_layers(struct code_cache *cache, const char *const *sha256s, size_t len,
                     code_done_fn *done, void *arg);
/** The answer of a fetch function; @err NULL when the file is complete. */
void code_fetched(struct code_fetch *fetch, const struct error *err);

/** The folder to mount at /var/task or /opt; absolute; good while @code is held. */
const char *code_dir(const struct code *code);
/** Bytes of its files; of layers with those that later ones replaced. */
uint64_t code_size(const struct code *code);
struct code *code_ref(struct code *code);
/** NULL is fine. */
void code_unref(struct code *code);

#endif
