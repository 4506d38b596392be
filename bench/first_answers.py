# SPDX-License-Identifier: Apache-2.0
"""Hearth as a whole in native sandboxes: first answers of new functions by phase, against the same runtime without any
sandbox; many first invocations at once; hundreds of idle sandboxes."""
import base64
import contextlib
import http.client
import json
import re
import selectors
import socket
import statistics
import time
from datetime import datetime

from anchors import BareRuntime, figure
from harness import BUILD, C_RUNTIME, ROLE, Hearth, cgroup_mounts, native_functions, native_processes, remove_folder, short_folder, wait_until, zip_of
from memory import pss_kib

PYTHON = "def handler(event, context):\n    return event\n"
ROLES = ("gateway", "controller", "invoker")


def create(lam, name, runtime, handler, files):
    lam.create_function(FunctionName=name, Role=ROLE, Runtime=runtime, Handler=handler, Timeout=120, MemorySize=1769,
                        Code={"ZipFile": zip_of(files)})
    lam.get_waiter("function_active_v2").wait(FunctionName=name)


def path_of(name):
    return f"/2015-03-31/functions/{name}/invocations"


def events(h, since):
    """What the programs logged after line @since."""
    found = []
    for line in h.lines[since:]:
        with contextlib.suppress(ValueError):
            found.append(json.loads(line.partition("| ")[2]))
    return found


def cpu_ms(h, container):
    """CPU time that a sandbox has had."""
    for mount in cgroup_mounts():
        for group in mount.glob(f"hearth-{h.node}.????????/{container}"):
            if (group / "cpuacct.usage").exists():
                return int((group / "cpuacct.usage").read_text()) / 1e6
            if (group / "cpu.stat").exists() and "usage_usec" in (group / "cpu.stat").read_text():
                return int((group / "cpu.stat").read_text().split()[1]) / 1e3
    raise SystemExit(f"no CPU time of {container}")


def first_answer(h, name):
    """Milliseconds by phase of a function's first invocation: what the caller waits for, and what of it is whose."""
    port, since = int(h.listen.rpartition(":")[2]), len(h.lines)
    c = http.client.HTTPConnection("127.0.0.1", port)
    c.connect()
    c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    began = time.monotonic()
    c.request("POST", path_of(name), b"{}", {"X-Amz-Log-Type": "Tail"})
    answer = c.getresponse()
    body = answer.read()
    total = (time.monotonic() - began) * 1000
    if answer.status != 200 or answer.headers["X-Amz-Function-Error"]:
        raise SystemExit(f"{name}: {body}")
    log = base64.b64decode(answer.headers["X-Amz-Log-Result"]).decode()
    ready = wait_until("its lines", lambda: [e for e in events(h, since) if e.get("function") == name and "init_us" in e], 5)[0]
    made = next(e for e in events(h, since) if e.get("event") == "sandbox ready" and e["sandbox"] == ready["sandbox"])
    phases = {"sandbox": made["total_us"] / 1000, "runtime_init": ready["init_us"] / 1000,
              "answer": float(re.search(r"\tDuration: ([\d.]+) ms", log)[1])}
    return {"all": total, "decision": total - sum(phases.values()), **phases, "cpu": cpu_ms(h, made["container"])}


def by_phase(h, docker, rounds):
    """C and Python, in each round beside the bare Python."""
    lam = h.client()
    c = {"bootstrap": (C_RUNTIME.read_bytes(), 0o755)}
    bare, rows = BareRuntime(docker, "hearth/python:3.13", {"app.py": PYTHON}, "app.handler"), {"c": [], "python": []}
    try:
        times = [bare.init() for _ in range(2)][:0]  # what it reads is in memory from now on, as ours is
        for i in range(rounds + 1):
            for kind, runtime, handler, files in (("c", "provided.al2023", "x", c), ("python", "python3.13", "app.handler", {"app.py": PYTHON})):
                create(lam, f"{kind}-{i}", runtime, handler, files)
                time.sleep(0.3)
                times.append(bare.init())
                rows[kind].append(first_answer(h, f"{kind}-{i}"))
                lam.delete_function(FunctionName=f"{kind}-{i}")
    finally:
        bare.close()
    base, base_cpu = (statistics.median(column) * 1000 for column in zip(*times))
    figure("bare_python_init", base, "ms")
    figure("bare_python_init_cpu", base_cpu, "ms")
    for kind, found in rows.items():
        for phase in found[0]:
            figure(f"first_answer_{kind}_{phase}", statistics.median(row[phase] for row in found[1:]), "ms")
    ours = statistics.median(row["all"] for row in rows["python"][1:])
    figure("first_answer_python", ours, "ms", "bare_python_init", ours / base)
    cpu = statistics.median(row["cpu"] for row in rows["python"][1:])
    figure("first_answer_python_cpu_against_bare", cpu, "ms", "bare_python_init_cpu", cpu / base_cpu)
    figure("first_answer_python_over_1_25_bare", ours - 1.25 * base, "ms")


class Crowd:
    """So many callers, each with a connection, who all ask at once."""

    def __init__(self, h, name, n, hold_ms):
        body = str(hold_ms).encode()
        self.request = (f"POST {path_of(name)} HTTP/1.1\r\nHost: {h.listen}\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
        host, _, port = h.listen.rpartition(":")
        self.peers = [socket.create_connection((host, int(port))) for _ in range(n)]

    def ask(self):
        for peer in self.peers:
            peer.sendall(self.request)

    def answers(self):
        with selectors.DefaultSelector() as selector:
            for peer in self.peers:
                selector.register(peer, selectors.EVENT_READ)
            left = len(self.peers)
            while left:
                ready = selector.select(120)
                if not ready:
                    raise SystemExit(f"{left} callers have no answer")
                for key, _ in ready:
                    text = key.fileobj.recv(65536)
                    if not text.startswith(b"HTTP/1.1 200") or b"function-error" in text.lower():
                        raise SystemExit(f"not answered: {text[:400]}")
                    selector.unregister(key.fileobj)
                    left -= 1
        for peer in self.peers:
            peer.close()


def ready_at(h, since, name):
    """Seconds since 1970 when each sandbox of the function had asked for its first event."""
    return [datetime.fromisoformat(e["time"].replace("Z", "+00:00")).timestamp() for e in events(h, since)
            if e.get("function") == name and e.get("event") == "ready"]


def at_once(h, name, n):
    """First invocations at once, each with a sandbox of its own: starts a second, until the last one's runtime is ready."""
    lam, since = h.client(), len(h.lines)
    create(lam, name, "provided.al2023", "x", {"bootstrap": ((BUILD / "bench/holding_runtime").read_bytes(), 0o755)})
    crowd = Crowd(h, name, n, 1000 + 40 * n)
    began = time.time()
    crowd.ask()
    crowd.answers()
    wait_until("their lines", lambda: len(ready_at(h, since, name)) >= n, 10)
    return n / (max(ready_at(h, since, name)) - began)


def idle_memory(h, name, before):
    """Of ours for each idle sandbox: PID 1, and what the programs have grown by."""
    found = native_functions(h.node, name)
    init = statistics.median(pss_kib(native_processes(h.node, s.partition("/")[2])[0]) for s in found)
    figure("idle_sandbox_init_pss", init, "KiB")
    whole = init
    for role in ROLES:
        grown = (pss_kib(h.pid(role)) - before[role]) / len(found)
        figure(f"idle_sandbox_{role}_pss", grown, "KiB")
        whole += grown
    figure(f"idle_sandbox_of_{len(found)}_ours", whole, "KiB", "1_MiB", whole / 1024)


def measure(docker, rounds, sizes, alive):
    folder = short_folder("hb-")
    h = Hearth(docker, folder, launcher="native", HEARTH_NODE_MEMORY=1 << 42, HEARTH_INVOKE_WAIT="2m").start()
    try:
        by_phase(h, docker, rounds)
        for i, n in enumerate(sizes):
            time.sleep(1.5)
            figure(f"first_invocations_at_once_{n}", at_once(h, f"crowd-{i}", n), "per_s")
            h.client().delete_function(FunctionName=f"crowd-{i}")
            wait_until("they are gone", lambda: not native_functions(h.node), 20)
        if alive:
            before = {role: pss_kib(h.pid(role)) for role in ROLES}
            figure(f"first_invocations_at_once_{alive}", at_once(h, "alive", alive), "per_s")
            time.sleep(2)
            idle_memory(h, "alive", before)
        h.close()
    finally:
        h.stop()
        remove_folder(folder)
