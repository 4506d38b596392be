/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shapes of the inputs of Application Auto Scaling's operations that Hearth offers: made by
 * scripts/gen-scaling-shapes.py from botocore 1.44.5, model application-autoscaling/2016-02-06; do
 * not edit. Each shape stands before those that use it.
 */
#include "common/base/cleanup.h"
#include "common/model/scaling_ops.h"

static const struct lambda_shape shape_ResourceIdMaxLen1600 = {
    .name = "ResourceIdMaxLen1600", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 1600,
};

static const char *const values_ServiceNamespace[] = {
    "ecs", "elasticmapreduce", "ec2", "appstream", "dynamodb", "rds", "sagemaker",
    "custom-resource", "comprehend", "lambda", "cassandra", "kafka", "elasticache", "neptune",
    "workspaces", NULL,
};
static const struct lambda_shape shape_ServiceNamespace = {
    .name = "ServiceNamespace", .type = LAMBDA_STRING, .values = values_ServiceNamespace,
};

static const char *const values_ScalableDimension[] = {
    "ecs:service:DesiredCount", "ec2:spot-fleet-request:TargetCapacity",
    "elasticmapreduce:instancegroup:InstanceCount", "appstream:fleet:DesiredCapacity",
    "dynamodb:table:ReadCapacityUnits", "dynamodb:table:WriteCapacityUnits",
    "dynamodb:index:ReadCapacityUnits", "dynamodb:index:WriteCapacityUnits",
    "rds:cluster:ReadReplicaCount", "sagemaker:variant:DesiredInstanceCount",
    "custom-resource:ResourceType:Property",
    "comprehend:document-classifier-endpoint:DesiredInferenceUnits",
    "comprehend:entity-recognizer-endpoint:DesiredInferenceUnits",
    "lambda:function:ProvisionedConcurrency", "cassandra:table:ReadCapacityUnits",
    "cassandra:table:WriteCapacityUnits", "kafka:broker-storage:VolumeSize",
    "elasticache:cache-cluster:Nodes", "elasticache:replication-group:NodeGroups",
    "elasticache:replication-group:Replicas", "neptune:cluster:ReadReplicaCount",
    "sagemaker:variant:DesiredProvisionedConcurrency",
    "sagemaker:inference-component:DesiredCopyCount",
    "workspaces:workspacespool:DesiredUserSessions", NULL,
};
static const struct lambda_shape shape_ScalableDimension = {
    .name = "ScalableDimension", .type = LAMBDA_STRING, .values = values_ScalableDimension,
};

static const struct lambda_member members_DeleteScalingPolicyRequest[] = {
    {"PolicyName", "PolicyName", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, true, false},
    {"ServiceNamespace", "ServiceNamespace", &shape_ServiceNamespace, LAMBDA_IN_BODY, true, false},
    {"ResourceId", "ResourceId", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, true, false},
    {"ScalableDimension", "ScalableDimension",
     &shape_ScalableDimension, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_DeleteScalingPolicyRequest = {
    .name = "DeleteScalingPolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteScalingPolicyRequest,
    .members_len = ARRAY_LEN(members_DeleteScalingPolicyRequest),
};

static const struct lambda_member members_DeleteScheduledActionRequest[] = {
    {"ServiceNamespace", "ServiceNamespace", &shape_ServiceNamespace, LAMBDA_IN_BODY, true, false},
    {"ScheduledActionName", "ScheduledActionName",
     &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, true, false},
    {"ResourceId", "ResourceId", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, true, false},
    {"ScalableDimension", "ScalableDimension",
     &shape_ScalableDimension, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_DeleteScheduledActionRequest = {
    .name = "DeleteScheduledActionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeleteScheduledActionRequest,
    .members_len = ARRAY_LEN(members_DeleteScheduledActionRequest),
};

static const struct lambda_member members_DeregisterScalableTargetRequest[] = {
    {"ServiceNamespace", "ServiceNamespace", &shape_ServiceNamespace, LAMBDA_IN_BODY, true, false},
    {"ResourceId", "ResourceId", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, true, false},
    {"ScalableDimension", "ScalableDimension",
     &shape_ScalableDimension, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_DeregisterScalableTargetRequest = {
    .name = "DeregisterScalableTargetRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DeregisterScalableTargetRequest,
    .members_len = ARRAY_LEN(members_DeregisterScalableTargetRequest),
};

static const struct lambda_shape shape_ResourceIdsMaxLen1600 = {
    .name = "ResourceIdsMaxLen1600", .type = LAMBDA_LIST, .has_max = true, .max = 50,
    .item = &shape_ResourceIdMaxLen1600,
};

static const struct lambda_shape shape_MaxResults = {
    .name = "MaxResults", .type = LAMBDA_INTEGER,
};

static const struct lambda_shape shape_XmlString = {
    .name = "XmlString", .type = LAMBDA_STRING,
};

static const struct lambda_member members_DescribeScalableTargetsRequest[] = {
    {"ServiceNamespace", "ServiceNamespace", &shape_ServiceNamespace, LAMBDA_IN_BODY, true, false},
    {"ResourceIds", "ResourceIds", &shape_ResourceIdsMaxLen1600, LAMBDA_IN_BODY, false, false},
    {"ScalableDimension", "ScalableDimension",
     &shape_ScalableDimension, LAMBDA_IN_BODY, false, false},
    {"MaxResults", "MaxResults", &shape_MaxResults, LAMBDA_IN_BODY, false, false},
    {"NextToken", "NextToken", &shape_XmlString, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_DescribeScalableTargetsRequest = {
    .name = "DescribeScalableTargetsRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DescribeScalableTargetsRequest,
    .members_len = ARRAY_LEN(members_DescribeScalableTargetsRequest),
};

static const struct lambda_shape shape_IncludeNotScaledActivities = {
    .name = "IncludeNotScaledActivities", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_member members_DescribeScalingActivitiesRequest[] = {
    {"ServiceNamespace", "ServiceNamespace", &shape_ServiceNamespace, LAMBDA_IN_BODY, true, false},
    {"ResourceId", "ResourceId", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, false, false},
    {"ScalableDimension", "ScalableDimension",
     &shape_ScalableDimension, LAMBDA_IN_BODY, false, false},
    {"MaxResults", "MaxResults", &shape_MaxResults, LAMBDA_IN_BODY, false, false},
    {"NextToken", "NextToken", &shape_XmlString, LAMBDA_IN_BODY, false, false},
    {"IncludeNotScaledActivities", "IncludeNotScaledActivities",
     &shape_IncludeNotScaledActivities, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_DescribeScalingActivitiesRequest = {
    .name = "DescribeScalingActivitiesRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DescribeScalingActivitiesRequest,
    .members_len = ARRAY_LEN(members_DescribeScalingActivitiesRequest),
};

static const struct lambda_member members_DescribeScalingPoliciesRequest[] = {
    {"PolicyNames", "PolicyNames", &shape_ResourceIdsMaxLen1600, LAMBDA_IN_BODY, false, false},
    {"ServiceNamespace", "ServiceNamespace", &shape_ServiceNamespace, LAMBDA_IN_BODY, true, false},
    {"ResourceId", "ResourceId", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, false, false},
    {"ScalableDimension", "ScalableDimension",
     &shape_ScalableDimension, LAMBDA_IN_BODY, false, false},
    {"MaxResults", "MaxResults", &shape_MaxResults, LAMBDA_IN_BODY, false, false},
    {"NextToken", "NextToken", &shape_XmlString, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_DescribeScalingPoliciesRequest = {
    .name = "DescribeScalingPoliciesRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DescribeScalingPoliciesRequest,
    .members_len = ARRAY_LEN(members_DescribeScalingPoliciesRequest),
};

static const struct lambda_member members_DescribeScheduledActionsRequest[] = {
    {"ScheduledActionNames", "ScheduledActionNames",
     &shape_ResourceIdsMaxLen1600, LAMBDA_IN_BODY, false, false},
    {"ServiceNamespace", "ServiceNamespace", &shape_ServiceNamespace, LAMBDA_IN_BODY, true, false},
    {"ResourceId", "ResourceId", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, false, false},
    {"ScalableDimension", "ScalableDimension",
     &shape_ScalableDimension, LAMBDA_IN_BODY, false, false},
    {"MaxResults", "MaxResults", &shape_MaxResults, LAMBDA_IN_BODY, false, false},
    {"NextToken", "NextToken", &shape_XmlString, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_DescribeScheduledActionsRequest = {
    .name = "DescribeScheduledActionsRequest", .type = LAMBDA_STRUCTURE,
    .members = members_DescribeScheduledActionsRequest,
    .members_len = ARRAY_LEN(members_DescribeScheduledActionsRequest),
};

static const struct lambda_shape shape_AmazonResourceName = {
    .name = "AmazonResourceName", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 1011,
    .pattern = "^arn:.+:application-autoscaling:.+:[0-9]+:scalable-target\\/[a-zA-Z0-9"
               "-]+$",
};

static const struct lambda_member members_ListTagsForResourceRequest[] = {
    {"ResourceARN", "ResourceARN", &shape_AmazonResourceName, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_ListTagsForResourceRequest = {
    .name = "ListTagsForResourceRequest", .type = LAMBDA_STRUCTURE,
    .members = members_ListTagsForResourceRequest,
    .members_len = ARRAY_LEN(members_ListTagsForResourceRequest),
};

static const struct lambda_shape shape_PolicyName = {
    .name = "PolicyName", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 256, .pattern = "[ -~]+",
};

static const char *const values_PolicyType[] = {
    "StepScaling", "TargetTrackingScaling", "PredictiveScaling", NULL,
};
static const struct lambda_shape shape_PolicyType = {
    .name = "PolicyType", .type = LAMBDA_STRING, .values = values_PolicyType,
};

static const char *const values_AdjustmentType[] = {
    "ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity", NULL,
};
static const struct lambda_shape shape_AdjustmentType = {
    .name = "AdjustmentType", .type = LAMBDA_STRING, .values = values_AdjustmentType,
};

static const struct lambda_shape shape_MetricScale = {
    .name = "MetricScale", .type = LAMBDA_DOUBLE,
};

static const struct lambda_shape shape_ScalingAdjustment = {
    .name = "ScalingAdjustment", .type = LAMBDA_INTEGER,
};

static const struct lambda_member members_StepAdjustment[] = {
    {"MetricIntervalLowerBound", "MetricIntervalLowerBound",
     &shape_MetricScale, LAMBDA_IN_BODY, false, false},
    {"MetricIntervalUpperBound", "MetricIntervalUpperBound",
     &shape_MetricScale, LAMBDA_IN_BODY, false, false},
    {"ScalingAdjustment", "ScalingAdjustment",
     &shape_ScalingAdjustment, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_StepAdjustment = {
    .name = "StepAdjustment", .type = LAMBDA_STRUCTURE, .members = members_StepAdjustment,
    .members_len = ARRAY_LEN(members_StepAdjustment),
};

static const struct lambda_shape shape_StepAdjustments = {
    .name = "StepAdjustments", .type = LAMBDA_LIST, .item = &shape_StepAdjustment,
};

static const struct lambda_shape shape_MinAdjustmentMagnitude = {
    .name = "MinAdjustmentMagnitude", .type = LAMBDA_INTEGER,
};

static const struct lambda_shape shape_Cooldown = {
    .name = "Cooldown", .type = LAMBDA_INTEGER,
};

static const char *const values_MetricAggregationType[] = {
    "Average", "Minimum", "Maximum", NULL,
};
static const struct lambda_shape shape_MetricAggregationType = {
    .name = "MetricAggregationType", .type = LAMBDA_STRING, .values = values_MetricAggregationType,
};

static const struct lambda_member members_StepScalingPolicyConfiguration[] = {
    {"AdjustmentType", "AdjustmentType", &shape_AdjustmentType, LAMBDA_IN_BODY, false, false},
    {"StepAdjustments", "StepAdjustments", &shape_StepAdjustments, LAMBDA_IN_BODY, false, false},
    {"MinAdjustmentMagnitude", "MinAdjustmentMagnitude",
     &shape_MinAdjustmentMagnitude, LAMBDA_IN_BODY, false, false},
    {"Cooldown", "Cooldown", &shape_Cooldown, LAMBDA_IN_BODY, false, false},
    {"MetricAggregationType", "MetricAggregationType",
     &shape_MetricAggregationType, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_StepScalingPolicyConfiguration = {
    .name = "StepScalingPolicyConfiguration", .type = LAMBDA_STRUCTURE,
    .members = members_StepScalingPolicyConfiguration,
    .members_len = ARRAY_LEN(members_StepScalingPolicyConfiguration),
};

static const char *const values_MetricType[] = {
    "DynamoDBReadCapacityUtilization", "DynamoDBWriteCapacityUtilization",
    "ALBRequestCountPerTarget", "RDSReaderAverageCPUUtilization",
    "RDSReaderAverageDatabaseConnections", "EC2SpotFleetRequestAverageCPUUtilization",
    "EC2SpotFleetRequestAverageNetworkIn", "EC2SpotFleetRequestAverageNetworkOut",
    "SageMakerVariantInvocationsPerInstance", "ECSServiceAverageCPUUtilization",
    "ECSServiceAverageMemoryUtilization", "AppStreamAverageCapacityUtilization",
    "ComprehendInferenceUtilization", "LambdaProvisionedConcurrencyUtilization",
    "CassandraReadCapacityUtilization", "CassandraWriteCapacityUtilization",
    "KafkaBrokerStorageUtilization", "ElastiCacheEngineCPUUtilization",
    "ElastiCacheDatabaseMemoryUsagePercentage", "ElastiCachePrimaryEngineCPUUtilization",
    "ElastiCacheReplicaEngineCPUUtilization",
    "ElastiCacheDatabaseMemoryUsageCountedForEvictPercentage", "NeptuneReaderAverageCPUUtilization",
    "SageMakerVariantProvisionedConcurrencyUtilization",
    "ElastiCacheDatabaseCapacityUsageCountedForEvictPercentage",
    "SageMakerInferenceComponentInvocationsPerCopy",
    "WorkSpacesAverageUserSessionsCapacityUtilization",
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
    "SageMakerVariantConcurrentRequestsPerModelHighResolution",
    "ECSServiceAverageCPUUtilizationHighResolution",
    "ECSServiceAverageMemoryUtilizationHighResolution", NULL,
};
static const struct lambda_shape shape_MetricType = {
    .name = "MetricType", .type = LAMBDA_STRING, .values = values_MetricType,
};

static const struct lambda_shape shape_ResourceLabel = {
    .name = "ResourceLabel", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 1023,
};

static const struct lambda_member members_PredefinedMetricSpecification[] = {
    {"PredefinedMetricType", "PredefinedMetricType",
     &shape_MetricType, LAMBDA_IN_BODY, true, false},
    {"ResourceLabel", "ResourceLabel", &shape_ResourceLabel, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_PredefinedMetricSpecification = {
    .name = "PredefinedMetricSpecification", .type = LAMBDA_STRUCTURE,
    .members = members_PredefinedMetricSpecification,
    .members_len = ARRAY_LEN(members_PredefinedMetricSpecification),
};

static const struct lambda_shape shape_MetricName = {
    .name = "MetricName", .type = LAMBDA_STRING,
};

static const struct lambda_shape shape_MetricNamespace = {
    .name = "MetricNamespace", .type = LAMBDA_STRING,
};

static const struct lambda_shape shape_MetricDimensionName = {
    .name = "MetricDimensionName", .type = LAMBDA_STRING,
};

static const struct lambda_shape shape_MetricDimensionValue = {
    .name = "MetricDimensionValue", .type = LAMBDA_STRING,
};

static const struct lambda_member members_MetricDimension[] = {
    {"Name", "Name", &shape_MetricDimensionName, LAMBDA_IN_BODY, true, false},
    {"Value", "Value", &shape_MetricDimensionValue, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_MetricDimension = {
    .name = "MetricDimension", .type = LAMBDA_STRUCTURE, .members = members_MetricDimension,
    .members_len = ARRAY_LEN(members_MetricDimension),
};

static const struct lambda_shape shape_MetricDimensions = {
    .name = "MetricDimensions", .type = LAMBDA_LIST, .item = &shape_MetricDimension,
};

static const char *const values_MetricStatistic[] = {
    "Average", "Minimum", "Maximum", "SampleCount", "Sum", NULL,
};
static const struct lambda_shape shape_MetricStatistic = {
    .name = "MetricStatistic", .type = LAMBDA_STRING, .values = values_MetricStatistic,
};

static const struct lambda_shape shape_MetricUnit = {
    .name = "MetricUnit", .type = LAMBDA_STRING,
};

static const struct lambda_shape shape_Expression = {
    .name = "Expression", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true,
    .max = 2048,
};

static const struct lambda_shape shape_Id = {
    .name = "Id", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true, .max = 255,
};

static const struct lambda_shape shape_TargetTrackingMetricDimensionName = {
    .name = "TargetTrackingMetricDimensionName", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 255,
};

static const struct lambda_shape shape_TargetTrackingMetricDimensionValue = {
    .name = "TargetTrackingMetricDimensionValue", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 1024,
};

static const struct lambda_member members_TargetTrackingMetricDimension[] = {
    {"Name", "Name", &shape_TargetTrackingMetricDimensionName, LAMBDA_IN_BODY, true, false},
    {"Value", "Value", &shape_TargetTrackingMetricDimensionValue, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_TargetTrackingMetricDimension = {
    .name = "TargetTrackingMetricDimension", .type = LAMBDA_STRUCTURE,
    .members = members_TargetTrackingMetricDimension,
    .members_len = ARRAY_LEN(members_TargetTrackingMetricDimension),
};

static const struct lambda_shape shape_TargetTrackingMetricDimensions = {
    .name = "TargetTrackingMetricDimensions", .type = LAMBDA_LIST,
    .item = &shape_TargetTrackingMetricDimension,
};

static const struct lambda_shape shape_TargetTrackingMetricName = {
    .name = "TargetTrackingMetricName", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 255,
};

static const struct lambda_shape shape_TargetTrackingMetricNamespace = {
    .name = "TargetTrackingMetricNamespace", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 255,
};

static const struct lambda_member members_TargetTrackingMetric[] = {
    {"Dimensions", "Dimensions",
     &shape_TargetTrackingMetricDimensions, LAMBDA_IN_BODY, false, false},
    {"MetricName", "MetricName", &shape_TargetTrackingMetricName, LAMBDA_IN_BODY, false, false},
    {"Namespace", "Namespace", &shape_TargetTrackingMetricNamespace, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_TargetTrackingMetric = {
    .name = "TargetTrackingMetric", .type = LAMBDA_STRUCTURE,
    .members = members_TargetTrackingMetric, .members_len = ARRAY_LEN(members_TargetTrackingMetric),
};

static const struct lambda_shape shape_TargetTrackingMetricUnit = {
    .name = "TargetTrackingMetricUnit", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 1023,
};

static const struct lambda_member members_TargetTrackingMetricStat[] = {
    {"Metric", "Metric", &shape_TargetTrackingMetric, LAMBDA_IN_BODY, true, false},
    {"Stat", "Stat", &shape_XmlString, LAMBDA_IN_BODY, true, false},
    {"Unit", "Unit", &shape_TargetTrackingMetricUnit, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_TargetTrackingMetricStat = {
    .name = "TargetTrackingMetricStat", .type = LAMBDA_STRUCTURE,
    .members = members_TargetTrackingMetricStat,
    .members_len = ARRAY_LEN(members_TargetTrackingMetricStat),
};

static const struct lambda_shape shape_ReturnData = {
    .name = "ReturnData", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_member members_TargetTrackingMetricDataQuery[] = {
    {"Expression", "Expression", &shape_Expression, LAMBDA_IN_BODY, false, false},
    {"Id", "Id", &shape_Id, LAMBDA_IN_BODY, true, false},
    {"Label", "Label", &shape_XmlString, LAMBDA_IN_BODY, false, false},
    {"MetricStat", "MetricStat", &shape_TargetTrackingMetricStat, LAMBDA_IN_BODY, false, false},
    {"ReturnData", "ReturnData", &shape_ReturnData, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_TargetTrackingMetricDataQuery = {
    .name = "TargetTrackingMetricDataQuery", .type = LAMBDA_STRUCTURE,
    .members = members_TargetTrackingMetricDataQuery,
    .members_len = ARRAY_LEN(members_TargetTrackingMetricDataQuery),
};

static const struct lambda_shape shape_TargetTrackingMetricDataQueries = {
    .name = "TargetTrackingMetricDataQueries", .type = LAMBDA_LIST,
    .item = &shape_TargetTrackingMetricDataQuery,
};

static const struct lambda_member members_CustomizedMetricSpecification[] = {
    {"MetricName", "MetricName", &shape_MetricName, LAMBDA_IN_BODY, false, false},
    {"Namespace", "Namespace", &shape_MetricNamespace, LAMBDA_IN_BODY, false, false},
    {"Dimensions", "Dimensions", &shape_MetricDimensions, LAMBDA_IN_BODY, false, false},
    {"Statistic", "Statistic", &shape_MetricStatistic, LAMBDA_IN_BODY, false, false},
    {"Unit", "Unit", &shape_MetricUnit, LAMBDA_IN_BODY, false, false},
    {"Metrics", "Metrics", &shape_TargetTrackingMetricDataQueries, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_CustomizedMetricSpecification = {
    .name = "CustomizedMetricSpecification", .type = LAMBDA_STRUCTURE,
    .members = members_CustomizedMetricSpecification,
    .members_len = ARRAY_LEN(members_CustomizedMetricSpecification),
};

static const struct lambda_shape shape_DisableScaleIn = {
    .name = "DisableScaleIn", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_member members_TargetTrackingScalingPolicyConfiguration[] = {
    {"TargetValue", "TargetValue", &shape_MetricScale, LAMBDA_IN_BODY, true, false},
    {"PredefinedMetricSpecification", "PredefinedMetricSpecification",
     &shape_PredefinedMetricSpecification, LAMBDA_IN_BODY, false, false},
    {"CustomizedMetricSpecification", "CustomizedMetricSpecification",
     &shape_CustomizedMetricSpecification, LAMBDA_IN_BODY, false, false},
    {"ScaleOutCooldown", "ScaleOutCooldown", &shape_Cooldown, LAMBDA_IN_BODY, false, false},
    {"ScaleInCooldown", "ScaleInCooldown", &shape_Cooldown, LAMBDA_IN_BODY, false, false},
    {"DisableScaleIn", "DisableScaleIn", &shape_DisableScaleIn, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_TargetTrackingScalingPolicyConfiguration = {
    .name = "TargetTrackingScalingPolicyConfiguration", .type = LAMBDA_STRUCTURE,
    .members = members_TargetTrackingScalingPolicyConfiguration,
    .members_len = ARRAY_LEN(members_TargetTrackingScalingPolicyConfiguration),
};

static const struct lambda_shape shape_PredictiveScalingPolicyConfiguration = {
    .name = "PredictiveScalingPolicyConfiguration", .type = LAMBDA_STRUCTURE,
};

static const struct lambda_member members_PutScalingPolicyRequest[] = {
    {"PolicyName", "PolicyName", &shape_PolicyName, LAMBDA_IN_BODY, true, false},
    {"ServiceNamespace", "ServiceNamespace", &shape_ServiceNamespace, LAMBDA_IN_BODY, true, false},
    {"ResourceId", "ResourceId", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, true, false},
    {"ScalableDimension", "ScalableDimension",
     &shape_ScalableDimension, LAMBDA_IN_BODY, true, false},
    {"PolicyType", "PolicyType", &shape_PolicyType, LAMBDA_IN_BODY, false, false},
    {"StepScalingPolicyConfiguration", "StepScalingPolicyConfiguration",
     &shape_StepScalingPolicyConfiguration, LAMBDA_IN_BODY, false, false},
    {"TargetTrackingScalingPolicyConfiguration", "TargetTrackingScalingPolicyConfiguration",
     &shape_TargetTrackingScalingPolicyConfiguration, LAMBDA_IN_BODY, false, false},
    {"PredictiveScalingPolicyConfiguration", "PredictiveScalingPolicyConfiguration",
     &shape_PredictiveScalingPolicyConfiguration, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_PutScalingPolicyRequest = {
    .name = "PutScalingPolicyRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PutScalingPolicyRequest,
    .members_len = ARRAY_LEN(members_PutScalingPolicyRequest),
};

static const struct lambda_shape shape_ScheduledActionName = {
    .name = "ScheduledActionName", .type = LAMBDA_STRING, .has_min = true, .min = 1,
    .has_max = true, .max = 256,
    .pattern = "(?!((^[ ]+.*)|(.*([\\u0000-\\u001f]|[\\u007f-\\u009f]|[:/|])+.*)|(.*[ "
               "]+$))).+",
};

static const struct lambda_shape shape_TimestampType = {
    .name = "TimestampType", .type = LAMBDA_TIMESTAMP,
};

static const struct lambda_shape shape_ResourceCapacity = {
    .name = "ResourceCapacity", .type = LAMBDA_INTEGER,
};

static const struct lambda_member members_ScalableTargetAction[] = {
    {"MinCapacity", "MinCapacity", &shape_ResourceCapacity, LAMBDA_IN_BODY, false, false},
    {"MaxCapacity", "MaxCapacity", &shape_ResourceCapacity, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_ScalableTargetAction = {
    .name = "ScalableTargetAction", .type = LAMBDA_STRUCTURE,
    .members = members_ScalableTargetAction, .members_len = ARRAY_LEN(members_ScalableTargetAction),
};

static const struct lambda_member members_PutScheduledActionRequest[] = {
    {"ServiceNamespace", "ServiceNamespace", &shape_ServiceNamespace, LAMBDA_IN_BODY, true, false},
    {"Schedule", "Schedule", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, false, false},
    {"Timezone", "Timezone", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, false, false},
    {"ScheduledActionName", "ScheduledActionName",
     &shape_ScheduledActionName, LAMBDA_IN_BODY, true, false},
    {"ResourceId", "ResourceId", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, true, false},
    {"ScalableDimension", "ScalableDimension",
     &shape_ScalableDimension, LAMBDA_IN_BODY, true, false},
    {"StartTime", "StartTime", &shape_TimestampType, LAMBDA_IN_BODY, false, false},
    {"EndTime", "EndTime", &shape_TimestampType, LAMBDA_IN_BODY, false, false},
    {"ScalableTargetAction", "ScalableTargetAction",
     &shape_ScalableTargetAction, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_PutScheduledActionRequest = {
    .name = "PutScheduledActionRequest", .type = LAMBDA_STRUCTURE,
    .members = members_PutScheduledActionRequest,
    .members_len = ARRAY_LEN(members_PutScheduledActionRequest),
};

static const struct lambda_shape shape_ScalingSuspended = {
    .name = "ScalingSuspended", .type = LAMBDA_BOOLEAN,
};

static const struct lambda_member members_SuspendedState[] = {
    {"DynamicScalingInSuspended", "DynamicScalingInSuspended",
     &shape_ScalingSuspended, LAMBDA_IN_BODY, false, false},
    {"DynamicScalingOutSuspended", "DynamicScalingOutSuspended",
     &shape_ScalingSuspended, LAMBDA_IN_BODY, false, false},
    {"ScheduledScalingSuspended", "ScheduledScalingSuspended",
     &shape_ScalingSuspended, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_SuspendedState = {
    .name = "SuspendedState", .type = LAMBDA_STRUCTURE, .members = members_SuspendedState,
    .members_len = ARRAY_LEN(members_SuspendedState),
};

static const struct lambda_shape shape_TagKey = {
    .name = "TagKey", .type = LAMBDA_STRING, .has_min = true, .min = 1, .has_max = true, .max = 128,
};

static const struct lambda_shape shape_TagValue = {
    .name = "TagValue", .type = LAMBDA_STRING, .has_min = true, .min = 0, .has_max = true,
    .max = 256,
};

static const struct lambda_shape shape_TagMap = {
    .name = "TagMap", .type = LAMBDA_MAP, .key = &shape_TagKey, .item = &shape_TagValue,
};

static const struct lambda_member members_RegisterScalableTargetRequest[] = {
    {"ServiceNamespace", "ServiceNamespace", &shape_ServiceNamespace, LAMBDA_IN_BODY, true, false},
    {"ResourceId", "ResourceId", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, true, false},
    {"ScalableDimension", "ScalableDimension",
     &shape_ScalableDimension, LAMBDA_IN_BODY, true, false},
    {"MinCapacity", "MinCapacity", &shape_ResourceCapacity, LAMBDA_IN_BODY, false, false},
    {"MaxCapacity", "MaxCapacity", &shape_ResourceCapacity, LAMBDA_IN_BODY, false, false},
    {"RoleARN", "RoleARN", &shape_ResourceIdMaxLen1600, LAMBDA_IN_BODY, false, false},
    {"SuspendedState", "SuspendedState", &shape_SuspendedState, LAMBDA_IN_BODY, false, false},
    {"Tags", "Tags", &shape_TagMap, LAMBDA_IN_BODY, false, false},
};
static const struct lambda_shape shape_RegisterScalableTargetRequest = {
    .name = "RegisterScalableTargetRequest", .type = LAMBDA_STRUCTURE,
    .members = members_RegisterScalableTargetRequest,
    .members_len = ARRAY_LEN(members_RegisterScalableTargetRequest),
};

static const struct lambda_member members_TagResourceRequest[] = {
    {"ResourceARN", "ResourceARN", &shape_AmazonResourceName, LAMBDA_IN_BODY, true, false},
    {"Tags", "Tags", &shape_TagMap, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_TagResourceRequest = {
    .name = "TagResourceRequest", .type = LAMBDA_STRUCTURE, .members = members_TagResourceRequest,
    .members_len = ARRAY_LEN(members_TagResourceRequest),
};

static const struct lambda_shape shape_TagKeyList = {
    .name = "TagKeyList", .type = LAMBDA_LIST, .has_min = true, .min = 0, .has_max = true,
    .max = 200, .item = &shape_TagKey,
};

static const struct lambda_member members_UntagResourceRequest[] = {
    {"ResourceARN", "ResourceARN", &shape_AmazonResourceName, LAMBDA_IN_BODY, true, false},
    {"TagKeys", "TagKeys", &shape_TagKeyList, LAMBDA_IN_BODY, true, false},
};
static const struct lambda_shape shape_UntagResourceRequest = {
    .name = "UntagResourceRequest", .type = LAMBDA_STRUCTURE,
    .members = members_UntagResourceRequest, .members_len = ARRAY_LEN(members_UntagResourceRequest),
};

static const struct lambda_shape *const input_shapes[SCALING_OP_MAX] = {
    [SCALING_OP_DeleteScalingPolicy] = &shape_DeleteScalingPolicyRequest,
    [SCALING_OP_DeleteScheduledAction] = &shape_DeleteScheduledActionRequest,
    [SCALING_OP_DeregisterScalableTarget] = &shape_DeregisterScalableTargetRequest,
    [SCALING_OP_DescribeScalableTargets] = &shape_DescribeScalableTargetsRequest,
    [SCALING_OP_DescribeScalingActivities] = &shape_DescribeScalingActivitiesRequest,
    [SCALING_OP_DescribeScalingPolicies] = &shape_DescribeScalingPoliciesRequest,
    [SCALING_OP_DescribeScheduledActions] = &shape_DescribeScheduledActionsRequest,
    [SCALING_OP_ListTagsForResource] = &shape_ListTagsForResourceRequest,
    [SCALING_OP_PutScalingPolicy] = &shape_PutScalingPolicyRequest,
    [SCALING_OP_PutScheduledAction] = &shape_PutScheduledActionRequest,
    [SCALING_OP_RegisterScalableTarget] = &shape_RegisterScalableTargetRequest,
    [SCALING_OP_TagResource] = &shape_TagResourceRequest,
    [SCALING_OP_UntagResource] = &shape_UntagResourceRequest,
};

const struct lambda_shape *scaling_input_shape(enum scaling_op_id id)
{
    return input_shapes[id];
}
