# SPDX-License-Identifier: Apache-2.0
"""Streamed answers from the runtime's socket to the client's, with boto3 and raw HTTP clients.

HEARTH_TEST_STREAM_MIB says how much the large ones stream (64; `make test-streaming` takes AWS's 200).
"""
import base64
import hashlib
import http.client
import json
import os
import pathlib
import time

import pytest
from botocore.eventstream import EventStreamBuffer

from harness import SLOW, Hearth, remove_folder, short_folder, wait_until, zip_of, ROLE

MIB = 1 << 20
BULK = int(os.environ.get("HEARTH_TEST_STREAM_MIB", "64")) * MIB
STREAM = "/2021-11-15/functions/{}/response-streaming-invocations"
RSS_SLACK = 8 * MIB * SLOW  # windows, and what allocators keep (those of sanitizers much)

# A runtime of its own, on raw sockets: what is imported never returns to the client of the image.
RAW = r'''
import base64, json, os, socket, sys, time

address = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
API = "/2018-06-01/runtime/invocation/"


class Conn:
    def __init__(self):
        self.s = socket.create_connection((address[0], int(address[1])))
        self.f = self.s.makefile("rb")

    def answer(self):
        status = int(self.f.readline().split()[1])
        headers = {}
        while (line := self.f.readline().strip()):
            k, v = line.decode().split(":", 1)
            headers[k.lower()] = v.strip()
        return status, headers, self.f.read(int(headers.get("content-length", 0)))

    def say(self, text):
        self.s.sendall(text if isinstance(text, bytes) else text.encode())

    def begin(self, id, mode="streaming", framing="Transfer-Encoding: chunked"):
        mode = f"Lambda-Runtime-Function-Response-Mode: {mode}\r\n" if mode else ""
        self.say(f"POST {API}{id}/response HTTP/1.1\r\nHost: x\r\n{mode}{framing}\r\n\r\n")

    def chunk(self, data):
        self.say(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self, *trailers):
        self.say("0\r\n" + "".join(t + "\r\n" for t in trailers) + "\r\n")
        status = self.answer()[0]
        assert status == 202, status


def drip(c, id, ev):
    c.begin(id)
    for i in range(ev["n"]):
        c.chunk(b"piece %d\n" % i)
        time.sleep(ev["pause"])
    print("dripped all")
    c.end()


def bulk(c, id, ev):
    begun, left, piece = time.monotonic(), ev["bytes"], bytes(range(256)) * 256
    c.begin(id)
    try:
        while left:
            c.chunk(piece[:left])
            left -= min(left, len(piece))
        print("sent in %.1f s" % (time.monotonic() - begun))
        c.end()
    except (OSError, IndexError, AssertionError) as e:
        print("cut off with %d to go: %r" % (left, e))
        raise ConnectionError


def length(c, id, ev):
    c.begin(id, framing="Content-Length: 10")
    c.say("01234")
    time.sleep(0.2)
    c.say("56789")
    assert c.answer()[0] == 202


def fail(c, id, ev):
    c.begin(id)
    c.chunk(b"half of it")
    c.end("Lambda-Runtime-Function-Error-Type: " + ev["type"],
          "Lambda-Runtime-Function-Error-Body: " + base64.b64encode(ev["body"].encode()).decode())


def hang(c, id, ev):
    c.begin(id)
    c.chunk(b"and then")
    time.sleep(1000)


def crash(c, id, ev):
    c.begin(id)
    c.chunk(b"and then")
    c.say("100\r\nhalf a chunk")
    time.sleep(0.1)
    os._exit(3)


def broken(c, id, ev):
    c.begin(id)
    c.chunk(b"and then")
    c.say("nonsense\r\n")
    assert c.answer()[0] == 400
    raise ConnectionError


def half(c, id, ev):
    c.begin(id, mode=None, framing="Content-Length: 100")
    c.say("half")
    raise ConnectionError


def mode(c, id, ev):
    c.begin(id, mode="foo", framing="Content-Length: 2")
    c.say("{}")
    status, _, body = c.answer()
    print("told", status, body.decode())
    os._exit(0)


def plain(c, id, ev):
    c.begin(id, mode=None, framing="Content-Length: 2")
    c.say("42")
    assert c.answer()[0] == 202


conn, count = Conn(), 0
while True:
    conn.say(f"GET {API}next HTTP/1.1\r\nHost: x\r\n\r\n")
    _, headers, body = conn.answer()
    event, count = json.loads(body), count + 1
    print("event", count, flush=True)
    try:
        globals()[event["do"]](conn, headers["lambda-runtime-aws-request-id"], event)
    except ConnectionError:
        conn.s.close()
        conn = Conn()
    sys.stdout.flush()
'''

NODE = r'''
const pause = (ms) => new Promise((r) => setTimeout(r, ms));
exports.handler = awslambda.streamifyResponse(async (event, out, context) => {
    if (event.type) out.setContentType(event.type);
    if (event.http) {
        out = awslambda.HttpResponseStream.from(out, {statusCode: 201, headers: {"x-a": "b"}});
    }
    if (event.failFirst) throw new TypeError("before anything");
    for (let i = 0; i < (event.n || 0); i++) {
        out.write(`piece ${i}\n`);
        await pause(event.pause || 0);
    }
    if (event.fail) throw new TypeError("on the way");
    if (event.bytes) {
        const piece = Buffer.alloc(65536, "n");
        for (let left = event.bytes; left > 0; left -= piece.length)
            if (!out.write(piece.subarray(0, Math.min(left, piece.length))))
                await new Promise((r) => out.once("drain", r));
    }
    out.end();
    await out.finished?.();
});
'''


@pytest.fixture(scope="module")
def hearth(images):
    """One whose limit is a little above what the large ones stream."""
    folder = short_folder("hearth-")
    h = Hearth(images, folder, HEARTH_STREAM_LIMIT=BULK + MIB).start()
    yield h
    try:
        h.close()
    finally:
        remove_folder(folder)


@pytest.fixture(scope="module", autouse=True)
def functions(lam):
    for name, runtime, files, timeout in (("raw", "python3.11", {"app.py": RAW}, 120), ("short", "python3.11", {"app.py": RAW}, 2),
                                          ("node", "nodejs20.x", {"app.js": NODE}, 60)):
        lam.create_function(FunctionName=name, Role=ROLE, Runtime=runtime, Handler="app.handler", Timeout=timeout, MemorySize=256,
                            Code={"ZipFile": zip_of(files)})
    for name in ("raw", "short", "node"):
        lam.get_waiter("function_active_v2").wait(FunctionName=name)


class Reader:
    """A raw HTTP client of a stream: takes bytes when it is told to, and tells events apart itself."""

    def __init__(self, hearth, name, event, tail=False):
        host, port = hearth.listen.split(":")
        self.http = http.client.HTTPConnection(host, int(port), timeout=60)
        headers = {"X-Amz-Log-Type": "Tail"} if tail else {}
        self.http.request("POST", STREAM.format(name), json.dumps(event), headers)
        self.answer = self.http.getresponse()
        assert self.answer.status == 200, self.answer.read()
        self.events = EventStreamBuffer()
        self.bytes = 0
        self.digest = hashlib.sha256()
        self.complete = None

    def read(self, most=MIB):
        """What comes next, at most so much; False at the end."""
        data = self.answer.read1(most)
        self.events.add_data(data)
        for e in self.events:
            if e.headers[":event-type"] == "PayloadChunk":
                assert self.complete is None
                self.bytes += len(e.payload)
                self.digest.update(e.payload)
            else:
                self.complete = json.loads(e.payload)
        return bool(data)

    def read_all(self):
        while self.read():
            pass
        return self.complete

    def log(self):
        return base64.b64decode(self.complete["LogResult"]).decode()


def stream(lam, name, event, **kw):
    """(chunks with the time of each, last event, time of the last one)"""
    begun = time.monotonic()
    answer = lam.invoke_with_response_stream(FunctionName=name, Payload=json.dumps(event), **kw)
    chunks, complete = [], None
    for e in answer["EventStream"]:
        if "PayloadChunk" in e:
            chunks.append((time.monotonic() - begun, e["PayloadChunk"]["Payload"]))
        else:
            complete = e["InvokeComplete"]
    return chunks, complete, time.monotonic() - begun


def body(chunks):
    return b"".join(c for _, c in chunks)


def invoke(lam, name, event):
    a = lam.invoke(FunctionName=name, Payload=json.dumps(event))
    return a.get("FunctionError"), a["Payload"].read()


def peak(hearth, role, begin=False):
    """Greatest resident memory of a program, bytes, since it was asked to @begin."""
    pid = hearth.pid(role)
    if begin:
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024


def test_the_first_bytes_come_while_the_function_runs(lam):
    for name in ("raw", "node"):
        stream(lam, name, {"do": "plain"} if name == "raw" else {})  # warm
        chunks, complete, whole = stream(lam, name, {"do": "drip", "n": 5, "pause": 0.3 if name == "raw" else 300})
        assert body(chunks) == b"".join(b"piece %d\n" % i for i in range(5)) and complete == {}
        assert chunks[0][0] < 1 < 1.2 < whole
        assert len(chunks) == 5 and all(0.1 < b[0] - a[0] for a, b in zip(chunks, chunks[1:]))


def test_many_streams_in_a_row_use_one_sandbox(lam):
    for name in ("raw", "node"):
        for n in range(30):
            chunks, complete, _ = stream(lam, name, {"do": "drip", "n": 3, "pause": 0})
            assert body(chunks) == b"piece 0\npiece 1\npiece 2\n" and complete == {}
    _, complete, _ = stream(lam, "raw", {"do": "plain"}, LogType="Tail")
    log = base64.b64decode(complete["LogResult"]).decode()
    assert int(log.split("event ")[1].split()[0]) >= 31 and "Init Duration" not in log


def test_a_response_of_known_length_is_streamed_too(lam):
    chunks, complete, _ = stream(lam, "raw", {"do": "length"})
    assert body(chunks) == b"0123456789" and len(chunks) == 2 and complete == {}


def test_an_answer_that_is_not_streamed_is_as_before(lam):
    chunks, complete, _ = stream(lam, "raw", {"do": "plain"})
    assert body(chunks) == b"42" and complete == {}


def test_errors_on_the_way_are_told_at_the_end(lam):
    error = json.dumps({"errorType": "Function.Broken", "errorMessage": "half"})
    chunks, complete, _ = stream(lam, "raw", {"do": "fail", "type": "Function.Broken", "body": error}, LogType="Tail")
    assert body(chunks) == b"half of it"
    log = base64.b64decode(complete.pop("LogResult")).decode()
    assert complete == {"ErrorCode": "Function.Broken", "ErrorDetails": error}
    assert "Status: error\tError Type: Function.Broken" in log
    chunks, complete, _ = stream(lam, "node", {"n": 2, "fail": True})
    assert body(chunks) == b"piece 0\npiece 1\n"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "on the way" and complete["ErrorCode"]
    chunks, complete, _ = stream(lam, "node", {"failFirst": True})
    assert complete["ErrorCode"] and json.loads(complete["ErrorDetails"])["errorMessage"] == "before anything"


def test_an_http_prelude_is_passed_on_as_it_is(lam):
    chunks, complete, _ = stream(lam, "node", {"http": True, "n": 1})
    prelude, rest = body(chunks).split(b"\0" * 8, 1)
    assert json.loads(prelude) == {"statusCode": 201, "headers": {"x-a": "b"}} and rest == b"piece 0\n" and complete == {}


def test_invoke_gathers_a_streamed_answer(lam):
    assert invoke(lam, "raw", {"do": "drip", "n": 3, "pause": 0.1}) == (None, b"piece 0\npiece 1\npiece 2\n")
    assert invoke(lam, "node", {"bytes": 6291556}) == (None, b"n" * 6291556)
    failed, answer = invoke(lam, "raw", {"do": "bulk", "bytes": 6291557})
    assert failed == "Unhandled" and json.loads(answer) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes)."}
    failed, answer = invoke(lam, "raw", {"do": "fail", "type": "Function.X", "body": '{"errorType":"Function.X"}'})
    assert failed == "Unhandled" and json.loads(answer) == {"errorType": "Function.X"}
    assert invoke(lam, "raw", {"do": "plain"}) == (None, b"42")  # the runtime goes on


def test_a_slow_client_slows_the_function_and_costs_no_memory(hearth, lam):
    stream(lam, "raw", {"do": "bulk", "bytes": 4 * MIB})
    before = {role: peak(hearth, role, begin=True) for role in ("gateway", "invoker")}
    reader = Reader(hearth, "raw", {"do": "bulk", "bytes": BULK}, tail=True)
    time.sleep(3)  # nobody reads
    while reader.read(MIB):
        if reader.bytes < 8 * MIB:
            time.sleep(0.01)
    grown = {role: peak(hearth, role) - before[role] for role in before}
    print("grown by", grown)
    assert reader.bytes == BULK and reader.digest.hexdigest() == hashlib.sha256((bytes(range(256)) * 4096) * (BULK // MIB)).hexdigest()
    assert "ErrorCode" not in reader.complete
    assert float(reader.log().split("sent in ")[1].split()[0]) > 3  # it waited for us
    assert all(g < RSS_SLACK for g in grown.values()), grown


def test_a_fast_client_gets_it_fast(hearth):
    begun = time.monotonic()
    reader = Reader(hearth, "raw", {"do": "bulk", "bytes": BULK})
    assert reader.read_all() == {} and reader.bytes == BULK
    print(f"{BULK / MIB / (time.monotonic() - begun):.0f} MiB/s")


def test_a_client_that_leaves_does_not_end_the_function(hearth, lam):
    logs = lambda: hearth.hearth("logs", "raw").stdout  # noqa: E731
    for event, done in (({"do": "drip", "n": 6, "pause": 0.3}, "dripped all"), ({"do": "bulk", "bytes": BULK}, "sent in")):
        seen = logs().count(done)
        reader = Reader(hearth, "raw", event)
        assert reader.read(1000)
        reader.http.close()
        reader.answer.close()
        wait_until("the function runs to its end", lambda: logs().count(done) > seen, 20)
    assert invoke(lam, "raw", {"do": "plain"}) == (None, b"42")


def test_the_time_limit_ends_a_stream(hearth, lam):
    chunks, complete, whole = stream(lam, "short", {"do": "hang"}, LogType="Tail")
    log = base64.b64decode(complete.pop("LogResult")).decode()
    assert body(chunks) == b"and then" and complete["ErrorCode"] == "Sandbox.Timedout"
    error = json.loads(complete["ErrorDetails"])
    assert error["errorType"] == "Sandbox.Timedout" and error["errorMessage"].endswith("Error: Task timed out after 2.00 seconds")
    assert "Status: timeout" in log and whole < 6 * SLOW
    reader = Reader(hearth, "short", {"do": "bulk", "bytes": BULK})  # also while nobody reads
    time.sleep(3)
    assert reader.read_all()["ErrorCode"] == "Sandbox.Timedout" and 0 < reader.bytes < BULK


def test_a_stream_beyond_the_limit_is_cut(hearth, lam):
    reader = Reader(hearth, "raw", {"do": "bulk", "bytes": BULK + 2 * MIB}, tail=True)
    reader.read_all()
    assert reader.complete["ErrorCode"] == "Function.ResponseSizeTooLarge"
    assert json.loads(reader.complete["ErrorDetails"])["errorMessage"] == \
        f"Response payload size exceeded maximum allowed payload size ({BULK + MIB} bytes)."
    assert reader.bytes <= BULK + MIB
    assert invoke(lam, "raw", {"do": "plain"}) == (None, b"42")  # the runtime goes on


def test_a_response_that_breaks_off_is_truncated(lam):
    for do in ("crash", "broken"):
        chunks, complete, _ = stream(lam, "raw", {"do": do})
        assert body(chunks).startswith(b"and then") and complete["ErrorCode"] == "Runtime.TruncatedResponse", do
        assert json.loads(complete["ErrorDetails"])["errorType"] == "Runtime.TruncatedResponse"
    failed, answer = invoke(lam, "raw", {"do": "half"})
    assert failed == "Unhandled" and json.loads(answer)["errorType"] == "Runtime.TruncatedResponse"
    assert invoke(lam, "raw", {"do": "plain"}) == (None, b"42")


def test_an_unknown_mode_is_refused(lam):
    chunks, complete, _ = stream(lam, "raw", {"do": "mode"}, LogType="Tail")
    assert json.loads(body(chunks))["errorType"] == "Runtime.InvalidResponseModeHeader"
    assert complete["ErrorCode"] == "Unhandled"


def test_a_node_that_is_lost_ends_its_streams(hearth, lam):
    reader = Reader(hearth, "raw", {"do": "drip", "n": 1000, "pause": 0.1})
    while reader.bytes < 20:
        reader.read(1000)
    hearth.kill("invoker")
    complete = reader.read_all()
    assert complete["ErrorCode"] == "ServiceException" and "lost" in complete["ErrorDetails"]
    wait_until("the node is back", lambda: hearth.healthy() and hearth.healthy()["status"] == "ok", 20)
    assert invoke(lam, "raw", {"do": "plain"}) == (None, b"42")
