# SPDX-License-Identifier: Apache-2.0
"""Clients that write one function at the same time: nobody's acknowledged write is lost, and who loses is told so.

Also through two gateways, while a second controller stands by over the same Redis and the same archives.
"""
import base64
import contextlib
import hashlib
import json
import os
import subprocess
import threading

import pytest
from botocore.exceptions import ClientError

from harness import BUILD, ROLE, TOP, free_port, wait_until, zip_of
from world import World

EACH = 15  # writes of each client
ZIPS = [zip_of({"app.py": f"def handler(e, c): return {i}"}) for i in range(3)]
SHAS = [base64.b64encode(hashlib.sha256(z).digest()).decode() for z in ZIPS]
CONFLICTS = ("ResourceConflictException", "PreconditionFailedException")


def at_once(*jobs):
    """Runs functions in threads; the first error is raised."""
    errors = []

    def run(job):
        try:
            job()
        except BaseException as e:  # noqa: BLE001
            errors.append(e)
    threads = [threading.Thread(target=run, args=(j,)) for j in jobs]
    for t in threads:
        t.start()
    for t in threads:
        t.join(300)
    if errors:
        raise errors[0]


def unless_conflict(call):
    """The answer, or None when somebody else was faster; any other error is one."""
    try:
        return call()
    except ClientError as e:
        assert e.response["Error"]["Code"] in CONFLICTS, e
        return None


@pytest.fixture(scope="module")
def second(hearth):
    """A further gateway, and a controller that stands by: a client of them."""
    run_dir = hearth.folder / "run"
    port = free_port()
    env = dict(hearth.environment(), HEARTH_LISTEN=f"127.0.0.1:{port}", HEARTH_REDIS_URL=f"unix:{run_dir}/redis.sock",
               HEARTH_GATEWAY_ID="second")
    own, both = f"unix:{run_dir}/second.sock", f"unix:{run_dir}/controller.sock,unix:{run_dir}/second.sock"
    children = [subprocess.Popen([BUILD / f"hearth-{name}"], env=dict(env, HEARTH_CONTROLLER=controllers),
                                 stderr=subprocess.DEVNULL, cwd=TOP)
                for name, controllers in (("controller", own), ("gateway", both))]
    try:
        import boto3
        lam = boto3.client("lambda", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
                           aws_access_key_id="test", aws_secret_access_key="test")

        def answers():
            with contextlib.suppress(Exception):
                return lam.list_functions()
        wait_until("the second gateway answers", answers, 20)
        yield lam
    finally:
        for c in reversed(children):
            c.terminate()
            assert c.wait(30) == 0


@pytest.fixture
def writers(hearth, second):
    return [hearth.client(), second]


@pytest.fixture
def function(lam, hearth):
    lam.create_function(FunctionName="w", Role=ROLE, Runtime="python3.11", Handler="app.handler", Code={"ZipFile": ZIPS[0]},
                        Publish=True)
    lam.get_waiter("function_active_v2").wait(FunctionName="w")
    yield "w"
    World(hearth).check()
    lam.delete_function(FunctionName="w")


def test_an_alias_counts_every_acknowledged_write(writers, function):
    writers[0].create_alias(FunctionName=function, Name="n", FunctionVersion="1", Description="0")
    acknowledged = []

    def count(lam):
        done = 0
        while done < EACH:
            a = lam.get_alias(FunctionName=function, Name="n")
            n = int(a["Description"])
            r = unless_conflict(lambda: lam.update_alias(FunctionName=function, Name="n", Description=str(n + 1),
                                                         RevisionId=a["RevisionId"]))
            if r:
                assert r["Description"] == str(n + 1)
                acknowledged.append(n + 1)
                done += 1
    at_once(*[lambda lam=lam: count(lam) for lam in writers * 2])
    assert sorted(acknowledged) == list(range(1, 4 * EACH + 1))  # nobody's step was taken twice
    assert writers[1].get_alias(FunctionName=function, Name="n")["Description"] == str(4 * EACH)


def test_a_configuration_counts_every_acknowledged_write(lam, hearth, function):
    acknowledged = []

    def count():
        mine = hearth.client()
        done = 0
        while done < EACH:
            c = mine.get_function_configuration(FunctionName=function)
            n = int(c["Description"] or 0)
            r = unless_conflict(lambda: mine.update_function_configuration(FunctionName=function, Description=str(n + 1),
                                                                           RevisionId=c["RevisionId"]))
            if r:
                acknowledged.append(n + 1)
                done += 1
    at_once(count, count)
    lam.get_waiter("function_updated_v2").wait(FunctionName=function)
    assert sorted(acknowledged) == list(range(1, 2 * EACH + 1))
    assert lam.get_function_configuration(FunctionName=function)["Description"] == str(2 * EACH)


def test_code_configuration_and_alias_written_at_once_end_as_somebody_said(lam, hearth, function):
    lam.create_alias(FunctionName=function, Name="n", FunctionVersion="1")
    last = {}

    def write(name, make, call):
        def job():
            mine = hearth.client()
            for i in range(EACH):
                value = make(i)
                if unless_conflict(lambda: call(mine, value)):
                    last[name] = value
        return job
    at_once(
        write("code", lambda i: i % 3, lambda c, i: c.update_function_code(FunctionName=function, ZipFile=ZIPS[i])),
        write("memory", lambda i: 128 + 64 * (i % 3), lambda c, m: c.update_function_configuration(FunctionName=function, MemorySize=m)),
        write("alias", lambda i: ["1", "$LATEST"][i % 2], lambda c, v: c.update_alias(FunctionName=function, Name="n", FunctionVersion=v)),
        write("version", lambda i: i, lambda c, i: c.publish_version(FunctionName=function)))
    lam.get_waiter("function_updated_v2").wait(FunctionName=function)
    cfg = lam.get_function_configuration(FunctionName=function)
    # one writer each: what was acknowledged last is there, whatever the others did in between
    assert cfg["CodeSha256"] == SHAS[last.get("code", 0)]
    assert cfg["MemorySize"] == last.get("memory", 128)
    assert lam.get_alias(FunctionName=function, Name="n")["FunctionVersion"] == last["alias"]
    for v in lam.list_versions_by_function(FunctionName=function)["Versions"]:
        assert v["CodeSha256"] in SHAS and v["MemorySize"] in (128, 192, 256)


def test_no_statement_of_a_policy_and_no_tag_is_lost(writers, function):
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function}"

    def add(lam, who):
        for i in range(EACH):
            lam.add_permission(FunctionName=function, StatementId=f"s-{who}-{i}", Action="lambda:InvokeFunction",
                               Principal="s3.amazonaws.com")
            lam.tag_resource(Resource=arn, Tags={f"t-{who}": str(i)})
            if i % 3 == 0:
                lam.remove_permission(FunctionName=function, StatementId=f"s-{who}-{i}")
    at_once(*[lambda lam=lam, who=who: add(lam, who) for who, lam in enumerate(writers * 2)])
    policy = json.loads(writers[0].get_policy(FunctionName=function)["Policy"])
    assert sorted(s["Sid"] for s in policy["Statement"]) == \
        sorted(f"s-{who}-{i}" for who in range(4) for i in range(EACH) if i % 3)
    assert writers[1].list_tags(Resource=arn)["Tags"] == {f"t-{who}": str(EACH - 1) for who in range(4)}


def test_of_clients_that_create_the_same_function_one_wins(writers, hearth):
    for round_ in range(3):
        won = []

        def create(lam, who, name=f"once-{round_}"):
            if unless_conflict(lambda: lam.create_function(FunctionName=name, Role=ROLE, Runtime="python3.11", Handler="app.handler",
                                                           Code={"ZipFile": ZIPS[who % 3]})):
                won.append(SHAS[who % 3])
        at_once(*[lambda who=who: create(writers[0], who) for who in range(4)])
        lam = writers[0]
        lam.get_waiter("function_active_v2").wait(FunctionName=f"once-{round_}")
        assert [lam.get_function_configuration(FunctionName=f"once-{round_}")["CodeSha256"]] == won
        at_once(*[lambda lam=lam: gone(lam, f"once-{round_}") for lam in writers])
    World(hearth).check_archives()


def gone(lam, name):
    with contextlib.suppress(lam.exceptions.ResourceNotFoundException):
        lam.delete_function(FunctionName=name)


def test_layers_published_through_two_gateways_get_different_numbers(writers, hearth):
    numbers = []

    def publish(lam):
        for i in range(5):
            numbers.append(lam.publish_layer_version(LayerName="both", Content={"ZipFile": ZIPS[i % 3]})["Version"])
    at_once(*[lambda lam=lam: publish(lam) for lam in writers])
    assert sorted(numbers) == list(range(1, 11))
    at_once(*[lambda lam=lam: [lam.delete_layer_version(LayerName="both", VersionNumber=n) for n in numbers] for lam in writers])
    World(hearth).check()
    World(hearth).check_archives()
    assert os.listdir(hearth.folder / "data/code/trash") == []
