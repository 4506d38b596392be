# SPDX-License-Identifier: Apache-2.0
"""A second opinion: the moto project's own tests of Lambda against Hearth, for information only.

    build/venv/bin/python tests/conformance/run_moto.py [pytest options]

The tests come with moto's source package; pip fetches it into build/moto, nothing of it is kept elsewhere. moto's
server mode sends every client to a moto_server; a small pytest plug-in sends those of Lambda to Hearth instead, and
empties Hearth after each test. Prints how many passed; failures are no failure of this script: those tests also
assert what moto does otherwise than AWS. build/moto/report.txt has the names.
"""
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from conftest import runtimes_file  # noqa: E402
from harness import TOP, Docker, Hearth, free_port, remove_folder, run, short_folder, wait_until  # noqa: E402

PLUGIN = '''
import os
import boto3
import botocore.session
import pytest

URL = os.environ["HEARTH_MOTO_URL"]
create_client = botocore.session.Session.create_client


def ours(self, service_name, *argv, **kw):
    if service_name == "lambda":
        kw["endpoint_url"] = URL
    return create_client(self, service_name, *argv, **kw)


botocore.session.Session.create_client = ours


@pytest.fixture(autouse=True)
def empty_hearth():
    yield
    lam = boto3.session.Session().client("lambda", region_name="us-west-2", aws_access_key_id="test",
                                         aws_secret_access_key="test")
    for f in lam.get_paginator("list_functions").paginate().search("Functions[].FunctionName"):
        lam.delete_function(FunctionName=f)
'''


def source():
    """The folder of moto's source package in the version of the tests' Python environment."""
    import moto
    folder = TOP / "build/moto"
    top = folder / f"moto-{moto.__version__}"
    if not (top / "tests/test_awslambda").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        run(sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--no-binary", "moto",
            "-d", folder, f"moto=={moto.__version__}")
        with tarfile.open(folder / f"moto-{moto.__version__}.tar.gz") as t:
            t.extractall(folder)
    if not (folder / "needs/freezegun").is_dir():  # what moto's tests need beside what is there
        run(sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--target",
            folder / "needs", "freezegun")
    return top


def main(argv):
    top = source()
    docker = Docker(os.environ["DOCKER_HOST"])
    port, folder = free_port(), short_folder("hearth-moto-")
    moto = subprocess.Popen([str(pathlib.Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    s3 = f"http://127.0.0.1:{port}"
    hearth = Hearth(docker, folder, HEARTH_ACCOUNT_ID="123456789012", HEARTH_REGION="us-west-2",
                    HEARTH_RUNTIMES=runtimes_file(folder / "runtimes.json"), HEARTH_S3_ENDPOINT=s3,
                    HEARTH_S3_ACCESS_KEY_ID="test", HEARTH_S3_SECRET_ACCESS_KEY="test")
    try:
        hearth.start()
        wait_until("moto_server listens", lambda: run("curl", "-s", "-o", "/dev/null", s3, check=False).returncode == 0, 30)
        with tempfile.TemporaryDirectory() as plugin:
            pathlib.Path(plugin, "hearth_moto.py").write_text(PLUGIN)
            env = dict(os.environ, PYTHONPATH=f"{plugin}:{top}:{top.parent}/needs", TEST_SERVER_MODE="true", TEST_SERVER_MODE_ENDPOINT=s3,
                       HEARTH_MOTO_URL=hearth.url, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test",
                       AWS_DEFAULT_REGION="us-west-2", TEST_SERVER_MODE_HOST="127.0.0.1")
            report = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "hearth_moto", "-p", "no:cacheprovider",
                                     "-rA", "--tb=line", "--color=no", "tests/test_awslambda", *argv], cwd=top, env=env, text=True,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
    finally:
        hearth.stop()
        moto.terminate()
        moto.wait()
        remove_folder(folder)
    (TOP / "build/moto/report.txt").write_text(report)
    count = {w: len(re.findall(rf"^{w} ", report, re.M)) for w in ("PASSED", "FAILED", "ERROR", "SKIPPED")}
    print("moto's tests of Lambda: " + ", ".join(f"{n} {w.lower()}" for w, n in count.items()) +
          "; names in build/moto/report.txt")


if __name__ == "__main__":
    main(sys.argv[1:])
