"""Which certificate an app must show, each by itself: with a real nginx, and certificates of openssl."""

from __future__ import annotations

import base64
import hashlib
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import StartDaemon
from daemon import BINARY, Daemon
from nginx import Nginx
from programs import EXAMPLES, run
from test_ports import free_port
from waiting import wait_for

CHECK_SECONDS = 60
OFTEN = {"interval": 5, "healthy": 2}


class SecureNginx:
    """Says that all is well, with the certificate that it has now."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.renew()
        self.nginx = Nginx(folder / "nginx", self.port, self.servers())

    def servers(self) -> str:
        chain = self.folder / "chain.pem"
        return f"""server {{ listen 127.0.0.1:{self.port} ssl; return 200 ok;
          ssl_certificate {chain}; ssl_certificate_key {chain}; }}"""

    def renew(self, *more: str) -> None:
        """From the next start on it shows another one, as people make them."""
        key, certificate = self.folder / "key.pem", self.folder / "cert.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=NAS", *more]
        subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        (self.folder / "chain.pem").write_text(key.read_text() + certificate.read_text())

    def changes(self) -> None:
        """From now on it shows another one."""
        self.renew()
        self.nginx.serves(self.servers())

    @property
    def print(self) -> str:
        pem = (self.folder / "cert.pem").read_text()
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[SecureNginx]:
    one = SecureNginx(tmp_path)
    yield one
    one.nginx.close()


def test_what_is_seen_first_is_pinned_and_another_is_a_failure_that_says_both(
    start_daemon: StartDaemon, secure: SecureNginx
) -> None:
    daemon = start_daemon()
    daemon.register("NAS", secure.url, tls="pin", **OFTEN)
    info = daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
    first = secure.print
    assert info["tls"] == f"pin:{first}"
    daemon.kill()
    daemon.start()
    secure.changes()
    # As an app does at each start: what was seen first stays that.
    daemon.register("NAS", secure.url, tls="pin", **OFTEN)
    info = daemon.wait_for_state("NAS", "UNHEALTHY", CHECK_SECONDS)
    assert info["tls"] == f"pin:{first}"
    assert info["last_check"]["reason"] == (
        f"another certificate: pin:{secure.print}, not {first}; if you renewed it set tls to the first"
    )
    daemon.register("NAS", secure.url, tls=f"pin:{secure.print}", **OFTEN)
    daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
    exported = daemon.get("/healthchecker/export").json()["apps"][0]
    assert exported["tls"] == f"pin:{secure.print}"
    assert f"pin:{secure.print}" in daemon.get("/healthchecker/info?appname=NAS", headers={"Accept": "text/html"}).text


def test_a_nas_with_a_login_and_a_certificate_of_its_own(daemon: Daemon, secure: SecureNginx) -> None:
    login = secure.folder / "login"
    login.write_text("watcher:hunter2-and-more\n")
    path = f"{BINARY.parent}:/usr/bin:/bin"
    script = EXAMPLES / "shell/nas.sh"
    nas = run(script, "NAS", secure.url, login, PATH=path, HEALTHCHECKER_SERVER=daemon.base)
    assert nas.code == 0, nas
    pin = f"pin:{secure.print}"
    wait_for(lambda: daemon.info("NAS")["tls"] == pin, CHECK_SECONDS, "its certificate")
    assert daemon.info("NAS")["auth_set"] is True
    shown = base64.b64encode(login.read_bytes().strip()).decode()
    assert secure.nginx.asked()[0].endswith(f" Basic {shown}")
    assert run(script, "NAS", PATH=path).code == 2


def test_who_believes_everybody_does_so_for_one_app(daemon: Daemon, secure: SecureNginx) -> None:
    daemon.register("Off", secure.url, tls="off", **OFTEN)
    daemon.register("Strict", secure.url, **OFTEN)
    daemon.wait_for_state("Off", "HEALTHY", CHECK_SECONDS)
    strict = daemon.wait_for_state("Strict", "UNHEALTHY", CHECK_SECONDS)
    assert strict["tls"] == "verify" and "not from a known authority" in strict["last_check"]["reason"]
    # It stays when it is left out, and nothing of it is left when it is taken back.
    daemon.register("Off", secure.url, **OFTEN)
    assert daemon.info("Off")["tls"] == "off"
    daemon.register("Off", secure.url, tls="", **OFTEN)
    info = daemon.wait_for_state("Off", "UNHEALTHY", CHECK_SECONDS)
    assert info["tls"] == "verify" and "not from a known authority" in info["last_check"]["reason"]


def test_a_login_is_not_left_to_whoever_answers(daemon: Daemon, secure: SecureNginx) -> None:
    pin = f"pin:{secure.print}"
    for weaker in ["off", f"pin:{'0' * 64}"]:
        daemon.register("NAS", secure.url, tls=pin, auth="me:hunter2", **OFTEN)
        assert daemon.info("NAS")["auth_set"] is True
        led = daemon.post("/healthchecker/monitor", data={"appname": "NAS", "url": secure.url, "tls": weaker})
        assert "auth was for" in led.json()["warnings"][0]
        assert daemon.info("NAS")["auth_set"] is False
    wrong = daemon.post("/healthchecker/monitor", data={"appname": "NAS", "url": secure.url, "tls": "pin:12"})
    assert wrong.status_code == 400 and wrong.json()["field"] == "tls"
    assert "64 hex digits" in wrong.json()["error"]
