/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/log_tail.h"

#include <string.h>

void log_tail_clear(struct log_tail *t)
{
    t->len = 0;
}

void log_tail_add(struct log_tail *t, struct str text)
{
    if (text.len > LOG_TAIL_MAX)
        text = str_sub(text, text.len - LOG_TAIL_MAX, text.len);
    if (text.len == 0)
        return;
    if (t->len + text.len > sizeof(t->bytes)) {
        /* here len > LOG_TAIL_MAX, so that the halves do not overlap by more than is moved */
        memmove(t->bytes, t->bytes + t->len - LOG_TAIL_MAX, LOG_TAIL_MAX);
        t->len = LOG_TAIL_MAX;
    }
    memcpy(t->bytes + t->len, text.ptr, text.len);
    t->len += text.len;
}

struct str log_tail_str(const struct log_tail *t)
{
    struct str all = str_from(t->bytes, t->len);

    return t->len > LOG_TAIL_MAX ? str_sub(all, t->len - LOG_TAIL_MAX, t->len) : all;
}
