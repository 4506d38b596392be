# SPDX-License-Identifier: Apache-2.0
"""HEARTH_LAUNCHER=auto: native where the host and its engine allow it, else Docker's, and why in one line."""
import contextlib
import json
import os
import socket
import threading

import pytest

from harness import LAUNCHERS, ROLE, Hearth, remove_folder, short_folder, wait_until, zip_of

APP = {"app.py": "def handler(event, context):\n    return event\n"}


class OtherEngine:
    """The real engine, by a socket of ours: only what it tells of its storage driver is another's."""

    def __init__(self, docker, folder):
        self.host, self.engine = f"unix://{folder}/engine.sock", docker.socket
        self.docker = docker
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{folder}/engine.sock")
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    socket = property(lambda self: self.host.removeprefix("unix://"))

    def __getattr__(self, name):
        return getattr(self.docker, name)

    def __call__(self, *argv, **kw):
        return self.docker(*argv, **kw)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self.listener.accept()[0],), daemon=True).start()

    def _serve(self, client):
        """One request a connection; what comes is passed on as it is."""
        with client, socket.socket(socket.AF_UNIX) as engine:
            data = b""
            while b"\r\n\r\n" not in data:
                more = client.recv(65536)
                if not more:
                    return
                data += more
            engine.connect(self.engine)
            head, _, body = data.partition(b"\r\n\r\n")
            engine.sendall(head + b"\r\nConnection: close\r\n\r\n" + body)
            threading.Thread(target=self._pass_on, args=(client, engine), daemon=True).start()
            with contextlib.suppress(OSError):
                while more := engine.recv(65536):
                    client.sendall(more.replace(b'"overlay2"', b'"fuse-ovl"'))

    @staticmethod
    def _pass_on(client, engine):
        with contextlib.suppress(OSError):
            while more := client.recv(65536):
                engine.sendall(more)
            engine.shutdown(socket.SHUT_WR)


@pytest.fixture
def folder():
    if "native" not in LAUNCHERS or os.geteuid() != 0:
        pytest.skip("native sandboxes are not to be had here")
    path = short_folder("hearth-")
    yield path
    remove_folder(path)


def answer_of(h):
    lam = h.client()
    lam.create_function(FunctionName="any", Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=30,
                        Code={"ZipFile": zip_of(APP)})
    lam.get_waiter("function_active_v2").wait(FunctionName="any")
    return json.load(lam.invoke(FunctionName="any", Payload=b'{"n":1}')["Payload"])


def test_auto_is_native_with_an_engine_that_tells_its_folders(images, folder):
    h = Hearth(images, folder, launcher="auto").start()
    try:
        assert '"event":"native sandboxes"' in h.log
        assert answer_of(h) == {"n": 1}
    finally:
        h.close()


def test_auto_is_docker_with_an_engine_that_tells_none_and_says_why(images, folder):
    h = Hearth(OtherEngine(images, folder), folder, launcher="auto").start()
    try:
        why = [line for line in h.log.splitlines() if "native ones cannot be here" in line]
        assert len(why) == 1 and 'keeps images by \\"fuse-ovl\\"' in why[0]
        assert answer_of(h) == {"n": 1}
    finally:
        h.close()


def test_native_is_refused_there(images, folder):
    h = Hearth(OtherEngine(images, folder), folder, launcher="native").start(ready=False)
    try:
        wait_until("it says why", lambda: "the native launcher" in h.log and "fuse-ovl" in h.log, 20)
        assert "daemon.json" in h.log
    finally:
        h.stop()
