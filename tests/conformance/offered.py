# SPDX-License-Identifier: Apache-2.0
"""Which operations the tree offers, from the table the programs are built with."""
import re

import pytest

from harness import TOP


# What Hearth refuses by name: families that it does not have yet.
REFUSED = re.compile(r"CapacityProvider|ScalingConfig|DurableExecution|ResourcePolicy")


def operations():
    """(name, method, URI, success, offered) of every operation."""
    text = (TOP / "common/model/lambda_ops.inc").read_text()
    rows = re.findall(r'^LAMBDA_OP\((\w+),\s*"(\w+)",\s*"([^"]+)",\s*(\d+)\)', text, re.M)
    return [(n, m, u, s, not REFUSED.search(n)) for n, m, u, s in rows]


OFFERED = {name for name, _, _, _, yes in operations() if yes}
ALL = [row[0] for row in operations()]


def needs(*names):
    missing = [n for n in names if n not in OFFERED]
    return pytest.mark.skipif(bool(missing), reason=f"not offered yet: {', '.join(missing)}")
