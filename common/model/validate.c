/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/validate.h"

#include <inttypes.h>
#include <string.h>

#include "common/model/pattern.h"

#define PATH_MAX_BYTES 1024
#define VALUE_SHOWN_MAX 4096 /* bytes of a wrong value in the message */
#define EXACT_MAX 9007199254740992.0 /* 2^53: up to here a double holds every whole number */
/* Seconds since 1970 of the years 1 to 9999: beyond them clients cannot read an answer. */
#define TIME_MIN (-62135596800.0)
#define TIME_END 253402300800.0

/* One run over an input: where we are, and what was wrong so far. */
struct check {
    struct buf path; /* "destinationConfig.onFailure" */
    struct buf errors; /* the violations, joined by "; " */
    size_t count;
};

static void check_done(struct check *c)
{
    buf_done(&c->path);
    buf_done(&c->errors);
}

/* Appends what fits of the first @max bytes of @s, whole characters only. */
static void append_cut(struct buf *to, struct str s, size_t max)
{
    size_t room = to->max - to->len < max ? to->max - to->len : max;

    if (s.len > room)
        for (s.len = room; s.len > 0 && ((unsigned char)s.ptr[s.len] & 0xC0) == 0x80;)
            s.len--;
    buf_append_str(to, s);
}

/* ---- path: members in camel case, items by their number from 1, map entries by their key */

static void path_push(struct check *c, struct str name, bool camel)
{
    size_t start;

    if (c->path.len > 0)
        buf_append_char(&c->path, '.');
    start = c->path.len;
    if (buf_append_str(&c->path, name) == 0 && camel && name.len > 0 && name.ptr[0] >= 'A' &&
        name.ptr[0] <= 'Z')
        c->path.ptr[start] = (char)(name.ptr[0] - 'A' + 'a');
}

static void path_push_item(struct check *c, size_t index)
{
    buf_printf(&c->path, "%s%zu.member", c->path.len > 0 ? "." : "", index + 1);
}

static void path_pop(struct check *c, size_t len)
{
    c->path.len = len;
}

/* Whether @json is a whole number from -@limit to @limit (at most EXACT_MAX). */
static bool is_whole(const cJSON *json, double limit)
{
    double n = json->valuedouble;

    return cJSON_IsNumber(json) && n >= -limit && n <= limit && n == (double)(int64_t)n;
}

/* ---- values as Java prints them */

static void show_value(struct buf *to, const cJSON *json)
{
    const cJSON *item;

    if (cJSON_IsString(json)) {
        append_cut(to, str_of(json->valuestring), VALUE_SHOWN_MAX);
    } else if (cJSON_IsNumber(json)) {
        buf_printf(to, is_whole(json, EXACT_MAX) ? "%.0f" : "%g", json->valuedouble);
    } else if (cJSON_IsBool(json)) {
        buf_printf(to, "%s", cJSON_IsTrue(json) ? "true" : "false");
    } else if (cJSON_IsArray(json) || cJSON_IsObject(json)) {
        buf_append_char(to, cJSON_IsArray(json) ? '[' : '{');
        cJSON_ArrayForEach(item, json)
        {
            if (item->prev->next)
                buf_printf(to, ", ");
            if (cJSON_IsObject(json))
                buf_printf(to, "%s=", item->string);
            show_value(to, item);
        }
        buf_append_char(to, cJSON_IsArray(json) ? ']' : '}');
    } else {
        buf_printf(to, "null");
    }
}

/* Structures have no text that a client could know, secrets must not have one. */
static bool is_showable(const struct lambda_shape *shape)
{
    if (shape->sensitive || shape->type == LAMBDA_STRUCTURE)
        return false;
    if (shape->type == LAMBDA_LIST || shape->type == LAMBDA_MAP)
        return is_showable(shape->item);
    return true;
}

/* Begins a violation: "Value 'x' at 'path' failed to satisfy constraint: ". */
static struct buf *violation(struct check *c, const struct lambda_shape *shape, const cJSON *json)
{
    struct buf *to = &c->errors;

    if (c->count++ > 0)
        buf_printf(to, "; ");
    if (!json) {
        buf_printf(to, "Value null");
    } else if (is_showable(shape)) {
        buf_printf(to, "Value '");
        show_value(to, json);
        buf_append_char(to, '\'');
    } else {
        buf_printf(to, "Value");
    }
    buf_printf(to, " at '%.*s' failed to satisfy constraint: ", STR_ARG(buf_str(&c->path)));
    return to;
}

/* ---- single constraints */

static const char *pattern_of(const struct lambda_shape *shape)
{
    return shape->recorded_pattern ? shape->recorded_pattern : shape->pattern;
}

static const char *const *values_of(const struct lambda_shape *shape)
{
    return shape->recorded_values ? shape->recorded_values : shape->values;
}

static bool is_among(const char *const *values, const char *text)
{
    for (; *values; values++)
        if (strcmp(*values, text) == 0)
            return true;
    return false;
}

/* The text is one of the values, of the model's or of the recorded set. */
static bool has_legal_value(const struct lambda_shape *shape, const char *text)
{
    return !shape->values || is_among(shape->values, text) ||
           (shape->recorded_values && is_among(shape->recorded_values, text));
}

static void say_values(struct buf *to, const char *const *values)
{
    size_t i;

    buf_printf(to, "Member must satisfy enum value set: [");
    for (i = 0; values[i]; i++)
        buf_printf(to, "%s%s", i > 0 ? ", " : "", values[i]);
    buf_append_char(to, ']');
}

static void say_bound(struct buf *to, bool is_number, bool is_max, double bound)
{
    buf_printf(to, "Member must have %s %s than or equal to %.0f", is_number ? "value" : "length",
               is_max ? "less" : "greater", bound);
}

/* What Java's String.length() counts: UTF-16 units. */
static size_t text_length(const char *text)
{
    size_t n = 0;

    for (; *text; text++) {
        if (((unsigned char)*text & 0xC0) != 0x80)
            n++;
        if ((unsigned char)*text >= 0xF0)
            n++;
    }
    return n;
}

/* What min and max bound: a number's value, the length of anything else. */
static double measure(const struct lambda_shape *shape, const cJSON *json)
{
    size_t len;

    if (cJSON_IsNumber(json))
        return json->valuedouble;
    if (!cJSON_IsString(json))
        return cJSON_GetArraySize(json);
    if (shape->type != LAMBDA_BLOB)
        return (double)text_length(json->valuestring);
    len = strlen(json->valuestring); /* base64 */
    while (len > 0 && json->valuestring[len - 1] == '=')
        len--;
    return (double)(len / 4 * 3 + (len % 4 ? len % 4 - 1 : 0));
}

static bool is_number_type(enum lambda_type type)
{
    return type == LAMBDA_INTEGER || type == LAMBDA_LONG || type == LAMBDA_DOUBLE;
}

static bool fits_pattern(const struct lambda_shape *shape, const char *text)
{
    return !pattern_of(shape) || pattern_match(pattern_of(shape), str_of(text)) == 1;
}

/* ---- one value */

static void check_bounds(struct check *c, const struct lambda_shape *shape, const cJSON *json)
{
    double n = measure(shape, json);

    if (shape->has_min && n < shape->min)
        say_bound(violation(c, shape, json), is_number_type(shape->type), false, shape->min);
    if (shape->has_max && n > shape->max)
        say_bound(violation(c, shape, json), is_number_type(shape->type), true, shape->max);
}

static void check_text(struct check *c, const struct lambda_shape *shape, const cJSON *json,
                       bool values_later)
{
    if (!values_later && !fits_pattern(shape, json->valuestring))
        buf_printf(violation(c, shape, json), "Member must satisfy regular expression pattern: %s",
                   pattern_of(shape));
    check_bounds(c, shape, json);
    if (!values_later && !has_legal_value(shape, json->valuestring))
        say_values(violation(c, shape, json), values_of(shape));
}

/* Whether a list's item or a map's key or value (a scalar) is within its shape's constraints. */
static bool is_legal_scalar(const struct lambda_shape *shape, const cJSON *json)
{
    double n;

    if (cJSON_IsNull(json))
        return false;
    n = measure(shape, json);
    if ((shape->has_min && n < shape->min) || (shape->has_max && n > shape->max))
        return false;
    return !cJSON_IsString(json) || shape->type == LAMBDA_BLOB ||
           (fits_pattern(shape, json->valuestring) && has_legal_value(shape, json->valuestring));
}

/* The same for an item of a list, whose own set of values, if it has one, rules alone. */
static bool is_legal_item(const struct lambda_shape *list, const cJSON *item)
{
    if (list->recorded_values)
        return cJSON_IsString(item) && is_among(list->recorded_values, item->valuestring);
    return is_legal_scalar(list->item, item);
}

/* All constraints of an item, as AWS lists them when one item breaks any of them. */
static void say_item_constraints(struct buf *to, const char *intro,
                                 const struct lambda_shape *shape)
{
    bool number = is_number_type(shape->type);

    buf_printf(to, "%s must satisfy constraint: [", intro);
    if (shape->has_max) {
        say_bound(to, number, true, shape->max);
        buf_printf(to, ", ");
    }
    if (shape->has_min) {
        say_bound(to, number, false, shape->min);
        buf_printf(to, ", ");
    }
    if (pattern_of(shape))
        buf_printf(to, "Member must satisfy regular expression pattern: %s, ", pattern_of(shape));
    if (shape->values) {
        say_values(to, values_of(shape));
        buf_printf(to, ", ");
    }
    buf_printf(to, "Member must not be null]");
}

static bool is_compound(const struct lambda_shape *shape)
{
    return shape->type == LAMBDA_STRUCTURE || shape->type == LAMBDA_LIST ||
           shape->type == LAMBDA_MAP;
}

static void check_value(struct check *c, const struct lambda_shape *shape, const cJSON *json,
                        bool values_later);

static void check_list(struct check *c, const struct lambda_shape *shape, const cJSON *json)
{
    const struct lambda_shape *item_shape = shape->item;
    size_t i = 0, len = c->path.len;
    const cJSON *item;

    check_bounds(c, shape, json);
    cJSON_ArrayForEach(item, json)
    {
        if (is_compound(item_shape) && !cJSON_IsNull(item)) {
            path_push_item(c, i);
            check_value(c, item_shape, item, false);
            path_pop(c, len);
        } else if (!is_legal_item(shape, item)) {
            /* one message speaks for all items */
            if (shape->recorded_values)
                say_values(violation(c, shape, json), shape->recorded_values);
            else
                say_item_constraints(violation(c, shape, json), "Member", item_shape);
            return;
        }
        i++;
    }
}

static void check_map(struct check *c, const struct lambda_shape *shape, const cJSON *json)
{
    bool bad_key = false, bad_value = false;
    size_t len = c->path.len;
    const cJSON *item;

    check_bounds(c, shape, json);
    cJSON_ArrayForEach(item, json)
    {
        cJSON key = {.type = cJSON_String, .valuestring = item->string};

        bad_key |= !is_legal_scalar(shape->key, &key);
        if (is_compound(shape->item) && !cJSON_IsNull(item)) {
            path_push(c, str_of(item->string), false);
            check_value(c, shape->item, item, false);
            path_pop(c, len);
        } else {
            bad_value |= !is_legal_scalar(shape->item, item);
        }
    }
    if (bad_key)
        say_item_constraints(violation(c, shape, json), "Map keys", shape->key);
    if (bad_value)
        say_item_constraints(violation(c, shape, json), "Map value", shape->item);
}

static void check_structure(struct check *c, const struct lambda_shape *shape, const cJSON *json)
{
    size_t i, len = c->path.len;

    for (i = 0; i < shape->members_len; i++) {
        const struct lambda_member *m = &shape->members[i];
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, m->name);

        if (m->location == LAMBDA_IN_PAYLOAD)
            continue;
        path_push(c, str_of(m->name), true);
        if (value && !cJSON_IsNull(value))
            check_value(c, m->shape, value, m->values_later);
        else if (m->required)
            buf_printf(violation(c, m->shape, NULL), "Member must not be null");
        path_pop(c, len);
    }
}

static void check_value(struct check *c, const struct lambda_shape *shape, const cJSON *json,
                        bool values_later)
{
    switch (shape->type) {
    case LAMBDA_STRING:
        check_text(c, shape, json, values_later);
        break;
    case LAMBDA_INTEGER:
    case LAMBDA_LONG:
    case LAMBDA_DOUBLE:
    case LAMBDA_BLOB:
        check_bounds(c, shape, json);
        break;
    case LAMBDA_BOOLEAN:
    case LAMBDA_TIMESTAMP:
        break;
    case LAMBDA_STRUCTURE:
        check_structure(c, shape, json);
        break;
    case LAMBDA_LIST:
        check_list(c, shape, json);
        break;
    case LAMBDA_MAP:
        check_map(c, shape, json);
        break;
    }
}

/* ---- JSON types: looked at before any constraint, as AWS reads the body before it checks it */

static int wrong_type(const struct lambda_shape *shape, const cJSON *json, struct buf *msg)
{
    static const char *const names[] = {
        [LAMBDA_STRING] = "String",   [LAMBDA_INTEGER] = "Integer", [LAMBDA_LONG] = "Long",
        [LAMBDA_DOUBLE] = "Double",   [LAMBDA_BOOLEAN] = "Boolean", [LAMBDA_BLOB] = "Blob",
        [LAMBDA_TIMESTAMP] = "Timestamp",
    };

    if (cJSON_IsObject(json) || (cJSON_IsArray(json) && shape->type == LAMBDA_STRUCTURE))
        buf_printf(msg, "Start of structure or map found where not expected");
    else if (cJSON_IsArray(json))
        buf_printf(msg, "Start of list found where not expected");
    else if (shape->type == LAMBDA_LIST)
        buf_printf(msg, "Expected list or null");
    else if (shape->type == LAMBDA_MAP || shape->type == LAMBDA_STRUCTURE)
        buf_printf(msg, "Expected structure or map or null");
    else
        buf_printf(msg, "%s_VALUE cannot be converted to %s",
                   cJSON_IsString(json)   ? "STRING"
                   : cJSON_IsNumber(json) ? "NUMBER"
                   : cJSON_IsTrue(json)   ? "TRUE"
                                          : "FALSE",
                   names[shape->type]);
    return -ERR_SERIALIZATION;
}

/* A time as text: so queries have it, in a body it is a number. */
static bool is_text_time(const struct lambda_member *m, const cJSON *json)
{
    return m->location == LAMBDA_IN_BODY && m->shape->type == LAMBDA_TIMESTAMP &&
           cJSON_IsString(json);
}

static int check_types(const struct lambda_shape *shape, const cJSON *json, struct buf *msg)
{
    bool fine = true;
    const cJSON *item;
    size_t i;
    int r;

    switch (shape->type) {
    case LAMBDA_STRING:
    case LAMBDA_BLOB:
        fine = cJSON_IsString(json);
        break;
    case LAMBDA_INTEGER:
        fine = is_whole(json, INT32_MAX);
        break;
    case LAMBDA_LONG:
        fine = is_whole(json, EXACT_MAX);
        break;
    case LAMBDA_DOUBLE:
        fine = cJSON_IsNumber(json);
        break;
    case LAMBDA_BOOLEAN:
        fine = cJSON_IsBool(json);
        break;
    case LAMBDA_TIMESTAMP: /* text is a query's: see is_text_time() */
        fine = cJSON_IsString(json) || (cJSON_IsNumber(json) && json->valuedouble >= TIME_MIN &&
                                        json->valuedouble < TIME_END);
        break;
    case LAMBDA_LIST:
    case LAMBDA_MAP:
        if (!(shape->type == LAMBDA_LIST ? cJSON_IsArray(json) : cJSON_IsObject(json)))
            return wrong_type(shape, json, msg);
        cJSON_ArrayForEach(item, json)
        {
            r = cJSON_IsNull(item) ? 0 : check_types(shape->item, item, msg);
            if (r < 0)
                return r;
        }
        break;
    case LAMBDA_STRUCTURE:
        if (!cJSON_IsObject(json))
            return wrong_type(shape, json, msg);
        for (i = 0; i < shape->members_len; i++) {
            item = cJSON_GetObjectItemCaseSensitive(json, shape->members[i].name);
            if (!item || cJSON_IsNull(item) || shape->members[i].location == LAMBDA_IN_PAYLOAD)
                continue;
            if (is_text_time(&shape->members[i], item))
                return wrong_type(shape->members[i].shape, item, msg);
            r = check_types(shape->members[i].shape, item, msg);
            if (r < 0)
                return r;
        }
        break;
    }
    return fine ? 0 : wrong_type(shape, json, msg);
}

int validate_shape(const struct lambda_shape *shape, const cJSON *input, struct buf *ret_message)
{
    CLEANUP(check_done)
    struct check c = {BUF_INIT(PATH_MAX_BYTES), BUF_INIT(VALIDATE_MESSAGE_MAX), 0};
    int r = check_types(shape, input, ret_message);

    if (r < 0)
        return r;
    check_structure(&c, shape, input);
    if (c.count == 0)
        return 0;
    buf_printf(ret_message, "%zu validation error%s detected: ", c.count, c.count > 1 ? "s" : "");
    append_cut(ret_message, buf_str(&c.errors), VALIDATE_MESSAGE_MAX);
    return -ERR_VALIDATION;
}

int validate_input(const struct lambda_op *op, const cJSON *input, struct buf *ret_message)
{
    const struct lambda_shape *shape = lambda_input_shape(op->id);

    return shape ? validate_shape(shape, input, ret_message) : 0;
}
