/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/log_lines.h"

#define KEEP_BYTES 16384u /* of memory between lines; most sandboxes never hold so long a line */

void log_lines_init(struct log_lines *l, log_lines_fn *on_line, void *arg)
{
    *l = (struct log_lines){.held = BUF_INIT(LOG_LINES_MAX), .on_line = on_line, .arg = arg};
}

void log_lines_done(struct log_lines *l)
{
    buf_done(&l->held);
}

static bool is_utf8_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Where to cut @text (longer than LOG_LINES_MAX): not inside a UTF-8 sequence, if it is UTF-8. */
static size_t cut_at(struct str text)
{
    size_t n = LOG_LINES_MAX, back;

    for (back = 0; back < 4; back++)
        if (!is_utf8_continuation(text.ptr[n - back]))
            return n - back;
    return n;
}

/* Emits pieces of the held bytes followed by @more until at most LOG_LINES_MAX bytes are left, and
 * returns what is left of @more (then the held bytes are part of what is left, too). */
static struct str emit_pieces(struct log_lines *l, struct str more)
{
    size_t n;

    while (l->held.len + more.len > LOG_LINES_MAX) {
        if (l->held.len == 0) {
            n = cut_at(more);
            l->on_line(str_sub(more, 0, n), true, l->arg);
            more = str_sub(more, n, more.len);
            continue;
        }
        n = LOG_LINES_MAX - l->held.len;
        buf_append(&l->held, more.ptr, n);
        /* Cut where the bytes to come show that a sequence ends; what was cut off goes in front. */
        if (is_utf8_continuation(more.ptr[n])) {
            size_t back = 1;

            while (back < 4 && is_utf8_continuation(l->held.ptr[l->held.len - back]))
                back++;
            if (back < 4) {
                l->on_line(str_from(l->held.ptr, l->held.len - back), true, l->arg);
                buf_consume(&l->held, l->held.len - back);
                more = str_sub(more, n, more.len);
                continue;
            }
        }
        l->on_line(buf_str(&l->held), true, l->arg);
        buf_clear(&l->held);
        more = str_sub(more, n, more.len);
    }
    return more;
}

static void finish_line(struct log_lines *l, struct str end)
{
    end = emit_pieces(l, end);
    if (l->held.len == 0) {
        l->on_line(end, false, l->arg);
    } else {
        buf_append_str(&l->held, end);
        l->on_line(buf_str(&l->held), false, l->arg);
        buf_clear(&l->held);
    }
    if (l->held.cap > KEEP_BYTES)
        buf_done(&l->held);
}

void log_lines_feed(struct log_lines *l, struct str bytes)
{
    size_t at;

    while (bytes.len) {
        at = str_find(bytes, '\n', 0);
        if (at == bytes.len) {
            buf_append_str(&l->held, emit_pieces(l, bytes));
            return;
        }
        finish_line(l, str_sub(bytes, 0, at));
        bytes = str_sub(bytes, at + 1, bytes.len);
    }
}

void log_lines_flush(struct log_lines *l)
{
    if (l->held.len)
        finish_line(l, STR(""));
}
