# SPDX-License-Identifier: Apache-2.0
"""The Runtime API and the Extensions API against what AWS's Runtime Interface Emulator answered to scripted runtimes.

Each recorded scenario is played, request by request, on a sandbox's HTTP face (`make face-tools`); status, body and
headers of each answer are compared. The recordings are not part of this repository: HEARTH_RUNTIME_RECORDINGS names
their file (default: runtime-api-recordings/recordings.json in the folder `shared` beside the repository).
"""
import http.client
import json
import os
import pathlib
import re
import subprocess
import threading

import pytest

from harness import TOP, BUILD, run

FILE = pathlib.Path(os.environ.get("HEARTH_RUNTIME_RECORDINGS",
                                   TOP.parent / "shared/runtime-api-recordings/recordings.json"))
RECORDED = json.loads(FILE.read_text()) if FILE.exists() else {}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# Where the emulator is less than Lambda, and Hearth does what Lambda documents: scenario, place, our status and body.
MORE_THAN_THE_EMULATOR = {
    ("logs-subscribe", 1): (200, '"OK"'),  # it has no Logs API
    ("ext-account", 0): (200, '{"functionName":"test_function","functionVersion":"$LATEST","handler":"",'
                              '"accountId":"012345678912"}\n'),  # it knows no account
}
NO_ANSWER = 1.0  # seconds after which a parked request counts as parked


class Player:
    """One connection of the runtime, another one of its extension."""

    def __init__(self, port):
        self.port = port
        self.ids = {"id": "none", "ext": "none"}
        self.registered = False
        self.runtime = http.client.HTTPConnection("127.0.0.1", port, timeout=NO_ANSWER)

    def wait_in_event_next(self):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        c.request("GET", "/2020-01-01/extension/event/next", headers={"Lambda-Extension-Identifier": self.ids["ext"]})
        threading.Thread(target=lambda: c.getresponse().read(), daemon=True).start()

    def body(self, b):
        if isinstance(b, dict) and "repeat" in b:  # the whole of it has so many bytes
            return ('"' + "x" * (b["repeat"] - 2) + '"')
        return b if isinstance(b, str) else json.dumps(b)

    def play(self, step):
        fill = {k: v.format(**self.ids) if "{" in v and "\"" not in v else v for k, v in step.get("h", {}).items()}
        path = step["p"].format(**self.ids)
        if path.endswith("invocation/next") and self.registered:
            self.wait_in_event_next()
            self.registered = False
        body = self.body(step["b"]) if "b" in step else None
        try:
            self.runtime.request(step["m"], path, body, fill)
            r = self.runtime.getresponse()
            text = r.read().decode()
        except TimeoutError:
            self.runtime.close()
            return None
        headers = {k.lower(): v for k, v in r.getheaders()}
        self.ids["id"] = headers.get("lambda-runtime-aws-request-id", self.ids["id"])
        if "lambda-extension-identifier" in headers:
            self.ids["ext"], self.registered = headers["lambda-extension-identifier"], True
        return r.status, headers, text


@pytest.fixture(scope="module")
def driver():
    run("make", "-s", "-C", TOP, "face-tools")
    return BUILD / "tests/face-driver"


@pytest.fixture
def player(driver):
    p = subprocess.Popen([driver], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield Player(int(p.stdout.readline()))
    p.stdin.close()
    assert p.wait(10) == 0


def matches(recorded, got):
    if recorded == "<uuid>":
        return UUID.fullmatch(got)
    if recorded == "<epoch-ms>":
        return re.fullmatch(r"\d{13}", got)
    return recorded == got


@pytest.mark.skipif(not RECORDED, reason=f"{FILE} is not there")
@pytest.mark.parametrize("scenario", sorted(RECORDED))
def test_answers_are_those_recorded(player, scenario):
    for n, expected in enumerate(RECORDED[scenario]["runtime-side"]):
        request = expected["request"]
        got = player.play(request)
        where = f"{scenario}, request {n}: {request['m']} {request['p']}"
        if "error" in expected:  # it was kept waiting
            assert got is None, (where, got)
            continue
        assert got is not None, f"{where}: no answer"
        status, headers, body = got
        wanted = MORE_THAN_THE_EMULATOR.get((scenario, n), (expected["status"], expected["body"]))
        assert (status, body) == wanted, where
        for name, value in expected.get("headers", {}).items():
            assert name in headers and matches(value, headers[name]), (where, name, headers)
        extra = {h for h in headers if h.startswith(("lambda-", "allow", "x-"))} - set(expected.get("headers", {}))
        assert not extra, (where, extra)
