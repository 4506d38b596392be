# SPDX-License-Identifier: Apache-2.0
"""Provisioned concurrency is sandboxes: initialised before READY, used first, replaced when they die."""
import concurrent.futures
import json

import pytest

from harness import wait_until, zip_of

EACH_LAUNCHER = True

APP = """
import os, time
born = time.time()
def handler(event, context):
    time.sleep(event.get("sleep", 0))
    return {"type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "born": born, "version": context.function_version}
"""


def invoke(lam, name, qualifier, **event):
    a = lam.invoke(FunctionName=name, Qualifier=qualifier, Payload=json.dumps(event))
    r = json.load(a["Payload"])
    assert "FunctionError" not in a, r
    return r


def provision(lam, name, qualifier, n):
    a = lam.put_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=n)
    assert (a["Status"], a["RequestedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", n)


def status(lam, name, qualifier):
    a = lam.get_provisioned_concurrency_config(FunctionName=name, Qualifier=qualifier)
    return (a["Status"], a["AllocatedProvisionedConcurrentExecutions"], a["AvailableProvisionedConcurrentExecutions"])


def status_or_none(lam, name, qualifier):
    """While the controller may be away."""
    try:
        return status(lam, name, qualifier)
    except lam.exceptions.ServiceException:
        return None


def ready(lam, name, qualifier, n):
    wait_until(f"{n} of {name}:{qualifier} are ready", lambda: status(lam, name, qualifier) == ("READY", n, n), 60)


@pytest.fixture
def version(lam, make_function):
    def make(name, app=APP, **kw):
        make_function(name, {"app.py": app}, **{"Timeout": 30, **kw})
        return lam.publish_version(FunctionName=name)["Version"]
    return make


def test_they_are_initialised_before_ready(hearth, lam, version):
    v = version("ahead", APP.replace("born =", "time.sleep(1)\nborn ="))
    provision(lam, "ahead", v, 2)
    assert status(lam, "ahead", v)[0] == "IN_PROGRESS"
    ready(lam, "ahead", v, 2)
    assert len(hearth.sandboxes(function="ahead")) == 2
    a = lam.invoke(FunctionName="ahead", Qualifier=v, Payload=b"{}", LogType="Tail")
    assert json.load(a["Payload"])["type"] == "provisioned-concurrency"
    # what runs beyond them is made on demand, and says so
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        types = [r["type"] for r in pool.map(lambda _: invoke(lam, "ahead", v, sleep=3), range(3))]
    assert sorted(types) == ["on-demand", "provisioned-concurrency", "provisioned-concurrency"]
    # $LATEST has none
    assert invoke(lam, "ahead", "$LATEST")["type"] == "on-demand"


def test_one_that_dies_is_replaced(hearth, lam, version):
    v = version("mortal")
    provision(lam, "mortal", v, 2)
    ready(lam, "mortal", v, 2)
    before = set(hearth.sandboxes(function="mortal"))
    hearth.kill_sandbox(sorted(before)[0])
    # frozen, it may not die before it is to go on (cgroup version 1): nobody's call fails for that
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: invoke(lam, "mortal", v, sleep=1), range(2)))
    wait_until("another one is there", lambda: len(set(hearth.sandboxes(function="mortal")) - before) == 1)
    ready(lam, "mortal", v, 2)
    assert invoke(lam, "mortal", v)["type"] == "provisioned-concurrency"


def test_fewer_more_none(hearth, lam, version):
    v = version("moody")
    provision(lam, "moody", v, 1)
    ready(lam, "moody", v, 1)
    born = invoke(lam, "moody", v)["born"]
    provision(lam, "moody", v, 3)
    ready(lam, "moody", v, 3)
    assert len(hearth.sandboxes(function="moody")) == 3
    provision(lam, "moody", v, 1)
    ready(lam, "moody", v, 1)
    lam.delete_provisioned_concurrency_config(FunctionName="moody", Qualifier=v)
    with pytest.raises(lam.exceptions.ProvisionedConcurrencyConfigNotFoundException):
        status(lam, "moody", v)
    assert born  # the sandboxes stay warm until their time is over, as others do
    lam.delete_function(FunctionName="moody")
    wait_until("all are gone", lambda: hearth.sandboxes(function="moody") == [])


def test_an_alias_takes_them_along(hearth, lam, version):
    first = version("mover")
    lam.create_alias(FunctionName="mover", Name="live", FunctionVersion=first)
    provision(lam, "mover", "live", 1)
    ready(lam, "mover", "live", 1)
    assert invoke(lam, "mover", "live") == {**invoke(lam, "mover", "live"), "type": "provisioned-concurrency", "version": first}
    lam.update_function_code(FunctionName="mover", ZipFile=zip_of({"app.py": APP.replace("born =", "time.sleep(2)\nborn =")}))
    lam.get_waiter("function_updated_v2").wait(FunctionName="mover")
    second = lam.publish_version(FunctionName="mover")["Version"]
    assert second != first
    lam.update_alias(FunctionName="mover", Name="live", FunctionVersion=second)
    # those of the first version are kept until the second one's are there
    assert status(lam, "mover", "live") == ("IN_PROGRESS", 1, 1)
    ready(lam, "mover", "live", 1)
    r = invoke(lam, "mover", "live")
    assert (r["type"], r["version"]) == ("provisioned-concurrency", second)


def test_an_init_that_fails_is_told_and_tried_again(hearth, lam, version):
    v = version("broken", "raise Exception('no')\n")
    provision(lam, "broken", v, 1)
    wait_until("it has failed", lambda: status(lam, "broken", v)[0] == "FAILED", 60)
    a = lam.get_provisioned_concurrency_config(FunctionName="broken", Qualifier=v)
    assert a["StatusReason"] == "FUNCTION_ERROR_INIT_FAILURE"
    assert len(hearth.sandboxes(function="broken")) <= 3  # one that is tried, others that go: with pauses, not a storm


@pytest.mark.parametrize("role", ["invoker", "controller"])
def test_they_are_there_again_after_a_kill(hearth, lam, version, role):
    name = f"survivor-{role}"
    v = version(name)
    provision(lam, name, v, 2)
    ready(lam, name, v, 2)
    born = invoke(lam, name, v)["born"]
    killed = hearth.kill(role)
    wait_until("it has been started again", lambda: hearth.pid(role) not in (None, killed))
    wait_until("they are ready again", lambda: status_or_none(lam, name, v) == ("READY", 2, 2), 60)
    again = {invoke(lam, name, v)["born"] for _ in range(4)}
    assert (born in again) == (role == "controller")  # a controller's restart leaves them warm
    assert len(hearth.sandboxes(function=name)) == 2
