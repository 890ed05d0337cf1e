"""An app that wants a login, behind a real nginx: it gets it, and nobody else does."""

from __future__ import annotations

import base64
import json
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import StartDaemon
from daemon import BINARY, Daemon
from mails import Mailbox
from nginx import Nginx
from programs import healthchecker
from smtp_server import USER, Authority
from test_ports import free_port
from waiting import wait_for

CHECK_SECONDS = 40
MAIL_SECONDS = 30
LOGIN, SECRET = "watcher:hunter2-and-more", "hunter2-and-more"
BASIC = base64.b64encode(LOGIN.encode()).decode()
OFTEN = {"interval": 5, "healthy": 2}
FORM = "/healthchecker/watch"
PAGES = [
    "/",
    "/health",
    "/metrics",
    "/healthchecker/status",
    "/healthchecker/info?appname=NAS",
    "/healthchecker/log",
    "/healthchecker/export",
    "/healthchecker/incidents",
    "/healthchecker/watch?appname=NAS",
]
NewNginx = Callable[[str], Nginx]


@pytest.fixture
def new_nginx(tmp_path: Path) -> Iterator[NewNginx]:
    """Starts them, each on a port of its own: `PORT` in its configuration. `closed` lets in whom it knows."""
    started: list[Nginx] = []

    def new(locations: str, port: int = 0) -> Nginx:
        port, folder = port or free_port(), tmp_path / f"nginx{len(started)}"
        folder.mkdir()
        crypt = subprocess.run(
            ["openssl", "passwd", "-apr1", SECRET], check=True, capture_output=True, text=True
        )
        (folder / "users").write_text(f"watcher:{crypt.stdout}")
        closed = 'auth_basic "NAS"; auth_basic_user_file FOLDER/users;'
        locations = locations.replace("CLOSED", closed).replace("PORT", str(port))
        started.append(Nginx(folder, port, locations))
        return started[-1]

    yield new
    for one in started:
        one.close()


def nas(new_nginx: NewNginx) -> Nginx:
    """Says how it is to whom it knows, and repeats at `/echo` what it was shown."""
    one = new_nginx(
        """server { listen 127.0.0.1:PORT; root FOLDER; CLOSED
          location /health { alias FOLDER/health.json; } location /echo { alias FOLDER/echo.json; ssi on; ssi_types *; }
          location /moved { return 302 /health; } }"""
    )
    (one.folder / "health.json").write_text('{"status":"pass"}')
    # What it is shown, in the form in which it is sent; and what a careless app makes of it.
    echo = f'<!--# echo var="http_authorization" encoding="none" --> is {LOGIN}'
    (one.folder / "echo.json").write_text(f'{{"status":"fail","output":"got {echo}"}}')
    return one


def url(nginx: Nginx) -> str:
    return f"http://127.0.0.1:{nginx.port}"


def assert_no_secret(text: str) -> None:
    for form in [SECRET, BASIC]:
        assert form not in text


def test_a_login_is_shown_to_nobody_but_the_app(
    start_daemon: StartDaemon, new_nginx: NewNginx, mailbox: Mailbox
) -> None:
    app = nas(new_nginx)
    daemon = start_daemon(debug=True, email=USER, **mailbox.options())
    daemon.register("NAS", url(app), **OFTEN)
    info = daemon.wait_for_state("NAS", "UNHEALTHY", CHECK_SECONDS)
    assert info["last_check"]["reason"] == "HTTP 401 Unauthorized" and info["auth_set"] is False
    daemon.register("NAS", url(app), **OFTEN, auth=LOGIN)
    assert daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)["auth_set"] is True
    assert app.asked()[-1] == f"{app.port} /health Basic {BASIC}"
    # It is on disk, and stays when the app registers as it does at each start.
    daemon.kill()
    daemon.start()
    daemon.register("NAS", url(app), path="/echo", **OFTEN)
    info = daemon.wait_for_state("NAS", "UNHEALTHY", CHECK_SECONDS)
    reason = "the app says fail: got Basic (hidden) is watcher:(hidden)"
    assert info["auth_set"] is True and info["last_check"]["reason"] == reason
    wait_for(lambda: len(mailbox.mails()) >= 3, MAIL_SECONDS, "the mails")
    for path in PAGES:
        for accept in ["text/html", "application/json"]:
            answer = daemon.get(path, headers={"Accept": accept})
            assert_no_secret(answer.text + str(answer.headers))
    assert "watcher:(hidden)" in str([mail.as_string() for mail in mailbox.mails()])
    for mail in mailbox.mails():
        assert_no_secret("".join(str(part.get_payload(decode=True)) for part in mail.walk()))
    wrong = daemon.post("/healthchecker/monitor", data={"appname": "NAS", "url": f"http://{LOGIN}@127.0.0.1"})
    assert wrong.status_code == 400 and "auth" in wrong.json()["error"]
    assert_no_secret(wrong.text)
    daemon.stop()
    assert "[DEBUG]" in daemon.log()
    assert_no_secret(daemon.log())
    holders = []
    for file in (daemon.folder / "state").rglob("*"):
        if file.is_file():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
            if any(form.encode() in file.read_bytes() for form in [SECRET, BASIC]):
                holders.append(file.name)
    assert holders == ["journal"]


def test_no_redirect_leads_the_login_elsewhere(
    start_daemon: StartDaemon, new_nginx: NewNginx, authority: Authority
) -> None:
    chain, secure = authority.chain("localhost"), free_port()
    app = new_nginx(
        f"""server {{ listen 127.0.0.1:PORT; CLOSED
          location /near {{ CLOSED return 302 /there; }} location /there {{ try_files /users =404; }}
          location /secure {{ return 302 https://localhost:{secure}/; }} root FOLDER; }}
        server {{ listen 127.0.0.1:{secure} ssl; ssl_certificate {chain}; ssl_certificate_key {chain};
          location / {{ CLOSED try_files /users =404; }} root FOLDER; }}"""
    )
    home = f"http://localhost:{app.port}"
    daemon = start_daemon(ca_file=authority.ca_file)
    daemon.register("Near", home, path="/near", auth=LOGIN, **OFTEN)
    daemon.wait_for_state("Near", "HEALTHY", CHECK_SECONDS)
    assert f"{app.port} /there Basic {BASIC}" in app.asked()
    daemon.register("Secure", home, path="/secure", auth=LOGIN, **OFTEN)
    info = daemon.wait_for_state("Secure", "UNHEALTHY", CHECK_SECONDS)
    assert info["last_check"]["http_status"] == 401
    assert info["last_check"]["reason"] == (
        f"redirected to https://localhost:{secure}, where the login is not sent: register that address with it"
    )
    assert f"{app.port} /secure Basic {BASIC}" in app.asked()
    arrived = [line for line in app.asked() if line.startswith(f"{secure} ")]
    assert arrived and all(line == f"{secure} / -" for line in arrived), arrived
    # As it says.
    daemon.register("Secure", f"https://localhost:{secure}", path="/", auth=LOGIN, **OFTEN)
    daemon.wait_for_state("Secure", "HEALTHY", CHECK_SECONDS)


def test_who_registers_the_app_elsewhere_does_not_get_its_login(
    daemon: Daemon, new_nginx: NewNginx
) -> None:
    app, evil = nas(new_nginx), new_nginx("server { listen 127.0.0.1:PORT; return 200 ok; }")
    daemon.register("NAS", url(app), auth=LOGIN, **OFTEN)
    daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
    for elsewhere in [url(evil), f"http://localhost:{evil.port}"]:
        daemon.register("NAS", url(app), auth=LOGIN, **OFTEN)
        led = daemon.post("/healthchecker/monitor", data={"appname": "NAS", "url": elsewhere, **OFTEN})
        assert led.json()["warnings"] == [
            "auth was for the address and the care over TLS before, and is removed: give it again if it is for these"
        ]
        daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
        assert daemon.info("NAS")["auth_set"] is False
    assert set(evil.asked()) == {f"{evil.port} /health -"}
    # It does not come back with the address either.
    daemon.register("NAS", url(app), **OFTEN)
    info = daemon.wait_for_state("NAS", "UNHEALTHY", CHECK_SECONDS)
    assert info["auth_set"] is False and info["last_check"]["http_status"] == 401


def test_a_token_is_sent_as_one_and_taken_away_again(daemon: Daemon, new_nginx: NewNginx) -> None:
    app = new_nginx("server { listen 127.0.0.1:PORT; return 200 ok; }")
    daemon.register("Home", url(app), auth=f"Bearer {'abc.' * 200}x", **OFTEN)
    wait_for(app.asked, CHECK_SECONDS, "a check")
    assert app.asked()[-1] == f"{app.port} /health Bearer {'abc.' * 200}x"
    daemon.register("Home", url(app), auth="", **OFTEN)
    wait_for(lambda: app.asked()[-1].endswith(" -"), CHECK_SECONDS, "a check without it")
    assert daemon.info("Home")["auth_set"] is False


def command(daemon: Daemon, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BINARY), *arguments, "--server", daemon.base],
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_line_reads_it_and_a_backup_has_none(
    start_daemon: StartDaemon, new_nginx: NewNginx, tmp_path: Path
) -> None:
    app, daemon = nas(new_nginx), start_daemon()
    done = command(daemon, "monitor", "NAS", url(app), "--interval", "5", "--healthy", "2", "--auth", "-", typed=f"{LOGIN}\n")
    assert done.returncode == 0, done
    daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
    assert "Login:      set\n" in command(daemon, "info", "NAS").stdout
    nothing = command(daemon, "edit", "NAS", "--auth", "-")
    assert nothing.returncode == 64 and "nothing came on standard input" in nothing.stderr
    set_again = command(daemon, "edit", "NAS", "--auth", "watcher:other-secret")
    assert set_again.stdout == "NAS: updated: auth set\n", set_again
    command(daemon, "edit", "NAS", "--auth", "-", typed=LOGIN)
    backup = tmp_path / "backup.json"
    assert command(daemon, "export", str(backup)).returncode == 0
    assert_no_secret(backup.read_text())
    assert json.loads(backup.read_text())["apps"][0]["auth_set"] is True
    again = command(daemon, "import", str(backup))
    assert again.stdout.startswith("NAS: unchanged\n"), again
    assert daemon.info("NAS")["auth_set"] is True
    other = start_daemon()
    for dry in [["--dry-run"], []]:
        moved = command(other, "import", str(backup), *dry)
        assert "registered, without its auth: edit it with --auth -\n" in moved.stdout, moved
    assert other.info("NAS")["auth_set"] is False
    removed = command(daemon, "edit", "NAS", "--auth", "")
    assert removed.stdout == "NAS: updated: auth removed\n", removed
    assert healthchecker("edit", "NAS", "--auth", "nonsense", "--server", daemon.base).code == 65


def test_the_form_keeps_it_and_never_shows_it(daemon: Daemon, new_nginx: NewNginx) -> None:
    app = nas(new_nginx)
    page = {"Accept": "text/html"}
    typed = {"appname": "NAS", "url": url(app), "interval": "5", "healthy": "2", "reminders": "true"}

    def save(**more: str) -> int:
        data = {**typed, "changes": "true", **more}
        answer = daemon.post(FORM, data=data, headers=page, allow_redirects=False)
        assert_no_secret(answer.text)
        return answer.status_code

    def form() -> str:
        text: str = daemon.get(FORM, params={"appname": "NAS"}, headers=page).text
        assert_no_secret(text)
        return text

    new = daemon.post(FORM, data={**typed, "auth": LOGIN}, headers=page, allow_redirects=False)
    assert new.status_code == 303
    daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
    assert 'type="password"' in form() and "Remove what is set" in form()
    assert save(auth="") == 303 and daemon.info("NAS")["auth_set"] is True
    # What is wrong with another field sends no password back.
    assert save(auth=LOGIN, interval="1") == 400
    assert save(auth="", forget="auth") == 303 and daemon.info("NAS")["auth_set"] is False
    assert "Remove what is set" not in form()
