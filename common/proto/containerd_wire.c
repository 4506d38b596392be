/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/containerd_wire.h"

#include <string.h>

#include "common/proto/protobuf.h"

#define NESTED_MAX 65536u

/* ---- requests */

/* ImageSpec, whose first field is the image's name. */
static int put_image_spec(struct buf *b, uint32_t number, struct str name)
{
    CLEANUP(buf_done) struct buf spec = BUF_INIT(NESTED_MAX);
    int r = protobuf_put(&spec, 1, name);

    return r == 0 ? protobuf_put(b, number, buf_str(&spec)) : r;
}

int containerd_put_pull(struct buf *b, struct str reference, const struct containerd_auth *auth)
{
    CLEANUP(buf_done) struct buf config = BUF_INIT(NESTED_MAX);
    int r = put_image_spec(b, 1, reference);

    if (r < 0 || !auth)
        return r;
    r = protobuf_put(&config, 1, auth->username);
    if (r == 0)
        r = protobuf_put(&config, 2, auth->password);
    if (r == 0)
        r = protobuf_put(&config, 5, auth->identity_token);
    if (r == 0)
        r = protobuf_put(&config, 6, auth->registry_token);
    if (r == 0)
        r = protobuf_put(b, 2, buf_str(&config));
    if (config.len)
        explicit_bzero(config.ptr, config.len);
    return r;
}

int containerd_put_image_status(struct buf *b, struct str name)
{
    return put_image_spec(b, 1, name);
}

int containerd_put_image_get(struct buf *b, struct str name)
{
    return protobuf_put(b, 1, name);
}

int containerd_put_read(struct buf *b, struct str digest)
{
    return protobuf_put(b, 1, digest);
}

int containerd_put_remove(struct buf *b, struct str snapshotter, struct str key)
{
    int r = protobuf_put(b, 1, snapshotter);

    return r == 0 ? protobuf_put(b, 2, key) : r;
}

int containerd_put_view(struct buf *b, struct str snapshotter, struct str key, struct str parent,
                        const struct str *labels, size_t labels_len)
{
    int r = containerd_put_remove(b, snapshotter, key);
    size_t i;

    if (r == 0)
        r = protobuf_put(b, 3, parent);
    for (i = 0; r == 0 && i + 1 < labels_len; i += 2)
        r = protobuf_put_entry(b, 4, labels[i], labels[i + 1]);
    return r;
}

int containerd_put_list(struct buf *b, struct str snapshotter, struct str filter)
{
    return containerd_put_remove(b, snapshotter, filter); /* strings 1 and 2 as well */
}

int containerd_put_plugin(struct buf *b, struct str type, struct str id)
{
    CLEANUP(buf_done) struct buf filter = BUF_INIT(NESTED_MAX);
    int r = buf_printf(&filter, "type==%.*s,id==%.*s", STR_ARG(type), STR_ARG(id));

    return r == 0 ? protobuf_put(b, 1, buf_str(&filter)) : r;
}

/* ---- answers */

int containerd_get_image_status(struct str message, struct containerd_image *ret)
{
    struct str rest = protobuf_find(message, 1);
    struct containerd_image image = {.message = rest};
    struct protobuf_field f;
    int r;

    while ((r = protobuf_next(&rest, &f)) > 0) {
        if (f.number == 1 && f.is_bytes)
            image.id = f.bytes;
        else if (f.number == 4 && !f.is_bytes)
            image.size = f.value;
    }
    if (r == 0)
        *ret = image;
    return r;
}

bool containerd_image_digest(const struct containerd_image *image, size_t *at, struct str *ret)
{
    struct str rest = str_sub(image->message, *at, image->message.len);
    struct protobuf_field f;

    while (protobuf_next(&rest, &f) > 0) {
        *at = image->message.len - rest.len;
        if (f.number == 3 && f.is_bytes) {
            *ret = f.bytes;
            return true;
        }
    }
    return false;
}

struct str containerd_get_image_target(struct str message)
{
    const struct str target = protobuf_find(protobuf_find(message, 1), 3);

    return protobuf_find(target, 2);
}

struct str containerd_get_content(struct str message)
{
    return protobuf_find(message, 2);
}

int containerd_next_snapshot(struct str *rest, struct str *ret_name)
{
    struct protobuf_field f;
    int r;

    while ((r = protobuf_next(rest, &f)) > 0) {
        if (f.number == 1 && f.is_bytes) {
            *ret_name = protobuf_find(f.bytes, 1);
            return 1;
        }
    }
    return r;
}

int containerd_get_plugin(struct str message, struct containerd_plugin *ret)
{
    struct containerd_plugin plugin = {0};
    struct protobuf_field f;
    int r;

    while ((r = protobuf_next(&message, &f)) > 0) {
        if (f.number == 1 && f.is_bytes) { /* its init_err is a google.rpc.Status */
            plugin.is_there = true;
            plugin.failure = protobuf_find(protobuf_find(f.bytes, 7), 2);
        }
    }
    if (r == 0)
        *ret = plugin;
    return r;
}

/* The value of an overlay's option "lowerdir=". */
static struct str find_lower(struct str mount)
{
    static const struct str option = {"lowerdir=", 9};
    struct protobuf_field f;

    while (protobuf_next(&mount, &f) > 0)
        if (f.number == 4 && f.is_bytes && str_starts(f.bytes, option))
            return str_sub(f.bytes, option.len, f.bytes.len);
    return STR_NULL;
}

int containerd_get_folders(struct str message, struct str *ret, struct error *err)
{
    struct str mount = STR_NULL, type, folders = STR_NULL;
    struct protobuf_field f;
    size_t n = 0;
    int r;

    while ((r = protobuf_next(&message, &f)) > 0) {
        if (f.number == 1 && f.is_bytes) {
            mount = f.bytes;
            n++;
        }
    }
    if (r < 0)
        return error_set(err, ERR_PROTOCOL, "containerd's answer is not a list of mounts");
    type = protobuf_find(mount, 1);
    if (n == 1 && str_is(type, "overlay"))
        folders = find_lower(mount);
    else if (n == 1 && str_is(type, "bind"))
        folders = protobuf_find(mount, 2);
    if (folders.len == 0 || folders.ptr[0] != '/')
        return error_set(err, ERR_UNSUPPORTED,
                         "containerd's snapshotter gives a mount of the kind \"%.*s\": only folders "
                         "can be used, as overlayfs has them",
                         type.len > 40 ? 40 : (int)type.len, type.ptr ? type.ptr : "");
    *ret = folders;
    return 0;
}
