"""The program that `make arm` builds."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from daemon import REPOSITORY

DEFAULT = REPOSITORY / "target/arm-unknown-linux-musleabihf/release/healthchecker"
BINARY = Path(os.environ.get("HEALTHCHECKER_ARM_BIN", DEFAULT)).absolute()


def why_not(*tools: str | Path) -> str | None:
    """Why the program cannot be run here; `None` when it can. Who names it means to run it."""
    missing = [str(tool) for tool in tools if shutil.which(tool) is None]
    if not BINARY.exists():
        missing.append(f"{BINARY} (make arm)")
    if missing and "HEALTHCHECKER_ARM_BIN" in os.environ:
        pytest.fail(f"not there: {', '.join(missing)}")
    return f"not there: {', '.join(missing)}" if missing else None
