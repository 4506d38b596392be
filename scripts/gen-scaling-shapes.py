#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes common/model/scaling_shapes.c and scaling_ops.inc from botocore's model of Application Auto Scaling.

    scripts/gen-scaling-shapes.py [folder]      (default: common/model)

Needs botocore of the version in scripts/test-requirements.txt. tests/conformance/test_scaling_model.py
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
    "DeleteScalingPolicy", "DeleteScheduledAction", "DeregisterScalableTarget",
    "DescribeScalableTargets", "DescribeScalingActivities", "DescribeScalingPolicies",
    "DescribeScheduledActions", "ListTagsForResource", "PutScalingPolicy", "PutScheduledAction",
    "RegisterScalableTarget", "TagResource", "UntagResource",
}

# Any text that XML can hold: what is read of these texts has rules of its own (controller/scaling/).
ANY_TEXT = r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*"
# Java's class in the words of pattern.h
JAVA = {r"\p{Print}+": "[ -~]+"}
# Kinds of policies that are refused as a whole: what is in them is not looked at.
NOT_READ = {"PredictiveScalingPolicyConfiguration"}

HEAD = """/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shapes of the inputs of Application Auto Scaling's operations that Hearth offers: made by
 * scripts/gen-scaling-shapes.py from botocore {version}, model application-autoscaling/2016-02-06; do
 * not edit. Each shape stands before those that use it.
 */
#include "common/base/cleanup.h"
#include "common/model/scaling_ops.h"

"""


def lambda_generator():
    """scripts/gen-lambda-shapes.py, whose tables are the same."""
    loader = importlib.machinery.SourceFileLoader(
        "gen_lambda_shapes", os.path.join(HERE, "gen-lambda-shapes.py"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def prepared(model):
    """The model with what the tables cannot say made sayable."""
    for name, shape in model["shapes"].items():
        if shape.get("pattern") == ANY_TEXT:
            del shape["pattern"]
        shape.update({"pattern": JAVA[shape["pattern"]]} if shape.get("pattern") in JAVA else {})
        if name in NOT_READ:
            shape.update(members={}, required=[])
    return model


def write_shapes(model, version, path):
    gen = lambda_generator()
    gen.RECORDED, gen.CHECKED_AFTER, gen.VALUES_LATER = {}, {}, set()
    w = gen.Writer(model)
    inputs = {name: op["input"]["shape"] for name, op in model["operations"].items() if name in OFFERED}
    for name in inputs.values():
        w.shape(name)
    w.out.append("static const struct lambda_shape *const input_shapes[SCALING_OP_MAX] = {")
    for op, name in inputs.items():
        line = "    [SCALING_OP_%s] = &shape_%s," % (op, name)
        w.out.append(line if len(line) <= 100 else line.replace(" = ", " =\n        "))
    w.out += ["};", "", "const struct lambda_shape *scaling_input_shape(enum scaling_op_id id)", "{",
              "    return input_shapes[id];", "}"]
    text = HEAD.format(version=version) + "\n".join(w.out) + "\n"
    for name in NOT_READ:  # C has no empty tables
        text = text.replace("static const struct lambda_member members_%s[] = {\n};\n" % name, "")
        text = text.replace(
            "    .members = members_%s,\n    .members_len = ARRAY_LEN(members_%s),\n" % (name, name), "")
    with open(path, "w") as f:
        f.write(text)


def write_ops(model, path):
    out = ["/* SPDX-License-Identifier: Apache-2.0 */", "/*",
           " * scaling_ops.inc - a row for each operation of Application Auto Scaling, in its model's order:",
           " * SCALING_OP(name, offered by this release).",
           " * Made by scripts/gen-scaling-shapes.py; do not edit.", " */"]
    for name in model["operations"]:
        out.append("SCALING_OP(%s, %s)" % (name, str(name in OFFERED).lower()))
    with open(path, "w") as f:
        f.write("\n".join(out) + "\n")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "common/model"
    model = prepared(botocore.loaders.Loader().load_service_model(
        "application-autoscaling", "service-2", "2016-02-06"))
    assert OFFERED <= set(model["operations"])
    write_ops(model, os.path.join(folder, "scaling_ops.inc"))
    write_shapes(model, botocore.__version__, os.path.join(folder, "scaling_shapes.c"))


if __name__ == "__main__":
    main()
