/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containerd.h - containerd's gRPC services over its Unix socket, as far as Hearth needs them
 * (containerd 1.6 and later, with its CRI plugin).
 *
 * Every call is asynchronous, on a connection of its own; its callback comes exactly once from the
 * loop, unless containerd_free() or containerd_call_cancel() was first. That containerd is away is
 * said in the log once, and once that it is back.
 *
 * All is done in the namespace "k8s.io", which is the only one that CRI uses.
 *
 * Owns:    calls run to their end by themselves. Borrows: http_client, which outlives it.
 * Threads: loop thread only.
 * Errors:  struct error with containerd's own message. ERR_NOT_FOUND, ERR_CONFLICT (it is there
 *          already), ERR_ACCESS_DENIED, ERR_BAD_REQUEST, ERR_UNSUPPORTED (not for this platform),
 *          ERR_UNAVAILABLE (no containerd there; sys_errno ECONNREFUSED: for sure nothing was
 *          sent), ERR_TIMEOUT, ERR_PROTOCOL, ERR_TOO_LARGE, ERR_INTERNAL.
 * Source:  see containerd_wire.h; gRPC over HTTP2.
 */
#ifndef HEARTH_IO_CONTAINERD_H
#define HEARTH_IO_CONTAINERD_H

#include "common/io/http_client.h"
#include "common/proto/containerd_wire.h"

struct containerd;
struct containerd_call;

struct containerd_options {
    struct http_client *http;
    const char *socket; /* path, or "unix://<path>"; copied */
    const char *auth_file; /* Docker's config.json with "auths"; "": anonymous; copied */
    const char *snapshotter; /* "overlayfs"; copied */
};

/**
 * @err NULL: @answer is the message, borrowed for the call, for the readers of containerd_wire.h;
 * of containerd_read() it is the content itself.
 */
typedef void containerd_done_fn(struct str answer, const struct error *err, void *arg);

struct containerd *containerd_new(const struct containerd_options *options);
/** Cancels what runs, without callbacks. NULL is fine. */
void containerd_free(struct containerd *c);
/** Ends one call without its callback. Not inside its own callback. */
void containerd_call_cancel(struct containerd_call *call);

/**
 * CRI's PullImage, for this machine's platform and unpacked, with the credentials of the auth file
 * for @host ("": Docker's own registry).
 */
struct containerd_call *containerd_pull(struct containerd *c, const char *reference,
                                        struct str host, containerd_done_fn *done, void *arg);
/** CRI's ImageStatus: containerd_get_image_status(). @name: a reference or an image's id. */
struct containerd_call *containerd_image_status(struct containerd *c, const char *name,
                                                containerd_done_fn *done, void *arg);
/** What the name, with host and tag, stands for: containerd_get_image_target(). */
struct containerd_call *containerd_image_get(struct containerd *c, const char *name,
                                             containerd_done_fn *done, void *arg);
/** A blob of at most 4 MiB. */
struct containerd_call *containerd_read(struct containerd *c, const char *digest,
                                        containerd_done_fn *done, void *arg);
/**
 * A read-only snapshot @key of the unpacked layers @parent (a chain id):
 * containerd_get_folders(). @labels: @labels_len names and values in turn.
 */
struct containerd_call *containerd_view(struct containerd *c, const char *key, const char *parent,
                                        const struct str *labels, size_t labels_len,
                                        containerd_done_fn *done, void *arg);
struct containerd_call *containerd_remove(struct containerd *c, const char *key,
                                          containerd_done_fn *done, void *arg);
/** Snapshots that @filter lets through: containerd_next_snapshot(). */
struct containerd_call *containerd_list(struct containerd *c, const char *filter,
                                        containerd_done_fn *done, void *arg);

#endif
