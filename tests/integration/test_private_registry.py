# SPDX-License-Identifier: Apache-2.0
"""A registry that wants a password: pulled with the credentials of Docker's config.json, denied without."""
import base64
import contextlib
import json
import os
import subprocess
import urllib.error
import urllib.request

import pytest

from harness import C_RUNTIME, ROLE, Hearth, free_port, remove_folder, run, short_folder, wait_until

CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}
http: {{addr: "{address}"}}
auth: {{{auth}}}
"""

DENIED = "Lambda does not have permission to access the ECR image. Check the ECR permissions."


@contextlib.contextmanager
def locked_registry(folder, address, auth):
    """Runs a registry that answers 401 until one has signed in as @auth, a part of its configuration, wants it."""
    (folder / "registry.yml").write_text(CONFIG.format(folder=folder, address=address, auth=auth))
    p = subprocess.Popen(["docker-registry", "serve", str(folder / "registry.yml")], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)

    def answers():
        try:
            return urllib.request.urlopen(f"http://{address}/v2/")
        except urllib.error.HTTPError as e:
            return e.code == 401
        except OSError:
            return False
    try:
        wait_until("the registry asks for a password", answers, 10)
        yield
    finally:
        p.kill()
        p.wait()


def client_folder(folder, address):
    """Docker's configuration with the password of `who`."""
    client = folder / "client"
    client.mkdir()
    auth = base64.b64encode(b"who:secret word").decode()
    (client / "config.json").write_text(json.dumps({"auths": {address: {"auth": auth}}}))
    return client


@pytest.fixture(scope="module")
def private(images, tmp_path_factory):
    """(address, Docker's config folder) of a registry for the user `who` only; it holds one image."""
    folder = tmp_path_factory.mktemp("registry")
    address = f"127.0.0.1:{free_port()}"
    bcrypt = run("perl", "-e", 'print crypt("secret word", q($2y$05$abcdefghijklmnopqrstuu))').stdout
    (folder / "htpasswd").write_text(f"who:{bcrypt}\n")
    client = client_folder(folder, address)
    with locked_registry(folder, address, f"htpasswd: {{realm: hearth, path: {folder}/htpasswd}}"):
        name = f"{address}/locked:1"
        images.build(name, {"bootstrap": (C_RUNTIME.read_bytes(), 0o755)},
                     'FROM scratch\nCOPY bootstrap /\nENTRYPOINT ["/bootstrap"]\n')
        run("docker", "--config", client, "push", "-q", name, env=dict(os.environ, DOCKER_HOST=images.host))
        images("rmi", "-f", name)
        yield name, client / "config.json"
        images("rmi", "-f", name, check=False)


@pytest.mark.parametrize("with_credentials", [False, True])
def test_a_private_image_needs_the_credentials_of_dockers_configuration(images, launcher, store, private, with_credentials):
    image, config = private
    folder = short_folder("hearth-")
    h = Hearth(images, folder, launcher=launcher, **store, **({"HEARTH_DOCKER_CONFIG": config} if with_credentials else {})).start()
    try:
        lam = h.client()
        create = dict(FunctionName="locked", Role=ROLE, PackageType="Image", Code={"ImageUri": image}, Timeout=10)
        if with_credentials:
            assert len(lam.create_function(**create)["CodeSha256"]) == 64
            lam.get_waiter("function_active_v2").wait(FunctionName="locked")
            assert json.load(lam.invoke(FunctionName="locked", Payload=b'"let in"')["Payload"]) == "let in"
        else:
            with pytest.raises(lam.exceptions.ClientError) as e:
                lam.create_function(**create)
            error = e.value.response["Error"]
            assert (error["Code"], error["Message"]) == ("AccessDeniedException", DENIED)
        assert "secret word" not in h.log and base64.b64encode(b"who:secret word").decode() not in h.log
        h.close()
    finally:
        if h.process.poll() is None:
            h.stop()
        remove_folder(folder)
