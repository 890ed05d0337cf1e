"""The pages as the W3C's checker reads them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from conftest import NewTarget, StartDaemon
from daemon import Daemon
from node_tools import FOLDER, install, why_unavailable
from target import Answer, Target

CHECKER = FOLDER / "node_modules/vnu-jar/build/dist/vnu.jar"
SECONDS = 120
BROWSER = {"Accept": "text/html", "User-Agent": "Mozilla/5.0"}
# Every character that means something in markup, and some that are none there.
HOSTILE = "<b a='\"'>&amp; \u05e9\u05dc \U0001f373"


# SVG 2 has it in style sheets, too, and every browser knows it there; the checker's list of properties is older.
YOUNGER = "Property “vector-effect” doesn't exist"


def complaints(folder: Path) -> list[str]:
    """What the checker has to say of the pages in a folder; nothing leaves the machine."""
    pages = [str(page) for page in sorted(folder.glob("*.html"))]
    done = subprocess.run(
        ["java", "-jar", str(CHECKER), "--format", "json", *pages],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    found = json.loads(done.stderr)["messages"]
    unknown = [it for it in found if YOUNGER not in it["message"]]
    return [f"{Path(it['url']).name}: {it['message']} {it.get('extract', '')}" for it in unknown]


def apps_in_every_state(daemon: Daemon, target: Target, silent: Target) -> None:
    quick = {"interval": 5, "healthy": 2, "unhealthy": 2}
    daemon.register("well", target.url, **quick)
    daemon.register(HOSTILE, target.url, **quick)
    daemon.register("new", target.url)
    daemon.register("gone", silent.url, **quick)
    daemon.wait_for_state("well", "HEALTHY", 30)
    target.answers(Answer(body=json.dumps({"status": "fail", "output": HOSTILE})))
    daemon.wait_for_state(HOSTILE, "UNHEALTHY", 30)
    daemon.wait_for_state("gone", "UNHEALTHY", 60)
    daemon.post("/healthchecker/pause", data={"appname": "well"})


def test_every_page_is_clean(
    start_daemon: StartDaemon, target: Target, new_target: NewTarget, tmp_path: Path
) -> None:
    if reason := why_unavailable("java"):
        pytest.skip(reason)
    install()
    pages = tmp_path / "pages"
    pages.mkdir()

    def keep(daemon: Daemon, name: str, path: str, status: int = 200, **query: str) -> None:
        answer = daemon.get(path, params=query, headers=BROWSER)
        assert answer.status_code == status and "html" in answer.headers["Content-Type"]
        (pages / f"{name}.html").write_bytes(answer.content)

    silent = new_target(listening=False)
    # Nobody takes its mail.
    daemon = start_daemon(
        smtp_host="127.0.0.1",
        smtp_port=silent.port,
        smtp_security="none",
        mail_from="pi@home.example",
        email="owner@home.example",
    )
    keep(start_daemon(), "empty", "/")
    keep(daemon, "form", "/healthchecker/watch")
    apps_in_every_state(daemon, target, silent)
    keep(daemon, "board", "/healthchecker/status")
    for number, app in enumerate(["well", HOSTILE, "new", "gone"]):
        keep(daemon, f"app{number}", "/healthchecker/info", appname=app)
    keep(daemon, "change", "/healthchecker/watch", appname=HOSTILE)
    wrong = {"appname": HOSTILE, "url": HOSTILE, "interval": HOSTILE, "parent": "a\n,", "what": "x"}
    refused = daemon.post("/healthchecker/watch", data=wrong, headers={"Accept": "text/html"})
    (pages / "wrong.html").write_bytes(refused.content)
    keep(daemon, "unknown", "/healthchecker/info", status=404, appname="nobody")
    keep(daemon, "nowhere", "/nowhere", status=404)
    found = complaints(pages)
    assert found == [], "\n".join(found)
