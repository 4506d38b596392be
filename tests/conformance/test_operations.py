# SPDX-License-Identifier: Apache-2.0
"""Every operation of the model: with every documented member, and with each constraint of its members broken.

What is offered answers in the model's shapes; what is not is refused in AWS's form and says so.
"""
import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

import samples
from case import REGION
from offered import ALL, OFFERED
from shapes import Watcher
from undo import Undo

REFUSAL = "Hearth does not offer the operation"


@pytest.fixture(scope="module")
def raw(server):
    """A client that sends what it is told, without checks of its own."""
    config = Config(retries={"max_attempts": 0}, parameter_validation=False, read_timeout=60)
    watcher = Watcher(boto3.client("lambda", endpoint_url=server.url, region_name=REGION, aws_access_key_id="test",
                                   aws_secret_access_key="test", config=config))
    with Undo(watcher.client):
        yield watcher


def ask(raw, operation, members):
    """The error of a call, or None; its answer must fit the model."""
    raw.complaints.clear()
    try:
        answer = getattr(raw.client, xform_name(operation))(**members)
        for stream in ("Payload", "EventStream"):
            if hasattr(answer.get(stream), "close"):
                answer[stream].close()
        error = None
    except ClientError as e:
        error = e.response
    assert not raw.complaints, "\n".join(raw.complaints)
    return error


@pytest.mark.parametrize("members", ["required", "whole"])
@pytest.mark.parametrize("operation", ALL)
def test_every_operation_answers_in_the_models_form(raw, operation, members):
    error = ask(raw, operation, getattr(samples, members)(operation))
    if operation in OFFERED:
        assert not error or REFUSAL not in str(error["Error"]["Message"]), error
    else:
        assert error, f"{operation} is not offered, and answers as if it were"
        assert error["Error"]["Code"] == "ValidationException" or REFUSAL in error["Error"]["Message"], error


@pytest.mark.parametrize("operation", ALL)
def test_what_the_model_forbids_is_refused(raw, operation):
    """Each constraint alone; all that are not refused are told together."""
    wrong = []
    for what, member, value in samples.faults(operation):
        error = ask(raw, operation, dict(samples.required(operation), **{member: value}))
        message = str((error or {}).get("Error", {}).get("Message"))
        if operation not in OFFERED and REFUSAL in message:
            continue
        if not error or error["Error"]["Code"] not in ("ValidationException", "InvalidParameterValueException"):
            wrong.append(f"{member}: {what}: {(error or {}).get('Error', 'accepted')}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("operation", [n for n in ALL if samples.required(n)])
def test_what_the_model_requires_is_asked_for(raw, operation):
    """Members of the body: without those of the path there would be no such path."""
    shape = samples.SERVICE.operation_model(operation).input_shape
    for member in shape.required_members:
        m = shape.members[member]
        if m.serialization.get("location") or shape.serialization.get("payload") == member:
            continue
        given = samples.required(operation)
        del given[member]
        error = ask(raw, operation, given)
        assert error and (REFUSAL in error["Error"]["Message"] or (
            error["Error"]["Code"] == "ValidationException" and "must not be null" in error["Error"]["Message"])), \
            (member, error)
