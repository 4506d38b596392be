# SPDX-License-Identifier: Apache-2.0
"""A registry that wants a password: pulled with the credentials of Docker's config.json, denied without."""
import base64
import json
import os
import subprocess
import urllib.error
import urllib.request

import pytest

from harness import ROLE, Hearth, free_port, remove_folder, run, short_folder, wait_until

CONFIG = """\
version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}, delete: {{enabled: true}}}}
http: {{addr: "{address}"}}
auth: {{htpasswd: {{realm: hearth, path: {folder}/htpasswd}}}}
"""

DENIED = "Lambda does not have permission to access the ECR image. Check the ECR permissions."


@pytest.fixture
def private(images, tmp_path):
    """(address, Docker's config folder) of a registry for the user `who` only; it holds one image."""
    address = f"127.0.0.1:{free_port()}"
    bcrypt = run("perl", "-e", 'print crypt("secret word", q($2y$05$abcdefghijklmnopqrstuu))').stdout
    (tmp_path / "htpasswd").write_text(f"who:{bcrypt}\n")
    (tmp_path / "registry.yml").write_text(CONFIG.format(folder=tmp_path, address=address))
    client = tmp_path / "client"
    client.mkdir()
    auth = base64.b64encode(b"who:secret word").decode()
    (client / "config.json").write_text(json.dumps({"auths": {address: {"auth": auth}}}))
    p = subprocess.Popen(["docker-registry", "serve", str(tmp_path / "registry.yml")], stdout=subprocess.DEVNULL,
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
        name = f"{address}/locked:1"
        images.build(name, {"app.py": "def handler(e, c): return 'let in'\n"},
                     'FROM hearth/python:3.11\nCOPY app.py ${LAMBDA_TASK_ROOT}\nCMD ["app.handler"]\n')
        run("docker", "--config", client, "push", "-q", name, env=dict(os.environ, DOCKER_HOST=images.host))
        images("rmi", "-f", name)
        yield name, client / "config.json"
        images("rmi", "-f", name, check=False)
    finally:
        p.kill()
        p.wait()


@pytest.mark.parametrize("with_credentials", [False, True])
def test_a_private_image_needs_the_credentials_of_dockers_configuration(images, private, with_credentials):
    image, config = private
    folder = short_folder("hearth-")
    h = Hearth(images, folder, **({"HEARTH_DOCKER_CONFIG": config} if with_credentials else {})).start()
    try:
        lam = h.client()
        create = dict(FunctionName="locked", Role=ROLE, PackageType="Image", Code={"ImageUri": image}, Timeout=10)
        if with_credentials:
            assert len(lam.create_function(**create)["CodeSha256"]) == 64
            lam.get_waiter("function_active_v2").wait(FunctionName="locked")
            assert json.load(lam.invoke(FunctionName="locked", Payload=b"{}")["Payload"]) == "let in"
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
