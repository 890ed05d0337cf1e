"""What the service manager hears: ready, alive for as long as all parts are, stopping."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import StartDaemon
from smtp_server import USER, SmtpServer

WATCHDOG_SECONDS = 3
PATIENCE_SECONDS = 20


class Manager:
    """Listens where systemd would."""

    def __init__(self, address: str) -> None:
        self.name = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(PATIENCE_SECONDS)

    def variables(self) -> dict[str, str]:
        """What a service finds in its environment."""
        return {"NOTIFY_SOCKET": self.name, "WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1_000_000)}

    def hears(self) -> str:
        """The next word."""
        return self.socket.recv(4096).decode()

    def hears_nothing_for(self, seconds: float) -> bool:
        """Whether no word comes for so long."""
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(4096)
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_SECONDS)

    def forgets(self) -> None:
        """Drops what it was told so far."""
        self.socket.setblocking(False)
        try:
            while self.socket.recv(4096):
                pass
        except BlockingIOError:
            pass
        self.socket.settimeout(PATIENCE_SECONDS)


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    """A service manager, on either kind of socket."""
    kinds = {"path": str(tmp_path / "notify"), "abstract": f"@healthchecker-{os.getpid()}"}
    one = Manager(kinds[request.param])
    yield one
    one.socket.close()


def test_it_is_ready_then_alive_then_stopping(
    start_daemon: StartDaemon, manager: Manager, mailbox: SmtpServer
) -> None:
    daemon = start_daemon(variables=manager.variables(), email=USER, **mailbox.options())
    assert manager.hears() == "READY=1"
    heard = []
    for _ in range(5):
        started = time.monotonic()
        assert manager.hears() == "WATCHDOG=1"
        heard.append(time.monotonic() - started)
    assert max(heard[1:]) < WATCHDOG_SECONDS, "in time, each time"
    daemon.stop()
    manager.socket.settimeout(PATIENCE_SECONDS)
    words = [manager.hears()]
    while words[-1] == "WATCHDOG=1":
        words.append(manager.hears())
    assert words[-1] == "STOPPING=1"


def test_a_process_that_stands_still_is_not_alive(
    start_daemon: StartDaemon, manager: Manager
) -> None:
    daemon = start_daemon(variables=manager.variables())
    assert manager.hears() == "READY=1"
    assert manager.hears() == "WATCHDOG=1"
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        manager.forgets()
        assert manager.hears_nothing_for(WATCHDOG_SECONDS)
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    assert manager.hears() == "WATCHDOG=1"


def test_where_reading_takes_a_token_it_is_alive_too(
    start_daemon: StartDaemon, manager: Manager
) -> None:
    start_daemon(variables=manager.variables(), read_token="very-secret-indeed")
    words = [manager.hears() for _ in range(4)]
    assert words == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]
