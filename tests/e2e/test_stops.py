"""What would stop a monitor and must not: a log that nobody reads, a signal that means nothing, a clock
that has run away. And what must stop it in an orderly way.
"""

from __future__ import annotations

import email.utils
import fcntl
import os
import pty
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests

from conftest import StartDaemon
from daemon import BINARY, SERVING, STOP_SECONDS
from faketime import clock_that_shows
from programs import healthchecker
from smtp_server import USER, NewSmtpServer
from target import Target
from waiting import wait_for

XON, XOFF = b"\x11", b"\x13"
# The least that a pipe holds.
PIPE_BYTES = 4096
# Lines enough to fill a pipe or a terminal, and what waits in the daemon itself.
REQUESTS = 600
CHECK_SECONDS = 15
LOST = rb"\d+ lines of the log lost here"


class Unread:
    """A daemon that logs to `log`, and the other end of that, read only as far as a test likes."""

    def __init__(self, folder: Path, log: int, reader: int, *before: str) -> None:
        self.reader = reader
        self.seen = b""
        options = ["--debug", "--bind_addr=127.0.0.1", "--announce=False", "--state_dir=state"]
        self.process = subprocess.Popen(
            [*before, str(BINARY), *options],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)},
            stdin=log,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        os.close(log)
        serving = SERVING.search(self.read_until(rb"serving on http://\S+/").decode())
        assert serving
        self.base = f"http://{serving['host']}:{serving['port']}"

    def read_until(self, what: bytes) -> bytes:
        """Reads the log until it says this; all that it has said."""
        deadline = time.monotonic() + STOP_SECONDS
        while not re.search(what, self.seen):
            assert time.monotonic() < deadline, self.seen.decode()
            self.seen += os.read(self.reader, 65536)
        return self.seen

    def get(self, path: str, method: str = "GET") -> requests.Response:
        """One request."""
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.base + path, timeout=STOP_SECONDS)

    def works_though_it_talks_into_the_void(self, target: Target) -> None:
        """More is logged than fits anywhere; it answers and checks all the same."""
        url = f"/healthchecker/monitor?appname=Kodi&interval=5&url={target.url}"
        assert self.get(url, "POST").status_code == 200
        for number in range(REQUESTS):
            name = f"{number}{'x' * 100}"
            assert self.get(f"/healthchecker/info?appname={name}").status_code == 404
        seen = len(target.requests)
        wait_for(lambda: len(target.requests) > seen, CHECK_SECONDS, "a check")
        assert self.get("/health").status_code == 200

    def end(self, by: signal.Signals | None = signal.SIGTERM) -> int:
        """Waits for its end, brought about by a signal; the exit code."""
        if by is not None:
            self.process.send_signal(by)
        return self.process.wait(timeout=STOP_SECONDS)

    def close(self) -> None:
        """Ends the test's use of it."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        with suppress(OSError):
            os.close(self.reader)


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short name: the daemon makes a socket in it, whose path may have 107 bytes."""
    return tmp_path_factory.mktemp("stops")


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    """What is closed at the end."""
    with ExitStack() as stack:
        yield stack


def on_a_pipe(folder: Path, closing: ExitStack) -> Unread:
    reader, log = os.pipe()
    fcntl.fcntl(log, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    one = Unread(folder, log, reader)
    closing.callback(one.close)
    return one


def on_a_terminal(folder: Path, closing: ExitStack, *before: str) -> Unread:
    """It leads a session on a terminal of its own, as after a login."""
    if shutil.which("setsid") is None:
        pytest.skip("not installed: setsid")
    reader, log = pty.openpty()
    one = Unread(folder, log, reader, "setsid", "--ctty", *before)
    closing.callback(one.close)
    return one


def test_a_log_that_nobody_reads_stops_nothing(
    tmp_path: Path, closing: ExitStack, target: Target
) -> None:
    daemon = on_a_pipe(tmp_path, closing)
    daemon.works_though_it_talks_into_the_void(target)
    assert daemon.end() == 0
    assert not list(tmp_path.glob("healthchecker-*")), "its private socket is left behind"


def test_a_terminal_that_was_stopped_stops_nothing_and_hears_what_it_missed(
    tmp_path: Path, closing: ExitStack, target: Target
) -> None:
    daemon = on_a_terminal(tmp_path, closing)
    os.write(daemon.reader, XOFF)
    daemon.works_though_it_talks_into_the_void(target)
    os.write(daemon.reader, XON)
    daemon.read_until(LOST)
    os.write(daemon.reader, XOFF)
    assert daemon.end() == 0


@pytest.mark.parametrize("by", ["SIGTERM", "SIGINT", "SIGQUIT", "SIGXCPU"])
def test_a_signal_to_end_is_an_orderly_stop(
    start_daemon: StartDaemon, tmp_path: Path, by: str
) -> None:
    # Whatever the tests themselves were told to ignore.
    program = ["env", "--default-signal", str(BINARY)]
    daemon = start_daemon(program=program, variables={"TMPDIR": str(tmp_path)})
    daemon.stop(signal.Signals[by])
    assert "stopping" in daemon.log()
    assert not list(tmp_path.glob("healthchecker-*")), "its private socket is left behind"


def test_a_terminal_that_is_closed_is_an_orderly_stop(tmp_path: Path, closing: ExitStack) -> None:
    daemon = on_a_terminal(tmp_path, closing)
    os.close(daemon.reader)
    assert daemon.end(by=None) == 0
    assert not list(tmp_path.glob("healthchecker-*")), "its private socket is left behind"


def test_under_nohup_it_outlives_its_terminal(tmp_path: Path, closing: ExitStack) -> None:
    daemon = on_a_terminal(tmp_path, closing, "env", "--ignore-signal=HUP")
    os.close(daemon.reader)
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.get("/health").status_code == 200
    assert daemon.end() == 0


def test_what_a_script_ignores_for_us_stays_ignored(start_daemon: StartDaemon) -> None:
    """`healthchecker &` in a script: Ctrl-C is meant for the script."""
    ignoring = ["env", "--ignore-signal=INT,QUIT,TERM"]
    daemon = start_daemon(program=[*ignoring, str(BINARY)])
    for name in ("INT", "QUIT"):
        os.kill(daemon.pid, signal.Signals[f"SIG{name}"])
        assert daemon.get("/health").status_code == 200, name
    daemon.stop(signal.SIGTERM)


def test_a_signal_that_means_nothing_does_nothing(start_daemon: StartDaemon) -> None:
    # Not below a terminal of the tests, whose end would mean something.
    daemon = start_daemon(program=["setsid", str(BINARY)])
    names = "HUP USR1 USR2 ALRM VTALRM PROF IO PWR STKFLT XFSZ RTMIN RTMAX".split()
    for name in names:
        os.kill(daemon.pid, signal.Signals[f"SIG{name}"])
        assert daemon.get("/health").status_code == 200, name


def test_what_a_killed_run_left_among_the_temporary_files_is_swept(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    daemon = start_daemon(variables={"TMPDIR": str(tmp_path)})
    (left,) = tmp_path.glob("healthchecker-*")
    daemon.kill()
    assert left.exists()
    daemon.start()
    (ours,) = tmp_path.glob("healthchecker-*")
    assert ours != left


def test_a_clock_beyond_the_year_9999_is_borne(
    start_daemon: StartDaemon, target: Target, new_smtp_server: NewSmtpServer
) -> None:
    far = clock_that_shows("+9000y")
    mailbox = new_smtp_server(security="none")
    options = {"email": USER, **mailbox.options()}
    daemon = start_daemon(variables=far, **options)
    daemon.register("Kodi", target.url, interval=5)
    kodi = wait_for(lambda: daemon.info("Kodi")["last_check"], CHECK_SECONDS, "a check")
    assert kodi["time"].startswith("9999-12-31T23:59:59")
    assert daemon.get("/healthchecker/status", headers={"Accept": "text/html"}).status_code == 200
    date = daemon.get("/health").headers["Date"]
    assert email.utils.parsedate_to_datetime(date).year == 9999
    assert any(line.startswith("9999-12-31T23:59:59.999Z [INFO ]") for line in daemon.lines)
    # Its mail waits, as under every clock that was not set; one that is asked for goes.
    daemon.wait_for_log("mails wait until it is set", CHECK_SECONDS)
    daemon.stop()
    given = {f"HEALTHCHECKER_{name.upper()}": value for name, value in options.items()}
    assert healthchecker("test-mail", **far, **given).code == 0
    (mail,) = mailbox.mails()
    assert mail["Date"] is None
