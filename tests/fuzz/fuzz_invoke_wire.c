/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the heads of an invocation: strings lie inside the bytes, and a head that is taken is the
 * same after it has been written and read again.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto/invoke_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct str s, struct str bytes)
{
    assert(s.ptr >= bytes.ptr && s.ptr + s.len <= bytes.ptr + bytes.len);
}

static void try_question(struct str bytes)
{
    struct buf b = BUF_INIT(1u << 20);
    struct invoke_head head;

    if (invoke_head_read(bytes, &head) < 0)
        return;
    check_inside(head.request_id, bytes);
    check_inside(head.cognito_identity, bytes);
    if (head.gateway.len > 0)
        check_inside(head.gateway, bytes);
    if (head.pool.len > 0)
        check_inside(head.pool, bytes);
    assert(invoke_head_write(&b, &head) == 0);
    /* all but the fields of a later version, and what an older one does not say: length and permit */
    assert(b.len <= bytes.len + 8);
    assert(memcmp(b.ptr, bytes.ptr, b.len <= bytes.len ? b.len : bytes.len) == 0);
    buf_done(&b);
}

static void try_result(struct str bytes)
{
    struct buf b = BUF_INIT(1u << 20);
    struct result_head head, again;

    if (result_head_read(bytes, &head) < 0)
        return;
    check_inside(head.log_tail, bytes);
    assert(result_head_write(&b, &head) == 0);
    assert(result_head_read(buf_str(&b), &again) == 0);
    assert(again.outcome == head.outcome && again.refused == head.refused);
    assert(head.outcome != INVOKE_REFUSED || str_eq(again.message, head.message));
    assert(str_eq(again.executed_version, head.executed_version));
    assert(str_eq(again.log_tail, head.log_tail));
    buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1); /* exact, so that a read beyond it is seen */

    assert(copy);
    if (size)
        memcpy(copy, data, size);
    try_question(str_from(copy, size));
    try_result(str_from(copy, size));
    free(copy);
    return 0;
}
