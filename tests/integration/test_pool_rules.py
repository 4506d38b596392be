# SPDX-License-Identifier: Apache-2.0
"""The rules of the pool, as a caller sees them: which sandbox may be used again, how soon a lost one is
replaced, that functions do not wait for one another, and that nothing is left at the end."""
import concurrent.futures
import json
import os
import signal
import time

import pytest

from harness import ROLE, SLOW, Hearth, remove_folder, short_folder, wait_until, zip_of

APP = """
import os, time, uuid
MADE = uuid.uuid4().hex
time.sleep(float(os.environ.get("INIT_SECONDS", "0")))
def handler(event, context):
    if event.get("exit"):
        os._exit(1)
    if event.get("raise"):
        raise ValueError("no")
    time.sleep(event.get("sleep", 0))
    return [VERSION, MADE]
"""


def app(version="1"):
    return {"app.py": f"VERSION = {version!r}\n" + APP}


def invoke(lam, name, **event):
    """[version of the code, id of the sandbox], or the error's type."""
    a = lam.invoke(FunctionName=name, Payload=json.dumps(event))
    r = json.load(a["Payload"])
    return r["errorType"] if "FunctionError" in a else r


def timed(lam, name, **event):
    began = time.monotonic()
    return invoke(lam, name, **event), time.monotonic() - began


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(32) as p:
        yield p


@pytest.fixture
def own(images):
    """A Hearth that the test may end."""
    folder = short_folder("hearth-")
    h = Hearth(images, folder).start()
    yield h
    try:
        h.close()
    finally:
        remove_folder(folder)


@pytest.mark.parametrize("what", ["code", "configuration"])
def test_a_busy_sandbox_is_not_used_again_after_a_new_deployment(hearth, lam, make_function, pool, what):
    name = f"busy-{what}"
    make_function(name, app("old"))
    before = invoke(lam, name)
    running = pool.submit(invoke, lam, name, sleep=3)
    time.sleep(0.5)  # it has its event; were it not so, the new code would answer it
    if what == "code":
        lam.update_function_code(FunctionName=name, ZipFile=zip_of(app("new")))
    else:
        lam.update_function_configuration(FunctionName=name, Environment={"Variables": {"NEW": "1"}})
    lam.get_waiter("function_updated_v2").wait(FunctionName=name)
    after = invoke(lam, name)
    assert running.result() == before, "what runs is not disturbed"
    assert after[0] == ("new" if what == "code" else "old") and after[1] != before[1]
    assert [invoke(lam, name)[1] for _ in range(5)] == [after[1]] * 5
    wait_until("the old sandbox is gone", lambda: len(hearth.docker.sandboxes(hearth.node, function=name)) == 1, 5)


def test_a_timeout_ends_only_its_own_sandbox(hearth, lam, make_function, pool):
    make_function("slow-one", app(), Timeout=4)
    warm = {pool.submit(invoke, lam, "slow-one", sleep=1) for _ in range(3)}
    ids = {f.result()[1] for f in warm}
    assert len(ids) == 3
    late = pool.submit(invoke, lam, "slow-one", sleep=60)
    time.sleep(2)
    others = [pool.submit(invoke, lam, "slow-one", sleep=2.5) for _ in range(2)]
    assert late.result() == "Sandbox.Timedout"
    answered = {f.result()[1] for f in others}
    assert len(answered) == 2 and answered < ids
    again = [pool.submit(invoke, lam, "slow-one", sleep=1) for _ in range(3)]
    again = {f.result()[1] for f in again}
    assert answered < again and len(again & ids) == 2, "the one that timed out was used again"


@pytest.mark.parametrize("event, answer, again", [({"exit": 1}, "Runtime.ExitError", False), ({"raise": 1}, "ValueError", True)])
def test_a_crashed_sandbox_is_not_used_again_and_one_with_an_error_is(lam, make_function, event, answer, again):
    name = f"crash-{again}".lower()
    make_function(name, app())
    before = invoke(lam, name)
    assert invoke(lam, name, **event) == answer
    assert (invoke(lam, name) == before) is again


@pytest.mark.parametrize("how", ["kill", "rm"])
def test_a_container_ended_behind_our_back_is_replaced_at_once(hearth, lam, make_function, how):
    name = f"behind-{how}"
    make_function(name, app(), Timeout=60)
    before = invoke(lam, name)
    hearth.docker(*(("kill",) if how == "kill" else ("rm", "-f")), *hearth.docker.sandboxes(hearth.node, function=name))
    after, seconds = timed(lam, name)
    assert after[1] != before[1] and seconds < 5 * SLOW


def test_a_container_ended_while_it_runs_is_told_at_once(hearth, lam, make_function, pool):
    make_function("behind-busy", app(), Timeout=60)
    invoke(lam, "behind-busy")
    running = pool.submit(timed, lam, "behind-busy", sleep=50)
    time.sleep(0.5)
    hearth.docker("kill", *hearth.docker.sandboxes(hearth.node, function="behind-busy"))
    answer, seconds = running.result()
    assert answer == "Runtime.ExitError" and seconds < 5 * SLOW


def test_cold_starts_of_different_functions_do_not_queue(lam, make_function, pool):
    names = [f"cold-{i}" for i in range(5)]
    for name in names:
        make_function(name, app(name), Timeout=60, Environment={"Variables": {"INIT_SECONDS": "4"}})
    make_function("quick", app("quick"), Timeout=60)
    began = time.monotonic()
    slow = [pool.submit(timed, lam, name) for name in names]
    answer, seconds = timed(lam, "quick")
    assert answer[0] == "quick" and seconds < 4 * SLOW, "it waited for the init of others"
    assert [f.result()[0][0] for f in slow] == names
    assert time.monotonic() - began < 10 * SLOW, "five times four seconds would be twenty"


def test_a_function_that_hangs_in_init_does_not_hold_up_others(lam, make_function, pool):
    for i in range(6):  # more than are created at once on this node
        make_function(f"hang-{i}", app(str(i)), Timeout=12, Environment={"Variables": {"INIT_SECONDS": "9"}})
    make_function("free", app("free"), Timeout=60)
    slow = [pool.submit(invoke, lam, f"hang-{i}") for i in range(6)]
    time.sleep(1)
    answer, seconds = timed(lam, "free")
    assert answer[0] == "free" and seconds < 5 * SLOW
    assert [f.result()[0] for f in slow] == [str(i) for i in range(6)]


def test_a_stop_ends_all_sandboxes_in_parallel(own, pool):
    lam = own.client(connections=32)
    lam.create_function(FunctionName="many", Role=ROLE, Runtime="python3.11",
                        Handler="app.handler", Code={"ZipFile": zip_of(app())}, Timeout=60)
    lam.get_waiter("function_active_v2").wait(FunctionName="many")
    ids = {f.result()[1] for f in [pool.submit(invoke, lam, "many", sleep=8) for _ in range(12)]}
    assert len(ids) == 12 == len(own.docker.sandboxes(own.node))
    began = time.monotonic()
    assert own.stop() == 0
    # one after the other the engine takes some tenths of a second for each
    assert time.monotonic() - began < 6 * SLOW
    assert own.docker.sandboxes(own.node) == []


def test_a_restart_ends_what_it_finds(own, pool):
    lam = own.client(connections=8)
    lam.create_function(FunctionName="found", Role=ROLE, Runtime="python3.11",
                        Handler="app.handler", Code={"ZipFile": zip_of(app())}, Timeout=60)
    lam.get_waiter("function_active_v2").wait(FunctionName="found")
    before = {f.result()[1] for f in [pool.submit(invoke, lam, "found", sleep=2) for _ in range(3)]}
    old = set(own.docker.sandboxes(own.node))
    # created and never started: nothing but the next life can end it
    image = own.docker("inspect", "-f", "{{.Image}}", next(iter(old)))
    old.add(own.docker("create", "--label", f"hearth.node={own.node}", "--label", "hearth.life=before", image, "/x"))
    os.kill(own.pid("hearth-invoker"), signal.SIGKILL)
    wait_until("it runs again", lambda: own.pid("hearth-invoker"), 20)

    def answered():
        try:
            return invoke(lam, "found")
        except lam.exceptions.ClientError:
            return None

    after = wait_until("the function answers again", answered, 20)
    assert after[1] not in before
    wait_until("the old ones are gone", lambda: not old & set(own.docker.sandboxes(own.node)), 20)
    assert len(own.docker.sandboxes(own.node)) == 1
