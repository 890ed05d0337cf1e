"""The web page in a real browser."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from browser import Browser
from conftest import NewTarget, StartDaemon
from daemon import Daemon
from smtp_server import SmtpServer
from target import Answer, Target
from waiting import wait_for

BROWSER_ACCEPTS = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
# Markup, quotes, a right-to-left word with an override, four-byte letters, an entity.
HOSTILE = "<b onx=1>\"'&amp; \u05e9\u05dc\u05d5\u05dd \U0001f373\U00020000 </title><script>"


def register(daemon: Daemon, target: Target, *names: str) -> None:
    for name in names:
        daemon.register(name, target.url, interval=5, healthy=2, unhealthy=2)


def test_without_apps_it_says_how_to_begin(daemon: Daemon, browser: Browser) -> None:
    assert browser.open(daemon.base + "/")["status"] == 200
    assert "Nothing is watched yet" in browser.text()
    assert "No mail is sent" in browser.text()
    browser.accessible()
    assert browser.complaints == []


def test_one_app_is_told_of_in_word_and_sign_and_title(
    daemon: Daemon, target: Target, browser: Browser
) -> None:
    register(daemon, target, "Kodi")
    daemon.wait_for_state("Kodi", "HEALTHY", 20)
    browser.open(daemon.base + "/healthchecker/status")
    assert browser.see("document.title") == "1 of 1 is healthy · HealthChecker"
    assert "HEALTHY" in browser.text("article")
    assert browser.see("document.querySelector('article use').getAttribute('href')") == "#healthy"
    healthy_icon = browser.see("document.querySelector('link[rel=icon]').href")
    target.refuses()
    daemon.wait_for_state("Kodi", "UNHEALTHY", 20)
    browser.open(daemon.base + "/")
    assert browser.see("document.title") == "UNHEALTHY: Kodi · HealthChecker"
    assert "connection refused" in browser.text("article")
    assert browser.see("document.querySelector('link[rel=icon]').href") != healthy_icon
    browser.accessible()
    assert browser.complaints == []


def test_a_refused_mail_is_shown_with_a_button_that_takes_it_away(
    start_daemon: StartDaemon, mailbox: SmtpServer, target: Target, browser: Browser
) -> None:
    mailbox.answer("RCPT", "550 5.1.1 no such user")
    daemon = start_daemon(email="owner@household.example", **mailbox.options())
    register(daemon, target, "Kodi")
    daemon.wait_for_log("refused for good", 60)
    browser.open(daemon.base + "/")
    assert "550 5.1.1 no such user" in browser.text("section[aria-label='Refused mail']")
    browser.accessible()
    browser.click("section[aria-label='Refused mail'] button")
    wait_for(lambda: "no such user" not in browser.text(), 20, "the button")
    assert daemon.get("/health").json()["status"] == "pass"
    assert browser.complaints == []


def test_twenty_apps_fit_into_50_kilobytes_and_a_phone(
    daemon: Daemon, new_target: NewTarget, browser: Browser
) -> None:
    fine, ill = new_target(), new_target(listening=False)
    register(daemon, fine, *(f"app {n}" for n in range(17)))
    ill.warns("disk 98 % full")
    register(daemon, ill, "warns", "pauses", "is quite a long name for an app-" + "x" * 60)
    daemon.post("/healthchecker/pause", data={"appname": "pauses"})
    daemon.wait_for_state("warns", "DEGRADED", 20)
    daemon.wait_for_state("app 16", "HEALTHY", 20)
    for dark in (False, True):
        for width in (1200, 360):
            opened = browser.open(daemon.base + "/", width=width, dark=dark)
            assert opened["bytes"] < 50_000, opened
            browser.fits()
            browser.accessible()
    names = browser.see("[...document.querySelectorAll('h3')].map(h => h.innerText)")
    assert len(names) == 20 and "warns" in names[:2], "the worst first"
    assert "18 of 20 healthy" in browser.text() or "17 of 20 healthy" in browser.text()
    dark_paper = browser.see("getComputedStyle(document.body).backgroundColor")
    browser.open(daemon.base + "/")
    assert browser.see("getComputedStyle(document.body).backgroundColor") != dark_paper
    assert browser.complaints == []


def test_a_thousand_apps_are_usable(daemon: Daemon, target: Target, browser: Browser) -> None:
    for n in range(1000):
        daemon.register(f"app-{n}", target.url, interval=300)
    opened = browser.open(daemon.base + "/", width=360)
    assert opened["bytes"] < 600_000, opened
    assert browser.see("document.querySelectorAll('article').length") == 1000
    browser.fits()


def test_what_apps_are_called_and_say_is_shown_and_never_obeyed(
    daemon: Daemon, target: Target, browser: Browser
) -> None:
    said = {"status": "fail", "output": HOSTILE, "z": [1, {"a": HOSTILE}]}
    target.answers(Answer(body=json.dumps(said)))
    register(daemon, target, HOSTILE)
    daemon.wait_for_state(HOSTILE, "UNHEALTHY", 20)
    for path in ("/", "/healthchecker/info?appname=" + quote(HOSTILE)):
        for width in (1200, 360):
            opened = browser.open(daemon.base + path, width=width)
            assert opened["status"] == 200
            assert browser.see("document.querySelectorAll('[onx], main script').length") == 0
            name = browser.see("document.querySelector('h3 bdi, h1 bdi').textContent")
            assert name == HOSTILE
            assert "the app says fail" in browser.text()
            browser.fits()
            browser.accessible()
            assert browser.complaints == []
    shown = browser.see("document.querySelector('pre').textContent")
    assert json.loads(shown) == said, "what the app said, laid out"
    assert shown.startswith('{\n  "status": "fail",\n')


@pytest.mark.parametrize("script", [True, False])
def test_every_button_works_and_leads_back(
    daemon: Daemon, target: Target, browser: Browser, script: bool
) -> None:
    name = 'TV & "box"'
    register(daemon, target, name)
    daemon.wait_for_state(name, "HEALTHY", 20)
    browser.open(daemon.base + "/", script=script)

    before = daemon.info(name)["checks"]
    browser.click("summary")
    browser.click("text=Check now")
    wait_for(lambda: daemon.info(name)["checks"] > before, 4, "the check")
    assert browser.see("location.pathname") == "/healthchecker/"

    browser.click("summary")
    browser.click("text=Pause")
    assert daemon.info(name)["paused"]
    assert "PAUSED" in browser.text("article")

    browser.click("h3 a")
    assert browser.see("location.pathname") == "/healthchecker/info"
    browser.click("text=Resume")
    assert not daemon.info(name)["paused"]
    assert browser.see("location.pathname") == "/healthchecker/info", "back where it was pressed"

    browser.click("text=All apps")
    browser.click("summary")
    browser.click("text=Stop …")
    assert daemon.info(name)["appname"] == name, "it asks first"
    browser.click("text=Yes, stop watching")
    assert daemon.get("/healthchecker/info", params={"appname": name}).status_code == 404
    assert browser.see("location.pathname") == "/healthchecker/"
    assert browser.complaints == []


def test_who_stops_an_app_is_offered_to_pause_it(
    daemon: Daemon, target: Target, browser: Browser
) -> None:
    register(daemon, target, "Kodi")
    browser.open(daemon.base + "/healthchecker/info?appname=Kodi#stop")
    assert "registers itself" in browser.text("#stop")
    browser.click("text=Pause instead")
    assert daemon.info("Kodi")["paused"]
    assert "then leave it paused" in browser.text("#stop")
    assert "Pause instead" not in browser.text("#stop")


def test_the_keyboard_is_enough(daemon: Daemon, target: Target, browser: Browser) -> None:
    register(daemon, target, "Kodi")
    browser.open(daemon.base + "/")
    reached = []
    for _ in range(4):
        browser.do("press", key="Tab")
        reached.append(browser.see("document.activeElement.textContent"))
    assert reached[:3] == ["Watch something", "Kodi", "Actions"]
    assert browser.see("getComputedStyle(document.activeElement).outlineStyle") != "none"
    browser.do("press", key="Shift+Tab")
    browser.do("press", key="Enter")
    browser.do("press", key="Tab")
    browser.do("press", key="Tab")
    assert browser.see("document.activeElement.textContent") == "Pause"
    browser.do("press", key="Enter")
    wait_for(lambda: daemon.info("Kodi")["paused"], 5, "the pause")


def test_it_updates_itself_and_says_when_the_daemon_is_gone(
    daemon: Daemon, target: Target, browser: Browser
) -> None:
    register(daemon, target, "Kodi")
    browser.open(daemon.base + "/")
    browser.click("summary")
    browser.see("document.querySelector('details a.button').focus()")
    daemon.post("/healthchecker/pause", data={"appname": "Kodi"})
    browser.do("wait", selector="article.is-paused")
    assert browser.see("document.title").startswith("PAUSED")
    assert browser.see("document.querySelector('details').open"), "what was open stays open"
    assert browser.see("document.activeElement.textContent") == "Stop …", "and focus where it was"
    daemon.stop()
    browser.do("wait", selector="#lost:not(:empty)")
    assert "No answer from the daemon" in browser.text("#lost")


def test_without_the_script_it_reloads(
    daemon: Daemon, target: Target, browser: Browser
) -> None:
    register(daemon, target, "Kodi")
    browser.open(daemon.base + "/", script=False)
    refresh = "document.querySelector('noscript meta[http-equiv=refresh]')"
    assert browser.see(f"{refresh} && {refresh}.content") == "30"


API_TOKEN = "the-api-token-0123456789"
READ_TOKEN = "the-read-token-0123456789"


def register_with_token(daemon: Daemon, target: Target, name: str) -> None:
    app = {"appname": name, "url": target.url, "interval": 300}
    headers = {"Authorization": f"Bearer {API_TOKEN}"}
    assert daemon.post("/healthchecker/monitor", data=app, headers=headers).status_code == 200


@pytest.mark.parametrize("script", [True, False])
def test_with_tokens_a_browser_logs_in_and_every_button_works(
    start_daemon: StartDaemon, target: Target, browser: Browser, script: bool
) -> None:
    daemon = start_daemon(api_token=API_TOKEN, read_token=READ_TOKEN)
    register_with_token(daemon, target, "Kodi")
    opened = browser.open(daemon.base + "/", login=API_TOKEN, script=script)
    assert opened["status"] == 200
    browser.click("summary")
    browser.click("text=Pause")
    assert "PAUSED" in browser.text("article")
    browser.click("h3 a")
    browser.click("text=Resume")
    assert "PAUSED" not in browser.text("header")
    assert browser.see("location.pathname") == "/healthchecker/info", "back where it was pressed"


@pytest.mark.parametrize("script", [True, False])
def test_a_button_that_needs_the_token_leads_to_the_login_and_is_then_obeyed(
    start_daemon: StartDaemon, target: Target, browser: Browser, script: bool
) -> None:
    daemon = start_daemon(api_token=API_TOKEN)
    register_with_token(daemon, target, "Kodi")
    assert browser.open(daemon.base + "/", login=API_TOKEN, script=script)["status"] == 200
    assert not daemon.info("Kodi")["paused"]
    # The browser has sent no token so far: it is asked for it, and repeats what was pressed.
    browser.click("summary")
    browser.click("text=Pause")
    assert daemon.info("Kodi")["paused"]
    assert "PAUSED" in browser.text("article")


def test_who_does_not_log_in_is_told_how_and_not_asked_again(
    start_daemon: StartDaemon, target: Target, browser: Browser
) -> None:
    daemon = start_daemon(api_token=API_TOKEN)
    register_with_token(daemon, target, "Kodi")
    # Chromium without a screen takes no answer to its question but this: a wrong token, and then none.
    browser.open(daemon.base + "/", login="wrong")
    browser.click("summary")
    browser.click("text=Pause")
    assert "is not the api_token" in browser.text()
    assert browser.see("document.scripts.length") == 0
    browser.accessible()
    assert not daemon.info("Kodi")["paused"]
    closed = start_daemon(api_token=API_TOKEN, read_token=READ_TOKEN)
    opened = browser.open(closed.base + "/", login="wrong")
    assert opened["status"] == 401
    assert "is not the read_token or api_token" in browser.text()


def test_a_page_that_was_opened_with_the_token_in_its_address_updates_itself(
    start_daemon: StartDaemon, target: Target, browser: Browser
) -> None:
    daemon = start_daemon(api_token=API_TOKEN, read_token=READ_TOKEN)
    register_with_token(daemon, target, "Kodi")
    with_login = daemon.base.replace("http://", f"http://owner:{API_TOKEN}@")
    assert browser.open(with_login + "/")["status"] == 200
    paused = daemon.post(
        "/healthchecker/pause",
        data={"appname": "Kodi"},
        headers={"Authorization": f"Bearer {API_TOKEN}"},
    )
    assert paused.status_code == 200
    browser.do("wait", selector="article.is-paused")
    assert browser.complaints == []


def test_an_open_page_whose_token_no_longer_holds_asks_once_and_then_rests(
    start_daemon: StartDaemon, browser: Browser
) -> None:
    daemon = start_daemon(api_token=API_TOKEN, read_token=READ_TOKEN)
    assert browser.open(daemon.base + "/", login=READ_TOKEN)["status"] == 200
    before = daemon.base
    daemon.stop()
    daemon.options["read_token"] = "another-token-0123456789"
    daemon.start()
    assert daemon.base == before
    browser.do("wait", selector="h1:text('Log in, please')")
    assert "is not the read_token" in browser.text()
    assert browser.see("document.scripts.length") == 0


def test_programs_keep_their_json(daemon: Daemon) -> None:
    for path in ("/", "/healthchecker/status"):
        for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
            answer = daemon.get(path, headers=headers)
            assert answer.json()["apps"] == [], headers
        assert daemon.get(path + "?format=json", headers=BROWSER_ACCEPTS).json()["apps"] == []
        page = daemon.get(path, headers=BROWSER_ACCEPTS)
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert daemon.get(path + "?format=html").text.startswith("<!DOCTYPE html>")
        assert daemon.get(path + "?format=xml").status_code == 400


def test_the_page_lets_nothing_in(daemon: Daemon) -> None:
    headers = daemon.get("/", headers=BROWSER_ACCEPTS).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and "form-action 'self'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_problem_is_a_page_for_a_browser(daemon: Daemon, browser: Browser) -> None:
    opened = browser.open(daemon.base + "/healthchecker/info?appname=nobody")
    assert opened["status"] == 404
    assert "no app is registered by the name" in browser.text()
    browser.accessible()
