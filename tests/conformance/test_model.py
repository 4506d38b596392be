# SPDX-License-Identifier: Apache-2.0
"""The operation table of common/model says what botocore's model of the Lambda API says."""
import json
import os
import shlex
import subprocess

import botocore.loaders
import pytest

import page
from harness import TOP

SOURCES = ["tests/conformance/print_ops.c", "common/model/lambda_ops.c", "common/model/lambda_shapes.c",
           "common/base/str.c"]

# Where AWS answers otherwise than the model says; see scripts/gen-lambda-shapes.py.
SUCCESS = {"DeleteFunction": 204}
RECORDED_PATTERNS = {"LayerVersionArn", "TaggableResource"}
RECORDED_VALUES = {"RecursiveLoop", "InvokeMode", "Runtime", "CompatibleRuntimes"}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    program = str(tmp_path_factory.mktemp("model") / "print_ops")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libcjson"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-I.", "-o", program, *SOURCES,
                    *shlex.split(flags)], check=True, cwd=TOP)
    return json.loads(subprocess.run([program], check=True, stdout=subprocess.PIPE).stdout)


@pytest.fixture(scope="module")
def model():
    return botocore.loaders.Loader().load_service_model("lambda", "service-2", "2015-03-31")


def test_every_operation_is_there_and_no_other(table, model):
    assert list(table["operations"]) == list(model["operations"])


def test_routes_and_statuses_are_the_models(table, model):
    for name, op in model["operations"].items():
        ours = table["operations"][name]
        assert ours["method"] == op["http"]["method"], name
        assert ours["uri"] == op["http"]["requestUri"], name
        assert ours["success"] == SUCCESS.get(name, op["http"]["responseCode"]), name
        assert ours.get("input") == op.get("input", {}).get("shape"), name


def input_shapes(model):
    """The names of all shapes that inputs are made of."""
    todo = [op["input"]["shape"] for op in model["operations"].values() if "input" in op]
    seen = set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        shape = model["shapes"][name]
        todo += [m["shape"] for m in shape.get("members", {}).values()]
        todo += [shape[k]["shape"] for k in ("member", "key", "value") if k in shape]
    return seen


def test_every_shape_of_an_input_is_there_and_no_other(table, model):
    assert set(table["shapes"]) == input_shapes(model)


def test_no_constraint_is_missing_or_invented(table, model):
    for name in input_shapes(model):
        ours, theirs = table["shapes"][name], model["shapes"][name]
        assert ours["type"] == theirs["type"], name
        for bound in ("min", "max"):
            assert ours.get(bound) == theirs.get(bound), (name, bound)
        assert ours.get("pattern") == theirs.get("pattern"), name
        assert ours.get("values") == theirs.get("enum"), name
        assert ours.get("sensitive", False) == theirs.get("sensitive", False), name
        assert ours.get("key") == theirs.get("key", {}).get("shape"), name
        assert ours.get("item") == (theirs.get("member") or theirs.get("value") or {}).get("shape"), name


def test_no_member_is_missing_or_invented(table, model):
    for name in input_shapes(model):
        ours, theirs = table["shapes"][name].get("members", {}), model["shapes"][name].get("members", {})
        assert set(ours) == set(theirs), name
        for member, ref in theirs.items():
            payload = model["shapes"][name].get("payload") == member
            assert ours[member] == {
                "wire_name": ref.get("locationName", member),
                "location": "payload" if payload else ref.get("location", "body"),
                "shape": ref["shape"],
                "required": member in model["shapes"][name].get("required", []),
            }, (name, member)


def test_only_recorded_answers_override_the_model(table):
    shapes = table["shapes"].items()
    assert {n for n, s in shapes if "recorded_pattern" in s} == RECORDED_PATTERNS
    assert {n for n, s in shapes if "recorded_values" in s} == RECORDED_VALUES


def test_the_page_speaks_of_every_setting_of_a_function(model):
    inputs = ("CreateFunctionRequest", "UpdateFunctionConfigurationRequest", "UpdateFunctionCodeRequest", "FunctionCode")
    settings = {m for shape in inputs for m in model["shapes"][shape]["members"]}
    said = [*page.SETTINGS_WORK, *page.SETTINGS_KEPT, *(s.split()[0] for s in page.SETTINGS_REFUSED)]
    assert sorted(said) == sorted(settings)
