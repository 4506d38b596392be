/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shapes of the inputs of IAM's operations that Hearth offers: made by
 * scripts/gen-iam-shapes.py from botocore 1.44.5, model iam/2010-05-08; do not edit. Each shape
 * stands before those that use it. Texts are "sensitive": IAM's messages never show them.
 */
#include "common/base/cleanup.h"
#include "common/model/iam_ops.h"

static const struct lambda_shape shape_roleNameType = {
    .name = "roleNameType", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 64, .sensitive = true, .pattern = "[\\w+=,.@-]+",
};

static const struct lambda_shape shape_arnType = {
    .name = "arnType", .type = LAMBDA_STRING, .has_min = true, .min = 20, .has_max = true,
    .max = 2048, .sensitive = true,
};

static const struct lambda_member members_AttachRolePolicyRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_AttachRolePolicyRequest = {
    .name = "AttachRolePolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_AttachRolePolicyRequest,
    .members_len = ARRAY_LEN(members_AttachRolePolicyRequest),
};

static const struct lambda_shape shape_policyNameType = {
    .name = "policyNameType", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 128, .sensitive = true, .pattern = "[\\w+=,.@-]+",
};

static const struct lambda_shape shape_policyPathType = {
    .name = "policyPathType", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 512, .sensitive = true, .pattern = "((/[A-Za-z0-9\\.,\\+@=_-]+)*)/",
};

static const struct lambda_shape shape_policyDocumentType = {
    .name = "policyDocumentType", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 131072, .sensitive = true, .pattern = "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+",
};

static const struct lambda_shape shape_policyDescriptionType = {
    .name = "policyDescriptionType", .type = LAMBDA_STRING, .has_max = true, .max = 1000,
    .sensitive = true,
};

static const struct lambda_shape shape_tagKeyType = {
    .name = "tagKeyType", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 128, .sensitive = true, .pattern = "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+",
};

static const struct lambda_shape shape_tagValueType = {
    .name = "tagValueType", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 256, .sensitive = true, .pattern = "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*",
};

static const struct lambda_member members_Tag[] = {
    {"Key", "Key", &shape_tagKeyType, LAMBDA_IN_BODY, true, false},
    {"Value", "Value", &shape_tagValueType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_Tag = {
    .name = "Tag", .type = LAMBDA_STRUCTURE, .members = members_Tag,
    .members_len = ARRAY_LEN(members_Tag),
};

static const struct lambda_shape shape_tagListType = {
    .name = "tagListType", .type = LAMBDA_LIST, .has_max = true, .max = 50, .item = &shape_Tag,
};

static const struct lambda_member members_CreatePolicyRequest[] = {
    {"PolicyName", "PolicyName", &shape_policyNameType, LAMBDA_IN_BODY, true, true},
    {"Path", "Path", &shape_policyPathType, LAMBDA_IN_BODY, false, true},
    {"PolicyDocument", "PolicyDocument", &shape_policyDocumentType, LAMBDA_IN_BODY, true, true},
    {"Description", "Description", &shape_policyDescriptionType, LAMBDA_IN_BODY, false, false},
    {"Tags", "Tags", &shape_tagListType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CreatePolicyRequest = {
    .name = "CreatePolicyRequest", .type = LAMBDA_STRUCTURE, .members = members_CreatePolicyRequest,
    .members_len = ARRAY_LEN(members_CreatePolicyRequest),
};

static const struct lambda_shape shape_booleanType = {
    .name = "booleanType", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_member members_CreatePolicyVersionRequest[] = {
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
    {"PolicyDocument", "PolicyDocument", &shape_policyDocumentType, LAMBDA_IN_BODY, true, true},
    {"SetAsDefault", "SetAsDefault", &shape_booleanType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CreatePolicyVersionRequest = {
    .name = "CreatePolicyVersionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_CreatePolicyVersionRequest,
    .members_len = ARRAY_LEN(members_CreatePolicyVersionRequest),
};

static const struct lambda_shape shape_pathType = {
    .name = "pathType", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 512, .sensitive = true, .pattern = "(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)",
};

static const struct lambda_shape shape_roleDescriptionType = {
    .name = "roleDescriptionType", .type = LAMBDA_STRING, .has_max = true, .max = 1000,
    .sensitive = true, .pattern = "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*",
};

static const struct lambda_shape shape_roleMaxSessionDurationType = {
    .name = "roleMaxSessionDurationType", .type = LAMBDA_INTEGER, .has_min = true, .min = 3600,
    .has_max = true, .max = 43200,
};

static const struct lambda_member members_CreateRoleRequest[] = {
    {"Path", "Path", &shape_pathType, LAMBDA_IN_BODY, false, true},
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"AssumeRolePolicyDocument", "AssumeRolePolicyDocument",
     &shape_policyDocumentType, LAMBDA_IN_BODY, true, true},
    {"Description", "Description", &shape_roleDescriptionType, LAMBDA_IN_BODY, false, false},
    {"MaxSessionDuration", "MaxSessionDuration",
     &shape_roleMaxSessionDurationType, LAMBDA_IN_BODY, false, false},
    {"PermissionsBoundary", "PermissionsBoundary", &shape_arnType, LAMBDA_IN_BODY, false, false},
    {"Tags", "Tags", &shape_tagListType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CreateRoleRequest = {
    .name = "CreateRoleRequest", .type = LAMBDA_STRUCTURE, .members = members_CreateRoleRequest,
    .members_len = ARRAY_LEN(members_CreateRoleRequest),
};

static const struct lambda_member members_DeletePolicyRequest[] = {
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_DeletePolicyRequest = {
    .name = "DeletePolicyRequest", .type = LAMBDA_STRUCTURE, .members = members_DeletePolicyRequest,
    .members_len = ARRAY_LEN(members_DeletePolicyRequest),
};

static const struct lambda_shape shape_policyVersionIdType = {
    .name = "policyVersionIdType", .type = LAMBDA_STRING, .sensitive = true,
    .pattern = "v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?",
};

static const struct lambda_member members_DeletePolicyVersionRequest[] = {
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
    {"VersionId", "VersionId", &shape_policyVersionIdType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_DeletePolicyVersionRequest = {
    .name = "DeletePolicyVersionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeletePolicyVersionRequest,
    .members_len = ARRAY_LEN(members_DeletePolicyVersionRequest),
};

static const struct lambda_member members_DeleteRoleRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
};
static const struct lambda_shape shape_DeleteRoleRequest = {
    .name = "DeleteRoleRequest", .type = LAMBDA_STRUCTURE, .members = members_DeleteRoleRequest,
    .members_len = ARRAY_LEN(members_DeleteRoleRequest),
};

static const struct lambda_member members_DeleteRolePermissionsBoundaryRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
};
static const struct lambda_shape shape_DeleteRolePermissionsBoundaryRequest = {
    .name = "DeleteRolePermissionsBoundaryRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteRolePermissionsBoundaryRequest,
    .members_len = ARRAY_LEN(members_DeleteRolePermissionsBoundaryRequest),
};

static const struct lambda_member members_DeleteRolePolicyRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"PolicyName", "PolicyName", &shape_policyNameType, LAMBDA_IN_BODY, true, true},
};
static const struct lambda_shape shape_DeleteRolePolicyRequest = {
    .name = "DeleteRolePolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteRolePolicyRequest,
    .members_len = ARRAY_LEN(members_DeleteRolePolicyRequest),
};

static const struct lambda_member members_DetachRolePolicyRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_DetachRolePolicyRequest = {
    .name = "DetachRolePolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DetachRolePolicyRequest,
    .members_len = ARRAY_LEN(members_DetachRolePolicyRequest),
};

static const struct lambda_member members_GetPolicyRequest[] = {
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_GetPolicyRequest = {
    .name = "GetPolicyRequest", .type = LAMBDA_STRUCTURE, .members = members_GetPolicyRequest,
    .members_len = ARRAY_LEN(members_GetPolicyRequest),
};

static const struct lambda_member members_GetPolicyVersionRequest[] = {
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
    {"VersionId", "VersionId", &shape_policyVersionIdType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_GetPolicyVersionRequest = {
    .name = "GetPolicyVersionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetPolicyVersionRequest,
    .members_len = ARRAY_LEN(members_GetPolicyVersionRequest),
};

static const struct lambda_member members_GetRoleRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
};
static const struct lambda_shape shape_GetRoleRequest = {
    .name = "GetRoleRequest", .type = LAMBDA_STRUCTURE, .members = members_GetRoleRequest,
    .members_len = ARRAY_LEN(members_GetRoleRequest),
};

static const struct lambda_member members_GetRolePolicyRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"PolicyName", "PolicyName", &shape_policyNameType, LAMBDA_IN_BODY, true, true},
};
static const struct lambda_shape shape_GetRolePolicyRequest = {
    .name = "GetRolePolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetRolePolicyRequest, .members_len = ARRAY_LEN(members_GetRolePolicyRequest),
};

static const struct lambda_shape shape_existingUserNameType = {
    .name = "existingUserNameType", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 128, .sensitive = true, .pattern = "[\\w+=,.@-]+",
};

static const struct lambda_member members_GetUserRequest[] = {
    {"UserName", "UserName", &shape_existingUserNameType, LAMBDA_IN_BODY, false, true},
};
static const struct lambda_shape shape_GetUserRequest = {
    .name = "GetUserRequest", .type = LAMBDA_STRUCTURE, .members = members_GetUserRequest,
    .members_len = ARRAY_LEN(members_GetUserRequest),
};

static const struct lambda_shape shape_markerType = {
    .name = "markerType", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 320, .sensitive = true, .pattern = "[\\u0020-\\u00FF]+",
};

static const struct lambda_shape shape_maxItemsType = {
    .name = "maxItemsType", .type = LAMBDA_INTEGER, .has_min = true, .min = 1, .has_max = true,
    .max = 1000,
};

static const struct lambda_member members_ListAccountAliasesRequest[] = {
    {"Marker", "Marker", &shape_markerType, LAMBDA_IN_BODY, false, false},
    {"MaxItems", "MaxItems", &shape_maxItemsType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ListAccountAliasesRequest = {
    .name = "ListAccountAliasesRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListAccountAliasesRequest,
    .members_len = ARRAY_LEN(members_ListAccountAliasesRequest),
};

static const struct lambda_member members_ListAttachedRolePoliciesRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"PathPrefix", "PathPrefix", &shape_policyPathType, LAMBDA_IN_BODY, false, true},
    {"Marker", "Marker", &shape_markerType, LAMBDA_IN_BODY, false, false},
    {"MaxItems", "MaxItems", &shape_maxItemsType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ListAttachedRolePoliciesRequest = {
    .name = "ListAttachedRolePoliciesRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListAttachedRolePoliciesRequest,
    .members_len = ARRAY_LEN(members_ListAttachedRolePoliciesRequest),
};

static const char *const values_EntityType[] = {
    "User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy", NULL,
};
static const struct lambda_shape shape_EntityType = {
    .name = "EntityType", .type = LAMBDA_STRING, .values = values_EntityType,
};

static const char *const values_PolicyUsageType[] = {
    "PermissionsPolicy", "PermissionsBoundary", NULL,
};
static const struct lambda_shape shape_PolicyUsageType = {
    .name = "PolicyUsageType", .type = LAMBDA_STRING, .values = values_PolicyUsageType,
};

static const struct lambda_member members_ListEntitiesForPolicyRequest[] = {
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
    {"EntityFilter", "EntityFilter", &shape_EntityType, LAMBDA_IN_BODY, false, false},
    {"PathPrefix", "PathPrefix", &shape_pathType, LAMBDA_IN_BODY, false, true},
    {"PolicyUsageFilter", "PolicyUsageFilter",
     &shape_PolicyUsageType, LAMBDA_IN_BODY, false, false},
    {"Marker", "Marker", &shape_markerType, LAMBDA_IN_BODY, false, false},
    {"MaxItems", "MaxItems", &shape_maxItemsType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ListEntitiesForPolicyRequest = {
    .name = "ListEntitiesForPolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListEntitiesForPolicyRequest,
    .members_len = ARRAY_LEN(members_ListEntitiesForPolicyRequest),
};

static const struct lambda_member members_ListInstanceProfilesForRoleRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"Marker", "Marker", &shape_markerType, LAMBDA_IN_BODY, false, false},
    {"MaxItems", "MaxItems", &shape_maxItemsType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ListInstanceProfilesForRoleRequest = {
    .name = "ListInstanceProfilesForRoleRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListInstanceProfilesForRoleRequest,
    .members_len = ARRAY_LEN(members_ListInstanceProfilesForRoleRequest),
};

static const char *const values_policyScopeType[] = {
    "All", "AWS", "Local", NULL,
};
static const struct lambda_shape shape_policyScopeType = {
    .name = "policyScopeType", .type = LAMBDA_STRING, .values = values_policyScopeType,
};

static const struct lambda_member members_ListPoliciesRequest[] = {
    {"Scope", "Scope", &shape_policyScopeType, LAMBDA_IN_BODY, false, false},
    {"OnlyAttached", "OnlyAttached", &shape_booleanType, LAMBDA_IN_BODY, false, false},
    {"PathPrefix", "PathPrefix", &shape_policyPathType, LAMBDA_IN_BODY, false, true},
    {"PolicyUsageFilter", "PolicyUsageFilter",
     &shape_PolicyUsageType, LAMBDA_IN_BODY, false, false},
    {"Marker", "Marker", &shape_markerType, LAMBDA_IN_BODY, false, false},
    {"MaxItems", "MaxItems", &shape_maxItemsType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ListPoliciesRequest = {
    .name = "ListPoliciesRequest", .type = LAMBDA_STRUCTURE, .members = members_ListPoliciesRequest,
    .members_len = ARRAY_LEN(members_ListPoliciesRequest),
};

static const struct lambda_member members_ListPolicyTagsRequest[] = {
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
    {"Marker", "Marker", &shape_markerType, LAMBDA_IN_BODY, false, false},
    {"MaxItems", "MaxItems", &shape_maxItemsType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ListPolicyTagsRequest = {
    .name = "ListPolicyTagsRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListPolicyTagsRequest,
    .members_len = ARRAY_LEN(members_ListPolicyTagsRequest),
};

static const struct lambda_member members_ListPolicyVersionsRequest[] = {
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
    {"Marker", "Marker", &shape_markerType, LAMBDA_IN_BODY, false, false},
    {"MaxItems", "MaxItems", &shape_maxItemsType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ListPolicyVersionsRequest = {
    .name = "ListPolicyVersionsRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListPolicyVersionsRequest,
    .members_len = ARRAY_LEN(members_ListPolicyVersionsRequest),
};

static const struct lambda_member members_ListRolePoliciesRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"Marker", "Marker", &shape_markerType, LAMBDA_IN_BODY, false, false},
    {"MaxItems", "MaxItems", &shape_maxItemsType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ListRolePoliciesRequest = {
    .name = "ListRolePoliciesRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListRolePoliciesRequest,
    .members_len = ARRAY_LEN(members_ListRolePoliciesRequest),
};

static const struct lambda_member members_ListRoleTagsRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"Marker", "Marker", &shape_markerType, LAMBDA_IN_BODY, false, false},
    {"MaxItems", "MaxItems", &shape_maxItemsType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ListRoleTagsRequest = {
    .name = "ListRoleTagsRequest", .type = LAMBDA_STRUCTURE, .members = members_ListRoleTagsRequest,
    .members_len = ARRAY_LEN(members_ListRoleTagsRequest),
};

static const struct lambda_shape shape_pathPrefixType = {
    .name = "pathPrefixType", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 512, .sensitive = true, .pattern = "\\u002F[\\u0021-\\u007F]*",
};

static const struct lambda_member members_ListRolesRequest[] = {
    {"PathPrefix", "PathPrefix", &shape_pathPrefixType, LAMBDA_IN_BODY, false, false},
    {"Marker", "Marker", &shape_markerType, LAMBDA_IN_BODY, false, false},
    {"MaxItems", "MaxItems", &shape_maxItemsType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ListRolesRequest = {
    .name = "ListRolesRequest", .type = LAMBDA_STRUCTURE, .members = members_ListRolesRequest,
    .members_len = ARRAY_LEN(members_ListRolesRequest),
};

static const struct lambda_member members_PutRolePermissionsBoundaryRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"PermissionsBoundary", "PermissionsBoundary", &shape_arnType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_PutRolePermissionsBoundaryRequest = {
    .name = "PutRolePermissionsBoundaryRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PutRolePermissionsBoundaryRequest,
    .members_len = ARRAY_LEN(members_PutRolePermissionsBoundaryRequest),
};

static const struct lambda_member members_PutRolePolicyRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"PolicyName", "PolicyName", &shape_policyNameType, LAMBDA_IN_BODY, true, true},
    {"PolicyDocument", "PolicyDocument", &shape_policyDocumentType, LAMBDA_IN_BODY, true, true},
};
static const struct lambda_shape shape_PutRolePolicyRequest = {
    .name = "PutRolePolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PutRolePolicyRequest, .members_len = ARRAY_LEN(members_PutRolePolicyRequest),
};

static const struct lambda_member members_SetDefaultPolicyVersionRequest[] = {
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
    {"VersionId", "VersionId", &shape_policyVersionIdType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_SetDefaultPolicyVersionRequest = {
    .name = "SetDefaultPolicyVersionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_SetDefaultPolicyVersionRequest,
    .members_len = ARRAY_LEN(members_SetDefaultPolicyVersionRequest),
};

static const struct lambda_member members_TagPolicyRequest[] = {
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
    {"Tags", "Tags", &shape_tagListType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_TagPolicyRequest = {
    .name = "TagPolicyRequest", .type = LAMBDA_STRUCTURE, .members = members_TagPolicyRequest,
    .members_len = ARRAY_LEN(members_TagPolicyRequest),
};

static const struct lambda_member members_TagRoleRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"Tags", "Tags", &shape_tagListType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_TagRoleRequest = {
    .name = "TagRoleRequest", .type = LAMBDA_STRUCTURE, .members = members_TagRoleRequest,
    .members_len = ARRAY_LEN(members_TagRoleRequest),
};

static const struct lambda_shape shape_tagKeyListType = {
    .name = "tagKeyListType", .type = LAMBDA_LIST, .has_max = true, .max = 50,
    .item = &shape_tagKeyType,
};

static const struct lambda_member members_UntagPolicyRequest[] = {
    {"PolicyArn", "PolicyArn", &shape_arnType, LAMBDA_IN_BODY, true, false},
    {"TagKeys", "TagKeys", &shape_tagKeyListType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_UntagPolicyRequest = {
    .name = "UntagPolicyRequest", .type = LAMBDA_STRUCTURE, .members = members_UntagPolicyRequest,
    .members_len = ARRAY_LEN(members_UntagPolicyRequest),
};

static const struct lambda_member members_UntagRoleRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"TagKeys", "TagKeys", &shape_tagKeyListType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_UntagRoleRequest = {
    .name = "UntagRoleRequest", .type = LAMBDA_STRUCTURE, .members = members_UntagRoleRequest,
    .members_len = ARRAY_LEN(members_UntagRoleRequest),
};

static const struct lambda_member members_UpdateAssumeRolePolicyRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"PolicyDocument", "PolicyDocument", &shape_policyDocumentType, LAMBDA_IN_BODY, true, true},
};
static const struct lambda_shape shape_UpdateAssumeRolePolicyRequest = {
    .name = "UpdateAssumeRolePolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_UpdateAssumeRolePolicyRequest,
    .members_len = ARRAY_LEN(members_UpdateAssumeRolePolicyRequest),
};

static const struct lambda_member members_UpdateRoleRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"Description", "Description", &shape_roleDescriptionType, LAMBDA_IN_BODY, false, false},
    {"MaxSessionDuration", "MaxSessionDuration",
     &shape_roleMaxSessionDurationType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_UpdateRoleRequest = {
    .name = "UpdateRoleRequest", .type = LAMBDA_STRUCTURE, .members = members_UpdateRoleRequest,
    .members_len = ARRAY_LEN(members_UpdateRoleRequest),
};

static const struct lambda_member members_UpdateRoleDescriptionRequest[] = {
    {"RoleName", "RoleName", &shape_roleNameType, LAMBDA_IN_BODY, true, true},
    {"Description", "Description", &shape_roleDescriptionType, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_UpdateRoleDescriptionRequest = {
    .name = "UpdateRoleDescriptionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_UpdateRoleDescriptionRequest,
    .members_len = ARRAY_LEN(members_UpdateRoleDescriptionRequest),
};

static const struct lambda_shape *const input_shapes[IAM_OP_MAX] = {
    [IAM_OP_AttachRolePolicy] = &shape_AttachRolePolicyRequest,
    [IAM_OP_CreatePolicy] = &shape_CreatePolicyRequest,
    [IAM_OP_CreatePolicyVersion] = &shape_CreatePolicyVersionRequest,
    [IAM_OP_CreateRole] = &shape_CreateRoleRequest,
    [IAM_OP_DeletePolicy] = &shape_DeletePolicyRequest,
    [IAM_OP_DeletePolicyVersion] = &shape_DeletePolicyVersionRequest,
    [IAM_OP_DeleteRole] = &shape_DeleteRoleRequest,
    [IAM_OP_DeleteRolePermissionsBoundary] = &shape_DeleteRolePermissionsBoundaryRequest,
    [IAM_OP_DeleteRolePolicy] = &shape_DeleteRolePolicyRequest,
    [IAM_OP_DetachRolePolicy] = &shape_DetachRolePolicyRequest,
    [IAM_OP_GetPolicy] = &shape_GetPolicyRequest,
    [IAM_OP_GetPolicyVersion] = &shape_GetPolicyVersionRequest,
    [IAM_OP_GetRole] = &shape_GetRoleRequest,
    [IAM_OP_GetRolePolicy] = &shape_GetRolePolicyRequest,
    [IAM_OP_GetUser] = &shape_GetUserRequest,
    [IAM_OP_ListAccountAliases] = &shape_ListAccountAliasesRequest,
    [IAM_OP_ListAttachedRolePolicies] = &shape_ListAttachedRolePoliciesRequest,
    [IAM_OP_ListEntitiesForPolicy] = &shape_ListEntitiesForPolicyRequest,
    [IAM_OP_ListInstanceProfilesForRole] = &shape_ListInstanceProfilesForRoleRequest,
    [IAM_OP_ListPolicies] = &shape_ListPoliciesRequest,
    [IAM_OP_ListPolicyTags] = &shape_ListPolicyTagsRequest,
    [IAM_OP_ListPolicyVersions] = &shape_ListPolicyVersionsRequest,
    [IAM_OP_ListRolePolicies] = &shape_ListRolePoliciesRequest,
    [IAM_OP_ListRoleTags] = &shape_ListRoleTagsRequest,
    [IAM_OP_ListRoles] = &shape_ListRolesRequest,
    [IAM_OP_PutRolePermissionsBoundary] = &shape_PutRolePermissionsBoundaryRequest,
    [IAM_OP_PutRolePolicy] = &shape_PutRolePolicyRequest,
    [IAM_OP_SetDefaultPolicyVersion] = &shape_SetDefaultPolicyVersionRequest,
    [IAM_OP_TagPolicy] = &shape_TagPolicyRequest,
    [IAM_OP_TagRole] = &shape_TagRoleRequest,
    [IAM_OP_UntagPolicy] = &shape_UntagPolicyRequest,
    [IAM_OP_UntagRole] = &shape_UntagRoleRequest,
    [IAM_OP_UpdateAssumeRolePolicy] = &shape_UpdateAssumeRolePolicyRequest,
    [IAM_OP_UpdateRole] = &shape_UpdateRoleRequest,
    [IAM_OP_UpdateRoleDescription] = &shape_UpdateRoleDescriptionRequest,
};

const struct lambda_shape *iam_input_shape(enum iam_op_id id)
{
    return input_shapes[id];
}
