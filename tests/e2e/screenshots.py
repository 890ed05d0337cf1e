"""Pictures of the web page for the README: `make screenshots`.

A household with a past is made: apps are registered, a season of history is written into the journal as
docs/journal.md describes it, some apps fall ill, and Chromium takes the pictures.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

from browser import Browser
from daemon import REPOSITORY, Daemon
from target import Target

PICTURES = REPOSITORY / "docs"
APPS = ["NAS", "Kodi", "Pi-hole", "Home Assistant", "Jellyfin", "Printer", "Backup", "Doorbell"]
DAY = 24 * 3600


def main() -> None:
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        mail = {"smtp_host": "127.0.0.1", "smtp_port": 1, "smtp_security": "none"}
        daemon = Daemon(Path(folder), email="me@example.org", **mail)
        targets = {name: Target() for name in APPS}
        daemon.start()
        for name, target in targets.items():
            daemon.register(name, target.url, interval=5, healthy=2)
        daemon.wait_for_state(APPS[-1], "HEALTHY", 20)
        daemon.stop()
        rewrite(Path(folder) / "state/journal", chance)
        targets["NAS"].refuses()
        targets["Pi-hole"].warns("disk 91 % full")
        daemon.start()
        daemon.post("/healthchecker/pause", data={"appname": "Printer"})
        daemon.wait_for_state("Pi-hole", "DEGRADED", 30)
        daemon.wait_for_state("NAS", "UNHEALTHY", 30)
        time.sleep(12)
        take(daemon)
        daemon.close()
        for target in targets.values():
            target.close()


def take(daemon: Daemon) -> None:
    browser = Browser()
    browser.open(daemon.base + "/", width=1100, height=1080)
    browser.do("screenshot", path=str(PICTURES / "page.png"))
    browser.open(daemon.base + "/", width=360, height=760, dark=True)
    browser.do("screenshot", path=str(PICTURES / "page-phone.png"))
    browser.open(daemon.base + "/healthchecker/watch", width=360, height=760)
    browser.fill("#field-appname", "TV box")
    browser.fill("#field-url", "192.168.1.31:8080")
    browser.do("screenshot", path=str(PICTURES / "form-phone.png"))
    browser.close()


def rewrite(journal: Path, chance: random.Random) -> None:
    """Gives every app in the journal a past."""
    header, *lines = journal.read_bytes().split(b"\n")[:-1]
    batches = [json.loads(line[9:]) for line in lines]
    for record in (record for batch in batches for record in batch):
        if tally := record.get("tally"):
            tally.update(past(tally["app"], chance))
        if app := record.get("app"):
            well_for = chance.uniform(1, 30) * DAY
            app["since"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - well_for))
    texts = [json.dumps(batch, separators=(",", ":")).encode() for batch in batches]
    journal.write_bytes(
        header + b"\n" + b"".join(b"%08x %s\n" % (zlib.crc32(text), text) for text in texts)
    )


def past(name: str, chance: random.Random) -> dict[str, Any]:
    now = int(time.time())
    latency = {"NAS": 4, "Kodi": 12, "Home Assistant": 31}.get(name, 8)
    ill = {"NAS": 0.05, "Kodi": 0.2, "Pi-hole": 0.04, "Doorbell": 0.3}.get(name, 0.01)
    first = chance.choice([89, 89, 89, 60]) if name != "Doorbell" else 33
    days = []
    for day in range(now // DAY - first, now // DAY):
        failed = chance.random() < ill
        failures = chance.choice([3, 17, 60, 1400]) if failed else 0
        days.append(f"{day}:17280:{failures}:{latency}:{latency * 3}")
    gaps = " ".join(
        ("5" if n == 0 else "") + "p" + str(max(1, round(chance.gauss(latency, latency / 4))))
        for n in range(119)
    )
    failed = {7} if name == "Kodi" else set()
    hours = " ".join(
        f"{now // 60 - 60 * hour}:720:{int(hour in failed)}" for hour in range(23, 0, -1)
    )
    return {
        "checks": 17280 * len(days),
        "history": {
            "day": hours,
            "days": " ".join(days),
            "recent": f"{now - 119 * 5} 0p{latency} {gaps}",
        },
    }


if __name__ == "__main__":
    sys.exit(main())
