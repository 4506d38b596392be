# SPDX-License-Identifier: Apache-2.0
"""What a function costs when there are very many of them: create, get and a page of the list at 1,000, 10,000 and
100,000 functions; flat means within twice the first. CPU time is the controller's and Redis' own.

All functions have the same archive and are created through the API, most of them over many connections at once.
"""
import argparse
import base64
import http.client
import json
import os
import pathlib
import statistics
import sys
import threading
import time

from bench import ROLE, TOP, Docker, Hearth, cpu_us, figure, running, short_folder, wait_until, zip_of

sys.path.insert(0, str(TOP / "tests/faults"))
from world import PREFIX, World  # noqa: E402

SIZES = (1_000, 10_000, 100_000)
FN = "/2015-03-31/functions"


class Api:
    """One keep-alive connection, without an SDK's cost. Hearth asks for no signature unless it is told to."""

    def __init__(self, h):
        host, port = h.listen.split(":")
        self.c = http.client.HTTPConnection(host, int(port), timeout=120)

    def __call__(self, method, path, body=None, expect=200):
        self.c.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        r = self.c.getresponse()
        text = r.read()
        assert r.status == expect, (method, path, r.status, text[:500])
        return json.loads(text) if text else None


def name_of(i):
    return f"fn-{i * 7919 % 1_000_003:07d}"  # not in order of creation


def create(api, i, archive):
    api("POST", FN, {"FunctionName": name_of(i), "Role": ROLE, "Runtime": "python3.13", "Handler": "app.handler",
                     "Environment": {"Variables": {"STAGE": "production", "TABLE": name_of(i)}}, "Code": {"ZipFile": archive}}, 201)


def fill(h, first, last, archive, connections=12):
    """Creates functions first..last-1."""
    left = iter(range(first, last))
    lock = threading.Lock()
    errors = []

    def work():
        api = Api(h)
        try:
            while True:
                with lock:
                    i = next(left, None)
                if i is None:
                    return
                create(api, i, archive)
        except BaseException as e:  # noqa: BLE001
            errors.append(e)
    threads = [threading.Thread(target=work) for _ in range(connections)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


def redis_memory(h):
    info = World(h).ask("INFO", "memory")
    return int(next(v for v in info.split() if v.startswith("used_memory:")).split(":")[1])


def controller_memory(h):
    return int(pathlib.Path(f"/proc/{h.pid('hearth-controller')}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def settle(h):
    wait_until("changes are over", lambda: World(h).ask("SCARD", PREFIX + "changes") == 0, 600, 0.2)


def measure(h, times, job, sets_going=False):
    """Median milliseconds, and microseconds of CPU of controller and Redis, of job(i) and of what it sets going."""
    pids = [h.pid("hearth-controller")], [h.pid("redis-server")]
    before = [cpu_us(p) for p in pids]
    took = []
    for i in range(times):
        start = time.perf_counter()
        job(i)
        took.append((time.perf_counter() - start) * 1000)
    if sets_going:
        settle(h)
    cpu = [(cpu_us(p) - b) / times for p, b in zip(pids, before)]
    return statistics.median(took), cpu[0], cpu[1]


def page_in_the_middle(api):
    """The path of a page that is not the first."""
    page = api("GET", f"{FN}?MaxItems=50")
    for _ in range(3):
        path = f"{FN}?MaxItems=50&Marker={page['NextMarker'].replace('=', '%3D')}"
        page = api("GET", path)
    return path


def restarted(h):
    """Milliseconds from the end of the controller by kill -9 to the next good answer."""
    h.kill("hearth-controller")
    start = time.perf_counter()

    def answers():
        try:
            return Api(h)("GET", f"{FN}?MaxItems=1")
        except (AssertionError, OSError):
            return None
    wait_until("it answers again", answers, 60, 0.01)
    return (time.perf_counter() - start) * 1000


def at_size(h, size, archive):
    api = Api(h)
    names = [name_of(i * (size // 500)) for i in range(500)]
    path = page_in_the_middle(api)

    def further(i):
        return name_of(900_000 + i)
    return {
        "create": measure(h, 200, lambda i: create(api, 900_000 + i, archive), True),
        "update": measure(h, 200, lambda i: api("PUT", f"{FN}/{further(i)}/configuration", {"MemorySize": 256}), True),
        "get": measure(h, 1000, lambda i: api("GET", f"{FN}/{names[i % len(names)]}")),
        "page_of_50": measure(h, 300, lambda i: api("GET", path)),
        "delete": measure(h, 200, lambda i: api("DELETE", f"{FN}/{further(i)}", expect=204)),
    }


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--most", type=int, default=SIZES[-1], help="functions at most")
    a = p.parse_args()
    archive = base64.b64encode(zip_of({"app.py": "def handler(e, c): return e"})).decode()
    base = {}
    with running(Hearth(Docker(os.environ["DOCKER_HOST"]), short_folder("hf-"), HEARTH_LOG_LEVEL="warn")) as h:
        there, empty = 0, redis_memory(h)
        for size in [s for s in SIZES if s <= a.most]:
            start = time.monotonic()
            fill(h, there, size, archive)
            rate = (size - there) / (time.monotonic() - start)
            settle(h)
            there = size
            figure(f"functions_{size}_created_per_second", rate, "/s")
            figure(f"functions_{size}_redis_memory_each", (redis_memory(h) - empty) / size, "bytes")
            figure(f"functions_{size}_controller_memory", controller_memory(h) / 2**20, "MiB")
            for what, (ms, controller, server) in at_size(h, size, archive).items():
                base.setdefault(what, (ms, controller, server))
                for kind, value, unit, first in (("latency", ms, "ms", base[what][0]), ("controller_cpu", controller, "us", base[what][1]),
                                                 ("redis_cpu", server, "us", base[what][2])):
                    figure(f"functions_{size}_{what}_{kind}", value, unit, f"{SIZES[0]}_functions", value / first)
            figure(f"functions_{size}_controller_back_after_kill", restarted(h), "ms")


if __name__ == "__main__":
    main()
