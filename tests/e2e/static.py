"""The static program, whose C library finds names in its own way (musl): it is what people run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import arm
from daemon import BINARY, REPOSITORY

# For this machine: `make x86_64-musl`, or another file.
DEFAULT = REPOSITORY / "target/x86_64-unknown-linux-musl/release/healthchecker"
NATIVE = Path(os.environ.get("HEALTHCHECKER_STATIC_BIN", DEFAULT)).absolute()
EMULATOR = "qemu-arm-static"


def program() -> list[str]:
    """The static program for this machine where it was built, else that of a Pi Zero, emulated."""
    if NATIVE.exists():
        return [str(NATIVE)]
    arm.need(arm.absent(EMULATOR))
    return [EMULATOR, "-cpu", "arm1176", str(arm.BINARY)]


@pytest.fixture(params=["tested", "static"])
def any_program(request: pytest.FixtureRequest) -> list[str]:
    """The program under test, and then the static one."""
    return program() if request.param == "static" else [str(BINARY)]
