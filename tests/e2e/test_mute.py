"""Mutes, by the link of a mail and without one."""

from __future__ import annotations

import html
import re
import stat
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from browser import Browser
from conftest import StartDaemon
from daemon import Daemon
from smtp_server import SmtpServer
from target import Target
from test_reverse_proxy import RunProxy, blocks, free_port, nginx, run_proxy
from waiting import wait_for

__all__ = ["run_proxy"]

TOKEN = "a-token-of-some-length"
# A name that a browser takes to be this machine, and a daemon knows by `public_url` alone.
NAME = "health.example.localhost"
PROGRAM = {"User-Agent": "curl/8"}


def alarm(daemon: Daemon, target: Target, mailbox: SmtpServer) -> str:
    """Has the app Kodi fail; the HTML of the mail that tells it."""
    token = {"Authorization": f"Bearer {TOKEN}"}
    fields = {"appname": "Kodi", "url": target.url, "interval": "5", "healthy": "2"}
    fields["email"] = "owner@example.org"
    target.fails("out of order")
    answer = daemon.post("/healthchecker/monitor", data=fields, headers=token)
    assert answer.status_code == 200, answer.text

    def told() -> bool:
        return any("UNHEALTHY" in str(mail["Subject"]) for mail in mailbox.mails())

    wait_for(told, 60, "the mail")
    (mail,) = [mail for mail in mailbox.mails() if "UNHEALTHY" in str(mail["Subject"])]
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None and rich is not None
    assert "/healthchecker/mute?" in plain.get_content()
    text: str = rich.get_content()
    return text


def link_in(mail: str) -> str:
    (link,) = re.findall(r'href="([^"]*/healthchecker/mute\?[^"]*)"', mail)
    return html.unescape(link)


def muted(daemon: Daemon) -> list[str | None]:
    (incident,) = daemon.get("/healthchecker/incidents?format=json").json()["incidents"]
    return [told["muted_until"] for told in incident["told"]]


def test_the_link_of_a_mail_mutes_through_a_proxy_and_by_nothing_but_a_button(
    start_daemon: StartDaemon,
    target: Target,
    mailbox: SmtpServer,
    tmp_path: Path,
    run_proxy: RunProxy,
    browser: Browser,
) -> None:
    port = free_port()
    public = f"http://{NAME}:{port}/health-checker/"
    daemon = start_daemon(**mailbox.options(), api_token=TOKEN, public_url=public)
    run_proxy(nginx(tmp_path, blocks("nginx")[1], port, daemon), port)
    mail = alarm(daemon, target, mailbox)
    link = link_in(mail)
    assert link.startswith(f"{public}healthchecker/mute?"), link
    # A scanner opens whatever it finds, as a browser and otherwise.
    own = f"{daemon.base}/healthchecker/mute?{urlsplit(link).query}"
    for agent in ("Mozilla/5.0", "curl/8"):
        for _ in range(3):
            seen = requests.get(own, headers={"User-Agent": agent}, timeout=10)
            assert seen.status_code == 200 and "Kodi" in seen.text, seen.text
            assert requests.head(own, headers={"User-Agent": agent}, timeout=10).status_code == 200
    assert muted(daemon) == [None]
    (tmp_path / "mail.html").write_text(mail, encoding="utf-8")
    browser.open((tmp_path / "mail.html").as_uri())
    browser.click('a[href*="/healthchecker/mute?"]')
    assert "Kodi: UNHEALTHY, not muted" in browser.text()
    assert browser.violations() == []
    browser.click('button[value="8h"]')
    assert "Kodi: UNHEALTHY, muted until 2" in browser.text()
    assert browser.see("location.pathname") == "/health-checker/healthchecker/mute"
    (until,) = muted(daemon)
    assert until and until.endswith("Z")
    daemon.kill()
    daemon.start()
    assert muted(daemon)[0] is not None
    browser.click('button[value="recovery"]')
    assert muted(daemon) == ["recovery"]
    assert 'healthchecker_app_muted{app="Kodi"} 1' in daemon.get("/metrics").text
    assert "muted until it is HEALTHY again" in daemon.get("/healthchecker/incidents?format=html").text
    browser.click('button[value="0"]')
    assert muted(daemon) == [None]
    # A page of another site presses no button, link or not.
    query = dict(parse_qsl(urlsplit(link).query))
    foreign = {"User-Agent": "Mozilla/5.0", "Origin": "http://evil.example"}
    pressed = requests.post(
        f"{daemon.base}/healthchecker/mute", data={**query, "for": "8h"}, headers=foreign, timeout=10
    )
    assert pressed.status_code == 403 and muted(daemon) == [None]
    # Dead with the incident.
    target.passes()
    daemon.wait_for_state("Kodi", "HEALTHY", 60)
    over = requests.get(own, headers=PROGRAM, timeout=10)
    assert over.status_code == 404 and "it is over" in over.text


def test_a_forged_or_old_link_is_told_so(
    start_daemon: StartDaemon, target: Target, mailbox: SmtpServer
) -> None:
    daemon = start_daemon(**mailbox.options(), api_token=TOKEN)
    link = link_in(alarm(daemon, target, mailbox))
    query = dict(parse_qsl(urlsplit(link).query))
    assert list(query) == ["incident", "to", "until", "sig"]
    changes = [
        {"to": "eve@example.org"},
        {"incident": "1"},
        {"until": str(int(query["until"]) + 1)},
        {"until": "1"},
        {"sig": "0" * 64},
        {"sig": query["sig"][:-1]},
    ]
    for changed in changes:
        asked = urlencode({**query, **changed})
        shown = requests.get(f"{daemon.base}/healthchecker/mute?{asked}", headers=PROGRAM, timeout=10)
        assert (shown.status_code, shown.json()["field"]) == (403, "sig"), changed
        assert "signature is wrong" in shown.json()["error"]
        body = {**query, **changed, "for": "8h"}
        done = requests.post(f"{daemon.base}/healthchecker/mute", data=body, timeout=10)
        assert done.status_code == 403, changed
    for missing in ("incident", "to", "until", "for"):
        body = {**query, "for": "8h"}
        del body[missing]
        done = requests.post(f"{daemon.base}/healthchecker/mute", data=body, timeout=10)
        assert (done.status_code, done.json()["field"]) == (400, missing)
    assert muted(daemon) == [None]
    done = requests.post(
        f"{daemon.base}/healthchecker/mute", data={**query, "for": "recovery"}, timeout=10
    )
    assert done.json() == {"email": "owner@example.org", "result": "muted"}
    key = daemon.folder / "state" / "mute.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "mute.key" not in daemon.log() and query["sig"] not in daemon.log()


def test_without_a_link_it_is_a_change_as_any_other(
    start_daemon: StartDaemon, target: Target, mailbox: SmtpServer
) -> None:
    daemon = start_daemon(**mailbox.options(), api_token=TOKEN)
    body = {"appname": "Kodi", "for": "8h"}
    alarm(daemon, target, mailbox)

    def post(token: str = TOKEN, **more: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return daemon.post("/healthchecker/mute", json={**body, **more}, headers=headers)

    assert post(token="another").status_code == 401
    assert requests.get(
        f"{daemon.base}/healthchecker/mute?appname=Kodi&for=8h", headers=PROGRAM, timeout=10
    ).status_code in (400, 401)
    for wrong in ["", "8", "1.5h", "59s", "31d", "forever"]:
        assert (post(**{"for": wrong}).status_code, muted(daemon)) == (400, [None]), wrong
    assert post(appname="Nobody").status_code == 404
    assert post(to="eve@example.org").status_code == 404
    assert post().json() == {"appname": "Kodi", "result": "muted"}
    assert muted(daemon)[0]
    assert post(to="Owner@example.org", **{"for": "recovery"}).status_code == 200
    assert muted(daemon) == ["recovery"]
    assert post(**{"for": "0"}).json()["result"] == "unmuted"
    assert muted(daemon) == [None]
    target.passes()
    daemon.wait_for_state("Kodi", "HEALTHY", 60)
    over = post()
    assert over.status_code == 404 and "nothing to mute" in over.json()["error"]
    # By the parameter the command line tells it from a path that is not there.
    assert over.json()["field"] == "appname"
