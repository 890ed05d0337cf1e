"""The Arduino sketch, compiled against stubs of the boards' libraries that talk to real servers."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Self

import pytest

from conftest import StartDaemon
from daemon import Daemon
from programs import EXAMPLES, needs, run
from stranger import Stranger

STUBS = Path(__file__).parent / "arduino"
MONITOR = "/healthchecker/monitor"


class Sketch:
    """An Arduino sketch, which lives a minute at a time."""

    def __init__(
        self, folder: Path, board: str, sketch: str = "HealthChecked", **constants: str
    ) -> None:
        compiler = needs("g++")
        text = (EXAMPLES / f"arduino/{sketch}/{sketch}.ino").read_text()
        for name, value in constants.items():
            assert f'{name} = "";' in text
            text = text.replace(f'{name} = "";', f'{name} = "{value}";')
        (folder / "sketch.ino").write_text(text)
        built = run(
            compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", board, f"-I{STUBS}", "-include",
            "Arduino.h", "-x", "c++", folder / "sketch.ino", STUBS / "main.cpp", "-o", folder / "sketch",
        )  # fmt: skip
        assert built.code == 0, built.err
        self.process = subprocess.Popen(
            [str(folder / "sketch")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def minute(self, *announced: int) -> list[str]:
        """What it asks when these are announced."""
        assert self.process.stdin and self.process.stdout
        print(*announced, file=self.process.stdin, flush=True)
        asked: list[str] = []
        for line in self.process.stdout:
            if line == "minute\n":
                return asked
            asked.append(line.rstrip("\n"))
        raise AssertionError("the sketch has ended")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(timeout=10)


LOOK = "/healthchecker/info?appname=%57%65%61%74%68%65%72%20%73%74%61%74%69%6F%6E"


@pytest.mark.parametrize("board", ["-DESP8266", "-DESP32", "-DESP_ARDUINO_VERSION_MAJOR=3"])
def test_the_sketch_stays_registered(
    daemon: Daemon, tmp_path: Path, board: str, stranger: Stranger
) -> None:
    port = daemon.port
    with Sketch(tmp_path, board, API_TOKEN="secret") as sketch:
        assert sketch.minute() == []
        # A stranger who has the name comes first.
        expected = [f"POST {stranger.port} {MONITOR}", f"POST {port} {MONITOR}"]
        assert sketch.minute(stranger.port, port) == expected
        info = daemon.info("Weather station")
        assert (info["url"], info["interval"]) == ("http://127.0.0.1:80", 60)
        assert sketch.minute(port) == [f"GET {port} {LOOK}"]
        daemon.post("/healthchecker/stop", data={"appname": "Weather station"})
        assert sketch.minute(port) == [f"GET {port} {LOOK}", f"POST {port} {MONITOR}"]


def test_the_sketch_does_not_hold_on_to_a_stranger_at_the_old_address(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    daemon = start_daemon()
    with Sketch(tmp_path, "-DESP8266") as sketch:
        assert sketch.minute(daemon.port) == [f"POST {daemon.port} {MONITOR}"]
        # It has moved, and another box has its address.
        old = daemon.port
        daemon.stop()
        moved = start_daemon()
        with Stranger(old):
            asked = [line.split()[:2] for line in sketch.minute(moved.port)]
        new = str(moved.port)
        assert asked == [["GET", str(old)], ["GET", new], ["POST", new]]
    assert moved.info("Weather station")["interval"] == 60


def test_the_sketch_gives_its_token_only_to_a_server_that_is_named(
    start_daemon: StartDaemon, tmp_path: Path
) -> None:
    daemon = start_daemon(api_token="secret")
    with Sketch(tmp_path, "-DESP32", API_TOKEN="secret", SERVER=daemon.base) as sketch:
        assert sketch.minute() == [f"POST {daemon.port} {MONITOR} token"]
    assert daemon.info("Weather station")["interval"] == 60


@pytest.mark.parametrize("board", ["-DESP8266", "-DESP32", "-DESP_ARDUINO_VERSION_MAJOR=3"])
def test_a_sensor_that_sleeps_reports_when_it_wakes(
    start_daemon: StartDaemon, tmp_path: Path, board: str
) -> None:
    daemon = start_daemon(api_token="secret")
    answer = daemon.post(
        "/healthchecker/monitor",
        data={"appname": "Greenhouse", "kind": "beat", "interval": 1000},
        headers={"Authorization": "Bearer secret"},
    )
    key = answer.json()["key"]
    with Sketch(tmp_path, board, "HealthBeats", SERVER=daemon.base, KEY=key) as sketch:
        path = f"/healthchecker/beat?appname=Greenhouse&key={key}"
        assert sketch.minute() == [f"GET {daemon.port} {path}", "sleeps 900 s"]
    assert daemon.info("Greenhouse")["state"] == "HEALTHY"
