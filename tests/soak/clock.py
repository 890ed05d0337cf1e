"""A machine whose wall clock jumps. (The monotonic one never does.)"""

from __future__ import annotations

import random
from glob import glob
from pathlib import Path

# Debian's package `faketime`.
LIBRARIES = "/usr/lib/*/faketime/libfaketime.so.1"

# In seconds: summer time, a year, and a Pi that has lost its clock.
JUMPS = [-86_400, -3_600, -5, 0, 5, 3_600, 86_400, 400 * 86_400, -56 * 365 * 86_400]


class JumpingClock:
    """Commands that run on it see what `set` says, at the latest after a second."""

    def __init__(self, folder: Path) -> None:
        found = sorted(glob(LIBRARIES))
        self.library = found[0] if found else None
        self.file = folder / "offset"
        self.set(0)

    def set(self, offset: int) -> None:
        """From now on the clock is wrong by so many seconds."""
        self.file.write_text(f"{offset:+d}\n")

    def jump(self, chance: random.Random) -> int:
        """To anywhere; the new offset."""
        offset = chance.choice(JUMPS)
        self.set(offset)
        return offset

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
