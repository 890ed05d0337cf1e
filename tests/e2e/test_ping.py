"""Hosts that are pinged: with leave and without, while packets are lost, and when nobody is there."""

from __future__ import annotations

import json
import re
import sys
from typing import Any
from urllib.parse import urlencode

from conftest import StartDaemon
from daemon import BINARY, Daemon
from lan import Lan, Machine
from lan_house import House
from programs import PACKAGE, run, rust_example
from waiting import wait_for

SOON = 40
TOLD = 70
RANGE = "/proc/sys/net/ipv4/ping_group_range"
IGNORE = ("/proc/sys/net/ipv4/icmp_echo_ignore_all", "/proc/sys/net/ipv6/icmp/echo_ignore_all")
# Runs a program without the privilege of raw sockets, whoever it runs as.
NO_RAW = ("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", "--ambient-caps=-all")


class Unprivileged(Machine):
    """The same machine for programs that may not ping by raw sockets."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.name, machine.number, machine.namespace, machine.started)

    def enter(self) -> list[str]:
        return [*super().enter(), *NO_RAW]


def write(machine: Machine, file: str, text: str) -> None:
    machine.run("sh", "-c", f"echo '{text}' > {file}")


def allow(machine: Machine, allowed: bool) -> None:
    """Whether our group may ping by datagram sockets."""
    write(machine, RANGE, "0 0" if allowed else "1 0")


def ignore(machine: Machine, ignored: bool) -> None:
    """Whether the machine answers no echo."""
    for file in IGNORE:
        write(machine, file, str(int(ignored)))


def register(house: House, name: str, url: str, **fields: object) -> tuple[int, str]:
    given = {"appname": name, "url": url, "interval": 5, "timeout": 4, "healthy": 2, **fields}
    return house.ask("POST", f"monitor?{urlencode(given)}")


def watch(house: House, name: str, url: str) -> None:
    status, answer = register(house, name, url)
    assert status == 200, answer
    house.apps[name] = None  # type: ignore[assignment]


def last_check(house: House, name: str) -> dict[str, Any]:
    found: dict[str, Any] = house.shown("last_check")[name]
    return found


def health(house: House) -> dict[str, Any]:
    url = f"http://127.0.0.1:{house.daemon.port}/health"
    found: dict[str, Any] = json.loads(house.server.fetch("GET", url)[1])
    return found


def latencies(house: House) -> list[int]:
    return [check["latency_ms"] for check in house.shown("last_check").values()]


def came(machine: Machine, what: str) -> int:
    """So many packets of this kind have come to it."""
    table = machine.run("cat", "/proc/net/snmp")
    names, values = re.findall(r"^Icmp: (.*)$", table, re.MULTILINE)
    return int(dict(zip(names.split(), values.split(), strict=True))[what])


def echoes(machine: Machine) -> int:
    """Requests that have come to it."""
    return came(machine, "InEchos")


def redirects(machine: Machine) -> int:
    """Routers told it of a shorter way."""
    return came(machine, "InRedirects")


def test_hosts_are_pinged_while_packets_are_lost_and_cables_pulled(
    lan: Lan, start_daemon: StartDaemon
) -> None:
    house = House(lan)
    nas, router = lan.add("nas"), lan.add("router")
    allow(house.server, True)
    house.server = Unprivileged(house.server)
    house.start(start_daemon)
    nas.start_client("announce-host", "camera.local", nas.ipv4, "600")
    watch(house, "four", f"ping://{nas.ipv4}")
    watch(house, "six", f"ping://[{nas.ipv6}]")
    watch(house, "name", "ping://Camera.local")
    watch(house, "Router", f"ping://{router.ipv4}")
    house.wait_until_well()
    assert last_check(house, "six")["reason"] == "echo answered"

    # A packet is lost: the next one is answered.
    ignore(nas, True)
    before = echoes(nas)
    house.ask("POST", "check?appname=four")
    wait_for(lambda: echoes(nas) > before, 5, "a request")
    ignore(nas, False)
    # Whichever of them it was.
    wait_for(lambda: max(latencies(house)) > 500, 10, "the answer to the next")
    assert {check["outcome"] for check in house.shown("last_check").values()} == {"pass"}

    # It hangs, as far as an echo tells.
    ignore(nas, True)
    house.wait_for_states(SOON, "UNHEALTHY", Router="HEALTHY")
    assert last_check(house, "six")["reason"] == "no answer within 4 s"
    wait_for(house.subjects, TOLD, "the alarm")
    ignore(nas, False)
    house.wait_for_states(SOON, "HEALTHY")

    # It is off; what is said of it is what the kernel has heard.
    lan.cable(nas, "down")
    house.wait_for_states(SOON, "UNHEALTHY", Router="HEALTHY")
    said = {"no route to host"}
    wait_for(lambda: {last_check(house, name)["reason"] for name in ("four", "six")} == said, SOON, "it")


def test_a_look_sees_who_is_pinged(lan: Lan, start_daemon: StartDaemon) -> None:
    house = House(lan)
    switch, nas = lan.add("switch"), lan.add("nas")
    house.start(start_daemon)
    watch(house, "Switch", f"ping://{switch.ipv4}")
    house.add_app("disk", nas)
    house.wait_until_well()
    # The other lives, so it is not our network.
    lan.cable(nas, "down")
    house.wait_for_states(SOON, "HEALTHY", disk="UNHEALTHY")
    lan.cable(nas, "up")
    house.wait_for_states(SOON, "HEALTHY")
    # Nobody lives: it is.
    lan.part(house.server)
    house.wait_for_states(SOON, "UNKNOWN")
    lan.join(house.server)
    house.wait_for_states(SOON, "HEALTHY")


def test_a_router_that_knows_a_shorter_way_is_no_failure(lan: Lan, start_daemon: StartDaemon) -> None:
    house = House(lan)
    nas, router = lan.add("nas"), lan.add("router")
    allow(house.server, True)
    house.server = Unprivileged(house.server)
    # It passes on what should have gone straight to the NAS, and says so each time.
    write(router, "/proc/sys/net/ipv4/ip_forward", "1")
    house.server.run("ip", "route", "add", f"{nas.ipv4}/32", "via", router.ipv4)
    for side in ("all", "eth0"):
        write(router, f"/proc/sys/net/ipv4/conf/{side}/send_redirects", "1")
        write(house.server, f"/proc/sys/net/ipv4/conf/{side}/accept_redirects", "0")
    house.start(start_daemon)
    watch(house, "four", f"ping://{nas.ipv4}")
    wait_for(lambda: last_check(house, "four"), SOON, "a check")
    assert redirects(house.server) > 0, "it was told of the shorter way"
    assert last_check(house, "four")["reason"] == "echo answered"


def test_with_the_privilege_alone_a_raw_socket_does(lan: Lan, start_daemon: StartDaemon) -> None:
    house = House(lan)
    nas, router = lan.add("nas"), lan.add("router")
    allow(house.server, False)
    house.start(start_daemon)
    watch(house, "four", f"ping://{nas.ipv4}")
    watch(house, "six", f"ping://[{nas.ipv6}]")
    watch(house, "Router", f"ping://{router.ipv4}")
    watch(house, "itself", "ping://localhost")
    house.wait_until_well()
    assert health(house)["status"] == "pass"
    ignore(nas, True)
    house.wait_for_states(SOON, "UNHEALTHY", itself="HEALTHY", Router="HEALTHY")


def test_without_leave_it_is_said_how_to_get_it(lan: Lan, start_daemon: StartDaemon) -> None:
    house = House(lan)
    nas = lan.add("nas")
    house.server = Unprivileged(house.server)
    allow(house.server, False)
    house.start(start_daemon, verbose=True)
    how = 'sysctl net.ipv4.ping_group_range="0 2147483647"'
    status, answer = register(house, "four", f"ping://{nas.ipv4}")
    assert (status, json.loads(answer)["field"]) == (400, "url"), answer
    assert how in json.loads(answer)["error"] and "package" in answer
    form = urlencode({"appname": "four", "url": f"ping://{nas.ipv4}", "format": "json"})
    assert house.ask("POST", f"watch?{form}")[0] == 400
    assert house.shown("state") == {}

    # On record from before, it is not checked, and that is said.
    allow(house.server, True)
    watch(house, "four", f"ping://{nas.ipv4}")
    house.wait_until_well()
    allow(house.server, False)
    house.daemon.stop()
    house.daemon.start()
    house.daemon.wait_for_log(f"1 app is not checked: .*{re.escape(how)}", SOON)
    house.ask("POST", "check?appname=four")
    house.daemon.wait_for_log("four: no verdict", SOON)
    said = health(house)["checks"]["ping:troubles"][0]
    assert (health(house)["status"], said["status"]) == ("warn", "warn") and how in said["output"]
    assert "1 app is not checked" in house.ask("GET", "status?format=html")[1]
    assert house.shown("state") == {"four": "HEALTHY"}, "nothing is known against it"
    allow(house.server, True)
    wait_for(lambda: last_check(house, "four"), SOON, "a check")
    assert health(house)["status"] == "pass"
    assert house.subjects() == []


PYTHON = """
import sys
from healthchecker import HealthCheckerServer
for name, how in (("python", {}), ("python, said", {"kind": "ping"})):
    status = HealthCheckerServer(name, "ping://127.0.0.1").monitor(interval=5, healthy=2, **how)
    if status != 200:
        sys.exit(f"{name}: {status}")
"""


def test_both_libraries_and_the_command_line_have_a_host_pinged(daemon: Daemon) -> None:
    where = {"HEALTHCHECKER_SERVER": daemon.base}
    ended = run(sys.executable, "-c", PYTHON, PYTHONPATH=PACKAGE, **where)
    assert ended.code == 0, ended
    ended = run(rust_example("register"), "rust", "ping://127.0.0.1", **where)
    assert ended.code == 0, ended
    ended = run(BINARY, "monitor", "shell", "ping://localhost", "--kind", "ping", **where)
    assert ended.code == 0, ended
    names = ("python", "python, said", "rust", "shell")

    def are_pinged() -> bool:
        infos = [daemon.info(name) for name in names]
        checks = [info["last_check"] or {} for info in infos]
        is_ping = all(info["kind"] == "ping" for info in infos)
        return is_ping and all(check.get("reason") == "echo answered" for check in checks)

    wait_for(are_pinged, SOON, "an echo of each")
