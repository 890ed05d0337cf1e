"""What the daemon's log says that happened, and whether the mails say so, too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.message import EmailMessage

CHANGE = re.compile(r"\] (?P<app>\w+): (?P<before>[A-Z]+) -> (?P<after>[A-Z]+) ")


def worsenings(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The changes that a person has to know of: which app, and the line that says so."""
    for line in lines:
        change = CHANGE.search(line)
        if change and change["after"] in ("DEGRADED", "UNHEALTHY"):
            yield change["app"], line


def panics(lines: Iterable[str]) -> list[str]:
    """Lines that no log may have."""
    return [line for line in lines if "panicked" in line]


def untold(apps: Iterable[str], mails: Iterable[EmailMessage]) -> list[str]:
    """Those of the apps that were ill for which the alert or the recovery has not arrived."""
    told = [f"{mail['Subject']}\n{mail.get_body(('plain',)).get_content()}" for mail in mails]
    missing = []
    for app in sorted(apps):
        news = [text for text in told if re.search(rf"\b{app} is (DEGRADED|UNHEALTHY)", text)]
        good = [text for text in told if f"{app} is HEALTHY again" in text]
        if not news or not good:
            missing.append(f"{app}: {len(news)} alerts and {len(good)} recoveries arrived")
    return missing
