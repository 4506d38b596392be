/* SPDX-License-Identifier: Apache-2.0 */
/* The network of a function, and the file systems that are reached through it. */
#include <stdlib.h>
#include <string.h>

#include "common/model/fn_apply_parts.h"
#include "common/model/lambda_input.h"
#include "common/model/networks.h"
#include "common/model/record.h"

/* A list of ids; an empty one stands for none. */
static char **ids_new(const cJSON *list)
{
    return cJSON_GetArraySize(list) > 0 ? strv_from_json(list) : NULL;
}

/* What takes the place of a version's VpcConfig. */
struct vpc {
    char **subnets, **groups;
    const char *id;
};

static int check_vpc(const cJSON *config, const struct fn_defaults *defaults, struct vpc *vpc,
                     struct error *err)
{
    if (!vpc->subnets != !vpc->groups)
        return error_set(err, ERR_BAD_REQUEST,
                         "SubnetIds and SecurityIds must coexist or be both empty list.");
    if (!vpc->subnets)
        return 0;
    if (cJSON_IsTrue(fn_member(config, "Ipv6AllowedForDualStack")))
        return error_set(err, ERR_BAD_REQUEST,
                         "VpcConfig: Ipv6AllowedForDualStack: functions have no IPv6 here.");
    return networks_check(defaults->networks, vpc->subnets, vpc->groups, &vpc->id, err);
}

/* VpcConfig is replaced as a whole; without subnets the function is in no VPC. */
static int apply_vpc(const cJSON *config, const struct fn_defaults *defaults, struct fn_version *ver,
                     struct error *err)
{
    struct vpc vpc = {ids_new(fn_member(config, "SubnetIds")),
                      ids_new(fn_member(config, "SecurityGroupIds")), ""};
    int r = check_vpc(config, defaults, &vpc, err);

    if (r < 0) {
        strv_free(vpc.subnets);
        strv_free(vpc.groups);
        return r;
    }
    strv_free(ver->subnet_ids);
    strv_free(ver->security_group_ids);
    ver->subnet_ids = vpc.subnets;
    ver->security_group_ids = vpc.groups;
    fn_set_str(&ver->vpc_id, str_of(vpc.id));
    ver->vpc_ipv6 = false;
    ver->has_vpc = true;
    return 0;
}

static void apply_file_systems(const cJSON *list, struct fn_version *ver)
{
    size_t len = (size_t)cJSON_GetArraySize(list), i = 0;
    struct fn_file_system *systems = len ? calloc(len, sizeof(*systems)) : NULL;
    const cJSON *item;

    if (len && !systems)
        abort();
    cJSON_ArrayForEach(item, list)
    {
        fn_set_str(&systems[i].arn, cjson_str(item, "Arn"));
        fn_set_str(&systems[i].mount_path, cjson_str(item, "LocalMountPath"));
        fn_set_str(&systems[i].direct_s3_read,
                   cjson_str(fn_member(item, "S3FilesConfig"), "DirectS3Read"));
        i++;
    }
    fn_file_systems_free(ver->file_systems, ver->file_systems_len);
    ver->file_systems = systems;
    ver->file_systems_len = len;
}

int fn_apply_network(const cJSON *input, const struct fn_defaults *defaults, struct fn_version *ver,
                     struct error *err)
{
    const cJSON *config = fn_member(input, "VpcConfig");
    const cJSON *systems = fn_member(input, "FileSystemConfigs");
    int r = config ? apply_vpc(config, defaults, ver, err) : 0;

    if (r < 0)
        return r;
    if (systems)
        apply_file_systems(systems, ver);
    if (ver->file_systems_len > 0 && !ver->subnet_ids)
        return error_set(err, ERR_BAD_REQUEST,
                         "Function must be configured to execute in a VPC to reference access "
                         "point %s.",
                         ver->file_systems[0].arn);
    return 0;
}
