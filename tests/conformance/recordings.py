# SPDX-License-Identifier: Apache-2.0
"""What AWS Lambda answered: a JSON file per area, in it named answers per case, without the requests.

The files are not part of this repository: HEARTH_RECORDINGS names their folder (default: aws-recordings in the
folder `shared` beside the repository). Without it the cases that need it are skipped, and say so.
"""
import functools
import json
import os
import pathlib

from harness import TOP

FOLDER = pathlib.Path(os.environ.get("HEARTH_RECORDINGS", TOP.parent / "shared/aws-recordings"))


@functools.lru_cache(maxsize=None)
def load(area):
    with open(FOLDER / f"{area}.json", encoding="utf-8") as f:
        return json.load(f)


def there():
    return (FOLDER / "lambda_api.json").exists()


def answers(area, key):
    """The recorded answers of a case in their order: {name: answer}."""
    recorded = load(area)[key].get("recorded-content", {})
    return recorded if isinstance(recorded, dict) else {"content": recorded}
