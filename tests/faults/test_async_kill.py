# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each program while events are under way: every event that was acknowledged has an end that is seen.

The destinations are queues of a stand-in for SQS that no kill reaches. It is as small as can be, and its messages need not be
received: moto's server looks at all messages that wait for each one that it gives, so on a busy machine a reader that has
fallen behind falls behind for good.
"""
import concurrent.futures
import contextlib
import http.server
import json
import pathlib
import random
import sys
import threading
import time
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from event_story import Stories, clock
from harness import Hearth, remove_folder, short_folder, wait_until

EVENTS = 500
QUEUES = "arn:aws:sqs:us-east-1:000000000000:"
APP = """
import time
def handler(event, context):
    time.sleep(0.01)
    if event["n"] % 10 == 0:
        raise Exception("every tenth fails")
    return event["n"]
"""


class Ends(http.server.ThreadingHTTPServer):
    """Takes what SendMessage brings: request id to queue and condition of each of its invocation records."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), EndsHandler)
        self.of = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def close(self):
        self.shutdown()
        self.server_close()


class EndsHandler(http.server.BaseHTTPRequestHandler):
    """SendMessage as in the SQS API reference, "JSON protocol": all that a destination needs."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body of an answer are one write

    def handle(self):
        with contextlib.suppress(ConnectionError):  # a controller that was killed
            super().handle()

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        queue = request["QueueUrl"].rpartition("/")[2]
        known = self.headers["X-Amz-Target"] == "AmazonSQS.SendMessage" and queue in ("good", "bad")
        if known:
            context = json.loads(request["MessageBody"])["requestContext"]
            self.server.of.setdefault(context["requestId"], []).append((queue, context["condition"]))
        answer = json.dumps({"MessageId": str(uuid.uuid4())} if known else {"__type": "com.amazonaws.sqs#QueueDoesNotExist"}).encode()
        self.send_response(200 if known else 400)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def ends():
    server = Ends()
    yield server
    server.close()


@pytest.fixture(scope="module")
def hearth(images, ends):
    folder = short_folder("hearth-")
    h = Hearth(images, folder, HEARTH_AWS_ENDPOINT=ends.url, HEARTH_AWS_ACCESS_KEY_ID="test",
               HEARTH_AWS_SECRET_ACCESS_KEY="test", HEARTH_ASYNC_LEASE="2s", HEARTH_ASYNC_RETRY_WAIT="200ms",
               HEARTH_ASYNC_BACKOFF="100ms", HEARTH_ASYNC_BACKOFF_MAX="1s", HEARTH_LOG_LEVEL="debug").start()
    yield h
    try:
        h.close()
    finally:
        remove_folder(folder)


def send_all(hearth, name, acknowledged, numbers):
    """Sends until each was taken, as a client that tries again does: @acknowledged gets request id to (number, when)."""
    lam = hearth.client(connections=1)
    for n in numbers:
        while True:
            try:
                a = lam.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"n": n}))
                acknowledged[a["ResponseMetadata"]["RequestId"]] = n, time.time()
                break
            except Exception:
                time.sleep(0.05)


def test_every_acknowledged_event_has_an_end(hearth, lam, ends, make_function):
    name = f"kill-{uuid.uuid4().hex[:8]}"
    make_function(name, {"app.py": APP})
    lam.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1,
        DestinationConfig={"OnSuccess": {"Destination": f"{QUEUES}good"}, "OnFailure": {"Destination": f"{QUEUES}bad"}})
    lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=4)
    acknowledged, kills = {}, []

    def story(text):
        lost = {r: f"number {n}, acknowledged {clock(at)}" for r, (n, at) in acknowledged.items() if r not in ends.of}
        return f"{text}: {len(lost)} of {len(acknowledged)} have no end\n{Stories(hearth).tell(lost, kills)}"

    def wait(what, condition, seconds):
        try:
            wait_until(what, condition, seconds)
        except AssertionError as e:
            raise AssertionError(story(str(e))) from None

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(send_all, hearth, name, acknowledged, range(i, EVENTS, 4)) for i in range(4)]
        wait_until("events are under way", lambda: len(ends.of) > 10, 30)
        roles = ["controller", "redis-server", "invoker", "gateway", "controller", "redis-server"]
        for role in roles:
            seen = len(ends.of)
            hearth.kill(role)
            kills.append((time.time(), role))
            time.sleep(random.uniform(0.1, 0.5))
            if len(ends.of) < EVENTS:
                wait(f"it goes on after the end of {role}", lambda s=seen: len(ends.of) > s + 10 or len(ends.of) >= EVENTS, 40)
        for j in jobs:
            j.result(60)
    assert len(acknowledged) == EVENTS
    began, late = time.monotonic(), len(set(acknowledged) - set(ends.of))
    wait("every event has its end", lambda: not set(acknowledged) - set(ends.of), 60)
    took = time.monotonic() - began
    for rid, (n, _) in acknowledged.items():  # an event may have run twice; never with two kinds of ends
        assert set(ends.of[rid]) == {("bad", "RetriesExhausted") if n % 10 == 0 else ("good", "Success")}, (n, ends.of[rid])
    twice = sum(len(e) > 1 for e in ends.of.values())
    assert "a message is lost" not in hearth.log and "a record is lost" not in hearth.log
    print(f"{EVENTS} events, {len(roles)} kills, {twice} ends told twice, the last {late} within {took:.1f} s")
