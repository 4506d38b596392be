# SPDX-License-Identifier: Apache-2.0
"""Recorded cases: what becomes of asynchronous invocations. Queues and event buses are moto's, stand-ins for AWS's.

Retries wait one second here, a minute on AWS; a case that needs the minutes has no script.
"""
import base64
import json
import re

import pytest

from case import ACCOUNT, recorded

# Its exception is raised in line 55, as in the recordings.
HANDLER = """
import logging

logging.getLogger().setLevel(logging.INFO)


def answer(event, context):
    return {"event": event, "context": {
        "invoked_function_arn": context.invoked_function_arn, "function_version": context.function_version,
        "function_name": context.function_name, "memory_limit_in_mb": context.memory_limit_in_mb,
        "aws_request_id": context.aws_request_id, "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name, "client_context": context.client_context}}


def handler(event, context):
    print("Lambda log message - print function")
    logging.info("Lambda log message - logging module")
    if "raise_error" not in event:
        return answer(event, context)
"""
FAILING = {"handler.py": HANDLER + "\n" * (54 - HANDLER.count("\n")) +
           '    raise Exception("Test exception (this is intentional)")\n'}


def failing_at(line, message, more=""):
    text = f"def handler(event, context):\n{more}"
    return text + "\n" * (line - 1 - text.count("\n")) + f'    raise Exception("{message}")\n'


def event(case, fn, payload):
    case.lam.invoke(FunctionName=fn, InvocationType="Event", Payload=json.dumps(payload))


def destinations(case, fn, success, failure, **kw):
    return case.lam.put_function_event_invoke_config(
        FunctionName=fn, DestinationConfig={"OnSuccess": {"Destination": success}, "OnFailure": {"Destination": failure}}, **kw)


@pytest.mark.parametrize("which", ["test_assess_lambda_destination_invocation[Success-payload0]",
                                   "test_assess_lambda_destination_invocation[payload0]",
                                   "test_assess_lambda_destination_invocation[payload1]",
                                   "test_lambda_destination_default_retries"])
@recorded("lambda_destinations", "TestLambdaDestinationSqs::{which}")
def test_destinations(case, queue, which):
    fn = case.name()
    case.create_plain(fn, files=FAILING)
    retries = {k: v for k, v in case.want["put_function_event_invoke_config"].items() if k == "MaximumRetryAttempts"}
    case.answer("put_function_event_invoke_config", destinations, case, fn, queue.arn, queue.arn, **retries)
    event(case, fn, case.want["receive_message_result"]["Messages"][0]["Body"]["requestPayload"])
    case.note("receive_message_result", queue())


@recorded("lambda_destinations", "TestLambdaDestinationSqs::test_retries")
def test_retries(case, queue):
    """The message is received a second time."""
    fn = case.name()
    case.create_plain(fn, files={"handler.py": failing_at(7, "intentional failure")})
    destinations(case, fn, queue.arn, queue.arn, MaximumRetryAttempts=2)
    event(case, fn, {"message": case.name("msg")})
    queue(VisibilityTimeout=0)
    case.note("queue_destination_payload", queue(AttributeNames=["All"]))


@recorded("lambda_destinations", "TestLambdaDLQ::test_dead_letter_queue")
def test_dead_letter_queue(case, queue):
    """The answer to the update that takes the queue away still has it."""
    fn, lam = case.name(), case.lam
    case.answer("create_lambda_with_dlq", case.create_plain, fn, files=FAILING, DeadLetterConfig={"TargetArn": queue.arn})
    lam.put_function_event_invoke_config(FunctionName=fn, MaximumRetryAttempts=0)
    event(case, fn, {"raise_error": 1})
    case.note("receive_result", queue(MessageAttributeNames=["All"]))
    case.answer("delete_dlq", lam.update_function_configuration, FunctionName=fn, DeadLetterConfig={})
    case.updated(fn)
    got = case.answer("invoke_result", lam.invoke, FunctionName=fn, Payload=b'{"raise_error": 1}', LogType="Tail")
    lines = base64.b64decode(got["LogResult"]).decode().splitlines()
    case.note("log_result", {"result": [line for line in lines if line and not re.match("REPORT|INIT_START", line)]})


@recorded("lambda_integration_sqs", "test_sqs_queue_as_lambda_dead_letter_queue")
def test_sqs_queue_as_lambda_dead_letter_queue(case, queue):
    fn, lam = case.name(), case.lam
    made = case.create_plain(fn, files=FAILING, DeadLetterConfig={"TargetArn": queue.arn})
    case.note("lambda-response-dlq-config", made["CreateFunctionResponse"]["DeadLetterConfig"])
    lam.put_function_event_invoke_config(FunctionName=fn, MaximumRetryAttempts=0)
    event(case, fn, {"raise_error": 1})
    case.note("messages", queue(MessageAttributeNames=["All"]))


BRANCHES = """    if event["mode"] == "success":
        return {"hello": "world", "success": True, "test": "abc", "val": 5}
"""


@recorded("lambda_destinations", "TestLambdaDestinationEventbridge::test_invoke_lambda_eventbridge")
def test_invoke_lambda_eventbridge(case, aws, queue):
    fn, events = case.name(), aws("events")
    bus = case.name("bus")
    arn = events.create_event_bus(Name=bus)["EventBusArn"]
    events.put_rule(Name="all", EventBusName=bus, EventPattern='{"source": ["lambda"]}')
    events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "q", "Arn": queue.arn}])
    case.create_plain(fn, files={"index.py": failing_at(4, "intentional failure!", BRANCHES)}, Handler="index.handler")
    destinations(case, fn, arn, arn, MaximumRetryAttempts=0)
    for mode in ("success", "failure"):
        event(case, fn, {"mode": mode})
        message = queue.take()["Messages"][0]
        # the bus adds the account to what it passes on; moto's does not
        case.note(f"lambda_destination_event_bus_{mode}", {"account": ACCOUNT, **json.loads(message["Body"])})
