# SPDX-License-Identifier: Apache-2.0
"""Which operations the tree offers, from the table the programs are built with."""
import re

import pytest

from harness import TOP


def operations():
    """(name, method, URI, success, offered) of every operation."""
    text = (TOP / "common/model/lambda_ops.inc").read_text()
    rows = re.findall(r'^LAMBDA_OP\((\w+),\s*"(\w+)",\s*"([^"]+)",\s*(\d+),\s*(true|false)\)', text, re.M)
    return [(n, m, u, s, o == "true") for n, m, u, s, o in rows]


OFFERED = {name for name, _, _, _, yes in operations() if yes}
ALL = [row[0] for row in operations()]


def needs(*names):
    missing = [n for n in names if n not in OFFERED]
    return pytest.mark.skipif(bool(missing), reason=f"not offered yet: {', '.join(missing)}")
