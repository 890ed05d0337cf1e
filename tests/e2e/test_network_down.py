"""The daemon's own cable is pulled: no app is blamed, and who did not come back meanwhile is told once."""

from __future__ import annotations

from datetime import datetime, timedelta

from conftest import StartDaemon
from lan import Lan
from lan_house import House
from waiting import wait_for

# The shortest that things settle after an absence.
SETTLE = 60
# Who was away for 10 s has nothing to settle.
ABSENCE = timedelta(seconds=12)


def was_away(house: House) -> bool:
    """Whether the network has been down for long enough to have something to settle."""
    status = house.status()
    now, since = status["server"]["time"], status["apps"][0]["since"]
    return datetime.fromisoformat(now) - datetime.fromisoformat(since) > ABSENCE


def test_our_own_network_is_not_blamed_on_the_apps(lan: Lan, start_daemon: StartDaemon) -> None:
    house = House(lan)
    client = lan.add("client")
    house.start(start_daemon)
    for app in range(3):
        house.add_app(f"app{app}", client)
    # It needs no cable, and shows nothing of one.
    house.add_app("ours", house.server)
    house.wait_until_well()
    lan.cable(house.server, "down")
    house.daemon.wait_for_log("our network is down", 20)
    house.wait_for_states(20, "UNKNOWN", ours="HEALTHY")
    since = house.shown("not_visible_since")
    assert since.pop("ours") is None and all(since.values())
    assert set(house.shown("failures").values()) == {0}
    # One goes meanwhile.
    house.apps["app2"].kill()
    wait_for(lambda: was_away(house), 30, "an absence after which things settle")
    assert "our network is back" not in house.daemon.log()
    lan.cable(house.server, "up")
    house.daemon.wait_for_log("our network is back", 30)
    house.wait_for_states(30, "HEALTHY", app2="UNKNOWN")
    assert house.subjects() == []
    wait_for(house.subjects, SETTLE + 20, "the report")
    assert house.subjects() == ["After our network came back: 3 of 4 are well, not app2"]
    house.wait_for_states(10, "HEALTHY", app2="UNHEALTHY")
