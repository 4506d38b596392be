# SPDX-License-Identifier: Apache-2.0
"""Tools that deploy functions: osls (Serverless) itself, and what SAM, CDK and the GitHub action call, in their order."""
import json
import os
import pathlib
import shutil
import subprocess
import time

import boto3
import pytest

from harness import ROLE, TOP, run, wait_until, zip_of

HERE = pathlib.Path(__file__).resolve().parent
APP = """import os
def handler(event, context):
    print("asked", event)
    return ["%s", os.environ.get("WORD")]
"""


@pytest.fixture(scope="module")
def osls():
    """The tool from npm, kept in build/osls."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = TOP / "build/osls"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "osls/package.json", folder)
    if not (folder / "node_modules/osls").exists():
        run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error", cwd=folder)
    return folder / "node_modules/.bin/osls"


def test_serverless_deploys_and_invokes_a_function(hearth, make_function, osls, tmp_path):
    shutil.copy(HERE / "osls/serverless.yml", tmp_path)
    (tmp_path / "app.py").write_text(APP % "new")
    make_function("shop-dev-hello", {"app.py": APP % "old"})
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "SLS_", "SERVERLESS_"))}
    env = dict(kept, AWS_ENDPOINT_URL=hearth.url, AWS_ACCESS_KEY_ID=hearth.key[0], AWS_SECRET_ACCESS_KEY=hearth.key[1],
               AWS_REGION="us-east-1", ROLE=ROLE, CI="1", SLS_TELEMETRY_DISABLED="1", SLS_NOTIFICATIONS_MODE="off", NODE_NO_WARNINGS="1")

    def sls(*argv):
        return run(osls, *argv, cwd=tmp_path, env=env, timeout=120, stderr=subprocess.STDOUT).stdout

    sls("deploy", "function", "-f", "hello")
    said = sls("invoke", "-f", "hello", "-d", '{"a": 1}', "--log")
    assert json.loads(said[said.index("["):said.rindex("]") + 1]) == ["new", "second"] and "asked {'a': 1}" in said, said
    assert "was skipped" in sls("deploy", "function", "-f", "hello")  # it compares what it reads with what it would write


def client(hearth, service="lambda"):
    return boto3.client(service, endpoint_url=hearth.url, region_name="us-east-1", aws_access_key_id=hearth.key[0],
                        aws_secret_access_key=hearth.key[1])


def test_sam_syncs_code_and_invokes_by_arn(hearth, make_function):
    arn = make_function("by-sam", {"app.py": APP % "old"})["FunctionArn"]
    lam = client(hearth)
    lam.get_function(FunctionName="by-sam")
    lam.update_function_code(FunctionName="by-sam", ZipFile=zip_of({"app.py": APP % "new"}))
    wait_until("the update is over", lambda: lam.get_function(FunctionName="by-sam")["Configuration"]["LastUpdateStatus"] != "InProgress")
    lam.get_waiter("function_updated").wait(FunctionName="by-sam", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert not lam.get_function_configuration(FunctionName=arn).get("DurableConfig")
    with pytest.raises(lam.exceptions.ResourceNotFoundException):  # a URL that streams would make it ask for a stream
        lam.get_function_url_config(FunctionName=arn)
    answer = lam.invoke(FunctionName=arn, Payload=b"{}", InvocationType="RequestResponse", LogType="Tail")
    assert json.load(answer["Payload"])[0] == "new" and answer["LogResult"]


def test_cdk_hotswaps_a_function_its_version_and_alias(hearth, make_function):
    make_function("by-cdk", {"app.py": APP % "old"}, Publish=True)
    lam = client(hearth)
    lam.create_alias(FunctionName="by-cdk", Name="live", FunctionVersion="1")
    assert client(hearth, "sts").get_caller_identity()["Account"] == "000000000000"
    lam.update_function_code(FunctionName="by-cdk", ZipFile=zip_of({"app.py": APP % "new"}))
    lam.get_waiter("function_updated_v2").wait(FunctionName="by-cdk")
    lam.update_function_configuration(FunctionName="by-cdk", Description="hot", Environment={"Variables": {"WORD": "w"}})
    lam.get_waiter("function_updated_v2").wait(FunctionName="by-cdk")
    version = lam.publish_version(FunctionName="by-cdk")["Version"]
    lam.update_alias(FunctionName="by-cdk", Name="live", FunctionVersion=version)
    lam.get_waiter("published_version_active").wait(FunctionName="by-cdk", Qualifier=version)
    end = time.monotonic() + 10  # gateways may send to the version before for a moment
    while True:
        answer = lam.invoke(FunctionName="by-cdk", Qualifier="live", Payload=b"{}")
        if answer["ExecutedVersion"] == "2" or time.monotonic() > end:
            break
    assert json.load(answer["Payload"]) == ["new", "w"] and answer["ExecutedVersion"] == "2"


def test_the_github_action_creates_tries_and_updates(hearth, make_function):
    lam = client(hearth)
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.get_function_configuration(FunctionName="by-action")
    make_function("by-action", {"app.py": APP % "old"})
    before = lam.get_function_configuration(FunctionName="by-action")
    lam.update_function_configuration(FunctionName="by-action", MemorySize=256, Role=ROLE, Handler="app.handler", Runtime="python3.11")
    lam.get_waiter("function_updated").wait(FunctionName="by-action", WaiterConfig={"Delay": 1})
    archive = zip_of({"app.py": APP % "new"})
    dry = lam.update_function_code(FunctionName="by-action", ZipFile=archive, DryRun=True)
    assert dry["CodeSha256"] != before["CodeSha256"]
    assert lam.get_function_configuration(FunctionName="by-action")["CodeSha256"] == before["CodeSha256"]
    real = lam.update_function_code(FunctionName="by-action", ZipFile=archive, Publish=True)
    assert real["CodeSha256"] == dry["CodeSha256"] and real["Version"] == "1"
    lam.get_waiter("function_updated").wait(FunctionName="by-action", WaiterConfig={"Delay": 1})
