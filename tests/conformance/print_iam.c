/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print_iam.c - prints IAM's operations and the shapes of their inputs, one fact a line, for
 * test_iam_model.py, which holds it against botocore's model.
 */
#include <stdio.h>

#include "common/model/iam_ops.h"

static const char *const types[] = {
    [LAMBDA_STRING] = "string",       [LAMBDA_INTEGER] = "integer",
    [LAMBDA_LONG] = "long",           [LAMBDA_DOUBLE] = "double",
    [LAMBDA_BOOLEAN] = "boolean",     [LAMBDA_BLOB] = "blob",
    [LAMBDA_TIMESTAMP] = "timestamp", [LAMBDA_STRUCTURE] = "structure",
    [LAMBDA_LIST] = "list",           [LAMBDA_MAP] = "map",
};

static void print_shape(const struct lambda_shape *shape)
{
    const char *const *value;
    size_t i;

    printf("shape\t%s\t%s\n", shape->name, types[shape->type]);
    if (shape->has_min)
        printf("min\t%s\t%.0f\n", shape->name, shape->min);
    if (shape->has_max)
        printf("max\t%s\t%.0f\n", shape->name, shape->max);
    if (shape->pattern)
        printf("pattern\t%s\t%s\n", shape->name, shape->pattern);
    for (value = shape->values; value && *value; value++)
        printf("value\t%s\t%s\n", shape->name, *value);
    for (i = 0; i < shape->members_len; i++) {
        const struct lambda_member *m = &shape->members[i];

        printf("member\t%s\t%s\t%s\t%s\t%s\n", shape->name, m->name, m->wire_name, m->shape->name,
               m->required ? "required" : "optional");
        print_shape(m->shape);
    }
    if (shape->item) {
        printf("item\t%s\t%s\n", shape->name, shape->item->name);
        print_shape(shape->item);
    }
}

int main(void)
{
#define IAM_OP(op_name, has_result, offered)                                                       \
    printf("operation\t" #op_name "\t%s\t%s\n", (has_result) ? "result" : "empty",                 \
           (offered) ? "offered" : "not offered");                                                 \
    if (iam_input_shape(IAM_OP_##op_name)) {                                                       \
        printf("input\t" #op_name "\t%s\n", iam_input_shape(IAM_OP_##op_name)->name);              \
        print_shape(iam_input_shape(IAM_OP_##op_name));                                            \
    }
#include "common/model/iam_ops.inc"
#undef IAM_OP
    return 0;
}
