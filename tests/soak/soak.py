"""Runs the real daemon while apps, clients, the mail server, the clock and the power misbehave, and
checks what must hold all the while: `make soak MINUTES=5 SEED=7`.

Everything that happens is drawn from the seed, which is printed; a run is repeated with it as far as
the machine lets it be. Ends with 1 and a list when anything did not hold.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

E2E = Path(__file__).parent.parent / "e2e"
sys.path.insert(0, str(E2E))

from faketime import JumpingClock  # noqa: E402
from home import INTERVAL, Home  # noqa: E402
from measure import Usage, usage  # noqa: E402
from smtp_server import HANG_UP  # noqa: E402
from told import panics, untold, were_collected, worsenings  # noqa: E402

# The first are always well; the rest fall ill now and then.
STEADY, FICKLE = 20, 20
# By which the clock is wrong, in seconds: summer time, a year, and a Pi that has lost its clock.
JUMPS = [-86_400, -3_600, -5, 0, 5, 3_600, 86_400, 400 * 86_400, -56 * 365 * 86_400]
# An illness lasts so long, in seconds.
ILL_SECONDS = (8, 30)
# How late a check may come: a twentieth of its interval, and what a stolen processor adds.
GAP_MAX = 1.05 * INTERVAL + 1.0
ANSWER_SECONDS_MAX = 2.0
# What is filled once is kept in the main by glibc; musl gives more of it back.
HEAP_GROWTH_MAX_KIB = 4 * 1024
# A leak goes on: the second half of a life that is long enough to have one.
LATE_GROWTH_MAX_KIB = 1024
LONG_LIFE = 10
# The first part of a life is not compared with its end: everything is used for the first time.
SETTLING_SECONDS = 8
MEMORY_EVERY_SECONDS = 20

FLOODS = [
    ["crowd", 400, 100, 5],
    ["broken", 3_000],
    ["resets", 500, 3],
]
MAIL_TROUBLES = [
    ("GREETING", "421 4.3.2 not now"),
    ("MAIL", "451 4.3.0 try again"),
    ("RCPT", "450 4.2.1 too fast"),
    ("END", "452 4.2.2 box full"),
    ("BODY", HANG_UP),
    ("END", HANG_UP),
]


def name(app: int) -> str:
    """Two digits, so that no name is part of another."""
    return f"{'steady' if app < STEADY else 'fickle'}{app:02}"


class Soak(Home):
    """One run."""

    def __init__(self, minutes: float, seed: int, folder: Path) -> None:
        self.clock = JumpingClock(folder)
        super().__init__(folder, self.clock)
        self.minutes = minutes
        self.chance = random.Random(seed)
        self.flood: subprocess.Popen[str] | None = None
        self.happened: Counter[str] = Counter()
        self.gaps: list[float] = []
        self.before: Usage | None = None
        self.settled_at = 0.0
        # Of this life, in KiB.
        self.heaps: list[int] = []

    def run(self) -> None:
        """From the start to the end of the household."""
        self.daemon.start()
        for app in range(STEADY + FICKLE):
            self.register_one(app)
        self.begin_life()
        due = {
            self.one_falls_ill: 2.0,
            self.clients_come: 5.0,
            self.mail_breaks: 9.0,
            self.clock_jumps: 7.0,
            self.guests_come_and_go: 3.0,
            self.power_fails: 25.0,
        }
        # What happens first is drawn, too.
        at = {event: time.monotonic() + every * self.chance.random() for event, every in due.items()}
        at[self.power_fails] = time.monotonic() + due[self.power_fails]
        until = time.monotonic() + 60 * self.minutes
        self.illnesses: list[tuple[float, int]] = []
        self.well_until = {app: 0.0 for app in range(STEADY, STEADY + FICKLE)}
        while time.monotonic() < until:
            for event, when in list(at.items()):
                if when <= time.monotonic():
                    event()
                    # Power fails less and less often: lives are long enough to show a leak.
                    due[event] *= 2 if event == self.power_fails else 1
                    at[event] = time.monotonic() + due[event] * self.chance.uniform(0.5, 1.5)
            self.some_recover()
            self.ask()
            self.settle()
            time.sleep(0.05)
        self.end()

    # What happens.

    def one_falls_ill(self) -> None:
        """As long as it has been well for a while: nobody gets more than twenty mails an hour."""
        now = time.monotonic()
        well = [app for app, at in self.well_until.items() if at <= now]
        if well:
            app = self.chance.choice(well)
            ill = self.household.falls_ill(app, self.chance)
            self.happened[f"an app {ill}"] += 1
            until = now + self.chance.uniform(*ILL_SECONDS)
            self.illnesses.append((until, app))
            self.well_until[app] = until + self.chance.uniform(15, 15 + 30 * self.minutes)

    def some_recover(self) -> None:
        for until, app in list(self.illnesses):
            if until <= time.monotonic():
                self.illnesses.remove((until, app))
                self.household.recovers(app)

    def clients_come(self) -> None:
        """A flood, one at a time."""
        if self.flood is not None and self.flood.poll() is None:
            return
        self.look_at_flood()
        kind, *numbers = self.chance.choice(FLOODS)
        command = [sys.executable, str(E2E / "flood.py"), str(kind)]
        command += [self.daemon.host, str(self.daemon.port), *map(str, numbers)]
        self.happened[f"a flood: {kind}"] += 1
        self.flood = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def look_at_flood(self) -> None:
        """A flood that the power cut has ended says nothing."""
        if self.flood is None:
            return
        out, _ = self.flood.communicate(timeout=60)
        statuses = json.loads(out or "{}").get("statuses", {})
        if "500" in statuses:
            self.wrong.append(f"a broken request was answered with 500: {statuses}")
        self.flood = None

    def mail_breaks(self) -> None:
        """Or is repaired."""
        self.mailbox.behave()
        if self.chance.random() < 0.5:
            stage, reply = self.chance.choice(MAIL_TROUBLES)
            self.mailbox.answer(stage, reply)
            self.happened[f"the mail server says {reply}"] += 1
        elif self.chance.random() < 0.5:
            self.mailbox.stop()
            self.mailbox.start()
            self.happened["the mail server is started again"] += 1

    def clock_jumps(self) -> None:
        offset = self.chance.choice(JUMPS)
        self.clock.set(offset)
        self.happened[f"the clock is wrong by {offset} s"] += 1

    def guests_come_and_go(self) -> None:
        """An app registers and stops; another registers again."""
        self.guest_comes_and_goes()
        self.register_one(self.chance.randrange(STEADY + FICKLE))

    def power_fails(self) -> None:
        """And comes back."""
        self.happened["the power fails"] += 1
        self.note_gaps()
        self.daemon.kill()
        self.daemon.start()
        self.begin_life()

    # What must hold.

    def register_one(self, app: int) -> None:
        self.register(name(app), app, email=f"{name(app)}@household.example")

    def begin_life(self) -> None:
        self.before = None
        self.heaps = []
        self.settled_at = time.monotonic() + SETTLING_SECONDS
        self.household.forget()

    def settle(self) -> None:
        """Notes what the daemon uses, once it has been up for a while."""
        now = time.monotonic()
        if now < self.settled_at:
            return
        self.settled_at = now + MEMORY_EVERY_SECONDS
        used = usage(self.daemon.pid)
        self.before = self.before or used
        self.heaps.append(used.heap)

    def ask(self) -> None:
        """What an honest client does."""
        self.look_at(
            self.chance.choice(["/health", "/", "/healthchecker/status", "/healthchecker/log"])
        )

    def note_gaps(self) -> None:
        for app in range(STEADY):
            # A new life begins with a check within the interval.
            self.gaps += self.household.gaps(app)

    def end(self) -> None:
        """All goes well again; everything must have been kept, and nothing be left over."""
        for app in range(STEADY, STEADY + FICKLE):
            self.household.recovers(app)
        self.clock.set(0)
        self.mailbox.behave()
        if self.flood is not None:
            self.look_at_flood()
        self.note_gaps()
        self.expect(self.all_are_healthy, "all apps are HEALTHY again")
        self.expect(self.nothing_is_left, f"what it uses is back to what it was: {self.before}")
        heap = usage(self.daemon.pid).heap - (self.before.heap if self.before else 0)
        if heap > HEAP_GROWTH_MAX_KIB:
            self.wrong.append(f"memory has grown by {heap} KiB")
        late = self.heaps[len(self.heaps) // 2 :]
        if len(self.heaps) >= LONG_LIFE and max(late) - late[0] > LATE_GROWTH_MAX_KIB:
            self.wrong.append(f"memory goes on growing: {self.heaps} KiB")
        self.after = usage(self.daemon.pid)
        # What waits for the mail server is tried at once after a start.
        self.daemon.stop()
        self.daemon.start()
        self.expect(self.all_mail_is_out, "all mails are out")
        self.daemon.stop()
        self.look_at_log()
        if max(self.gaps, default=0) > GAP_MAX:
            self.wrong.append(f"a check came late: a gap of {max(self.gaps):.2f} s")
        if max(self.took, default=0) > ANSWER_SECONDS_MAX:
            self.wrong.append(f"an answer took {max(self.took):.2f} s")

    def nothing_is_left(self) -> bool:
        now = usage(self.daemon.pid)
        before = self.before or now
        return now.threads <= before.threads and now.descriptors <= before.descriptors

    def look_at_log(self) -> None:
        """No panic, no false state, no change that nobody was told."""
        alerted = set()
        for app, line in worsenings(self.daemon.lines):
            alerted.add(app)
            if app.startswith("steady"):
                self.wrong.append(f"a false state: {line}")
        self.wrong += panics(self.daemon.lines)
        self.wrong += untold(alerted, were_collected(self.daemon.lines), self.mailbox.mails())
        self.alerted = len(alerted)

    # What came of it.

    def report(self) -> None:
        for what, times in sorted(self.happened.items()):
            print(f"{times:5} times {what}")
        gaps, took = sorted(self.gaps), sorted(self.took)
        late = [abs(gap - INTERVAL) * 1e3 for gap in gaps]
        print(f"checks of well apps   {len(gaps)}; lateness p99 {percentile(late, 99):.1f} ms, ", end="")
        print(f"worst {max(late):.1f} ms")
        print(f"answers to a client   {len(took)}; median {statistics.median(took) * 1e3:.1f} ms, ", end="")
        print(f"p99 {percentile(took, 99) * 1e3:.1f} ms, worst {took[-1] * 1e3:.1f} ms")
        print(f"apps that were told   {self.alerted}; mails {len(self.mailbox.envelopes)}")
        print(f"used after settling   {self.before}")
        print(f"used at the end       {self.after}")
        print(f"heap every {MEMORY_EVERY_SECONDS} s     {' '.join(map(str, self.heaps))} KiB")

    def close(self) -> None:
        """Ends what is left."""
        if self.flood is not None:
            self.flood.kill()
        super().close()


def percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = parser.parse_args()
    print(f"soak: {given.minutes:g} minutes, seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(given.minutes, given.seed, Path(folder))
        if soak.clock.library is None:
            print("no libfaketime here (Debian: faketime): the clock will not jump")
        return soak.live()


if __name__ == "__main__":
    sys.exit(main())
