# SPDX-License-Identifier: Apache-2.0
"""The invoker alone on a real engine, between a controller and a gateway that the test plays: versions of one
function side by side, and layers."""
import hashlib
import os
import subprocess

import pytest

from harness import BUILD, LAUNCHER, SLOW, native_functions, remove_folder, short_folder, wait_until, zip_of
from link_peer import Listener, Refused, connect, invoke

ACCOUNT = "000000000000"
PYTHON = ("python3.11", "hearth/python:3.11")

WHO = """
import os, uuid
ME = str(uuid.uuid4())
def handler(event, context):
    return {"me": ME, "code": CODE, "version": os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
            "context_version": context.function_version, "arn": context.invoked_function_arn,
            "stream": context.log_stream_name}
"""


class Node:
    """hearth-invoker, and what it may ask its controller for."""

    def __init__(self, docker):
        self.docker, self.folder = docker, short_folder("hearth-v-")
        self.id = "t" + self.folder.name.replace("_", "-")
        self.specs, self.archives = {}, {}
        self.asked, self.fetched = [], []
        self.controller = Listener(self.folder / "controller.sock", "controller", self.serve)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("HEARTH_")}
        self.env.update(HEARTH_CONTROLLER=f"unix:{self.folder}/controller.sock",
                   HEARTH_INVOKER_LISTEN=f"unix:{self.folder}/invoker.sock",
                   HEARTH_DATA_DIR=f"{self.folder}/data", HEARTH_RUN_DIR=f"{self.folder}/run",
                   HEARTH_DOCKER_SOCKET=docker.socket, HEARTH_LAUNCHER=LAUNCHER, HEARTH_INIT_PATH=str(BUILD / "hearth-init"),
                   HEARTH_NODE_ID=self.id, ASAN_OPTIONS="detect_leaks=1:exitcode=99")
        self.log = open(self.folder / "invoker.log", "w+")
        self.start()

    def start(self):
        self.asked.clear()
        self.process = subprocess.Popen([BUILD / "hearth-invoker"], env=self.env, stderr=self.log)
        wait_until("the invoker registers", lambda: "node.register" in self.asked)
        self.gateway = connect(self.folder / "invoker.sock", "gateway", self.serve)

    def serve(self, method, args, _body):
        self.asked.append(method)
        if method == "node.register":
            return {}, b""
        if method == "version.get":
            self.asked.append((args["name"], args["version"], args["generation"]))
            spec = self.specs.get((args["name"], args["version"]))
            if not spec:
                raise Refused("NOT_FOUND", "no such version")
            if spec["generation"] != args["generation"]:
                raise Refused("STALE", "not current")
            return spec, b""
        if method == "code.get":
            self.fetched.append(args["sha256"])
            if args["sha256"] not in self.archives:
                raise Refused("NOT_FOUND", "no such archive")
            return {}, self.archives[args["sha256"]]
        raise Refused("NO_OPERATION", method)

    def archive(self, files):
        data = files if isinstance(files, bytes) else zip_of(files)
        sha256 = hashlib.sha256(data).hexdigest()
        self.archives[sha256] = data
        return sha256, len(data)

    def layers(self, *layers):
        made = []
        for i, files in enumerate(layers):
            sha256, size = self.archive(files)
            made.append({"arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:l{i}:1", "sha256": sha256, "bytes": size})
        return made

    def publish(self, name, version, generation, files, layers=(), runtime=PYTHON, handler="app.handler"):
        sha256, size = self.archive(files)
        self.specs[name, version] = {
            "account": ACCOUNT, "region": "us-east-1", "name": name, "version": version,
            "arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}", "generation": generation,
            "image": runtime[1], "code_sha256": sha256, "code_bytes": size, "layers": self.layers(*layers),
            "runtime": runtime[0], "handler": handler, "memory_mib": 128, "timeout_s": 20, "ephemeral_mib": 512,
            "log_group": f"/aws/lambda/{name}"}
        return self

    def invoke(self, name, version, generation, **kw):
        return invoke(self.gateway, name, version, generation, **kw)

    def retire(self, name, **args):
        self.controller.link.call("version.retire", account=ACCOUNT, name=name, **args)

    def sandboxes(self, name, version):
        """Sandboxes of that version that run."""
        if LAUNCHER == "native":
            return native_functions(self.id, name, version)
        return self.docker("ps", "-q", "--filter", f"label=hearth.node={self.id}", "--filter",
                           f"label=hearth.function={name}", "--filter", f"label=hearth.version={version}").split()

    def close(self):
        self.process.terminate()
        code = self.process.wait(60 * SLOW)
        self.gateway.close()
        self.controller.close()
        self.log.seek(0)
        text = self.log.read()
        try:
            assert code == 0, text[-4000:]
            assert "ERROR: " not in text and "runtime error:" not in text, text[-8000:]
            assert self.docker.sandboxes(self.id) == []
        finally:
            for c in self.docker.sandboxes(self.id):
                self.docker("rm", "-f", c, check=False)
            remove_folder(self.folder)


@pytest.fixture(scope="module")
def node(images):
    n = Node(images)
    yield n
    n.close()


def who(code):
    return {"app.py": f"CODE = {code!r}\n" + WHO}


def test_versions_run_side_by_side_and_carry_their_number(node):
    node.publish("side", "$LATEST", 3, who("new")).publish("side", "1", 1, who("old"))
    for version, generation, code in ("$LATEST", 3, "new"), ("1", 1, "old"), ("$LATEST", 3, "new"):
        arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:side:{version}"
        result = node.invoke("side", version, generation, request_id="r-1", arn=arn)
        seen = result.json
        assert seen["code"] == code
        assert seen["version"] == seen["context_version"] == result.executed_version == version
        assert f"/[{version}]" in seen["stream"] and seen["arn"] == arn
        assert f"START RequestId: r-1 Version: {version}\n" in result.log_tail
    assert len(node.sandboxes("side", "$LATEST")) == len(node.sandboxes("side", "1")) == 1


def test_a_change_of_latest_leaves_versions_warm(node):
    node.publish("warm", "$LATEST", 2, who("a")).publish("warm", "1", 1, who("a"))
    latest, one = (node.invoke("warm", v, g).json["me"] for v, g in (("$LATEST", 2), ("1", 1)))
    assert latest != one
    assert node.fetched.count(node.specs["warm", "1"]["code_sha256"]) == 1, "they share the unpacked code"
    node.publish("warm", "$LATEST", 5, who("b"))
    node.retire("warm", version="$LATEST", generation=5)
    assert node.invoke("warm", "$LATEST", 2).refused == "STALE"
    assert node.invoke("warm", "$LATEST", 5).json["code"] == "b"
    assert node.invoke("warm", "1", 1).json["me"] == one
    # by the head of an invocation, too, and as a controller says it that knows of no versions
    node.publish("warm", "$LATEST", 7, who("c"))
    assert node.invoke("warm", "$LATEST", 7).json["code"] == "c"
    node.retire("warm", generation=8)
    assert node.invoke("warm", "$LATEST", 7).refused == "STALE"
    assert node.invoke("warm", "1", 1).json["me"] == one


def test_a_deleted_version_goes_alone_and_a_function_with_all(node):
    node.publish("gone", "$LATEST", 3, who("a")).publish("gone", "1", 1, who("a")).publish("gone", "2", 2, who("a"))
    me = {v: node.invoke("gone", v, g).json["me"] for v, g in (("$LATEST", 3), ("1", 1), ("2", 2))}
    del node.specs["gone", "1"]
    node.retire("gone", version="1", generation=0)
    wait_until("version 1 has ended", lambda: not node.sandboxes("gone", "1"))
    assert node.invoke("gone", "1", 1).refused == "NOT_FOUND"
    assert node.invoke("gone", "2", 2).json["me"] == me["2"]
    assert node.invoke("gone", "$LATEST", 3).json["me"] == me["$LATEST"]
    node.retire("gone", generation=0)
    wait_until("all have ended", lambda: not node.sandboxes("gone", "2") and not node.sandboxes("gone", "$LATEST"))
    assert node.invoke("gone", "2", 2).json["me"] != me["2"], "it was made anew"


def test_what_was_missed_while_the_controller_was_away_is_asked_for(node):
    node.publish("away", "$LATEST", 3, who("a")).publish("away", "1", 1, who("a")).publish("away", "2", 2, who("a"))
    me = {v: node.invoke("away", v, g).json["me"] for v, g in (("$LATEST", 3), ("1", 1), ("2", 2))}
    del node.specs["away", "1"]
    node.publish("away", "$LATEST", 4, who("b"))
    node.asked.clear()
    node.controller.link.close()
    wait_until("each is checked", lambda: {("away", "$LATEST", 3), ("away", "1", 1), ("away", "2", 2)} <= set(
        a for a in node.asked if isinstance(a, tuple)))
    wait_until("what is over has ended",
               lambda: not node.sandboxes("away", "1") and not node.sandboxes("away", "$LATEST"))
    assert node.invoke("away", "2", 2).json["me"] == me["2"]
    assert node.invoke("away", "$LATEST", 3).refused == "STALE"


LOOK = {"app.py": """
import json, os
def handler(event, context):
    seen = {}
    for folder, _, files in os.walk("/opt"):
        for f in files:
            path = os.path.join(folder, f)
            seen[path] = "->" + os.readlink(path) if os.path.islink(path) else open(path).read()
    try:
        open("/opt/x", "w")
    except OSError as e:
        seen["write"] = e.errno
    seen["modules"] = {}
    for name in event:
        try:
            seen["modules"][name] = __import__(name).__file__
        except ImportError:
            seen["modules"][name] = None
    return seen
"""}


def test_layers_merge_at_opt_in_their_order(node):
    first = {"a": "1", "both": "1", "deep/er/x": "1", "deep/er/y": "1", "kind": "file", "folder/z": "1"}
    second = {"b": "2", "both": "2", "deep/er/y": "2", "kind/now": "folder", "folder": "file"}
    node.publish("merge", "$LATEST", 1, LOOK, [first, second]).publish("merge", "1", 1, LOOK, [second, first])
    node.publish("merge", "2", 1, LOOK, [first]).publish("merge", "3", 1, LOOK)
    seen = {v: node.invoke("merge", v, 1, payload=b"[]").json for v in ("$LATEST", "1", "2", "3")}
    for s in seen.values():
        assert s.pop("modules") == {} and s.pop("write") == 30  # EROFS
    assert seen["$LATEST"] == {"/opt/a": "1", "/opt/b": "2", "/opt/both": "2", "/opt/deep/er/x": "1",
                               "/opt/deep/er/y": "2", "/opt/kind/now": "folder", "/opt/folder": "file"}
    assert seen["1"] == {"/opt/a": "1", "/opt/b": "2", "/opt/both": "1", "/opt/deep/er/x": "1",
                         "/opt/deep/er/y": "1", "/opt/kind": "file", "/opt/folder/z": "1"}
    assert seen["2"] == {f"/opt/{k}": v for k, v in first.items()}
    assert seen["3"] == {}


def test_a_list_of_layers_is_merged_once_for_all_functions(node):
    layers = [{"python/p.py": "ONE = 1"}, {"python/q.py": "TWO = 2"}]
    for name in "share-a", "share-b":
        node.publish(name, "$LATEST", 1, LOOK, layers)
        assert node.invoke(name, "$LATEST", 1, payload=b'["q"]').json["modules"] == {"q": "/opt/python/q.py"}
    for layer in node.specs["share-a", "$LATEST"]["layers"]:
        assert node.fetched.count(layer["sha256"]) == 1


def test_python_finds_modules_of_layers_behind_the_function_s_own(node):
    site = "python/lib/python3.11/site-packages/"
    layer = {"python/plain.py": "", site + "packaged.py": "", "python/twice.py": "", site + "twice.py": "",
             "python/own.py": "", "python/boto3/__init__.py": ""}
    node.publish("py", "$LATEST", 1, dict(LOOK, **{"own.py": ""}), [layer])
    payload = b'["plain", "packaged", "twice", "own", "boto3"]'
    assert node.invoke("py", "$LATEST", 1, payload=payload).json["modules"] == {
        "plain": "/opt/python/plain.py", "packaged": f"/opt/{site}packaged.py", "twice": f"/opt/{site}twice.py",
        "own": "/var/task/own.py", "boto3": "/opt/python/boto3/__init__.py"}


def test_node_finds_modules_of_layers(node):
    code = {"index.js": "exports.handler = async () => [require('plain'), require('versioned')];"}
    layer = {"nodejs/node_modules/plain/index.js": "module.exports = 'plain';",
             "nodejs/node_modules/versioned/index.js": "module.exports = 'any';",
             "nodejs/node20/node_modules/versioned/index.js": "module.exports = '20';"}
    node.publish("js", "$LATEST", 1, code, [layer], ("nodejs20.x", "hearth/nodejs:20"), "index.handler")
    assert node.invoke("js", "$LATEST", 1).json == ["plain", "20"]


BOOTSTRAP = """#!/bin/sh
. helper
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while :; do
    id=$(curl -sD - -o /dev/null $api/next | sed -n 's/^lambda-runtime-aws-request-id: *\\([^[:space:]]*\\).*/\\1/Ip')
    curl -s -o /dev/null -d "$(answer)" $api/$id/response
done
"""


def test_an_os_only_runtime_starts_the_layer_s_bootstrap_and_programs(node):
    layer = {"bootstrap": (BOOTSTRAP, 0o755), "bin/helper": ("answer() { echo '\"'$0'\"'; }\n", 0o755)}
    os_only = ("provided.al2023", "hearth/provided:al2023")
    node.publish("os", "$LATEST", 1, {"readme": ""}, [layer], os_only, "x")
    assert node.invoke("os", "$LATEST", 1).json == "/opt/bootstrap"
    node.publish("os", "1", 1, {"bootstrap": (BOOTSTRAP, 0o755)}, [layer], os_only, "x")
    assert node.invoke("os", "1", 1).json == "/var/task/bootstrap"


def test_code_prepare_waits_for_layers(node):
    def prepare(layers, files):
        sha256, size = node.archive(files)
        return node.controller.link.call("code.prepare", sha256=sha256, size=size, layers=layers)

    layers = node.layers({"l": "prepared 1"}, {"l": "prepared 2"})
    prepare(layers, {"app.py": "prepared"})
    assert all(node.fetched.count(layer["sha256"]) == 1 for layer in layers)
    node.publish("prepared", "$LATEST", 1, LOOK, [{"l": "prepared 1"}, {"l": "prepared 2"}])
    assert node.invoke("prepared", "$LATEST", 1, payload=b"[]").json["/opt/l"] == "prepared 2"
    assert all(node.fetched.count(layer["sha256"]) == 1 for layer in layers)
    with pytest.raises(Refused, match="BAD_REQUEST: InvalidZipFileException: "):
        prepare(node.layers({"ok": ""}, b"no archive"), {"app.py": ""})
    with pytest.raises(Refused, match="NOT_FOUND"):
        prepare([dict(layers[0], sha256="0" * 64)], {"app.py": ""})
    with pytest.raises(Refused, match="PROTOCOL"):
        prepare([{"arn": "x"}], {"app.py": ""})
