/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/iam_input.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/pattern.h"
#include "common/model/validate.h"

#define NAME_MAX_BYTES 128 /* of a flattened name; the API's longest is far below */
#define ITEMS_MAX 1000u

/* ---- from the form to JSON ---- */

static int read_value(const struct aws_query *q, const char *name,
                      const struct lambda_shape *shape, cJSON **ret, struct buf *message);

static int read_number(const struct lambda_shape *shape, struct str text, cJSON **ret,
                       struct buf *message)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    uint64_t n;

    if (str_parse_u64(negative ? str_sub(text, 1, text.len) : text, &n) < 0 ||
        n > (shape->type == LAMBDA_INTEGER ? (uint64_t)INT32_MAX : UINT64_C(1) << 53)) {
        buf_printf(message, "STRING_VALUE cannot be converted to %s",
                   shape->type == LAMBDA_INTEGER ? "Integer" : "Long");
        return -ERR_SERIALIZATION;
    }
    *ret = cJSON_CreateNumber(negative ? -(double)n : (double)n);
    return 0;
}

static int read_boolean(struct str text, cJSON **ret, struct buf *message)
{
    if (!str_eq_nocase(text, STR("true")) && !str_eq_nocase(text, STR("false"))) {
        buf_printf(message, "STRING_VALUE cannot be converted to Boolean");
        return -ERR_SERIALIZATION;
    }
    *ret = cJSON_CreateBool(str_eq_nocase(text, STR("true")));
    return 0;
}

static int read_list(const struct aws_query *q, const char *name,
                     const struct lambda_shape *shape, cJSON **ret, struct buf *message)
{
    size_t i, count = aws_query_members(q, name);
    cJSON *list, *item;
    int r = 0;

    if (count == 0 && !aws_query_get(q, name).ptr) /* "Tags=" is an empty list */
        return 0;
    list = cJSON_CreateArray();
    for (i = 0; i < count && i < ITEMS_MAX && r == 0; i++) {
        char below[NAME_MAX_BYTES];

        snprintf(below, sizeof(below), "%s.member.%zu", name, i + 1);
        item = NULL;
        r = read_value(q, below, shape->item, &item, message);
        cJSON_AddItemToArray(list, item ? item : cJSON_CreateNull());
    }
    if (r < 0)
        cJSON_Delete(list);
    else
        *ret = list;
    return r;
}

static int read_structure(const struct aws_query *q, const char *name,
                          const struct lambda_shape *shape, cJSON **ret, struct buf *message)
{
    cJSON *object = cJSON_CreateObject(), *value;
    char below[NAME_MAX_BYTES];
    size_t i;
    int r = 0;

    for (i = 0; i < shape->members_len && r == 0; i++) {
        const struct lambda_member *m = &shape->members[i];

        snprintf(below, sizeof(below), "%s%s%s", name, name[0] ? "." : "", m->wire_name);
        value = NULL;
        r = read_value(q, below, m->shape, &value, message);
        if (value)
            cJSON_AddItemToObject(object, m->name, value);
    }
    if (r < 0)
        cJSON_Delete(object);
    else
        *ret = object;
    return r;
}

/* *@ret stays NULL when the form has nothing of that name. */
static int read_value(const struct aws_query *q, const char *name,
                      const struct lambda_shape *shape, cJSON **ret, struct buf *message)
{
    struct str text = aws_query_get(q, name);
    char *copy;

    switch (shape->type) {
    case LAMBDA_LIST:
        return read_list(q, name, shape, ret, message);
    case LAMBDA_STRUCTURE:
        return read_structure(q, name, shape, ret, message);
    case LAMBDA_INTEGER:
    case LAMBDA_LONG:
        return text.ptr ? read_number(shape, text, ret, message) : 0;
    case LAMBDA_BOOLEAN:
        return text.ptr ? read_boolean(text, ret, message) : 0;
    case LAMBDA_STRING:
    case LAMBDA_DOUBLE: /* these four are in no input that is offered: texts as they are */
    case LAMBDA_BLOB:
    case LAMBDA_TIMESTAMP:
    case LAMBDA_MAP:
        break;
    }
    if (text.ptr) {
        copy = str_dup(text);
        *ret = cJSON_CreateString(copy);
        free(copy);
    }
    return 0;
}

/* ---- what AWS checks in other words than the model's ---- */

static const char *complaint(const struct lambda_shape *shape)
{
    if (strstr(shape->name, "Name"))
        return "contain only alphanumeric characters and/or the following: +=,.@_-";
    if (strcmp(shape->name, "policyDocumentType") == 0)
        return "contain only printable ASCII characters.";
    return "begin and end with / and contain only alphanumeric characters and/or / characters.";
}

static int check_texts(const struct lambda_shape *shape, const cJSON *input, struct buf *message)
{
    const struct lambda_member *m;
    const char *text;

    for (m = shape->members; m < shape->members + shape->members_len; m++) {
        text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(input, m->name));
        if (!m->values_later || !text || pattern_match(m->shape->pattern, str_of(text)) == 1)
            continue;
        buf_printf(message, "The specified value for %c%s is invalid. It must %s",
                   m->name[0] - 'A' + 'a', m->name + 1, complaint(m->shape));
        return -ERR_VALIDATION;
    }
    return 0;
}

int iam_input_new(enum iam_op_id id, const struct aws_query *query, cJSON **ret,
                  struct buf *ret_message)
{
    const struct lambda_shape *shape = iam_input_shape(id);
    cJSON *input = NULL;
    int r = read_structure(query, "", shape, &input, ret_message);

    if (r == 0)
        r = validate_shape(shape, input, ret_message);
    if (r == 0)
        r = check_texts(shape, input, ret_message);
    if (r < 0)
        cJSON_Delete(input);
    else
        *ret = input;
    return r;
}
