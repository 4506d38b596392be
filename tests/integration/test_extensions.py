# SPDX-License-Identifier: Apache-2.0
"""External extensions from layers, in real sandboxes: their life, their events, telemetry, and bad ones."""
import base64
import json
import re
import subprocess
import time

import pytest

from harness import SLOW, TOP, sample, wait_until, zip_of

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


def test_telemetry_has_json_lines_as_objects(hearth, lam, with_extensions):
    """Where the function's log format is JSON, whatever is left out of the log; platform events are the log's."""
    code = HANDLER.replace('    print("function says", event.get("n"))',
                           '    print(json.dumps({"level": "DEBUG", "timestamp": "2026-11-26T20:00:00Z", "n": event.get("n")}))\n'
                           '    print("plain")').replace("import os", "import json, os")
    with_extensions("ext-json", {"watcher": WATCHER}, code, Runtime="python3.13",
                    LoggingConfig={"LogFormat": "JSON", "SystemLogLevel": "INFO"})
    invoke(lam, "ext-json", {"n": 7})
    events = [json.loads(e) for e in invoke(lam, "ext-json", {"read": "platform.report"})[1]]
    lines = [e["record"] for e in events if e["type"] == "function"]
    assert lines[:2] == [{"level": "DEBUG", "timestamp": "2026-11-26T20:00:00Z", "n": 7}, "plain"]
    log = [line.split(" ", 1)[1] for line in lines_of(hearth, "ext-json")]
    assert not [line for line in log if '"DEBUG"' in line] and "plain" in log
    logged = [json.loads(line) for line in log if line.startswith('{"time"')]
    assert [e["type"] for e in logged[:5]] == ["platform.initStart", "platform.telemetrySubscription", "platform.extension",
                                               "platform.start", "platform.report"]
    assert [e for e in logged if e["type"] == "platform.report"][0] in events


# ---- the other forms of subscriptions

TCP_LISTENER = COMMON + '''
listener = socket.create_server(("0.0.0.0", 7777))
def take():
    while True:
        c, _ = listener.accept()
        for line in c.makefile():
            with open("/tmp/telemetry", "a") as f:
                f.write(line)
threading.Thread(target=take, daemon=True).start()
me, status, body = register(["INVOKE"])
say("subscribed", answer=call("PUT", "/2020-08-15/logs", {
    "schemaVersion": "2021-03-18", "types": ["platform", "function"], "buffering": {"timeoutMs": 25},
    "destination": {"protocol": "TCP", "port": 7777}}, Lambda_Extension_Identifier=me)[::2])
while True:
    next_event(me)
'''


def test_the_logs_api_delivers_lines_over_tcp(hearth, lam, with_extensions):
    with_extensions("ext-tcp", {"listener": TCP_LISTENER})
    a, r = invoke(lam, "ext-tcp", {"n": 1})
    events = [json.loads(e) for e in invoke(lam, "ext-tcp", {"read": "platform.report"})[1]]
    assert told(hearth, "ext-tcp", "subscribed")[0]["answer"] == [200, '"OK"']
    types = [e["type"] for e in events]
    order = ["platform.logsSubscription", "platform.extension", "platform.start", "function", "platform.runtimeDone",
             "platform.end", "platform.report"]
    at = [types.index(t) for t in order]
    assert at == sorted(at), types
    assert "platform.initStart" not in types and "platform.telemetrySubscription" not in types
    assert events[at[5]]["record"] == {"requestId": r["id"]}
    assert events[at[4]]["record"] == {"requestId": r["id"], "status": "success"}
    assert set(events[at[6]]["record"]) == {"requestId", "metrics"}
    assert "LOGS\tName: listener\tState: Subscribed\tTypes: [Platform,Function]" in "\n".join(lines_of(hearth, "ext-tcp"))


DEAF = COMMON + '''
me, status, body = register(["INVOKE"])
late = []
def listen():
    time.sleep(3)
    s = socket.create_server(("127.0.0.1", 5555))
    while True:
        c, _ = s.accept()
        data = b""
        while b"\\r\\n\\r\\n" not in data:
            data += c.recv(65536)
        head, body = data.split(b"\\r\\n\\r\\n", 1)
        length = int([l for l in head.split(b"\\r\\n") if l.lower().startswith(b"content-length")][0].split(b":")[1])
        while len(body) < length:
            body += c.recv(65536)
        batch = json.loads(body)
        with open("/tmp/telemetry", "a") as f:
            for e in batch:
                if e["type"] != "function":
                    f.write(json.dumps(e) + "\\n")
            f.write(json.dumps({"type": "batch", "lines": sum(e["type"] == "function" for e in batch)}) + "\\n")
        c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nOK")
        c.close()
threading.Thread(target=listen, daemon=True).start()
call("PUT", "/2022-07-01/telemetry", {"schemaVersion": "2022-07-01", "types": ["platform", "function"],
     "buffering": {"maxItems": 1000, "timeoutMs": 25},
     "destination": {"protocol": "HTTP", "URI": "http://sandbox:5555"}}, Lambda_Extension_Identifier=me)
while True:
    next_event(me)
'''
FLOOD = '''
import os, time
def handler(event, context):
    if event.get("flood"):
        for n in range(event["flood"]):
            os.write(1, b"line %d %s\\n" % (n, b"x" * 100))
        return "printed"
    end = time.time() + 8
    text = ""
    while time.time() < end and "platform.logsDropped" not in text:
        text = open("/tmp/telemetry").read() if os.path.exists("/tmp/telemetry") else ""
        time.sleep(0.05)
    return text.splitlines()
'''


def test_what_a_slow_subscriber_misses_is_counted(hearth, lam, with_extensions):
    with_extensions("ext-deaf", {"deaf": DEAF}, code=FLOOD)
    flood = 20000
    assert invoke(lam, "ext-deaf", {"flood": flood})[1] == "printed"
    events = [json.loads(e) for e in invoke(lam, "ext-deaf", {})[1]]
    dropped = [e["record"] for e in events if e["type"] == "platform.logsDropped"]
    assert dropped, events
    assert dropped[0]["reason"].startswith("Consumer seems to have fallen behind")
    assert dropped[0]["droppedRecords"] > flood / 2 and dropped[0]["droppedBytes"] > 100 * dropped[0]["droppedRecords"]
    log = lines_of(hearth, "ext-deaf")  # the function's own log misses nothing
    assert any("line 19999 " in line for line in log)


INTERNAL = '''
import http.client, json, os, threading, time
api = os.environ["AWS_LAMBDA_RUNTIME_API"]
def call(method, path, body=None, **headers):
    c = http.client.HTTPConnection(api)
    c.request(method, path, json.dumps(body) if body is not None else None,
              {k.replace("_", "-"): v for k, v in headers.items()})
    r = c.getresponse()
    return r.status, r.headers, r.read().decode()
refused = call("POST", "/2020-01-01/extension/register", {"events": ["SHUTDOWN"]}, Lambda_Extension_Name="inside")
status, headers, body = call("POST", "/2020-01-01/extension/register", {"events": ["INVOKE"]},
                             Lambda_Extension_Name="inside")
me, seen = headers["Lambda-Extension-Identifier"], []
def run():
    while True:
        seen.append(json.loads(call("GET", "/2020-01-01/extension/event/next", Lambda_Extension_Identifier=me)[2]))
threading.Thread(target=run, daemon=True).start()
import signal, sys
def on_term(*a):
    print("got SIGTERM", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, on_term)
def handler(event, context):
    time.sleep(0.1)
    late = call("POST", "/2020-01-01/extension/register", {"events": []}, Lambda_Extension_Name="late")
    return {"status": status, "refused": refused[2], "late": late[2], "seen": [e["requestId"] for e in seen],
            "id": context.aws_request_id}
'''


def test_an_internal_extension_is_told_of_invocations(hearth, lam, make_function):
    make_function("ext-inside", {"app.py": INTERNAL}, runtime="python3.13")  # whose client lets signals through
    _, first = invoke(lam, "ext-inside")
    _, second = invoke(lam, "ext-inside")
    assert first["status"] == 200 and first["seen"] == [first["id"]]
    assert second["seen"] == [first["id"], second["id"]]
    assert json.loads(first["refused"])["errorType"] == "Extension.InvalidEventType"
    assert json.loads(first["late"]) == {"errorType": "Extension.RegistrationClosed",
                                         "errorMessage": "Extension registration closed already"}
    retire(lam, "ext-inside")
    wait_until("its process gets SIGTERM", lambda: "got SIGTERM" in "\n".join(lines_of(hearth, "ext-inside")), 10)


# ---- time

SLOW_AFTER = COMMON + '''
me, status, body = register(["INVOKE", "SHUTDOWN"])
while True:
    event = next_event(me)
    say("event", event=event)
    if event["eventType"] == "SHUTDOWN":
        time.sleep(60)
    time.sleep(1.5)
'''


def test_the_answer_does_not_wait_for_extensions(hearth, lam, with_extensions):
    with_extensions("ext-slow", {"slow": SLOW_AFTER})
    _, first = invoke(lam, "ext-slow")
    time.sleep(2 * SLOW)  # until it waits again
    began = time.monotonic()
    a, second = invoke(lam, "ext-slow")
    assert "FunctionError" not in a and time.monotonic() - began < 1.4 * SLOW
    _, third = invoke(lam, "ext-slow")  # by another sandbox, or when this one is done

    def ids():
        return [e["event"].get("requestId") for e in told(hearth, "ext-slow", "event")]
    wait_until("each was told", lambda: {first["id"], second["id"], third["id"]} <= set(ids()), 10)
    old = set(hearth.sandboxes("ext-slow"))
    retire(lam, "ext-slow")
    wait_until("it hears of the end", lambda: None in ids(), 10)
    wait_until("its sandboxes are gone though it sleeps", lambda: not old & set(hearth.sandboxes()), 10)


def test_a_timeout_shuts_down_with_its_reason(hearth, lam, with_extensions):
    with_extensions("ext-timeout", {"watcher": WATCHER}, Timeout=1)
    a, r = invoke(lam, "ext-timeout", {"sleep": 10}, LogType="Tail")
    assert a["FunctionError"] == "Unhandled" and r["errorType"] == "Sandbox.Timedout"
    wait_until("good-bye", lambda: told(hearth, "ext-timeout", "bye"), 10)
    assert told(hearth, "ext-timeout", "event")[-1]["event"]["shutdownReason"] == "TIMEOUT"
    a, r = invoke(lam, "ext-timeout")
    assert "FunctionError" not in a


def test_a_crash_of_the_runtime_shuts_down_with_its_reason(hearth, lam, with_extensions):
    with_extensions("ext-fail", {"watcher": WATCHER})
    a, r = invoke(lam, "ext-fail", {"exit": 3})
    assert r["errorType"] == "Runtime.ExitError" and r["errorMessage"].endswith("exit status 3")
    wait_until("good-bye", lambda: told(hearth, "ext-fail", "bye"), 10)
    assert told(hearth, "ext-fail", "event")[-1]["event"]["shutdownReason"] == "FAILURE"


# ---- bad ones: (what the extension does, type, message, the EXTENSION line)

BAD = {
    "not-executable": (("#!/bin/sh\n", 0o644), "Extension.LaunchError",
                       "fork/exec /opt/extensions/bad: permission denied",
                       "State: LaunchError\tEvents: []\tError Type: PermissionDenied"),
    "not-a-program": (("no program\n", 0o755), "Extension.LaunchError",
                      "fork/exec /opt/extensions/bad: exec format error",
                      "State: LaunchError\tEvents: []\tError Type: UnknownError"),
    "ends-before-register": (COMMON + "sys.exit(0)\n", "Extension.Crash", "exit code 0", "State: Exited\tEvents: []"),
    "ends-in-init": (COMMON + "register(['INVOKE'])\nsys.exit(2)\n", "Extension.Crash", "exit code 2",
                     "State: Exited\tEvents: [INVOKE]"),
    "is-killed": (COMMON + "register([])\nos.kill(os.getpid(), 9)\n", "Extension.Crash", "signal: killed",
                  "State: Exited\tEvents: []"),
    "init-error": (COMMON + "me = register(['INVOKE'])[0]\n"
                   "call('POST', '/2020-01-01/extension/init/error', {}, Lambda_Extension_Identifier=me,"
                   " Lambda_Extension_Function_Error_Type='Extension.Boom')\nsys.exit(7)\n",
                   "Extension.InitError", "exit code 7", "State: InitError\tEvents: [INVOKE]\tError Type: Extension.Boom"),
    "crash-in-invoke": (COMMON + "me = register(['INVOKE'])[0]\nnext_event(me)\nsys.exit(4)\n", "Extension.Crash",
                        "exit code 4", "State: Exited\tEvents: [INVOKE]"),
    "exit-error": (COMMON + "me = register(['INVOKE'])[0]\nnext_event(me)\n"
                   "call('POST', '/2020-01-01/extension/exit/error', {}, Lambda_Extension_Identifier=me,"
                   " Lambda_Extension_Function_Error_Type='Extension.Bad')\ntime.sleep(9)\n", "Extension.ExitError",
                   "exit code 0", "State: ExitError\tEvents: [INVOKE]\tError Type: Extension.Bad"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_extension_fails_the_invocation(hearth, lam, with_extensions, kind):
    what, error_type, message, line = BAD[kind]
    name = f"ext-{kind}"
    with_extensions(name, {"bad": what})
    a, r = invoke(lam, name, {"sleep": 1}, LogType="Tail")
    assert a["StatusCode"] == 200 and a["FunctionError"] == "Unhandled", r
    request_id = a["ResponseMetadata"]["RequestId"]
    assert r == {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    tail = base64.b64decode(a["LogResult"]).decode()
    assert f"RequestId: {request_id} Error: {message}\n{error_type}\n" in tail
    assert f"\tStatus: error\tError Type: {error_type}\n" in tail
    assert f"EXTENSION\tName: bad\t{line}" in "\n".join(lines_of(hearth, name))


def test_an_extension_that_fails_once_is_tried_again_with_the_function(hearth, lam, with_extensions):
    code = COMMON + """
me, status, _ = register(["INVOKE"])
if not os.path.exists("/tmp/" + NAME):
    open("/tmp/" + NAME, "w").close()
    call("POST", "/2020-01-01/extension/init/error", {}, Lambda_Extension_Identifier=me, Lambda_Extension_Function_Error_Type="X.Y")
    sys.exit(7)
say("again", status=status)
while True:
    next_event(me)
"""
    with_extensions("ext-once", {"flaky": code})
    for _ in range(2):
        a, r = invoke(lam, "ext-once", {})
        assert "FunctionError" not in a, r
    lines = "\n".join(lines_of(hearth, "ext-once"))
    assert re.search(r"EXTENSION\tName: flaky\tState: InitError\tEvents: \[INVOKE\]\tError Type: X.Y\n.*INIT_REPORT .*\tPhase: init\tStatus: error\t"
                     r"Error Type: Extension.InitError\n(.*\n)*.*\"again\"(.*\n)*.*EXTENSION\tName: flaky\tState: Ready\tEvents: \[INVOKE\]", lines), lines
    assert lines.count("INIT_REPORT") == 1 and lines.count("INIT_START") == 1


def test_an_extension_that_never_asks_keeps_its_own_function_only(hearth, lam, with_extensions, make_function):
    with_extensions("ext-silent", {"silent": COMMON + "register(['INVOKE'])\ntime.sleep(99)\n"}, Timeout=2)
    make_function("ext-neighbour", {"app.py": HANDLER})
    a, r = invoke(lam, "ext-silent")  # the init's limit, then the function's timeout
    assert r["errorType"] == "Sandbox.Timedout" and r["errorMessage"].endswith("Task timed out after 2.00 seconds")
    assert "FunctionError" not in invoke(lam, "ext-neighbour")[0]


def test_more_than_ten_extensions_are_refused(hearth, lam, with_extensions):
    with_extensions("ext-many", {f"x{n}": COMMON for n in range(11)})
    a, r = invoke(lam, "ext-many")
    assert r["errorType"] == "Extension.TooManyExtensions"


def test_ten_extensions_live_together(hearth, lam, with_extensions):
    with_extensions("ext-ten", {f"x{n}": COMMON + "me = register(['INVOKE'])[0]\nwhile True:\n    say('event', id=next_event(me)['requestId'])\n"
                                for n in range(10)}, MemorySize=1024)
    a, r = invoke(lam, "ext-ten")
    assert "FunctionError" not in a, r
    wait_until("all were told", lambda: {e["ext"] for e in told(hearth, "ext-ten", "event") if e["id"] == r["id"]} ==
               {f"x{n}" for n in range(10)}, 10)


def test_a_static_extension_runs_where_there_is_no_interpreter(hearth, lam, make_function, tmp_path):
    program = tmp_path / "static"
    subprocess.run(["cc", "-O2", "-static", "-o", program, TOP / "tests/integration/sandbox/extension.c"], check=True)
    arn = layer_of(lam, "ext-static", {"static": (program.read_bytes(), 0o755)})
    bootstrap = (TOP / "build/samples/c-bootstrap").read_bytes()
    make_function("ext-static", {"bootstrap": (bootstrap, 0o755)}, runtime="provided.al2023", handler="any", Layers=[arn])
    for n in range(3):
        assert invoke(lam, "ext-static", {"n": n})[1] == {"n": n}
    retire(lam, "ext-static")
    wait_until("SHUTDOWN", lambda: any("static extension: SHUTDOWN" in line for line in lines_of(hearth, "ext-static")), 10)
    assert sum("static extension: INVOKE" in line for line in lines_of(hearth, "ext-static")) == 3


# ---- aws-lambda-web-adapter, unchanged

WEB_APP = '''
import json, os
from http.server import BaseHTTPRequestHandler, HTTPServer
class App(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"path": self.path, "host": self.headers.get("x-test"), "pid": os.getpid()}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))[::-1]
        self.send_response(201)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
HTTPServer(("127.0.0.1", 8000), App).serve_forever()
'''


def http_event(method, path, body=None):
    return {"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "a=1", "headers": {"x-test": "yes"},
            "requestContext": {"accountId": "0", "apiId": "x", "domainName": "x", "domainPrefix": "x", "requestId": "r",
                               "routeKey": "$default", "stage": "$default", "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 0,
                               "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "t"}},
            "body": body, "isBase64Encoded": False}


def test_the_web_adapter_serves_a_web_application(hearth, lam, with_extensions, make_function):
    wrapper = '#!/bin/sh\nexec python3 "$LAMBDA_TASK_ROOT/$_HANDLER"\n'
    arn = lam.publish_layer_version(LayerName="ext-web", Content={"ZipFile": zip_of({
        "extensions/lambda-adapter": (sample("web-adapter"), 0o755), "wrapper": (wrapper, 0o755)})})["LayerVersionArn"]
    make_function("ext-web", {"web.py": WEB_APP}, handler="web.py", Layers=[arn], MemorySize=256, Timeout=20,
                  Environment={"Variables": {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper", "AWS_LWA_PORT": "8000"}})
    a, r = invoke(lam, "ext-web", http_event("GET", "/some/path"))
    assert "FunctionError" not in a, (r, lines_of(hearth, "ext-web"))
    first = json.loads(r["body"])
    assert r["statusCode"] == 200 and first["path"] == "/some/path?a=1" and first["host"] == "yes"
    a, r = invoke(lam, "ext-web", http_event("POST", "/", "abc"))
    assert r["statusCode"] == 201 and r["body"] == "cba"
    a, r = invoke(lam, "ext-web", http_event("GET", "/again"))
    assert json.loads(r["body"])["pid"] == first["pid"]  # the same sandbox
    assert "EXTENSION\tName: lambda-adapter\tState: Ready\tEvents: []" in "\n".join(lines_of(hearth, "ext-web"))
