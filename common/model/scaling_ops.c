/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/scaling_ops.h"

static const struct scaling_op op_table[SCALING_OP_MAX] = {
#define SCALING_OP(op_name, offered) {SCALING_OP_##op_name, #op_name, offered},
#include "common/model/scaling_ops.inc"
#undef SCALING_OP
};

const struct scaling_op *scaling_op_by_name(struct str name)
{
    size_t i;

    for (i = 0; i < SCALING_OP_MAX; i++)
        if (str_is(name, op_table[i].name))
            return &op_table[i];
    return NULL;
}
