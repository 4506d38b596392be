# SPDX-License-Identifier: Apache-2.0
"""Sandboxes of both launchers: what a function gets and sees, how it ends, that nothing stays behind.

The invoker's launcher runs in a small program of its own (sandbox/driver.c); its function is a static
program (sandbox/function.c) in an image that holds nothing else. HEARTH_LAUNCHER=docker or native runs
the tests of that one only.
"""
import io
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import tarfile
import threading
import time

import pytest

from harness import (BUILD, LAUNCHERS, SLOW, TOP, native_processes, native_sandboxes, remove_folder, run, short_folder,
                     wait_until)
from traces import disks_below

DRIVER, FUNCTION = BUILD / "tests/sandbox-driver", BUILD / "tests/sandbox-function"
# others may run the same tests beside us
IMAGE, NODE = f"hearth-test/sandbox:{os.getpid()}", f"t-sandboxes-{os.getpid()}"
ENTRYPOINT, WORKDIR, DIED = 3, 4, 5  # enum launch_failure


@pytest.fixture(scope="module")
def image(docker):
    sanitize = BUILD.name.removeprefix("san-").replace("-", ",") if BUILD.name.startswith("san-") else ""
    run("make", "-s", "-C", TOP, f"SANITIZE={sanitize}", f"BUILD={BUILD}", "sandbox-tools")
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as t:
        t.add(FUNCTION, "function")
        for folder, mode in (("tmp", 0o1777), ("folder", 0o755)):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            t.addfile(entry)
        text = tarfile.TarInfo("text")
        text.mode, text.size = 0o755, 5
        t.addfile(text, io.BytesIO(b"hello"))
    subprocess.run(["docker", "-H", docker.host, "import", "-", IMAGE], input=tar.getvalue(), check=True,
                   stdout=subprocess.DEVNULL, timeout=120)
    yield IMAGE
    docker("rmi", "-f", IMAGE, check=False)


class Driver:
    def __init__(self, docker, image, launcher, node=NODE, folder=None):
        self.docker, self.node, self.launcher = docker, node, launcher
        self.folder = folder or short_folder("hearth-sb-")
        self.events = []
        self.changed = threading.Condition()
        self.errors = open(os.path.join(self.folder, "driver.log"), "a+")
        self.process = subprocess.Popen(
            [DRIVER, docker.socket, os.path.join(self.folder, "run"), BUILD / "hearth-init", node, image,
             launcher],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.events.append(json.loads(line))
                self.changed.notify_all()

    def tell(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def start(self, sandbox, *argv, folder="/folder"):
        self.tell("start", sandbox, folder, *(argv or ("/function", "wait")))

    def wait(self, sandbox, event, seconds=30, **members):
        def found():
            for e in self.events:
                if e["id"] == sandbox and e["event"] == event and members.items() <= e.items():
                    return e
            return None

        with self.changed:
            if not self.changed.wait_for(found, seconds * SLOW):
                raise AssertionError(f"no {event} {members} of {sandbox}: {self.events}\n{self.log()}")
            return found()

    def output(self, sandbox, stream=1):
        return "".join(e["text"] for e in self.events
                       if e["id"] == sandbox and e["event"] == "output" and e["stream"] == stream)

    def wait_output(self, sandbox, text, seconds=30):
        with self.changed:
            assert self.changed.wait_for(lambda: text in self.output(sandbox), seconds * SLOW), self.output(sandbox)

    def log(self):
        self.errors.seek(0)
        return self.errors.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(60 * SLOW)
        assert self.process.returncode == 0, self.log()
        self.nothing_left()

    def alive(self):
        """What the engine, or the kernel, has of this node's sandboxes; blank ones count."""
        return native_sandboxes(self.node) if self.launcher == "native" else self.docker.sandboxes(self.node)

    def cgroup(self, sandbox):
        """The name of a native sandbox's cgroup."""
        ready = [json.loads(line) for line in self.log().splitlines() if '"sandbox ready"' in line]
        return next(e["container"] for e in ready if e["sandbox"] == sandbox)

    def kill_from_outside(self, sandbox):
        if self.launcher == "docker":
            self.docker("kill", f"hearth-{sandbox}")
        else:
            os.kill(native_processes(self.node, self.cgroup(sandbox))[0], signal.SIGKILL)

    def nothing_left(self):
        if self.launcher == "native":  # the janitor goes after the launcher
            wait_until("the cgroups are gone", lambda: self.alive() == [], 10)
            wait_until("the folder is empty", lambda: os.listdir(os.path.join(self.folder, "run")) == [], 10)
            assert os.path.basename(self.folder) not in pathlib.Path("/proc/self/mountinfo").read_text()
            wait_until("the disks are gone", lambda: disks_below(self.folder) == [], 10)
        assert self.alive() == []
        assert os.listdir(os.path.join(self.folder, "run")) == []


@pytest.fixture(params=LAUNCHERS)
def launcher(request):
    return request.param


@pytest.fixture
def driver(docker, image, launcher):
    d = Driver(docker, image, launcher)
    yield d
    try:
        d.stop()
    finally:
        for c in docker.sandboxes(d.node):
            docker("rm", "-f", c, check=False)
        remove_folder(d.folder)


@pytest.mark.skipif("native" not in LAUNCHERS, reason="HEARTH_LAUNCHER")
@pytest.mark.parametrize("launcher", ["native"])
def test_a_burst_of_a_hundred_is_served_and_leaves_nothing(driver):
    names = [f"burst-{i}" for i in range(100)]
    for name in names:
        driver.start(name)
    for name in names:
        driver.wait(name, "ready", 60)
    ready = [json.loads(line) for line in driver.log().splitlines() if '"sandbox ready"' in line]
    theirs = {e["container"] for e in ready}
    assert len(theirs) == 100 and len(disks_below(driver.folder)) >= 100
    for name in names:
        driver.tell("end", name)
    for name in names:
        driver.wait(name, "gone")
    # what is there is kept for the next ones: blank sandboxes, disks of this size and two of the usual one
    there = [s.partition("/")[2] for s in driver.alive() if "/" in s]
    assert not theirs & set(there) and len(there) <= 32
    wait_until("their disks are gone", lambda: len(disks_below(driver.folder)) <= 32 + 2, 10)


@pytest.mark.skipif("native" not in LAUNCHERS, reason="HEARTH_LAUNCHER")
@pytest.mark.parametrize("launcher", ["native"])
def test_too_few_open_files_are_said_and_got_over(driver):
    driver.start("before")
    driver.wait("before", "ready")
    was = resource.prlimit(driver.process.pid, resource.RLIMIT_NOFILE)
    files = len(os.listdir(f"/proc/{driver.process.pid}/fd"))
    resource.prlimit(driver.process.pid, resource.RLIMIT_NOFILE, (files + 40, was[1]))
    for i in range(20):
        driver.start(f"many-{i}")
    with driver.changed:
        assert driver.changed.wait_for(lambda: any(e["event"] == "failed" for e in driver.events), 60 * SLOW)
    resource.prlimit(driver.process.pid, resource.RLIMIT_NOFILE, was)
    wait_until("it is said", lambda: "Too many open files" in driver.log())
    driver.start("after")
    driver.wait("after", "ready", 60)


def lines(text, label):
    return [line[len(label) + 1:] for line in text.splitlines() if line.startswith(label + " ")]


def test_a_function_gets_what_lambda_gives_and_sees_nothing_else(driver, docker):
    driver.start("look", "/function", "look")
    ready = driver.wait("look", "ready")
    assert ready["memory"], "the cgroup's memory files were not handed over"
    assert driver.wait("look", "exited")["status"] == 0
    driver.wait("look", "eof", stream=1)
    text = driver.output("look")
    status = dict(line.split(":\t", 1) for line in lines(text, "status") if ":\t" in line)
    env = dict(line.split("=", 1) for line in lines(text, "env"))

    assert lines(text, "user") == ["993 990"]
    assert lines(text, "cwd") == ["/folder"]
    assert env["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:9001" and env["SECRET"] == "do-not-show"
    assert {status[c] for c in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    assert status["SigIgn"] == "0" * 16 and status["SigBlk"] == "0" * 16
    assert [line.split(":")[0].strip() for line in lines(text, "net") if ":" in line] == ["lo"]
    # newer engines put comments into it
    assert [line for line in lines(text, "resolv") if line[:1] not in ("", "#")] == ["nameserver 127.0.0.1"]
    assert lines(text, "hostname") == ["sandbox"]
    assert lines(text, "nofile") == ["1024"]
    assert lines(text, "stdin") == ["0"]
    writes = dict(line.split(" ") for line in lines(text, "write"))
    socket = "EROFS" if driver.launcher == "docker" else "ENOENT"  # a native sandbox has no such folder
    assert writes == {"/x": "EROFS", "/.hearth/run/x": socket, "/tmp/x": "OK", "/dev/stdout": "OK"}
    # PID 1 has the same user, but is closed to it: neither traced nor read nor ended from inside
    assert lines(text, "ptrace") == ["EPERM"]
    assert lines(text, "init-environ") == ["EACCES"]
    listed = lines(text, "list")
    assert "/proc/1/fd EACCES" in listed
    run_folder = [line for line in listed if line.startswith("/.hearth/run ")]
    assert run_folder == ([] if driver.launcher == "docker" else ["/.hearth/run ENOENT"]), "the socket can be seen"
    assert "done" in text.splitlines(), "it did not live through its signals to PID 1"

    if driver.launcher == "docker":
        inspected = docker("inspect", *docker.sandboxes(driver.node))
        assert "do-not-show" not in inspected and "AWS_LAMBDA" not in inspected
    driver.tell("end", "look")
    driver.wait("look", "gone")


def test_the_invoker_accepts_what_the_runtime_connects_to(driver):
    driver.start("api", "/function", "runtime")
    driver.wait("api", "connected")
    driver.wait_output("api", "connect OK")


@pytest.mark.parametrize("argv, status, oom_kills", [
    (("exit", "0"), 0, 0),
    (("exit", "3"), 3 << 8, 0),
    (("memory",), signal.SIGKILL, 1),
])
def test_the_end_of_the_main_process_is_reported(driver, argv, status, oom_kills):
    driver.start("end", "/function", *argv)
    exited = driver.wait("end", "exited")
    assert (exited["status"], exited["oom_kills"]) == (status, oom_kills)
    driver.wait("end", "eof", stream=1)
    driver.wait("end", "eof", stream=2)
    driver.tell("end", "end")
    driver.wait("end", "gone")


@pytest.mark.skipif("native" not in LAUNCHERS, reason="HEARTH_LAUNCHER")
@pytest.mark.parametrize("launcher", ["native"])
def test_tmp_has_its_size_and_is_not_the_functions_memory(driver):
    driver.start("tmp", "/function", "tmp")  # 128 MiB of memory, 300 of /tmp
    driver.wait_output("tmp", "synced OK\n", 60)
    filled, why = lines(driver.output("tmp"), "filled")[0].split()
    assert 300 <= int(filled) <= 320 and why == "ENOSPC"
    driver.tell("end", "tmp")
    driver.wait("tmp", "gone")


def test_nothing_that_leads_out_is_allowed(driver):
    driver.start("escape", "/function", "escape")
    driver.wait_output("escape", "done\n")
    tried = dict(line.split(" ") for line in lines(driver.output("escape"), "escape"))
    assert len(tried) == 51
    if driver.launcher == "docker":
        tried.pop("vsock")  # older engines' own filter lets it be made; nothing of ours listens there
    assert [name for name, outcome in tried.items() if outcome == "OK"] == []
    if driver.launcher == "native":  # the filter's answer: the kernel is not even asked
        assert {tried[n] for n in ("mount", "move_mount", "unshare-user", "clone-user", "bpf", "io_uring", "keyctl")} == {"EPERM"}


@pytest.mark.parametrize("argv, folder, failure, errno", [
    (("/nothing",), "/folder", ENTRYPOINT, 2),
    (("nothing",), "/folder", ENTRYPOINT, 2),
    (("/folder",), "/folder", ENTRYPOINT, 13),
    (("/text",), "/folder", ENTRYPOINT, 8),
    (("/function",), "/nowhere", WORKDIR, 2),
])
def test_what_cannot_be_started_says_why(driver, argv, folder, failure, errno):
    driver.start("bad", *argv, folder=folder)
    failed = driver.wait("bad", "failed")
    assert (failed["failure"], failed["errno"]) == (failure, errno)
    driver.wait("bad", "gone")


def test_kill_takes_every_process_at_once(driver):
    driver.start("kill", "/function", "children")
    driver.wait_output("kill", "children\n")
    began = time.monotonic_ns() // 1000
    driver.tell("kill", "kill")
    exited = driver.wait("kill", "exited")
    assert exited["status"] == signal.SIGKILL
    driver.wait("kill", "eof", stream=1)  # no process holds the pipe any more
    # a millisecond on an idle machine; on a busy one PID 1 waits for its small share of the CPU
    assert exited["at_us"] - began < 1_000_000 * SLOW


def test_signals_reach_the_main_process(driver):
    driver.start("term")
    driver.start("stubborn", "/function", "stubborn")
    for sandbox in "term", "stubborn":
        driver.wait_output(sandbox, "done\n")
        driver.tell("signal", sandbox, int(signal.SIGTERM))
    assert driver.wait("term", "exited")["status"] == signal.SIGTERM
    driver.tell("kill", "stubborn")
    assert driver.wait("stubborn", "exited")["status"] == signal.SIGKILL


def test_a_sandbox_killed_from_outside_is_noticed_at_once(driver, docker):
    driver.start("victim")
    driver.wait_output("victim", "done\n")
    driver.start("removed")
    driver.wait_output("removed", "done\n")
    began = time.monotonic_ns() // 1000
    driver.kill_from_outside("victim")
    assert driver.wait("victim", "failed")["failure"] == DIED
    assert driver.wait("victim", "failed")["at_us"] - began < 1_000_000 * SLOW
    if driver.launcher == "docker":
        docker("rm", "-f", "hearth-removed")
        assert driver.wait("removed", "failed")["failure"] == DIED
    else:
        driver.tell("end", "removed")
    driver.wait("victim", "gone")
    driver.wait("removed", "gone")


def start_three_and_kill(docker, image, launcher):
    first = Driver(docker, image, launcher)
    for i in range(3):
        first.start(f"s{i}", "/function", "stubborn")
    for i in range(3):
        first.wait_output(f"s{i}", "done\n")
    first.process.kill()
    first.process.wait()
    wait_until("the sandboxes are gone", lambda: not first.alive(), 10)
    return first


@pytest.mark.skipif("docker" not in LAUNCHERS, reason="HEARTH_LAUNCHER")
def test_a_dead_invoker_leaves_no_container(docker, image):
    first = start_three_and_kill(docker, image, "docker")
    # created but never started: nobody ends it but the next life
    docker("create", "--label", f"hearth.node={first.node}", "--label", "hearth.life=before", image, "/function")
    other = docker("create", "--label", "hearth.node=another", image, "/function")
    second = Driver(docker, image, "docker", folder=first.folder)
    try:
        second.start("new")
        second.wait_output("new", "done\n")
        wait_until("the orphan is gone", lambda: len(docker.sandboxes(first.node)) == 1, 10)
        assert docker.sandboxes("another") == [other]
        assert sorted(os.listdir(os.path.join(first.folder, "run"))) == ["new"]
    finally:
        docker("rm", other, check=False)
        second.stop()
        remove_folder(first.folder)


@pytest.mark.skipif("native" not in LAUNCHERS, reason="HEARTH_LAUNCHER")
def test_a_dead_invoker_leaves_no_cgroup_and_no_folder(docker, image):
    first = start_three_and_kill(docker, image, "native")
    first.nothing_left()  # nobody was started again
    remove_folder(first.folder)


@pytest.mark.skipif("native" not in LAUNCHERS, reason="HEARTH_LAUNCHER")
def test_without_its_janitor_the_next_life_removes_what_a_dead_invoker_left(docker, image):
    first = Driver(docker, image, "native")
    first.start("one", "/function", "stubborn")
    first.wait_output("one", "done\n")
    life = native_sandboxes(first.node)[0].split("/")[0]
    janitors = [int(p.name) for p in pathlib.Path("/proc").iterdir() if p.name.isdigit() and
                is_janitor_of(p, first.folder)]
    assert len(janitors) == 1
    os.kill(janitors[0], signal.SIGKILL)
    first.process.kill()
    first.process.wait()
    second = Driver(docker, image, "native", folder=first.folder)
    try:
        second.start("new")
        second.wait_output("new", "done\n")
        assert not [s for s in native_sandboxes(first.node) if s.startswith(life)]
        assert len(os.listdir(os.path.join(first.folder, "run"))) == 1
    finally:
        second.stop()
        remove_folder(first.folder)


def is_janitor_of(process, folder):
    """Whether that is a janitor, which has its command line of the driver that uses @folder."""
    try:
        return (process / "comm").read_text() == "hearth-janitor\n" and str(folder) in (process / "cmdline").read_text()
    except OSError:
        return False


def test_an_end_at_any_moment_leaves_nothing(driver):
    rng = random.Random(4)
    names = [f"c{i}" for i in range(16)]
    for name in names:
        driver.start(name, "/function", rng.choice(("exit", "wait", "children")))
    ends = sorted((rng.uniform(0, 1.5), name) for name in names)
    began = time.monotonic()
    for at, name in ends:  # the moments are the test: from queued to running
        time.sleep(max(0.0, at - (time.monotonic() - began)))
        driver.tell("end", name)
    for name in names:
        driver.wait(name, "gone", 60)
    if driver.launcher == "native":
        driver.stop()  # its blank sandboxes stay until then
    driver.nothing_left()
