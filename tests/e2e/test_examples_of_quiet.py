"""The examples that ask for quiet: before a machine starts anew, and before a backup."""

from __future__ import annotations

import datetime
import shlex
import shutil
import socket
from pathlib import Path

from conftest import StartDaemon
from daemon import Daemon
from programs import EXAMPLES, Ended, needs, run
from target import Target

UNIT = EXAMPLES / "systemd/quiet-reboot.service"
CRONTAB = EXAMPLES / "cron/quiet-backup"


def quiet_minutes(daemon: Daemon, name: str) -> float:
    """How long nobody is told of an app from now on."""
    info = daemon.info(name)
    assert info["paused"] is False
    until = datetime.datetime.fromisoformat(info["quiet_until"])
    return (until - datetime.datetime.now(datetime.UTC)).total_seconds() / 60


def stop_unit(server: str) -> Ended:
    """What systemd does when it stops the unit, as far as it is not ours: words, its specifier and variables."""
    (line,) = (it for it in UNIT.read_text().splitlines() if it.startswith("ExecStop="))
    assert line.startswith("ExecStop=-"), "the machine goes down also while the server is away"
    words = shlex.split(line.removeprefix("ExecStop=-"))
    words = [it.replace("%H", socket.gethostname()) for it in words]
    words = [it.replace("${HEALTHCHECKER_SERVER}", server) for it in words]
    return run(needs("curl"), *words[1:])


def test_the_unit_is_valid(tmp_path: Path) -> None:
    verify = needs("systemd-analyze")
    shutil.copy(UNIT, tmp_path)
    ended = run(verify, "verify", "--man=no", tmp_path / UNIT.name)
    assert not [line for line in ended.err.splitlines() if UNIT.stem in line], ended.err


def test_a_machine_that_starts_anew_says_so_before(daemon: Daemon, target: Target) -> None:
    name = socket.gethostname()
    assert daemon.post("/healthchecker/monitor", data={"appname": name, "url": target.url}).ok
    assert stop_unit(daemon.base).code == 0
    assert 4.5 < quiet_minutes(daemon, name) <= 5
    away = stop_unit("http://127.0.0.1:9")
    assert away.code != 0 and away.err, "told in the journal"


def test_with_a_token_the_other_line_does_it(start_daemon: StartDaemon, target: Target) -> None:
    token = "s3cret-of-the-house"
    daemon = start_daemon(api_token=token)
    name = socket.gethostname()
    bearer = {"Authorization": f"Bearer {token}"}
    registered = daemon.post(
        "/healthchecker/monitor", data={"appname": name, "url": target.url}, headers=bearer
    )
    assert registered.ok
    assert stop_unit(daemon.base).code == 22, "without it: 401"
    (line,) = (it for it in UNIT.read_text().splitlines() if it.startswith("#ExecStop="))
    line = line.replace("TOKEN", token).replace("%H", name)
    words = shlex.split(line.removeprefix("#ExecStop=-"))
    words = [it.replace("${HEALTHCHECKER_SERVER}", daemon.base) for it in words]
    assert run(*words).code == 0
    assert quiet_minutes(daemon, name) > 4.5


def test_a_backup_runs_while_it_is_quiet(daemon: Daemon, target: Target, tmp_path: Path) -> None:
    assert daemon.post("/healthchecker/monitor", data={"appname": "Photos", "url": target.url}).ok
    (entry,) = (it for it in CRONTAB.read_text().splitlines() if it.startswith("0 3 * * *"))
    backup = tmp_path / "backup-photos"
    backup.write_text('#!/bin/sh\ncurl -fsS "$HEALTHCHECKER_SERVER/healthchecker/info?appname=Photos"\n')
    backup.chmod(0o755)
    command = entry.removeprefix("0 3 * * *").strip()
    assert "%" not in command, "cron takes it for a line end"
    command = command.replace("/usr/local/bin/backup-photos", str(backup))
    # As cron does: by a shell, with the variables of the crontab.
    done = run("/bin/sh", "-c", command, HEALTHCHECKER_SERVER=daemon.base)
    assert done.code == 0 and '"quiet_until": "' in done.out.replace('":"', '": "'), done.out
    assert 29 < quiet_minutes(daemon, "Photos") <= 30
    # The backup runs also while the server is away.
    backup.write_text("#!/bin/sh\necho done\n")
    done = run("/bin/sh", "-c", command, HEALTHCHECKER_SERVER="http://127.0.0.1:9")
    assert (done.code, done.out) == (0, "done\n")
