# SPDX-License-Identifier: Apache-2.0
"""Inputs of the Lambda API made from its model: whole ones with every documented member, and ones with one fault."""
import botocore.loaders
import botocore.model

from case import ACCOUNT, REGION, ROLE
from harness import zip_of

SERVICE = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("lambda", "service-2", "2015-03-31"),
                                      "lambda")
UUID = "01234567-89ab-4def-8123-456789abcdef"
CSC = f"arn:aws:lambda:{REGION}:{ACCOUNT}:code-signing-config:csc-0123456789abcdef0"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:conf-samples"
LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:conf-samples"
EXECUTION = f"{FUNCTION}:1/durable-execution/name/{UUID}"

# By member: what its pattern wants or what is harmless.
MEMBERS = {
    "FunctionName": "conf-samples", "Role": ROLE, "Qualifier": "alias", "FunctionVersion": "1", "LayerName": "conf-samples",
    "VersionNumber": 1, "StatementId": "one", "Action": "lambda:InvokeFunction", "UUID": UUID, "RevisionId": UUID,
    "CodeSigningConfigArn": CSC, "Arn": f"{LAYER}:1", "ResourceArn": FUNCTION, "Resource": FUNCTION,
    "EventSourceArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue", "SourceArn": "arn:aws:s3:::bucket",
    "SourceAccount": ACCOUNT, "PrincipalOrgID": "o-1234567890", "OrganizationId": "o-1234567890",
    "Handler": "handler.handler", "MasterRegion": REGION, "Principal": "s3.amazonaws.com", "Name": "alias",
    "DurableExecutionArn": EXECUTION, "DurableExecutionName": "name", "TenantId": "tenant", "CapacityProviderName": "provider",
    "CallbackId": "Y2FsbGJhY2s=", "CheckpointToken": "Y2hlY2twb2ludA==", "ClientToken": "token", "ImageUri": "hearth/none:1",
    "Timeout": 3, "Marker": "marker", "StartingPosition": "LATEST", "EventSourceToken": "token", "ClientContext": "e30=",
    "RuntimeVersionArn": f"arn:aws:lambda:{REGION}::runtime:{'0' * 64}", "ReservedConcurrentExecutions": 1,
    "Layers": [f"{LAYER}:1"], "KMSKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{UUID}",
    "KmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{UUID}", "S3Bucket": "bucket", "S3Key": "key",
    "SourceKMSKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{UUID}", "CodeSha256": "x" * 43 + "=",
    "Policy": "{}", "Tags": {"key": "value"}, "TagKeys": ["key"], "ZipFile": zip_of({"handler.py": ""}),
    "SigningProfileVersionArns": [f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/test"],
    "Topics": ["topic"], "Queues": ["queue"], "DryRun": True, "InvocationType": "DryRun",
}


def value(shape, name=None, depth=0):
    """A value that satisfies a shape, with all its members."""
    if name in MEMBERS:
        return MEMBERS[name]
    kind = shape.type_name
    meta = shape.metadata
    if kind == "structure":
        if depth > 4:
            return {}
        return {n: value(m, n, depth + 1) for n, m in shape.members.items()}
    if kind == "list":
        return [value(shape.member, None, depth + 1)] * max(1, meta.get("min", 1))
    if kind == "map":
        return {value(shape.key, None, depth + 1): value(shape.value, None, depth + 1)}
    if kind == "boolean":
        return False
    if kind == "timestamp":
        return 1764000000
    if kind in ("integer", "long"):
        return max(1, meta.get("min", 1))
    if kind in ("float", "double"):
        return max(0.5, meta.get("min", 0.5))
    if kind == "blob":
        return b"{}"
    if shape.enum:
        return shape.enum[0]
    return "a" * max(1, meta.get("min", 1))


def whole(operation):
    shape = SERVICE.operation_model(operation).input_shape
    return {n: value(m, n) for n, m in shape.members.items()} if shape else {}


def required(operation):
    shape = SERVICE.operation_model(operation).input_shape
    return {n: value(shape.members[n], n) for n in shape.required_members} if shape else {}


def faults(operation):
    """(what, member, value) for each constraint of each member of an input that one value can break."""
    shape = SERVICE.operation_model(operation).input_shape
    for name, m in (shape.members if shape else {}).items():
        meta, kind = m.metadata, m.type_name
        if kind == "string":
            if m.enum and m.name != "Runtime":  # runtimes are data, looked up after the function
                yield "enum", name, "NotAmongThem"
            elif "max" in meta and meta["max"] < 100000:
                yield "too long", name, "a" * (meta["max"] + 1)
            if meta.get("pattern") and not m.enum and meta["pattern"] not in (".*", "[\\s\\S]*"):
                yield "pattern", name, "not ok ?*!"
        elif kind in ("integer", "long"):
            if "max" in meta and meta["max"] < 2 ** 31 - 1:
                yield "too large", name, meta["max"] + 1
            if meta.get("min", 0) > -1:
                yield "too small", name, meta.get("min", 0) - 1
        elif kind == "list" and "max" in meta:
            yield "too many", name, [value(m.member)] * (meta["max"] + 1)
