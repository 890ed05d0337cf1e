"""Zeroconf, as the other machines of a household see it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import avahi
from avahi import Avahi
from conftest import StartDaemon
from daemon import Daemon
from lan import Lan, Machine
from waiting import wait_for

TYPE = "_http._tcp.local."
NAME = f"_healthchecker.{TYPE}"
SECOND_NAME = f"_healthchecker (2).{TYPE}"

# Probing, announcing, and the answer: a client needs less than two seconds.
FIND_SECONDS = 8
# One conflict costs a second each for the host's and the service's name.
RENAME_SECONDS = 15
# The daemon looks at the machine's networks every 10 s, and a client may wait as long between questions.
CHANGE_SECONDS = 45

Served = Callable[..., Daemon]


@pytest.fixture
def server(lan: Lan) -> Machine:
    """The machine of the daemon."""
    return lan.add("server")


@pytest.fixture
def client(lan: Lan, server: Machine) -> Machine:
    """Another machine."""
    return lan.add("client")


@pytest.fixture
def announced(start_daemon: StartDaemon, server: Machine) -> Served:
    """Starts a daemon that is announced."""

    def start(bind_addr: str = "0.0.0.0", machine: Machine = server, **options: object) -> Daemon:
        return start_daemon(machine=machine, bind_addr=bind_addr, announce=True, **options)

    return start


def find(client: Machine, name: str = NAME, seconds: float = FIND_SECONDS) -> dict[str, Any]:
    """The service as python-zeroconf's `get_service_info` finds it."""
    found = client.client("resolve", name, str(seconds))
    assert found is not None, f"{name} was not found"
    assert found["name"] == name
    answer: dict[str, Any] = found
    return answer


class Browser:
    """python-zeroconf's `ServiceBrowser` on a machine."""

    def __init__(self, machine: Machine) -> None:
        self.changes: list[tuple[str, str]] = []
        self.process = machine.start_client("browse", TYPE)
        threading.Thread(target=self.collect, args=(self.process,), daemon=True).start()

    def collect(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            change = json.loads(line)
            self.changes.append((change["name"], change["change"]))

    def wait_for(self, name: str, change: str, seconds: float) -> None:
        """Waits until it has seen the change."""
        wait_for(lambda: (name, change) in self.changes, seconds, f"{name} {change}")


def test_a_client_finds_the_service_by_its_name_alone(announced: Served, client: Machine) -> None:
    daemon = announced()
    found = find(client)
    assert found["port"] == daemon.port
    assert re.fullmatch(r"[^.]+-healthchecker\.local\.|healthchecker\.local\.", found["server"])
    properties = found["properties"]
    assert properties.pop("version")
    assert properties == {"desc": "health check micro-service", "path": "/healthchecker/"}
    url = f"http://{found['addresses'][0]}:{found['port']}{found['properties']['path']}status?format=json"
    assert client.client("get", url)["status"] == 200


def test_bound_to_ipv4_no_other_address_is_announced(
    announced: Served, server: Machine, client: Machine
) -> None:
    announced("0.0.0.0")
    assert find(client)["addresses"] == [server.ipv4]
    # Every address record that the network has seen, also those that came unasked.
    Browser(client).wait_for(NAME, "Added", FIND_SECONDS)
    assert find(client)["addresses"] == [server.ipv4]


def test_bound_to_ipv6_both_families_are_announced(
    announced: Served, server: Machine, client: Machine
) -> None:
    daemon = announced("::")

    def addresses() -> set[str]:
        return set(find(client)["addresses"])

    # A client that takes the first record that it hears may not wait for the other family's.
    seen: set[str] = set()

    def both_seen() -> bool:
        seen.update(addresses())
        return {server.ipv4, server.ipv6} <= seen

    wait_for(both_seen, 30, "an answer from each family")
    assert not any(address.startswith("127.") or address == "::1" for address in seen)
    for host in (server.ipv4, f"[{server.ipv6}]"):
        assert client.client("get", f"http://{host}:{daemon.port}/health")["status"] == 200


def test_bound_to_one_address_only_that_is_announced(
    announced: Served, server: Machine, client: Machine
) -> None:
    server.run("ip", "address", "add", "10.77.0.200/24", "dev", "eth0")
    announced("10.77.0.200")
    assert find(client)["addresses"] == ["10.77.0.200"]


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT], ids=lambda by: by.name)
def test_a_stop_says_goodbye(announced: Served, client: Machine, by: signal.Signals) -> None:
    daemon = announced()
    browser = Browser(client)
    browser.wait_for(NAME, "Added", FIND_SECONDS)
    daemon.stop(by)
    browser.wait_for(NAME, "Removed", 5)


def test_a_second_daemon_is_renamed_and_both_are_found(
    announced: Served, lan: Lan, server: Machine, client: Machine
) -> None:
    first = announced()
    assert find(client)["port"] == first.port
    # All machines here have the host name of this one: both names are in conflict.
    other = lan.add("other")
    second = announced(machine=other)
    second.wait_for_log(re.escape(SECOND_NAME), RENAME_SECONDS)

    def both_are_found() -> bool:
        found = client.client("resolve", SECOND_NAME, "2")
        return found is not None and (found["port"], found["addresses"]) == (
            second.port,
            [other.ipv4],
        )

    wait_for(both_are_found, RENAME_SECONDS, "the second daemon under its own address")
    found = find(client)
    assert (found["port"], found["addresses"]) == (first.port, [server.ipv4])
    browser = Browser(client)
    browser.wait_for(SECOND_NAME, "Added", FIND_SECONDS)
    second.stop()
    browser.wait_for(SECOND_NAME, "Removed", 5)
    assert (NAME, "Removed") not in browser.changes


def test_it_is_found_again_after_the_network_was_away(
    announced: Served, lan: Lan, server: Machine, client: Machine
) -> None:
    daemon = announced()
    find(client)
    server.run("ip", "address", "flush", "dev", "eth0", "scope", "global")
    server.run("ip", "link", "set", "eth0", "down")
    lan.connect(server)
    wait_for(
        lambda: client.client("resolve", NAME, "2") is not None, CHANGE_SECONDS, "the service again"
    )
    assert find(client)["port"] == daemon.port


def test_a_network_that_comes_after_the_start_is_used(
    announced: Served, lan: Lan, server: Machine, client: Machine
) -> None:
    server.run("ip", "link", "set", "eth0", "down")
    daemon = announced()
    daemon.wait_for_log("cannot announce the service", 10)
    lan.connect(server)
    wait_for(lambda: client.client("resolve", NAME, "2") is not None, CHANGE_SECONDS, "the service")


def test_on_the_loopback_interface_nothing_is_announced(announced: Served, client: Machine) -> None:
    daemon = announced("127.0.0.1")
    daemon.wait_for_log("not announced", 5)
    assert client.client("resolve", NAME, "3") is None


@pytest.fixture
def avahi_on_client(client: Machine, tmp_path: Path) -> Iterator[Avahi]:
    """Avahi on the other machine."""
    reason = avahi.why_unavailable()
    if reason is not None:
        pytest.skip(reason)
    one = Avahi(client, tmp_path / "avahi")
    yield one
    one.close()


def test_avahi_finds_it(announced: Served, server: Machine, avahi_on_client: Avahi) -> None:
    daemon = announced()
    daemon.wait_for_log("announced as", 10)

    def line() -> list[str]:
        shown = avahi_on_client.run(
            "avahi-browse", "--resolve", "--parsable", "--terminate", "_http._tcp"
        )
        lines = (line.split(";") for line in shown.splitlines())
        return next((fields for fields in lines if fields[0] == "=" and fields[2] == "IPv4"), [])

    fields = wait_for(line, FIND_SECONDS, "the service in avahi-browse")
    assert fields[3] == "_healthchecker"
    assert fields[7:9] == [server.ipv4, str(daemon.port)]
    assert '"path=/healthchecker/"' in fields[9]
    resolved = avahi_on_client.run("avahi-resolve", "--name", "-4", fields[6])
    assert resolved.split() == [fields[6], server.ipv4]


def test_an_app_with_a_local_name_is_watched(
    announced: Served, server: Machine, client: Machine
) -> None:
    port = json.loads(client.start_client("serve", client.ipv4).stdout.readline())  # type: ignore[union-attr]
    announcer = client.start_client("announce-host", "kodi.local", client.ipv4)
    assert announcer.stdout and json.loads(announcer.stdout.readline()) == "announced"
    daemon = announced()
    url = f"http://{server.ipv4}:{daemon.port}/healthchecker"
    register = f"{url}/monitor?appname=Kodi&url=http://kodi.local:{port}&interval=5&healthy=2"
    assert server.client("post", register)["status"] == 200

    def state() -> str:
        answer = server.client("get", f"{url}/info?appname=Kodi")
        word: str = json.loads(answer["body"])["state"]
        return word

    wait_for(lambda: state() == "HEALTHY", 30, "Kodi HEALTHY")
