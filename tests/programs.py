# SPDX-License-Identifier: Apache-2.0
"""A Hearth of single programs, as on machines of their own: Redis servers, controllers, a gateway, an invoker.

Nobody starts again what ends; a test does. Clients and checks are those of harness.Hearth.
"""
import os
import signal
import socket
import subprocess
import threading
import time

from harness import BUILD, LAUNCHER, TOP, Hearth, free_port, remove_folder, short_folder, wait_until


class Program:
    """One process and what it says."""

    def __init__(self, name, argv, env=None):
        self.name, self.argv, self.env = name, [str(a) for a in argv], {k: str(v) for k, v in (env or {}).items()}
        self.process, self.lines = None, []

    def start(self):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("HEARTH_", "AWS_"))}
        clean.update(ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:exitcode=99", UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
        self.process = subprocess.Popen(self.argv, env=dict(clean, **self.env), text=True, errors="replace", stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self.reader.start()
        return self

    def _read(self, process):
        for line in process.stdout:
            self.lines.append(line)

    @property
    def log(self):
        return "".join(self.lines)

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, sig):
        assert self.runs(), f"{self.name} has ended with {self.process.returncode}:\n{self.log[-3000:]}"
        self.process.send_signal(sig)
        if sig == signal.SIGKILL:
            self.wait(10)

    def wait(self, seconds):
        code = self.process.wait(seconds)
        self.reader.join(10)
        return code

    def stop(self):
        if not self.runs():
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not stop:\n{self.log[-3000:]}") from None


class Redis:
    """redis-server on a port of its own; asked one command at a time."""

    def __init__(self, folder, name, *options):
        self.port = free_port()
        self.folder = folder / name
        self.folder.mkdir()
        self.program = Program(name, ["redis-server", "--port", self.port, "--bind", "127.0.0.1", "--dir", self.folder,
                                      "--appendonly", "yes", "--appendfsync", "always", "--save", "", *options])

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self):
        self.program.start()
        wait_until(f"{self.program.name} answers", self.answers, 20)
        return self

    def answers(self):
        try:
            return self("PING") == "PONG"
        except OSError:
            return False

    def __call__(self, *words):
        with socket.create_connection(("127.0.0.1", self.port), 5) as s:
            out = b"*%d\r\n" % len(words)
            for w in words:
                w = w if isinstance(w, bytes) else str(w).encode()
                out += b"$%d\r\n%s\r\n" % (len(w), w)
            s.sendall(out)
            with s.makefile("rb") as f:
                return self._answer(f)

    def _answer(self, f):
        line = f.readline()
        kind, rest = line[:1], line[1:].strip().decode(errors="replace")
        if kind == b"$":
            return None if int(rest) < 0 else f.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            return [self._answer(f) for _ in range(int(rest))]
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest
        raise OSError(f"Redis says {line!r}")


class Sentinels:
    """Some redis-sentinels that watch over one primary, called main."""

    def __init__(self, folder, primary, count=3, down_after_ms=1000):
        self.ports = [free_port() for _ in range(count)]
        self.programs = []
        for i, port in enumerate(self.ports):
            home = folder / f"sentinel{i}"
            home.mkdir()
            config = home / "sentinel.conf"
            config.write_text(f"port {port}\nbind 127.0.0.1\ndir {home}\nsentinel monitor main 127.0.0.1 {primary.port} {count // 2 + 1}\n"
                              f"sentinel down-after-milliseconds main {down_after_ms}\nsentinel failover-timeout main 2000\n")
            self.programs.append(Program(f"sentinel {i}", ["redis-server", config, "--sentinel"]))

    @property
    def url(self):
        return "sentinel://" + ",".join(f"127.0.0.1:{p}" for p in self.ports) + "/main"

    def start(self):
        for p in self.programs:
            p.start()
        return self

    def stop(self):
        for p in self.programs:
            p.stop()


class Programs(Hearth):
    """The whole; `settings` are of all programs."""

    def __init__(self, docker, controllers, redis_url=None, folder=None, **settings):
        folder = folder or short_folder("hearth-")
        super().__init__(docker, folder, launcher=LAUNCHER, **settings)
        self.redis = None if redis_url else Redis(folder, "redis")
        self.redis_url = redis_url or self.redis.url
        self.count = controllers
        self.controllers = [self.controller(i) for i in range(controllers)]
        self.invoker = Program("invoker", [BUILD / "hearth-invoker"], dict(
            self.common(), HEARTH_CONTROLLER=self.addresses(), HEARTH_INVOKER_LISTEN=f"unix:{folder}/run/invoker.sock",
            HEARTH_NODE_ID=self.node, HEARTH_DATA_DIR=folder / "node", HEARTH_RUN_DIR=folder / "run", HEARTH_LAUNCHER=self.launcher,
            HEARTH_DOCKER_SOCKET=docker.socket, HEARTH_INIT_PATH=BUILD / "hearth-init"))
        self.gateway = Program("gateway", [BUILD / "hearth-gateway"], dict(
            self.common(), HEARTH_LISTEN=self.listen, HEARTH_CONTROLLER=self.addresses()))
        (folder / "run").mkdir()

    def common(self):
        return {k: str(v) for k, v in self.settings.items()}

    def addresses(self):
        return ",".join(f"unix:{self.folder}/run/c{i}.sock" for i in range(self.count))

    def controller(self, i, **more):
        return Program(f"controller {i}", [BUILD / "hearth-controller"], dict(
            self.common(), HEARTH_CONTROLLER=f"unix:{self.folder}/run/c{i}.sock", HEARTH_REDIS_URL=self.redis_url,
            HEARTH_DATA_DIR=self.folder / "data", HEARTH_RUNTIMES=TOP / "images/runtimes.json", **more))

    def programs(self):
        return [self.gateway, *self.controllers, self.invoker]

    def start(self, ready=True):
        if self.redis:
            self.redis.start()
        for p in self.programs():
            p.start()
        if ready:
            wait_until("all is there", self.healthy, 20)
        return self

    @property
    def log(self):
        return "".join(f"---- {p.name}\n{p.log}" for p in self.programs())

    @property
    def leader(self):
        """The controller that said last that it leads, and runs."""
        led = [(p.log.rfind('"event":"leads'), p) for p in self.controllers if p.runs() and '"event":"leads' in p.log]
        terms = [(int(p.log[at:].partition('"term":')[2].split("}")[0].split(",")[0]), p) for at, p in led]
        return max(terms, key=lambda t: t[0])[1] if terms else None

    def close(self):
        try:
            for p in self.programs():
                p.stop()
            if self.redis:
                self.redis.program.stop()
            self.check_sanitizers()
        finally:
            for p in [*self.programs(), *([self.redis.program] if self.redis else [])]:
                if p.runs():
                    p.process.kill()
            for c in self.docker.sandboxes(self.node):
                self.docker("rm", "-f", c, check=False)
            remove_folder(self.folder)


class Invocations:
    """A few clients that invoke the warm function without a pause; every failure is kept."""

    def __init__(self, hearth, name, clients=4):
        self.stop, self.failures, self.count = threading.Event(), [], 0
        self.threads = [threading.Thread(target=self.run, args=(hearth.client(connections=1), name), daemon=True) for _ in range(clients)]

    def run(self, lam, name):
        while not self.stop.is_set():
            begin = time.time()
            try:
                answer = lam.invoke(FunctionName=name, Payload=b"{}")
                if answer["StatusCode"] != 200 or "FunctionError" in answer:
                    raise AssertionError(answer)
                self.count += 1
            except Exception as e:  # noqa: BLE001 - the test tells
                self.failures.append((begin, time.time(), repr(e)))
            time.sleep(0.01)

    def __enter__(self):
        for t in self.threads:
            t.start()
        wait_until("invocations run", lambda: self.count > 10, 20)
        return self

    def __exit__(self, *_):
        self.stop.set()
        for t in self.threads:
            t.join(60)
        assert not self.failures, self.failures[:5]
