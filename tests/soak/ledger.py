"""What a daemon uses, hour by hour of a day's work, and whether anything is left behind."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path

from measure import Usage

HOURS = 24
# All recent checks together have room for 1 MiB (`ROOM_FOR_ALL` in `app::history::recent`) and take
# two bytes each: they have filled it after 524,288 checks, in the eighth hour.
SETTLED = 8
FULL_AFTER_CHECKS = 524_288
# What was used least in the last quarter is compared with the least of the hour that settled it:
# threads come and go with the checks of a moment, and what is left behind never goes.
LAST = 6
# A leak of one byte for every check would be 770 KiB. Of the threads that come and go, two dozen
# KiB each, some may never be gone while we look.
GROWTH_MAX_KIB = 128
# glibc gives less of its heap back.
GLIBC_GROWTH_MAX_KIB = 1024
# What an app needs for a day that is over, as musl gives it out. Only midnight ends a day.
DAY_BYTES = 80

HEAD = "hour     checks  resident  anonymous  threads  descriptors   (the least in it; KiB)"


@dataclass(frozen=True)
class Hour:
    """How many checks there were at its end, what it used, and the date in UTC."""

    checks: int
    used: Usage
    today: date

    def line(self, number: int) -> str:
        """A line of the table."""
        used = self.used
        return (
            f"{number:4} {self.checks:10,} {used.resident:9,} {used.heap:10,} {used.threads:8} "
            f"{used.descriptors:12}"
        )


def least(seen: list[Usage]) -> Usage:
    """The least of each figure."""
    return Usage(*(min(figures) for figures in zip(*map(astuple, seen), strict=True)))


class Ledger:
    """The hours of one life."""

    def __init__(self, pid: int, apps: int) -> None:
        self.apps = apps
        # A static program has musl's allocator, or none that leaves a trace here.
        self.glibc = "/libc.so.6" in Path(f"/proc/{pid}/maps").read_text()
        self.hours: list[Hour] = []

    def note(self, hour: Hour) -> None:
        """An hour is over: prints its line."""
        self.hours.append(hour)
        print(hour.line(len(self.hours)), flush=True)

    def is_settled(self) -> bool:
        """Whether there was work enough to tell a leak from what fills up."""
        return self.hours[SETTLED - 1].checks >= FULL_AFTER_CHECKS

    def growth_max_kib(self) -> int:
        """How much more anonymous memory is no leak."""
        midnights = (self.hours[-1].today - self.hours[SETTLED - 1].today).days
        allowed = GLIBC_GROWTH_MAX_KIB if self.glibc else GROWTH_MAX_KIB
        return allowed + midnights * self.apps * DAY_BYTES // 1024

    def left_behind(self) -> list[str]:
        """What grew that should not have."""
        if not self.is_settled():
            print("too short a day to say anything of what is left behind")
            return []
        before = self.hours[SETTLED - 1].used
        after = least([hour.used for hour in self.hours[-LAST:]])
        grown, allowed = after.heap - before.heap, self.growth_max_kib()
        print(f"anonymous memory grew by {grown} KiB; up to {allowed} KiB are no leak")
        found = {
            f"memory grew by {grown} KiB": grown > allowed,
            f"threads: {before.threads}, then {after.threads}": after.threads > before.threads,
            f"descriptors: {before.descriptors}, then {after.descriptors}": (
                after.descriptors > before.descriptors
            ),
        }
        return [what for what, is_so in found.items() if is_so]
