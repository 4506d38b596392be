# SPDX-License-Identifier: Apache-2.0
"""`hearth up`: what it says when it cannot start, and what survives a restart."""
import json
import os
import pathlib
import signal
import socket
import time

import pytest

from harness import BUILD, Hearth, free_port, native_is_possible, remove_folder, run, short_folder, wait_until, zip_of, ROLE


@pytest.fixture
def folder():
    f = short_folder("hearth-up-")
    yield f
    remove_folder(f)


def refused(h):
    """Starts it; it must end by itself. Returns the lines it wrote."""
    h.start(ready=False)
    h.process.wait(20)
    assert h.process.returncode != 0
    time.sleep(0.1)
    assert "Traceback" not in h.log
    return h.log


def test_a_port_in_use_is_said_in_one_line(docker, folder):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        h = Hearth(docker, folder, listen=f"127.0.0.1:{s.getsockname()[1]}")
        log = refused(h)
    assert log.startswith(f"error: address {h.listen} is already in use\nhint: ")
    assert len(log.splitlines()) == 2


def test_a_dead_docker_engine_is_said_in_one_line(docker, folder):
    h = Hearth(docker, folder, HEARTH_DOCKER_SOCKET=folder / "none.sock")
    log = refused(h)
    assert log.startswith("error: no Docker engine answers at ") and "--docker-socket" in log


def test_all_wrong_settings_are_said_together(docker, folder):
    h = Hearth(docker, folder, HEARTH_ACCOUNT_ID="12", HEARTH_LOG_LEVEL="loud")
    log = refused(h)
    assert 'account_id = "12" (from HEARTH_ACCOUNT_ID)' in log and 'log_level = "loud"' in log


@pytest.mark.parametrize("settings,said", [
    ({"HEARTH_LISTEN": "localhost:9000"}, "is not an address such as"),
    ({"HEARTH_LISTEN": "127.0.0.1:99999"}, "is not an address such as"),
    ({"HEARTH_REDIS_URL": "foo://x"}, "redis_url"),
    ({"HEARTH_IDLE_TTL": "soon"}, "the settings of invoker are wrong"),
])
def test_a_wrong_setting_ends_it_with_a_word_of_what_is_wrong(docker, folder, settings, said):
    h = Hearth(docker, folder, **settings)
    assert said in refused(h)
    assert h.process.returncode == 2


NATIVE = pytest.mark.skipif(not native_is_possible(), reason="needs root, Linux 6.7 and an OCI runtime")


@pytest.mark.parametrize("settings,said", [
    ({"HEARTH_IMAGE_STORE": "containerd", "HEARTH_LAUNCHER": "docker"}, "the launcher docker cannot run containerd's images"),
    ({"HEARTH_NETWORKS": "/nowhere/networks.json"}, "networks file /nowhere/networks.json"),
    ({"HEARTH_NETWORKS": __file__}, f"networks file {__file__}: not JSON"),
    pytest.param({"HEARTH_LAUNCHER": "native", "HEARTH_OCI_RUNTIME": "/nowhere/crun"},
                 "oci_runtime /nowhere/crun: No such file or directory", marks=NATIVE),
    pytest.param({"HEARTH_LAUNCHER": "native", "HEARTH_OCI_RUNTIME": "/bin/false"},
                 "oci_runtime /bin/false does not tell its version", marks=NATIVE),
    pytest.param({"HEARTH_EGRESS": "on", "HEARTH_EGRESS_RANGE": "10.99.0.0/20", "HEARTH_EGRESS_ALLOW": "10.99.1.0/24"},
                 "the range 10.99.0.0/20 for sandboxes (egress_range) is in use on this node", marks=NATIVE),
    ({"HEARTH_EGRESS": "maybe"}, 'egress = "maybe" (from HEARTH_EGRESS) is not auto, on or off\n'),
], ids=["image-store", "no-networks", "networks", "no-runtime", "runtime", "range", "egress"])
def test_what_can_never_work_is_not_tried_again(docker, folder, settings, said):
    h = Hearth(docker, folder, HEARTH_CONTAINERD_SOCKET=docker.socket, **settings)
    log = refused(h)
    assert said in log and "starting it again" not in log
    assert h.process.returncode == 2


@NATIVE
def test_a_runtime_that_makes_no_sandboxes_leaves_them_to_docker(images, folder):
    h = Hearth(images, folder, launcher="auto", HEARTH_OCI_RUNTIME="/bin/true").start()
    try:
        assert "native ones cannot be here" in h.log and "making a sandbox with /bin/true" in h.log
    finally:
        h.close()


def test_a_second_hearth_on_the_same_data_is_refused(images, folder):
    h = Hearth(images, folder).start()
    try:
        assert "another Hearth uses the folder" in refused(Hearth(images, folder))
    finally:
        h.close()


def test_up_listens_within_two_seconds_and_leaves_nothing(images, folder):
    start = time.monotonic()
    h = Hearth(images, folder).start(ready=False)
    wait_until("the port answers", h.healthy, 10, every=0.01)
    took = time.monotonic() - start
    pids = [h.pid(r) for r in ("redis-server", "controller", "invoker", "gateway")]
    assert all(pids)
    h.close()
    assert not any(pathlib.Path("/proc", str(p)).exists() for p in pids)
    if not os.environ.get("HEARTH_TEST_SLOW"):
        assert took < 2.0, took


def test_functions_survive_a_restart_and_a_power_cut(images, folder):
    h = Hearth(images, folder).start()
    lam = h.client()
    for i in range(3):
        lam.create_function(FunctionName=f"keep-{i}", Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=10,
                            Code={"ZipFile": zip_of({"app.py": f"def handler(e, c): return {i}"})},
                            Environment={"Variables": {"WORD": "b"}}, Tags={"team": "x"})
        lam.get_waiter("function_active_v2").wait(FunctionName=f"keep-{i}")
    before = [lam.get_function(FunctionName=f"keep-{i}") for i in range(3)]
    h.close()
    h = Hearth(images, folder).start()
    lam = h.client()
    for i in range(3):
        after = lam.get_function(FunctionName=f"keep-{i}")
        assert after["Configuration"] == before[i]["Configuration"] and after["Tags"] == before[i]["Tags"]
        assert json.load(lam.invoke(FunctionName=f"keep-{i}", Payload=b"{}")["Payload"]) == i
    redis = h.pid("redis-server")
    os.killpg(h.process.pid, signal.SIGKILL)  # the supervisor dies: everything must follow
    h.process.wait()
    wait_until("the old Redis is gone", lambda: not pathlib.Path("/proc", str(redis)).exists(), 10)
    wait_until("all containers are gone", lambda: not images.sandboxes(h.node), 30)
    h = Hearth(images, folder).start()
    try:
        assert len(h.client().list_functions()["Functions"]) == 3
        assert json.load(h.client().invoke(FunctionName="keep-1", Payload=b"{}")["Payload"]) == 1
    finally:
        h.close()


def test_two_signals_of_one_ctrl_c_still_stop_it_in_order(images, folder):
    h = Hearth(images, folder).start()
    lam = h.client()
    lam.create_function(FunctionName="once", Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=10,
                        Code={"ZipFile": zip_of({"app.py": "def handler(e, c): return 1"})})
    lam.get_waiter("function_active_v2").wait(FunctionName="once")
    lam.invoke(FunctionName="once", Payload=b"{}")
    assert h.sandboxes()
    h.process.send_signal(signal.SIGINT)
    h.process.send_signal(signal.SIGTERM)
    h.close()
    assert not list((folder / "run").glob("*.sock"))


def test_a_function_larger_than_the_node_is_told_so(images, folder):
    h = Hearth(images, folder, HEARTH_NODE_MEMORY="100M", HEARTH_INVOKE_WAIT="2s").start()
    try:
        lam = h.client()
        lam.create_function(FunctionName="large", Role=ROLE, Runtime="python3.11", Handler="app.handler",
                            Code={"ZipFile": zip_of({"app.py": "def handler(e, c): return 1"})})
        lam.get_waiter("function_active_v2").wait(FunctionName="large")
        with pytest.raises(lam.exceptions.TooManyRequestsException, match=r"128 MB, is more than this node has .*node_memory"):
            lam.invoke(FunctionName="large", Payload=b"{}")
    finally:
        h.close()


def test_the_command_line_deploys_invokes_lists_and_deletes(images, folder):
    h = Hearth(images, folder).start()
    try:
        code = folder / "app"
        code.mkdir()
        (code / "app.py").write_text("def handler(e, c):\n    print('line', e['n'])\n    return e['n'] + 1\n")
        h.hearth("deploy", "cli", "--runtime", "python3.11", "--handler", "app.handler", "--timeout", "10", code)
        p = h.hearth("invoke", "cli", '{"n": 41}')
        assert p.stdout == "42\n" and "line 41\n" in p.stderr and "REPORT RequestId: " in p.stderr
        assert h.hearth("invoke", "cli", "{}", check=False).returncode == 3
        assert h.hearth("invoke", "nobody", check=False).returncode == 4
        assert "cli " in h.hearth("list").stdout
        assert "line 41" in h.hearth("logs", "cli").stdout
        assert "line 41" in h.hearth("logs", "cli", "--since", "5m").stdout
        assert h.hearth("logs", "nobody", check=False).returncode == 4
        (code / "app.py").write_text("def handler(e, c):\n    for i in range(12000):\n        print(f'many {i}.')\n")
        h.hearth("deploy", "cli", "--runtime", "python3.11", "--handler", "app.handler", code)
        h.hearth("invoke", "cli")
        everything = h.hearth("logs", "cli", "--since", "5m").stdout.splitlines()
        assert [x.split(" many ")[1] for x in everything if " many " in x] == [f"{i}." for i in range(12000)]
        newest = h.hearth("logs", "cli")
        assert "REPORT " in newest.stdout.splitlines()[-1] and "older lines: --since" in newest.stderr
        h.hearth("delete", "cli")
        assert h.hearth("list").stdout == ""
        assert run(BUILD / "hearth", "list", "--endpoint-url", f"http://127.0.0.1:{free_port()}", check=False).returncode == 7
    finally:
        h.close()


def test_an_external_redis_with_a_password_is_used_and_may_go_away(images, folder):
    import subprocess
    port = free_port()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--requirepass", "pass word", "--dir", str(folder),
            "--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    redis = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    h = Hearth(images, folder, HEARTH_REDIS_URL=f"redis://:pass%20word@127.0.0.1:{port}/2").start()
    try:
        lam = h.client()
        lam.create_function(FunctionName="ext", Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=10,
                            Code={"ZipFile": zip_of({"app.py": "def handler(e, c): return 5"})})
        lam.get_waiter("function_active_v2").wait(FunctionName="ext")
        assert h.pid("redis-server") is None
        assert json.load(lam.invoke(FunctionName="ext", Payload=b"{}")["Payload"]) == 5
        redis.kill()
        redis.wait()
        assert json.load(lam.invoke(FunctionName="ext", Payload=b"{}")["Payload"]) == 5  # no Redis on the warm path
        with pytest.raises(lam.exceptions.ClientError) as e:
            lam.get_function(FunctionName="ext")
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] in (500, 503) and "registry cannot be reached" in str(e.value)
        redis = subprocess.Popen(argv, stdout=subprocess.DEVNULL)

        def found():
            try:
                return lam.get_function(FunctionName="ext")
            except lam.exceptions.ClientError:
                return None
        assert wait_until("the controller is back", found, 20)["Configuration"]["State"] == "Active"
    finally:
        h.close()
        redis.kill()
        redis.wait()
