"""The page of what is seen on the network: found, and watched with one touch each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest

from browser import Browser, why_unavailable as why_no_browser
from conftest import StartDaemon
from daemon import Daemon
from lan import Lan, Machine
from node_tools import install, why_unavailable as why_no_tools
from test_markup import complaints
from waiting import wait_for

DEVICES = 30
FOCUS_SECONDS = 5
SCAN = "/healthchecker/scan"
AS_BROWSER = ["-H", "Accept: text/html", "-H", "User-Agent: Mozilla/5.0"]
LOOK_AROUND = "form[action$=scan] button"
ROWS = "[...document.querySelectorAll('ul.seen li')]"
# One of no machine that it knows: refused when it is to be watched.
NOWHERE = "_smb._tcp\t[fe80::7]:445\tbox.local\tZoo & <b>\n"


@pytest.fixture
def server(lan: Lan) -> Machine:
    """The daemon's machine, in a house of thirty devices."""
    server, others = lan.add("server"), lan.add("others")
    program = others.start_client("announce-devices", others.ipv4, str(DEVICES))
    assert program.stdout and json.loads(program.stdout.readline()) == "announced"
    return server


@pytest.fixture
def browser(server: Machine) -> Iterator[Browser]:
    """Chromium on that machine."""
    if reason := why_no_browser():
        pytest.skip(reason)
    one = Browser(server)
    yield one
    one.close()


def watched(machine: Machine, daemon: Daemon) -> dict[str, str]:
    """The apps, and where they are."""
    _, answer = machine.fetch("GET", f"http://127.0.0.1:{daemon.port}/healthchecker/status")
    return {app["appname"]: app["url"] for app in json.loads(answer)["apps"]}


def test_three_of_thirty_devices_are_watched_with_one_touch_each(
    server: Machine, start_daemon: StartDaemon, browser: Browser
) -> None:
    screens = [(True, 1200, False), (True, 360, False), (False, 1200, False), (False, 360, True)]
    for script, width, dark in screens:
        daemon = start_daemon(machine=server)
        browser.open(f"http://127.0.0.1:{daemon.port}/", width=width, dark=dark, script=script)
        browser.click(LOOK_AROUND)
        assert browser.see(ROWS + ".length") == DEVICES
        browser.fits()
        if script:
            browser.accessible()
        # From the empty page to a watched TV box: two touches, and the third page says that it is.
        for loads, (device, port) in enumerate([(1, 8009), (2, 22), (7, 1883)], start=3):
            name = f"Device {device}"
            browser.click(f"button[aria-label='Watch {name}']")
            assert browser.do("loads") == loads
            watched_as = f"document.activeElement.innerText == 'watched as {name}'"
            # The browser moves the focus when it has drawn the page.
            wait_for(partial(browser.see, watched_as), FOCUS_SECONDS, watched_as)
            assert browser.see(ROWS + ".length") == DEVICES, "nobody looks around again for the next"
            assert watched(server, daemon)[name].endswith(f"://10.77.0.2:{port}")
        assert browser.see("document.querySelectorAll('ul.seen a').length") >= 3
        # Of a device that shows itself under several names the others are marked, too.
        if script:
            browser.accessible()
        browser.fits()
        assert browser.complaints == []
        daemon.stop()


def test_a_touch_that_fails_says_why_beside_the_device(
    server: Machine, start_daemon: StartDaemon, browser: Browser
) -> None:
    daemon = start_daemon(machine=server)
    browser.open(f"http://127.0.0.1:{daemon.port}/", width=360)
    browser.click(LOOK_AROUND)
    # As if it were a list of yesterday.
    browser.see(f"document.querySelector('input[name=seen]').value += {json.dumps(NOWHERE)}")
    browser.see("document.querySelector('ul.seen button').value = " + str(DEVICES))
    browser.click("ul.seen button")
    assert browser.see(ROWS + ".length") == DEVICES + 1, "the list is still there"
    wrong = browser.see("document.querySelector('[role=alert]').innerText")
    assert "link-local" in wrong, wrong
    in_row = "document.activeElement.closest('li') !== null"
    wait_for(partial(browser.see, in_row), FOCUS_SECONDS, in_row)
    row = "document.activeElement.closest('li').innerText"
    assert "Zoo & <b>" in browser.see(row) and wrong in browser.see(row)
    browser.accessible()
    browser.fits()
    assert watched(server, daemon) == {}
    # That the page was answered with 400.
    assert [it for it in browser.complaints if "400" not in it] == []


def test_the_page_is_clean(server: Machine, start_daemon: StartDaemon, tmp_path: Path) -> None:
    if reason := why_no_tools("java"):
        pytest.skip(reason)
    install()
    daemon = start_daemon(machine=server)
    pages = tmp_path / "pages"
    pages.mkdir()

    def keep(name: str, body: str) -> None:
        url = f"http://127.0.0.1:{daemon.port}{SCAN}"
        page = server.run("curl", "-s", *AS_BROWSER, "-H", f"Origin: {url[: -len(SCAN)]}", "-d", body, url)
        assert "<h1>" in page
        (pages / f"{name}.html").write_text(page)

    keep("seen", "")
    row = "_sonos._tcp\t10.77.0.2:1443\tbox.local\tKitchen <b>&\n"
    keep("picked", urlencode({"seen": row + NOWHERE, "watch": "0"}))
    keep("refused", urlencode({"seen": NOWHERE, "watch": "0"}))
    keep("unreadable", urlencode({"seen": "x", "watch": "0"}))
    assert "watched as" in (pages / "picked.html").read_text()
    assert 'role="alert"' in (pages / "refused.html").read_text()
    found = complaints(pages)
    assert found == [], "\n".join(found)


def test_no_foreign_page_looks_around_or_watches(server: Machine, start_daemon: StartDaemon) -> None:
    daemon = start_daemon(machine=server)
    url = f"http://127.0.0.1:{daemon.port}{SCAN}"
    pick = urlencode({"seen": "_ssh._tcp\t10.77.0.2:22\tbox.local\tBox\n", "watch": "0"})
    for body in ("", pick):
        for mark in (
            "Origin: http://evil.example",
            "Referer: http://evil.example/",
            "Sec-Fetch-Site: cross-site",
            "Host: evil.example",
        ):
            command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *AS_BROWSER]
            assert server.run(*command, "-H", mark, "-d", body, url) == "403", (body, mark)
    assert server.fetch("GET", url)[0] == 405
    assert watched(server, daemon) == {}
