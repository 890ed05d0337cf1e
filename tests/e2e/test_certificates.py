"""Whom the daemon believes over TLS: the built-in authorities, and the household's own besides."""

from __future__ import annotations

import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import StartDaemon
from daemon import Daemon
from smtp_server import HOST, USER, Authority, SmtpServer
from target import SecureTarget
from waiting import wait_for

# An emulated processor takes its time.
START_SECONDS = 60
CHECK_SECONDS = 60
# Of a certificate: enough for two checks.
LIFETIME = 20.0
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


@pytest.mark.parametrize(
    ("any_program", "version"),
    [("tested", ssl.TLSVersion.TLSv1_3), ("static", ssl.TLSVersion.TLSv1_2)],
    indirect=["any_program"],
)
def test_a_certificate_that_expires_is_noticed_though_sessions_are_resumed(
    start_daemon: StartDaemon,
    authority: Authority,
    any_program: list[str],
    version: ssl.TLSVersion,
) -> None:
    begun = time.monotonic()
    context = authority.context(HOST, seconds=LIFETIME)
    context.maximum_version = version
    target = SecureTarget(context)
    daemon = start_daemon(
        program=any_program, start_seconds=START_SECONDS, ca_file=authority.ca_file
    )
    daemon.register("Kodi", target.url, interval=5, healthy=2)
    # One that ends so soon is a warning.
    wait_for(lambda: daemon.info("Kodi")["checks"] >= 2, LIFETIME, "a check of a resumed session")
    assert daemon.info("Kodi")["failures"] == 0
    wait_for(lambda: daemon.info("Kodi")["failures"], LIFETIME + CHECK_SECONDS, "its end")
    assert time.monotonic() - begun >= LIFETIME
    assert "certificate has expired" in daemon.info("Kodi")["last_check"]["reason"]
    target.close()


@pytest.fixture
def self_signed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A certificate for `localhost`, and its key, as people make them."""
    file = tmp_path / "self-signed.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365"]
    command += ["-subj", "/CN=localhost", "-keyout", str(file), "-out", str(tmp_path / "cert.pem")]
    if request.param == "alternative name":
        command += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, check=True, capture_output=True)
    with file.open("a") as chain:
        chain.write((tmp_path / "cert.pem").read_text())
    return file


@pytest.mark.parametrize(
    ("any_program", "self_signed"),
    [("static", "common name"), ("tested", "alternative name")],
    indirect=True,
)
def test_a_self_signed_certificate_is_believed_when_ca_file_has_it(
    start_daemon: StartDaemon, self_signed: Path, any_program: list[str]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed)
    target = SecureTarget(context)
    options = {"program": any_program, "start_seconds": START_SECONDS}
    believing = start_daemon(ca_file=self_signed.parent / "cert.pem", **options)
    url = target.url.replace(HOST, "localhost")
    believing.register("Kodi", url, interval=5, healthy=2)
    believing.wait_for_state("Kodi", "HEALTHY", CHECK_SECONDS)
    # For this name alone.
    believing.register("Other", target.url, interval=5)
    info = believing.wait_for_state("Other", "UNHEALTHY", CHECK_SECONDS)
    assert info["last_check"]["reason"] == "TLS: the certificate is for another name"
    stranger = start_daemon(variables={"SSL_CERT_FILE": "/nowhere"}, **options)
    stranger.register("Kodi", url, interval=5)
    info = stranger.wait_for_state("Kodi", "UNHEALTHY", CHECK_SECONDS)
    assert "self-signed? ca_file takes it" in info["last_check"]["reason"]
    target.close()
