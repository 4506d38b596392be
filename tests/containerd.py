# SPDX-License-Identifier: Apache-2.0
"""A containerd of the tests' own: beside any other, with its own folders and socket, and its command line."""
import os
import pathlib
import shutil
import signal
import subprocess

from harness import native_is_possible, remove_folder, run, short_folder, wait_until

CONFIG = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = [{disabled}]
[grpc]
  address = "{folder}/c.sock"
[ttrpc]
  address = "{folder}/c.ttrpc"
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "{folder}/cni/bin"
  conf_dir = "{folder}/cni/conf"
"""


def containerd_is_possible():
    """Its images are for native sandboxes."""
    return native_is_possible() and bool(shutil.which("containerd") and shutil.which("ctr"))


class Containerd:
    def __init__(self, without_cri=False):
        self.folder = short_folder("hc-")
        self.socket = self.folder / "c.sock"
        disabled = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]  # they use places of the whole host
        disabled += ["io.containerd.grpc.v1.cri"] if without_cri else []
        (self.folder / "config.toml").write_text(
            CONFIG.format(folder=self.folder, disabled=", ".join(f'"{name}"' for name in disabled)))
        self.process = None

    def start(self):
        with open(self.folder / "log", "a") as log:
            self.process = subprocess.Popen(["containerd", "--config", self.folder / "config.toml"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until("containerd answers", lambda: self.ctr("version", check=False) or self._died(), 20)
        return self

    def _died(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]

    def kill(self, sig=signal.SIGKILL):
        self.process.send_signal(sig)
        self.process.wait(20)

    def close(self):
        try:
            if self.process.poll() is None:
                self.kill(signal.SIGTERM)
            assert not self.mounts(), self.mounts()
        finally:
            if self.process.poll() is None:
                self.kill()
            for mount in sorted(self.mounts(), reverse=True):
                run("umount", "-l", mount, check=False)
            remove_folder(self.folder)

    def mounts(self):
        """Mount points below its folder; its own temporary ones go with the pull that needs them."""
        lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
        return [line.split()[4] for line in lines if line.split()[4].startswith(f"{self.folder}/")]

    def ctr(self, *argv, check=True, **kw):
        p = run("ctr", "-a", self.socket, "-n", "k8s.io", *argv, check=check, **kw)
        return p.stdout if p.returncode == 0 else None

    def images(self):
        return self.ctr("images", "ls", "-q").split()

    def snapshots(self):
        """{key: kind}"""
        rows = [line.split() for line in self.ctr("snapshots", "ls").splitlines()[1:]]
        return {row[0]: row[-1] for row in rows if row}

    def views(self, node=None):
        """Keys of the snapshots that Hearth holds, or that node of it."""
        return [key for key in self.snapshots() if key.startswith(f"hearth-{node}-" if node else "hearth-")]

    def take_from(self, docker, name):
        """What docs/internals/containerd.md says: docker save | ctr images import."""
        env = dict(os.environ, DOCKER_HOST=docker.host)
        with subprocess.Popen(["docker", "save", name], env=env, stdout=subprocess.PIPE) as saved:
            self.ctr("images", "import", "-", stdin=saved.stdout)
        # CRI hears of it by an event
        wait_until(f"{name} has an id", lambda: any(i.startswith("sha256:") for i in self.images()), 10)
