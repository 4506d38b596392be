# SPDX-License-Identifier: Apache-2.0
"""Cold starts: each launcher alone and Hearth as a whole, against `crun run`, `runc run`, Docker and a runtime without
any sandbox, in one run; bursts, hundreds of sandboxes alive, their memory, freezing.

Prints figure=... lines. Run by `make bench-sandboxes`.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
import first_answers  # noqa: E402
from anchors import cpu_s, docker_create_start, figure, oci_runtimes  # noqa: E402
from harness import BUILD, C_RUNTIME, Docker, native_processes, native_sandboxes, remove_folder, short_folder, wait_until  # noqa: E402
from memory import kernel_kib, pss_kib  # noqa: E402
from traces import disks_below  # noqa: E402

IMAGE = "hearth/provided:al2023"
PHASES = ("queued", "create", "start", "ready", "next", "gone")
LIVE = (1, 10, 100, 250, 500)


class Launcher:
    """sandbox_bench with one launcher; each command's lines as lists of numbers."""

    def __init__(self, docker, name):
        self.folder = pathlib.Path(short_folder("hbs-"))
        self.name = name
        code = self.folder / "code"
        code.mkdir(mode=0o755)
        self.folder.chmod(0o755)
        shutil.copy(C_RUNTIME, code / "bootstrap")
        self.process = subprocess.Popen([BUILD / "bench/sandbox_bench", name, docker.socket, self.folder / "run", BUILD / "hearth-init",
                                         IMAGE, code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.node = f"bench-{self.process.pid}"

    def __call__(self, command, n=0):
        self.process.stdin.write(f"{command} {n}\n")
        self.process.stdin.flush()
        rows = []
        for line in self.process.stdout:
            words = line.split()
            if words == ["done"]:
                return rows
            rows.append([int(w) for w in words[1:]])
        raise SystemExit(f"sandbox_bench {self.name} ended with {self.process.wait()}")

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise SystemExit(f"sandbox_bench {self.name} ended with {self.process.returncode}")
        if self.name == "native":
            wait_until("nothing is left", lambda: not native_sandboxes(self.node) and not disks_below(self.folder), 10)
        remove_folder(self.folder)


def phases(docker, native, engine, rounds):
    """Each round has all of them, so that what else the machine does meets all."""
    ours, engines, times = [], [], {"docker_create_start": []}
    with oci_runtimes(docker, IMAGE) as runtimes:
        times.update({f"{name}_run": [] for name in runtimes})
        for _ in range(rounds):
            ours += native("rounds", 1)
            time.sleep(0.2)
            for name, once in runtimes.items():
                times[f"{name}_run"].append(once())
            ours += native("rounds", 1)
            times["docker_create_start"].append(docker_create_start(docker, IMAGE))
            engines += engine("rounds", 1)
            time.sleep(0.3)
        cpu = {name: once.cpu_s / once.runs for name, once in runtimes.items()}
    for i, phase in enumerate(PHASES):
        figure(f"native_{phase}", statistics.median(row[i] for row in ours) / 1000, "ms")
    both = sorted(row[4] / 1000 for row in ours)
    start = statistics.median(both)
    figure("native_start_to_next_p90", both[len(both) * 9 // 10], "ms")
    times["docker_launcher"] = [row[4] / 1e6 for row in engines]
    for name, values in times.items():
        base = statistics.median(values) * 1000
        figure(name, base, "ms")
        figure(f"native_start_to_next_against_{name}", start, "ms", name, start / base)
    return cpu


def bursts(native, engine, sizes, cpu):
    for n in sizes:
        time.sleep(2)  # the pool fills up to what the last one took
        before = cpu_s(native.process.pid)
        us = native("burst", n)[0][1]
        gone = native("end")[0][1]
        figure(f"native_burst_{n}", n / us * 1e6, "per_s")
        figure(f"native_burst_{n}_until_gone", gone / 1000, "ms")
    time.sleep(2)
    ours = (cpu_s(native.process.pid) - before) / n  # with the blank ones that take the place of those that were used
    figure("native_cpu_per_start", ours * 1000, "ms")
    for name, base in cpu.items():
        figure(f"native_cpu_per_start_against_{name}", ours * 1000, "ms", f"{name}_run_cpu", ours / base)
    us = engine("burst", min(sizes))[0][1]
    engine("end")
    figure(f"docker_launcher_burst_{min(sizes)}", min(sizes) / us * 1e6, "per_s")


def alive(native, most):
    """Starts while so many others are alive; what an idle one costs."""
    alone, kernel, standing, first = pss_kib(native.process.pid), kernel_kib(), 0, None
    for n in [n for n in LIVE if n <= most]:
        if n > standing + 1:
            native("burst", n - 1 - standing)
            time.sleep(1)
        rows = native("add", 5 if n > 1 else 1)
        standing = rows[-1][0]
        start = statistics.median(row[1] for row in rows) / 1000
        first = first or start
        figure(f"native_start_to_next_with_{n}_alive", start, "ms", "first", start / first)
    time.sleep(1)
    found = [s.partition("/")[2] for s in native_sandboxes(native.node) if "/" in s]
    pids = [native_processes(native.node, name) for name in found]
    init = statistics.median(pss_kib(p[0]) for p in pids if len(p) > 1)
    launcher = (pss_kib(native.process.pid) - alone) / standing
    figure("native_init_pss", init, "KiB")
    figure("native_launcher_pss_per_sandbox", launcher, "KiB")
    figure("native_kernel_memory_per_sandbox", (kernel_kib() - kernel) / standing, "KiB")


def freezing(native):
    figure("warm_answer", statistics.median(row[0] for row in native("answer", 40)), "us")
    rows = native("thaw", 40)
    for i, name in enumerate(("freeze", "thaw", "answer_from_thaw")):
        figure(f"native_{name}", statistics.median(row[i] for row in rows), "us")


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--rounds", type=int, default=12, help="of cold starts one after the other")
    p.add_argument("--burst", type=int, nargs="*", default=[20, 100, 100], help="starts at once, one burst after the other")
    p.add_argument("--alive", type=int, default=500, help="sandboxes at once, at most")
    p.add_argument("--only", choices=("launchers", "whole"))
    a = p.parse_args()
    docker = Docker(os.environ["DOCKER_HOST"])
    print(f"# load {os.getloadavg()[0]:.1f}, {os.cpu_count()} CPUs, {time.strftime('%Y-%m-%d')}")
    if a.only != "whole":
        native, engine = Launcher(docker, "native"), Launcher(docker, "docker")
        bursts(native, engine, a.burst, phases(docker, native, engine, a.rounds))
        engine.close()
        if a.alive:
            alive(native, a.alive)
            freezing(native)
            figure(f"native_end_of_{a.alive}", native("end")[0][1] / 1000, "ms")
        native.close()
    if a.only != "launchers":
        first_answers.measure(docker, a.rounds, a.burst, a.alive)
    print(f"# load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
