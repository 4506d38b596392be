# SPDX-License-Identifier: Apache-2.0
"""Asynchronous invocations: retries, ages, throttles, destinations and dead letter queues.

SQS, SNS, EventBridge and S3 are moto's server, a stand-in for the real ones: it speaks their protocols and believes
every signature.
"""
import json
import time
import uuid

import boto3
import pytest
from botocore.exceptions import ClientError

from harness import ROLE, Hearth, free_port, remove_folder, short_folder, wait_until, zip_of

moto_server = pytest.importorskip("moto.server", reason="moto's server stands in for SQS: pip install 'moto[server]'")

ACCOUNT, REGION = "000000000000", "us-east-1"
MOTO_ACCOUNT = "123456789012"
ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:"

# Says what it got in its log, where tests find it.
APP = """
import json
import time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    print("GOT " + json.dumps([context.aws_request_id, context.invoked_function_arn, event]))
    if isinstance(event, dict):
        time.sleep(event.get("sleep", 0))
        if event.get("fail", 0) >= calls:
            raise Exception("intentional failure")
    return {"answer": event}
"""


@pytest.fixture(scope="module")
def aws():
    """Clients of moto's services."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=free_port())
    server.start()

    def client(service):
        return boto3.client(service, endpoint_url=client.url, region_name=REGION, aws_access_key_id=ACCOUNT,
                            aws_secret_access_key="secret")
    client.url = f"http://127.0.0.1:{server._port}"
    yield client
    server.stop()


@pytest.fixture(scope="module")
def hearth(images, aws):
    folder = short_folder("hearth-")
    secret = folder / "secret"
    secret.write_text("c2VjcmV0+of/the+queue\n")
    h = Hearth(images, folder, HEARTH_AWS_ENDPOINT=aws.url, HEARTH_AWS_ACCESS_KEY_ID=ACCOUNT,
               HEARTH_AWS_SECRET_FILE=secret, HEARTH_S3_ENDPOINT=aws.url, HEARTH_S3_ACCESS_KEY_ID="test",
               HEARTH_S3_SECRET_ACCESS_KEY="test", HEARTH_ASYNC_RETRY_WAIT="1s", HEARTH_ASYNC_BACKOFF="100ms",
               HEARTH_ASYNC_BACKOFF_MAX="500ms", HEARTH_ASYNC_LEASE="3s", HEARTH_LOG_LEVEL="debug").start()
    yield h
    try:
        h.close()
        assert "secret-payload" not in h.log and "c2VjcmV0" not in h.log
    finally:
        remove_folder(folder)


@pytest.fixture
def queue(aws):
    """(ARN, receive()) of a new queue; receive waits for one message."""
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def receive(seconds=30):
        def look():
            return sqs.receive_message(QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"],
                                       MaxNumberOfMessages=1).get("Messages")
        message = wait_until("a message comes", look, seconds)[0]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message
    yield arn, receive
    sqs.delete_queue(QueueUrl=url)


def send(lam, name, event, **kw):
    answer = lam.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event), **kw)
    assert answer["StatusCode"] == 202 and answer["Payload"].read() == b""
    assert "FunctionError" not in answer and "ExecutedVersion" not in answer
    return answer["ResponseMetadata"]["RequestId"]


def got(hearth, name):
    """What the function has got: [request id, invoked ARN, event] each."""
    out = hearth.hearth("logs", name, check=False).stdout
    return [json.loads(line[line.index("GOT ") + 4:]) for line in out.splitlines() if "GOT [" in line]


def destinations(lam, name, success=None, failure=None, **kw):
    config = {side: {"Destination": arn} for side, arn in (("OnSuccess", success), ("OnFailure", failure)) if arn}
    lam.put_function_event_invoke_config(FunctionName=name, DestinationConfig=config, **kw)


@pytest.fixture
def function(make_function):
    def make(**kw):
        name = f"async-{uuid.uuid4().hex[:8]}"
        make_function(name, {"app.py": APP}, **kw)
        return name
    return make


def test_an_event_is_run(hearth, lam, function):
    name = function()
    rid = send(lam, name, {"n": 1})
    wait_until("it has run", lambda: got(hearth, name), 30)
    assert got(hearth, name) == [[rid, ARN + name, {"n": 1}]]
    rid = send(lam, name, [1], Qualifier="$LATEST")
    wait_until("it has run", lambda: len(got(hearth, name)) == 2, 30)
    assert got(hearth, name)[1] == [rid, f"{ARN}{name}:$LATEST", [1]]
    assert lam.invoke_async(FunctionName=name, InvokeArgs=b'{"n": 3}')["Status"] == 202
    wait_until("it has run", lambda: len(got(hearth, name)) == 3, 30)
    assert got(hearth, name)[2][2] == {"n": 3}


def test_an_alias_leads_where_it_points(hearth, lam, function):
    name = function()
    lam.publish_version(FunctionName=name)
    lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    send(lam, name, {"n": 1}, Qualifier="live")
    wait_until("it has run", lambda: got(hearth, name), 30)
    assert got(hearth, name)[0][1:] == [f"{ARN}{name}:live", {"n": 1}]


def test_refusals(lam, function):
    name = function()
    for call, code in ((lambda: send(lam, "no-such-function", {}), "ResourceNotFoundException"),
                       (lambda: send(lam, name, {}, Qualifier="nope"), "ResourceNotFoundException"),
                       (lambda: lam.invoke(FunctionName=name, InvocationType="Event", Payload=b"{"),
                        "InvalidRequestContentException"),
                       (lambda: send(lam, name, "x" * 1048576), "RequestTooLargeException"),
                       (lambda: lam.invoke_async(FunctionName=name, InvokeArgs=json.dumps("x" * 262144)),
                        "RequestTooLargeException")):
        with pytest.raises(ClientError) as e:
            call()
        assert e.value.response["Error"]["Code"] == code
    send(lam, name, "x" * 1048574)  # with its quotes exactly what it may be


def test_retries_keep_their_id_and_their_times(hearth, lam, function, queue):
    arn, receive = queue
    name = function()
    destinations(lam, name, failure=arn)
    began = time.monotonic()
    rid = send(lam, name, {"fail": 3, "say": "secret-payload"})
    message = receive()
    assert time.monotonic() - began > 3  # one second, then two
    assert [g[0] for g in got(hearth, name)] == [rid] * 3
    body = json.loads(message["Body"])
    assert list(body) == ["version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload"]
    assert body["requestContext"] == {"requestId": rid, "functionArn": f"{ARN}{name}:$LATEST",
                                      "condition": "RetriesExhausted", "approximateInvokeCount": 3}
    assert body["requestPayload"] == {"fail": 3, "say": "secret-payload"}
    assert body["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert body["responsePayload"]["errorMessage"] == "intentional failure"
    assert body["responsePayload"]["requestId"] == rid
    assert message["Attributes"]["AWSTraceHeader"].startswith("Root=1-")
    wait_until("its end is logged, once", lambda: hearth.log.count("an event ended without success") == 1, 10)


def test_a_retry_that_goes_well_is_a_success(hearth, lam, function, queue):
    arn, receive = queue
    name = function()
    destinations(lam, name, success=arn)
    rid = send(lam, name, {"fail": 1})
    body = json.loads(receive()["Body"])
    assert body["requestContext"]["condition"] == "Success"
    assert body["requestContext"]["approximateInvokeCount"] == 2 and body["requestContext"]["requestId"] == rid
    assert body["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert body["responsePayload"] == {"answer": {"fail": 1}}


def test_a_dead_letter_is_the_event_itself(lam, function, queue):
    arn, receive = queue
    name = function(DeadLetterConfig={"TargetArn": arn})
    destinations(lam, name, failure=None, MaximumRetryAttempts=0)
    rid = send(lam, name, {"fail": 1})
    message = receive()
    assert json.loads(message["Body"]) == {"fail": 1}
    assert message["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": rid},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "intentional failure"}}


def test_nothing_reserved(lam, function, queue):
    arn, receive = queue
    name = function()
    destinations(lam, name, failure=arn)
    lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    rid = send(lam, name, {"n": 1})
    body = json.loads(receive()["Body"])
    assert list(body) == ["version", "timestamp", "requestContext", "requestPayload"]
    assert body["requestContext"] == {"requestId": rid, "functionArn": f"{ARN}{name}:$LATEST",
                                      "condition": "ZeroReservedConcurrency", "approximateInvokeCount": 0}


def test_throttled_events_wait_for_their_turn(hearth, lam, function):
    name = function()
    lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    ids = [send(lam, name, {"n": i, "sleep": 0.2}) for i in range(6)]
    with pytest.raises(lam.exceptions.TooManyRequestsException) as e:
        wait_until("a synchronous one is throttled", lambda: lam.invoke(FunctionName=name, Payload=b"{}") and False, 10)
    assert e.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    wait_until("all have run", lambda: {g[0] for g in got(hearth, name)} >= set(ids), 60)
    assert len([g for g in got(hearth, name) if g[0] in ids]) == 6


def test_a_function_as_destination(hearth, lam, function):
    first, second = function(), function()
    destinations(lam, first, success=ARN + second)
    rid = send(lam, first, {"n": 1})
    wait_until("the second has run", lambda: got(hearth, second), 30)
    own, arn, record = got(hearth, second)[0]
    assert own != rid and arn == ARN + second
    assert record["requestContext"]["requestId"] == rid and record["responsePayload"] == {"answer": {"n": 1}}


def test_a_topic_a_bus_and_a_bucket(aws, lam, function, queue):
    arn, receive = queue
    name = function()
    sns, events, s3 = aws("sns"), aws("events"), aws("s3")
    topic = sns.create_topic(Name="async-topic")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    destinations(lam, name, success=topic)
    rid = send(lam, name, {"n": "a b+c&d=é"})
    body = json.loads(json.loads(receive()["Body"])["Message"])
    assert body["requestContext"]["requestId"] == rid and body["requestPayload"] == {"n": "a b+c&d=é"}

    bus = events.create_event_bus(Name="async-bus")["EventBusArn"]
    events.put_rule(Name="all", EventBusName="async-bus", EventPattern='{"source": ["lambda"]}')
    events.put_targets(Rule="all", EventBusName="async-bus", Targets=[{"Id": "q", "Arn": arn}])
    destinations(lam, name, success=bus)
    rid = send(lam, name, {"n": 2})
    event = json.loads(receive()["Body"])
    assert event["source"] == "lambda" and event["detail-type"] == "Lambda Function Invocation Result - Success"
    assert event["resources"] == [bus, f"{ARN}{name}:$LATEST"]
    assert event["detail"]["requestContext"]["requestId"] == rid

    s3.create_bucket(Bucket="async-bucket")
    destinations(lam, name, failure="arn:aws:s3:::async-bucket", MaximumRetryAttempts=0)
    rid = send(lam, name, {"fail": 9})
    objects = wait_until("an object is there", lambda: s3.list_objects_v2(Bucket="async-bucket").get("Contents"), 30)
    assert objects[0]["Key"].startswith(f"aws/lambda/async/{name}/2")
    body = json.load(s3.get_object(Bucket="async-bucket", Key=objects[0]["Key"])["Body"])
    assert body["requestContext"]["requestId"] == rid and body["requestContext"]["condition"] == "RetriesExhausted"


def test_a_destination_that_comes_later_gets_its_message(aws, hearth, lam, function):
    sqs = aws("sqs")
    name, late = function(), f"late-{uuid.uuid4().hex[:8]}"
    destinations(lam, name, success=f"arn:aws:sqs:{REGION}:{MOTO_ACCOUNT}:{late}")
    rid = send(lam, name, {})
    wait_until("it was refused", lambda: "a message is not taken, trying again" in hearth.log, 20)
    url = sqs.create_queue(QueueName=late)["QueueUrl"]
    message = wait_until("it comes", lambda: sqs.receive_message(QueueUrl=url).get("Messages"), 20)[0]
    assert json.loads(message["Body"])["requestContext"]["requestId"] == rid


def test_a_deleted_function_s_events_are_dropped(hearth, lam, function):
    name = function()
    send(lam, name, {"fail": 9})
    wait_until("it has failed", lambda: got(hearth, name), 30)
    lam.delete_function(FunctionName=name)
    time.sleep(2)  # its retry would be due
    assert f'"function":"{name}","qualifier":"","request_id"' not in hearth.log


def test_an_age_that_ends_before_the_retry(images, aws, queue):
    arn, receive = queue
    folder = short_folder("hearth-")
    # moto finds the service by the signature
    h = Hearth(images, folder, HEARTH_AWS_ENDPOINT=aws.url, HEARTH_AWS_ACCESS_KEY_ID="test",
               HEARTH_AWS_SECRET_ACCESS_KEY="test", HEARTH_ASYNC_RETRY_WAIT="61s").start()
    try:
        lam = h.client()
        lam.create_function(FunctionName="f", Role=ROLE, Runtime="python3.11", Handler="app.handler",
                            Code={"ZipFile": zip_of({"app.py": APP})})
        lam.get_waiter("function_active_v2").wait(FunctionName="f")
        destinations(lam, "f", failure=arn, MaximumEventAgeInSeconds=60)
        rid = send(lam, "f", {"fail": 9})
        body = json.loads(receive()["Body"])
        assert body["requestContext"] == {"requestId": rid, "functionArn": f"{ARN}f:$LATEST",
                                          "condition": "EventAgeExceeded", "approximateInvokeCount": 1}
        assert body["responseContext"]["functionError"] == "Unhandled"
        h.close()
    finally:
        h.stop()
        remove_folder(folder)
