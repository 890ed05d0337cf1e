"""A day's work in half an hour: as many checks as 100 apps at 5 s have in a day, of 4,000 apps.

Its 24 hours are of checks, not of the clock. In each some apps fall ill, people are told, and they
recover; a guest comes and goes; somebody looks at everything. There is no trouble and one life from
the start to the end, because this is about what a long life leaves behind. What the daemon does by
the hour of the clock is not in it. Ends with 1 and a list when memory, threads or descriptors grew,
a state was false or a mail is missing: `make day`.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

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
# How soon an app recovers once people were told, and how often what is used is read.
LOOK_EVERY_SECONDS = 0.2

LOOKED_AT = ["/", "/healthchecker/status", "/healthchecker/log", "/metrics", "/health"]


def name(app: int) -> str:
    """Four digits, so that no name is part of another."""
    return f"{'fickle' if app < FICKLE else 'steady'}{app:04}"


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
        hour_seconds = self.checks / self.apps * INTERVAL / HOURS
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
            email = f"{name(app)}@household.example" if app < FICKLE else None
            self.register(name(app), app, email)

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


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", type=int, default=APPS_MAX)
    parser.add_argument("--checks", type=int, default=CHECKS)
    given = parser.parse_args()
    if not FICKLE < given.apps <= APPS_MAX:
        parser.error(f"--apps: more than {FICKLE}, at most {APPS_MAX:,}")
    minutes = given.checks / given.apps * INTERVAL / 60
    print(f"{given.checks:,} checks of {given.apps:,} apps: {minutes:.1f} minutes", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        return Day(given.apps, given.checks, Path(folder)).live()


if __name__ == "__main__":
    sys.exit(main())
