"""Who may be told: `allow_email`, and how many mails at full speed."""

from __future__ import annotations

import pytest

from conftest import NewTarget, StartDaemon
from smtp_server import USER, SmtpServer
from target import Target
from waiting import wait_for

STRANGER = "stranger@elsewhere.example"
FRIEND = "Friend@Example.org"
MAIL_SECONDS = 30
# Mails of trouble to one person that wait for no others.
AT_FULL_SPEED = 2
APPS = 25


def options(mailbox: SmtpServer, **more: object) -> dict[str, object]:
    return {**mailbox.options(), "email": USER, **more}


def recipients(mailbox: SmtpServer) -> set[str]:
    return {to for envelope in mailbox.envelopes for to in envelope.rcpt_tos}


@pytest.mark.parametrize("named", [STRANGER, f"{FRIEND}, {STRANGER}"])
def test_another_recipient_is_refused_and_the_field_is_named(
    start_daemon: StartDaemon, mailbox: SmtpServer, named: str
) -> None:
    daemon = start_daemon(**options(mailbox, allow_email="*@example.org"))
    app = {"appname": "NAS", "url": "http://127.0.0.1:9/", "email": named}
    answer = daemon.post("/healthchecker/monitor", data=app)
    assert answer.status_code == 400
    error = answer.json()
    assert error["field"] == "email"
    assert STRANGER in error["error"] and "allow_email" in error["error"]
    assert daemon.get("/healthchecker/info?appname=NAS").status_code == 404
    for allowed in [FRIEND, USER, ""]:
        daemon.register("NAS", "http://127.0.0.1:9/", email=allowed)


def test_whom_an_app_named_before_gets_no_mail_and_the_owner_gets_it_instead(
    start_daemon: StartDaemon, mailbox: SmtpServer, new_target: NewTarget
) -> None:
    waiting, watched = new_target(), new_target()
    daemon = start_daemon(**options(mailbox))
    mailbox.answer("RCPT", "451 4.3.0 not now")
    daemon.register("Waiting", waiting.url, email=STRANGER, interval=5)
    daemon.wait_for_log(f"mail to {STRANGER} not sent", MAIL_SECONDS)
    daemon.register("Later", watched.url, email=STRANGER, interval=5)
    daemon.stop()
    mailbox.behave()
    daemon.options["allow_email"] = "*@example.org"
    daemon.start()
    daemon.wait_for_log(f"allow_email lets no mail go to {STRANGER}, whom 2 apps named", 5)
    wait_for(lambda: "Later" in subjects(mailbox), MAIL_SECONDS, "the welcome of the later app")
    assert recipients(mailbox) == {USER}
    assert "Waiting" in subjects(mailbox)
    first = mailbox.mails()[0].get_body(("plain",))
    assert first and f"This mail was meant for {STRANGER}" in first.get_content()


def test_after_two_mails_of_trouble_the_rest_waits_and_comes_as_one_also_after_a_restart(
    start_daemon: StartDaemon, mailbox: SmtpServer, target: Target
) -> None:
    daemon = start_daemon(**options(mailbox))
    for number in range(APPS):
        daemon.register(f"App{number:02}", target.url, interval=5)
    wait_for(lambda: mailbox.mails(), MAIL_SECONDS, "the welcome")
    target.fails("all of them")
    for number in range(APPS):
        daemon.wait_for_state(f"App{number:02}", "UNHEALTHY", MAIL_SECONDS)
    had = 1 + AT_FULL_SPEED
    wait_for(lambda: len(mailbox.envelopes) == had, MAIL_SECONDS, "the first of trouble")
    daemon.kill()
    daemon.start()
    daemon.register("App99", target.url, interval=5)
    daemon.wait_for_state("App99", "UNHEALTHY", MAIL_SECONDS)
    assert len(mailbox.envelopes) == had, subjects(mailbox)
    (waiting,) = daemon.get("/health").json()["checks"]["outbox:waiting"]
    assert waiting["observedValue"] == 1, "what waits is one mail"
    assert "output" not in waiting, "and waits on purpose"


def subjects(mailbox: SmtpServer) -> str:
    return "; ".join(mail["Subject"] for mail in mailbox.mails())
