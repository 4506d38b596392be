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
#ifndef HEARTH_CONTROLLER_STORE_REGISTRY_H
#define HEARTH_CONTROLLER_STORE_REGISTRY_H

#include "controller/store/fn_view.h"

struct registry;

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
/**
 * The same with all versions, each function's $LATEST first: behind version @version of the
 * function @after ("$LATEST" or a number).
 */
void registry_list_all(struct registry *reg, struct str account, struct str after,
                       struct str version, uint32_t limit, registry_page_fn *done, void *arg);

/** $LATEST and the versions of one function behind @version (empty: from the first); none: len 0. */
void registry_list_versions(struct registry *reg, struct str account, struct str name,
                            struct str version, uint32_t limit, registry_page_fn *done, void *arg);

/** @err NULL: done. */
typedef void registry_done_fn(const struct error *err, void *arg);
/**
 * Enters @account; registry_create() comes after it was done: archives and changes of accounts that
 * were never entered are nobody's.
 */
void registry_enter(struct registry *reg, const char *account, registry_done_fn *done, void *arg);

/* What a change of the registry brought. */
struct registry_change {
    uint64_t generation; /* of the version written; 0 for delete */
    /* archives that no function of the account refers to any more; borrowed */
    const struct str *unused_code;
    size_t unused_code_len;
};
typedef void registry_change_fn(const struct registry_change *change, const struct error *err,
                                void *arg);

/* A text that is written beside the function together with it. */
struct registry_beside {
    enum fn_kind kind;
    const char *field;
    const char *text;
};

/* What a step of a change writes; all borrowed. */
struct registry_write {
    const struct fn_version *ver;
    const char *change; /* its id */
    const char *seq; /* begin: the function must not have moved on from here; NULL: may */
    uint64_t generation; /* of the function that @seq is of: one created anew counts again */
    const struct fn_version *publish; /* the version that is published with it; NULL: none */
    const struct registry_beside *beside;
    size_t beside_len; /* at most REGISTRY_BESIDE_MAX */
    uint64_t code_bytes_max; /* create, begin: of the account's archives together; 0: any */
};
#define REGISTRY_BESIDE_MAX 4u

/**
 * A function that is not there yet. ERR_CONFLICT: it is there; ERR_CODE_STORAGE;
 * ERR_STALE: a layer's archive is not there any more; ERR_NO_CODE_SIGNING: what it names is not.
 */
void registry_create(struct registry *reg, const struct registry_write *w, registry_change_fn *done,
                     void *arg);
/**
 * Begins a change. ERR_NOT_FOUND; ERR_CONFLICT: another change is under way; ERR_PRECONDITION: the
 * function has moved on from @w->seq; ERR_CODE_STORAGE; ERR_STALE: a layer's archive is not there
 * any more.
 */
void registry_begin(struct registry *reg, const struct registry_write *w, registry_change_fn *done,
                    void *arg);
/** PREPARE → SWITCH: @w->ver is current. In SWITCH already: fine. ERR_STALE: the change is over. */
void registry_switch(struct registry *reg, const struct registry_write *w,
                     registry_change_fn *done, void *arg);
/** SWITCH → none, with the final @w->ver. ERR_STALE: it has been done, or the function is gone. */
void registry_finish(struct registry *reg, const struct registry_write *w,
                     registry_change_fn *done, void *arg);
/** PREPARE → none: back to what served, as @w->ver says. ERR_STALE as above. */
void registry_fail(struct registry *reg, const struct registry_write *w, registry_change_fn *done,
                   void *arg);
/** Removes the function. ERR_NOT_FOUND. */
void registry_delete(struct registry *reg, struct str account, struct str name,
                     registry_change_fn *done, void *arg);

/** One function whose change is under way; called for each, then @done once. */
typedef void registry_pending_fn(struct str account, struct str name, void *arg);
/** All changes under way, of all accounts: what a controller takes up when it starts. */
void registry_pending(struct registry *reg, registry_pending_fn *each, registry_done_fn *done,
                      void *arg);

typedef void registry_used_fn(bool used, const struct error *err, void *arg);
/** Whether any function of any account refers to the archive @sha256. */
void registry_code_used(struct registry *reg, const char *sha256, registry_used_fn *done,
                        void *arg);
/** Whether any account was ever entered: a registry without one is new, or not the one it was. */
void registry_is_entered(struct registry *reg, registry_used_fn *done, void *arg);

#endif
