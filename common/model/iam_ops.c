/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/iam_ops.h"

static const struct iam_op op_table[IAM_OP_MAX] = {
#define IAM_OP(op_name, has_result, offered)                                                       \
    {IAM_OP_##op_name, #op_name, has_result, offered},
#include "common/model/iam_ops.inc"
#undef IAM_OP
};

const struct iam_op *iam_op_by_name(struct str name)
{
    size_t i;

    for (i = 0; i < IAM_OP_MAX; i++)
        if (str_is(name, op_table[i].name))
            return &op_table[i];
    return NULL;
}
