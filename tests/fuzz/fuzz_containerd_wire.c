/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_containerd_wire.c - libFuzzer target: any bytes are gRPC frames with containerd's answers in
 * them, or refused; what is read lies in them, and reading comes to an end.
 */
#include <stdint.h>
#include <stdlib.h>

#include "common/proto/containerd_wire.h"
#include "common/proto/grpc_frame.h"
#include "common/proto/protobuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct str part, struct str whole)
{
    if (part.len && (part.ptr < whole.ptr || part.ptr + part.len > whole.ptr + whole.len))
        abort();
}

static void check_fields(struct str message)
{
    struct str rest = message;
    struct protobuf_field f;
    size_t left = rest.len;

    while (protobuf_next(&rest, &f) > 0) {
        if (rest.len >= left || f.number == 0 || (!f.is_bytes && f.bytes.len))
            abort();
        left = rest.len;
        inside(f.bytes, message);
    }
}

static void check_answers(struct str message)
{
    struct containerd_image image;
    struct containerd_plugin plugin;
    struct str part, rest = message;
    size_t at = 0, before;

    check_fields(message);
    if (containerd_get_plugin(message, &plugin) == 0)
        inside(plugin.failure, message);
    if (containerd_get_image_status(message, &image) == 0) {
        inside(image.id, message);
        while (before = at, containerd_image_digest(&image, &at, &part)) {
            if (at <= before)
                abort();
            inside(part, message);
        }
    }
    inside(containerd_get_image_target(message), message);
    inside(containerd_get_content(message), message);
    while (containerd_next_snapshot(&rest, &part) > 0)
        inside(part, message);
    if (containerd_get_folders(message, &part, NULL) == 0) {
        inside(part, message);
        if (part.len == 0 || part.ptr[0] != '/')
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_from(data, size), message;
    struct error err;

    check_answers(rest);
    if (grpc_status_check(STR("2"), rest, &err) != -ERR_INTERNAL)
        abort();
    while (grpc_frame_next(&rest, &message) > 0)
        check_answers(message);
    return 0;
}
