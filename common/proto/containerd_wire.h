/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containerd_wire.h - the messages of containerd's gRPC services that Hearth uses: CRI's image
 * service, and containerd's own images, content, snapshots and plugins.
 *
 * Readers leave out what they do not know, as the format wants it; a message that is none reads as
 * an empty one where a reader returns no error.
 *
 * Owns:    nothing: what is read points into the message.
 * Threads: any.
 * Errors:  -ERR_PROTOCOL for bytes that are not the message; -ERR_UNSUPPORTED for a mount that is
 *          no stack of folders; -ERR_TOO_LARGE at a buf's ceiling.
 * Source:  k8s.io/cri-api runtime/v1/api.proto; containerd
 *          api/services/{images,content,snapshots,introspection}/v1,
 *          api/types/{mount,descriptor}.proto. The numbers are the same from containerd 1.6 to 2.
 */
#ifndef HEARTH_PROTO_CONTAINERD_WIRE_H
#define HEARTH_PROTO_CONTAINERD_WIRE_H

#include "common/base/buf.h"
#include "common/base/error.h"

/** Who asks a registry; parts that are empty are not told. */
struct containerd_auth {
    struct str username, password, identity_token, registry_token;
};

/** runtime.v1.PullImageRequest; @auth NULL: anonymous. */
int containerd_put_pull(struct buf *b, struct str reference, const struct containerd_auth *auth);
/** runtime.v1.ImageStatusRequest. */
int containerd_put_image_status(struct buf *b, struct str name);
/** containerd.services.images.v1.GetImageRequest. */
int containerd_put_image_get(struct buf *b, struct str name);
/** containerd.services.content.v1.ReadContentRequest: the whole of it. */
int containerd_put_read(struct buf *b, struct str digest);
/** containerd.services.snapshots.v1.ViewSnapshotRequest with @labels_len names and values in turn. */
int containerd_put_view(struct buf *b, struct str snapshotter, struct str key, struct str parent,
                        const struct str *labels, size_t labels_len);
/** RemoveSnapshotRequest. */
int containerd_put_remove(struct buf *b, struct str snapshotter, struct str key);
/** ListSnapshotsRequest; @filter in containerd's filter language. */
int containerd_put_list(struct buf *b, struct str snapshotter, struct str filter);

/** introspection.v1.PluginsRequest for the one plugin of that type and id. */
int containerd_put_plugin(struct buf *b, struct str type, struct str id);

/** The image in a runtime.v1.ImageStatusResponse. */
struct containerd_image {
    struct str id; /* the digest of its configuration; empty: there is no such image */
    uint64_t size; /* bytes, as containerd counts them: compressed */
    struct str message; /* for containerd_image_digest() */
};
int containerd_get_image_status(struct str message, struct containerd_image *ret);
/** The next of its repo_digests ("name@sha256:..."), *@at from 0; false: no more. */
bool containerd_image_digest(const struct containerd_image *image, size_t *at, struct str *ret);

/** The target's digest in a GetImageResponse; empty when there is none. */
struct str containerd_get_image_target(struct str message);
/** The bytes in one of the ReadContentResponses. */
struct str containerd_get_content(struct str message);
/** The next name in a ListSnapshotsResponse, taken off *@rest: 1, or 0, or -ERR_PROTOCOL. */
int containerd_next_snapshot(struct str *rest, struct str *ret_name);
/** What a PluginsResponse says of the one plugin that was asked for. */
struct containerd_plugin {
    bool is_there;
    struct str failure; /* why it did not start; empty: it did */
};
int containerd_get_plugin(struct str message, struct containerd_plugin *ret);
/**
 * The folders of the one mount in a ViewSnapshotResponse, the uppermost first, with ':' between:
 * those of an overlay, or the one of a bind mount.
 */
int containerd_get_folders(struct str message, struct str *ret, struct error *err);

#endif
