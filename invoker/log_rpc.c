/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_rpc.c - the method logs.read, by which a gateway reads the lines of a function. See logs.h.
 */
#include "invoker/logs.h"

#define NAME_MAX_BYTES 256u

/* The text of @key; false when it is there but is no text, or is too long. */
static bool get_text(const cJSON *args, const char *key, struct str *ret)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(args, key);

    *ret = STR("");
    if (!item)
        return true;
    if (!cJSON_IsString(item))
        return false;
    *ret = str_of(item->valuestring);
    return ret->len <= NAME_MAX_BYTES;
}

/* A whole number from 0 to @max; absent is 0. */
static bool get_number(const cJSON *args, const char *key, double max, uint64_t *ret)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(args, key);

    *ret = 0;
    if (!item)
        return true;
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= max))
        return false;
    *ret = (uint64_t)item->valuedouble;
    return (double)*ret == item->valuedouble;
}

static int filter_read(const cJSON *args, struct logs_filter *ret, struct error *err)
{
    uint64_t limit;

    if (!get_text(args, "account", &ret->account) || ret->account.len == 0)
        return error_set(err, ERR_BAD_REQUEST, "account must be a text of 1 to 256 bytes");
    if (!get_text(args, "name", &ret->function) || ret->function.len == 0)
        return error_set(err, ERR_BAD_REQUEST, "name must be a text of 1 to 256 bytes");
    if (!get_text(args, "request_id", &ret->request_id))
        return error_set(err, ERR_BAD_REQUEST, "request_id must be a text of at most 256 bytes");
    if (!get_number(args, "since_ms", 9007199254740992.0, &ret->since_ms))
        return error_set(err, ERR_BAD_REQUEST, "since_ms must be milliseconds of Unix time");
    if (!get_number(args, "limit", LOGS_READ_LIMIT_MAX, &limit))
        return error_set(err, ERR_BAD_REQUEST, "limit must be a number from 1 to %u",
                         LOGS_READ_LIMIT_MAX);
    ret->limit = (uint32_t)limit;
    return 0;
}

static void on_lines(struct str lines, bool more, const struct error *err, void *arg)
{
    struct rpc_request *req = arg;
    cJSON *ok;

    if (err) {
        rpc_fail(req, err);
        return;
    }
    ok = cJSON_CreateObject();
    cJSON_AddBoolToObject(ok, "more", more);
    rpc_reply(req, ok, lines);
    cJSON_Delete(ok);
}

void logs_rpc_read(struct rpc_request *req, const cJSON *args, struct str body, void *logs)
{
    struct logs_filter filter;
    struct error err;

    (void)body;
    if (filter_read(args, &filter, &err) < 0)
        rpc_fail(req, &err);
    else
        logs_read(logs, &filter, on_lines, req);
}
