"""A wall clock of its own for one process, and a machine whose clock jumps and that goes to sleep."""

from __future__ import annotations

import os
import subprocess
from glob import glob
from pathlib import Path

import pytest

# Debian's package `faketime`.
LIBRARIES = "/usr/lib/*/faketime/libfaketime.so.1"
UPTIME = "/proc/uptime"


def clock_setter() -> str | None:
    """What moves the clock of a program that loads it, where that is installed."""
    return next(iter(sorted(glob(LIBRARIES))), None)


def clock_that_shows(time: str) -> dict[str, str]:
    """The environment of a process whose wall clock is moved, as FAKETIME says it. Deadlines are not."""
    library = clock_setter()
    if library is None:
        pytest.skip(f"not installed: {LIBRARIES}")
    return {
        "LD_PRELOAD": library,
        "FAKETIME": time,
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
    }


class JumpingClock:
    """A machine whose wall clock jumps; the monotonic one never does. Commands that run on it see what `set` says,
    at the latest after a second."""

    def __init__(self, folder: Path) -> None:
        self.library = clock_setter()
        self.file = folder / "offset"
        self.set(0)

    def set(self, offset: int) -> None:
        """From now on the clock is wrong by so many seconds."""
        self.file.write_text(f"{offset:+d}\n")

    def enter(self) -> list[str]:
        """What goes before a command that is to run on this machine."""
        if self.library is None:
            return []
        return [
            "env",
            f"LD_PRELOAD={self.library}",
            f"FAKETIME_TIMESTAMP_FILE={self.file}",
            "FAKETIME_CACHE_DURATION=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        ]


class SleepyMachine(JumpingClock):
    """A machine that can also sleep: then the wall clock and the time since the boot go on, the monotonic clock
    does not."""

    def __init__(self, folder: Path) -> None:
        self.uptime = folder / "uptime"
        self.up = 1_000_000
        self.offset = 0
        super().__init__(folder)

    def set(self, offset: int) -> None:
        self.offset = offset
        self.uptime.write_text(f"{self.up}.00 {self.up}.00\n")
        super().set(offset)

    def sleep(self, seconds: int) -> None:
        """Wakes after so long."""
        self.up += seconds
        self.set(self.offset + seconds)

    def enter(self) -> list[str]:
        return [*own_file(self.uptime, UPTIME), *super().enter()]

    def why_unavailable(self) -> str | None:
        """Why there can be none here."""
        if self.library is None:
            return f"not installed: {LIBRARIES}"
        seen = subprocess.run([*self.enter(), "cat", UPTIME], capture_output=True, text=True)
        same = seen.stdout == self.uptime.read_text()
        return None if same else f"no mount of our own here: {seen.stderr}"


def own_file(file: Path, place: str) -> list[str]:
    """What goes before a command that is to find this file in that place, and nobody else is."""
    alone = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "-r", "--mount"]
    script = 'mount --bind "$0" "$1" && shift && exec "$@"'
    return [*alone, "sh", "-c", script, str(file), place]
