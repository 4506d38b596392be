/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry.h - the functions that exist, in Redis. Every change of more than one key is one Lua
 * script that compares before it writes, so that clients and controllers may do what they like at
 * the same time.
 *
 * A change of a function goes none → PREPARE → SWITCH → none: while it is being prepared, the
 * version before it (fn_record.serving) goes on running; from SWITCH on the new one runs, and
 * peers are being told; then it is over. A change that cannot be prepared goes back to none.
 *
 * Owns:    nothing but the requests under way.
 * Borrows: struct redis, the sealing key; they outlive it.
 * Threads: loop thread only; callbacks never run inside a call, and each comes exactly once.
 * Errors:  those of redis.h; ERR_NOT_FOUND and others as each function says. Messages are for
 *          logs; what a client is told is the caller's business.
 * Keys:    docs/internals/redis.md.
 */
#ifndef HEARTH_CONTROLLER_REGISTRY_H
#define HEARTH_CONTROLLER_REGISTRY_H

#include "common/base/id.h"
#include "common/io/redis.h"
#include "common/model/fn.h"
#include "common/proto/seal.h"

struct registry;

enum fn_stage { FN_STAGE_NONE, FN_STAGE_PREPARE, FN_STAGE_SWITCH };

/* A function as it stands in the registry. */
struct fn_record {
    struct fn_version *ver; /* what the API shows of $LATEST */
    struct fn_version *serving; /* runs while @ver is being prepared; NULL in other stages */
    enum fn_stage stage;
    char change[UUID_MAX]; /* of the change under way; "" when there is none */
};

void fn_record_free(struct fn_record *rec);
/** For CLEANUP. */
void fn_record_freep(struct fn_record **rec);
/** The version that invocations get; NULL: there is none (being created, failed). Borrowed. */
const struct fn_version *fn_record_running(const struct fn_record *rec);

struct registry *registry_new(struct loop *loop, struct redis *redis, const struct seal_key *key);
/** Requests under way must have ended (redis_free() ends them). */
void registry_free(struct registry *reg);

/** @err NULL: @rec is the receiver's. */
typedef void registry_record_fn(struct fn_record *rec, const struct error *err, void *arg);
/** ERR_NOT_FOUND: there is no such function. */
void registry_get(struct registry *reg, struct str account, struct str name,
                  registry_record_fn *done, void *arg);

/** @err NULL: @vers are borrowed, @more tells whether others follow. */
typedef void registry_page_fn(struct fn_version *const *vers, size_t len, bool more,
                              const struct error *err, void *arg);
/** The first @limit functions (1..1000) behind the name @after (empty: from the first), by name. */
void registry_list(struct registry *reg, struct str account, struct str after, uint32_t limit,
                   registry_page_fn *done, void *arg);

/* What a change of the registry brought. */
struct registry_change {
    uint64_t generation; /* of the version written; 0 for delete */
    /* archives that no function of the account refers to any more; borrowed */
    const struct str *unused_code;
    size_t unused_code_len;
};
typedef void registry_change_fn(const struct registry_change *change, const struct error *err,
                                void *arg);

/** A function that is not there yet, with change id @change. ERR_CONFLICT: it is there. */
void registry_create(struct registry *reg, const struct fn_version *ver, const char *change,
                     registry_change_fn *done, void *arg);
/**
 * Begins the change @change from revision @expected to @ver. ERR_NOT_FOUND; ERR_CONFLICT: another
 * change is under way; ERR_PRECONDITION: the revision is another.
 */
void registry_begin(struct registry *reg, const struct fn_version *ver, const char *change,
                    const char *expected, registry_change_fn *done, void *arg);
/** PREPARE → SWITCH: @ver is current. In SWITCH already: fine. ERR_STALE: the change is over. */
void registry_switch(struct registry *reg, const struct fn_version *ver, const char *change,
                     registry_change_fn *done, void *arg);
/** SWITCH → none, with the final @ver. ERR_STALE: it has been done, or the function is gone. */
void registry_finish(struct registry *reg, const struct fn_version *ver, const char *change,
                     registry_change_fn *done, void *arg);
/** PREPARE → none: back to what served, as @ver says. ERR_STALE as above. */
void registry_fail(struct registry *reg, const struct fn_version *ver, const char *change,
                   registry_change_fn *done, void *arg);
/** Removes the function. ERR_NOT_FOUND. */
void registry_delete(struct registry *reg, struct str account, struct str name,
                     registry_change_fn *done, void *arg);

/** One function whose change is under way; called for each, then @done once. */
typedef void registry_pending_fn(struct str account, struct str name, void *arg);
typedef void registry_done_fn(const struct error *err, void *arg);
/** All changes under way, of all accounts: what a controller takes up when it starts. */
void registry_pending(struct registry *reg, registry_pending_fn *each, registry_done_fn *done,
                      void *arg);

typedef void registry_used_fn(bool used, const struct error *err, void *arg);
/** Whether any function of any account refers to the archive @sha256. */
void registry_code_used(struct registry *reg, const char *sha256, registry_used_fn *done,
                        void *arg);

#endif
