/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/log.h"

#include <inttypes.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"

#define LOG_LINE_MAX 8192

enum log_level log_least = LOG_INFO;
static const char *program = "hearth";
static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_init(const char *name, enum log_level least)
{
    program = name;
    log_least = least;
}

int log_level_parse(struct str s)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(level_names); i++)
        if (str_is(s, level_names[i]))
            return (int)i;
    return -1;
}

static int append_kv(struct buf *b, const struct log_kv *kv)
{
    int r = buf_printf(b, ",\"%s\":", kv->key);

    if (r < 0)
        return r;
    switch (kv->type) {
    case LOG_KV_STR:
        r = buf_append_char(b, '"');
        if (r == 0)
            r = buf_append_json(b, kv->str);
        return r == 0 ? buf_append_char(b, '"') : r;
    case LOG_KV_U64:
        return buf_printf(b, "%" PRIu64, kv->u64);
    case LOG_KV_I64:
        return buf_printf(b, "%" PRId64, (int64_t)kv->u64);
    case LOG_KV_END:
        break;
    }
    return 0;
}

void log_write(enum log_level level, const char *subsystem, const char *event,
               const struct log_kv *kv)
{
    struct buf b = BUF_INIT(LOG_LINE_MAX);
    char time[CLOCK_ISO_MAX];
    ssize_t n;
    size_t mark;

    clock_format_iso(wall_ms(), time);
    buf_printf(&b, "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"in\":\"%s\",\"event\":\"", time,
               level_names[level], program, subsystem);
    buf_append_json(&b, str_of(event));
    buf_append_char(&b, '"');
    for (; kv->type != LOG_KV_END; kv++) {
        mark = b.len;
        if (append_kv(&b, kv) < 0)
            b.len = mark; /* too long for a line: leave this one out whole */
    }
    if (b.len + 2 > b.max)
        b.len = b.max - 2;
    buf_append(&b, "}\n", 2);
    n = write(STDERR_FILENO, b.ptr, b.len);
    (void)n;
    buf_done(&b);
}
