"""Apps that are registered by name, and name services that misbehave: whose fault is it, and who is asked?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import NewTarget, StartDaemon
from daemon import Daemon
from lan import Lan, Machine
from name_server import NXDOMAIN, REFUSED, SERVFAIL, SILENT, Name, NamedBy, NameServer
from target import Target
from waiting import wait_for

ADDRESS = "127.9.9.53"
# An emulated processor takes its time.
START_SECONDS = 60
CHECK_SECONDS = 60
HERE = ["127.0.0.1"]
# The system gives a silent name service this time, and no second one.
PATIENCE = "options timeout:2 attempts:1"


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    """A name service that knows no name yet."""
    try:
        server = NameServer(ADDRESS)
    except PermissionError:
        pytest.skip("port 53 is for root")
    yield server
    server.close()


@pytest.fixture
def start_here(
    start_daemon: StartDaemon, name_server: NameServer, tmp_path: Path, any_program: list[str]
) -> Callable[..., Daemon]:
    """Starts daemons that ask this name service."""

    def start(hosts: str | None = None, **options: object) -> Daemon:
        machine = NamedBy(name_server.address, tmp_path, PATIENCE, hosts)
        if reason := machine.why_unavailable():
            pytest.skip(reason)
        options = {"start_seconds": START_SECONDS, "program": any_program, **options}
        return start_daemon(machine=machine, **options)

    return start


def named(target: Target, name: str) -> str:
    return target.url.replace("127.0.0.1", name)


def test_a_name_service_that_forgets_a_name_for_a_moment_is_no_alarm(
    start_here: Callable[..., Daemon], name_server: NameServer, target: Target
) -> None:
    daemon = start_here()
    name_server.names["nas.household.example"] = Name(ipv4=HERE)
    daemon.register("NAS", named(target, "nas.household.example"), interval=5, healthy=2)
    daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
    # A failure, so that the name is asked for again at once.
    del name_server.names["nas.household.example"]
    target.refuses()
    wait_for(lambda: daemon.info("NAS")["failures"], CHECK_SECONDS, "a failed check")
    target.passes()
    checks = daemon.info("NAS")["checks"]
    wait_for(lambda: daemon.info("NAS")["checks"] >= checks + 2, CHECK_SECONDS, "two checks")
    info = daemon.info("NAS")
    assert (info["state"], info["failures"]) == ("HEALTHY", 1), info["last_check"]


@pytest.mark.parametrize("code", [NXDOMAIN, SERVFAIL, REFUSED, SILENT])
def test_a_bad_answer_for_ipv6_does_not_hide_the_ipv4_address(
    start_here: Callable[..., Daemon], name_server: NameServer, target: Target, code: int
) -> None:
    daemon = start_here()
    name_server.names["nas.household.example"] = Name(ipv4=HERE, ipv6_code=code)
    daemon.register("NAS", named(target, "nas.household.example"), interval=5, timeout=2, healthy=2)
    info = daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
    assert info["failures"] == 0


def test_names_that_get_no_answer_do_not_starve_those_that_do(
    start_here: Callable[..., Daemon], name_server: NameServer, new_target: NewTarget
) -> None:
    daemon = start_here()
    away = [f"app{n}.away.example" for n in range(40)]
    near = [f"app{n}.household.example" for n in range(5)]
    target = new_target()
    silent = Name(ipv4_code=SILENT, ipv6_code=SILENT)
    name_server.names = {name: silent for name in away} | {name: Name(ipv4=HERE) for name in near}
    for name in away + near:
        daemon.register(name, named(target, name), interval=5, timeout=2, healthy=2)
    for name in near:
        daemon.wait_for_state(name, "HEALTHY", CHECK_SECONDS)
    for name in away:
        daemon.wait_for_state(name, "UNHEALTHY", CHECK_SECONDS)
    assert [daemon.info(name)["failures"] for name in near] == [0] * len(near)
    # After a restart nothing is known of any name.
    daemon.stop()
    daemon.start()
    before = {name: daemon.info(name)["checks"] for name in near}
    for name in near:
        wait_for_another_check(daemon, name, before[name])
    assert [daemon.info(name)["failures"] for name in near] == [0] * len(near)


def wait_for_another_check(daemon: Daemon, name: str, before: int) -> None:
    wait_for(lambda: daemon.info(name)["checks"] > before, CHECK_SECONDS, f"a check of {name}")


def test_an_app_that_moved_to_another_address_is_found_though_its_record_lives(
    start_daemon: StartDaemon, lan: Lan
) -> None:
    long = "4500"
    watcher, first, second = lan.add("watcher"), lan.add("first"), lan.add("second")
    announcer = first.start_client("announce-host", "kodi.local", first.ipv4, long)
    assert announcer.stdout and announcer.stdout.readline()
    serving = first.start_client("serve", first.ipv4)
    assert serving.stdout
    port = serving.stdout.readline().strip()
    daemon = start_daemon(machine=watcher, bind_addr="0.0.0.0")
    base = f"http://{watcher.ipv4}:{daemon.port}/healthchecker"
    url = f"http://kodi.local:{port}"
    watcher.client("post", f"{base}/monitor?appname=Kodi&url={url}&interval=5&healthy=2")
    wait_for(lambda: state(watcher, base) == "HEALTHY", CHECK_SECONDS, "a healthy app")
    # Its plug is pulled, and it comes back elsewhere.
    for process in (announcer, serving):
        process.kill()
    assert second.start_client("serve", second.ipv4, port).stdout
    lan.switch.run("ip", "link", "set", f"port{second.number}", "down")
    moved = second.start_client("announce-host", "kodi.local", second.ipv4, long)
    assert moved.stdout and moved.stdout.readline()
    # Nobody heard the announcement.
    lan.switch.run("ip", "link", "set", f"port{second.number}", "up")
    wait_for(lambda: passed(watcher, base) >= 3, CHECK_SECONDS, "passes at the new address")
    assert info(watcher, base)["failed_in_a_row"] == 0


def info(machine: Machine, base: str) -> dict[str, object]:
    import json

    answer = machine.client("get", f"{base}/info?appname=Kodi")
    found: dict[str, object] = json.loads(answer["body"])
    return found


def state(machine: Machine, base: str) -> object:
    return info(machine, base)["state"]


def passed(machine: Machine, base: str) -> int:
    count = info(machine, base)["passed_in_a_row"]
    assert isinstance(count, int)
    return count
