# SPDX-License-Identifier: Apache-2.0
"""Recorded: event source mappings, what the API answers about them.

Only the ARNs of queues and streams matter here; that events arrive is the business of the pollers.
"""
import json

import pytest

import recordings
from case import ACCOUNT, REGION, recorded

UNKNOWN = "01234567-89ab-4def-8123-456789abcdef"


def gone(case, uuid):
    """Deletes a mapping and waits until it is no more."""
    def left():
        try:
            return case.lam.get_event_source_mapping(UUID=uuid)["State"]
        except case.lam.exceptions.ResourceNotFoundException:
            return None
    case.lam.delete_event_source_mapping(UUID=uuid)
    case.until(f"mapping {uuid} is gone", left, lambda state: state is None)


@recorded("lambda_api", "TestLambdaEventSourceMappings::test_event_source_mapping_exceptions")
def test_event_source_mapping_exceptions(case):
    fn, lam, create = case.name(), case.lam, case.lam.create_event_source_mapping
    case.answer("get_unknown_uuid", lam.get_event_source_mapping, UUID=UNKNOWN)
    case.answer("delete_unknown_uuid", lam.delete_event_source_mapping, UUID=UNKNOWN)
    case.answer("update_unknown_uuid", lam.update_event_source_mapping, UUID=UNKNOWN, Enabled=False)
    case.answer("create_no_event_source_arn", create, FunctionName="doesnotexist")
    case.answer("create_unknown_params", create, FunctionName="doesnotexist", EventSourceArn=case.queue())
    case.create_plain(fn)
    case.answer("destination_config_failure", create, FunctionName=fn, EventSourceArn=case.queue(),
                DestinationConfig={"OnFailure": {"Destination": case.queue()}})


@recorded("lambda_api", "TestLambdaEventSourceMappings::test_event_source_mapping_lifecycle",
          foreign=["update_table_response"])
def test_event_source_mapping_lifecycle(case):
    fn, lam = case.name(), case.lam
    stream = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{case.name('table')}/stream/2025-11-25T02:47:00.000"
    case.create_plain(fn)
    made = case.answer("create_response", lam.create_event_source_mapping, FunctionName=fn, EventSourceArn=stream,
                       DestinationConfig={"OnFailure": {"Destination": case.queue()}}, BatchSize=1,
                       StartingPosition="TRIM_HORIZON", MaximumBatchingWindowInSeconds=1, MaximumRetryAttempts=1)
    case.note("get_response", case.until("mapping is enabled", lambda: lam.get_event_source_mapping(UUID=made["UUID"]),
                                         lambda m: m["State"] == "Enabled"))
    case.answer("delete_response", lam.delete_event_source_mapping, UUID=made["UUID"])


@recorded("lambda_api", "TestLambdaEventSourceMappings::test_function_name_variations")
def test_function_name_variations(case):
    fn, queue = case.name(), case.queue()
    case.create_plain(fn)
    case.lam.publish_version(FunctionName=fn)
    case.lam.create_alias(FunctionName=fn, FunctionVersion="1", Name="myalias")
    names = {
        "name_only": fn,
        "partial_arn_latest": case.partial(fn, "$LATEST"),
        "partial_arn_version": case.partial(fn, "1"),
        "partial_arn_alias": case.partial(fn, "myalias"),
        "full_arn_latest": case.arn(fn),
        "full_arn_version": case.arn(fn, "1"),
        "full_arn_alias": case.arn(fn, "myalias"),
    }
    for kind, name in names.items():
        made = case.answer(f"{kind}_create_esm", case.lam.create_event_source_mapping, FunctionName=name,
                           EventSourceArn=queue)
        gone(case, made["UUID"])


@recorded("lambda_api", "TestLambdaEventSourceMappings::test_create_event_source_self_managed")
def test_create_event_source_self_managed(case):
    fn, create = case.name(), case.lam.create_event_source_mapping
    case.create_plain(fn)
    secret = [{"Type": "BASIC_AUTH", "URI": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{case.name('secret')}"}]

    def kafka(topic, *servers):
        return {"FunctionName": fn, "Topics": [topic],
                "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": list(servers)}}}

    one = dict(kafka("topic", "kafka:1000"), StartingPosition="TRIM_HORIZON")
    case.answer("missing-source-access-configuration", create, **one)
    case.answer("event-source-mapping-default", create, SourceAccessConfigurations=secret, **one)
    case.answer("duplicate-source", create, SourceAccessConfigurations=secret, **one)
    case.answer("event-source-mapping-values", create, SourceAccessConfigurations=secret, BatchSize=1,
                StartingPosition="LATEST", SelfManagedKafkaEventSourceConfig={"ConsumerGroupId": "random_id"},
                **kafka("topic_2", "kafka:1000"))
    case.answer("multiple-duplicate-source", create, SourceAccessConfigurations=secret, StartingPosition="TRIM_HORIZON",
                **kafka("topic", "kafka:1000", "kafka:2000"))


# ---- queues

def keys(area, stem, answer):
    """The parameters of the recorded cases of a name that have an answer of that name."""
    if not recordings.there():
        return []
    return [k[len(stem):-1 if stem.endswith("[") else None] for k in recordings.load(area)
            if k.startswith(stem) and answer in recordings.answers(area, k)]


FILTER = "TestSQSEventSourceMapping::test_sqs_event_filter["


@pytest.mark.parametrize("which", keys("lambda_integration_sqs", FILTER, "create_event_source_mapping_response"))
@recorded("lambda_integration_sqs", FILTER + "{which}]", foreign=["invocation_events"])
def test_sqs_event_filter(case, which):
    """AWS echoes the filter: it is asked for as it was recorded."""
    fn = case.name()
    case.create_plain(fn)
    filters = case.want["create_event_source_mapping_response"]["FilterCriteria"]["Filters"]
    patterns = [{"Pattern": f["Pattern"] if isinstance(f["Pattern"], str) else json.dumps(f["Pattern"])} for f in filters]
    case.answer("create_event_source_mapping_response", case.lam.create_event_source_mapping, FunctionName=fn,
                EventSourceArn=case.queue(), MaximumBatchingWindowInSeconds=1, FilterCriteria={"Filters": patterns})


@recorded("lambda_integration_sqs", "TestSQSEventSourceMapping::test_event_source_mapping_default_batch_size")
def test_event_source_mapping_default_batch_size(case):
    fn, lam = case.name(), case.lam
    case.create_plain(fn)
    made = case.answer("create-event-source-mapping", lam.create_event_source_mapping, FunctionName=fn,
                       EventSourceArn=case.queue())
    case.answer("invalid-update-event-source-mapping", lam.update_event_source_mapping, UUID=made.get("UUID", UNKNOWN),
                FunctionName=fn, BatchSize=11)
    case.answer("invalid-create-event-source-mapping", lam.create_event_source_mapping, FunctionName=fn,
                EventSourceArn=case.queue(), BatchSize=11)


@recorded("lambda_integration_sqs", "TestSQSEventSourceMapping::test_sqs_event_source_mapping", foreign=["events"])
def test_sqs_event_source_mapping(case):
    fn = case.name()
    case.create_plain(fn)
    case.answer("create-event-source-mapping-response", case.lam.create_event_source_mapping, FunctionName=fn,
                EventSourceArn=case.queue(), MaximumBatchingWindowInSeconds=1)


@recorded("lambda_integration_sqs", "test_fifo_message_group_parallelism")
def test_fifo_message_group_parallelism(case):
    fn, lam = case.name(), case.lam
    case.create_plain(fn)
    made = case.answer("create_esm_disabled", lam.create_event_source_mapping, FunctionName=fn, Enabled=False, BatchSize=1,
                       EventSourceArn=case.queue(case.name("queue") + ".fifo"))
    case.answer("update_esm_enabling", lam.update_event_source_mapping, UUID=made["UUID"], Enabled=True)
    case.note("get_esm_enabled", case.until("mapping is enabled", lambda: lam.get_event_source_mapping(UUID=made["UUID"]),
                                            lambda m: m["State"] == "Enabled"))


@recorded("lambda_integration_sqs",
          "TestSQSEventSourceMapping::test_sqs_event_source_mapping_batching_reserved_concurrency",
          foreign=["batch_info", "Records"])
def test_sqs_event_source_mapping_batching_reserved_concurrency(case):
    fn = case.name()
    case.create_plain(fn)
    case.answer("put_concurrency_resp", case.lam.put_function_concurrency, FunctionName=fn,
                ReservedConcurrentExecutions=2)
    case.answer("create-event-source-mapping-response", case.lam.create_event_source_mapping, FunctionName=fn,
                EventSourceArn=case.queue(), BatchSize=20, MaximumBatchingWindowInSeconds=1,
                ScalingConfig={"MaximumConcurrency": 2})


@recorded("lambda_integration_sqs", "test_report_batch_item_failures",
          foreign=["get_destination_queue_url", "send_message_batch", "first_invocation", "second_invocation",
                   "dlq_response"])
def test_report_batch_item_failures(case):
    fn = case.name()
    case.create_plain(fn)
    case.answer("create_event_source_mapping", case.lam.create_event_source_mapping, FunctionName=fn,
                EventSourceArn=case.queue(case.name("queue") + ".fifo"), BatchSize=10,
                FunctionResponseTypes=["ReportBatchItemFailures"])


# ---- streams

STREAM_DEFAULTS = {"BatchSize": 100, "MaximumBatchingWindowInSeconds": 0, "MaximumRetryAttempts": -1,
                   "MaximumRecordAgeInSeconds": -1, "FunctionResponseTypes": []}


def stream_of(case, recorded_arn):
    if ":kinesis:" in recorded_arn:
        return f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{case.name('stream')}"
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{case.name('table')}/stream/2025-11-25T02:47:00.000"


def destination_of(case, recorded_arn):
    if ":s3:" in recorded_arn:
        return f"arn:aws:s3:::{case.name('bucket')}"
    return f"arn:aws:{recorded_arn.split(':')[2]}:{REGION}:{ACCOUNT}:{case.name('failures')}"


def mapped(case, name):
    """Creates a mapping of a stream with what differs from the defaults in the recorded answer of that name."""
    fn, want = case.name(), case.want[name]
    told = {k: want[k] for k, usual in STREAM_DEFAULTS.items() if want[k] != usual}
    failure = want["DestinationConfig"]["OnFailure"].get("Destination")
    if failure:
        told["DestinationConfig"] = {"OnFailure": {"Destination": destination_of(case, failure)}}
    case.create_plain(fn)
    return case.answer(name, case.lam.create_event_source_mapping, FunctionName=fn,
                       EventSourceArn=stream_of(case, want["EventSourceArn"]), StartingPosition=want["StartingPosition"],
                       **told)


CREATED = "create_event_source_mapping_response"
KINESIS = ["record_body", "record_age_exceeded_payload", "Records", "kinesis_events", "get_esm_result"]


@pytest.mark.parametrize("which", keys("lambda_integration_kinesis", "TestKinesisSource::", CREATED))
@recorded("lambda_integration_kinesis", "TestKinesisSource::{which}", foreign=KINESIS)
def test_kinesis(case, which):
    mapped(case, CREATED)


DYNAMODB = ["create-table-result", "create_table_response", "update_table_response", "event_logs", "record_body",
            "destination_queue_messages", "failure_sns_message", "create_dynamodb_table_response"]


@pytest.mark.parametrize("which", keys("lambda_integration_dynamodbstreams", "TestDynamoDBEventSourceMapping::", CREATED))
@recorded("lambda_integration_dynamodbstreams", "TestDynamoDBEventSourceMapping::{which}", foreign=DYNAMODB)
def test_dynamodb(case, which):
    mapped(case, CREATED)


@recorded("lambda_integration_dynamodbstreams",
          "TestDynamoDBEventSourceMapping::test_deletion_event_source_mapping_with_dynamodb", foreign=DYNAMODB)
def test_deletion_event_source_mapping_with_dynamodb(case):
    """Listed once the table is gone: the mapping is still there."""
    made = mapped(case, "create_event_source_mapping_result")
    lists = case.lam.list_event_source_mappings
    case.note("list_event_source_mapping_result", case.until(
        "mapping is enabled", lambda: lists(EventSourceArn=made["EventSourceArn"]),
        lambda found: found["EventSourceMappings"][0]["State"] == "Enabled"))
