# SPDX-License-Identifier: Apache-2.0
"""External extensions from layers, in real sandboxes: their life, their events, telemetry, and bad ones."""
import base64
import json
import re
import signal
import subprocess

import pytest

from harness import TOP, BUILD, wait_until, zip_of

# What extensions share: a client of the APIs, and a log of what they saw on their standard output.
COMMON = '''#!/usr/bin/env python3
import http.client, json, os, socket, sys, threading, time
NAME = os.path.basename(__file__)
def say(what, **kw):
    os.write(1, ("EXT " + json.dumps(dict(kw, what=what, ext=NAME)) + "\\n").encode())
def call(method, path, body=None, **headers):
    c = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    h = {k.replace("_", "-"): v for k, v in headers.items()}
    c.request(method, path, json.dumps(body) if body is not None else None, h)
    r = c.getresponse()
    return r.status, r.headers, r.read().decode()
def register(events, name=NAME, **headers):
    status, headers, body = call("POST", "/2020-01-01/extension/register", {"events": events},
                                 Lambda_Extension_Name=name, **headers)
    return headers.get("Lambda-Extension-Identifier"), status, body
def next_event(me):
    status, headers, body = call("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=me)
    return json.loads(body)
'''
WATCHER = COMMON + '''
from http.server import BaseHTTPRequestHandler, HTTPServer
class Sink(BaseHTTPRequestHandler):
    def do_POST(self):
        batch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open("/tmp/telemetry", "a") as f:
            for event in batch:
                f.write(json.dumps(event) + "\\n")
        self.send_response(200)
        self.end_headers()
    def log_message(self, *a):
        pass
server = HTTPServer(("sandbox.localdomain", 4243), Sink)
threading.Thread(target=server.serve_forever, daemon=True).start()
me, status, body = register(["INVOKE", "SHUTDOWN"], Lambda_Extension_Accept_Feature="accountId")
say("registered", status=status, body=json.loads(body), env=sorted(os.environ), cwd=os.getcwd())
status, headers, body = call("PUT", "/2022-07-01/telemetry", {
    "schemaVersion": "2022-12-13", "types": ["platform", "function", "extension"],
    "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/t"}},
    Lambda_Extension_Identifier=me)
say("subscribed", status=status, body=body)
while True:
    event = next_event(me)
    event["leftMs"] = event["deadlineMs"] - time.time() * 1000
    say("event", event=event)
    if event["eventType"] == "SHUTDOWN":
        time.sleep(0.2)
        say("bye")
        break
'''
HANDLER = '''
import os, time, sys
def handler(event, context):
    print("function says", event.get("n"))
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "exit" in event:
        os._exit(event["exit"])
    if "read" in event:
        end = time.time() + 5
        while time.time() < end:
            text = open("/tmp/telemetry").read() if os.path.exists("/tmp/telemetry") else ""
            if text.count(event["read"]) >= event.get("times", 1):
                return text.splitlines()
            time.sleep(0.02)
        return text.splitlines()
    return {"id": context.aws_request_id}
'''


def layer_of(lam, name, files):
    """A layer with executables in extensions/."""
    data = zip_of({f"extensions/{n}": (t, 0o755) if not isinstance(t, tuple) else t for n, t in files.items()})
    return lam.publish_layer_version(LayerName=name, Content={"ZipFile": data})["LayerVersionArn"]


def invoke(lam, name, payload=None, **kw):
    a = lam.invoke(FunctionName=name, Payload=json.dumps(payload or {}), **kw)
    return a, json.load(a["Payload"])


def lines_of(hearth, name):
    return hearth.hearth("logs", name).stdout.splitlines()


def told(hearth, name, what, ext=None):
    """What an extension printed, as it was said."""
    found = []
    for line in lines_of(hearth, name):
        at = line.find("EXT {")
        if at >= 0:
            said = json.loads(line[at + 4:])
            if said["what"] == what and ext in (None, said["ext"]):
                found.append(said)
    return found


@pytest.fixture
def with_extensions(lam, make_function):
    def make(name, files, code=HANDLER, **kw):
        arn = layer_of(lam, name, files)
        return make_function(name, {"app.py": code}, Layers=[arn], **kw)
    return make


def retire(lam, name):
    """Ends the function's sandboxes by a change of it."""
    lam.update_function_configuration(FunctionName=name, Description="another")
    lam.get_waiter("function_updated_v2").wait(FunctionName=name)


def test_an_extension_lives_from_register_to_shutdown(hearth, lam, with_extensions):
    with_extensions("ext-life", {"watcher": WATCHER}, Environment={"Variables": {"MINE": "1"}})
    a, r = invoke(lam, "ext-life", {"n": 1}, LogType="Tail")
    assert "FunctionError" not in a, r
    a, r2 = invoke(lam, "ext-life", {"n": 2})
    registered = told(hearth, "ext-life", "registered")
    assert len(registered) == 1 and registered[0]["status"] == 200 and registered[0]["cwd"] == "/"
    assert registered[0]["body"] == {"functionName": "ext-life", "functionVersion": "$LATEST",
                                     "handler": "app.handler", "accountId": "000000000000"}
    env = set(registered[0]["env"])
    assert {"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "MINE"} <= env
    assert not env & {"_HANDLER", "AWS_EXECUTION_ENV", "LAMBDA_TASK_ROOT", "AWS_LAMBDA_LOG_GROUP_NAME"}
    assert told(hearth, "ext-life", "subscribed")[0]["body"] == '"OK"'
    events = [e["event"] for e in told(hearth, "ext-life", "event")]
    assert [e["eventType"] for e in events] == ["INVOKE", "INVOKE"]
    assert [e["requestId"] for e in events] == [r["id"], r2["id"]]
    assert events[0]["invokedFunctionArn"].endswith(":function:ext-life")
    assert events[0]["tracing"]["type"] == "X-Amzn-Trace-Id" and 5000 < events[0]["leftMs"] <= 10000
    retire(lam, "ext-life")
    wait_until("the extension says good-bye", lambda: told(hearth, "ext-life", "bye"), 10)
    event = told(hearth, "ext-life", "event")[-1]["event"]
    assert event["eventType"] == "SHUTDOWN" and event["shutdownReason"] == "SPINDOWN" and "requestId" not in event
    assert 1000 < event["leftMs"] <= 2000
    log = "\n".join(lines_of(hearth, "ext-life"))
    assert "EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE,SHUTDOWN]" in log
    assert "TELEMETRY\tName: watcher\tState: Subscribed\tTypes: [Platform,Function,Extension]" in log


def test_telemetry_tells_all_in_its_order(hearth, lam, with_extensions):
    with_extensions("ext-tele", {"watcher": WATCHER}, MemorySize=192)
    a, r = invoke(lam, "ext-tele", {"n": 7})
    events = [json.loads(e) for e in invoke(lam, "ext-tele", {"read": "platform.report"})[1]]
    types = [e["type"] for e in events]
    order = ["platform.initStart", "platform.telemetrySubscription", "platform.extension", "platform.initRuntimeDone",
             "platform.initReport", "platform.start", "function", "platform.runtimeDone", "platform.report"]
    at = [types.index(t) for t in order]
    assert at == sorted(at), types
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", e["time"]) for e in events)
    by = {e["type"]: e["record"] for e in reversed(events)}
    assert by["platform.initStart"]["initializationType"] == "on-demand" and by["platform.initStart"]["phase"] == "init"
    assert by["platform.telemetrySubscription"] == {"name": "watcher", "state": "Subscribed",
                                                    "types": ["platform", "function", "extension"]}
    assert by["platform.extension"] == {"name": "watcher", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}
    assert by["platform.initReport"]["status"] == "success" and by["platform.initReport"]["metrics"]["durationMs"] > 0
    assert by["platform.start"]["requestId"] == r["id"] and by["platform.start"]["version"] == "$LATEST"
    assert by["function"] == "function says 7"
    assert by["platform.runtimeDone"]["status"] == "success"
    assert by["platform.runtimeDone"]["metrics"]["producedBytes"] == len(json.dumps(r))
    metrics = by["platform.report"]["metrics"]
    assert metrics["memorySizeMB"] == 192 and metrics["initDurationMs"] > 0 and metrics["billedDurationMs"] >= 1
    assert any(e["type"] == "extension" and "subscribed" in e["record"] for e in events)
