# SPDX-License-Identifier: Apache-2.0
"""A Hearth of many parts on one machine: each program in a network namespace of its own on a bridge that is in another one (the hub),
so that any two of them can be parted in one direction or both, and killed or stopped one by one.

All that is made has this process's id in its name and goes with close(): processes by id, namespaces, folders, the Docker image.
"""
import contextlib
import ctypes
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import BUILD, ROLE, TOP, native_sandboxes, remove_folder, run, short_folder, wait_until, zip_of  # noqa: E402

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
TOOLS = BUILD / "history"
NET = "10.87.0."
HUB = NET + "1"
HOST = {"g0": 11, "g1": 12, "g2": 13, "g3": 14, "i0": 21, "i1": 22, "i2": 23, "c0": 31, "c1": 32, "r": 41, "r0": 42, "r1": 43,
        "s0": 51, "s1": 52, "s2": 53}
LINK_PORT = 7400
REDIS_PORT = 6379
ACCOUNT = "000000000000"


def address(name):
    return NET + str(HOST[name])


def setns(name):
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        if LIBC.setns(fd, CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(fd)


def end_with_us():
    """In a child: kill -9 of the test ends it too."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Network:
    """The hub, a namespace for each host, and who does not hear whom."""

    def __init__(self, hosts):
        self.prefix = f"hh{os.getpid()}-"
        self.hosts = hosts
        self.cuts = set()  # (from, to): packets of the first do not reach the second
        self.made = []

    def name(self, host):
        return self.prefix + host

    def make(self):
        self.forget_the_dead()
        for host in ["hub", *self.hosts]:
            run("ip", "netns", "add", self.name(host))
            self.made.append(host)
            run("ip", "-n", self.name(host), "link", "set", "lo", "up")
        hub = self.name("hub")
        run("ip", "-n", hub, "link", "add", "br0", "type", "bridge", "stp_state", "0", "forward_delay", "0")
        run("ip", "-n", hub, "addr", "add", HUB + "/24", "dev", "br0")
        run("ip", "-n", hub, "link", "set", "br0", "up")
        for host in self.hosts:
            run("ip", "-n", hub, "link", "add", host, "type", "veth", "peer", "name", "eth0", "netns", self.name(host))
            run("ip", "-n", hub, "link", "set", host, "master", "br0", "up")
            run("ip", "-n", self.name(host), "addr", "add", f"{NET}{HOST[host]}/24", "dev", "eth0")
            run("ip", "-n", self.name(host), "link", "set", "eth0", "up")

    def forget_the_dead(self):
        """Namespaces of an earlier run that was killed."""
        for path in pathlib.Path("/run/netns").glob("hh*-*") if os.path.isdir("/run/netns") else []:
            pid = path.name[2:].partition("-")[0]
            if pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
                run("ip", "netns", "del", path.name, check=False)

    def inside(self, host):
        return ["nsenter", f"--net=/run/netns/{self.name(host)}"]

    def cut(self, *pairs):
        self.cuts |= set(pairs)
        self.apply({to for _, to in pairs})

    def heal(self, *pairs):
        self.cuts -= set(pairs)
        self.apply({to for _, to in pairs})

    def apply(self, hosts):
        """Each host drops what it must not hear; its whole table is replaced at once."""
        for host in hosts:
            rules = "".join(f"ip saddr {address(a)} drop\n" for a, b in sorted(self.cuts) if b == host)
            text = "table inet cuts\ndelete table inet cuts\ntable inet cuts { chain in { type filter hook input priority 0;\n" + rules + "}\n}\n"
            run(*self.inside(host), "nft", "-f", "-", input=text)

    def close(self):
        for host in self.made:
            run("ip", "netns", "del", self.name(host), check=False)


class Process:
    """A program that is started again after it was killed, by us."""

    def __init__(self, name, network, log, argv, host=None, **env):
        self.name, self.network, self.log, self.argv = name, network, log, [str(a) for a in argv]
        self.host = host or name
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("HEARTH_", "AWS_"))}
        self.env = dict(clean, **{k: str(v) for k, v in env.items()})
        self.process = None
        self.wanted = False  # it is to run

    def start(self):
        self.wanted = True
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([*self.network.inside(self.host), *self.argv], env=self.env, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True, preexec_fn=end_with_us)
        return self

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, sig):
        if not self.runs():
            raise AssertionError(f"{self.name} has ended by itself with {self.process.returncode}: {self.log}")
        self.process.send_signal(sig)
        if sig == signal.SIGKILL:
            self.wanted = False
            self.process.wait()

    def stop(self, seconds=30):
        self.wanted = False
        if not self.runs():
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Redis:
    """One command at a time, over a connection of its own."""

    def __init__(self, host, port):
        self.at = (address(host), port)

    def __call__(self, *words, seconds=5):
        with socket.create_connection(self.at, seconds) as s:
            out = b"*%d\r\n" % len(words)
            for w in words:
                w = str(w).encode()
                out += b"$%d\r\n%s\r\n" % (len(w), w)
            s.sendall(out)
            with s.makefile("rb") as f:
                return self.answer(f)

    def answer(self, f):
        line = f.readline()
        kind, rest = line[:1], line[1:].strip().decode()
        if kind == b"$":
            return None if int(rest) < 0 else f.read(int(rest) + 2)[:-2].decode(errors="replace")
        if kind == b"*":
            return [self.answer(f) for _ in range(int(rest))]
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest
        raise OSError(f"Redis says {line!r}")

    def hash(self, key):
        flat = self("HGETALL", key)
        return dict(zip(flat[::2], flat[1::2]))


class Cluster:
    """Four gateways, three invokers, two controllers, two Redis servers; clients and the recorder in the hub."""

    REDIS = {"r0": ("r", 7001), "r1": ("r", 7002)}  # where they are; controllers are led to one of them by point_to()
    SENTINELS = ()

    def __init__(self, docker, keep, gateways, tcp, account_concurrency, **settings):
        self.docker, self.keep, self.tcp = docker, keep, tcp
        servers = {host for host, _ in self.REDIS.values()} | set(self.SENTINELS)
        self.hosts = [h for h in HOST if (h in servers if h[0] in "rs" else h[0] != "g" or int(h[1:]) < gateways)]
        self.folder = short_folder("hh-")
        self.folder.chmod(0o755)
        self.network = Network(self.hosts)
        self.image = f"hearth-history:{os.getpid()}"
        self.primary = "r0"
        self.tools = []
        self.account_concurrency = account_concurrency
        self.common = dict(HEARTH_LOG_LEVEL="info", HEARTH_ACCOUNT_CONCURRENCY=account_concurrency, **settings)
        self.parts = {}

    # ---- names

    @property
    def gateways(self):
        return [n for n in self.parts if n[0] == "g"]

    @property
    def invokers(self):
        return [n for n in self.parts if n[0] == "i"]

    @property
    def controllers(self):
        return [n for n in self.parts if n[0] == "c"]

    def endpoint(self, gateway):
        return f"{address(gateway)}:9000"

    def node(self, invoker):
        return f"hh{os.getpid()}-{invoker}"

    # ---- making

    def make(self):
        self.network.make()
        (self.folder / "logs").mkdir()
        self.make_image()
        runtimes = self.folder / "runtimes.json"
        runtimes.write_text(json.dumps({"runtimes": {"provided.al2023": {"image": self.image, "architectures": ["x86_64", "arm64"]}}}))
        for name in [*(h for h in self.hosts if h[0] != "r"), *self.REDIS]:
            (self.folder / name).mkdir()
            self.parts[name] = self.program(name, runtimes)
        setns(self.network.name("hub"))

    def make_image(self):
        """Of the functions' runtime: a file system in which there is nothing."""
        with tempfile.TemporaryFile() as f:
            with tarfile.open(fileobj=f, mode="w") as t:
                t.addfile(tarfile.TarInfo("nothing"))
            f.seek(0)
            subprocess.run(["docker", "import", "-", self.image], stdin=f, stdout=subprocess.DEVNULL, check=True,
                           env=dict(os.environ, DOCKER_HOST=self.docker.host))

    def program(self, name, runtimes):
        log = self.folder / "logs" / f"{name}.log"
        if name in self.REDIS:
            return Process(name, self.network, log, self.redis_argv(name), self.REDIS[name][0])
        if name in self.SENTINELS:
            return Process(name, self.network, log, self.sentinel_argv(name))
        program = {"g": "gateway", "i": "invoker", "c": "controller"}[name[0]]
        env = dict(self.common, **getattr(self, f"{program}_settings")(name))
        if program == "controller":
            env["HEARTH_RUNTIMES"] = runtimes
        return Process(name, self.network, log, [BUILD / f"hearth-{program}"], **env)

    def redis_argv(self, name, primary=None):
        argv = ["redis-server", "--port", self.REDIS[name][1], "--bind", "0.0.0.0", "--protected-mode", "no", "--dir", self.folder / name,
                "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--repl-diskless-sync-delay", "0",
                *(["--replicaof", *self.redis_at(primary)] if primary else [])]
        return [str(a) for a in argv]

    def redis_at(self, name):
        host, port = self.REDIS[name]
        return address(host), port

    def link(self, name):
        """Where it listens for links."""
        if self.tcp:
            return f"tcp://{address(name)}:{LINK_PORT}"
        return f"unix:{self.folder}/{name}/link.sock"

    def controller_settings(self, name):
        return dict(HEARTH_CONTROLLER=self.link(name), HEARTH_REDIS_URL=self.redis_url(), HEARTH_DATA_DIR=self.folder / "controllers")

    def redis_url(self):
        return f"redis://{address('r')}:{REDIS_PORT}"

    def peer_settings(self, name):
        """Of those who speak to the controllers."""
        env = dict(HEARTH_CONTROLLER=",".join(self.link(n) for n in self.hosts if n[0] == "c"), HEARTH_DATA_DIR=self.folder / name / "data")
        if self.tcp:
            env["HEARTH_JOIN_TOKEN_FILE"] = self.folder / name / "token"
        return env

    def gateway_settings(self, name):
        return dict(self.peer_settings(name), HEARTH_LISTEN="0.0.0.0:9000", HEARTH_GATEWAY_ID=name, HEARTH_REQUEST_RATE_FACTOR="0")

    def invoker_settings(self, name):
        return dict(self.peer_settings(name), HEARTH_INVOKER_LISTEN=self.link(name), HEARTH_NODE_ID=self.node(name),
                    HEARTH_RUN_DIR=self.folder / name / "run", HEARTH_LAUNCHER="native", HEARTH_DOCKER_SOCKET=self.docker.socket,
                    HEARTH_INIT_PATH=BUILD / "hearth-init", HEARTH_EGRESS="off", HEARTH_TMP="memory", HEARTH_NODE_MEMORY="64G")

    def make_tokens(self):
        """With which gateways and invokers join: made where the controllers keep the key of their CA."""
        ca = self.folder / "controllers"
        for name in self.gateways + self.invokers:
            def token():
                p = run(BUILD / "hearth", "token", "create", "--role", "gateway" if name[0] == "g" else "invoker", "--data-dir", ca, check=False)
                return p.stdout.strip() if p.returncode == 0 else None
            (self.folder / name / "token").write_text(wait_until("the controllers have a CA", token, 10))

    def start_redis(self):
        self.parts["r0"].start()
        self.wait_redis("r0")
        self.parts["r1"].argv = self.redis_argv("r1", "r0")
        self.parts["r1"].start()
        self.point_to("r0")

    def start(self):
        self.start_redis()
        for name in self.controllers:
            self.parts[name].start()
        if self.tcp:
            self.make_tokens()
        for name in self.gateways + self.invokers:
            self.parts[name].start()
        for g in self.gateways:
            wait_until(f"{g} is ready", lambda: self.fallen() or self.healthy(g), 60)
        for part in self.fallen():
            raise AssertionError(f"{part.name} does not start: {part.log.read_text()[-1000:]}")

    def start_tools(self, seed):
        """The recorder and the clients; both write into files that are read as they grow."""
        self.history, self.answers = self.folder / "history", self.folder / "answers"
        self.history.touch()
        self.answers.touch()
        with open(self.folder / "logs/recorder.log", "w") as log:
            self.recorder = subprocess.Popen([TOOLS / "recorder", self.history, *(f"{i}={self.folder}/{i}/data/invoker/code" for i in self.invokers)],
                                             stderr=log, preexec_fn=end_with_us)
        with open(self.folder / "logs/load.log", "w") as log:
            self.load = subprocess.Popen([TOOLS / "load", self.answers, str(seed), *(self.endpoint(g) for g in self.gateways)],
                                         stdin=subprocess.PIPE, stderr=log, text=True, preexec_fn=end_with_us)
        self.tools = [self.load, self.recorder]

    def command(self, *lines):
        self.load.stdin.write("".join(line + "\n" for line in lines))
        self.load.stdin.flush()

    # ---- asking

    def fallen(self):
        """Those that have ended although nobody ended them."""
        return [p for p in self.parts.values() if p.wanted and not p.runs()]

    def seat(self, controller):
        """What its id begins with: controller/lead.c."""
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text()
        return hashlib.sha256(f"{boot}\n{socket.gethostname()}\n{self.link(controller)}".encode()).hexdigest()[:16]

    def leader(self):
        """The controller that leads, as Redis has it."""
        with contextlib.suppress(OSError):
            _, _, who = (self.redis()("GET", "hearth:leader") or "").partition(" ")
            return next((c for c in self.controllers if who.startswith(self.seat(c) + "-")), None)
        return None

    def sanitizer_reports(self):
        words = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:")
        return [log.name for log in sorted((self.folder / "logs").iterdir()) if any(w in log.read_text(errors="replace") for w in words)]

    def healthy(self, gateway):
        with contextlib.suppress(OSError, ValueError):
            with urllib.request.urlopen(f"http://{self.endpoint(gateway)}/_hearth/health", timeout=2) as r:
                health = json.load(r)
                return sum(n["link"] == "up" for n in health["nodes"]) == len(self.invokers)
        return False

    def client(self, gateway="g0"):
        import boto3
        from botocore.config import Config
        return boto3.client("lambda", endpoint_url=f"http://{self.endpoint(gateway)}", region_name="us-east-1", aws_access_key_id="test",
                            aws_secret_access_key="test", config=Config(retries={"max_attempts": 0}, read_timeout=60, proxies={}))

    def make_function(self, name, reserved):
        lam = self.client()
        code = zip_of({"bootstrap": ((TOOLS / "runtime").read_bytes(), 0o755)})
        lam.create_function(FunctionName=name, Role=ROLE, Runtime="provided.al2023", Handler="any", Code={"ZipFile": code}, Timeout=300)
        lam.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        if reserved is not None:
            lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)

    # ---- Redis

    def wait_redis(self, name):
        def answers():
            with contextlib.suppress(OSError):
                return self.redis(name)("PING") == "PONG"
        wait_until(f"{name} answers", answers, 20, 0.01)

    def point_to(self, name):
        """New connections to the Redis of all go there."""
        text = (f"table ip redis\ndelete table ip redis\ntable ip redis {{ chain pre {{ type nat hook prerouting priority -100;\n"
                f"tcp dport {REDIS_PORT} redirect to :{self.REDIS[name][1]}\n}}\n}}\n")
        run(*self.network.inside("r"), "nft", "-f", "-", input=text)
        self.primary = name

    @property
    def replica(self):
        return next(n for n in self.REDIS if n != self.primary)

    def redis(self, name=None):
        return Redis(*self.REDIS[name or self.primary])

    def replica_is_up(self):
        with contextlib.suppress(OSError):
            return "master_link_status:up" in self.redis(self.replica)("INFO", "replication")
        return False

    def restart_as_replica(self, name):
        """A server that was the primary once: it forgets all and follows the other one."""
        part = self.parts[name]
        if part.runs():
            part.signal(signal.SIGKILL)
        shutil.rmtree(self.folder / name)
        (self.folder / name).mkdir()
        part.argv = self.redis_argv(name, self.primary)
        part.start()

    # ---- the end

    def stop_tools(self):
        """All requests have ended then, and all that the recorder was told is written."""
        for tool in self.tools:
            with contextlib.suppress(OSError):
                tool.stdin and tool.stdin.close()
            tool is self.recorder and tool.terminate()
            if tool.wait(120) != 0:
                raise AssertionError(f"{tool.args[0]} ended with {tool.returncode}: logs/{pathlib.Path(tool.args[0]).name}.log")
        self.tools = []

    def close(self, checks, whole):
        """Ends all of it, and shows that nothing is left. Logs and histories are kept when something failed, or the test is not whole."""
        try:
            for tool in self.tools:
                tool.kill()
                tool.wait()
            for part in sorted(self.parts.values(), key=lambda p: "gicsr".index(p.name[0])):
                part.stop()
            for i in self.invokers:
                end = time.monotonic() + 20
                while native_sandboxes(self.node(i)) and time.monotonic() < end:
                    time.sleep(0.1)
                if native_sandboxes(self.node(i)):
                    checks.fail(f"cgroups of {i} are left: {native_sandboxes(self.node(i))[:5]}")
            for name in self.sanitizer_reports():
                checks.fail(f"a sanitizer reports in {name}")
        finally:
            self.network.close()
            run("docker", "rmi", "-f", self.image, check=False, env=dict(os.environ, DOCKER_HOST=self.docker.host))
            if checks.bad or not whole:
                self.keep_all()
            remove_folder(self.folder)

    def keep_all(self):
        shutil.rmtree(self.keep, ignore_errors=True)
        self.keep.mkdir(parents=True)
        for what in ("logs", "history", "answers", "faults"):
            if (self.folder / what).exists():
                shutil.move(self.folder / what, self.keep / what)
        print(f"histories, faults and logs are kept in {self.keep}", flush=True)
