/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/telemetry_subscription.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"

#define COMPLAINT_MAX 200u /* fits into a struct error */

static const struct {
    enum telemetry_api api;
    enum telemetry_schema schema;
    const char *name;
} schemas[] = {
    {TELEMETRY_LOGS_API, TELEMETRY_LOGS_2020_08_15, "2020-08-15"},
    {TELEMETRY_LOGS_API, TELEMETRY_LOGS_2021_03_18, "2021-03-18"},
    {TELEMETRY_API, TELEMETRY_2022_07_01, "2022-07-01"},
    {TELEMETRY_API, TELEMETRY_2022_12_13, "2022-12-13"},
    {TELEMETRY_API, TELEMETRY_2025_01_29, "2025-01-29"},
};

static const struct {
    unsigned type;
    const char *name;
} types[] = {
    {TELEMETRY_PLATFORM, "platform"},
    {TELEMETRY_FUNCTION, "function"},
    {TELEMETRY_EXTENSION, "extension"},
};

/* All mistakes of one request, as "a; b". What does not fit is left out. */
struct complaint {
    struct buf text;
};

static void complain(struct complaint *c, const char *what)
{
    if (c->text.len)
        (void)buf_append_str(&c->text, STR("; "));
    (void)buf_append_str(&c->text, str_of(what));
}

const char *telemetry_type_name(unsigned type)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].type == type)
            return types[i].name;
    return "";
}

bool telemetry_schema_is_logs(enum telemetry_schema schema)
{
    return schema <= TELEMETRY_LOGS_2021_03_18;
}

static void read_schema(enum telemetry_api api, const cJSON *json,
                        struct telemetry_subscription *ret, struct complaint *c)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "schemaVersion");
    size_t i;

    if (!version && api == TELEMETRY_LOGS_API) {
        ret->schema = TELEMETRY_LOGS_2020_08_15;
        return;
    }
    if (!version) {
        complain(c, "schemaVersion is not provided");
        return;
    }
    for (i = 0; i < ARRAY_LEN(schemas); i++) {
        if (schemas[i].api == api && cJSON_IsString(version) &&
            strcmp(schemas[i].name, version->valuestring) == 0) {
            ret->schema = schemas[i].schema;
            return;
        }
    }
    complain(c, "schemaVersion is not supported");
}

static unsigned type_of(const cJSON *item)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(types); i++)
        if (cJSON_IsString(item) && strcmp(types[i].name, item->valuestring) == 0)
            return types[i].type;
    return 0;
}

static void read_types(const cJSON *json, struct telemetry_subscription *ret, struct complaint *c)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "types"), *item;
    bool unknown = false;

    if (cJSON_IsArray(list)) {
        cJSON_ArrayForEach(item, list)
        {
            unknown = unknown || !type_of(item);
            ret->types |= type_of(item);
        }
    }
    if (unknown || (list && !cJSON_IsArray(list)))
        complain(c, "types should be platform, function or extension");
    else if (!ret->types)
        complain(c, "types should not be empty");
}

static bool is_port(const char *digits, size_t len, uint16_t *ret)
{
    uint64_t port;

    if (len > 5 || str_parse_u64(str_from(digits, len), &port) < 0 || port == 0 ||
        port > UINT16_MAX)
        return false;
    *ret = (uint16_t)port;
    return true;
}

static bool is_host(struct str host)
{
    return str_eq_nocase(host, STR("sandbox.localdomain")) || str_eq_nocase(host, STR("sandbox"));
}

static void check_port(const struct telemetry_subscription *sub, struct complaint *c)
{
    if (sub->port == TELEMETRY_RESERVED_PORT)
        complain(c, "port 9001 is reserved");
}

static bool is_path(struct str path)
{
    size_t i;

    if (path.len >= TELEMETRY_PATH_MAX)
        return false;
    for (i = 0; i < path.len; i++)
        if (path.ptr[i] <= 0x20 || path.ptr[i] >= 0x7f || path.ptr[i] == '#')
            return false;
    return true;
}

/* http://sandbox.localdomain:PORT[/PATH] */
static void read_uri(const cJSON *uri, struct telemetry_subscription *ret, struct complaint *c)
{
    const struct str scheme = STR("http://");
    struct str rest = str_of(cJSON_GetStringValue(uri)), host, port, path;
    size_t slash, colon;

    if (!rest.len) {
        complain(c, "URI is not provided");
        return;
    }
    if (!str_eq_nocase(str_sub(rest, 0, scheme.len), scheme)) {
        complain(c, "URI scheme should be http");
        return;
    }
    rest = str_sub(rest, scheme.len, rest.len);
    slash = str_find(rest, '/', 0);
    path = str_sub(rest, slash, rest.len);
    host = str_sub(rest, 0, slash);
    colon = str_find(host, ':', 0);
    port = str_sub(host, colon + 1, host.len);
    host = str_sub(host, 0, colon);
    if (!is_host(host))
        complain(c, "URI host should be sandbox.localdomain");
    if (port.len == 0)
        complain(c, "URI port is not provided");
    else if (!is_port(port.ptr, port.len, &ret->port))
        complain(c, "URI port is invalid");
    if (!is_path(path))
        complain(c, "URI path is invalid");
    else
        snprintf(ret->path, sizeof(ret->path), "%.*s", STR_ARG(path.len ? path : STR("/")));
    check_port(ret, c);
}

static void read_tcp_port(const cJSON *port, struct telemetry_subscription *ret,
                          struct complaint *c)
{
    if (!port)
        complain(c, "port is not provided");
    else if (!cJSON_IsNumber(port) || !(port->valuedouble >= 1 && port->valuedouble <= UINT16_MAX))
        complain(c, "port is invalid");
    else
        ret->port = (uint16_t)port->valuedouble;
    check_port(ret, c);
}

static void read_destination(const cJSON *json, struct telemetry_subscription *ret,
                             struct complaint *c)
{
    const cJSON *to = cJSON_GetObjectItemCaseSensitive(json, "destination");
    struct str protocol = str_of(
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(to, "protocol")));
    const cJSON *method = cJSON_GetObjectItemCaseSensitive(to, "method");

    if (!cJSON_IsObject(to)) {
        complain(c, "destination is not provided");
        return;
    }
    if (str_is(protocol, "TCP")) {
        ret->is_tcp = true;
        read_tcp_port(cJSON_GetObjectItemCaseSensitive(to, "port"), ret, c);
    } else if (str_is(protocol, "HTTP")) {
        read_uri(cJSON_GetObjectItemCaseSensitive(to, "URI"), ret, c);
        ret->is_put = str_is(str_of(cJSON_GetStringValue(method)), "PUT");
        if (method && !ret->is_put && !str_is(str_of(cJSON_GetStringValue(method)), "POST"))
            complain(c, "method should be POST or PUT");
    } else {
        complain(c, protocol.len ? "protocol should be HTTP or TCP" : "protocol is not provided");
    }
}

static uint32_t read_bound(const cJSON *buffering, const char *name, uint32_t least, uint32_t most,
                           uint32_t usual, struct complaint *c)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(buffering, name);
    char text[96];

    if (!value || cJSON_IsNull(value))
        return usual;
    if (cJSON_IsNumber(value) && value->valuedouble >= least && value->valuedouble <= most)
        return (uint32_t)value->valuedouble;
    snprintf(text, sizeof(text), "%s should be between %u and %u", name, least, most);
    complain(c, text);
    return usual;
}

int telemetry_subscription_parse(enum telemetry_api api, struct str body,
                                 struct telemetry_subscription *ret, struct error *err)
{
    struct telemetry_subscription sub = {.path = "/"};
    CLEANUP(buf_done) struct buf text = BUF_INIT(COMPLAINT_MAX);
    struct complaint c = {BUF_INIT(COMPLAINT_MAX)};
    cJSON *json = body.len ? cJSON_ParseWithLength(body.ptr, body.len) : NULL;
    const cJSON *buffering = cJSON_GetObjectItemCaseSensitive(json, "buffering");

    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        return error_set(err, ERR_BAD_REQUEST, "request body is not a JSON object");
    }
    read_destination(json, &sub, &c);
    read_schema(api, json, &sub, &c);
    read_types(json, &sub, &c);
    sub.max_items = read_bound(buffering, "maxItems", 1000, 10000, 10000, &c);
    sub.max_bytes = read_bound(buffering, "maxBytes", 262144, 1048576, 262144, &c);
    sub.timeout_ms = read_bound(buffering, "timeoutMs", 25, 30000, 1000, &c);
    cJSON_Delete(json);
    text = c.text;
    if (text.len)
        return error_set(err, ERR_BAD_REQUEST, "%.*s", STR_ARG(buf_str(&text)));
    *ret = sub;
    return 0;
}
