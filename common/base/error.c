/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *exception;
    const char *message_key;
    int http;
    bool retriable;
} error_table[ERROR_CODE_MAX] = {
#define ERROR_ROW_(code, exception, http, retriable, key)                                          \
    [ERR_##code] = {#code, exception, key, http, retriable},
    ERROR_MAP(ERROR_ROW_)
#undef ERROR_ROW_
};

/* Made aside first: @err's old message may be among the arguments. */
static void set_message(struct error *err, const char *fmt, va_list ap)
{
    char text[ERROR_MSG_MAX];

    vsnprintf(text, sizeof(text), fmt, ap);
    memcpy(err->msg, text, strlen(text) + 1);
}

int error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
    va_list ap;

    if (err) {
        err->code = code;
        err->sys_errno = 0;
        va_start(ap, fmt);
        set_message(err, fmt, ap);
        va_end(ap);
    }
    return -(int)code;
}

int error_set_errno(struct error *err, enum error_code code, int sys_errno, const char *fmt, ...)
{
    char text[128];
    va_list ap;
    size_t len;

    if (err) {
        err->code = code;
        err->sys_errno = sys_errno;
        va_start(ap, fmt);
        set_message(err, fmt, ap);
        va_end(ap);
        len = strlen(err->msg);
        /* GNU strerror_r: returns the text, which may or may not be in the buffer */
        snprintf(err->msg + len, sizeof(err->msg) - len, ": %s",
                 strerror_r(sys_errno, text, sizeof(text)));
    }
    return -(int)code;
}

int error_wrap(struct error *err, int r, const char *fmt, ...)
{
    char old[ERROR_MSG_MAX];
    va_list ap;
    size_t len;

    if (!err)
        return r;
    memcpy(old, err->msg, sizeof(old));
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    len = strlen(err->msg);
    snprintf(err->msg + len, sizeof(err->msg) - len, ": %s", old);
    return r;
}

const char *error_exception(enum error_code code)
{
    return error_table[code].exception;
}

enum error_code error_code_from_exception(const char *exception, int http_status)
{
    int i;

    for (i = ERR_BAD_REQUEST; i < ERROR_CODE_MAX; i++)
        if (strcmp(error_table[i].exception, exception) == 0 &&
            (http_status == 0 || error_table[i].http == http_status))
            return (enum error_code)i;
    return ERR_INTERNAL;
}

int error_http_status(enum error_code code)
{
    return error_table[code].http;
}

const char *error_message_key(enum error_code code)
{
    return error_table[code].message_key;
}

bool error_is_retriable(enum error_code code)
{
    return error_table[code].retriable;
}

const char *error_code_name(enum error_code code)
{
    return error_table[code].name;
}

enum error_code error_code_from_name(const char *name, size_t len)
{
    int i;

    for (i = 0; i < ERROR_CODE_MAX; i++)
        if (strlen(error_table[i].name) == len && memcmp(error_table[i].name, name, len) == 0)
            return (enum error_code)i;
    return ERR_INTERNAL;
}
