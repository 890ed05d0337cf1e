"""Mail servers that are away, in a mood, or die in the middle, and the daemon killed on top of it.

Each alert arrives; twice only when the server's 250 was lost, and then under the same Message-ID.
What takes hours is told in virtual time: tests/engine/outages.rs.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from conftest import NewTarget, StartDaemon
from daemon import Daemon
from faketime import clock_that_shows
from programs import healthchecker
from smtp_server import HANG_UP, NewSmtpServer, SmtpServer
from target import Target
from waiting import wait_for

OWNER = "owner@household.example"
NEIGHBOUR = "neighbour@household.example"
QUICK = {"interval": 5, "timeout": 2, "unhealthy": 2, "healthy": 2}

# Two checks, the first of which has just missed the change, and what a loaded machine adds.
CHANGE_SECONDS = 25
# Failed tries come after 5, 10 and 20 s.
MAIL_SECONDS = 60

Trouble = Callable[[SmtpServer], None]


def refuses(stage: str, reply: str) -> Trouble:
    return lambda server: server.answer(stage, reply)


def is_away(server: SmtpServer) -> None:
    server.stop()


def is_well(server: SmtpServer) -> None:
    server.behave()
    if not server.thread.is_alive():
        server.start()


def alerts(server: SmtpServer, app: str = "Kodi") -> list[EmailMessage]:
    """The mails that tell that the app is UNHEALTHY."""
    return [mail for mail in server.mails() if f"{app} is UNHEALTHY" in text(mail)]


def text(mail: EmailMessage) -> str:
    """The subject, too."""
    part = mail.get_body(("plain",))
    assert part is not None
    return f"{mail['Subject']}\n{part.get_content()}"


def outbox(daemon: Daemon) -> dict[str, object]:
    said: dict[str, object] = daemon.get("/health").json()["checks"]["outbox:waiting"][0]
    return said


def wait_for_trouble(daemon: Daemon, word: str) -> None:
    wait_for(lambda: word in str(outbox(daemon).get("output", "")), MAIL_SECONDS, f"{word!r}")
    assert outbox(daemon)["observedValue"] == 1
    assert daemon.get("/health").json()["status"] == "warn"


def wait_until_told(daemon: Daemon) -> None:
    """Waits until every mail was accepted, and that is noted on the disk: killed in between, the
    daemon would send it again."""
    wait_for(lambda: outbox(daemon)["observedValue"] == 0, MAIL_SECONDS, "an empty outbox")
    # An answer to a promise comes after all that was recorded before it.
    assert daemon.post("/healthchecker/resume", data={"appname": "Kodi"}).status_code == 200


@pytest.fixture
def sick(start_daemon: StartDaemon, mailbox: SmtpServer, target: Target) -> Daemon:
    """A daemon that watches an app which is about to fail; nothing has been mailed yet."""
    daemon = start_daemon(email=OWNER, **mailbox.options())
    # From here on the server is asked for mails only.
    daemon.wait_for_log("lets us in", MAIL_SECONDS)
    target.fails("the disk of Kodi")
    return daemon


def test_wrong_settings_are_known_before_the_first_alert_though_the_server_was_away_at_the_start(
    start_daemon: StartDaemon, mailbox: SmtpServer
) -> None:
    is_away(mailbox)
    daemon = start_daemon(email=OWNER, **mailbox.options())
    daemon.wait_for_log("the mail server could not be asked", MAIL_SECONDS)
    mailbox.answer("AUTH", "535 5.7.8 not accepted")
    mailbox.start()
    daemon.wait_for_log("the mail settings do not work: .*535 5.7.8", MAIL_SECONDS)
    assert "535 5.7.8" in str(outbox(daemon)["output"])
    assert daemon.get("/health").json()["status"] == "warn"
    assert mailbox.mails() == []


@pytest.mark.parametrize(
    ("trouble", "word"),
    [
        (is_away, "connection refused"),
        (refuses("MAIL", "451 4.3.0 not now"), "451 4.3.0"),
        (refuses("RCPT", "451 4.7.1 greylisted"), "451 4.7.1"),
        (refuses("DATA", "451 4.3.0 no disk"), "451 4.3.0"),
        (refuses("END", "451 4.3.0 no disk"), "451 4.3.0"),
        (refuses("BODY", HANG_UP), "hung up"),
        (refuses("AUTH", "535 5.7.8 not accepted"), "535 5.7.8"),
        (refuses("GREETING", "421 4.7.0 too many"), "421 4.7.0"),
        (refuses("RCPT", "550 5.4.5 daily limit"), "550 5.4.5"),
    ],
    ids=["away", "MAIL 451", "RCPT 451", "DATA 451", "END 451", "dies amid DATA", "login", "421 4.7.0",
         "quota"],
)  # fmt: skip
def test_an_alert_arrives_once_however_the_server_behaved_and_the_daemon_died(
    sick: Daemon, mailbox: SmtpServer, target: Target, trouble: Trouble, word: str
) -> None:
    trouble(mailbox)
    sick.register("Kodi", target.url, **QUICK)
    sick.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS)
    wait_for_trouble(sick, word)
    # The second life tries at once, in vain; the third finds the server well.
    sick.kill()
    sick.start()
    wait_for_trouble(sick, word)
    sick.kill()
    is_well(mailbox)
    sick.start()
    wait_until_told(sick)
    (alert,) = alerts(mailbox)
    assert alert["To"] == OWNER
    sick.kill()
    sick.start()
    wait_until_told(sick)
    assert len(alerts(mailbox)) == 1, "nothing twice"


def test_a_lost_250_brings_the_same_mail_again_under_the_same_message_id(
    sick: Daemon, mailbox: SmtpServer, target: Target
) -> None:
    mailbox.answer("END", HANG_UP)
    sick.register("Kodi", target.url, **QUICK)
    sick.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS)
    wait_for_trouble(sick, "hung up")
    sick.kill()
    is_well(mailbox)
    sick.start()
    wait_until_told(sick)
    assert len(alerts(mailbox)) >= 2
    assert len({mail["Message-ID"] for mail in alerts(mailbox)}) == 1
    assert len({mail["Subject"] for mail in alerts(mailbox)}) == 1


def test_a_kill_at_the_moment_of_the_alert_loses_none(
    sick: Daemon, mailbox: SmtpServer, target: Target
) -> None:
    """While the server takes its time, the mail is on its way: it is on disk before that."""
    mailbox.answer("GREETING", HANG_UP)
    sick.register("Kodi", target.url, **QUICK)
    before = mailbox.connections
    wait_for(lambda: mailbox.connections > before, CHANGE_SECONDS, "the first try")
    sick.kill()
    is_well(mailbox)
    sick.start()
    wait_for(lambda: alerts(mailbox), MAIL_SECONDS, "the alert")
    wait_until_told(sick)
    assert len(alerts(mailbox)) == 1


def in_order(mail: EmailMessage) -> str:
    """What a mail tells: its list, where it has more than one thing to tell, else its subject."""
    _, several, listed = text(mail).partition("What happened, in order:")
    return listed if several else str(mail["Subject"])


def test_what_piled_up_comes_in_order(
    sick: Daemon, mailbox: SmtpServer, target: Target, new_target: NewTarget
) -> None:
    is_away(mailbox)
    sick.register("Kodi", target.url, **QUICK)
    sick.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS)
    wait_for_trouble(sick, "connection refused")
    other = new_target()
    other.fails("the disk of the NAS")
    sick.register("NAS", other.url, **QUICK)
    sick.wait_for_state("NAS", "UNHEALTHY", CHANGE_SECONDS)
    target.passes()
    sick.wait_for_state("Kodi", "HEALTHY", CHANGE_SECONDS)
    sick.kill()
    is_well(mailbox)
    sick.start()
    wait_until_told(sick)
    # One mail, unless the plug was pulled while the first was tried: the server may have that already, so it is
    # sent again as it was, and what came after it follows in another.
    told = "\n".join(in_order(mail) for mail in mailbox.mails())
    needed = ("Kodi is UNHEALTHY", "NAS is UNHEALTHY", "Kodi is HEALTHY")
    assert all(it in told for it in needed), told
    places = [told.index(it) for it in needed]
    assert places == sorted(places), told


def test_one_bad_address_holds_up_nobody(
    sick: Daemon, mailbox: SmtpServer, target: Target
) -> None:
    mailbox.answer("RCPT", "550 5.1.1 no such user", times=1)
    sick.register("Kodi", target.url, email=f"{OWNER},{NEIGHBOUR}", **QUICK)
    sick.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS)
    wait_until_told(sick)
    (alert,) = alerts(mailbox)
    sick.wait_for_log("550 5.1.1 no such user", MAIL_SECONDS)
    assert alert["To"] in (OWNER, NEIGHBOUR)


def test_a_server_that_never_greets_keeps_neither_the_mail_nor_the_daemon(
    start_daemon: StartDaemon, mailbox: SmtpServer, target: Target
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        options = mailbox.options() | {"smtp_port": silent.getsockname()[1]}
        daemon = start_daemon(email=OWNER, **options)
        target.fails("the disk of Kodi")
        daemon.register("Kodi", target.url, **QUICK)
        daemon.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS)
        wait_for(lambda: outbox(daemon)["observedValue"] == 1, MAIL_SECONDS, "the mail")
        daemon.stop()
    daemon.options |= mailbox.options()
    daemon.start()
    wait_for(lambda: alerts(mailbox), MAIL_SECONDS, "the alert")
    wait_until_told(daemon)
    assert len(alerts(mailbox)) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_goes_out_on_a_machine_whose_clock_nobody_sets(
    start_daemon: StartDaemon, new_smtp_server: NewSmtpServer, target: Target, security: str
) -> None:
    unset = clock_that_shows("@1970-01-01 00:02:10")
    server = new_smtp_server(security=security)
    options = {"email": OWNER, "mail_without_clock": True, **server.options()}
    daemon = start_daemon(variables=unset, **options)
    target.fails("the disk of Kodi")
    daemon.register("Kodi", target.url, **QUICK)
    wait_for(lambda: alerts(server), CHANGE_SECONDS + MAIL_SECONDS, "the alert")
    (alert,) = alerts(server)
    assert alert["Date"] is None, "the server knows better"
    assert "after the start" in text(alert) and "1970" not in text(alert)
    wait_until_told(daemon)
    assert daemon.get("/health").json()["status"] == "pass"


def test_a_refused_mail_stands_until_somebody_has_seen_it(
    sick: Daemon, mailbox: SmtpServer, target: Target
) -> None:
    def refused() -> dict[str, object]:
        said: dict[str, object] = sick.get("/health").json()["checks"]["outbox:refused"][0]
        return said

    mailbox.answer("RCPT", "550 5.1.1 no such user")
    sick.register("Kodi", target.url, **QUICK)
    wait_for(lambda: refused()["observedValue"] == 1, CHANGE_SECONDS + MAIL_SECONDS, "a refusal")
    assert "550 5.1.1 no such user" in str(refused()["output"])
    assert sick.get("/health").json()["status"] == "warn"
    assert outbox(sick)["observedValue"] == 0
    assert "healthchecker_mails_refused_addresses 1" in sick.get("/metrics").text
    sick.kill()
    sick.start()
    assert OWNER in str(refused()["output"])
    page = sick.get("/", headers={"Accept": "text/html"}).text
    assert 'action="healthchecker/seen"' in page and f'value="{OWNER}"' in page
    assert sick.get("/healthchecker/seen", params={"email": OWNER}).status_code == 405
    answer = sick.post("/healthchecker/seen", data={"email": "nobody@household.example"})
    assert (answer.status_code, answer.json()["field"]) == (404, "email")
    ended = healthchecker("seen", OWNER, HEALTHCHECKER_SERVER=sick.base)
    assert (ended.code, ended.out) == (0, f"{OWNER}: seen\n"), ended
    assert refused()["observedValue"] == 0
    assert sick.get("/health").json()["status"] == "pass"
    sick.kill()
    sick.start()
    assert refused()["observedValue"] == 0


def test_an_alert_stays_open_through_a_pause_a_kill_and_another_address(
    sick: Daemon, mailbox: SmtpServer, target: Target, new_target: NewTarget
) -> None:
    sick.register("Kodi", target.url, **QUICK)
    sick.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS)
    wait_for(lambda: alerts(mailbox), MAIL_SECONDS, "the alert")
    (alert,) = alerts(mailbox)
    wait_until_told(sick)
    sick.post("/healthchecker/pause", data={"appname": "Kodi"})
    sick.kill()
    sick.start()
    sick.post("/healthchecker/resume", data={"appname": "Kodi"})
    assert sick.info("Kodi")["state"] == "UNKNOWN"
    sick.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS)
    elsewhere = new_target()
    elsewhere.passes()
    sick.register("Kodi", elsewhere.url, **QUICK)
    sick.kill()
    sick.start()
    sick.wait_for_state("Kodi", "HEALTHY", CHANGE_SECONDS)
    recoveries = lambda: [m for m in mailbox.mails() if "HEALTHY again" in m["Subject"]]  # noqa: E731
    wait_for(recoveries, MAIL_SECONDS, "the recovery")
    assert recoveries()[0]["In-Reply-To"] == alert["Message-ID"]
    assert len(alerts(mailbox)) == 1, "told once"
