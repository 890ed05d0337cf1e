"""The story that the program exists for: an app registers, fails, recovers, and a person is told.

Everything is real: the binary, the app, the mail server with STARTTLS and a login.
"""

from __future__ import annotations

import re
import time
from email.message import EmailMessage
from typing import Any

import pytest

from conftest import StartDaemon
from daemon import Daemon
from mails import Mailbox
from target import Target
from waiting import wait_for

OWNER = "owner@household.example"

INTERVAL = 5
TIMEOUT = 2
QUICK = {"interval": INTERVAL, "timeout": TIMEOUT, "unhealthy": 2, "healthy": 2}

# Two checks, the first of which has just missed the change, and what a loaded machine adds.
CHANGE_SECONDS = 3 * INTERVAL + TIMEOUT + 5
# First passes are gathered for ten seconds.
GATHERING_SECONDS = 10
MAIL_SECONDS = 10


@pytest.fixture
def watching(start_daemon: StartDaemon, mailbox: Mailbox) -> Daemon:
    """A daemon that mails its owner."""
    return start_daemon(email=OWNER, **mailbox.options())


def settle() -> None:
    """Time in which a mail too many would have come."""
    time.sleep(INTERVAL)


def subjects(mailbox: Mailbox) -> list[str]:
    return [str(mail["Subject"]) for mail in mailbox.mails()]


def wait_for_mails(mailbox: Mailbox, number: int, seconds: float) -> list[EmailMessage]:
    """Waits until so many mails have come in all."""
    wait_for(lambda: len(mailbox.mails()) >= number, seconds, f"mail number {number}")
    return mailbox.mails()


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None, mail
    text: str = part.get_content()
    return text


def test_an_app_is_watched_fails_and_recovers(
    watching: Daemon, mailbox: Mailbox, target: Target
) -> None:
    registered = time.monotonic()
    watching.register("Kodi", target.url, **QUICK)
    info = watching.info("Kodi")
    assert (info["state"], info["passed_in_a_row"] <= 1) == ("UNKNOWN", True)

    # UNKNOWN -> HEALTHY: two passes; no mail but the gathered first one.
    watching.wait_for_state("Kodi", "HEALTHY", CHANGE_SECONDS)
    assert target.requests[0].time - registered < 1.5
    (watch,) = wait_for_mails(mailbox, 1, GATHERING_SECONDS + MAIL_SECONDS)
    assert time.monotonic() - registered > GATHERING_SECONDS - 1
    assert "Now watching" in watch["Subject"] and "Kodi" in watch["Subject"]

    # HEALTHY -> UNHEALTHY: two failures, and straight there.
    target.fails("disk 98 % full")
    watching.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS)
    alert = wait_for_mails(mailbox, 2, MAIL_SECONDS)[1]
    assert alert["Subject"] == "[HealthChecker] Kodi is UNHEALTHY"
    assert alert["To"] == OWNER
    assert alert["Auto-Submitted"] == "auto-generated"
    assert alert["Date"] and alert["Message-ID"]
    for kind in ("plain", "html"):
        assert "disk 98 % full" in body(alert, kind)
        assert "Kodi" in body(alert, kind)
    assert "http://" in body(alert, "plain")

    # UNHEALTHY -> HEALTHY: two passes, told in the alert's thread.
    target.passes()
    watching.wait_for_state("Kodi", "HEALTHY", CHANGE_SECONDS)
    recovery = wait_for_mails(mailbox, 3, MAIL_SECONDS)[2]
    assert re.fullmatch(
        r"\[HealthChecker\] Kodi is HEALTHY again after \d+ .+", recovery["Subject"]
    )
    assert_answers(recovery, alert)

    settle()
    assert len(mailbox.mails()) == 3, subjects(mailbox)
    assert len({mail["Message-ID"] for mail in mailbox.mails()}) == 3
    info = watching.info("Kodi")
    assert info["failures"] >= 2 and info["checks"] > info["failures"]
    assert 0 < info["uptime_24h"] < 1


def assert_answers(mail: EmailMessage, first: EmailMessage) -> None:
    """The mail stands in the thread that `first` began."""
    assert mail["In-Reply-To"] == first["Message-ID"]
    assert first["Message-ID"] in str(mail["References"]).split()


def test_one_lone_failure_alarms_nobody(watching: Daemon, mailbox: Mailbox, target: Target) -> None:
    watching.register("Kodi", target.url, **QUICK)
    watching.wait_for_state("Kodi", "HEALTHY", CHANGE_SECONDS)
    target.fails("a hiccup")
    wait_for(lambda: watching.info("Kodi")["failed_in_a_row"] == 1, CHANGE_SECONDS, "a failure")
    target.passes()
    wait_for(lambda: watching.info("Kodi")["passed_in_a_row"] == 2, CHANGE_SECONDS, "two passes")
    info = watching.info("Kodi")
    assert (info["state"], info["failures"]) == ("HEALTHY", 1)
    wait_for_mails(mailbox, 1, GATHERING_SECONDS + MAIL_SECONDS)
    settle()
    assert len(mailbox.mails()) == 1, subjects(mailbox)


def test_an_app_that_registers_before_it_listens_raises_no_alarm(
    watching: Daemon, mailbox: Mailbox, target: Target
) -> None:
    """The classic Flask program calls `monitor()` and then `app.run()`."""
    target.refuses()
    watching.register("Flask", target.url, **QUICK)
    last = wait_for(lambda: watching.info("Flask")["last_check"], 3, "the first check")
    assert last["outcome"] == "fail" and "refused" in last["reason"]
    assert watching.info("Flask")["failed_in_a_row"] == 0
    time.sleep(INTERVAL / 2)
    target.passes()
    watching.wait_for_state("Flask", "HEALTHY", CHANGE_SECONDS)
    wait_for_mails(mailbox, 1, GATHERING_SECONDS + MAIL_SECONDS)
    settle()
    (only,) = mailbox.mails()
    assert "Now watching" in only["Subject"]


def test_an_app_that_registers_again_keeps_its_state_and_its_alert(
    watching: Daemon, mailbox: Mailbox, target: Target
) -> None:
    target.fails("no database")
    watching.register("Shop", target.url, **QUICK)
    sick = watching.wait_for_state("Shop", "UNHEALTHY", CHANGE_SECONDS)
    (alert,) = wait_for_mails(mailbox, 1, MAIL_SECONDS)
    watching.register("Shop", target.url, **QUICK)
    again = watching.info("Shop")
    assert (again["state"], again["since"]) == ("UNHEALTHY", sick["since"])
    assert again["checks"] >= sick["checks"]
    target.passes()
    watching.wait_for_state("Shop", "HEALTHY", CHANGE_SECONDS)
    wait_for(lambda: recovery_of(mailbox), MAIL_SECONDS, "the recovery")
    assert_answers(recovery_of(mailbox)[0], alert)
    settle()
    assert subjects(mailbox).count("[HealthChecker] Shop is UNHEALTHY") == 1


def recovery_of(mailbox: Mailbox) -> list[EmailMessage]:
    return [mail for mail in mailbox.mails() if "is HEALTHY again after" in mail["Subject"]]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_restart_changes_nothing(
    watching: Daemon, mailbox: Mailbox, target: Target, end: str
) -> None:
    target.fails("no database")
    watching.register("Shop", target.url, **QUICK)
    watching.wait_for_state("Shop", "UNHEALTHY", CHANGE_SECONDS)
    (alert,) = wait_for_mails(mailbox, 1, MAIL_SECONDS)
    before = watching.info("Shop")
    port = watching.port
    getattr(watching, end)()
    watching.start()
    assert watching.port == port, "clients must find it where it was"
    after = watching.info("Shop")
    same = ("state", "since", "url", "interval", "timeout", "unhealthy", "healthy", "email")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    settle()
    target.passes()
    watching.wait_for_state("Shop", "HEALTHY", CHANGE_SECONDS)
    wait_for(lambda: recovery_of(mailbox), MAIL_SECONDS, "the recovery")
    assert_answers(recovery_of(mailbox)[0], alert)
    # Killed between the server's 250 and our note of it, the same mail may come again.
    alerts = [mail for mail in mailbox.mails() if mail["Subject"] == alert["Subject"]]
    assert {mail["Message-ID"] for mail in alerts} == {alert["Message-ID"]}
    assert len(alerts) == 1 or end == "kill"


def test_a_hanging_app_is_unhealthy_and_the_reason_says_so(
    watching: Daemon, mailbox: Mailbox, target: Target
) -> None:
    watching.register("Kodi", target.url, **QUICK)
    watching.wait_for_state("Kodi", "HEALTHY", CHANGE_SECONDS)
    target.hangs()
    watching.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS + TIMEOUT)
    last: dict[str, Any] = watching.info("Kodi")["last_check"]
    assert last["reason"] == f"no answer within {TIMEOUT} s"
    assert last["http_status"] is None
    assert TIMEOUT * 1000 <= last["latency_ms"] < TIMEOUT * 1000 + 500
