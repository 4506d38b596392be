# SPDX-License-Identifier: Apache-2.0
"""A function has credentials of its role: whose they are, what they may do, and that nobody else sees them."""
import json
import os
import re
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import BUILD, ROLE, run, wait_until, zip_of

ADMIN = ("AKIDADMIN00000000000", "admin/0123456789+abcdef")
FILE = f"[admin]\naws_access_key_id = {ADMIN[0]}\naws_secret_access_key = {ADMIN[1]}\n"
NAMES = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
ARN = "arn:aws:sts::000000000000:assumed-role/test/"
CODE = {"app.py": """
import os


def handler(event, context):
    if event.get("who") == "boto3":
        import boto3
        c = boto3.Session().get_credentials().get_frozen_credentials()
        return [c.access_key, c.secret_key, c.token]
    try:
        with open("/proc/1/environ", "rb") as f:
            first = f.read().decode()
    except PermissionError:
        first = ""
    return {"own": [os.environ.get(n) for n in %r], "first": first}
""" % NAMES}
# An extension that tells whether it has them, not what they are.
EXTENSION = """#!/usr/bin/env python3
import os, urllib.request
print("EXTENSION HAS", [len(os.environ.get(n, "")) for n in %r], flush=True)
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension/"
r = urllib.request.Request(api + "register", b'{"events":[]}', {"Lambda-Extension-Name": "look"})
me = urllib.request.urlopen(r).headers["Lambda-Extension-Identifier"]
urllib.request.urlopen(urllib.request.Request(api + "event/next", headers={"Lambda-Extension-Identifier": me}))
""" % NAMES


def client(h, service, key=ADMIN, token=None, attempts=0):
    config = Config(retries={"max_attempts": attempts, "mode": "standard"})
    return boto3.client(service, endpoint_url=h.url, region_name="us-east-1", aws_access_key_id=key[0], aws_secret_access_key=key[1],
                        aws_session_token=token, config=config)


def refusal(call, *args, **kw):
    with pytest.raises(ClientError) as e:
        call(*args, **kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"], e.value.response["ResponseMetadata"]["HTTPStatusCode"]


def create(lam, name, **kw):
    lam.create_function(FunctionName=name, Role=ROLE, Runtime="python3.11", Handler="app.handler", Code={"ZipFile": zip_of(CODE)}, **kw)
    lam.get_waiter("function_active_v2").wait(FunctionName=name)


def call(lam, name, event=None):
    answer = lam.invoke(FunctionName=name, Payload=json.dumps(event or {}))
    result = json.load(answer["Payload"])
    assert "FunctionError" not in answer, result
    return result


@pytest.fixture(scope="module")
def session(locked):
    """What the function "worker" has in its environment."""
    create(client(locked, "lambda"), "worker", MemorySize=1024, Timeout=30)
    own = call(client(locked, "lambda"), "worker")["own"]
    assert own[0].startswith("ASIA") and len(own[0]) == 20 and len(own[1]) == 40 and own[2]
    return (own[0], own[1]), own[2]


def test_boto3_in_a_function_finds_them(locked, session):
    assert call(client(locked, "lambda"), "worker", {"who": "boto3"}) == [*session[0], session[1]]


def test_they_are_a_session_of_the_role_under_the_functions_name(locked, session):
    me = client(locked, "sts", *session).get_caller_identity()
    assert (me["Arn"], me["Account"]) == (ARN + "worker", "000000000000")
    assert me["UserId"].startswith("AROA") and me["UserId"].endswith(":worker")


def test_they_may_invoke_and_nothing_else(locked, session):
    lam, sts, iam = (client(locked, s, *session) for s in ("lambda", "sts", "iam"))
    assert call(lam, "worker")["own"][0] == session[0][0]
    streamed = lam.invoke_with_response_stream(FunctionName="worker", Payload=b"{}")["EventStream"]
    assert any("PayloadChunk" in e for e in streamed)

    def denied(action, resource="*"):
        return (f"User: {ARN}worker is not authorized to perform: {action} on resource: {resource} because no identity-based policy "
                f"allows the {action} action", 403)
    worker = "arn:aws:lambda:us-east-1:000000000000:function:worker"
    assert refusal(lam.create_function, FunctionName="more", Role=ROLE, Runtime="python3.11", Handler="app.handler",
                   Code={"ZipFile": zip_of(CODE)}) == ("AccessDeniedException", *denied("lambda:CreateFunction"))
    assert refusal(lam.list_functions) == ("AccessDeniedException", *denied("lambda:ListFunctions"))
    assert refusal(lam.get_function, FunctionName="worker") == ("AccessDeniedException", *denied("lambda:GetFunction", worker))
    assert refusal(lam.delete_function, FunctionName=worker) == ("AccessDeniedException", *denied("lambda:DeleteFunction", worker))
    assert refusal(sts.assume_role, RoleArn=ROLE, RoleSessionName="xx") == ("AccessDenied", *denied("sts:AssumeRole", ROLE))
    assert refusal(sts.get_session_token) == ("AccessDenied", *denied("sts:GetSessionToken"))
    assert refusal(iam.list_roles) == ("AccessDenied", *denied("iam:ListRoles"))
    assert [f["FunctionName"] for f in client(locked, "lambda").list_functions()["Functions"]] == ["worker"]


def test_what_is_changed_is_refused(locked, session):
    (key, secret), token = session
    lam = lambda *who: client(locked, "lambda", *who).invoke  # noqa: E731
    for other in (token[:-6] + ("A" if token[-6] != "A" else "B") + token[-5:], token[:-4], ADMIN[0] + token[1:]):
        assert refusal(lam((key, secret), other), FunctionName="worker")[0::2] == ("UnrecognizedClientException", 403)
    assert refusal(lam((key, "x" * 40), token), FunctionName="worker")[0] == "InvalidSignatureException"
    assert refusal(lam(("ASIA" + "A" * 16, secret), token), FunctionName="worker")[0] == "UnrecognizedClientException"
    assert refusal(lam((key, secret)), FunctionName="worker")[0] == "UnrecognizedClientException"


def is_whole(h):
    try:
        with urllib.request.urlopen(h.url + "/_hearth/health") as r:
            return json.load(r)["status"] == "ok"
    except OSError:
        return False


def test_a_gateway_and_a_controller_that_begin_anew_know_them(locked, session):
    for program in ("hearth-gateway", "hearth-controller"):
        locked.kill(program)
        me = client(locked, "sts", *session, attempts=8).get_caller_identity()
        assert me["Arn"] == ARN + "worker", program
    wait_until("all is back", lambda: is_whole(locked))


def test_each_version_and_function_has_its_own(locked, session):
    lam = client(locked, "lambda")
    create(lam, "other")
    own = call(lam, "other")["own"]
    assert own[0] != session[0][0]
    assert client(locked, "sts", own[:2], own[2]).get_caller_identity()["Arn"] == ARN + "other"


def test_nobody_else_sees_them(locked, session, images):
    first = call(client(locked, "lambda"), "worker")["first"]
    (key, secret), token = session
    hidden = [secret, token, key]
    if locked.launcher == "docker":
        boxes = locked.sandboxes("worker")
        assert boxes
        first += images("inspect", *boxes)
    for text in hidden:
        assert text not in first and text not in locked.log
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                assert secret.encode() not in f.read()
        except OSError:
            pass  # it has ended


def test_their_names_are_nobodys_to_set(locked):
    lam = client(locked, "lambda")
    for name in NAMES:
        code, message, _ = refusal(lam.create_function, FunctionName="mine", Role=ROLE, Runtime="python3.11", Handler="app.handler",
                                   Code={"ZipFile": zip_of(CODE)}, Environment={"Variables": {name: "mine"}})
        assert code == "InvalidParameterValueException" and name in message


def test_extensions_have_them_too(locked):
    lam = client(locked, "lambda")
    layer = lam.publish_layer_version(LayerName="look", Content={"ZipFile": zip_of({"extensions/look": (EXTENSION, 0o755)})})
    create(lam, "extended", Layers=[layer["LayerVersionArn"]])
    lengths = [len(text) for text in call(lam, "extended")["own"]]
    env = dict(os.environ, AWS_ENDPOINT_URL=locked.url, AWS_ACCESS_KEY_ID=ADMIN[0], AWS_SECRET_ACCESS_KEY=ADMIN[1])
    said = wait_until("its line", lambda: re.findall("EXTENSION HAS .*", run(BUILD / "hearth", "logs", "extended", env=env).stdout))
    assert said == [f"EXTENSION HAS {lengths}"]


def test_without_a_credentials_file_they_are_there_and_nothing_is_checked(hearth):
    lam = client(hearth, "lambda")
    create(lam, "free")
    try:
        own = call(lam, "free")["own"]
        who = own[:2], own[2]
        assert client(hearth, "sts", *who).get_caller_identity()["Arn"] == ARN + "free"
        assert "free" in [f["FunctionName"] for f in client(hearth, "lambda", *who).list_functions()["Functions"]]
    finally:
        lam.delete_function(FunctionName="free")
