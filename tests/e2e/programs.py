"""The programs that register: the command line, the examples, the Python package."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import shutil
import struct
import subprocess
import sys
import termios
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from daemon import BINARY, REPOSITORY

EXAMPLES = REPOSITORY / "examples"
PACKAGE = EXAMPLES / "python"
# `cargo test` and `cargo build --examples` put them beside the program.
RUST_EXAMPLES = BINARY.parent / "examples"

RUN_SECONDS = 60


@dataclass(frozen=True)
class Ended:
    """A program that has ended."""

    code: int
    out: str
    err: str


def run(*command: object, **variables: object) -> Ended:
    """Runs a program to its end, with these variables and few others."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=RUN_SECONDS,
        env={**kept, **{name: str(value) for name, value in variables.items()}},
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def on_a_terminal(columns: int, *command: object, typed: str = "", **variables: object) -> str:
    """What a program shows on a terminal of so many columns, until it ends; `typed` is typed at once."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
        env={"PATH": os.environ["PATH"], **{name: str(value) for name, value in variables.items()}},
    )
    os.close(its)
    stopper = threading.Timer(RUN_SECONDS, process.kill)
    stopper.start()
    shown = b""
    try:
        os.write(ours, typed.encode())
        # Linux ends a terminal that nobody has open with an error.
        with contextlib.suppress(OSError):
            while part := os.read(ours, 4096):
                shown += part
        assert process.wait(RUN_SECONDS) >= 0, f"it did not end:\n{shown.decode()}"
    finally:
        stopper.cancel()
        os.close(ours)
    return shown.decode()


def healthchecker(*arguments: object, **variables: object) -> Ended:
    """Runs a command of ours."""
    return run(BINARY, *arguments, **variables)


def needs(tool: str) -> str:
    """Where a program is that the test is skipped without."""
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"{tool} is not installed")
    return found


def rust_example(name: str) -> str:
    """The path of an example in Rust."""
    path = RUST_EXAMPLES / name
    assert path.exists(), f"{path} is not there: cargo build --examples"
    return str(path)


def install_package(folder: Path) -> Path:
    """Installs the Python package as its users do, but for its one requirement, which is in our
    environment; the folder to import it from."""
    # pip leaves its work behind in the source.
    source = folder / "source"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    target = folder / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--target", str(target), str(source)], check=True)
    return target
