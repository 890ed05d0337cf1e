"""Secrets stay secret: in the log, on pages, in errors, on disk, in `ps`."""

from __future__ import annotations

import base64
import os
import re
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import StartDaemon
from daemon import BINARY, Daemon
from smtp_server import PASSWORD, USER, NewSmtpServer, SmtpServer
from target import Target
from waiting import wait_for

API_TOKEN = "the-api-token-0123456789"
READ_TOKEN = "the-read-token-0123456789"
MAIL_SECONDS = 30
EXIT_CONFIG = 78

PAGES = [
    "/",
    "/health",
    "/metrics",
    "/openapi.json",
    "/healthchecker/status",
    "/healthchecker/info?appname=NAS",
    "/healthchecker/log",
    "/healthchecker/none",
]


def in_any_form(secret: str) -> set[str]:
    """The secret, and what a login makes of it."""
    plain = f"\0{USER}\0{secret}"
    return {secret, *(base64.b64encode(said.encode()).decode() for said in [secret, plain])}


def assert_no_secret(text: str) -> None:
    for secret in [PASSWORD, API_TOKEN, READ_TOKEN]:
        for form in in_any_form(secret):
            assert form not in text


def everything_shown(daemon: Daemon) -> Iterator[str]:
    """Every page, with the token, without, and with a wrong one that is nearly right."""
    for token in [API_TOKEN, READ_TOKEN, READ_TOKEN + "x", None]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        for path in PAGES:
            for accept in ["text/html", "application/json"]:
                answer = daemon.get(path, headers={**headers, "Accept": accept})
                yield answer.text + str(answer.headers)
        yield daemon.get("/healthchecker/stop", headers=headers).text


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_no_secret_is_shown_even_where_libraries_log_what_they_send(
    start_daemon: StartDaemon, new_smtp_server: NewSmtpServer, target: Target, security: str
) -> None:
    server = new_smtp_server(security=security)
    daemon = start_daemon(
        debug=True, email=USER, api_token=API_TOKEN, read_token=READ_TOKEN, **server.options()
    )
    token = {"Authorization": f"Bearer {API_TOKEN}"}
    app = {"appname": "NAS", "url": target.url, "interval": "5"}
    registered = daemon.post("/healthchecker/monitor", data=app, headers=token)
    assert registered.status_code == 200
    wait_for(lambda: server.mails(), MAIL_SECONDS, "a mail")
    for shown in everything_shown(daemon):
        assert_no_secret(shown)
    assert server.logins, "there was a secret to be kept"
    daemon.stop()
    assert "[DEBUG]" in daemon.log() and "asks:" in daemon.log()
    assert_no_secret(daemon.log())


@pytest.mark.parametrize("form", sorted(in_any_form(PASSWORD)))
def test_a_mail_server_that_repeats_our_login_gives_nothing_away(
    start_daemon: StartDaemon, mailbox: SmtpServer, target: Target, form: str
) -> None:
    mailbox.answer("AUTH", f"535 5.7.8 {'very ' * 50} wrong: {form}")
    daemon = start_daemon(debug=True, email=USER, **mailbox.options())
    daemon.wait_for_log("the mail settings do not work", MAIL_SECONDS)
    health = daemon.get("/health").text
    assert "5.7.8" in health and form[:6] not in health
    assert form[:6] not in daemon.log()


def run(folder: Path, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BINARY), *args],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=10,
    )


SECRETS = ["gmail_token", "smtp_password", "api_token", "read_token"]


@pytest.mark.parametrize("option", SECRETS)
def test_a_secret_on_the_command_line_is_warned_about_and_not_repeated(
    tmp_path: Path, option: str
) -> None:
    asked = run(tmp_path, f"--{option}", API_TOKEN, "--check_config")
    assert asked.returncode == 0
    warned = re.search(rf"warning: --{option} on the command line can be seen .*\(ps\)", asked.stdout)
    assert warned, asked.stdout
    assert re.search(rf"^{option} += \(set, hidden\)", asked.stdout, re.MULTILINE)
    assert_no_secret(asked.stdout)


@pytest.mark.parametrize("option", SECRETS)
def test_a_secret_elsewhere_is_neither_warned_about_nor_seen_in_ps(
    start_daemon: StartDaemon, tmp_path: Path, option: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(API_TOKEN)
    # In a test no mail server is asked.
    daemon = start_daemon(**{f"{option}_file": secret}, debug=True, test=True)
    assert_no_secret(Path(f"/proc/{daemon.pid}/cmdline").read_text())
    assert "can be seen" not in daemon.log()
    assert_no_secret(daemon.log())


@pytest.mark.parametrize("option", SECRETS)
def test_a_secret_that_is_wrong_is_not_repeated(tmp_path: Path, option: str) -> None:
    asked = run(
        tmp_path, "--check_config", **{f"HEALTHCHECKER_{option.upper()}": f"{API_TOKEN}\x07"}
    )
    assert asked.returncode == EXIT_CONFIG, asked.stdout
    assert option.upper() in asked.stdout
    assert_no_secret(asked.stdout)


def test_state_is_for_us_alone(start_daemon: StartDaemon, target: Target, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        daemon = start_daemon(state_dir=tmp_path / "new" / "state")
    finally:
        os.umask(old)
    daemon.register("NAS", target.url, interval=5)
    target.fails("disk full")
    daemon.wait_for_state("NAS", "UNHEALTHY", 30)
    daemon.stop(signal.SIGTERM)
    found = [tmp_path / "new" / "state", *(tmp_path / "new" / "state").rglob("*")]
    assert len(found) > 2, "a journal and a log"
    for path in found:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), f"{path}: {mode:o}"


def test_a_folder_that_exists_is_used_as_it_is(start_daemon: StartDaemon, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(0o750)
    start_daemon(state_dir=folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
