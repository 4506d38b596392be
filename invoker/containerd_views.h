/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containerd_views.h - the snapshots that keep the layers of images in use from containerd's
 * garbage collection: read-only views, which nobody mounts; their mounts tell the folders.
 *
 * Each has the label containerd.io/gc.root and two of ours, the node and the life of the invoker.
 * Those of earlier lives are removed at the start, and all of ours at the end. What cannot be
 * removed is tried again, 0.2 s later, doubling to 10 s.
 *
 * Owns:    what it has to remove; a hold belongs to whoever has a reference, and may outlive us.
 * Borrows: loop, struct containerd.
 * Threads: loop thread only.
 * Errors:  those of containerd.h.
 */
#ifndef HEARTH_INVOKER_CONTAINERD_VIEWS_H
#define HEARTH_INVOKER_CONTAINERD_VIEWS_H

#include "common/io/containerd.h"
#include "invoker/image_store.h"

struct containerd_views;

/** Begins to remove what earlier lives of @node left. */
struct containerd_views *containerd_views_new(struct loop *loop, struct containerd *c,
                                              const char *node);
/** NULL is fine. */
void containerd_views_free(struct containerd_views *views);
/** As image_store_stop(). */
void containerd_views_stop(struct containerd_views *views, void (*done)(void *arg), void *arg);

/**
 * A view of the unpacked layers @chain_id; ERR_NOT_FOUND: they are not unpacked here. @ret_hold is
 * the caller's at once, with one reference, and to be let go however the call ends.
 */
struct containerd_call *containerd_views_make(struct containerd_views *views, const char *chain_id,
                                              struct image_hold **ret_hold,
                                              containerd_done_fn *done, void *arg);

#endif
