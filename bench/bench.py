# SPDX-License-Identifier: Apache-2.0
"""Measures Hearth against the least that could do the same, in one go, pairwise.

Each figure is one line: figure=<name> value=<v> unit=<u> against=<anchor> ratio=<r>. Machines differ and are shared:
compare ratios, CPU time and counts, not seconds.
"""
import argparse
import contextlib
import functools
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))
from anchors import figure, oci_rounds, timed  # noqa: E402
from harness import BUILD, C_RUNTIME, ROLE, Docker, Hearth, free_port, remove_folder, run, short_folder, wait_until, zip_of  # noqa: E402

Hearth = functools.partial(Hearth, HEARTH_REQUEST_RATE_FACTOR=0)  # what is measured is not to be throttled

PAYLOAD = '{"hello":"world","n":12345,"text":"one hundred bytes of payload are what the figures are stated for"}'
PYTHON = "def handler(event, context):\n    return event\n"
TICK = os.sysconf("SC_CLK_TCK")


def load(port, path, connections, seconds, cpu=None, headers=None):
    argv = [BUILD / "bench/http_load", port, path, PAYLOAD, connections, seconds] + ([headers] if headers else [])
    out = run(*(["taskset", "-c", cpu] if cpu is not None else []), *argv).stdout
    return {k: float(v) for k, v in re.findall(r"(\w+)=([\d.]+)", out)}


def cpu_us(pids):
    """User and system time of processes so far, microseconds (from the scheduler's nanoseconds)."""
    total = 0.0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0]) / 1000
    return total


def measured(pids, port, path, connections, seconds, cpu=None, headers=None):
    before = cpu_us(pids)
    r = load(port, path, connections, seconds, cpu, headers)
    r["cpu_us"] = (cpu_us(pids) - before) / r["requests"]
    return r


def pin(pids, cpu):
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                os.sched_setaffinity(int(task.name), cpu)


def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def running(h):
    """A Hearth that is stopped whatever happens, and whose folder is removed."""
    try:
        yield h.start()
        h.close()
    finally:
        h.stop()
        remove_folder(h.folder)


@contextlib.contextmanager
def reference_chain(runtimes=1):
    """The least: one epoll loop and the same C runtime."""
    client, runtime = free_port(), free_port()
    gateway = subprocess.Popen([BUILD / "bench/reference_gateway", str(client), str(runtime)])
    wait_until("the reference gateway listens", lambda: listens(client) and listens(runtime), 10, every=0.01)
    env = dict(os.environ, AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{runtime}")
    loops = [subprocess.Popen([C_RUNTIME], env=env, stderr=subprocess.DEVNULL) for _ in range(runtimes)]
    time.sleep(0.2)
    try:
        yield client, [gateway.pid], [p.pid for p in loops]
    finally:
        for p in loops + [gateway]:
            p.kill()
            p.wait()


def sandbox_pids(h, function):
    pids = []
    for c in h.docker.sandboxes(h.node, function=function):
        top = h.docker("top", c, "-eo", "pid")
        pids += [int(x) for x in top.split()[1:]]
    return pids


def function(h, name, runtime, handler, files, memory=1769):
    lam = h.client()
    lam.create_function(FunctionName=name, Role=ROLE, Runtime=runtime, Handler=handler, Timeout=60, MemorySize=memory,
                        Code={"ZipFile": zip_of(files)})
    lam.get_waiter("function_active_v2").wait(FunctionName=name)
    lam.invoke(FunctionName=name, Payload=b"{}")
    return f"/2015-03-31/functions/{name}/invocations"


def c_files(mark=""):
    return {"bootstrap": (C_RUNTIME.read_bytes(), 0o755), "mark": mark}


def warm(h, seconds):
    """Latency of one caller on one CPU, and throughput of 32, against the reference chain."""
    port = int(h.listen.rsplit(":", 1)[1])
    daemons = [h.pid("gateway"), h.pid("invoker")]
    all_cpus = os.sched_getaffinity(0)
    paths = {"c": function(h, "bench-c", "provided.al2023", "x", c_files()),
             "python": function(h, "bench-python", "python3.13", "app.handler", {"app.py": PYTHON})}
    rounds = {"reference": [], "c": [], "python": []}
    with reference_chain() as (ref_port, gateway, loops):
        everyone = daemons + gateway + loops + sandbox_pids(h, "bench-c") + sandbox_pids(h, "bench-python")
        pin(everyone, {0})
        for _ in range(5):
            rounds["reference"].append(measured(gateway, ref_port, "/x", 1, seconds / 5, 0))
            for name in paths:
                rounds[name].append(measured(daemons, port, paths[name], 1, seconds / 5, 0))
        pin(everyone, all_cpus)
    best = {k: {m: statistics.median(r[m] for r in v) for m in ("p50_us", "p99_us", "cpu_us")} for k, v in rounds.items()}
    ref = best["reference"]
    figure("warm_reference_p50_one_cpu", ref["p50_us"], "us")
    for name in paths:
        figure(f"warm_{name}_p50_one_cpu", best[name]["p50_us"], "us", "reference_chain", best[name]["p50_us"] / ref["p50_us"])
        figure(f"warm_{name}_p99_one_cpu", best[name]["p99_us"], "us", "reference_chain", best[name]["p99_us"] / ref["p99_us"])
        figure(f"warm_{name}_cpu_per_invocation", best[name]["cpu_us"], "us", "reference_chain", best[name]["cpu_us"] / ref["cpu_us"])
    with reference_chain(32) as (ref_port, gateway, _):
        ref32 = measured(gateway, ref_port, "/x", 32, seconds)
    figure("throughput_reference_c32", ref32["rate"], "per_s")
    for name in paths:
        load(port, paths[name], 32, 1)  # the sandboxes that 32 callers need are started here
        r = measured(daemons, port, paths[name], 32, seconds)
        figure(f"throughput_{name}_c32", r["rate"], "per_s", "reference_chain", r["rate"] / ref32["rate"])
        figure(f"throughput_{name}_c32_p99", r["p99_us"], "us", "reference_chain", r["p99_us"] / ref32["p99_us"])
    return paths


def signature(path):
    """Headers that make an Invoke of PAYLOAD a signed one for a quarter of an hour."""
    request = AWSRequest(method="POST", url="http://127.0.0.1" + path, data=PAYLOAD.encode(),
                         headers={"Host": "127.0.0.1", "Content-Type": "application/json"})
    SigV4Auth(Credentials("AKIDBENCH", "bench/0123456789abcdef"), "lambda", "us-east-1").add_auth(request)
    return "".join(f"{k}: {request.headers[k]}\r\n" for k in ("X-Amz-Date", "Authorization"))


def signed(docker, seconds):
    """The gateway's CPU time for the same signed invocation, signatures checked and not, alternating."""
    folder = short_folder("hb-")
    (folder / "keys").write_text("[bench]\naws_access_key_id = AKIDBENCH\naws_secret_access_key = bench/0123456789abcdef\n")
    (folder / "keys").chmod(0o600)
    key = dict(aws_access_key_id="AKIDBENCH", aws_secret_access_key="bench/0123456789abcdef")
    rounds = {"unchecked": [], "checked": []}
    with running(Hearth(docker, short_folder("hb-"))) as off, \
            running(Hearth(docker, folder, HEARTH_CREDENTIALS_FILE=folder / "keys")) as on:
        hearths = {"unchecked": off, "checked": on}
        on.client = functools.partial(boto3.client, "lambda", endpoint_url=on.url, region_name="us-east-1", **key)
        for h in hearths.values():
            path = function(h, "bench-c", "provided.al2023", "x", c_files())
            pin([h.pid("gateway"), h.pid("invoker")] + sandbox_pids(h, "bench-c"), {0})
        for _ in range(5):
            for name, h in hearths.items():
                port = int(h.listen.rsplit(":", 1)[1])
                rounds[name].append(measured([h.pid("gateway")], port, path, 1, seconds / 5, 0, signature(path))["cpu_us"])
    cpu = {name: statistics.median(r) for name, r in rounds.items()}
    figure("warm_gateway_cpu_signature_unchecked", cpu["unchecked"], "us")
    figure("warm_gateway_cpu_signature_checked", cpu["checked"], "us", "unchecked", cpu["checked"] / cpu["unchecked"])


def bare_loop(seconds):
    """The Runtime API loop alone: http_load is the client, the reference gateway the only hop; all on one CPU."""
    with reference_chain() as (port, gateway, loops):
        pin(gateway + loops, {0})
        r = load(port, "/x", 1, seconds, 0)
    figure("bare_runtime_api_loop_p50", r["p50_us"], "us")


def traced(pid, seconds, path, port):
    """System calls of a process while a load runs, and its requests."""
    with tempfile.NamedTemporaryFile() as out:
        p = subprocess.Popen(["strace", "-f", "-c", "-o", out.name, "-p", str(pid)], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        r = load(port, path, 1, seconds)
        p.send_signal(2)
        p.wait()
        text = pathlib.Path(out.name).read_text()
    calls = {m[2]: int(m[1]) for m in re.finditer(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", text, re.M) if m[2] != "total"}
    return calls, r["requests"]


def count(h, prefix, redis_pid):
    port = int(h.listen.rsplit(":", 1)[1])
    path = function(h, "bench-c", "provided.al2023", "x", c_files())
    load(port, path, 1, 1)

    def mallocs(pid):
        return int.from_bytes(pathlib.Path(f"{prefix}.{pid}").read_bytes(), "little")
    for role in ("gateway", "invoker"):
        pid = h.pid(role)
        before = mallocs(pid)
        r = load(port, path, 1, 2)
        figure(f"warm_{role}_allocations_per_invocation", (mallocs(pid) - before) / r["requests"], "count")
        calls, requests = traced(pid, 2, path, port)
        figure(f"warm_{role}_syscalls_per_invocation", sum(calls.values()) / requests, "count")
        top = ", ".join(f"{k} {v / requests:.2f}" for k, v in sorted(calls.items(), key=lambda x: -x[1])[:8])
        print(f"# {role}: {top}")
    for role, pid in (("controller", h.pid("controller")), ("redis", redis_pid)):
        calls, requests = traced(pid, 2, path, port)
        figure(f"warm_{role}_syscalls_per_invocation", sum(calls.values()) / requests, "count")


def counts(docker):
    """System calls and allocations per warm invocation, file and network operations by kind."""
    folder = short_folder("hb-")
    prefix = folder / "malloc"
    socket_path = folder / "redis.sock"  # a Redis of its own: it brings its own malloc, which must not be counted
    redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", str(socket_path), "--save", ""], stdout=subprocess.DEVNULL)
    settings = dict(HEARTH_REDIS_URL=f"unix:{socket_path}", HEARTH_MALLOC_COUNT=prefix, LD_PRELOAD=BUILD / "bench/malloc_count.so")
    try:
        with running(Hearth(docker, folder, **settings)) as h:
            count(h, prefix, redis.pid)
    finally:
        redis.kill()
        redis.wait()


def median_ms(what, times, against=None, anchor=""):
    value = statistics.median(times) * 1000
    figure(what, value, "ms", anchor, value / against if against else None)
    return value


def cold(h, rounds):
    """First invocation of a function, against `docker run` of the same image and OCI runtimes on its root file system."""
    lam = h.client()
    docker_times, ours = [], []
    image = "hearth/provided:al2023"
    for i in range(rounds):
        name = f"cold-{i}"
        lam.create_function(FunctionName=name, Role=ROLE, Runtime="provided.al2023", Handler="x", Timeout=60,
                            Code={"ZipFile": zip_of(c_files("same"))})
        lam.get_waiter("function_active_v2").wait(FunctionName=name)
        docker_times.append(timed(lambda: h.docker("run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop",
                                                   "ALL", "--entrypoint", "/bin/true", image)))
        ours.append(timed(lambda n=name: lam.invoke(FunctionName=n, Payload=b"{}")))
        lam.delete_function(FunctionName=name)
    base = median_ms("docker_run_true", docker_times)
    median_ms("cold_first_answer_c", ours, base, "docker_run")
    for oci, times in oci_rounds(h.docker, image, rounds).items():
        oci_ms = median_ms(f"{oci}_run_true", times)
        figure(f"cold_first_answer_c_against_{oci}", statistics.median(ours) * 1000, "ms", f"{oci}_run",
               statistics.median(ours) * 1000 / oci_ms)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--seconds", type=float, default=5, help="of each measurement")
    p.add_argument("--rounds", type=int, default=7, help="cold starts")
    p.add_argument("--only", choices=("warm", "cold", "counts", "signed"), help="one part")
    a = p.parse_args()
    docker = Docker(os.environ["DOCKER_HOST"])
    with running(Hearth(docker, short_folder("hb-"))) if a.only in (None, "warm", "cold") else contextlib.nullcontext() as h:
        if a.only in (None, "warm"):
            bare_loop(a.seconds)
            warm(h, a.seconds)
        if a.only in (None, "cold"):
            cold(h, a.rounds)
    if a.only in (None, "counts"):
        counts(docker)
    if a.only in (None, "signed"):
        signed(docker, a.seconds)


if __name__ == "__main__":
    main()
