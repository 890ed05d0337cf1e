"""A real browser on a foreign page stops nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import StartDaemon
from foreign_page import ATTEMPTS, CHROMIUM, ForeignSite, open_in_chromium
from target import Target

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")


def test_a_foreign_page_in_a_real_browser_stops_nothing_and_sees_nothing(
    start_daemon: StartDaemon, target: Target, tmp_path: Path
) -> None:
    daemon = start_daemon(debug=True)
    for appname in ATTEMPTS:
        daemon.register(appname, target.url, interval=300)
    with ForeignSite(daemon.port) as site:
        page = open_in_chromium(site.url, tmp_path / "browser")
    assert "nothing to see</body>" in page, page
    for appname in ATTEMPTS:
        assert daemon.info(appname)["paused"] is False, "still there"
    assert len(daemon.get("/healthchecker/status").json()["apps"]) == len(ATTEMPTS), "none came in"
    refused = [line for line in daemon.lines if "is answered 403: a browser may" in line]
    # One never comes: for JSON the browser asks first, and is told nothing. One is the form's.
    assert len(refused) >= len(ATTEMPTS), daemon.log()
    assert any("is answered 405" in line for line in daemon.lines), "that one"
