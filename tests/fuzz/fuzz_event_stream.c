/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_event_stream.c - libFuzzer target: any bytes are messages or refused; their checksums are put
 * right first, so that what stands behind them is reached; what we write is read back.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/proto/big_endian.h"
#include "common/proto/event_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_right(uint8_t *bytes, size_t size)
{
    uint32_t total;

    if (size < EVENT_OVERHEAD)
        return;
    be32_put(bytes + 8, (uint32_t)crc32(0, bytes, 8));
    total = be32_get(bytes);
    if (total >= EVENT_OVERHEAD && total <= size)
        be32_put(bytes + total - 4, (uint32_t)crc32(0, bytes, total - 4));
}

static void read_all(struct str rest)
{
    struct event_message m;

    while (event_stream_read(rest, &m, NULL) == 1) {
        if (m.size < EVENT_OVERHEAD || m.size > rest.len ||
            m.headers.len + m.payload.len + EVENT_OVERHEAD != m.size)
            abort();
        event_message_header(&m, ":event-type");
        rest = str_sub(rest, m.size, rest.len);
    }
}

static void write_and_read(struct str bytes)
{
    struct buf b = BUF_INIT(1u << 20);
    size_t half = bytes.len / 2 < 200 ? bytes.len / 2 : 200;
    struct str type = str_sub(bytes, 0, half), payload = str_sub(bytes, half, bytes.len);
    struct event_message m;

    if (event_stream_append(&b, type, STR("text/plain"), payload) == 0 &&
        (event_stream_read(buf_str(&b), &m, NULL) != 1 || m.size != b.len ||
         !str_eq(event_message_header(&m, ":event-type"), type) || !str_eq(m.payload, payload)))
        abort();
    buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);

    if (!copy)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    read_all(str_from(data, size));
    put_right(copy, size);
    read_all(str_from(copy, size));
    write_and_read(str_from(data, size));
    free(copy);
    return 0;
}
