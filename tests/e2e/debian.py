"""A Debian system of its own, booted on a machine of the `Lan`: systemd is its first process.

The system is made by debootstrap once, of the same release as this machine's, so that programs
built here run there; it is kept in `target`. What a test writes is in memory and is gone with it.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from daemon import REPOSITORY
from lan import Lan, Machine, run
from waiting import wait_for

TOOLS = ("debootstrap", "systemd-nspawn", "nsenter")
PACKAGES = "systemd-sysv,dbus"
# What Debian's root has; that of whoever runs the tests may lack the half of it.
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

MAKE_SECONDS = 600
BOOT_SECONDS = 60
HALT_SECONDS = 30


def system() -> Path:
    """The system that is booted."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "stable")
    return REPOSITORY / "target/systems" / release


def make(made: Path) -> None:
    """Makes it: all of it or nothing, since a half would be taken for a system the next time."""
    half = made.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    half.parent.mkdir(parents=True, exist_ok=True)
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", made.name, str(half)]
    done = subprocess.run(
        command,
        env={**os.environ, "PATH": PATH},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=MAKE_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {' / '.join(done.stdout.splitlines()[-2:])}")
    half.rename(made)


class Debian:
    """A system that has booted; `close` turns it off."""

    def __init__(self, machine: Machine, log: Path) -> None:
        self.machine = machine
        # Where systemd runs this machine, too, it has to be asked for a place among the processes.
        place = [] if Path("/run/systemd/system").exists() else ["--keep-unit"]
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [
                    "systemd-nspawn",
                    f"--directory={system()}",
                    "--volatile=overlay",
                    f"--network-namespace-path=/proc/{machine.namespace.pid}/ns/net",
                    "--register=no",
                    *place,
                    "--settings=no",
                    "--link-journal=no",
                    "--resolv-conf=off",
                    "--timezone=off",
                    "--console=pipe",
                    "--boot",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_for(self.has_booted, BOOT_SECONDS, "the end of the boot")
        except AssertionError as error:
            self.close()
            raise RuntimeError(f"systemd does not boot: {error}\n{log.read_text()}") from error

    @property
    def init(self) -> int:
        """Its first process, as this machine knows it; 0 when there is none yet."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        named = (int(pid) for pid in children.split())
        return next((pid for pid in named if comm(pid) == "systemd"), 0)

    def has_booted(self) -> bool:
        assert self.process.poll() is None, "systemd-nspawn has ended"
        return self.init != 0 and self.try_run("systemctl", "is-system-running")[1].strip() in (
            "running",
            "degraded",
        )

    def path(self, inside: str) -> Path:
        """Where this machine finds a file of it."""
        return Path(f"/proc/{self.init}/root{inside}")

    def enter(self) -> list[str]:
        """What goes before a command that is to run in it."""
        return ["nsenter", f"--target={self.init}", "--all", "--", "env", f"PATH={PATH}"]

    def run(self, *command: str) -> str:
        """Runs a command in it to its end, which must be good; what it printed."""
        return run([*self.enter(), *command])

    def try_run(self, *command: str) -> tuple[int, str]:
        """Runs a command in it to its end, good or bad: its exit code and what it printed."""
        done = subprocess.run(
            [*self.enter(), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout

    def close(self) -> None:
        """Turns it off, and pulls the plug when that does not help."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(HALT_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(HALT_SECONDS)


def why_unavailable(lan: Lan, log: Path) -> str | None:
    """Why there can be no such system here; `None` when one has booted."""
    if os.geteuid() != 0:
        return "booting a system takes root"
    missing = [tool for tool in TOOLS if shutil.which(tool, path=PATH) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    try:
        if not system().exists():
            make(system())
        Debian(lan.add("probe"), log).close()
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None


def comm(pid: int) -> str:
    """The name of a process; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
