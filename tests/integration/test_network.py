# SPDX-License-Identifier: Apache-2.0
"""What functions reach and what they do not, on a node and an internet that are network namespaces of this machine.

The tests go into the node's namespace themselves, with all they start; no packet leaves the machine.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading

import pytest

import harness
from harness import LAUNCHERS, ROLE, Hearth, native_functions, native_processes, remove_folder, run, short_folder, wait_until, zip_of

HERE = pathlib.Path(__file__).resolve().parent / "network"
NODE, NODE_PRIVATE, GATEWAY, SERVER, PRIVATE = "44.1.1.2", "10.77.0.2", "44.1.1.1", "44.9.9.9", "10.55.0.1"
SERVER_PORTS = "25,80,443,5432"
METADATA = "169.254.169.254"
PUBLISHED = "44.200.0.1"  # of no machine: the node translates it, and a port of its own, to private addresses
RESOLVER = "169.254.78.1"
CLONE_NEWNET = 0x40000000

SUBNETS = {
    "networks": {
        "office": {"vpc": "vpc-0a1b2c3d4e5f60001", "allow": [PRIVATE + "/32"]},
        "open": {"vpc": "vpc-0a1b2c3d4e5f60002", "internet": True},
    },
    "subnets": {"subnet-0a1b2c3d4e5f60001": "office", "subnet-0a1b2c3d4e5f60002": "open"},
    "security_groups": {
        "sg-0a1b2c3d4e5f60001": {"egress": [{"cidr": PRIVATE, "protocol": "tcp", "ports": 5432}]},
        "sg-0a1b2c3d4e5f60002": {"egress": [{"cidr": "0.0.0.0/0"}]},
        "sg-0a1b2c3d4e5f60003": {"egress": [{"cidr": SERVER, "ports": "400-500"}, {"cidr": SERVER, "protocol": "udp", "ports": 80}]},
    },
}


def vpc(subnet, *groups):
    return {"SubnetIds": [f"subnet-0a1b2c3d4e5f6000{subnet}"], "SecurityGroupIds": [f"sg-0a1b2c3d4e5f6000{g}" for g in groups]}


def setns(fd):
    if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), "setns")


class World:
    """Two namespaces and who listens in them."""

    def __init__(self):
        self.node, self.internet = f"hearth-node-{os.getpid()}", f"hearth-inet-{os.getpid()}"
        self.servers = []

    def ip(self, where, *argv):
        run("ip", "-n", where, *argv)

    def make(self):
        for ns in (self.node, self.internet):
            run("ip", "netns", "add", ns)
            self.ip(ns, "link", "set", "lo", "up")
        self.ip(self.node, "link", "add", "uplink0", "mtu", "1400", "type", "veth", "peer", "name", "node0", "netns", self.internet)
        for where, link, address in ((self.node, "uplink0", NODE + "/24"), (self.internet, "node0", GATEWAY + "/24"),
                                     (self.node, "uplink0", NODE_PRIVATE + "/24"), (self.internet, "lo", SERVER + "/32"),
                                     (self.internet, "lo", PRIVATE + "/32"), (self.internet, "lo", METADATA + "/32"),
                                     (self.internet, "lo", "100.127.0.9/32"), (self.internet, "lo", "192.168.9.9/32")):
            self.ip(where, "addr", "add", address, "dev", link)
        self.ip(self.node, "link", "set", "uplink0", "up")
        self.ip(self.internet, "link", "set", "node0", "up")
        self.ip(self.node, "route", "add", "default", "via", GATEWAY)
        self.serve(self.internet, ",".join((SERVER, PRIVATE, METADATA, GATEWAY, "100.127.0.9", "192.168.9.9")), SERVER_PORTS, "dns")
        self.serve(self.node, "0.0.0.0", "6379,7001,9092")
        self.inside(self.node, "sysctl", "-q", "net.ipv4.ip_forward=0")
        for address, port in ((PUBLISHED, 80), (NODE, 8888)):
            self.inside(self.node, "iptables", "-t", "nat", "-A", "PREROUTING", "-d", address, "-p", "tcp", "--dport", port,
                        "-j", "DNAT", "--to-destination", f"{PRIVATE}:80")

    def inside(self, where, *argv, **kw):
        return run("nsenter", f"--net=/run/netns/{where}", *argv, **kw)

    def serve(self, where, *argv):
        p = subprocess.Popen(["nsenter", f"--net=/run/netns/{where}", sys.executable, HERE / "internet.py", *argv],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.servers.append(p)
        assert p.stdout.readline() == "listening\n"

    @contextlib.contextmanager
    def entered(self):
        """This thread, and all that it starts, is on the node."""
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.node}") as node:
            setns(node.fileno())
            try:
                yield self
            finally:
                setns(home.fileno())

    def forwards(self):
        return int(self.inside(self.node, "sysctl", "-n", "net.ipv4.conf.uplink0.forwarding").stdout)

    def links(self):
        """Links of invokers to their routers."""
        return re.findall(r"\b(hth[0-9a-f]{8})@", self.inside(self.node, "ip", "-o", "link").stdout)

    def tables(self):
        return re.findall(r"table inet (hth\w+)", self.inside(self.node, "nft", "list", "tables").stdout)

    def exceptions(self, link):
        return [line for line in self.inside(self.node, "iptables", "-S").stdout.splitlines() if link in line]

    def close(self):
        for p in self.servers:
            p.kill()
            p.wait()
        for ns in (self.node, self.internet):
            run("ip", "netns", "del", ns, check=False)


@pytest.fixture(scope="module")
def world(images):
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("nft"):
        pytest.skip("needs root, ip and nft")
    w = World()
    try:
        try:
            w.make()
        except AssertionError as e:
            pytest.skip(f"no network namespaces can be made here: {e}")
        with w.entered():
            yield w
    finally:
        w.close()


@contextlib.contextmanager
def a_hearth(docker, launcher, ready=True, **settings):
    folder = short_folder("hearth-")
    (folder / "networks.json").write_text(json.dumps(SUBNETS))
    settings = {"HEARTH_LAUNCHER": launcher, "HEARTH_EGRESS": "on", "HEARTH_EGRESS_DNS": SERVER,
                "HEARTH_NETWORKS": folder / "networks.json", **settings}
    h = Hearth(docker, folder, **settings)
    try:
        yield h.start(ready)
    finally:
        try:
            h.close()
        finally:
            remove_folder(folder)


@pytest.fixture(scope="module", params=LAUNCHERS)
def launcher(request):
    return request.param


@pytest.fixture(scope="module")
def hearth(world, images, launcher):
    with a_hearth(images, launcher) as h:
        yield h


@pytest.fixture(scope="module")
def probe(hearth):
    """A function without VpcConfig, which tells what it gets."""
    return make(hearth, "probe")


def make(hearth, name, **kw):
    lam = hearth.client()
    lam.create_function(FunctionName=name, Role=ROLE, Runtime="python3.11", Handler="app.handler", Timeout=20, MemorySize=512,
                        Code={"ZipFile": zip_of({"app.py": (HERE / "app.py").read_text()})}, **kw)
    lam.get_waiter("function_active_v2").wait(FunctionName=name)

    def invoke(*probes, **event):
        answer = lam.invoke(FunctionName=name, Payload=json.dumps({"probes": probes, **event}))
        body = json.load(answer["Payload"])
        assert "FunctionError" not in answer, body
        return body
    return invoke


def opened(answers):
    return [a for a in answers if a.startswith("open")]


def test_functions_reach_the_internet_under_the_nodes_address(probe):
    body = probe(["tcp", SERVER, 80], ["udp", SERVER, 443], ["name", "a.example.com"], ["udp", RESOLVER, 80])
    assert body["answers"][:3] == [f"open {NODE}", f"open {NODE}", "open 44.9.9.80"]
    assert not opened(body["answers"][3:])
    assert [line for line in body["resolv"].splitlines() if line.startswith("nameserver")] == [f"nameserver {RESOLVER}"]


def node_addresses(world):
    return re.findall(r"inet ([\d.]+)/", world.inside(world.node, "ip", "-4", "-o", "addr").stdout)


def test_nothing_else_is_reached(world, hearth, probe):
    body = probe()
    base = body["address"].rsplit(".", 2)[0]
    addresses = node_addresses(world)
    assert NODE in addresses and NODE_PRIVATE in addresses and any(a.startswith("100.") for a in addresses)
    gateway = int(hearth.listen.rpartition(":")[2])
    targets = [["tcp", a, p] for a in addresses for p in (6379, 9092, 7001, gateway)]
    targets += [["udp", a, 6379] for a in addresses]
    targets += [["tcp", a, 80] for a in (PRIVATE, METADATA, GATEWAY, "100.127.0.9", "192.168.9.9", f"{base}.0.2", "224.0.0.1",
                                         "255.255.255.255", "127.0.0.1", "0.0.0.0", "::1", "fe80::1", "2600::1", "fd00:ec2::254")]
    targets += [["tcp", PUBLISHED, 80], ["tcp", NODE, 8888]]  # as Docker publishes a port, and Kubernetes a service
    targets += [["tcp", SERVER, 25], ["udp", METADATA, 80], ["udp", PRIVATE, 53]]
    targets.remove(["tcp", GATEWAY, 80])  # public, another machine's: it is the internet
    answers = probe(*targets)["answers"]
    assert not opened(answers), [(t, a) for t, a in zip(targets, answers) if a.startswith("open")]


def test_a_node_can_reach_what_is_refused_to_its_functions(world):
    """Else the test above would say nothing."""
    code = f"""
import socket
for a, p in (("{PRIVATE}", 80), ("{METADATA}", 80), ("192.168.9.9", 80), ("100.127.0.9", 80), ("{SERVER}", 25), ("{NODE}", 6379)):
    socket.create_connection((a, p), 3).recv(100)
"""
    run(sys.executable, "-c", code)


def test_sandboxes_do_not_reach_one_another(hearth, probe):
    other = make(hearth, "other")
    address = other()["address"]
    waiting = {}
    thread = threading.Thread(target=lambda: waiting.update(said=other(listen=7777, seconds=3)))
    thread.start()
    answers = probe(*[["tcp", address, 7777]] * 3, ["udp", address, 7777], stay=0.5)["answers"]
    thread.join()
    assert probe()["address"] != address
    assert not opened(answers) and waiting["said"] == "nobody came"


def pid_of_sandbox(hearth, launcher, function):
    """Of a process in the sandbox of a function."""
    if launcher == "native":
        return native_processes(hearth.node, native_functions(hearth.node, function)[0].partition("/")[2])[0]
    return int(hearth.docker("inspect", "-f", "{{.State.Pid}}", hearth.docker.sandboxes(hearth.node, function)[0]))


def test_who_gives_itself_another_address_is_not_heard(hearth, launcher, probe):
    """Which takes privileges that no function has."""
    probe()
    pid = pid_of_sandbox(hearth, launcher, "probe")
    inside = ["nsenter", f"--net=/proc/{pid}/ns/net"]
    connect = "import socket,sys; s=socket.create_connection(('%s',80),1.5,source_address=(sys.argv[1],0)); print(s.recv(99))" % SERVER
    own = probe()["address"]
    other = own.rsplit(".", 1)[0] + ".200"
    run(*inside, sys.executable, "-c", connect, own)
    for address in (other, "44.66.66.66"):
        run(*inside, "ip", "addr", "add", address + "/32", "dev", "eth0")
        assert run(*inside, sys.executable, "-c", connect, address, check=False).returncode != 0
        run(*inside, "ip", "addr", "del", address + "/32", "dev", "eth0")
    links = run(*inside, "ip", "-o", "link").stdout
    assert re.search(r"eth0@.*NOARP", links) and "inet6" not in run(*inside, "ip", "addr", "show", "eth0").stdout


def test_a_vpc_config_allows_what_network_and_groups_say(hearth, launcher):
    office = make(hearth, "office", VpcConfig=vpc(1, 1))
    targets = [["tcp", PRIVATE, 5432], ["tcp", PRIVATE, 80], ["udp", PRIVATE, 5432], ["tcp", SERVER, 5432], ["tcp", SERVER, 80],
               ["tcp", METADATA, 80], ["tcp", NODE, 6379], ["name", "a.example.com"]]
    assert [bool(opened([a])) for a in office(*targets)["answers"]] == [True] + [False] * 6 + [True]
    config = hearth.client().get_function_configuration(FunctionName="office")["VpcConfig"]
    assert config["VpcId"] == "vpc-0a1b2c3d4e5f60001" and config["SubnetIds"] == vpc(1)["SubnetIds"]

    wide = make(hearth, "wide", VpcConfig=vpc(1, 1, 2))  # one group allows all, the network does not
    assert [bool(opened([a])) for a in wide(*targets)["answers"]] == [True, True, True] + [False] * 4 + [True]

    narrow = make(hearth, "narrow", VpcConfig=vpc(2, 3))
    targets = [["tcp", SERVER, 443], ["udp", SERVER, 443], ["udp", SERVER, 80], ["tcp", SERVER, 80], ["tcp", SERVER, 5432],
               ["tcp", PRIVATE, 443], ["tcp", GATEWAY, 443]]
    assert [bool(opened([a])) for a in narrow(*targets)["answers"]] == [True] * 3 + [False] * 4


def test_another_vpc_config_is_another_sandbox(hearth):
    lam = hearth.client()
    moved = make(hearth, "moved", VpcConfig=vpc(1, 1))
    targets = [["tcp", PRIVATE, 5432], ["tcp", SERVER, 80]]
    assert [bool(opened([a])) for a in moved(*targets)["answers"]] == [True, False]
    for config, wanted in ((vpc(2, 2), [False, True]), ({"SubnetIds": [], "SecurityGroupIds": []}, [False, True]), (vpc(1, 1), [True, False])):
        lam.update_function_configuration(FunctionName="moved", VpcConfig=config)
        lam.get_waiter("function_updated_v2").wait(FunctionName="moved")
        assert [bool(opened([a])) for a in moved(*targets)["answers"]] == wanted


def test_unknown_subnets_and_groups_are_refused(hearth):
    lam = hearth.client()
    for config, words in (
            (vpc(9, 1), "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: "
                        "The subnet ID 'subnet-0a1b2c3d4e5f60009' does not exist"),
            (vpc(1, 9), "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error Message: "
                        "The security group 'sg-0a1b2c3d4e5f60009' does not exist")):
        with pytest.raises(lam.exceptions.InvalidParameterValueException) as e:
            make(hearth, "unknown", VpcConfig=config)
        assert words in str(e.value)


def test_rules_of_functions_go_with_their_sandboxes(world, hearth, launcher):
    brief = make(hearth, "brief", VpcConfig=vpc(1, 1))
    assert opened(brief(["tcp", PRIVATE, 5432])["answers"])
    hearth.client().delete_function(FunctionName="brief")
    wait_until("its sandbox is gone", lambda: not sandboxes(hearth, launcher, "brief"))
    again = make(hearth, "brief")  # may get the same address, a while later
    assert not opened(again(["tcp", PRIVATE, 5432])["answers"])


def sandboxes(hearth, launcher, function):
    return native_functions(hearth.node, function) if launcher == "native" else hearth.docker.sandboxes(hearth.node, function)


# ---- coming and going: with one launcher, as the network is the same

@pytest.fixture
def one(world, images):
    def start(**settings):
        return a_hearth(images, LAUNCHERS[-1], **settings)
    return start


@pytest.fixture
def forward_policy(world):
    """Sets what iptables does with packets that are forwarded, for a test."""
    yield lambda policy: world.inside(world.node, "iptables", "-P", "FORWARD", policy)
    world.inside(world.node, "iptables", "-P", "FORWARD", "ACCEPT")


def test_nothing_is_left_after_a_stop(world, one):
    before, links = world.forwards(), world.links()
    with one() as h:
        link = (set(world.links()) - set(links)).pop()
        assert link in world.tables() and world.forwards() == 1
        assert opened(make(h, "f")(["tcp", SERVER, 80])["answers"])
    wait_until("link and table are gone", lambda: link not in world.links() + world.tables(), 5)
    wait_until("forwarding is as it was", lambda: world.forwards() == before or world.links(), 5)


def test_nothing_is_left_after_a_kill_and_the_next_start_works(world, one, forward_policy):
    links, before = set(world.links()), world.forwards()
    forward_policy("DROP")
    with one() as h:
        invoke = make(h, "f")
        assert opened(invoke(["tcp", SERVER, 80])["answers"])
        link = (set(world.links()) - links).pop()
        old = h.pid("hearth-invoker")
        assert len(world.exceptions(link)) == 2
        os.kill(h.process.pid, signal.SIGSTOP)  # so that it is not started anew at once
        try:
            os.kill(old, signal.SIGKILL)
            wait_until("link and table are gone", lambda: link not in world.links() + world.tables(), 10)
            wait_until("the exceptions are gone", lambda: not world.exceptions(link), 10)
            wait_until("forwarding is as it was", lambda: world.forwards() == before or world.links(), 5)
        finally:
            os.kill(h.process.pid, signal.SIGCONT)
        wait_until("it works again", lambda: link in world.links() and h.healthy(), 20)

        def works():
            with contextlib.suppress(Exception):
                return opened(invoke(["tcp", SERVER, 80])["answers"])
        wait_until("functions reach the internet again", works, 30)


def test_two_invokers_beside_each_other(world, one):
    links = set(world.links())
    with one() as a, one() as b:
        assert len(set(world.links()) - links) == 2
        first, second = make(a, "f"), make(b, "f")
        ours, theirs = first(["tcp", SERVER, 80]), second(["tcp", SERVER, 80])
        assert opened(ours["answers"]) and opened(theirs["answers"])
        assert not opened(first(["tcp", theirs["address"], 80], ["tcp", PRIVATE, 80])["answers"])
        assert ours["address"].rsplit(".", 2)[0] != theirs["address"].rsplit(".", 2)[0]


def test_a_docker_like_firewall_is_passed(world, one, forward_policy):
    links = set(world.links())
    forward_policy("DROP")
    with one() as h:
        link = (set(world.links()) - links).pop()
        assert len(world.exceptions(link)) == 2
        assert opened(make(h, "f")(["tcp", SERVER, 80])["answers"])
    wait_until("the exceptions are gone", lambda: not world.exceptions(link), 10)


def test_a_firewall_that_keeps_packets_is_told(world, one):
    world.inside(world.node, "nft", "add table inet other; add chain inet other f { type filter hook forward priority 10; policy drop; }")
    try:
        with one(ready=False) as h:
            wait_until("it does not start, and says why", lambda: "egress): packets that this node forwards" in h.log
                       and "another firewall keeps them" in h.log, 20)
            assert not h.healthy()
        with one(HEARTH_EGRESS="auto") as h:
            assert h.healthy() and "another firewall keeps them" in h.log
    finally:
        world.inside(world.node, "nft", "delete table inet other")


def test_without_egress_nothing_is_reached_and_vpc_configs_say_why(world, one):
    links = world.links()
    with one(HEARTH_EGRESS="off") as h:
        assert world.links() == links
        body = make(h, "f")(["tcp", SERVER, 80], ["name", "a.example.com"])
        assert body["answers"] == ["ENETUNREACH", "gaierror"] and "nameserver 127.0.0.1" in body["resolv"]
        with pytest.raises(Exception, match="this node gives sandboxes no network: HEARTH_EGRESS is off there"):
            make(h, "vpc", VpcConfig=vpc(1, 1))()


def test_what_is_configured_is_reached(world, one):
    with one(HEARTH_EGRESS_ALLOW=f"{PRIVATE}:5432,{NODE_PRIVATE}:6379,192.168.0.0/16", HEARTH_EGRESS_DENY=f"{SERVER}/32",
             HEARTH_EGRESS_RANGE="10.99.0.0/24") as h:
        invoke = make(h, "f")
        body = invoke(["tcp", PRIVATE, 5432], ["tcp", NODE_PRIVATE, 6379], ["tcp", "192.168.9.9", 80], ["name", "a.example.com"],
                      ["tcp", PRIVATE, 80], ["tcp", NODE_PRIVATE, 9092], ["tcp", SERVER, 80], ["tcp", NODE, 6379])
        assert [bool(opened([a])) for a in body["answers"]] == [True] * 4 + [False] * 4
        assert body["address"].startswith("10.99.0.")
