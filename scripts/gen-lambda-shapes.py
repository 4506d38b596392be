#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes common/model/lambda_shapes.c and lambda_ops.inc from botocore's model of the Lambda API.

    scripts/gen-lambda-shapes.py [folder]      (default: common/model)

Needs botocore of the version in scripts/test-requirements.txt. tests/conformance/test_model.py
checks that the result says what the model says.
"""
import botocore.loaders
import os
import re
import sys

# AWS sends another status than the model says.
SUCCESS = {"DeleteFunction": 204}

# Where recorded AWS answers show another constraint than the public model; by shape.
_REGION = r"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"
RECORDED = {
    "LayerVersionArn": {
        "pattern": r"(arn:(aws[a-zA-Z-]*)?:lambda:" + _REGION + r":\d{12}:layer:[a-zA-Z0-9-_]+:"
                   r"[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)",
    },
    "TaggableResource": {
        "pattern": r"arn:(aws[a-zA-Z-]*):lambda:" + _REGION + r":\d{12}:"
                   r"(function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?|layer:([a-zA-Z0-9-_]+)|"
                   r"code-signing-config:csc-[a-z0-9]{17}|event-source-mapping:[0-9a-fA-F]{8}-"
                   r"[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|"
                   r"capacity-provider:[a-zA-Z0-9-_]+)",
    },
    "RecursiveLoop": {"values": "Terminate, Allow"},
    "InvokeMode": {"values": "RESPONSE_STREAM, BUFFERED"},
    "Runtime": {
        "values": "ruby3.5, ruby2.6, dotnetcore1.0, python3.7, nodejs8.10, nasa, ruby2.7, "
                  "python2.7-greengrass, dotnetcore2.0, python3.8, java21, dotnet6, "
                  "dotnetcore2.1, python3.9, java11, nodejs6.10, provided, dotnetcore3.1, "
                  "dotnet8, java25, java17, nodejs, nodejs4.3, java8.al2, go1.x, dotnet10, "
                  "nodejs20.x, go1.9, byol, nodejs10.x, provided.al2023, nodejs22.x, "
                  "python3.10, java8, nodejs12.x, python3.11, nodejs24.x, nodejs8.x, "
                  "python3.12, nodejs14.x, nodejs8.9, nodejs26.x, python3.13, python3.14, "
                  "nodejs16.x, python3.15, provided.al2, nodejs4.3-edge, nodejs18.x, ruby3.2, "
                  "python3.4, ruby3.3, ruby3.4, ruby2.5, python3.6, python2.7",
    },
    "CompatibleRuntimes": {
        "values": "nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, "
                  "nodejs24.x, nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, "
                  "ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, "
                  "dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2",
    },
}

# Members whose set of values AWS checks itself, in other words (runtimes.h).
VALUES_LATER = {("CreateFunctionRequest", "Runtime"),
                ("UpdateFunctionConfigurationRequest", "Runtime")}

# Members that AWS was recorded to check after another one, which the model has behind them.
CHECKED_AFTER = {("PublishLayerVersionRequest", "CompatibleArchitectures"): "CompatibleRuntimes"}

LOCATIONS = {None: "LAMBDA_IN_BODY", "uri": "LAMBDA_IN_URI", "querystring": "LAMBDA_IN_QUERY",
             "header": "LAMBDA_IN_HEADER"}

HEAD = """/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shapes of every operation's input: made by scripts/gen-lambda-shapes.py from botocore
 * {version}, model lambda/2015-03-31; do not edit. One file and long, because it is one table:
 * {shapes} shapes, each before those that use it.
 */
#include "common/base/cleanup.h"
#include "common/model/lambda_ops.h"

"""


def c_string(text, indent):
    """A C literal, cut into several where it is long."""
    pieces, piece = [], ""
    for ch in text:
        ch = {"\\": "\\\\", '"': '\\"'}.get(ch, ch)
        if len(piece) + len(ch) > 70:
            pieces.append(piece)
            piece = ""
        piece += ch
    pieces.append(piece)
    return ("\n" + " " * indent).join('"%s"' % p for p in pieces)


class Writer:
    def __init__(self, model):
        self.shapes = model["shapes"]
        self.done = []
        self.out = []

    def values_array(self, name, values):
        self.out.append("static const char *const %s[] = {" % name)
        line = "   "
        for v in ['"%s",' % v for v in values] + ["NULL,"]:
            if len(line) + 1 + len(v) > 100:
                self.out.append(line)
                line = "   "
            line += " " + v
        self.out += [line, "};"]

    def members(self, name, shape):
        self.out.append("static const struct lambda_member members_%s[] = {" % name)
        order = list(shape["members"])
        for (owner, member), other in CHECKED_AFTER.items():
            if owner == name:
                order.remove(member)
                order.insert(order.index(other) + 1, member)
        for member in order:
            ref = shape["members"][member]
            location = LOCATIONS[ref.get("location")]
            # a blob or structure payload is the whole body
            if shape.get("payload") == member:
                location = "LAMBDA_IN_PAYLOAD"
            fields = ['"%s"' % member, '"%s"' % ref.get("locationName", member),
                      "&shape_" + ref["shape"], location,
                      "true" if member in shape.get("required", []) else "false",
                      "true" if (name, member) in VALUES_LATER else "false"]
            line = "    {%s}," % ", ".join(fields)
            if len(line) > 100:
                line = "    {%s,\n     %s}," % (", ".join(fields[:2]), ", ".join(fields[2:]))
            self.out.append(line)
        self.out.append("};")

    def shape(self, name):
        if name in self.done:
            return
        shape = self.shapes[name]
        refs = [shape[k] for k in ("member", "key", "value") if k in shape]
        for ref in list(shape.get("members", {}).values()) + refs:
            self.shape(ref["shape"])
        self.done.append(name)
        recorded = RECORDED.get(name, {})
        fields = ['.name = "%s"' % name, ".type = LAMBDA_" + shape["type"].upper()]
        for bound in ("min", "max"):
            if bound in shape:
                fields += [".has_%s = true" % bound, ".%s = %s" % (bound, shape[bound])]
        if shape.get("sensitive"):
            fields.append(".sensitive = true")
        if "pattern" in shape:
            fields.append(".pattern = " + c_string(shape["pattern"], 15))
        if "pattern" in recorded:
            fields.append(".recorded_pattern = " + c_string(recorded["pattern"], 24))
        if "enum" in shape:
            self.values_array("values_" + name, shape["enum"])
            fields.append(".values = values_" + name)
        if "values" in recorded:
            self.values_array("recorded_values_" + name, recorded["values"].split(", "))
            fields.append(".recorded_values = recorded_values_" + name)
        if shape.get("members"):
            self.members(name, shape)
            fields += [".members = members_" + name, ".members_len = ARRAY_LEN(members_%s)" % name]
        if "key" in shape:
            fields.append(".key = &shape_" + shape["key"]["shape"])
        if "member" in shape or "value" in shape:
            fields.append(".item = &shape_" + shape.get("member", shape.get("value"))["shape"])
        self.out.append("static const struct lambda_shape shape_%s = {" % name)
        line = "   "
        for field in fields:
            if "\n" in field or len(line) + len(field) + 2 > 100:
                self.out += [line] if line.strip() else []
                line = "   "
            line += " %s," % field
        self.out += [line, "};", ""]


def write_shapes(model, version, path):
    w = Writer(model)
    for op in model["operations"].values():
        if "input" in op:
            w.shape(op["input"]["shape"])
    w.out.append("static const struct lambda_shape *const input_shapes[LAMBDA_OP_MAX] = {")
    for name, op in model["operations"].items():
        if "input" in op:
            line = "    [LAMBDA_OP_%s] = &shape_%s," % (name, op["input"]["shape"])
            w.out.append(line if len(line) <= 100 else line.replace(" = ", " =\n        "))
    w.out += ["};", "", "const struct lambda_shape *lambda_input_shape(enum lambda_op_id id)", "{",
              "    return input_shapes[id];", "}"]
    with open(path, "w") as f:
        f.write(HEAD.format(version=version, shapes=len(w.done)) + "\n".join(w.out) + "\n")


def write_ops(model, path):
    out = ["/* SPDX-License-Identifier: Apache-2.0 */", "/*",
           " * lambda_ops.inc - a row for each operation of the Lambda API, in its model's order:",
           " * LAMBDA_OP(name, method, URI template, status of success).",
           " * Made by scripts/gen-lambda-shapes.py; do not edit.", " *",
           " * DeleteFunction: the model says 200, AWS sends 204.", " */"]
    for name, op in model["operations"].items():
        http = op["http"]
        fields = [name, '"%s"' % http["method"], '"%s"' % http["requestUri"],
                  str(SUCCESS.get(name, http["responseCode"]))]
        line = "LAMBDA_OP(%s)" % ", ".join(fields)
        if len(line) > 100:
            line = "LAMBDA_OP(%s,\n          %s)" % (", ".join(fields[:2]), ", ".join(fields[2:]))
        if max(map(len, line.split("\n"))) > 100:
            line = "LAMBDA_OP(%s,\n          %s,\n          %s)" % (
                ", ".join(fields[:2]), fields[2], ", ".join(fields[3:]))
        out.append(line)
    with open(path, "w") as f:
        f.write("\n".join(out) + "\n")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "common/model"
    model = botocore.loaders.Loader().load_service_model("lambda", "service-2", "2015-03-31")
    assert all(re.fullmatch(r"\w+", n) for n in model["shapes"])
    write_ops(model, os.path.join(folder, "lambda_ops.inc"))
    write_shapes(model, botocore.__version__, os.path.join(folder, "lambda_shapes.c"))


if __name__ == "__main__":
    main()
