"""mDNS at its edges: floods, all who ask at one moment, names that two daemons have."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import node_tools
from conftest import StartDaemon
from daemon import Daemon
from lan import HERE, Lan, Machine
from measure import Peak, usage
from waiting import wait_for

BONJOUR = HERE / "bonjour"
NAME = "_healthchecker._http._tcp.local."
SERVICE = "_http._tcp.local"

# What a flood may cost of memory, whatever it says.
GROWTH_KIB = 2048
# The sorting out of names: some probes of a second each, after the daemons have asked for their own names
# (after 20 s, then ever more seldom) or a client has for them. A bound, and a wide one.
SORTED_SECONDS = 90


@pytest.fixture
def start_announced(start_daemon: StartDaemon) -> Any:
    def start(machine: Machine, **options: object) -> Daemon:
        return start_daemon(machine=machine, bind_addr="0.0.0.0", announce=True, **options)

    return start


def by_hand(machine: Machine, *arguments: str) -> list[Any]:
    """Runs `mdns_client.py` on the machine; its lines."""
    shown = machine.run(sys.executable, str(HERE / "mdns_client.py"), *arguments)
    return [json.loads(line) for line in shown.splitlines()]


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def found_names(machine: Machine, seconds: float = 4) -> dict[str, set[tuple[str, int]]]:
    """The daemons that a client sees, and where."""
    lines = machine.run(sys.executable, str(HERE / "lan_client.py"), "list", SERVICE + ".", str(seconds))
    found: dict[str, set[tuple[str, int]]] = {}
    for line in lines.splitlines():
        one = json.loads(line)
        if one["name"].startswith("_healthchecker"):
            for address in one["addresses"]:
                found.setdefault(one["name"], set()).add((address, one["port"]))
    return found


@pytest.mark.parametrize(
    ("what", "packets"), [("questions", 1500), ("answers", 4400), ("noise", 20_000)]
)
def test_a_flood_costs_the_announcement_for_a_moment_and_nothing_else(
    start_announced: Any, lan: Lan, what: str, packets: int
) -> None:
    server, attacker = lan.add("server"), lan.add("attacker")
    daemon = start_announced(server)
    daemon.wait_for_log("announced as", 15)
    before, cpu = usage(daemon.pid), cpu_seconds(daemon.pid)
    with Peak(daemon.pid) as peak:
        sent = by_hand(attacker, "flood", what, str(packets))[0]
        assert sent > 1_000_000
        # It answers while that goes on, and after it.
        port = daemon.port
        status = server.client("get", f"http://{server.ipv4}:{port}/health")["status"]
        assert status == 200
        wait_for(lambda: attacker.client("resolve", NAME, "3"), 20, "the service again")
    assert peak.seen.heap - before.heap < GROWTH_KIB
    assert cpu_seconds(daemon.pid) - cpu < 5


def test_who_asks_within_a_second_of_an_answer_is_answered(start_announced: Any, lan: Lan) -> None:
    server, first, second = lan.add("server"), lan.add("first"), lan.add("second")
    start_announced(server).wait_for_log("announced as", 15)
    # The announcements themselves are over.
    time.sleep(4)
    for how in ("qm", "qu"):
        asking = first.start(
            sys.executable, str(HERE / "mdns_client.py"), "ask", SERVICE, "PTR", "qm", "0.6"
        )
        assert asking.stdout and asking.stdout.readline(), "the first is answered"
        answers = by_hand(second, "ask", SERVICE, "PTR", how, "2.5")
        ours = [one for one in answers if one["from"] == server.ipv4]
        assert ours and ours[0]["after"] < 1.5, how
        to = second.ipv4 if how == "qu" else "224.0.0.251"
        assert ours[0]["to"] == to, how
        asking.wait(timeout=10)


def test_bonjour_finds_it_beside_another_that_starts_at_the_same_moment(
    start_announced: Any, lan: Lan
) -> None:
    reason = node_tools.why_unavailable()
    if reason is not None:
        pytest.skip(reason)
    node_tools.install(BONJOUR)
    server, first, second = lan.add("server"), lan.add("first"), lan.add("second")
    daemon = start_announced(server)
    daemon.wait_for_log("announced as", 15)
    for _ in range(3):
        # It asks once, and then again after a second, two, four.
        both = [one.start("node", str(BONJOUR / "find.mjs"), "2500") for one in (first, second)]
        for finder in both:
            found = json.loads(finder.communicate(timeout=30)[0])
            ours = [one for one in found if one["name"] == "_healthchecker"]
            assert [one["port"] for one in ours] == [daemon.port], found
            assert server.ipv4 in ours[0]["addresses"]


def test_three_that_start_at_one_instant_have_three_names(start_announced: Any, lan: Lan) -> None:
    machines = [lan.add(f"pi{number}") for number in range(3)]
    client = lan.add("client")
    daemons = [start_announced(machine) for machine in machines]
    wanted = {
        (machine.ipv4, daemon.port) for machine, daemon in zip(machines, daemons, strict=True)
    }
    wait_for_own_names(client, wanted)


def test_two_networks_that_are_joined_sort_it_out(start_announced: Any, lan: Lan) -> None:
    here, there, client = lan.add("here"), lan.add("there"), lan.add("client")
    lan.part(there)
    first, second = start_announced(here), start_announced(there)
    for daemon in (first, second):
        daemon.wait_for_log(re.escape(f"announced as {NAME}"), 15)
    # Let all announcements pass: nobody says anything by himself any more.
    time.sleep(4)
    lan.join(there)
    wait_for_own_names(client, {(here.ipv4, first.port), (there.ipv4, second.port)})


def test_a_link_that_was_down_while_the_other_started(start_announced: Any, lan: Lan) -> None:
    here, there, client = lan.add("here"), lan.add("there"), lan.add("client")
    first = start_announced(here)
    first.wait_for_log(re.escape(f"announced as {NAME}"), 15)
    lan.switch.run("ip", "link", "set", f"port{here.number}", "down")
    second = start_announced(there)
    second.wait_for_log(re.escape(f"announced as {NAME}"), 15)
    lan.switch.run("ip", "link", "set", f"port{here.number}", "up")
    lan.connect(here)
    wait_for_own_names(client, {(here.ipv4, first.port), (there.ipv4, second.port)})


def wait_for_own_names(client: Machine, wanted: set[tuple[str, int]]) -> None:
    """Waits until each daemon has a name that no other has, and all are found."""

    def each_has_its_own() -> bool:
        found = found_names(client)
        return all(len(places) == 1 for places in found.values()) and wanted == {
            place for places in found.values() for place in places
        }

    wait_for(each_has_its_own, SORTED_SECONDS, "a name for each")
