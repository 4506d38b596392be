# SPDX-License-Identifier: Apache-2.0
"""The other ends of Hearth's links, for tests of one program alone: docs/internals/links.md in Python.

Messages stay below a stream's first credit (256 KiB each way), so no WINDOW frame is ever sent.
"""
import json
import queue
import socket
import struct
import threading

HELLO, OPEN, ANSWER, DATA, WINDOW, RESET, PING, PONG = range(1, 9)
CALL, INVOKE = 1, 2
END = 1
FRAME_DATA_MAX = 65536
HEADER = struct.Struct(">IIIBBBB")


class Refused(Exception):
    """An error that a call was answered with, or is to be."""

    def __init__(self, code, message=""):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Link:
    """One connection, either side of it. `serve(method, args, body)` answers what the peer calls."""

    def __init__(self, sock, role, first_stream, serve=None, name=None):
        self.sock, self.serve, self.next_stream = sock, serve, first_stream
        self.sending = threading.Lock()
        self.answers = {}  # by stream: a queue for the one answer
        self.parts = {}  # by stream: kind, head, data so far
        self.up = threading.Event()
        self.closed = threading.Event()  # by the peer
        hello = {"protocol": 1, "min": 1, "role": role, "id": name or f"test-{role}"}
        self._send(0, HELLO, json.dumps(hello).encode())
        threading.Thread(target=self._read, daemon=True).start()

    def _send(self, stream, kind_of_frame, head=b"", data=b"", flags=0, kind=0):
        header = HEADER.pack(len(head) + len(data), stream, len(head), kind_of_frame, flags, kind, 0)
        with self.sending:
            self.sock.sendall(header + head + data)

    def _message(self, stream, kind_of_frame, head, body, kind=0):
        pieces = [body[i:i + FRAME_DATA_MAX] for i in range(0, len(body), FRAME_DATA_MAX)] or [b""]
        for i, piece in enumerate(pieces):
            first, last = i == 0, i == len(pieces) - 1
            self._send(stream, kind_of_frame if first else DATA, head if first else b"", piece,
                       END if last else 0, kind if first else 0)

    def _exactly(self, n):
        got = b""
        while len(got) < n:
            more = self.sock.recv(n - len(got))
            if not more:
                raise OSError("closed")
            got += more
        return got

    def _read(self):
        try:
            while True:
                length, stream, head_len, frame, flags, kind, _ = HEADER.unpack(self._exactly(HEADER.size))
                rest = self._exactly(length)
                self._frame(stream, frame, flags, kind, rest[:head_len], rest[head_len:])
        except OSError:
            self.closed.set()
            for waiting in list(self.answers.values()):
                waiting.put(Refused("CLOSED"))

    def _frame(self, stream, frame, flags, kind, head, data):
        if frame == HELLO:
            self.up.set()
        elif frame == PING:
            self._send(0, PONG)
        elif frame == RESET and stream in self.answers:
            self.answers.pop(stream).put(Refused(head.decode(), "reset"))
        elif frame in (OPEN, ANSWER, DATA):
            if frame != DATA:
                self.parts[stream] = [kind, head, b""]
            self.parts[stream][2] += data
            if flags & END:
                self._complete(stream, *self.parts.pop(stream))

    def _complete(self, stream, kind, head, body):
        if stream in self.answers:
            self.answers.pop(stream).put((head, body))
        elif kind == CALL:
            question = json.loads(head)
            try:
                if not self.serve:
                    raise Refused("NO_OPERATION", "a peer that serves nothing")
                ok, body = self.serve(question["method"], question["args"], body)
                answer = {"ok": ok}
            except Refused as e:
                answer, body = {"error": {"code": e.code, "message": e.message}}, b""
            self._message(stream, ANSWER, json.dumps(answer).encode(), body)

    def ask(self, kind, head, body=b"", seconds=60):
        waiting = queue.Queue()
        stream = self.next_stream
        self.next_stream += 2
        self.answers[stream] = waiting
        self._message(stream, OPEN, head, body, kind)
        answer = waiting.get(timeout=seconds)
        if isinstance(answer, Refused):
            raise answer
        return answer

    def call(self, method, **args):
        head, body = self.ask(CALL, json.dumps({"method": method, "args": args}).encode())
        answer = json.loads(head)
        if "error" in answer:
            raise Refused(answer["error"]["code"], answer["error"]["message"])
        return answer["ok"], body

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()


class Listener:
    """The side that is connected to; @self.link is the newest connection."""

    def __init__(self, path, role, serve):
        self.role, self.serve, self.link = role, serve, None
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(str(path))
        self.sock.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                self.link = Link(self.sock.accept()[0], self.role, 2, self.serve)
        except OSError:
            pass

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()
        if self.link:
            self.link.close()


def connect(path, role, serve=None, name=None):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(path))
    link = Link(sock, role, 1, serve, name)
    assert link.up.wait(10), "the peer does not greet"
    return link


def _str(text):
    data = text.encode()
    return struct.pack(">H", len(data)) + data


class Result:
    """The answer to an invocation."""

    def __init__(self, head, body):
        self.outcome, rest, fields = head[0], head[1:], []
        for _ in range(4):
            (n,) = struct.unpack(">H", rest[:2])
            fields.append(rest[2:2 + n].decode())
            rest = rest[2 + n:]
        self.refused, self.message, self.executed_version, self.log_tail = fields
        self.body = body

    @property
    def json(self):
        assert self.outcome == 0, (self.outcome, self.refused, self.message, self.body)
        return json.loads(self.body)


def invoke(link, name, version, generation, payload=b"{}", request_id="request", account="000000000000", arn="",
           epoch=0, gateway="", pool="", wait_ms=30000):
    head = struct.pack(">IQQI", 1, generation, epoch, wait_ms)
    for text in request_id, account, name, version, arn, "", "", "":
        head += _str(text)
    if gateway:
        head += struct.pack(">I", len(payload)) + _str(gateway) + _str(pool)
    return Result(*link.ask(INVOKE, head, payload))
