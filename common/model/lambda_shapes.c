/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shapes of every operation's input: made by scripts/gen-lambda-shapes.py from botocore
 * 1.44.5, model lambda/2015-03-31; do not edit. One file and long, because it is one table:
 * 360 shapes, each before those that use it.
 */
#include "common/base/cleanup.h"
#include "common/model/lambda_ops.h"

static const struct lambda_shape shape_LayerNameOrArn = {
    .name = "LayerNameOrArn", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 2048,
    .pattern = "(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-"
               "[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]{1,140}|[a-zA-Z0-9-_]{1,140})",
};

static const struct lambda_shape shape_LayerVersionNumber = {
    .name = "LayerVersionNumber", .type = LAMBDA_LONG,
};

static const struct lambda_shape shape_StatementId = {
    .name = "StatementId", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 100, .pattern = "([a-zA-Z0-9-_]+)",
};

static const struct lambda_shape shape_LayerPermissionAllowedAction = {
    .name = "LayerPermissionAllowedAction", .type = LAMBDA_STRING, .has_min = true, .min = 0,
    .has_max = true, .max = 22, .pattern = "lambda:GetLayerVersion",
};

static const struct lambda_shape shape_LayerPermissionAllowedPrincipal = {
    .name = "LayerPermissionAllowedPrincipal", .type = LAMBDA_STRING, .has_min = true, .min = 0,
    .has_max = true, .max = 10000, .pattern = "\\d{12}|\\*|arn:(aws[a-zA-Z-]*):iam::\\d{12}:root",
};

static const struct lambda_shape shape_OrganizationId = {
    .name = "OrganizationId", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 34, .pattern = "o-[a-z0-9]{10,32}",
};

static const struct lambda_shape shape_String = {
    .name = "String", .type = LAMBDA_STRING,
};

static const struct lambda_member members_AddLayerVersionPermissionRequest[] = {
    {"LayerName", "LayerName", &shape_LayerNameOrArn, LAMBDA_IN_URI, true, false},
    {"VersionNumber", "VersionNumber", &shape_LayerVersionNumber, LAMBDA_IN_URI, true, false},
    {"StatementId", "StatementId", &shape_StatementId, LAMBDA_IN_BODY, true, false},
    {"Action", "Action", &shape_LayerPermissionAllowedAction, LAMBDA_IN_BODY, true, false},
    {"Principal", "Principal", &shape_LayerPermissionAllowedPrincipal, LAMBDA_IN_BODY, true, false},
    {"OrganizationId", "OrganizationId", &shape_OrganizationId, LAMBDA_IN_BODY, false, false},
    {"RevisionId", "RevisionId", &shape_String, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_AddLayerVersionPermissionRequest = {
    .name = "AddLayerVersionPermissionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_AddLayerVersionPermissionRequest,
    .members_len = ARRAY_LEN(members_AddLayerVersionPermissionRequest),
};

static const struct lambda_shape shape_NamespacedFunctionName = {
    .name = "NamespacedFunctionName", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 256,
    .pattern = "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?))"
               ")?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LAT"
               "EST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?",
};

static const struct lambda_shape shape_Action = {
    .name = "Action", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 10000, .pattern = "(lambda:[*]|lambda:[a-zA-Z]+|[*])",
};

static const struct lambda_shape shape_Principal = {
    .name = "Principal", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 2048, .pattern = "[^\\s]+",
};

static const struct lambda_shape shape_Arn = {
    .name = "Arn", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true, .max = 10000,
    .pattern = "arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:((eusc-)?[a-z]{2}((-gov)|(-is"
               "o([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)",
};

static const char *const values_FunctionUrlAuthType[] = {
    "NONE", "AWS_IAM", NULL,
};
static const struct lambda_shape shape_FunctionUrlAuthType = {
    .name = "FunctionUrlAuthType", .type = LAMBDA_STRING, .values = values_FunctionUrlAuthType,
};

static const struct lambda_shape shape_InvokedViaFunctionUrl = {
    .name = "InvokedViaFunctionUrl", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_shape shape_SourceOwner = {
    .name = "SourceOwner", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 12, .pattern = "\\d{12}",
};

static const struct lambda_shape shape_EventSourceToken = {
    .name = "EventSourceToken", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 256, .pattern = "[a-zA-Z0-9._\\-]+",
};

static const struct lambda_shape shape_NumericLatestPublishedOrAliasQualifier = {
    .name = "NumericLatestPublishedOrAliasQualifier", .type = LAMBDA_STRING, .has_min = true,
    .min = 1, .has_max = true, .max = 128, .pattern = "\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+",
};

static const struct lambda_shape shape_PrincipalOrgID = {
    .name = "PrincipalOrgID", .type = LAMBDA_STRING, .has_min = true, .min = 12, .has_max = true,
    .max = 34, .pattern = "o-[a-z0-9]{10,32}",
};

static const struct lambda_member members_AddPermissionRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"StatementId", "StatementId", &shape_StatementId, LAMBDA_IN_BODY, true, false},
    {"Action", "Action", &shape_Action, LAMBDA_IN_BODY, true, false},
    {"Principal", "Principal", &shape_Principal, LAMBDA_IN_BODY, true, false},
    {"SourceArn", "SourceArn", &shape_Arn, LAMBDA_IN_BODY, false, false},
    {"FunctionUrlAuthType", "FunctionUrlAuthType",
     &shape_FunctionUrlAuthType, LAMBDA_IN_BODY, false, false},
    {"InvokedViaFunctionUrl", "InvokedViaFunctionUrl",
     &shape_InvokedViaFunctionUrl, LAMBDA_IN_BODY, false, false},
    {"SourceAccount", "SourceAccount", &shape_SourceOwner, LAMBDA_IN_BODY, false, false},
    {"EventSourceToken", "EventSourceToken", &shape_EventSourceToken, LAMBDA_IN_BODY, false, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
    {"RevisionId", "RevisionId", &shape_String, LAMBDA_IN_BODY, false, false},
    {"PrincipalOrgID", "PrincipalOrgID", &shape_PrincipalOrgID, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_AddPermissionRequest = {
    .name = "AddPermissionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_AddPermissionRequest, .members_len = ARRAY_LEN(members_AddPermissionRequest),
};

static const struct lambda_shape shape_DurableExecutionArn = {
    .name = "DurableExecutionArn", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 1024,
    .pattern = "arn:([a-zA-Z0-9-]+):lambda:([a-zA-Z0-9-]+):(\\d{12}):function:([a-zA-Z"
               "0-9_-]+):(\\$LATEST(?:\\.PUBLISHED)?|[0-9]+)/durable-execution/([a-zA-"
               "Z0-9_-]+)/([a-zA-Z0-9_-]+)",
};

static const struct lambda_shape shape_CheckpointToken = {
    .name = "CheckpointToken", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 2048, .pattern = "[A-Za-z0-9+/]+={0,2}",
};

static const struct lambda_shape shape_OperationId = {
    .name = "OperationId", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 64, .pattern = "[a-zA-Z0-9-_]+",
};

static const struct lambda_shape shape_OperationName = {
    .name = "OperationName", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 256, .pattern = "[\\x20-\\x7E]+",
};

static const char *const values_OperationType[] = {
    "EXECUTION", "CONTEXT", "STEP", "WAIT", "CALLBACK", "CHAINED_INVOKE", NULL,
};
static const struct lambda_shape shape_OperationType = {
    .name = "OperationType", .type = LAMBDA_STRING, .values = values_OperationType,
};

static const struct lambda_shape shape_OperationSubType = {
    .name = "OperationSubType", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 32, .pattern = "[a-zA-Z0-9-_]+",
};

static const char *const values_OperationAction[] = {
    "START", "SUCCEED", "FAIL", "RETRY", "CANCEL", NULL,
};
static const struct lambda_shape shape_OperationAction = {
    .name = "OperationAction", .type = LAMBDA_STRING, .values = values_OperationAction,
};

static const struct lambda_shape shape_OperationPayload = {
    .name = "OperationPayload", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 6291456, .sensitive = true,
};

static const struct lambda_shape shape_ErrorMessage = {
    .name = "ErrorMessage", .type = LAMBDA_STRING, .sensitive = true,
};

static const struct lambda_shape shape_ErrorType = {
    .name = "ErrorType", .type = LAMBDA_STRING, .sensitive = true,
};

static const struct lambda_shape shape_ErrorData = {
    .name = "ErrorData", .type = LAMBDA_STRING, .sensitive = true,
};

static const struct lambda_shape shape_StackTraceEntry = {
    .name = "StackTraceEntry", .type = LAMBDA_STRING, .sensitive = true,
};

static const struct lambda_shape shape_StackTraceEntries = {
    .name = "StackTraceEntries", .type = LAMBDA_LIST, .item = &shape_StackTraceEntry,
};

static const struct lambda_member members_ErrorObject[] = {
    {"ErrorMessage", "ErrorMessage", &shape_ErrorMessage, LAMBDA_IN_BODY, false, false},
    {"ErrorType", "ErrorType", &shape_ErrorType, LAMBDA_IN_BODY, false, false},
    {"ErrorData", "ErrorData", &shape_ErrorData, LAMBDA_IN_BODY, false, false},
    {"StackTrace", "StackTrace", &shape_StackTraceEntries, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ErrorObject = {
    .name = "ErrorObject", .type = LAMBDA_STRUCTURE, .members = members_ErrorObject,
    .members_len = ARRAY_LEN(members_ErrorObject),
};

static const struct lambda_shape shape_ReplayChildren = {
    .name = "ReplayChildren", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_member members_ContextOptions[] = {
    {"ReplayChildren", "ReplayChildren", &shape_ReplayChildren, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ContextOptions = {
    .name = "ContextOptions", .type = LAMBDA_STRUCTURE, .members = members_ContextOptions,
    .members_len = ARRAY_LEN(members_ContextOptions),
};

static const struct lambda_shape shape_StepOptionsNextAttemptDelaySecondsInteger = {
    .name = "StepOptionsNextAttemptDelaySecondsInteger", .type = LAMBDA_INTEGER, .has_min = true,
    .min = 1, .has_max = true, .max = 31622400,
};

static const struct lambda_member members_StepOptions[] = {
    {"NextAttemptDelaySeconds", "NextAttemptDelaySeconds",
     &shape_StepOptionsNextAttemptDelaySecondsInteger, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_StepOptions = {
    .name = "StepOptions", .type = LAMBDA_STRUCTURE, .members = members_StepOptions,
    .members_len = ARRAY_LEN(members_StepOptions),
};

static const struct lambda_shape shape_WaitOptionsWaitSecondsInteger = {
    .name = "WaitOptionsWaitSecondsInteger", .type = LAMBDA_INTEGER, .has_min = true, .min = 1,
    .has_max = true, .max = 31622400,
};

static const struct lambda_member members_WaitOptions[] = {
    {"WaitSeconds", "WaitSeconds",
     &shape_WaitOptionsWaitSecondsInteger, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_WaitOptions = {
    .name = "WaitOptions", .type = LAMBDA_STRUCTURE, .members = members_WaitOptions,
    .members_len = ARRAY_LEN(members_WaitOptions),
};

static const struct lambda_shape shape_CallbackOptionsTimeoutSecondsInteger = {
    .name = "CallbackOptionsTimeoutSecondsInteger", .type = LAMBDA_INTEGER, .has_min = true,
    .min = 0, .has_max = true, .max = 99999999,
};

static const struct lambda_shape shape_CallbackOptionsHeartbeatTimeoutSecondsInteger = {
    .name = "CallbackOptionsHeartbeatTimeoutSecondsInteger", .type = LAMBDA_INTEGER,
    .has_min = true, .min = 0, .has_max = true, .max = 99999999,
};

static const struct lambda_member members_CallbackOptions[] = {
    {"TimeoutSeconds", "TimeoutSeconds",
     &shape_CallbackOptionsTimeoutSecondsInteger, LAMBDA_IN_BODY, false, false},
    {"HeartbeatTimeoutSeconds", "HeartbeatTimeoutSeconds",
     &shape_CallbackOptionsHeartbeatTimeoutSecondsInteger, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CallbackOptions = {
    .name = "CallbackOptions", .type = LAMBDA_STRUCTURE, .members = members_CallbackOptions,
    .members_len = ARRAY_LEN(members_CallbackOptions),
};

static const struct lambda_shape shape_TenantId = {
    .name = "TenantId", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 256, .pattern = "[a-zA-Z0-9\\._:\\/=+\\-@ ]+",
};

static const struct lambda_shape shape_XAmznTraceId = {
    .name = "XAmznTraceId", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 8192,
};

static const struct lambda_member members_ChainedInvokeOptions[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_BODY, true, false},
    {"TenantId", "TenantId", &shape_TenantId, LAMBDA_IN_BODY, false, false},
    {"XAmznTraceId", "XAmznTraceId", &shape_XAmznTraceId, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ChainedInvokeOptions = {
    .name = "ChainedInvokeOptions", .type = LAMBDA_STRUCTURE,
    .members = members_ChainedInvokeOptions, .members_len = ARRAY_LEN(members_ChainedInvokeOptions),
};

static const struct lambda_member members_OperationUpdate[] = {
    {"Id", "Id", &shape_OperationId, LAMBDA_IN_BODY, true, false},
    {"ParentId", "ParentId", &shape_OperationId, LAMBDA_IN_BODY, false, false},
    {"Name", "Name", &shape_OperationName, LAMBDA_IN_BODY, false, false},
    {"Type", "Type", &shape_OperationType, LAMBDA_IN_BODY, true, false},
    {"SubType", "SubType", &shape_OperationSubType, LAMBDA_IN_BODY, false, false},
    {"Action", "Action", &shape_OperationAction, LAMBDA_IN_BODY, true, false},
    {"Payload", "Payload", &shape_OperationPayload, LAMBDA_IN_BODY, false, false},
    {"Error", "Error", &shape_ErrorObject, LAMBDA_IN_BODY, false, false},
    {"ContextOptions", "ContextOptions", &shape_ContextOptions, LAMBDA_IN_BODY, false, false},
    {"StepOptions", "StepOptions", &shape_StepOptions, LAMBDA_IN_BODY, false, false},
    {"WaitOptions", "WaitOptions", &shape_WaitOptions, LAMBDA_IN_BODY, false, false},
    {"CallbackOptions", "CallbackOptions", &shape_CallbackOptions, LAMBDA_IN_BODY, false, false},
    {"ChainedInvokeOptions", "ChainedInvokeOptions",
     &shape_ChainedInvokeOptions, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_OperationUpdate = {
    .name = "OperationUpdate", .type = LAMBDA_STRUCTURE, .members = members_OperationUpdate,
    .members_len = ARRAY_LEN(members_OperationUpdate),
};

static const struct lambda_shape shape_OperationUpdates = {
    .name = "OperationUpdates", .type = LAMBDA_LIST, .item = &shape_OperationUpdate,
};

static const struct lambda_shape shape_ClientToken = {
    .name = "ClientToken", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 64, .pattern = "[\\x21-\\x7E]+",
};

static const struct lambda_member members_CheckpointDurableExecutionRequest[] = {
    {"DurableExecutionArn", "DurableExecutionArn",
     &shape_DurableExecutionArn, LAMBDA_IN_URI, true, false},
    {"CheckpointToken", "CheckpointToken", &shape_CheckpointToken, LAMBDA_IN_BODY, true, false},
    {"Updates", "Updates", &shape_OperationUpdates, LAMBDA_IN_BODY, false, false},
    {"ClientToken", "ClientToken", &shape_ClientToken, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CheckpointDurableExecutionRequest = {
    .name = "CheckpointDurableExecutionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_CheckpointDurableExecutionRequest,
    .members_len = ARRAY_LEN(members_CheckpointDurableExecutionRequest),
};

static const struct lambda_shape shape_FunctionName = {
    .name = "FunctionName", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 140,
    .pattern = "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?))"
               ")?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST"
               "|[a-zA-Z0-9-_]+))?",
};

static const struct lambda_shape shape_Alias = {
    .name = "Alias", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true, .max = 128,
    .pattern = "(?!^[0-9]+$)([a-zA-Z0-9-_]+)",
};

static const struct lambda_shape shape_VersionWithLatestPublished = {
    .name = "VersionWithLatestPublished", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 1024, .pattern = "(\\$LATEST(\\.PUBLISHED)?|[0-9]+)",
};

static const struct lambda_shape shape_Description = {
    .name = "Description", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 256,
};

static const struct lambda_shape shape_AdditionalVersion = {
    .name = "AdditionalVersion", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 1024, .pattern = "[0-9]+",
};

static const struct lambda_shape shape_Weight = {
    .name = "Weight", .type = LAMBDA_DOUBLE, .has_min = true, .min = 0.0, .has_max = true,
    .max = 1.0,
};

static const struct lambda_shape shape_AdditionalVersionWeights = {
    .name = "AdditionalVersionWeights", .type = LAMBDA_MAP, .key = &shape_AdditionalVersion,
    .item = &shape_Weight,
};

static const struct lambda_member members_AliasRoutingConfiguration[] = {
    {"AdditionalVersionWeights", "AdditionalVersionWeights",
     &shape_AdditionalVersionWeights, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_AliasRoutingConfiguration = {
    .name = "AliasRoutingConfiguration", .type = LAMBDA_STRUCTURE,
    .members = members_AliasRoutingConfiguration,
    .members_len = ARRAY_LEN(members_AliasRoutingConfiguration),
};

static const struct lambda_member members_CreateAliasRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"Name", "Name", &shape_Alias, LAMBDA_IN_BODY, true, false},
    {"FunctionVersion", "FunctionVersion",
     &shape_VersionWithLatestPublished, LAMBDA_IN_BODY, true, false},
    {"Description", "Description", &shape_Description, LAMBDA_IN_BODY, false, false},
    {"RoutingConfig", "RoutingConfig",
     &shape_AliasRoutingConfiguration, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CreateAliasRequest = {
    .name = "CreateAliasRequest", .type = LAMBDA_STRUCTURE, .members = members_CreateAliasRequest,
    .members_len = ARRAY_LEN(members_CreateAliasRequest),
};

static const struct lambda_shape shape_CapacityProviderName = {
    .name = "CapacityProviderName", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 140,
    .pattern = "(arn:aws[a-zA-Z-]*:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-"
               "z]+-\\d{1}:\\d{12}:capacity-provider:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+",
};

static const struct lambda_shape shape_SubnetId = {
    .name = "SubnetId", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 1024, .pattern = "subnet-[0-9a-z]*",
};

static const struct lambda_shape shape_CapacityProviderSubnetIds = {
    .name = "CapacityProviderSubnetIds", .type = LAMBDA_LIST, .has_min = true, .min = 1,
    .has_max = true, .max = 16, .item = &shape_SubnetId,
};

static const struct lambda_shape shape_SecurityGroupId = {
    .name = "SecurityGroupId", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 1024, .pattern = "sg-[0-9a-zA-Z]*",
};

static const struct lambda_shape shape_CapacityProviderSecurityGroupIds = {
    .name = "CapacityProviderSecurityGroupIds", .type = LAMBDA_LIST, .has_min = true, .min = 0,
    .has_max = true, .max = 5, .item = &shape_SecurityGroupId,
};

static const struct lambda_member members_CapacityProviderVpcConfig[] = {
    {"SubnetIds", "SubnetIds", &shape_CapacityProviderSubnetIds, LAMBDA_IN_BODY, true, false},
    {"SecurityGroupIds", "SecurityGroupIds",
     &shape_CapacityProviderSecurityGroupIds, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_CapacityProviderVpcConfig = {
    .name = "CapacityProviderVpcConfig", .type = LAMBDA_STRUCTURE,
    .members = members_CapacityProviderVpcConfig,
    .members_len = ARRAY_LEN(members_CapacityProviderVpcConfig),
};

static const struct lambda_shape shape_RoleArn = {
    .name = "RoleArn", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 10000, .pattern = "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
};

static const struct lambda_member members_CapacityProviderPermissionsConfig[] = {
    {"CapacityProviderOperatorRoleArn", "CapacityProviderOperatorRoleArn",
     &shape_RoleArn, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_CapacityProviderPermissionsConfig = {
    .name = "CapacityProviderPermissionsConfig", .type = LAMBDA_STRUCTURE,
    .members = members_CapacityProviderPermissionsConfig,
    .members_len = ARRAY_LEN(members_CapacityProviderPermissionsConfig),
};

static const char *const values_Architecture[] = {
    "x86_64", "arm64", NULL,
};
static const struct lambda_shape shape_Architecture = {
    .name = "Architecture", .type = LAMBDA_STRING, .values = values_Architecture,
};

static const struct lambda_shape shape_ArchitecturesList = {
    .name = "ArchitecturesList", .type = LAMBDA_LIST, .has_min = true, .min = 1, .has_max = true,
    .max = 1, .item = &shape_Architecture,
};

static const struct lambda_shape shape_InstanceType = {
    .name = "InstanceType", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 30, .pattern = "[a-zA-Z0-9\\.\\*\\-]+",
};

static const struct lambda_shape shape_InstanceTypeSet = {
    .name = "InstanceTypeSet", .type = LAMBDA_LIST, .has_min = true, .min = 0, .has_max = true,
    .max = 400, .item = &shape_InstanceType,
};

static const struct lambda_member members_InstanceRequirements[] = {
    {"Architectures", "Architectures", &shape_ArchitecturesList, LAMBDA_IN_BODY, false, false},
    {"AllowedInstanceTypes", "AllowedInstanceTypes",
     &shape_InstanceTypeSet, LAMBDA_IN_BODY, false, false},
    {"ExcludedInstanceTypes", "ExcludedInstanceTypes",
     &shape_InstanceTypeSet, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_InstanceRequirements = {
    .name = "InstanceRequirements", .type = LAMBDA_STRUCTURE,
    .members = members_InstanceRequirements, .members_len = ARRAY_LEN(members_InstanceRequirements),
};

static const struct lambda_shape shape_CapacityProviderMaxVCpuCount = {
    .name = "CapacityProviderMaxVCpuCount", .type = LAMBDA_INTEGER, .has_min = true, .min = 2,
    .has_max = true, .max = 15000,
};

static const char *const values_CapacityProviderScalingMode[] = {
    "Auto", "Manual", NULL,
};
static const struct lambda_shape shape_CapacityProviderScalingMode = {
    .name = "CapacityProviderScalingMode", .type = LAMBDA_STRING,
    .values = values_CapacityProviderScalingMode,
};

static const char *const values_CapacityProviderPredefinedMetricType[] = {
    "LambdaCapacityProviderAverageCPUUtilization", "LambdaCapacityProviderAverageGPUUtilization",
    NULL,
};
static const struct lambda_shape shape_CapacityProviderPredefinedMetricType = {
    .name = "CapacityProviderPredefinedMetricType", .type = LAMBDA_STRING,
    .values = values_CapacityProviderPredefinedMetricType,
};

static const struct lambda_shape shape_MetricTargetValue = {
    .name = "MetricTargetValue", .type = LAMBDA_DOUBLE, .has_min = true, .min = 0, .has_max = true,
    .max = 100,
};

static const struct lambda_member members_TargetTrackingScalingPolicy[] = {
    {"PredefinedMetricType", "PredefinedMetricType",
     &shape_CapacityProviderPredefinedMetricType, LAMBDA_IN_BODY, true, false},
    {"TargetValue", "TargetValue", &shape_MetricTargetValue, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_TargetTrackingScalingPolicy = {
    .name = "TargetTrackingScalingPolicy", .type = LAMBDA_STRUCTURE,
    .members = members_TargetTrackingScalingPolicy,
    .members_len = ARRAY_LEN(members_TargetTrackingScalingPolicy),
};

static const struct lambda_shape shape_CapacityProviderScalingPoliciesList = {
    .name = "CapacityProviderScalingPoliciesList", .type = LAMBDA_LIST, .has_min = true, .min = 1,
    .has_max = true, .max = 10, .item = &shape_TargetTrackingScalingPolicy,
};

static const struct lambda_member members_CapacityProviderScalingConfig[] = {
    {"MaxVCpuCount", "MaxVCpuCount",
     &shape_CapacityProviderMaxVCpuCount, LAMBDA_IN_BODY, false, false},
    {"ScalingMode", "ScalingMode",
     &shape_CapacityProviderScalingMode, LAMBDA_IN_BODY, false, false},
    {"ScalingPolicies", "ScalingPolicies",
     &shape_CapacityProviderScalingPoliciesList, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CapacityProviderScalingConfig = {
    .name = "CapacityProviderScalingConfig", .type = LAMBDA_STRUCTURE,
    .members = members_CapacityProviderScalingConfig,
    .members_len = ARRAY_LEN(members_CapacityProviderScalingConfig),
};

static const struct lambda_shape shape_KMSKeyArnNonEmpty = {
    .name = "KMSKeyArnNonEmpty", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 10000, .pattern = "arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*",
};

static const struct lambda_shape shape_TagKey = {
    .name = "TagKey", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true, .max = 128,
    .pattern = "([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)",
};

static const struct lambda_shape shape_TagValue = {
    .name = "TagValue", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 256, .pattern = "([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)",
};

static const struct lambda_shape shape_Tags = {
    .name = "Tags", .type = LAMBDA_MAP, .key = &shape_TagKey, .item = &shape_TagValue,
};

static const char *const values_PropagateTagsMode[] = {
    "None", "Explicit", NULL,
};
static const struct lambda_shape shape_PropagateTagsMode = {
    .name = "PropagateTagsMode", .type = LAMBDA_STRING, .values = values_PropagateTagsMode,
};

static const struct lambda_shape shape_PropagateTagsExplicitTagsMap = {
    .name = "PropagateTagsExplicitTagsMap", .type = LAMBDA_MAP, .has_min = true, .min = 0,
    .has_max = true, .max = 40, .key = &shape_TagKey, .item = &shape_TagValue,
};

static const struct lambda_member members_PropagateTags[] = {
    {"Mode", "Mode", &shape_PropagateTagsMode, LAMBDA_IN_BODY, false, false},
    {"ExplicitTags", "ExplicitTags",
     &shape_PropagateTagsExplicitTagsMap, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_PropagateTags = {
    .name = "PropagateTags", .type = LAMBDA_STRUCTURE, .members = members_PropagateTags,
    .members_len = ARRAY_LEN(members_PropagateTags),
};

static const char *const values_SystemLogLevel[] = {
    "DEBUG", "INFO", "WARN", NULL,
};
static const struct lambda_shape shape_SystemLogLevel = {
    .name = "SystemLogLevel", .type = LAMBDA_STRING, .values = values_SystemLogLevel,
};

static const struct lambda_shape shape_LogGroup = {
    .name = "LogGroup", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 512, .pattern = "[\\.\\-_/#A-Za-z0-9]+",
};

static const struct lambda_member members_CapacityProviderLoggingConfig[] = {
    {"SystemLogLevel", "SystemLogLevel", &shape_SystemLogLevel, LAMBDA_IN_BODY, false, false},
    {"LogGroup", "LogGroup", &shape_LogGroup, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CapacityProviderLoggingConfig = {
    .name = "CapacityProviderLoggingConfig", .type = LAMBDA_STRUCTURE,
    .members = members_CapacityProviderLoggingConfig,
    .members_len = ARRAY_LEN(members_CapacityProviderLoggingConfig),
};

static const struct lambda_member members_CapacityProviderTelemetryConfig[] = {
    {"LoggingConfig", "LoggingConfig",
     &shape_CapacityProviderLoggingConfig, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CapacityProviderTelemetryConfig = {
    .name = "CapacityProviderTelemetryConfig", .type = LAMBDA_STRUCTURE,
    .members = members_CapacityProviderTelemetryConfig,
    .members_len = ARRAY_LEN(members_CapacityProviderTelemetryConfig),
};

static const struct lambda_member members_CreateCapacityProviderRequest[] = {
    {"CapacityProviderName", "CapacityProviderName",
     &shape_CapacityProviderName, LAMBDA_IN_BODY, true, false},
    {"VpcConfig", "VpcConfig", &shape_CapacityProviderVpcConfig, LAMBDA_IN_BODY, true, false},
    {"PermissionsConfig", "PermissionsConfig",
     &shape_CapacityProviderPermissionsConfig, LAMBDA_IN_BODY, true, false},
    {"InstanceRequirements", "InstanceRequirements",
     &shape_InstanceRequirements, LAMBDA_IN_BODY, false, false},
    {"CapacityProviderScalingConfig", "CapacityProviderScalingConfig",
     &shape_CapacityProviderScalingConfig, LAMBDA_IN_BODY, false, false},
    {"KmsKeyArn", "KmsKeyArn", &shape_KMSKeyArnNonEmpty, LAMBDA_IN_BODY, false, false},
    {"Tags", "Tags", &shape_Tags, LAMBDA_IN_BODY, false, false},
    {"PropagateTags", "PropagateTags", &shape_PropagateTags, LAMBDA_IN_BODY, false, false},
    {"TelemetryConfig", "TelemetryConfig",
     &shape_CapacityProviderTelemetryConfig, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CreateCapacityProviderRequest = {
    .name = "CreateCapacityProviderRequest", .type = LAMBDA_STRUCTURE,
    .members = members_CreateCapacityProviderRequest,
    .members_len = ARRAY_LEN(members_CreateCapacityProviderRequest),
};

static const struct lambda_shape shape_SigningProfileVersionArns = {
    .name = "SigningProfileVersionArns", .type = LAMBDA_LIST, .has_min = true, .min = 1,
    .has_max = true, .max = 20, .item = &shape_Arn,
};

static const struct lambda_member members_AllowedPublishers[] = {
    {"SigningProfileVersionArns", "SigningProfileVersionArns",
     &shape_SigningProfileVersionArns, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_AllowedPublishers = {
    .name = "AllowedPublishers", .type = LAMBDA_STRUCTURE, .members = members_AllowedPublishers,
    .members_len = ARRAY_LEN(members_AllowedPublishers),
};

static const char *const values_CodeSigningPolicy[] = {
    "Warn", "Enforce", NULL,
};
static const struct lambda_shape shape_CodeSigningPolicy = {
    .name = "CodeSigningPolicy", .type = LAMBDA_STRING, .values = values_CodeSigningPolicy,
};

static const struct lambda_member members_CodeSigningPolicies[] = {
    {"UntrustedArtifactOnDeployment", "UntrustedArtifactOnDeployment",
     &shape_CodeSigningPolicy, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CodeSigningPolicies = {
    .name = "CodeSigningPolicies", .type = LAMBDA_STRUCTURE, .members = members_CodeSigningPolicies,
    .members_len = ARRAY_LEN(members_CodeSigningPolicies),
};

static const struct lambda_member members_CreateCodeSigningConfigRequest[] = {
    {"Description", "Description", &shape_Description, LAMBDA_IN_BODY, false, false},
    {"AllowedPublishers", "AllowedPublishers",
     &shape_AllowedPublishers, LAMBDA_IN_BODY, true, false},
    {"CodeSigningPolicies", "CodeSigningPolicies",
     &shape_CodeSigningPolicies, LAMBDA_IN_BODY, false, false},
    {"Tags", "Tags", &shape_Tags, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CreateCodeSigningConfigRequest = {
    .name = "CreateCodeSigningConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_CreateCodeSigningConfigRequest,
    .members_len = ARRAY_LEN(members_CreateCodeSigningConfigRequest),
};

static const struct lambda_shape shape_Enabled = {
    .name = "Enabled", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_shape shape_BatchSize = {
    .name = "BatchSize", .type = LAMBDA_INTEGER, .has_min = true, .min = 1, .has_max = true,
    .max = 10000,
};

static const struct lambda_shape shape_Pattern = {
    .name = "Pattern", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 4096, .pattern = "[\\s\\S]*",
};

static const struct lambda_member members_Filter[] = {
    {"Pattern", "Pattern", &shape_Pattern, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_Filter = {
    .name = "Filter", .type = LAMBDA_STRUCTURE, .members = members_Filter,
    .members_len = ARRAY_LEN(members_Filter),
};

static const struct lambda_shape shape_FilterList = {
    .name = "FilterList", .type = LAMBDA_LIST, .item = &shape_Filter,
};

static const struct lambda_member members_FilterCriteria[] = {
    {"Filters", "Filters", &shape_FilterList, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_FilterCriteria = {
    .name = "FilterCriteria", .type = LAMBDA_STRUCTURE, .members = members_FilterCriteria,
    .members_len = ARRAY_LEN(members_FilterCriteria),
};

static const struct lambda_shape shape_KMSKeyArn = {
    .name = "KMSKeyArn", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 10000, .pattern = "(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()",
};

static const char *const values_EventSourceMappingMetric[] = {
    "EventCount", "ErrorCount", "KafkaMetrics", NULL,
};
static const struct lambda_shape shape_EventSourceMappingMetric = {
    .name = "EventSourceMappingMetric", .type = LAMBDA_STRING,
    .values = values_EventSourceMappingMetric,
};

static const struct lambda_shape shape_EventSourceMappingMetricList = {
    .name = "EventSourceMappingMetricList", .type = LAMBDA_LIST, .has_min = true, .min = 0,
    .has_max = true, .max = 3, .item = &shape_EventSourceMappingMetric,
};

static const struct lambda_member members_EventSourceMappingMetricsConfig[] = {
    {"Metrics", "Metrics", &shape_EventSourceMappingMetricList, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_EventSourceMappingMetricsConfig = {
    .name = "EventSourceMappingMetricsConfig", .type = LAMBDA_STRUCTURE,
    .members = members_EventSourceMappingMetricsConfig,
    .members_len = ARRAY_LEN(members_EventSourceMappingMetricsConfig),
};

static const char *const values_EventSourceMappingSystemLogLevel[] = {
    "DEBUG", "INFO", "WARN", NULL,
};
static const struct lambda_shape shape_EventSourceMappingSystemLogLevel = {
    .name = "EventSourceMappingSystemLogLevel", .type = LAMBDA_STRING,
    .values = values_EventSourceMappingSystemLogLevel,
};

static const struct lambda_member members_EventSourceMappingLoggingConfig[] = {
    {"SystemLogLevel", "SystemLogLevel",
     &shape_EventSourceMappingSystemLogLevel, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_EventSourceMappingLoggingConfig = {
    .name = "EventSourceMappingLoggingConfig", .type = LAMBDA_STRUCTURE,
    .members = members_EventSourceMappingLoggingConfig,
    .members_len = ARRAY_LEN(members_EventSourceMappingLoggingConfig),
};

static const struct lambda_shape shape_MaximumConcurrency = {
    .name = "MaximumConcurrency", .type = LAMBDA_INTEGER, .has_min = true, .min = 2,
    .has_max = true, .max = 1000,
};

static const struct lambda_member members_ScalingConfig[] = {
    {"MaximumConcurrency", "MaximumConcurrency",
     &shape_MaximumConcurrency, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ScalingConfig = {
    .name = "ScalingConfig", .type = LAMBDA_STRUCTURE, .members = members_ScalingConfig,
    .members_len = ARRAY_LEN(members_ScalingConfig),
};

static const struct lambda_shape shape_MaximumBatchingWindowInSeconds = {
    .name = "MaximumBatchingWindowInSeconds", .type = LAMBDA_INTEGER, .has_min = true, .min = 0,
    .has_max = true, .max = 300,
};

static const struct lambda_shape shape_ParallelizationFactor = {
    .name = "ParallelizationFactor", .type = LAMBDA_INTEGER, .has_min = true, .min = 1,
    .has_max = true, .max = 10,
};

static const char *const values_EventSourcePosition[] = {
    "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", NULL,
};
static const struct lambda_shape shape_EventSourcePosition = {
    .name = "EventSourcePosition", .type = LAMBDA_STRING, .values = values_EventSourcePosition,
};

static const struct lambda_shape shape_Date = {
    .name = "Date", .type = LAMBDA_TIMESTAMP,
};

static const struct lambda_shape shape_DestinationArn = {
    .name = "DestinationArn", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 350,
    .pattern = "$|kafka://([^.]([a-zA-Z0-9\\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-z"
               "A-Z0-9\\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?"
               ":(\\d{12})?:(.*)",
};

static const struct lambda_member members_OnSuccess[] = {
    {"Destination", "Destination", &shape_DestinationArn, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_OnSuccess = {
    .name = "OnSuccess", .type = LAMBDA_STRUCTURE, .members = members_OnSuccess,
    .members_len = ARRAY_LEN(members_OnSuccess),
};

static const struct lambda_member members_OnFailure[] = {
    {"Destination", "Destination", &shape_DestinationArn, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_OnFailure = {
    .name = "OnFailure", .type = LAMBDA_STRUCTURE, .members = members_OnFailure,
    .members_len = ARRAY_LEN(members_OnFailure),
};

static const struct lambda_member members_DestinationConfig[] = {
    {"OnSuccess", "OnSuccess", &shape_OnSuccess, LAMBDA_IN_BODY, false, false},
    {"OnFailure", "OnFailure", &shape_OnFailure, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_DestinationConfig = {
    .name = "DestinationConfig", .type = LAMBDA_STRUCTURE, .members = members_DestinationConfig,
    .members_len = ARRAY_LEN(members_DestinationConfig),
};

static const struct lambda_shape shape_MaximumRecordAgeInSeconds = {
    .name = "MaximumRecordAgeInSeconds", .type = LAMBDA_INTEGER, .has_min = true, .min = -1,
    .has_max = true, .max = 604800,
};

static const struct lambda_shape shape_BisectBatchOnFunctionError = {
    .name = "BisectBatchOnFunctionError", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_shape shape_MaximumRetryAttemptsEventSourceMapping = {
    .name = "MaximumRetryAttemptsEventSourceMapping", .type = LAMBDA_INTEGER, .has_min = true,
    .min = -1, .has_max = true, .max = 10000,
};

static const struct lambda_shape shape_TumblingWindowInSeconds = {
    .name = "TumblingWindowInSeconds", .type = LAMBDA_INTEGER, .has_min = true, .min = 0,
    .has_max = true, .max = 900,
};

static const struct lambda_shape shape_Topic = {
    .name = "Topic", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true, .max = 249,
    .pattern = "[^.]([a-zA-Z0-9\\-_.]+)",
};

static const struct lambda_shape shape_Topics = {
    .name = "Topics", .type = LAMBDA_LIST, .has_min = true, .min = 1, .has_max = true, .max = 1,
    .item = &shape_Topic,
};

static const struct lambda_shape shape_Queue = {
    .name = "Queue", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true, .max = 1000,
    .pattern = "[\\s\\S]*",
};

static const struct lambda_shape shape_Queues = {
    .name = "Queues", .type = LAMBDA_LIST, .has_min = true, .min = 1, .has_max = true, .max = 1,
    .item = &shape_Queue,
};

static const char *const values_SourceAccessType[] = {
    "BASIC_AUTH", "VPC_SUBNET", "VPC_SECURITY_GROUP", "SASL_SCRAM_512_AUTH", "SASL_SCRAM_256_AUTH",
    "VIRTUAL_HOST", "CLIENT_CERTIFICATE_TLS_AUTH", "SERVER_ROOT_CA_CERTIFICATE", "OAUTHBEARER_AUTH",
    "OAUTHBEARER_SCOPE", "OAUTHBEARER_AUDIENCE", "OAUTHBEARER_LOGICAL_CLUSTER",
    "OAUTHBEARER_IDENTITY_POOL", "IAM_AUTH", "IAM_OAUTHBEARER_AUTH", NULL,
};
static const struct lambda_shape shape_SourceAccessType = {
    .name = "SourceAccessType", .type = LAMBDA_STRING, .values = values_SourceAccessType,
};

static const struct lambda_shape shape_URI = {
    .name = "URI", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true, .max = 200,
    .pattern = "[ a-zA-Z0-9-\\/*:_+=.@-]*",
};

static const struct lambda_member members_SourceAccessConfiguration[] = {
    {"Type", "Type", &shape_SourceAccessType, LAMBDA_IN_BODY, false, false},
    {"URI", "URI", &shape_URI, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_SourceAccessConfiguration = {
    .name = "SourceAccessConfiguration", .type = LAMBDA_STRUCTURE,
    .members = members_SourceAccessConfiguration,
    .members_len = ARRAY_LEN(members_SourceAccessConfiguration),
};

static const struct lambda_shape shape_SourceAccessConfigurations = {
    .name = "SourceAccessConfigurations", .type = LAMBDA_LIST, .has_min = true, .min = 0,
    .has_max = true, .max = 23, .item = &shape_SourceAccessConfiguration,
};

static const char *const values_EndPointType[] = {
    "KAFKA_BOOTSTRAP_SERVERS", NULL,
};
static const struct lambda_shape shape_EndPointType = {
    .name = "EndPointType", .type = LAMBDA_STRING, .values = values_EndPointType,
};

static const struct lambda_shape shape_Endpoint = {
    .name = "Endpoint", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 300,
    .pattern = "(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\\-]*[a-zA-Z0-9])\\.)*([A-Za-z0-9]|"
               "[A-Za-z0-9][A-Za-z0-9\\-]*[A-Za-z0-9]):[0-9]{1,5}",
};

static const struct lambda_shape shape_EndpointLists = {
    .name = "EndpointLists", .type = LAMBDA_LIST, .has_min = true, .min = 1, .has_max = true,
    .max = 10, .item = &shape_Endpoint,
};

static const struct lambda_shape shape_Endpoints = {
    .name = "Endpoints", .type = LAMBDA_MAP, .has_min = true, .min = 1, .has_max = true, .max = 2,
    .key = &shape_EndPointType, .item = &shape_EndpointLists,
};

static const struct lambda_member members_SelfManagedEventSource[] = {
    {"Endpoints", "Endpoints", &shape_Endpoints, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_SelfManagedEventSource = {
    .name = "SelfManagedEventSource", .type = LAMBDA_STRUCTURE,
    .members = members_SelfManagedEventSource,
    .members_len = ARRAY_LEN(members_SelfManagedEventSource),
};

static const char *const values_FunctionResponseType[] = {
    "ReportBatchItemFailures", NULL,
};
static const struct lambda_shape shape_FunctionResponseType = {
    .name = "FunctionResponseType", .type = LAMBDA_STRING, .values = values_FunctionResponseType,
};

static const struct lambda_shape shape_FunctionResponseTypeList = {
    .name = "FunctionResponseTypeList", .type = LAMBDA_LIST, .has_min = true, .min = 0,
    .has_max = true, .max = 1, .item = &shape_FunctionResponseType,
};

static const struct lambda_shape shape_SchemaRegistryUri = {
    .name = "SchemaRegistryUri", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 10000, .pattern = "[a-zA-Z0-9-\\/*:_+=.@-]*",
};

static const char *const values_SchemaRegistryEventRecordFormat[] = {
    "JSON", "SOURCE", NULL,
};
static const struct lambda_shape shape_SchemaRegistryEventRecordFormat = {
    .name = "SchemaRegistryEventRecordFormat", .type = LAMBDA_STRING,
    .values = values_SchemaRegistryEventRecordFormat,
};

static const char *const values_KafkaSchemaRegistryAuthType[] = {
    "BASIC_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH", "SERVER_ROOT_CA_CERTIFICATE", "OAUTHBEARER_AUTH",
    NULL,
};
static const struct lambda_shape shape_KafkaSchemaRegistryAuthType = {
    .name = "KafkaSchemaRegistryAuthType", .type = LAMBDA_STRING,
    .values = values_KafkaSchemaRegistryAuthType,
};

static const struct lambda_member members_KafkaSchemaRegistryAccessConfig[] = {
    {"Type", "Type", &shape_KafkaSchemaRegistryAuthType, LAMBDA_IN_BODY, false, false},
    {"URI", "URI", &shape_Arn, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_KafkaSchemaRegistryAccessConfig = {
    .name = "KafkaSchemaRegistryAccessConfig", .type = LAMBDA_STRUCTURE,
    .members = members_KafkaSchemaRegistryAccessConfig,
    .members_len = ARRAY_LEN(members_KafkaSchemaRegistryAccessConfig),
};

static const struct lambda_shape shape_KafkaSchemaRegistryAccessConfigList = {
    .name = "KafkaSchemaRegistryAccessConfigList", .type = LAMBDA_LIST,
    .item = &shape_KafkaSchemaRegistryAccessConfig,
};

static const char *const values_KafkaSchemaValidationAttribute[] = {
    "KEY", "VALUE", NULL,
};
static const struct lambda_shape shape_KafkaSchemaValidationAttribute = {
    .name = "KafkaSchemaValidationAttribute", .type = LAMBDA_STRING,
    .values = values_KafkaSchemaValidationAttribute,
};

static const struct lambda_member members_KafkaSchemaValidationConfig[] = {
    {"Attribute", "Attribute", &shape_KafkaSchemaValidationAttribute, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_KafkaSchemaValidationConfig = {
    .name = "KafkaSchemaValidationConfig", .type = LAMBDA_STRUCTURE,
    .members = members_KafkaSchemaValidationConfig,
    .members_len = ARRAY_LEN(members_KafkaSchemaValidationConfig),
};

static const struct lambda_shape shape_KafkaSchemaValidationConfigList = {
    .name = "KafkaSchemaValidationConfigList", .type = LAMBDA_LIST,
    .item = &shape_KafkaSchemaValidationConfig,
};

static const struct lambda_member members_KafkaSchemaRegistryConfig[] = {
    {"SchemaRegistryURI", "SchemaRegistryURI",
     &shape_SchemaRegistryUri, LAMBDA_IN_BODY, false, false},
    {"EventRecordFormat", "EventRecordFormat",
     &shape_SchemaRegistryEventRecordFormat, LAMBDA_IN_BODY, false, false},
    {"AccessConfigs", "AccessConfigs",
     &shape_KafkaSchemaRegistryAccessConfigList, LAMBDA_IN_BODY, false, false},
    {"SchemaValidationConfigs", "SchemaValidationConfigs",
     &shape_KafkaSchemaValidationConfigList, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_KafkaSchemaRegistryConfig = {
    .name = "KafkaSchemaRegistryConfig", .type = LAMBDA_STRUCTURE,
    .members = members_KafkaSchemaRegistryConfig,
    .members_len = ARRAY_LEN(members_KafkaSchemaRegistryConfig),
};

static const struct lambda_member members_AmazonManagedKafkaEventSourceConfig[] = {
    {"ConsumerGroupId", "ConsumerGroupId", &shape_URI, LAMBDA_IN_BODY, false, false},
    {"SchemaRegistryConfig", "SchemaRegistryConfig",
     &shape_KafkaSchemaRegistryConfig, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_AmazonManagedKafkaEventSourceConfig = {
    .name = "AmazonManagedKafkaEventSourceConfig", .type = LAMBDA_STRUCTURE,
    .members = members_AmazonManagedKafkaEventSourceConfig,
    .members_len = ARRAY_LEN(members_AmazonManagedKafkaEventSourceConfig),
};

static const char *const values_KafkaEventSourceMappingConsumptionMode[] = {
    "Stream", "Queue", NULL,
};
static const struct lambda_shape shape_KafkaEventSourceMappingConsumptionMode = {
    .name = "KafkaEventSourceMappingConsumptionMode", .type = LAMBDA_STRING,
    .values = values_KafkaEventSourceMappingConsumptionMode,
};

static const struct lambda_member members_SelfManagedKafkaEventSourceConfig[] = {
    {"ConsumerGroupId", "ConsumerGroupId", &shape_URI, LAMBDA_IN_BODY, false, false},
    {"SchemaRegistryConfig", "SchemaRegistryConfig",
     &shape_KafkaSchemaRegistryConfig, LAMBDA_IN_BODY, false, false},
    {"ConsumptionMode", "ConsumptionMode",
     &shape_KafkaEventSourceMappingConsumptionMode, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_SelfManagedKafkaEventSourceConfig = {
    .name = "SelfManagedKafkaEventSourceConfig", .type = LAMBDA_STRUCTURE,
    .members = members_SelfManagedKafkaEventSourceConfig,
    .members_len = ARRAY_LEN(members_SelfManagedKafkaEventSourceConfig),
};

static const struct lambda_shape shape_DatabaseName = {
    .name = "DatabaseName", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 63, .pattern = "[^ /\\.$\\x22]*",
};

static const struct lambda_shape shape_CollectionName = {
    .name = "CollectionName", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 57, .pattern = "(^(?!(system\\x2e)))(^[_a-zA-Z0-9])([^$]*)",
};

static const char *const values_FullDocument[] = {
    "UpdateLookup", "Default", NULL,
};
static const struct lambda_shape shape_FullDocument = {
    .name = "FullDocument", .type = LAMBDA_STRING, .values = values_FullDocument,
};

static const struct lambda_member members_DocumentDBEventSourceConfig[] = {
    {"DatabaseName", "DatabaseName", &shape_DatabaseName, LAMBDA_IN_BODY, false, false},
    {"CollectionName", "CollectionName", &shape_CollectionName, LAMBDA_IN_BODY, false, false},
    {"FullDocument", "FullDocument", &shape_FullDocument, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_DocumentDBEventSourceConfig = {
    .name = "DocumentDBEventSourceConfig", .type = LAMBDA_STRUCTURE,
    .members = members_DocumentDBEventSourceConfig,
    .members_len = ARRAY_LEN(members_DocumentDBEventSourceConfig),
};

static const struct lambda_shape shape_MinimumNumberOfPollers = {
    .name = "MinimumNumberOfPollers", .type = LAMBDA_INTEGER, .has_min = true, .min = 1,
    .has_max = true, .max = 200,
};

static const struct lambda_shape shape_MaximumNumberOfPollers = {
    .name = "MaximumNumberOfPollers", .type = LAMBDA_INTEGER, .has_min = true, .min = 1,
    .has_max = true, .max = 10000,
};

static const struct lambda_shape shape_ProvisionedPollerGroupName = {
    .name = "ProvisionedPollerGroupName", .type = LAMBDA_STRING, .has_min = true, .min = 0,
    .has_max = true, .max = 128, .pattern = "[a-zA-Z0-9-_]*",
};

static const struct lambda_member members_ProvisionedPollerConfig[] = {
    {"MinimumPollers", "MinimumPollers",
     &shape_MinimumNumberOfPollers, LAMBDA_IN_BODY, false, false},
    {"MaximumPollers", "MaximumPollers",
     &shape_MaximumNumberOfPollers, LAMBDA_IN_BODY, false, false},
    {"PollerGroupName", "PollerGroupName",
     &shape_ProvisionedPollerGroupName, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ProvisionedPollerConfig = {
    .name = "ProvisionedPollerConfig", .type = LAMBDA_STRUCTURE,
    .members = members_ProvisionedPollerConfig,
    .members_len = ARRAY_LEN(members_ProvisionedPollerConfig),
};

static const struct lambda_member members_CreateEventSourceMappingRequest[] = {
    {"EventSourceArn", "EventSourceArn", &shape_Arn, LAMBDA_IN_BODY, false, false},
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_BODY, true, false},
    {"Enabled", "Enabled", &shape_Enabled, LAMBDA_IN_BODY, false, false},
    {"BatchSize", "BatchSize", &shape_BatchSize, LAMBDA_IN_BODY, false, false},
    {"FilterCriteria", "FilterCriteria", &shape_FilterCriteria, LAMBDA_IN_BODY, false, false},
    {"KMSKeyArn", "KMSKeyArn", &shape_KMSKeyArn, LAMBDA_IN_BODY, false, false},
    {"MetricsConfig", "MetricsConfig",
     &shape_EventSourceMappingMetricsConfig, LAMBDA_IN_BODY, false, false},
    {"LoggingConfig", "LoggingConfig",
     &shape_EventSourceMappingLoggingConfig, LAMBDA_IN_BODY, false, false},
    {"ScalingConfig", "ScalingConfig", &shape_ScalingConfig, LAMBDA_IN_BODY, false, false},
    {"MaximumBatchingWindowInSeconds", "MaximumBatchingWindowInSeconds",
     &shape_MaximumBatchingWindowInSeconds, LAMBDA_IN_BODY, false, false},
    {"ParallelizationFactor", "ParallelizationFactor",
     &shape_ParallelizationFactor, LAMBDA_IN_BODY, false, false},
    {"StartingPosition", "StartingPosition",
     &shape_EventSourcePosition, LAMBDA_IN_BODY, false, false},
    {"StartingPositionTimestamp", "StartingPositionTimestamp",
     &shape_Date, LAMBDA_IN_BODY, false, false},
    {"DestinationConfig", "DestinationConfig",
     &shape_DestinationConfig, LAMBDA_IN_BODY, false, false},
    {"MaximumRecordAgeInSeconds", "MaximumRecordAgeInSeconds",
     &shape_MaximumRecordAgeInSeconds, LAMBDA_IN_BODY, false, false},
    {"BisectBatchOnFunctionError", "BisectBatchOnFunctionError",
     &shape_BisectBatchOnFunctionError, LAMBDA_IN_BODY, false, false},
    {"MaximumRetryAttempts", "MaximumRetryAttempts",
     &shape_MaximumRetryAttemptsEventSourceMapping, LAMBDA_IN_BODY, false, false},
    {"Tags", "Tags", &shape_Tags, LAMBDA_IN_BODY, false, false},
    {"TumblingWindowInSeconds", "TumblingWindowInSeconds",
     &shape_TumblingWindowInSeconds, LAMBDA_IN_BODY, false, false},
    {"Topics", "Topics", &shape_Topics, LAMBDA_IN_BODY, false, false},
    {"Queues", "Queues", &shape_Queues, LAMBDA_IN_BODY, false, false},
    {"SourceAccessConfigurations", "SourceAccessConfigurations",
     &shape_SourceAccessConfigurations, LAMBDA_IN_BODY, false, false},
    {"SelfManagedEventSource", "SelfManagedEventSource",
     &shape_SelfManagedEventSource, LAMBDA_IN_BODY, false, false},
    {"FunctionResponseTypes", "FunctionResponseTypes",
     &shape_FunctionResponseTypeList, LAMBDA_IN_BODY, false, false},
    {"AmazonManagedKafkaEventSourceConfig", "AmazonManagedKafkaEventSourceConfig",
     &shape_AmazonManagedKafkaEventSourceConfig, LAMBDA_IN_BODY, false, false},
    {"SelfManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig",
     &shape_SelfManagedKafkaEventSourceConfig, LAMBDA_IN_BODY, false, false},
    {"DocumentDBEventSourceConfig", "DocumentDBEventSourceConfig",
     &shape_DocumentDBEventSourceConfig, LAMBDA_IN_BODY, false, false},
    {"ProvisionedPollerConfig", "ProvisionedPollerConfig",
     &shape_ProvisionedPollerConfig, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CreateEventSourceMappingRequest = {
    .name = "CreateEventSourceMappingRequest", .type = LAMBDA_STRUCTURE,
    .members = members_CreateEventSourceMappingRequest,
    .members_len = ARRAY_LEN(members_CreateEventSourceMappingRequest),
};

static const char *const values_Runtime[] = {
    "nodejs", "nodejs4.3", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "nodejs14.x",
    "nodejs16.x", "nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x", "java8", "java8.al2",
    "java11", "java17", "java21", "java25", "python2.7", "python3.6", "python3.7", "python3.8",
    "python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14",
    "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "dotnet6", "dotnet8",
    "dotnet10", "nodejs4.3-edge", "go1.x", "ruby2.5", "ruby2.7", "ruby3.2", "ruby3.3", "ruby3.4",
    "ruby4.0", "provided", "provided.al2", "provided.al2023", "nodejs26.x", "python3.15",
    "java8.al2023", "java11.al2023", "java17.al2023", "custom", NULL,
};
static const char *const recorded_values_Runtime[] = {
    "ruby3.5", "ruby2.6", "dotnetcore1.0", "python3.7", "nodejs8.10", "nasa", "ruby2.7",
    "python2.7-greengrass", "dotnetcore2.0", "python3.8", "java21", "dotnet6", "dotnetcore2.1",
    "python3.9", "java11", "nodejs6.10", "provided", "dotnetcore3.1", "dotnet8", "java25", "java17",
    "nodejs", "nodejs4.3", "java8.al2", "go1.x", "dotnet10", "nodejs20.x", "go1.9", "byol",
    "nodejs10.x", "provided.al2023", "nodejs22.x", "python3.10", "java8", "nodejs12.x",
    "python3.11", "nodejs24.x", "nodejs8.x", "python3.12", "nodejs14.x", "nodejs8.9", "nodejs26.x",
    "python3.13", "python3.14", "nodejs16.x", "python3.15", "provided.al2", "nodejs4.3-edge",
    "nodejs18.x", "ruby3.2", "python3.4", "ruby3.3", "ruby3.4", "ruby2.5", "python3.6", "python2.7",
    NULL,
};
static const struct lambda_shape shape_Runtime = {
    .name = "Runtime", .type = LAMBDA_STRING, .values = values_Runtime,
    .recorded_values = recorded_values_Runtime,
};

static const struct lambda_shape shape_Handler = {
    .name = "Handler", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 128, .pattern = "[^\\s]+",
};

static const struct lambda_shape shape_Blob = {
    .name = "Blob", .type = LAMBDA_BLOB, .sensitive = true,
};

static const struct lambda_shape shape_S3Bucket = {
    .name = "S3Bucket", .type = LAMBDA_STRING, .has_min = true, .min = 3, .has_max = true,
    .max = 63, .pattern = "[0-9A-Za-z\\.\\-_]*(?<!\\.)",
};

static const struct lambda_shape shape_S3Key = {
    .name = "S3Key", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true, .max = 1024,
    .pattern = ".*",
};

static const struct lambda_shape shape_S3ObjectVersion = {
    .name = "S3ObjectVersion", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 1024, .pattern = ".*",
};

static const char *const values_S3ObjectStorageMode[] = {
    "COPY", "REFERENCE", NULL,
};
static const struct lambda_shape shape_S3ObjectStorageMode = {
    .name = "S3ObjectStorageMode", .type = LAMBDA_STRING, .values = values_S3ObjectStorageMode,
};

static const struct lambda_member members_FunctionCode[] = {
    {"ZipFile", "ZipFile", &shape_Blob, LAMBDA_IN_BODY, false, false},
    {"S3Bucket", "S3Bucket", &shape_S3Bucket, LAMBDA_IN_BODY, false, false},
    {"S3Key", "S3Key", &shape_S3Key, LAMBDA_IN_BODY, false, false},
    {"S3ObjectVersion", "S3ObjectVersion", &shape_S3ObjectVersion, LAMBDA_IN_BODY, false, false},
    {"S3ObjectStorageMode", "S3ObjectStorageMode",
     &shape_S3ObjectStorageMode, LAMBDA_IN_BODY, false, false},
    {"ImageUri", "ImageUri", &shape_String, LAMBDA_IN_BODY, false, false},
    {"SourceKMSKeyArn", "SourceKMSKeyArn", &shape_KMSKeyArn, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_FunctionCode = {
    .name = "FunctionCode", .type = LAMBDA_STRUCTURE, .members = members_FunctionCode,
    .members_len = ARRAY_LEN(members_FunctionCode),
};

static const struct lambda_shape shape_Timeout = {
    .name = "Timeout", .type = LAMBDA_INTEGER, .has_min = true, .min = 1, .has_max = true,
    .max = 5400,
};

static const struct lambda_shape shape_MemorySize = {
    .name = "MemorySize", .type = LAMBDA_INTEGER, .has_min = true, .min = 128, .has_max = true,
    .max = 32768,
};

static const struct lambda_shape shape_Boolean = {
    .name = "Boolean", .type = LAMBDA_BOOLEAN,
};

static const char *const values_FunctionVersionLatestPublished[] = {
    "LATEST_PUBLISHED", NULL,
};
static const struct lambda_shape shape_FunctionVersionLatestPublished = {
    .name = "FunctionVersionLatestPublished", .type = LAMBDA_STRING,
    .values = values_FunctionVersionLatestPublished,
};

static const struct lambda_shape shape_SubnetIds = {
    .name = "SubnetIds", .type = LAMBDA_LIST, .has_min = true, .min = 0, .has_max = true, .max = 16,
    .item = &shape_SubnetId,
};

static const struct lambda_shape shape_SecurityGroupIds = {
    .name = "SecurityGroupIds", .type = LAMBDA_LIST, .has_min = true, .min = 0, .has_max = true,
    .max = 5, .item = &shape_SecurityGroupId,
};

static const struct lambda_shape shape_NullableBoolean = {
    .name = "NullableBoolean", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_member members_VpcConfig[] = {
    {"SubnetIds", "SubnetIds", &shape_SubnetIds, LAMBDA_IN_BODY, false, false},
    {"SecurityGroupIds", "SecurityGroupIds", &shape_SecurityGroupIds, LAMBDA_IN_BODY, false, false},
    {"Ipv6AllowedForDualStack", "Ipv6AllowedForDualStack",
     &shape_NullableBoolean, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_VpcConfig = {
    .name = "VpcConfig", .type = LAMBDA_STRUCTURE, .members = members_VpcConfig,
    .members_len = ARRAY_LEN(members_VpcConfig),
};

static const char *const values_PackageType[] = {
    "Zip", "Image", NULL,
};
static const struct lambda_shape shape_PackageType = {
    .name = "PackageType", .type = LAMBDA_STRING, .values = values_PackageType,
};

static const struct lambda_shape shape_ResourceArn = {
    .name = "ResourceArn", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 10000, .pattern = "(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()",
};

static const struct lambda_member members_DeadLetterConfig[] = {
    {"TargetArn", "TargetArn", &shape_ResourceArn, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_DeadLetterConfig = {
    .name = "DeadLetterConfig", .type = LAMBDA_STRUCTURE, .members = members_DeadLetterConfig,
    .members_len = ARRAY_LEN(members_DeadLetterConfig),
};

static const struct lambda_shape shape_EnvironmentVariableName = {
    .name = "EnvironmentVariableName", .type = LAMBDA_STRING, .sensitive = true,
    .pattern = "[a-zA-Z]([a-zA-Z0-9_])+",
};

static const struct lambda_shape shape_EnvironmentVariableValue = {
    .name = "EnvironmentVariableValue", .type = LAMBDA_STRING, .sensitive = true,
};

static const struct lambda_shape shape_EnvironmentVariables = {
    .name = "EnvironmentVariables", .type = LAMBDA_MAP, .sensitive = true,
    .key = &shape_EnvironmentVariableName, .item = &shape_EnvironmentVariableValue,
};

static const struct lambda_member members_Environment[] = {
    {"Variables", "Variables", &shape_EnvironmentVariables, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_Environment = {
    .name = "Environment", .type = LAMBDA_STRUCTURE, .members = members_Environment,
    .members_len = ARRAY_LEN(members_Environment),
};

static const char *const values_TracingMode[] = {
    "Active", "PassThrough", NULL,
};
static const struct lambda_shape shape_TracingMode = {
    .name = "TracingMode", .type = LAMBDA_STRING, .values = values_TracingMode,
};

static const struct lambda_member members_TracingConfig[] = {
    {"Mode", "Mode", &shape_TracingMode, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_TracingConfig = {
    .name = "TracingConfig", .type = LAMBDA_STRUCTURE, .members = members_TracingConfig,
    .members_len = ARRAY_LEN(members_TracingConfig),
};

static const struct lambda_shape shape_LayerVersionArn = {
    .name = "LayerVersionArn", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 2048,
    .pattern = "((arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?"
               "-[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+"
               ":lambda:::awslayer:[a-zA-Z0-9-_]+))",
    .recorded_pattern = "(arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-"
                        "[a-z]+-\\d{1}:\\d{12}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:"
                        "lambda:::awslayer:[a-zA-Z0-9-_]+)",
};

static const struct lambda_shape shape_LayerList = {
    .name = "LayerList", .type = LAMBDA_LIST, .item = &shape_LayerVersionArn,
};

static const struct lambda_shape shape_FileSystemArn = {
    .name = "FileSystemArn", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 256,
    .pattern = "arn:aws[a-zA-Z-]*:elasticfilesystem:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z"
               "]?)))?-[a-z]+-\\d{1}:\\d{12}:access-point/fsap-[a-f0-9]{17}$|^arn:aws["
               "-a-z]*:s3files:[0-9a-z-:]+:file-system/fs-[0-9a-f]{17,40}/access-point"
               "/fsap-[0-9a-f]{17,40}",
};

static const struct lambda_shape shape_LocalMountPath = {
    .name = "LocalMountPath", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 160, .pattern = "/mnt/[a-zA-Z0-9-_.]+",
};

static const char *const values_DirectS3Read[] = {
    "ENABLED", "DISABLED", "AUTO", NULL,
};
static const struct lambda_shape shape_DirectS3Read = {
    .name = "DirectS3Read", .type = LAMBDA_STRING, .values = values_DirectS3Read,
};

static const struct lambda_member members_S3FilesConfig[] = {
    {"DirectS3Read", "DirectS3Read", &shape_DirectS3Read, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_S3FilesConfig = {
    .name = "S3FilesConfig", .type = LAMBDA_STRUCTURE, .members = members_S3FilesConfig,
    .members_len = ARRAY_LEN(members_S3FilesConfig),
};

static const struct lambda_member members_FileSystemConfig[] = {
    {"Arn", "Arn", &shape_FileSystemArn, LAMBDA_IN_BODY, true, false},
    {"LocalMountPath", "LocalMountPath", &shape_LocalMountPath, LAMBDA_IN_BODY, true, false},
    {"S3FilesConfig", "S3FilesConfig", &shape_S3FilesConfig, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_FileSystemConfig = {
    .name = "FileSystemConfig", .type = LAMBDA_STRUCTURE, .members = members_FileSystemConfig,
    .members_len = ARRAY_LEN(members_FileSystemConfig),
};

static const struct lambda_shape shape_FileSystemConfigList = {
    .name = "FileSystemConfigList", .type = LAMBDA_LIST, .has_min = true, .min = 0, .has_max = true,
    .max = 1, .item = &shape_FileSystemConfig,
};

static const struct lambda_shape shape_CodeSigningConfigArn = {
    .name = "CodeSigningConfigArn", .type = LAMBDA_STRING, .has_min = true, .min = 0,
    .has_max = true, .max = 200,
    .pattern = "arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-["
               "a-z]+-\\d{1}:\\d{12}:code-signing-config:csc-[a-z0-9]{17}",
};

static const struct lambda_shape shape_StringList = {
    .name = "StringList", .type = LAMBDA_LIST, .has_min = true, .min = 0, .has_max = true,
    .max = 1500, .item = &shape_String,
};

static const struct lambda_shape shape_WorkingDirectory = {
    .name = "WorkingDirectory", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 1000,
};

static const struct lambda_member members_ImageConfig[] = {
    {"EntryPoint", "EntryPoint", &shape_StringList, LAMBDA_IN_BODY, false, false},
    {"Command", "Command", &shape_StringList, LAMBDA_IN_BODY, false, false},
    {"WorkingDirectory", "WorkingDirectory", &shape_WorkingDirectory, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ImageConfig = {
    .name = "ImageConfig", .type = LAMBDA_STRUCTURE, .members = members_ImageConfig,
    .members_len = ARRAY_LEN(members_ImageConfig),
};

static const struct lambda_shape shape_EphemeralStorageSize = {
    .name = "EphemeralStorageSize", .type = LAMBDA_INTEGER, .has_min = true, .min = 512,
    .has_max = true, .max = 32768,
};

static const struct lambda_member members_EphemeralStorage[] = {
    {"Size", "Size", &shape_EphemeralStorageSize, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_EphemeralStorage = {
    .name = "EphemeralStorage", .type = LAMBDA_STRUCTURE, .members = members_EphemeralStorage,
    .members_len = ARRAY_LEN(members_EphemeralStorage),
};

static const char *const values_SnapStartApplyOn[] = {
    "PublishedVersions", "None", NULL,
};
static const struct lambda_shape shape_SnapStartApplyOn = {
    .name = "SnapStartApplyOn", .type = LAMBDA_STRING, .values = values_SnapStartApplyOn,
};

static const struct lambda_member members_SnapStart[] = {
    {"ApplyOn", "ApplyOn", &shape_SnapStartApplyOn, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_SnapStart = {
    .name = "SnapStart", .type = LAMBDA_STRUCTURE, .members = members_SnapStart,
    .members_len = ARRAY_LEN(members_SnapStart),
};

static const char *const values_LogFormat[] = {
    "JSON", "Text", NULL,
};
static const struct lambda_shape shape_LogFormat = {
    .name = "LogFormat", .type = LAMBDA_STRING, .values = values_LogFormat,
};

static const char *const values_ApplicationLogLevel[] = {
    "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", NULL,
};
static const struct lambda_shape shape_ApplicationLogLevel = {
    .name = "ApplicationLogLevel", .type = LAMBDA_STRING, .values = values_ApplicationLogLevel,
};

static const struct lambda_member members_LoggingConfig[] = {
    {"LogFormat", "LogFormat", &shape_LogFormat, LAMBDA_IN_BODY, false, false},
    {"ApplicationLogLevel", "ApplicationLogLevel",
     &shape_ApplicationLogLevel, LAMBDA_IN_BODY, false, false},
    {"SystemLogLevel", "SystemLogLevel", &shape_SystemLogLevel, LAMBDA_IN_BODY, false, false},
    {"LogGroup", "LogGroup", &shape_LogGroup, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_LoggingConfig = {
    .name = "LoggingConfig", .type = LAMBDA_STRUCTURE, .members = members_LoggingConfig,
    .members_len = ARRAY_LEN(members_LoggingConfig),
};

static const char *const values_TenantIsolationMode[] = {
    "PER_TENANT", NULL,
};
static const struct lambda_shape shape_TenantIsolationMode = {
    .name = "TenantIsolationMode", .type = LAMBDA_STRING, .values = values_TenantIsolationMode,
};

static const struct lambda_member members_TenancyConfig[] = {
    {"TenantIsolationMode", "TenantIsolationMode",
     &shape_TenantIsolationMode, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_TenancyConfig = {
    .name = "TenancyConfig", .type = LAMBDA_STRUCTURE, .members = members_TenancyConfig,
    .members_len = ARRAY_LEN(members_TenancyConfig),
};

static const struct lambda_shape shape_CapacityProviderArn = {
    .name = "CapacityProviderArn", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 140,
    .pattern = "arn:aws[a-zA-Z-]*:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z"
               "]+-\\d{1}:\\d{12}:capacity-provider:[a-zA-Z0-9-_]+",
};

static const struct lambda_shape shape_PerExecutionEnvironmentMaxConcurrency = {
    .name = "PerExecutionEnvironmentMaxConcurrency", .type = LAMBDA_INTEGER, .has_min = true,
    .min = 1, .has_max = true, .max = 1600,
};

static const struct lambda_shape shape_ExecutionEnvironmentMemoryGiBPerVCpu = {
    .name = "ExecutionEnvironmentMemoryGiBPerVCpu", .type = LAMBDA_DOUBLE, .has_min = true,
    .min = 2, .has_max = true, .max = 8,
};

static const struct lambda_member members_LambdaManagedInstancesCapacityProviderConfig[] = {
    {"CapacityProviderArn", "CapacityProviderArn",
     &shape_CapacityProviderArn, LAMBDA_IN_BODY, true, false},
    {"PerExecutionEnvironmentMaxConcurrency", "PerExecutionEnvironmentMaxConcurrency",
     &shape_PerExecutionEnvironmentMaxConcurrency, LAMBDA_IN_BODY, false, false},
    {"ExecutionEnvironmentMemoryGiBPerVCpu", "ExecutionEnvironmentMemoryGiBPerVCpu",
     &shape_ExecutionEnvironmentMemoryGiBPerVCpu, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_LambdaManagedInstancesCapacityProviderConfig = {
    .name = "LambdaManagedInstancesCapacityProviderConfig", .type = LAMBDA_STRUCTURE,
    .members = members_LambdaManagedInstancesCapacityProviderConfig,
    .members_len = ARRAY_LEN(members_LambdaManagedInstancesCapacityProviderConfig),
};

static const struct lambda_member members_CapacityProviderConfig[] = {
    {"LambdaManagedInstancesCapacityProviderConfig", "LambdaManagedInstancesCapacityProviderConfig",
     &shape_LambdaManagedInstancesCapacityProviderConfig, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_CapacityProviderConfig = {
    .name = "CapacityProviderConfig", .type = LAMBDA_STRUCTURE,
    .members = members_CapacityProviderConfig,
    .members_len = ARRAY_LEN(members_CapacityProviderConfig),
};

static const struct lambda_shape shape_RetentionPeriodInDays = {
    .name = "RetentionPeriodInDays", .type = LAMBDA_INTEGER, .has_min = true, .min = 1,
    .has_max = true, .max = 90,
};

static const struct lambda_shape shape_ExecutionTimeout = {
    .name = "ExecutionTimeout", .type = LAMBDA_INTEGER, .has_min = true, .min = 1, .has_max = true,
    .max = 31622400,
};

static const struct lambda_member members_DurableConfig[] = {
    {"KMSKeyArn", "KMSKeyArn", &shape_KMSKeyArn, LAMBDA_IN_BODY, false, false},
    {"RetentionPeriodInDays", "RetentionPeriodInDays",
     &shape_RetentionPeriodInDays, LAMBDA_IN_BODY, false, false},
    {"ExecutionTimeout", "ExecutionTimeout", &shape_ExecutionTimeout, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_DurableConfig = {
    .name = "DurableConfig", .type = LAMBDA_STRUCTURE, .members = members_DurableConfig,
    .members_len = ARRAY_LEN(members_DurableConfig),
};

static const struct lambda_shape shape_FunctionRuntimeArn = {
    .name = "FunctionRuntimeArn", .type = LAMBDA_STRING, .has_min = true, .min = 48,
    .has_max = true, .max = 2048, .pattern = "arn:[a-z-]+:lambda:[a-z0-9-]+:\\d{12}:runtime/.+",
};

static const struct lambda_shape shape_FunctionRuntimeAlias = {
    .name = "FunctionRuntimeAlias", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 128,
};

static const struct lambda_member members_FunctionRuntimeConfig[] = {
    {"RuntimeArn", "RuntimeArn", &shape_FunctionRuntimeArn, LAMBDA_IN_BODY, true, false},
    {"RuntimeAlias", "RuntimeAlias", &shape_FunctionRuntimeAlias, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_FunctionRuntimeConfig = {
    .name = "FunctionRuntimeConfig", .type = LAMBDA_STRUCTURE,
    .members = members_FunctionRuntimeConfig,
    .members_len = ARRAY_LEN(members_FunctionRuntimeConfig),
};

static const struct lambda_shape shape_AcceleratorMemoryGB = {
    .name = "AcceleratorMemoryGB", .type = LAMBDA_INTEGER,
};

static const struct lambda_member members_AcceleratorConfig[] = {
    {"AcceleratorMemorySize", "AcceleratorMemorySize",
     &shape_AcceleratorMemoryGB, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_AcceleratorConfig = {
    .name = "AcceleratorConfig", .type = LAMBDA_STRUCTURE, .members = members_AcceleratorConfig,
    .members_len = ARRAY_LEN(members_AcceleratorConfig),
};

static const struct lambda_member members_CreateFunctionRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_BODY, true, false},
    {"Runtime", "Runtime", &shape_Runtime, LAMBDA_IN_BODY, false, true},
    {"Role", "Role", &shape_RoleArn, LAMBDA_IN_BODY, true, false},
    {"Handler", "Handler", &shape_Handler, LAMBDA_IN_BODY, false, false},
    {"Code", "Code", &shape_FunctionCode, LAMBDA_IN_BODY, true, false},
    {"Description", "Description", &shape_Description, LAMBDA_IN_BODY, false, false},
    {"Timeout", "Timeout", &shape_Timeout, LAMBDA_IN_BODY, false, false},
    {"MemorySize", "MemorySize", &shape_MemorySize, LAMBDA_IN_BODY, false, false},
    {"Publish", "Publish", &shape_Boolean, LAMBDA_IN_BODY, false, false},
    {"PublishTo", "PublishTo", &shape_FunctionVersionLatestPublished, LAMBDA_IN_BODY, false, false},
    {"VpcConfig", "VpcConfig", &shape_VpcConfig, LAMBDA_IN_BODY, false, false},
    {"PackageType", "PackageType", &shape_PackageType, LAMBDA_IN_BODY, false, false},
    {"DeadLetterConfig", "DeadLetterConfig", &shape_DeadLetterConfig, LAMBDA_IN_BODY, false, false},
    {"Environment", "Environment", &shape_Environment, LAMBDA_IN_BODY, false, false},
    {"KMSKeyArn", "KMSKeyArn", &shape_KMSKeyArn, LAMBDA_IN_BODY, false, false},
    {"TracingConfig", "TracingConfig", &shape_TracingConfig, LAMBDA_IN_BODY, false, false},
    {"Tags", "Tags", &shape_Tags, LAMBDA_IN_BODY, false, false},
    {"Layers", "Layers", &shape_LayerList, LAMBDA_IN_BODY, false, false},
    {"FileSystemConfigs", "FileSystemConfigs",
     &shape_FileSystemConfigList, LAMBDA_IN_BODY, false, false},
    {"CodeSigningConfigArn", "CodeSigningConfigArn",
     &shape_CodeSigningConfigArn, LAMBDA_IN_BODY, false, false},
    {"ImageConfig", "ImageConfig", &shape_ImageConfig, LAMBDA_IN_BODY, false, false},
    {"Architectures", "Architectures", &shape_ArchitecturesList, LAMBDA_IN_BODY, false, false},
    {"EphemeralStorage", "EphemeralStorage", &shape_EphemeralStorage, LAMBDA_IN_BODY, false, false},
    {"SnapStart", "SnapStart", &shape_SnapStart, LAMBDA_IN_BODY, false, false},
    {"LoggingConfig", "LoggingConfig", &shape_LoggingConfig, LAMBDA_IN_BODY, false, false},
    {"TenancyConfig", "TenancyConfig", &shape_TenancyConfig, LAMBDA_IN_BODY, false, false},
    {"CapacityProviderConfig", "CapacityProviderConfig",
     &shape_CapacityProviderConfig, LAMBDA_IN_BODY, false, false},
    {"DurableConfig", "DurableConfig", &shape_DurableConfig, LAMBDA_IN_BODY, false, false},
    {"RuntimeConfig", "RuntimeConfig", &shape_FunctionRuntimeConfig, LAMBDA_IN_BODY, false, false},
    {"AcceleratorConfig", "AcceleratorConfig",
     &shape_AcceleratorConfig, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CreateFunctionRequest = {
    .name = "CreateFunctionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_CreateFunctionRequest,
    .members_len = ARRAY_LEN(members_CreateFunctionRequest),
};

static const struct lambda_shape shape_FunctionUrlFunctionName = {
    .name = "FunctionUrlFunctionName", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 140,
    .pattern = "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?))"
               ")?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]{1,64})(:((?!"
               "\\d+$)[0-9a-zA-Z-_]+))?",
};

static const struct lambda_shape shape_FunctionUrlQualifier = {
    .name = "FunctionUrlQualifier", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 128, .pattern = "((?!^\\d+$)^[0-9a-zA-Z-_]+$)",
};

static const struct lambda_shape shape_AllowCredentials = {
    .name = "AllowCredentials", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_shape shape_Header = {
    .name = "Header", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 1024, .pattern = ".*",
};

static const struct lambda_shape shape_HeadersList = {
    .name = "HeadersList", .type = LAMBDA_LIST, .has_min = true, .min = 0, .has_max = true,
    .max = 100, .item = &shape_Header,
};

static const struct lambda_shape shape_Method = {
    .name = "Method", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true, .max = 6,
    .pattern = ".*",
};

static const struct lambda_shape shape_AllowMethodsList = {
    .name = "AllowMethodsList", .type = LAMBDA_LIST, .has_min = true, .min = 0, .has_max = true,
    .max = 6, .item = &shape_Method,
};

static const struct lambda_shape shape_Origin = {
    .name = "Origin", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true, .max = 253,
    .pattern = ".*",
};

static const struct lambda_shape shape_AllowOriginsList = {
    .name = "AllowOriginsList", .type = LAMBDA_LIST, .has_min = true, .min = 0, .has_max = true,
    .max = 100, .item = &shape_Origin,
};

static const struct lambda_shape shape_MaxAge = {
    .name = "MaxAge", .type = LAMBDA_INTEGER, .has_min = true, .min = 0, .has_max = true,
    .max = 86400,
};

static const struct lambda_member members_Cors[] = {
    {"AllowCredentials", "AllowCredentials", &shape_AllowCredentials, LAMBDA_IN_BODY, false, false},
    {"AllowHeaders", "AllowHeaders", &shape_HeadersList, LAMBDA_IN_BODY, false, false},
    {"AllowMethods", "AllowMethods", &shape_AllowMethodsList, LAMBDA_IN_BODY, false, false},
    {"AllowOrigins", "AllowOrigins", &shape_AllowOriginsList, LAMBDA_IN_BODY, false, false},
    {"ExposeHeaders", "ExposeHeaders", &shape_HeadersList, LAMBDA_IN_BODY, false, false},
    {"MaxAge", "MaxAge", &shape_MaxAge, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_Cors = {
    .name = "Cors", .type = LAMBDA_STRUCTURE, .members = members_Cors,
    .members_len = ARRAY_LEN(members_Cors),
};

static const char *const values_InvokeMode[] = {
    "BUFFERED", "RESPONSE_STREAM", NULL,
};
static const char *const recorded_values_InvokeMode[] = {
    "RESPONSE_STREAM", "BUFFERED", NULL,
};
static const struct lambda_shape shape_InvokeMode = {
    .name = "InvokeMode", .type = LAMBDA_STRING, .values = values_InvokeMode,
    .recorded_values = recorded_values_InvokeMode,
};

static const struct lambda_member members_CreateFunctionUrlConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionUrlFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier", &shape_FunctionUrlQualifier, LAMBDA_IN_QUERY, false, false},
    {"AuthType", "AuthType", &shape_FunctionUrlAuthType, LAMBDA_IN_BODY, true, false},
    {"Cors", "Cors", &shape_Cors, LAMBDA_IN_BODY, false, false},
    {"InvokeMode", "InvokeMode", &shape_InvokeMode, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CreateFunctionUrlConfigRequest = {
    .name = "CreateFunctionUrlConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_CreateFunctionUrlConfigRequest,
    .members_len = ARRAY_LEN(members_CreateFunctionUrlConfigRequest),
};

static const struct lambda_member members_DeleteAliasRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"Name", "Name", &shape_Alias, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_DeleteAliasRequest = {
    .name = "DeleteAliasRequest", .type = LAMBDA_STRUCTURE, .members = members_DeleteAliasRequest,
    .members_len = ARRAY_LEN(members_DeleteAliasRequest),
};

static const struct lambda_member members_DeleteCapacityProviderRequest[] = {
    {"CapacityProviderName", "CapacityProviderName",
     &shape_CapacityProviderName, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_DeleteCapacityProviderRequest = {
    .name = "DeleteCapacityProviderRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteCapacityProviderRequest,
    .members_len = ARRAY_LEN(members_DeleteCapacityProviderRequest),
};

static const struct lambda_member members_DeleteCodeSigningConfigRequest[] = {
    {"CodeSigningConfigArn", "CodeSigningConfigArn",
     &shape_CodeSigningConfigArn, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_DeleteCodeSigningConfigRequest = {
    .name = "DeleteCodeSigningConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteCodeSigningConfigRequest,
    .members_len = ARRAY_LEN(members_DeleteCodeSigningConfigRequest),
};

static const struct lambda_member members_DeleteDurableExecutionRequest[] = {
    {"DurableExecutionArn", "DurableExecutionArn",
     &shape_DurableExecutionArn, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_DeleteDurableExecutionRequest = {
    .name = "DeleteDurableExecutionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteDurableExecutionRequest,
    .members_len = ARRAY_LEN(members_DeleteDurableExecutionRequest),
};

static const struct lambda_shape shape_UUIDString = {
    .name = "UUIDString", .type = LAMBDA_STRING, .has_min = true, .min = 36, .has_max = true,
    .max = 36,
};

static const struct lambda_member members_DeleteEventSourceMappingRequest[] = {
    {"UUID", "UUID", &shape_UUIDString, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_DeleteEventSourceMappingRequest = {
    .name = "DeleteEventSourceMappingRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteEventSourceMappingRequest,
    .members_len = ARRAY_LEN(members_DeleteEventSourceMappingRequest),
};

static const struct lambda_member members_DeleteFunctionRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_DeleteFunctionRequest = {
    .name = "DeleteFunctionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteFunctionRequest,
    .members_len = ARRAY_LEN(members_DeleteFunctionRequest),
};

static const struct lambda_member members_DeleteFunctionCodeSigningConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_DeleteFunctionCodeSigningConfigRequest = {
    .name = "DeleteFunctionCodeSigningConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteFunctionCodeSigningConfigRequest,
    .members_len = ARRAY_LEN(members_DeleteFunctionCodeSigningConfigRequest),
};

static const struct lambda_member members_DeleteFunctionConcurrencyRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_DeleteFunctionConcurrencyRequest = {
    .name = "DeleteFunctionConcurrencyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteFunctionConcurrencyRequest,
    .members_len = ARRAY_LEN(members_DeleteFunctionConcurrencyRequest),
};

static const struct lambda_member members_DeleteFunctionEventInvokeConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_DeleteFunctionEventInvokeConfigRequest = {
    .name = "DeleteFunctionEventInvokeConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteFunctionEventInvokeConfigRequest,
    .members_len = ARRAY_LEN(members_DeleteFunctionEventInvokeConfigRequest),
};

static const struct lambda_member members_DeleteFunctionUrlConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionUrlFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier", &shape_FunctionUrlQualifier, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_DeleteFunctionUrlConfigRequest = {
    .name = "DeleteFunctionUrlConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteFunctionUrlConfigRequest,
    .members_len = ARRAY_LEN(members_DeleteFunctionUrlConfigRequest),
};

static const struct lambda_member members_DeleteLayerVersionRequest[] = {
    {"LayerName", "LayerName", &shape_LayerNameOrArn, LAMBDA_IN_URI, true, false},
    {"VersionNumber", "VersionNumber", &shape_LayerVersionNumber, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_DeleteLayerVersionRequest = {
    .name = "DeleteLayerVersionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteLayerVersionRequest,
    .members_len = ARRAY_LEN(members_DeleteLayerVersionRequest),
};

static const struct lambda_shape shape_Qualifier = {
    .name = "Qualifier", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 128, .pattern = "(|[a-zA-Z0-9$_-]+)",
};

static const struct lambda_member members_DeleteProvisionedConcurrencyConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier", &shape_Qualifier, LAMBDA_IN_QUERY, true, false},
};
static const struct lambda_shape shape_DeleteProvisionedConcurrencyConfigRequest = {
    .name = "DeleteProvisionedConcurrencyConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteProvisionedConcurrencyConfigRequest,
    .members_len = ARRAY_LEN(members_DeleteProvisionedConcurrencyConfigRequest),
};

static const struct lambda_shape shape_PolicyResourceArn = {
    .name = "PolicyResourceArn", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 512,
    .pattern = "arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-["
               "a-z]+-\\d{1}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST(\\.PUBLISHED"
               ")?|[a-zA-Z0-9-_])+)?|runtime/[a-zA-Z0-9-_./]+)",
};

static const struct lambda_shape shape_RevisionId = {
    .name = "RevisionId", .type = LAMBDA_STRING, .has_min = true, .min = 36, .has_max = true,
    .max = 36, .pattern = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
};

static const struct lambda_member members_DeleteResourcePolicyRequest[] = {
    {"ResourceArn", "ResourceArn", &shape_PolicyResourceArn, LAMBDA_IN_URI, true, false},
    {"RevisionId", "RevisionId", &shape_RevisionId, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_DeleteResourcePolicyRequest = {
    .name = "DeleteResourcePolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteResourcePolicyRequest,
    .members_len = ARRAY_LEN(members_DeleteResourcePolicyRequest),
};

static const struct lambda_shape shape_GetAccountSettingsRequest = {
    .name = "GetAccountSettingsRequest", .type = LAMBDA_STRUCTURE,
};

static const struct lambda_member members_GetAliasRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"Name", "Name", &shape_Alias, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_GetAliasRequest = {
    .name = "GetAliasRequest", .type = LAMBDA_STRUCTURE, .members = members_GetAliasRequest,
    .members_len = ARRAY_LEN(members_GetAliasRequest),
};

static const struct lambda_member members_GetCapacityProviderRequest[] = {
    {"CapacityProviderName", "CapacityProviderName",
     &shape_CapacityProviderName, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_GetCapacityProviderRequest = {
    .name = "GetCapacityProviderRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetCapacityProviderRequest,
    .members_len = ARRAY_LEN(members_GetCapacityProviderRequest),
};

static const struct lambda_member members_GetCodeSigningConfigRequest[] = {
    {"CodeSigningConfigArn", "CodeSigningConfigArn",
     &shape_CodeSigningConfigArn, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_GetCodeSigningConfigRequest = {
    .name = "GetCodeSigningConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetCodeSigningConfigRequest,
    .members_len = ARRAY_LEN(members_GetCodeSigningConfigRequest),
};

static const struct lambda_shape shape_IncludeExecutionData = {
    .name = "IncludeExecutionData", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_member members_GetDurableExecutionRequest[] = {
    {"DurableExecutionArn", "DurableExecutionArn",
     &shape_DurableExecutionArn, LAMBDA_IN_URI, true, false},
    {"IncludeExecutionData", "IncludeExecutionData",
     &shape_IncludeExecutionData, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_GetDurableExecutionRequest = {
    .name = "GetDurableExecutionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetDurableExecutionRequest,
    .members_len = ARRAY_LEN(members_GetDurableExecutionRequest),
};

static const struct lambda_shape shape_ItemCount = {
    .name = "ItemCount", .type = LAMBDA_INTEGER, .has_min = true, .min = 0, .has_max = true,
    .max = 1000,
};

static const struct lambda_shape shape_ReverseOrder = {
    .name = "ReverseOrder", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_member members_GetDurableExecutionHistoryRequest[] = {
    {"DurableExecutionArn", "DurableExecutionArn",
     &shape_DurableExecutionArn, LAMBDA_IN_URI, true, false},
    {"IncludeExecutionData", "IncludeExecutionData",
     &shape_IncludeExecutionData, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_ItemCount, LAMBDA_IN_QUERY, false, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"ReverseOrder", "ReverseOrder", &shape_ReverseOrder, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_GetDurableExecutionHistoryRequest = {
    .name = "GetDurableExecutionHistoryRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetDurableExecutionHistoryRequest,
    .members_len = ARRAY_LEN(members_GetDurableExecutionHistoryRequest),
};

static const struct lambda_member members_GetDurableExecutionStateRequest[] = {
    {"DurableExecutionArn", "DurableExecutionArn",
     &shape_DurableExecutionArn, LAMBDA_IN_URI, true, false},
    {"CheckpointToken", "CheckpointToken", &shape_CheckpointToken, LAMBDA_IN_QUERY, true, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_ItemCount, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_GetDurableExecutionStateRequest = {
    .name = "GetDurableExecutionStateRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetDurableExecutionStateRequest,
    .members_len = ARRAY_LEN(members_GetDurableExecutionStateRequest),
};

static const struct lambda_member members_GetEventSourceMappingRequest[] = {
    {"UUID", "UUID", &shape_UUIDString, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_GetEventSourceMappingRequest = {
    .name = "GetEventSourceMappingRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetEventSourceMappingRequest,
    .members_len = ARRAY_LEN(members_GetEventSourceMappingRequest),
};

static const struct lambda_member members_GetFunctionRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_GetFunctionRequest = {
    .name = "GetFunctionRequest", .type = LAMBDA_STRUCTURE, .members = members_GetFunctionRequest,
    .members_len = ARRAY_LEN(members_GetFunctionRequest),
};

static const struct lambda_member members_GetFunctionCodeSigningConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_GetFunctionCodeSigningConfigRequest = {
    .name = "GetFunctionCodeSigningConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetFunctionCodeSigningConfigRequest,
    .members_len = ARRAY_LEN(members_GetFunctionCodeSigningConfigRequest),
};

static const struct lambda_member members_GetFunctionConcurrencyRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_GetFunctionConcurrencyRequest = {
    .name = "GetFunctionConcurrencyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetFunctionConcurrencyRequest,
    .members_len = ARRAY_LEN(members_GetFunctionConcurrencyRequest),
};

static const struct lambda_member members_GetFunctionConfigurationRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_GetFunctionConfigurationRequest = {
    .name = "GetFunctionConfigurationRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetFunctionConfigurationRequest,
    .members_len = ARRAY_LEN(members_GetFunctionConfigurationRequest),
};

static const struct lambda_member members_GetFunctionEventInvokeConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_GetFunctionEventInvokeConfigRequest = {
    .name = "GetFunctionEventInvokeConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetFunctionEventInvokeConfigRequest,
    .members_len = ARRAY_LEN(members_GetFunctionEventInvokeConfigRequest),
};

static const struct lambda_shape shape_UnqualifiedFunctionName = {
    .name = "UnqualifiedFunctionName", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 140,
    .pattern = "(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?))"
               ")?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)",
};

static const struct lambda_member members_GetFunctionRecursionConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_UnqualifiedFunctionName, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_GetFunctionRecursionConfigRequest = {
    .name = "GetFunctionRecursionConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetFunctionRecursionConfigRequest,
    .members_len = ARRAY_LEN(members_GetFunctionRecursionConfigRequest),
};

static const struct lambda_shape shape_PublishedFunctionQualifier = {
    .name = "PublishedFunctionQualifier", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 128, .pattern = "(\\$LATEST\\.PUBLISHED|[0-9]+)",
};

static const struct lambda_member members_GetFunctionScalingConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_UnqualifiedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier", &shape_PublishedFunctionQualifier, LAMBDA_IN_QUERY, true, false},
};
static const struct lambda_shape shape_GetFunctionScalingConfigRequest = {
    .name = "GetFunctionScalingConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetFunctionScalingConfigRequest,
    .members_len = ARRAY_LEN(members_GetFunctionScalingConfigRequest),
};

static const struct lambda_member members_GetFunctionUrlConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionUrlFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier", &shape_FunctionUrlQualifier, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_GetFunctionUrlConfigRequest = {
    .name = "GetFunctionUrlConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetFunctionUrlConfigRequest,
    .members_len = ARRAY_LEN(members_GetFunctionUrlConfigRequest),
};

static const struct lambda_member members_GetLayerVersionRequest[] = {
    {"LayerName", "LayerName", &shape_LayerNameOrArn, LAMBDA_IN_URI, true, false},
    {"VersionNumber", "VersionNumber", &shape_LayerVersionNumber, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_GetLayerVersionRequest = {
    .name = "GetLayerVersionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetLayerVersionRequest,
    .members_len = ARRAY_LEN(members_GetLayerVersionRequest),
};

static const struct lambda_member members_GetLayerVersionByArnRequest[] = {
    {"Arn", "Arn", &shape_LayerVersionArn, LAMBDA_IN_QUERY, true, false},
};
static const struct lambda_shape shape_GetLayerVersionByArnRequest = {
    .name = "GetLayerVersionByArnRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetLayerVersionByArnRequest,
    .members_len = ARRAY_LEN(members_GetLayerVersionByArnRequest),
};

static const struct lambda_member members_GetLayerVersionPolicyRequest[] = {
    {"LayerName", "LayerName", &shape_LayerNameOrArn, LAMBDA_IN_URI, true, false},
    {"VersionNumber", "VersionNumber", &shape_LayerVersionNumber, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_GetLayerVersionPolicyRequest = {
    .name = "GetLayerVersionPolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetLayerVersionPolicyRequest,
    .members_len = ARRAY_LEN(members_GetLayerVersionPolicyRequest),
};

static const struct lambda_member members_GetPolicyRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_GetPolicyRequest = {
    .name = "GetPolicyRequest", .type = LAMBDA_STRUCTURE, .members = members_GetPolicyRequest,
    .members_len = ARRAY_LEN(members_GetPolicyRequest),
};

static const struct lambda_member members_GetProvisionedConcurrencyConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier", &shape_Qualifier, LAMBDA_IN_QUERY, true, false},
};
static const struct lambda_shape shape_GetProvisionedConcurrencyConfigRequest = {
    .name = "GetProvisionedConcurrencyConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetProvisionedConcurrencyConfigRequest,
    .members_len = ARRAY_LEN(members_GetProvisionedConcurrencyConfigRequest),
};

static const struct lambda_member members_GetResourcePolicyRequest[] = {
    {"ResourceArn", "ResourceArn", &shape_PolicyResourceArn, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_GetResourcePolicyRequest = {
    .name = "GetResourcePolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetResourcePolicyRequest,
    .members_len = ARRAY_LEN(members_GetResourcePolicyRequest),
};

static const struct lambda_member members_GetRuntimeManagementConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_GetRuntimeManagementConfigRequest = {
    .name = "GetRuntimeManagementConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_GetRuntimeManagementConfigRequest,
    .members_len = ARRAY_LEN(members_GetRuntimeManagementConfigRequest),
};

static const char *const values_InvocationType[] = {
    "Event", "RequestResponse", "DryRun", NULL,
};
static const struct lambda_shape shape_InvocationType = {
    .name = "InvocationType", .type = LAMBDA_STRING, .values = values_InvocationType,
};

static const char *const values_LogType[] = {
    "None", "Tail", NULL,
};
static const struct lambda_shape shape_LogType = {
    .name = "LogType", .type = LAMBDA_STRING, .values = values_LogType,
};

static const struct lambda_shape shape_DurableExecutionName = {
    .name = "DurableExecutionName", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 64, .pattern = "[a-zA-Z0-9-_]+",
};

static const struct lambda_member members_InvocationRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"InvocationType", "X-Amz-Invocation-Type",
     &shape_InvocationType, LAMBDA_IN_HEADER, false, false},
    {"LogType", "X-Amz-Log-Type", &shape_LogType, LAMBDA_IN_HEADER, false, false},
    {"ClientContext", "X-Amz-Client-Context", &shape_String, LAMBDA_IN_HEADER, false, false},
    {"DurableExecutionName", "X-Amz-Durable-Execution-Name",
     &shape_DurableExecutionName, LAMBDA_IN_HEADER, false, false},
    {"Payload", "Payload", &shape_Blob, LAMBDA_IN_PAYLOAD, false, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
    {"TenantId", "X-Amz-Tenant-Id", &shape_TenantId, LAMBDA_IN_HEADER, false, false},
};
static const struct lambda_shape shape_InvocationRequest = {
    .name = "InvocationRequest", .type = LAMBDA_STRUCTURE, .members = members_InvocationRequest,
    .members_len = ARRAY_LEN(members_InvocationRequest),
};

static const struct lambda_shape shape_BlobStream = {
    .name = "BlobStream", .type = LAMBDA_BLOB,
};

static const struct lambda_member members_InvokeAsyncRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"InvokeArgs", "InvokeArgs", &shape_BlobStream, LAMBDA_IN_PAYLOAD, true, false},
};
static const struct lambda_shape shape_InvokeAsyncRequest = {
    .name = "InvokeAsyncRequest", .type = LAMBDA_STRUCTURE, .members = members_InvokeAsyncRequest,
    .members_len = ARRAY_LEN(members_InvokeAsyncRequest),
};

static const char *const values_ResponseStreamingInvocationType[] = {
    "RequestResponse", "DryRun", NULL,
};
static const struct lambda_shape shape_ResponseStreamingInvocationType = {
    .name = "ResponseStreamingInvocationType", .type = LAMBDA_STRING,
    .values = values_ResponseStreamingInvocationType,
};

static const struct lambda_member members_InvokeWithResponseStreamRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"LogType", "X-Amz-Log-Type", &shape_LogType, LAMBDA_IN_HEADER, false, false},
    {"ClientContext", "X-Amz-Client-Context", &shape_String, LAMBDA_IN_HEADER, false, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
    {"Payload", "Payload", &shape_Blob, LAMBDA_IN_PAYLOAD, false, false},
    {"TenantId", "X-Amz-Tenant-Id", &shape_TenantId, LAMBDA_IN_HEADER, false, false},
    {"InvocationType", "X-Amz-Invocation-Type",
     &shape_ResponseStreamingInvocationType, LAMBDA_IN_HEADER, false, false},
};
static const struct lambda_shape shape_InvokeWithResponseStreamRequest = {
    .name = "InvokeWithResponseStreamRequest", .type = LAMBDA_STRUCTURE,
    .members = members_InvokeWithResponseStreamRequest,
    .members_len = ARRAY_LEN(members_InvokeWithResponseStreamRequest),
};

static const struct lambda_shape shape_MaxListItems = {
    .name = "MaxListItems", .type = LAMBDA_INTEGER, .has_min = true, .min = 1, .has_max = true,
    .max = 10000,
};

static const struct lambda_member members_ListAliasesRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"FunctionVersion", "FunctionVersion",
     &shape_VersionWithLatestPublished, LAMBDA_IN_QUERY, false, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_MaxListItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListAliasesRequest = {
    .name = "ListAliasesRequest", .type = LAMBDA_STRUCTURE, .members = members_ListAliasesRequest,
    .members_len = ARRAY_LEN(members_ListAliasesRequest),
};

static const char *const values_CapacityProviderState[] = {
    "Pending", "Active", "Failed", "Deleting", NULL,
};
static const struct lambda_shape shape_CapacityProviderState = {
    .name = "CapacityProviderState", .type = LAMBDA_STRING, .values = values_CapacityProviderState,
};

static const struct lambda_shape shape_MaxFiftyListItems = {
    .name = "MaxFiftyListItems", .type = LAMBDA_INTEGER, .has_min = true, .min = 1, .has_max = true,
    .max = 50,
};

static const struct lambda_member members_ListCapacityProvidersRequest[] = {
    {"State", "State", &shape_CapacityProviderState, LAMBDA_IN_QUERY, false, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_MaxFiftyListItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListCapacityProvidersRequest = {
    .name = "ListCapacityProvidersRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListCapacityProvidersRequest,
    .members_len = ARRAY_LEN(members_ListCapacityProvidersRequest),
};

static const struct lambda_member members_ListCodeSigningConfigsRequest[] = {
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_MaxListItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListCodeSigningConfigsRequest = {
    .name = "ListCodeSigningConfigsRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListCodeSigningConfigsRequest,
    .members_len = ARRAY_LEN(members_ListCodeSigningConfigsRequest),
};

static const char *const values_ExecutionStatus[] = {
    "RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED", "DELETING", "PAUSING", "PAUSED", NULL,
};
static const struct lambda_shape shape_ExecutionStatus = {
    .name = "ExecutionStatus", .type = LAMBDA_STRING, .values = values_ExecutionStatus,
};

static const struct lambda_shape shape_ExecutionStatusList = {
    .name = "ExecutionStatusList", .type = LAMBDA_LIST, .has_min = true, .min = 1, .has_max = true,
    .max = 10, .item = &shape_ExecutionStatus,
};

static const struct lambda_shape shape_ExecutionTimestamp = {
    .name = "ExecutionTimestamp", .type = LAMBDA_TIMESTAMP,
};

static const struct lambda_member members_ListDurableExecutionsByFunctionRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
    {"DurableExecutionName", "DurableExecutionName",
     &shape_DurableExecutionName, LAMBDA_IN_QUERY, false, false},
    {"Statuses", "Statuses", &shape_ExecutionStatusList, LAMBDA_IN_QUERY, false, false},
    {"StartedAfter", "StartedAfter", &shape_ExecutionTimestamp, LAMBDA_IN_QUERY, false, false},
    {"StartedBefore", "StartedBefore", &shape_ExecutionTimestamp, LAMBDA_IN_QUERY, false, false},
    {"ReverseOrder", "ReverseOrder", &shape_ReverseOrder, LAMBDA_IN_QUERY, false, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_ItemCount, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListDurableExecutionsByFunctionRequest = {
    .name = "ListDurableExecutionsByFunctionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListDurableExecutionsByFunctionRequest,
    .members_len = ARRAY_LEN(members_ListDurableExecutionsByFunctionRequest),
};

static const struct lambda_member members_ListEventSourceMappingsRequest[] = {
    {"EventSourceArn", "EventSourceArn", &shape_Arn, LAMBDA_IN_QUERY, false, false},
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_QUERY, false, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_MaxListItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListEventSourceMappingsRequest = {
    .name = "ListEventSourceMappingsRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListEventSourceMappingsRequest,
    .members_len = ARRAY_LEN(members_ListEventSourceMappingsRequest),
};

static const struct lambda_shape shape_MaxFunctionEventInvokeConfigListItems = {
    .name = "MaxFunctionEventInvokeConfigListItems", .type = LAMBDA_INTEGER, .has_min = true,
    .min = 1, .has_max = true, .max = 50,
};

static const struct lambda_member members_ListFunctionEventInvokeConfigsRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems",
     &shape_MaxFunctionEventInvokeConfigListItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListFunctionEventInvokeConfigsRequest = {
    .name = "ListFunctionEventInvokeConfigsRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListFunctionEventInvokeConfigsRequest,
    .members_len = ARRAY_LEN(members_ListFunctionEventInvokeConfigsRequest),
};

static const struct lambda_shape shape_MaxItems = {
    .name = "MaxItems", .type = LAMBDA_INTEGER, .has_min = true, .min = 1, .has_max = true,
    .max = 50,
};

static const struct lambda_member members_ListFunctionUrlConfigsRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionUrlFunctionName, LAMBDA_IN_URI, true, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_MaxItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListFunctionUrlConfigsRequest = {
    .name = "ListFunctionUrlConfigsRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListFunctionUrlConfigsRequest,
    .members_len = ARRAY_LEN(members_ListFunctionUrlConfigsRequest),
};

static const struct lambda_member members_ListFunctionVersionsByCapacityProviderRequest[] = {
    {"CapacityProviderName", "CapacityProviderName",
     &shape_CapacityProviderName, LAMBDA_IN_URI, true, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_MaxFiftyListItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListFunctionVersionsByCapacityProviderRequest = {
    .name = "ListFunctionVersionsByCapacityProviderRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListFunctionVersionsByCapacityProviderRequest,
    .members_len = ARRAY_LEN(members_ListFunctionVersionsByCapacityProviderRequest),
};

static const struct lambda_shape shape_MasterRegion = {
    .name = "MasterRegion", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 50, .pattern = "ALL|(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}",
};

static const char *const values_FunctionVersion[] = {
    "ALL", NULL,
};
static const struct lambda_shape shape_FunctionVersion = {
    .name = "FunctionVersion", .type = LAMBDA_STRING, .values = values_FunctionVersion,
};

static const struct lambda_member members_ListFunctionsRequest[] = {
    {"MasterRegion", "MasterRegion", &shape_MasterRegion, LAMBDA_IN_QUERY, false, false},
    {"FunctionVersion", "FunctionVersion", &shape_FunctionVersion, LAMBDA_IN_QUERY, false, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_MaxListItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListFunctionsRequest = {
    .name = "ListFunctionsRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListFunctionsRequest, .members_len = ARRAY_LEN(members_ListFunctionsRequest),
};

static const struct lambda_member members_ListFunctionsByCodeSigningConfigRequest[] = {
    {"CodeSigningConfigArn", "CodeSigningConfigArn",
     &shape_CodeSigningConfigArn, LAMBDA_IN_URI, true, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_MaxListItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListFunctionsByCodeSigningConfigRequest = {
    .name = "ListFunctionsByCodeSigningConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListFunctionsByCodeSigningConfigRequest,
    .members_len = ARRAY_LEN(members_ListFunctionsByCodeSigningConfigRequest),
};

static const struct lambda_shape shape_MaxLayerListItems = {
    .name = "MaxLayerListItems", .type = LAMBDA_INTEGER, .has_min = true, .min = 1, .has_max = true,
    .max = 50,
};

static const struct lambda_member members_ListLayerVersionsRequest[] = {
    {"CompatibleArchitecture", "CompatibleArchitecture",
     &shape_Architecture, LAMBDA_IN_QUERY, false, false},
    {"CompatibleRuntime", "CompatibleRuntime", &shape_Runtime, LAMBDA_IN_QUERY, false, false},
    {"LayerName", "LayerName", &shape_LayerNameOrArn, LAMBDA_IN_URI, true, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_MaxLayerListItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListLayerVersionsRequest = {
    .name = "ListLayerVersionsRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListLayerVersionsRequest,
    .members_len = ARRAY_LEN(members_ListLayerVersionsRequest),
};

static const struct lambda_member members_ListLayersRequest[] = {
    {"CompatibleArchitecture", "CompatibleArchitecture",
     &shape_Architecture, LAMBDA_IN_QUERY, false, false},
    {"CompatibleRuntime", "CompatibleRuntime", &shape_Runtime, LAMBDA_IN_QUERY, false, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_MaxLayerListItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListLayersRequest = {
    .name = "ListLayersRequest", .type = LAMBDA_STRUCTURE, .members = members_ListLayersRequest,
    .members_len = ARRAY_LEN(members_ListLayersRequest),
};

static const struct lambda_shape shape_MaxProvisionedConcurrencyConfigListItems = {
    .name = "MaxProvisionedConcurrencyConfigListItems", .type = LAMBDA_INTEGER, .has_min = true,
    .min = 1, .has_max = true, .max = 50,
};

static const struct lambda_member members_ListProvisionedConcurrencyConfigsRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems",
     &shape_MaxProvisionedConcurrencyConfigListItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListProvisionedConcurrencyConfigsRequest = {
    .name = "ListProvisionedConcurrencyConfigsRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListProvisionedConcurrencyConfigsRequest,
    .members_len = ARRAY_LEN(members_ListProvisionedConcurrencyConfigsRequest),
};

static const struct lambda_shape shape_TaggableResource = {
    .name = "TaggableResource", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 10000,
    .pattern = "arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a"
               "-z]+-\\d{1}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]"
               "+))?|code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-f"
               "A-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|("
               "capacity-provider|network-connector):[a-zA-Z0-9-_]{1,64})",
    .recorded_pattern = "arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a"
                        "-z]+-\\d{1}:\\d{12}:(function:[a-zA-Z0-9-_]+(:(\\$LATEST|[a-zA-Z0-9-_]"
                        "+))?|layer:([a-zA-Z0-9-_]+)|code-signing-config:csc-[a-z0-9]{17}|event"
                        "-source-mapping:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-"
                        "F]{4}-[0-9a-fA-F]{12}|capacity-provider:[a-zA-Z0-9-_]+)",
};

static const struct lambda_member members_ListTagsRequest[] = {
    {"Resource", "Resource", &shape_TaggableResource, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_ListTagsRequest = {
    .name = "ListTagsRequest", .type = LAMBDA_STRUCTURE, .members = members_ListTagsRequest,
    .members_len = ARRAY_LEN(members_ListTagsRequest),
};

static const struct lambda_member members_ListVersionsByFunctionRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Marker", "Marker", &shape_String, LAMBDA_IN_QUERY, false, false},
    {"MaxItems", "MaxItems", &shape_MaxListItems, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_ListVersionsByFunctionRequest = {
    .name = "ListVersionsByFunctionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListVersionsByFunctionRequest,
    .members_len = ARRAY_LEN(members_ListVersionsByFunctionRequest),
};

static const struct lambda_shape shape_PauseReason = {
    .name = "PauseReason", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 1024, .sensitive = true,
};

static const struct lambda_shape shape_ExecutionTimeoutPaused = {
    .name = "ExecutionTimeoutPaused", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_member members_PauseDurableExecutionRequest[] = {
    {"DurableExecutionArn", "DurableExecutionArn",
     &shape_DurableExecutionArn, LAMBDA_IN_URI, true, false},
    {"ClientToken", "ClientToken", &shape_ClientToken, LAMBDA_IN_BODY, false, false},
    {"Reason", "Reason", &shape_PauseReason, LAMBDA_IN_BODY, false, false},
    {"ExecutionTimeoutPaused", "ExecutionTimeoutPaused",
     &shape_ExecutionTimeoutPaused, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_PauseDurableExecutionRequest = {
    .name = "PauseDurableExecutionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PauseDurableExecutionRequest,
    .members_len = ARRAY_LEN(members_PauseDurableExecutionRequest),
};

static const struct lambda_member members_LayerVersionContentInput[] = {
    {"S3Bucket", "S3Bucket", &shape_S3Bucket, LAMBDA_IN_BODY, false, false},
    {"S3Key", "S3Key", &shape_S3Key, LAMBDA_IN_BODY, false, false},
    {"S3ObjectVersion", "S3ObjectVersion", &shape_S3ObjectVersion, LAMBDA_IN_BODY, false, false},
    {"S3ObjectStorageMode", "S3ObjectStorageMode",
     &shape_S3ObjectStorageMode, LAMBDA_IN_BODY, false, false},
    {"ZipFile", "ZipFile", &shape_Blob, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_LayerVersionContentInput = {
    .name = "LayerVersionContentInput", .type = LAMBDA_STRUCTURE,
    .members = members_LayerVersionContentInput,
    .members_len = ARRAY_LEN(members_LayerVersionContentInput),
};

static const struct lambda_shape shape_CompatibleArchitectures = {
    .name = "CompatibleArchitectures", .type = LAMBDA_LIST, .has_min = true, .min = 0,
    .has_max = true, .max = 2, .item = &shape_Architecture,
};

static const char *const recorded_values_CompatibleRuntimes[] = {
    "nodejs20.x", "python3.14", "provided.al2023", "python3.12", "python3.13", "nodejs24.x",
    "nodejs22.x", "java25", "python3.10", "python3.11", "java21", "ruby3.3", "ruby3.4", "ruby3.2",
    "python3.8", "python3.9", "java17", "nodejs16.x", "dotnet10", "dotnet8", "java11", "dotnet6",
    "nodejs18.x", "provided.al2", "java8.al2", NULL,
};
static const struct lambda_shape shape_CompatibleRuntimes = {
    .name = "CompatibleRuntimes", .type = LAMBDA_LIST, .has_min = true, .min = 0, .has_max = true,
    .max = 15, .recorded_values = recorded_values_CompatibleRuntimes, .item = &shape_Runtime,
};

static const struct lambda_shape shape_LicenseInfo = {
    .name = "LicenseInfo", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 512, .pattern = ".*",
};

static const struct lambda_member members_PublishLayerVersionRequest[] = {
    {"LayerName", "LayerName", &shape_LayerNameOrArn, LAMBDA_IN_URI, true, false},
    {"Description", "Description", &shape_Description, LAMBDA_IN_BODY, false, false},
    {"Content", "Content", &shape_LayerVersionContentInput, LAMBDA_IN_BODY, true, false},
    {"CompatibleRuntimes", "CompatibleRuntimes",
     &shape_CompatibleRuntimes, LAMBDA_IN_BODY, false, false},
    {"CompatibleArchitectures", "CompatibleArchitectures",
     &shape_CompatibleArchitectures, LAMBDA_IN_BODY, false, false},
    {"LicenseInfo", "LicenseInfo", &shape_LicenseInfo, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_PublishLayerVersionRequest = {
    .name = "PublishLayerVersionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PublishLayerVersionRequest,
    .members_len = ARRAY_LEN(members_PublishLayerVersionRequest),
};

static const struct lambda_member members_PublishVersionRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"CodeSha256", "CodeSha256", &shape_String, LAMBDA_IN_BODY, false, false},
    {"Description", "Description", &shape_Description, LAMBDA_IN_BODY, false, false},
    {"RevisionId", "RevisionId", &shape_String, LAMBDA_IN_BODY, false, false},
    {"PublishTo", "PublishTo", &shape_FunctionVersionLatestPublished, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_PublishVersionRequest = {
    .name = "PublishVersionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PublishVersionRequest,
    .members_len = ARRAY_LEN(members_PublishVersionRequest),
};

static const struct lambda_member members_PutFunctionCodeSigningConfigRequest[] = {
    {"CodeSigningConfigArn", "CodeSigningConfigArn",
     &shape_CodeSigningConfigArn, LAMBDA_IN_BODY, true, false},
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_PutFunctionCodeSigningConfigRequest = {
    .name = "PutFunctionCodeSigningConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PutFunctionCodeSigningConfigRequest,
    .members_len = ARRAY_LEN(members_PutFunctionCodeSigningConfigRequest),
};

static const struct lambda_shape shape_ReservedConcurrentExecutions = {
    .name = "ReservedConcurrentExecutions", .type = LAMBDA_INTEGER, .has_min = true, .min = 0,
};

static const struct lambda_member members_PutFunctionConcurrencyRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"ReservedConcurrentExecutions", "ReservedConcurrentExecutions",
     &shape_ReservedConcurrentExecutions, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_PutFunctionConcurrencyRequest = {
    .name = "PutFunctionConcurrencyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PutFunctionConcurrencyRequest,
    .members_len = ARRAY_LEN(members_PutFunctionConcurrencyRequest),
};

static const struct lambda_shape shape_MaximumRetryAttempts = {
    .name = "MaximumRetryAttempts", .type = LAMBDA_INTEGER, .has_min = true, .min = 0,
    .has_max = true, .max = 2,
};

static const struct lambda_shape shape_MaximumEventAgeInSeconds = {
    .name = "MaximumEventAgeInSeconds", .type = LAMBDA_INTEGER, .has_min = true, .min = 60,
    .has_max = true, .max = 21600,
};

static const struct lambda_member members_PutFunctionEventInvokeConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
    {"MaximumRetryAttempts", "MaximumRetryAttempts",
     &shape_MaximumRetryAttempts, LAMBDA_IN_BODY, false, false},
    {"MaximumEventAgeInSeconds", "MaximumEventAgeInSeconds",
     &shape_MaximumEventAgeInSeconds, LAMBDA_IN_BODY, false, false},
    {"DestinationConfig", "DestinationConfig",
     &shape_DestinationConfig, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_PutFunctionEventInvokeConfigRequest = {
    .name = "PutFunctionEventInvokeConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PutFunctionEventInvokeConfigRequest,
    .members_len = ARRAY_LEN(members_PutFunctionEventInvokeConfigRequest),
};

static const char *const values_RecursiveLoop[] = {
    "Allow", "Terminate", NULL,
};
static const char *const recorded_values_RecursiveLoop[] = {
    "Terminate", "Allow", NULL,
};
static const struct lambda_shape shape_RecursiveLoop = {
    .name = "RecursiveLoop", .type = LAMBDA_STRING, .values = values_RecursiveLoop,
    .recorded_values = recorded_values_RecursiveLoop,
};

static const struct lambda_member members_PutFunctionRecursionConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_UnqualifiedFunctionName, LAMBDA_IN_URI, true, false},
    {"RecursiveLoop", "RecursiveLoop", &shape_RecursiveLoop, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_PutFunctionRecursionConfigRequest = {
    .name = "PutFunctionRecursionConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PutFunctionRecursionConfigRequest,
    .members_len = ARRAY_LEN(members_PutFunctionRecursionConfigRequest),
};

static const struct lambda_shape shape_FunctionScalingConfigExecutionEnvironments = {
    .name = "FunctionScalingConfigExecutionEnvironments", .type = LAMBDA_INTEGER, .has_min = true,
    .min = 0, .has_max = true, .max = 15000,
};

static const struct lambda_member members_FunctionScalingConfig[] = {
    {"MinExecutionEnvironments", "MinExecutionEnvironments",
     &shape_FunctionScalingConfigExecutionEnvironments, LAMBDA_IN_BODY, false, false},
    {"MaxExecutionEnvironments", "MaxExecutionEnvironments",
     &shape_FunctionScalingConfigExecutionEnvironments, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_FunctionScalingConfig = {
    .name = "FunctionScalingConfig", .type = LAMBDA_STRUCTURE,
    .members = members_FunctionScalingConfig,
    .members_len = ARRAY_LEN(members_FunctionScalingConfig),
};

static const struct lambda_member members_PutFunctionScalingConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_UnqualifiedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier", &shape_PublishedFunctionQualifier, LAMBDA_IN_QUERY, true, false},
    {"FunctionScalingConfig", "FunctionScalingConfig",
     &shape_FunctionScalingConfig, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_PutFunctionScalingConfigRequest = {
    .name = "PutFunctionScalingConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PutFunctionScalingConfigRequest,
    .members_len = ARRAY_LEN(members_PutFunctionScalingConfigRequest),
};

static const struct lambda_shape shape_PositiveInteger = {
    .name = "PositiveInteger", .type = LAMBDA_INTEGER, .has_min = true, .min = 1,
};

static const struct lambda_member members_PutProvisionedConcurrencyConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier", &shape_Qualifier, LAMBDA_IN_QUERY, true, false},
    {"ProvisionedConcurrentExecutions", "ProvisionedConcurrentExecutions",
     &shape_PositiveInteger, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_PutProvisionedConcurrencyConfigRequest = {
    .name = "PutProvisionedConcurrencyConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PutProvisionedConcurrencyConfigRequest,
    .members_len = ARRAY_LEN(members_PutProvisionedConcurrencyConfigRequest),
};

static const struct lambda_shape shape_ResourcePolicy = {
    .name = "ResourcePolicy", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 20480, .pattern = "[\\s\\S]+",
};

static const struct lambda_member members_PutResourcePolicyRequest[] = {
    {"ResourceArn", "ResourceArn", &shape_PolicyResourceArn, LAMBDA_IN_URI, true, false},
    {"Policy", "Policy", &shape_ResourcePolicy, LAMBDA_IN_BODY, true, false},
    {"RevisionId", "RevisionId", &shape_RevisionId, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_PutResourcePolicyRequest = {
    .name = "PutResourcePolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PutResourcePolicyRequest,
    .members_len = ARRAY_LEN(members_PutResourcePolicyRequest),
};

static const char *const values_UpdateRuntimeOn[] = {
    "Auto", "Manual", "FunctionUpdate", NULL,
};
static const struct lambda_shape shape_UpdateRuntimeOn = {
    .name = "UpdateRuntimeOn", .type = LAMBDA_STRING, .values = values_UpdateRuntimeOn,
};

static const struct lambda_shape shape_RuntimeVersionArn = {
    .name = "RuntimeVersionArn", .type = LAMBDA_STRING, .has_min = true, .min = 26, .has_max = true,
    .max = 2048,
    .pattern = "((arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-"
               "[a-z]+-\\d{1}::runtime:.+)|(arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2"
               "}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}:runtime/[A-Za-z0-9_.-]"
               "{1,128}/version/[A-Za-z0-9_.-]{1,128}))",
};

static const struct lambda_member members_PutRuntimeManagementConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
    {"UpdateRuntimeOn", "UpdateRuntimeOn", &shape_UpdateRuntimeOn, LAMBDA_IN_BODY, true, false},
    {"RuntimeVersionArn", "RuntimeVersionArn",
     &shape_RuntimeVersionArn, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_PutRuntimeManagementConfigRequest = {
    .name = "PutRuntimeManagementConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PutRuntimeManagementConfigRequest,
    .members_len = ARRAY_LEN(members_PutRuntimeManagementConfigRequest),
};

static const struct lambda_member members_RemoveLayerVersionPermissionRequest[] = {
    {"LayerName", "LayerName", &shape_LayerNameOrArn, LAMBDA_IN_URI, true, false},
    {"VersionNumber", "VersionNumber", &shape_LayerVersionNumber, LAMBDA_IN_URI, true, false},
    {"StatementId", "StatementId", &shape_StatementId, LAMBDA_IN_URI, true, false},
    {"RevisionId", "RevisionId", &shape_String, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_RemoveLayerVersionPermissionRequest = {
    .name = "RemoveLayerVersionPermissionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_RemoveLayerVersionPermissionRequest,
    .members_len = ARRAY_LEN(members_RemoveLayerVersionPermissionRequest),
};

static const struct lambda_shape shape_NamespacedStatementId = {
    .name = "NamespacedStatementId", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 100, .pattern = "([a-zA-Z0-9-_.]+)",
};

static const struct lambda_member members_RemovePermissionRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"StatementId", "StatementId", &shape_NamespacedStatementId, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
    {"RevisionId", "RevisionId", &shape_String, LAMBDA_IN_QUERY, false, false},
};
static const struct lambda_shape shape_RemovePermissionRequest = {
    .name = "RemovePermissionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_RemovePermissionRequest,
    .members_len = ARRAY_LEN(members_RemovePermissionRequest),
};

static const struct lambda_shape shape_ResumeReason = {
    .name = "ResumeReason", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 1024, .sensitive = true,
};

static const struct lambda_member members_ResumeDurableExecutionRequest[] = {
    {"DurableExecutionArn", "DurableExecutionArn",
     &shape_DurableExecutionArn, LAMBDA_IN_URI, true, false},
    {"ClientToken", "ClientToken", &shape_ClientToken, LAMBDA_IN_BODY, false, false},
    {"Reason", "Reason", &shape_ResumeReason, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ResumeDurableExecutionRequest = {
    .name = "ResumeDurableExecutionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ResumeDurableExecutionRequest,
    .members_len = ARRAY_LEN(members_ResumeDurableExecutionRequest),
};

static const struct lambda_shape shape_CallbackId = {
    .name = "CallbackId", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 1024, .pattern = "[A-Za-z0-9+/]+={0,2}",
};

static const struct lambda_member members_SendDurableExecutionCallbackFailureRequest[] = {
    {"CallbackId", "CallbackId", &shape_CallbackId, LAMBDA_IN_URI, true, false},
    {"Error", "Error", &shape_ErrorObject, LAMBDA_IN_PAYLOAD, false, false},
};
static const struct lambda_shape shape_SendDurableExecutionCallbackFailureRequest = {
    .name = "SendDurableExecutionCallbackFailureRequest", .type = LAMBDA_STRUCTURE,
    .members = members_SendDurableExecutionCallbackFailureRequest,
    .members_len = ARRAY_LEN(members_SendDurableExecutionCallbackFailureRequest),
};

static const struct lambda_member members_SendDurableExecutionCallbackHeartbeatRequest[] = {
    {"CallbackId", "CallbackId", &shape_CallbackId, LAMBDA_IN_URI, true, false},
};
static const struct lambda_shape shape_SendDurableExecutionCallbackHeartbeatRequest = {
    .name = "SendDurableExecutionCallbackHeartbeatRequest", .type = LAMBDA_STRUCTURE,
    .members = members_SendDurableExecutionCallbackHeartbeatRequest,
    .members_len = ARRAY_LEN(members_SendDurableExecutionCallbackHeartbeatRequest),
};

static const struct lambda_shape shape_BinaryOperationPayload = {
    .name = "BinaryOperationPayload", .type = LAMBDA_BLOB, .has_min = true, .min = 0,
    .has_max = true, .max = 1048576, .sensitive = true,
};

static const struct lambda_member members_SendDurableExecutionCallbackSuccessRequest[] = {
    {"CallbackId", "CallbackId", &shape_CallbackId, LAMBDA_IN_URI, true, false},
    {"Result", "Result", &shape_BinaryOperationPayload, LAMBDA_IN_PAYLOAD, false, false},
};
static const struct lambda_shape shape_SendDurableExecutionCallbackSuccessRequest = {
    .name = "SendDurableExecutionCallbackSuccessRequest", .type = LAMBDA_STRUCTURE,
    .members = members_SendDurableExecutionCallbackSuccessRequest,
    .members_len = ARRAY_LEN(members_SendDurableExecutionCallbackSuccessRequest),
};

static const struct lambda_member members_StopDurableExecutionRequest[] = {
    {"DurableExecutionArn", "DurableExecutionArn",
     &shape_DurableExecutionArn, LAMBDA_IN_URI, true, false},
    {"Error", "Error", &shape_ErrorObject, LAMBDA_IN_PAYLOAD, false, false},
};
static const struct lambda_shape shape_StopDurableExecutionRequest = {
    .name = "StopDurableExecutionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_StopDurableExecutionRequest,
    .members_len = ARRAY_LEN(members_StopDurableExecutionRequest),
};

static const struct lambda_member members_TagResourceRequest[] = {
    {"Resource", "Resource", &shape_TaggableResource, LAMBDA_IN_URI, true, false},
    {"Tags", "Tags", &shape_Tags, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_TagResourceRequest = {
    .name = "TagResourceRequest", .type = LAMBDA_STRUCTURE, .members = members_TagResourceRequest,
    .members_len = ARRAY_LEN(members_TagResourceRequest),
};

static const struct lambda_shape shape_TagKeyList = {
    .name = "TagKeyList", .type = LAMBDA_LIST, .item = &shape_TagKey,
};

static const struct lambda_member members_UntagResourceRequest[] = {
    {"Resource", "Resource", &shape_TaggableResource, LAMBDA_IN_URI, true, false},
    {"TagKeys", "tagKeys", &shape_TagKeyList, LAMBDA_IN_QUERY, true, false},
};
static const struct lambda_shape shape_UntagResourceRequest = {
    .name = "UntagResourceRequest", .type = LAMBDA_STRUCTURE,
    .members = members_UntagResourceRequest, .members_len = ARRAY_LEN(members_UntagResourceRequest),
};

static const struct lambda_member members_UpdateAliasRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"Name", "Name", &shape_Alias, LAMBDA_IN_URI, true, false},
    {"FunctionVersion", "FunctionVersion",
     &shape_VersionWithLatestPublished, LAMBDA_IN_BODY, false, false},
    {"Description", "Description", &shape_Description, LAMBDA_IN_BODY, false, false},
    {"RoutingConfig", "RoutingConfig",
     &shape_AliasRoutingConfiguration, LAMBDA_IN_BODY, false, false},
    {"RevisionId", "RevisionId", &shape_String, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_UpdateAliasRequest = {
    .name = "UpdateAliasRequest", .type = LAMBDA_STRUCTURE, .members = members_UpdateAliasRequest,
    .members_len = ARRAY_LEN(members_UpdateAliasRequest),
};

static const struct lambda_member members_UpdateCapacityProviderRequest[] = {
    {"CapacityProviderName", "CapacityProviderName",
     &shape_CapacityProviderName, LAMBDA_IN_URI, true, false},
    {"CapacityProviderScalingConfig", "CapacityProviderScalingConfig",
     &shape_CapacityProviderScalingConfig, LAMBDA_IN_BODY, false, false},
    {"PropagateTags", "PropagateTags", &shape_PropagateTags, LAMBDA_IN_BODY, false, false},
    {"TelemetryConfig", "TelemetryConfig",
     &shape_CapacityProviderTelemetryConfig, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_UpdateCapacityProviderRequest = {
    .name = "UpdateCapacityProviderRequest", .type = LAMBDA_STRUCTURE,
    .members = members_UpdateCapacityProviderRequest,
    .members_len = ARRAY_LEN(members_UpdateCapacityProviderRequest),
};

static const struct lambda_member members_UpdateCodeSigningConfigRequest[] = {
    {"CodeSigningConfigArn", "CodeSigningConfigArn",
     &shape_CodeSigningConfigArn, LAMBDA_IN_URI, true, false},
    {"Description", "Description", &shape_Description, LAMBDA_IN_BODY, false, false},
    {"AllowedPublishers", "AllowedPublishers",
     &shape_AllowedPublishers, LAMBDA_IN_BODY, false, false},
    {"CodeSigningPolicies", "CodeSigningPolicies",
     &shape_CodeSigningPolicies, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_UpdateCodeSigningConfigRequest = {
    .name = "UpdateCodeSigningConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_UpdateCodeSigningConfigRequest,
    .members_len = ARRAY_LEN(members_UpdateCodeSigningConfigRequest),
};

static const struct lambda_member members_UpdateEventSourceMappingRequest[] = {
    {"UUID", "UUID", &shape_UUIDString, LAMBDA_IN_URI, true, false},
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_BODY, false, false},
    {"Enabled", "Enabled", &shape_Enabled, LAMBDA_IN_BODY, false, false},
    {"BatchSize", "BatchSize", &shape_BatchSize, LAMBDA_IN_BODY, false, false},
    {"FilterCriteria", "FilterCriteria", &shape_FilterCriteria, LAMBDA_IN_BODY, false, false},
    {"KMSKeyArn", "KMSKeyArn", &shape_KMSKeyArn, LAMBDA_IN_BODY, false, false},
    {"MetricsConfig", "MetricsConfig",
     &shape_EventSourceMappingMetricsConfig, LAMBDA_IN_BODY, false, false},
    {"LoggingConfig", "LoggingConfig",
     &shape_EventSourceMappingLoggingConfig, LAMBDA_IN_BODY, false, false},
    {"ScalingConfig", "ScalingConfig", &shape_ScalingConfig, LAMBDA_IN_BODY, false, false},
    {"MaximumBatchingWindowInSeconds", "MaximumBatchingWindowInSeconds",
     &shape_MaximumBatchingWindowInSeconds, LAMBDA_IN_BODY, false, false},
    {"ParallelizationFactor", "ParallelizationFactor",
     &shape_ParallelizationFactor, LAMBDA_IN_BODY, false, false},
    {"DestinationConfig", "DestinationConfig",
     &shape_DestinationConfig, LAMBDA_IN_BODY, false, false},
    {"MaximumRecordAgeInSeconds", "MaximumRecordAgeInSeconds",
     &shape_MaximumRecordAgeInSeconds, LAMBDA_IN_BODY, false, false},
    {"BisectBatchOnFunctionError", "BisectBatchOnFunctionError",
     &shape_BisectBatchOnFunctionError, LAMBDA_IN_BODY, false, false},
    {"MaximumRetryAttempts", "MaximumRetryAttempts",
     &shape_MaximumRetryAttemptsEventSourceMapping, LAMBDA_IN_BODY, false, false},
    {"TumblingWindowInSeconds", "TumblingWindowInSeconds",
     &shape_TumblingWindowInSeconds, LAMBDA_IN_BODY, false, false},
    {"SourceAccessConfigurations", "SourceAccessConfigurations",
     &shape_SourceAccessConfigurations, LAMBDA_IN_BODY, false, false},
    {"FunctionResponseTypes", "FunctionResponseTypes",
     &shape_FunctionResponseTypeList, LAMBDA_IN_BODY, false, false},
    {"AmazonManagedKafkaEventSourceConfig", "AmazonManagedKafkaEventSourceConfig",
     &shape_AmazonManagedKafkaEventSourceConfig, LAMBDA_IN_BODY, false, false},
    {"SelfManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig",
     &shape_SelfManagedKafkaEventSourceConfig, LAMBDA_IN_BODY, false, false},
    {"DocumentDBEventSourceConfig", "DocumentDBEventSourceConfig",
     &shape_DocumentDBEventSourceConfig, LAMBDA_IN_BODY, false, false},
    {"ProvisionedPollerConfig", "ProvisionedPollerConfig",
     &shape_ProvisionedPollerConfig, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_UpdateEventSourceMappingRequest = {
    .name = "UpdateEventSourceMappingRequest", .type = LAMBDA_STRUCTURE,
    .members = members_UpdateEventSourceMappingRequest,
    .members_len = ARRAY_LEN(members_UpdateEventSourceMappingRequest),
};

static const struct lambda_member members_UpdateFunctionCodeRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"ZipFile", "ZipFile", &shape_Blob, LAMBDA_IN_BODY, false, false},
    {"S3Bucket", "S3Bucket", &shape_S3Bucket, LAMBDA_IN_BODY, false, false},
    {"S3Key", "S3Key", &shape_S3Key, LAMBDA_IN_BODY, false, false},
    {"S3ObjectVersion", "S3ObjectVersion", &shape_S3ObjectVersion, LAMBDA_IN_BODY, false, false},
    {"S3ObjectStorageMode", "S3ObjectStorageMode",
     &shape_S3ObjectStorageMode, LAMBDA_IN_BODY, false, false},
    {"ImageUri", "ImageUri", &shape_String, LAMBDA_IN_BODY, false, false},
    {"Architectures", "Architectures", &shape_ArchitecturesList, LAMBDA_IN_BODY, false, false},
    {"Publish", "Publish", &shape_Boolean, LAMBDA_IN_BODY, false, false},
    {"PublishTo", "PublishTo", &shape_FunctionVersionLatestPublished, LAMBDA_IN_BODY, false, false},
    {"DryRun", "DryRun", &shape_Boolean, LAMBDA_IN_BODY, false, false},
    {"RevisionId", "RevisionId", &shape_String, LAMBDA_IN_BODY, false, false},
    {"SourceKMSKeyArn", "SourceKMSKeyArn", &shape_KMSKeyArn, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_UpdateFunctionCodeRequest = {
    .name = "UpdateFunctionCodeRequest", .type = LAMBDA_STRUCTURE,
    .members = members_UpdateFunctionCodeRequest,
    .members_len = ARRAY_LEN(members_UpdateFunctionCodeRequest),
};

static const struct lambda_member members_UpdateFunctionConfigurationRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionName, LAMBDA_IN_URI, true, false},
    {"Role", "Role", &shape_RoleArn, LAMBDA_IN_BODY, false, false},
    {"Handler", "Handler", &shape_Handler, LAMBDA_IN_BODY, false, false},
    {"Description", "Description", &shape_Description, LAMBDA_IN_BODY, false, false},
    {"Timeout", "Timeout", &shape_Timeout, LAMBDA_IN_BODY, false, false},
    {"MemorySize", "MemorySize", &shape_MemorySize, LAMBDA_IN_BODY, false, false},
    {"VpcConfig", "VpcConfig", &shape_VpcConfig, LAMBDA_IN_BODY, false, false},
    {"Environment", "Environment", &shape_Environment, LAMBDA_IN_BODY, false, false},
    {"Runtime", "Runtime", &shape_Runtime, LAMBDA_IN_BODY, false, true},
    {"DeadLetterConfig", "DeadLetterConfig", &shape_DeadLetterConfig, LAMBDA_IN_BODY, false, false},
    {"KMSKeyArn", "KMSKeyArn", &shape_KMSKeyArn, LAMBDA_IN_BODY, false, false},
    {"TracingConfig", "TracingConfig", &shape_TracingConfig, LAMBDA_IN_BODY, false, false},
    {"RevisionId", "RevisionId", &shape_String, LAMBDA_IN_BODY, false, false},
    {"Layers", "Layers", &shape_LayerList, LAMBDA_IN_BODY, false, false},
    {"FileSystemConfigs", "FileSystemConfigs",
     &shape_FileSystemConfigList, LAMBDA_IN_BODY, false, false},
    {"ImageConfig", "ImageConfig", &shape_ImageConfig, LAMBDA_IN_BODY, false, false},
    {"EphemeralStorage", "EphemeralStorage", &shape_EphemeralStorage, LAMBDA_IN_BODY, false, false},
    {"SnapStart", "SnapStart", &shape_SnapStart, LAMBDA_IN_BODY, false, false},
    {"LoggingConfig", "LoggingConfig", &shape_LoggingConfig, LAMBDA_IN_BODY, false, false},
    {"CapacityProviderConfig", "CapacityProviderConfig",
     &shape_CapacityProviderConfig, LAMBDA_IN_BODY, false, false},
    {"DurableConfig", "DurableConfig", &shape_DurableConfig, LAMBDA_IN_BODY, false, false},
    {"RuntimeConfig", "RuntimeConfig", &shape_FunctionRuntimeConfig, LAMBDA_IN_BODY, false, false},
    {"AcceleratorConfig", "AcceleratorConfig",
     &shape_AcceleratorConfig, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_UpdateFunctionConfigurationRequest = {
    .name = "UpdateFunctionConfigurationRequest", .type = LAMBDA_STRUCTURE,
    .members = members_UpdateFunctionConfigurationRequest,
    .members_len = ARRAY_LEN(members_UpdateFunctionConfigurationRequest),
};

static const struct lambda_member members_UpdateFunctionEventInvokeConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_NamespacedFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier",
     &shape_NumericLatestPublishedOrAliasQualifier, LAMBDA_IN_QUERY, false, false},
    {"MaximumRetryAttempts", "MaximumRetryAttempts",
     &shape_MaximumRetryAttempts, LAMBDA_IN_BODY, false, false},
    {"MaximumEventAgeInSeconds", "MaximumEventAgeInSeconds",
     &shape_MaximumEventAgeInSeconds, LAMBDA_IN_BODY, false, false},
    {"DestinationConfig", "DestinationConfig",
     &shape_DestinationConfig, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_UpdateFunctionEventInvokeConfigRequest = {
    .name = "UpdateFunctionEventInvokeConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_UpdateFunctionEventInvokeConfigRequest,
    .members_len = ARRAY_LEN(members_UpdateFunctionEventInvokeConfigRequest),
};

static const struct lambda_member members_UpdateFunctionUrlConfigRequest[] = {
    {"FunctionName", "FunctionName", &shape_FunctionUrlFunctionName, LAMBDA_IN_URI, true, false},
    {"Qualifier", "Qualifier", &shape_FunctionUrlQualifier, LAMBDA_IN_QUERY, false, false},
    {"AuthType", "AuthType", &shape_FunctionUrlAuthType, LAMBDA_IN_BODY, false, false},
    {"Cors", "Cors", &shape_Cors, LAMBDA_IN_BODY, false, false},
    {"InvokeMode", "InvokeMode", &shape_InvokeMode, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_UpdateFunctionUrlConfigRequest = {
    .name = "UpdateFunctionUrlConfigRequest", .type = LAMBDA_STRUCTURE,
    .members = members_UpdateFunctionUrlConfigRequest,
    .members_len = ARRAY_LEN(members_UpdateFunctionUrlConfigRequest),
};

static const struct lambda_shape *const input_shapes[LAMBDA_OP_MAX] = {
    [LAMBDA_OP_AddLayerVersionPermission] = &shape_AddLayerVersionPermissionRequest,
    [LAMBDA_OP_AddPermission] = &shape_AddPermissionRequest,
    [LAMBDA_OP_CheckpointDurableExecution] = &shape_CheckpointDurableExecutionRequest,
    [LAMBDA_OP_CreateAlias] = &shape_CreateAliasRequest,
    [LAMBDA_OP_CreateCapacityProvider] = &shape_CreateCapacityProviderRequest,
    [LAMBDA_OP_CreateCodeSigningConfig] = &shape_CreateCodeSigningConfigRequest,
    [LAMBDA_OP_CreateEventSourceMapping] = &shape_CreateEventSourceMappingRequest,
    [LAMBDA_OP_CreateFunction] = &shape_CreateFunctionRequest,
    [LAMBDA_OP_CreateFunctionUrlConfig] = &shape_CreateFunctionUrlConfigRequest,
    [LAMBDA_OP_DeleteAlias] = &shape_DeleteAliasRequest,
    [LAMBDA_OP_DeleteCapacityProvider] = &shape_DeleteCapacityProviderRequest,
    [LAMBDA_OP_DeleteCodeSigningConfig] = &shape_DeleteCodeSigningConfigRequest,
    [LAMBDA_OP_DeleteDurableExecution] = &shape_DeleteDurableExecutionRequest,
    [LAMBDA_OP_DeleteEventSourceMapping] = &shape_DeleteEventSourceMappingRequest,
    [LAMBDA_OP_DeleteFunction] = &shape_DeleteFunctionRequest,
    [LAMBDA_OP_DeleteFunctionCodeSigningConfig] = &shape_DeleteFunctionCodeSigningConfigRequest,
    [LAMBDA_OP_DeleteFunctionConcurrency] = &shape_DeleteFunctionConcurrencyRequest,
    [LAMBDA_OP_DeleteFunctionEventInvokeConfig] = &shape_DeleteFunctionEventInvokeConfigRequest,
    [LAMBDA_OP_DeleteFunctionUrlConfig] = &shape_DeleteFunctionUrlConfigRequest,
    [LAMBDA_OP_DeleteLayerVersion] = &shape_DeleteLayerVersionRequest,
    [LAMBDA_OP_DeleteProvisionedConcurrencyConfig] =
        &shape_DeleteProvisionedConcurrencyConfigRequest,
    [LAMBDA_OP_DeleteResourcePolicy] = &shape_DeleteResourcePolicyRequest,
    [LAMBDA_OP_GetAccountSettings] = &shape_GetAccountSettingsRequest,
    [LAMBDA_OP_GetAlias] = &shape_GetAliasRequest,
    [LAMBDA_OP_GetCapacityProvider] = &shape_GetCapacityProviderRequest,
    [LAMBDA_OP_GetCodeSigningConfig] = &shape_GetCodeSigningConfigRequest,
    [LAMBDA_OP_GetDurableExecution] = &shape_GetDurableExecutionRequest,
    [LAMBDA_OP_GetDurableExecutionHistory] = &shape_GetDurableExecutionHistoryRequest,
    [LAMBDA_OP_GetDurableExecutionState] = &shape_GetDurableExecutionStateRequest,
    [LAMBDA_OP_GetEventSourceMapping] = &shape_GetEventSourceMappingRequest,
    [LAMBDA_OP_GetFunction] = &shape_GetFunctionRequest,
    [LAMBDA_OP_GetFunctionCodeSigningConfig] = &shape_GetFunctionCodeSigningConfigRequest,
    [LAMBDA_OP_GetFunctionConcurrency] = &shape_GetFunctionConcurrencyRequest,
    [LAMBDA_OP_GetFunctionConfiguration] = &shape_GetFunctionConfigurationRequest,
    [LAMBDA_OP_GetFunctionEventInvokeConfig] = &shape_GetFunctionEventInvokeConfigRequest,
    [LAMBDA_OP_GetFunctionRecursionConfig] = &shape_GetFunctionRecursionConfigRequest,
    [LAMBDA_OP_GetFunctionScalingConfig] = &shape_GetFunctionScalingConfigRequest,
    [LAMBDA_OP_GetFunctionUrlConfig] = &shape_GetFunctionUrlConfigRequest,
    [LAMBDA_OP_GetLayerVersion] = &shape_GetLayerVersionRequest,
    [LAMBDA_OP_GetLayerVersionByArn] = &shape_GetLayerVersionByArnRequest,
    [LAMBDA_OP_GetLayerVersionPolicy] = &shape_GetLayerVersionPolicyRequest,
    [LAMBDA_OP_GetPolicy] = &shape_GetPolicyRequest,
    [LAMBDA_OP_GetProvisionedConcurrencyConfig] = &shape_GetProvisionedConcurrencyConfigRequest,
    [LAMBDA_OP_GetResourcePolicy] = &shape_GetResourcePolicyRequest,
    [LAMBDA_OP_GetRuntimeManagementConfig] = &shape_GetRuntimeManagementConfigRequest,
    [LAMBDA_OP_Invoke] = &shape_InvocationRequest,
    [LAMBDA_OP_InvokeAsync] = &shape_InvokeAsyncRequest,
    [LAMBDA_OP_InvokeWithResponseStream] = &shape_InvokeWithResponseStreamRequest,
    [LAMBDA_OP_ListAliases] = &shape_ListAliasesRequest,
    [LAMBDA_OP_ListCapacityProviders] = &shape_ListCapacityProvidersRequest,
    [LAMBDA_OP_ListCodeSigningConfigs] = &shape_ListCodeSigningConfigsRequest,
    [LAMBDA_OP_ListDurableExecutionsByFunction] = &shape_ListDurableExecutionsByFunctionRequest,
    [LAMBDA_OP_ListEventSourceMappings] = &shape_ListEventSourceMappingsRequest,
    [LAMBDA_OP_ListFunctionEventInvokeConfigs] = &shape_ListFunctionEventInvokeConfigsRequest,
    [LAMBDA_OP_ListFunctionUrlConfigs] = &shape_ListFunctionUrlConfigsRequest,
    [LAMBDA_OP_ListFunctionVersionsByCapacityProvider] =
        &shape_ListFunctionVersionsByCapacityProviderRequest,
    [LAMBDA_OP_ListFunctions] = &shape_ListFunctionsRequest,
    [LAMBDA_OP_ListFunctionsByCodeSigningConfig] = &shape_ListFunctionsByCodeSigningConfigRequest,
    [LAMBDA_OP_ListLayerVersions] = &shape_ListLayerVersionsRequest,
    [LAMBDA_OP_ListLayers] = &shape_ListLayersRequest,
    [LAMBDA_OP_ListProvisionedConcurrencyConfigs] = &shape_ListProvisionedConcurrencyConfigsRequest,
    [LAMBDA_OP_ListTags] = &shape_ListTagsRequest,
    [LAMBDA_OP_ListVersionsByFunction] = &shape_ListVersionsByFunctionRequest,
    [LAMBDA_OP_PauseDurableExecution] = &shape_PauseDurableExecutionRequest,
    [LAMBDA_OP_PublishLayerVersion] = &shape_PublishLayerVersionRequest,
    [LAMBDA_OP_PublishVersion] = &shape_PublishVersionRequest,
    [LAMBDA_OP_PutFunctionCodeSigningConfig] = &shape_PutFunctionCodeSigningConfigRequest,
    [LAMBDA_OP_PutFunctionConcurrency] = &shape_PutFunctionConcurrencyRequest,
    [LAMBDA_OP_PutFunctionEventInvokeConfig] = &shape_PutFunctionEventInvokeConfigRequest,
    [LAMBDA_OP_PutFunctionRecursionConfig] = &shape_PutFunctionRecursionConfigRequest,
    [LAMBDA_OP_PutFunctionScalingConfig] = &shape_PutFunctionScalingConfigRequest,
    [LAMBDA_OP_PutProvisionedConcurrencyConfig] = &shape_PutProvisionedConcurrencyConfigRequest,
    [LAMBDA_OP_PutResourcePolicy] = &shape_PutResourcePolicyRequest,
    [LAMBDA_OP_PutRuntimeManagementConfig] = &shape_PutRuntimeManagementConfigRequest,
    [LAMBDA_OP_RemoveLayerVersionPermission] = &shape_RemoveLayerVersionPermissionRequest,
    [LAMBDA_OP_RemovePermission] = &shape_RemovePermissionRequest,
    [LAMBDA_OP_ResumeDurableExecution] = &shape_ResumeDurableExecutionRequest,
    [LAMBDA_OP_SendDurableExecutionCallbackFailure] =
        &shape_SendDurableExecutionCallbackFailureRequest,
    [LAMBDA_OP_SendDurableExecutionCallbackHeartbeat] =
        &shape_SendDurableExecutionCallbackHeartbeatRequest,
    [LAMBDA_OP_SendDurableExecutionCallbackSuccess] =
        &shape_SendDurableExecutionCallbackSuccessRequest,
    [LAMBDA_OP_StopDurableExecution] = &shape_StopDurableExecutionRequest,
    [LAMBDA_OP_TagResource] = &shape_TagResourceRequest,
    [LAMBDA_OP_UntagResource] = &shape_UntagResourceRequest,
    [LAMBDA_OP_UpdateAlias] = &shape_UpdateAliasRequest,
    [LAMBDA_OP_UpdateCapacityProvider] = &shape_UpdateCapacityProviderRequest,
    [LAMBDA_OP_UpdateCodeSigningConfig] = &shape_UpdateCodeSigningConfigRequest,
    [LAMBDA_OP_UpdateEventSourceMapping] = &shape_UpdateEventSourceMappingRequest,
    [LAMBDA_OP_UpdateFunctionCode] = &shape_UpdateFunctionCodeRequest,
    [LAMBDA_OP_UpdateFunctionConfiguration] = &shape_UpdateFunctionConfigurationRequest,
    [LAMBDA_OP_UpdateFunctionEventInvokeConfig] = &shape_UpdateFunctionEventInvokeConfigRequest,
    [LAMBDA_OP_UpdateFunctionUrlConfig] = &shape_UpdateFunctionUrlConfigRequest,
};

const struct lambda_shape *lambda_input_shape(enum lambda_op_id id)
{
    return input_shapes[id];
}
