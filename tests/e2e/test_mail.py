"""`healthchecker test-mail`: one mail through a real conversation, and what came of it in words."""

from __future__ import annotations

import email.utils
import os
import smtplib
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from daemon import BINARY
from smtp_server import HANG_UP, HOST, PASSWORD, TOKEN, USER, NewSmtpServer, SmtpServer

OTHER = "neighbour@household.example"

EXIT_OK = 0
EXIT_NOT_SENT = 1
EXIT_NOT_CONFIGURED = 78

# One attempt may take two minutes at the most; here nobody is slow.
SECONDS = 30


class Outcome:
    """What `test-mail` said, and how it ended."""

    def __init__(self, folder: Path, *args: str, **options: object) -> None:
        given = {f"HEALTHCHECKER_{name.upper()}": str(value) for name, value in options.items()}
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        done = subprocess.run(
            [str(BINARY), "test-mail", *args],
            cwd=folder,
            env={**kept, "HOME": str(folder), **given},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        self.words, self.code = done.stdout, done.returncode
        assert PASSWORD not in self.words, "a secret is never shown"


@pytest.mark.parametrize("login", [True, False])
@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
def test_a_mail_goes_out(
    new_smtp_server: NewSmtpServer, tmp_path: Path, security: str, login: bool
) -> None:
    server = new_smtp_server(security=security, login=login)
    outcome = Outcome(tmp_path, email=OTHER, **server.options())
    assert outcome.code == EXIT_OK, outcome.words
    assert f"{OTHER}: accepted (250 2.0.0 OK queued)" in outcome.words
    assert server.logins == ([("PLAIN", USER)] if login else [])
    (envelope,) = server.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == (USER, [OTHER])


def test_the_mail_is_one_that_mail_programs_like(mailbox: SmtpServer, tmp_path: Path) -> None:
    Outcome(tmp_path, email=OTHER, public_url="http://pi.example/", **mailbox.options())
    (mail,) = mailbox.mails()
    assert mail["Subject"] == "[HealthChecker] Test mail"
    assert mail["From"] == f"HealthChecker <{USER}>"
    assert mail["To"] == OTHER
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@household.example>")
    assert mail["In-Reply-To"] is None
    sent = email.utils.parsedate_to_datetime(mail["Date"]).timestamp()
    assert abs(time.time() - sent) < SECONDS
    assert mail.get_content_type() == "multipart/alternative"
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part and part.get_content_charset() == "utf-8"
        assert "Mail works" in part.get_content() and "http://pi.example/" in part.get_content()


def test_everyone_gets_a_mail_of_his_own(mailbox: SmtpServer, tmp_path: Path) -> None:
    outcome = Outcome(tmp_path, email=f"{OTHER},{USER}", **mailbox.options())
    assert outcome.code == EXIT_OK, outcome.words
    assert [envelope.rcpt_tos for envelope in mailbox.envelopes] == [[OTHER], [USER]]
    assert len({mail["Message-ID"] for mail in mailbox.mails()}) == 2


def test_without_a_recipient_the_account_gets_it(mailbox: SmtpServer, tmp_path: Path) -> None:
    outcome = Outcome(tmp_path, **mailbox.options())
    assert outcome.code == EXIT_OK, outcome.words
    assert [mail["To"] for mail in mailbox.mails()] == [USER]


def test_one_bad_address_holds_up_nobody(mailbox: SmtpServer, tmp_path: Path) -> None:
    mailbox.answer("RCPT", "550 5.1.1 no such user", times=1)
    outcome = Outcome(tmp_path, email=f"{OTHER},{USER}", **mailbox.options())
    assert outcome.code == EXIT_NOT_SENT
    assert f"{OTHER}: refused: " in outcome.words and "550 5.1.1 no such user" in outcome.words
    assert f"{USER}: accepted" in outcome.words


def test_a_wrong_password_is_said_and_tried_once(mailbox: SmtpServer, tmp_path: Path) -> None:
    options = mailbox.options() | {"smtp_password": "wrong-horse"}
    outcome = Outcome(tmp_path, email=f"{OTHER},{USER}", **options)
    assert outcome.code == EXIT_NOT_SENT
    assert "535 5.7.8" in outcome.words and "check smtp_user and smtp_password" in outcome.words
    assert "wrong-horse" not in outcome.words
    assert f"{USER}: not tried" in outcome.words
    assert len(mailbox.logins) == 1, "a second try might lock the account"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_stranger_gets_no_password(
    new_smtp_server: NewSmtpServer, tmp_path: Path, security: str
) -> None:
    server = new_smtp_server(security=security)
    options = server.options()
    del options["ca_file"]
    outcome = Outcome(tmp_path, **options)
    assert outcome.code == EXIT_NOT_SENT
    assert "certificate is not accepted" in outcome.words and "ca_file" in outcome.words
    assert (server.logins, server.envelopes) == ([], [])


def test_a_certificate_for_another_name_is_refused(
    new_smtp_server: NewSmtpServer, tmp_path: Path
) -> None:
    server = new_smtp_server(names=("mail.example.org",))
    outcome = Outcome(tmp_path, **server.options())
    assert outcome.code == EXIT_NOT_SENT
    assert "is for another name); smtp_host" in outcome.words
    assert "DnsName" not in outcome.words and "ca_file" not in outcome.words
    assert server.logins == []


def test_starttls_is_never_left_out(new_smtp_server: NewSmtpServer, tmp_path: Path) -> None:
    server = new_smtp_server(security="none")
    outcome = Outcome(tmp_path, **server.options() | {"smtp_security": "starttls"})
    assert outcome.code == EXIT_NOT_SENT
    assert "offers no STARTTLS" in outcome.words
    assert (server.logins, server.envelopes) == ([], [])


def test_tls_on_the_wrong_port_says_what_to_check(mailbox: SmtpServer, tmp_path: Path) -> None:
    outcome = Outcome(tmp_path, **mailbox.options() | {"smtp_security": "tls"})
    assert outcome.code == EXIT_NOT_SENT
    assert "does smtp_security fit port" in outcome.words


@pytest.mark.parametrize(
    ("stage", "reply", "words"),
    [
        ("GREETING", "421 4.7.0 too many", "not for a while: "),
        ("GREETING", HANG_UP, "not now: "),
        ("EHLO", "554 go away", "not with these settings: "),
        ("AUTH", "454 4.7.0 try later", "not now: "),
        ("MAIL", "553 5.7.1 not your address", "not with these settings: "),
        ("RCPT", "450 4.2.1 too quickly", "not for a while: "),
        ("RCPT", "550 5.4.5 daily limit", "not with these settings: "),
        ("DATA", "451 4.3.0 no disk", "not now: "),
        ("BODY", HANG_UP, "not now: "),
        ("END", "554 5.6.0 spam", "not as it is: "),
        ("END", HANG_UP, "not now: "),
    ],
)
def test_what_the_server_says_is_passed_on(
    mailbox: SmtpServer, tmp_path: Path, stage: str, reply: str, words: str
) -> None:
    mailbox.answer(stage, reply)
    outcome = Outcome(tmp_path, **mailbox.options())
    assert outcome.code == EXIT_NOT_SENT
    assert f"{USER}: {words}" in outcome.words
    if reply != HANG_UP:
        assert reply in outcome.words
    mailbox.behave()
    assert Outcome(tmp_path, **mailbox.options()).code == EXIT_OK


def test_nobody_there(mailbox: SmtpServer, tmp_path: Path) -> None:
    mailbox.stop()
    outcome = Outcome(tmp_path, **mailbox.options())
    assert outcome.code == EXIT_NOT_SENT
    assert f"{HOST}:{mailbox.port}: connection refused" in outcome.words
    mailbox.start()
    assert Outcome(tmp_path, **mailbox.options()).code == EXIT_OK


def test_without_settings_it_says_what_to_set(tmp_path: Path) -> None:
    outcome = Outcome(tmp_path, email=OTHER)
    assert outcome.code == EXIT_NOT_CONFIGURED
    assert "gmail_token" in outcome.words and "smtp_host" in outcome.words
    half = Outcome(tmp_path, email=OTHER, smtp_host=HOST, smtp_password=PASSWORD)
    assert half.code == EXIT_NOT_CONFIGURED
    assert "smtp_password is set without smtp_user" in half.words


def test_in_development_the_mail_is_only_shown(mailbox: SmtpServer, tmp_path: Path) -> None:
    outcome = Outcome(tmp_path, "--test", **mailbox.options())
    assert outcome.code == EXIT_OK
    assert f"To: {USER}\nSubject: [HealthChecker] Test mail\n" in outcome.words
    assert mailbox.connections == 0


def test_a_bad_ca_file_stops_the_start(mailbox: SmtpServer, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    outcome = Outcome(tmp_path, **mailbox.options() | {"ca_file": "ca.pem"})
    assert outcome.code == EXIT_NOT_CONFIGURED
    assert "HEALTHCHECKER_CA_FILE" in outcome.words and "no certificate" in outcome.words
    assert mailbox.connections == 0


def test_the_server_of_these_tests_takes_tokens_as_gmail_does(mailbox: SmtpServer) -> None:
    """No option sends a token to a server of our own, so Python's client must do."""
    context = ssl.create_default_context(cafile=str(mailbox.authority.ca_file))

    def log_in(token: str) -> int:
        first = f"user={USER}\x01auth=Bearer {token}\x01\x01"
        with smtplib.SMTP(HOST, mailbox.port, timeout=SECONDS) as client:
            client.starttls(context=context)
            client.ehlo()
            return client.auth("XOAUTH2", lambda challenge=None: "" if challenge else first)[0]

    assert log_in(TOKEN) == 235
    with pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
        log_in("ya29.expired")
    assert mailbox.logins == [("XOAUTH2", USER)] * 2
