# SPDX-License-Identifier: Apache-2.0
"""Sandboxes on a host that has cgroup version 2 and nothing else, as a whole Hearth makes them: what the
kernel was told, and that it holds. Run in the guest by guest.sh; HEARTH_LAUNCHER says which launcher."""
import base64
import contextlib
import json
import pathlib
import signal
import time

import pytest

from harness import (C_RUNTIME, LAUNCHER, ROLE, Hearth, native_sandboxes, remove_folder, short_folder, wait_until,
                     zip_of)

ROOT = pathlib.Path("/sys/fs/cgroup")
APP = """
import os, subprocess, time
def handler(event, context):
    if "mib" in event:
        kept = [b"x" * (1 << 20) for _ in range(event["mib"])]
    if "busy" in event:
        end, began = time.monotonic() + event["busy"], time.process_time()
        while time.monotonic() < end:
            pass
        return (time.process_time() - began) / event["busy"]
    if "forks" in event:
        pids = []
        try:
            for _ in range(event["forks"]):
                pid = os.fork()
                if not pid:
                    time.sleep(600)
                pids.append(pid)
        except BlockingIOError:
            pass
        for pid in pids:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        return len(pids)
    if "linger" in event:
        subprocess.Popen(["sleep", "600"], start_new_session=True)
    time.sleep(event.get("sleep", 0))
    return {"pid": os.getpid(), "ticks": time.process_time()}
"""


@pytest.fixture(scope="module")
def hearth(images):
    folder = short_folder("hearth-")
    h = Hearth(images, folder, HEARTH_INIT_LIMIT="2m").start()
    yield h
    try:
        h.close()
    finally:
        remove_folder(folder)


def call(lam, name, event, error=None):
    a = lam.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    r = json.load(a["Payload"])
    assert a.get("FunctionError") == error, r
    return r, base64.b64decode(a["LogResult"]).decode()


def cgroup_of(hearth, function):
    """The folder of the only sandbox of @function."""
    found = wait_until("its sandbox", lambda: hearth.sandboxes(function), 10)
    assert len(found) == 1
    if LAUNCHER == "native":
        return next(ROOT.glob(f"**/{found[0]}"))
    pid = hearth.docker("inspect", "-f", "{{.State.Pid}}", found[0])
    line = pathlib.Path(f"/proc/{pid}/cgroup").read_text().strip()
    return ROOT / line.removeprefix("0::/")


def value(cgroup, file):
    return (cgroup / file).read_text().strip()


@pytest.fixture(scope="module")
def functions(lam):
    lam.create_function(FunctionName="c", Role=ROLE, Runtime="provided.al2023", Handler="any", Timeout=60, MemorySize=128,
                        Code={"ZipFile": zip_of({"bootstrap": (C_RUNTIME.read_bytes(), 0o755)})})
    for name, memory in ("python", 885), ("small", 128):
        lam.create_function(FunctionName=name, Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=120,
                            MemorySize=memory, Code={"ZipFile": zip_of({"app.py": APP})})
    for name in "c", "python", "small":
        lam.get_waiter("function_active_v2").wait(FunctionName=name)
    return lam


def test_only_version_2_is_there():
    types = {line.split(" - ")[1].split()[0] for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()}
    assert "cgroup2" in types and "cgroup" not in types


def test_a_c_function_and_a_python_one_answer(functions):
    assert call(functions, "c", {"n": 1})[0] == {"n": 1}
    assert call(functions, "python", {})[0]["pid"] > 1


def test_the_limits_are_in_the_cgroup(hearth, functions):
    call(functions, "python", {})
    cgroup = cgroup_of(hearth, "python")
    assert value(cgroup, "memory.max") == str(885 << 20)
    assert value(cgroup, "memory.swap.max") == "0"
    assert value(cgroup, "pids.max") == "1024"
    assert value(cgroup, "cpu.max") == "10005 20000"


def test_more_memory_than_it_has_is_told_as_out_of_memory(hearth, functions):
    r, log = call(functions, "small", {"mib": 300}, "Unhandled")
    assert r["errorType"] == "Runtime.ExitError" and "signal: killed" in r["errorMessage"]
    assert "Error Type: Runtime.OutOfMemory" in log
    assert "128 MB\tMax Memory Used: 12" in log
    assert call(functions, "small", {})[0]["pid"] > 1


def test_processes_end_at_their_limit(hearth, functions):
    assert 900 < call(functions, "python", {"forks": 1100})[0] < 1024


def test_half_a_cpu_is_half_a_cpu(functions):
    assert 0.3 < call(functions, "python", {"busy": 4})[0] < 0.6


def test_a_timeout_ends_every_process_and_its_cgroup(hearth, functions):
    functions.update_function_configuration(FunctionName="python", Timeout=3)
    functions.get_waiter("function_updated_v2").wait(FunctionName="python")
    warm = cgroup_of(hearth, "python") if hearth.sandboxes("python") else None
    r, _ = call(functions, "python", {"linger": 1, "sleep": 100}, "Unhandled")
    assert r["errorType"] == "Sandbox.Timedout"
    wait_until("its sandbox is gone", lambda: not hearth.sandboxes("python"), 5)
    assert warm is None or wait_until("its cgroup is gone", lambda: not warm.exists(), 5)


@pytest.mark.skipif(LAUNCHER != "native", reason="Docker's own pause takes longer than a start")
def test_idle_ones_are_frozen_and_go_on(images):
    folder = short_folder("hearth-")
    h = Hearth(images, folder, HEARTH_INIT_LIMIT="2m", HEARTH_FREEZE_AFTER="200ms").start()
    try:
        lam = h.client()
        lam.create_function(FunctionName="idle", Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=60,
                            Code={"ZipFile": zip_of({"app.py": APP})})
        lam.get_waiter("function_active_v2").wait(FunctionName="idle")
        pid = call(lam, "idle", {})[0]["pid"]
        cgroup = cgroup_of(h, "idle")
        wait_until("it is frozen", lambda: "frozen 1" in value(cgroup, "cgroup.events"), 5)
        assert call(lam, "idle", {})[0]["pid"] == pid
        wait_until("it is frozen again", lambda: "frozen 1" in value(cgroup, "cgroup.events"), 5)
        # version 2: a frozen process dies of SIGKILL, and that is noticed at once
        h.kill_sandbox(h.sandboxes("idle")[0])
        wait_until("its cgroup is gone", lambda: not cgroup.exists(), 5)
        assert call(lam, "idle", {})[0]
    finally:
        h.close()
        remove_folder(folder)


@pytest.mark.parametrize("role", ["hearth-invoker"])
def test_what_a_killed_invoker_had_is_gone(hearth, functions, role):
    call(functions, "small", {})
    cgroup = cgroup_of(hearth, "small")
    life = native_sandboxes(hearth.node)
    hearth.kill(role, signal.SIGKILL)
    wait_until("its cgroup is gone", lambda: not cgroup.exists(), 20)
    wait_until("and all of that life", lambda: not set(life) & set(native_sandboxes(hearth.node)), 20)

    def answers():
        with contextlib.suppress(functions.exceptions.ClientError):
            return call(functions, "small", {})
        time.sleep(0.5)

    assert wait_until("another one answers", answers, 30)
