# SPDX-License-Identifier: Apache-2.0
"""A container image pushed to a registry becomes a function: the main job, with the real AWS CLI."""
import base64
import json
import re

import pytest

from harness import ROLE, wait_until

APP = """
import json, os, time
BOOT = time.time_ns()
calls = 0
def handler(event, context):
    global calls
    calls += 1
    print("hello from the function", event.get("n"))
    return {"boot": BOOT, "calls": calls, "code": CODE, "event": event, "arn": context.invoked_function_arn,
            "id": context.aws_request_id, "memory": context.memory_limit_in_mb, "greeting": os.environ.get("GREETING")}
"""
DOCKERFILE = 'ARG BASE\nFROM ${BASE}\nCOPY app.py ${LAMBDA_TASK_ROOT}\nCMD ["app.handler"]\n'


def push_app(docker, registry, tag, code):
    name = f"{registry}/{tag}"
    docker.build(name, {"app.py": APP + f"CODE = {code!r}\n"}, DOCKERFILE, BASE="hearth/python:3.11")
    return docker.push(name)


def invoke(hearth, tmp_path, name, payload, *more):
    out = tmp_path / "out.json"
    meta = hearth.aws("lambda", "invoke", "--function-name", name, "--payload", json.dumps(payload), *more, out)
    return meta, json.loads(out.read_text())


def test_image_from_a_registry_is_created_invoked_reused_updated_and_deleted(hearth, registry, tmp_path):
    docker = hearth.docker
    image = push_app(docker, registry, "hello:1", "one")
    created = hearth.aws("lambda", "create-function", "--function-name", "hello", "--package-type", "Image",
                         "--code", f"ImageUri={image}", "--role", ROLE, "--timeout", "10",
                         "--environment", "Variables={GREETING=hi}")
    assert created["State"] == "Pending" and created["StateReasonCode"] == "Creating"
    assert re.fullmatch("[0-9a-f]{64}", created["CodeSha256"])
    assert created["PackageType"] == "Image" and "Runtime" not in created and "Handler" not in created
    hearth.aws("lambda", "wait", "function-active-v2", "--function-name", "hello")

    meta, first = invoke(hearth, tmp_path, "hello", {"n": 1}, "--log-type", "Tail")
    assert meta["StatusCode"] == 200 and meta["ExecutedVersion"] == "$LATEST" and "FunctionError" not in meta
    assert first["event"] == {"n": 1} and first["code"] == "one" and first["greeting"] == "hi"
    assert first["arn"] == "arn:aws:lambda:us-east-1:000000000000:function:hello"
    log = base64.b64decode(meta["LogResult"]).decode()
    lines = log.splitlines()
    assert any(re.fullmatch(rf"START RequestId: {first['id']} Version: \$LATEST", x) for x in lines), log
    assert "hello from the function 1" in lines
    assert f"END RequestId: {first['id']}" in lines
    report = next(x for x in lines if x.startswith(f"REPORT RequestId: {first['id']}\t"))
    assert re.search(r"\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
                     r"Max Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms", report), report
    assert 5 <= int(re.search(r"Max Memory Used: (\d+)", report)[1]) <= 128
    assert lines.index("hello from the function 1") < lines.index(f"END RequestId: {first['id']}")

    meta, second = invoke(hearth, tmp_path, "hello", {"n": 2}, "--log-type", "Tail")
    assert second["boot"] == first["boot"] and second["calls"] == 2  # the same sandbox, no init
    log = base64.b64decode(meta["LogResult"]).decode()
    assert "Init Duration" not in log and "REPORT RequestId: " + second["id"] in log
    assert first["id"] not in log
    assert len(hearth.sandboxes()) == 1

    image2 = push_app(docker, registry, "hello:2", "two")
    updated = hearth.aws("lambda", "update-function-code", "--function-name", "hello", "--image-uri", image2)
    assert updated["LastUpdateStatus"] == "InProgress" and updated["State"] == "Active"
    hearth.aws("lambda", "wait", "function-updated-v2", "--function-name", "hello")
    _, third = invoke(hearth, tmp_path, "hello", {"n": 3})
    assert third["code"] == "two" and third["calls"] == 1
    wait_until("the old sandbox is gone", lambda: len(hearth.sandboxes()) == 1)

    code = hearth.aws("lambda", "get-function", "--function-name", "hello")["Code"]
    assert code["ImageUri"] == image2 and code["RepositoryType"] == "ECR"
    assert re.fullmatch(re.escape(image2.rsplit(":", 1)[0]) + r"@sha256:[0-9a-f]{64}", code["ResolvedImageUri"])

    hearth.aws("lambda", "delete-function", "--function-name", "hello")
    wait_until("its sandboxes are gone", lambda: not hearth.sandboxes())
    gone = hearth.aws("lambda", "get-function", "--function-name", "hello", check=False)
    assert gone.returncode != 0 and "ResourceNotFoundException" in gone.stderr


def test_update_never_runs_old_code_once_it_is_reported_done(hearth, lam, registry, make_function):
    images = [push_app(hearth.docker, registry, f"swap:{i}", f"v{i}") for i in range(2)]
    make_function("swap", image=images[0])
    for i in range(1, 7):
        lam.update_function_code(FunctionName="swap", ImageUri=images[i % 2])
        lam.get_waiter("function_updated_v2").wait(FunctionName="swap")
        for _ in range(3):
            answer = json.load(lam.invoke(FunctionName="swap", Payload=b"{}")["Payload"])
            assert answer["code"] == f"v{i % 2}"


def answered_code(lam, name):
    return json.load(lam.invoke(FunctionName=name, Payload=b"{}")["Payload"])["code"]


def test_a_tag_that_moves_means_nothing_until_the_code_is_updated(hearth, lam, registry, make_function):
    image = push_app(hearth.docker, registry, "moving:latest", "old")
    created = make_function("moving", image=image, wait=False)
    old = created["CodeSha256"]
    assert created["State"] == "Pending" and re.fullmatch("[0-9a-f]{64}", old)
    push_app(hearth.docker, registry, "moving:latest", "new")  # before anything has run
    lam.get_waiter("function_active_v2").wait(FunctionName="moving")
    assert answered_code(lam, "moving") == "old"
    lam.update_function_configuration(FunctionName="moving", Timeout=9)
    lam.get_waiter("function_updated_v2").wait(FunctionName="moving")
    assert answered_code(lam, "moving") == "old"
    code = lam.get_function(FunctionName="moving")["Code"]
    assert code["ImageUri"] == image and code["ResolvedImageUri"] == f"{registry}/moving@sha256:{old}"

    dry = lam.update_function_code(FunctionName="moving", ImageUri=image, DryRun=True)["CodeSha256"]
    updated = lam.update_function_code(FunctionName="moving", ImageUri=image, Publish=True)
    assert updated["CodeSha256"] == dry != old
    lam.get_waiter("function_updated_v2").wait(FunctionName="moving")
    assert answered_code(lam, "moving") == "new"
    assert lam.get_function(FunctionName="moving", Qualifier="1")["Configuration"]["CodeSha256"] == dry

    lam.update_function_code(FunctionName="moving", ImageUri=f"{registry}/moving@sha256:{old}")
    lam.get_waiter("function_updated_v2").wait(FunctionName="moving")
    assert answered_code(lam, "moving") == "old"


def test_an_image_that_only_the_engine_has_is_known_by_its_id(hearth, lam, registry, make_function):
    hearth.docker.build("only-here:1", {"app.py": APP + "CODE = 'local'\n"}, DOCKERFILE, BASE="hearth/python:3.11")
    image_id = hearth.docker("image", "inspect", "-f", "{{.Id}}", "only-here:1").strip()
    assert "sha256:" + make_function("local", image="only-here:1")["CodeSha256"] == image_id
    assert answered_code(lam, "local") == "local"
    hearth.docker("rmi", "-f", "only-here:1", check=False)


def state_of(lam, name):
    c = lam.get_function_configuration(FunctionName=name)
    return c["State"], c.get("StateReasonCode"), c.get("StateReason", "")


def failed(lam, name):
    return wait_until(f"{name} has failed", lambda: state_of(lam, name)[0] == "Failed" and state_of(lam, name), 30)


def refused(call, **args):
    """The message with which @call refuses an image."""
    with pytest.raises(call.__self__.exceptions.InvalidParameterValueException) as e:
        call(**args)
    return e.value.response["Error"]["Message"]


def test_an_image_that_does_not_exist_is_refused_at_once(hearth, lam, registry):
    none = f"{registry}/nothing-here:9", f"{registry}/nothing-here@sha256:{'0' * 64}"
    for image in none:
        assert refused(lam.create_function, FunctionName="absent", PackageType="Image", Role=ROLE, Code={"ImageUri": image}) \
            == f"Source image {image} does not exist. Provide a valid source image."
    bad = f"{registry}/Not A Name"
    assert refused(lam.create_function, FunctionName="absent", PackageType="Image", Role=ROLE, Code={"ImageUri": bad}) \
        == f"Source image {bad} is not valid. Provide a valid source image."
    with pytest.raises(lam.exceptions.ResourceNotFoundException):
        lam.get_function(FunctionName="absent")


def test_a_registry_that_cannot_be_reached_fails_the_function(lam, make_function):
    make_function("unreachable", image="127.0.0.1:1/x:1", wait=False)
    _, code, reason = failed(lam, "unreachable")
    assert code and "127.0.0.1:1/x:1" in reason
    with pytest.raises(lam.exceptions.ResourceConflictException) as e:
        lam.invoke(FunctionName="unreachable", Payload=b"{}")
    assert "The function is currently in the following state: Failed" in str(e.value)


def test_an_image_without_entry_point_fails_the_function(hearth, lam, registry, make_function):
    name = f"{registry}/noentry:1"
    hearth.docker.build(name, {"x": "x"}, "FROM scratch\nCOPY x /x\n")
    make_function("noentry", image=hearth.docker.push(name), wait=False)
    _, code, reason = failed(lam, "noentry")
    assert code == "InvalidImage" and "ntry" in reason


def test_an_update_to_a_bad_image_keeps_the_old_code_running(hearth, lam, registry, make_function):
    make_function("sturdy", image=push_app(hearth.docker, registry, "sturdy:1", "good"))
    image = f"{registry}/sturdy:404"
    for more in {}, {"DryRun": True}:
        assert refused(lam.update_function_code, FunctionName="sturdy", ImageUri=image, **more) \
            == f"Source image {image} does not exist. Provide a valid source image."
    assert lam.get_function_configuration(FunctionName="sturdy")["LastUpdateStatus"] == "Successful"
    name = f"{registry}/noentry:2"
    hearth.docker.build(name, {"x": "x"}, "FROM scratch\nCOPY x /x\n")
    lam.update_function_code(FunctionName="sturdy", ImageUri=hearth.docker.push(name))

    def status():
        c = lam.get_function_configuration(FunctionName="sturdy")
        return c["LastUpdateStatus"] == "Failed" and c
    c = wait_until("the update has failed", status, 30)
    assert c["State"] == "Active" and c["LastUpdateStatusReasonCode"] == "InvalidImage" and "noentry" in c["LastUpdateStatusReason"]
    assert json.load(lam.invoke(FunctionName="sturdy", Payload=b"{}")["Payload"])["code"] == "good"


def test_an_entry_point_that_is_not_there_is_told_to_the_caller(hearth, lam, registry, make_function):
    name = f"{registry}/badentry:1"
    hearth.docker.build(name, {"x": "x"}, 'FROM hearth/provided:al2023\nENTRYPOINT ["/no/such/file"]\n')
    make_function("badentry", image=hearth.docker.push(name))
    answer = lam.invoke(FunctionName="badentry", Payload=b"{}")
    assert answer["FunctionError"] == "Unhandled"
    error = json.load(answer["Payload"])
    assert error["errorType"] == "Runtime.InvalidEntrypoint" and "/no/such/file" in error["errorMessage"]
