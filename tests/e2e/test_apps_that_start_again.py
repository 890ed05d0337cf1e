"""Apps register whenever they start: a deployment is no trouble, a crash loop is."""

from __future__ import annotations

from conftest import StartDaemon
from daemon import Daemon
from smtp_server import SmtpServer
from target import Target
from waiting import wait_for

SOON = 15


def subjects(mailbox: SmtpServer) -> list[str]:
    """What came after the welcome."""
    return [str(mail["Subject"]) for mail in mailbox.mails()[1:]]


def watched(start_daemon: StartDaemon, mailbox: SmtpServer, target: Target) -> Daemon:
    daemon = start_daemon(email="owner@example.org", **mailbox.options())
    daemon.register("Wiki", target.url, interval=5, healthy=2)
    daemon.wait_for_state("Wiki", "HEALTHY", SOON)
    wait_for(lambda: len(mailbox.mails()) == 1, 20, "the welcome")
    return daemon


def wait_for_a_check(daemon: Daemon, what: str) -> None:
    """Until one more has ended so."""
    before = daemon.info("Wiki")[what]
    wait_for(lambda: daemon.info("Wiki")[what] > before, SOON, f"one of the {what}")


def test_five_deployments_in_a_row_tell_nobody(
    start_daemon: StartDaemon, mailbox: SmtpServer, target: Target
) -> None:
    daemon = watched(start_daemon, mailbox, target)
    for _ in range(5):
        wait_for_a_check(daemon, "checks")
        # Down and up again before the next one.
        target.refuses()
        target.listens()
        daemon.register("Wiki", target.url, interval=5, healthy=2)
    wait_for_a_check(daemon, "checks")
    assert daemon.info("Wiki")["state"] == "HEALTHY" and subjects(mailbox) == []


def test_a_crash_loop_is_told_though_passes_lie_between(
    start_daemon: StartDaemon, mailbox: SmtpServer, target: Target
) -> None:
    daemon = watched(start_daemon, mailbox, target)
    for start in (1, 2):
        assert subjects(mailbox) == [], f"after {start} starts"
        target.fails("out of memory")
        wait_for_a_check(daemon, "failures")
        target.passes()
        daemon.register("Wiki", target.url, interval=5, healthy=2)
        wait_for_a_check(daemon, "checks")
    wait_for(lambda: subjects(mailbox), SOON, "the mail")
    assert subjects(mailbox)[0] == "[HealthChecker] Wiki is DEGRADED"
    text = mailbox.mails()[1].get_body(("plain",))
    assert text and "it registered 3 times within 10 min" in text.get_content()
