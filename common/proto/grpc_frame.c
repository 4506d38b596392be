/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/grpc_frame.h"

#include "common/proto/big_endian.h"
#include "common/proto/uri_escape.h"

#define HEAD_BYTES 5u

/* By number; what is not listed is an inner error of the server. */
static const enum error_code codes[] = {
    [3] = ERR_BAD_REQUEST, /* INVALID_ARGUMENT */
    [4] = ERR_TIMEOUT, /* DEADLINE_EXCEEDED */
    [5] = ERR_NOT_FOUND,
    [6] = ERR_CONFLICT, /* ALREADY_EXISTS */
    [7] = ERR_ACCESS_DENIED, /* PERMISSION_DENIED */
    [9] = ERR_PRECONDITION, /* FAILED_PRECONDITION */
    [12] = ERR_NO_OPERATION, /* UNIMPLEMENTED */
    [14] = ERR_UNAVAILABLE,
    [16] = ERR_ACCESS_DENIED, /* UNAUTHENTICATED */
};

int grpc_frame_put(struct buf *b, struct str message)
{
    char head[HEAD_BYTES] = {0};
    int r;

    if (message.len > UINT32_MAX)
        return -ERR_TOO_LARGE;
    be32_put(head + 1, (uint32_t)message.len);
    r = buf_append(b, head, sizeof(head));
    return r == 0 ? buf_append_str(b, message) : r;
}

int grpc_frame_next(struct str *rest, struct str *ret)
{
    uint32_t len;

    if (rest->len == 0)
        return 0;
    if (rest->len < HEAD_BYTES || rest->ptr[0] != 0)
        return -ERR_PROTOCOL;
    len = be32_get(rest->ptr + 1);
    if (len > rest->len - HEAD_BYTES)
        return -ERR_PROTOCOL;
    *ret = str_sub(*rest, HEAD_BYTES, HEAD_BYTES + len);
    *rest = str_sub(*rest, HEAD_BYTES + len, rest->len);
    return 1;
}

int grpc_status_check(struct str status, struct str message, struct error *err)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(ERROR_MSG_MAX);
    enum error_code code = ERR_INTERNAL;
    uint64_t number;
    size_t i;

    if (str_parse_u64(status, &number) < 0)
        return error_set(err, ERR_PROTOCOL, "the answer has no gRPC status");
    if (number == 0)
        return 0;
    if (number < ARRAY_LEN(codes) && codes[number])
        code = codes[number];
    message = str_sub(message, 0, ERROR_MSG_MAX);
    if (uri_unescape(&text, message, false) < 0) {
        buf_clear(&text);
        (void)buf_append_str(&text, message);
    }
    for (i = 0; i < text.len; i++) /* it goes into logs and messages */
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            text.ptr[i] = ' ';
    if (text.len == 0)
        return error_set(err, code, "gRPC status %u", (unsigned)number);
    return error_set(err, code, "%.*s", (int)text.len, text.ptr);
}
