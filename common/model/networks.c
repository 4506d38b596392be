/* SPDX-License-Identifier: Apache-2.0 */
#include "common/model/networks.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"

struct network_entry {
    char *name, *vpc;
    struct net_reach reach;
};

struct group_entry {
    char *vpc; /* NULL: any */
    struct net_rules egress;
};

struct networks {
    struct map networks; /* struct network_entry by name */
    struct map subnets; /* the same, borrowed, by id */
    struct map groups; /* struct group_entry by id */
};

static void network_free(void *arg)
{
    struct network_entry *network = arg;

    free(network->name);
    free(network->vpc);
    net_reach_done(&network->reach);
    free(network);
}

static void group_free(void *arg)
{
    struct group_entry *group = arg;

    free(group->vpc);
    net_rules_done(&group->egress);
    free(group);
}

void networks_free(struct networks *networks)
{
    if (!networks)
        return;
    map_done(&networks->subnets);
    map_done(&networks->networks);
    map_done(&networks->groups);
    free(networks);
}

/* ---- the file */

/* As the API has it: @prefix, then letters and digits. */
static bool is_id(const char *id, const char *prefix)
{
    static const char legal[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t len = strlen(prefix);

    return id && strncmp(id, prefix, len) == 0 && id[len] && strspn(id + len, legal) == strlen(id + len);
}

static int wrong_id(const char *what, const char *id, struct error *err)
{
    return error_set(err, ERR_BAD_REQUEST, "%.64s is no id of a %s", id ? id : "(none)", what);
}

static int read_network(struct networks *networks, const cJSON *json, struct error *err)
{
    static const char *const names[] = {"vpc", "internet", "allow", NULL};
    const char *vpc = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "vpc"));
    struct network_entry *network;
    struct net_reach reach;
    int r = net_check_members(json, names, err);

    if (r == 0 && !is_id(vpc, "vpc-"))
        r = wrong_id("VPC", vpc, err);
    if (r == 0)
        r = net_reach_from_json(json, &reach, err);
    if (r < 0)
        return r;
    network = calloc(1, sizeof(*network));
    if (!network)
        abort();
    network->name = str_dup(str_of(json->string));
    network->vpc = str_dup(str_of(vpc));
    network->reach = reach;
    map_put(&networks->networks, str_of(json->string), network);
    return 0;
}

static int read_subnet(struct networks *networks, const cJSON *json, struct error *err)
{
    const char *name = cJSON_GetStringValue(json);
    struct network_entry *network = map_get(&networks->networks, str_of(name));

    if (!is_id(json->string, "subnet-"))
        return wrong_id("subnet", json->string, err);
    if (!network)
        return error_set(err, ERR_BAD_REQUEST, "not the name of one of the networks");
    map_put(&networks->subnets, str_of(json->string), network);
    return 0;
}

static int read_group(struct networks *networks, const cJSON *json, struct error *err)
{
    static const char *const names[] = {"vpc", "egress", NULL};
    const cJSON *vpc = cJSON_GetObjectItemCaseSensitive(json, "vpc");
    struct group_entry *group;
    struct net_rules egress;
    int r = net_check_members(json, names, err);

    if (r == 0 && !is_id(json->string, "sg-"))
        r = wrong_id("security group", json->string, err);
    if (r == 0 && vpc && !is_id(cJSON_GetStringValue(vpc), "vpc-"))
        r = wrong_id("VPC", cJSON_GetStringValue(vpc), err);
    if (r == 0)
        r = net_rules_from_json(cJSON_GetObjectItemCaseSensitive(json, "egress"), &egress, err);
    if (r < 0)
        return r;
    group = calloc(1, sizeof(*group));
    if (!group)
        abort();
    group->vpc = vpc ? str_dup(str_of(cJSON_GetStringValue(vpc))) : NULL;
    group->egress = egress;
    map_put(&networks->groups, str_of(json->string), group);
    return 0;
}

/* Each member of @json's member @name, which has no two of one name. */
static int read_each(struct networks *networks, const cJSON *json, const char *name, const struct map *so_far,
                     int (*read)(struct networks *networks, const cJSON *json, struct error *err),
                     struct error *err)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(json, name), *item;
    int r = 0;

    if (!cJSON_IsObject(object))
        return error_set(err, ERR_CONFIG, "%s: not an object", name);
    cJSON_ArrayForEach(item, object)
    {
        r = map_get(so_far, str_of(item->string))
                ? error_set(err, ERR_BAD_REQUEST, "there are two of that name")
                : read(networks, item, err);
        if (r < 0) {
            if (err)
                err->code = ERR_CONFIG;
            return error_wrap(err, -ERR_CONFIG, "%s: %.64s", name, item->string);
        }
    }
    return 0;
}

static int read_all(struct networks *networks, const cJSON *json, struct error *err)
{
    static const char *const names[] = {"networks", "subnets", "security_groups", NULL};
    struct error own;
    int r;

    if (net_check_members(json, names, &own) < 0)
        return error_set(err, ERR_CONFIG, "%s", own.msg);
    r = read_each(networks, json, "networks", &networks->networks, read_network, err);
    if (r == 0)
        r = read_each(networks, json, "subnets", &networks->subnets, read_subnet, err);
    return r == 0 ? read_each(networks, json, "security_groups", &networks->groups, read_group, err) : r;
}

int networks_parse(struct str text, struct networks **ret, struct error *err)
{
    cJSON *json = cJSON_ParseWithLength(text.ptr, text.len);
    struct networks *networks;
    int r;

    if (!json)
        return error_set(err, ERR_CONFIG, "not JSON");
    networks = calloc(1, sizeof(*networks));
    if (!networks)
        abort();
    map_init(&networks->networks, network_free);
    map_init(&networks->subnets, NULL);
    map_init(&networks->groups, group_free);
    r = read_all(networks, json, err);
    cJSON_Delete(json);
    if (r < 0)
        networks_free(networks);
    else
        *ret = networks;
    return r;
}

/* ---- look-ups */

static int find_network(const struct networks *networks, char *const *subnets,
                        const struct network_entry **ret, struct error *err)
{
    const struct network_entry *network = NULL, *other;

    for (; *subnets; subnets++) {
        other = networks ? map_get(&networks->subnets, str_of(*subnets)) : NULL;
        if (!other)
            return error_set(err, ERR_BAD_REQUEST,
                             "Error occurred while DescribeSubnets. EC2 Error Code: "
                             "InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID '%s' does "
                             "not exist",
                             *subnets);
        if (network && other != network)
            return error_set(err, ERR_BAD_REQUEST,
                             "The subnets of a function must belong to one network: %s is of %s, "
                             "another one of %s.",
                             *subnets, other->name, network->name);
        network = other;
    }
    *ret = network;
    return 0;
}

static const struct group_entry *group_of(const struct networks *networks, const char *id)
{
    return networks ? map_get(&networks->groups, str_of(id)) : NULL;
}

static int check_groups(const struct networks *networks, char *const *groups,
                        const struct network_entry *network, struct error *err)
{
    const struct group_entry *group;

    for (; *groups; groups++) {
        group = group_of(networks, *groups);
        if (!group)
            return error_set(err, ERR_BAD_REQUEST,
                             "Error occurred while DescribeSecurityGroups. EC2 Error Code: "
                             "InvalidGroup.NotFound. EC2 Error Message: The security group '%s' does "
                             "not exist",
                             *groups);
        if (group->vpc && strcmp(group->vpc, network->vpc) != 0)
            return error_set(err, ERR_BAD_REQUEST,
                             "The security groups and subnets of a function must belong to one VPC: "
                             "%s is of %s.",
                             *groups, group->vpc);
    }
    return 0;
}

int networks_check(const struct networks *networks, char *const *subnets, char *const *groups,
                   const char **ret_vpc, struct error *err)
{
    const struct network_entry *network;
    int r = find_network(networks, subnets, &network, err);

    if (r == 0)
        r = check_groups(networks, groups, network, err);
    if (r == 0)
        *ret_vpc = network->vpc;
    return r;
}

int networks_policy(const struct networks *networks, char *const *subnets, char *const *groups,
                    struct net_policy **ret, struct error *err)
{
    const struct network_entry *network;
    struct net_policy policy = {0};
    struct net_rules all = {NULL, 0};
    size_t i;
    int r = find_network(networks, subnets, &network, err);

    if (r == 0)
        r = check_groups(networks, groups, network, err);
    if (r < 0)
        return r;
    for (; *groups; groups++) {
        const struct net_rules *one = &group_of(networks, *groups)->egress;

        all.list = reallocarray(all.list, all.len + one->len + 1, sizeof(*all.list));
        if (!all.list)
            abort();
        for (i = 0; i < one->len; i++)
            all.list[all.len++] = one->list[i];
    }
    policy = (struct net_policy){network->name, network->reach, all};
    *ret = net_policy_copy(&policy);
    net_rules_done(&all);
    return 0;
}
