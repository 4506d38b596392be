# SPDX-License-Identifier: Apache-2.0
"""What freezing costs: the same calls, pairwise, to a Hearth that freezes idle functions and to one that does not.

`spaced` calls come after each grace, so that each finds a frozen function; `in a row` ones find none. CPU is that of invoker and sandbox
together. Prints figure=... lines. Run by `make bench-freezing`.
"""
import argparse
import http.client
import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from bench import cpu_us, figure  # noqa: E402
from harness import C_RUNTIME, LAUNCHERS, ROLE, Docker, Hearth, remove_folder, short_folder, wait_until, zip_of  # noqa: E402

FUNCTIONS = {
    "c": ("provided.al2023", {"bootstrap": (C_RUNTIME.read_bytes(), 0o755)}),
    "python": ("python3.13", {"app.py": "def handler(event, context):\n    return event\n"}),
    "node": ("nodejs20.x", {"app.js": "exports.handler = async (event) => event;\n"}),
}
GRACE_MS = 100


class Caller:
    """One function of one Hearth, called over one connection."""

    def __init__(self, hearth, name):
        self.hearth, self.name = hearth, name
        self.host = http.client.HTTPConnection(hearth.listen)
        self.call()
        found = wait_until("its sandbox is found", lambda: hearth.sandboxes(name), 5)
        self.pids = [hearth.pid("hearth-invoker"), *hearth.sandbox_pids(found[0])]

    def call(self):
        began = time.perf_counter()
        self.host.request("POST", f"/2015-03-31/functions/{self.name}/invocations", '{"n":1}')
        answer = self.host.getresponse()
        body = answer.read()
        assert answer.status == 200 and not answer.getheader("X-Amz-Function-Error"), body
        return (time.perf_counter() - began) * 1e6


def rounds(callers, warm_ups, count, pause_s):
    """Latencies and CPU of each call, us; the callers take turns, so that both have the same machine."""
    latency, before = {k: [] for k in callers}, {k: cpu_us(c.pids) for k, c in callers.items()}
    keys = list(callers)
    for _ in range(count):
        for key in keys:
            time.sleep(pause_s)
            if pause_s:
                warm_ups[key].call()  # gateway, invoker, client
            latency[key].append(callers[key].call())
        keys.reverse()
    return {k: (statistics.median(latency[k]), (cpu_us(c.pids) - before[k]) / count) for k, c in callers.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--calls", type=int, default=60)
    a = p.parse_args()
    docker = Docker(os.environ["DOCKER_HOST"])
    for launcher in LAUNCHERS:
        hearths, folders = {}, []
        try:
            for key, after in (("off", "0s"), ("on", f"{GRACE_MS}ms")):
                folders.append(short_folder("hearth-b-"))
                hearths[key] = Hearth(docker, folders[-1], launcher=launcher, HEARTH_FREEZE_AFTER=after).start()
                lam = hearths[key].client()
                for name, (runtime, files) in {**FUNCTIONS, "other": FUNCTIONS["c"]}.items():
                    lam.create_function(FunctionName=name, Role=ROLE, Runtime=runtime, Handler="app.handler", MemorySize=1769,
                                        Code={"ZipFile": zip_of(files)})
                    lam.get_waiter("function_active_v2").wait(FunctionName=name)
            for name in FUNCTIONS:
                callers = {key: Caller(h, name) for key, h in hearths.items()}
                warm_ups = {key: Caller(h, "other") for key, h in hearths.items()}
                for kind, count, pause_s in (("in_a_row", a.calls * 10, 0), ("spaced", a.calls, 3 * GRACE_MS / 1000)):
                    found = rounds(callers, warm_ups, count, pause_s)
                    for i, what in enumerate(("latency", "cpu")):
                        off, on = found["off"][i], found["on"][i]
                        figure(f"freezing_{launcher}_{name}_{kind}_{what}", on, "us", f"never frozen: {off:.0f} us", on / off)
                    if kind == "spaced":
                        # the invoker freezes and thaws two: that of the warm-up, too
                        figure(f"freezing_{launcher}_{name}_freeze_and_thaw_cpu", (found["on"][1] - found["off"][1]) / 2, "us")
        finally:
            for h in hearths.values():
                h.close()
            for folder in folders:
                remove_folder(folder)


main()
