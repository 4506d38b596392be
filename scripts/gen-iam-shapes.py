#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes common/model/iam_shapes.c and iam_ops.inc from botocore's model of the IAM API.

    scripts/gen-iam-shapes.py [folder]      (default: common/model)

Needs botocore of the version in scripts/test-requirements.txt. tests/conformance/test_iam_model.py
checks that the result says what the model says.
"""
import botocore
import botocore.loaders
import importlib.machinery
import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# What this release of Hearth does.
OFFERED = {
    "AttachRolePolicy", "CreatePolicy", "CreatePolicyVersion", "CreateRole", "DeletePolicy",
    "DeletePolicyVersion", "DeleteRole", "DeleteRolePermissionsBoundary", "DeleteRolePolicy",
    "DetachRolePolicy", "GetPolicy", "GetPolicyVersion", "GetRole", "GetRolePolicy", "GetUser",
    "ListAccountAliases", "ListAttachedRolePolicies", "ListEntitiesForPolicy",
    "ListInstanceProfilesForRole", "ListPolicies", "ListPolicyTags", "ListPolicyVersions",
    "ListRolePolicies", "ListRoleTags", "ListRoles", "PutRolePermissionsBoundary",
    "PutRolePolicy", "SetDefaultPolicyVersion", "TagPolicy", "TagRole", "UntagPolicy", "UntagRole",
    "UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription",
}

# Shapes whose pattern AWS checks itself, in other words (proto/iam_input.c).
IN_OTHER_WORDS = {"roleNameType", "policyNameType", "existingUserNameType", "policyDocumentType",
                  "pathType", "policyPathType"}

HEAD = """/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shapes of the inputs of IAM's operations that Hearth offers: made by
 * scripts/gen-iam-shapes.py from botocore {version}, model iam/2010-05-08; do not edit. Each shape
 * stands before those that use it. Texts are "sensitive": IAM's messages never show them.
 */
#include "common/base/cleanup.h"
#include "common/model/iam_ops.h"

"""


def lambda_generator():
    """scripts/gen-lambda-shapes.py, whose tables are the same."""
    loader = importlib.machinery.SourceFileLoader(
        "gen_lambda_shapes", os.path.join(HERE, "gen-lambda-shapes.py"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def inputs(model):
    return {name: op["input"]["shape"] for name, op in model["operations"].items()
            if name in OFFERED and "input" in op}


def write_shapes(model, version, path):
    gen = lambda_generator()
    for shape in model["shapes"].values():
        if shape["type"] == "string" and "enum" not in shape:
            shape["sensitive"] = True
    gen.RECORDED, gen.CHECKED_AFTER = {}, {}
    gen.VALUES_LATER = {(owner, member) for owner in inputs(model).values()
                        for member, ref in model["shapes"][owner]["members"].items()
                        if ref["shape"] in IN_OTHER_WORDS}
    w = gen.Writer(model)
    for name in inputs(model).values():
        w.shape(name)
    w.out.append("static const struct lambda_shape *const input_shapes[IAM_OP_MAX] = {")
    for op, name in inputs(model).items():
        line = "    [IAM_OP_%s] = &shape_%s," % (op, name)
        w.out.append(line if len(line) <= 100 else line.replace(" = ", " =\n        "))
    w.out += ["};", "", "const struct lambda_shape *iam_input_shape(enum iam_op_id id)", "{",
              "    return input_shapes[id];", "}"]
    with open(path, "w") as f:
        f.write(HEAD.format(version=version) + "\n".join(w.out) + "\n")


def write_ops(model, path):
    out = ["/* SPDX-License-Identifier: Apache-2.0 */", "/*",
           " * iam_ops.inc - a row for each operation of the IAM API, in its model's order:",
           " * IAM_OP(name, whether its answer has a result, offered by this release).",
           " * Made by scripts/gen-iam-shapes.py; do not edit.", " */"]
    for name, op in model["operations"].items():
        out.append("IAM_OP(%s, %s, %s)" % (name, str("output" in op).lower(),
                                           str(name in OFFERED).lower()))
    with open(path, "w") as f:
        f.write("\n".join(out) + "\n")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "common/model"
    model = botocore.loaders.Loader().load_service_model("iam", "service-2", "2010-05-08")
    assert OFFERED <= set(model["operations"])
    write_ops(model, os.path.join(folder, "iam_ops.inc"))
    write_shapes(model, botocore.__version__, os.path.join(folder, "iam_shapes.c"))


if __name__ == "__main__":
    main()
