"""An app is silent: others are looked at, before it is blamed. Each time with a real network that fails."""

from __future__ import annotations

import signal

from conftest import StartDaemon
from lan import Lan
from lan_house import House
from waiting import wait_for

# Two checks, their time-outs, and a look, on a busy machine.
SOON = 30
# What falls silent together is told together.
TOLD = 70
# Public addresses (RFC 5737), which nobody has but in here.
ANCHORS = ["203.0.113.1", "203.0.113.2", "203.0.113.3"]
OUT_THERE = {"shop": "203.0.113.10", "blog": "203.0.113.20"}


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


def test_what_is_out_there_is_not_to_blame_for_the_line_nor_for_the_router(
    lan: Lan, start_daemon: StartDaemon
) -> None:
    house = House(lan)
    nas, router = lan.add("nas"), lan.add("router")
    internet = lan.add_internet(router)
    for address in [*ANCHORS, *OUT_THERE.values()]:
        internet.add_address(address)
    for anchor in ANCHORS:
        program = internet.start_client("serve", anchor, "443")
        assert program.stdout and program.stdout.readline() == "443\n"
    house.start(start_daemon, anchors=",".join(f"{anchor}:443" for anchor in ANCHORS))
    house.add_app("disk", nas)
    for name, address in OUT_THERE.items():
        house.add_app(name, internet, address)
    house.wait_until_well()

    # One of them hangs, and the internet is there.
    house.apps["shop"].send_signal(signal.SIGSTOP)
    house.wait_for_states(SOON, "HEALTHY", shop="UNHEALTHY")
    wait_for(house.subjects, TOLD, "the alarm")
    house.apps["shop"].send_signal(signal.SIGCONT)
    house.wait_for_states(SOON, "HEALTHY")
    wait_for(lambda: len(house.subjects()) == 2, TOLD, "the end of the alarm")

    # The line is gone, and the router is there.
    internet.cable("down")
    house.wait_for_states(SOON, "UNKNOWN", disk="HEALTHY")
    house.daemon.wait_for_log("the internet is away", 5)
    house.daemon.kill()
    house.daemon.start()
    house.wait_for_states(SOON, "UNKNOWN", disk="HEALTHY")
    internet.cable("up")
    house.wait_for_states(2 * SOON, "HEALTHY")

    # The router itself is gone.
    lan.cable(router, "down")
    house.wait_for_states(SOON, "UNKNOWN", disk="HEALTHY")
    house.daemon.wait_for_log("the router does not answer", SOON)
    since = house.shown("not_visible_since")
    assert since.pop("disk") is None and all(since.values())
    lan.cable(router, "up")
    house.wait_for_states(2 * SOON, "HEALTHY")
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
