"""A Raspberry Pi Zero, emulated whole: its processor, memory, card and USB Ethernet, and Debian's kernel
for it. It has no clock battery: it boots in January 1970, and learns the time when it is told to.

As a program, it boots one that runs the daemon, with the options of its environment, and what the
daemon logs is its output. To kill it is to pull the plug: what was not on the card is gone.
"""

from __future__ import annotations

import gzip
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from arm import PATH, absent
from daemon import REPOSITORY, Daemon
from lan import Lan
from waiting import wait_for

PARTS = REPOSITORY / "target/pi"
UNIT = REPOSITORY / "packaging/systemd/healthchecker.service"
EMULATOR = "qemu-system-arm"
TOOLS = (EMULATOR, "mke2fs", "cpio")

# The emulated card's controller wants a power of two.
CARD_BYTES = 64 * 1024 * 1024
CARD = "card"
CABLE = "/dev/net/tun"
# Its end of it, in the switch of the `Lan`; far from the numbers of other machines.
TAP = "pi0"
ADDRESS = "10.77.0.200"
STATE = "/var/lib/healthchecker"
# A kernel boots in some five seconds, on a machine that has nothing else to do; a busy one makes the emulated one slow.
BOOT_SECONDS = 180

# What the emulator does not know, the kernel must not touch: it would be its end.
KERNEL = (
    "quiet loglevel=1 console=ttyAMA0 rdinit=/init panic=-1"
    " initcall_blacklist=bcm2835_power_driver_init"
)
# Its time is what its processor has executed, 8 ns for each instruction (a slow Pi Zero), and real time only while that
# rests. By the clock of a busy machine the emulated one loses its timer: the kernel reads the time, adds the 15 us or
# more until the next alarm, and writes that to the timer; if the emulator has not run for so long in between, the
# alarm is in the past, and comes after 2^32 us. For 71 minutes every wait on the machine lasts. (`-trace
# bcm2835_systmr_run` shows it, with a program of a hundred threads that only sleep, too.)
CLOCK = "shift=auto"
USES = re.compile(r"\buses (?P<figures>uptime=.*)")


def missing() -> list[str]:
    """What there must be, and is not."""
    parts = [] if (PARTS / "base.cpio.gz").exists() else [f"{PARTS} (make pi)"]
    cable = [] if os.access(CABLE, os.R_OK | os.W_OK) else [f"leave to use {CABLE}"]
    return absent(*TOOLS) + parts + cable


@dataclass(frozen=True)
class Uses:
    """What the daemon uses on it, as the machine sees it. Memory in KiB."""

    # Seconds since the boot.
    uptime: float
    resident: int
    anonymous: int
    threads: int
    # How often a thread of it was given the processor.
    runs: int
    # Of its service, with what the kernel holds for it. In bytes.
    memory_peak: int
    # How often it asked for more than the unit of its service lets it have.
    out_of_memory: int
    out_of_tasks: int


class PiZero(Daemon):
    """The daemon, on an emulated Pi Zero on the network."""

    def __init__(self, folder: Path, lan: Lan, binary: Path, **options: object) -> None:
        lan.switch.run("ip", "tuntap", "add", TAP, "mode", "tap")
        lan.switch.run("ip", "link", "set", TAP, "master", "lan", "up")
        super().__init__(
            folder,
            program=[*lan.switch.enter(), sys.executable, __file__, str(binary)],
            start_seconds=BOOT_SECONDS,
            **{"bind_addr": "0.0.0.0", "announce": True, "port": 8080, "state_dir": STATE, **options},
        )

    @property
    def base(self) -> str:
        """Where it serves, for others on the network."""
        return f"http://{ADDRESS}:{self.port}"

    def learns_time_after(self, seconds: int) -> None:
        """How long it takes after a boot until it knows the time; at once otherwise."""
        self.variables["TIME_AFTER"] = str(seconds)

    def uses(self, wanted: Callable[[Uses], bool] = lambda uses: True) -> Uses:
        """What the daemon uses from now on, as soon as it is as wanted."""
        already = len(self.lines)

        def find() -> Uses | None:
            told = [USES.search(line) for line in self.lines[already:]]
            known = [read_uses(one["figures"]) for one in told if one]
            return next(filter(wanted, known), None)

        found = wait_for(find, BOOT_SECONDS, "what the daemon uses")
        assert found
        return found


def read_uses(figures: str) -> Uses:
    found: dict[str, str] = dict(re.findall(r"(\w+)=([\d.]+)", figures))
    return Uses(float(found.pop("uptime")), **{name: int(value) for name, value in found.items()})


def limit(name: str) -> str:
    """A limit of the service, from its unit."""
    found = re.search(rf"^{name}=(\S+)$", UNIT.read_text(), re.MULTILINE)
    assert found, name
    return found[1]


def settings() -> str:
    """What tests/pi/init reads."""
    machine = {
        "ADDRESS": f"{ADDRESS}/24",
        "TIME": str(int(time.time())),
        "TIME_AFTER": os.environ.get("TIME_AFTER", "0"),
        "MEMORY_MAX": limit("MemoryMax"),
        "TASKS_MAX": limit("TasksMax"),
    }
    given = {name: value for name, value in os.environ.items() if name.startswith("HEALTHCHECKER_")}
    lines = [f"{name}={shlex.quote(value)}" for name, value in machine.items()]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in given.items()]
    return "\n".join(lines) + "\n"


def make_root(binary: Path) -> Path:
    """The root file system: the parts that are always the same, then the program and its options."""
    added = Path("added")
    shutil.rmtree(added, ignore_errors=True)
    (added / "bin").mkdir(parents=True)
    shutil.copy(binary, added / "bin/healthchecker")
    (added / "settings").write_text(settings())
    names = "bin\nbin/healthchecker\nsettings\n".encode()
    pack = ["cpio", "--quiet", "--create", "--format=newc"]
    packed = subprocess.run(pack, cwd=added, input=names, capture_output=True, check=True)
    root = Path("root.cpio.gz")
    root.write_bytes((PARTS / "base.cpio.gz").read_bytes() + gzip.compress(packed.stdout, 1))
    return root


def make_card() -> None:
    """An empty card; the one of the boot before, if there was any."""
    if not Path(CARD).exists():
        with open(CARD, "wb") as card:
            card.truncate(CARD_BYTES)
        mke2fs = shutil.which("mke2fs", path=PATH) or "mke2fs"
        subprocess.run([mke2fs, "-q", "-t", "ext4", CARD], check=True)


def boot(binary: Path) -> None:
    """Becomes the machine, in the working directory."""
    make_card()
    command = [EMULATOR, "-M", "raspi0", "-no-reboot", "-display", "none", "-monitor", "none"]
    command += ["-icount", CLOCK]
    command += ["-serial", "stdio", "-append", KERNEL]
    command += ["-kernel", str(PARTS / "kernel"), "-dtb", str(PARTS / "machine.dtb")]
    command += ["-initrd", str(make_root(binary))]
    command += ["-drive", f"if=sd,format=raw,file={CARD}"]
    command += ["-netdev", f"tap,id=lan,ifname={TAP},script=no,downscript=no"]
    command += ["-device", "usb-net,netdev=lan"]
    os.execvp(EMULATOR, command)


if __name__ == "__main__":
    boot(Path(sys.argv[1]))
