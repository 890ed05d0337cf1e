"""A daemon that has nothing to do sleeps (under one wake-up a second)."""

from __future__ import annotations

import re
import time
from pathlib import Path

from conftest import StartDaemon
from daemon import Daemon
from lan import Lan

MEASURED_SECONDS = 15
SWITCHES = re.compile(r"^(?:non)?voluntary_ctxt_switches:\s*(\d+)$", re.MULTILINE)


def switches(pid: int) -> dict[str, int]:
    """Context switches so far, of each thread."""
    tasks = Path(f"/proc/{pid}/task")
    return {
        task.name: sum(int(number) for number in SWITCHES.findall((task / "status").read_text()))
        for task in tasks.iterdir()
    }


def wake_ups_per_second(daemon: Daemon) -> float:
    """How often any thread ran, over some seconds."""
    before = switches(daemon.pid)
    began = time.monotonic()
    time.sleep(MEASURED_SECONDS)
    after = switches(daemon.pid)
    woken = sum(number - before.get(task, 0) for task, number in after.items())
    return woken / (time.monotonic() - began)


def test_without_apps_it_sleeps(daemon: Daemon) -> None:
    assert wake_ups_per_second(daemon) < 1


def test_announced_without_apps_it_sleeps(start_daemon: StartDaemon, lan: Lan) -> None:
    daemon = start_daemon(machine=lan.add("server"), bind_addr="0.0.0.0", announce=True)
    # The announcement is watched more closely until this line.
    daemon.wait_for_log("announced as", 15)
    assert wake_ups_per_second(daemon) < 1
