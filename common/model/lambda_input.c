/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/lambda_input.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"

#define EXACT_MAX 9007199254740992.0 /* whole numbers below are exact in a double */
#define QUERY_TEXT_MAX 65536 /* bytes of one decoded query value */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes one key or value of a query. */
static int query_decode(struct str s, struct buf *ret, struct error *err)
{
    size_t i;
    char c;

    for (i = 0; i < s.len; i++) {
        c = s.ptr[i] == '+' ? ' ' : s.ptr[i];
        if (c == '%') {
            if (s.len - i < 3 || hex_value(s.ptr[i + 1]) < 0 || hex_value(s.ptr[i + 2]) < 0)
                return error_set(err, ERR_SERIALIZATION, "Malformed query string");
            c = (char)(hex_value(s.ptr[i + 1]) * 16 + hex_value(s.ptr[i + 2]));
            i += 2;
        }
        if (buf_append_char(ret, c) < 0)
            return error_set(err, ERR_SERIALIZATION, "Query value too long");
    }
    return 0;
}

/* A JSON string of @s, which comes from outside: UTF-8 without NUL, or NULL. */
static cJSON *string_new(struct str s)
{
    CLEANUP(freep) char *text = NULL;

    if (!str_is_utf8(s) || (s.len > 0 && memchr(s.ptr, '\0', s.len)))
        return NULL;
    text = str_dup(s);
    return cJSON_CreateString(text);
}

static cJSON *integer_new(struct str s)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    uint64_t n;

    if (str_parse_u64(negative ? str_sub(s, 1, s.len) : s, &n) < 0)
        return NULL;
    return cJSON_CreateNumber(negative ? -(double)n : (double)n);
}

static cJSON *boolean_new(struct str s)
{
    if (str_eq_nocase(s, STR("true")))
        return cJSON_CreateTrue();
    return str_eq_nocase(s, STR("false")) ? cJSON_CreateFalse() : NULL;
}

/* The JSON value of the text @s as @shape has it; NULL when it has not that form. */
static cJSON *typed_new(const struct lambda_shape *shape, struct str s)
{
    switch (shape->type) {
    case LAMBDA_INTEGER:
    case LAMBDA_LONG:
        return integer_new(s);
    case LAMBDA_BOOLEAN:
        return boolean_new(s);
    case LAMBDA_LIST:
        return typed_new(shape->item, s);
    case LAMBDA_STRING:
    case LAMBDA_DOUBLE:
    case LAMBDA_BLOB:
    case LAMBDA_TIMESTAMP:
    case LAMBDA_STRUCTURE:
    case LAMBDA_MAP:
        break;
    }
    return string_new(s);
}

/* Adds the text @s under the member's name; list members collect. */
static int put_text(cJSON *input, const struct lambda_member *m, struct str s, struct error *err)
{
    cJSON *list, *value = typed_new(m->shape, s);

    if (!value)
        return error_set(err, ERR_SERIALIZATION, "The value of '%s' has not its type",
                         m->wire_name);
    if (m->shape->type != LAMBDA_LIST) {
        cJSON_DeleteItemFromObjectCaseSensitive(input, m->name);
        cJSON_AddItemToObject(input, m->name, value);
        return 0;
    }
    list = cJSON_GetObjectItemCaseSensitive(input, m->name);
    if (!list)
        list = cJSON_AddArrayToObject(input, m->name);
    cJSON_AddItemToArray(list, value);
    return 0;
}

/* The member that comes from @location under @wire_name, or NULL. */
static const struct lambda_member *member_at(const struct lambda_shape *shape,
                                             enum lambda_location location, struct str wire_name)
{
    size_t i;

    for (i = 0; i < shape->members_len; i++)
        if (shape->members[i].location == location &&
            str_is(wire_name, shape->members[i].wire_name))
            return &shape->members[i];
    return NULL;
}

static int put_labels(cJSON *input, const struct lambda_shape *shape,
                      const struct lambda_match *match, struct error *err)
{
    const struct lambda_member *m;
    size_t i;
    int r;

    for (i = 0; i < LAMBDA_LABELS_MAX && match->label_names[i].ptr; i++) {
        m = member_at(shape, LAMBDA_IN_URI, match->label_names[i]);
        r = m ? put_text(input, m, match->labels[i], err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int put_query(cJSON *input, const struct lambda_shape *shape, struct str query,
                     struct error *err)
{
    CLEANUP(buf_done) struct buf key = BUF_INIT(QUERY_TEXT_MAX);
    CLEANUP(buf_done) struct buf value = BUF_INIT(QUERY_TEXT_MAX);
    struct str rest = query, part;
    const struct lambda_member *m;
    size_t eq;
    int r;

    while (str_split(&rest, '&', &part)) {
        if (part.len == 0)
            continue;
        buf_clear(&key);
        buf_clear(&value);
        eq = str_find(part, '=', 0);
        r = query_decode(str_sub(part, 0, eq), &key, err);
        if (r == 0)
            r = query_decode(str_sub(part, eq + 1, part.len), &value, err);
        if (r < 0)
            return r;
        m = member_at(shape, LAMBDA_IN_QUERY, buf_str(&key));
        r = m ? put_text(input, m, buf_str(&value), err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int put_headers(cJSON *input, const struct lambda_shape *shape, lambda_header_fn *header,
                       void *arg, struct error *err)
{
    struct str value;
    size_t i;
    int r;

    for (i = 0; header && i < shape->members_len; i++) {
        if (shape->members[i].location != LAMBDA_IN_HEADER)
            continue;
        value = header(arg, shape->members[i].wire_name);
        r = value.ptr ? put_text(input, &shape->members[i], value, err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

/*
 * cJSON ends a string at an escaped NUL, which would let "a\u0000b" pass for "a": such bodies are
 * refused.
 */
static bool has_escaped_nul(struct str s)
{
    const char *at = s.ptr, *end = s.ptr + s.len;

    while ((at = memchr(at, '\\', (size_t)(end - at)))) {
        if (end - at >= 6 && memcmp(at, "\\u0000", 6) == 0)
            return true;
        at += end - at >= 2 ? 2 : 1;
    }
    return false;
}

int lambda_body_parse(struct str body, cJSON **ret, struct error *err)
{
    const char *end = NULL;
    cJSON *json;

    body = str_trim(body);
    if (!str_is_utf8(body) || has_escaped_nul(body))
        return error_set(err, ERR_SERIALIZATION, "Could not parse request body into json");
    json = cJSON_ParseWithLengthOpts(body.ptr, body.len, &end, 0);
    if (!json || end != body.ptr + body.len || !cJSON_IsObject(json)) {
        cjson_wipe_strings(json);
        cJSON_Delete(json);
        return error_set(err, ERR_SERIALIZATION, "Could not parse request body into json");
    }
    *ret = json;
    return 0;
}

/* Moves what the shape has in its body from @body to @input. */
static void put_body(cJSON *input, const struct lambda_shape *shape, cJSON *body)
{
    cJSON *value;
    size_t i;

    for (i = 0; i < shape->members_len; i++) {
        if (shape->members[i].location != LAMBDA_IN_BODY)
            continue;
        value = cJSON_DetachItemFromObjectCaseSensitive(body, shape->members[i].wire_name);
        if (value)
            cJSON_AddItemToObject(input, shape->members[i].name, value);
    }
}

static bool has_payload(const struct lambda_shape *shape)
{
    size_t i;

    for (i = 0; i < shape->members_len; i++)
        if (shape->members[i].location == LAMBDA_IN_PAYLOAD)
            return true;
    return false;
}

int lambda_input_new(const struct lambda_match *match, struct str query, struct str body,
                     lambda_header_fn *header, void *arg, cJSON **ret, struct error *err)
{
    const struct lambda_shape *shape = lambda_input_shape(match->op->id);
    cJSON *input = cJSON_CreateObject(), *body_json = NULL;
    int r = 0;

    if (shape) {
        if (str_trim(body).len > 0 && !has_payload(shape))
            r = lambda_body_parse(body, &body_json, err);
        if (body_json)
            put_body(input, shape, body_json);
        if (r == 0)
            r = put_labels(input, shape, match, err);
        if (r == 0)
            r = put_query(input, shape, query, err);
        if (r == 0)
            r = put_headers(input, shape, header, arg, err);
    }
    cjson_wipe_strings(body_json);
    cJSON_Delete(body_json);
    if (r < 0) {
        cjson_wipe_strings(input);
        cJSON_Delete(input);
        return r;
    }
    *ret = input;
    return 0;
}

void cjson_wipe_strings(cJSON *json)
{
    cJSON *item;

    if (!json)
        return;
    if (cJSON_IsString(json) && json->valuestring)
        explicit_bzero(json->valuestring, strlen(json->valuestring));
    cJSON_ArrayForEach(item, json) cjson_wipe_strings(item);
}

struct str cjson_str(const cJSON *json, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);

    return cJSON_IsString(value) ? str_of(value->valuestring) : STR_NULL;
}

bool cjson_get_u64(const cJSON *json, const char *name, uint64_t *ret)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, name);
    double d = cJSON_IsNumber(value) ? value->valuedouble : -1;

    if (!(d >= 0 && d < EXACT_MAX) || (double)(uint64_t)d != d)
        return false;
    *ret = (uint64_t)d;
    return true;
}

static void *alloc_or_abort(size_t size)
{
    void *memory = malloc(size);

    if (!memory)
        abort();
    return memory;
}

void cjson_abort_without_memory(void)
{
    cJSON_Hooks hooks = {.malloc_fn = alloc_or_abort, .free_fn = free};

    cJSON_InitHooks(&hooks);
}
