/* SPDX-License-Identifier: Apache-2.0 */
/*
 * code_gc.h - removes archives that no function refers to any more.
 *
 * One at a time: taken away, the registry asked (all accounts), then gone for good or put back.
 * When the registry cannot be asked, it is put back and looked at again later.
 *
 * Owns:    the names that wait.
 * Borrows: the code store and the registry; they outlive it.
 * Threads: loop thread only.
 * Errors:  none; what fails is logged and tried again.
 */
#ifndef HEARTH_CONTROLLER_CODE_CODE_GC_H
#define HEARTH_CONTROLLER_CODE_CODE_GC_H

#include "controller/code/code_store.h"
#include "controller/store/registry.h"

struct code_gc;

/** @retry_us: how long after an answer that did not come it asks again. */
struct code_gc *code_gc_new(struct loop *loop, struct registry *registry, uint64_t retry_us);
/** From now on it works; what it was given before is looked at. */
void code_gc_start(struct code_gc *gc, struct code_store *store);
void code_gc_free(struct code_gc *gc);
/** The archive @sha256 may be without a function. @trashed: it is in the trash already. */
void code_gc_consider(struct code_gc *gc, const char *sha256, bool trashed);
/** Ends @pin, whose archive may be in use or not, and considers it. */
void code_gc_unpin(struct code_gc *gc, const struct code_pin *pin);
/**
 * Considers every archive that is not pinned: answers of Redis that were lost, and a controller that
 * died, may have left some behind. Does nothing while the registry has no accounts: a new Redis is
 * no reason to remove what the one before it referred to.
 */
void code_gc_sweep(struct code_gc *gc);

#endif
