/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print_ops.c - prints the operation table and its shapes as JSON, for test_model.py, which holds
 * it against botocore's model of the Lambda API.
 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "common/model/lambda_ops.h"

static const char *const types[] = {
    [LAMBDA_STRING] = "string",       [LAMBDA_INTEGER] = "integer",
    [LAMBDA_LONG] = "long",           [LAMBDA_DOUBLE] = "double",
    [LAMBDA_BOOLEAN] = "boolean",     [LAMBDA_BLOB] = "blob",
    [LAMBDA_TIMESTAMP] = "timestamp", [LAMBDA_STRUCTURE] = "structure",
    [LAMBDA_LIST] = "list",           [LAMBDA_MAP] = "map",
};

static const char *const locations[] = {
    [LAMBDA_IN_BODY] = "body",       [LAMBDA_IN_URI] = "uri",
    [LAMBDA_IN_QUERY] = "querystring", [LAMBDA_IN_HEADER] = "header",
    [LAMBDA_IN_PAYLOAD] = "payload",
};

static void add_text(cJSON *to, const char *name, const char *text)
{
    if (text)
        cJSON_AddStringToObject(to, name, text);
}

static void add_values(cJSON *to, const char *name, const char *const *values)
{
    cJSON *list = values ? cJSON_AddArrayToObject(to, name) : NULL;

    for (; values && *values; values++)
        cJSON_AddItemToArray(list, cJSON_CreateString(*values));
}

static void add_shape(cJSON *shapes, const struct lambda_shape *shape);

static void add_members(cJSON *shapes, cJSON *to, const struct lambda_shape *shape)
{
    cJSON *members = cJSON_AddObjectToObject(to, "members"), *m;
    size_t i;

    for (i = 0; i < shape->members_len; i++) {
        const struct lambda_member *member = &shape->members[i];

        m = cJSON_AddObjectToObject(members, member->name);
        add_text(m, "wire_name", member->wire_name);
        add_text(m, "location", locations[member->location]);
        add_text(m, "shape", member->shape->name);
        cJSON_AddBoolToObject(m, "required", member->required);
        add_shape(shapes, member->shape);
    }
}

/* Adds @shape and all it is made of under their names, each once. */
static void add_shape(cJSON *shapes, const struct lambda_shape *shape)
{
    cJSON *to;

    if (cJSON_GetObjectItemCaseSensitive(shapes, shape->name))
        return;
    to = cJSON_AddObjectToObject(shapes, shape->name);
    add_text(to, "type", types[shape->type]);
    if (shape->has_min)
        cJSON_AddNumberToObject(to, "min", shape->min);
    if (shape->has_max)
        cJSON_AddNumberToObject(to, "max", shape->max);
    if (shape->sensitive)
        cJSON_AddTrueToObject(to, "sensitive");
    add_text(to, "pattern", shape->pattern);
    add_values(to, "values", shape->values);
    add_text(to, "recorded_pattern", shape->recorded_pattern);
    add_values(to, "recorded_values", shape->recorded_values);
    if (shape->type == LAMBDA_STRUCTURE)
        add_members(shapes, to, shape);
    if (shape->key) {
        add_text(to, "key", shape->key->name);
        add_shape(shapes, shape->key);
    }
    if (shape->item) {
        add_text(to, "item", shape->item->name);
        add_shape(shapes, shape->item);
    }
}

int main(void)
{
    cJSON *json = cJSON_CreateObject(), *ops = cJSON_AddObjectToObject(json, "operations");
    cJSON *shapes = cJSON_AddObjectToObject(json, "shapes"), *op_json;
    char *text;
    size_t i;

    for (i = 0; i < LAMBDA_OP_MAX; i++) {
        const struct lambda_op *op = &lambda_op_table[i];
        const struct lambda_shape *input = lambda_input_shape(op->id);

        op_json = cJSON_AddObjectToObject(ops, op->name);
        add_text(op_json, "method", op->method);
        add_text(op_json, "uri", op->uri);
        cJSON_AddNumberToObject(op_json, "success", op->success);
        if (input) {
            add_text(op_json, "input", input->name);
            add_shape(shapes, input);
        }
    }
    text = cJSON_Print(json);
    puts(text);
    cJSON_free(text);
    cJSON_Delete(json);
    return 0;
}
