/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/node_state.h"

#include "common/model/lambda_input.h"

#define MIB_MAX 1099511627776.0 /* a million TiB */
#define EXACT_MAX 9007199254740992.0 /* whole numbers that a double holds */

static bool read_number(const cJSON *json, const char *name, double least, double most, double *ret)
{
    const cJSON *m = cJSON_GetObjectItemCaseSensitive(json, name);

    if (!cJSON_IsNumber(m) || !(m->valuedouble >= least && m->valuedouble <= most))
        return false;
    *ret = m->valuedouble;
    return true;
}

/* One of its versions; false: not as it should be. */
static bool read_version(const cJSON *json, struct place_key *ret, double *ret_idle, double *ret_kept)
{
    double generation;

    *ret = (struct place_key){.account = cjson_str(json, "account"),
                              .name = cjson_str(json, "name"),
                              .version = cjson_str(json, "version")};
    if (ret->account.len == 0 || ret->name.len == 0 || ret->version.len == 0 ||
        !read_number(json, "generation", 0, EXACT_MAX, &generation) ||
        !read_number(json, "idle", 0, UINT32_MAX, ret_idle) ||
        !read_number(json, "kept", 0, UINT32_MAX, ret_kept))
        return false;
    ret->generation = (uint64_t)generation;
    return true;
}

int node_state_read(struct place_node *node, const cJSON *args, bool *ret_draining,
                    struct error *err)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(args, "versions"), *item;
    double memory = 0, free_mib = 0, idle_mib = 0, received = 0, idle, kept;
    struct place_told told = {0};
    struct place_key key;
    bool good = cJSON_IsArray(list) && read_number(args, "memory_mib", 1, MIB_MAX, &memory) &&
                read_number(args, "free_mib", -MIB_MAX, MIB_MAX, &free_mib) &&
                read_number(args, "idle_mib", 0, MIB_MAX, &idle_mib);

    cJSON_ArrayForEach (item, list)
        good = good && read_version(item, &key, &idle, &kept);
    if (!good)
        return error_set(err, ERR_BAD_REQUEST, "node.state: a member is missing or of the wrong kind");
    told.has_received = read_number(args, "received", 0, UINT32_MAX, &received);
    told.received = (uint32_t)received;
    told.memory_mib = (uint64_t)memory;
    told.free_mib = (int64_t)free_mib;
    told.idle_mib = (int64_t)idle_mib;
    *ret_draining = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(args, "draining"));
    placement_told(node, &told);
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(args, "all")))
        placement_told_all(node, &told);
    cJSON_ArrayForEach (item, list) {
        (void)read_version(item, &key, &idle, &kept);
        placement_told_version(node, &told, &key, (uint32_t)idle, (uint32_t)kept);
    }
    return 0;
}
