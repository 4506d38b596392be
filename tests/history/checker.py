# SPDX-License-Identifier: Apache-2.0
"""What a history must be like: pure functions of what functions and clients wrote down. `python checker.py` tries them on small
histories that must be refused.

Times are seconds of CLOCK_MONOTONIC. A run is from its function's own stamp at the start to its own stamp at the end, or to the death of its process.
"""
import bisect
import collections
import dataclasses
import heapq
import sys

FREE_FOR = 0.100  # a permit that is free for so long must be given to whoever asks
CLIENT_LAG = 0.020  # between the gateway's decision and the client's stamp of the answer
FOREVER = float("inf")


@dataclasses.dataclass
class Run:
    function: str
    node: str
    tag: int
    start: float
    end: float = FOREVER
    killed: bool = False


@dataclasses.dataclass
class Answer:
    tag: int
    function: str
    gateway: int
    status: int
    what: str
    sent: float
    answered: float


class History:
    """The recorder's lines and the clients', as they come."""

    def __init__(self):
        self.runs, self.answers, self.open, self.sandboxes = [], [], {}, {}

    def recorder_line(self, line):
        """The run that starts or ends by it, or None."""
        kind, connection, at, *rest = line.split()
        at = int(at) / 1e9
        if kind == "H":
            self.sandboxes[connection] = tuple(rest)
        elif kind == "S":
            node, function = self.sandboxes[connection]
            run = Run(function, node, int(rest[0]), at)
            if connection in self.open:
                raise ValueError(f"two runs in one sandbox: {line}")
            self.open[connection] = run
            self.runs.append(run)
            return run
        elif connection in self.open:
            run = self.open.pop(connection)
            run.end, run.killed = at, kind == "X"
            return run
        return None

    def answer_line(self, line):
        _, tag, function, gateway, status, what, sent, answered = line.split()
        answer = Answer(int(tag), function, int(gateway), int(status), what, int(sent) / 1e9, int(answered) / 1e9)
        self.answers.append(answer)
        return answer


class Limits:
    """What a function may run at any time. Between the question that changes it and the answer it is either: for those who ask whether too
    many run, the greater one, for those who ask whether one more should have been let in, the smaller one."""

    def __init__(self, first):
        self.changes = [(-FOREVER, -FOREVER, first)]  # sent, answered, value

    def change(self, sent, answered, value):
        self.changes.append((sent, answered, value))

    def values(self, begin, end):
        """All that it may have been in that time."""
        ends = [answered for _, answered, _ in self.changes[1:]] + [FOREVER]
        return [v for (sent, _, v), until in zip(self.changes, ends) if sent <= end and begin < until]

    def greatest(self, begin, end):
        return max(self.values(begin, end))

    def least(self, begin, end):
        return min(self.values(begin, end))

    def most(self):
        return max(v for _, _, v in self.changes)


def overruns(runs, limits, sent=None):
    """(most that ran at once, [(time, how many, limit, runs)]): each start that was one too many. What ends at a time has ended then. `sent`: by
    tag, when the request was. A run has its permit from some time between that and its start, so the greatest limit of that time holds for it."""
    worst, bad, running = 0, [], []
    ends = []
    for i, run in enumerate(sorted(runs, key=lambda r: r.start)):
        while ends and ends[0][0] <= run.start:
            heapq.heappop(ends)
        heapq.heappush(ends, (run.end, i, run))
        worst = max(worst, len(ends))
        limit = limits.greatest(min(run.start, (sent or {}).get(run.tag, run.start)), run.start)
        if len(ends) > limit:
            bad.append((run.start, len(ends), limit, sorted((r for _, _, r in ends), key=lambda r: r.start)))
    return worst, bad


def ran_twice(runs):
    """Tags of requests that were run more than once."""
    return sorted(t for t, n in collections.Counter(r.tag for r in runs).items() if n > 1)


def unrecorded(answers, runs):
    """Answers of functions that no run explains: the recording must be whole, or the rest says nothing."""
    ended = {r.tag: r.end for r in runs}
    return [a for a in answers if a.status == 200 and a.what == "-" and ended.get(a.tag, FOREVER) > a.answered]


class Steps:
    """How many intervals hold at each time; asked for the most within a span."""

    def __init__(self, intervals):
        changes = sorted([(a, 1) for a, b in intervals] + [(b, -1) for a, b in intervals])
        self.times, self.counts, n = [-FOREVER], [0], 0
        for t, by in changes:
            n += by
            self.times.append(t)
            self.counts.append(n)

    def most(self, begin, end):
        first = bisect.bisect_right(self.times, begin) - 1
        return max(self.counts[first:bisect.bisect_right(self.times, end)])


def false_throttles(answers, runs, limits, troubled):
    """429s for concurrency although a permit was free all of the 100 ms before, as far as clients can know: a permit is in use at most while
    a request that was not refused is open, or runs. `troubled`: spans that are not judged."""
    until = {}
    for r in runs:
        until[r.tag] = max(until.get(r.tag, 0), r.end)
    held = Steps([(a.sent, max(a.answered, until.get(a.tag, 0))) for a in answers if a.status != 429])
    bad = []
    for a in answers:
        if a.status != 429 or a.what != "C" or within(a.answered, troubled):
            continue
        begin = a.answered - FREE_FOR - CLIENT_LAG
        free = limits.least(begin, a.answered)
        if held.most(begin, a.answered) < free:
            bad.append((a, held.most(begin, a.answered), free))
    return bad


def failures(answers, troubled):
    """What clients were told other than an answer or that they are throttled for concurrency, while nothing was wrong."""
    return [a for a in answers if not (a.status == 429 and a.what == "C" or a.status == 200 and a.what == "-") and
            not any(begin <= a.answered and a.sent <= end for begin, end in troubled)]


def utilisation(runs, limit, begin, end):
    """Time that ran of the time that could."""
    ran = sum(max(0.0, min(r.end, end) - max(r.start, begin)) for r in runs)
    return ran / (limit * (end - begin))


def within(t, spans):
    return any(begin <= t <= end for begin, end in spans)


# ---- histories that must be refused, and one that must not

def try_checker():
    def runs(*spans):
        return [Run("f", "n", i, a, b) for i, (a, b) in enumerate(spans)]

    def answer(tag, status, sent, answered, what=None):
        return Answer(tag, "f", 0, status, what or ("C" if status == 429 else "-"), sent, answered)

    one, two = Limits(1), Limits(2)
    assert overruns(runs((0, 1), (1, 2), (2, 3)), one) == (1, []), "one behind the other"
    assert overruns(runs((0, 1), (0.999999, 2)), one)[1], "two at once"
    assert overruns(runs((0, FOREVER), (5, 6)), one)[1], "one that never ended"
    assert overruns(runs((0, 9), (1, 3), (2, 4)), two)[0] == 3, "three at once"
    assert overruns(runs((0, 1)), Limits(0))[1], "one where none may"
    lowered = Limits(2)
    lowered.change(9, 10, 1)
    assert not overruns(runs((8, 20), (9.5, 20)), lowered)[1], "what ran before the limit went down goes on"
    assert overruns(runs((8, 20), (10.5, 20)), lowered)[1], "one begun after the limit went down"
    assert overruns(runs((8, 20), (10.5, 20)), lowered, {1: 10.2})[1], "one asked for after that"
    assert not overruns(runs((8, 20), (10.5, 20)), lowered, {1: 9.8})[1], "one that may have had its permit before"
    lowered.change(30, 31, 2)
    assert not overruns(runs((8, 40), (30.5, 40)), lowered)[1], "one begun while the limit goes up"
    assert lowered.least(8, 8.5) == 2 and lowered.least(8, 9.5) == 1 and lowered.least(12, 30.5) == 1 and lowered.least(32, 33) == 2
    idle, busy = [answer(1, 200, 0, 1), answer(2, 429, 1.2, 1.21)], [answer(1, 200, 0, 1.15), answer(2, 429, 1.2, 1.21)]
    assert false_throttles(idle, [], one, []), "throttled while the permit was free"
    assert not false_throttles(idle, [], one, [(1.1, 2)]), "not judged then"
    assert not false_throttles(busy, [], one, []), "throttled when it has just become free"
    assert false_throttles(busy, [], two, []), "throttled while one of two was free"
    assert not false_throttles(idle, [Run("f", "n", 1, 0, 1.1)], one, []), "what runs on behind its answer holds its permit"
    assert ran_twice([Run("f", "n", 7, 0, 1), Run("f", "m", 7, 2, 3)]) == [7], "one request, two runs"
    assert unrecorded([answer(1, 200, 0, 1)], []) and unrecorded([answer(1, 200, 0, 1)], [Run("f", "n", 1, 0.1, 1.1)])
    assert not unrecorded([answer(1, 200, 0, 1)], [Run("f", "n", 1, 0.1, 0.9)])
    assert failures([answer(1, 503, 0, 1)], []) and failures([answer(1, 200, 0, 1, "F")], []) and failures([answer(1, 429, 0, 1, "T")], [])
    assert not failures([answer(1, 503, 0, 1)], [(0.5, 2)]) and not failures([answer(1, 200, 0, 1), answer(2, 429, 0, 1)], [])
    assert abs(utilisation(runs((0, 5), (6, 12)), 1, 0, 10) - 0.9) < 1e-9
    h = History()
    for line in ("H 1 0 n f", "S 1 1000000000 5", "X 1 3000000000", "H 2 0 n f", "S 2 2000000000 6", "E 2 4000000000 6", "X 2 5000000000"):
        h.recorder_line(line)
    assert [(r.start, r.end, r.killed) for r in h.runs] == [(1, 3, True), (2, 4, False)] and overruns(h.runs, one)[1]


if __name__ == "__main__":
    try_checker()
    sys.exit(0)
