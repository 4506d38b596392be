# SPDX-License-Identifier: Apache-2.0
"""The rules of the pool, as a caller sees them: one invocation at a time, which sandbox may be used again,
how soon a lost one is replaced, that functions do not wait for one another, and that nothing is left at
the end. On both launchers; HEARTH_LAUNCHER names one."""
import concurrent.futures
import json
import os
import signal
import time

import pytest

from harness import ROLE, SLOW, Hearth, remove_folder, short_folder, wait_until, zip_of
from traces import belongings

EACH_LAUNCHER = True
APP = """
import os, time, uuid
MADE, BUSY = uuid.uuid4().hex, []
time.sleep(float(os.environ.get("INIT_SECONDS", "0")))
def handler(event, context):
    if event.get("exit"):
        os._exit(1)
    if event.get("raise"):
        raise ValueError("no")
    BUSY.append(context.aws_request_id)
    time.sleep(event.get("sleep", 0))
    assert BUSY.pop() == context.aws_request_id and not BUSY, "two invocations at once"
    return [VERSION, MADE, event["n"]] if "n" in event else [VERSION, MADE]
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


def so_many(pool, lam, name, n):
    """Ids of @n sandboxes of a function: asked again until so many are busy at once, however slowly they start."""
    for _ in range(10):
        ids = {f.result()[1] for f in [pool.submit(invoke, lam, name, sleep=1.5) for _ in range(n)]}
        if len(ids) == n:
            return ids
    raise AssertionError(f"never {n} at once")


@pytest.fixture
def pool():
    with concurrent.futures.ThreadPoolExecutor(32) as p:
        yield p


@pytest.fixture
def own(images, launcher):
    """A Hearth that the test may end."""
    folder = short_folder("hearth-")
    h = Hearth(images, folder, launcher=launcher).start()
    yield h
    try:
        h.close()
    finally:
        remove_folder(folder)


def test_a_sandbox_runs_one_invocation_at_a_time_and_each_caller_gets_its_own_answer(lam, make_function, pool):
    make_function("single", app(), Timeout=60)
    answers = list(pool.map(lambda n: invoke(lam, "single", sleep=0.2, n=n), range(24)))
    assert [a[2] for a in answers] == list(range(24)), "it fails where it finds itself busy"


def test_concurrent_first_requests_start_at_most_as_many_sandboxes(hearth, lam, make_function, pool):
    make_function("herd", app(), Timeout=60)
    made = {invocation.result()[1] for invocation in [pool.submit(invoke, lam, "herd", sleep=0.5) for _ in range(6)]}
    assert len(made) <= len(hearth.sandboxes("herd")) <= 6


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
    wait_until("the old sandbox is gone", lambda: len(hearth.sandboxes(name)) == 1, 5)


def test_a_timeout_ends_only_its_own_sandbox(lam, make_function, pool):
    make_function("slow-one", app(), Timeout=4)
    ids = so_many(pool, lam, "slow-one", 3)
    late = pool.submit(invoke, lam, "slow-one", sleep=60)
    time.sleep(2)
    others = [pool.submit(invoke, lam, "slow-one", sleep=2.5) for _ in range(2)]
    assert late.result() == "Sandbox.Timedout"
    answered = {f.result()[1] for f in others}
    assert len(answered) == 2 and answered < ids
    again = so_many(pool, lam, "slow-one", 3)
    assert answered < again and len(again & ids) == 2, "the one that timed out was used again"


@pytest.mark.parametrize("event, answer, again", [({"exit": 1}, "Runtime.ExitError", False), ({"raise": 1}, "ValueError", True)])
def test_a_crashed_sandbox_is_not_used_again_and_one_with_an_error_is(lam, make_function, event, answer, again):
    name = f"crash-{again}".lower()
    make_function(name, app())
    before = invoke(lam, name)
    assert invoke(lam, name, **event) == answer
    assert (invoke(lam, name) == before) is again


def test_a_sandbox_ended_behind_our_back_is_replaced_at_once(hearth, lam, make_function):
    make_function("behind", app(), Timeout=60)
    before = invoke(lam, "behind")
    ways = [hearth.kill_sandbox] * 2
    if hearth.launcher == "docker":
        # of a frozen one the engine may wait in vain (cgroup version 1): it dies before the next event
        ways += [lambda sandbox: hearth.docker("rm", "-f", sandbox, check=False)] * 2
    for n, end in enumerate(ways):
        time.sleep(0.5 * (n % 2))  # at once, or frozen
        for sandbox in hearth.sandboxes("behind"):
            end(sandbox)
        after, seconds = timed(lam, "behind")
        assert after[1] != before[1] and seconds < 5 * SLOW
        before = after


def test_a_sandbox_ended_while_it_runs_is_told_at_once(hearth, lam, make_function, pool):
    make_function("behind-busy", app(), Timeout=60)
    invoke(lam, "behind-busy")
    running = pool.submit(timed, lam, "behind-busy", sleep=50)
    time.sleep(0.5)
    for sandbox in hearth.sandboxes("behind-busy"):
        hearth.kill_sandbox(sandbox)
    answer, seconds = running.result()
    assert answer == "Runtime.ExitError" and seconds < 5 * SLOW


def test_cold_starts_of_different_functions_do_not_queue(lam, launcher, make_function, pool):
    hold = {"docker": 4, "native": 2.5}[launcher]
    names = [f"cold-{i}" for i in range(5)]
    for name in names:
        make_function(name, app(name), Timeout=60, Environment={"Variables": {"INIT_SECONDS": str(hold)}})
    make_function("quick", app("quick"), Timeout=60)
    began = time.monotonic()
    slow = [pool.submit(timed, lam, name) for name in names]
    answer, seconds = timed(lam, "quick")
    assert answer[0] == "quick" and seconds < hold * SLOW, "it waited for the init of others"
    assert [f.result()[0][0] for f in slow] == names
    assert time.monotonic() - began < 2.5 * hold * SLOW, "one after the other would be five times"


def test_a_function_that_hangs_in_init_does_not_hold_up_others(lam, launcher, make_function, pool):
    hold = {"docker": 9, "native": 5}[launcher]
    for i in range(6):  # more than are created at once on this node
        make_function(f"hang-{i}", app(str(i)), Timeout=12, Environment={"Variables": {"INIT_SECONDS": str(hold)}})
    make_function("free", app("free"), Timeout=60)
    slow = [pool.submit(invoke, lam, f"hang-{i}") for i in range(6)]
    time.sleep(1)
    answer, seconds = timed(lam, "free")
    assert answer[0] == "free" and seconds < (hold - 2) * SLOW
    assert [f.result()[0] for f in slow] == [str(i) for i in range(6)]


def deploy(h, name, connections):
    lam = h.client(connections=connections)
    lam.create_function(FunctionName=name, Role=ROLE, Runtime="python3.11", Handler="app.handler",
                        Code={"ZipFile": zip_of(app())}, Timeout=60)
    lam.get_waiter("function_active_v2").wait(FunctionName=name)
    return lam


def test_a_stop_ends_all_sandboxes_in_parallel(own, pool):
    lam = deploy(own, "many", 32)
    so_many(pool, lam, "many", 12)
    assert len(own.sandboxes()) == 12
    began = time.monotonic()
    assert own.stop() == 0
    # one after the other the engine takes some tenths of a second for each
    assert time.monotonic() - began < 6 * SLOW
    assert belongings(own) == []


def test_a_restart_ends_what_it_finds(own, pool):
    lam = deploy(own, "found", 8)
    before = so_many(pool, lam, "found", 3)
    old = set(belongings(own))
    if own.launcher == "docker":  # created and never started: nothing but the next life can end it
        image = own.docker("inspect", "-f", "{{.Image}}", own.sandboxes()[0])
        own.docker("create", "--label", f"hearth.node={own.node}", "--label", "hearth.life=before", image, "/x")
        old = set(belongings(own))
    assert len(old) >= 3
    own.kill("invoker")
    wait_until("it runs again", lambda: own.pid("hearth-invoker"), 20)

    def answered():
        try:
            return invoke(lam, "found")
        except lam.exceptions.ClientError:
            return None

    after = wait_until("the function answers again", answered, 20)
    assert after[1] not in before
    wait_until("the old ones are gone", lambda: not old & set(belongings(own)), 20)
    assert len(own.sandboxes()) == 1


def test_nothing_is_left_when_all_programs_are_killed(own, pool):
    """Nobody starts anything again: what is on the host ends by itself."""
    lam = deploy(own, "left", 8)
    so_many(pool, lam, "left", 3)
    assert len(belongings(own)) >= 3
    os.killpg(own.process.pid, signal.SIGKILL)
    own.process.wait()
    wait_until("nothing is left", lambda: not belongings(own), 30)
    own.start()
