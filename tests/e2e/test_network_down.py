"""The daemon's own cable is pulled: no app is blamed, and who did not come back meanwhile is told once."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta
from typing import Any

from conftest import StartDaemon
from daemon import Daemon
from lan import Lan
from lan_mail import OWNER, MailServer
from waiting import wait_for

APPS = range(3)
INTERVAL = 5
# The shortest that things settle after an absence.
SETTLE = 60
# Who was away for 10 s has nothing to settle.
ABSENCE = timedelta(seconds=12)


class House:
    """A daemon on one machine, apps on another, a cable between them."""

    def __init__(self, lan: Lan, start_daemon: StartDaemon) -> None:
        self.lan = lan
        self.server, self.client = lan.add("server"), lan.add("client")
        self.mail = MailServer(self.server)
        self.daemon: Daemon = start_daemon(
            machine=self.server, bind_addr="0.0.0.0", email=OWNER, **self.mail.options()
        )
        self.apps: list[subprocess.Popen[str]] = []
        for app in APPS:
            program = self.client.start_client("serve", self.client.ipv4)
            assert program.stdout
            port = int(program.stdout.readline())
            self.apps.append(program)
            self.register(f"app{app}", f"http://{self.client.ipv4}:{port}")

    def register(self, name: str, url: str) -> None:
        query = f"appname={name}&url={url}&interval={INTERVAL}&timeout=2&healthy=2"
        answer = self.ask("post", f"monitor?{query}")
        assert answer["status"] == 200, answer

    def ask(self, method: str, what: str) -> dict[str, Any]:
        """Asked on the daemon's own machine, which needs no cable."""
        url = f"http://127.0.0.1:{self.daemon.port}/healthchecker/{what}"
        answer: dict[str, Any] = self.server.client(method, url)
        return answer

    def shown(self, what: str) -> list[Any]:
        status = json.loads(self.ask("get", "status")["body"])
        return [app[what] for app in status["apps"]]

    def was_away(self) -> bool:
        """Whether the network has been down for long enough to have something to settle."""
        status = json.loads(self.ask("get", "status")["body"])
        now, since = status["server"]["time"], status["apps"][0]["since"]
        return datetime.fromisoformat(now) - datetime.fromisoformat(since) > ABSENCE

    def cable(self, how: str) -> None:
        """`down` or `up`."""
        self.lan.switch.run("ip", "link", "set", f"port{self.server.number}", how)

    def subjects(self) -> list[str]:
        """What came after the welcome."""
        return [mail["subject"] for mail in self.mail.mails[1:]]


def test_our_own_network_is_not_blamed_on_the_apps(lan: Lan, start_daemon: StartDaemon) -> None:
    house = House(lan, start_daemon)
    wait_for(lambda: house.shown("state") == ["HEALTHY"] * 3, 40, "a healthy household")
    wait_for(lambda: house.mail.mails, 30, "the welcome")
    house.cable("down")
    house.daemon.wait_for_log("our network is down", 20)
    wait_for(lambda: house.shown("state") == ["UNKNOWN"] * 3, 20, "nobody can be seen")
    assert all(house.shown("not_visible_since"))
    assert house.shown("failures") == [0, 0, 0]
    # One goes meanwhile.
    house.apps[2].kill()
    wait_for(house.was_away, 30, "an absence after which things settle")
    house.cable("up")
    house.daemon.wait_for_log("our network is back", 30)
    two_are_well = ["HEALTHY", "HEALTHY", "UNKNOWN"]
    wait_for(lambda: house.shown("state") == two_are_well, 30, "the return of two")
    assert house.subjects() == []
    wait_for(house.subjects, SETTLE + 20, "the report")
    assert house.subjects() == [
        "[HealthChecker] After our network came back: 2 of 3 are well, not app2"
    ]
    assert house.shown("state") == ["HEALTHY", "HEALTHY", "UNHEALTHY"]
