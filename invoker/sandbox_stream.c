/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/sandbox_stream.h"

#include "common/base/base64.h"
#include "invoker/report.h"

void sandbox_stream_init(struct sandbox_stream *st)
{
    *st = (struct sandbox_stream){0};
}

void sandbox_stream_begin(struct sandbox_stream *st, uint64_t limit, bool gathers)
{
    st->bytes = 0;
    st->limit = limit;
    st->gathers = gathers;
    buf_init(&st->gathered, gathers ? (size_t)limit : 0);
}

int sandbox_stream_take(struct sandbox_stream *st, struct str bytes)
{
    if (bytes.len > st->limit - st->bytes)
        return -ERR_TOO_LARGE;
    st->bytes += bytes.len;
    return st->gathers ? buf_append_str(&st->gathered, bytes) : 0;
}

void sandbox_stream_over(struct sandbox_stream *st)
{
    buf_done(&st->gathered);
}

void sandbox_stream_error(struct buf *b, const char *error_type, struct str error)
{
    if (error.len > 0 && base64_decode(b, error) == 0)
        return;
    (void)report_plain_error_json(b, error_type, ""); /* short: it fits */
}
