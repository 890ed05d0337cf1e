"""What the end-to-end tests share."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from beside import pytest_collection_modifyitems, pytest_xdist_make_scheduler  # noqa: F401 (hooks)
from browser import Browser, why_unavailable as why_no_browser
from crowd import Crowd
from daemon import BINARY, Daemon
from lan import Lan, Machine, why_unavailable
from smtp_server import authority, mailbox, new_smtp_server  # noqa: F401 (fixtures)
from static import any_program  # noqa: F401 (a fixture)
from stranger import stranger  # noqa: F401 (a fixture)
from target import Target

StartDaemon = Callable[..., Daemon]
NewTarget = Callable[..., Target]


def pytest_sessionstart() -> None:
    # Whoever starts us in the background of a script has both ignored, and what is ignored is inherited:
    # the daemon then does not stop at Ctrl-C, as it should not. A handler of ours is not inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: `cargo build`, or set HEALTHCHECKER_BIN", returncode=2)


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[StartDaemon]:
    """Starts daemons: `start_daemon(email="a@b.c", ...)`. All are stopped at the end."""
    numbers = count(1)
    with ExitStack() as started:

        def start(machine: Machine | None = None, **options: object) -> Daemon:
            one = Daemon(tmp_path / f"daemon{next(numbers)}", machine, **options)
            started.callback(one.close)
            return one.start()

        yield start


@pytest.fixture
def daemon(start_daemon: StartDaemon) -> Daemon:
    """A daemon on the loopback interface that sends no mail."""
    return start_daemon()


@pytest.fixture
def new_target() -> Iterator[NewTarget]:
    """Makes apps to be watched: `new_target(listening=False)`."""
    with ExitStack() as made:

        def new(listening: bool = True) -> Target:
            one = Target(listening)
            made.callback(one.close)
            return one

        yield new


@pytest.fixture
def target(new_target: NewTarget) -> Target:
    """An app to be watched, which is fine."""
    return new_target()


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    """Many apps."""
    one = Crowd()
    yield one
    one.close()


@cache
def why_no_lan() -> str | None:
    return why_unavailable()


@pytest.fixture
def lan() -> Iterator[Lan]:
    """A small network, without machines yet."""
    reason = why_no_lan()
    if reason is not None:
        pytest.skip(reason)
    network = Lan()
    yield network
    network.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    if reason := why_no_browser():
        pytest.skip(reason)
    one = Browser()
    yield one
    one.close()
