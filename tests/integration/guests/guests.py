# SPDX-License-Identifier: Apache-2.0
"""Functions that behave badly, each in its own way; tests/integration/test_bad_guests.py invokes them.

A handler's name is the guest's. Those of RAW never return to the runtime that imported them: they speak
to the Runtime API themselves, over a plain socket.
"""
import ctypes
import errno
import json
import os
import signal
import socket
import sys
import time

API = "/2018-06-01/runtime/invocation/"


def event_of(event):
    return event if isinstance(event, dict) else {}


# ---- what they do to the node

def fork_bomb(event, context):
    started, deadline = 0, time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            pid = os.fork()
        except OSError as e:
            if event_of(event).get("tell"):
                return {"started": started, "errno": errno.errorcode[e.errno]}
            time.sleep(0.01)
            continue
        if pid == 0 and event_of(event).get("tell"):
            time.sleep(60)
            os._exit(0)
        started += 1  # without "tell" the children go on as their parent does


def memory_hog(event, context):
    kept = []
    while True:
        kept.append(b"x" * (4 << 20))


def memory_hog_in_child(event, context):
    """Only a child dies of it: the function may go on."""
    pid = os.fork()
    if pid == 0:
        open("/proc/self/oom_score_adj", "w").write("1000")
        memory_hog(event, context)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fd_hog(event, context):
    kept = []
    try:
        while True:
            kept.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as e:
        highest = kept[-1]
        for fd in kept:
            os.close(fd)
        return {"errno": errno.errorcode[e.errno], "highest": highest}


def disk_filler(event, context):
    written, chunk = 0, b"x" * (1 << 20)
    f = os.open("/tmp/fill", os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            written += os.write(f, chunk)
    except OSError as e:
        os.close(f)
        os.unlink("/tmp/fill")
        return {"errno": errno.errorcode[e.errno], "mib": written / (1 << 20)}


def writes_everywhere(event, context):
    """Folders below which a file could be made, /proc and what is known to be open left out."""
    made = []
    for folder, folders, _ in os.walk("/"):
        folders[:] = [f for f in folders if os.path.join(folder, f) != "/proc" and not os.path.islink(os.path.join(folder, f))]
        try:
            os.close(os.open(os.path.join(folder, ".guest"), os.O_WRONLY | os.O_CREAT))
            made.append(folder)
            os.unlink(os.path.join(folder, ".guest"))
        except OSError:
            pass
    return made


def cpu_hog(event, context):
    while True:
        pass


def cpu_meter(event, context):
    """How much of one CPU its loop gets, from all its processes."""
    children, before = [], sum(os.times()[:4])
    for _ in range(event["processes"] - 1):
        pid = os.fork()
        if pid == 0:
            end = time.monotonic() + event["seconds"]
            while time.monotonic() < end:
                pass
            os._exit(0)
        children.append(pid)
    began = time.monotonic()
    while time.monotonic() < began + event["seconds"]:
        pass
    for pid in children:
        os.waitpid(pid, 0)
    return (sum(os.times()[:4]) - before) / (time.monotonic() - began)


# ---- what they print

def endless_line(event, context):
    for _ in range(event["mib"]):
        os.write(1, b"x" * (1 << 20))  # never a newline
    return "done"


def log_flood(event, context):
    line = b"%07d " + b"y" * 91 + b"\n"
    for i in range(0, event["lines"], 1000):
        block = memoryview(b"".join(line % n for n in range(i, i + 1000)))
        while block:
            block = block[os.write(1, block):]
    return "done"


# ---- how they end

def exits(event, context):
    os._exit(event["status"])


def ignores_sigterm(event, context):
    for s in range(1, signal.NSIG):
        if s not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
            signal.signal(s, signal.SIG_IGN)
    while True:
        time.sleep(60)


def kills_init(event, context):
    for s in (signal.SIGTERM, signal.SIGINT, signal.SIGSEGV, signal.SIGSTOP, signal.SIGKILL):
        os.kill(1, s)
    return "still here"


def kills_all(event, context):
    """First all others that it may, then itself."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(os.getpid(), signal.SIGKILL)


def leaves_daemon(event, context):
    """A child of a child in a session of its own, deaf to everything that can be ignored, which prints on."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() > 0:
            os._exit(0)
        for s in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(s, signal.SIG_IGN)
        while True:
            time.sleep(0.1)
            os.write(1, b"daemon\n")
    return os.getpid()


def leaves_children(event, context):
    """Some of them that burn the CPU and are deaf; then it answers, hangs or ends."""
    if event["then"] == "answer":
        return "answered"
    for _ in range(5):
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                pass
    if event["then"] == "exit":
        os._exit(1)
    time.sleep(60)


# ---- what they say to the Runtime API

def connect():
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    return socket.create_connection((host, int(port)))


def ask(s, method, path, body=b"", **headers):
    """One request; its status, headers and body."""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    head += "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in headers.items())
    s.sendall(head.encode() + b"\r\n" + body)
    data = b""
    while b"\r\n\r\n" not in data:
        more = s.recv(65536)
        if not more:
            return 0, {}, data
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    fields = dict((k.lower(), v) for k, v in (line.split(": ", 1) for line in lines[1:]))
    while len(rest) < int(fields.get("content-length", 0)):
        rest += s.recv(65536)
    return int(lines[0].split()[1]), fields, rest


def take(s):
    """The next event's request id."""
    return ask(s, "GET", API + "next")[1]["lambda-runtime-aws-request-id"]


def never_asks():
    while True:
        time.sleep(60)


def exits_in_init():
    os._exit(7)


def exits_in_init_quietly():
    os._exit(0)


def answers_wrong_id():
    s = connect()
    while True:
        right = take(s)
        seen = [ask(s, "POST", API + f"{wrong}/{kind}", b'"stolen"')
                for wrong in ("00000000-0000-0000-0000-000000000000", right[:-1], right + "0", "next", "..%2f" + right)
                for kind in ("response", "error")]
        ask(s, "POST", API + f"{right}/response", json.dumps([[status, body.decode()] for status, _, body in seen]).encode())


def answers_twice():
    s = connect()
    while True:
        right = take(s)
        first = ask(s, "POST", API + f"{right}/response", b'"first"')[0]
        again = ask(s, "POST", API + f"{right}/response", b'"second"')
        error = ask(s, "POST", API + f"{right}/error", b'{"errorMessage":"third"}')
        print("STATUS", first, again[0], again[2].decode().strip(), error[0], flush=True)


def half_an_answer():
    """The head says more than comes; then the connection closes, or is left open for ever."""
    s = connect()
    while True:
        right = take(s)
        s.sendall(f"POST {API}{right}/response HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode() + b'"half of')
        if os.environ["THEN"] == "exit":
            os._exit(0)
        if os.environ["THEN"] == "wait":
            never_asks()
        s.close()
        s = connect()


def closes_the_socket():
    """Hangs up while it asks, again and again, and in the middle of an event; then answers on a new connection."""
    for _ in range(20):
        s = connect()
        s.sendall(f"GET {API}next HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        s.close()
    s = connect()
    while True:
        right = take(s)
        s.shutdown(socket.SHUT_RDWR)
        s.close()
        s = connect()
        ask(s, "POST", API + f"{right}/response", b'"on a new connection"')


def closes_and_stays_away():
    s = connect()
    take(s)
    s.close()
    never_asks()


def speaks_nonsense():
    """Not HTTP at all, many connections, endless heads; then a proper answer."""
    kept = []
    for i in range(200):
        c = connect()
        c.sendall(os.urandom(100) if i % 2 else b"GET / HTTP/1.1\r\nX: " + b"a" * 70000)
        kept.append(c)
    s = connect()
    while True:
        ask(s, "POST", API + f"{take(s)}/response", b'"after nonsense"')


def opens_other_apis():
    """Looks for the Runtime API of others on every address that it knows of, with a neighbour's request id."""
    s = connect()
    while True:
        status, fields, body = ask(s, "GET", API + "next")
        event, found = json.loads(body), []
        for address in event["addresses"]:
            for port in event["ports"]:
                with socket.socket() as other:
                    other.settimeout(0.3)
                    if other.connect_ex((address, port)) == 0:
                        found.append([address, port])
        stolen = ask(s, "POST", API + f"{event['request_id']}/response", b'"stolen"')[0]
        right = fields["lambda-runtime-aws-request-id"]
        ask(s, "POST", API + f"{right}/response", json.dumps({"found": found, "stolen": stolen}).encode())


def floods_the_api(event, context):
    """Connections without end, each with a part of a large answer to nobody's event."""
    head = f"POST {API}nobody/response HTTP/1.1\r\nHost: x\r\nContent-Length: {6 << 20}\r\n\r\n".encode()
    data = memoryview(head + b"x" * event["bytes"])
    host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
    for _ in range(event["processes"]):
        if os.fork():
            continue
        end, open_ones = time.monotonic() + event["seconds"], []
        for _ in range(event["connections"]):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex((host, int(port)))
            open_ones.append([s, data])
        while time.monotonic() < end:
            for one in open_ones:
                try:
                    one[1] = one[1][one[0].send(one[1]):]
                except OSError:
                    pass
            time.sleep(0.01)
        os._exit(0)
    assert all(os.wait()[1] == 0 for _ in range(event["processes"]))
    return "after the flood"


def hammers_the_api(event, context):
    """Requests without end on many connections, as fast as they are taken."""
    many = b"GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\n\r\n" * 500
    for _ in range(event["processes"]):
        if os.fork():
            continue
        end, all_of_them = time.monotonic() + event["seconds"], []
        for _ in range(event["connections"]):
            all_of_them.append([connect(), b""])
            all_of_them[-1][0].setblocking(False)
        while time.monotonic() < end:
            for one in all_of_them:
                try:
                    one[0].recv(1 << 20)
                except OSError:
                    pass
                try:
                    one[1] = one[1] or many
                    one[1] = one[1][one[0].send(one[1]):]
                except OSError:
                    pass
        os._exit(0)
    assert all(os.wait()[1] == 0 for _ in range(event["processes"]))
    return "hammered"


def asks_without_reading():
    """The same event again and again, on connections that it never reads."""
    s, kept = connect(), []
    while True:
        right = take(s)
        for _ in range(10):
            kept.append(connect())
            kept[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(10):
                try:
                    kept[-1].sendall(f"GET {API}next HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                except OSError:
                    break
                time.sleep(0.005)
        ask(s, "POST", API + f"{right}/response", b'"never read"')
        for c in kept:
            c.close()
        kept.clear()


# ---- what the kernel counts by user: all sandboxes of a node have one

def takes_all_inotify(event, context):
    """Instances of inotify, as many as there are to be had; its children keep them. How many."""
    libc, taken = ctypes.CDLL(None), 0
    for _ in range(event["processes"]):
        r, w = os.pipe()
        if os.fork() == 0:
            n = 0
            while n < event["each"] and libc.inotify_init() >= 0:
                n += 1
            os.write(w, str(n).encode())
            time.sleep(600)
            os._exit(0)
        taken += int(os.read(r, 20))
    return taken


RAW = (never_asks, exits_in_init, exits_in_init_quietly, answers_wrong_id, answers_twice, half_an_answer,
       closes_the_socket, closes_and_stays_away, speaks_nonsense, opens_other_apis, asks_without_reading)

name = os.environ.get("_HANDLER", "").rpartition(".")[2]
if name in {f.__name__ for f in RAW}:
    globals()[name]()
