"""Nothing from outside steers a terminal, breaks out of a header, or becomes markup."""

from __future__ import annotations

import json
import re
import unicodedata
from urllib.parse import quote

from conftest import StartDaemon
from daemon import Daemon
from smtp_server import USER, SmtpServer
from target import Target
from waiting import wait_for

MAIL_SECONDS = 30
SCRIPT = "<script>alert(1)</script>"
# Escape sequences (also as one C1 character), line breaks of all kinds, marks that turn the direction.
HOSTILE = (
    "disk\x1b[2J\x1b]0;owned\x07 \u009b31m\r\nBcc: thief@evil.example\r\n\r\n"
    f"\u2028\u2029\u0085\u202e\u2066\u200f\ufeff\x7f {SCRIPT} \"'&amp; Küche 猫"
)
CONTROL = ("Cc", "Zl", "Zp")
MARKS = "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
# An app whose name a header, a page and a log line must bear as it is. Its last word is one that mail programs decode.
NAME = "Küche <blink>\"'&amp; %0d%0a猫 =?utf-8?q?=E2=80=AEliar?="


def obeyed(text: str) -> set[str]:
    """What a terminal or a reader would obey instead of showing."""
    return {c for c in text if unicodedata.category(c) in CONTROL or c in MARKS} - {"\n"}


def assert_shown(text: str, what: str) -> None:
    assert not obeyed(text), f"{what}: {obeyed(text)!r}"


def hostile_everywhere(daemon: Daemon, target: Target) -> None:
    """An app that registers with an awkward name, and says hostile things about itself."""
    target.fails(HOSTILE)
    daemon.register(NAME, target.url, interval=5)
    daemon.wait_for_state(NAME, "UNHEALTHY", MAIL_SECONDS)


def test_what_an_app_says_is_shown_and_nothing_else(
    start_daemon: StartDaemon, mailbox: SmtpServer, target: Target
) -> None:
    mailbox.answer("MAIL", "451 4.3.0 later \x1b[2J\x07", times=1)
    daemon = start_daemon(debug=True, email=USER, **mailbox.options())
    hostile_everywhere(daemon, target)
    wait_for(lambda: mailbox.mails(), MAIL_SECONDS, "the alert")
    name = quote(NAME)
    for path in ["/health", "/healthchecker/status", f"/healthchecker/info?appname={name}", "/healthchecker/log"]:
        answer = daemon.get(path, headers={"Accept": "application/json"})
        assert answer.status_code == 200
        assert_shown(answer.content.decode(), path)
    last = daemon.info(NAME)["last_check"]
    assert_shown(last["reason"], "the reason")
    assert json.loads(last["body"])["output"] == HOSTILE, "what an app said is kept as it is"

    for envelope in mailbox.envelopes:
        head, _, _ = envelope.content.partition(b"\r\n\r\n")
        assert not re.search(rb"^(Bcc|bcc)", head, re.MULTILINE), head
        assert_shown(head.decode().replace("\r\n", ""), "the head of a mail")
    (alert, *_) = mailbox.mails()
    assert_shown(str(alert["Subject"]), "the subject")
    assert "Küche" in str(alert["Subject"]) and alert["Bcc"] is None
    assert "=E2=80=AEliar" in str(alert["Subject"]), "as it is, not as it would be decoded"
    plain, html = (alert.get_body((kind,)) for kind in ("plain", "html"))
    assert plain and html
    for part in (plain, html):
        assert_shown(part.get_content().replace("\r\n", "\n"), "a body")
    assert SCRIPT not in html.get_content() and "&lt;script&gt;" in html.get_content()

    daemon.stop()
    assert_shown(daemon.log(), "the log")
    for file in (daemon.folder / "state").rglob("*"):
        if "log" in file.name and file.is_file():
            assert_shown(file.read_text(), str(file))


def test_what_a_client_says_is_repeated_harmlessly(daemon: Daemon) -> None:
    evil = quote("\x1b[2J\r\nX: y\u202e\u009b")
    for path in [
        f"/{evil}",
        f"/healthchecker/info?appname={evil}",
        f"/healthchecker/info?{evil}=1",
        f"/healthchecker/status?format={evil}",
        f"/healthchecker/log?limit={evil}",
        f"/healthchecker/stop?appname={evil}",
    ]:
        answer = daemon.get(path)
        assert answer.status_code in (400, 404), path
        assert_shown(answer.content.decode(), path)
        assert "X" not in answer.headers
    daemon.stop()
    assert_shown(daemon.log(), "the log")


def test_a_status_page_in_a_browser_has_no_markup_of_an_app(
    daemon: Daemon, target: Target
) -> None:
    hostile_everywhere(daemon, target)
    answer = daemon.get("/", headers={"Accept": "text/html"})
    one = daemon.get("/healthchecker/info", params={"appname": NAME}, headers={"Accept": "text/html"})
    for page in (answer, one):
        assert page.headers["Content-Type"].startswith("text/html")
        assert SCRIPT not in page.text and "<blink>" not in page.text
        assert "&lt;blink&gt;" in page.text
        assert_shown(page.text, page.url)
