# SPDX-License-Identifier: Apache-2.0
"""Cold starts by phase: each launcher alone, against `crun run`, `runc run` and Docker on the same image, in one run.

Prints figure=... lines. Run by `make bench-sandboxes`.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from bench import figure, oci_rounds, timed  # noqa: E402
from harness import BUILD, C_RUNTIME, Docker, native_processes, native_sandboxes, remove_folder, short_folder  # noqa: E402

IMAGE = "hearth/provided:al2023"
PHASES = ("queued", "create", "start", "ready", "next", "gone")


def private_kib(pid):
    """What is a process's alone."""
    rows = [line.split() for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
    return sum(int(row[1]) for row in rows if row[0] in ("Private_Clean:", "Private_Dirty:"))


def memory_of_ours(process, ret):
    """While the burst's sandboxes stand: PID 1 of each, and what the launcher grew by."""
    alone = private_kib(process.pid)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and "burst" not in ret:
        time.sleep(0.05)
    time.sleep(0.5)
    found = [s.partition("/")[2] for s in native_sandboxes("bench") if "/" in s]
    firsts = [min(pids) for pids in (native_processes("bench", name) for name in found) if len(pids) > 1]
    if firsts:
        ret["init_kib"] = statistics.median(private_kib(pid) for pid in firsts)
        ret["launcher_kib"] = (private_kib(process.pid) - alone) / len(firsts)


def launcher(docker, name, rounds, burst):
    """Medians of the phases in ms, and the burst in starts a second."""
    folder = pathlib.Path(short_folder("hbs-"))
    code = folder / "code"
    code.mkdir(mode=0o755)
    folder.chmod(0o755)
    shutil.copy(C_RUNTIME, code / "bootstrap")
    process = subprocess.Popen([BUILD / "bench/sandbox_bench", name, docker.socket, folder / "run", BUILD / "hearth-init", IMAGE,
                                code, str(rounds), str(burst), "2000"], stdout=subprocess.PIPE, text=True)
    rows, ret = [], {}
    watcher = threading.Thread(target=memory_of_ours, args=(process, ret), daemon=True)
    if name == "native" and burst:
        watcher.start()
    for line in process.stdout:
        words = line.split()
        if words[0] == "round":
            rows.append([int(w) / 1000 for w in words[1:]])
        else:
            ret["burst"] = int(words[1]) / (int(words[2]) / 1e6)
    if process.wait() != 0:
        raise SystemExit(f"sandbox_bench {name} ended with {process.returncode}")
    if name == "native" and burst:
        watcher.join()
    remove_folder(folder)
    ret.update({phase: statistics.median(row[i] for row in rows) for i, phase in enumerate(PHASES)})
    ret["next_all"] = sorted(row[4] for row in rows)
    return ret


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--rounds", type=int, default=15)
    p.add_argument("--burst", type=int, default=20)
    a = p.parse_args()
    docker = Docker(os.environ["DOCKER_HOST"])
    native = launcher(docker, "native", a.rounds, a.burst)
    with tempfile.TemporaryDirectory() as d:
        oci = oci_rounds(docker, IMAGE, pathlib.Path(d), a.rounds)
    name = f"bench-docker-{os.getpid()}"
    engine = []
    for _ in range(a.rounds):
        docker("create", "--name", name, "--network", "none", "--read-only", "--entrypoint", "/bin/sleep", IMAGE, "60")
        create = timed(lambda: docker("create", "--name", name + "-2", "--network", "none", "--read-only", "--entrypoint",
                                      "/bin/sleep", IMAGE, "60"))
        docker("rm", name + "-2")
        engine.append(create + timed(lambda: docker("start", name)))
        docker("rm", "-f", name)
    native2 = launcher(docker, "native", a.rounds, 0)  # again, behind the others: load wanders
    docker_ours = launcher(docker, "docker", a.rounds, a.burst)
    both = sorted(native["next_all"] + native2["next_all"])
    start = statistics.median(both)

    for phase in PHASES:
        figure(f"native_{phase}", native[phase], "ms")
    figure("native_start_to_next", start, "ms")
    figure("native_start_to_next_p90", both[len(both) * 9 // 10], "ms")
    for oci_name, times in oci.items():
        base = statistics.median(times) * 1000
        figure(f"{oci_name}_run_true", base, "ms")
        figure(f"native_start_to_next_against_{oci_name}", start, "ms", f"{oci_name}_run", start / base)
    base = statistics.median(engine) * 1000
    figure("docker_create_start", base, "ms")
    figure("native_start_to_next_against_docker", start, "ms", "docker_create_start", start / base)
    figure("docker_launcher_start_to_next", docker_ours["next"], "ms")
    figure("native_start_to_next_against_docker_launcher", start, "ms", "docker_launcher", start / docker_ours["next"])
    figure("native_burst", native["burst"], "/s", "docker_launcher", native["burst"] / docker_ours["burst"])
    if "init_kib" in native:
        figure("native_init_private", native["init_kib"], "KiB")
        figure("native_launcher_growth_per_sandbox", native["launcher_kib"], "KiB")


if __name__ == "__main__":
    main()
