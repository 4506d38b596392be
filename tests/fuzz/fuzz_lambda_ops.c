/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_lambda_ops.c - libFuzzer target: a request (method, path, query, body, each ended by a NUL)
 * goes all the way from its route to the version that it would make.
 */
#include <stdlib.h>

#include "common/model/fn_apply.h"
#include "common/model/lambda_input.h"
#include "common/model/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str header(void *arg, const char *name)
{
    (void)name;
    return *(struct str *)arg;
}

static void apply(enum lambda_op_id id, const cJSON *input)
{
    static struct runtimes *rts;
    CLEANUP(fn_version_freep) struct fn_version *ver = NULL, *next = NULL;
    struct fn_defaults defaults = {
        STR("000000000000"), STR("us-east-1"), STR("x86_64"), NULL, 1, "r",
    };
    struct error err;

    if (!rts &&
        runtimes_parse(STR("{\"runtimes\":{\"python3.13\":{\"image\":\"i\"}}}"), &rts, NULL) < 0)
        abort();
    defaults.runtimes = rts;
    if (id != LAMBDA_OP_CreateFunction || fn_apply_create(input, &defaults, &ver, &err) < 0)
        return;
    if (fn_apply_update_configuration(input, &defaults, ver, &next, &err) == 0)
        cJSON_Delete(fn_version_to_aws(next, STR_NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(buf_done) struct buf message = BUF_INIT(VALIDATE_MESSAGE_MAX);
    struct str rest = str_from(data, size), method, path, query;
    struct lambda_match match;
    cJSON *input;

    if (!str_split(&rest, '\0', &method) || !str_split(&rest, '\0', &path) ||
        !str_split(&rest, '\0', &query))
        return 0;
    if (lambda_op_match(method, path, query, &match) < 0 ||
        lambda_input_new(&match, query, rest, header, &query, &input, NULL) < 0)
        return 0;
    if (validate_input(match.op, input, &message) == 0)
        apply(match.op->id, input);
    else if (!str_is_utf8(buf_str(&message)) || message.len == 0)
        abort();
    cJSON_Delete(input);
    return 0;
}
