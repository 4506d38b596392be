# SPDX-License-Identifier: Apache-2.0
"""Signatures: with a credentials file only signed requests of known keys pass; without one all do. STS in both ways."""
import datetime
import http.client
import json
import os
import urllib.error
import urllib.request

import boto3
import botocore.auth
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from harness import BUILD, ROLE, Hearth, remove_folder, run, short_folder, zip_of

ALICE = ("AKIDALICE00000000000", "alice/0123456789+abcdef")
ROOT = ("AKIDROOT", "root-0123456789abcdef")
FILE = f"""[alice]
aws_access_key_id = {ALICE[0]}
aws_secret_access_key = {ALICE[1]}

[boss]
aws_access_key_id = {ROOT[0]}
aws_secret_access_key = {ROOT[1]}
principal_arn = arn:aws:iam::000000000000:root
"""
NO_RETRIES = Config(retries={"max_attempts": 0})
ECHO = {"app.py": "def handler(event, context):\n    return event\n"}
MISMATCH = ("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
            "signing method. Consult the service documentation for details.")


def client(h, service, key=ALICE, token=None, config=NO_RETRIES, region="us-east-1"):
    return boto3.client(service, endpoint_url=h.url, region_name=region, aws_access_key_id=key[0], aws_secret_access_key=key[1],
                        aws_session_token=token, config=config)


def refusal(call, *args, **kw):
    with pytest.raises(ClientError) as e:
        call(*args, **kw)
    return e.value.response["Error"]["Code"], e.value.response["Error"]["Message"], e.value.response["ResponseMetadata"]["HTTPStatusCode"]


def aws(h, *argv, key=ALICE, check=True):
    return h.aws(*argv, check=check, key=key)


@pytest.fixture(scope="module")
def function(locked):
    lam = client(locked, "lambda")
    lam.create_function(FunctionName="echo", Role=ROLE, Runtime="python3.11", Handler="app.handler", Code={"ZipFile": zip_of(ECHO)})
    lam.get_waiter("function_active_v2").wait(FunctionName="echo")
    yield "echo"
    lam.delete_function(FunctionName="echo")


def test_a_known_key_creates_and_invokes(locked, function):
    lam = client(locked, "lambda")
    answer = lam.invoke(FunctionName="arn:aws:lambda:us-east-1:000000000000:function:echo", Payload=json.dumps({"a": "ü"}))
    assert json.load(answer["Payload"]) == {"a": "ü"}
    assert [f["FunctionName"] for f in lam.list_functions(MaxItems=10)["Functions"]] == ["echo"]


def test_code_location_carries_its_own_signature(locked, function):
    url = client(locked, "lambda").get_function(FunctionName="echo")["Code"]["Location"]
    with urllib.request.urlopen(url) as r:
        assert r.read(2) == b"PK"


def test_the_aws_cli_works_with_a_known_key_only(locked, function):
    assert aws(locked, "lambda", "get-function-configuration", "--function-name", "echo")["FunctionName"] == "echo"
    assert aws(locked, "sts", "get-caller-identity")["Arn"] == "arn:aws:iam::000000000000:user/alice"
    assert aws(locked, "sts", "get-caller-identity", key=ROOT) == {
        "UserId": "000000000000", "Account": "000000000000", "Arn": "arn:aws:iam::000000000000:root"}
    p = aws(locked, "lambda", "list-functions", key=("AKIDNOBODY", "x"), check=False)
    assert "UnrecognizedClientException" in p.stderr and "The security token included in the request is invalid." in p.stderr
    p = aws(locked, "sts", "get-caller-identity", key=(ALICE[0], "wrong"), check=False)
    assert "SignatureDoesNotMatch" in p.stderr


def test_hearths_own_commands_sign_with_the_key_in_the_environment(locked, function):
    env = dict(os.environ, AWS_ENDPOINT_URL=locked.url, AWS_ACCESS_KEY_ID=ALICE[0], AWS_SECRET_ACCESS_KEY=ALICE[1])
    assert json.loads(run(BUILD / "hearth", "invoke", "echo", '{"b": 1}', env=env).stdout) == {"b": 1}
    assert "START" in run(BUILD / "hearth", "logs", "echo", env=env).stdout
    env.pop("AWS_ACCESS_KEY_ID")
    p = run(BUILD / "hearth", "logs", "echo", env=env, check=False)
    assert p.returncode != 0 and "Missing Authentication Token" in p.stderr


@pytest.mark.parametrize("key, code, message, status", [
    (("AKIDNOBODY", ALICE[1]), "UnrecognizedClientException", "The security token included in the request is invalid.", 403),
    ((ALICE[0], "wrong"), "InvalidSignatureException", MISMATCH, 403),
    ((ALICE[0], ROOT[1]), "InvalidSignatureException", MISMATCH, 403)])
def test_other_keys_are_refused(locked, function, key, code, message, status):
    lam = client(locked, "lambda", key)
    assert refusal(lam.list_functions) == (code, message, status)
    assert refusal(lam.invoke, FunctionName="echo", Payload=b"{}") == (code, message, status)


def test_no_key_is_refused(locked, function):
    lam = client(locked, "lambda", config=Config(signature_version=UNSIGNED, retries={"max_attempts": 0}))
    assert refusal(lam.invoke, FunctionName="echo") == ("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    for path in ("/2015-03-31/functions", "/_hearth/v1/logs/echo", "/", "/unknown"):
        with pytest.raises(urllib.error.HTTPError) as e:
            urllib.request.urlopen(locked.url + path)
        assert (e.value.code, json.load(e.value)) == (403, {"message": "Missing Authentication Token"}), path
    with urllib.request.urlopen(locked.url + "/_hearth/health") as r:
        assert r.status == 200


def test_a_large_body_without_a_key_is_not_read_in_full(locked):
    request = urllib.request.Request(locked.url + "/2015-03-31/functions", data=b"x" * 1_000_000, method="POST")
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(request)
    assert (e.value.code, json.load(e.value)) == (403, {"message": "Missing Authentication Token"})


def test_a_region_or_service_that_is_not_ours_is_refused(locked, function):
    code, message, _ = refusal(client(locked, "lambda", region="eu-west-1").list_functions)
    assert (code, message) == ("InvalidSignatureException", "Credential should be scoped to a valid region, not 'eu-west-1'.")


def raw(h, method, path, body=b"", key=ALICE, at=None, headers=(), service="lambda", change=lambda headers: None, send_body=None):
    """A request signed by hand: (status, error type, body)."""
    request = AWSRequest(method=method, url=h.url + path, data=body)
    for k, v in headers:
        request.headers[k] = v
    auth = botocore.auth.SigV4Auth(Credentials(*key), service, "us-east-1")
    now = at or datetime.datetime.now(datetime.timezone.utc)
    original, botocore.auth.get_current_datetime = botocore.auth.get_current_datetime, lambda *a, **kw: now
    try:
        auth.add_auth(request)
    finally:
        botocore.auth.get_current_datetime = original
    sent = dict(request.headers.items())
    change(sent)
    c = http.client.HTTPConnection(h.listen)
    c.request(method, path, body if send_body is None else send_body, sent)
    r = c.getresponse()
    return r.status, r.getheader("x-amzn-ErrorType"), r.read().decode()


INVOKE = "/2015-03-31/functions/echo/invocations"


def test_what_is_changed_on_the_way_is_refused(locked, function):
    assert raw(locked, "POST", INVOKE, b'{"a":1}') == (200, None, '{"a": 1}')
    refused = (403, "InvalidSignatureException", json.dumps({"message": MISMATCH}, separators=(",", ":")))
    assert raw(locked, "POST", INVOKE, b'{"a":1}', send_body=b'{"a":2}') == refused
    assert raw(locked, "POST", INVOKE, b"{}", headers=[("X-Amz-Log-Type", "None")],
               change=lambda h: h.update({"X-Amz-Log-Type": "Tail"})) == refused
    assert raw(locked, "POST", INVOKE, b"{}", headers=[("X-Amz-Log-Type", "None")], change=lambda h: h.pop("X-Amz-Log-Type")) == refused
    status, kind, body = raw(locked, "POST", INVOKE, b"{}", change=lambda h: h.update(Authorization="AWS4-HMAC-SHA256 Credential=x"))
    assert (status, kind) == (400, "IncompleteSignatureException") and "requires 'Signature' parameter" in body


def test_a_clock_may_be_off_by_fifteen_minutes(locked, function):
    now = datetime.datetime.now(datetime.timezone.utc)
    for minutes, fine in ((-14, True), (14, True), (-16, False), (16, False)):
        at = now + datetime.timedelta(minutes=minutes)
        status, kind, body = raw(locked, "POST", INVOKE, b"{}", at=at)
        if fine:
            assert status == 200, body
        else:
            assert (status, kind) == (403, "InvalidSignatureException"), body
            begin = "Signature expired: " if minutes < 0 else "Signature not yet current: "
            assert json.loads(body)["message"].startswith(begin + at.strftime("%Y%m%dT%H%M%SZ"))


def presigned(h, service, url, expires):
    request = AWSRequest(method="GET", url=h.url + url)
    botocore.auth.SigV4QueryAuth(Credentials(*ALICE), service, "us-east-1", expires=expires).add_auth(request)
    return request.url


def test_a_presigned_url_works_until_it_expires(locked, function):
    with urllib.request.urlopen(presigned(locked, "lambda", "/2015-03-31/functions/echo/configuration?Qualifier=%24LATEST", 60)) as r:
        assert json.load(r)["FunctionName"] == "echo"
    url = client(locked, "sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
    with urllib.request.urlopen(url) as r:
        assert b":user/alice</Arn>" in r.read()
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(url.replace("GetCallerIdentity", "GetSessionToken"))
    assert e.value.code == 403 and b"<Code>SignatureDoesNotMatch</Code>" in e.value.read()
    original, now = botocore.auth.get_current_datetime, datetime.datetime.now(datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda *a, **kw: now - datetime.timedelta(seconds=120)
    try:
        old, alive = presigned(locked, "lambda", "/2015-03-31/functions", 60), presigned(locked, "lambda", "/2015-03-31/functions", 3600)
    finally:
        botocore.auth.get_current_datetime = original
    with urllib.request.urlopen(alive) as r:
        assert r.status == 200
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(old)
    assert e.value.code == 403 and json.load(e.value)["message"].startswith("Signature expired: ")


def credentials_of(answer):
    c = answer["Credentials"]
    return (c["AccessKeyId"], c["SecretAccessKey"]), c["SessionToken"]


def test_an_assumed_role_is_who_asks(locked, function):
    answer = client(locked, "sts").assume_role(RoleArn="arn:aws:iam::000000000000:role/team/deploy", RoleSessionName="ci@x",
                                               Tags=[{"Key": "a", "Value": "b"}], SourceIdentity="alice")
    user = answer["AssumedRoleUser"]
    assert user["Arn"] == "arn:aws:sts::000000000000:assumed-role/deploy/ci@x"
    assert user["AssumedRoleId"].startswith("AROA") and user["AssumedRoleId"].endswith(":ci@x") and answer["SourceIdentity"] == "alice"
    left = answer["Credentials"]["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert 3590 < left.total_seconds() <= 3601
    key, token = credentials_of(answer)
    assert key[0].startswith("ASIA") and len(key[0]) == 20 and len(key[1]) == 40
    me = client(locked, "sts", key, token).get_caller_identity()
    assert (me["Arn"], me["UserId"], me["Account"]) == (user["Arn"], user["AssumedRoleId"], "000000000000")
    lam = client(locked, "lambda", key, token)
    assert json.load(lam.invoke(FunctionName="echo", Payload=b"[1]")["Payload"]) == [1]
    locked.kill("hearth-gateway")  # nothing about sessions is kept
    locked_again = Config(retries={"max_attempts": 8, "mode": "standard"})
    assert client(locked, "lambda", key, token, locked_again).list_functions()["Functions"]
    assert refusal(client(locked, "lambda", key).list_functions)[0] == "UnrecognizedClientException"
    assert refusal(client(locked, "lambda", key, token + "x").list_functions)[0] == "UnrecognizedClientException"
    assert refusal(client(locked, "lambda", (key[0], "x" * 40), token).list_functions)[0] == "InvalidSignatureException"
    sts = client(locked, "sts", key, token)
    assert refusal(sts.get_session_token)[:2] == ("AccessDenied", "Cannot call GetSessionToken with session credentials")
    assert refusal(sts.assume_role, RoleArn=ROLE, RoleSessionName="xx", DurationSeconds=7200)[0] == "ValidationError"


def test_iam_knows_who_asks(locked):
    iam = client(locked, "iam")
    user = iam.get_user()["User"]
    assert (user["Arn"], user["UserName"]) == ("arn:aws:iam::000000000000:user/alice", "alice")
    assert user["UserId"] == client(locked, "sts").get_caller_identity()["UserId"]
    assert aws(locked, "iam", "get-user", key=ROOT)["User"]["Arn"] == "arn:aws:iam::000000000000:root"
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="signed", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    key, token = credentials_of(client(locked, "sts").assume_role(RoleArn=role["Arn"], RoleSessionName="xx"))
    session = client(locked, "iam", key, token)
    assert [r["RoleName"] for r in session.list_roles()["Roles"]] == ["signed"]
    assert refusal(session.get_user)[:2] == ("ValidationError", "Must specify userName when calling with non-User credentials")
    assert refusal(client(locked, "iam", (ALICE[0], "wrong")).list_roles)[0::2] == ("SignatureDoesNotMatch", 403)
    iam.delete_role(RoleName="signed")


def test_a_session_token_is_the_same_user(locked):
    key, token = credentials_of(client(locked, "sts").get_session_token(DurationSeconds=900))
    assert client(locked, "sts", key, token).get_caller_identity()["Arn"] == "arn:aws:iam::000000000000:user/alice"


def test_sts_errors_have_its_form(locked):
    raw_sts = Config(retries={"max_attempts": 0}, parameter_validation=False)
    sts = client(locked, "sts", config=raw_sts)
    assert refusal(sts.assume_role, RoleArn="x", DurationSeconds=1) == ("ValidationError", (
        "3 validation errors detected: Value 'x' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal "
        "to 20; Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null; Value '1' at 'durationSeconds' "
        "failed to satisfy constraint: Member must have value greater than or equal to 900"), 400)
    assert refusal(sts.assume_role, RoleArn=ROLE, RoleSessionName="a b")[1] == (
        "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression "
        r"pattern: [\w+=,.@-]*")
    assert refusal(sts.assume_role, RoleArn="arn:aws:iam::000000000000:user/x", RoleSessionName="xx")[:2] == (
        "ValidationError", "Request ARN is invalid")
    foreign = "arn:aws:iam::111111111111:role/x"
    assert refusal(sts.assume_role, RoleArn=foreign, RoleSessionName="xx") == (
        "AccessDenied", "User: arn:aws:iam::000000000000:user/alice is not authorized to perform: sts:AssumeRole on resource: " + foreign, 403)
    assert refusal(sts.assume_role, RoleArn=ROLE, RoleSessionName="xx", Policy="{}")[0] == "ValidationError"
    assert refusal(sts.assume_role_with_web_identity, RoleArn=ROLE, RoleSessionName="xx", WebIdentityToken="abcd")[0] == "InvalidIdentityToken"
    code, message, status = refusal(sts.get_federation_token, Name="xx")
    assert (code, status) == ("InvalidAction", 400)
    assert message.startswith("Could not find operation GetFederationToken for version 2011-06-15.") and "AssumeRole" in message
    anonymous = client(locked, "sts", config=Config(signature_version=UNSIGNED, retries={"max_attempts": 0}))
    assert refusal(anonymous.get_caller_identity)[0::2] == ("MissingAuthenticationToken", 403)
    assert refusal(client(locked, "sts", ("AKIDNOBODY", "x")).get_caller_identity)[0::2] == ("InvalidClientTokenId", 403)


def test_application_auto_scaling_wants_a_signature(locked):
    of_lambda = {"ServiceNamespace": "lambda"}
    assert client(locked, "application-autoscaling").describe_scalable_targets(**of_lambda)["ScalableTargets"] == []
    nobody = client(locked, "application-autoscaling", ("AKIDNOBODY", "x"))
    assert refusal(nobody.describe_scalable_targets, **of_lambda)[0::2] == ("UnrecognizedClientException", 400)
    elsewhere = client(locked, "application-autoscaling", region="eu-west-1")
    assert refusal(elsewhere.describe_scalable_targets, **of_lambda)[0::2] == ("InvalidSignatureException", 400)


def test_services_that_are_not_there_say_what_is(locked):
    assert refusal(client(locked, "logs").describe_log_groups) == (
        "UnknownOperationException", "Unknown operation Logs_20140328.DescribeLogGroups. Hearth offers Lambda, Application Auto Scaling, STS (version 2011-06-15) and "
        "IAM (version 2010-05-08).", 400)
    code, message, status = refusal(client(locked, "cloudformation").list_stacks)
    assert (code, status) == ("InvalidAction", 400) and "Could not find operation ListStacks for version 2010-05-15." in message


def test_without_credentials_all_pass_and_sts_answers(hearth):
    sts = client(hearth, "sts", ("anything", "at-all"))
    me = sts.get_caller_identity()
    assert (me["Arn"], me["UserId"], me["Account"]) == ("arn:aws:iam::000000000000:root", "anything", "000000000000")
    assert hearth.aws("sts", "get-caller-identity")["UserId"] == "test"
    key, token = credentials_of(sts.assume_role(RoleArn=ROLE, RoleSessionName="local"))
    me = client(hearth, "sts", key, token).get_caller_identity()
    assert me["Arn"] == "arn:aws:sts::000000000000:assumed-role/test/local"
    assert client(hearth, "lambda", key, token).list_functions()["Functions"] == []
    unsigned = client(hearth, "lambda", config=Config(signature_version=UNSIGNED, retries={"max_attempts": 0}))
    assert unsigned.list_functions()["Functions"] == []
    assert raw(hearth, "GET", "/2015-03-31/functions", change=lambda h: h.update(Authorization="nonsense"))[0] == 200


def test_a_bad_credentials_file_ends_hearth_with_the_reason(images):
    folder = short_folder("hearth-")
    (folder / "credentials").write_text(FILE)
    (folder / "credentials").chmod(0o644)
    h = Hearth(images, folder, HEARTH_CREDENTIALS_FILE=folder / "credentials").start(ready=False)
    try:
        assert h.process.wait(30) == 2
        assert f"credentials file {folder}/credentials: others may read or write it (mode 0644); chmod 600 it" in h.log
    finally:
        h.stop()
        remove_folder(folder)
