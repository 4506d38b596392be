# SPDX-License-Identifier: Apache-2.0
"""Compares a recorded answer with one of ours, leaf by leaf.

The recordings hide what differs from run to run behind placeholders: `<uuid:1>`, `<region>`, 111111111111, `date`.
Each stands for a pattern, and what it stood for once it must stand for everywhere in the case: the same
placeholder is the same value, two numbered ones of a kind are two values. So that not only the shape of an answer is
compared but also which parts of several answers are equal: a revision that must change, an ARN that must not.
"""
import datetime
import functools
import json
import re

TOKEN = re.compile(r"<(?P<name>[A-Za-z][A-Za-z0-9_-]*(?::\d+)?)>|(?P<account>\b111111111111\b)|(?<=\t)(?P<date>date)(?=\t)")

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
DATE = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
URL = r"https?://[^\s\"]+"
SHA256 = r"[A-Za-z0-9+/]{43}=|[0-9a-f]{64}"

PATTERNS = {
    "account": r"\d{12}",
    "region": r"[a-z]{2}(?:-[a-z]+)+-\d",
    "partition": r"aws(?:-[a-z]+)*",
    "uuid": UUID,
    "date": DATE,
    "datetime": DATE,
    "code-sha256": SHA256,
    "code-size": r"\d+",
    "function-name": r"[A-Za-z0-9_-]{1,200}",
    "nonexisting-fn-name": r"[A-Za-z0-9_-]{1,64}",
    "location": URL,
    "layer-location": URL,
    "function-url": URL,
    "log-stream-name": r"\d{4}/\d\d/\d\d/\[[^\]]+\][0-9a-f]{32}",
    "log-result": r"[A-Za-z0-9+/=]+",
    "deadline": r"\d+",
    "remaining-time-in-millis": r"\d+",
    "unreserved_concurrency": r"\d+",
    "min_unreserved_concurrency": r"\d+",
}
ANY = r"[^\s\"']+?"

# placeholders that stand for something else each time
FREE = {"code-size", "location", "layer-location", "date", "datetime", "uuid", "code-sha256", "log-result",
        "remaining-time-in-millis"}

# whole strings of the recordings that are placeholders without brackets
BARE = {"date": DATE, "datetime": DATE, "code-sha256": SHA256, "lambda-url": URL, "function-url": URL,
        "timestamp": r"\d+", "sent-timestamp": r"\d+", "sender-id": r".+"}

# literal text that looks like a placeholder
LITERAL = {"module"}

MISSING = "(missing)"


@functools.lru_cache(maxsize=4096)
def parts_of(text):
    """A recorded string as a list of (literal, token)."""
    parts, at = [], 0
    for m in TOKEN.finditer(text):
        token = m["name"] or m.lastgroup
        if token in LITERAL:
            continue
        parts.append((text[at:m.start()], token))
        at = m.end()
    parts.append((text[at:], None))
    return parts


def kind_of(token):
    return token.split(":")[0]


class Bindings:
    """What each placeholder of a case stands for."""

    def __init__(self):
        self.values = {}

    def taken(self, token, value):
        """Another numbered placeholder of the same kind that already stands for @value."""
        if ":" not in token:
            return None
        for other, theirs in self.values.items():
            if other != token and theirs == value and ":" in other and kind_of(other) == kind_of(token):
                return other
        return None

    def match(self, text, value):
        """None when @value fits the recorded @text, else why not."""
        if text in BARE:
            return None if re.fullmatch(BARE[text], value, re.S) else f"no {text}"
        pattern, groups = "", {}
        for literal, token in parts_of(text):
            pattern += re.escape(literal)
            if token is None:
                continue
            kind = kind_of(token)
            if token in FREE or kind == "code-size":
                pattern += f"(?:{PATTERNS.get(kind, ANY)})"
            elif token in self.values:
                pattern += re.escape(self.values[token])
            elif token in groups:
                pattern += f"(?P={groups[token]})"
            else:
                groups[token] = f"g{len(groups)}"
                pattern += f"(?P<{groups[token]}>{PATTERNS.get(kind, ANY)})"
        m = re.fullmatch(pattern, value, re.S)
        if not m:
            return "differs"
        for token, group in groups.items():
            other = self.taken(token, m[group])
            if other:
                return f"the same as <{other}>"
        self.values.update({token: m[group] for token, group in groups.items()})
        return None


def plain(value):
    """An answer of boto3 as plain JSON: dates as text, bytes as text, no headers, no request id."""
    if isinstance(value, dict):
        if "HTTPStatusCode" in value:
            return {"HTTPStatusCode": value["HTTPStatusCode"]}
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "replace")
    return value


class Comparison:
    """One recorded answer against ours: how many leaves there are, how many are equal, which are not."""

    def __init__(self, bindings=None):
        self.bindings = bindings or Bindings()
        self.leaves = 0
        self.equal = 0
        self.differences = []

    def run(self, want, got):
        self._walk("", plain(want), plain(got))
        return self

    @property
    def same(self):
        return self.leaves == self.equal

    def _leaf(self, path, want, got, why=None):
        self.leaves += 1
        if why is None:
            self.equal += 1
        else:
            self.differences.append((path or ".", want, f"{got} ({why})" if why.startswith("the same") else got))

    def _all_of(self, path, value, missing_is_ours):
        """Counts every leaf of a value that the other side lacks."""
        if isinstance(value, dict) and value:
            for k, v in value.items():
                self._all_of(f"{path}.{k}" if path else k, v, missing_is_ours)
        elif isinstance(value, list) and value:
            for i, v in enumerate(value):
                self._all_of(f"{path}[{i}]", v, missing_is_ours)
        else:
            self._leaf(path, *((value, MISSING) if missing_is_ours else (MISSING, value)), why="missing")

    def _walk(self, path, want, got):
        if isinstance(got, str) and isinstance(want, (dict, list)):
            try:  # JSON within a string (a policy, a payload) is recorded parsed
                got = json.loads(got)
            except ValueError:
                pass
        if isinstance(want, dict) and isinstance(got, dict):
            self._dicts(path, want, got)
        elif isinstance(want, list) and isinstance(got, list):
            self._lists(path, want, got)
        elif isinstance(want, (dict, list)):
            self._all_of(path, want, True)
        elif isinstance(want, str) and isinstance(got, (str, int, float)) and not isinstance(got, bool):
            numeric = not isinstance(got, str) and not TOKEN.fullmatch(want) and want not in BARE
            self._leaf(path, want, got, "type" if numeric else self.bindings.match(want, str(got)))
        else:
            self._leaf(path, want, got, None if type(want) is type(got) and want == got else "differs")

    def _dicts(self, path, want, got):
        if not want and not got:
            self._leaf(path, want, got)
        for k in want:
            below = f"{path}.{k}" if path else k
            if k in got:
                self._walk(below, want[k], got[k])
            else:
                self._all_of(below, want[k], True)
        for k in got:
            if k not in want:
                self._all_of(f"{path}.{k}" if path else k, got[k], False)

    def _lists(self, path, want, got):
        if not want and not got:
            self._leaf(path, want, got)
        for i, (w, g) in enumerate(zip(want, got)):
            self._walk(f"{path}[{i}]", w, g)
        for i in range(len(got), len(want)):
            self._all_of(f"{path}[{i}]", want[i], True)
        for i in range(len(want), len(got)):
            self._all_of(f"{path}[{i}]", got[i], False)
