"""Clients that others' generators make from the description, at work."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from daemon import REPOSITORY, Daemon
from node_tools import BIN, FOLDER, install, run, why_unavailable
from programs import run as run_program
from target import Target

DESCRIPTION = REPOSITORY / "src/daemon/api/openapi.json"

# With the package that is generated, named `described`, beside it.
PYTHON_CLIENT = '''
import json, sys
from described import Client
from described.api.apps import info, monitor, status, stop
from described.models import AppWithRecent, Done, OneApp, Problem, Registration

def say(value):
    print(json.dumps(value))

client = Client(base_url=sys.argv[1])
least = Registration(appname="Kodi", url=sys.argv[2])
say(monitor.sync(client=client, body=least).result)
more = Registration(appname="NAS", url=sys.argv[2], interval=10, timeout=2, email="a@b.c")
say(monitor.sync(client=client, body=more).result)
listed = Registration(appname="NAS", url=sys.argv[2], interval=10, timeout=2, email=["a@b.c", "d@e.f"], expect=None)
say(monitor.sync(client=client, body=listed).result)
wrong = monitor.sync(client=client, body=Registration(appname="NAS", url=sys.argv[2], interval=1))
assert isinstance(wrong, Problem)
say(wrong.field)
app = info.sync(client=client, appname="NAS")
assert isinstance(app, AppWithRecent)
say([app.appname, app.interval, app.email])
say(sorted(app.appname for app in status.sync(client=client).apps))
say(stop.sync(client=client, body=OneApp(appname="NAS")).result)
say(stop.sync(client=client, body=OneApp(appname="Kodi")).result)
'''


@pytest.fixture
def npm() -> None:
    if reason := why_unavailable():
        pytest.skip(reason)
    install()


def lines(out: str) -> list[object]:
    return [json.loads(line) for line in out.splitlines()]


def test_a_generated_client_in_python_works(
    daemon: Daemon, target: Target, tmp_path: Path
) -> None:
    generator = Path(sys.executable).with_name("openapi-python-client")
    command = [generator, "generate", "--path", DESCRIPTION, "--meta", "none"]
    made = run_program(*command, "--output-path", tmp_path / "described")
    assert made.code == 0, made
    client = tmp_path / "client.py"
    client.write_text(PYTHON_CLIENT)
    ended = run_program(sys.executable, client, daemon.base, target.url)
    assert ended.code == 0, ended
    assert lines(ended.out) == [
        "registered",
        "registered",
        "updated",
        "interval",
        ["NAS", 10, ["a@b.c", "d@e.f"]],
        ["Kodi", "NAS"],
        "stopped",
        "stopped",
    ]


@pytest.mark.usefixtures("npm")
def test_a_generated_client_in_typescript_works(
    daemon: Daemon, target: Target, tmp_path: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    (tmp_path / "package.json").write_text((FOLDER / "package.json").read_text())
    (tmp_path / "client.ts").write_text((FOLDER / "client.ts").read_text())
    run(BIN / "openapi-typescript", DESCRIPTION, "-o", "described.ts", folder=tmp_path)
    strict = ["--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck"]
    run(BIN / "tsc", *strict, "client.ts", folder=tmp_path)
    said = run("node", "client.js", daemon.base, target.url, folder=tmp_path)
    assert lines(said) == [
        "registered",
        "registered",
        "interval",
        ["NAS", 10, "/x", ["a@b.c"], False],
        ["Kodi", "NAS"],
        "paused",
        "resumed",
        "stopped",
        404,
        "pass",
    ]


@pytest.mark.usefixtures("npm")
def test_a_strict_reader_finds_nothing_wrong_with_the_description(tmp_path: Path) -> None:
    """Nothing leaves the machine: it neither counts its users nor looks for a newer one."""
    quiet = ["env", "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true"]
    said = run(*quiet, BIN / "redocly", "lint", DESCRIPTION, folder=tmp_path)
    assert "is valid" in said and "warning" not in said.replace("Deprecation warning", "")
