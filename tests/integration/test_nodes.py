# SPDX-License-Identifier: Apache-2.0
"""Several nodes of different sizes behind one gateway: who gets what, and what happens when one fills up, drains, dies or falls silent."""
import concurrent.futures
import json
import signal
import threading
import time

import pytest

from harness import LAUNCHERS, ROLE, Hearth, Node, remove_folder, short_folder, wait_until, zip_of

APP = """
import time
born = time.time()
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return {"born": born}
"""


class Nodes:
    def __init__(self, hearth, b):
        self.hearth, self.b = hearth, b
        self.lam = hearth.client(connections=100)

    def make(self, name, **kw):
        self.lam.create_function(FunctionName=name, Role=ROLE, Code={"ZipFile": zip_of({"app.py": APP + f"# {name}\n"})},
                                 Runtime="python3.11", Handler="app.handler", **{"Timeout": 30, **kw})
        self.lam.get_waiter("function_active_v2").wait(FunctionName=name)

    def call(self, name, **event):
        """When its sandbox began; None: it failed."""
        qualifier = event.pop("qualifier", None)
        try:
            a = self.lam.invoke(FunctionName=name, Payload=json.dumps(event), **({"Qualifier": qualifier} if qualifier else {}))
        except self.lam.exceptions.ServiceException:
            return None
        r = json.load(a["Payload"])
        assert "FunctionError" not in a, r
        return r["born"]

    def at_once(self, name, n, **event):
        with concurrent.futures.ThreadPoolExecutor(n) as pool:
            return list(pool.map(lambda _: self.call(name, **event), range(n)))

    def counts(self, name):
        """Sandboxes on the node of `hearth up`, and on the other one."""
        return len(self.hearth.sandboxes(name)), len(self.b.sandboxes(name))

    def listed(self):
        return [n["id"] for n in self.hearth.healthy()["nodes"]]

    def delete(self, name):
        self.lam.delete_function(FunctionName=name)
        wait_until("its sandboxes are gone", lambda: self.counts(name) == (0, 0))
        # its memory is free again, as the gateway knows it
        wait_until("memory is free", lambda: all(n["free_mib"] == n["memory_mib"] for n in self.hearth.healthy()["nodes"]), 10)


@pytest.fixture(scope="module")
def nodes(images):
    folder = short_folder("hn-")
    settings = dict(HEARTH_INVOKE_WAIT="20s", HEARTH_EGRESS="off", HEARTH_BLANK_SANDBOXES="0")
    h = Hearth(images, folder, launcher=LAUNCHERS[-1], HEARTH_NODE_MEMORY="1G", **settings).start()
    b = Node(h, "b", HEARTH_NODE_MEMORY="512M")
    try:
        yield Nodes(h, b.start())
    finally:
        try:
            b.close()
        finally:
            h.close()
            remove_folder(folder)


@pytest.fixture
def fn(nodes, request):
    name = request.node.name.replace("test_", "")[:40]

    def make(**kw):
        nodes.make(name, **kw)
        return name
    yield make
    if nodes.b.process.poll() is not None:
        nodes.b.start()
    nodes.delete(name)


class Caller:
    """Clients that call again and again until they are told to stop."""

    def __init__(self, nodes, name, clients, **event):
        self.over, self.good, self.bad, self.slow = threading.Event(), 0, 0, 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(nodes, name, event)) for _ in range(clients)]
        for t in self.threads:
            t.start()

    def _run(self, nodes, name, event):
        while not self.over.is_set():
            begin = time.monotonic()
            born = nodes.call(name, **event)
            with self.lock:
                self.good += born is not None
                self.bad += born is None
                self.slow += time.monotonic() - begin > 8  # it hung somewhere

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join()


def test_warm_sandboxes_are_used_on_whichever_node(nodes, fn):
    name = fn(MemorySize=256)
    born = set(nodes.at_once(name, 4, sleep=3))
    assert len(born) == 4
    a, b = nodes.counts(name)
    assert (a + b, b) in ((4, 1), (4, 2)), (a, b)  # of 1,024 and 512 MB
    for _ in range(5):
        assert set(nodes.at_once(name, 4, sleep=0.3)) <= born
    for _ in range(20):
        assert nodes.call(name) in born
    assert sum(nodes.counts(name)) == 4


def test_a_full_node_overflows_to_the_other(nodes, fn):
    name = fn(MemorySize=512)
    begin = time.monotonic()
    assert len(set(nodes.at_once(name, 3, sleep=2))) == 3
    assert nodes.counts(name) == (2, 1)
    # more than all nodes have room for wait for one that is done, wherever that is
    began = nodes.at_once(name, 6, sleep=1)
    assert None not in began and len(set(began)) == 3
    assert time.monotonic() - begin < 15
    assert nodes.counts(name) == (2, 1)


def test_a_function_larger_than_one_node_runs_on_the_other(nodes, fn):
    name = fn(MemorySize=768)
    for _ in range(3):
        assert nodes.call(name)
    assert nodes.counts(name) == (1, 0)
    with pytest.raises(nodes.lam.exceptions.TooManyRequestsException, match="more than this node has"):
        nodes.lam.update_function_configuration(FunctionName=name, MemorySize=2048)
        nodes.lam.get_waiter("function_updated_v2").wait(FunctionName=name)
        nodes.call(name)


def test_idle_sandboxes_of_others_make_room(nodes, fn):
    name = fn(MemorySize=512)
    nodes.make("other", MemorySize=512)
    assert len(set(nodes.at_once("other", 3, sleep=1))) == 3
    began = nodes.at_once(name, 3, sleep=1)
    assert None not in began and len(set(began)) == 3
    assert sum(nodes.counts("other")) == 0
    nodes.lam.delete_function(FunctionName="other")


def test_sigterm_drains_a_node_and_nothing_is_lost(nodes, fn):
    name = fn(MemorySize=128)
    caller = Caller(nodes, name, 6, sleep=0.2)
    wait_until("both are used", lambda: all(nodes.counts(name)))
    time.sleep(1)
    nodes.b.signal(signal.SIGTERM)
    assert nodes.b.process.wait(30) == 0
    wait_until("it is off the list", lambda: nodes.b.node not in nodes.listed(), 5)
    time.sleep(0.5)
    nodes.b.start()
    time.sleep(0.5)
    caller.stop()
    assert (caller.bad, caller.slow) == (0, 0) and caller.good > 12


def test_of_a_node_that_is_killed_only_what_it_ran_fails(nodes, fn):
    name = fn(MemorySize=128)
    caller = Caller(nodes, name, 6, sleep=0.2)
    wait_until("both are used", lambda: all(nodes.counts(name)))
    nodes.b.signal(signal.SIGKILL)
    time.sleep(1)
    bad = caller.bad
    assert bad <= 6
    time.sleep(1)
    nodes.b.start()
    before = caller.good
    wait_until("it goes on", lambda: caller.good > before + 20)
    caller.stop()
    assert caller.bad == bad
    assert nodes.b.is_up()
    nodes.at_once(name, 12, sleep=1)
    assert nodes.counts(name)[1] > 0  # it has joined again


def test_a_silent_node_is_passed_over(nodes, fn):
    name = fn(MemorySize=128)
    nodes.b.signal(signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        try:
            first = [pool.submit(nodes.call, name, sleep=0.2) for _ in range(6)]
            time.sleep(2.5)
            wait_until("the others are done", lambda: sum(not f.done() for f in first) <= 3, 5)
            assert not all(f.done() for f in first)  # those that went there: now it is known
            more = [pool.submit(nodes.call, name, sleep=0.5) for _ in range(7)]  # more than are warm on the other
            assert None not in [f.result(20) for f in more]  # what hangs there fails with the link, after ten seconds
        finally:
            nodes.b.signal(signal.SIGCONT)
        assert sum(f.result(20) is None for f in first) <= 3  # what was stuck has run on, or failed with the link


def test_provisioned_sandboxes_move_off_a_node_that_drains(nodes, fn):
    name = fn(MemorySize=256)
    version = nodes.lam.publish_version(FunctionName=name)["Version"]
    nodes.lam.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=4)

    def is_ready():
        a = nodes.lam.get_provisioned_concurrency_config(FunctionName=name, Qualifier=version)
        return a["Status"] == "READY" and a["AvailableProvisionedConcurrentExecutions"] == 4
    wait_until("all are there", is_ready, 60)
    assert nodes.counts(name) in ((3, 1), (2, 2))
    # they are used where they are
    assert len(set(nodes.at_once(name, 4, qualifier=version, sleep=0.5))) == 4
    assert sum(nodes.counts(name)) == 4
    nodes.b.signal(signal.SIGTERM)
    assert nodes.b.process.wait(30) == 0
    wait_until("all are on the one that is left", lambda: is_ready() and nodes.counts(name) == (4, 0), 60)
    assert len(set(nodes.at_once(name, 4, qualifier=version, sleep=0.5))) == 4
    nodes.lam.delete_provisioned_concurrency_config(FunctionName=name, Qualifier=version)


def test_an_alias_moves_where_memory_is_not_enough_for_both_versions(nodes, fn):
    name = fn(MemorySize=256)
    first = nodes.lam.publish_version(FunctionName=name)["Version"]
    nodes.lam.create_alias(FunctionName=name, Name="live", FunctionVersion=first)
    nodes.lam.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=5)

    def status():
        a = nodes.lam.get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
        return a["Status"], a["AvailableProvisionedConcurrentExecutions"]
    wait_until("all are there", lambda: status() == ("READY", 5), 60)
    nodes.lam.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": APP + "# another one\n"}))
    nodes.lam.get_waiter("function_updated_v2").wait(FunctionName=name)
    second = nodes.lam.publish_version(FunctionName=name)["Version"]
    assert second != first
    nodes.lam.update_alias(FunctionName=name, Name="live", FunctionVersion=second)
    wait_until("all are there again", lambda: status() == ("READY", 5), 60)  # of six that fit
    assert len(set(nodes.at_once(name, 5, qualifier="live", sleep=0.5))) == 5
    nodes.lam.delete_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
