# SPDX-License-Identifier: Apache-2.0
"""Fixtures: one Docker engine, one registry and the base images a session; one Hearth a module."""
import os
import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import LAUNCHER, LAUNCHERS, ROLE, TOP, Docker, Hearth, free_port, remove_folder, run, short_folder, zip_of  # noqa: E402


@pytest.fixture(scope="session")
def docker():
    """The machine's Docker engine, or a private one that is stopped at the end."""
    if os.geteuid() != 0 and not os.environ.get("DOCKER_HOST"):
        pytest.skip("needs root or a Docker engine in DOCKER_HOST")
    me = str(os.getpid())
    host = run(TOP / "scripts/dockerd.sh", "ensure", me).stdout.strip()
    yield Docker(host)
    run(TOP / "scripts/dockerd.sh", "stop", me, check=False)


@pytest.fixture(scope="session")
def images(docker):
    """The base images, or those that HEARTH_TEST_IMAGES names; those that are there already cost a moment."""
    run(TOP / "images/build.sh", *os.environ.get("HEARTH_TEST_IMAGES", "").split(), env=dict(os.environ, DOCKER_HOST=docker.host), timeout=1500, stderr=None)
    return docker


@pytest.fixture(scope="session")
def registry(docker):
    """A real registry on loopback."""
    with tempfile.TemporaryDirectory(prefix="hearth-registry-") as folder:
        address = run(TOP / "scripts/registry.sh", "ensure", folder, free_port()).stdout.strip()
        yield address
        run(TOP / "scripts/registry.sh", "stop", folder, check=False)
        mine = [i for i in docker("images", "--format", "{{.Repository}}:{{.Tag}}@{{.ID}}").split() if i.startswith(address + "/")]
        for image in {i.rsplit("@", 1)[1] for i in mine}:
            docker("rmi", "-f", image, check=False)


@pytest.fixture(scope="module")
def launcher():
    """Of a module's Hearth. The tests of a module with EACH_LAUNCHER run with each that this host allows."""
    return LAUNCHER


def pytest_generate_tests(metafunc):
    if getattr(metafunc.module, "EACH_LAUNCHER", False) and "launcher" in metafunc.fixturenames:
        metafunc.parametrize("launcher", LAUNCHERS, scope="module")


@pytest.fixture(scope="module")
def store():
    """Settings of where images come from; a module may have others."""
    return {}


@pytest.fixture(scope="module")
def hearth(images, launcher, store):
    """A running Hearth for the tests of a module."""
    folder = short_folder("hearth-")
    h = Hearth(images, folder, launcher=launcher, **store).start()
    yield h
    try:
        h.close()
    finally:
        remove_folder(folder)


@pytest.fixture(scope="module")
def locked(images, request):
    """A Hearth that checks signatures: its credentials file is the module's FILE."""
    folder = short_folder("hearth-")
    (folder / "credentials").write_text(request.module.FILE)
    (folder / "credentials").chmod(0o600)
    h = Hearth(images, folder, HEARTH_CREDENTIALS_FILE=folder / "credentials").start()
    yield h
    try:
        h.close()
    finally:
        remove_folder(folder)


@pytest.fixture(scope="module")
def lam(hearth):
    return hearth.client(connections=200)


@pytest.fixture
def make_function(lam):
    """Creates functions, of files or of an archive, and deletes them afterwards."""
    made = []

    def make(name, files=None, runtime="python3.11", handler="app.handler", image=None, wait=True, **kw):
        code = {"ImageUri": image} if image else {"ZipFile": files if isinstance(files, bytes) else zip_of(files)}
        if not image:
            kw.update(Runtime=runtime, Handler=handler)
        kw.setdefault("Timeout", 10)
        answer = lam.create_function(FunctionName=name, Role=ROLE, PackageType="Image" if image else "Zip", Code=code, **kw)
        made.append(name)
        if wait:
            lam.get_waiter("function_active_v2").wait(FunctionName=name)
        return answer

    yield make
    for name in made:
        try:
            lam.delete_function(FunctionName=name)
        except lam.exceptions.ResourceNotFoundException:
            pass


def pytest_terminal_summary(terminalreporter, exitstatus):
    tally = os.environ.get("HEARTH_TALLY")
    if not tally or hasattr(terminalreporter.config, "workerinput"):  # the workers' are in the whole
        return
    count = {k: len(terminalreporter.stats.get(k, [])) for k in ("passed", "failed", "error", "skipped")}
    with open(tally, "a") as f:
        f.write(f"{count['passed']} {count['failed'] + count['error']} {count['skipped']} pytest\n")
