/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_iam.c - libFuzzer target: a form goes through the input of the operation that it names, and
 * is taken for a policy document of either kind.
 */
#include <stdlib.h>

#include "common/proto/iam_document.h"
#include "common/proto/iam_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_input(struct str form)
{
    struct buf message = BUF_INIT(65536);
    const struct iam_op *op;
    struct aws_query query;
    cJSON *input;

    if (aws_query_parse(form, &query, NULL) < 0)
        return;
    op = iam_op_by_name(aws_query_get(&query, "Action"));
    if (op && op->offered && iam_input_new(op->id, &query, &input, &message) == 0)
        cJSON_Delete(input);
    buf_done(&message);
    aws_query_done(&query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str s = str_from(data, size);
    struct error err;

    read_input(s);
    if (iam_document_check(s, IAM_IDENTITY_POLICY, &err) == 0 &&
        iam_document_check(s, IAM_TRUST_POLICY, &err) == 0)
        abort(); /* one has resources, the other must not */
    return iam_document_size(s) > size;
}
