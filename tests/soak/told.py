"""What the daemon's log says that happened, and whether the mails say so, too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.message import EmailMessage

CHANGE = re.compile(r"\] (?P<app>\w+): (?P<before>[A-Z]+) -> (?P<after>[A-Z]+) ")
# Why an app is silent, in the words of the daemon.
SILENCE = re.compile(r"\((no answer|connection |the connection was|the answer ended early)")
TROUBLE = "is DEGRADED|is UNHEALTHY|keeps failing|was asked"


def worsenings(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The changes that a person has to know of: which app, and the line that says so."""
    for line in lines:
        change = CHANGE.search(line)
        if change and change["after"] in ("DEGRADED", "UNHEALTHY"):
            yield change["app"], line


def panics(lines: Iterable[str]) -> list[str]:
    """Lines that no log may have."""
    return [line for line in lines if "panicked" in line]


def were_collected(lines: Iterable[str]) -> set[str]:
    """Apps that were only ever silent: who is well before those are known that fell silent with it is not told of."""
    silent: dict[str, bool] = {}
    for app, line in worsenings(lines):
        silent[app] = silent.get(app, True) and SILENCE.search(line) is not None
    return {app for app, only in silent.items() if only}


def is_told(app: str, mails: Iterable[EmailMessage]) -> bool:
    """Whether its trouble has arrived by name."""
    return any(re.search(rf"\b{app} ({TROUBLE})", text) for text in texts(mails))


def untold(apps: Iterable[str], collected: set[str], mails: Iterable[EmailMessage]) -> list[str]:
    """Those of the apps that were ill for which the alert or its end has not arrived. Of those that were collected
    there may be neither.
    """
    told = texts(mails)
    missing = []
    for app in sorted(apps):
        news = sum(re.search(rf"\b{app} ({TROUBLE})", text) is not None for text in told)
        good = sum(f"{app} is HEALTHY again" in text for text in told)
        if news + good == 0 and app in collected:
            continue
        if not news or not good:
            missing.append(f"{app}: {news} alerts and {good} recoveries arrived")
    return missing


def texts(mails: Iterable[EmailMessage]) -> list[str]:
    """The subject and the body of each."""
    return [f"{mail['Subject']}\n{mail.get_body(('plain',)).get_content()}" for mail in mails]
