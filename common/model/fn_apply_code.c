/* SPDX-License-Identifier: Apache-2.0 */
/* What runs and on what: runtime, handler, image settings, architecture, source of the code. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/fn_apply_parts.h"
#include "common/model/fn_source.h"
#include "common/model/fn_unoffered.h"
#include "common/model/lambda_input.h"
#include "common/model/record.h"

/* 64 hex digits that differ when the runtime's image or the architecture does; not a secret, so no
 * cryptography. */
static char *runtime_version_new(const struct runtime *rt, const char *architecture)
{
    const char *const parts[] = {rt->name, rt->image, architecture};
    uint64_t h[4];
    const char *c;
    size_t i, part;

    for (i = 0; i < ARRAY_LEN(h); i++) {
        h[i] = 0xcbf29ce484222325u + i; /* FNV-1a */
        for (part = 0; part < ARRAY_LEN(parts); part++)
            for (c = parts[part]; *c; c++)
                h[i] = (h[i] ^ (unsigned char)*c) * 0x100000001b3u;
    }
    return str_printf("%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64, h[0], h[1], h[2],
                      h[3]);
}

static int check_package(const cJSON *input, const struct fn_version *ver, struct error *err)
{
    if (ver->package == FN_IMAGE &&
        (cjson_str(input, "Runtime").ptr || cjson_str(input, "Handler").ptr ||
         fn_is_set(fn_member(input, "Layers"))))
        return error_set(err, ERR_BAD_REQUEST,
                         "Please don't provide Handler or Runtime or Layer when the intended "
                         "function PackageType is Image.");
    if (ver->package == FN_ZIP && fn_is_set(fn_member(input, "ImageConfig")))
        return error_set(err, ERR_BAD_REQUEST,
                         "Please don't provide ImageConfig when the intended function PackageType "
                         "is Zip.");
    return 0;
}

static void set_runtime_version(const struct fn_defaults *defaults, struct fn_version *ver)
{
    const struct runtime *rt =
        ver->runtime ? runtimes_find(defaults->runtimes, str_of(ver->runtime)) : NULL;

    if (!rt || !ver->architecture)
        return;
    free(ver->runtime_version);
    ver->runtime_version = runtime_version_new(rt, ver->architecture);
}

static int apply_runtime(struct str name, const struct fn_defaults *defaults,
                         struct fn_version *ver, struct error *err)
{
    int r;

    r = runtimes_check(defaults->runtimes, name, err);
    if (r < 0)
        return r;
    fn_set_str(&ver->runtime, name);
    set_runtime_version(defaults, ver);
    return 0;
}

/* A list of the image's configuration; an empty one stands for none. */
static char **image_list_new(const cJSON *list)
{
    return cJSON_GetArraySize(list) > 0 ? strv_from_json(list) : NULL;
}

/* ImageConfig is replaced as a whole: what it does not name goes back to the image's own. */
static void apply_image_config(const cJSON *input, struct fn_version *ver)
{
    const cJSON *config = fn_member(input, "ImageConfig");
    struct str directory = cjson_str(config, "WorkingDirectory");

    if (!config)
        return;
    strv_free(ver->entry_point);
    strv_free(ver->command);
    ver->entry_point = image_list_new(fn_member(config, "EntryPoint"));
    ver->command = image_list_new(fn_member(config, "Command"));
    fn_set_str(&ver->working_directory, directory.len > 0 ? directory : STR_NULL);
}

int fn_apply_code_settings(const cJSON *input, const struct fn_defaults *defaults,
                           struct fn_version *ver, struct error *err)
{
    struct str runtime = cjson_str(input, "Runtime"), handler = cjson_str(input, "Handler");
    int r;

    r = check_package(input, ver, err);
    if (r == 0 && runtime.ptr)
        r = apply_runtime(runtime, defaults, ver, err);
    if (r < 0)
        return r;
    if (handler.ptr)
        fn_set_str(&ver->handler, handler);
    if (ver->package == FN_ZIP && (!ver->runtime || !ver->handler || !ver->handler[0]))
        return error_set(err, ERR_BAD_REQUEST,
                         "Runtime and Handler are mandatory parameters for functions created with "
                         "deployment packages.");
    apply_image_config(input, ver);
    return 0;
}

int fn_apply_architecture(const cJSON *input, const struct fn_defaults *defaults,
                          struct fn_version *ver, struct error *err)
{
    const cJSON *list = fn_member(input, "Architectures");
    const struct runtime *rt;
    bool fits;

    if (list)
        fn_set_str(&ver->architecture, str_of(cJSON_GetStringValue(cJSON_GetArrayItem(list, 0))));
    else if (!ver->architecture)
        fn_set_str(&ver->architecture, defaults->architecture);
    rt = ver->runtime ? runtimes_find(defaults->runtimes, str_of(ver->runtime)) : NULL;
    fits = !rt || (strcmp(ver->architecture, "arm64") == 0 ? rt->arm64 : rt->x86_64);
    if (fits) {
        set_runtime_version(defaults, ver);
        return 0;
    }
    return error_set(err, ERR_BAD_REQUEST,
                     "The runtime parameter of %s is not available for the architecture %s here.",
                     rt->name, ver->architecture);
}

static int apply_image(const struct fn_source *source, const char *doing, struct fn_version *ver,
                       struct error *err)
{
    if (source->kind != FN_SOURCE_IMAGE)
        return error_set(err, ERR_BAD_REQUEST,
                         "Please provide ImageUri when %s a function with packageType Image.",
                         doing);
    fn_set_str(&ver->image_uri, source->image_uri);
    fn_set_str(&ver->resolved_image_uri, STR_NULL);
    fn_set_str(&ver->code_sha256, STR_NULL);
    ver->code_bytes = 0;
    return 0;
}

int fn_apply_source(const cJSON *code, bool creating, struct fn_version *ver, struct error *err)
{
    struct fn_source source;
    int r;

    r = fn_source_read(code, &source, err);
    if (r < 0)
        return r;
    if (ver->package == FN_IMAGE)
        return apply_image(&source, creating ? "creating" : "updating", ver, err);
    if (source.kind == FN_SOURCE_IMAGE && !creating)
        return error_set(err, ERR_BAD_REQUEST,
                         "Please don't provide ImageUri when updating a function with packageType "
                         "Zip.");
    if (source.kind != FN_SOURCE_ZIP && source.kind != FN_SOURCE_S3)
        return error_set(err, ERR_BAD_REQUEST, "Please provide a source for function code.");
    fn_set_str(&ver->source_kms_key_arn, source.kms_key_arn);
    ver->unzipped_bytes = 0;
    return 0;
}
