/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_fn_name.c - libFuzzer target: any text is a function's name or refused, as the API model's
 * pattern has it; the ARN written from a name is read as that name again.
 */
#include <stdlib.h>

#include "common/model/fn_name.h"
#include "common/model/lambda_ops.h"
#include "common/model/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *pattern_of(enum fn_name_kind kind)
{
    enum lambda_op_id id = kind == FN_NAME_PLAIN ? LAMBDA_OP_CreateFunction : LAMBDA_OP_Invoke;

    return lambda_shape_member(lambda_input_shape(id), STR("FunctionName"))->shape->pattern;
}

static void check(struct str text, enum fn_name_kind kind)
{
    const struct fn_home home = {STR("000000000000"), STR("us-east-1")};
    CLEANUP(buf_done) struct buf arn = BUF_INIT(1000);
    struct fn_name name, again;
    int r = fn_name_parse(text, kind, &name, NULL);

    /* a text that is too long is refused behind the pattern */
    if (text.len <= 140 && (r == 0) != (pattern_match(pattern_of(kind), text) == 1))
        abort();
    if (fn_name_resolve(text, kind, STR_NULL, &home, &name, NULL) < 0)
        return;
    if (fn_arn_append(&arn, name.region, name.account, name.name, name.qualifier) < 0)
        abort();
    if (fn_name_parse(buf_str(&arn), FN_NAME_NAMESPACED, &again, NULL) < 0)
        return; /* over 256 characters */
    if (!str_eq(name.name, again.name) || !str_eq(name.qualifier, again.qualifier))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from(data, size);

    check(text, FN_NAME_PLAIN);
    check(text, FN_NAME_NAMESPACED);
    fn_qualifier_is_valid(text);
    return 0;
}
