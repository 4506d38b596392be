# SPDX-License-Identifier: Apache-2.0
"""What the tests share: a Hearth of their own on free ports, with its own folders, and real clients.

Everything a test starts is ended by it: processes by id, containers by the node's label, folders by name.
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("HEARTH_TEST_BUILD", TOP / "build"))
C_RUNTIME = TOP / "build/samples/c-bootstrap"  # the smallest runtime, static
ROLE = "arn:aws:iam::000000000000:role/test"
SLOW = float(os.environ.get("HEARTH_TEST_SLOW", "1"))  # sanitizer builds take longer
LAUNCHER = os.environ.get("HEARTH_LAUNCHER", "docker")  # the one that whole Hearths run with


def native_is_possible():
    """Whether this host can run native sandboxes: docs/internals/native.md."""
    release = tuple(int(n) for n in os.uname().release.split("-")[0].split(".")[:2])
    return os.geteuid() == 0 and release >= (6, 7) and bool(shutil.which("crun") or shutil.which("runc"))


if "HEARTH_LAUNCHER" in os.environ:
    LAUNCHERS = [LAUNCHER]
else:
    LAUNCHERS = ["docker", "native"] if native_is_possible() else ["docker"]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(what, condition, seconds=20.0, every=0.05):
    """Waits for a condition with a deadline; its last value is returned when it is true."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds * SLOW:.0f} s in vain: {what}")
        time.sleep(every)


def run(*argv, check=True, **kw):
    kw.setdefault("stdout", subprocess.PIPE)
    kw.setdefault("stderr", subprocess.PIPE)
    kw.setdefault("timeout", 600)
    p = subprocess.run([str(a) for a in argv], text=True, **kw)
    if check and p.returncode != 0:
        raise AssertionError(f"{argv} ended with {p.returncode}\n{p.stdout}\n{p.stderr}")
    return p


def cgroup_mounts():
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] in ("cgroup", "cgroup2"):
            yield pathlib.Path(fields[4])


def cgroup_folder(pid, controller):
    """Where a process is in the hierarchy of that controller; in the only one of version 2."""
    mounts = {}
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        kind, options = fields[fields.index("-") + 1], fields[-1]
        for name in [""] if kind == "cgroup2" else options.split(",") if kind == "cgroup" else []:
            mounts.setdefault(name, fields[4])
    paths = {}
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        paths.update(dict.fromkeys(names.split(","), path))
    name = controller if controller in mounts and controller in paths else ""
    return pathlib.Path(mounts[name] + paths[name])


def native_sandboxes(node):
    """Cgroups of the native launcher's sandboxes, "<life>/<name>"; those that wait for a function count."""
    found = set()
    for mount in cgroup_mounts():
        for life in mount.glob(f"hearth-{node}.????????"):
            with contextlib.suppress(OSError):
                found |= {f"{life.name}/{p.name}" for p in life.iterdir() if p.is_dir()} | {life.name}
    return sorted(found)


def inner_pid(pid):
    """What it is in its own pid namespace. The host's numbers start over at 32,768 and tell no order."""
    return int(pathlib.Path(f"/proc/{pid}/status").read_text().partition("NSpid:")[2].split("\n")[0].split()[-1])


def native_processes(node, name):
    """Pids in one of them; the first one is its PID 1."""
    for mount in cgroup_mounts():
        for procs in mount.glob(f"hearth-{node}.????????/{name}/cgroup.procs"):
            with contextlib.suppress(OSError):
                pids = sorted((int(pid) for pid in procs.read_text().split()), key=inner_pid)
                if pids:
                    return pids
    return []


def native_functions(node, function=None, version=None):
    """Those in which a function runs, or that one, or that version of it."""
    found = []
    for sandbox in native_sandboxes(node):
        pids = native_processes(node, sandbox.partition("/")[2]) if "/" in sandbox else []
        for pid in pids[1:]:
            with contextlib.suppress(OSError):
                env = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                env = dict(v.decode(errors="replace").partition("=")[::2] for v in env)
                if function in (None, env.get("AWS_LAMBDA_FUNCTION_NAME")) and \
                        version in (None, env.get("AWS_LAMBDA_FUNCTION_VERSION")) and "AWS_LAMBDA_RUNTIME_API" in env:
                    found.append(sandbox)
                    break
    return found


class Docker:
    """The real engine, by its command-line client."""

    def __init__(self, host):
        self.host = host
        self.socket = host.removeprefix("unix://")

    def __call__(self, *argv, check=True, **kw):
        env = dict(os.environ, DOCKER_HOST=self.host, DOCKER_BUILDKIT="0")
        return run("docker", *argv, check=check, env=env, **kw).stdout.strip()

    def sandboxes(self, node=None, function=None, everything=True):
        """Ids of containers with our labels."""
        argv = ["ps", "-q", "--no-trunc"] + (["-a"] if everything else [])
        argv += ["--filter", f"label=hearth.node={node}" if node else "label=hearth.node"]
        if function:
            argv += ["--filter", f"label=hearth.function={function}"]
        return self(*argv).split()

    def build(self, tag, files, dockerfile, **build_args):
        with tempfile.TemporaryDirectory() as d:
            for name, text in files.items():
                path = pathlib.Path(d, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                text, mode = text if isinstance(text, tuple) else (text, 0o644)
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
                path.chmod(mode)
            pathlib.Path(d, "Dockerfile").write_text(dockerfile)
            args = [x for k, v in build_args.items() for x in ("--build-arg", f"{k}={v}")]
            self("build", "-q", "--network", "none", "-t", tag, *args, d)
        return tag

    def push(self, tag):
        """Pushes and forgets the local name, so that only the registry has it."""
        self("push", "-q", tag)
        self("rmi", "-f", tag)
        return tag


class Hearth:
    """`hearth up` as a user runs it."""

    def __init__(self, docker, folder, listen=None, launcher=LAUNCHER, **settings):
        self.docker = docker
        self.launcher = launcher
        self.folder = pathlib.Path(folder)
        self.listen = listen or f"127.0.0.1:{free_port()}"
        self.node = "t" + self.folder.name.replace("_", "-")[-20:]
        self.settings = settings
        self.wrapper = []  # a command that runs it: "unshare" and so on
        self.key = ("test", "test")  # with which clients sign: anything, unless signatures are checked
        self.process = None
        self.lines = []

    @property
    def url(self):
        return f"http://{self.listen}"

    @property
    def log(self):
        return "".join(self.lines)

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("HEARTH_", "AWS_"))}
        env.update(
            HEARTH_LISTEN=self.listen,
            HEARTH_DATA_DIR=str(self.folder / "data"),
            HEARTH_RUN_DIR=str(self.folder / "run"),
            HEARTH_DOCKER_SOCKET=self.docker.socket,
            HEARTH_NODE_ID=self.node,
            HEARTH_LAUNCHER=self.launcher,
            HEARTH_RUNTIMES=str(TOP / "images/runtimes.json"),
            ASAN_OPTIONS="detect_leaks=1:abort_on_error=0:exitcode=99",
            UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
        )
        env.update({k: str(v) for k, v in self.settings.items()})
        return env

    def start(self, ready=True):
        self.process = subprocess.Popen(
            [*self.wrapper, BUILD / "hearth", "up"], env=self.environment(), text=True, errors="replace",
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        if ready:
            wait_until("hearth up is ready", lambda: self.healthy() or self._died(), 20)
        return self

    def _read(self, process):
        for line in process.stderr:
            self.lines.append(line)

    def _died(self):
        if self.process.poll() is not None:
            raise AssertionError(f"hearth up ended with {self.process.returncode}:\n{self.log[-4000:]}")
        return False

    def healthy(self):
        with contextlib.suppress(OSError, ValueError):
            with urllib.request.urlopen(f"{self.url}/_hearth/health", timeout=2) as r:
                return json.load(r)
        return None

    def pid(self, role):
        """Process id of a supervised program."""
        for p in pathlib.Path("/proc").iterdir():
            if not p.name.isdigit():
                continue
            with contextlib.suppress(OSError, IndexError, ValueError):
                parent = int((p / "stat").read_text().rsplit(")", 1)[1].split()[1])
                name = (p / "cmdline").read_bytes().split(b"\0")[0].decode()
                if parent == self.process.pid and role in name:
                    return int(p.name)
        return None

    def kill(self, role, sig=signal.SIGKILL):
        pid = wait_until(f"{role} runs", lambda: self.pid(role), 10)
        os.kill(pid, sig)
        return pid

    def sandboxes(self, function=None):
        """Ids of the sandboxes that functions, or that one, run in."""
        if self.launcher == "native":
            return native_functions(self.node, function)
        return self.docker.sandboxes(self.node, function=function)

    def sandbox_pids(self, sandbox):
        """Those of its processes; the first one is its PID 1."""
        if self.launcher == "native":
            return native_processes(self.node, sandbox.partition("/")[2])
        folder = cgroup_folder(self.docker("inspect", "-f", "{{.State.Pid}}", sandbox), "pids")
        return sorted(map(int, (folder / "cgroup.procs").read_text().split()), key=inner_pid)

    def freezer(self, sandbox):
        """Says, quickly and each time it is called, whether all of it stands still."""
        folder = cgroup_folder(self.sandbox_pids(sandbox)[0], "freezer")
        state = folder / "freezer.state"
        if state.exists():
            return lambda: state.read_text().strip() == "FROZEN"
        return lambda: "frozen 1" in (folder / "cgroup.events").read_text()

    def wait_frozen(self, function):
        """Its one sandbox, once it stands still."""
        def frozen():
            found = self.sandboxes(function)
            return found[0] if len(found) == 1 and self.freezer(found[0])() else None
        return wait_until(f"{function} is frozen", frozen, 10)

    def kill_sandbox(self, sandbox):
        """As a stranger would, who sees it end, unless it is frozen (cgroup version 1)."""
        if self.launcher == "native":
            pid = native_processes(self.node, sandbox.partition("/")[2])[0]
            os.kill(pid, signal.SIGKILL)
            end = time.monotonic() + 1
            while pathlib.Path(f"/proc/{pid}").exists() and time.monotonic() < end:
                time.sleep(0.005)
        else:
            self.docker("kill", sandbox)

    def stop(self, sig=signal.SIGINT):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            try:
                self.process.wait(60 * SLOW)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"hearth up did not stop:\n{self.log[-4000:]}")
        return self.process.returncode

    def check_sanitizers(self):
        assert "ERROR: AddressSanitizer" not in self.log and "runtime error:" not in self.log \
            and "ERROR: LeakSanitizer" not in self.log, self.log[-8000:]

    def close(self):
        """Ends it and shows nothing was left behind; sanitizer reports are failures."""
        try:
            code = self.stop()
            left = self.docker.sandboxes(self.node)
            assert not left, f"containers left behind: {left}"
            wait_until("the cgroups are gone", lambda: not native_sandboxes(self.node), 10)
            self.check_sanitizers()
            assert code == 0, f"hearth up ended with {code}:\n{self.log[-4000:]}"
        finally:
            for c in self.docker.sandboxes(self.node):
                self.docker("rm", "-f", c, check=False)

    def client(self, **kw):
        import boto3
        from botocore.config import Config
        config = Config(retries={"max_attempts": 0}, read_timeout=120, max_pool_connections=kw.pop("connections", 10))
        return boto3.client("lambda", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=self.key[0],
                            aws_secret_access_key=self.key[1], config=config, **kw)

    def aws(self, *argv, check=True, key=None):
        """The real AWS CLI."""
        key = key or self.key
        env = dict(os.environ, AWS_ACCESS_KEY_ID=key[0], AWS_SECRET_ACCESS_KEY=key[1],
                   AWS_DEFAULT_REGION="us-east-1", AWS_PAGER="", AWS_CONFIG_FILE="/dev/null")
        aws = pathlib.Path(sys.executable).parent / "aws"
        p = run(aws if aws.exists() else "aws", "--endpoint-url", self.url, *argv, check=check, env=env)
        return p if not check else (json.loads(p.stdout) if p.stdout.strip().startswith(("{", "[")) else p.stdout)

    def hearth(self, *argv, check=True):
        return run(BUILD / "hearth", *argv, check=check, env=dict(os.environ, AWS_ENDPOINT_URL=self.url))


class Node:
    """One more invoker of a Hearth, as another machine would have it: its own name, folders and process."""

    def __init__(self, hearth, name, **settings):
        self.hearth, self.settings = hearth, settings
        self.node = f"{hearth.node}-{name}"[-40:]
        self.folder = hearth.folder / name
        self.folder.mkdir(exist_ok=True)
        self.process, self.lines = None, []

    @property
    def log(self):
        return "".join(self.lines)

    def start(self):
        env = self.hearth.environment()
        env.update(
            HEARTH_CONTROLLER=f"unix:{self.hearth.folder}/run/controller.sock",
            HEARTH_INVOKER_LISTEN=f"unix:{self.folder}/invoker.sock",
            HEARTH_NODE_ID=self.node,
            HEARTH_DATA_DIR=str(self.folder / "data"),
            HEARTH_RUN_DIR=str(self.folder / "run"),
            HEARTH_INIT_PATH=str(BUILD / "hearth-init"),
        )
        env.update({k: str(v) for k, v in self.settings.items()})
        self.process = subprocess.Popen([BUILD / "hearth-invoker"], env=env, text=True, errors="replace",
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        wait_until(f"{self.node} is a node", lambda: self.is_up() or self._died(), 20)
        return self

    def _read(self, process):
        for line in process.stderr:
            self.lines.append(line)

    def _died(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the invoker ended with {self.process.returncode}:\n{self.log[-4000:]}")
        return False

    def is_up(self):
        """Whether the gateway reaches it and would send it something."""
        nodes = (self.hearth.healthy() or {}).get("nodes", [])
        return any(n["id"] == self.node and n["link"] == "up" and "memory_mib" in n and not n["draining"] for n in nodes)

    def sandboxes(self, function=None):
        if self.hearth.launcher == "native":
            return native_functions(self.node, function)
        return self.hearth.docker.sandboxes(self.node, function=function)

    def signal(self, sig):
        self.process.send_signal(sig)
        if sig == signal.SIGKILL:
            self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(60 * SLOW)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the invoker did not stop:\n{self.log[-4000:]}")
        return self.process.returncode

    def close(self):
        """Ends it and shows nothing was left behind; sanitizer reports are failures."""
        try:
            code = self.stop()
            left = self.hearth.docker.sandboxes(self.node)
            assert not left, f"containers left behind: {left}"
            wait_until("the cgroups are gone", lambda: not native_sandboxes(self.node), 10)
            assert "ERROR: AddressSanitizer" not in self.log and "runtime error:" not in self.log \
                and "ERROR: LeakSanitizer" not in self.log, self.log[-8000:]
            assert code == 0, f"the invoker ended with {code}:\n{self.log[-4000:]}"
        finally:
            for c in self.hearth.docker.sandboxes(self.node):
                self.hearth.docker("rm", "-f", c, check=False)


def zip_of(files):
    """A zip in memory: {name: text or bytes or (bytes, mode)}."""
    import io
    import zipfile
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            mode = 0o644
            if isinstance(data, tuple):
                data, mode = data
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o100000 | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, data)
    return out.getvalue()


def sample(name):
    """What images/samples/build.sh makes of that name; a skip when this machine's tools cannot build it."""
    import pytest
    p = subprocess.run([TOP / "images/samples/build.sh", name], capture_output=True, text=True, timeout=900)
    if p.returncode == 3:
        pytest.skip(p.stderr.strip())
    assert p.returncode == 0, p.stderr
    return pathlib.Path(p.stdout.strip()).read_bytes()


def networks_file(folder, subnets, groups):
    """A file of networks with these ids: all in one VPC, with the internet; the groups allow everything."""
    path = pathlib.Path(folder) / "networks.json"
    path.write_text(json.dumps({
        "networks": {"all": {"vpc": "vpc-0123456789abcdef0", "internet": True}},
        "subnets": {s: "all" for s in subnets},
        "security_groups": {g: {"egress": [{"cidr": "0.0.0.0/0"}]} for g in groups},
    }))
    return path


def short_folder(prefix):
    """A folder with a short path: names of sockets below it are limited to 107 bytes."""
    return pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))


def remove_folder(path):
    shutil.rmtree(path, ignore_errors=True)
