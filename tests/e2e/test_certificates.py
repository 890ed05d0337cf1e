"""Whom the daemon believes over TLS: the built-in authorities, and the household's own besides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conftest import StartDaemon
from daemon import Daemon
from smtp_server import HOST, USER, Authority, SmtpServer
from target import SecureTarget
from waiting import wait_for

CHECK_SECONDS = 20
MAIL_SECONDS = 30


@pytest.fixture
def secure_target(authority: Authority) -> Iterator[SecureTarget]:
    """An app that speaks TLS, and is fine."""
    one = SecureTarget(authority.context(HOST))
    yield one
    one.close()


def mail_without_ca_file(mailbox: SmtpServer) -> dict[str, object]:
    options = mailbox.options()
    del options["ca_file"]
    return options


def wait_for_first_pass_and_mail(daemon: Daemon, mailbox: SmtpServer) -> None:
    """The first pass is told, so both of them were believed."""
    wait_for(mailbox.mails, MAIL_SECONDS, "the mail about the first pass")
    assert daemon.info("Kodi")["last_check"]["outcome"] == "pass"


def test_a_stranger_is_not_believed(
    start_daemon: StartDaemon, secure_target: SecureTarget
) -> None:
    daemon = start_daemon(variables={"SSL_CERT_FILE": "/nowhere"})
    daemon.register("Kodi", secure_target.url, interval=5)
    info = daemon.wait_for_state("Kodi", "UNHEALTHY", CHECK_SECONDS)
    assert "not from a known authority" in info["last_check"]["reason"]


def test_ca_file_holds_for_checks_and_for_mail(
    start_daemon: StartDaemon, secure_target: SecureTarget, mailbox: SmtpServer
) -> None:
    daemon = start_daemon(email=USER, **mailbox.options())
    daemon.register("Kodi", secure_target.url)
    wait_for_first_pass_and_mail(daemon, mailbox)


def test_the_systems_store_holds_for_checks_and_for_mail(
    start_daemon: StartDaemon,
    secure_target: SecureTarget,
    mailbox: SmtpServer,
    authority: Authority,
) -> None:
    store = {"SSL_CERT_FILE": str(authority.ca_file)}
    daemon = start_daemon(variables=store, email=USER, **mail_without_ca_file(mailbox))
    daemon.register("Kodi", secure_target.url)
    wait_for_first_pass_and_mail(daemon, mailbox)
