# SPDX-License-Identifier: Apache-2.0
"""IAM's operation table of common/model says what botocore's model of the IAM API says."""
import os
import subprocess

import botocore.loaders
import pytest

from harness import TOP

SOURCES = ["tests/conformance/print_iam.c", "common/model/iam_ops.c", "common/model/iam_shapes.c", "common/base/str.c"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    program = str(tmp_path_factory.mktemp("model") / "print_iam")
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-I.", "-o", program, *SOURCES], check=True, cwd=TOP)
    lines = subprocess.run([program], check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines()
    return {tuple(line.split("\t")) for line in lines}


@pytest.fixture(scope="module")
def model():
    return botocore.loaders.Loader().load_service_model("iam", "service-2", "2010-05-08")


def shape_facts(model, name, facts):
    """All that our table must say of a shape and those below it."""
    if ("shape", name, model["shapes"][name]["type"]) in facts:
        return
    shape = model["shapes"][name]
    facts.add(("shape", name, shape["type"]))
    for bound in ("min", "max"):
        if bound in shape:
            facts.add((bound, name, str(shape[bound])))
    if "pattern" in shape:
        facts.add(("pattern", name, shape["pattern"]))
    facts.update(("value", name, v) for v in shape.get("enum", []))
    for member, ref in shape.get("members", {}).items():
        required = "required" if member in shape.get("required", []) else "optional"
        facts.add(("member", name, member, ref.get("locationName", member), ref["shape"], required))
        shape_facts(model, ref["shape"], facts)
    if "member" in shape:
        facts.add(("item", name, shape["member"]["shape"]))
        shape_facts(model, shape["member"]["shape"], facts)


def test_no_operation_member_or_constraint_is_missing_or_invented(table, model):
    facts = set()
    for name, op in model["operations"].items():
        offered = ("operation", name, "result" if "output" in op else "empty", "offered") in table
        facts.add(("operation", name, "result" if "output" in op else "empty", "offered" if offered else "not offered"))
        if offered and "input" in op:
            facts.add(("input", name, op["input"]["shape"]))
            shape_facts(model, op["input"]["shape"], facts)
    assert table == facts


def test_what_tools_need_to_make_a_function_is_offered(table):
    """Provider policy lists of Terraform, Serverless and SAM; docs/internals/iam.md."""
    offered = {f[1] for f in table if f[0] == "operation" and f[3] == "offered"}
    role = {"CreateRole", "GetRole", "UpdateRole", "DeleteRole", "ListRoles", "UpdateAssumeRolePolicy", "UpdateRoleDescription",
            "ListRolePolicies", "ListAttachedRolePolicies", "ListInstanceProfilesForRole", "PutRolePolicy", "GetRolePolicy",
            "DeleteRolePolicy", "AttachRolePolicy", "DetachRolePolicy", "TagRole", "UntagRole", "ListRoleTags",
            "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"}
    policy = {"CreatePolicy", "GetPolicy", "DeletePolicy", "ListPolicies", "CreatePolicyVersion", "GetPolicyVersion",
              "ListPolicyVersions", "DeletePolicyVersion", "SetDefaultPolicyVersion", "TagPolicy", "UntagPolicy", "ListPolicyTags",
              "ListEntitiesForPolicy"}
    assert offered == role | policy | {"GetUser", "ListAccountAliases"}
