"""The program of a Raspberry Pi Zero, on an emulated one: what the processor alone (test_arm.py) does
not show, since the network, the card, the clock and the limits of the service belong to the machine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from arm import BINARY, need
from flood import ON_LAN
from lan import HERE, Lan, Machine, client_command
from lan_mail import OWNER, MailServer
from pi_zero import ADDRESS, PiZero, missing

StartPi = Callable[..., PiZero]

APPS = 100
INTERVAL = 5
MEASURED_SECONDS = 20
# Of the daemon's threads, for one check, all in; threads that spin have a thousand.
RUNS_PER_CHECK_MAX = 50
# More than there are threads for checks.
HUNG_APPS = 40
# The budget of a household is 3 MiB. On the emulated machine a check takes tens of milliseconds, so that some ten threads
# more are there at once than on one that is not, each with a stack.
RESIDENT_MAX_KIB = 3584
ANONYMOUS_MAX_KIB = 800

# More clients than it admits, for so long.
SLOW, SILENT, CROWD_SECONDS = 250, 100, 15
MULTICAST = {"questions": 1500, "answers": 3000, "noise": 3000}

# An emulated machine takes its time, the more so on a busy one.
CHECK_SECONDS = 300
MAIL_SECONDS = 300
pytestmark = [pytest.mark.timeout(1500), pytest.mark.alone]
# Long enough after a boot for two checks and a mail that waits.
TIME_AFTER_SECONDS = 60


@pytest.fixture
def start_pi(tmp_path: Path, lan: Lan) -> Iterator[StartPi]:
    """Boots a Pi Zero on the network; it is switched off at the end."""
    need(missing())
    with ExitStack() as started:

        def start(**options: object) -> PiZero:
            pi = PiZero(tmp_path / "pi", lan, BINARY, **options)
            started.callback(pi.close)
            pi.start()
            return pi

        yield start


class Household:
    """What asks the Pi Zero over the network, and what it watches there."""

    def __init__(self, lan: Lan) -> None:
        self.machine: Machine = lan.add("household")

    def serve(self, port: int = 0) -> int:
        """An app that is well; its port."""
        app = self.machine.start_client("serve", self.machine.ipv4, str(port))
        assert app.stdout
        return int(app.stdout.readline())

    def hang(self) -> int:
        """One that never answers; its port."""
        app = self.machine.start_client("hang", self.machine.ipv4)
        assert app.stdout
        return int(app.stdout.readline())

    def free_port(self) -> int:
        """A port on which nobody listens any more."""
        port = self.serve()
        self.machine.started[-1].kill()
        self.machine.started[-1].wait()
        return port

    def url(self, port: int) -> str:
        return f"http://{self.machine.ipv4}:{port}"

    def register(self, pi: PiZero, url: str, *names: str) -> None:
        """Registers apps that are all at one address."""
        about = f"url={url}&interval={INTERVAL}&healthy=2"
        calls = [f"{pi.base}/healthchecker/monitor?appname={name}&{about}" for name in names]
        answers = self.machine.run(*client_command("post", *calls)).splitlines()
        assert [json.loads(answer)["status"] for answer in answers] == [200] * len(names), answers

    def app(self, pi: PiZero, name: str) -> dict[str, Any]:
        answer = self.machine.client("get", f"{pi.base}/healthchecker/info?appname={name}")
        app: dict[str, Any] = json.loads(answer["body"])
        return app

    def apps(self, pi: PiZero) -> list[dict[str, Any]]:
        answer = self.machine.client("get", f"{pi.base}/healthchecker/status?format=json")
        apps: list[dict[str, Any]] = json.loads(answer["body"])["apps"]
        return apps


@pytest.fixture
def household(lan: Lan) -> Household:
    return Household(lan)


def wait_for_state(pi: PiZero, name: str, state: str) -> None:
    """Waits for an app to become so. (To ask for it again and again takes time from the emulator.)"""
    pi.wait_for_log(rf"\b{name}: [A-Z]+ -> {state} ", CHECK_SECONDS)


def flood(pi: PiZero, attacker: Machine) -> None:
    """More clients than it admits, and multicast, at once."""
    for address in ON_LAN:
        attacker.run("ip", "address", "add", f"{address}/24", "dev", "eth0")
    numbers = [str(number) for number in (pi.port, SLOW, SILENT, CROWD_SECONDS)]
    crowd = attacker.start(sys.executable, str(HERE / "flood.py"), "crowd", ADDRESS, *numbers)
    for what, packets in MULTICAST.items():
        attacker.run(sys.executable, str(HERE / "mdns_client.py"), "flood", what, str(packets))
    told = json.loads(crowd.communicate(timeout=CROWD_SECONDS + 60)[0])
    assert told["opened"] > SLOW + SILENT, told


def test_it_is_found_finds_an_app_and_bears_floods_within_the_limits_of_its_service(
    start_pi: StartPi, household: Household, lan: Lan
) -> None:
    port = household.serve()
    machine = household.machine
    announcer = machine.start_client("announce-host", "kodi.local", machine.ipv4)
    assert announcer.stdout and json.loads(announcer.stdout.readline()) == "announced"
    pi = start_pi()
    found = machine.client("resolve", "_healthchecker._http._tcp.local.", "30")
    assert found["port"] == pi.port and ADDRESS in found["addresses"]
    household.register(pi, f"http://kodi.local:{port}", "Kodi")
    wait_for_state(pi, "Kodi", "HEALTHY")

    flood(pi, lan.add("attacker"))
    # What the kernel holds for the service counts there, too.
    uses = pi.uses()
    assert (uses.out_of_memory, uses.out_of_tasks) == (0, 0), uses
    assert household.app(pi, "Kodi")["state"] == "HEALTHY"
    print(f"after floods: {uses}")


def test_nothing_is_lost_when_the_plug_is_pulled(start_pi: StartPi, household: Household) -> None:
    mail = MailServer(household.machine, household.machine.ipv4)
    pi = start_pi(email=OWNER, announce=False, **mail.options())
    nas = household.free_port()
    household.register(pi, household.url(nas), "NAS")
    wait_for_state(pi, "NAS", "UNHEALTHY")
    before = household.app(pi, "NAS")
    mail.wait_for(lambda one: "NAS is UNHEALTHY" in one["subject"], MAIL_SECONDS, "the alert")
    names = [f"app{number}" for number in range(10)]
    household.register(pi, household.url(household.serve()), *names)
    pi.kill()

    pi.learns_time_after(TIME_AFTER_SECONDS)
    pi.start()
    after = {app["appname"]: app for app in household.apps(pi)}
    assert sorted(after) == ["NAS", *names]
    assert (after["NAS"]["state"], after["NAS"]["since"]) == ("UNHEALTHY", before["since"])
    household.serve(nas)
    wait_for_state(pi, "NAS", "HEALTHY")
    # Nobody would believe a mail of 1970.
    pi.wait_for_log("mails wait until it is set", MAIL_SECONDS)
    mail.wait_for(lambda one: "NAS is HEALTHY again" in one["subject"], MAIL_SECONDS, "the news")
    subjects = [one["subject"] for one in mail.mails]
    assert subjects.count("[HealthChecker] NAS is UNHEALTHY") == 1, subjects


def runs_per_second(pi: PiZero) -> float:
    """How often its threads ran for a while, as the machine sees time."""
    first = pi.uses()
    last = pi.uses(lambda uses: uses.uptime >= first.uptime + MEASURED_SECONDS)
    return (last.runs - first.runs) / (last.uptime - first.uptime)


def test_with_nothing_to_do_it_sleeps(start_pi: StartPi) -> None:
    assert runs_per_second(start_pi(announce=False)) < 1


def test_a_household_fits_into_it(start_pi: StartPi, household: Household) -> None:
    pi = start_pi(announce=False)
    household.register(pi, household.url(household.serve()), *(f"well{n}" for n in range(APPS)))
    # A kernel of 32 bits that is told a time in 64 ends each wait early, to be begun again at once.
    assert runs_per_second(pi) / (APPS / INTERVAL) < RUNS_PER_CHECK_MAX
    # A busy machine has more threads for a moment.
    well = pi.uses(
        lambda now: now.resident <= RESIDENT_MAX_KIB and now.anonymous <= ANONYMOUS_MAX_KIB
    )
    assert (well.out_of_memory, well.out_of_tasks) == (0, 0)
    print(f"{APPS} apps that are well: {well}")

    hung = [f"hung{n}" for n in range(HUNG_APPS)]
    household.register(pi, household.url(household.hang()), *hung)
    for name in hung:
        wait_for_state(pi, name, "UNHEALTHY")
    states = {app["appname"]: app["state"] for app in household.apps(pi)}
    assert all(states[f"well{number}"] == "HEALTHY" for number in range(APPS)), states
    uses = pi.uses()
    assert (uses.out_of_memory, uses.out_of_tasks) == (0, 0)
    print(f"{HUNG_APPS} besides that hang: {uses}")
