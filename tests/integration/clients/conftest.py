# SPDX-License-Identifier: Apache-2.0
"""Clients meet a Hearth that checks their signatures, each call of each of them."""
import pytest

from harness import Hearth, networks_file, remove_folder, short_folder

KEY = ("AKIACLIENTS000000000", "a/secret+with=marks/0123456789")
FILE = f"""[root]
aws_access_key_id = {KEY[0]}
aws_secret_access_key = {KEY[1]}
principal_arn = arn:aws:iam::000000000000:root
"""


@pytest.fixture(scope="module")
def hearth(images):
    folder = short_folder("hearth-")
    (folder / "credentials").write_text(FILE)
    (folder / "credentials").chmod(0o600)
    networks = networks_file(folder, [f"subnet-0123456789abcdef{n}" for n in (0, 1)], ["sg-0123456789abcdef0"])
    h = Hearth(images, folder, HEARTH_CREDENTIALS_FILE=folder / "credentials", HEARTH_NETWORKS=networks).start()
    h.key = KEY
    yield h
    try:
        h.close()
    finally:
        remove_folder(folder)
