"""Apps that are not asked and report by themselves, with what they are: curl, a cron job, a kill in between."""

from __future__ import annotations

import os
import signal
import time

import pytest

from conftest import StartDaemon
from daemon import BINARY, Daemon
from programs import run
from waiting import wait_for

STATE_SECONDS = 20
DAY = 24 * 3600
BEAT = "/healthchecker/beat"


def curl(daemon: Daemon, path: str, *options: str) -> str:
    done = run("curl", "-fsS", *options, daemon.base + path)
    assert done.code == 0, done.err
    return done.out


def register(daemon: Daemon, name: str, **fields: object) -> dict[str, str]:
    data = {"appname": name, "kind": "beat", **fields}
    answer = daemon.post("/healthchecker/monitor", data=data)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_beats_by_curl_in_time_late_and_back(daemon: Daemon) -> None:
    curl(daemon, "/healthchecker/monitor", "-d", "appname=Küche 1", "-d", "kind=beat", "-d", "interval=5",
         "-d", "grace=0")
    said = curl(daemon, f"{BEAT}?appname=K%C3%BCche+1")
    assert said == '{"appname":"Küche 1","result":"heard"}\n'
    info = daemon.wait_for_state("Küche 1", "HEALTHY", 1)
    assert (info["url"], info["path"], info["timeout"], info["grace"]) == (None, None, None, 0)
    assert info["last_check"]["reason"] == "beat" and info["last_check"]["http_status"] is None
    page = daemon.get("/healthchecker/info?appname=Küche 1&format=html").text
    assert "next beat within" in page and "it reports" in page and "Check now" not in page
    info = daemon.wait_for_state("Küche 1", "UNHEALTHY", STATE_SECONDS)
    assert info["last_check"]["reason"] == "no beat within 5 s"
    assert 'healthchecker_app_state{app="Küche 1",state="UNHEALTHY"} 1' in daemon.get("/metrics").text
    curl(daemon, BEAT, "-d", "appname=Küche 1")
    daemon.wait_for_state("Küche 1", "HEALTHY", 1)
    assert "Beats" in daemon.get("/healthchecker/status?format=html").text


def test_what_a_beat_says(daemon: Daemon) -> None:
    register(daemon, "Backup", interval=DAY)
    curl(daemon, f"{BEAT}/start?appname=Backup")
    time.sleep(0.2)
    warns = '{"status": "warn", "output": "2 files were locked"}'
    curl(daemon, f"{BEAT}?appname=Backup", "--json", warns)
    last = daemon.info("Backup")["last_check"]
    assert (last["outcome"], last["reason"]) == ("warn", "the app says warn: 2 files were locked")
    assert last["latency_ms"] >= 200 and "locked" in last["body"]
    curl(daemon, f"{BEAT}/fail?appname=Backup")
    info = daemon.info("Backup")
    assert (info["state"], info["last_check"]["reason"]) == ("UNHEALTHY", "the app says fail")

    def command(*words: str) -> str:
        done = run(BINARY, *words, "--server", daemon.base)
        return done.out + done.err

    assert command("beat", "Backup") == "Backup: heard\n"
    assert daemon.info("Backup")["state"] == "HEALTHY"
    assert command("beat", "Backup", "start") == "Backup: heard\n"
    assert "neither, not" in command("beat", "Backup", "end")
    assert "interval 86400 -> 3600" in command("edit", "Backup", "--interval", "3600")
    assert "Sensor: registered" in command("monitor", "Sensor", "--kind", "beat", "--interval", "600")
    assert "URL is missing" in command("monitor", "Sensor")
    daemon.post("/healthchecker/pause", data={"appname": "Backup"})
    assert command("beat", "Backup", "fail") == "Backup: paused\n"
    kept = command("export")
    assert daemon.info("Backup")["grace"] == 360, "a tenth of what it is now"
    assert '"grace":null' in kept and '"kind":"beat"' in kept
    file = daemon.folder / "backup.json"
    file.write_text(kept)
    command("stop", "Sensor")
    assert "Sensor: registered" in command("import", str(file))


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        (f"{BEAT}?appname=nobody", 404, "no app is registered by the name"),
        (f"{BEAT}?appname=NAS", 409, "register it with kind=beat"),
        (BEAT, 400, "appname is missing"),
        (f"{BEAT}?appname=Backup&interval=5", 400, "unknown parameter"),
        ("/healthchecker/check?appname=Backup", 409, "it reports at /healthchecker/beat"),
    ],
)
def test_what_is_no_beat_is_said(daemon: Daemon, path: str, status: int, says: str) -> None:
    register(daemon, "Backup")
    daemon.register("NAS", "http://127.0.0.1:9")
    answer = daemon.post(path)
    assert answer.status_code == status and says in answer.json()["error"], answer.text


def test_with_a_token_a_key_opens_the_beats_of_one_app_alone(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(api_token="s3cret-of-the-house")
    token = {"Authorization": "Bearer s3cret-of-the-house"}

    def registered(name: str) -> dict[str, str]:
        data = {"appname": name, "kind": "beat", "interval": 60}
        answer = daemon.post("/healthchecker/monitor", data=data, headers=token)
        return dict(answer.json())

    key = registered("Backup")["key"]
    assert key == registered("Backup")["key"] != registered("Photos")["key"]

    def status(path: str, headers: dict[str, str] | None = None) -> int:
        return daemon.get(path, headers=headers or {}).status_code

    assert status(f"{BEAT}?appname=Backup") == 401
    assert status(f"{BEAT}?appname=Backup", token) == 200
    assert status(f"{BEAT}?appname=Backup&key={key}") == 200
    assert status(f"{BEAT}/fail?appname=Backup&key={key}") == 200
    assert status(f"{BEAT}?appname=Photos&key={key}") == 403
    assert status(f"{BEAT}?appname=Backup&key={key[:-1]}") == 403
    assert status(f"/healthchecker/stop?appname=Backup&key={key}") == 401
    assert daemon.info("Backup")["state"] == "UNHEALTHY"
    # A foreign page must not act for the owner, whatever it knows.
    foreign = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert status(f"{BEAT}?appname=Backup&key={key}", foreign) == 403
    for path in ("/healthchecker/export", "/healthchecker/info?appname=Backup", "/", "/metrics"):
        assert key not in daemon.get(path, headers=token).text
    assert key not in daemon.log()
    daemon.stop()
    daemon.start()
    assert status(f"{BEAT}?appname=Backup&key={key}") == 200, "none is kept, and it is the same"


def test_a_kill_loses_no_state_and_alarms_nobody(daemon: Daemon) -> None:
    register(daemon, "Backup", interval=DAY)
    register(daemon, "Sensor", interval=5, grace=3)
    for name in ("Backup", "Sensor"):
        curl(daemon, f"{BEAT}?appname={name}")
    daemon.kill()
    daemon.start()
    assert daemon.info("Backup")["state"] == daemon.info("Sensor")["state"] == "HEALTHY"
    daemon.wait_for_state("Sensor", "UNHEALTHY", STATE_SECONDS)
    daemon.kill()
    daemon.start()
    assert daemon.info("Sensor")["state"] == "UNHEALTHY"
    assert daemon.info("Backup")["last_check"] is None, "not told anew"
    page = daemon.get("/healthchecker/info?appname=Backup&format=html").text
    assert "next beat within 1 day 2 h" in page, "it is on disk when the last one came"


def test_a_deadline_while_we_stood_still_moves(daemon: Daemon) -> None:
    register(daemon, "Sensor", interval=5, grace=0)
    curl(daemon, f"{BEAT}?appname=Sensor")
    os.kill(daemon.pid, signal.SIGSTOP)
    time.sleep(12)
    os.kill(daemon.pid, signal.SIGCONT)
    page = "/healthchecker/info?appname=Sensor&format=html"
    wait_for(lambda: "next beat within 5" in daemon.get(page).text, 5, "a deadline that moved")
    info = daemon.info("Sensor")
    assert (info["state"], info["failures"]) == ("HEALTHY", 0)
