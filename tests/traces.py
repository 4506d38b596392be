# SPDX-License-Identifier: Apache-2.0
"""What sandboxes have on the host, and what they leave.

`belongings()` has all of a node's. `traces_of()` is about one function: `see()` notes the sandboxes that it
has now, `ids` are all that were seen, `left()` says what is still there of them, or of any other of its.
"""
import contextlib
import glob
import json
import os
import pathlib
import re

from harness import cgroup_mounts, native_functions, native_processes, native_sandboxes, run


def network_of(hearth, sandbox):
    """A sandbox's network namespace, as nsenter takes it, and its addresses but loopback ones."""
    if hearth.launcher == "native":
        pid = min(native_processes(hearth.node, sandbox.partition("/")[2]))
    else:
        pid = hearth.docker("inspect", "-f", "{{.State.Pid}}", sandbox)
    path = f"--net=/proc/{pid}/ns/net"
    found = re.findall(r"inet ([\d.]+)/", run("nsenter", path, "ip", "-4", "-o", "addr").stdout)
    return path, [a for a in found if not a.startswith("127.")]


def processes_in(cgroup_ends):
    """Pids on the host whose cgroup's name has one of these ends."""
    found = []
    for p in pathlib.Path("/proc").iterdir():
        if p.name.isdigit():
            with contextlib.suppress(OSError):
                if any(line.endswith(cgroup_ends) for line in (p / "cgroup").read_text().splitlines()):
                    found.append(int(p.name))
    return found


def disks_below(folder):
    """Loop devices whose files are in that folder; the same device in another use is another one."""
    found = []
    for loop in pathlib.Path("/sys/block").glob("loop*"):
        with contextlib.suppress(OSError):
            if str(folder) in (loop / "loop/backing_file").read_text():
                found.append(f"disk {loop.name}, use {(loop / 'diskseq').read_text().strip()}")
    return found


def belongings(hearth):
    """Containers, cgroups, disks and mounts of a node, each with a name that never comes again."""
    found = [f"container {c}" for c in hearth.docker.sandboxes(hearth.node)]
    found += [f"cgroup {c}" for c in native_sandboxes(hearth.node)]
    found += disks_below(hearth.folder)
    return found + [f"mount {line}" for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines() if hearth.folder.name in line]


class DockerTraces:
    """Ids are the engine's."""

    def __init__(self, hearth, function):
        self.hearth, self.function = hearth, function
        self.ids, self.networks = set(), set()

    def see(self):
        for c in self.hearth.sandboxes(self.function):
            if c not in self.ids:
                self.ids.add(c)
                key = self.hearth.docker("inspect", "-f", "{{.NetworkSettings.SandboxKey}}", c, check=False)
                self.networks |= {key} if key.startswith("/") else set()

    def processes(self):
        return processes_in(tuple(f"{i}{end}" for i in self.ids for end in ("", ".scope"))) if self.ids else []

    def left(self):
        left = [f"container {c[:12]}" for c in self.hearth.sandboxes(self.function)]
        left += [f"process {pid}" for pid in self.processes()]
        mounts = pathlib.Path("/proc/self/mountinfo").read_text()
        for sandbox in self.ids:
            # glob.glob bears folders of others that go while it looks
            left += [f"cgroup {path}" for mount in cgroup_mounts() for path in glob.glob(f"{mount}/*/*{sandbox}*")]
            left += ["mount"] if sandbox in mounts else []
        # Docker unmounts the namespace at once, and sweeps up the empty file that is left once a minute
        left += [f"network {n}" for n in self.networks if os.path.ismount(n)]
        folders = len(list((self.hearth.folder / "run/sb").iterdir()))
        return left + (["run folder"] if folders > len(self.hearth.docker.sandboxes(self.hearth.node)) else [])


class NativeTraces:
    """Ids are cgroups, "<life>/<name>": the log names each, however short its life was."""

    def __init__(self, hearth, function):
        self.hearth, self.function = hearth, function
        self.ids, self.disks = set(), set()
        self.read, self.mine, self.cgroup = 0, set(), {}  # lines; sandboxes; the cgroup's name of each

    def _read_log(self):
        lines, self.read = self.hearth.lines[self.read:], len(self.hearth.lines)
        for line in lines:
            with contextlib.suppress(ValueError):  # redis writes plain text
                e = json.loads(line.partition("| ")[2])
                if e.get("event") == "sandbox ready":
                    self.cgroup[e["sandbox"]] = e["container"]
                elif e.get("function") == self.function and "sandbox" in e:
                    self.mine.add(e["sandbox"])

    def see(self):
        self._read_log()
        assert self.mine <= self.cgroup.keys(), "the log does not say which sandboxes these are"
        lives = {p.name for p in (self.hearth.folder / "run/native").iterdir()}
        self.ids |= set(native_functions(self.hearth.node, self.function))
        self.ids |= {f"hearth-{self.hearth.node}.{life}/{self.cgroup[s]}" for s in self.mine & self.cgroup.keys() for life in lives}
        for pid in self.processes():
            with contextlib.suppress(OSError):
                for line in pathlib.Path(f"/proc/{pid}/mountinfo").read_text().splitlines():
                    if " /tmp " in line and "/dev/loop" in line:
                        device = line.split("/dev/")[1].split()[0]
                        self.disks.add((device, pathlib.Path(f"/sys/block/{device}/diskseq").read_text()))

    def processes(self):
        return processes_in(tuple(f"/{i}" for i in self.ids)) if self.ids else []

    def left(self):
        self.see()
        there = native_sandboxes(self.hearth.node)
        left = [f"sandbox {s}" for s in native_functions(self.hearth.node, self.function)]
        left += [f"process {pid}" for pid in self.processes()] + [f"cgroup {i}" for i in self.ids if i in there]
        left += [f"runtime state {path}" for i in self.ids
                 for path in glob.glob(f"{self.hearth.folder}/run/native/*/*/{i.partition('/')[2]}")]
        for device, use in self.disks:  # devices and files come again soon, for other sandboxes
            with contextlib.suppress(OSError):
                block = pathlib.Path("/sys/block", device)
                left += [f"disk {device}"] if (block / "diskseq").read_text() == use and (block / "loop").exists() else []
        return left + (["mount"] if self.hearth.folder.name in pathlib.Path("/proc/self/mountinfo").read_text() else [])


def traces_of(hearth, function):
    return (NativeTraces if hearth.launcher == "native" else DockerTraces)(hearth, function)
