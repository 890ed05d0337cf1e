"""What an earlier version left on disk is taken over: `recorded/COMMIT` is a state folder as it was after a
kill, with apps in every state, open alerts, mails that wait, an hour's history."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from conftest import StartDaemon
from mails import Mailbox
from waiting import wait_for

RECORDED = Path(__file__).parent / "recorded"
COMMITS = sorted(folder.name for folder in RECORDED.iterdir())

# As the version that wrote it showed them: state, whether it is paused, who is told.
OWNER, ANNA = "owner@home.example", "anna@home.example"
APPS = {
    "Away": ("HEALTHY", False, [OWNER]),
    "Backup": ("UNHEALTHY", True, [OWNER]),
    "Flaky": ("UNHEALTHY", False, [OWNER]),
    "Kodi": ("HEALTHY", False, [OWNER]),
    "Küche 'Licht'": ("UNHEALTHY", False, [OWNER]),
    "NAS": ("UNHEALTHY", False, [ANNA, OWNER]),
    "New": ("HEALTHY", False, [OWNER]),
    "Printer": ("UNHEALTHY", False, [OWNER]),
}
# The counters may be an hour old after a kill.
CHECKS = {"Kodi": 700, "NAS": 700, "Printer": 700}


def state_of(commit: str, folder: Path) -> Path:
    """A copy of what was recorded."""
    return Path(shutil.copytree(RECORDED / commit, folder / "state"))


@pytest.mark.parametrize("commit", COMMITS)
def test_every_app_state_and_mail_is_taken_over(
    commit: str, start_daemon: StartDaemon, mailbox: Mailbox, tmp_path: Path
) -> None:
    state = state_of(commit, tmp_path)
    daemon = start_daemon(state_dir=state, email=OWNER, **mailbox.options())
    status = daemon.get("/healthchecker/status", params={"format": "json"}).json()
    apps = {app["appname"]: app for app in status["apps"]}
    assert {
        name: (app["state"], app["paused"], app["email"]) for name, app in apps.items()
    } == APPS
    for name, checks in CHECKS.items():
        assert checks <= apps[name]["checks"] <= checks + 100
        assert apps[name]["since"].startswith("2026-11-26T23:"), apps[name]
    assert apps["NAS"]["failures"] >= 690 and apps["Printer"]["last_healthy"] is None

    def told(person: str) -> str:
        mails = [mail for mail in mailbox.mails() if person in str(mail["To"])]
        bodies = [mail.get_body(("plain",)) for mail in mails]
        return "\n".join(body.get_content() for body in bodies if body is not None)

    # The mails that waited, with all that they had gathered.
    for person, words in ((ANNA, ["NAS"]), (OWNER, ["NAS", "Backup", "Flaky", "Licht", "New"])):
        wait_for(
            lambda person=person, words=words: all(word in told(person) for word in words),  # type: ignore[misc]
            30,
            f"the mail to {person}",
        )
    assert "damaged" not in daemon.log() and "does not know" not in daemon.log()
    assert not list(state.glob("journal.damaged*"))

    # And once more, by what this version has written.
    daemon.kill()
    daemon.start()
    for name, (was, paused, _) in APPS.items():
        # Nobody answers there any more, so what was well is on its way down.
        if was == "UNHEALTHY":
            info = daemon.info(name)
            assert (info["state"], info["paused"]) == (was, paused), info


@pytest.mark.parametrize("commit", COMMITS)
def test_a_cut_of_it_is_taken_over_too(
    commit: str, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    state = state_of(commit, tmp_path)
    journal = state / "journal"
    whole = journal.read_bytes()
    # In the middle of the last line: nobody had been told of it.
    journal.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 100])
    daemon = start_daemon(state_dir=state)
    assert "torn" in daemon.log()
    status = daemon.get("/healthchecker/status", params={"format": "json"}).json()
    assert {app["appname"]: app["state"] for app in status["apps"]} == {
        name: state for name, (state, _, _) in APPS.items()
    }
