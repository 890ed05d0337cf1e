"""The process is killed again and again while apps register, change, pause and stop over HTTP.

What was acknowledged is there after each start, and what was removed is not. An operation that was
under way at the kill has happened or not. The seed is printed; CRASH_SEED repeats it, as far as
chance is in our hand, and CRASH_KILLS sets how often.
"""

from __future__ import annotations

import http.client
import os
import random
import subprocess
import threading
import time
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from conftest import StartDaemon
from daemon import BINARY, Daemon

KILLS = int(os.environ.get("CRASH_KILLS", "200"))
SEED = int(os.environ.get("CRASH_SEED", str(random.SystemRandom().getrandbits(32))))

CLIENTS = 4
APPS_OF_A_CLIENT = 12

# A life lasts so long after it serves: a dozen operations of each client.
LIFE_SECONDS = 0.12
# A start takes some milliseconds; every fourth is killed within so many.
START_SECONDS = 0.02
REQUEST_SECONDS = 10


@dataclass(frozen=True)
class App:
    """What the daemon has to know of an app."""

    interval: int
    timeout: int
    email: str
    paused: bool = False


@dataclass
class Household:
    """The apps of one client: what may be true of each. More than one thing, after a kill."""

    names: list[str]
    chance: random.Random
    known: dict[str, set[App | None]] = field(default_factory=dict)
    acknowledged: int = 0
    interrupted: int = 0

    def __post_init__(self) -> None:
        self.known = {name: {None} for name in self.names}

    def live(self, port: int) -> None:
        """One operation after the other, until the daemon is gone."""
        while self.one_operation(port):
            pass

    def one_operation(self, port: int) -> bool:
        name = self.chance.choice(self.names)
        (before,) = self.known[name]
        call = self.chance.choices(["monitor", "pause", "resume", "stop"], [10, 4, 3, 4])[0]
        fields: dict[str, object] = {"appname": name}
        match call:
            case "monitor":
                app = App(
                    interval=self.chance.randint(5, 300),
                    timeout=self.chance.randint(2, 60),
                    email=f"person{self.chance.randint(1, 9)}@household.example",
                    paused=before.paused if before else False,
                )
                after: App | None = app
                fields |= {"url": "http://127.0.0.1:9", "interval": app.interval}
                fields |= {"timeout": app.timeout, "email": app.email}
            case "stop":
                after = None
            case _:
                after = replace(before, paused=call == "pause") if before else None
        self.known[name] = {before, after}
        status = post(port, call, fields)
        if status is None:
            self.interrupted += 1
            return False
        assert status == (200 if before or call == "monitor" else 404), (call, before, status)
        self.known[name] = {after}
        self.acknowledged += 1
        return True

    def compare(self, found: dict[str, App]) -> None:
        """Holds what a start found to what may be true; from now on that is what is."""
        for name in self.names:
            app = found.get(name)
            assert app in self.known[name], f"{name} is {app}, not one of {self.known[name]}"
            self.known[name] = {app}


def post(port: int, call: str, fields: dict[str, object]) -> int | None:
    """The status of the answer; None when there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    try:
        connection.request("POST", f"/healthchecker/{call}", urlencode(fields), form)
        return connection.getresponse().status
    except (ConnectionError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def found_by(daemon: Daemon) -> dict[str, App]:
    answer = daemon.get("/healthchecker/status", params={"format": "json"})
    return {
        app["appname"]: App(app["interval"], app["timeout"], ",".join(app["email"]), app["paused"])
        for app in answer.json()["apps"]
    }


def kill_during_start(daemon: Daemon, seconds: float) -> None:
    """A start that gets no further than it does within `seconds`."""
    process = subprocess.Popen(
        [str(BINARY)],
        cwd=daemon.folder,
        env=daemon.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    process.kill()
    process.wait()


def live_and_be_killed(daemon: Daemon, households: list[Household], seconds: float) -> None:
    failures: list[BaseException] = []

    def live(household: Household) -> None:
        try:
            household.live(daemon.port)
        except BaseException as failure:
            failures.append(failure)

    clients = [threading.Thread(target=live, args=(each,)) for each in households]
    for client in clients:
        client.start()
    time.sleep(seconds)
    daemon.kill()
    for client in clients:
        client.join()
    if failures:
        raise failures[0]


def test_nothing_acknowledged_is_lost_and_nothing_removed_comes_back(
    start_daemon: StartDaemon,
) -> None:
    print(f"CRASH_SEED={SEED} CRASH_KILLS={KILLS}")
    chance = random.Random(SEED)
    households = [
        Household(
            [f"app{client}-{number}" for number in range(APPS_OF_A_CLIENT)],
            random.Random(chance.getrandbits(32)),
        )
        for client in range(CLIENTS)
    ]
    daemon = start_daemon()
    kills = 0
    while kills < KILLS:
        live_and_be_killed(daemon, households, chance.uniform(0, LIFE_SECONDS))
        kills += 1
        while chance.random() < 0.25:
            kill_during_start(daemon, chance.uniform(0, START_SECONDS))
            kills += 1
        daemon.start()
        found = found_by(daemon)
        for household in households:
            household.compare(found)
        assert set(found) <= {name for each in households for name in each.names}
    damage = [line for line in daemon.lines if "damaged" in line or "does not know" in line]
    assert not damage, damage
    assert not list(daemon.folder.glob("state/journal.damaged-*"))
    acknowledged = sum(household.acknowledged for household in households)
    interrupted = sum(household.interrupted for household in households)
    print(f"{kills} kills, {acknowledged} operations acknowledged, {interrupted} cut off")
    assert acknowledged > kills and interrupted > 0
