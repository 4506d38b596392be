# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each program under load: the system works again by itself, and nothing is left behind."""
import concurrent.futures
import json
import threading
import time

import pytest

from harness import ROLE, wait_until, zip_of

APP = """
import time
def handler(event, context):
    time.sleep(0.02)
    return {"n": event["n"], "id": context.aws_request_id}
"""


class Load:
    """A few callers; errors are counted, wrong answers are kept."""

    def __init__(self, hearth, name):
        self.client = hearth.client(connections=8)
        self.name = name
        self.stop = threading.Event()
        self.good = self.bad = 0
        self.wrong = []
        self.pool = concurrent.futures.ThreadPoolExecutor(4)
        self.jobs = [self.pool.submit(self.run, i) for i in range(4)]

    def run(self, caller):
        n = 0
        while not self.stop.is_set():
            n += 1
            try:
                a = self.client.invoke(FunctionName=self.name, Payload=json.dumps({"n": [caller, n]}))
                r = json.load(a["Payload"])
                if "FunctionError" in a:
                    self.bad += 1
                elif r != {"n": [caller, n], "id": a["ResponseMetadata"]["RequestId"]}:
                    self.wrong.append((r, caller, n))
                else:
                    self.good += 1
            except Exception:
                self.bad += 1
                time.sleep(0.05)

    def end(self):
        self.stop.set()
        for j in self.jobs:
            j.result(150)
        self.pool.shutdown()


@pytest.mark.parametrize("role", ["gateway", "controller", "invoker", "redis-server"])
def test_kill_nine_under_load(hearth, lam, make_function, role):
    docker = hearth.docker
    make_function("load", {"app.py": APP})
    json.load(lam.invoke(FunctionName="load", Payload=b'{"n": 0}')["Payload"])
    load = Load(hearth, "load")
    try:
        for _ in range(2):
            wait_until("load runs", lambda g=load.good: load.good > g + 20, 30)
            old = set(hearth.sandboxes())
            pid = hearth.kill(role)
            wait_until(f"{role} runs again", lambda: hearth.pid(role) not in (None, pid), 20)
            wait_until("answers come again", lambda g=load.good: load.good > g + 20, 30)
            if role == "invoker":  # its sandboxes went with it, none is an orphan
                wait_until("old sandboxes are gone", lambda: not old & set(hearth.sandboxes()), 30)
            elif role in ("controller", "redis-server"):  # warm sandboxes stay warm
                assert old & set(hearth.sandboxes())
    finally:
        load.end()
    assert not load.wrong
    if role in ("controller", "redis-server"):
        assert load.bad == 0, "invocations need neither"

    def created():  # as the SDKs do by default: 500 and 503 are tried again
        try:
            return lam.create_function(FunctionName="after", Role=ROLE, Runtime="python3.11", Handler="app.handler",
                                       Code={"ZipFile": zip_of({"app.py": "def handler(e, c): return 'fine'"})})
        except lam.exceptions.ServiceException:
            return None
    wait_until("the control plane works", created, 20)
    lam.get_waiter("function_active_v2").wait(FunctionName="after")
    assert json.load(lam.invoke(FunctionName="after", Payload=b"{}")["Payload"]) == "fine"
    lam.delete_function(FunctionName="after")
    lam.delete_function(FunctionName="load")
    wait_until("no sandbox is left", lambda: not hearth.sandboxes(), 30)


def test_a_function_being_created_when_the_controller_dies_becomes_active(hearth, lam, make_function):
    for i in range(3):
        make_function(f"torn-{i}", {"app.py": f"def handler(e, c): return {i}"}, wait=False)
        hearth.kill("controller")
        lam_again = hearth.client()

        def active():
            try:
                return lam_again.get_function_configuration(FunctionName=f"torn-{i}")["State"] == "Active"
            except Exception:
                return False
        wait_until("it is active", active, 40)
        assert json.load(lam_again.invoke(FunctionName=f"torn-{i}", Payload=b"{}")["Payload"]) == i
