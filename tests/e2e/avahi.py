"""Avahi on a machine of the `Lan`: the mDNS responder that most Linux machines have.

It gets a message bus and a `/run` of its own, so that it meets neither this machine's Avahi nor
its bus.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lan import Machine, run
from waiting import wait_for

TOOLS = ("avahi-daemon", "avahi-browse", "avahi-resolve", "dbus-daemon")
START_SECONDS = 15

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>custom</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

AVAHI = """[server]
host-name={host}
use-ipv4=yes
use-ipv6=yes
allow-interfaces=eth0
enable-dbus=yes
[publish]
publish-hinfo=no
publish-workstation=no
"""


def why_unavailable() -> str | None:
    """Why there can be no Avahi here; `None` when there can."""
    missing = [
        tool for tool in TOOLS if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None
    ]
    return f"not installed: {', '.join(missing)}" if missing else None


class Avahi:
    """An Avahi daemon on `machine`, in `folder`, with the tools that ask it."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        folder.mkdir()
        self.machine = machine
        self.address = f"unix:path={folder / 'bus'}"
        bus = folder / "bus.conf"
        bus.write_text(BUS.format(socket=folder / "bus"))
        avahi = folder / "avahi.conf"
        avahi.write_text(AVAHI.format(host=machine.name))
        script = (
            "mount -t tmpfs tmpfs /run && mkdir -p /run/avahi-daemon && "
            f"dbus-daemon --config-file={bus} --fork --print-pid=3 3>{folder / 'bus.pid'} && "
            f"exec avahi-daemon --file={avahi} --no-drop-root --no-chroot --no-rlimits"
        )
        self.log_path = folder / "avahi.log"
        with self.log_path.open("w") as log:
            self.process = subprocess.Popen(
                [
                    *machine.enter(),
                    "unshare",
                    "--mount",
                    "env",
                    *self.environment(),
                    "sh",
                    "-c",
                    script,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.bus_pid_path = folder / "bus.pid"
        wait_for(self.has_started, START_SECONDS, "Avahi")

    def environment(self) -> list[str]:
        path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
        return [path, f"DBUS_SYSTEM_BUS_ADDRESS={self.address}"]

    def has_started(self) -> bool:
        log = self.log_path.read_text()
        assert self.process.poll() is None, log
        return "Server startup complete" in log

    def run(self, *command: str) -> str:
        """Runs one of Avahi's tools to its end; what it printed."""
        return run([*self.machine.enter(), "env", *self.environment(), *command])

    def close(self) -> None:
        """Ends it, and its bus."""
        self.process.terminate()
        self.process.wait(timeout=10)
        self.machine.run("kill", self.bus_pid_path.read_text().strip())
