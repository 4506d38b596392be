# SPDX-License-Identifier: Apache-2.0
"""Ways out of a sandbox: a function tries all that it knows, and each must be refused.

The probes are in escape/. The sandboxes are those of both launchers; HEARTH_LAUNCHER names one.
"""
import contextlib
import json
import os
import re
import socket
import subprocess
import sys

import pytest

from harness import BUILD, ROLE, TOP, run, zip_of
from traces import network_of

APP = """
import subprocess
def handler(event, context):
    return subprocess.run(["/var/task/escape", *event["targets"]], capture_output=True, text=True).stdout
"""
RUNTIMES = {
    "python3.11": ("app.handler", {"app.py": APP}),
    "nodejs20.x": ("index.handler", {"index.mjs": """
import { spawnSync } from "node:child_process";
export const handler = async (event) => spawnSync("/var/task/escape", event.targets, { encoding: "utf8" }).stdout;
"""}),
}
EACH_LAUNCHER = True
LISTENS_AT = 8080
LISTENS = f"""
import socket
listener = socket.socket()
listener.bind(("0.0.0.0", {LISTENS_AT}))
listener.listen()
def handler(event, context):
    return "listens"
"""
LEAST = 30  # probes; far more are there


@pytest.fixture(scope="module")
def escape():
    sanitize = BUILD.name.removeprefix("san-").replace("-", ",") if BUILD.name.startswith("san-") else ""
    run("make", "-s", "-C", TOP, f"SANITIZE={sanitize}", f"BUILD={BUILD}", BUILD / "tests/escape")
    return (BUILD / "tests/escape").read_bytes()


def own_addresses():
    """IPv4 addresses of the node, its bridges' among them."""
    p = subprocess.run(["hostname", "-I"], capture_output=True, text=True)
    return [a for a in p.stdout.split() if re.fullmatch(r"[\d.]+", a)] or ["127.0.0.1"]


@pytest.fixture(scope="module")
def neighbour(hearth, lam):
    """Where another function of this node listens: [] where sandboxes have no network."""
    lam.create_function(FunctionName="neighbour", Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=10,
                        Code={"ZipFile": zip_of({"app.py": LISTENS})})
    lam.get_waiter("function_active_v2").wait(FunctionName="neighbour")
    answer = lam.invoke(FunctionName="neighbour")
    assert json.load(answer["Payload"]) == "listens"
    network, addresses = network_of(hearth, hearth.sandboxes("neighbour")[0])
    for address in ["127.0.0.1", *addresses]:  # there it is open
        run("nsenter", network, sys.executable, "-c", f"import socket; socket.create_connection(({address!r}, {LISTENS_AT}), 5)")
    yield [f"tcp:{a}:{port}" for a in addresses for port in (LISTENS_AT, 9001)]
    lam.delete_function(FunctionName="neighbour")


@contextlib.contextmanager
def host_targets(hearth):
    """Things of the host that do answer, to those who are on it."""
    name = f"hearth-escape-{os.getpid()}"
    with socket.socket() as everywhere, socket.socket(socket.AF_UNIX) as abstract:
        everywhere.bind(("0.0.0.0", 0))
        everywhere.listen()
        abstract.bind("\0" + name)
        abstract.listen()
        port = everywhere.getsockname()[1]
        gateway = hearth.listen.rpartition(":")[2]
        yield [f"abstract:{name}", f"pid:{hearth.process.pid}", f"path:{hearth.docker.socket}",
               f"tcp:127.0.0.1:{gateway}", f"tcp:127.0.0.1:{port}", "tcp:127.0.0.1:6379", "tcp:127.0.0.1:9092",
               *(f"path:{p}" for p in hearth.folder.rglob("*.sock")),
               *(f"tcp:{a}:{p}" for a in own_addresses() for p in (port, gateway, 22, 2375, 6379, 9092))]


def refused(text):
    """{probe: why}; one that succeeded fails the test."""
    lines = [line.split("\t") for line in text.splitlines()]
    assert lines[-1] == ["done"], f"it did not live to its end:\n{text}"
    opened = [line[0] for line in lines[:-1] if line[1] == "OPEN"]
    assert not opened, f"open: {opened}"
    return {name: why for name, _, why in lines[:-1]}


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_no_way_leads_out_of_a_sandbox(hearth, lam, make_function, escape, neighbour, runtime):
    handler, files = RUNTIMES[runtime]
    make_function("escape", {**files, "escape": (escape, 0o755)}, runtime=runtime, handler=handler, MemorySize=1769, Timeout=60)
    with host_targets(hearth) as targets:
        targets += neighbour
        answer = lam.invoke(FunctionName="escape", Payload=json.dumps({"targets": targets}))
    text = json.load(answer["Payload"])
    assert "FunctionError" not in answer, text
    why = refused(text)
    print(*(f"{name}: {reason}" for name, reason in why.items()), sep="\n")
    assert len(why) >= LEAST + len(targets) and set(targets) <= set(why)


def test_what_is_named_as_a_target_is_open_on_the_host(escape, tmp_path):
    """The probes do reach what they are given, where nothing is between."""
    program = tmp_path / "escape"
    program.write_bytes(escape)
    program.chmod(0o755)
    with socket.socket() as s, socket.socket(socket.AF_UNIX) as abstract:
        s.bind(("127.0.0.1", 0))
        s.listen()
        abstract.bind(f"\0hearth-open-{os.getpid()}")
        abstract.listen()
        targets = [f"tcp:127.0.0.1:{s.getsockname()[1]}", f"abstract:hearth-open-{os.getpid()}", f"pid:{os.getpid()}"]
        text = run(program, "--targets", *targets).stdout
    assert text.splitlines() == [*(f"{t}\tOPEN" for t in targets), "done"]
