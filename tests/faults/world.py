# SPDX-License-Identifier: Apache-2.0
"""What must be true of a Hearth's Redis and code store (tests/world.lua), asked from outside."""
import pathlib
import socket

from harness import TOP, wait_until

PREFIX = "hearth:{000000000000}:"


class World:
    """A connection to the Redis that `hearth up` runs."""

    def __init__(self, hearth):
        self.hearth = hearth

    def ask(self, *words):
        """One command; text, number, None or a list of these."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(str(self.redis_socket()))
            out = b"*%d\r\n" % len(words)
            for w in words:
                w = w if isinstance(w, bytes) else str(w).encode()
                out += b"$%d\r\n%s\r\n" % (len(w), w)
            s.sendall(out)
            with s.makefile("rb") as f:
                return self.answer(f)

    def redis_socket(self):
        return self.hearth.folder / "run" / "redis.sock"

    def answer(self, f):
        line = f.readline()
        kind, rest = line[:1], line[1:].strip()
        if kind == b"$":
            return None if int(rest) < 0 else f.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return [self.answer(f) for _ in range(int(rest))]
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest.decode()
        raise AssertionError(f"Redis says {line!r}")

    def bad(self):
        return self.ask("EVAL", (TOP / "tests/world.lua").read_text(), 0, PREFIX)

    def check(self):
        bad = self.bad()
        assert not bad, "\n".join(bad)

    def settle(self, seconds=60):
        """Waits until no change is under way."""
        wait_until("changes come to their end", lambda: self.ask("SCARD", PREFIX + "changes") == 0, seconds)

    def archives(self):
        """(those that are referred to, those that are there)"""
        want = {k.rsplit(":", 1)[1] for k in self.ask("KEYS", "*:code:*")}
        code = self.hearth.folder / "data" / "code"
        have = {p.name.removesuffix(".zip") for p in code.rglob("*") if p.is_file()}
        return want, have

    def check_archives(self, seconds=60):
        def same():
            want, have = self.archives()
            return want == have
        try:
            wait_until("archives and references are the same", same, seconds)
        except AssertionError:
            want, have = self.archives()
            raise AssertionError(f"missing: {want - have}, orphans: {have - want}") from None
