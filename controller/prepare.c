/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/prepare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/lambda_input.h"

struct asking {
    struct peers *peers;
    uint64_t number;
    uint64_t timeout_us;
    char *image;
    char *fallback; /* to try when @image is refused; NULL: none */
    bool fell_back;
    char *refusal; /* why @image was refused, once it fell back: the user may mend that one */
    char *architecture; /* that the image must have, AWS's word */
    char *runtime; /* NULL for images */
    bool needs_entry_point; /* the function's configuration gives none */
    char *code_sha256; /* NULL for images */
    uint64_t code_bytes;
    cJSON *layers; /* as code.prepare has them; NULL: none */
    prepare_done_fn *done;
    void *arg;

    char *reference, *digest;
};

static void asking_free(struct asking *a)
{
    free(a->image);
    free(a->fallback);
    free(a->refusal);
    free(a->architecture);
    free(a->runtime);
    free(a->code_sha256);
    free(a->reference);
    free(a->digest);
    cJSON_Delete(a->layers);
    free(a);
}

static void end(struct asking *a, const struct error *err)
{
    struct prepared found = {a->reference, a->digest, a->fell_back ? a->image : NULL};

    a->done(a->number, err ? NULL : &found, err, a->arg);
    asking_free(a);
}

/* AWS's word for Docker's. */
static struct str architecture_of(struct str docker)
{
    if (str_is(docker, "amd64"))
        return STR("x86_64");
    return str_is(docker, "aarch64") ? STR("arm64") : docker;
}

/* Whether the image may run the function. */
static int image_check(const struct asking *a, const cJSON *ok, struct error *err)
{
    struct str architecture = architecture_of(cjson_str(ok, "architecture"));

    if (!a->reference || !a->digest)
        return error_set(err, ERR_PROTOCOL, "InternalError: an invoker's answer has no digest");
    if (architecture.len && !str_eq(architecture, str_of(a->architecture)))
        return error_set(err, ERR_BAD_REQUEST,
                         "InvalidImage: Image %s is for %.*s, the function is for %s.", a->image,
                         STR_ARG(architecture), a->architecture);
    if (a->needs_entry_point &&
        cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(ok, "has_entry_point")))
        return error_set(
            err, ERR_BAD_REQUEST,
            "InvalidImage: Image %s has neither Entrypoint nor Cmd, and the function's "
            "ImageConfig gives none.",
            a->image);
    return 0;
}

static void on_code(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    (void)ok;
    (void)body;
    end(arg, err);
}

static void ask_code(struct asking *a)
{
    struct peer *peer = peers_find(a->peers, a->number);
    cJSON *args = cJSON_CreateObject();
    struct error err;

    cJSON_AddStringToObject(args, "sha256", a->code_sha256);
    cJSON_AddNumberToObject(args, "size", (double)a->code_bytes);
    if (a->layers)
        cJSON_AddItemToObject(args, "layers", TAKE(a->layers));
    if (peer) {
        peers_ask(a->peers, peer, "code.prepare", args, a->timeout_us, on_code, a);
    } else {
        error_set(&err, ERR_CLOSED, "the invoker has gone");
        end(a, &err);
    }
    cJSON_Delete(args);
}

static void ask_image(struct asking *a, struct peer *peer);

/* Another image for the same runtime; false when there is none to try. */
static bool fall_back(struct asking *a, const struct error *err)
{
    struct peer *peer = peers_find(a->peers, a->number);
    const char *text;
    char code[64];

    if (err->code != ERR_BAD_REQUEST || !a->fallback || !peer)
        return false;
    prepare_reason(err, code, sizeof(code), &text);
    a->refusal = str_dup(str_of(text));
    free(a->image);
    a->image = TAKE(a->fallback);
    a->fell_back = true;
    ask_image(a, peer);
    return true;
}

static char *dup_member(const cJSON *ok, const char *name)
{
    struct str s = cjson_str(ok, name);

    return s.len ? str_dup(s) : NULL;
}

/* Names the runtime, and after a fallback why its first image was not taken. */
static void explain(const struct asking *a, const struct error *err, struct error *ret)
{
    const char *text, *why = a->refusal ? a->refusal : "";
    const char *between = a->refusal ? "; its fallback: " : "";
    char code[64];

    prepare_reason(err, code, sizeof(code), &text);
    if (err->code == ERR_BAD_REQUEST)
        error_set(ret, err->code, "InvalidRuntime: The image of runtime %s: %.400s%s%.500s",
                  a->runtime, why, between, text);
    else
        error_set(ret, err->code, "%s: The image of runtime %s: %.400s%s%.500s", code, a->runtime,
                  why, between, text);
}

static void on_image(const cJSON *ok, struct str body, const struct error *err, void *arg)
{
    struct asking *a = arg;
    struct error own, explained;

    (void)body;
    if (!err) {
        free(a->reference);
        free(a->digest);
        a->reference = dup_member(ok, "reference");
        a->digest = dup_member(ok, "digest");
        if (image_check(a, ok, &own) < 0)
            err = &own;
    }
    if (err && fall_back(a, err))
        return;
    if (err && a->runtime && (err->code == ERR_BAD_REQUEST || a->refusal)) {
        explain(a, err, &explained);
        err = &explained;
    }
    if (err || !a->code_sha256)
        end(a, err);
    else
        ask_code(a);
}

static void ask_image(struct asking *a, struct peer *peer)
{
    cJSON *args = cJSON_CreateObject();

    cJSON_AddStringToObject(args, "image", a->image);
    peers_ask(a->peers, peer, "image.prepare", args, a->timeout_us, on_image, a);
    cJSON_Delete(args);
}

struct late {
    struct asking *asking;
    struct error err;
};

static void on_late(void *arg)
{
    struct late *late = arg;

    end(late->asking, &late->err);
    free(late);
}

static void end_later(struct loop *loop, struct asking *a, const struct error *err)
{
    struct late *late = calloc(1, sizeof(*late));

    if (!late)
        abort();
    late->asking = a;
    late->err = *err;
    loop_defer(loop, on_late, late);
}

static char *dup_or_null(const char *s)
{
    return s ? str_dup(str_of(s)) : NULL;
}

static cJSON *layers_json(const struct fn_version *ver)
{
    cJSON *list = ver->layers_len ? cJSON_CreateArray() : NULL;
    size_t i;

    for (i = 0; i < ver->layers_len; i++) {
        cJSON *layer = cJSON_CreateObject();

        cJSON_AddStringToObject(layer, "arn", ver->layers[i].arn);
        cJSON_AddStringToObject(layer, "sha256", ver->layers[i].sha256);
        cJSON_AddNumberToObject(layer, "bytes", (double)ver->layers[i].bytes);
        cJSON_AddItemToArray(list, layer);
    }
    return list;
}

void prepare_on(struct peers *peers, struct peer *peer, const struct fn_version *ver,
                const struct runtimes *rts, uint64_t timeout_us, prepare_done_fn *done, void *arg)
{
    struct asking *a = calloc(1, sizeof(*a));
    const struct runtime *rt = NULL;
    struct error err;

    if (!a)
        abort();
    a->peers = peers;
    a->number = peer->number;
    a->timeout_us = timeout_us;
    a->architecture = str_dup(str_of(ver->architecture));
    a->done = done;
    a->arg = arg;
    if (ver->package == FN_ZIP) {
        rt = runtimes_find(rts, str_of(ver->runtime));
        a->runtime = dup_or_null(ver->runtime);
        a->code_sha256 = dup_or_null(ver->code_sha256);
        a->code_bytes = ver->code_bytes;
        a->layers = layers_json(ver);
        a->image = dup_or_null(rt && rt->image[0] ? rt->image : NULL);
        a->fallback = dup_or_null(rt && rt->fallback[0] ? rt->fallback : NULL);
    } else {
        /* a resolved image stays what it is when only the configuration changes */
        a->image = dup_or_null(ver->resolved_image_uri ? ver->resolved_image_uri : ver->image_uri);
        a->needs_entry_point = !ver->entry_point && !ver->command;
    }
    if (!a->image) {
        error_set(&err, ERR_BAD_REQUEST, "InvalidRuntime: There is no image for runtime %s.",
                  ver->runtime ? ver->runtime : "(none)");
        end_later(peers_loop(peers), a, &err);
        return;
    }
    ask_image(a, peer);
}

void prepare_reason(const struct error *err, char *ret_code, size_t size, const char **ret_text)
{
    const char *colon = strstr(err->msg, ": ");
    size_t len = colon ? (size_t)(colon - err->msg) : 0, i;

    for (i = 0; i < len; i++)
        if ((err->msg[i] < 'A' || err->msg[i] > 'Z') && (err->msg[i] < 'a' || err->msg[i] > 'z') &&
            err->msg[i] != '.')
            break;
    if (len == 0 || len >= size || i < len) {
        snprintf(ret_code, size, "InternalError");
        *ret_text = err->msg;
        return;
    }
    snprintf(ret_code, size, "%.*s", (int)len, err->msg);
    *ret_text = colon + 2;
}
