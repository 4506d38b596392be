/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the HTTP/1.1 reader: whatever the bytes and however they are cut into pieces, the outcome
 * is the same, spans lie inside the head, and what is decoded never exceeds what came in.
 */
#include "common/proto/http1.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_span(struct http1_span span, int head_len)
{
    assert((uint64_t)span.at + span.len <= (uint64_t)head_len);
}

static int read_head(struct http1_head *h, const uint8_t *data, size_t size, size_t step,
                     char *copy)
{
    size_t n = 0;
    int r = 0;

    http1_head_init(h);
    while (r == 0 && n < size) {
        memcpy(copy + n, data + n, size - n < step ? size - n : step);
        n = size - n < step ? size : n + step;
        r = http1_head_read(h, copy, n);
    }
    return r;
}

static int read_body(const uint8_t *data, size_t size, size_t step, struct buf *out,
                     size_t *ret_used)
{
    CLEANUP(buf_done) struct buf trailers = BUF_INIT(HTTP1_TRAILERS_MAX);
    struct http1_chunked c = {0};
    char piece[64];
    size_t at = 0, n, used;
    int r = 0;

    if (step > sizeof(piece))
        step = sizeof(piece);
    while (r == 0 && at < size) {
        n = size - at < step ? size - at : step;
        memcpy(piece, data + at, n);
        r = http1_chunked_read(&c, piece, &n, &used, &trailers);
        assert(used <= step && n <= used);
        buf_append(out, piece, n);
        at += used;
    }
    *ret_used = at;
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf one = BUF_INIT(1u << 20), many = BUF_INIT(1u << 20);
    struct http1_head whole, cut;
    size_t used_one, used_many, i;
    char *a, *b;
    int ra, rb;

    if (size == 0 || size > 32768)
        return 0;
    a = malloc(size);
    b = malloc(size);
    ra = read_head(&whole, data, size, size, a);
    rb = read_head(&cut, data, size, 1 + data[size - 1] % 7, b);
    assert(ra == rb && whole.status == cut.status);
    if (ra > 0) {
        check_span(whole.method, ra);
        check_span(whole.path, ra);
        check_span(whole.query, ra);
        for (i = 0; i < whole.field_count; i++) {
            check_span(whole.fields[i].name, ra);
            check_span(whole.fields[i].value, ra);
        }
        data += ra;
        size -= (size_t)ra;
    }
    ra = read_body(data, size, 64, &one, &used_one);
    rb = read_body(data, size, 1, &many, &used_many);
    assert(ra == rb && used_one == used_many && str_eq(buf_str(&one), buf_str(&many)));
    buf_done(&one);
    buf_done(&many);
    free(a);
    free(b);
    return 0;
}
