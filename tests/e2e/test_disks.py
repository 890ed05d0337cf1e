"""Disks that are full, read-only, failing or damaged: the household goes on being watched."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from conftest import StartDaemon
from daemon import BINARY, Daemon
from smtp_server import SmtpServer
from strace import Strace
from target import Target
from waiting import wait_for

OWNER = "owner@household.example"
QUICK = {"interval": 5, "timeout": 2, "unhealthy": 2, "healthy": 2}
NOBODY = "http://127.0.0.1:9"

# Two checks, the first of which has just missed the change, and what a loaded machine adds.
CHANGE_SECONDS = 25
# A new journal is tried after 1 s, doubling to 30 s.
RECOVERY_SECONDS = 60
# A mail waits no longer for the disk.
PATIENCE_SECONDS = 10
# The gate answers by then, whatever the disk does.
PATIENT_SECONDS = 60
# A client is told after 25 s that the disk has not said anything.
HANG_SECONDS = 32
# More than the API's places.
HANGING = 12
# Enough registrations to fill the last page of a full disk.
MANY = 40

EXIT_FAILURE = 1


class Disk:
    """A file system of its own, 64 KiB in all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.filler = folder / "filler"
        folder.mkdir()
        mount("-t", "tmpfs", "-o", "size=64k", "healthchecker-test", str(folder))

    def fill(self) -> None:
        """Takes all the room that is left."""
        with self.filler.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(512)):
                    pass
            except OSError:
                pass

    def make_room(self) -> None:
        self.filler.unlink()

    def remount(self, way: str) -> None:
        """`ro` or `rw`."""
        mount("-o", f"remount,{way}", str(self.folder))

    def close(self) -> None:
        # A daemon may still be at work on it.
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(done.stderr.strip())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    try:
        disk = Disk(tmp_path / "disk")
    except OSError as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    yield disk
    disk.close()


def register(daemon: Daemon, appname: str, url: str = NOBODY, **fields: object) -> tuple[int, str]:
    answer = daemon.post("/healthchecker/monitor", data={"appname": appname, "url": url, **fields})
    return answer.status_code, answer.json().get("error", "")


def register_patiently(daemon: Daemon, appname: str, source: str = "127.0.0.1") -> tuple[int, str]:
    """Registers an app from a loopback address, and waits for as long as the daemon may take."""
    connection = HTTPConnection(
        daemon.host, daemon.port, timeout=PATIENT_SECONDS, source_address=(source, 0)
    )
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    fields = urlencode({"appname": appname, "url": NOBODY, "interval": 300})
    try:
        connection.request("POST", "/healthchecker/monitor", fields, form)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()).get("error", "")
    finally:
        connection.close()


def health(daemon: Daemon) -> dict[str, Any]:
    """What `/health` says of itself and of the disk."""
    answer = daemon.get("/health")
    assert answer.status_code == 200
    said: dict[str, Any] = answer.json()
    (disk,) = said["checks"]["disk:troubles"]
    return {"status": said["status"], "disk": disk.get("output", "")}


def apps(daemon: Daemon) -> set[str]:
    answer = daemon.get("/healthchecker/status", params={"format": "json"})
    return {app["appname"] for app in answer.json()["apps"]}


def wait_until_well(daemon: Daemon) -> None:
    wait_for(lambda: health(daemon)["status"] == "pass", RECOVERY_SECONDS, "a disk that is well")


def journal_of(daemon: Daemon) -> Path:
    return daemon.folder / "state" / "journal"


def kill_and_start(daemon: Daemon) -> None:
    daemon.kill()
    daemon.start()


def test_a_full_disk_stops_no_check_and_no_alert_and_room_ends_the_trouble(
    start_daemon: StartDaemon, disk: Disk, mailbox: SmtpServer, target: Target
) -> None:
    daemon = start_daemon(state_dir=disk.folder / "state", email=OWNER, **mailbox.options())
    daemon.register("Kodi", target.url, **QUICK)
    daemon.wait_for_state("Kodi", "HEALTHY", CHANGE_SECONDS)
    disk.fill()
    status, error, registered = 200, "", 0
    while status == 200 and registered < MANY:
        registered += 1
        status, error = register(daemon, f"app{registered}", email="")
    assert status == 507
    assert "No space left on device" in error and "journal" in error
    assert "would not survive a restart" in error and "try again" in error
    said = health(daemon)
    assert said["status"] == "warn" and "No space left on device" in said["disk"]

    target.fails("the disk of Kodi")
    daemon.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS)
    subjects = lambda: [str(mail["Subject"]) for mail in mailbox.mails()]  # noqa: E731
    alert = "[HealthChecker] Kodi is UNHEALTHY"
    wait_for(lambda: alert in subjects(), CHANGE_SECONDS, "the alert")
    assert register(daemon, "late")[0] == 507

    disk.make_room()
    wait_until_well(daemon)
    assert register(daemon, "later still")[0] == 200
    kill_and_start(daemon)
    everything = {"Kodi", "late", "later still", *(f"app{n + 1}" for n in range(registered))}
    assert apps(daemon) == everything, "what was in effect is on record, too"
    assert daemon.info("Kodi")["state"] == "UNHEALTHY"
    assert subjects().count(alert) == 1


def test_a_read_only_disk_is_read_and_is_written_once_it_can_be(
    start_daemon: StartDaemon, disk: Disk, target: Target
) -> None:
    """As a Pi finds its card after a power cut that the file system did not survive unharmed."""
    daemon = start_daemon(state_dir=disk.folder / "state")
    daemon.register("Kodi", target.url, **QUICK)
    daemon.wait_for_state("Kodi", "HEALTHY", CHANGE_SECONDS)
    daemon.stop()
    disk.remount("ro")
    daemon.start()
    assert daemon.info("Kodi")["state"] == "HEALTHY"
    said = health(daemon)
    assert said["status"] == "warn" and "Read-only file system" in said["disk"]
    status, error = register(daemon, "NAS")
    assert status == 503 and "Read-only file system" in error
    target.fails("the disk of Kodi")
    daemon.wait_for_state("Kodi", "UNHEALTHY", CHANGE_SECONDS)

    disk.remount("rw")
    wait_until_well(daemon)
    assert register(daemon, "NAS")[0] == 200
    kill_and_start(daemon)
    assert apps(daemon) == {"Kodi", "NAS"}
    assert daemon.info("Kodi")["state"] == "UNHEALTHY"


def test_a_sync_that_failed_is_never_taken_for_done(start_daemon: StartDaemon) -> None:
    """The system may drop what it could not write, and call the next sync of that file a success."""
    daemon = start_daemon()
    daemon.register("one", NOBODY)
    journal = journal_of(daemon)
    before = journal.stat().st_ino
    with Strace(daemon.pid, daemon.folder / "strace", journal, inject="error=EIO:when=1"):
        status, error = register(daemon, "two")
    assert status == 503 and "Input/output error" in error
    wait_until_well(daemon)
    assert journal.stat().st_ino != before, "never again that file"
    assert register(daemon, "two")[0] == 200
    kill_and_start(daemon)
    assert apps(daemon) == {"one", "two"}


def test_while_every_sync_fails_nothing_is_promised(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    daemon.register("one", NOBODY)
    files = journal_of(daemon), journal_of(daemon).with_suffix(".new")
    with Strace(daemon.pid, daemon.folder / "strace", *files, inject="error=EIO") as strace:
        for number in range(20):
            assert register(daemon, f"app{number}")[0] == 503
        assert register(daemon, "one")[0] == 503, "not even that nothing has changed"
        said = health(daemon)
        assert said["status"] == "warn" and "Input/output error" in said["disk"]
    assert strace.syncs() < 10, "a card that dies is not worn out by trying"
    wait_until_well(daemon)
    kill_and_start(daemon)
    assert apps(daemon) == {"one", *(f"app{number}" for number in range(20))}


def test_an_alert_does_not_wait_for_a_disk_that_hangs(
    start_daemon: StartDaemon, mailbox: SmtpServer, target: Target
) -> None:
    daemon = start_daemon(email=OWNER, **mailbox.options())
    daemon.register("Kodi", target.url, **QUICK)
    daemon.wait_for_state("Kodi", "HEALTHY", CHANGE_SECONDS)
    hangs = "delay_enter=40000000:when=1"
    with Strace(daemon.pid, daemon.folder / "strace", journal_of(daemon), inject=hangs):
        target.fails("the disk of Kodi")
        alert = "[HealthChecker] Kodi is UNHEALTHY"
        told = lambda: [mail for mail in mailbox.mails() if mail["Subject"] == alert]  # noqa: E731
        wait_for(told, CHANGE_SECONDS + PATIENCE_SECONDS, "the alert")
        said = health(daemon)
        assert said["status"] == "warn" and "has not taken" in said["disk"]
        wait_until_well(daemon)
    kill_and_start(daemon)
    assert daemon.info("Kodi")["state"] == "UNHEALTHY"
    assert len(told()) == 1


def test_a_disk_that_hangs_is_no_promise_and_keeps_no_reader_waiting(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon()
    daemon.register("one", NOBODY)
    names = [f"app{number}" for number in range(HANGING)]
    hangs = f"delay_enter={HANG_SECONDS}000000:when=1"
    with Strace(daemon.pid, daemon.folder / "strace", journal_of(daemon), inject=hangs):
        with ThreadPoolExecutor(HANGING) as clients:
            answers = [clients.submit(register_patiently, daemon, name) for name in names]
            # More of them than the API answers at a time, and it answers.
            everything = {"one", *names}
            wait_for(lambda: apps(daemon) == everything, CHANGE_SECONDS, "all to be in effect")
            assert not any(answer.done() for answer in answers)
            for answer in answers:
                status, error = answer.result()
                assert status == 503
                assert "may not survive a restart" in error and "has not taken" in error
        assert health(daemon)["status"] == "warn"
        wait_until_well(daemon)
    assert register(daemon, "app0")[0] == 200
    kill_and_start(daemon)
    assert apps(daemon) == everything


def test_a_stop_waits_for_what_clients_wait_for(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    slow = "delay_enter=2500000:when=1"
    with Strace(daemon.pid, daemon.folder / "strace", journal_of(daemon), inject=slow):
        with ThreadPoolExecutor(1) as client:
            answer = client.submit(register_patiently, daemon, "late")
            wait_for(lambda: apps(daemon) == {"late"}, CHANGE_SECONDS, "the app to be in effect")
            daemon.stop()
            assert answer.result()[0] == 200
    daemon.start()
    assert apps(daemon) == {"late"}


def test_many_registrations_share_their_syncs(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()

    def call(number: int) -> int:
        # No address gets all the places at the gate.
        return register_patiently(daemon, f"app{number}", f"127.0.0.{2 + number % 8}")[0]

    # As long as an SD card takes at its worst, and a loaded machine for a tenth of them.
    slow = "delay_enter=200000"
    with Strace(daemon.pid, daemon.folder / "strace", journal_of(daemon), inject=slow) as strace:
        with ThreadPoolExecutor(200) as clients:
            assert set(clients.map(call, range(500))) == {200}
    # Whoever comes during a sync shares the next.
    assert strace.syncs() < 60, strace.syncs()
    kill_and_start(daemon)
    assert len(apps(daemon)) == 500


def test_a_registration_waits_for_one_sync(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    with Strace(daemon.pid, daemon.folder / "strace", journal_of(daemon)) as strace:
        for number in range(20):
            daemon.register(f"app{number}", NOBODY, interval=300)
    # Its own, or one under way and its own.
    assert 20 <= strace.syncs() <= 40, strace.syncs()


def mangled(journal: bytes, how: str) -> bytes:
    lines = journal.splitlines(keepends=True)
    match how:
        case "empty":
            return b""
        case "headless":
            return b"".join(lines[1:])
        case "a line changed":
            return journal.replace(b"port", b"porp", 1)
        case "cut":
            # Within what the file was begun with, which was on the disk before it had its name.
            marks = [at for at, line in enumerate(lines) if line.endswith(b" []\n")]
            return b"".join(lines[: marks[1]])[:-20]
        case "zeros":
            return bytes(len(journal))
        case "torn":
            return journal + b'12345678 [{"app":'
        case _:
            raise AssertionError(how)


@pytest.mark.parametrize(
    ("how", "word", "survive"),
    [
        ("empty", "damaged", False),
        ("headless", "damaged", True),
        ("a line changed", "damaged", None),
        ("cut", "damaged", None),
        ("zeros", "damaged", False),
        ("torn", "torn", True),
    ],
)
def test_a_file_that_is_not_as_it_was_is_said_and_kept(
    start_daemon: StartDaemon, how: str, word: str, survive: bool | None
) -> None:
    daemon = start_daemon()
    for number in range(12):
        daemon.register(f"app{number}", NOBODY, interval=300)
    daemon.stop()
    folder = daemon.folder / "state"
    found = mangled((folder / "journal").read_bytes(), how)
    (folder / "journal").write_bytes(found)
    (folder / "journal.damaged-1").write_bytes(b"of an earlier day")
    daemon.start()
    assert daemon.wait_for_log(rf"\[WARN \].*{word}", 5)
    # A snapshot has four records to a line: the damaged one takes no more with it.
    there = len(apps(daemon))
    assert {True: there == 12, False: there == 0, None: 8 <= there < 12}[survive], there
    said = health(daemon)
    assert (folder / "journal.damaged-1").read_bytes() == b"of an earlier day"
    if word == "torn":
        assert said == {"status": "pass", "disk": ""}
        assert not (folder / "journal.damaged-2").exists()
        return
    assert said["status"] == "warn" and "damaged" in said["disk"]
    kept = folder / "journal.damaged-2"
    wait_for(kept.exists, 5, "the file set aside")
    assert kept.read_bytes() == found
    daemon.register("new", NOBODY)
    kill_and_start(daemon)
    assert len(apps(daemon)) == there + 1
    assert health(daemon)["status"] == "pass", "said until the next start"


def start_another(daemon: Daemon) -> subprocess.CompletedProcess[str]:
    """A start that is to fail."""
    return subprocess.run(
        [str(BINARY)],
        cwd=daemon.folder,
        env=daemon.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
    )


def test_a_second_daemon_on_the_same_folder_refuses_and_says_why(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon()
    daemon.register("Kodi", NOBODY)
    second = start_another(daemon)
    assert second.returncode == EXIT_FAILURE
    assert f"in use by another healthchecker (process {daemon.pid})" in second.stderr
    assert "state_dir" in second.stderr
    assert apps(daemon) == {"Kodi"}
    daemon.register("NAS", NOBODY)
    kill_and_start(daemon)
    assert apps(daemon) == {"Kodi", "NAS"}, "the lock ends with the process, and no file was touched"


@pytest.mark.parametrize("is_linked", [True, False], ids=["link", "folder"])
def test_a_disk_that_is_gone_is_not_taken_for_its_empty_folder(
    start_daemon: StartDaemon, disk: Disk, tmp_path: Path, is_linked: bool
) -> None:
    """What is written to the folder of a disk that is not mounted, the disk hides once it is."""
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    options = {} if is_linked else {"state_dir": mounted / "state"}
    unmount = ["umount", "--lazy", str(mounted)]
    mount("--bind", str(disk.folder), str(mounted))
    try:
        daemon = start_daemon(**options)
        daemon.register("one", NOBODY)
        if is_linked:
            daemon.stop()
            journal = journal_of(daemon)
            (mounted / "journal").write_bytes(journal.read_bytes())
            journal.unlink()
            journal.symlink_to(mounted / "journal")
            daemon.start()
        daemon.register("two", NOBODY)

        subprocess.run(unmount, check=True)
        status, error = register(daemon, "three")
        assert status == 503, error
        wait_for(lambda: "not mounted any more" in health(daemon)["disk"], 5, "the disk's trouble")
        assert not list(mounted.iterdir())
        mount("--bind", str(disk.folder), str(mounted))
        wait_until_well(daemon)
        kill_and_start(daemon)
        assert apps(daemon) == {"one", "two", "three"}

        if is_linked:
            daemon.kill()
            subprocess.run(unmount, check=True)
            refused = start_another(daemon)
            assert refused.returncode == EXIT_FAILURE
            assert "is the disk mounted?" in refused.stderr
            assert not list(mounted.iterdir())
        daemon.stop()
    finally:
        subprocess.run(unmount, check=False)


def test_a_journal_of_a_later_version_is_left_alone(start_daemon: StartDaemon) -> None:
    daemon = start_daemon()
    daemon.stop()
    journal = daemon.folder / "state/journal"
    later = b"healthchecker journal 2 c759f55f\nwhatever that is\n"
    journal.write_bytes(later)
    refused = start_another(daemon)
    assert refused.returncode == EXIT_FAILURE
    assert "version 2" in refused.stderr and "later healthchecker" in refused.stderr
    assert journal.read_bytes() == later
