"""Apps that report by themselves, on a machine that sleeps, whose clock jumps, or that has lost its clock."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conftest import StartDaemon
from daemon import BINARY, Daemon
from faketime import SleepyMachine
from waiting import wait_for

HOUR = 3600
DAY = 24 * HOUR
# Since 1970, so that a machine that has lost its clock is there.
DECADES = 56 * 365 * DAY
# A jump is seen after a second, and a busy machine is slow.
SEEN_SECONDS = 20
STATE_SECONDS = 60


@pytest.fixture
def machine(tmp_path: Path) -> SleepyMachine:
    machine = SleepyMachine(tmp_path)
    if reason := machine.why_unavailable():
        pytest.skip(reason)
    return machine


def begin(start_daemon: StartDaemon, machine: SleepyMachine, rhythms: dict[str, int]) -> Daemon:
    """A daemon that has heard of each app, which reports so often."""
    daemon = start_daemon(program=[*machine.enter(), str(BINARY)])
    for name, interval in rhythms.items():
        data = {"appname": name, "kind": "beat", "interval": interval}
        answer = daemon.post("/healthchecker/monitor", data=data)
        assert answer.status_code == 200, answer.text
        beat(daemon, name)
    return daemon


def beat(daemon: Daemon, name: str) -> None:
    answer = daemon.post("/healthchecker/beat", data={"appname": name})
    assert answer.status_code == 200, answer.text


def jump(daemon: Daemon, machine: SleepyMachine, offset: int) -> None:
    """The clock is wrong by so much from now on, and the daemon has seen it."""
    machine.set(offset)
    year = str((datetime.now(UTC) + timedelta(seconds=offset)).year)

    def told() -> bool:
        beat(daemon, "Mirror")
        return str(daemon.info("Mirror")["last_check"]["time"]).startswith(year)

    wait_for(told, SEEN_SECONDS, f"beats of {year}")


def wait_for_next(daemon: Daemon, name: str, within: str) -> None:
    """Until the page says when it is to report, at the latest."""
    said = re.compile(f"next beat within {within}\\b")

    def page() -> str:
        return daemon.get("/healthchecker/info", params={"appname": name, "format": "html"}).text

    wait_for(lambda: said.search(page()), SEEN_SECONDS, f"{name}: next beat within {within}")


def failures(daemon: Daemon) -> dict[str, tuple[str, int]]:
    apps = daemon.get("/healthchecker/status").json()["apps"]
    return {app["appname"]: (app["state"], app["failures"]) for app in apps}


WELL = ("HEALTHY", 0)


def test_a_deadline_goes_on_while_the_machine_sleeps_and_none_passes(
    start_daemon: StartDaemon, machine: SleepyMachine
) -> None:
    daemon = begin(start_daemon, machine, {"Backup": DAY, "Mirror": HOUR})
    wait_for_next(daemon, "Backup", "1 day 2 h")
    machine.sleep(10 * HOUR)
    wait_for_next(daemon, "Backup", "16 h")
    # That of the other fell into the sleep.
    wait_for_next(daemon, "Mirror", "1 h (5|6) min")
    machine.sleep(20 * HOUR)
    wait_for_next(daemon, "Backup", "2 h 2[34] min")
    assert failures(daemon) == {"Backup": WELL, "Mirror": WELL}
    beat(daemon, "Backup")
    wait_for_next(daemon, "Backup", "1 day 2 h")


def test_a_clock_that_jumps_moves_no_deadline(
    start_daemon: StartDaemon, machine: SleepyMachine
) -> None:
    daemon = begin(start_daemon, machine, {"Backup": DAY, "Mirror": HOUR})
    for offset in (400 * DAY, -DECADES, 0):
        jump(daemon, machine, offset)
        wait_for_next(daemon, "Backup", "1 day 2 h")
    assert failures(daemon) == {"Backup": WELL, "Mirror": WELL}
    # One that stays away is found, whatever the time is.
    jump(daemon, machine, 400 * DAY)
    data = {"appname": "Sensor", "kind": "beat", "interval": 5, "grace": 3}
    assert daemon.post("/healthchecker/monitor", data=data).status_code == 200
    beat(daemon, "Sensor")
    daemon.wait_for_state("Sensor", "UNHEALTHY", STATE_SECONDS)
    beat(daemon, "Sensor")
    daemon.wait_for_state("Sensor", "HEALTHY", 1)


def test_a_kill_on_a_machine_without_a_clock_battery_loses_no_deadline(
    start_daemon: StartDaemon, machine: SleepyMachine
) -> None:
    daemon = begin(start_daemon, machine, {"Backup": DAY})
    wait_for_next(daemon, "Backup", "1 day 2 h")
    for offset, within in ((-DECADES, "1 day 2 h"), (0, "1 day 2 h"), (25 * HOUR, "2 h 2[34] min")):
        daemon.kill()
        machine.set(offset)
        daemon.start()
        wait_for_next(daemon, "Backup", within)
        assert failures(daemon)["Backup"] == ("HEALTHY", 0)


def test_the_same_beat_twice_at_once_is_two_that_are_well(
    start_daemon: StartDaemon, machine: SleepyMachine
) -> None:
    daemon = begin(start_daemon, machine, {"Backup": DAY})
    before = daemon.info("Backup")["checks"]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: beat(daemon, "Backup"), range(16)))
    assert daemon.info("Backup")["checks"] == before + 16
    assert failures(daemon) == {"Backup": WELL}
    wait_for_next(daemon, "Backup", "1 day 2 h")
