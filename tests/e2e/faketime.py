"""A wall clock of its own for one process."""

from __future__ import annotations

from pathlib import Path

import pytest

CLOCK_SETTER = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


def clock_that_shows(time: str) -> dict[str, str]:
    """The environment of a process whose wall clock is moved, as FAKETIME says it. Deadlines are not."""
    if not CLOCK_SETTER.exists():
        pytest.skip(f"not installed: {CLOCK_SETTER}")
    return {
        "LD_PRELOAD": str(CLOCK_SETTER),
        "FAKETIME": time,
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
    }
