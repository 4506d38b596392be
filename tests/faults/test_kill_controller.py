# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the controller in the middle of everything: each operation was done or was not, and nothing is left over.

Each client thread has functions and layers of its own, so it knows what must be there: what was acknowledged, and
of the one operation whose answer did not come, all or nothing. HEARTH_KILL_SECONDS (default 8) says for how long,
HEARTH_KILL_SEED which.
"""
import base64
import hashlib
import os
import random
import threading
import time

from botocore.exceptions import BotoCoreError, ClientError

from harness import ROLE, wait_until, zip_of
from world import World

SECONDS = float(os.environ.get("HEARTH_KILL_SECONDS", "8"))
KILLS_MIN, DONE_MIN = 3, 20  # a slow machine gets more time for them
SEED = int(os.environ.get("HEARTH_KILL_SEED", time.time_ns() % 10**9))
ZIPS = [zip_of({"app.py": f"def handler(e, c): return {i}"}) for i in range(4)]
SHAS = [base64.b64encode(hashlib.sha256(z).digest()).decode() for z in ZIPS]


class Unknown(Exception):
    """The answer did not come: done or not done."""


class Client(threading.Thread):
    """Operations on one function and one layer; `state` is what must be there."""

    def __init__(self, hearth, number, stop):
        super().__init__(daemon=True)
        self.lam = hearth.client(connections=2)
        self.name = f"kill-{number}"
        self.random = random.Random(SEED * 100 + number)
        self.stop = stop
        self.state = {"there": False, "layers": {}, "next_layer": 1}
        self.done = self.unknown = self.refused = 0
        self.error = None

    # ---- calls

    def call(self, method, **kw):
        """The answer; None when it was refused for a reason that is no failure; Unknown."""
        try:
            answer = getattr(self.lam, method)(**kw)
            self.done += 1
            return answer
        except ClientError as e:
            status = e.response["ResponseMetadata"]["HTTPStatusCode"]
            if status >= 500:
                self.unknown += 1
                raise Unknown from e
            self.refused += 1
            assert status in (404, 409), e
            return None
        except BotoCoreError as e:
            self.unknown += 1
            raise Unknown from e

    def read(self):
        """What is there, once the controller answers."""
        end = time.monotonic() + 60
        while True:
            try:
                return self.read_once()
            except (Unknown, ClientError, BotoCoreError):
                assert time.monotonic() < end, "the controller does not come back"
                time.sleep(0.05)

    def read_once(self):
        s = {"there": False, "layers": {}, "next_layer": self.state["next_layer"]}
        for v in self.lam.list_layer_versions(LayerName=self.name)["LayerVersions"]:
            s["layers"][v["Version"]] = True
        try:
            cfg = self.lam.get_function_configuration(FunctionName=self.name)
        except self.lam.exceptions.ResourceNotFoundException:
            return s
        versions = self.lam.list_versions_by_function(FunctionName=self.name)["Versions"][1:]
        aliases = self.lam.list_aliases(FunctionName=self.name)["Aliases"]
        s.update(there=True, sha=cfg["CodeSha256"], memory=cfg["MemorySize"],
                 versions={v["Version"]: v["CodeSha256"] for v in versions},
                 aliases={a["Name"]: a["FunctionVersion"] for a in aliases})
        return s

    # ---- operations: each gives (call, what the state is afterwards)

    def create(self):
        z = self.random.randrange(len(ZIPS))
        publish = self.random.random() < 0.5
        after = dict(self.state, there=True, sha=SHAS[z], memory=128, versions={"1": SHAS[z]} if publish else {}, aliases={})
        layers = [f"arn:aws:lambda:us-east-1:000000000000:layer:{self.name}:{n}" for n in list(self.state["layers"])[:1]]
        return dict(method="create_function", FunctionName=self.name, Role=ROLE, Runtime="python3.11", Handler="app.handler",
                    Code={"ZipFile": ZIPS[z]}, Publish=publish, Layers=layers), after

    def delete(self):
        after = {k: v for k, v in self.state.items() if k in ("layers", "next_layer")}
        return dict(method="delete_function", FunctionName=self.name), dict(after, there=False)

    def update_code(self):
        z = self.random.randrange(len(ZIPS))
        return dict(method="update_function_code", FunctionName=self.name, ZipFile=ZIPS[z]), dict(self.state, sha=SHAS[z])

    def update_configuration(self):
        m = self.random.choice([128, 192, 256])
        return dict(method="update_function_configuration", FunctionName=self.name, MemorySize=m), dict(self.state, memory=m)

    def publish(self):
        return dict(method="publish_version", FunctionName=self.name), None  # the next number: looked at when it is known

    def create_alias(self):
        v = self.random.choice(list(self.state["versions"]) + ["$LATEST"])
        after = dict(self.state, aliases=dict(self.state["aliases"], live=v))
        method = "update_alias" if "live" in self.state["aliases"] else "create_alias"
        return dict(method=method, FunctionName=self.name, Name="live", FunctionVersion=v), after

    def delete_alias(self):
        return dict(method="delete_alias", FunctionName=self.name, Name="live"), dict(self.state, aliases={})

    def publish_layer(self):
        n = self.state["next_layer"]
        after = dict(self.state, layers=dict(self.state["layers"], **{}), next_layer=n + 1)
        after["layers"][n] = True
        return dict(method="publish_layer_version", LayerName=self.name, Content={"ZipFile": self.random.choice(ZIPS)}), after

    def delete_layer(self):
        n = self.random.choice(list(self.state["layers"]) or [1])
        return dict(method="delete_layer_version", LayerName=self.name, VersionNumber=n), \
            dict(self.state, layers={k: True for k in self.state["layers"] if k != n})

    # ---- the loop

    def step(self):
        if self.state["there"]:
            what = self.random.choice([self.update_code, self.update_code, self.update_configuration, self.publish, self.publish,
                                       self.create_alias, self.delete_alias, self.delete, self.publish_layer, self.delete_layer])
        else:
            what = self.random.choice([self.create, self.create, self.create, self.publish_layer, self.delete_layer])
        request, after = what()
        method = request.pop("method")
        before = self.state
        try:
            answer = self.call(method, **request)
        except Unknown:
            now = self.read()
            if method == "publish_version" and now["there"]:
                new = set(now["versions"]) - set(before["versions"])
                assert len(new) <= 1, (before, now)
                after = dict(before, versions=dict(before["versions"], **{n: before["sha"] for n in new}))
            if now["layers"] != before["layers"] and method == "publish_layer_version":
                now["next_layer"] += 1
            assert now in (before, after), f"{method}: neither done nor not done\nbefore {before}\nafter {after}\nis {now}"
            self.state = now
            return
        if answer is None:
            return
        if method == "publish_version":
            after = dict(before, versions=dict(before["versions"], **{answer["Version"]: answer["CodeSha256"]}))
        self.state = after

    def run(self):
        try:
            while not self.stop.is_set():
                self.step()
        except BaseException as e:  # noqa: BLE001 - told by the test
            self.error = e


def test_each_operation_is_done_or_not_done_when_the_controller_is_killed(hearth, images):
    world = World(hearth)
    stop = threading.Event()
    clients = [Client(hearth, n, stop) for n in range(4)]
    chance = random.Random(SEED)
    kills = 0
    for c in clients:
        c.start()
    begin = time.monotonic()
    while (time.monotonic() < begin + SECONDS or kills <= KILLS_MIN or sum(c.done for c in clients) <= DONE_MIN) \
            and not any(c.error for c in clients):
        assert time.monotonic() < begin + 20 * SECONDS, f"{kills} kills, {sum(c.done for c in clients)} operations in all that time"
        time.sleep(chance.uniform(0.05, 0.8))
        pid = hearth.kill("hearth-controller")
        kills += 1
        wait_until("the controller runs again", lambda old=pid: hearth.pid("hearth-controller") not in (None, old), 20)
        world.check()
    stop.set()
    for c in clients:
        c.join(120)
    for c in clients:
        if c.error:
            raise AssertionError(f"HEARTH_KILL_SEED={SEED}, {c.name}") from c.error
    world.settle()
    world.check()
    done, unknown = sum(c.done for c in clients), sum(c.unknown for c in clients)
    print(f"{kills} kills, {done} operations done, {unknown} without an answer, {sum(c.refused for c in clients)} refused")
    for c in clients:
        assert c.read() == c.state, f"HEARTH_KILL_SEED={SEED}: acknowledged {c.state}"
        if c.state["there"]:
            cfg = c.lam.get_function_configuration(FunctionName=c.name)
            assert cfg["State"] in ("Active", "Failed") and cfg["LastUpdateStatus"] != "InProgress", cfg
    world.check_archives()
    for c in clients:
        if c.state["there"]:
            c.lam.delete_function(FunctionName=c.name)
        for n in c.state["layers"]:
            c.lam.delete_layer_version(LayerName=c.name, VersionNumber=n)
    world.check()
    world.check_archives()
    assert world.archives() == (set(), set())
