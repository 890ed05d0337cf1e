"""The examples that need no network of their own: each registers with a real daemon."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import StartDaemon
from daemon import BINARY, REPOSITORY, Daemon
from programs import EXAMPLES, Ended, run, rust_example
from waiting import wait_for

REGISTER = EXAMPLES / "shell/register.sh"
UNIT = EXAMPLES / "systemd/myapp.service"
STUBS = Path(__file__).parent / "arduino"

NAME = "Küche & \"Bad\" 100%"
URL = "http://127.0.0.1:9/a&b=c%20d"


def needs(tool: str) -> str:
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"{tool} is not installed")
    return found


def tools(folder: Path, *allowed: str) -> Path:
    """A folder for PATH with these tools and what a shell always has."""
    folder.mkdir()
    for name in ("sh", "od", "tr", "sed", "awk", "printf", "cat", *allowed):
        (folder / name).symlink_to(needs(name))
    return folder


def busybox_tools(folder: Path, *allowed: str) -> Path:
    """The same, all of it busybox."""
    folder.mkdir()
    busybox = needs("busybox")
    applets = run(busybox, "--list").out.split()
    for name in ("sh", "od", "tr", "sed", "awk", "printf", "cat", *allowed):
        if name not in applets:
            pytest.skip(f"this busybox has no {name}")
        (folder / name).symlink_to(busybox)
    return folder


def register_with(path: Path, daemon: Daemon, *arguments: str) -> Ended:
    # By the shell of the folder: its own programs must not be used instead.
    return run(path / "sh", REGISTER, *arguments, PATH=path, HEALTHCHECKER_SERVER=daemon.base)


@pytest.mark.parametrize("fetcher", ["wget", "nc"])
@pytest.mark.parametrize("box", [tools, busybox_tools], ids=["debian", "busybox"])
def test_a_shell_registers(daemon: Daemon, tmp_path: Path, box: object, fetcher: str) -> None:
    path = box(tmp_path / "bin", fetcher)  # type: ignore[operator]
    ended = register_with(path, daemon, NAME, URL, "interval=60", "email=a@example.org")
    assert ended.code == 0, ended
    assert '"registered"' in ended.out
    info = daemon.info(NAME)
    assert (info["url"], info["interval"], info["email"]) == (URL, 60, ["a@example.org"])


@pytest.mark.parametrize("fetcher", ["wget", "nc"])
def test_a_shell_is_told_what_is_wrong(daemon: Daemon, tmp_path: Path, fetcher: str) -> None:
    path = tools(tmp_path / "bin", fetcher)
    refused = register_with(path, daemon, "NAS", "http://127.0.0.1:9", "interval=3")
    assert refused.code == 1
    assert "did not take it" in refused.err
    assert register_with(path, daemon, "NAS").code == 2
    daemon.stop()
    assert register_with(path, daemon, "NAS", URL).code == 1
    nowhere = run(path / "sh", REGISTER, "NAS", URL, PATH=path)
    assert nowhere.code == 1
    assert "no HealthChecker server was found" in nowhere.err


def test_curl_registers(daemon: Daemon) -> None:
    needs("curl")
    curl = EXAMPLES / "shell/curl.sh"
    ended = run(curl, NAME, URL, HEALTHCHECKER_SERVER=daemon.base)
    assert ended.code == 0, ended
    assert daemon.info(NAME)["url"] == URL
    refused = run(curl, "NAS", "nas", HEALTHCHECKER_SERVER=daemon.base)
    assert refused.code != 0
    assert '"field":"url"' in refused.out


def test_the_smallest_rust_program_says_what_is_wrong() -> None:
    ended = run(rust_example("register"), "NAS")
    assert (ended.code, ended.err) == (1, "usage: register NAME URL [EMAIL]\n")


def test_node_registers_and_answers(start_daemon: StartDaemon) -> None:
    node = needs("node")
    if int(run(node, "--version").out.lstrip("v").split(".")[0]) < 18:
        pytest.skip("the example needs Node 18")
    # The app registers with an address of this machine, not with localhost.
    daemon = start_daemon(bind_addr="0.0.0.0")
    server = f"http://127.0.0.1:{daemon.port}"
    app = subprocess.Popen(
        [node, str(EXAMPLES / "node/app.mjs")],
        env={"HEALTHCHECKER_SERVER": server, "PATH": "/usr/bin:/bin"},
    )
    try:
        wait_for(
            lambda: (daemon.info("Node App").get("last_check") or {}).get("outcome") == "pass"
            if daemon.get("/healthchecker/info", params={"appname": "Node App"}).ok
            else False,
            20,
            "a passed check of the Node app",
        )
        assert '"description":"Node App"' in daemon.info("Node App")["last_check"]["body"]
    finally:
        app.kill()
        app.wait(timeout=10)


def test_the_unit_is_valid() -> None:
    verify = needs("systemd-analyze")
    ended = run(verify, "verify", "--man=no", UNIT)
    # The program is not installed where the tests run.
    complaints = [
        line for line in ended.err.splitlines() if "/usr/bin/healthchecker is not executable" not in line
    ]
    assert not [line for line in complaints if "myapp" in line], ended.err


def unit_command(key: str) -> list[str]:
    """The command of the unit, as systemd would run it here."""
    (line,) = (line for line in UNIT.read_text().splitlines() if line.startswith(f"{key}="))
    command = line.removeprefix(f"{key}=").removeprefix("-")
    for written, meant in (("%N", "myapp"), ("%H", "pi"), ("/usr/bin/healthchecker", str(BINARY))):
        command = command.replace(written, meant)
    return shlex.split(command)


def test_the_unit_registers_and_pauses(daemon: Daemon) -> None:
    server = {"HEALTHCHECKER_SERVER": daemon.base}
    *shell, script = unit_command("ExecStartPost")
    assert script.endswith("&"), "it must not hold up the start of the app"
    assert run(*shell, script.removesuffix("&"), **server).code == 0
    assert daemon.info("myapp@pi")["url"] == "http://pi.local:8080"
    assert run(*unit_command("ExecStop"), **server).code == 0
    assert daemon.info("myapp@pi")["paused"]


@pytest.mark.parametrize("board", ["-DESP8266", "-DESP32", "-DESP_ARDUINO_VERSION_MAJOR=3"])
def test_the_sketch_registers(daemon: Daemon, tmp_path: Path, board: str) -> None:
    compiler = needs("g++")
    sketch = EXAMPLES / "arduino/HealthChecked/HealthChecked.ino"
    program = tmp_path / "sketch"
    built = run(
        compiler, "-std=c++17", "-Wall", "-Wextra", "-Werror", board, f"-I{STUBS}",
        "-include", "Arduino.h", "-x", "c++", sketch, STUBS / "main.cpp", "-o", program,
    )  # fmt: skip
    assert built.code == 0, built.err
    ended = run(program, SERVER_PORT=daemon.port)
    assert ended.code == 0, ended
    # What it sent goes to the daemon as it is: first the registration, then, a minute later in its
    # own time, a look whether it is still known.
    method, path, form = ended.out.splitlines()[0].split(" ")
    assert (method, path) == ("POST", "/healthchecker/monitor")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = daemon.post(path, data=form, headers=headers)
    assert answer.status_code == 200, answer.text
    assert daemon.info("Weather station")["interval"] == 60
    method, path, *_ = ended.out.splitlines()[1].split(" ")
    assert method == "GET"
    assert daemon.get(path).json()["appname"] == "Weather station"


def test_every_example_is_in_the_list() -> None:
    listed = set(re.findall(r"\]\(([^)]+)\)", (EXAMPLES / "README.md").read_text()))
    for link in listed:
        assert (EXAMPLES / link).exists(), link
    for folder in (path for path in EXAMPLES.iterdir() if path.is_dir()):
        assert any(link.startswith(folder.name) for link in listed), folder
    assert (REPOSITORY / "examples/python/README.md").exists()
