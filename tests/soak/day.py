"""A day's work in half an hour: as many checks as 100 apps at 5 s have in a day, of 4,000 apps.

Most are asked over HTTP; of the steady ones some by a port, a ping, a text or a time that they must keep, and some
report by themselves. Its 24 hours are of checks, not of the clock. In each some apps fall ill, people are told, and they
recover; a guest comes and goes; somebody looks at everything. There is no trouble and one life from
the start to the end, because this is about what a long life leaves behind. What the daemon does by
the hour of the clock is not in it. Ends with 1 and a list when memory, threads or descriptors grew,
a state was false or a mail is missing: `make day`.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

import requests  # noqa: E402
from daemon import Daemon  # noqa: E402
from home import INTERVAL, Home  # noqa: E402
from ledger import HEAD, HOURS, Hour, Ledger, least  # noqa: E402
from measure import Usage, usage  # noqa: E402
from told import is_told, panics, untold, worsenings  # noqa: E402

# A day of 100 apps at 5 s.
CHECKS = 1_728_000
# With more apps their recent checks would fill up for longer than a third of the day.
APPS_MAX = 4_000
ILL_AN_HOUR = 3
# Each falls ill once, so that there is one alert and one recovery for each.
FICKLE = HOURS * ILL_AN_HOUR
# How the steady ones are watched, in turn.
KINDS = ("http", "http", "tcp", "ping", "beat", "contains", "slow", "http")
# Who reports by itself does so this often.
BEAT_SECONDS = 60

# How soon an app recovers once people were told, and how often what is used is read.
LOOK_EVERY_SECONDS = 0.2

LOOKED_AT = ["/", "/healthchecker/status", "/healthchecker/log", "/metrics", "/health"]


def name(app: int) -> str:
    """Four digits, so that no name is part of another."""
    return f"{'fickle' if app < FICKLE else 'steady'}{app:04}"


def kind(app: int) -> str:
    """How it is watched."""
    return "http" if app < FICKLE else KINDS[app % len(KINDS)]


def late(metrics: str) -> str:
    """Within how many seconds half of the checks began, and nearly all."""
    buckets = re.findall(r'^healthchecker_check_lateness_seconds_bucket{le="(.+)"} (\d+)$', metrics, re.M)
    total = int(buckets[-1][1])

    def within(share: float) -> str:
        return next(f"{share:.1%} within {bound} s" for bound, count in buckets if int(count) >= share * total)

    return ", ".join(within(share) for share in (0.5, 0.9, 0.99, 0.999))


def rate(apps: int) -> float:
    """Checks and beats of so many apps in a second."""
    beats = sum(kind(app) == "beat" for app in range(apps))
    return (apps - beats) / INTERVAL + beats / BEAT_SECONDS


class Beats(threading.Thread):
    """Reports for the apps that are not asked, each in its turn."""

    def __init__(self, daemon: Daemon, names: list[str]) -> None:
        super().__init__(daemon=True)
        self.watcher = daemon
        self.names = names
        self.ended = threading.Event()
        self.refused: list[str] = []

    def run(self) -> None:
        begun = time.monotonic()
        for number, name in enumerate(cycle(self.names)):
            at = begun + number * BEAT_SECONDS / len(self.names)
            if self.ended.wait(max(0.0, at - time.monotonic())):
                return
            try:
                answer = self.watcher.post("/healthchecker/beat", data={"appname": name})
                if answer.status_code != 200:
                    self.refused.append(f"a beat was refused: {answer.text}")
            except requests.RequestException as error:
                self.refused.append(f"a beat: {error}")

    def end(self) -> None:
        """No more of them."""
        self.ended.set()
        self.join()


class Day(Home):
    """One day."""

    def __init__(self, apps: int, checks: int, folder: Path) -> None:
        super().__init__(folder)
        self.apps = apps
        self.checks = checks
        # Which illness it is matters little; days are to be compared with each other.
        self.chance = random.Random(1)
        self.ill: dict[str, int] = {}

    def run(self) -> None:
        """From the first registration to the last mail."""
        self.daemon.start()
        self.ledger = Ledger(self.daemon.pid, self.apps)
        self.register_all()
        print(HEAD, flush=True)
        begun = time.monotonic()
        hour_seconds = self.checks / rate(self.apps) / HOURS
        for hour in range(HOURS):
            self.some_fall_ill(hour)
            self.guest_comes_and_goes()
            for path in LOOKED_AT:
                self.look_at(path)
            self.note_hour(self.live_until(begun + (hour + 1) * hour_seconds))
        self.end()

    # What happens.

    def register_all(self) -> None:
        """The steady ones name nobody: the household's owner has the news of all in few mails."""
        for app in range(self.apps):
            if app < FICKLE:
                self.register(name(app), app, f"{name(app)}@household.example")
            else:
                self.register_steady(app)
        beats = [name(app) for app in range(self.apps) if kind(app) == "beat"]
        self.beats = Beats(self.daemon, beats)
        self.beats.start()

    def register_steady(self, app: int) -> None:
        """Each in its own way."""
        fields: dict[str, object] = {"url": self.household.url(app), "interval": INTERVAL, "timeout": 2}
        match kind(app):
            case "tcp":
                fields["url"] = f"tcp://127.0.0.1:{self.household.port}"
            case "ping":
                # Each a host of its own.
                fields["url"] = f"ping://127.0.{app // 250}.{app % 250 + 1}"
            case "beat":
                fields = {"kind": "beat", "interval": BEAT_SECONDS}
            case "contains":
                fields["contains"] = "pass"
            case "slow":
                fields["slow"] = 1_500
        answer = self.daemon.post(
            "/healthchecker/monitor", data={"appname": name(app), "healthy": 2, **fields}
        )
        assert answer.status_code == 200, answer.text
        self.registered.add(name(app))

    def some_fall_ill(self, hour: int) -> None:
        for app in range(hour * ILL_AN_HOUR, (hour + 1) * ILL_AN_HOUR):
            self.household.falls_ill(app, self.chance)
            self.ill[name(app)] = app

    def live_until(self, end: float) -> list[Usage]:
        """What was used meanwhile, as often as it was looked at; once at least."""
        seen = []
        while not seen or time.monotonic() < end:
            self.those_told_of_recover()
            time.sleep(LOOK_EVERY_SECONDS)
            seen.append(usage(self.daemon.pid))
        return seen

    def those_told_of_recover(self) -> None:
        """Somebody reads the mail and helps."""
        mails = self.mailbox.mails()
        for app in [app for app in self.ill if is_told(app, mails)]:
            self.household.recovers(self.ill.pop(app))

    def note_hour(self, seen: list[Usage]) -> None:
        self.ledger.note(Hour(self.checks_made(), least(seen), datetime.now(UTC).date()))

    # What must hold.

    def checks_made(self) -> int:
        """As the daemon counts them."""
        apps = self.daemon.get("/healthchecker/status").json()["apps"]
        return sum(app["checks"] for app in apps)

    def end(self) -> None:
        self.expect(self.none_is_ill, "people are told of every app that is ill")
        self.expect(self.all_are_healthy, "all apps are HEALTHY again")
        self.expect(lambda: self.checks_made() >= self.checks, f"{self.checks:,} checks were made")
        self.expect(self.all_mail_is_out, "all mails are out")
        self.beats.end()
        self.wrong += self.beats.refused
        self.late = late(self.daemon.get("/metrics").text)
        self.daemon.stop()
        self.look_at_log()
        self.wrong += self.ledger.left_behind()

    def none_is_ill(self) -> bool:
        self.those_told_of_recover()
        return not self.ill

    def look_at_log(self) -> None:
        """No panic, no false state, no change that nobody was told."""
        ill = [name(app) for app in range(FICKLE)]
        found = Counter(app for app, _ in worsenings(self.daemon.lines))
        for app, times in (found - Counter(ill)).items():
            self.wrong.append(f"a false state: {app}, {times} times more than it was ill")
        self.wrong += panics(self.daemon.lines)
        self.wrong += untold(ill, set(), self.mailbox.mails())

    def report(self) -> None:
        """What came of it, beside the table."""
        print(f"apps that were ill {FICKLE}, mails {len(self.mailbox.envelopes)}, ", end="")
        print(f"the slowest of {len(self.took)} answers {max(self.took) * 1e3:.0f} ms")
        print(f"after they were due checks began {self.late}")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", type=int, default=APPS_MAX)
    parser.add_argument("--checks", type=int, default=CHECKS)
    given = parser.parse_args()
    if not FICKLE < given.apps <= APPS_MAX:
        parser.error(f"--apps: more than {FICKLE}, at most {APPS_MAX:,}")
    minutes = given.checks / rate(given.apps) / 60
    print(f"{given.checks:,} checks of {given.apps:,} apps: {minutes:.1f} minutes", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        return Day(given.apps, given.checks, Path(folder)).live()


if __name__ == "__main__":
    sys.exit(main())
