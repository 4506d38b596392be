# SPDX-License-Identifier: Apache-2.0
"""kill -9 of each program while events are under way: every event that was acknowledged has an end that is seen.

The destinations are queues of moto's server, a stand-in for SQS that no kill reaches.
"""
import concurrent.futures
import json
import pathlib
import random
import sys
import threading
import time
import uuid

import boto3
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from event_story import Stories, clock
from harness import Hearth, free_port, remove_folder, short_folder, wait_until

moto_server = pytest.importorskip("moto.server", reason="moto's server stands in for SQS: pip install 'moto[server]'")

EVENTS = 500
APP = """
import time
def handler(event, context):
    time.sleep(0.01)
    if event["n"] % 10 == 0:
        raise Exception("every tenth fails")
    return event["n"]
"""


@pytest.fixture(scope="module")
def sqs():
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=free_port())
    server.start()
    yield boto3.client("sqs", endpoint_url=f"http://127.0.0.1:{server._port}", region_name="us-east-1",
                       aws_access_key_id="test", aws_secret_access_key="test")
    server.stop()


@pytest.fixture(scope="module")
def hearth(images, sqs):
    folder = short_folder("hearth-")
    h = Hearth(images, folder, HEARTH_AWS_ENDPOINT=sqs.meta.endpoint_url, HEARTH_AWS_ACCESS_KEY_ID="test",
               HEARTH_AWS_SECRET_ACCESS_KEY="test", HEARTH_ASYNC_LEASE="2s", HEARTH_ASYNC_RETRY_WAIT="200ms",
               HEARTH_ASYNC_BACKOFF="100ms", HEARTH_ASYNC_BACKOFF_MAX="1s", HEARTH_LOG_LEVEL="debug").start()
    yield h
    try:
        h.close()
    finally:
        remove_folder(folder)


class Ends:
    """Reads the queues all the time: request id to conditions."""

    def __init__(self, sqs, urls):
        self.sqs, self.urls = sqs, urls
        self.of = {}
        self.failures = []  # of reading: it goes on all the same
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def read(self):
        got = 0
        for url in self.urls:
            for m in self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                context = json.loads(m["Body"])["requestContext"]
                self.of.setdefault(context["requestId"], []).append(context["condition"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
                got += 1
        return got

    def run(self):
        while not self.stop.is_set():
            try:
                got = self.read()
            except Exception as e:
                self.failures.append(f"{clock(time.time())} {e!r}")
                got = 0
            if not got:
                time.sleep(0.05)

    def left(self):
        """What lies in the queues."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return [self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] for url in self.urls]


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


def test_every_acknowledged_event_has_an_end(hearth, lam, sqs, make_function):
    name = f"kill-{uuid.uuid4().hex[:8]}"
    make_function(name, {"app.py": APP})
    urls = [sqs.create_queue(QueueName=f"{name}-{end}")["QueueUrl"] for end in ("good", "bad")]
    good, bad = [sqs.get_queue_attributes(QueueUrl=u, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"] for u in urls]
    lam.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=1,
        DestinationConfig={"OnSuccess": {"Destination": good}, "OnFailure": {"Destination": bad}})
    lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=4)
    acknowledged, kills, ends = {}, [], Ends(sqs, urls)

    def story(text):
        lost = {r: f"number {n}, acknowledged {clock(at)}" for r, (n, at) in acknowledged.items() if r not in ends.of}
        return (f"{text}: {len(lost)} of {len(acknowledged)} have no end\nqueues of the ends have {ends.left()}, reading failed: {ends.failures}\n" +
                Stories(hearth).tell(lost, kills))

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
    try:
        wait("every event has its end", lambda: not set(acknowledged) - set(ends.of), 60)
    finally:
        ends.stop.set()
        ends.thread.join(10)
    for rid, (n, _) in acknowledged.items():  # an event may have run twice; never with two kinds of ends
        assert set(ends.of[rid]) == {"RetriesExhausted" if n % 10 == 0 else "Success"}, (n, ends.of[rid])
    twice = sum(len(e) > 1 for e in ends.of.values())
    assert "a message is lost" not in hearth.log and "a record is lost" not in hearth.log
    print(f"{EVENTS} events, {len(roles)} kills, {twice} ends told twice")
