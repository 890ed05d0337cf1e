"""What the stories need of a mail server."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Protocol


class Mailbox(Protocol):
    """A mail server that keeps what it accepted. See the fixture `mailbox`."""

    def options(self) -> dict[str, object]:
        """What a daemon must be told to send its mails here, STARTTLS and login included."""

    def mails(self) -> list[EmailMessage]:
        """All mails accepted so far, oldest first, read with `email.policy.default`."""
