/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_lambda_ops.c - libFuzzer target: a request (method, path, query, body, each ended by a NUL)
 * goes all the way from its route to the version that it would make.
 */
#include <stdlib.h>

#include "common/model/fn_apply.h"
#include "common/model/fn_layers.h"
#include "common/model/lambda_input.h"
#include "common/model/record.h"
#include "common/model/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str header(void *arg, const char *name)
{
    (void)name;
    return *(struct str *)arg;
}

/* Every layer is found. */
static size_t find_layers(char *const *arns, struct fn_layer *layers)
{
    size_t i;

    for (i = 0; arns && arns[i]; i++)
        layers[i] = (struct fn_layer){arns[i], (char *)"00", 1, 1};
    return i;
}

static void apply_with(const cJSON *input, const struct fn_defaults *defaults)
{
    CLEANUP(fn_version_freep) struct fn_version *ver = NULL, *next = NULL, *published = NULL;
    struct error err;

    if (fn_apply_create(input, defaults, &ver, &err) < 0)
        return;
    if (fn_apply_update_configuration(input, defaults, ver, &next, &err) < 0)
        return;
    cJSON_Delete(fn_version_to_aws(next, STR_NULL));
    published = fn_version_publish(next, 1, STR("d"), 2, "s");
    if (!fn_version_same_code_and_configuration(next, published))
        abort();
}

static void apply(enum lambda_op_id id, const cJSON *input)
{
    static struct runtimes *rts;
    struct fn_layer layers[FN_LAYERS_MAX];
    struct fn_defaults defaults = {
        .account = STR("000000000000"),
        .region = STR("us-east-1"),
        .architecture = STR("x86_64"),
        .now_ms = 1,
        .revision_id = "r",
        .layers = layers,
    };
    char **arns = NULL;

    if (id != LAMBDA_OP_CreateFunction)
        return;
    if (!rts &&
        runtimes_parse(STR("{\"runtimes\":{\"python3.13\":{\"image\":\"i\"}}}"), &rts, NULL) < 0)
        abort();
    defaults.runtimes = rts;
    if (fn_layer_arns(input, defaults.region, &arns, NULL) < 0)
        return;
    defaults.layers_len = find_layers(arns, layers);
    apply_with(input, &defaults);
    strv_free(arns);
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
