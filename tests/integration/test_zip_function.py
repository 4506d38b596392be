# SPDX-License-Identifier: Apache-2.0
"""Functions from zip archives: Python, Node.js and a custom runtime, with AWS's own runtime clients."""
import base64
import concurrent.futures
import json
import os
import re
import subprocess
import time

import pytest

from harness import C_RUNTIME, LAUNCHER, ROLE, cgroup_folder, wait_until, zip_of

PYTHON = """
import os, sys, json
def handler(event, context):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    if event.get("raise"):
        raise ValueError(event["raise"])
    if event.get("write"):
        try:
            open("/var/task/x", "w")
            return "wrote"
        except OSError as e:
            return e.strerror
    return {"cwd": os.getcwd(), "handler": os.environ["_HANDLER"], "uid": os.getuid(), "version": sys.version_info[:2],
            "env": {k: v for k, v in os.environ.items()}, "remaining": context.get_remaining_time_in_millis(),
            "log_group": context.log_group_name, "log_stream": context.log_stream_name,
            "client": context.client_context and context.client_context.custom}
"""
NODE = """
export const handler = async (event, context) => {
  console.log("node says", event.n);
  if (event.fail) throw new TypeError("no good");
  return { n: event.n, node: process.version, arn: context.invokedFunctionArn };
};
"""


def call(lam, name, payload=None, **kw):
    a = lam.invoke(FunctionName=name, Payload=json.dumps(payload if payload is not None else {}), **kw)
    return a, json.load(a["Payload"])


def test_python_zip_sees_the_environment_of_lambda(lam, make_function):
    made = make_function("pyzip", {"app.py": PYTHON}, MemorySize=256, Timeout=20,
                         Environment={"Variables": {"SECRET_WORD": "swordfish"}})
    assert made["PackageType"] == "Zip" and made["CodeSize"] == len(zip_of({"app.py": PYTHON}))
    a, r = call(lam, "pyzip", LogType="Tail")
    assert "FunctionError" not in a, r
    assert r["cwd"] == "/var/task" and r["handler"] == "app.handler" and r["version"] == [3, 11] and r["uid"] != 0
    env = r["env"]
    assert env["SECRET_WORD"] == "swordfish"
    assert env["AWS_LAMBDA_FUNCTION_NAME"] == "pyzip" and env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert env["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.11" and env["AWS_REGION"] == "us-east-1"
    assert env["LAMBDA_TASK_ROOT"] == "/var/task" and env["TZ"] == ":UTC"
    assert 15000 < r["remaining"] <= 20000
    assert r["log_group"] == "/aws/lambda/pyzip" and "[$LATEST]" in r["log_stream"]
    log = base64.b64decode(a["LogResult"]).decode()
    assert "to stdout\n" in log and "to stderr\n" in log
    assert "Memory Size: 256 MB" in log
    assert call(lam, "pyzip", {"write": 1})[1] in ("Read-only file system", "Permission denied")


def test_secrets_reach_only_the_function(hearth, lam, make_function):
    make_function("secretive", {"app.py": PYTHON}, Environment={"Variables": {"TOKEN": "tok-4711-xyzzy"}})
    call(lam, "secretive")
    if LAUNCHER == "docker":
        inspected = hearth.docker("inspect", *hearth.sandboxes())
        assert "tok-4711-xyzzy" not in inspected
    assert "tok-4711-xyzzy" not in hearth.log
    found = subprocess.run(["grep", "-rlF", "tok-4711-xyzzy", str(hearth.folder)], capture_output=True, text=True)
    assert found.stdout == "", "the value lies on the disk in the clear"


def test_errors_of_the_function_are_its_answer(lam, make_function):
    make_function("pyerr", {"app.py": PYTHON})
    a, r = call(lam, "pyerr", {"raise": "no luck"}, LogType="Tail")
    assert a["StatusCode"] == 200 and a["FunctionError"] == "Unhandled"
    assert r["errorType"] == "ValueError" and r["errorMessage"] == "no luck" and r["stackTrace"]
    assert r["requestId"] == a["ResponseMetadata"]["RequestId"]
    a, r = call(lam, "pyerr")
    assert "FunctionError" not in a  # the sandbox goes on


def test_a_trace_of_a_thousand_frames_is_reported(lam, make_function):
    make_function("deep", {"app.py": "def f(n):\n    return f(n + 1)\ndef handler(event, context):\n    return f(0)\n"})
    a, r = call(lam, "deep")
    assert a["FunctionError"] == "Unhandled" and r["errorType"] == "RecursionError", r
    assert r["stackTrace"][-1].startswith("  [Previous line repeated 9")  # but X-Ray's cause has them all, in a header


def test_client_context_reaches_the_function(lam, make_function):
    make_function("ctx", {"app.py": PYTHON})
    context = base64.b64encode(json.dumps({"custom": {"a": "b"}}).encode()).decode()
    assert call(lam, "ctx", ClientContext=context)[1]["client"] == {"a": "b"}


def test_node_zip_runs(lam, make_function):
    make_function("nodezip", {"index.mjs": NODE}, runtime="nodejs20.x", handler="index.handler", MemorySize=256)
    a, r = call(lam, "nodezip", {"n": 7}, LogType="Tail")
    assert "FunctionError" not in a, r
    assert r["n"] == 7 and r["node"].startswith("v20.") and r["arn"].endswith(":function:nodezip")
    assert "node says 7" in base64.b64decode(a["LogResult"]).decode()
    a, r = call(lam, "nodezip", {"fail": 1})
    assert a["FunctionError"] == "Unhandled" and r["errorType"] == "TypeError" and r["errorMessage"] == "no good"


def test_custom_runtime_runs_its_bootstrap(lam, make_function):
    bootstrap = C_RUNTIME.read_bytes()
    make_function("custom", {"bootstrap": (bootstrap, 0o755)}, runtime="provided.al2023", handler="any")
    for n in range(3):
        a, r = call(lam, "custom", {"n": n, "text": "grüße"})
        assert "FunctionError" not in a and r == {"n": n, "text": "grüße"}


@pytest.mark.parametrize("name, files, why", [
    ("none", {"readme": ""}, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
    ("garbage", {"bootstrap": (b"\x7fno program", 0o755)}, "fork/exec /var/task/bootstrap: exec format error"),
    ("closed", {"bootstrap": ("#!/bin/sh\n", 0o644)}, "fork/exec /var/task/bootstrap: permission denied"),
    ("lost", {"bootstrap": ("#!/no/such\n", 0o755)}, "fork/exec /var/task/bootstrap: no such file or directory"),
])
def test_a_bootstrap_that_cannot_run_is_an_invalid_entry_point(lam, make_function, name, files, why):
    make_function(f"boot-{name}", files, runtime="provided.al2023", handler="any")
    a, r = call(lam, f"boot-{name}")
    assert a["FunctionError"] == "Unhandled" and r["errorType"] == "Runtime.InvalidEntrypoint", r
    assert r["errorMessage"] == f"RequestId: {a['ResponseMetadata']['RequestId']} Error: {why}"


def test_code_is_unpacked_once_for_each_content(hearth, lam, make_function):
    files = {"app.py": PYTHON + "# once\n"}
    make_function("twin-a", files)
    make_function("twin-b", files)
    call(lam, "twin-a")
    call(lam, "twin-b")
    sha = lam.get_function_configuration(FunctionName="twin-a")["CodeSha256"]
    assert sha == lam.get_function_configuration(FunctionName="twin-b")["CodeSha256"]
    hexed = base64.b64decode(sha).hex()
    found = [p for p in hearth.folder.rglob(f"*{hexed}*") if p.is_dir()]
    assert len(found) == 1, found


def test_update_of_zip_code_and_configuration(lam, make_function):
    make_function("upd", {"app.py": "def handler(e, c): return 'one'"})
    assert call(lam, "upd")[1] == "one"
    lam.update_function_code(FunctionName="upd", ZipFile=zip_of({"app.py": "import os\ndef handler(e, c): return os.environ.get('WORD', 'two')"}))
    lam.get_waiter("function_updated_v2").wait(FunctionName="upd")
    assert call(lam, "upd")[1] == "two"
    lam.update_function_configuration(FunctionName="upd", Environment={"Variables": {"WORD": "three"}}, MemorySize=200, Timeout=5)
    lam.get_waiter("function_updated_v2").wait(FunctionName="upd")
    assert call(lam, "upd")[1] == "three"
    c = lam.get_function_configuration(FunctionName="upd")
    assert c["MemorySize"] == 200 and c["Timeout"] == 5


def test_timeout_ends_the_invocation_and_its_sandbox(hearth, lam, make_function):
    make_function("slow", {"app.py": "import time\nBOOT=time.time_ns()\ndef handler(e, c):\n  time.sleep(e.get('s', 0))\n  return BOOT"}, Timeout=1)
    _, boot = call(lam, "slow")
    a, r = call(lam, "slow", {"s": 30}, LogType="Tail")
    rid = a["ResponseMetadata"]["RequestId"]
    assert a["FunctionError"] == "Unhandled"
    assert r == {"errorType": "Sandbox.Timedout", "errorMessage": f"RequestId: {rid} Error: Task timed out after 1.00 seconds"}
    log = base64.b64decode(a["LogResult"]).decode()
    assert "Task timed out after 1.00 seconds" in log and "Status: timeout" in log
    _, after = call(lam, "slow")
    assert after != boot


@pytest.mark.parametrize("code,message", [
    ("import os\ndef handler(e, c): os._exit(0)", "Runtime exited without providing a reason"),
    ("import os\ndef handler(e, c): os._exit(3)", "Runtime exited with error: exit status 3"),
    ("import os\ndef handler(e, c): os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
])
def test_a_runtime_that_exits_is_told_and_replaced(lam, make_function, code, message):
    make_function("exits", {"app.py": code})
    for _ in range(2):
        a, r = call(lam, "exits")
        rid = a["ResponseMetadata"]["RequestId"]
        assert a["FunctionError"] == "Unhandled"
        assert r == {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {rid} Error: {message}"}


def test_an_error_in_init_is_the_answer(lam, make_function):
    make_function("badinit", {"app.py": "raise Exception('Runtime startup fails')"})
    a, r = call(lam, "badinit")
    assert a["FunctionError"] == "Unhandled" and r["errorMessage"] == "Runtime startup fails" and r["errorType"] == "Exception"


INIT_ONCE = """
import os, time
first = not os.path.exists("/tmp/mark")
print("init", "first" if first else "second", os.environ["AWS_LAMBDA_LOG_STREAM_NAME"])
if first:
    open("/tmp/mark", "w").close()
    if os.environ["MODE"] == "forks" and os.fork() == 0:
        os.setsid()
        time.sleep(60)
    if os.environ["MODE"] == "raises":
        raise RuntimeError("not yet")
    os._exit(3)
def handler(e, c):
    return {"stream": c.log_stream_name, "pids": [p for p in os.listdir("/proc") if p.isdigit()], "left": c.get_remaining_time_in_millis()}
"""


@pytest.mark.parametrize("mode", ["exits", "raises", "forks"])
def test_an_init_that_fails_is_tried_again_in_the_same_sandbox(hearth, lam, make_function, mode):
    make_function(f"once-{mode}", {"app.py": INIT_ONCE}, Environment={"Variables": {"MODE": mode}}, MemorySize=512)
    a, r = call(lam, f"once-{mode}", LogType="Tail")
    assert "FunctionError" not in a and len(r["pids"]) == 2 and r["left"] < 10000, r  # PID 1 and the runtime
    lines = [line.split(" ", 1)[1] for line in hearth.hearth("logs", f"once-{mode}").stdout.splitlines() if " " in line]
    kinds = [line.split("\t")[0] if line.startswith("init") else line.split(" ")[0] for line in lines
             if line.startswith(("INIT_", "init", "START", "END", "REPORT"))]
    assert kinds == ["INIT_START", f"init first {r['stream']}", "INIT_REPORT", f"init second {r['stream']}", "START", "END", "REPORT"]
    report = next(line for line in lines if line.startswith("INIT_REPORT"))
    assert "\tPhase: init\tStatus: error\tError Type: Runtime." in report
    assert "Init Duration" not in lines[-1]  # it is in the duration
    assert call(lam, f"once-{mode}")[1]["stream"] == r["stream"]


def test_memory_is_limited(lam, make_function):
    make_function("hog", {"app.py": "def handler(e, c):\n  x = bytearray(e['mb'] << 20)\n  x[::4096] = b'1' * len(x[::4096])\n  return len(x)"}, MemorySize=128, Timeout=20)
    assert call(lam, "hog", {"mb": 20})[1] == 20 << 20
    a, r = call(lam, "hog", {"mb": 400}, LogType="Tail")
    assert a["FunctionError"] == "Unhandled" and r["errorType"] == "Runtime.ExitError" and "signal: killed" in r["errorMessage"]
    assert "Runtime.OutOfMemory" in base64.b64decode(a["LogResult"]).decode()
    assert call(lam, "hog", {"mb": 20})[1] == 20 << 20


def test_cpu_time_follows_memory_once_the_init_is_over(hearth, lam, make_function):
    make_function("paced", {"app.py": "def handler(e, c): return 1"}, MemorySize=128)
    call(lam, "paced")
    folder = cgroup_folder(hearth.sandbox_pids(hearth.sandboxes("paced")[0])[0], "cpu")
    if (folder / "cpu.max").exists():
        assert (folder / "cpu.max").read_text().split() == ["1447", "20000"]
    else:
        assert (folder / "cpu.cfs_quota_us").read_text().strip() == "1447"
        assert (folder / "cpu.cfs_period_us").read_text().strip() == "20000"


def test_tmp_is_writable_and_limited_and_the_rest_is_not(lam, make_function):
    make_function("tmp", {"app.py": """
import errno, os
def handler(e, c):
    out = {}
    for p in ("/x", "/var/task/x", "/opt/x", "/etc/x", "/tmp/x"):
        try:
            open(p, "w").close(); out[p] = "written"
        except OSError as err:
            out[p] = errno.errorcode[err.errno]
    st = os.statvfs("/tmp")
    out["tmp"] = st.f_blocks * st.f_frsize
    return out
"""}, MemorySize=256)
    _, r = call(lam, "tmp")
    assert r["/tmp/x"] == "written"
    assert all(r[p] in ("EROFS", "EACCES") for p in ("/x", "/var/task/x", "/opt/x", "/etc/x"))
    assert abs(r["tmp"] - (512 << 20)) < (16 << 20)


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read())[1])


@pytest.mark.skipif("HEARTH_TEST_BUILD" in os.environ, reason="the sanitizers' allocator keeps what is freed")
def test_memory_for_large_payloads_is_given_back(hearth, lam, make_function):
    make_function("echo", {"app.py": "def handler(e, c): return e"}, MemorySize=512)
    body = json.dumps("y" * (6 * 1024 * 1024 - 2))
    pids = [hearth.pid("hearth-gateway"), hearth.pid("hearth-invoker")]
    call(lam, "echo", 1)
    before = [resident_kib(pid) for pid in pids]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for a in pool.map(lambda _: lam.invoke(FunctionName="echo", Payload=body), range(12)):
            assert a["Payload"].read() == body.encode()
    wait_until("both are as small as before", lambda: all(resident_kib(p) < b + 8192 for p, b in zip(pids, before)), 5)


def test_large_payloads_both_ways(lam, make_function):
    make_function("big", {"app.py": "def handler(e, c): return e if isinstance(e, str) else 'x' * e['n']"}, MemorySize=512)
    text = "y" * (6 * 1024 * 1024 - 2)
    a = lam.invoke(FunctionName="big", Payload=json.dumps(text))
    assert json.load(a["Payload"]) == text
    a = lam.invoke(FunctionName="big", Payload=json.dumps({"n": 6 * 1024 * 1024 + 200}))
    assert a["FunctionError"] == "Unhandled"
    r = json.load(a["Payload"])
    assert r["errorType"] == "Function.ResponseSizeTooLarge"
    assert "6291556" in r["errorMessage"]
    with pytest.raises(lam.exceptions.RequestTooLargeException):
        lam.invoke(FunctionName="big", Payload=json.dumps("z" * (6 * 1024 * 1024)))


def test_dry_run_and_bad_payloads(lam, make_function):
    make_function("dry", {"app.py": "def handler(e, c): return e"})
    assert lam.invoke(FunctionName="dry", InvocationType="DryRun")["StatusCode"] == 204
    for bad in (b"{", b"\x99\xeb", b'{"a":1}}'):
        with pytest.raises(lam.exceptions.InvalidRequestContentException) as e:
            lam.invoke(FunctionName="dry", Payload=bad)
        assert "Could not parse request body into json: Could not parse payload into json: " in str(e.value)
    assert json.load(lam.invoke(FunctionName="dry")["Payload"]) == {}
    with pytest.raises(lam.exceptions.ResourceNotFoundException) as e:
        lam.invoke(FunctionName="nobody", Payload=b"{}")
    assert "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:$LATEST" in str(e.value)


def test_a_killed_sandbox_is_replaced_at_once(hearth, lam, make_function):
    make_function("victim", {"app.py": "import time\nBOOT=time.time_ns()\ndef handler(e, c): return BOOT"})
    _, boot = call(lam, "victim")
    mine = [c for c in hearth.sandboxes(function="victim")]
    assert len(mine) == 1
    hearth.kill_sandbox(mine[0])
    _, after = call(lam, "victim")
    assert after != boot


def test_unknown_runtime_and_missing_handler_are_refused(lam):
    with pytest.raises(lam.exceptions.ClientError) as e:
        lam.create_function(FunctionName="bad", Role=ROLE, Runtime="cobol85", Handler="a.b", Code={"ZipFile": zip_of({"a": "b"})})
    assert "cobol85" in str(e.value)
    with pytest.raises(lam.exceptions.ClientError):
        lam.create_function(FunctionName="bad", Role=ROLE, Runtime="python3.11", Code={"ZipFile": zip_of({"a": "b"})})
    assert "bad" not in [f["FunctionName"] for f in lam.list_functions()["Functions"]]


def test_the_code_of_a_function_can_be_downloaded(lam, make_function):
    import urllib.error
    import urllib.request
    files = {"app.py": "def handler(e, c): return 'downloaded'"}
    make_function("fetch", files)
    code = lam.get_function(FunctionName="fetch")["Code"]
    assert code["RepositoryType"] == "S3"
    with urllib.request.urlopen(code["Location"]) as r:
        assert r.read() == zip_of(files)
    for wrong in (code["Location"][:-1] + ("0" if code["Location"][-1] != "0" else "1"), code["Location"].split("?")[0]):
        with pytest.raises(urllib.error.HTTPError) as e:
            urllib.request.urlopen(wrong)
        assert e.value.code == 403
