"""Every registration as one document, and back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from conftest import StartDaemon
from daemon import BINARY, Daemon

NAMES = ["NAS", 'TV & "box" <b>', "K\u00fcche \U0001f373"]


def export(daemon: Daemon) -> dict[str, Any]:
    answer = daemon.get("/healthchecker/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="healthchecker.json"'
    document: dict[str, Any] = answer.json()
    return document


def run_import(daemon: Daemon, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BINARY), "import", str(file), "--server", daemon.base],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_household_moves_to_another_daemon(start_daemon: StartDaemon, tmp_path: Path) -> None:
    old, new = start_daemon(email="owner@example.org"), start_daemon(email="other@example.org")
    for n, name in enumerate(NAMES):
        old.register(name, f"http://127.0.0.1:808{n}/x", interval=60 + n, healthy=3, expect="200-204,401")
    old.register("told", "https://10.1.2.4", email="a@example.org, b@example.org", path="/h")
    old.post("/healthchecker/pause", data={"appname": NAMES[1]})
    document = export(old)
    assert [app["appname"] for app in document["apps"]] == sorted([*NAMES, "told"])
    file = tmp_path / "healthchecker.json"
    file.write_text(json.dumps(document))
    ended = run_import(new, file)
    assert ended.returncode == 0, ended.stdout
    assert "4 of 4 registered" in ended.stdout
    assert export(new)["apps"] == document["apps"]
    assert new.info(NAMES[1])["paused"]
    assert new.info("NAS")["email"] == ["other@example.org"], "nobody was named: the new option"
    assert new.info("told")["email"] == ["a@example.org", "b@example.org"]


def test_what_cannot_be_registered_is_said_and_the_others_are(
    daemon: Daemon, tmp_path: Path
) -> None:
    document = export(daemon)
    good = {"appname": "good", "url": "http://127.0.0.1:9"}
    document["apps"] = [{"appname": "bad", "url": "ftp://10.1.2.3"}, {}, good]
    file = tmp_path / "healthchecker.json"
    file.write_text(json.dumps(document))
    ended = run_import(daemon, file)
    assert ended.returncode == 65
    assert "bad: " in ended.stdout and "1 of 3 registered" in ended.stdout
    assert daemon.info("good")["interval"] == 30


def test_another_file_is_refused_whole(daemon: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    for text in ("", "{}", '{"healthchecker_export": 2, "apps": []}', "[1]"):
        file.write_text(text)
        ended = run_import(daemon, file)
        assert ended.returncode == 65 and f"cannot import {file}" in ended.stdout, ended.stdout
    assert run_import(daemon, tmp_path / "none.json").returncode == 65
    assert export(daemon)["apps"] == []
