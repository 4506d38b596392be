# SPDX-License-Identifier: Apache-2.0
"""A Runtime API for one image at a time: checks what the image's runtime does, and times it.

probe.py HOLDER IMAGE HANDLER CODE STARTS

Runs inside the network namespace of the container HOLDER (see measure.sh) and starts IMAGE in that
namespace. Each start begins with a bash that calls GET /mark and then becomes /lambda-entrypoint.sh,
so that "start" is exactly exec of the entry point to the first GET /next, without Docker's own time.
"""

import json
import socket
import statistics
import subprocess
import sys
import time

API = "/2018-06-01/runtime/"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:probe"
TRACE = "Root=1-00000001-000000000000000000000001;Parent=0000000000000001;Sampled=0"
EVENTS = 50
MARK = (
    "exec 3<>/dev/tcp/127.0.0.1/9001; printf 'GET /mark HTTP/1.1\\r\\n\\r\\n' >&3; read -r -u 3 ok; "
    'exec 3>&-; exec /lambda-entrypoint.sh "$@"'
)


class Peer:
    """The connections of one sandbox, read one request at a time."""

    def __init__(self, listener):
        self.listener = listener
        self.conn = None
        self.data = b""

    def _more(self):
        try:
            chunk = self.conn.recv(1 << 16) if self.conn else b""
        except ConnectionResetError:    # how the connection of the mark ends
            chunk = b""
        if not chunk:
            self.conn, _ = self.listener.accept()
            self.conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.conn.settimeout(30)
            self.data = b""
        self.data += chunk

    def request(self):
        """Method, path, headers, body and time of arrival of the next request."""
        while b"\r\n\r\n" not in self.data:
            self._more()
        arrived = time.perf_counter()
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        while len(self.data) < length:
            self._more()
        body, self.data = self.data[:length], self.data[length:]
        return method, path, headers, body, arrived

    def answer(self, status, body=b"", headers=()):
        lines = ["HTTP/1.1 %d X" % status, "Content-Type: application/json", "Content-Length: %d" % len(body)]
        lines += ["%s: %s" % pair for pair in headers]
        self.conn.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)


def expect(condition, words, *details):
    if not condition:
        sys.exit("probe: %s: %r" % (words, details))


def sandbox_name(holder):
    return holder + "-sandbox"


def one_start(listener, holder, image, handler, code):
    """Starts one sandbox, runs EVENTS invocations; seconds of the start and of each invocation."""
    sandbox = subprocess.Popen(
        ["docker", "run", "--rm", "--name", sandbox_name(holder), "--network", "container:" + holder, "--user", "993:990", "--read-only",
         "--tmpfs", "/tmp:mode=1777", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
         "--volume", code + ":/var/task:ro", "--env", "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001",
         "--env", "AWS_LAMBDA_FUNCTION_NAME=probe", "--env", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
         "--env", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128", "--entrypoint", "/bin/bash",
         image, "-c", MARK, "mark", handler],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    peer = Peer(listener)
    echo = handler in ("unused", "hello.Echo")    # the event itself comes back
    try:
        method, path, _, _, _ = peer.request()
        expect(path == "/mark", "the mark did not come first", method, path)
        began = time.perf_counter()
        peer.answer(200)
        method, path, _, body, arrived = peer.request()
        expect(path == API + "invocation/next", "no next after the start", method, path, body)
        times = []
        for number in range(EVENTS):
            request_id = "00000000-0000-4000-8000-%012d" % number
            event = json.dumps({"number": number, "text": "é" * (number * 100)}).encode()
            sent = time.perf_counter()
            peer.answer(200, event, [
                ("Lambda-Runtime-Aws-Request-Id", request_id),
                ("Lambda-Runtime-Deadline-Ms", int(time.time() * 1000) + 3000),
                ("Lambda-Runtime-Invoked-Function-Arn", ARN),
                ("Lambda-Runtime-Trace-Id", TRACE),
            ])
            method, path, headers, body, _ = peer.request()
            expect(method == "POST" and path == API + "invocation/" + request_id + "/response",
                   "no response", method, path, body[:500])
            answer = json.loads(body)
            got = answer if echo else answer["event"]
            expect(got == json.loads(event), "another event came back", body[:500])
            expect(echo or answer["requestId"] == request_id, "another request", body[:500])
            peer.answer(202, b'{"status":"OK"}')
            method, path, _, body, back = peer.request()
            expect(path == API + "invocation/next", "no next after the response", method, path)
            times.append(back - sent)
        return arrived - began, times
    except (OSError, SystemExit):
        subprocess.run(["docker", "kill", sandbox_name(holder)], capture_output=True, check=False)
        sys.stderr.write(sandbox.stdout.read().decode("utf-8", "replace"))
        raise
    finally:
        subprocess.run(["docker", "kill", sandbox_name(holder)], capture_output=True, check=False)
        sandbox.wait(30)
        if peer.conn:
            peer.conn.close()


def main():
    holder, image, handler, code, starts = sys.argv[1:]
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 9001))
    listener.listen(8)
    listener.settimeout(30)
    cold, warm = [], []
    for _ in range(int(starts)):
        start, times = one_start(listener, holder, image, handler, code)
        cold.append(start)
        warm += times[10:]
    size = subprocess.run(["docker", "image", "inspect", "-f", "{{.Size}}", image],
                          check=True, capture_output=True, text=True).stdout
    print("%-24s %5.0f MB   start %6.1f ms (min %.1f, max %.1f)   invocation %7.3f ms" % (
        image, int(size) / 1e6, statistics.median(cold) * 1e3, min(cold) * 1e3, max(cold) * 1e3,
        statistics.median(warm) * 1e3))


main()
