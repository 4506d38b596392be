# SPDX-License-Identifier: Apache-2.0
"""The invoker's part of the permits, on real sandboxes, between a controller and gateways that the test plays: whom it
runs for, what it says of what it runs, and that nothing runs when it must not."""
import contextlib
import signal
import threading
import time

import pytest

from harness import LAUNCHER, SLOW, wait_until
from link_peer import Refused, connect
from test_versions import ACCOUNT, Node
from traces import processes_in

A, B = "gateway-a.1", "gateway-b.1"
SLEEPS = """
import time
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return "done"
"""


class Fenced(Node):
    """A controller that knows permits: what it answers is in @alive, what it was told in @told."""

    def __init__(self, docker, nodes=1, **settings):
        self.settings = settings
        self.alive, self.told, self.left, self.incarnations = {"nodes": nodes, "fence_ms": 60000}, [], [], []
        self.number = 0
        super().__init__(docker)
        self.publish("sleeps", "$LATEST", 1, {"app.py": SLEEPS})

    def start(self):
        self.env.update(self.settings)
        super().start()

    def serve(self, method, args, body):
        if method == "node.register":
            self.incarnations.append(args["incarnation"])
            self.left.append(self.sandboxes("sleeps", "$LATEST"))
        if method in ("node.register", "node.alive") and self.alive is not None:
            self.asked.append(method)
            return dict(self.alive), b""
        if method == "node.alive":
            raise Refused("UNAVAILABLE", "not now")
        if method == "permits.orphans":
            self.told.append(args)
            return {}, b""
        return super().serve(method, args, body)

    def fence(self, epoch, *gateways, term=1):
        self.number += 1
        return self.controller.link.call("permits.fence", term=term, number=self.number, epoch=epoch, gateways=gateways)[0]

    def run(self, epoch, gateway=A, sleep=0, pool="*", **kw):
        payload = b'{"sleep": %f}' % sleep
        kw.setdefault("name", "sleeps")
        return self.invoke(version="$LATEST", generation=1, epoch=epoch, gateway=gateway, pool=pool, payload=payload, **kw)

    def begin(self, epoch, **kw):
        """Runs it beside the test; its result is in a list once it is there."""
        results = []

        def run():
            with contextlib.suppress(Refused):  # its invoker may be killed
                results.append(self.run(epoch, **kw))
        threading.Thread(target=run, daemon=True).start()
        return results

    def processes(self, sandboxes):
        """Of these that an engine, or the launcher, made: its list may be behind."""
        return processes_in(tuple(f"{s}{end}" for s in sandboxes for end in ("", ".scope")))

    def made(self):
        """The sandboxes in which it runs, by names that their cgroups have."""
        return self.sandboxes("sleeps", "$LATEST") if LAUNCHER == "native" else self.docker.sandboxes(self.id)


@pytest.fixture
def node(images):
    n = Fenced(images)
    yield n
    n.close()


def refusal(result):
    assert result.outcome == 2, result.body
    return result.refused


def test_it_runs_for_those_that_it_has_heard_of(node):
    assert refusal(node.run(7)) == "UNAVAILABLE"  # no controller has said anything
    answer = node.fence(7, A)
    assert answer["orphans"] == [] and answer["incarnation"] == node.incarnations[-1]
    assert node.run(7).json == "done"
    assert refusal(node.run(6)) == "FENCED"
    assert refusal(node.run(7, gateway=B)) == "UNAVAILABLE"
    assert refusal(node.run(8)) == "UNAVAILABLE"
    node.fence(7, A, B)
    assert node.run(7, gateway=B).json == "done"
    with pytest.raises(Refused, match="STALE: epoch 7"):
        node.fence(6, A)
    node.fence(8, A, term=2)
    with pytest.raises(Refused, match="STALE: term 2"):
        node.fence(9, A)
    assert refusal(node.run(7)) == "FENCED"


def test_a_node_that_cannot_keep_the_epoch_is_away_until_it_can(node):
    """Else it would be waited for for ever: it is there, and never answers."""
    node.fence(7, A)
    kept, link, registered = node.folder / "data/invoker/epoch", node.controller.link, len(node.incarnations)
    assert kept.read_text() == "1 7\n"
    kept.unlink()
    kept.mkdir()  # as good as a full disk, for root too
    with pytest.raises(Refused):
        node.fence(8, A)
    wait_until("its link is cut", link.closed.is_set, 5)
    time.sleep(2.5)
    assert len(node.incarnations) == registered and "node.alive" not in node.asked[-2:]
    kept.rmdir()
    wait_until("it registers again", lambda: len(node.incarnations) > registered, 10)
    assert kept.read_text() == "1 8\n" and node.incarnations[-1] == node.incarnations[-2]
    node.fence(8, A)
    assert node.run(8).json == "done"


def counts(message):
    return {(o["account"], o["pool"]): o["count"] for o in message["orphans"]}


def test_what_runs_of_others_is_told_until_it_has_ended(node):
    node.fence(7, A, B)
    assert node.run(7).json == "done"
    first, second = node.begin(7, sleep=3, request_id="first"), node.begin(7, gateway=B, sleep=2, pool="f:1", request_id="second")
    wait_until("both run", lambda: len(node.sandboxes("sleeps", "$LATEST")) == 2)
    wait_until("they are counted", lambda: set(node.gateway.call("runs.alive", gateway=B, requests=["second", "x"])[0]["requests"]) == {"second"})
    given_up = node.fence(7, A)
    assert counts(given_up) == {(ACCOUNT, "f:1"): 1}
    new_epoch = node.fence(8, A)
    assert counts(new_epoch) == {(ACCOUNT, "f:1"): 1, (ACCOUNT, "*"): 1} and new_epoch["seq"] > given_up["seq"]
    assert refusal(node.run(7)) == "FENCED"
    wait_until("both are answered", lambda: first and second)
    assert first[0].json == second[0].json == "done", "what runs goes on"
    wait_until("nothing is left", lambda: node.told and counts(node.told[-1]) == {})
    seqs = [new_epoch["seq"]] + [t["seq"] for t in node.told]
    assert seqs == sorted(set(seqs)) and all(t["incarnation"] == node.incarnations[-1] for t in node.told)
    assert node.gateway.call("runs.alive", gateway=A, requests=["first"])[0]["requests"] == []


def run_on_a_short_lease(node):
    """(results of one that runs, the sandboxes that were made)"""
    node.alive["fence_ms"] = int(2000 * SLOW)
    node.process.send_signal(signal.SIGKILL)  # the next one hears of the short time as it registers
    node.process.wait()
    node.start()
    node.fence(7, A)
    assert node.run(7).json == "done"
    running = node.begin(7, sleep=15)
    wait_until("it runs", lambda: node.sandboxes("sleeps", "$LATEST"))
    time.sleep(0.5)
    made = node.made()
    assert node.processes(made)
    return running, made


def test_what_runs_does_not_outlive_the_lease_of_an_invoker_that_stands_still(node):
    running, made = run_on_a_short_lease(node)
    registered = len(node.incarnations)
    node.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        wait_until("it is ended", lambda: not node.processes(made), 10, 0.001)
        assert 1.5 * SLOW < time.monotonic() - began < 2.2 * SLOW + 0.3, "a tenth after the lease it counts as dead"
        assert not running
    finally:
        node.process.send_signal(signal.SIGCONT)
    wait_until("it registers anew", lambda: len(node.incarnations) > registered)
    wait_until("nobody is told that it was done", lambda: running)
    assert running[0].outcome != 0 or running[0].json != "done"
    node.fence(7, A)
    wait_until("it runs again", lambda: node.run(7).outcome == 0)


def test_without_a_controller_nothing_runs(node):
    running, made = run_on_a_short_lease(node)
    registered, node.alive = len(node.incarnations), None
    began = time.monotonic()
    wait_until("it is ended", lambda: running, 10, 0.001)
    left = node.processes(made)
    assert 1 * SLOW < time.monotonic() - began < 3.5 * SLOW
    assert refusal(running[0]) == "INTERNAL"
    assert not left, "it was answered before it had ended"
    assert refusal(node.run(7)) == "UNAVAILABLE"
    node.alive = {"nodes": 1, "fence_ms": 60000}
    wait_until("it registers anew, over another link", lambda: len(node.incarnations) > registered)
    assert node.incarnations[-1] == node.incarnations[-2]
    assert refusal(node.run(7)) == "UNAVAILABLE"  # until it has heard who may
    assert node.fence(7, A)["orphans"] == []
    wait_until("it runs again", lambda: node.run(7).outcome == 0)


@pytest.mark.parametrize("rivals", [False, True], ids=["one controller", "several"])
def test_a_leader_that_redis_does_not_confirm_renews_no_lease_where_another_may_lead(node, rivals):
    if rivals:
        node.env["HEARTH_CONTROLLER"] += f",unix:{node.folder}/second.sock"
    running, made = run_on_a_short_lease(node)
    node.alive["leads_ms"] = 60000
    if rivals:
        wait_until("it is ended", lambda: running, 10, 0.01)
        assert not node.processes(made) and refusal(node.run(7)) == "UNAVAILABLE"
        return
    time.sleep(3 * SLOW)
    assert not running and node.processes(made)


def test_a_controller_of_the_version_before_fences_nobody(node):
    def serve(method, args, body):
        if method in ("node.alive", "permits.orphans"):
            node.asked.append(method)
            raise Refused("NO_OPERATION", method)
        return Node.serve(node, method, args, body)
    node.controller.serve = serve
    node.controller.link.close()
    wait_until("it asks the other one", lambda: "node.alive" in node.asked[node.asked.index("node.register") + 1:])
    wait_until("it runs for whoever comes", lambda: node.run(3).outcome == 0)
    assert node.run(5, gateway=B).json == "done"


def test_an_older_link_of_the_same_gateway_is_cut(node):
    first = connect(node.folder / "invoker.sock", "gateway", node.serve, "the-same")
    other = connect(node.folder / "invoker.sock", "gateway", node.serve, "another")
    second = connect(node.folder / "invoker.sock", "gateway", node.serve, "the-same")
    assert first.closed.wait(10)
    assert second.call("runs.alive", gateway=A, requests=[])[0] == {"requests": []}
    assert other.call("runs.alive", gateway=A, requests=[])[0] == {"requests": []}
    other.close()
    second.close()


def test_a_process_registers_when_what_the_one_before_left_has_ended(node):
    node.fence(7, A)
    node.begin(7, sleep=15)
    wait_until("it runs", lambda: node.sandboxes("sleeps", "$LATEST"))
    node.process.send_signal(signal.SIGKILL)
    node.process.wait()
    node.start()
    assert node.left[-1] == [], "it registered beside what ran of its node"
    assert node.incarnations[-1] != node.incarnations[-2]
    with pytest.raises(Refused, match="STALE: epoch 7"):  # which the one before had heard
        node.fence(6, A)
    node.fence(7, A)
    assert node.run(7).json == "done"


@pytest.fixture
def slow_node(images):
    """One of two nodes, where a function may begin four environments in 10 s: two here, and another one each 5 s."""
    n = Fenced(images, nodes=2, HEARTH_SCALING_RATE="4")
    yield n
    n.close()


def test_a_function_grows_at_its_share_of_the_rate(slow_node):
    node = slow_node
    node.fence(7, A)
    node.publish("other", "$LATEST", 1, {"app.py": SLEEPS})
    assert node.run(7).json == "done"  # one
    began = time.monotonic()
    running = [node.begin(7, sleep=8), node.begin(7, sleep=8)]
    wait_until("two run", lambda: len(node.sandboxes("sleeps", "$LATEST")) == 2)
    throttled = node.run(7, wait_ms=500)
    assert refusal(throttled) == "THROTTLED" and "scaling_rate" in throttled.message
    assert node.run(7, name="other").json == "done", "another function has its own rate"
    assert not any(running) and len(node.sandboxes("sleeps", "$LATEST")) == 2
    assert node.run(7, wait_ms=30000).json == "done"
    assert time.monotonic() - began > 2 and not any(running), "it had a third one, when that was due"
    wait_until("all have ended", lambda: all(running))
