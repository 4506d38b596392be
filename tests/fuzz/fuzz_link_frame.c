/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the frames of a link: however the bytes are cut into pieces, the same frames with the
 * same contents come out, or the same refusal; a header that is taken reads back as it is written.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto/link_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What came out: heads and ends of frames as marks, data as it is; cut data makes no difference. */
static int parse(const uint8_t *data, size_t size, size_t step, struct buf *out)
{
    struct link_parser p;
    struct link_part part;
    struct str piece;
    size_t at, n;
    char *copy;
    int r = 0;

    link_parser_init(&p);
    for (at = 0; at < size && r >= 0; at += n) {
        n = size - at < step ? size - at : step;
        copy = malloc(n); /* exact, so that a read beyond it is seen */
        assert(copy);
        memcpy(copy, data + at, n);
        piece = str_from(copy, n);
        while ((r = link_parser_next(&p, &piece, &part, NULL)) > 0) {
            if (part.first) {
                char header[LINK_FRAME_HEADER];

                assert(part.head.len == part.frame->head_len);
                link_frame_write(part.frame, header);
                buf_append(out, header, sizeof(header));
                buf_append_str(out, part.head);
            } else {
                assert(part.head.len == 0 && part.data.len > 0);
            }
            buf_append_str(out, part.data);
            if (part.last)
                buf_append_char(out, '.');
        }
        assert(r < 0 || piece.len == 0);
        free(copy);
    }
    link_parser_done(&p);
    return r < 0 ? r : 0;
}

static void check_header(const uint8_t *data)
{
    struct link_frame frame;
    char header[LINK_FRAME_HEADER];

    if (link_frame_read((const char *)data, &frame, NULL) < 0)
        return;
    link_frame_write(&frame, header);
    assert(memcmp(header, data, sizeof(header)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole = BUF_INIT(64u << 20), cut = BUF_INIT(64u << 20);
    size_t step;
    int r;

    if (size < 1)
        return 0;
    step = 1 + data[0];
    data++;
    size--;
    if (size >= LINK_FRAME_HEADER)
        check_header(data);
    r = parse(data, size, size ? size : 1, &whole);
    assert(parse(data, size, step, &cut) == r);
    assert(whole.len == cut.len && (whole.len == 0 || memcmp(whole.ptr, cut.ptr, cut.len) == 0));
    buf_done(&whole);
    buf_done(&cut);
    return 0;
}
