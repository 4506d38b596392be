/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/ready_version.h"

#include <stdlib.h>
#include <sys/stat.h>

struct ready_version {
    unsigned refs;
    struct sandbox_spec *spec;
    struct image_info *image;
    struct code *code, *layers;
    struct pool_version *pv;
    bool image_lost;
};

struct ready_version *ready_version_new(struct pool *pool, struct keep_alive *habits,
                                        struct sandbox_spec *spec,
                                        struct image_info *image, struct code *code,
                                        struct code *layers)
{
    struct ready_version *ver = calloc(1, sizeof(*ver));

    if (!ver)
        abort();
    ver->refs = 1;
    ver->spec = spec;
    ver->image = image;
    ver->code = code;
    ver->layers = layers;
    ver->pv = pool_version_new(pool, spec->memory_mib, habits, ver);
    return ver;
}

struct ready_version *ready_version_ref(struct ready_version *ver)
{
    ver->refs++;
    return ver;
}

void ready_version_unref(struct ready_version *ver)
{
    if (!ver || --ver->refs > 0)
        return;
    pool_version_free(ver->pv);
    code_unref(ver->code);
    code_unref(ver->layers);
    image_info_free(ver->image);
    sandbox_spec_free(ver->spec);
    free(ver);
}

void ready_version_unrefp(struct ready_version **ver)
{
    ready_version_unref(*ver);
    *ver = NULL;
}

const struct sandbox_spec *ready_version_spec(const struct ready_version *ver)
{
    return ver->spec;
}

const struct image_info *ready_version_image(const struct ready_version *ver)
{
    return ver->image;
}

/* A link counts: where it leads to is only known in the sandbox. */
static bool has_bootstrap(const struct code *code)
{
    CLEANUP(freep) char *path = code ? str_printf("%s/bootstrap", code_dir(code)) : NULL;
    struct stat st;

    return path && lstat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

const char *ready_version_bootstrap(const struct ready_version *ver, bool *ret_found)
{
    if (!ver->code || !ver->spec->runtime ||
        !str_starts(str_of(ver->spec->runtime), STR("provided")))
        return NULL;
    *ret_found = true;
    if (has_bootstrap(ver->code))
        return "/var/task/bootstrap";
    *ret_found = has_bootstrap(ver->layers);
    return "/opt/bootstrap";
}

const char *ready_version_program(const struct ready_version *ver)
{
    char **const lists[] = {ver->spec->entry_point ? ver->spec->entry_point
                                                   : ver->image->entry_point,
                            ver->spec->command ? ver->spec->command : ver->image->command};
    size_t i;

    for (i = 0; i < ARRAY_LEN(lists); i++)
        if (lists[i] && lists[i][0])
            return lists[i][0];
    return "";
}

const char *ready_version_folder(const struct ready_version *ver)
{
    return ver->spec->working_directory ? ver->spec->working_directory
                                        : ver->image->working_directory;
}

const char *ready_version_code_dir(const struct ready_version *ver)
{
    return ver->code ? code_dir(ver->code) : NULL;
}

const char *ready_version_layers_dir(const struct ready_version *ver)
{
    return ver->layers ? code_dir(ver->layers) : NULL;
}

struct pool_version *ready_version_pool(const struct ready_version *ver)
{
    return ver->pv;
}

unsigned ready_version_refs(const struct ready_version *ver)
{
    return ver->refs;
}

void ready_version_renew(struct ready_version *ver, struct role_credentials *credentials)
{
    role_credentials_free(ver->spec->credentials);
    ver->spec->credentials = credentials;
}

void ready_version_set_image_lost(struct ready_version *ver)
{
    ver->image_lost = true;
}

bool ready_version_is_image_lost(const struct ready_version *ver)
{
    return ver->image_lost;
}
