"""Postfix and Exim as people run them: what they have against us keeps the mail, and says what helps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import StartDaemon
from mail_servers import (
    ABROAD, DOMAIN, HOST, LOGIN, OTHER, OWNER, PASSWORD, SPAM, Exim, Postfix, exim, postfix,  # noqa: F401
)  # fmt: skip
from target import Answer, Target
from test_mail import EXIT_NOT_SENT, EXIT_OK, Outcome
from test_mail_trouble import CHANGE_SECONDS, MAIL_SECONDS, QUICK, outbox, text
from waiting import wait_for

ACCOUNT = {"smtp_user": LOGIN, "smtp_password": PASSWORD}


def through(port: int, **more: object) -> dict[str, object]:
    """What a daemon must be told to send its mails there."""
    return {"smtp_host": HOST, "smtp_port": port, "smtp_security": "none", "mail_from": OWNER, **more}


@pytest.mark.parametrize(
    ("service", "to", "options", "said"),
    [
        ("open", OWNER, {}, "accepted (250 2.0.0 Ok: queued"),
        ("whole_name", OWNER, {}, "accepted (250 2.0.0 Ok: queued"),
        ("own_sender", OWNER, ACCOUNT, "accepted (250 2.0.0 Ok: queued"),
        ("own_sender", OWNER, {**ACCOUNT, "mail_from": OTHER},
         "not to this address, or not with these settings: the mail server answered the recipient with 553 5.7.1 "),
        ("own_sender", OWNER, {**ACCOUNT, "smtp_password": "wrong"},
         "not with these settings: the mail server answered the login with 535 5.7.8 "),
        ("no_clients", OWNER, {},
         "not to this address, or not with these settings: the mail server answered the recipient with 554 5.7.1 "),
        ("open", ABROAD, {},
         "not to this address, or not with these settings: the mail server answered the recipient with 554 5.7.1 "),
        ("open", f"nobody@{DOMAIN}", {},
         "refused: the mail server answered the recipient with 550 5.1.1 "),
        ("open", f'"home server"@{DOMAIN}', {},
         "refused: the mail server answered the recipient with 550 5.1.1 "),
    ],
)  # fmt: skip
def test_only_a_mailbox_that_there_is_not_is_refused_by_postfix(
    postfix: Postfix, tmp_path: Path, service: str, to: str, options: dict[str, object], said: str
) -> None:
    outcome = Outcome(tmp_path, email=to, **through(postfix.ports[service], **options))
    assert f"{to}: {said}" in outcome.words, outcome.words
    accepted = said.startswith("accepted")
    assert outcome.code == (EXIT_OK if accepted else EXIT_NOT_SENT)
    advice = {"mail_from": "check mail_from", "smtp_password": "check smtp_user"}
    for option, words in advice.items():
        if options.get(option) not in (None, PASSWORD):
            assert words in outcome.words, outcome.words


def test_an_alert_arrives_once_postfix_lets_us_in(
    postfix: Postfix, start_daemon: StartDaemon, target: Target
) -> None:
    daemon = start_daemon(email=OWNER, **through(postfix.ports["no_clients"]))
    target.fails("the disk of Kodi")
    daemon.register("Kodi", target.url, **QUICK)
    daemon.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS)
    wait_for(lambda: "554 5.7.1" in str(outbox(daemon).get("output")), MAIL_SECONDS, "a refusal")
    assert outbox(daemon)["observedValue"] == 1
    assert daemon.get("/health").json()["status"] == "warn"
    daemon.stop()
    daemon.options |= through(postfix.ports["own_sender"], **ACCOUNT)
    daemon.start()
    wait_for(lambda: outbox(daemon)["observedValue"] == 0, MAIL_SECONDS, "an empty outbox")
    told = lambda: [mail for mail in postfix.mails() if "Kodi is UNHEALTHY" in text(mail)]  # noqa: E731
    wait_for(told, MAIL_SECONDS, "the alert")
    assert len(told()) == 1
    assert daemon.get("/health").json()["status"] == "pass"


def test_a_filter_that_does_not_like_what_an_app_says_does_not_keep_the_alert(
    postfix: Postfix, start_daemon: StartDaemon, target: Target
) -> None:
    daemon = start_daemon(email=OTHER, **through(postfix.ports["filter"]))
    body = json.dumps({"status": "fail", "output": "no oil", "notes": [SPAM]})
    target.answers(Answer(body=body))
    daemon.register("Boiler", target.url, **QUICK)
    daemon.wait_for_state("Boiler", "UNHEALTHY", CHANGE_SECONDS)
    wait_for(lambda: postfix.mails("other"), MAIL_SECONDS, "the alert")
    (mail,) = postfix.mails("other")
    assert "Boiler is UNHEALTHY" in text(mail) and "no oil" in text(mail)
    assert SPAM not in mail.as_string()
    daemon.wait_for_log("550 5.7.1 this is spam", MAIL_SECONDS)


def test_an_alert_that_exim_did_not_want_to_relay_arrives_when_it_may(
    exim: Exim, start_daemon: StartDaemon, target: Target
) -> None:
    daemon = start_daemon(email=ABROAD, **through(exim.port))
    target.fails("the disk of Kodi")
    daemon.register("Kodi", target.url, **QUICK)
    daemon.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS)
    wait_for(lambda: "550 relay not permitted; the server may want a login" in
             str(outbox(daemon).get("output")), MAIL_SECONDS, "a refusal")  # fmt: skip
    assert outbox(daemon)["observedValue"] == 1
    daemon.stop()
    # The owner has the mail go to where it may.
    daemon.options |= {"email": OWNER, "allow_email": f"*@{DOMAIN}"}
    daemon.start()
    wait_for(exim.mails, MAIL_SECONDS, "the alert")
    (mail,) = exim.mails()
    assert "Kodi is UNHEALTHY" in text(mail)
    wait_for(lambda: outbox(daemon)["observedValue"] == 0, MAIL_SECONDS, "an empty outbox")


@pytest.mark.parametrize(
    ("to", "mail_from", "said"),
    [
        (OWNER, OTHER, "the mail settings do not work: .*553 5.7.1 .*; check mail_from"),
        (f"nobody@{DOMAIN}", OWNER, f"email names a mailbox .* nobody@{DOMAIN}: .*550 5.1.1 "),
        (OWNER, OWNER, "the mail server is there and lets us in"),
    ],
)
def test_what_postfix_has_against_us_is_said_at_the_start(
    postfix: Postfix, start_daemon: StartDaemon, to: str, mail_from: str, said: str
) -> None:
    options = through(postfix.ports["own_sender"], **ACCOUNT) | {"mail_from": mail_from}
    before = len(postfix.mails())
    daemon = start_daemon(email=to, **options)
    daemon.wait_for_log(said, MAIL_SECONDS)
    health = daemon.get("/health").json()
    assert health["status"] == ("warn" if mail_from == OTHER else "pass")
    assert len(postfix.mails()) == before, "no mail is sent for that"
