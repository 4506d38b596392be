# SPDX-License-Identifier: Apache-2.0
"""What Hearth's cold starts are compared with: OCI runtimes and Docker on the same root file system, and a runtime
without any sandbox. Each is one call that takes what it measures, so that it can stand between two of Hearth's."""
import contextlib
import json
import os
import pathlib
import shlex
import shutil
import socket
import subprocess
import tempfile
import time

from harness import run


def figure(name, value, unit, against="", ratio=None):
    print(f"figure={name} value={value:.2f} unit={unit} against={against or 'none'} "
          f"ratio={'none' if ratio is None else format(ratio, '.2f')}", flush=True)


def cpu_s(pid):
    """Seconds of CPU time of a process and of the children that it has waited for; in steps of 10 ms."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(fields[i]) for i in range(11, 15)) / os.sysconf("SC_CLK_TCK")


def timed(action):
    start = time.monotonic()
    action()
    return time.monotonic() - start


def export(docker, image, folder):
    """The root file system of @image, in @folder."""
    folder.mkdir()
    c = docker("create", image, "/bin/true")
    tar = subprocess.Popen(["docker", "export", c], stdout=subprocess.PIPE, env=dict(os.environ, DOCKER_HOST=docker.host))
    subprocess.run(["tar", "-x", "-C", folder], stdin=tar.stdout, check=True)
    docker("rm", c)


class Shell:
    """A bash without the cgroup version 2 that is mounted beside version 1: crun refuses to see both."""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "-m", "bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write("umount /sys/fs/cgroup/unified 2>/dev/null\n")

    def timed(self, *argv):
        """Seconds of a program, and its exit status."""
        self.process.stdin.write(f"b=$EPOCHREALTIME; {shlex.join(map(str, argv))} >&2; s=$?; echo $b $EPOCHREALTIME $s\n")
        self.process.stdin.flush()
        began, ended, status = self.process.stdout.readline().split()
        return float(ended) - float(began), int(status)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class OciRun:
    """`crun run` or `runc run` of /bin/true; called, it gives the seconds. `cpu_s` are those of all that were run."""

    def __init__(self, shell, *argv):
        self.shell, self.argv = shell, argv
        self.runs, self.cpu_s = 0, 0.0

    def __call__(self):
        before = cpu_s(self.shell.process.pid)
        seconds, status = self.shell.timed(*self.argv)
        self.cpu_s += cpu_s(self.shell.process.pid) - before
        self.runs += 1
        return seconds if status == 0 else None


@contextlib.contextmanager
def oci_runtimes(docker, image):
    """{name: OciRun}, as far as they are there."""
    with tempfile.TemporaryDirectory() as d:
        bundle = pathlib.Path(d)
        export(docker, image, bundle / "rootfs")
        run("runc", "spec", "-b", bundle)
        spec = json.loads((bundle / "config.json").read_text())
        spec["process"].update(args=["/bin/true"], terminal=False)
        spec["process"].pop("rlimits", None)
        (bundle / "config.json").write_text(json.dumps(spec))
        shell, found = Shell(), {}
        for oci in ("crun", "runc"):
            once = OciRun(shell, oci, "run", "-b", bundle, f"bench-{oci}-{os.getpid()}")
            if once() is not None:
                found[oci] = once
            else:
                print(f"# {oci} does not run here: left out")
        try:
            yield found
        finally:
            shell.close()


def oci_rounds(docker, image, rounds):
    """Seconds of each OCI runtime, @rounds times."""
    with oci_runtimes(docker, image) as found:
        return {name: [once() for _ in range(rounds)] for name, once in found.items()}


def docker_create_start(docker, image):
    """Seconds of `docker create` and `docker start`."""
    name = f"bench-docker-{os.getpid()}"

    def create_start():
        docker("create", "--name", name, "--network", "none", "--read-only", "--entrypoint", "/bin/sleep", image, "60")
        docker("start", name)
    try:
        return timed(create_start)
    finally:
        docker("rm", "-f", name)


class BareRuntime:
    """The runtime of an image as a process like any other: its root file system by chroot, a Runtime API on loopback."""

    def __init__(self, docker, image, files, handler):
        self.folder = tempfile.mkdtemp()
        self.root, self.handler = pathlib.Path(self.folder, "rootfs"), handler
        export(docker, image, self.root)
        (self.root / "dev/null").unlink(missing_ok=True)
        os.mknod(self.root / "dev/null", 0o20666, os.makedev(1, 3))
        for name, text in files.items():
            path = self.root / "var/task" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.env = dict(v.split("=", 1) for v in json.loads(docker("inspect", "-f", "{{json .Config.Env}}", image)))
        os.chmod(self.folder, 0o755)

    def init(self):
        """From its exec to its first GET /next: seconds, and seconds of CPU time."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            listener.settimeout(30)
            env = dict(self.env, AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{listener.getsockname()[1]}", AWS_LAMBDA_FUNCTION_NAME="bare",
                       AWS_LAMBDA_FUNCTION_VERSION="$LATEST", AWS_LAMBDA_FUNCTION_MEMORY_SIZE="1769", _HANDLER=self.handler)
            began = time.monotonic()
            process = subprocess.Popen([shutil.which("chroot"), "--userspec=993:990", self.root, "/lambda-entrypoint.sh", self.handler],
                                       env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                peer = listener.accept()[0]
                with peer:
                    if b"/invocation/next" not in peer.recv(65536):
                        raise SystemExit("the bare runtime did not ask for an event")
                    seconds = time.monotonic() - began
            finally:
                process.kill()
                _, process.returncode, usage = os.wait4(process.pid, 0)
        return seconds, usage.ru_utime + usage.ru_stime

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
