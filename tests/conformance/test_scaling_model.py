# SPDX-License-Identifier: Apache-2.0
"""The tables of Application Auto Scaling in common/model are what botocore's model makes of them."""
import subprocess
import sys

import pytest

from harness import TOP


@pytest.mark.parametrize("name", ["scaling_ops.inc", "scaling_shapes.c"])
def test_nobody_has_written_them_by_hand(tmp_path, name):
    subprocess.run([sys.executable, TOP / "scripts/gen-scaling-shapes.py", tmp_path], check=True)
    assert (tmp_path / name).read_text() == (TOP / "common/model" / name).read_text()
