"""Twelve apps on one host fall silent together: one mail, and one more when all are well."""

from __future__ import annotations

from conftest import StartDaemon
from crowd import Crowd
from daemon import Daemon
from smtp_server import SmtpServer
from waiting import wait_for

APPS = range(12)
SLOWEST = 60


def subjects(mailbox: SmtpServer) -> list[str]:
    """What came after the welcome."""
    return [str(mail["Subject"]) for mail in mailbox.mails()[1:]]


def house(start_daemon: StartDaemon, mailbox: SmtpServer, crowd: Crowd) -> Daemon:
    daemon = start_daemon(email="owner@example.org", **mailbox.options())
    for app in APPS:
        daemon.register(f"app{app}", crowd.url(app), interval=5, timeout=2, healthy=2)
    for app in APPS:
        daemon.wait_for_state(f"app{app}", "HEALTHY", 30)
    wait_for(lambda: len(mailbox.mails()) == 1, 20, "the welcome")
    return daemon


def test_twelve_apps_on_one_host_die_and_return_in_two_mails(
    start_daemon: StartDaemon, mailbox: SmtpServer, crowd: Crowd
) -> None:
    daemon = house(start_daemon, mailbox, crowd)
    crowd.hanging = set(APPS)
    daemon.wait_for_state("app0", "UNHEALTHY", 30)
    # An upgrade in the middle of it.
    daemon.stop()
    daemon.start()
    wait_for(lambda: subjects(mailbox), SLOWEST, "the mail")
    (subject,) = subjects(mailbox)
    assert subject.startswith("[HealthChecker] 12 apps are UNHEALTHY: app"), subject
    crowd.recover()
    wait_for(lambda: len(subjects(mailbox)) == 2, SLOWEST, "the end")
    assert subjects(mailbox)[1].startswith("[HealthChecker] 12 apps are HEALTHY again after ")


def test_one_alone_is_told_at_once(
    start_daemon: StartDaemon, mailbox: SmtpServer, crowd: Crowd
) -> None:
    daemon = house(start_daemon, mailbox, crowd)
    crowd.hanging = {3}
    daemon.wait_for_state("app3", "UNHEALTHY", 30)
    wait_for(lambda: subjects(mailbox), 10, "the mail")
    assert subjects(mailbox) == ["[HealthChecker] app3 is UNHEALTHY"]
