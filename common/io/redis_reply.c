/* SPDX-License-Identifier: Apache-2.0 */
#include "common/io/redis_reply.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

static struct str text_of(const struct redisReply *reply)
{
    return str_from(reply->str, (size_t)reply->len);
}

void redis_value_from(const struct redisReply *reply, struct redis_value *ret)
{
    struct redis_value *items;
    size_t i;

    *ret = (struct redis_value){.type = REDIS_NIL};
    switch (reply->type) {
    case REDIS_REPLY_INTEGER:
        ret->type = REDIS_INTEGER;
        ret->integer = reply->integer;
        return;
    case REDIS_REPLY_ARRAY:
        items = calloc(reply->elements ? reply->elements : 1, sizeof(*items));
        if (!items)
            abort();
        for (i = 0; i < reply->elements; i++)
            redis_value_from(reply->element[i], &items[i]);
        ret->type = REDIS_ARRAY;
        ret->items = items;
        ret->len = reply->elements;
        return;
    case REDIS_REPLY_NIL:
        return;
    default: /* string, status; an error inside an array is seen as its text */
        ret->type = REDIS_STRING;
        ret->str = text_of(reply);
    }
}

void redis_value_done(struct redis_value *value)
{
    struct redis_value *items = (struct redis_value *)(uintptr_t)value->items;
    size_t i;

    for (i = 0; i < value->len; i++)
        redis_value_done(&items[i]);
    free(items);
    *value = (struct redis_value){.type = REDIS_NIL};
}

static bool begins_with_any(struct str text, const char *const *words)
{
    for (; *words; words++)
        if (str_starts(text, str_of(*words)))
            return true;
    return false;
}

/* Redis before 7 tells what a script ran into inside an error of its own. */
bool redis_reply_is_away(const struct redisReply *reply)
{
    static const char *const away[] = {"READONLY ", "LOADING ", NULL};
    struct str text = text_of(reply);

    return begins_with_any(text, away) || (str_starts(text, STR("ERR Error running script")) &&
                                           memmem(text.ptr, text.len, "-READONLY ", 10));
}

int redis_reply_error(const struct redisReply *reply, struct error *err)
{
    static const char *const passing[] = {"LOADING ",  "READONLY ", "MASTERDOWN ", "CLUSTERDOWN ",
                                          "TRYAGAIN ", "BUSY ",     "DEPOSED ", NULL};
    static const char *const denied[] = {"NOAUTH ", "WRONGPASS ", "NOPERM ", "ERR invalid password",
                                         NULL};
    struct str text = text_of(reply);
    enum error_code code = ERR_INTERNAL;

    if (begins_with_any(text, passing) || redis_reply_is_away(reply))
        code = ERR_UNAVAILABLE;
    else if (begins_with_any(text, denied))
        code = ERR_ACCESS_DENIED;
    return error_set(err, code, "Redis says: %.*s", STR_ARG(text));
}

bool redis_reply_is_noscript(const struct redisReply *reply)
{
    return str_starts(text_of(reply), STR("NOSCRIPT"));
}
