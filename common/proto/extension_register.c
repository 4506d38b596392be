/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/extension_register.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"

static const char *kind_of(const cJSON *json)
{
    if (cJSON_IsString(json))
        return "string";
    if (cJSON_IsNumber(json))
        return "number";
    if (cJSON_IsBool(json))
        return "bool";
    return cJSON_IsArray(json) ? "array" : "object";
}

/* @end is where the parser stopped. */
static int complain(struct str body, const char *end, struct error *err)
{
    struct str rest = str_sub(body, (size_t)(end - body.ptr), body.len);
    unsigned char c;

    rest = str_trim(rest);
    c = rest.len ? (unsigned char)rest.ptr[0] : 0;
    if (rest.len < 2 && (c == 0 || c == '{' || c == '[' || c == '"' || c == ',' || c == ':'))
        return error_set(err, ERR_BAD_REQUEST, "unexpected end of JSON input");
    if (c < 0x20 || c > 0x7e)
        return error_set(err, ERR_BAD_REQUEST,
                         "invalid character '\\x%02x' looking for beginning of value", c);
    return error_set(err, ERR_BAD_REQUEST, "invalid character '%c' looking for beginning of value",
                     c);
}

static int read_event(const cJSON *item, struct extension_register *ret, struct error *err)
{
    if (!cJSON_IsString(item))
        return error_set(err, ERR_BAD_REQUEST,
                         "json: cannot unmarshal %s into Go struct field "
                         "RegisterRequest.events of type core.Event",
                         kind_of(item));
    if (strcmp(item->valuestring, "INVOKE") == 0)
        ret->events |= EXTENSION_INVOKE;
    else if (strcmp(item->valuestring, "SHUTDOWN") == 0)
        ret->events |= EXTENSION_SHUTDOWN;
    else if (!ret->unknown[0])
        snprintf(ret->unknown, sizeof(ret->unknown), "%s",
                 item->valuestring[0] ? item->valuestring : " ");
    return 0;
}

static int read_events(const cJSON *json, struct extension_register *ret, struct error *err)
{
    const cJSON *events = cJSON_GetObjectItem(json, "events"), *item;
    int r = 0;

    if (!cJSON_IsObject(json))
        return error_set(err, ERR_BAD_REQUEST,
                         "json: cannot unmarshal %s into Go value of type model.RegisterRequest",
                         kind_of(json));
    if (!events || cJSON_IsNull(events))
        return 0;
    if (!cJSON_IsArray(events))
        return error_set(err, ERR_BAD_REQUEST,
                         "json: cannot unmarshal %s into Go struct field "
                         "RegisterRequest.events of type []core.Event",
                         kind_of(events));
    cJSON_ArrayForEach(item, events)
    {
        r = read_event(item, ret, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int extension_register_parse(struct str body, struct extension_register *ret, struct error *err)
{
    const char *end = body.ptr;
    cJSON *json = NULL;
    struct str rest;
    int r;

    memset(ret, 0, sizeof(*ret));
    if (body.len)
        json = cJSON_ParseWithLengthOpts(body.ptr, body.len, &end, false);
    if (!json)
        return complain(body, end, err);
    rest = str_trim(str_sub(body, (size_t)(end - body.ptr), body.len));
    if (rest.len)
        r = error_set(err, ERR_BAD_REQUEST, "invalid character '%c' after top-level value",
                      rest.ptr[0]);
    else
        r = read_events(json, ret, err);
    cJSON_Delete(json);
    return r;
}
