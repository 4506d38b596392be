/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policies that AWS manages, as far as roles of functions have them attached. Facts of AWS:
 * name, path, default version, dates and what each allows; in the order of their names. The ids
 * are Hearth's own.
 */
#include "controller/iam/iam_managed.h"

#include <string.h>

#define ARN_PREFIX "arn:aws:iam::aws:policy"

const struct iam_managed iam_managed_table[] = {
    {.name = "AWSCodeDeployRoleForLambda",
     .path = "/service-role/",
     .id = "ANPANALWVOT5VO3ATC5LY",
     .version = "v3",
     .created = "2017-11-28T14:05:44Z",
     .updated = "2019-12-03T19:53:10Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"cloudwatch:DescribeAlarms\",\"lambda:UpdateAlias\","
                 "\"lambda:GetAlias\",\"lambda:GetProvisionedConcurrencyConfig\",\"sns:Publish\"],"
                 "\"Resource\":\"*\"},{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\","
                 "\"s3:GetObjectVersion\"],\"Resource\":\"arn:aws:s3:::*/CodeDeploy/*\"},{"
                 "\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\",\"s3:GetObjectVersion\"],"
                 "\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{"
                 "\"s3:ExistingObjectTag/UseWithCodeDeploy\":\"true\"}}},{\"Effect\":\"Allow\","
                 "\"Action\":[\"lambda:InvokeFunction\"],"
                 "\"Resource\":\"arn:aws:lambda:*:*:function:CodeDeployHook_*\"}]}"},
    {.name = "AWSCodeDeployRoleForLambdaLimited",
     .path = "/service-role/",
     .id = "ANPAZ3GI6T5NAXHSES7X2",
     .version = "v1",
     .created = "2020-08-17T17:14:14Z",
     .updated = "2020-08-17T17:14:14Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"cloudwatch:DescribeAlarms\",\"lambda:UpdateAlias\","
                 "\"lambda:GetAlias\",\"lambda:GetProvisionedConcurrencyConfig\"],"
                 "\"Resource\":\"*\"},{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\","
                 "\"s3:GetObjectVersion\"],\"Resource\":\"arn:aws:s3:::*/CodeDeploy/*\"},{"
                 "\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\",\"s3:GetObjectVersion\"],"
                 "\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{"
                 "\"s3:ExistingObjectTag/UseWithCodeDeploy\":\"true\"}}},{\"Effect\":\"Allow\","
                 "\"Action\":[\"lambda:InvokeFunction\"],"
                 "\"Resource\":\"arn:aws:lambda:*:*:function:CodeDeployHook_*\"}]}"},
    {.name = "AWSLambdaBasicDurableExecutionRolePolicy",
     .path = "/service-role/",
     .id = "ANPAVTXAUGOH6TABIRWS4",
     .version = "v3",
     .created = "2025-12-02T15:04:12Z",
     .updated = "2026-02-12T18:01:44Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
                 "\"logs:PutLogEvents\",\"lambda:CheckpointDurableExecution\","
                 "\"lambda:GetDurableExecutionState\"],\"Resource\":\"*\"}]}"},
    {.name = "AWSLambdaBasicExecutionRole",
     .path = "/service-role/",
     .id = "ANPAYP2LTYSLIMUXV3JL4",
     .version = "v1",
     .created = "2015-04-09T15:03:43Z",
     .updated = "2015-04-09T15:03:43Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
                 "\"logs:PutLogEvents\"],\"Resource\":\"*\"}]}"},
    {.name = "AWSLambdaDynamoDBExecutionRole",
     .path = "/service-role/",
     .id = "ANPAIUCYL4VWINYOJUYWD",
     .version = "v1",
     .created = "2015-04-09T15:09:29Z",
     .updated = "2015-04-09T15:09:29Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"dynamodb:DescribeStream\",\"dynamodb:GetRecords\","
                 "\"dynamodb:GetShardIterator\",\"dynamodb:ListStreams\",\"logs:CreateLogGroup\","
                 "\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Resource\":\"*\"}]}"},
    {.name = "AWSLambdaENIManagementAccess",
     .path = "/service-role/",
     .id = "ANPA4DCU3L2TKB6GH3HYC",
     .version = "v2",
     .created = "2016-12-06T00:37:27Z",
     .updated = "2020-10-01T20:07:26Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"ec2:CreateNetworkInterface\",\"ec2:DescribeNetworkInterfaces\","
                 "\"ec2:DeleteNetworkInterface\",\"ec2:AssignPrivateIpAddresses\","
                 "\"ec2:UnassignPrivateIpAddresses\"],\"Resource\":\"*\"}]}"},
    {.name = "AWSLambdaExecute",
     .path = "/",
     .id = "ANPAAXRICFQIXOQ6PGDM3",
     .version = "v1",
     .created = "2015-02-06T18:40:46Z",
     .updated = "2015-02-06T18:40:46Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"logs:*\"],\"Resource\":\"arn:aws:logs:*:*:*\"},{"
                 "\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\",\"s3:PutObject\"],"
                 "\"Resource\":\"arn:aws:s3:::*\"}]}"},
    {.name = "AWSLambdaInvocation-DynamoDB",
     .path = "/",
     .id = "ANPAK57ZXCKGCURPQ4BB7",
     .version = "v1",
     .created = "2015-02-06T18:40:47Z",
     .updated = "2015-02-06T18:40:47Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"lambda:InvokeFunction\"],\"Resource\":\"*\"},{"
                 "\"Effect\":\"Allow\",\"Action\":[\"dynamodb:DescribeStream\","
                 "\"dynamodb:GetRecords\",\"dynamodb:GetShardIterator\",\"dynamodb:ListStreams\"],"
                 "\"Resource\":\"*\"}]}"},
    {.name = "AWSLambdaKinesisExecutionRole",
     .path = "/service-role/",
     .id = "ANPAPUYMYQYFFN536RT72",
     .version = "v2",
     .created = "2015-04-09T15:14:16Z",
     .updated = "2018-11-19T20:09:24Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"kinesis:DescribeStream\",\"kinesis:DescribeStreamSummary\","
                 "\"kinesis:GetRecords\",\"kinesis:GetShardIterator\",\"kinesis:ListShards\","
                 "\"kinesis:ListStreams\",\"kinesis:SubscribeToShard\",\"logs:CreateLogGroup\","
                 "\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Resource\":\"*\"}]}"},
    {.name = "AWSLambdaMSKExecutionRole",
     .path = "/service-role/",
     .id = "ANPAZX356QFZBEWMD4WCG",
     .version = "v2",
     .created = "2020-08-11T17:35:05Z",
     .updated = "2022-08-02T20:08:02Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"kafka:DescribeCluster\",\"kafka:DescribeClusterV2\","
                 "\"kafka:GetBootstrapBrokers\",\"ec2:CreateNetworkInterface\","
                 "\"ec2:DescribeNetworkInterfaces\",\"ec2:DescribeVpcs\","
                 "\"ec2:DeleteNetworkInterface\",\"ec2:DescribeSubnets\","
                 "\"ec2:DescribeSecurityGroups\",\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
                 "\"logs:PutLogEvents\"],\"Resource\":\"*\"}]}"},
    {.name = "AWSLambdaRole",
     .path = "/service-role/",
     .id = "ANPARNKUR4W3YC7ROG5QY",
     .version = "v1",
     .created = "2015-02-06T18:41:28Z",
     .updated = "2015-02-06T18:41:28Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"lambda:InvokeFunction\"],\"Resource\":[\"*\"]}]}"},
    {.name = "AWSLambdaSQSQueueExecutionRole",
     .path = "/service-role/",
     .id = "ANPAA5TMZEAT6C5JV2VJH",
     .version = "v1",
     .created = "2018-06-14T21:50:45Z",
     .updated = "2018-06-14T21:50:45Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"sqs:ReceiveMessage\",\"sqs:DeleteMessage\","
                 "\"sqs:GetQueueAttributes\",\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
                 "\"logs:PutLogEvents\"],\"Resource\":\"*\"}]}"},
    {.name = "AWSLambdaVPCAccessExecutionRole",
     .path = "/service-role/",
     .id = "ANPAJE3MMN6A2IX2LSQDF",
     .version = "v3",
     .created = "2016-02-11T23:15:26Z",
     .updated = "2024-01-05T22:38:26Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{"
                 "\"Sid\":\"AWSLambdaVPCAccessExecutionPermissions\",\"Effect\":\"Allow\","
                 "\"Action\":[\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
                 "\"logs:PutLogEvents\",\"ec2:CreateNetworkInterface\","
                 "\"ec2:DescribeNetworkInterfaces\",\"ec2:DescribeSubnets\","
                 "\"ec2:DeleteNetworkInterface\",\"ec2:AssignPrivateIpAddresses\","
                 "\"ec2:UnassignPrivateIpAddresses\"],\"Resource\":\"*\"}]}"},
    {.name = "AWSLambda_FullAccess",
     .path = "/",
     .id = "ANPAXLVPVJO7MLIJ5I57F",
     .version = "v7",
     .created = "2020-11-17T21:14:08Z",
     .updated = "2026-02-12T18:00:51Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"cloudformation:DescribeStacks\","
                 "\"cloudformation:ListStackResources\",\"cloudwatch:ListMetrics\","
                 "\"cloudwatch:GetMetricData\",\"ec2:DescribeSecurityGroups\","
                 "\"ec2:DescribeSubnets\",\"ec2:DescribeVpcs\",\"kms:DescribeKey\","
                 "\"kms:ListAliases\",\"iam:GetPolicy\",\"iam:GetPolicyVersion\",\"iam:GetRole\","
                 "\"iam:GetRolePolicy\",\"iam:ListAttachedRolePolicies\",\"iam:ListRolePolicies\","
                 "\"iam:ListRoles\",\"lambda:*\",\"logs:DescribeLogGroups\","
                 "\"states:DescribeStateMachine\",\"states:ListStateMachines\","
                 "\"tag:GetResources\",\"xray:GetTraceSummaries\",\"xray:BatchGetTraces\"],"
                 "\"Resource\":\"*\"},{\"Effect\":\"Allow\",\"Action\":\"iam:PassRole\","
                 "\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{"
                 "\"iam:PassedToService\":\"lambda.amazonaws.com\"}}},{\"Effect\":\"Allow\","
                 "\"Action\":[\"logs:DescribeLogStreams\",\"logs:GetLogEvents\","
                 "\"logs:FilterLogEvents\",\"logs:StartLiveTail\",\"logs:StopLiveTail\"],"
                 "\"Resource\":\"arn:aws:logs:*:*:log-group:/aws/lambda/*\"},{"
                 "\"Effect\":\"Allow\",\"Action\":\"iam:CreateServiceLinkedRole\","
                 "\"Resource\":\"arn:aws:iam::*:role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda\","
                 "\"Condition\":{\"StringEquals\":{"
                 "\"iam:AWSServiceName\":\"lambda.amazonaws.com\"}}}]}"},
    {.name = "AWSLambda_ReadOnlyAccess",
     .path = "/",
     .id = "ANPA5A6DZPOSUUF6IR4ID",
     .version = "v5",
     .created = "2020-11-17T21:10:32Z",
     .updated = "2026-02-12T18:02:55Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"cloudformation:DescribeStacks\",\"cloudformation:ListStacks\","
                 "\"cloudformation:ListStackResources\",\"cloudwatch:GetMetricData\","
                 "\"cloudwatch:ListMetrics\",\"ec2:DescribeSecurityGroups\","
                 "\"ec2:DescribeSubnets\",\"ec2:DescribeVpcs\",\"kms:ListAliases\","
                 "\"iam:GetPolicy\",\"iam:GetPolicyVersion\",\"iam:GetRole\","
                 "\"iam:GetRolePolicy\",\"iam:ListAttachedRolePolicies\",\"iam:ListRolePolicies\","
                 "\"iam:ListRoles\",\"logs:DescribeLogGroups\",\"lambda:Get*\",\"lambda:List*\","
                 "\"states:DescribeStateMachine\",\"states:ListStateMachines\","
                 "\"tag:GetResources\",\"xray:GetTraceSummaries\",\"xray:BatchGetTraces\"],"
                 "\"Resource\":\"*\"},{\"Effect\":\"Allow\","
                 "\"Action\":[\"logs:DescribeLogStreams\",\"logs:GetLogEvents\","
                 "\"logs:FilterLogEvents\",\"logs:StartQuery\",\"logs:StopQuery\","
                 "\"logs:DescribeQueries\",\"logs:GetLogGroupFields\",\"logs:GetLogRecord\","
                 "\"logs:GetQueryResults\",\"logs:StartLiveTail\",\"logs:StopLiveTail\"],"
                 "\"Resource\":\"arn:aws:logs:*:*:log-group:/aws/lambda/*\"}]}"},
    {.name = "AWSXRayDaemonWriteAccess",
     .path = "/",
     .id = "ANPAQNAXJCNJ6W4JRUXF2",
     .version = "v2",
     .created = "2018-08-28T23:00:33Z",
     .updated = "2024-02-13T21:58:30Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{"
                 "\"Sid\":\"AWSXRayDaemonWriteAccess\",\"Effect\":\"Allow\","
                 "\"Action\":[\"xray:PutTraceSegments\",\"xray:PutTelemetryRecords\","
                 "\"xray:GetSamplingRules\",\"xray:GetSamplingTargets\","
                 "\"xray:GetSamplingStatisticSummaries\"],\"Resource\":[\"*\"]}]}"},
    {.name = "AdministratorAccess",
     .path = "/",
     .id = "ANPA7E7ALMTL67E5SJ2UQ",
     .version = "v1",
     .created = "2015-02-06T18:39:46Z",
     .updated = "2015-02-06T18:39:46Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":\"*\",\"Resource\":\"*\"}]}"},
    {.name = "AmazonAPIGatewayInvokeFullAccess",
     .path = "/",
     .id = "ANPAL465OJ4ERAXUSNEQ6",
     .version = "v2",
     .created = "2015-07-09T17:36:12Z",
     .updated = "2018-12-18T18:25:10Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"execute-api:Invoke\",\"execute-api:ManageConnections\"],"
                 "\"Resource\":\"arn:aws:execute-api:*:*:*\"}]}"},
    {.name = "AmazonAPIGatewayPushToCloudWatchLogs",
     .path = "/service-role/",
     .id = "ANPA7ZCNPRFM7SJUMHXEY",
     .version = "v1",
     .created = "2015-11-11T23:41:46Z",
     .updated = "2015-11-11T23:41:46Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
                 "\"logs:DescribeLogGroups\",\"logs:DescribeLogStreams\",\"logs:PutLogEvents\","
                 "\"logs:GetLogEvents\",\"logs:FilterLogEvents\"],\"Resource\":\"*\"}]}"},
    {.name = "AmazonDynamoDBReadOnlyAccess",
     .path = "/",
     .id = "ANPAYP4AS6IG6A3L4BH5P",
     .version = "v15",
     .created = "2015-02-06T18:40:12Z",
     .updated = "2024-11-18T17:38:15Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"GeneralReadOnlyAccess\","
                 "\"Effect\":\"Allow\","
                 "\"Action\":[\"application-autoscaling:DescribeScalableTargets\","
                 "\"application-autoscaling:DescribeScalingActivities\","
                 "\"application-autoscaling:DescribeScalingPolicies\","
                 "\"cloudwatch:DescribeAlarmHistory\",\"cloudwatch:DescribeAlarms\","
                 "\"cloudwatch:DescribeAlarmsForMetric\",\"cloudwatch:GetMetricStatistics\","
                 "\"cloudwatch:ListMetrics\",\"cloudwatch:GetMetricData\","
                 "\"datapipeline:DescribeObjects\",\"datapipeline:DescribePipelines\","
                 "\"datapipeline:GetPipelineDefinition\",\"datapipeline:ListPipelines\","
                 "\"datapipeline:QueryObjects\",\"dynamodb:BatchGetItem\",\"dynamodb:Describe*\","
                 "\"dynamodb:List*\",\"dynamodb:GetAbacStatus\",\"dynamodb:GetItem\","
                 "\"dynamodb:GetResourcePolicy\",\"dynamodb:Query\",\"dynamodb:Scan\","
                 "\"dynamodb:PartiQLSelect\",\"dax:Describe*\",\"dax:List*\",\"dax:GetItem\","
                 "\"dax:BatchGetItem\",\"dax:Query\",\"dax:Scan\",\"ec2:DescribeVpcs\","
                 "\"ec2:DescribeSubnets\",\"ec2:DescribeSecurityGroups\",\"iam:GetRole\","
                 "\"iam:ListRoles\",\"kms:DescribeKey\",\"kms:ListAliases\","
                 "\"sns:ListSubscriptionsByTopic\",\"sns:ListTopics\",\"lambda:ListFunctions\","
                 "\"lambda:ListEventSourceMappings\",\"lambda:GetFunctionConfiguration\","
                 "\"resource-groups:ListGroups\",\"resource-groups:ListGroupResources\","
                 "\"resource-groups:GetGroup\",\"resource-groups:GetGroupQuery\","
                 "\"tag:GetResources\",\"kinesis:ListStreams\",\"kinesis:DescribeStream\","
                 "\"kinesis:DescribeStreamSummary\"],\"Resource\":\"*\"},{\"Sid\":\"CCIAccess\","
                 "\"Effect\":\"Allow\",\"Action\":\"cloudwatch:GetInsightRuleReport\","
                 "\"Resource\":\"arn:aws:cloudwatch:*:*:insight-rule/DynamoDBContributorInsights*\"}]}"},
    {.name = "AmazonKinesisFullAccess",
     .path = "/",
     .id = "ANPADCHB6ZXS5A5FQ5VXH",
     .version = "v1",
     .created = "2015-02-06T18:40:29Z",
     .updated = "2015-02-06T18:40:29Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":\"kinesis:*\",\"Resource\":\"*\"}]}"},
    {.name = "AmazonKinesisReadOnlyAccess",
     .path = "/",
     .id = "ANPADO5UZGPAC5RKJDQSM",
     .version = "v1",
     .created = "2015-02-06T18:40:30Z",
     .updated = "2015-02-06T18:40:30Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"kinesis:Get*\",\"kinesis:List*\",\"kinesis:Describe*\"],"
                 "\"Resource\":\"*\"}]}"},
    {.name = "AmazonS3FullAccess",
     .path = "/",
     .id = "ANPAHRAESTOB3UV4K6GVD",
     .version = "v2",
     .created = "2015-02-06T18:40:58Z",
     .updated = "2021-09-27T20:16:37Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"s3:*\",\"s3-object-lambda:*\"],\"Resource\":\"*\"}]}"},
    {.name = "AmazonS3ObjectLambdaExecutionRolePolicy",
     .path = "/service-role/",
     .id = "ANPAPB5J5F7Q2C6SAO4LO",
     .version = "v1",
     .created = "2021-08-18T10:07:41Z",
     .updated = "2021-08-18T10:07:41Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"logs:CreateLogGroup\",\"logs:CreateLogStream\","
                 "\"logs:PutLogEvents\",\"s3-object-lambda:WriteGetObjectResponse\"],"
                 "\"Resource\":\"*\"}]}"},
    {.name = "AmazonS3ReadOnlyAccess",
     .path = "/",
     .id = "ANPAGBAX4M3WM6HIOXEXG",
     .version = "v3",
     .created = "2015-02-06T18:40:59Z",
     .updated = "2023-08-10T21:31:39Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"s3:Get*\",\"s3:List*\",\"s3:Describe*\",\"s3-object-lambda:Get*\","
                 "\"s3-object-lambda:List*\"],\"Resource\":\"*\"}]}"},
    {.name = "AmazonSNSFullAccess",
     .path = "/",
     .id = "ANPABYHXMVGOJ4YI6OLUZ",
     .version = "v2",
     .created = "2015-02-06T18:41:05Z",
     .updated = "2024-09-24T22:32:05Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"SNSFullAccess\","
                 "\"Effect\":\"Allow\",\"Action\":\"sns:*\",\"Resource\":\"*\"},{"
                 "\"Sid\":\"SMSAccessViaSNS\",\"Effect\":\"Allow\","
                 "\"Action\":[\"sms-voice:DescribeVerifiedDestinationNumbers\","
                 "\"sms-voice:CreateVerifiedDestinationNumber\","
                 "\"sms-voice:SendDestinationNumberVerificationCode\","
                 "\"sms-voice:SendTextMessage\",\"sms-voice:DeleteVerifiedDestinationNumber\","
                 "\"sms-voice:VerifyDestinationNumber\",\"sms-voice:DescribeAccountAttributes\","
                 "\"sms-voice:DescribeSpendLimits\",\"sms-voice:DescribePhoneNumbers\","
                 "\"sms-voice:SetTextMessageSpendLimitOverride\","
                 "\"sms-voice:DescribeOptedOutNumbers\",\"sms-voice:DeleteOptedOutNumber\"],"
                 "\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{"
                 "\"aws:CalledViaLast\":\"sns.amazonaws.com\"}}}]}"},
    {.name = "AmazonSNSReadOnlyAccess",
     .path = "/",
     .id = "ANPA4FFBCHNTNBJ4HN2FA",
     .version = "v2",
     .created = "2015-02-06T18:41:06Z",
     .updated = "2024-09-24T22:13:12Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"SNSReadOnlyAccess\","
                 "\"Effect\":\"Allow\",\"Action\":[\"sns:GetTopicAttributes\",\"sns:List*\","
                 "\"sns:CheckIfPhoneNumberIsOptedOut\",\"sns:GetEndpointAttributes\","
                 "\"sns:GetDataProtectionPolicy\",\"sns:GetPlatformApplicationAttributes\","
                 "\"sns:GetSMSAttributes\",\"sns:GetSMSSandboxAccountStatus\","
                 "\"sns:GetSubscriptionAttributes\"],\"Resource\":\"*\"},{"
                 "\"Sid\":\"SMSAccessViaSNS\",\"Effect\":\"Allow\","
                 "\"Action\":[\"sms-voice:DescribeVerifiedDestinationNumbers\","
                 "\"sms-voice:DescribeAccountAttributes\",\"sms-voice:DescribeSpendLimits\","
                 "\"sms-voice:DescribePhoneNumbers\",\"sms-voice:DescribeOptedOutNumbers\"],"
                 "\"Resource\":\"*\",\"Condition\":{\"StringEquals\":{"
                 "\"aws:CalledViaLast\":\"sns.amazonaws.com\"}}}]}"},
    {.name = "AmazonSQSFullAccess",
     .path = "/",
     .id = "ANPA4BA2VC3WYACMGRQ42",
     .version = "v1",
     .created = "2015-02-06T18:41:07Z",
     .updated = "2015-02-06T18:41:07Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"sqs:*\"],\"Resource\":\"*\"}]}"},
    {.name = "AmazonSQSReadOnlyAccess",
     .path = "/",
     .id = "ANPAOFQNHFMYL3W5SDUJD",
     .version = "v4",
     .created = "2015-02-06T18:41:08Z",
     .updated = "2024-05-24T18:16:44Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"AmazonSQSReadOnlyAccess\","
                 "\"Effect\":\"Allow\",\"Action\":[\"sqs:GetQueueAttributes\",\"sqs:GetQueueUrl\","
                 "\"sqs:ListDeadLetterSourceQueues\",\"sqs:ListQueues\","
                 "\"sqs:ListMessageMoveTasks\",\"sqs:ListQueueTags\"],\"Resource\":\"*\"}]}"},
    {.name = "AmazonSSMReadOnlyAccess",
     .path = "/",
     .id = "ANPAJS255NE5XETWSMFUY",
     .version = "v1",
     .created = "2015-05-29T17:44:19Z",
     .updated = "2015-05-29T17:44:19Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":[\"ssm:Describe*\",\"ssm:Get*\",\"ssm:List*\"],\"Resource\":\"*\"}]}"},
    {.name = "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
     .path = "/",
     .id = "ANPAV5GDCISRTXYGHYUIK",
     .version = "v1",
     .created = "2024-10-16T19:09:17Z",
     .updated = "2024-10-16T19:09:17Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{"
                 "\"Sid\":\"CloudWatchApplicationSignalsXrayWritePermissions\","
                 "\"Effect\":\"Allow\",\"Action\":[\"xray:PutTraceSegments\"],"
                 "\"Resource\":[\"*\"],\"Condition\":{\"StringEquals\":{"
                 "\"aws:ResourceAccount\":\"${aws:PrincipalAccount}\"}}},{"
                 "\"Sid\":\"CloudWatchApplicationSignalsLogGroupWritePermissions\","
                 "\"Effect\":\"Allow\",\"Action\":[\"logs:CreateLogGroup\","
                 "\"logs:CreateLogStream\",\"logs:PutLogEvents\"],"
                 "\"Resource\":\"arn:aws:logs:*:*:log-group:/aws/application-signals/data:*\","
                 "\"Condition\":{\"StringEquals\":{\"aws:ResourceAccount\":\"${"
                 "aws:PrincipalAccount}\"}}}]}"},
    {.name = "CloudWatchLambdaInsightsExecutionRolePolicy",
     .path = "/",
     .id = "ANPANLXTTKE6P6KESYBPX",
     .version = "v1",
     .created = "2020-10-07T19:27:06Z",
     .updated = "2020-10-07T19:27:06Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                 "\"Action\":\"logs:CreateLogGroup\",\"Resource\":\"*\"},{\"Effect\":\"Allow\","
                 "\"Action\":[\"logs:CreateLogStream\",\"logs:PutLogEvents\"],"
                 "\"Resource\":\"arn:aws:logs:*:*:log-group:/aws/lambda-insights:*\"}]}"},
    {.name = "CloudWatchLogsFullAccess",
     .path = "/",
     .id = "ANPAOMT7O4WKBQ4EWINDS",
     .version = "v8",
     .created = "2015-02-06T18:40:02Z",
     .updated = "2026-02-12T18:00:33Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{"
                 "\"Sid\":\"CloudWatchLogsFullAccess\",\"Effect\":\"Allow\","
                 "\"Action\":[\"logs:*\",\"cloudwatch:GenerateQuery\","
                 "\"cloudwatch:GenerateQueryResultsSummary\","
                 "\"observabilityadmin:GetS3TableIntegration\","
                 "\"observabilityadmin:ListS3TableIntegrations\","
                 "\"observabilityadmin:ListTelemetryPipelines\"],\"Resource\":\"*\"}]}"},
    {.name = "CloudWatchLogsReadOnlyAccess",
     .path = "/",
     .id = "ANPARVLF5CR675DKMGI2P",
     .version = "v12",
     .created = "2015-02-06T18:40:03Z",
     .updated = "2026-02-12T17:59:13Z",
     .document = "{\"Version\":\"2012-10-17\",\"Statement\":[{"
                 "\"Sid\":\"CloudWatchLogsReadOnlyAccess\",\"Effect\":\"Allow\","
                 "\"Action\":[\"logs:Describe*\",\"logs:Get*\",\"logs:List*\",\"logs:StartQuery\","
                 "\"logs:StopQuery\",\"logs:TestMetricFilter\",\"logs:FilterLogEvents\","
                 "\"logs:StartLiveTail\",\"logs:StopLiveTail\",\"cloudwatch:GenerateQuery\","
                 "\"cloudwatch:GenerateQueryResultsSummary\","
                 "\"observabilityadmin:ListS3TableIntegrations\","
                 "\"observabilityadmin:GetS3TableIntegration\","
                 "\"observabilityadmin:ListTelemetryPipelines\"],\"Resource\":\"*\"}]}"},
};

const size_t iam_managed_len = ARRAY_LEN(iam_managed_table);

const struct iam_managed *iam_managed_find(struct str arn)
{
    struct str rest, prefix = STR(ARN_PREFIX);
    size_t i;

    if (!str_starts(arn, prefix))
        return NULL;
    rest = str_sub(arn, prefix.len, arn.len);
    for (i = 0; i < iam_managed_len; i++) {
        struct str path = str_of(iam_managed_table[i].path);

        if (str_starts(rest, path) &&
            str_is(str_sub(rest, path.len, rest.len), iam_managed_table[i].name))
            return &iam_managed_table[i];
    }
    return NULL;
}
