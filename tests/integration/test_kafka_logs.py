# SPDX-License-Identifier: Apache-2.0
"""Function logs and a real Kafka broker: nothing is lost, nothing is doubled, each function's lines keep
their order, whoever goes away in between.

The invoker's log module runs in a small program of its own (log_driver.c): child processes print
numbered lines, as functions do. The broker is Apache Kafka's own (kafka/broker.py).
"""
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from harness import BUILD, ROLE, SLOW, TOP, Hearth, remove_folder, run, short_folder, wait_until, zip_of

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "kafka"))
from broker import Broker, missing_tools  # noqa: E402

DRIVER, CONSUMER = BUILD / "tests/log-driver", BUILD / "tests/kafka-consumer"
AWAY_S = 30


@pytest.fixture(scope="session", autouse=True)
def tools():
    if missing_tools():
        pytest.skip(f"needs {missing_tools()} for a Kafka broker")
    sanitize = BUILD.name.removeprefix("san-").replace("-", ",") if BUILD.name.startswith("san-") else ""
    run("make", "-s", "-C", TOP, f"SANITIZE={sanitize}", f"BUILD={BUILD}", "log-tools")


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    b = Broker(tmp_path_factory.mktemp("kafka")).start()
    yield b
    b.stop()
    shutil.rmtree(b.folder, ignore_errors=True)


class Driver:
    """One run of log-driver on a folder; its counters are the last line that it printed."""

    def __init__(self, folder, **settings):
        self.folder = folder
        argv = [DRIVER, f"folder={folder}"] + [f"{k}={v}" for k, v in settings.items()]
        self.errors = open(folder.parent / "driver.log", "ab+")
        self.process = subprocess.Popen([str(a) for a in argv], stdout=subprocess.PIPE, text=True,
                                        stderr=self.errors)
        self.counters = {}
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            try:
                self.counters = json.loads(line)
            except ValueError:
                pass  # cut off by kill -9

    def wait_for(self, what, condition, seconds=30):
        def look():
            assert self.process.poll() is None, self.log()
            return self.counters and condition(self.counters)

        wait_until(what, look, seconds)

    def finish(self, seconds):
        """Waits for its end, and returns the final counters."""
        assert self.process.wait(seconds * SLOW) == 0, self.log()
        self.thread.join(10)
        assert self.counters["done"]
        return self.counters

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.thread.join(10)

    def log(self):
        self.errors.seek(0)
        return self.errors.read().decode()[-4000:]


class Record:
    """What a reader needs of one record; `id` names it for ever."""

    def __init__(self, json_text):
        r = json.loads(json_text)
        self.id = (r["node"], r["epoch"], r["seq"])
        self.function = r["function"]
        self.account = r["account"]
        word, text, self.number = r["message"].split(" ")[:3]
        self.number = int(self.number) if word == r["function"] and text == "line" else -1
        self.request_id = r["request_id"]


def consume(broker, topic):
    """All records of a topic as [(partition, offset, key, Record)], in the order of each partition."""
    out = run(CONSUMER, broker.bootstrap, topic, timeout=120).stdout
    rows = [line.split("\t", 3) for line in out.splitlines()]
    return [(int(p), int(o), k, Record(v)) for p, o, k, v in rows]


def in_spool(folder):
    """The ids of all whole records in the segment files."""
    ids = set()
    for path in sorted(folder.glob("*.log")):
        data = path.read_bytes()
        for line in data[:data.rfind(b"\n") + 1].splitlines():
            ids.add(Record(line).id)
    return ids


def check_exactly_once(rows, functions, lines):
    ids = [r.id for _, _, _, r in rows]
    assert len(ids) == functions * lines, "lost or doubled"
    assert len(set(ids)) == len(ids), "doubled"
    for f in range(functions):
        mine = [(p, k, r) for p, _, k, r in rows if r.function == f"f{f}"]
        assert [r.number for _, _, r in mine] == list(range(lines)), f"f{f}: lost, doubled or out of order"
        assert len({p for p, _, _ in mine}) == 1
        assert {k for _, k, _ in mine} == {f"000000000000:f{f}"}
        assert {r.request_id for _, _, r in mine} == {f"00000000-0000-4000-8000-{f:012}"}


def test_lines_arrive_once_and_in_order(broker, tmp_path):
    c = Driver(tmp_path / "spool", brokers=broker.bootstrap, topic="plain", functions=5, lines=20000).finish(60)
    assert (c["lines"], c["shipped"], c["resent"], c["dropped"]) == (100000, 100000, 0, 0)
    check_exactly_once(consume(broker, "plain"), 5, 20000)


def test_a_broker_that_is_killed_and_away_for_30_s_costs_nothing(broker, tmp_path):
    lines = 300 * 45
    d = Driver(tmp_path / "spool", brokers=broker.bootstrap, topic="outage", functions=6, lines=lines,
               rate=300, close_s=120)
    d.wait_for("lines arrive", lambda c: c["shipped"] > 3000)
    broker.kill()
    began = time.monotonic()
    before = d.counters["shipped"]
    time.sleep(AWAY_S)  # the outage itself
    assert d.counters["shipped"] - before < 3000, "the broker was not away"
    assert d.counters["unshipped_bytes"] > 1000000, "the spool did not grow"
    assert d.counters["is_blocked"] is False
    broker.start()
    away = time.monotonic() - began
    c = d.finish(180)
    assert (c["lines"], c["unshipped_bytes"], c["dropped"], c["undeliverable"]) == (6 * lines, 0, 0, 0)
    check_exactly_once(consume(broker, "outage"), 6, lines)
    print(f"broker away {away:.1f} s, {c['lines']} lines, {c['resent']} sent again")


def test_the_spool_at_its_ceiling_makes_functions_wait_not_lose(tmp_path):
    b = Broker(tmp_path / "kafka")  # not started yet: nothing listens on its port
    d = Driver(tmp_path / "spool", brokers=b.bootstrap, topic="late", functions=3, lines=20000,
               spool_bytes=1 << 20, segment_bytes=1 << 18, close_s=120)
    d.wait_for("reading stops", lambda c: c["is_blocked"] and c["memory_bytes"] == 0)
    read = d.counters["bytes_read"]
    time.sleep(1)
    assert d.counters["bytes_read"] == read < 3 * 20000 * 100
    # the ceiling, and what waited in memory (8 MiB and a batch) when it was reached
    assert d.counters["unshipped_bytes"] < 10 << 20
    try:
        b.start()
        c = d.finish(180)
        assert (c["lines"], c["shipped"], c["dropped"]) == (60000, 60000, 0)
        check_exactly_once(consume(b, "late"), 3, 20000)
    finally:
        b.stop()


def test_a_writer_that_is_killed_loses_nothing_that_was_in_the_spool(broker, tmp_path):
    spool = tmp_path / "spool"
    first = Driver(spool, brokers=broker.bootstrap, topic="crash", functions=4, lines=1 << 30, rate=2000)
    first.wait_for("lines arrive", lambda c: c["shipped"] > 20000)
    broker.kill()  # so that there is something in the spool that Kafka has not got
    shipped = first.counters["shipped"]
    first.wait_for("the spool grows", lambda c: c["lines"] > shipped + 20000)
    first.kill()
    with open(max(spool.glob("*.log")), "ab") as newest:
        newest.write(b'{"time":17,"seq":99')  # a write that power or the kernel cut short
    was_in_spool = in_spool(spool)
    assert len(was_in_spool) > shipped + 15000
    broker.start()

    Driver(spool, brokers=broker.bootstrap, topic="crash", functions=4, lines=5000, first=1 << 40).finish(90)
    rows = consume(broker, "crash")
    arrived = [r.id for _, _, _, r in rows]
    assert was_in_spool <= set(arrived), "lost"
    assert in_spool(spool) == set(arrived)
    seqs = sorted(seq for _, _, seq in set(arrived))
    assert seqs == list(range(1, len(seqs) + 1)), "a seq is missing or was used twice"
    assert {epoch for _, epoch, _ in arrived} == {1, 2}
    # What comes twice is the same record, and dropping it by its id gives every function's lines in order.
    seen, order = set(), {}
    for _, _, _, r in rows:
        if r.id not in seen:
            seen.add(r.id)
            order.setdefault(r.function, []).append(r.number)
    for numbers in order.values():
        old = [n for n in numbers if n < 1 << 40]
        new = [n for n in numbers if n >= 1 << 40]
        assert old == list(range(len(old))) and new == list(range(1 << 40, (1 << 40) + 5000))
        assert numbers == old + new
    print(f"{len(was_in_spool)} in the spool at the kill, {len(arrived) - len(seen)} came twice")


def test_a_clean_restart_doubles_nothing(broker, tmp_path):
    spool = tmp_path / "spool"
    Driver(spool, brokers=broker.bootstrap, topic="restart", functions=3, lines=7000).finish(60)
    Driver(spool, brokers=broker.bootstrap, topic="restart", functions=3, lines=7000, first=7000).finish(60)
    check_exactly_once(consume(broker, "restart"), 3, 14000)


APP = "def handler(e, c):\n  print('function line', e['n'])\n  return c.aws_request_id\n"


def test_a_functions_lines_reach_kafka_through_all_of_hearth_with_the_broker_away(images, broker):
    """Three hundred invocations, a third of them while the broker is away for 30 s: each is there once, whole."""
    folder = short_folder("hearth-kafka-")
    h = Hearth(images, folder, HEARTH_KAFKA_BROKERS=broker.bootstrap, HEARTH_KAFKA_TOPIC="functions").start()
    try:
        lam = h.client()
        for name in ("left", "right"):
            lam.create_function(FunctionName=name, Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=30,
                                Code={"ZipFile": zip_of({"app.py": APP})})
            lam.get_waiter("function_active_v2").wait(FunctionName=name)

        def call(count):
            return [(name, n, json.load(lam.invoke(FunctionName=name, Payload=json.dumps({"n": n}))["Payload"]))
                    for n in range(count) for name in ("left", "right")]
        called = call(50)
        broker.kill()
        began = time.monotonic()
        called += call(50)
        time.sleep(max(0, AWAY_S - (time.monotonic() - began)))
        called += call(10)
        broker.start()
        called += call(40)

        def records():
            out = run(CONSUMER, broker.bootstrap, "functions", timeout=120).stdout
            return [json.loads(line.split("\t", 3)[3]) for line in out.splitlines()]
        wait_until("all has arrived", lambda: sum(r["message"].startswith("REPORT ") for r in records()) >= len(called), 60, every=1)
        h.close()  # what was in memory is shipped before it ends
        rows = records()
        ids = [(r["node"], r["epoch"], r["seq"]) for r in rows]
        assert len(ids) == len(set(ids)), "doubled"
        for name, n, request_id in called:
            mine = [r for r in rows if r["request_id"] == request_id]
            assert [r["message"].split(" ")[0] for r in mine] == ["START", "function", "END", "REPORT"], mine
            assert mine[1]["message"] == f"function line {n}" and mine[1]["stream"] == "stdout"
            assert all(r["function"] == name and r["version"] == "$LATEST" and r["sandbox"] and r["time"] for r in mine)
    finally:
        for c in images.sandboxes(h.node):
            images("rm", "-f", c, check=False)
        if h.process.poll() is None:
            h.stop()
        remove_folder(folder)
