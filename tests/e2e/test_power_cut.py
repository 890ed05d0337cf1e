"""The power goes and comes back: each boot has another `boot_id`, and who is not back is told once."""

from __future__ import annotations

import json
import subprocess
import uuid
from pathlib import Path

import pytest

from browser import Browser
from conftest import StartDaemon
from crowd import Crowd
from daemon import BINARY, Daemon
from faketime import own_file
from smtp_server import SmtpServer
from waiting import wait_for

BOOT_ID = "/proc/sys/kernel/random/boot_id"
# The shortest that can be set.
SETTLE = 60
APPS = range(6)
# Of these two never come back by themselves.
LOST = {4, 5}


class Machine:
    """Boots again and again, as far as a program in it can tell."""

    def __init__(self, folder: Path) -> None:
        self.boot_id = folder / "boot_id"
        self.boot()

    def boot(self) -> None:
        self.boot_id.write_text(f"{uuid.uuid4()}\n")

    def enter(self) -> list[str]:
        """What makes a program see the boot of this machine."""
        return own_file(self.boot_id, BOOT_ID)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    seen = subprocess.run([*machine.enter(), "cat", BOOT_ID], capture_output=True, text=True)
    if seen.stdout != machine.boot_id.read_text():
        pytest.skip(f"no mount of our own here: {seen.stderr}")
    return machine


def house(start_daemon: StartDaemon, machine: Machine, mailbox: SmtpServer, crowd: Crowd) -> Daemon:
    """A daemon whose apps are well, and whose owner knows that they are watched."""
    daemon = start_daemon(
        program=[*machine.enter(), str(BINARY)],
        settle="1m",
        email="owner@example.org",
        **mailbox.options(),
    )
    for app in APPS:
        daemon.register(f"app{app}", crowd.url(app), interval=5, timeout=2, healthy=2)
    for app in APPS:
        daemon.wait_for_state(f"app{app}", "HEALTHY", 30)
    wait_for(lambda: len(mailbox.mails()) == 1, 20, "the welcome")
    return daemon


def cut(daemon: Daemon, machine: Machine, crowd: Crowd) -> None:
    """The power goes for all, and comes back."""
    daemon.kill()
    crowd.hanging = set(APPS)
    crowd.forget()
    machine.boot()
    daemon.start()
    wait_for(lambda: len(crowd.asked) == len(APPS), 20, "a first check of each")


def states(daemon: Daemon) -> list[str]:
    return [daemon.info(f"app{app}")["state"] for app in APPS]


def subjects(mailbox: SmtpServer) -> list[str]:
    """What came after the welcome."""
    return [str(mail["Subject"]) for mail in mailbox.mails()[1:]]


def test_after_a_power_cut_one_report_names_who_is_not_back_and_one_mail_their_return(
    start_daemon: StartDaemon, machine: Machine, mailbox: SmtpServer, crowd: Crowd
) -> None:
    daemon = house(start_daemon, machine, mailbox, crowd)
    cut(daemon, machine, crowd)
    assert states(daemon) == ["UNKNOWN"] * len(APPS)
    assert daemon.info("app0")["settling_since"] is not None
    # A second cut before the first is over.
    cut(daemon, machine, crowd)
    crowd.hanging = LOST
    well = lambda: states(daemon) == ["HEALTHY"] * 4 + ["UNKNOWN"] * 2  # noqa: E731
    wait_for(well, 30, "the return of four")
    wait_for(lambda: subjects(mailbox), SETTLE + 10, "the report")
    assert states(daemon) == ["HEALTHY"] * 4 + ["UNHEALTHY"] * 2
    # Killed after the report: what it owes is on disk.
    daemon.kill()
    daemon.start()
    crowd.recover()
    wait_for(lambda: len(subjects(mailbox)) == 2, 30, "the end of the report")
    assert subjects(mailbox)[0] == (
        "[HealthChecker] Power came back: 4 of 6 are well, not app4, app5"
    )
    assert subjects(mailbox)[1].startswith("[HealthChecker] 2 apps are HEALTHY again after ")
    [incident] = daemon.get("/healthchecker/incidents").json()["incidents"]
    assert [incident[name] for name in ("kind", "cause", "ended_by")] == [
        "power",
        "power cut",
        "recovery",
    ]
    assert {app["appname"]: app["state"] for app in incident["apps"]} == {
        f"app{app}": "HEALTHY" for app in APPS
    }
    assert [told["email"] for told in incident["told"]] == ["owner@example.org"]


def test_in_a_browser_it_is_seen_who_is_missing_and_what_came_of_it(
    start_daemon: StartDaemon,
    machine: Machine,
    mailbox: SmtpServer,
    crowd: Crowd,
    browser: Browser,
) -> None:
    daemon = house(start_daemon, machine, mailbox, crowd)
    cut(daemon, machine, crowd)
    crowd.hanging = LOST
    wait_for(lambda: states(daemon).count("HEALTHY") == 4, 30, "the return of four")
    browser.open(daemon.base + "/")
    notice = browser.text(".notice")
    assert notice.startswith("Settling since ") and notice.endswith(
        ": 4 of 6 are back, not app4, app5"
    )
    assert "settling since " in browser.text("#app-app4") and "has not answered yet" in (
        browser.text("#app-app4")
    )
    browser.click('footer a[href$="incidents"]')
    assert browser.see("document.title") == "Incidents · HealthChecker"
    assert browser.text("section h2").strip() == "Power cut"
    assert ", open for " in browser.text("section p")
    rows = browser.text("section .log")
    assert rows.count("UNKNOWN") == 2 and rows.count("HEALTHY") == 4, rows
    violations = browser.violations()
    assert violations == [], json.dumps(violations, indent=1)
    assert browser.complaints == []
    crowd.recover()
    wait_for(lambda: states(daemon) == ["HEALTHY"] * 6, 30, "all of them")
    browser.open(daemon.base + "/healthchecker/incidents", script=False)
    assert ", over after " in browser.text("section p")
    assert "Settling" not in browser.text()
    browser.open(daemon.base + "/healthchecker/incidents", dark=True, width=360)
    assert browser.see("document.documentElement.scrollWidth <= innerWidth")
    violations = browser.violations()
    assert violations == [], json.dumps(violations, indent=1)


def test_a_machine_that_was_stopped_in_order_and_finds_all_well_says_nothing(
    start_daemon: StartDaemon, machine: Machine, mailbox: SmtpServer, crowd: Crowd
) -> None:
    daemon = house(start_daemon, machine, mailbox, crowd)
    daemon.stop()
    machine.boot()
    crowd.hanging = {0}
    daemon.start()
    wait_for(lambda: states(daemon) == ["UNKNOWN"] + ["HEALTHY"] * 5, 30, "all but one")
    crowd.recover()
    wait_for(lambda: states(daemon) == ["HEALTHY"] * 6, 30, "the last one")
    daemon.wait_for_log("that time is over: 6 apps are back, 0 are not", 5)
    [incident] = daemon.get("/healthchecker/incidents").json()["incidents"]
    assert (incident["cause"], incident["told"]) == ("our restart", [])
    assert [app["appname"] for app in incident["apps"]] == ["app0"]
    # Nothing settles within one boot: who does not answer now is told at once.
    daemon.kill()
    daemon.start()
    crowd.hanging = {0}
    wait_for(lambda: subjects(mailbox), 30, "the alarm")
    assert subjects(mailbox) == ["[HealthChecker] app0 is UNHEALTHY"]
