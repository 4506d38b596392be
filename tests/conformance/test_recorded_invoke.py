# SPDX-License-Identifier: Apache-2.0
"""Recorded: invocations, as far as the API and the sandbox's environment are concerned."""
import base64
import json
import re

import pytest

import recordings
from case import PYTHON_INDEX, recorded
from harness import zip_of

CONTEXT = {"handler.py": """
import logging

logging.getLogger().setLevel(logging.INFO)


def handler(event, context):
    print("Lambda log message - print function")
    logging.info("Lambda log message - logging module")
    return {"event": event, "context": {
        "invoked_function_arn": context.invoked_function_arn, "function_version": context.function_version,
        "function_name": context.function_name, "memory_limit_in_mb": context.memory_limit_in_mb,
        "aws_request_id": context.aws_request_id, "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name, "client_context": context.client_context}}
"""}
EVENT = json.dumps({"foo": "bar with 'quotes\""}).encode()


@recorded("lambda", "TestLambdaFeatures::test_basic_invoke")
def test_basic_invoke(case):
    one, two, lam = case.name(), case.name(), case.lam
    for fn, suffix in ((one, ""), (two, "_2")):
        case.answer("lambda_create_fn" + suffix, case.create, fn, files=PYTHON_INDEX, Handler="index.handler",
                    Runtime="python3.9")
    for fn, suffix in ((one, ""), (two, "_2")):
        case.active(fn)
        case.answer("lambda_get_fn" + suffix, lam.get_function, FunctionName=fn)
    case.answer("lambda_invoke_result", lam.invoke, FunctionName=one, Payload=b"{}")


@pytest.mark.parametrize("runtime", ["python3.9", "python3.10", "nodejs16.x"])
@recorded("lambda", "TestLambdaFeatures::test_invocation_type_event[{runtime}]")
def test_invocation_type_event(case, runtime):
    """The answer is the same for every runtime; one of the three is deprecated by now."""
    fn = case.name()
    case.create_plain(fn)
    case.answer("invoke-result", case.lam.invoke, FunctionName=fn, InvocationType="Event", Payload=b"{}")


@recorded("lambda", "TestLambdaFeatures::test_invocation_with_qualifier")
def test_invocation_with_qualifier(case):
    fn = case.name()
    case.answer("creation-response", case.create, fn, files=CONTEXT, Timeout=10, Publish=True)
    case.active(fn, "1")
    got = case.answer("invocation-response", case.lam.invoke, FunctionName=fn, Qualifier="1", LogType="Tail", Payload=EVENT)
    log = base64.b64decode(got["LogResult"]).decode()
    lines = [line for line in re.split(r"[\r\n]+", log) if line and not line.startswith(("REPORT", "INIT_START"))]
    case.note("log_result", {"log_result": lines})


@recorded("lambda", "TestLambdaFeatures::test_upload_lambda_from_s3")
def test_upload_lambda_from_s3(case, s3_put):
    fn = case.name()
    bucket, key = s3_put(zip_of(CONTEXT))
    case.answer("creation-response", case.create, fn, Timeout=10, Code={"S3Bucket": bucket, "S3Key": key})
    case.active(fn)
    case.answer("invocation-response", case.lam.invoke, FunctionName=fn, Payload=EVENT)


def fails(case, name, files, **kw):
    fn = case.name()
    case.create_plain(fn, files=files, **kw)
    case.answer(name, case.lam.invoke, FunctionName=fn, Payload=b"{}")


@recorded("lambda", "TestLambdaErrors::test_lambda_handler_exit")
def test_lambda_handler_exit(case):
    fails(case, "invocation_error", {"handler.py": "import sys\n\n\ndef handler(event, context):\n    sys.exit(0)\n"})


@recorded("lambda", "TestLambdaErrors::test_lambda_runtime_error")
def test_lambda_runtime_error(case):
    fails(case, "invocation_error", {"lambda_runtime_error.py": 'raise Exception("Runtime startup fails")\n'},
          Handler="lambda_runtime_error.handler", Runtime="python3.13")


@recorded("lambda", "TestLambdaBaseFeatures::test_lambda_too_large_response")
def test_lambda_too_large_response(case):
    fn = case.name()
    case.create_plain(fn, files={"handler.py": "def handler(event, context):\n    return 'x' * (6 * 1024 * 1024 + 200)\n"},
                      MemorySize=512)
    case.answer("invoke_result", case.lam.invoke, FunctionName=fn, Payload=b"{}")
    case.answer("invoke_result_2", case.lam.invoke, FunctionName=fn, Payload=b"{}")


ENCODING = "TestLambdaErrors::test_lambda_invoke_payload_encoding_error["


@recorded("lambda", ENCODING + r"body-n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt]")
def test_lambda_invoke_payload_encoding_error_body(case):
    fn = case.name()
    case.create_plain(fn)
    case.answer("invoke_function_invalid_payload_body", case.lam.invoke, FunctionName=fn,
                Payload=b"n\x87r\x9e\xe9\xb5\xd7I\xee\x9bmt")


@recorded("lambda", ENCODING + r"message-\x99\xeb,j\x07\xa1zYh]")
def test_lambda_invoke_payload_encoding_error_message(case):
    fn = case.name()
    case.create_plain(fn)
    case.answer("invoke_function_invalid_payload_message", case.lam.invoke, FunctionName=fn,
                Payload=b"\x99\xeb,j\x07\xa1zYh")


INTROSPECTION = {"handler.py": """
import grp
import os
import platform
import pwd
import resource
import stat
import subprocess


def of(path):
    s = os.stat(path)
    name = path.replace("/", "_")
    return {f"{name}_mode": stat.filemode(s.st_mode), f"{name}_uid": s.st_uid,
            f"{name}_owner": pwd.getpwuid(s.st_uid).pw_name, f"{name}_gid": s.st_gid}


def ulimits(event, context):
    names = ["AS", "CORE", "CPU", "DATA", "FSIZE", "MEMLOCK", "NOFILE", "NPROC", "RSS", "STACK"]
    return {f"RLIMIT_{n}": resource.getrlimit(getattr(resource, f"RLIMIT_{n}")) for n in names}


def whoami():
    try:
        return subprocess.run(["whoami"], stdout=subprocess.PIPE).stdout.decode().strip()
    except OSError:
        return pwd.getpwuid(os.getuid()).pw_name


def handler(event, context):
    paths = {}
    for path in ("/var/task", "/opt", "/tmp", "/lambda-entrypoint.sh"):
        try:
            paths.update(of(path))
        except OSError:
            pass
    return {"event": event, "user_login_name": pwd.getpwuid(os.getuid()).pw_name, "user_whoami": whoami(),
            "platform_system": platform.system(), "platform_machine": platform.machine(), "pwd": os.getcwd(),
            "paths": paths}
"""}


@recorded("lambda", "TestLambdaBehavior::test_runtime_introspection_x86")
def test_runtime_introspection_x86(case):
    fails(case, "invoke_runtime_x86_introspection", INTROSPECTION)


@recorded("lambda", "TestLambdaBehavior::test_runtime_ulimits")
def test_runtime_ulimits(case):
    fails(case, "invoke_runtime_ulimits", INTROSPECTION, Handler="handler.ulimits")


INIT = {"handler.py": """
import os

environment = dict(os.environ)


def handler(event, context):
    return {"environment": dict(environment, **{k: v for k, v in os.environ.items() if k not in environment})}
"""}


@recorded("lambda", "TestLambdaBehavior::test_lambda_init_environment")
def test_lambda_init_environment(case):
    fn = case.name()
    case.answer("create-result", case.create_plain, fn, files=INIT, Runtime="python3.14")
    case.answer("lambda-init-inspection", case.lam.invoke, FunctionName=fn, Payload=b"{}")


# ---- the environment of every language whose images are here

PYTHON_ENVIRONMENT = {"handler.py": """
import os


def handler(event, context):
    return {"environment": dict(os.environ), "packages": [], "ctx": {
        "aws_request_id": context.aws_request_id, "function_name": context.function_name,
        "function_version": context.function_version, "invoked_function_arn": context.invoked_function_arn,
        "log_group_name": context.log_group_name, "log_stream_name": context.log_stream_name,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "remaining_time_in_millis": context.get_remaining_time_in_millis()}}
"""}
NODE_ENVIRONMENT = {"index.js": """
exports.handler = async (event, context) => ({environment: process.env, packages: [], ctx: {
  aws_request_id: context.awsRequestId, function_name: context.functionName,
  function_version: context.functionVersion, invoked_function_arn: context.invokedFunctionArn,
  log_group_name: context.logGroupName, log_stream_name: context.logStreamName,
  remaining_time_in_millis: context.getRemainingTimeInMillis()}});
"""}
STEM = "TestLambdaRuntimesCommon::test_introspection_invoke["


def introspected():
    if not recordings.there():
        return []
    return [k[len(STEM):-1] for k in recordings.load("lambda_common") if k.startswith(STEM)]


@pytest.mark.parametrize("runtime", introspected())
@recorded("lambda_common", STEM + "{runtime}]")
def test_introspection_invoke(case, runtime):
    fn, want = case.name(), case.want["create_function_result"]
    ours = runtime.startswith(("python", "nodejs"))
    files = NODE_ENVIRONMENT if runtime.startswith("nodejs") else PYTHON_ENVIRONMENT
    case.answer("create_function_result", case.create, fn, files=files, Runtime=runtime, Handler=want["Handler"],
                MemorySize=1024, Environment={"Variables": {"TEST_KEY": "TEST_VAL"}})
    if not ours:
        return  # see cannot.py
    case.active(fn)
    for name, kw in (("invocation_result_payload", {}), ("invocation_result_payload_qualified", {"Qualifier": "$LATEST"})):
        got = case.lam.invoke(FunctionName=fn, Payload=b"{}", **kw)
        case.note(name, json.loads(got["Payload"].read()))
