"""Mutes and quiet times outlive a kill, and an upgrade: `recorded_quiet/COMMIT` is the state folder that a version left
when it was killed after what `hush` does for a minute."""

from __future__ import annotations

import shutil
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conftest import StartDaemon
from daemon import Daemon
from smtp_server import SmtpServer
from target import Target
from waiting import wait_for

RECORDED = Path(__file__).parent / "recorded_quiet"
COMMITS = sorted(folder.name for folder in RECORDED.iterdir())
OWNER, ANNA = "owner@home.example", "anna@home.example"
ALWAYS = "00:00-24:00"
QUICK = {"interval": "5", "unhealthy": "2", "healthy": "2"}
# As long as every app needs to become UNHEALTHY, and a mail to come.
SECONDS = 60
# After a start each is asked first, and looked at again 45 s later.
AFTER_START_SECONDS = 120


def subjects(mailbox: SmtpServer) -> list[str]:
    return [str(mail["Subject"]) for mail in mailbox.mails()]


def hush(daemon: Daemon, target: Target, mailbox: SmtpServer, span: str) -> None:
    """Kodi is known to be unwell and muted: by its owner until it is over, by Anna for a span. Of NAS and Printer nobody
    is told: for a span, and ever."""
    target.fails("out of order")
    people = f"{ANNA},{OWNER}"
    for name, more in (("Kodi", {}), ("NAS", {}), ("Printer", {"quiet": ALWAYS})):
        fields = {"appname": name, "url": target.url, "email": people, **QUICK, **more}
        assert daemon.post("/healthchecker/monitor", data=fields).status_code == 200
    quiet = daemon.post("/healthchecker/pause", data={"appname": "NAS", "for": span})
    assert quiet.status_code == 200, quiet.text
    for name in ("Kodi", "NAS", "Printer"):
        daemon.wait_for_state(name, "UNHEALTHY", SECONDS)
    wait_for(lambda: len(mailbox.mails()) == 2, SECONDS, "the mails about Kodi")
    for person, lasts in ((OWNER, "recovery"), (ANNA, span)):
        fields = {"appname": "Kodi", "to": person, "for": lasts}
        muted = daemon.post("/healthchecker/mute", data=fields)
        assert muted.status_code == 200, muted.text


def as_it_is(daemon: Daemon) -> dict[str, Any]:
    """Who is muted, and what is quiet, each until when."""
    incidents = daemon.get("/healthchecker/incidents?format=json").json()["incidents"]
    of_kodi = [it for it in incidents if [app["appname"] for app in it["apps"]] == ["Kodi"]]
    shown: dict[str, Any] = {told["email"]: told["muted_until"] for told in of_kodi[0]["told"]}
    for name in ("Kodi", "NAS", "Printer"):
        info = daemon.info(name)
        shown[name] = (info["state"], info["paused"], info["quiet_until"])
    return shown


def seconds_apart(one: str, other: str) -> float:
    return abs((datetime.fromisoformat(one) - datetime.fromisoformat(other)).total_seconds())


def test_a_kill_ends_no_mute_and_no_quiet_time(
    start_daemon: StartDaemon, target: Target, mailbox: SmtpServer
) -> None:
    daemon = start_daemon(**mailbox.options())
    hush(daemon, target, mailbox, "1d")
    before = as_it_is(daemon)
    assert before[OWNER] == "recovery" and before[ANNA].endswith("Z")
    assert before["NAS"][2] and before["Printer"][2] and before["Kodi"][2] is None
    # The second start reads what the first has written anew.
    for _ in range(2):
        daemon.kill()
        daemon.start()
        after = as_it_is(daemon)
        assert seconds_apart(before[ANNA], after[ANNA]) < 5, after
        assert seconds_apart(before["NAS"][2], after["NAS"][2]) < 5, after
        for same in (OWNER, "Kodi", "Printer"):
            assert after[same] == before[same], after
    checks = daemon.info("NAS")["checks"]
    wait_for(lambda: daemon.info("NAS")["checks"] >= checks + 3, SECONDS, "three checks")
    assert subjects(mailbox) == ["[HealthChecker] Kodi is UNHEALTHY"] * 2
    # That it is over is told, for a mute; of what is quiet nothing.
    target.passes()
    wait_for(lambda: len(mailbox.mails()) == 4, SECONDS, "the ends")
    daemon.wait_for_state("NAS", "HEALTHY", SECONDS)
    assert all("Kodi is HEALTHY again" in subject for subject in subjects(mailbox)[2:])


@pytest.mark.parametrize("commit", COMMITS)
def test_an_upgrade_ends_no_mute_and_no_quiet_time(
    commit: str, start_daemon: StartDaemon, mailbox: SmtpServer, tmp_path: Path
) -> None:
    state = Path(shutil.copytree(RECORDED / commit, tmp_path / "state"))
    daemon = start_daemon(state_dir=state, **mailbox.options())
    shown = as_it_is(daemon)
    assert shown[OWNER] == "recovery", shown
    assert shown["Printer"][:2] == ("UNHEALTHY", False) and shown["Printer"][2], shown
    # That minute is over, whatever day it is: who was told nothing for so long is told.
    for name in ("NAS", "Kodi"):
        is_told = partial(lambda name: any(name in subject for subject in subjects(mailbox)), name)
        wait_for(is_told, AFTER_START_SECONDS, name)
    checks = daemon.info("Printer")["checks"]
    wait_for(lambda: daemon.info("Printer")["checks"] >= checks + 3, SECONDS, "three checks")
    for mail in mailbox.mails():
        body = mail.get_body(("plain",))
        assert body is not None and "Printer" not in body.get_content(), mail
        assert ANNA in str(mail["To"]) or "Kodi" not in str(mail["Subject"]), mail
    assert "damaged" not in daemon.log() and not list(state.glob("journal.damaged*"))
