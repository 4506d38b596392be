# SPDX-License-Identifier: Apache-2.0
"""Holds every raw answer against botocore's model of the Lambda API, strictly: no member that the model does not
know, every type right, the status and the headers that AWS sends. SDKs of other languages break where boto3 is lenient.
"""
import json
import re

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

# Values that AWS was recorded with although its model does not list them.
RECORDED = {("LastUpdateStatusReasonCode", "Creating")}

STATUS = {"DeleteFunction": 204}  # the model says 200; AWS was recorded with 204

# Errors that any operation may give; the model lists only those of its own.
COMMON = {"ValidationException", "AccessDeniedException", "UnrecognizedClientException", "SerializationException",
          "UnknownOperationException", "InvalidSignatureException", "MissingAuthenticationTokenException",
          "IncompleteSignatureException", "ExpiredTokenException", "InternalFailure", "UnsupportedOperationException"}

# What AWS sends beside the members of an error's shape.
ERROR_MEMBERS = {"Type", "message", "Message", "Reason", "retryAfterSeconds", "__type"}

PRIMITIVES = {"string": str, "character": str, "blob": str, "boolean": bool, "integer": int, "long": int}


def complaints_about(value, shape, path):
    """What of a JSON value does not fit its shape."""
    if value is None:
        return []
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            return [f"{path}: {type(value).__name__} where the model has a structure"]
        known = {m.serialization.get("name", n): m for n, m in shape.members.items()}
        found = [f"{path}.{k}: the model knows no such member" for k in value if k not in known]
        for k in value:
            if k in known:
                found += complaints_about(value[k], known[k], f"{path}.{k}")
        return found
    if kind == "list":
        if not isinstance(value, list):
            return [f"{path}: {type(value).__name__} where the model has a list"]
        return [c for i, v in enumerate(value) for c in complaints_about(v, shape.member, f"{path}[{i}]")]
    if kind == "map":
        if not isinstance(value, dict):
            return [f"{path}: {type(value).__name__} where the model has a map"]
        return [c for k, v in value.items() for c in complaints_about(v, shape.value, f"{path}.{k}")]
    if kind == "timestamp":
        seconds = isinstance(value, (int, float)) and not isinstance(value, bool)
        if shape.serialization.get("timestampFormat", "unixTimestamp") == "unixTimestamp" and not seconds:
            return [f"{path}: {value!r} where the model has seconds since 1970"]
        return []
    if kind in ("float", "double"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return [f"{path}: {value!r} where the model has a number"]
        return []
    if not isinstance(value, PRIMITIVES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return [f"{path}: {value!r} where the model has a {kind}"]
    if kind == "string" and shape.enum and value not in shape.enum and (shape.name, value) not in RECORDED:
        return [f"{path}: {value!r} is not among {shape.enum}"]
    return []


def body_of(response):
    try:
        return json.loads(response.content) if response.content else None
    except ValueError:
        return "no JSON"


class Watcher:
    """Looks at every answer of a client and keeps what it complains about and what was answered."""

    def __init__(self, client):
        self.client = client
        self.complaints = []
        self.seen = {}  # operation: {error code or None}
        client.meta.events.register("after-call.lambda", self._look)

    def _look(self, http_response, parsed, model, **_):
        error = parsed.get("Error", {}).get("Code") if http_response.status_code >= 300 else None
        self.seen.setdefault(model.name, set()).add(error)
        found = self._error(http_response, model, error) if error else self._success(http_response, model)
        if not UUID.fullmatch(http_response.headers.get("x-amzn-RequestId", "")):
            found.append("x-amzn-RequestId is missing or no UUID")
        self.complaints += [f"{model.name}: {c}" for c in found]

    def _success(self, response, model):
        expected = STATUS.get(model.name, model.http.get("responseCode", 200))
        found = []
        if response.status_code != expected and model.name != "Invoke":
            found.append(f"status {response.status_code}, the model says {expected}")
        shape = model.output_shape
        if shape is None or "payload" in shape.serialization or model.has_streaming_output or \
                model.has_event_stream_output:
            return found
        body = body_of(response)
        members = {n: m for n, m in shape.members.items() if "location" not in m.serialization}
        if body is None:
            return found + (["no body"] if members and expected != 204 else [])
        if not isinstance(body, dict):
            return found + ["the body is no JSON object"]
        if "json" not in response.headers.get("content-type", ""):
            found.append(f"content-type is {response.headers.get('content-type')!r}")
        return found + complaints_about(body, shape, "")

    def _error(self, response, model, code):
        found = []
        kind = response.headers.get("x-amzn-ErrorType", "").split(":")[0]
        if kind != code:
            found.append(f"x-amzn-ErrorType is {kind!r} for {code}")
        body = body_of(response)
        if not isinstance(body, dict):
            return found + [f"the body of {code} is no JSON object"]
        shapes = {s.metadata.get("error", {}).get("code", s.name): s for s in model.service_model.error_shapes}
        if code not in shapes:
            return found + ([] if code in COMMON else [f"{code} is no error of Lambda"])
        shape = shapes[code]
        expected = shape.metadata.get("error", {}).get("httpStatusCode")
        if expected and response.status_code != expected:
            found.append(f"{code} with status {response.status_code}, the model says {expected}")
        known = ERROR_MEMBERS | set(shape.members)
        return found + [f"{code}.{k}: the model knows no such member" for k in body if k not in known]
