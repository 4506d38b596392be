# SPDX-License-Identifier: Apache-2.0
"""Images from a containerd, sandboxes by the native launcher: all that the Docker store does, and no Docker socket."""
import base64
import hashlib
import http.server
import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
from urllib.parse import parse_qs, urlsplit

import pytest

from containerd import Containerd, containerd_is_possible
from harness import C_RUNTIME, ROLE, SLOW, Hearth, free_port, native_sandboxes, remove_folder, run, short_folder, wait_until, zip_of
# The same tests with this module's store: the answers must be the same.
from test_image_function import (  # noqa: F401
    failed,
    test_an_image_that_does_not_exist_is_refused_at_once,
    test_an_image_without_entry_point_fails_the_function,
    test_image_from_a_registry_is_created_invoked_reused_updated_and_deleted,
)
from test_private_registry import (  # noqa: F401
    DENIED, client_folder, locked_registry, private, test_a_private_image_needs_the_credentials_of_dockers_configuration)

pytestmark = pytest.mark.skipif(not containerd_is_possible(), reason="needs root, Linux 6.7, crun or runc, containerd, ctr")

X86 = os.uname().machine == "x86_64"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.fixture(scope="module")
def containerd():
    c = Containerd().start()
    yield c
    assert not c.views(), "snapshots left behind"
    c.close()


@pytest.fixture(scope="module")
def launcher():
    return "native"


@pytest.fixture(scope="module")
def store(containerd):
    return settings_for(containerd)


def settings_for(containerd, **more):
    return {"HEARTH_IMAGE_STORE": "containerd", "HEARTH_CONTAINERD_SOCKET": containerd.socket,
            "HEARTH_DOCKER_SOCKET": containerd.folder / "no-docker.sock", **more}


@pytest.fixture
def own(images, containerd):
    """Makes Hearths of this test's own; each leaves nothing in containerd."""
    made = []

    def make(start=True, launcher="native", **settings):
        folder = short_folder("hearth-")
        h = Hearth(images, folder, launcher=launcher, **settings_for(containerd, **settings))
        made.append(h)
        return h.start() if start else h
    yield make
    for h in made:
        try:
            if h.process:
                h.stop()
                h.check_sanitizers()
                assert not containerd.views(h.node)
                wait_until("the cgroups are gone", lambda: not native_sandboxes(h.node), 10)
        finally:
            remove_folder(h.folder)


def small_image(docker, name, *lines, push=True):
    """A runtime in C and nothing else, in one layer; each further line adds one."""
    docker.build(name, {"bootstrap": (C_RUNTIME.read_bytes(), 0o755), "more": name},
                 "\n".join(["FROM scratch", "COPY bootstrap /", *lines, 'ENTRYPOINT ["/bootstrap"]']) + "\n")
    return docker.push(name) if push else name


def create(lam, name, image, **kw):
    answer = lam.create_function(FunctionName=name, Role=ROLE, PackageType="Image", Code={"ImageUri": image}, Timeout=10, **kw)
    lam.get_waiter("function_active_v2").wait(FunctionName=name)
    return answer


def echo(lam, name, payload):
    answer = lam.invoke(FunctionName=name, Payload=json.dumps(payload))
    assert "FunctionError" not in answer, answer["Payload"].read()
    assert json.load(answer["Payload"]) == payload


def manifest(registry, name, reference, kind):
    request = urllib.request.Request(f"http://{registry}/v2/{name}/manifests/{reference}", headers={"Accept": kind})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def put_index(registry, name, tag, manifests):
    """Pushes a list of images for several machines; its digest."""
    text = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).encode()
    request = urllib.request.Request(f"http://{registry}/v2/{name}/manifests/{tag}", data=text, method="PUT",
                                     headers={"Content-Type": INDEX})
    urllib.request.urlopen(request).close()
    return hashlib.sha256(text).hexdigest()


def described(registry, name, tag, architecture):
    text = manifest(registry, name, tag, MANIFEST)
    return {"mediaType": MANIFEST, "size": len(text), "digest": "sha256:" + hashlib.sha256(text).hexdigest(),
            "platform": {"architecture": architecture, "os": "linux"}}


class TokenServer(http.server.ThreadingHTTPServer):
    """Gives `who` tokens for what is asked, as the big registries' do; signed by a key of its own."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), TokenHandler)
        self.daemon_threads = True
        self.key, self.bundle = folder / "key.pem", folder / "bundle.pem"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=hearth", "-days", "2", "-keyout", self.key,
            "-out", self.bundle)
        self.asked = []  # (scope, whether with the password)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def realm(self):
        return f"http://127.0.0.1:{self.server_address[1]}/token"

    def token(self, scope):
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        now = int(time.time())
        head = {"typ": "JWT", "alg": "RS256", "x5c": ["".join(self.bundle.read_text().splitlines()[1:-1])]}
        claims = {"iss": "hearth", "sub": "who", "aud": "it", "exp": now + 60, "nbf": now - 60, "iat": now, "jti": "1",
                  "access": [{"type": kind, "name": name, "actions": actions.split(",")}]}
        text = ".".join(url64(json.dumps(part).encode()) for part in (head, claims))
        p = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=text.encode(), stdout=subprocess.PIPE, check=True)
        return f"{text}.{url64(p.stdout)}"


def url64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class TokenHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        scope = parse_qs(urlsplit(self.path).query).get("scope", [""])[0]
        known = self.headers.get("Authorization") == "Basic " + base64.b64encode(b"who:secret word").decode()
        self.server.asked.append((scope, known))
        body = json.dumps({"token": self.server.token(scope)} if known else {"details": "incorrect username or password"}).encode()
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.send_error(405)  # no OAuth 2: containerd then asks as above

    def log_message(self, *args):
        pass


def test_a_registry_that_wants_tokens_gets_them(own, images, tmp_path):
    server = TokenServer(tmp_path)
    address = f"127.0.0.1:{free_port()}"
    client = client_folder(tmp_path, address)
    with locked_registry(tmp_path, address, f"token: {{realm: '{server.realm}', service: it, issuer: hearth, "
                                            f"rootcertbundle: {server.bundle}}}"):
        name = f"{address}/tokens:1"
        small_image(images, name, push=False)
        run("docker", "--config", client, "push", "-q", name, env=dict(os.environ, DOCKER_HOST=images.host))
        images("rmi", "-f", name)
        server.asked.clear()
        h = own(HEARTH_DOCKER_CONFIG=client / "config.json")
        create(h.client(), "tokens", name)
        echo(h.client(), "tokens", {"n": 1})
        assert ("repository:tokens:pull", True) in server.asked
        assert "secret word" not in h.log
        with pytest.raises(h.client().exceptions.ClientError) as e:
            create(own().client(), "anybody", name)
        assert e.value.response["Error"]["Message"] == DENIED and ("repository:tokens:pull", False) in server.asked
    server.shutdown()
    server.server_close()


def test_a_zip_function_runs_on_a_base_image_that_was_imported(hearth, lam, make_function, containerd):
    containerd.take_from(hearth.docker, "hearth/provided:al2023")
    make_function("zip", {"bootstrap": (C_RUNTIME.read_bytes(), 0o755)}, runtime="provided.al2023", handler="any")
    echo(lam, "zip", {"n": 1})
    assert hearth.sandboxes("zip") and not hearth.docker.sandboxes(hearth.node)


def test_what_cannot_be_had_is_told(hearth, lam, containerd):
    code = {"ZipFile": zip_of({"a.mjs": ""})}
    lam.create_function(FunctionName="nobase", Role=ROLE, Runtime="nodejs18.x", Handler="a.b", Code=code)
    lam.create_function(FunctionName="nowhere", Role=ROLE, PackageType="Image", Code={"ImageUri": "127.0.0.1:1/x:1"})
    for text in ("build it with images/build.sh nodejs:18 and hand it over: docker save",
                 "InternalError: preparing the image 127.0.0.1:1/x:1: failed to pull"):
        wait_until(text, lambda: text in hearth.log, 10)
    assert not any("hearth/nodejs" in image for image in containerd.images())  # it was not asked of a registry


def test_a_tag_means_what_it_meant_until_the_code_is_updated(hearth, lam, registry):
    image = f"{registry}/moving:latest"

    def push(*lines):
        small_image(hearth.docker, image, *lines)
        return described(registry, "moving", "latest", "")["digest"][7:]
    old = push()
    assert create(lam, "moving", image)["CodeSha256"] == old
    new = push("COPY more /new")
    echo(lam, "moving", {"n": 1})
    assert lam.get_function(FunctionName="moving")["Configuration"]["CodeSha256"] == old != new
    for more in {"DryRun": True}, {}:
        assert lam.update_function_code(FunctionName="moving", ImageUri=image, **more)["CodeSha256"] == new
    lam.get_waiter("function_updated_v2").wait(FunctionName="moving")
    echo(lam, "moving", {"n": 2})
    assert lam.get_function(FunctionName="moving")["Code"]["ResolvedImageUri"] == f"{registry}/moving@sha256:{new}"
    lam.update_function_code(FunctionName="moving", ImageUri=f"{registry}/moving@sha256:{old}")  # it is here
    lam.get_waiter("function_updated_v2").wait(FunctionName="moving")
    echo(lam, "moving", {"n": 3})


def test_an_imported_image_is_known_by_its_id(hearth, lam, containerd):
    docker = hearth.docker
    docker.build("only-there:1", {"bootstrap": (C_RUNTIME.read_bytes(), 0o755)},
                 'FROM scratch\nCOPY bootstrap /\nENTRYPOINT ["/bootstrap"]\n')
    image_id = docker("image", "inspect", "-f", "{{.Id}}", "only-there:1")
    containerd.take_from(docker, "only-there:1")
    docker("rmi", "-f", "only-there:1", check=False)
    assert "sha256:" + create(lam, "imported", "only-there:1")["CodeSha256"] == image_id
    echo(lam, "imported", {"here": True})
    lam.delete_function(FunctionName="imported")


def test_images_of_one_layer_of_many_and_of_several_machines(hearth, lam, registry):
    one, many = (small_image(hearth.docker, f"{registry}/layers:{tag}", *lines)
                 for tag, lines in (("one", []), ("many", ["COPY more /a", "COPY more /b", "VOLUME /v"])))
    foreign = described(registry, "layers", "one", "arm64" if X86 else "amd64")
    ours = described(registry, "layers", "many", "amd64" if X86 else "arm64")
    index = put_index(registry, "layers", "index", [foreign, ours])
    for image, digest in (one, described(registry, "layers", "one", "")["digest"][7:]), (many, ours["digest"][7:]), \
            (f"{registry}/layers:index", index):
        name = image.rpartition(":")[2]
        assert create(lam, name, image)["CodeSha256"] == digest
        echo(lam, name, {"tag": name})
        assert lam.get_function(FunctionName=name)["Code"]["ResolvedImageUri"] == f"{registry}/layers@sha256:{digest}"
        lam.delete_function(FunctionName=name)

    put_index(registry, "layers", "foreign", [foreign])
    lam.create_function(FunctionName="foreign", Role=ROLE, PackageType="Image", Code={"ImageUri": f"{registry}/layers:foreign"})
    _, code, reason = failed(lam, "foreign")
    assert code == "InvalidImage" and "is not for this machine. Provide one for linux/" in reason
    lam.delete_function(FunctionName="foreign")


def test_layers_in_use_outlive_their_image_and_go_with_the_function(own, registry, containerd):
    h = own()
    lam = h.client()
    image = small_image(h.docker, f"{registry}/kept:1", "COPY more /a")
    before = set(containerd.snapshots())
    create(lam, "kept", image)
    echo(lam, "kept", {"n": 1})
    assert len(containerd.views(h.node)) == 1
    layers = set(containerd.snapshots()) - before
    for name in containerd.images():
        if "/kept" in name:
            containerd.ctr("images", "rm", "--sync", name)
    ids = {i for i in containerd.images() if i.startswith("sha256:")}
    for name in ids:  # CRI's own name for it
        containerd.ctr("images", "rm", "--sync", name)
    assert layers <= set(containerd.snapshots())
    first = h.sandboxes("kept")
    h.kill_sandbox(first[0])
    echo(lam, "kept", {"n": 2})  # in another one, which mounts the same folders
    assert first[0] not in h.sandboxes("kept")
    lam.delete_function(FunctionName="kept")
    wait_until("the view is gone", lambda: not containerd.views(h.node), 10)
    wait_until("so are the layers", lambda: not layers & set(containerd.snapshots()), 10)


def test_functions_go_on_while_containerd_is_away(own, registry, containerd):
    h = own()
    lam = h.client()
    images = [small_image(h.docker, f"{registry}/away:{n}", "COPY more /a") for n in range(2)]
    create(lam, "stays", images[0])
    echo(lam, "stays", {"n": 1})
    containerd.kill()
    try:
        echo(lam, "stays", {"n": 2})
        first = h.sandboxes("stays")
        h.kill_sandbox(first[0])
        echo(lam, "stays", {"n": 3})  # a cold start
        assert first[0] not in h.sandboxes("stays")
        lam.create_function(FunctionName="later", Role=ROLE, PackageType="Image", Code={"ImageUri": images[1]}, Timeout=10)
        text = f"containerd does not answer; is it running? containerd at {containerd.socket}"
        wait_until(text, lambda: text in h.log, 10)
    finally:
        containerd.start()
    lam.get_waiter("function_active_v2").wait(FunctionName="later")  # it was asked for again
    echo(lam, "later", {"n": 4})
    assert h.log.count("containerd does not answer: nothing can be pulled until it does") == 1
    assert h.log.count("containerd answers again") == 1


def test_a_killed_node_leaves_nothing_once_it_is_back(own, registry, containerd):
    h = own()
    lam = h.client()
    create(lam, "back", small_image(h.docker, f"{registry}/back:1"))
    echo(lam, "back", {"n": 1})
    held = containerd.views(h.node)
    h.kill("hearth-invoker")
    wait_until("the earlier life's view is gone", lambda: not set(held) & set(containerd.views(h.node)), 20)

    def again():
        try:
            echo(lam, "back", {"n": 2})
            return True
        except lam.exceptions.ClientError:
            return False
    wait_until("it answers again", again, 20)
    assert len(held) == 1 and len(containerd.views(h.node)) == 1
    for how, words in ((signal.SIGKILL, "snapshots that nobody needs are not removed yet"),
                       (signal.SIGSTOP, "snapshots of images stay in containerd until the next start")):
        echo(lam, "back", {"n": 3})
        containerd.process.send_signal(how)  # a stop cannot wait for what does not come
        began = time.monotonic()
        try:
            h.stop()
            assert words in h.log and time.monotonic() - began < 8 * SLOW
            assert not native_sandboxes(h.node)
        finally:
            if how == signal.SIGSTOP:
                containerd.process.send_signal(signal.SIGCONT)
            else:
                containerd.process.wait(20)
                containerd.start()
        h.start()
        wait_until("the next start has removed it", lambda: not containerd.views(h.node), 10)
        wait_until("it answers again", again, 20)


def told(h, text):
    """`hearth up` says it, whether it ends by itself or tries again."""
    h.start(ready=False)
    wait_until(text, lambda: text in h.log, 10)


def test_the_engines_launcher_is_refused_and_auto_means_native(own):
    told(own(start=False, launcher="docker"),
         "the launcher docker cannot run containerd's images: set HEARTH_LAUNCHER to native or auto")
    told(own(start=False, launcher="auto", HEARTH_OCI_RUNTIME="/nowhere/crun"),
         "the native launcher, the only one for containerd's images")
    assert '"event":"native sandboxes"' in own(launcher="auto").log


def test_a_containerd_that_lacks_what_is_needed_is_told(own, registry):
    told(own(start=False, HEARTH_CONTAINERD_SOCKET="/nowhere/c.sock"), "no containerd answers at /nowhere/c.sock")
    other = Containerd(without_cri=True).start()
    try:
        h = own(HEARTH_CONTAINERD_SOCKET=other.socket)
        lam, image = h.client(), small_image(h.docker, f"{registry}/nocri:1")
        names = [f"nocri{i}" for i in range(8)]  # libcurl drops some of the refusals
        for name in names:
            lam.create_function(FunctionName=name, Role=ROLE, PackageType="Image", Code={"ImageUri": image})
        text = '(runtime.v1.ImageService); is "cri" among the disabled_plugins in its config.toml?'
        for name in names:
            wait_until(text, lambda name=name: text in lam.get_function_configuration(FunctionName=name).get("StateReason", ""), 30)
        assert "containerd does not answer" not in h.log
        h.stop()
    finally:
        other.close()


@pytest.mark.parametrize("name, text", [
    ("nosuch", "InternalError: preparing the image {image}: snapshotter not loaded: nosuch"),
    ("native", "InvalidImage: The image {image} is here but not unpacked by the snapshotter native"),
], ids=["nosuch", "native"])
def test_another_snapshotter_than_cris_is_told(own, registry, name, text):
    h = own(HEARTH_CONTAINERD_SNAPSHOTTER=name)
    image = small_image(h.docker, f"{registry}/snapshotter:1")
    digest = described(registry, "snapshotter", "1", "")["digest"]
    h.client().create_function(FunctionName="odd", Role=ROLE, PackageType="Image", Code={"ImageUri": image})
    text = text.format(image=f"{registry}/snapshotter@{digest}").partition(": ")  # the code is a member of its own in the log
    wait_until(text[2], lambda: text[2] in h.log and text[0] in h.log, 15)
