/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_log_record.c - libFuzzer target: any bytes are a record or refused; what is read, written
 * again and read again is the same.
 */
#include <stdlib.h>

#include "common/proto/log_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str plain(struct buf *b, struct str escaped)
{
    if (log_record_unescape(b, escaped) < 0)
        abort(); /* log_record_read() lets only good escapes pass */
    return buf_str(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(1u << 20), request = BUF_INIT(1u << 20);
    CLEANUP(buf_done) struct buf head = BUF_INIT(1u << 20), again = BUF_INIT(1u << 24);
    CLEANUP(buf_done) struct buf message2 = BUF_INIT(1u << 20);
    struct log_record a, b;
    struct log_line line;

    if (log_record_read(str_from(data, size), &a) < 0)
        return 0;
    line = a.line;
    line.message = plain(&message, a.line.message);
    line.request_id = plain(&request, a.line.request_id);
    if (log_origin_write(&head, &a.origin) < 0 ||
        log_record_write(&again, buf_str(&head), &line) < 0 ||
        log_record_read(str_sub(buf_str(&again), 0, again.len - 1), &b) < 0)
        abort();
    if (a.line.seq != b.line.seq || a.line.time_ms != b.line.time_ms ||
        a.line.stream != b.line.stream || a.line.continues != b.line.continues ||
        a.origin.epoch != b.origin.epoch)
        abort();
    if (str_is_utf8(line.message) && !str_eq(plain(&message2, b.line.message), line.message))
        abort();
    return 0;
}
