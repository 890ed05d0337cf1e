"""An app is silent: others are looked at, before it is blamed. Each time with a real network that fails."""

from __future__ import annotations

from conftest import StartDaemon
from lan import Lan
from lan_house import House
from waiting import wait_for

# Two checks, their time-outs, and a look, on a busy machine.
SOON = 30
# What falls silent together is told together.
TOLD = 70


def test_with_ipv6_alone_apps_that_are_off_are_told_from_a_network_where_nobody_answers(
    lan: Lan, start_daemon: StartDaemon
) -> None:
    house = House(lan)
    nas, router = lan.add("nas"), lan.add("router")
    lan.forget_ipv4(router)
    house.start(start_daemon)
    for app in ("disk", "music"):
        house.add_app(app, nas, nas.ipv6)
    house.wait_until_well()

    # All apps are gone, and the router is well: they are to blame.
    lan.cable(nas, "down")
    house.wait_for_states(SOON, "UNHEALTHY")
    wait_for(house.subjects, TOLD, "the alarm")
    lan.cable(nas, "up")
    house.wait_for_states(SOON, "HEALTHY")
    wait_for(lambda: len(house.subjects()) == 2, TOLD, "the end of the alarm")

    # Our link is up, and nobody answers.
    lan.part(house.server)
    house.wait_for_states(SOON, "UNKNOWN")
    house.daemon.wait_for_log("nothing (on the network )?answers", 5)
    assert all(house.shown("not_visible_since").values())
    # Killed, it knows no more than before.
    house.daemon.kill()
    house.daemon.start()
    house.wait_for_states(SOON, "UNKNOWN")
    lan.join(house.server)
    house.wait_for_states(SOON, "HEALTHY")
    assert len(house.subjects()) == 2, house.subjects()


def test_who_reads_the_page_shows_that_our_network_lives(
    lan: Lan, start_daemon: StartDaemon
) -> None:
    house = House(lan)
    nas, tv, laptop = lan.add("nas"), lan.add("tv"), lan.add("laptop")
    house.start(start_daemon)
    house.add_app("disk", nas)
    house.add_app("video", tv)
    house.wait_until_well()
    lan.cable(nas, "down")
    lan.cable(tv, "down")
    page = f"http://{house.server.ipv4}:{house.daemon.port}/healthchecker/status"

    def are_to_blame() -> bool:
        laptop.fetch("GET", page)
        return set(house.shown("state").values()) == {"UNHEALTHY"}

    wait_for(are_to_blame, 2 * SOON, "the blame")
    wait_for(house.subjects, TOLD, "the alarm")
