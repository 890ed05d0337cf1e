"""A disk that fails when told to: strace puts itself between a process and the system."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from waiting import wait_for

ATTACH_SECONDS = 10


@cache
def why_unavailable() -> str | None:
    """Why there is no strace to be had here; `None` when there is."""
    if shutil.which("strace") is None:
        return "not installed: strace"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"strace may not trace here: {tried.stderr.strip()}"


class Strace:
    """Watches how a running process syncs some files, and may have that fail or take long.

    `inject` is strace's own word for that: `error=EIO:when=1`, `delay_enter=20000`.
    """

    def __init__(self, pid: int, log: Path, *files: Path, inject: str | None = None) -> None:
        reason = why_unavailable()
        if reason is not None:
            pytest.skip(reason)
        self.log = log
        self.said = log.with_suffix(".said")
        self.command = ["strace", "-f", "-p", str(pid), "-o", str(log), "-e", "trace=fdatasync"]
        for file in files:
            self.command += ["-P", str(file)]
        if inject is not None:
            self.command += ["-e", f"inject=fdatasync:{inject}"]

    def __enter__(self) -> Self:
        with self.said.open("w") as said:
            self.process = subprocess.Popen(self.command, stderr=said)
        wait_for(lambda: "attached" in self.said.read_text(), ATTACH_SECONDS, "strace")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(ATTACH_SECONDS)
        finally:
            self.process.kill()

    def syncs(self) -> int:
        """How many there were; to be asked after the end."""
        return self.log.read_text().count("fdatasync(")
