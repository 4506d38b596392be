/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/scaling/zones.h"

#include <stdlib.h>

#include "common/base/file.h"
#include "common/base/map.h"

#define FOLDER "/usr/share/zoneinfo"

struct zones {
    struct map all; /* name -> struct tz */
};

static void on_free(void *value)
{
    tz_free(value);
}

struct zones *zones_new(void)
{
    struct zones *zones = calloc(1, sizeof(*zones));

    if (!zones)
        abort();
    map_init(&zones->all, on_free);
    return zones;
}

void zones_free(struct zones *zones)
{
    if (!zones)
        return;
    map_done(&zones->all);
    free(zones);
}

int zones_get(struct zones *zones, struct str name, const struct tz **ret, struct error *err)
{
    CLEANUP(buf_done) struct buf file = BUF_INIT(TZ_FILE_MAX);
    CLEANUP(freep) char *path = str_printf(FOLDER "/%.*s", STR_ARG(str_sub(name, 0, 64)));
    struct tz *tz = map_get(&zones->all, name);

    *ret = tz;
    if (tz || name.len == 0 || str_is(name, "UTC") || str_is(name, "Etc/UTC"))
        return 0;
    /* not the copies of the database, one of which counts leap seconds */
    if (!tz_name_is_valid(name) || str_starts(name, STR("right/")) || str_starts(name, STR("posix/")) ||
        file_read(path, &file, NULL) < 0 || tz_parse(buf_str(&file), &tz, NULL) < 0)
        return error_set(err, ERR_VALIDATION, "there is no time zone %.*s in " FOLDER,
                         STR_ARG(str_sub(name, 0, 64)));
    map_put(&zones->all, name, tz);
    *ret = tz;
    return 0;
}
