# SPDX-License-Identifier: Apache-2.0
"""More than one machine: controller, gateway and invoker as programs of their own, over TCP with certificates that
they get with join tokens."""
import contextlib
import json
import os
import socket
import ssl
import subprocess
import time

import pytest

from link_peer import Link, Refused
from harness import BUILD, C_RUNTIME, LAUNCHER, ROLE, SLOW, TOP, Hearth, free_port, remove_folder, run, short_folder, wait_until, zip_of


class Program:
    """One of ours, with its own log."""

    def __init__(self, cluster, name, **settings):
        self.cluster, self.name = cluster, name
        self.path = cluster.folder / f"{name}-{len(cluster.programs)}.log"
        env = {k: v for k, v in os.environ.items() if not k.startswith(("HEARTH_", "AWS_"))}
        env.update(ASAN_OPTIONS="detect_leaks=1:exitcode=99", UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
                   HEARTH_DATA_DIR=str(cluster.folder / name), **{k: str(v) for k, v in settings.items()})
        with open(self.path, "w") as log:
            self.process = subprocess.Popen([BUILD / f"hearth-{name}"], env=env, stderr=log, stdout=log)
        cluster.programs.append(self)

    @property
    def log(self):
        return self.path.read_text(errors="replace")

    def wait_for(self, words, seconds=20):
        def said():
            assert self.process.poll() is None or words in self.log, f"{self.name} ended:\n{self.log[-4000:]}"
            return words in self.log
        wait_until(f"{self.name} says: {words}", said, seconds)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(60 * SLOW)
        assert "ERROR: " not in self.log and "runtime error:" not in self.log, self.log[-8000:]
        return code


class Cluster:
    def __init__(self, docker):
        self.docker, self.folder, self.programs = docker, short_folder("hearth-j-"), []
        self.node = "t" + self.folder.name.replace("_", "-")[-20:]
        self.controller_port, self.invoker_port, self.http = free_port(), free_port(), free_port()
        self.redis = None

    def start_redis(self):
        self.redis = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.folder / "redis.sock", "--dir", self.folder, "--save", ""],
            stdout=subprocess.DEVNULL)
        wait_until("redis", lambda: (self.folder / "redis.sock").exists())

    def token(self, *argv, data=None, check=True):
        p = run(BUILD / "hearth", "token", "create", "--data-dir", data or self.folder / "controller", *argv, check=check)
        return p.stdout.strip() if check else p

    def token_file(self, *argv, **kw):
        path = self.folder / f"token-{len(list(self.folder.glob('token-*')))}"
        path.write_text(self.token(*argv, **kw) + "\n")
        path.chmod(0o600)
        return path

    def controller(self, ready=True, **settings):
        settings.setdefault("HEARTH_CONTROLLER", f"tcp://127.0.0.1:{self.controller_port}")
        p = Program(self, "controller", HEARTH_REDIS_URL=f"unix:{self.folder}/redis.sock",
                    HEARTH_RUNTIMES=TOP / "images/runtimes.json", **settings)
        if ready:
            p.wait_for('"event":"ready","listen"')
        return p

    def gateway(self, **settings):
        settings.setdefault("HEARTH_CONTROLLER", f"tcp://127.0.0.1:{self.controller_port}")
        return Program(self, "gateway", HEARTH_LISTEN=f"127.0.0.1:{self.http}", **settings)

    def invoker(self, **settings):
        settings.setdefault("HEARTH_CONTROLLER", f"tcp://127.0.0.1:{self.controller_port}")
        return Program(self, "invoker", HEARTH_INVOKER_LISTEN=f"tcp://0.0.0.0:{self.invoker_port}",
                       HEARTH_RUN_DIR=self.folder / "run", HEARTH_DOCKER_SOCKET=self.docker.socket, HEARTH_LAUNCHER=LAUNCHER,
                       HEARTH_INIT_PATH=BUILD / "hearth-init", HEARTH_NODE_ID=self.node, **settings)

    def wait_ready(self):
        h = Hearth(self.docker, self.folder, listen=f"127.0.0.1:{self.http}")
        wait_until("the gateway reaches a node", lambda: (h.healthy() or {}).get("status") == "ok")
        return h.client()

    def close(self):
        try:
            for p in reversed(self.programs):
                p.stop()
        finally:
            for p in self.programs:
                if p.process.poll() is None:
                    p.process.kill()
                    p.process.wait()
            if self.redis:
                self.redis.terminate()
                self.redis.wait()
            remove_folder(self.folder)


@pytest.fixture
def cluster(docker):
    c = Cluster(docker)
    c.start_redis()
    yield c
    c.close()


def deploy(lam, name="over-tcp"):
    lam.create_function(FunctionName=name, Role=ROLE, Runtime="provided.al2023", Handler="x", Timeout=10,
                        Code={"ZipFile": zip_of({"bootstrap": (C_RUNTIME.read_bytes(), 0o755)})})
    lam.get_waiter("function_active_v2").wait(FunctionName=name)


def answer(lam, event, name="over-tcp"):
    a = lam.invoke(FunctionName=name, Payload=json.dumps(event))
    body = json.load(a["Payload"])
    assert "FunctionError" not in a, body
    return body


def test_three_programs_join_over_tcp_and_a_restart_keeps_their_certificates(images, cluster):
    controller = cluster.controller()
    key = cluster.folder / "controller/ca/ca.key"
    assert key.stat().st_mode & 0o777 == 0o600
    invoker = cluster.invoker(HEARTH_JOIN_TOKEN_FILE=cluster.token_file())
    gateway = cluster.gateway(HEARTH_JOIN_TOKEN=cluster.token("--role", "gateway", "--ttl", "5m"))
    lam = cluster.wait_ready()
    deploy(lam)
    first = answer(lam, {"n": 1})
    assert f'"address":"tcp://127.0.0.1:{cluster.invoker_port}"' in controller.log  # the one it is seen by
    large = {"text": "x" * 3_000_000}  # back-pressure both ways
    for _ in range(3):
        answer(lam, large)
    kept = [cluster.folder / "gateway/gateway/gateway/node.pem", cluster.folder / "invoker/invoker/tls/node.pem"]
    for path in kept:
        wait_until(f"{path} is written", path.exists)
        assert path.stat().st_mode & 0o777 == 0o600
    before = [path.read_bytes() for path in kept]

    for p in gateway, invoker, controller:
        assert p.stop() == 0
    cluster.controller()
    cluster.invoker()  # no token any more
    cluster.gateway()
    lam = cluster.wait_ready()
    wait_until("it answers", lambda: type(answer(lam, {"n": 1})) is type(first))
    assert [path.read_bytes() for path in kept] == before
    secrets = [cluster.token("--role", "gateway").split(".")[-1][:8]]
    for p in cluster.programs:
        assert "hearth-join-1." not in p.log and secrets[0] not in p.log and "PRIVATE KEY" not in p.log


def test_who_has_no_good_token_is_refused_and_told_why(cluster):
    controller = cluster.controller()
    bare = cluster.gateway()
    assert bare.process.wait(20) == 2
    assert "hearth token create --role gateway" in bare.log and "HEARTH_JOIN_TOKEN_FILE" in bare.log

    expired = cluster.token("--role", "gateway", "--ttl", "1s")
    time.sleep(1.2)
    p = cluster.gateway(HEARTH_JOIN_TOKEN=expired)
    p.wait_for("the join token expired at ")
    p.wait_for("make a new one with `hearth token create`")
    controller.wait_for("a node that wants to join is refused")
    p.stop()

    p = cluster.gateway(HEARTH_JOIN_TOKEN=cluster.token("--role", "invoker"))
    p.wait_for("the join token is for the role invoker, not for gateway")
    p.stop()

    p = cluster.gateway(HEARTH_JOIN_TOKEN="hearth-join-1.gateway")
    p.wait_for("this is no join token")
    p.stop()

    changed = cluster.token("--role", "gateway").replace(".gateway.", ".gateway.9", 1)
    p = cluster.gateway(HEARTH_JOIN_TOKEN=changed)
    p.wait_for("is of another cluster, or was changed")
    p.stop()
    assert not (cluster.folder / "gateway/gateway/gateway/node.pem").exists()
    assert '"in":"peers","event":"connected"' not in controller.log


def test_another_cluster_is_refused_from_both_sides(cluster, docker):
    cluster.controller()
    other = Cluster(docker)
    try:
        other.start_redis()
        theirs = other.controller()
        p = cluster.gateway(HEARTH_JOIN_TOKEN=other.token("--role", "gateway"))
        p.wait_for("the controller is of another cluster than the join token")
        p.stop()
        # a node that has joined there does not get in here with what it got
        joined = other.gateway(HEARTH_JOIN_TOKEN=other.token("--role", "gateway"))
        theirs.wait_for('"in":"peers","event":"connected"')
        assert joined.stop() == 0
        p = other.gateway(HEARTH_CONTROLLER=f"tcp://127.0.0.1:{cluster.controller_port}")
        p.wait_for("another cluster: its CA is not ours")
        p.stop()
    finally:
        other.close()


def test_what_speaks_no_tls_or_shows_no_certificate_gets_nothing(cluster):
    controller = cluster.controller()
    with socket.create_connection(("127.0.0.1", cluster.controller_port)) as s:
        s.settimeout(20)
        s.sendall(b'\0\0\0\x3a\0\0\0\0\0\0\0\x3a\x01\0\0\0{"protocol":1,"min":1,"role":"invoker","id":"plain stranger"}')
        got = b""
        while more := s.recv(4096):
            got += more
        assert b"HELLO" not in got and b"controller" not in got
    controller.wait_for("the peer does not speak TLS")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    hello = b'{"protocol":1,"min":1,"role":"gateway","id":"no certificate"}'
    with socket.create_connection(("127.0.0.1", cluster.controller_port)) as raw, context.wrap_socket(raw) as s:
        assert s.version() == "TLSv1.3"
        s.settimeout(20)
        s.sendall(len(hello).to_bytes(4, "big") + bytes(4) + len(hello).to_bytes(4, "big") + b"\x01\0\0\0" + hello)
        got = b""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while more := s.recv(4096):
                got += more
        assert len(got) == 16 + int.from_bytes(got[:4], "big") and got[12] == 1, got  # a greeting, and nothing else
    controller.wait_for("it is gateway no certificate, but shows no certificate")
    assert '"in":"peers","event":"connected"' not in controller.log

    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode, old.maximum_version = False, ssl.CERT_NONE, ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", cluster.controller_port)) as raw, pytest.raises(ssl.SSLError):
        old.wrap_socket(raw)


def as_node(cluster, pem, role, name):
    """A link of our own with the certificate that a node keeps."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(pem)
    context.load_cert_chain(pem)
    return Link(context.wrap_socket(socket.create_connection(("127.0.0.1", cluster.controller_port))), role, 1,
                lambda *_: ({}, b""), name)


def test_a_node_cannot_pass_for_another(cluster):
    controller = cluster.controller()
    cluster.gateway(HEARTH_JOIN_TOKEN=cluster.token("--role", "gateway"), HEARTH_GATEWAY_ID="edge")
    pem = cluster.folder / "gateway/gateway/edge/node.pem"
    wait_until("the gateway has joined", pem.exists)
    request = run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-keyout", "/dev/null", "-subj", "/CN=whatever").stdout

    link = as_node(cluster, pem, "gateway", "edge.00c0ffee")
    assert link.up.wait(10)
    for who in ({"role": "gateway", "id": "other"}, {"role": "invoker", "id": "edge"}, {"role": "controller", "id": "edge"}, {}):
        with pytest.raises(Refused, match="for itself only"):
            link.call("node.certificate", request=request, **who)
    with pytest.raises(Refused, match="certificate"):
        link.call("node.certificate", request="nonsense", role="gateway", id="edge")
    with pytest.raises(Refused, match="NO_OPERATION"):
        link.call("node.join", token=cluster.token(), request=request, role="invoker", id="x")
    mine, _ = link.call("node.certificate", request=request, role="gateway", id="edge")
    text = run("openssl", "x509", "-noout", "-ext", "subjectAltName", input=mine["certificate"]).stdout
    assert "URI:hearth://gateway/edge\n" in text
    link.close()

    for role, name in (("invoker", "edge"), ("gateway", "other"), ("gateway", "edge.not-hex"), ("controller", "edge"), ("joiner", "x")):
        link = as_node(cluster, pem, role, name)
        assert link.closed.wait(10)
        controller.wait_for(f"the peer says that it is {role} {name}, but its certificate is for gateway edge")


def test_beside_the_controller_no_token_is_needed(images, cluster):
    socket_path = f"unix:{cluster.folder}/c.sock"
    cluster.controller(HEARTH_CONTROLLER=f"{socket_path},tcp://127.0.0.1:{cluster.controller_port}")
    cluster.invoker(HEARTH_JOIN_TOKEN=cluster.token())
    cluster.gateway(HEARTH_CONTROLLER=socket_path)  # reaches the invoker over TCP all the same
    lam = cluster.wait_ready()
    deploy(lam)
    answer(lam, {"n": 1})


def test_certificates_are_renewed_while_everything_runs(images, cluster):
    cluster.controller(HEARTH_TLS_CERT_LIFETIME="6s")
    invoker = cluster.invoker(HEARTH_JOIN_TOKEN=cluster.token())
    gateway = cluster.gateway(HEARTH_JOIN_TOKEN=cluster.token("--role", "gateway"))
    lam = cluster.wait_ready()
    deploy(lam)
    end = time.monotonic() + 14  # more than two lives
    while time.monotonic() < end:
        answer(lam, {"n": 1})
        time.sleep(0.2)
    for p in invoker, gateway:
        assert p.log.count('"in":"identity","event":"certificate"') >= 3, p.log
        assert '"event":"link down' not in p.log and '"event":"down, trying again' not in p.log, p.log
    gateway.stop()
    cluster.gateway()  # with the newest one
    answer(cluster.wait_ready(), {"n": 1})


def test_several_controllers_may_share_a_ca_by_files(cluster):
    """As a chart does: the CA comes from outside, and is not in the data folder."""
    ca, key = cluster.folder / "ca.pem", cluster.folder / "ca.key"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", ca, "-days", "30", "-subj", "/CN=ours",
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    key.chmod(0o600)
    files = {"HEARTH_TLS_CA_CERT": ca, "HEARTH_TLS_CA_KEY": key}
    controller = cluster.controller(**files)
    assert not (cluster.folder / "controller/ca").exists()
    p = run(BUILD / "hearth", "token", "create", "--role", "gateway", env=dict(os.environ, **{k: str(v) for k, v in files.items()}))
    cluster.gateway(HEARTH_JOIN_TOKEN=p.stdout.strip())
    controller.wait_for('"event":"connected","role":"gateway"')
    controller.stop()

    half = cluster.controller(ready=False, HEARTH_TLS_CA_CERT=ca)
    assert half.process.wait(20) == 2 and "belong together" in half.log
    key.chmod(0o644)
    open_key = cluster.controller(ready=False, **files)
    assert open_key.process.wait(20) == 2 and "chmod 600" in open_key.log


def test_the_token_command_says_what_is_wrong(cluster):
    p = cluster.token(check=False)
    assert p.returncode == 4 and "ca/ca.key" in p.stderr and "hint: run this where a controller" in p.stderr
    cluster.controller().stop()
    for argv, said in ((["--role", "controller"], "controller joins with no token"), (["--ttl", "soon"], "is not a time"),
                       (["--ttl", "0s"], "is not a time"), (["extra"], "Usage: hearth token create")):
        p = cluster.token(*argv, check=False)
        assert p.returncode == 2 and said in p.stderr, p.stderr
    parts = cluster.token("--ttl", "2h").split(".")
    assert parts[:2] == ["hearth-join-1", "invoker"] and 7100 < int(parts[2]) - time.time() <= 7200
