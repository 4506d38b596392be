# SPDX-License-Identifier: Apache-2.0
"""The permit protocol on real processes: four gateways, three invokers, two controllers, functions with limits of 0, 1, 2, 10 and 100 and one without, clients that
saturate them, and faults. Then every start and end is looked at.

  history.py short          all kinds of faults once: `make check-history`
  history.py long           for --seconds, several faults at once: `make chaos`
  history.py split          everything is parted in two (split.py): both

What is asked (checker.py says how exactly):
  - no more run than may, at every instant, whatever happens; no request is run twice
  - 10 s after a fault is healed at the latest: all limits are used to the full and every gateway serves
  - outside of faults and those 10 s: no 429 while a permit has been free for 100 ms, no other refusal, and in a phase without faults 98 % of
    the permits' time is used
  - in the end no permit is missing: the ledger has none in use, and each limit is reached by one gateway alone

Ends with 1 when any of it does not hold, with 3 when it is nothing but times and rates (ten seconds, 100 ms, 98 %), which a machine that
stands still for a moment changes too: run.sh has the short one made once more then.
"""
import argparse
import collections
import os
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import checker  # noqa: E402
import faults  # noqa: E402
import split  # noqa: E402
from cluster import ACCOUNT, Cluster  # noqa: E402
from harness import TOP, Docker, run  # noqa: E402

RESERVED = {"r0": 0, "r1": 1, "r2": 2, "r10": 10, "r100": 100}
FREE = "free"  # has no reservation
ACCOUNT_CONCURRENCY = sum(RESERVED.values()) + 100  # at least 100 have to stay unreserved
CONVERGENCE = 10.0  # seconds
UTILISATION = 0.98
SLOW = 3  # exit status: nothing has failed but what a slow machine may make fail
PREFIX = f"hearth:{{{ACCOUNT}}}:permits"


class Live:
    """The history as it grows: what runs now, and since when all is well again."""

    def __init__(self, cluster):
        self.history = checker.History()
        self.files = [[open(cluster.history), "", self.on_recorder], [open(cluster.answers), "", self.on_answer]]
        self.running = collections.Counter()
        self.full, self.served, self.since = {}, {}, checker.FOREVER
        self.most = collections.Counter()

    def on_recorder(self, line):
        r = self.history.recorder_line(line)
        if not r:
            return
        self.running[r.function] += 1 if r.end == checker.FOREVER else -1
        at = r.start if r.end == checker.FOREVER else r.end
        self.most[r.function] = max(self.most[r.function], self.running[r.function])
        if at >= self.since and self.running[r.function] >= RESERVED.get(r.function, 1):
            self.full.setdefault(r.function, at)

    def on_answer(self, line):
        a = self.history.answer_line(line)
        if a.status == 200 and a.sent >= self.since:
            self.served.setdefault(a.gateway, a.answered)

    def look(self):
        for entry in self.files:
            f, rest, on_line = entry
            lines = (rest + f.read()).split("\n")
            entry[1] = lines.pop()
            for line in lines:
                on_line(line)

    def watch(self, since):
        """From then on it is noted when each limit is used to the full, and when each gateway serves."""
        self.look()
        self.since, self.served = since, {}
        self.full = {f: since for f, r in RESERVED.items() if r and self.running[f] >= r}

    def missing(self, gateways):
        return [f for f, r in RESERVED.items() if r and f not in self.full] + [f"g{g}" for g in range(gateways) if g not in self.served]

    def converged_at(self):
        return max([*self.full.values(), *self.served.values()])


class Checks:
    """What was asked, and what came of it."""

    def __init__(self, folder):
        self.bad = []
        self.folder = folder
        self.log = open(folder / "faults", "w")
        self.began = time.monotonic()

    def say(self, text):
        line = f"{time.monotonic() - self.began:7.1f} s ({time.monotonic():.3f})  {text}"
        print(line, flush=True)
        print(line, file=self.log, flush=True)

    def fail(self, text, slow=False):
        """@slow: a machine that stands still for a moment has the same effect."""
        self.bad.append((text, slow))
        self.say("FAILED: " + text)


class Test:
    def __init__(self, cluster, rng, checks, longest):
        self.cluster, self.rng, self.checks = cluster, rng, checks
        self.slow_ms = int(1000 * (longest + 5))  # outlasts each fault
        self.live = Live(cluster)
        self.troubled, self.convergence, self.made = [], [], collections.Counter()
        self.limits = {f: checker.Limits(r) for f, r in RESERVED.items()}
        self.limits[FREE] = checker.Limits(ACCOUNT_CONCURRENCY - sum(RESERVED.values()))
        self.saturated = None
        self.disturbed = []

    # ---- load

    def saturate(self, hard):
        """More clients than permits, all the time, at every gateway. Hard: runs of all lengths, short ones, and some that outlast whatever the
        programs do about a fault; else such as leave little of a gap."""
        ms = (60, 200) if hard else (250, 400)
        gateways = len(self.cluster.gateways)
        lines = []
        for g in range(gateways):
            for f, clients, slow, pause in (("r0", 4, 0, 200), ("r1", 4, 4, 40), ("r2", 8, 4, 40), ("r10", 16, 8, 50), ("r100", 128, 20, 150)):
                lengths = ((200, 500) if hard else (500, 800)) if f == "r100" else ms  # not more a second than two CPUs can start
                lines += [f"+ saturate {f} {g} {lengths[0]} {lengths[1]} 0 0 {pause}"] * -(-clients // gateways)
                lines += [f"+ saturate {f} {g} 3000 {self.slow_ms} 0 0 {pause}"] * (-(-slow // gateways) if hard else 0)
            lines += [f"+ saturate {FREE} {g} 40 100 20 60 50"] * 2
        self.cluster.command(*lines)

    def wander(self):
        """Never more clients than permits, each at another gateway every time: none of them may be refused."""
        lines = [f"+ wander {f} -1 40 120 130 400 200" for f, n in (("r1", 1), ("r2", 2), ("r10", 10), ("r100", 40), (FREE, 4)) for _ in range(n)]
        self.cluster.command(*lines, "+ wander r0 -1 10 10 0 0 200")

    def stop(self, group):
        self.cluster.command(f"- {group}")

    def sleep(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(min(0.05, max(0.0, end - time.monotonic())))
            self.live.look()
            for part in self.cluster.fallen():
                status = part.process.returncode
                if part.name in self.cluster.controllers and status == 1:
                    self.checks.say(f"  {part.name} was replaced as the leader and begins anew")
                else:
                    self.checks.fail(f"{part.name} has ended by itself with {status}: logs/{part.log.name}")
                part.start()

    # ---- phases

    def converge(self, since, what, seconds=CONVERGENCE):
        """Waits until all is used to the full again; too late is a failure, and it is waited on for as long again."""
        n = len(self.cluster.gateways)
        while self.live.missing(n) and time.monotonic() - since < 3 * seconds:
            self.sleep(0.05)
        missing = self.live.missing(n)
        took = time.monotonic() - since if missing else self.live.converged_at() - since
        if missing:
            self.checks.fail(f"{took:.1f} s after {what}: still not served or not used to the full: {', '.join(missing)}"
                             f" (running: {dict(self.live.running)})")
        elif took > seconds:
            self.checks.fail(f"{what}: it took {took:.1f} s until all was used to the full", slow=True)
        return took

    def warm_up(self, hard=False):
        self.live.watch(time.monotonic())
        self.saturate(hard)
        took = self.converge(time.monotonic(), "the start", 40)
        self.checks.say(f"all limits are reached {took:.1f} s after the first request")

    def undisturbed(self, seconds):
        self.sleep(2)
        begin = time.monotonic()
        self.sleep(seconds)
        self.saturated = (begin, time.monotonic())
        for f, r in RESERVED.items():
            counted = int(self.cluster.redis()("HGET", PREFIX, f"p:{f}") or 0)
            if not 0.9 * r <= counted <= r:
                self.checks.fail(f"the ledger has {counted} of {f}'s {r} permits in use while clients saturate it")
        self.stop("saturate")
        self.sleep(1)
        self.wander()
        self.sleep(seconds)
        self.stop("wander")
        self.checks.say("undisturbed phase is over")

    def change_limit(self, function, value):
        lam = self.cluster.client(self.rng.choice(self.cluster.gateways))
        sent = time.monotonic()
        lam.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=value)
        self.limits[function].change(sent, time.monotonic(), value)
        self.checks.say(f"{function} may run {value} from now on")

    def change_limits(self):
        """Down and up again under load."""
        for function, value in (("r10", 3), ("r2", 0)):
            before = RESERVED[function]
            self.change_limit(function, value)
            self.sleep(1.5)
            self.change_limit(function, before)
        self.live.watch(time.monotonic())
        self.converge(time.monotonic(), "limits have gone up again")

    def disturb(self, *some):
        """These faults, each for its own time, then all is well again within ten seconds."""
        what = "; ".join(f.words for f in some)
        begin = time.monotonic()
        self.checks.say(f"{what} ({', '.join(f'{f.seconds:.1f} s' for f in some)})")
        healing = []
        for fault in some:
            fault.begin()
            healing.append((time.monotonic() + fault.seconds, fault))
            self.made[fault.kind] += 1
        for at, fault in sorted(healing, key=lambda h: h[0]):
            self.sleep(max(0.0, at - time.monotonic()))
            fault.heal()
        healed = time.monotonic()
        self.live.watch(healed)
        took = self.converge(healed, what)
        self.convergence.append((took, what))
        self.troubled.append((begin, healed + CONVERGENCE))
        self.disturbed.append((begin, healed, what))
        self.checks.say(f"  all is used to the full {took:.1f} s later")
        self.sleep(0.5)

    def faults_once(self, kinds, longest):
        kinds = list(kinds)
        self.rng.shuffle(kinds)
        for kind in kinds:
            self.disturb(faults.draw(self.cluster, self.rng, kind, longest))

    def faults_for(self, kinds, longest, seconds):
        """One to three at once, of parts that none of the others has."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            chosen = self.rng.sample(kinds, min(len(kinds), self.rng.choice([1, 1, 2, 3])))
            # one thing at a time for the servers of Redis: their roles move
            of_redis = [k for k in chosen if "redis" in k or "failover" in k]
            chosen = [k for k in chosen if k not in of_redis[1:]]
            some = [faults.draw(self.cluster, self.rng, k, longest) for k in chosen]
            parts = [getattr(f, "parts", [getattr(f, "part", None)])[0] for f in some]
            some = [f for i, f in enumerate(some) if parts[i] is None or parts[i] not in parts[:i]]
            self.disturb(*some)
            self.sleep(self.rng.choice([0, 0, 2, CONVERGENCE + 3]))
            if self.rng.random() < 0.1:
                self.change_limits()

    def recovered(self, seconds):
        """Ten seconds after the last fault all is as if there had been none."""
        self.sleep(max(0.0, self.troubled[-1][1] - time.monotonic()) if self.troubled else 0)
        self.sleep(seconds)
        self.stop("saturate")
        self.wander()
        self.sleep(seconds)
        self.stop("wander")

    # ---- quiescence

    def leaks(self):
        """Permits that are in use although nothing runs: told by the ledger, and by what can be run at once."""
        self.sleep(1.5)
        end = time.monotonic() + 30 + self.slow_ms / 1000
        while self.held() and time.monotonic() < end:
            self.sleep(0.2)
        held = self.held()
        if held:
            self.checks.fail("permits that nobody uses: " + "; ".join(held))
        leaked = 0
        for function, r in RESERVED.items():
            if r:
                self.live.look()
                self.live.most[function] = 0
                g = self.rng.randrange(len(self.cluster.gateways))
                self.cluster.command(*[f"+ all {function} {g} 500 500 0 0 20"] * r)
                end = time.monotonic() + CONVERGENCE
                while self.live.most[function] < r and time.monotonic() < end:
                    self.sleep(0.05)
                if self.live.most[function] < r:
                    self.checks.fail(f"{function}: only {self.live.most[function]} of {r} permits can be used in the end, by g{g}")
                    leaked += r - self.live.most[function]
                self.stop("all")
                self.sleep(0.6)
        return leaked + len(held)

    def held(self):
        """What the ledger has in use after all is over, as sentences."""
        redis = self.cluster.redis()
        keys = sorted(redis("KEYS", PREFIX + "*"))  # the ledger, and what each gateway and each node has
        if PREFIX not in keys:
            return [f"there is no {PREFIX} in Redis"]
        return [f"{key[len(PREFIX):].lstrip('_') or 'ledger'} {field} = {value}" for key in keys for field, value in redis.hash(key).items()
                if (field == "total" or field[:2] in ("p:", "f:", "l:", "o:")) and value != "0"]

    # ---- judgement

    def judge(self):
        history = self.live.history
        runs, answers = history.runs, history.answers
        by_function = collections.defaultdict(list)
        for r in runs:
            by_function[r.function].append(r)
        said = collections.defaultdict(list)
        for a in answers:
            said[a.function].append(a)
        worst, usage, false = [], [], 0
        sent = {a.tag: a.sent for a in answers}
        for f, limits in self.limits.items():
            most, bad = checker.overruns(by_function[f], limits, sent)
            worst.append(f"{most}/{limits.most()}")
            if bad:
                at, n, limit, some = bad[0]
                fault = next((w for begin, end, w in reversed(self.disturbed) if begin <= at), "nothing yet")
                self.checks.fail(f"{f}: {len(bad)} runs were one too many, the first at {at:.6f}: {n} run, {limit} may; last fault: {fault}\n" +
                                 "\n".join(f"    tag {r.tag} on {r.node} {r.start:.6f} to {r.end:.6f}{' (killed)' if r.killed else ''}" for r in some[:12]))
            bad = checker.false_throttles(said[f], by_function[f], limits, self.troubled)
            false += len(bad)
            if bad:
                a, held, free = bad[0]
                self.checks.fail(f"{f}: {len(bad)} throttled although a permit was free, the first by g{a.gateway} at {a.answered:.6f} (tag {a.tag}): "
                                 f"at most {held} of {free} were in use in the {1000 * checker.FREE_FOR:.0f} ms before", slow=True)
            if RESERVED.get(f) and self.saturated:
                usage.append((checker.utilisation(by_function[f], RESERVED[f], *self.saturated), f))
        twice = checker.ran_twice(runs)
        if twice:
            self.checks.fail(f"{len(twice)} requests were run twice, tags {twice[:5]}")
        lost = checker.unrecorded(answers, runs)
        if lost:
            self.checks.fail(f"{len(lost)} answers are of no run that was recorded, the first: {lost[0]}")
        failed = checker.failures(answers, self.troubled)
        if failed:
            self.checks.fail(f"{len(failed)} requests failed while nothing was wrong, the first: {failed[0]}")
        if usage and min(usage)[0] < UTILISATION:
            self.checks.fail(f"only {100 * min(usage)[0]:.1f} % of {min(usage)[1]}'s permits were used under saturation", slow=True)
        return runs, answers, worst, usage, false


def summary(test, leaked):
    runs, answers, worst, usage, false = test.judge()
    count = collections.Counter(a.status for a in answers)
    made = ", ".join(f"{n} {what}" for what, n in sorted(test.made.items()))
    print(f"histories: {len(test.limits)} functions, {len(runs):,} runs ({sum(r.killed for r in runs)} ended by force), {len(answers):,} requests "
          f"({count[200]:,} answered, {count[429]:,} throttled, {len(answers) - count[200] - count[429]} failed); faults: {made or 'none'}; "
          f"worst running/R: {' '.join(worst)}; utilisation {100 * min(usage)[0] if usage else 0:.1f} % (least, {min(usage)[1] if usage else '-'}); "
          f"false throttles {false}; leaked {leaked}; convergence worst {max(test.convergence)[0] if test.convergence else 0:.1f} s", flush=True)


def play(test, options):
    cluster = test.cluster
    kinds = faults.kinds(cluster.tcp)
    if options.faults is not None:
        wrong = set(filter(None, options.faults.split(","))) - set(kinds)
        if wrong:
            raise SystemExit(f"history: no such faults: {wrong}; there are {', '.join(kinds)}")
        kinds = [k for k in kinds if k in options.faults.split(",")]
    if options.which == "split":
        test.warm_up(hard=True)
        split.play(test)
        return test.leaks()
    test.warm_up()
    test.undisturbed(options.undisturbed)
    test.saturate(True)
    test.change_limits()
    if options.which == "short":
        test.faults_once(kinds, options.longest)
    else:
        test.faults_for(kinds, options.longest, options.seconds)
    test.recovered(options.undisturbed / 2)
    return test.leaks()


def measure(cluster, checks, options):
    cluster.make()
    cluster.start()
    cluster.start_tools(options.seed)
    for name, reserved in [*RESERVED.items(), (FREE, None)]:
        cluster.make_function(name, reserved)
    test = Test(cluster, random.Random(options.seed), checks, options.longest)
    leaked = play(test, options)
    cluster.stop_tools()
    test.live.look()
    summary(test, leaked)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=["short", "long", "split"])
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    parser.add_argument("--seconds", type=float, default=3600, help="how long faults are made for (long)")
    parser.add_argument("--longest", type=float, default=7, help="the longest fault, in seconds")
    parser.add_argument("--fence", type=float, default=4, help="after how many seconds without a controller an invoker ends all")
    parser.add_argument("--undisturbed", type=float, default=10, help="how long the phases without faults are")
    parser.add_argument("--faults", help="only these kinds, separated by commas; empty: none")
    parser.add_argument("--gateways", type=int, default=4)
    parser.add_argument("--links", choices=["unix", "tcp"], default="tcp")
    parser.add_argument("--keep", type=pathlib.Path, default=TOP / "build/history/failed", help="where logs and histories go on failure")
    options = parser.parse_args()
    checker.try_checker()
    me = str(os.getpid())
    docker = Docker(run(TOP / "scripts/dockerd.sh", "ensure", me).stdout.strip())
    cluster = (split.Cluster if options.which == "split" else Cluster)(docker, options.keep, options.gateways, options.links == "tcp", ACCOUNT_CONCURRENCY,
                      HEARTH_NODE_FENCE=f"{options.fence * 1000:.0f}ms")
    checks = Checks(cluster.folder)
    checks.say(f"seed {options.seed}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    whole = False
    try:
        measure(cluster, checks, options)
        whole = True
    finally:
        cluster.close(checks, whole)
        run(TOP / "scripts/dockerd.sh", "stop", me, check=False)
    for text, _ in checks.bad:
        print("FAILED: " + text)
    if checks.bad:
        print(f"once more with the same faults: SEED={options.seed}")
    return 0 if not checks.bad else SLOW if all(slow for _, slow in checks.bad) else 1


if __name__ == "__main__":
    sys.exit(main())
