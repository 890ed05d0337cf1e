"""Every registration as one document, and back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from conftest import StartDaemon
from daemon import BINARY, Daemon
from programs import healthchecker

NAMES = ["NAS", 'TV & "box" <b>', "K\u00fcche \U0001f373"]


def export(daemon: Daemon) -> dict[str, Any]:
    answer = daemon.get("/healthchecker/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="healthchecker.json"'
    document: dict[str, Any] = answer.json()
    return document


def run_import(
    daemon: Daemon, file: Path | str, *options: str, given: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BINARY), "import", str(file), "--server", daemon.base, *options],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def document(*apps: dict[str, Any]) -> str:
    return json.dumps({"healthchecker_export": 1, "apps": apps})


def test_a_household_moves_to_another_daemon(start_daemon: StartDaemon, tmp_path: Path) -> None:
    old, new = start_daemon(email="owner@example.org"), start_daemon(email="other@example.org")
    for n, name in enumerate(NAMES):
        old.register(name, f"http://127.0.0.1:808{n}/x", interval=60 + n, healthy=3, expect="200-204,401")
    old.register("told", "https://10.1.2.4", email="a@example.org, b@example.org", path="/h")
    old.post("/healthchecker/pause", data={"appname": NAMES[1]})
    document = export(old)
    assert [app["appname"] for app in document["apps"]] == sorted([*NAMES, "told"])
    file = tmp_path / "healthchecker.json"
    written = healthchecker("export", file, "--server", old.base)
    assert written.out == f"4 apps written to {file}\n"
    printed = healthchecker("export", "--server", old.base).out
    assert json.loads(printed)["apps"] == json.loads(file.read_text())["apps"] == document["apps"]
    ended = run_import(new, file)
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.endswith("4 apps: 4 registered\n")
    assert f"{NAMES[1]}: registered, paused\n" in ended.stdout
    assert export(new)["apps"] == document["apps"]
    assert new.info(NAMES[1])["paused"]
    assert new.info("NAS")["email"] == ["other@example.org"], "nobody was named: the new option"
    assert new.info("told")["email"] == ["a@example.org", "b@example.org"]


def test_what_cannot_be_registered_is_said_and_the_others_are(
    daemon: Daemon, tmp_path: Path
) -> None:
    file = tmp_path / "healthchecker.json"
    url = "http://127.0.0.1:9"
    apps: tuple[dict[str, Any], ...] = (
        {"appname": "bad", "url": "ftp://10.1.2.3"},
        {},
        {"appname": "neither", "url": url, "paused": "yes"},
        {"appname": 7, "url": url, "email": None, "paused": True},
        {"appname": "good", "url": url, "interval": None},
    )
    # As an editor of Windows writes it.
    file.write_text("\ufeff" + document(*apps))
    ended = run_import(daemon, file)
    assert ended.returncode == 65
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("bad: refused: ") and lines[1].startswith("app 2 of the document: ")
    assert lines[2] == 'neither: refused: paused must be true or false, not "yes"'
    assert lines[3:] == [
        "7: registered, paused", "good: registered", "5 apps: 2 registered, 3 refused",
    ]
    assert daemon.info("good")["interval"] == 30 and daemon.info("7")["paused"]


def test_an_import_says_what_it_changed(daemon: Daemon) -> None:
    daemon.register("NAS", "http://127.0.0.1:9", interval=60)
    daemon.register("same", "http://127.0.0.1:9")
    for name in ("NAS", "same"):
        daemon.post("/healthchecker/pause", data={"appname": name})
    before = export(daemon)["apps"]
    given = document(
        {"appname": "NAS", "url": "http://127.0.0.1:9", "unhealthy": 3, "paused": False},
        {"appname": "same", "url": "http://127.0.0.1:9"},
        {"appname": "TV", "url": "http://127.0.0.1:9", "interval": 3},
        {"appname": "new", "url": "http://127.0.0.1:9", "paused": True},
    )
    rehearsed = run_import(daemon, "-", "--dry-run", given=given)
    assert rehearsed.returncode == 65
    assert rehearsed.stdout.splitlines()[:2] == [
        "NAS: would be updated, interval 60 -> 30, unhealthy 2 -> 3, paused true -> false",
        "same: would be unchanged",
    ]
    assert "TV: would be refused: interval must be" in rehearsed.stdout
    assert rehearsed.stdout.endswith("nothing was changed: this was a rehearsal\n")
    assert export(daemon)["apps"] == before
    done = run_import(daemon, "-", given=given)
    assert done.returncode == 65
    assert "NAS: updated\nsame: unchanged\nTV: refused: " in done.stdout
    assert done.stdout.endswith("4 apps: 1 updated, 1 unchanged, 1 registered, 1 refused\n")
    assert not daemon.info("NAS")["paused"]
    assert daemon.info("same")["paused"], "nothing was said of it"


def test_an_import_that_breaks_off_says_where(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(api_token="s3cret")
    ended = run_import(daemon, "-", given=document({"appname": "a", "url": "http://127.0.0.1:9"}))
    assert ended.returncode == 77
    assert "1 app: 1 not tried" in ended.stdout and "stopped at a: " in ended.stdout


def test_a_backup_is_written_whole_or_not_at_all(daemon: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "backup.json"
    file.write_text("the last good one")
    gone = healthchecker("export", file, "--server", "127.0.0.1:9")
    assert gone.code == 69 and file.read_text() == "the last good one"
    nowhere = healthchecker("export", tmp_path / "none" / "x", "--server", daemon.base)
    assert nowhere.code == 74 and "cannot write" in nowhere.err


def test_another_file_is_refused_whole(daemon: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    for text in ("", "{}", '{"healthchecker_export": 2, "apps": []}', "[1]"):
        file.write_text(text)
        ended = run_import(daemon, file)
        assert ended.returncode == 65 and f"cannot import {file}" in ended.stdout, ended.stdout
    assert run_import(daemon, tmp_path / "none.json").returncode == 65
    assert export(daemon)["apps"] == []
