/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_store.h - zip archives of functions, by content: <dir>/<hex[0:2]>/<sha256>.zip.
 *
 * Who adds an archive holds a pin (a second name of the file, <dir>/pins/<controller>/…) until the
 * registry refers to it; a lock on that folder tells the pins of the living from those of the dead; who removes one moves it to <dir>/trash/ first, asks the registry, and puts it back
 * when it is referred to. So of two who do both at once, neither takes the other's file away,
 * also when they are two controllers.
 *
 * Owns:    everything below <dir>.
 * Threads: loop thread only; files are read and written on workers.
 * Errors:  by the callback: ERR_BAD_REQUEST (the archive, AWS's words), ERR_NOT_FOUND, ERR_SYSTEM.
 * Details: docs/internals/controller.md.
 */
#ifndef HEARTH_CONTROLLER_CODE_CODE_STORE_H
#define HEARTH_CONTROLLER_CODE_CODE_STORE_H

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/id.h"
#include "common/io/loop.h"
#include "common/proto/digest.h"

struct code_store;

/* An archive that was added, and the pin that holds it. */
struct code_pin {
    char sha256[SHA256_HEX_MAX];
    char name[UUID_MAX];
    uint64_t bytes;
    uint64_t unzipped_bytes;
};

/** Exactly once. @err NULL: @pin is good; end it with code_store_settle(). */
typedef void code_added_fn(const struct code_pin *pin, const struct error *err, void *arg);
/** Exactly once. @err NULL: @bytes are borrowed for the call. */
typedef void code_read_fn(const struct buf *bytes, const struct error *err, void *arg);
/** Exactly once. */
typedef void code_done_fn(const struct error *err, void *arg);
/** One name found. */
typedef void code_found_fn(const char *sha256, void *arg);

/**
 * Start-up only (blocking): makes the folders; removes pins of a crash; @trashed is told what was
 * being removed: end each with code_store_restore() or code_store_purge().
 */
int code_store_new(struct loop *loop, const char *dir, code_found_fn *trashed, void *arg,
                   struct code_store **ret, struct error *err);
/** Work under way goes on to its end; its callbacks do not come. */
void code_store_free(struct code_store *store);

/** Decodes @base64 (given away: malloc'ed, NUL-terminated), checks the archive, writes it. */
void code_store_add(struct code_store *store, char *base64, code_added_fn *done, void *arg);
/** The same with the archive itself; takes the contents of @bytes. */
void code_store_add_bytes(struct code_store *store, struct buf *bytes, code_added_fn *done,
                          void *arg);
/**
 * Ends @pin. @referred: the registry refers to the archive now, and it is there when @done comes.
 * Otherwise the caller looks whether it must go: code_gc.h. @done may be NULL.
 */
void code_store_settle(struct code_store *store, const struct code_pin *pin, bool referred,
                       code_done_fn *done, void *arg);
/** The bytes of the archive @sha256 (64 lower-case hex digits). */
void code_store_read(struct code_store *store, const char *sha256, code_read_fn *done, void *arg);

/** The same of what @pin holds, which is there whoever takes the archive away meanwhile. */
void code_store_read_pinned(struct code_store *store, const struct code_pin *pin,
                            code_read_fn *done, void *arg);

/** Takes the archive away for now; ERR_NOT_FOUND when it is not there. */
void code_store_trash(struct code_store *store, const char *sha256, code_done_fn *done, void *arg);
/** Puts back what was taken away. */
void code_store_restore(struct code_store *store, const char *sha256, code_done_fn *done,
                        void *arg);
/** Removes what was taken away for good. */
void code_store_purge(struct code_store *store, const char *sha256, code_done_fn *done, void *arg);

/** The digests of all archives that are not pinned, 64 hex digits each, one after the other. */
void code_store_list(struct code_store *store, code_read_fn *done, void *arg);

/** Whether @s is 64 lower-case hex digits. */
bool code_sha256_is_valid(struct str s);

#endif
