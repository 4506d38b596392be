# SPDX-License-Identifier: Apache-2.0
"""Runs AWS's runtime client with the module search order of a Lambda function."""

import os
import sys

# The client is imported first: nothing that the function brings can take its place.
from awslambdaric.__main__ import main

RUNTIME_DIR = os.path.dirname(os.path.abspath(__file__))


def set_search_order():
    """Function code, then layers, then what the image brings (this folder), then the rest."""
    task_root = os.environ.get("LAMBDA_TASK_ROOT", "/var/task")
    version = "python%d.%d" % sys.version_info[:2]
    front = [
        task_root,
        "/opt/python/lib/%s/site-packages" % version,
        "/opt/python",
        RUNTIME_DIR,
    ]
    sys.path[:] = front + [path for path in sys.path if path not in front]


set_search_order()
main([__file__, os.environ["_HANDLER"]])
