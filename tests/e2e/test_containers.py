"""The daemon and a container on one machine, as `docs/reverse-proxy.md` describes them.

No engine is needed for that: a container is a network namespace on a bridge that leads nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from conftest import StartDaemon
from daemon import Daemon
from lan import Lan, Machine, Namespace
from waiting import wait_for

DEVICES = 3
OUTSIDE, INSIDE = "172.17.0.1", "172.17.0.2"


class Container(Machine):
    """A namespace behind a bridge of a machine, as container engines make one."""

    def __init__(self, host: Machine, namespace: Namespace) -> None:
        super().__init__("container", 0, namespace)
        host.run("ip", "link", "add", "docker0", "type", "bridge")
        host.run("ip", "address", "add", f"{OUTSIDE}/16", "dev", "docker0")
        peer = ["peer", "name", "eth0", "netns", str(namespace.pid)]
        host.run("ip", "link", "add", "veth0", "type", "veth", *peer)
        host.run("ip", "link", "set", "veth0", "master", "docker0", "up")
        host.run("ip", "link", "set", "docker0", "up")
        host.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "set", "eth0", "up")
        self.run("ip", "address", "add", f"{INSIDE}/16", "dev", "eth0")
        self.run("ip", "route", "add", "default", "via", OUTSIDE)


@pytest.fixture
def house(lan: Lan) -> Machine:
    """A machine on a network with some devices."""
    host, others = lan.add("host"), lan.add("others")
    program = others.start_client("announce-devices", others.ipv4, str(DEVICES))
    assert program.stdout and json.loads(program.stdout.readline()) == "announced"
    return host


@pytest.fixture
def container(house: Machine, lan: Lan) -> Iterator[Container]:
    """A container on it."""
    namespace = Namespace(inside=lan.switch)
    one = Container(house, namespace)
    yield one
    for process in one.started:
        process.kill()
        process.wait(timeout=10)
    namespace.close()


def call(machine: Machine, address: str, path: str, **fields: str) -> tuple[int, dict[str, object]]:
    """One call from a machine."""
    command = ["curl", "-s", "-w", "\n%{http_code}", "-X", "POST"]
    for name, value in fields.items():
        command += ["--data-urlencode", f"{name}={value}"]
    text, _, status = machine.run(*command, f"http://{address}{path}").rpartition("\n")
    answer: dict[str, object] = json.loads(text)
    return int(status), answer


def seen(machine: Machine, address: str) -> object:
    status, answer = call(machine, address, "/healthchecker/scan")
    assert status == 200, answer
    return answer["seen"]


def is_healthy(machine: Machine, daemon: Daemon, address: str, appname: str) -> bool:
    _, text = machine.fetch("GET", f"http://{address}/healthchecker/info?appname={appname}")
    check = json.loads(text)["last_check"]
    return check is not None and check["outcome"] == "pass"


def test_a_daemon_with_the_network_of_its_machine_serves_a_container_beside_it(
    house: Machine, container: Container, start_daemon: StartDaemon
) -> None:
    daemon = start_daemon(machine=house, bind_addr="0.0.0.0", announce="True")
    outside = f"{OUTSIDE}:{daemon.port}"
    assert len(seen(house, outside)) == DEVICES  # type: ignore[arg-type]
    app = container.start_client("serve", INSIDE)
    assert app.stdout
    port = json.loads(app.stdout.readline())
    # Its `localhost` is not ours, and it is told so; without a host it is where it calls from.
    status, refused = call(
        container, outside, "/healthchecker/monitor", appname="app", url=f"http://localhost:{port}"
    )
    assert status == 400 and refused["field"] == "url", refused
    status, done = call(container, outside, "/healthchecker/monitor", appname="app", url=f":{port}")
    assert status == 200, done
    wait_for(lambda: is_healthy(house, daemon, outside, "app"), 20, "the first check")
    _, text = house.fetch("GET", f"http://{outside}/healthchecker/info?appname=app")
    assert json.loads(text)["url"] == f"http://{INSIDE}:{port}"


def test_a_daemon_in_a_network_of_its_own_checks_and_sees_no_device(
    house: Machine, container: Container, start_daemon: StartDaemon
) -> None:
    daemon = start_daemon(machine=container, bind_addr="0.0.0.0", announce="True")
    inside = f"{INSIDE}:{daemon.port}"
    assert seen(house, inside) == []
    app = house.start_client("serve", OUTSIDE)
    assert app.stdout
    port = json.loads(app.stdout.readline())
    status, done = call(house, inside, "/healthchecker/monitor", appname="app", url=f":{port}")
    assert status == 200, done
    wait_for(lambda: is_healthy(house, daemon, inside, "app"), 20, "the first check")
