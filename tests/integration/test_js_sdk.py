# SPDX-License-Identifier: Apache-2.0
"""The AWS SDK for JavaScript, version 3, unmodified."""
import json
import os
import pathlib
import shutil

import pytest

from harness import BUILD, ROLE, TOP, run, zip_of

APP = "import os\ndef handler(e, c):\n  print('js', e['n'])\n  return e['n'] + int(os.environ.get('PLUS', '1'))\n"


@pytest.fixture(scope="module")
def sdk():
    """The SDK from npm, kept in build/js."""
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    folder = TOP / "build/js"
    folder.mkdir(parents=True, exist_ok=True)
    for f in ("package.json", "life.mjs"):
        shutil.copy(pathlib.Path(__file__).parent / "js" / f, folder)
    if not (folder / "node_modules/@aws-sdk/client-lambda").exists():
        run("npm", "install", "--no-audit", "--no-fund", "--loglevel", "error", cwd=folder)
    return folder


def test_javascript_sdk_lives_through_a_function(hearth, sdk, tmp_path):
    archive = tmp_path / "code.zip"
    archive.write_bytes(zip_of({"app.py": APP}))
    env = dict(os.environ, AWS_ENDPOINT_URL=hearth.url, ROLE=ROLE)
    p = run("node", "life.mjs", archive, cwd=sdk, env=env)
    r = json.loads(p.stdout.strip().splitlines()[-1])
    assert r["state"] == "Pending" and r["answer"] == "21" and r["again"] == "22"
    assert "js 20\n" in r["log"] and "from-js" in r["listed"] and r["gone"] == "ResourceNotFoundException"
