"""A household on a `Lan`: a daemon on one machine, apps on others, and its owner's mail."""

from __future__ import annotations

import json
import subprocess
from typing import Any
from urllib.parse import urlencode

from conftest import StartDaemon
from daemon import Daemon
from lan import Lan, Machine
from lan_mail import OWNER, MailServer
from waiting import wait_for

INTERVAL = 5
# A busy machine takes its time, too.
TIMEOUT = 4


class House:
    """The daemon's machine has the mail server, too: no cable is needed to hear of it."""

    def __init__(self, lan: Lan) -> None:
        self.lan = lan
        self.server = lan.add("server")
        self.mail = MailServer(self.server)
        self.apps: dict[str, subprocess.Popen[str]] = {}

    def start(self, start_daemon: StartDaemon, **options: object) -> None:
        """Starts the daemon."""
        self.daemon: Daemon = start_daemon(
            machine=self.server,
            bind_addr="0.0.0.0",
            email=OWNER,
            **self.mail.options(),
            **options,
        )

    def add_app(self, name: str, machine: Machine, address: str | None = None) -> None:
        """Starts a healthy app, and has it watched."""
        address = address or machine.ipv4
        program = machine.start_client("serve", address)
        assert program.stdout
        self.apps[name] = program
        port = int(program.stdout.readline())
        fields = {
            "appname": name,
            "url": f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}",
            "interval": INTERVAL,
            "timeout": TIMEOUT,
            "unhealthy": 2,
            "healthy": 2,
        }
        status, answer = self.ask("POST", f"monitor?{urlencode(fields)}")
        assert status == 200, answer

    def ask(self, method: str, what: str) -> tuple[int, str]:
        """Asked on the daemon's own machine, which needs no cable."""
        url = f"http://127.0.0.1:{self.daemon.port}/healthchecker/{what}"
        return self.server.fetch(method, url)

    def status(self) -> dict[str, Any]:
        """All apps."""
        status: dict[str, Any] = json.loads(self.ask("GET", "status")[1])
        return status

    def shown(self, what: str) -> dict[str, Any]:
        """This member of each app."""
        return {app["appname"]: app[what] for app in self.status()["apps"]}

    def wait_for_states(self, seconds: float, others: str, **expected: str) -> None:
        """Waits until these apps are in these states, and all others in that one."""
        wanted = {name: expected.get(name, others) for name in self.apps}
        wait_for(lambda: self.shown("state") == wanted, seconds, f"{expected}, others {others}")

    def wait_until_well(self) -> None:
        """Waits until every app is well, and the owner knows that it is watched."""
        self.wait_for_states(60, "HEALTHY")
        wait_for(lambda: self.mail.mails, 30, "the welcome")

    def subjects(self) -> list[str]:
        """What came besides welcomes, without what all begin with."""
        subjects = [mail["subject"].removeprefix("[HealthChecker] ") for mail in self.mail.mails]
        return [subject for subject in subjects if not subject.startswith("Now watching ")]
