"""Programs from npm that tests look at our work with, as the lock file names them."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent / "node_tools"
BIN = FOLDER / "node_modules/.bin"
SECONDS = 180


def why_unavailable(*more: str) -> str | None:
    """Why they cannot be run; none when they can."""
    for command in ("node", "npm", *more):
        if shutil.which(command) is None:
            return f"the command {command} is missing"
    return None


def install(folder: Path = FOLDER) -> None:
    """Fetches what the lock file of `folder` names, once, though several tests ask at one time."""
    with (folder / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "node_modules").exists():
            subprocess.run(
                ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                cwd=folder,
                check=True,
                stdout=subprocess.DEVNULL,
            )


def run(*command: object, folder: Path) -> str:
    """Runs one in a folder to its end, which must be a good one; what it says."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-20000:]}"
    return done.stdout
