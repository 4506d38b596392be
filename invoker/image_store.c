/* SPDX-License-Identifier: Apache-2.0 */
#include "invoker/image_store.h"

#include <stdlib.h>

#include "common/base/str.h"

static char **strings_copy(char *const *strings)
{
    size_t n = 0, i;
    char **copy;

    while (strings && strings[n])
        n++;
    copy = calloc(n + 1, sizeof(*copy));
    if (!copy)
        abort();
    for (i = 0; i < n; i++)
        copy[i] = str_dup(str_of(strings[i]));
    return copy;
}

static void strings_free(char **strings)
{
    for (char **s = strings; s && *s; s++)
        free(*s);
    free(strings);
}

struct image_info *image_info_copy(const struct image_info *info)
{
    struct image_info *copy = calloc(1, sizeof(*copy));

    if (!copy)
        abort();
    copy->reference = str_dup(str_of(info->reference));
    copy->digest = str_dup(str_of(info->digest));
    copy->architecture = str_dup(str_of(info->architecture));
    copy->size_bytes = info->size_bytes;
    copy->entry_point = strings_copy(info->entry_point);
    copy->command = strings_copy(info->command);
    copy->env = strings_copy(info->env);
    copy->working_directory = str_dup(str_of(info->working_directory));
    copy->volumes = strings_copy(info->volumes);
    copy->layers = strings_copy(info->layers);
    copy->hold = info->hold;
    if (copy->hold)
        copy->hold->refs++;
    return copy;
}

void image_info_free(struct image_info *info)
{
    if (!info)
        return;
    free(info->reference);
    free(info->digest);
    free(info->architecture);
    strings_free(info->entry_point);
    strings_free(info->command);
    strings_free(info->env);
    free(info->working_directory);
    strings_free(info->volumes);
    strings_free(info->layers);
    image_hold_unref(info->hold);
    free(info);
}

void image_hold_unref(struct image_hold *hold)
{
    if (hold && --hold->refs == 0)
        hold->release(hold);
}
