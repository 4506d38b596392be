# SPDX-License-Identifier: Apache-2.0
"""The worst of partitions: everything is parted in two, and both sides have all that it takes to run functions. On one of them is the Redis that was
the primary, which goes on to answer, with the controller that leads; on the other most of the sentinels, who promote the replica."""
import contextlib
import time

import checker
import cluster as parts
import faults
from cluster import REDIS_PORT, Redis, address
from harness import wait_until

SENTINEL_PORT = 26379
REPLACED_MS = 2000  # so long a primary is silent before sentinels replace it
SPLIT = 16.0  # seconds from when it was replaced: its side has to end all, the other one to know that
HEALED = 40.0  # seconds: then the sentinels have made a replica of it


class Cluster(parts.Cluster):
    """Redis servers on hosts of their own, with three real sentinels."""

    REDIS = {"r0": ("r0", REDIS_PORT), "r1": ("r1", REDIS_PORT)}
    SENTINELS = ("s0", "s1", "s2")

    def sentinel_argv(self, name):
        conf = self.folder / name / "sentinel.conf"  # it writes into it
        conf.write_text(f"port {SENTINEL_PORT}\nbind 0.0.0.0\nprotected-mode no\ndir {conf.parent}\n"
                        f"sentinel monitor main {address('r0')} {REDIS_PORT} {len(self.SENTINELS) // 2 + 1}\n"
                        f"sentinel down-after-milliseconds main {REPLACED_MS}\nsentinel failover-timeout main 4000\n")
        return ["redis-server", conf, "--sentinel"]

    def redis_url(self):
        return "sentinel://" + ",".join(f"{address(s)}:{SENTINEL_PORT}" for s in self.SENTINELS) + "/main"

    def start_redis(self):
        super().start_redis()
        for name in self.SENTINELS:
            self.parts[name].start()
        wait_until("the sentinels know one another and the replica", lambda: all(map(self.knows_all, self.SENTINELS)), 20)

    def point_to(self, name):
        """That is up to the sentinels."""

    def knows_all(self, sentinel):
        with contextlib.suppress(OSError):
            flat = Redis(sentinel, SENTINEL_PORT)("SENTINEL", "MASTER", "main")
            known = dict(zip(flat[::2], flat[1::2]))
            return (int(known["num-other-sentinels"]), int(known["num-slaves"])) == (len(self.SENTINELS) - 1, len(self.REDIS) - 1)
        return False


class Split(faults.Partition):
    """Half of the gateways, one or two of the three invokers and one sentinel are on the old primary's side."""

    def __init__(self, cluster, rng, seconds):
        self.cluster = cluster
        self.old, self.new = cluster.primary, cluster.replica
        self.leader = cluster.parts[cluster.leader()]
        self.led = self.leader.process  # a controller that was replaced ends
        old = [self.leader.name, self.old, rng.choice(cluster.SENTINELS), *rng.sample(cluster.invokers, rng.randint(1, 2)),
               *rng.sample(cluster.gateways, len(cluster.gateways) // 2)]
        self.sides = sorted(old), sorted(h for h in cluster.hosts if h not in old)
        pairs = [(a, b) for a in self.sides[0] for b in self.sides[1]]
        words = "split in two, " + " | ".join(" ".join(side) for side in self.sides)
        super().__init__(cluster, pairs + [(b, a) for a, b in pairs], words, seconds)

    def begin(self):
        wait_until("the replica has caught up", self.cluster.replica_is_up, 20)
        super().begin()
        wait_until("the replica is promoted", lambda: self.cluster.redis(self.new)("ROLE")[0] == "master", 30)
        self.cluster.primary = self.new

    def is_over(self):
        """The leader that was replaced has ended, and its Redis has become a replica."""
        return self.leader.process is not self.led and self.cluster.redis(self.old)("ROLE")[0] == "slave"


def used_by(test, side, begin, end):
    """How many ran at most on that side in that time, by function."""
    runs = [r for r in test.live.history.runs if r.node in side and r.end > begin and r.start < end]
    return {f: checker.overruns([r for r in runs if r.function == f], limits)[0] for f, limits in test.limits.items()}


def play(test):
    """The split, and its healing to the end. A history in which one of the sides had no part would show nothing."""
    cluster, checks = test.cluster, test.checks
    split = Split(cluster, test.rng, SPLIT)
    test.disturb(split)
    begin, healed, _ = test.disturbed[-1]
    old, new = (used_by(test, side, begin, healed) for side in split.sides)
    checks.say(f"  at most there ran, on either side, {', '.join(f'{f} {old[f]} | {new[f]}' for f in new)}")
    if not any(old.values()):
        checks.fail("nothing ran on the old primary's side", slow=True)
    for f in ("r1", "r2", "r10"):  # of which there are more clients on each side than permits
        if new[f] < test.limits[f].most():
            checks.fail(f"{f}: no more than {new[f]} ran on the side of most sentinels in {healed - begin:.0f} s", slow=True)
    while not split.is_over() and time.monotonic() < healed + HEALED:
        test.sleep(0.1)
    if not split.is_over():
        checks.fail(f"{HEALED:.0f} s after the split {split.leader.name} still leads, or {split.old} is no replica")
    test.live.watch(time.monotonic())
    test.converge(time.monotonic(), "the split and all that came of it")
    test.stop("saturate")
