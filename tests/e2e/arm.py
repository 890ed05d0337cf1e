"""The program that `make arm` builds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from daemon import REPOSITORY

DEFAULT = REPOSITORY / "target/arm-unknown-linux-musleabihf/release/healthchecker"
BINARY = Path(os.environ.get("HEALTHCHECKER_ARM_BIN", DEFAULT)).absolute()
# Some of the tools are for administrators.
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


def absent(*tools: str) -> list[str]:
    """Those of the programs that are not installed."""
    return [tool for tool in tools if shutil.which(tool, path=PATH) is None]


def need(missing: list[str]) -> None:
    """Skips the test when something is missing; fails it for who names the program, and so means it."""
    if not BINARY.exists():
        missing = [*missing, f"{BINARY} (make arm)"]
    if missing:
        give_up = pytest.fail if "HEALTHCHECKER_ARM_BIN" in os.environ else pytest.skip
        give_up(f"not there: {', '.join(missing)}")
