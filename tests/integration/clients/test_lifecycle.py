# SPDX-License-Identifier: Apache-2.0
"""Real clients live through the whole life of a function: all of the control plane, in lifecycle.py's words."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from lifecycle import check, live
from harness import TOP, run

HERE = pathlib.Path(__file__).resolve().parent
DEBIAN_PYTHON = "/usr/bin/python3"  # with the old versions that Debian has


def debian_has(module):
    """Skips where Debian's Python lacks the module."""
    p = subprocess.run([DEBIAN_PYTHON, "-c", f"import {module}"], capture_output=True, check=False)
    if p.returncode != 0:
        pytest.skip(f"Debian's Python has no {module}: scripts/setup.sh test installs it")


def lives(hearth, name, argv, folder, version=""):
    saw = live(hearth, name, argv, folder)
    assert saw["client"].startswith(version), saw["client"]
    check(name, saw)


def test_boto3(hearth, tmp_path):
    lives(hearth, "by-boto3", [sys.executable, HERE / "life.py", "boto3"], tmp_path, "boto3 1.")


def test_debians_boto3(hearth, tmp_path):
    debian_has("boto3")
    lives(hearth, "by-old-boto3", [DEBIAN_PYTHON, HERE / "life.py", "boto3"], tmp_path, "boto3 1.")


def test_aws_cli_version_1(hearth, tmp_path):
    lives(hearth, "by-old-cli", [sys.executable, HERE / "life.py", "cli"], tmp_path, "aws-cli 1.")


def test_aws_cli_version_2(hearth, tmp_path):
    debian_has("awscli")
    lives(hearth, "by-new-cli", [DEBIAN_PYTHON, HERE / "life.py", "cli"], tmp_path, "aws-cli 2.")


@pytest.fixture(scope="module")
def javascript():
    """The SDK from npm, kept in build/js."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = TOP / "build/js"
    folder.mkdir(parents=True, exist_ok=True)
    for f in ("package.json", "life.mjs"):
        shutil.copy(HERE / "js" / f, folder)
    if not (folder / "node_modules/@aws-sdk/client-lambda").exists():
        run("npm", "install", "--no-audit", "--no-fund", "--loglevel", "error", cwd=folder)
    return folder


def test_javascript_sdk(hearth, javascript, tmp_path):
    lives(hearth, "by-js", ["node", javascript / "life.mjs"], tmp_path, "JavaScript SDK 3.")


@pytest.fixture(scope="module")
def go_program():
    """The program with the newest SDK that this Go builds, kept in build/go."""
    if not shutil.which("go"):
        pytest.skip("go is not installed")
    found = re.search(r"go(\d+)\.(\d+)", run("go", "env", "GOVERSION").stdout)
    version = tuple(map(int, found.groups()))
    if version < (1, 19):
        pytest.skip("the SDK needs Go 1.19")
    program = TOP / "build/go/life"
    modules = "go.mod" if version >= (1, 24) else "go119.mod"
    run("go", "build", "-mod=readonly", f"-modfile={modules}", "-o", program, ".", cwd=HERE / "go",
        env=dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-buildvcs=false", CGO_ENABLED="0"))
    return program


def test_go_sdk(hearth, go_program, tmp_path):
    lives(hearth, "by-go", [go_program], tmp_path, "Go SDK")
