/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the reader of a streamed result: pieces lie inside the bytes, the answer and its end are
 * the same however the bytes are cut, and no more comes out than went in.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto/result_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_all(const uint8_t *data, size_t size, size_t step, struct result_stream *s,
                    struct buf *body)
{
    struct str bytes, piece;
    size_t at, n;
    int r = 0;

    for (at = 0; at < size && r == 0; at += n) {
        char *copy;

        n = size - at < step ? size - at : step;
        copy = malloc(n); /* exact, so that a read beyond it is seen */
        assert(copy);
        memcpy(copy, data + at, n);
        bytes = str_from(copy, n);
        while ((r = result_stream_read(s, &bytes, &piece)) > 0) {
            assert(piece.len > 0 && piece.ptr >= copy && piece.ptr + piece.len <= copy + n);
            assert(buf_append_str(body, piece) == 0);
        }
        free(copy);
    }
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf one = BUF_INIT(1u << 20), many = BUF_INIT(1u << 20);
    struct result_stream whole, cut;
    struct result_end a, b;
    int ra, rb;

    result_stream_init(&whole);
    result_stream_init(&cut);
    ra = read_all(data, size, size ? size : 1, &whole, &one);
    rb = read_all(data, size, 1 + (size ? data[size - 1] % 7 : 0), &cut, &many);
    assert(ra == rb && one.len <= size && str_eq(buf_str(&one), buf_str(&many)));
    ra = result_stream_read_end(&whole, &a);
    rb = result_stream_read_end(&cut, &b);
    assert(ra == rb);
    if (ra == 0)
        assert(a.outcome == b.outcome && str_eq(a.error, b.error) && str_eq(a.log_tail, b.log_tail));
    result_stream_done(&whole);
    result_stream_done(&cut);
    buf_done(&one);
    buf_done(&many);
    return 0;
}
