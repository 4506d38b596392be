# SPDX-License-Identifier: Apache-2.0
"""What is done to a cluster: each fault begins, lasts, and is healed; the seed decides which parts, how and for how long."""
import contextlib
import os
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import native_functions, native_processes, wait_until  # noqa: E402


SILENCE = 10.0  # seconds: then a link is given up


class Kill:
    """kill -9, and after a while the program is started again."""

    def __init__(self, cluster, name, seconds):
        self.parts, self.seconds = [cluster.parts[name]], seconds
        self.words, self.kind = f"kill -9 {name}", "kill -9 of programs"

    def begin(self):
        for part in self.parts:
            part.signal(signal.SIGKILL)

    def heal(self):
        for part in self.parts:
            part.start()


class Stop:
    """SIGSTOP and SIGCONT: silent, then back with all that it believed."""

    def __init__(self, cluster, name, seconds):
        self.part, self.seconds = cluster.parts[name], seconds
        self.words, self.kind = f"SIGSTOP {name}", "SIGSTOP"

    def begin(self):
        self.part.signal(signal.SIGSTOP)

    def heal(self):
        self.part.signal(signal.SIGCONT)


class Partition:
    """Packets between two hosts are dropped: those of one direction, or of both."""

    def __init__(self, cluster, pairs, words, seconds):
        self.network, self.pairs, self.seconds = cluster.network, pairs, seconds
        self.words, self.kind = words, words.partition(",")[0] + "s"

    def begin(self):
        self.network.cut(*self.pairs)

    def heal(self):
        self.network.heal(*self.pairs)


class KillFunctions:
    """kill -9 of functions in the middle of their runs."""

    def __init__(self, cluster, name, how_many, rng):
        self.node, self.how_many, self.rng, self.seconds = cluster.node(name), how_many, rng, 0.2
        self.words, self.kind = f"kill -9 functions of {name}", "kill -9 of functions"

    def begin(self):
        found = native_functions(self.node)
        for sandbox in self.rng.sample(found, min(len(found), self.how_many)):
            pids = native_processes(self.node, sandbox.partition("/")[2])
            for pid in pids[1:]:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)

    def heal(self):
        pass


class Failover:
    """The replica hears nothing for a while, then it is the primary, without what was acknowledged meanwhile. The old primary is dead, or is
    deposed and still answers those who are connected to it, until the fault is healed."""

    def __init__(self, cluster, lag, deposed, seconds):
        self.cluster, self.lag, self.deposed, self.seconds = cluster, lag, deposed, seconds
        self.words = f"Redis fails over, {lag:.1f} s of writes lost" + (", the old primary still answers" if deposed else "")
        self.kind = "failovers"

    def begin(self):
        c = self.cluster
        wait_until("the replica has caught up", c.replica_is_up, 20)
        self.old, new = c.primary, c.replica
        c.redis(new)("REPLICAOF", "127.0.0.1", "1")  # nobody is there
        time.sleep(self.lag)
        if not self.deposed:
            c.parts[self.old].signal(signal.SIGKILL)
        c.redis(new)("REPLICAOF", "NO", "ONE")
        c.parts[new].argv = c.redis_argv(new)
        c.point_to(new)

    def heal(self):
        self.cluster.restart_as_replica(self.old)


def draw_partition(cluster, rng, kind, longest):
    """Too short to be noticed, or long enough for links to be given up, and gateways and nodes with them."""
    seconds = rng.uniform(0.2, 3) if rng.random() < 0.3 else rng.uniform(SILENCE, max(longest, SILENCE + 5))
    pick = {"g": cluster.gateways, "i": cluster.invokers, "c": cluster.controllers, "r": ["r"]}
    a, b = rng.choice(pick[kind[0]]), rng.choice(pick[kind[1]])
    how = rng.choice(["to", "from", "both"])
    pairs = {"to": [(a, b)], "from": [(b, a)], "both": [(a, b), (b, a)]}[how]
    words = {"to": f"one-way partition, {a} to {b}", "from": f"one-way partition, {b} to {a}", "both": f"two-way partition, {a} and {b}"}[how]
    return Partition(cluster, pairs, words, seconds)


def draw(cluster, rng, kind, longest):
    """A fault of that kind; `longest`: seconds."""
    seconds = rng.choice([rng.uniform(0.2, 1.5), rng.uniform(1.5, longest)])
    what, _, of = kind.partition(" ")
    leader = cluster.leader() if of == "controller" and rng.random() < 0.8 else None
    part = {"gateway": cluster.gateways, "invoker": cluster.invokers, "controller": [leader] if leader else cluster.controllers,
            "redis": [cluster.primary]}
    if what == "kill" and of == "functions":
        return KillFunctions(cluster, rng.choice(cluster.invokers), rng.randint(1, 20), rng)
    if what == "kill":
        return Kill(cluster, rng.choice(part[of]), rng.choice([0.0, seconds]))
    if what == "stop":
        return Stop(cluster, rng.choice(part[of]), seconds)
    if what == "failover":
        return Failover(cluster, rng.uniform(0.3, 3), of == "deposed", rng.uniform(0.1, 2))
    return draw_partition(cluster, rng, of, longest)


ALWAYS = ["kill gateway", "kill invoker", "kill controller", "kill redis", "kill functions", "stop gateway", "stop invoker", "stop controller", "stop redis",
          "failover dead", "failover deposed", "partition cr"]
OVER_TCP = ["partition gi", "partition gc", "partition ic"]  # links that are sockets of the file system cannot be parted


def kinds(tcp):
    return ALWAYS + (OVER_TCP if tcp else [])
