# SPDX-License-Identifier: Apache-2.0
"""Idle functions stand still: what they do not miss by it, and that a dead one is never taken for a frozen one.

Each test runs on every launcher that is possible here.
"""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from harness import LAUNCHERS, ROLE, SLOW, Hearth, cgroup_folder, remove_folder, short_folder, wait_until, zip_of
from integration.test_extensions import WATCHER, layer_of, lines_of, told

GRACE = "100ms"  # the default

APP = """
import json, os, sys, threading, time, uuid
MADE = uuid.uuid4().hex
ticks, gap_at, last = 0, None, time.monotonic()
def tick():
    global ticks, gap_at, last
    while True:
        time.sleep(0.005)
        now = time.monotonic()
        if now - last > 1 and gap_at is None:
            gap_at = ticks
        last = now
        if os.environ.get("TALKS"):
            os.write(1, b"tick %d\\n" % (ticks + 1))
        ticks += 1
threading.Thread(target=tick, daemon=True).start()
def handler(event, context):
    if "hold" in event:
        global held
        held = bytearray(event["hold"] << 20)
        held[::4096] = b"1" * len(held[::4096])
    if "telemetry" in event:
        return open("/tmp/telemetry").read().splitlines()
    return {"made": MADE, "ticks": ticks, "gap_at": gap_at, "now": time.time(), "left": context.get_remaining_time_in_millis(),
            "pid": os.getpid()}
"""


@pytest.fixture(scope="module", params=LAUNCHERS)
def hearth(images, request):
    folder = short_folder("hearth-f-")
    h = Hearth(images, folder, launcher=request.param, HEARTH_IDLE_TTL="1m").start()
    yield h
    try:
        h.close()
    finally:
        remove_folder(folder)


@pytest.fixture(scope="module")
def lam(hearth):
    return hearth.client(connections=20)


def create(lam, name, **kw):
    kw.setdefault("Timeout", 20)
    lam.create_function(FunctionName=name, Role=ROLE, Runtime="python3.11", Handler="app.handler",
                        Code={"ZipFile": zip_of({"app.py": APP})}, **kw)
    lam.get_waiter("function_active_v2").wait(FunctionName=name)


def call(lam, name, **event):
    a = lam.invoke(FunctionName=name, Payload=json.dumps(event))
    r = json.load(a["Payload"])
    assert "FunctionError" not in a, r
    return r


def timed(lam, name, **event):
    began = time.monotonic()
    return call(lam, name, **event), time.monotonic() - began


def test_an_idle_function_stands_still_and_knows_the_time(hearth, lam):
    create(lam, "still")
    before = call(lam, "still")
    hearth.wait_frozen("still")
    time.sleep(2)
    after, seconds = timed(lam, "still")
    assert after["made"] == before["made"] and seconds < 1 * SLOW
    assert after["ticks"] - before["ticks"] < 200, "it went on for more than a second"
    assert abs(after["now"] - time.time()) < 2 * SLOW
    assert 20000 - 1000 * SLOW < after["left"] <= 20000
    is_frozen = hearth.freezer(hearth.wait_frozen("still"))
    # one call after the other: nothing is frozen in between, unless this machine stands still for 100 ms
    frozen = [is_frozen() for _ in range(20) if call(lam, "still")]
    assert len(frozen) == 20 and sum(frozen) < 5


def test_what_was_written_before_is_read_meanwhile(hearth, lam):
    create(lam, "talker", Environment={"Variables": {"TALKS": "1"}})
    call(lam, "talker")
    hearth.wait_frozen("talker")

    def ticks():
        return [int(line.split("tick ", 1)[1]) for line in lines_of(hearth, "talker") if "tick " in line]

    time.sleep(1)
    written = ticks()
    assert written and written == ticks(), "it goes on"
    time.sleep(0.5)
    stood_at = wait_until("it knows how long it stood", lambda: call(lam, "talker")["gap_at"], 5)
    assert stood_at in (len(written), len(written) - 1) and written == list(range(1, len(written) + 1))


def kill_first(hearth, sandbox):
    os.kill(hearth.sandbox_pids(sandbox)[0], signal.SIGKILL)


def kill_runtime(hearth, sandbox):
    os.kill(hearth.sandbox_pids(sandbox)[1], signal.SIGKILL)


def terminate_first(hearth, sandbox):
    os.kill(hearth.sandbox_pids(sandbox)[0], signal.SIGTERM)


def of_engine(*words):
    def do(hearth, sandbox):
        if hearth.launcher != "docker":
            pytest.skip("there is no engine")
        hearth.docker(*words, sandbox)
    return do


WAYS = {"kill": kill_first, "kill-runtime": kill_runtime, "term": terminate_first, "docker-kill": of_engine("kill"),
        "docker-rm": of_engine("rm", "-f"), "docker-stop": of_engine("stop")}


@pytest.mark.parametrize("how", WAYS)
def test_one_that_is_ended_while_it_is_frozen_is_replaced(hearth, lam, how):
    name = f"ended-{how}"
    create(lam, name)
    before = call(lam, name)
    sandbox = hearth.wait_frozen(name)
    began = time.monotonic()
    WAYS[how](hearth, sandbox)
    assert time.monotonic() - began < 5 * SLOW, "the engine has waited its ten seconds"
    after, seconds = timed(lam, name)
    assert after["made"] != before["made"], "the dead one has answered"
    assert seconds < 5 * SLOW
    wait_until("the old one is gone", lambda: sandbox not in hearth.sandboxes(name), 10)


# Takes the memory of somebody else's cgroup, and is never the one that is killed for it.
EATER = """
import os, sys, time
open("/proc/self/oom_score_adj", "w").write("-1000")
open(sys.argv[1] + "/cgroup.procs", "w").write(str(os.getpid()))
held = bytearray(int(sys.argv[2]) << 20)
held[::4096] = b"1" * len(held[::4096])
"""


def test_one_that_runs_out_of_memory_while_it_is_frozen_is_replaced(hearth, lam):
    create(lam, "eaten", MemorySize=128)
    before = call(lam, "eaten", hold=60)
    sandbox = hearth.wait_frozen("eaten")
    folder = cgroup_folder(hearth.sandbox_pids(sandbox)[0], "memory")
    if (folder / "memory.max").exists():
        (folder / "memory.max").write_text(str(20 << 20))
    else:
        subprocess.run([sys.executable, "-c", EATER, str(folder), "90"], timeout=60)
    after, seconds = timed(lam, "eaten")
    assert after["made"] != before["made"] and seconds < 5 * SLOW
    wait_until("the old one is gone", lambda: sandbox not in hearth.sandboxes("eaten"), 10)


def test_a_new_deployment_ends_a_frozen_one(hearth, lam):
    create(lam, "redeployed")
    before = call(lam, "redeployed")
    sandbox = hearth.wait_frozen("redeployed")
    lam.update_function_configuration(FunctionName="redeployed", Description="another")
    lam.get_waiter("function_updated_v2").wait(FunctionName="redeployed")
    assert call(lam, "redeployed")["made"] != before["made"]
    wait_until("the old one is gone", lambda: sandbox not in hearth.sandboxes("redeployed"), 5)


# as in test_extensions, but with a batch that would not go out by itself in this test
PATIENT = WATCHER.replace('"timeoutMs": 25', '"timeoutMs": 30000')


def test_one_with_extensions_is_frozen_when_they_have_all_they_were_to_get(hearth, lam):
    arn = layer_of(lam, "patient", {"watcher": PATIENT})
    create(lam, "patient", Layers=[arn])
    first = call(lam, "patient")
    sandbox = hearth.wait_frozen("patient")
    root = pathlib.Path(f"/proc/{hearth.sandbox_pids(sandbox)[0]}/root/tmp/telemetry")
    events = [json.loads(line)["type"] for line in root.read_text().splitlines()]
    assert events.count("platform.report") == 1 and "platform.runtimeDone" in events
    time.sleep(1)
    second = call(lam, "patient")
    assert second["made"] == first["made"]
    assert second["ticks"] - first["ticks"] < 200, "it went on for more than a second"
    assert len([e for e in told(hearth, "patient", "event") if e["event"]["eventType"] == "INVOKE"]) == 2
    assert [e["event"]["leftMs"] > 15000 for e in told(hearth, "patient", "event")] == [True, True]
    hearth.wait_frozen("patient")
    began = time.monotonic()
    lam.update_function_configuration(FunctionName="patient", Description="another")
    lam.get_waiter("function_updated_v2").wait(FunctionName="patient")
    wait_until("the old one is gone", lambda: sandbox not in hearth.sandboxes("patient"), 5)
    assert time.monotonic() - began < 5 * SLOW
    assert told(hearth, "patient", "bye"), "it was not told of its end"


DEAF = WATCHER.replace("threading.Thread(target=server.serve_forever, daemon=True).start()", "server.socket.close()")


def test_a_subscriber_that_takes_nothing_does_not_keep_it_awake(hearth, lam):
    arn = layer_of(lam, "deaf", {"watcher": DEAF})
    create(lam, "deaf", Layers=[arn])
    first = call(lam, "deaf")
    hearth.wait_frozen("deaf")
    assert call(lam, "deaf")["made"] == first["made"]
    hearth.wait_frozen("deaf")


# ---- a Hearth for each test


@contextlib.contextmanager
def another(images, launcher, **settings):
    folder = short_folder("hearth-f-")
    h = Hearth(images, folder, launcher=launcher, **settings)
    try:
        yield h
    finally:
        try:
            h.close()
        finally:
            remove_folder(folder)


def processes_of(h):
    """Supervisor and programs; not the janitor, which is nobody's child."""
    return [p for p in [h.process.pid, *(h.pid(role) for role in ("hearth-invoker", "hearth-gateway", "hearth-controller"))] if p]


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_an_idle_one_goes_at_its_time_and_a_stop_does_not_wait(images, launcher):
    with another(images, launcher, HEARTH_IDLE_TTL="2s") as h:
        h.start()
        lam = h.client()
        create(lam, "short")
        call(lam, "short")
        h.wait_frozen("short")
        wait_until("it has gone", lambda: not h.sandboxes("short"), 6)
        create(lam, "stopped", Layers=[layer_of(lam, "watcher", {"watcher": WATCHER})])
        call(lam, "stopped")
        call(lam, "short")
        h.wait_frozen("stopped")
        began = time.monotonic()
        assert h.stop() == 0
        assert time.monotonic() - began < 6 * SLOW
        log = "".join(p.read_text(errors="replace") for p in (h.folder / "data").rglob("*") if p.is_file() and "logs" in str(p))
        assert r'\"bye\"' in log, "the extension was not told of the end"


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_nothing_is_left_when_all_of_hearth_is_killed(images, launcher):
    with another(images, launcher) as h:
        h.start()
        lam = h.client()
        create(lam, "left")
        call(lam, "left")
        sandbox = h.wait_frozen("left")
        pids = h.sandbox_pids(sandbox)
        h.process.send_signal(signal.SIGSTOP)  # so that it starts none again
        for pid in reversed(processes_of(h)):
            os.kill(pid, signal.SIGKILL)
        h.process.wait(10)
        wait_until("its processes are gone", lambda: not any(os.path.exists(f"/proc/{p}") for p in pids), 10)
        wait_until("the sandbox is gone", lambda: not h.sandboxes(), 20)
        h.start()


def test_where_cgroups_cannot_be_reached_the_engine_pauses(images):
    if "docker" not in LAUNCHERS:
        pytest.skip("HEARTH_LAUNCHER")
    with another(images, "docker") as h:
        h.wrapper = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /sys/fs/cgroup && exec "$0" "$@"']
        h.start()
        lam = h.client()
        create(lam, "paused")
        create(lam, "replaced")
        before, _ = call(lam, "paused"), call(lam, "replaced")
        sandbox, other = h.sandboxes("paused")[0], h.sandboxes("replaced")[0]

        def is_paused(one):
            return h.docker("inspect", "-f", "{{.State.Status}}", one) == "paused"

        assert not is_paused(sandbox) and not is_paused(other)
        wait_until("they are paused", lambda: is_paused(sandbox) and is_paused(other), 15)
        after, seconds = timed(lam, "paused")
        assert after["made"] == before["made"] and seconds < 5 * SLOW and not is_paused(sandbox)
        assert after["left"] > 19000
        lam.update_function_configuration(FunctionName="replaced", Description="another")
        wait_until("the replaced one is gone", lambda: other not in h.sandboxes("replaced"), 5)
        wait_until("it is paused again", lambda: is_paused(sandbox), 15)
        h.process.send_signal(signal.SIGSTOP)
        for pid in reversed(processes_of(h)):
            os.kill(pid, signal.SIGKILL)
        h.process.wait(10)
        wait_until("it is gone", lambda: not h.sandboxes(), 20)
        h.start()
