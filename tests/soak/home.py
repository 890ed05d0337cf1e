"""A daemon, the apps that it watches and the mail server that it tells: what every soak begins
with, and what must hold at its end."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import requests

from apps import Household
from daemon import Daemon
from faketime import JumpingClock
from smtp_server import Authority, SmtpServer
from waiting import wait_for

# Of every app, in seconds: the shortest there is.
INTERVAL = 5
# The number of an app that none of the others has: a daemon watches 10,000 at most.
GUEST = 10_000
# For all threads, as musl has. Otherwise glibc gives threads heaps of their own, each of which grows to the largest page
# that was made in it: on a busy machine that goes on for most of a day.
ONE_HEAP = {"MALLOC_ARENA_MAX": "1"}
# Until an ill app is well again, and what a mail server that was away has to be told.
THE_END_SECONDS = 90


class Home(ABC):
    """One household, and what went wrong in it."""

    def __init__(self, folder: Path, clock: JumpingClock | None = None) -> None:
        self.household = Household()
        self.mailbox = SmtpServer(Authority(folder), security="none", login=False)
        self.daemon = Daemon(
            folder / "daemon",
            clock,
            variables=ONE_HEAP,
            email="owner@household.example",
            **self.mailbox.options(),
        )
        self.registered: set[str] = set()
        self.wrong: list[str] = []
        # Answers to `look_at`, in seconds.
        self.took: list[float] = []

    @abstractmethod
    def run(self) -> None:
        """What happens, from the start to the end."""

    @abstractmethod
    def report(self) -> None:
        """Prints what came of it."""

    def live(self) -> int:
        """Runs it, and says what came of it and what went wrong; the exit code."""
        try:
            self.run()
        except BaseException:
            print(self.daemon.log()[-4000:])
            raise
        finally:
            self.close()
        self.report()
        for wrong in self.wrong:
            print(f"WRONG: {wrong}")
        if self.wrong:
            print("\n".join(self.daemon.lines[-80:]))
        return 1 if self.wrong else 0

    def register(self, name: str, app: int, email: str | None = None) -> None:
        """Apps that fall ill need an address each: nobody gets more than twenty mails an hour. And each a
        host of its own: what comes and goes on one is one event, whose end is told hours later."""
        host = f"127.1.{app // 250}.{app % 250 + 1}" if email else "127.0.0.1"
        self.household.listen(host)
        url = self.household.url(app, host)
        self.daemon.register(name, url, interval=INTERVAL, timeout=2, healthy=2, email=email)
        self.registered.add(name)

    def guest_comes_and_goes(self) -> None:
        """An app registers and stops."""
        guest = self.daemon.post(
            "/healthchecker/monitor",
            data={"appname": "guest", "url": self.household.url(GUEST), "email": "guest@x.example"},
        )
        stopped = self.daemon.post("/healthchecker/stop", data={"appname": "guest"})
        if (guest.status_code, stopped.status_code) != (200, 200):
            self.wrong.append(f"a guest was refused: {guest.text} {stopped.text}")

    def look_at(self, path: str) -> None:
        """What an honest client does."""
        begun = time.monotonic()
        try:
            status = self.daemon.get(path).status_code
            self.took.append(time.monotonic() - begun)
            if status != 200:
                self.wrong.append(f"{path}: {status}")
        except requests.RequestException as error:
            self.wrong.append(f"{path}: {error}")

    def expect(self, condition: Callable[[], bool], what: str) -> None:
        """It holds within a while, or is among what went wrong."""
        try:
            wait_for(condition, THE_END_SECONDS, what)
        except AssertionError as error:
            self.wrong.append(str(error))

    def all_are_healthy(self) -> bool:
        """Those that are registered, and no others."""
        apps = self.daemon.get("/healthchecker/status").json()["apps"]
        known = {app["appname"]: app["state"] for app in apps}
        return known == dict.fromkeys(self.registered, "HEALTHY")

    def all_mail_is_out(self) -> bool:
        """Nothing waits for the mail server."""
        checks = self.daemon.get("/health").json()["checks"]
        waiting = next(found for key, found in checks.items() if key.startswith("outbox"))
        return waiting[0]["observedValue"] == 0

    def close(self) -> None:
        """Ends what is left."""
        self.daemon.kill()
        self.mailbox.stop()
        self.household.close()
