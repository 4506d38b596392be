# SPDX-License-Identifier: Apache-2.0
"""The disks of /tmp and the node's own: functions that fill all that they were promised do not fill it for
the logs and the code that are there, too."""
import json
import os
import subprocess

import pytest

from harness import LAUNCHERS, ROLE, SLOW, Hearth, remove_folder, run, short_folder, wait_until, zip_of

SIZE_MIB = 2600
APP = """
import errno, os
def handler(event, context):
    written, chunk = 0, b"x" * (1 << 20)
    f = os.open("/tmp/fill", os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            written += os.write(f, chunk)
    except OSError as e:
        os.fsync(f)
        return {"errno": errno.errorcode[e.errno], "mib": written / (1 << 20)}
"""
KIND = """
import os, subprocess
def handler(event, context):
    print("heard", event["n"])
    return next(line.split()[2] for line in open("/proc/mounts") if line.split()[1] == "/tmp")
"""


@pytest.fixture
def small():
    """A Hearth whose data is on a small disk."""
    if "native" not in LAUNCHERS or os.geteuid() != 0:
        pytest.skip("native sandboxes are not to be had here")
    folder = short_folder("hearth-")
    image, data = folder / "disk", folder / "data"
    data.mkdir()
    with image.open("w") as f:
        f.truncate(SIZE_MIB << 20)
    run("mkfs.ext4", "-q", image)
    if subprocess.run(["mount", "-o", "loop", image, data]).returncode:
        pytest.skip("no loop device is to be had here")
    yield folder
    wait_until("its disk is free", lambda: subprocess.run(["umount", data], capture_output=True).returncode == 0, 10)
    remove_folder(folder)


def create(lam, name, app, **kw):
    lam.create_function(FunctionName=name, Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=60,
                        Code={"ZipFile": zip_of({"app.py": app})}, **kw)
    lam.get_waiter("function_active_v2").wait(FunctionName=name)


def call(lam, name, event=None):
    a = lam.invoke(FunctionName=name, Payload=json.dumps(event or {}))
    return json.load(a["Payload"])


def test_no_more_disks_are_made_than_the_node_has_room_for(images, small):
    h = Hearth(images, small, launcher="native").start()
    try:
        lam = h.client()
        create(lam, "kind", KIND, EphemeralStorage={"Size": 1024})
        create(lam, "fills", APP, EphemeralStorage={"Size": 1024}, MemorySize=512)
        first = call(lam, "fills")
        assert first["errno"] == "ENOSPC" and first["mib"] >= 1024
        # its gigabyte is used up, and for one more there is no room: memory, which counts
        assert call(lam, "kind", {"n": 1}) == "tmpfs"
        assert "no disk for /tmp: it is memory" in h.log and "MiB free" in h.log
        create(lam, "fills-too", APP, EphemeralStorage={"Size": 1024}, MemorySize=512)
        assert call(lam, "fills-too")["errorType"] == "Runtime.ExitError"  # out of its memory
        free = os.statvfs(small / "data")
        assert free.f_bavail * free.f_frsize > 256 << 20
        assert "heard 1" in h.hearth("logs", "kind").stdout and "cannot be written" not in h.log
        # who goes gives it back
        lam.delete_function(FunctionName="fills")
        lam.delete_function(FunctionName="fills-too")
        wait_until("they are gone", lambda: not h.sandboxes("fills") and not h.sandboxes("fills-too"), 10)
        lam.update_function_configuration(FunctionName="kind", Description="another sandbox")
        lam.get_waiter("function_updated_v2").wait(FunctionName="kind")
        assert wait_until("a disk again", lambda: call(lam, "kind", {"n": 2}) == "ext4" or lam.update_function_configuration(
            FunctionName="kind", Description=os.urandom(4).hex()) and lam.get_waiter("function_updated_v2").wait(
                FunctionName="kind"), 20 * SLOW)
    finally:
        h.close()
