"""The examples that report by themselves: a command of a crontab, and units of systemd."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from conftest import StartDaemon
from daemon import BINARY, Daemon
from programs import EXAMPLES, Ended, needs, run

BEAT = EXAMPLES / "shell/beat.sh"
UNITS = EXAMPLES / "systemd"


def register(daemon: Daemon, name: str, **headers: str) -> dict[str, str]:
    data = {"appname": name, "kind": "beat", "interval": 86400}
    answer = daemon.post("/healthchecker/monitor", data=data, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def beat(daemon: Daemon, name: str, *command: str, **variables: str) -> Ended:
    return run(BEAT, name, *command, HEALTHCHECKER_SERVER=daemon.base + "/", **variables)


def test_a_command_is_run_and_reported(daemon: Daemon) -> None:
    register(daemon, "Büro 1")
    done = beat(daemon, "Büro 1", "sh", "-c", "sleep 0.3; echo done; echo note >&2")
    assert (done.code, done.out, done.err) == (0, "done\n", "note\n")
    info = daemon.info("Büro 1")
    assert info["state"] == "HEALTHY" and info["last_check"]["latency_ms"] >= 300
    assert beat(daemon, "Büro 1", "sh", "-c", "exit 3").code == 3, "its own exit code"
    info = daemon.info("Büro 1")
    assert (info["state"], info["last_check"]["reason"]) == ("UNHEALTHY", "the app says fail")


def test_the_command_runs_though_nobody_hears_of_it(daemon: Daemon) -> None:
    away = run(BEAT, "Backup", "echo", "done", HEALTHCHECKER_SERVER="http://127.0.0.1:9")
    assert (away.code, away.out) == (0, "done\n")
    assert away.err.count("Backup could not report") == 2
    unknown = beat(daemon, "nobody", "false")
    assert unknown.code == 1 and "could not report (beat/fail)" in unknown.err
    for missing in (run(BEAT, "Backup"), run(BEAT, "Backup", "true")):
        assert missing.code == 64 and missing.err


def test_a_key_is_enough_where_there_is_a_token(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(api_token="s3cret-of-the-house")
    key = register(daemon, "Backup", Authorization="Bearer s3cret-of-the-house")["key"]
    assert "could not report" in beat(daemon, "Backup", "true").err
    assert beat(daemon, "Backup", "true", HEALTHCHECKER_KEY=key).err == ""
    assert daemon.info("Backup")["state"] == "HEALTHY"


@pytest.mark.parametrize("unit", ["backup.service", "backup.timer"])
def test_the_units_are_valid(unit: str, tmp_path: Path) -> None:
    verify = needs("systemd-analyze")
    for file in UNITS.iterdir():
        shutil.copy(file, tmp_path)
    ended = run(verify, "verify", "--man=no", tmp_path / unit)
    # The programs are not installed where the tests run.
    complaints = [line for line in ended.err.splitlines() if "is not executable" not in line]
    assert not [line for line in complaints if "backup" in line or "failed@" in line], ended.err


def test_the_units_report_what_became_of_it(daemon: Daemon) -> None:
    register(daemon, "Backup")

    def carry_out(unit: str, key: str) -> None:
        lines = (UNITS / unit).read_text().splitlines()
        (line,) = (line for line in lines if line.startswith(f"{key}="))
        command = line.removeprefix(f"{key}=").removeprefix("-").replace("%i", "Backup")
        command = command.replace("/usr/bin/healthchecker", str(BINARY))
        assert run(*shlex.split(command), HEALTHCHECKER_SERVER=daemon.base).code == 0

    carry_out("backup.service", "ExecStartPre")
    assert daemon.info("Backup")["last_check"] is None
    carry_out("backup.service", "ExecStartPost")
    assert daemon.info("Backup")["state"] == "HEALTHY"
    assert "OnFailure=healthchecker-failed@Backup.service" in (UNITS / "backup.service").read_text()
    carry_out("healthchecker-failed@.service", "ExecStart")
    assert daemon.info("Backup")["state"] == "UNHEALTHY"
