# SPDX-License-Identifier: Apache-2.0
"""One Hearth for the whole conformance run, whose runtimes are all of AWS's names on the images that are here."""
import collections
import json
import os
import pathlib
import socket
import subprocess
import sys

import pytest

from harness import TOP, Hearth, free_port, networks_file, remove_folder, short_folder, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import case as cases  # noqa: E402
from shapes import Watcher  # noqa: E402
from undo import Undo  # noqa: E402

operations = collections.defaultdict(set)  # operation: error codes it gave, None for success

S3_BUCKET = "hearth-conformance"


def runtimes_file(path):
    """Like images/runtimes.json, but with an image of ours for each runtime that is not deprecated.

    The cases ask what the API answers, not what the runtimes do: a function that is never invoked only needs
    an image that is there.
    """
    table = json.loads((TOP / "images/runtimes.json").read_text())
    images = {"python3.11": "hearth/python:3.11", "python": "hearth/python:3.13", "nodejs": "hearth/nodejs:20"}
    for name, entry in table["runtimes"].items():
        if entry.get("deprecated"):
            continue
        family = name.rstrip("0123456789.x")
        entry["image"] = images.get(name, images.get(family, "hearth/provided:al2023"))
        entry.pop("fallback", None)
    path.write_text(json.dumps(table))
    return path


@pytest.fixture(scope="session")
def s3():
    """moto's server from the tests' Python environment, as the S3 that code comes from and as SQS and EventBridge,
    stand-ins for the real ones: its URL."""
    program = pathlib.Path(sys.executable).parent / "moto_server"
    if not program.exists():
        yield None
        return
    port = free_port()
    server = subprocess.Popen([str(program), "-H", "127.0.0.1", "-p", str(port)],
                              env=dict(os.environ, MOTO_ACCOUNT_ID=cases.ACCOUNT),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listens():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0

    wait_until("moto_server listens", listens, 30)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(20)


@pytest.fixture(scope="session")
def server(images, s3):
    folder = short_folder("hearth-conf-")
    ids = [f"0a1b2c3d4e5f6000{n}" for n in (1, 2)]
    settings = {"HEARTH_RUNTIMES": runtimes_file(folder / "runtimes.json"), "HEARTH_ACCOUNT_ID": cases.ACCOUNT,
                "HEARTH_NETWORKS": networks_file(folder, [f"subnet-{n}" for n in ids], [f"sg-{n}" for n in ids])}
    if s3:
        settings.update(HEARTH_S3_ENDPOINT=s3, HEARTH_S3_ACCESS_KEY_ID="test", HEARTH_S3_SECRET_ACCESS_KEY="test",
                        HEARTH_AWS_ENDPOINT=s3, HEARTH_AWS_ACCESS_KEY_ID="test", HEARTH_AWS_SECRET_ACCESS_KEY="test",
                        HEARTH_ASYNC_RETRY_WAIT="1s")
    h = Hearth(images, folder, **settings).start()
    yield h
    try:
        h.close()
    finally:
        remove_folder(folder)


@pytest.fixture(scope="session")
def watcher(server):
    return Watcher(server.client(connections=50))


@pytest.fixture
def lam(watcher):
    """The client of a test: what it creates is removed afterwards, and every answer fits the model."""
    watcher.complaints.clear()
    with Undo(watcher.client):
        yield watcher.client
    for operation, codes in watcher.seen.items():
        operations[operation] |= codes
    complaints = sorted(set(watcher.complaints))
    assert not complaints, "answers that the model does not allow:\n  " + "\n  ".join(complaints)


@pytest.fixture
def case(server, watcher, lam):
    return cases.Case(server, watcher)


def pytest_sessionfinish(session):
    """Leaves what was seen for the page docs/conformance.md, when asked to."""
    if os.environ.get("HEARTH_CONFORMANCE_UPDATE") and cases.results:
        cases.write_expected()
    path = os.environ.get("HEARTH_CONFORMANCE_RESULTS")
    if path and cases.results:
        seen = {o: sorted(str(c) for c in codes) for o, codes in operations.items()}
        pathlib.Path(path).write_text(json.dumps({"cases": cases.results, "operations": seen}))


@pytest.fixture
def aws(s3):
    """Clients of moto's services."""
    import boto3
    if not s3:
        pytest.skip("moto is not in the tests' Python environment: no SQS")
    return lambda service: boto3.client(service, endpoint_url=s3, region_name=cases.REGION, aws_access_key_id="test",
                                        aws_secret_access_key="test")


@pytest.fixture
def queue(aws):
    """A new queue: its ARN, and what waits for a message in it: receive(**parameters of ReceiveMessage)."""
    import uuid
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName=f"conf-{uuid.uuid4().hex[:12]}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def receive(**kw):
        def look():
            answer = sqs.receive_message(QueueUrl=url, **kw)
            return answer if answer.get("Messages") else None
        return wait_until("a message comes", look, 30)

    def take(**kw):
        answer = receive(**kw)
        for message in answer["Messages"]:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return answer
    receive.arn, receive.take = arn, take
    yield receive
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture
def s3_put(s3):
    """Stores an object in the S3 that Hearth reads code from: (bucket, key)."""
    import uuid

    import boto3
    if not s3:
        pytest.skip("moto is not in the tests' Python environment: no S3")
    client = boto3.client("s3", endpoint_url=s3, region_name="us-east-1", aws_access_key_id="test",
                          aws_secret_access_key="test")
    if S3_BUCKET not in [b["Name"] for b in client.list_buckets()["Buckets"]]:
        client.create_bucket(Bucket=S3_BUCKET)

    def put(data):
        key = f"{uuid.uuid4().hex}.zip"
        client.put_object(Bucket=S3_BUCKET, Key=key, Body=data)
        return S3_BUCKET, key
    return put
