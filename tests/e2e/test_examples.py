"""The examples that need no network of their own: each registers with a real daemon."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from conftest import StartDaemon
from daemon import BINARY, REPOSITORY, Daemon
from programs import EXAMPLES, Ended, needs, run, rust_example
from stranger import Stranger

REGISTER = EXAMPLES / "shell/register.sh"
UNIT = EXAMPLES / "systemd/myapp.service"

MONITOR = "/healthchecker/monitor"

NAME = 'Küche & "Bad" 100%'
URL = "http://127.0.0.1:9/a&b=c%20d"


def tools(folder: Path, *allowed: str) -> Path:
    """A folder for PATH with these tools and what a shell always has."""
    folder.mkdir()
    for name in ("sh", "od", "tr", "sed", "awk", "printf", "cat", "grep", *allowed):
        (folder / name).symlink_to(needs(name))
    return folder


def busybox_tools(folder: Path, *allowed: str) -> Path:
    """The same, all of it busybox."""
    folder.mkdir()
    busybox = needs("busybox")
    applets = run(busybox, "--list").out.split()
    for name in ("sh", "od", "tr", "sed", "awk", "printf", "cat", "grep", *allowed):
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


# Busybox's wget shows no answer but a 200: where there is an nc, that is used.
FETCHERS = [
    (tools, ["wget"]),
    (tools, ["nc"]),
    (busybox_tools, ["nc"]),
    (busybox_tools, ["wget", "nc"]),
]


@pytest.mark.parametrize(
    ("box", "fetchers"), FETCHERS, ids=["wget", "nc", "busybox nc", "busybox wget and nc"]
)
def test_a_shell_is_told_what_is_wrong(
    daemon: Daemon, tmp_path: Path, stranger: Stranger, box: object, fetchers: list[str]
) -> None:
    path = box(tmp_path / "bin", *fetchers)  # type: ignore[operator]
    refused = register_with(path, daemon, 'N"\\AS', "http://127.0.0.1:9", "interval=3")
    assert refused.code == 1
    (line,) = refused.err.splitlines()
    assert line.startswith("register.sh: interval must be "), line
    assert line.endswith(' from 5 to 300, not "3"'), line
    assert register_with(path, daemon, "NAS").code == 2
    said = run(path / "sh", REGISTER, "NAS", URL, PATH=path, HEALTHCHECKER_SERVER=stranger.base)
    assert (said.code, said.out) == (1, "")
    assert f"no answer of a HealthChecker server from {stranger.base}" in said.err
    daemon.stop()
    assert register_with(path, daemon, "NAS", URL).code == 1
    nowhere = run(path / "sh", REGISTER, "NAS", URL, PATH=path)
    assert nowhere.code == 1
    assert "no HealthChecker server was found" in nowhere.err


def test_a_wget_that_hides_the_reason_says_how_to_see_it(daemon: Daemon, tmp_path: Path) -> None:
    path = busybox_tools(tmp_path / "bin", "wget")
    refused = register_with(path, daemon, "NAS", "http://127.0.0.1:9", "interval=3")
    assert refused.code == 1
    assert "HTTP/1.1 400 Bad Request" in refused.err
    assert "with nc the reason is shown" in refused.err


@pytest.mark.parametrize("fetcher", ["wget", "nc"])
def test_a_shell_understands_addresses_and_tokens_as_people_write_them(
    start_daemon: StartDaemon, tmp_path: Path, stranger: Stranger, fetcher: str
) -> None:
    path = tools(tmp_path / "bin", fetcher)
    daemon = start_daemon(api_token="secret")

    def register(server: str, **variables: str) -> Ended:
        return run(
            path / "sh",
            REGISTER,
            "NAS",
            ":8080",
            PATH=path,
            HEALTHCHECKER_SERVER=server,
            **variables,
        )

    missing = register(daemon.base)
    assert (missing.code, "token" in missing.err) == (1, True), missing
    server = f"127.0.0.1:{daemon.port}/healthchecker/"
    assert register(server, HEALTHCHECKER_API_TOKEN="secret\r\n").code == 0
    assert daemon.info("NAS")["url"] == "http://127.0.0.1:8080"
    bad = register(server, HEALTHCHECKER_API_TOKEN="se cret")
    assert bad.code == 1
    assert "it was not sent" in bad.err and "cret" not in bad.err
    # Behind a reverse proxy it is not at the root.
    register(f"{stranger.base}/watch/")
    assert stranger.asked == [("POST", "/watch/healthchecker/monitor", None)]


AVAHI_FOUND = """\
+;eth0;IPv4;_healthchecker;Web Site;local
=;eth0;IPv4;_healthchecker\\032\\0402\\041;Web Site;local;pi2.local;127.0.0.1;{daemon};"version=1"
=;eth0;IPv6;_healthchecker;Web Site;local;pi.local;fe80::1;{daemon};"version=1"
=;eth0;IPv4;_healthchecker;Web Site;local;pi.local;127.0.0.1;{stranger};"version=1"
=;eth0;IPv4;_healthcheckers;Web Site;local;x.local;127.0.0.1;1;
"""


def test_a_shell_gives_its_token_to_nobody_whom_it_only_found(
    start_daemon: StartDaemon, tmp_path: Path, stranger: Stranger
) -> None:
    path = tools(tmp_path / "bin", "nc")
    daemon = start_daemon(api_token="secret")
    found = AVAHI_FOUND.format(daemon=daemon.port, stranger=stranger.port)
    browse = path / "avahi-browse"
    browse.write_text(f"#!/bin/sh\ncat <<'END'\n{found}END\n")
    browse.chmod(0o755)
    ended = run(path / "sh", REGISTER, "NAS", URL, PATH=path, HEALTHCHECKER_API_TOKEN="secret")
    # The plain name first, then the other; both without the token.
    assert stranger.asked == [("POST", MONITOR, None)]
    assert ended.code == 1
    assert "the token is sent only to a server that is named" in ended.err


def test_curl_registers(daemon: Daemon) -> None:
    needs("curl")
    curl = EXAMPLES / "shell/curl.sh"
    ended = run(curl, NAME, URL, HEALTHCHECKER_SERVER=daemon.base)
    assert ended.code == 0, ended
    assert daemon.info(NAME)["url"] == URL
    refused = run(curl, "NAS", "nas", HEALTHCHECKER_SERVER=daemon.base)
    assert refused.code != 0
    assert '"field":"url"' in refused.out


def test_a_list_of_devices_is_registered(daemon: Daemon, tmp_path: Path) -> None:
    needs("curl")

    def devices(given: str) -> Ended:
        (tmp_path / "devices.txt").write_text(given)
        command = f'"$SCRIPT" < {tmp_path / "devices.txt"}'
        return run("sh", "-c", command, SCRIPT=script, HEALTHCHECKER_SERVER=daemon.base)

    script, shipped = EXAMPLES / "shell/devices.sh", (EXAMPLES / "shell/devices.txt").read_text()
    # Nobody but ourselves is asked here.
    lines = re.sub(r"://[a-z0-9.]+", "://127.0.0.1", shipped)
    ended = devices(lines)
    apps = {app["appname"]: app for app in daemon.get("/healthchecker/status").json()["apps"]}
    names = {line.split()[0] for line in shipped.splitlines() if not line.startswith("#")}
    assert names == {"Printer", "NAS", "Switch", "Camera", "TV", "Router"}
    pinged = {"Switch", "Camera", "TV"}
    if ended.code:
        # This machine does not let it ping, and that is said of each.
        assert ended.out.count("ping_group_range") == 3 and ended.err.count("not registered") == 3
        names -= pinged
    assert set(apps) == names
    assert apps["Printer"]["may_be_off"] and apps["Printer"]["kind"] == "tcp"
    assert (apps["Router"]["path"], apps["Router"]["slow"]) == ("/", 2000)
    again = devices(lines)
    assert again.code == ended.code and '"unchanged"' in again.out
    wrong = devices("X nas\nY http://127.0.0.1:9")
    assert wrong.code == 1 and wrong.err == "curl: (22) The requested URL returned error: 400\nX: not registered\n"
    assert daemon.info("Y")["url"] == "http://127.0.0.1:9", "the others are registered"


def test_the_smallest_rust_program_says_what_is_wrong() -> None:
    ended = run(rust_example("register"), "NAS")
    assert (ended.code, ended.err) == (1, "usage: register NAME URL [EMAIL]\n")


def test_the_unit_is_valid() -> None:
    verify = needs("systemd-analyze")
    ended = run(verify, "verify", "--man=no", UNIT)
    # The program is not installed where the tests run.
    complaints = [
        line
        for line in ended.err.splitlines()
        if "/usr/bin/healthchecker is not executable" not in line
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


def test_every_example_is_in_the_list() -> None:
    listed = set(re.findall(r"\]\(([^)]+)\)", (EXAMPLES / "README.md").read_text()))
    for link in listed:
        assert (EXAMPLES / link).exists(), link
    for folder in (path for path in EXAMPLES.iterdir() if path.is_dir()):
        assert any(link.startswith(folder.name) for link in listed), folder
    assert (REPOSITORY / "examples/python/README.md").exists()
