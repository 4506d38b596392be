# SPDX-License-Identifier: Apache-2.0
"""What is known of asynchronous events that have no end: by Redis, by the gateway, by each program's log. Payloads are left out."""
import collections
import json
import time

from world import PREFIX, World

ITEMS = PREFIX + "async:item:"
SECRETS = ("payload", "answer")  # fields of an item that are told by their length


def pairs(words):
    return dict(zip(words[::2], words[1::2]))


def clock(seconds):
    return time.strftime("%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"


class Stories:
    """Looks when it is made: what it tells is of one moment."""

    def __init__(self, hearth):
        self.hearth = hearth
        self.world = World(hearth)
        self.lines = list(hearth.lines)
        self.items, self.failure = {}, None
        try:
            self.now = int(self.world.ask("TIME")[0])
            for key in self.world.ask("KEYS", ITEMS + "*"):
                self.items[key.removeprefix(ITEMS)] = pairs(self.world.ask("HGETALL", key))
        except (AssertionError, OSError) as e:
            self.failure = e

    def of_item(self, id):
        item = self.items[id]
        said = {k: len(v) if k in SECRETS else v for k, v in item.items()}
        where = {}
        for place in ("wait", "lease"):
            score = self.world.ask("ZSCORE", f"{PREFIX}async:{place}:{item.get('queue')}", id)
            if score:
                where[place] = f"{float(score) / 1000 - self.now:+.1f} s"
        return f"{id} {json.dumps(said)} in {where or 'no list'}"

    def of_event(self, id, lines=30):
        """What Redis has of the event and of messages about it, and what each program said of it last."""
        if self.failure:
            found = [f"Redis cannot be asked: {self.failure}"]
        else:
            found = [f"Redis: {self.of_item(i)}" for i, item in self.items.items() if i == id or id in item.get("doc", "")]
        said = [line.rstrip()[:400] for line in self.lines if id in line]
        return "\n".join((found or ["Redis has nothing of it"]) + (said[-lines:] or ["no program said anything of it"]))

    def of_queues(self):
        if self.failure:
            return f"Redis cannot be asked: {self.failure}"
        due = {q: f"{float(at) / 1000 - self.now:+.1f} s" for q, at in
               pairs(self.world.ask("ZRANGE", PREFIX + "async:queues", 0, -1, "WITHSCORES")).items()}
        sizes = {key.removeprefix(PREFIX): self.world.ask("ZCARD", key) for place in ("wait", "lease")
                 for key in self.world.ask("KEYS", f"{PREFIX}async:{place}:*")}
        return f"due {due}, sizes {sizes}, counts {pairs(self.world.ask('HGETALL', PREFIX + 'async:counts'))}"

    def of_programs(self, lines=12, level=("warn", "error"), warnings=25):
        """The last lines of each, and its last complaints."""
        last, bad = collections.defaultdict(list), collections.defaultdict(list)
        for line in self.lines:
            program = line.partition("|")[0].strip()
            last[program].append(line.rstrip()[:400])
            if any(f'"level":"{name}"' in line for name in level):
                bad[program].append(line.rstrip()[:400])
        out = []
        for program in last:
            out += [f"--- {program}, complaints:"] + bad[program][-warnings:] + [f"--- {program}, last:"] + last[program][-lines:]
        return "\n".join(out)

    def tell(self, lost, kills, most=5):
        """@lost: request id to what the test knows of it; @kills: (seconds, program)."""
        out = [f"looked at {clock(time.time())}; health: {json.dumps(self.hearth.healthy())}", f"queues: {self.of_queues()}",
               "kills: " + ", ".join(f"{clock(at)} {program}" for at, program in kills)]
        for id, what in list(lost.items())[:most]:
            out += [f"=== {id}, {what}", self.of_event(id)]
        return "\n".join(out + ["===", self.of_programs()])
