#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Kafka broker for tests: Apache Kafka's own server, one node, KRaft mode, on loopback.

    broker.py start FOLDER    gets the jars when they are not there, starts a broker with its storage in
                              FOLDER (again on the same storage and port when it was there before), waits
                              until it serves, prints HOST:PORT
    broker.py stop FOLDER     ends it by its pid

The jars come from Maven Central once and are kept in build/kafka. Needs java and mvn.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent.parent
JARS = TOP / "build" / "kafka"

# Small and quick to start; nothing here weakens what a producer is promised.
SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=BROKER://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=BROKER://127.0.0.1:{port}
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/storage
num.partitions=3
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=true
log.cleaner.dedupe.buffer.size=8388608
num.network.threads=1
num.io.threads=2
background.threads=1
num.recovery.threads.per.data.dir=1
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def missing_tools():
    """What the machine lacks to run a broker, or ""."""
    return " and ".join(tool for tool in ("java", "mvn") if not shutil.which(tool))


def jars():
    """The folder with Kafka's jars; fetched once."""
    stamp, wanted = JARS / "pom.xml", HERE / "pom.xml"
    if not stamp.exists() or stamp.read_bytes() != wanted.read_bytes():
        JARS.mkdir(parents=True, exist_ok=True)
        for old in JARS.glob("*.jar"):
            old.unlink()
        p = subprocess.run(["mvn", "-B", "-q", "-f", str(wanted), "dependency:copy-dependencies",
                            f"-DoutputDirectory={JARS}"], capture_output=True, text=True, timeout=600)
        if p.returncode != 0:
            raise RuntimeError(f"mvn could not get Kafka's jars:\n{p.stdout}{p.stderr}")
        shutil.copyfile(wanted, stamp)
    return JARS


class Broker:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.settings = self.folder / "server.properties"
        self.pid_file = self.folder / "pid"
        self.log = self.folder / "broker.log"
        self.process = None
        if not self.settings.exists():
            self._make()
        for line in self.settings.read_text().splitlines():
            if line.startswith("advertised.listeners="):
                self.bootstrap = line.split("//")[1]

    def _java(self, main, *argv, **kw):
        command = ["java", "-Xmx384m", "-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                   "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                   "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
                   "-cp", f"{jars()}/*", main, *argv]
        log = open(self.log, "ab")
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                start_new_session=True, **kw)

    def _make(self):
        port, controller = free_ports(2)
        self.folder.mkdir(parents=True, exist_ok=True)
        text = SETTINGS.format(port=port, controller=controller, folder=self.folder)
        self.settings.write_text(text)
        p = self._java("kafka.tools.StorageTool", "format", "-c", str(self.settings),
                       "-t", uuid.uuid4().hex[:22])
        if p.wait(60) != 0:
            self.settings.unlink()
            raise RuntimeError(f"formatting Kafka's storage failed:\n{self.log.read_text()}")

    def start(self, seconds=60):
        """Starts, and waits until it serves."""
        before = self.log.stat().st_size if self.log.exists() else 0
        self.process = self._java("kafka.Kafka", str(self.settings))
        self.pid_file.write_text(f"{self.process.pid}\n")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if b"Kafka Server started" in self.log.read_bytes()[before:]:
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.kill()
        raise RuntimeError(f"the broker did not start:\n{self.log.read_text()[-2000:]}")

    def signal(self, number):
        """To the broker that this folder's pid file names, if it is one and lives."""
        try:
            pid = int(self.pid_file.read_text())
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return
        if str(self.settings).encode() not in command:
            return
        os.kill(pid, number)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.process and self.process.poll() is not None:
                return
            try:
                if ") Z" in pathlib.Path(f"/proc/{pid}/stat").read_text():
                    return
            except OSError:
                return
            time.sleep(0.05)
        if number != signal.SIGKILL:
            self.signal(signal.SIGKILL)

    def kill(self):
        """As a power switch would, but for what the kernel holds."""
        self.signal(signal.SIGKILL)

    def stop(self):
        self.signal(signal.SIGTERM)
        self.pid_file.unlink(missing_ok=True)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("start", "stop"):
        sys.exit(__doc__)
    if sys.argv[1] == "stop":
        Broker(pathlib.Path(sys.argv[2]).resolve()).stop()
    elif missing_tools():
        sys.exit(f"broker.py needs {missing_tools()}")
    else:
        print(Broker(pathlib.Path(sys.argv[2]).resolve()).start().bootstrap)
