# SPDX-License-Identifier: Apache-2.0
"""Redis with a replica under Sentinel: the primary dies while Hearth runs. docs/internals/redis.md, "Sentinel"."""
import signal
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from harness import ROLE, SLOW, TOP, remove_folder, short_folder, wait_until, zip_of
from programs import Invocations, Programs, Redis, Sentinels

DOWN_AFTER_S = 1
FOLLOW_S = 5 * SLOW  # from the promotion until management works
APP = "def handler(event, context):\n    return 1\n"


class World:
    def __init__(self, docker):
        self.folder = short_folder("hearth-")
        self.redises = [Redis(self.folder, f"redis{i}", "--repl-diskless-sync-delay", "0") for i in range(2)]
        self.redises[1].program.argv += ["--replicaof", "127.0.0.1", str(self.redises[0].port)]
        self.sentinels = Sentinels(self.folder, self.redises[0], down_after_ms=DOWN_AFTER_S * 1000)
        self.hearth = Programs(docker, 2, redis_url=self.sentinels.url, folder=self.folder)

    def start(self):
        for r in self.redises:
            r.start()
        wait_until("the replica follows", lambda: self.followers(self.redises[0]) == 1, 20)
        self.sentinels.start()
        self.hearth.start()
        return self

    def followers(self, redis):
        return int(redis("INFO", "replication").partition("connected_slaves:")[2].split()[0])

    def replicated(self):
        """All that is written now is at the replica, too (WAIT knows of its own connection's writes only)."""
        written = self.offset(self.primary)
        replica = next(r for r in self.redises if r is not self.primary)
        wait_until("the replica has all", lambda: self.offset(replica) >= written and replica("ROLE")[3] == "connected", 20)

    def offset(self, redis):
        return int(redis("INFO", "replication").partition("master_repl_offset:")[2].split()[0])

    @property
    def primary(self):
        return next((r for r in self.redises if r.program.runs() and r("ROLE")[0] == "master"), None)

    def close(self):
        try:
            self.hearth.close()
        finally:
            self.sentinels.stop()
            for r in self.redises:
                r.program.stop()
            remove_folder(self.folder)


@pytest.fixture(scope="module")
def world(images):
    w = World(images).start()
    yield w
    w.close()


@pytest.fixture(scope="module")
def lam(world):
    return world.hearth.client(connections=20)


def create(lam, name):
    lam.create_function(FunctionName=name, Role=ROLE, Runtime="python3.11", Handler="app.handler", Code={"ZipFile": zip_of({"app.py": APP})})


def manages(lam):
    try:
        lam.tag_resource(Resource="arn:aws:lambda:us-east-1:000000000000:function:warm", Tags={"at": str(time.time())})
        return True
    except ClientError as e:
        assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 503, e
    except BotoCoreError:
        pass
    return False


def test_a_primary_that_dies_is_replaced_while_functions_run(world, lam):
    create(lam, "warm")
    lam.get_waiter("function_active_v2").wait(FunctionName="warm")
    lam.invoke(FunctionName="warm")
    old = world.primary
    world.replicated()
    with Invocations(world.hearth, "warm") as invocations:
        old.program.signal(signal.SIGKILL)
        begin = time.monotonic()
        wait_until("the sentinels have agreed", lambda: world.primary, 60, 0.02)
        agreed = time.monotonic()
        wait_until("management works again", lambda: manages(lam), FOLLOW_S + 20, 0.05)
        took = time.monotonic() - agreed
        count = invocations.count
        wait_until("invocations go on", lambda: invocations.count > count + 20, 20)
    print(f"the sentinels took {agreed - begin:.2f} s, Hearth {took:.2f} s more; {invocations.count} warm invocations, none failed")
    assert took < FOLLOW_S
    assert world.primary is not old
    assert lam.get_function_configuration(FunctionName="warm")["State"] == "Active"
    create(lam, "later")
    lam.get_waiter("function_active_v2").wait(FunctionName="later")
    assert lam.invoke(FunctionName="later")["StatusCode"] == 200
    assert world.primary("EVAL", (TOP / "tests/world.lua").read_text(), 0, "hearth:{000000000000}:") == []


def test_the_primary_that_comes_back_is_a_replica_and_takes_over_again(world, lam):
    """Also a fail-over that somebody asks for: nothing dies, the old primary becomes a replica under our feet."""
    back = next(r for r in world.redises if not r.program.runs())
    back.start()
    now = next(r for r in world.redises if r is not back)
    wait_until("it follows", lambda: back("ROLE")[0] == "slave" and back("ROLE")[3] == "connected", 40)
    with Invocations(world.hearth, "warm"):
        wait_until("a fail-over begins", lambda: failover(world), 40, 0.5)
        wait_until("the other one is primary", lambda: back("ROLE")[0] == "master", 40)
        wait_until("the one before is a replica", lambda: now("ROLE")[0] == "slave", 40)
        begin = time.monotonic()
        wait_until("management works again", lambda: manages(lam), FOLLOW_S + 20, 0.05)
        print(f"management worked again {time.monotonic() - begin:.2f} s after the demotion")
    assert lam.get_function_configuration(FunctionName="later")["State"] == "Active"


def test_what_most_sentinels_do_not_vouch_for_keeps_no_invoker_alive(world, lam):
    """The leader's Redis may have been replaced on the other side of a partition, by a leader that takes our invoker for dead."""
    lam.create_function(FunctionName="sleeps", Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=120,
                        Code={"ZipFile": zip_of({"app.py": "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 1\n"})})
    lam.get_waiter("function_active_v2").wait(FunctionName="sleeps")
    assert lam.invoke(FunctionName="sleeps", Payload=b"0")["Payload"].read() == b"1"
    client, failed = world.hearth.client(connections=1), []

    def run():
        try:
            client.invoke(FunctionName="sleeps", Payload=b"90")
        except ClientError as e:
            failed.append((time.monotonic() - began, e.response["ResponseMetadata"]["HTTPStatusCode"]))
    silent = world.sentinels.programs[:2]
    began = time.monotonic()
    runner = threading.Thread(target=run, daemon=True)
    runner.start()
    for s in silent:
        s.signal(signal.SIGSTOP)
    try:
        wait_until("it is ended", lambda: failed, 50)  # HEARTH_NODE_FENCE is 30 s
        took, status = failed[0]
        assert took > 25 and status == 500
        assert "most sentinels do not name the Redis" in world.hearth.leader.log
    finally:
        for s in silent:
            s.signal(signal.SIGCONT)
    wait_until("it runs again", lambda: works(lam), 40)


def works(lam):
    try:
        return lam.invoke(FunctionName="sleeps", Payload=b"0")["Payload"].read() == b"1"
    except (ClientError, BotoCoreError):
        return False


def sentinel(world, *words):
    s = Redis.__new__(Redis)
    s.port = world.sentinels.ports[0]
    return s(*words)


def failover(world):
    try:
        return sentinel(world, "SENTINEL", "FAILOVER", "main") == "OK"
    except OSError:  # NOGOODSLAVE, or one is under way still
        return False
