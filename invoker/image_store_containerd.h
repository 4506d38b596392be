/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_store_containerd.h - the image store of a containerd: pulls through its CRI image service,
 * layers as its snapshotter has unpacked them. For the native launcher; no Docker is needed.
 *
 * Owns:    its pulls, its connections' calls, the snapshots that keep layers (containerd_views.h).
 * Borrows: loop and http_client, which outlive it.
 * Threads: loop thread only.
 * Errors:  see image_store.h.
 */
#ifndef HEARTH_INVOKER_IMAGE_STORE_CONTAINERD_H
#define HEARTH_INVOKER_IMAGE_STORE_CONTAINERD_H

#include "common/io/http_client.h"
#include "invoker/image_store.h"

struct image_store_containerd_options {
    struct loop *loop;
    struct http_client *http;
    const char *socket; /* containerd's; this and the others are copied */
    const char *snapshotter; /* the one that CRI unpacks into */
    const char *auth_file; /* Docker's config.json; "": anonymous */
    const char *node; /* id of this node */
};

/** image_store_free() ends it; image_store_stop() first, or snapshots stay until the next start. */
struct image_store *image_store_containerd_new(const struct image_store_containerd_options *options);

#endif
