"""The programs that register: the command line, the examples, the Python package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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
