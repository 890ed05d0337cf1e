"""The page's form: something is watched, changed and removed with a browser alone."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from browser import Browser
from conftest import StartDaemon
from daemon import Daemon
from target import Target
from waiting import wait_for

FORM = "/healthchecker/watch"
PAGE = {"Accept": "text/html"}
FOLDED = "text=How often, what counts"
WRONG = {
    "appname": ("\u3164Kodi", "cannot be seen, not U+3164"),
    "url": ("http://nas 1", "http://nas 1"),
    "email": ("me", "such as a@example.org,b@example.org"),
    "timeout": ("1", "from 2 to 60"),
    "interval": ("often", "from 5 to 300"),
    "unhealthy": ("1", "from 2 to 10"),
    "healthy": ("11", "from 2 to 10"),
    "path": ("ok", "must start with /"),
    "expect": ("2xx", "such as 200-299,401"),
    "parent": ("x" * 200, "no name of an app"),
}


def on(browser: Browser) -> str:
    shown: str = browser.see("location.pathname + location.search")
    return shown


def value(browser: Browser, field: str) -> str:
    shown: str = browser.see(f"document.getElementById('field-{field}').value")
    return shown


def beside(browser: Browser, field: str) -> str:
    """What a screen reader says of a field: what is wrong with it, and what would be right."""
    shown: str = browser.see(
        f"document.getElementById('field-{field}').getAttribute('aria-describedby').split(' ')"
        ".map(id => document.getElementById(id).innerText).join(' ')"
    )
    return shown


def accessible(browser: Browser, script: bool) -> None:
    # Where scripts are off, axe-core's time-outs are off, too.
    if script:
        browser.accessible()


@pytest.mark.parametrize("script", [True, False])
def test_from_the_empty_page_to_a_watched_app_in_three_steps(
    start_daemon: StartDaemon, target: Target, browser: Browser, script: bool
) -> None:
    daemon = start_daemon(email="me@example.org")
    browser.open(daemon.base + "/", width=360, script=script)
    refresh = browser.see("document.querySelectorAll('meta[http-equiv=refresh]').length")
    assert refresh == 0, "nobody's form is asked for anew"
    assert f"{daemon.base}/healthchecker/monitor" in browser.text("main pre")
    assert "healthchecker setup" in browser.text()
    assert "if left empty: me@example.org" in beside(browser, "email")
    form, call, mail = (
        browser.see(f"document.querySelector('{one}').getBoundingClientRect().top")
        for one in ("form.watch", "main pre", ".notice")
    )
    assert form < call < mail, "it begins with the form"
    browser.fits()
    accessible(browser, script)
    browser.fill("#field-appname", "TV box")
    browser.fill("#field-url", target.url.removeprefix("http://"))
    browser.click("text=Watch it")
    assert browser.do("loads") == 2, "the empty page, and that of the app"
    assert on(browser) == "/healthchecker/info?appname=TV+box"
    wait_for(lambda: daemon.info("TV box")["checks"] > 0, 5, "the first check")
    assert daemon.info("TV box")["url"] == target.url
    assert daemon.info("TV box")["email"] == ["me@example.org"]
    assert browser.complaints == []


@pytest.mark.parametrize(
    ("script", "width", "dark"), [(True, 1200, False), (True, 360, True), (False, 360, False)]
)
def test_every_mistake_stands_beside_its_field_and_nothing_typed_is_lost(
    daemon: Daemon, browser: Browser, script: bool, width: int, dark: bool
) -> None:
    browser.open(daemon.base + FORM, width=width, dark=dark, script=script)
    browser.fits()
    accessible(browser, script)
    browser.click(FOLDED)
    for field, (text, _) in WRONG.items():
        browser.fill("#field-" + field, text)
    browser.click("#field-may_be_off")
    browser.click("#field-reminders")
    browser.click("text=Watch it")
    assert on(browser) == FORM
    assert browser.see("document.title").startswith("Not yet: ")
    for field, (text, right) in WRONG.items():
        assert value(browser, field) == text
        assert right in beside(browser, field), field
        assert browser.see(f"document.getElementById('field-{field}').ariaInvalid") == "true"
    assert browser.see("document.getElementById('field-may_be_off').checked")
    assert not browser.see("document.getElementById('field-reminders').checked")
    assert browser.see("document.activeElement.name") == "appname", "focus at the first one"
    browser.fits()
    accessible(browser, script)
    # That the page was answered with 400.
    assert [it for it in browser.complaints if "400" not in it] == []
    assert daemon.get("/healthchecker/status").json()["apps"] == []


def test_an_app_is_changed_and_removed(daemon: Daemon, target: Target, browser: Browser) -> None:
    name = 'TV & "box"'
    daemon.register("Switch, upstairs", target.url, interval=300)
    daemon.post(
        "/healthchecker/monitor",
        json={"appname": name, "url": target.url, "interval": 60, "parent": ["Switch, upstairs"]},
    )
    browser.open(daemon.base + "/", width=360)
    browser.click("text=" + name)
    browser.click("text=Change …")
    assert on(browser) == FORM + "?appname=TV+%26+%22box%22"
    assert value(browser, "url") == target.url and value(browser, "interval") == "60"
    assert value(browser, "path") == "", "as by default"
    browser.fits()
    browser.accessible()
    browser.fill("#field-interval", "17")
    browser.fill("#field-timeout", "3")
    browser.click("#field-may_be_off")
    browser.click("text=Save")
    assert on(browser) == "/healthchecker/info?appname=TV+%26+%22box%22"
    changed = daemon.info(name)
    assert (changed["interval"], changed["timeout"], changed["may_be_off"]) == (17, 3, True)
    assert changed["parent"] == ["Switch, upstairs"], "a name with a comma stays one"

    browser.click("text=Change …")
    browser.fill("#field-interval", "")
    browser.fill("#field-parent", "Attic")
    browser.click("#field-may_be_off")
    browser.click("text=Save")
    changed = daemon.info(name)
    assert (changed["interval"], changed["may_be_off"], changed["parent"]) == (30, False, ["Attic"])
    assert "parent \"Attic\" is not watched" in browser.text(), "what may not be as it was meant"

    browser.click("text=Change …")
    browser.click("text=Stop watching …")
    assert daemon.info(name)["appname"] == name, "it asks first"
    browser.click("text=Yes, stop watching")
    assert daemon.get("/healthchecker/info", params={"appname": name}).status_code == 404
    assert browser.complaints == []


def test_the_keyboard_is_enough(daemon: Daemon, target: Target, browser: Browser) -> None:
    browser.open(daemon.base + FORM)
    reached = []
    for _ in range(6):
        browser.do("press", key="Tab")
        reached.append(browser.see("document.activeElement.name || document.activeElement.innerText"))
    assert reached[1:] == ["appname", "url", "email", "How often, what counts, who else", "Watch it"]
    browser.fill("#field-appname", "Kodi")
    browser.fill("#field-url", target.url)
    browser.do("press", key="Enter")
    browser.do("wait", selector="text=Change …")
    assert on(browser) == "/healthchecker/info?appname=Kodi"


def test_a_known_name_is_not_taken_by_accident(daemon: Daemon, target: Target) -> None:
    daemon.register("Kodi", target.url, interval=300)
    typed = {"appname": " Kodi ", "url": "http://127.0.0.1:1"}
    refused = daemon.post(FORM, data=typed, headers=PAGE, allow_redirects=False)
    assert refused.status_code == 400 and "is watched already" in refused.text
    assert daemon.info("Kodi")["url"] == target.url
    saved = daemon.post(FORM, data={**typed, "changes": "true"}, headers=PAGE, allow_redirects=False)
    assert saved.status_code == 303
    assert daemon.info("Kodi")["url"] == "http://127.0.0.1:1"
    circle = {**typed, "changes": "true", "parent": "Kodi"}
    refused = daemon.post(FORM, data=circle, headers=PAGE)
    assert refused.status_code == 400 and 'id="wrong-parent"' in refused.text


def test_what_is_sent_twice_is_watched_once(daemon: Daemon, target: Target) -> None:
    typed = {"appname": "Kodi", "url": target.url, "may_be_off": "true", "auth": "me:hunter2"}
    for _ in range(2):
        saved = daemon.post(FORM, data=typed, headers=PAGE, allow_redirects=False)
        assert (saved.status_code, saved.headers.get("Location")) == (303, "info?appname=Kodi")
    other = {**typed, "interval": "60"}
    refused = daemon.post(FORM, data=other, headers=PAGE, allow_redirects=False)
    assert refused.status_code == 400 and "is watched already" in refused.text
    assert daemon.info("Kodi")["interval"] == 30


def test_an_app_that_was_stopped_meanwhile_is_not_watched_anew_by_accident(
    daemon: Daemon, target: Target, browser: Browser
) -> None:
    daemon.register("Kodi", target.url, interval=300, auth="me:hunter2")
    browser.open(daemon.base + FORM + "?appname=Kodi")
    browser.fill("#field-interval", "60")
    daemon.post("/healthchecker/stop", data={"appname": "Kodi"})
    browser.click("text=Save")
    assert "was stopped meanwhile" in beside(browser, "appname")
    assert value(browser, "appname") == "Kodi" and value(browser, "interval") == "60"
    browser.accessible()
    assert daemon.get("/healthchecker/info", params={"appname": "Kodi"}).status_code == 404
    browser.fill("#field-auth", "me:hunter2")
    browser.click("button.do")
    assert on(browser) == "/healthchecker/info?appname=Kodi"
    assert daemon.info("Kodi")["auth_set"] is True
    # That the page was answered with 400.
    assert [it for it in browser.complaints if "400" not in it] == []


def test_an_app_of_the_same_machine_can_be_changed_from_elsewhere(
    daemon: Daemon, target: Target
) -> None:
    daemon.register("Kodi", target.url, interval=300)
    elsewhere = {**PAGE, "X-Forwarded-For": "192.0.2.7"}
    typed = {"appname": "Kodi", "url": target.url, "interval": "60", "changes": "true"}
    saved = daemon.post(FORM, data=typed, headers=elsewhere, allow_redirects=False)
    assert saved.status_code == 303 and daemon.info("Kodi")["interval"] == 60
    typed["url"] = "http://127.0.0.1:1"
    refused = daemon.post(FORM, data=typed, headers=elsewhere)
    assert refused.status_code == 400 and 'id="wrong-url"' in refused.text


def test_programs_get_json_and_nobody_is_watched_who_is_not_there(daemon: Daemon) -> None:
    refused = daemon.post(FORM, data={"appname": "Kodi", "url": "http://127.0.0.1:1", "path": "ok"})
    assert refused.status_code == 400 and refused.json()["field"] == "path"
    taken = daemon.post(FORM, data={"appname": "Kodi", "url": "http://127.0.0.1:1"})
    assert taken.json()["result"] == "registered"
    nobody = daemon.get(FORM, params={"appname": "nobody"}, headers=PAGE)
    assert nobody.status_code == 404 and "no app is registered" in nobody.text
    assert daemon.get(FORM, params={"url": "http://nas"}).status_code == 400


HOSTILE = "</title></textarea><script>alert(1)</script>\"'&amp;"


def test_what_is_typed_is_never_markup(daemon: Daemon, target: Target, browser: Browser) -> None:
    fields = [*WRONG, "kind", "may_be_off", "reminders", HOSTILE]
    typed = {field: HOSTILE for field in fields}
    page = daemon.post(FORM, data=typed, headers=PAGE)
    assert page.status_code == 400 and "<script>" not in page.text
    for changes in ({"changes": "true"}, {"parent": HOSTILE + "\n" + HOSTILE}):
        page = daemon.post(FORM, data={**typed, **changes}, headers=PAGE)
        assert page.status_code == 400 and "<script>" not in page.text
    daemon.register(HOSTILE, target.url, interval=300)
    browser.open(daemon.base + FORM + "?appname=" + quote(HOSTILE))
    assert browser.see("document.querySelector('h1').innerText") == "Change " + HOSTILE
    assert browser.see("document.scripts.length") == 0
    assert browser.complaints == []


TOKEN = "the-api-token-0123456789"


@pytest.mark.parametrize("script", [True, False])
def test_with_a_token_the_form_leads_to_the_login_and_is_then_obeyed(
    start_daemon: StartDaemon, target: Target, browser: Browser, script: bool
) -> None:
    daemon = start_daemon(api_token=TOKEN)
    page = daemon.get("/", headers=PAGE)
    assert "Authorization: Bearer TOKEN" in page.text and TOKEN not in page.text
    browser.open(daemon.base + "/", login=TOKEN, script=script)
    browser.fill("#field-appname", "Kodi")
    browser.fill("#field-url", target.url)
    browser.click("text=Watch it")
    assert on(browser) == "/healthchecker/info?appname=Kodi"
    assert daemon.info("Kodi")["url"] == target.url
    typed = {"appname": "Thief", "url": target.url}
    assert daemon.post(FORM, data=typed, headers=PAGE).status_code == 401


def test_only_our_own_page_may_send_the_form(daemon: Daemon, target: Target) -> None:
    typed = {"appname": "Thief", "url": target.url}
    for headers in (
        {"Origin": "http://evil.example"},
        {"Referer": "http://evil.example/"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ):
        refused = daemon.post(FORM, data=typed, headers={**PAGE, **headers})
        assert refused.status_code == 403, headers
    assert daemon.get("/healthchecker/status").json()["apps"] == []
