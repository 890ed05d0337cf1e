"""A mail server on a machine of the `Lan`."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from lan import Machine
from waiting import wait_for

OWNER = "me@example.org"


class MailServer:
    """It keeps what it accepts. Without an address it is there for its own machine only."""

    def __init__(self, machine: Machine, address: str = "127.0.0.1") -> None:
        self.address = address
        self.mails: list[dict[str, Any]] = []
        program = machine.start_client("take-mail", address)
        assert program.stdout
        self.lines = program.stdout
        self.port = int(self.lines.readline())
        threading.Thread(target=self.collect, daemon=True).start()

    def collect(self) -> None:
        for line in self.lines:
            self.mails.append(json.loads(line))

    def options(self) -> dict[str, object]:
        """What a daemon must be told."""
        return {
            "smtp_host": self.address,
            "smtp_port": self.port,
            "smtp_security": "none",
            "mail_from": "healthchecker@example.org",
        }

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], seconds: float, what: str) -> None:
        """Waits for a mail to the owner like that."""

        def arrived() -> bool:
            return any(mail["to"] == [OWNER] and wanted(mail) for mail in list(self.mails))

        wait_for(arrived, seconds, what)
