/* SPDX-License-Identifier: Apache-2.0 */
/* The network of a function, and the file systems that are reached through it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/fn_apply_parts.h"
#include "common/model/lambda_input.h"
#include "common/model/record.h"

#define VPC_ID_MASK 0xfffffffffffffffu /* 15 of the 17 hex digits: the first two are always 0 */

/*
 * The id that stands for the VPC of all subnets of an account and region: always the same one, as
 * with AWS's default VPC. Subnets are not looked up; there is no EC2 here.
 */
static char *vpc_id_new(const struct fn_version *ver)
{
    const char *parts[] = {ver->region, ver->account};
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */
    const char *c;
    size_t i;

    for (i = 0; i < ARRAY_LEN(parts); i++)
        for (c = parts[i]; *c; c++)
            h = (h ^ (unsigned char)*c) * 0x100000001b3u;
    return str_printf("vpc-%017" PRIx64, h & VPC_ID_MASK);
}

/* A list of ids; an empty one stands for none. */
static char **ids_new(const cJSON *list)
{
    return cJSON_GetArraySize(list) > 0 ? strv_from_json(list) : NULL;
}

/* VpcConfig is replaced as a whole; without subnets the function is in no VPC. */
static int apply_vpc(const cJSON *config, struct fn_version *ver, struct error *err)
{
    const cJSON *subnets = fn_member(config, "SubnetIds");
    const cJSON *groups = fn_member(config, "SecurityGroupIds");
    bool in_vpc = cJSON_GetArraySize(subnets) > 0;

    if (in_vpc != (cJSON_GetArraySize(groups) > 0))
        return error_set(err, ERR_BAD_REQUEST,
                         "SubnetIds and SecurityIds must coexist or be both empty list.");
    strv_free(ver->subnet_ids);
    strv_free(ver->security_group_ids);
    free(ver->vpc_id);
    ver->subnet_ids = ids_new(subnets);
    ver->security_group_ids = ids_new(groups);
    ver->vpc_ipv6 = in_vpc && cJSON_IsTrue(fn_member(config, "Ipv6AllowedForDualStack"));
    ver->vpc_id = in_vpc ? vpc_id_new(ver) : str_dup(STR(""));
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

int fn_apply_network(const cJSON *input, struct fn_version *ver, struct error *err)
{
    const cJSON *config = fn_member(input, "VpcConfig");
    const cJSON *systems = fn_member(input, "FileSystemConfigs");
    int r = config ? apply_vpc(config, ver, err) : 0;

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
