"""Twelve apps on one host fall silent together: one mail for each person, and one more when all are well."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from conftest import StartDaemon
from crowd import Crowd
from daemon import Daemon
from smtp_server import SmtpServer
from waiting import wait_for

APPS = range(12)
SLOWEST = 60


def subjects(mailbox: SmtpServer, person: str = "owner@example.org") -> list[str]:
    """What came to a person after the welcome."""
    return [str(mail["Subject"]) for mail in mailbox.mails() if mail["To"] == person][1:]


def house(
    start_daemon: StartDaemon,
    mailbox: SmtpServer,
    crowd: Crowd,
    people: Sequence[str] = ("owner@example.org",),
) -> Daemon:
    """The apps are dealt out to the people in turn."""
    daemon = start_daemon(**mailbox.options())
    for app, person in zip(APPS, itertools.cycle(people), strict=False):
        daemon.register(
            f"app{app}", crowd.url(app), email=person, interval=5, timeout=2, healthy=2
        )
    for app in APPS:
        daemon.wait_for_state(f"app{app}", "HEALTHY", 30)
    wait_for(lambda: len(mailbox.mails()) == len(people), 20, "the welcome")
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


def test_each_person_hears_of_their_own_apps_in_one_mail(
    start_daemon: StartDaemon, mailbox: SmtpServer, crowd: Crowd
) -> None:
    people = ["ann@example.org", "ben@example.org"]
    daemon = house(start_daemon, mailbox, crowd, people)
    # One of Ann's is well all the time.
    crowd.hanging = {*APPS} - {0}
    daemon.wait_for_state("app1", "UNHEALTHY", 30)
    wait_for(lambda: all(subjects(mailbox, person) for person in people), SLOWEST, "the mails")
    crowd.recover()
    are_told = lambda: all(len(subjects(mailbox, person)) == 2 for person in people)  # noqa: E731
    wait_for(are_told, SLOWEST, "the ends")
    for person, count in zip(people, (5, 6), strict=True):
        trouble, end = subjects(mailbox, person)
        assert trouble.startswith(f"[HealthChecker] {count} apps are UNHEALTHY: app"), trouble
        assert end.startswith(f"[HealthChecker] {count} apps are HEALTHY again after "), end


def test_a_switch_takes_along_who_is_behind_it_and_the_end_waits_for_who_stays_away(
    start_daemon: StartDaemon, mailbox: SmtpServer, crowd: Crowd
) -> None:
    daemon = house(start_daemon, mailbox, crowd)
    for app in range(1, 6):
        behind = {"parent": "app0", "email": "owner@example.org"}
        daemon.register(f"app{app}", crowd.url(app), interval=5, timeout=2, healthy=2, **behind)
    crowd.hanging = set(range(6))
    wait_for(lambda: subjects(mailbox), SLOWEST, "the mail")
    assert subjects(mailbox) == ["[HealthChecker] 6 apps are UNHEALTHY: app0 and 5 behind it"]
    crowd.hanging = {4}
    daemon.wait_for_state("app0", "HEALTHY", 30)
    for app in (1, 2, 3, 5):
        daemon.wait_for_state(f"app{app}", "HEALTHY", 30)
    assert daemon.info("app4")["state"] == "UNHEALTHY" and len(subjects(mailbox)) == 1
    crowd.recover()
    wait_for(lambda: len(subjects(mailbox)) == 2, SLOWEST, "the end")
    assert subjects(mailbox)[1].startswith("[HealthChecker] 6 apps are HEALTHY again after ")
