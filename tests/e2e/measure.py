"""What a process uses, from /proc."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    """Memory in KiB; `heap` is the part that is in no file."""

    resident: int
    heap: int
    threads: int
    descriptors: int


def usage(pid: int) -> Usage:
    """What the process uses now."""
    status = Path(f"/proc/{pid}/status").read_text()

    def field(name: str) -> int:
        found = re.search(rf"^{name}:\s*(\d+)", status, re.MULTILINE)
        return int(found[1]) if found else 0

    return Usage(
        resident=field("VmRSS"),
        heap=field("RssAnon"),
        threads=field("Threads"),
        descriptors=sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
    )


class Peak:
    """The most that a process uses, each figure by itself, while the block runs."""

    EVERY_SECONDS = 0.1

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended = threading.Event()
        self.seen = usage(pid)
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self) -> None:
        while not self.ended.wait(self.EVERY_SECONDS):
            now = usage(self.pid)
            self.seen = Usage(
                resident=max(self.seen.resident, now.resident),
                heap=max(self.seen.heap, now.heap),
                threads=max(self.seen.threads, now.threads),
                descriptors=max(self.seen.descriptors, now.descriptors),
            )

    def __enter__(self) -> Peak:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()


def peak_over(pid: int, seconds: float) -> Usage:
    """The most that a process uses in the next seconds."""
    with Peak(pid) as peak:
        time.sleep(seconds)
    return peak.seen
