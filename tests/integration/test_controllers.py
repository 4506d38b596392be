# SPDX-License-Identifier: Apache-2.0
"""Several controllers, one leads: docs/internals/controller.md, "Several controllers".

The leader is killed, stopped and woken, told to stop; warm invocations go on all the time, management is there again soon,
and nothing that was acknowledged or under way is lost.
"""
import json
import signal
import subprocess
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from harness import ROLE, SLOW, TOP, wait_until, zip_of
from programs import Invocations, Programs

TAKEOVER_S = 5 * SLOW
CLEAN_S = 1 * SLOW
LEASE_S = 2  # of events that a dead controller had
APP = """
import os
def handler(event, context):
    if isinstance(event, dict) and "note" in event:
        print("GOT " + str(event["note"]))
    return {"version": VERSION}
"""


@pytest.fixture(scope="module")
def hearth(images):
    h = Programs(images, 3, HEARTH_ASYNC_LEASE=f"{LEASE_S}s").start()
    yield h
    h.close()


@pytest.fixture(scope="module")
def lam(hearth):
    return hearth.client(connections=50)


@pytest.fixture(scope="module")
def warm(lam):
    """A function that has run."""
    create(lam, "warm", 1)
    lam.get_waiter("function_active_v2").wait(FunctionName="warm")
    assert lam.invoke(FunctionName="warm")["StatusCode"] == 200
    return "warm"


@pytest.fixture(autouse=True)
def all_run(hearth):
    """Before each test all controllers run, and one leads."""
    for c in hearth.controllers:
        if not c.runs():
            c.lines.clear()
            c.start()
    wait_until("one leads", lambda: hearth.healthy()["controller"] == "up" and hearth.leader, 20)


def create(lam, name, version):
    return lam.create_function(FunctionName=name, Role=ROLE, Runtime="python3.11", Handler="app.handler",
                               Code={"ZipFile": zip_of({"app.py": APP.replace("VERSION", str(version))})})


def manages(lam):
    """Whether management works: something is read and something is written."""
    try:
        lam.get_function_configuration(FunctionName="warm")
        lam.tag_resource(Resource="arn:aws:lambda:us-east-1:000000000000:function:warm", Tags={"at": str(time.time())})
        return True
    except (ClientError, BotoCoreError) as e:
        if isinstance(e, ClientError):
            assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 503, e
        return False


def seconds_until_managed(hearth, lam, old):
    """How long it takes from now until another one leads and management works."""
    begin = time.monotonic()
    wait_until("management works with another leader", lambda: hearth.leader not in (None, old) and manages(lam), 30, 0.02)
    return time.monotonic() - begin


def bad(hearth):
    return hearth.redis("EVAL", (TOP / "tests/world.lua").read_text(), 0, "hearth:{000000000000}:")


def term(hearth):
    return int(hearth.redis("GET", "hearth:term").split()[0])


def test_one_leads_and_the_others_stand_by(hearth, lam, warm):
    leader = hearth.leader
    others = [c for c in hearth.controllers if c is not leader]
    assert len(others) == 2 and all(c.runs() and '"event":"leads' not in c.log for c in others)
    assert manages(lam)


def test_a_leader_that_is_killed_is_followed(hearth, lam, warm):
    with Invocations(hearth, warm) as invocations:
        before, old = term(hearth), hearth.leader
        old.signal(signal.SIGKILL)
        took = seconds_until_managed(hearth, lam, old)
        count = invocations.count
        wait_until("invocations go on", lambda: invocations.count > count + 20, 20)
    print(f"management worked again after {took:.2f} s; {invocations.count} warm invocations, none failed")
    assert took < TAKEOVER_S
    assert term(hearth) > before
    assert bad(hearth) == []


def test_the_third_follows_when_two_are_killed(hearth, lam, warm):
    with Invocations(hearth, warm):
        for _ in range(2):
            old = hearth.leader
            old.signal(signal.SIGKILL)
            assert seconds_until_managed(hearth, lam, old) < TAKEOVER_S
    assert sum(c.runs() for c in hearth.controllers) == 1


def test_a_leader_that_stood_still_does_no_harm_when_it_wakes(hearth, lam, warm):
    create(lam, "asleep", 1)
    lam.get_waiter("function_active_v2").wait(FunctionName="asleep")
    with Invocations(hearth, warm) as invocations:
        old = hearth.leader
        old.signal(signal.SIGSTOP)
        took = seconds_until_managed(hearth, lam, old)
        assert took < TAKEOVER_S
        # what the sleeper would overwrite, if it could
        lam.update_function_code(FunctionName="asleep", ZipFile=zip_of({"app.py": APP.replace("VERSION", "2")}))
        lam.get_waiter("function_updated_v2").wait(FunctionName="asleep")
        old.signal(signal.SIGCONT)
        assert old.wait(20 * SLOW) == 1
        assert "has been elected" in old.log
        count = invocations.count
        wait_until("invocations go on", lambda: invocations.count > count + 20, 20)
    assert json.load(lam.invoke(FunctionName="asleep")["Payload"]) == {"version": 2}
    assert manages(lam)
    assert bad(hearth) == []
    lam.delete_function(FunctionName="asleep")


def test_a_leader_that_is_told_to_stop_hands_over(hearth, lam, warm):
    with Invocations(hearth, warm):
        old = hearth.leader
        old.signal(signal.SIGTERM)
        took = seconds_until_managed(hearth, lam, old)
        assert old.wait(10) == 0
    print(f"management worked again after {took:.2f} s")
    assert took < CLEAN_S


def test_a_change_under_way_is_ended_by_the_next_leader(hearth, lam, warm):
    hearth.invoker.signal(signal.SIGSTOP)  # so that it cannot end before
    try:
        assert create(lam, "changing", 1)["State"] == "Pending"
        old = hearth.leader
        old.signal(signal.SIGKILL)
        seconds_until_managed(hearth, lam, old)
        assert lam.get_function_configuration(FunctionName="changing")["State"] == "Pending"
    finally:
        hearth.invoker.signal(signal.SIGCONT)
    lam.get_waiter("function_active_v2").wait(FunctionName="changing")
    assert json.load(lam.invoke(FunctionName="changing")["Payload"]) == {"version": 1}
    assert bad(hearth) == []
    lam.delete_function(FunctionName="changing")


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGSTOP], ids=lambda s: s.name)
def test_events_are_not_lost(hearth, lam, warm, sig):
    old, sent, unknown = hearth.leader, set(), set()
    for n in range(60):
        note = f"{sig.name}-{n}"
        if n == 30:
            old.signal(sig)
        try:
            assert lam.invoke(FunctionName=warm, InvocationType="Event", Payload=json.dumps({"note": note}))["StatusCode"] == 202
            sent.add(note)
        except ClientError as e:  # nobody leads; or its answer was lost
            assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 503, e
            unknown.add(note)
            time.sleep(0.2)
    seconds_until_managed(hearth, lam, old)

    def ran():
        lines = hearth.hearth("logs", warm, "--since", "10m").stdout.splitlines()
        return {line.partition("GOT ")[2].strip() for line in lines if "GOT " in line}
    assert len(sent) >= 30
    wait_until("every event that was taken has run", lambda: sent <= ran(), 30 + LEASE_S)
    if sig == signal.SIGSTOP:
        old.signal(signal.SIGCONT)
        assert old.wait(20 * SLOW) == 1


def test_a_controller_with_another_key_is_refused(hearth, lam, warm, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"k" * 32)
    key.chmod(0o600)
    stranger = hearth.controller(9, HEARTH_KEY_FILE=key).start()
    try:
        assert stranger.wait(20 * SLOW) == 2
    except subprocess.TimeoutExpired:
        stranger.stop()
        raise
    assert "sealed with another key" in stranger.log and "HEARTH_KEY_FILE" in stranger.log
    assert manages(lam)
