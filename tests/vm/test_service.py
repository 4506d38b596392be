# SPDX-License-Identifier: Apache-2.0
"""Hearth as a service of systemd on cgroup version 2, with the lines of docs/internals/native.md. Run in the
guest by guest.sh, natively: what systemd does to the cgroups it manages must not change the sandboxes'."""
import json
import pathlib
import subprocess

import pytest

from harness import BUILD, ROLE, Hearth, native_processes, native_sandboxes, remove_folder, run, short_folder, wait_until, zip_of

UNIT = pathlib.Path("/run/systemd/system/hearth.service")
ROOT = pathlib.Path("/sys/fs/cgroup")
APP = "import os\ndef handler(event, context): return os.getpid()\n"


class Service(Hearth):
    """`hearth up` started by systemd instead of by us."""

    def start(self, ready=True):
        lines = ["[Service]", f"ExecStart={BUILD}/hearth up", "KillMode=mixed", "TasksMax=infinity", "OOMPolicy=continue"]
        lines += [f'Environment="{k}={v}"' for k, v in self.environment().items() if k.startswith("HEARTH_")]
        UNIT.write_text("\n".join(lines) + "\n")
        run("systemctl", "daemon-reload")
        run("systemctl", "start", "hearth")
        wait_until("hearth answers", self.healthy, 60)
        return self


@pytest.fixture(scope="module")
def service(images):
    folder = short_folder("hearth-")
    h = Service(images, folder, HEARTH_INIT_LIMIT="2m", HEARTH_LAUNCHER="native").start()
    yield h
    run("systemctl", "stop", "hearth", check=False)
    print(run("journalctl", "-u", "hearth", "--no-pager", check=False).stdout[-6000:])
    remove_folder(folder)


@pytest.fixture(scope="module")
def lam(service):
    lam = service.client()
    lam.create_function(FunctionName="f", Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=60, MemorySize=128,
                        Code={"ZipFile": zip_of({"app.py": APP})})
    lam.get_waiter("function_active_v2").wait(FunctionName="f")
    return lam


def invoke(lam, name="f"):
    a = lam.invoke(FunctionName=name)
    r = json.load(a["Payload"])
    assert "FunctionError" not in a, r
    return r


def limits(service):
    """Of the sandboxes with a function in them."""
    found = {}
    for sandbox in service.sandboxes("f"):
        cgroup = next(ROOT.glob(f"**/{sandbox}"))
        found[sandbox] = [(cgroup / f).read_text().strip() for f in ("memory.max", "memory.swap.max", "pids.max", "cpu.weight")]
    return found


def test_it_answers(service, lam):
    assert invoke(lam) > 1
    assert list(limits(service).values())[0][:3] == [str(128 << 20), "0", "1024"]


def test_systemd_at_work_leaves_the_limits(service, lam):
    invoke(lam)
    before = limits(service)
    assert before
    # controllers come into use and go out of it again, also those of ours
    for command in (["set-property", "--runtime", "hearth.service", "CPUWeight=200", "MemoryMax=2G", "IOWeight=50"],
                    ["revert", "hearth.service"], ["daemon-reload"], ["daemon-reexec"], ["restart", "dbus"]):
        run("systemctl", *command, check=False)
    subprocess.run(["systemd-run", "--wait", "-q", "-p", "CPUWeight=10", "-p", "MemoryMax=100M", "true"], timeout=240)
    run("systemctl", "daemon-reload")
    assert limits(service) == before
    # new ones can be made: the blanks that there are do not tell
    for _ in range(3):
        lam.update_function_configuration(FunctionName="f", Description="again")
        lam.get_waiter("function_updated_v2").wait(FunctionName="f")
        assert invoke(lam) > 1
    assert list(limits(service).values())[-1][:3] == [str(128 << 20), "0", "1024"]
    wait_until("blanks are made", lambda: len(native_sandboxes(service.node)) > 2, 20)


def test_a_stop_and_a_start_leave_nothing(service, lam):
    invoke(lam)
    run("systemctl", "stop", "hearth")
    wait_until("the cgroups are gone", lambda: not native_sandboxes(service.node), 10)
    assert run("systemctl", "show", "-P", "Result", "hearth").stdout.strip() == "success"
    run("systemctl", "start", "hearth")
    wait_until("it answers again", service.healthy, 60)
    assert invoke(lam) > 1


def test_killed_as_a_whole_nothing_stays_after_the_next_start(service, lam):
    invoke(lam)
    before = set(native_sandboxes(service.node))
    pids = [pid for s in service.sandboxes("f") for pid in native_processes(service.node, s.partition("/")[2])]
    assert before and pids
    run("systemctl", "kill", "-s", "KILL", "hearth")  # the janitor as well
    wait_until("its processes are gone", lambda: not [p for p in pids if pathlib.Path(f"/proc/{p}").exists()], 10)
    run("systemctl", "reset-failed", "hearth", check=False)
    run("systemctl", "start", "hearth")
    wait_until("it answers again", service.healthy, 60)
    wait_until("what was left is gone", lambda: not before & set(native_sandboxes(service.node)), 20)
    assert invoke(lam) > 1
