/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/aws_error.h"

#include <string.h>

/*
 * Whose fault it is, as Lambda itself says it. The framework in front of Lambda refuses some
 * requests before Lambda sees them: its errors have no Type.
 */
static const char *type_of(enum error_code code)
{
    static const char *const framework[] = {
        "ValidationException",
        "SerializationException",
        "AccessDeniedException",
        "UnknownOperationException",
        "RequestEntityTooLargeException",
        "MissingAuthenticationTokenException",
        "IncompleteSignatureException",
        "UnrecognizedClientException",
        "InvalidSignatureException",
        "ExpiredTokenException",
    };
    const char *exception = error_exception(code);
    size_t i;

    if (code == ERR_CONCURRENCY_LIMIT)
        return NULL;
    for (i = 0; i < ARRAY_LEN(framework); i++)
        if (strcmp(exception, framework[i]) == 0)
            return NULL;
    return error_http_status(code) >= 500 && strcmp(exception, "ServiceException") == 0 ? "Service"
                                                                                         : "User";
}

/* Appends `,"name":"text"` or `,"name":null`. */
static int append_member(struct buf *b, const char *name, struct str text, bool nullable)
{
    int r;

    if (nullable && text.len == 0)
        return buf_printf(b, ",\"%s\":null", name);
    r = buf_printf(b, ",\"%s\":\"", name);
    if (r == 0)
        r = buf_append_json(b, text);
    return r < 0 ? r : buf_append_char(b, '"');
}

int aws_error_body(struct buf *b, enum error_code code, struct str message, const char *reason)
{
    const char *key = error_message_key(code), *type = type_of(code);
    size_t start = b->len;
    int r = 0;

    /* AWS has the members in ASCII order: Message, Reason, Type, message */
    if (strcmp(key, "Message") == 0)
        r = append_member(b, key, message, true);
    if (r == 0 && reason)
        r = append_member(b, "Reason", str_of(reason), false);
    if (r == 0 && type)
        r = append_member(b, "Type", str_of(type), false);
    if (r == 0 && strcmp(key, "message") == 0)
        r = append_member(b, key, message, true);
    if (r == 0)
        r = buf_append_char(b, '}');
    if (r < 0) {
        b->len = start;
        return r;
    }
    b->ptr[start] = '{'; /* over the first comma */
    return 0;
}

int aws_error_body_of(struct buf *b, const struct error *err, const char *reason)
{
    return aws_error_body(b, err->code, str_of(err->msg), reason);
}
