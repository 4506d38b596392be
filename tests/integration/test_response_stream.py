# SPDX-License-Identifier: Apache-2.0
"""InvokeWithResponseStream and the other ways to invoke, with boto3 and functions that run."""
import base64
import json

import botocore.exceptions
import pytest

from harness import ROLE, zip_of

HANDLER = """
def handler(event, context):
    print("seen", event.get("n"))
    if event.get("raise"):
        raise ValueError(event["raise"])
    if event.get("size"):
        return "x" * event["size"]
    return {"n": event.get("n"), "arn": context.invoked_function_arn, "client": context.client_context and context.client_context.custom}
"""
ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


@pytest.fixture(scope="module", autouse=True)
def function(lam):
    lam.create_function(FunctionName="streamed", Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=20,
                        Code={"ZipFile": zip_of({"app.py": HANDLER})})
    lam.get_waiter("function_active_v2").wait(FunctionName="streamed")


def stream(lam, payload, name="streamed", **kw):
    """The answer, the bytes of all chunks with their sizes, and the last event."""
    a = lam.invoke_with_response_stream(FunctionName=name, Payload=json.dumps(payload), **kw)
    events = list(a["EventStream"])
    chunks = [e["PayloadChunk"]["Payload"] for e in events[:-1]]
    return a, b"".join(chunks), [len(c) for c in chunks], events[-1]["InvokeComplete"]


def refused(call, *args, **kw):
    with pytest.raises(botocore.exceptions.ClientError) as e:
        call(*args, **kw)
    return e.value.response


def test_an_answer_comes_as_events(lam):
    a, body, sizes, complete = stream(lam, {"n": 7})
    assert a["StatusCode"] == 200 and a["ExecutedVersion"] == "$LATEST"
    assert a["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    assert json.loads(body) == {"n": 7, "arn": ARN + "streamed", "client": None}
    assert len(sizes) == 1 and complete == {}


def test_a_log_tail_and_a_client_context_are_as_with_invoke(lam):
    context = base64.b64encode(b'{"custom":{"a":"b"}}').decode()
    a, body, _, complete = stream(lam, {"n": 8}, LogType="Tail", ClientContext=context, Qualifier="$LATEST")
    assert json.loads(body) == {"n": 8, "arn": ARN + "streamed:$LATEST", "client": {"a": "b"}}
    log = base64.b64decode(complete["LogResult"]).decode()
    assert "seen 8\n" in log and f"START RequestId: {a['ResponseMetadata']['RequestId']}" in log


def test_a_large_answer_comes_in_chunks(lam):
    _, body, sizes, complete = stream(lam, {"size": 5_000_000})
    assert body == b'"' + b"x" * 5_000_000 + b'"' and max(sizes) <= 65536 and complete == {}


def test_a_function_error_is_told_at_the_end(lam):
    a, body, _, complete = stream(lam, {"raise": "no luck"})
    assert a["StatusCode"] == 200
    assert json.loads(body)["errorType"] == "ValueError" and json.loads(body)["errorMessage"] == "no luck"
    assert complete == {"ErrorCode": "Unhandled", "ErrorDetails": body.decode()}


def test_a_dry_run_has_no_body(lam):
    for a in (lam.invoke_with_response_stream(FunctionName="streamed", InvocationType="DryRun"),
              lam.invoke(FunctionName="streamed", InvocationType="DryRun")):
        assert a["StatusCode"] == 204 and a["ExecutedVersion"] == "$LATEST"


def test_errors_before_the_stream_are_ordinary_ones(lam):
    e = refused(lam.invoke_with_response_stream, FunctionName="nobody:live", Payload=b"{}")
    assert e["ResponseMetadata"]["HTTPStatusCode"] == 404 and e["Error"]["Code"] == "ResourceNotFoundException"
    assert e["Error"]["Message"] == f"Function not found: {ARN}nobody:live"
    e = refused(lam.invoke_with_response_stream, FunctionName="streamed", Payload=b"{")
    assert e["Error"]["Code"] == "InvalidRequestContentException"
    e = refused(lam.invoke_with_response_stream, FunctionName="streamed:1", Qualifier="2")
    assert e["Error"]["Message"] == "The derived qualifier from the function name does not match the specified qualifier."


def test_names_come_in_all_forms(lam):
    for name in ("streamed", ARN + "streamed", "000000000000:function:streamed"):
        assert json.load(lam.invoke(FunctionName=name)["Payload"])["arn"] == ARN + "streamed"
    for name in ("streamed:$LATEST", ARN + "streamed:$LATEST"):
        assert json.load(lam.invoke(FunctionName=name)["Payload"])["arn"] == ARN + "streamed:$LATEST"
    e = refused(lam.invoke, FunctionName="arn:aws:lambda:eu-west-1:000000000000:function:streamed")
    assert e["Error"]["Code"] == "ResourceNotFoundException"
    assert e["Error"]["Message"] == "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
    e = refused(lam.invoke, FunctionName="arn:aws:lambda:us-east-1:111111111111:function:streamed")
    assert e["Error"]["Code"] == "AccessDeniedException"


def test_asynchronous_invocations_are_checked_before_they_are_queued(lam):
    e = refused(lam.invoke, FunctionName="nobody", InvocationType="Event", Payload=b"{}")
    assert e["Error"]["Message"] == f"Function not found: {ARN}nobody:$LATEST"
    e = refused(lam.invoke, FunctionName="streamed", InvocationType="Event", Payload=b"1" * 1_048_577)
    assert e["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert e["Error"]["Message"] == "Request must be smaller than 1048576 bytes for the InvokeFunction operation"
    e = refused(lam.invoke_async, FunctionName="nobody", InvokeArgs=b"{}")
    assert e["Error"]["Code"] == "ResourceNotFoundException"
