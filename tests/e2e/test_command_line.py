"""The command line for the household: what it prints, and how it ends."""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Callable

import pytest

from conftest import NewTarget, StartDaemon
from daemon import BINARY, Daemon
from lan import Lan
from programs import PACKAGE, Ended, healthchecker, on_a_terminal, run, rust_example
from target import Target
from test_escaping import HOSTILE, assert_shown
from waiting import wait_for

UNKNOWN_APP, UNHEALTHY, USAGE, REFUSED, UNAVAILABLE, NOT_ALLOWED = 1, 2, 64, 65, 69, 77

Command = Callable[..., Ended]


@pytest.fixture
def command(daemon: Daemon) -> Command:
    """Runs a command against the daemon; it must leave standard error alone when it succeeds."""

    def run_it(*arguments: object) -> Ended:
        ended = healthchecker(*arguments, HEALTHCHECKER_SERVER=daemon.base)
        assert (ended.code == 0) == (ended.err == ""), ended
        return ended

    return run_it


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_life_from_the_first_word_to_the_last(
    command: Command, daemon: Daemon, target: Target
) -> None:
    assert command("list").out.startswith("no apps are watched")
    registered = command("monitor", "My NAS", target.url, "--interval", 5, "--healthy", "2")
    assert registered.out == "My NAS: registered\n"
    assert command("monitor", "My NAS", target.url, "--interval=5", "--healthy=2").out == (
        "My NAS: unchanged\n"
    )
    daemon.wait_for_state("My NAS", "HEALTHY", 15)
    head, line = command("list").out.splitlines()
    assert head.split() == ["NAME", "STATE", "SINCE", "LAST", "CHECK", "24", "H", "ADDRESS"]
    assert line.startswith("My NAS  HEALTHY") and line.endswith(f"100.0 %  {target.url}")
    assert command("pause", "My NAS").out == "My NAS: paused\n"
    assert "HEALTHY, paused" in command("info", "My NAS").out
    assert command("resume", "My NAS").out == "My NAS: resumed\n"
    stopped = command("stop", "My NAS").out
    assert stopped.startswith("My NAS: stopped\nif it registers itself")
    assert "pause it instead" in stopped
    log = command("log", "My NAS").out
    assert all(word in log for word in ("registered", "UNKNOWN -> HEALTHY", "paused", "stopped"))
    assert command("log", "--limit", 1).out.rstrip().endswith("stopped")


def test_apps_in_a_state_and_an_end_of_its_own_when_one_is_unhealthy(
    daemon: Daemon, new_target: NewTarget
) -> None:
    server = {"HEALTHCHECKER_SERVER": daemon.base}
    broken = new_target()
    broken.fails("disk 98 % full")
    daemon.register("well", new_target().url, interval=5)
    daemon.register("ill", broken.url, interval=5)
    daemon.wait_for_state("ill", "UNHEALTHY", 20)
    shown = healthchecker("list", **server)
    assert shown.code == UNHEALTHY and "well" in shown.out and "disk 98 %" in shown.out
    assert shown.err == ""
    ill = healthchecker("list", "--state", "unhealthy,degraded", "--names", **server)
    assert (ill.code, ill.out) == (UNHEALTHY, "ill\n")
    others = healthchecker("list", "--state", "HEALTHY,UNKNOWN", "--json", **server)
    assert others.code == 0
    assert [app["appname"] for app in json.loads(others.out)["apps"]] == ["well"]
    assert healthchecker("list", "--state=degraded", **server).out == "no app is DEGRADED\n"
    # What somebody has paused needs nobody.
    healthchecker("pause", "ill", **server)
    assert healthchecker("list", **server).code == 0


def test_a_table_fits_the_terminal(daemon: Daemon, target: Target) -> None:
    daemon.register("\u53f0\u6240", target.url)
    daemon.register("n" * 128, target.url + "/" + "u" * 100)
    whole = healthchecker("list", HEALTHCHECKER_SERVER=daemon.base).out
    assert "n" * 128 in whole and "u" * 100 in whole, "a pipe gets all of it"
    for columns in (60, 132):
        lines = on_a_terminal(columns, BINARY, "list", HEALTHCHECKER_SERVER=daemon.base).split("\r\n")
        # Two columns for each of its letters.
        widths = [len(line) + 2 * line.count("\u53f0\u6240") for line in lines]
        assert max(widths) <= columns, lines
        assert len(lines) == 4 and "\u53f0\u6240" in "".join(lines), lines


def test_json_is_what_the_daemon_said(command: Command, daemon: Daemon, target: Target) -> None:
    daemon.register("NAS", target.url)
    (app,) = json.loads(command("list", "--json").out)["apps"]
    assert app["appname"] == "NAS"
    assert json.loads(command("info", "NAS", "--json").out)["url"] == target.url
    done = json.loads(command("pause", "--json", "NAS").out)
    assert done == {"appname": "NAS", "result": "paused"}
    events = [json.loads(line)["event"] for line in command("log", "--json").out.splitlines()]
    assert "paused" in events


def test_what_an_app_says_does_not_steer_the_terminal(
    command: Command, daemon: Daemon, target: Target
) -> None:
    target.fails(HOSTILE)
    daemon.register("NAS", target.url)
    wait_for(lambda: daemon.info("NAS")["last_check"], 10, "a check")
    for words in (("list",), ("info", "NAS"), ("log",)):
        for arguments in (words, (*words, "--json")):
            out = command(*arguments).out
            assert "disk" in out or words == ("list",)
            assert_shown(out, " ".join(arguments))
    assert_shown(healthchecker("info", HOSTILE, HEALTHCHECKER_SERVER=daemon.base).err, "a complaint")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("info", "TV"), UNKNOWN_APP, 'no app is registered by the name "TV"'),
        (("stop", "TV"), UNKNOWN_APP, 'no app is registered by the name "TV"'),
        (("monitor", "TV", "http://tv", "--interval", "3"), REFUSED, "interval must be a whole"),
        (("monitor", "TV", "tv"), REFUSED, "url"),
        (("monitor", "", "http://tv"), REFUSED, "appname is empty"),
        (("monitor", "TV"), USAGE, "URL is missing: healthchecker monitor NAME URL"),
        (("list", "--intervall", "3"), USAGE, "did you mean interval?"),
        (("list", "--server", "pi:port"), USAGE, "is no address of a server"),
        (("list", "--server", "https://pi"), USAGE, "the daemon speaks plain HTTP"),
        (("edit", "TV", "--interval", "60"), UNKNOWN_APP, "no app is registered by the name 'TV'"),
        (("list", "--state", "ill"), USAGE, "state must be UNHEALTHY, DEGRADED, UNKNOWN, HEALTHY"),
        (("edit", "TV"), USAGE, "nothing is named to change"),
        (("seen", "me@example.org"), UNKNOWN_APP, "no mail to"),
        (("stop", "NAS", "--server", ""), USAGE, "is no address of a server"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_mistake_is_one_sentence_and_an_exit_code(
    command: Command, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended = command(*arguments)
    assert ended.code == code
    assert ended.out == ""
    assert ended.err.startswith("healthchecker: ") and ended.err.count("\n") == 1
    assert said in ended.err


def test_a_path_that_is_not_there_is_no_unknown_app(daemon: Daemon) -> None:
    for words in (("info", "TV"), ("monitor", "TV", "http://tv"), ("stop", "TV"), ("list",)):
        ended = healthchecker(*words, HEALTHCHECKER_SERVER=daemon.base + "/elsewhere")
        assert ended.code == UNAVAILABLE and "there is nothing at" in ended.err, ended


def test_what_is_not_named_stays_as_it_was(command: Command, daemon: Daemon, target: Target) -> None:
    others = {"email": ["reader@example.org"], "interval": 60, "path": "/ok", "expect": "200-204"}
    options = ("--email", "reader@example.org", "--interval", 60, "--path=/ok", "--expect=200-204")
    command("monitor", "My NAS", target.url, *options)
    kept = command("monitor", " My  NAS", target.url, "--unhealthy", 3)
    assert kept.out == "My NAS: updated: unhealthy 2 -> 3\n"
    edited = command("edit", "My NAS", "--healthy", 4, "--url", target.url + "/base")
    assert edited.out == (
        f"My NAS: updated: healthy 10 -> 4, url {target.url} -> {target.url}/base\n"
    )
    app = next(app for app in daemon.get("/healthchecker/export").json()["apps"])
    assert {name: app[name] for name in others} == others
    assert (app["unhealthy"], app["healthy"], app["url"]) == (3, 4, target.url + "/base")
    # Back to the daemon's own reader, and what was not named again is not touched.
    assert "email reader@example.org -> (default)" in command("edit", "My NAS", "--email=").out
    assert command("edit", "My NAS", "--unhealthy", 3).out == "My NAS: unchanged\n"
    refused = command("edit", "My NAS", "--interval", 3)
    assert refused.code == REFUSED and "interval must be" in refused.err


def test_without_leave_to_read_nothing_is_overwritten(
    start_daemon: StartDaemon, target: Target
) -> None:
    daemon = start_daemon(read_token="s3cret-to-read")
    daemon.register("NAS", target.url, unhealthy=5)
    again = ("monitor", "NAS", target.url, "--healthy", 4)
    blind = healthchecker(*again, HEALTHCHECKER_SERVER=daemon.base)
    assert blind.code == NOT_ALLOWED and "Nothing was changed" in blind.err, blind
    reading = {"HEALTHCHECKER_SERVER": daemon.base, "HEALTHCHECKER_API_TOKEN": "s3cret-to-read"}
    assert healthchecker(*again, **reading).out == "NAS: updated: healthy 10 -> 4\n"


def test_a_token_is_asked_for_and_taken(start_daemon: StartDaemon, target: Target) -> None:
    daemon = start_daemon(api_token="s3cret-of-the-house")
    server = {"HEALTHCHECKER_SERVER": daemon.base}
    register = ("monitor", "NAS", target.url)
    missing = healthchecker(*register, **server)
    assert (missing.code, missing.out) == (NOT_ALLOWED, "")
    assert "wants a token; set HEALTHCHECKER_API_TOKEN to its api_token" in missing.err
    wrong = healthchecker(*register, **server, HEALTHCHECKER_API_TOKEN="guess")
    assert (wrong.code, wrong.out) == (NOT_ALLOWED, "")
    assert "does not accept this token" in wrong.err
    right = {**server, "HEALTHCHECKER_API_TOKEN": "s3cret-of-the-house"}
    assert healthchecker(*register, **right).code == 0
    assert healthchecker("pause", "NAS", "--token", "s3cret-of-the-house", **server).code == 0
    assert healthchecker("list", **server).code == 0
    # As a file has it, and as a file may not have it.
    assert healthchecker("resume", "NAS", "--token", "s3cret-of-the-house\n", **server).code == 0
    for bad in ("two words", "caf\u00e9", "a\nb"):
        unusable = healthchecker("pause", "NAS", "--token", bad, **server)
        assert unusable.code == NOT_ALLOWED and "no token has" in unusable.err
        assert bad not in unusable.err


def test_a_server_named_wrongly_is_no_leave_to_talk_to_another() -> None:
    ended = healthchecker("stop", "NAS", HEALTHCHECKER_SERVER="http://pi:port")
    assert ended.code == USAGE and "is no address of a server" in ended.err


def test_a_server_that_is_not_there() -> None:
    ended = healthchecker("list", "--server", f"127.0.0.1:{free_port()}")
    assert (ended.code, ended.out) == (UNAVAILABLE, "")
    assert "no answer from the HealthChecker server at" in ended.err
    assert ended.err.endswith("connection refused\n")


def test_something_else_that_answers(new_target: NewTarget) -> None:
    ended = healthchecker("list", HEALTHCHECKER_SERVER=new_target().url + "/elsewhere")
    assert (ended.code, ended.out) == (UNAVAILABLE, ""), ended
    assert "is no HealthChecker server" in ended.err


def test_the_options_of_the_daemon_come_from_elsewhere() -> None:
    ended = run(BINARY, "--verbose", "list")
    assert ended.code == 78
    assert ended.err == "healthchecker: list: this command stands first, and takes its own options only\n"


def test_the_server_is_found_by_zeroconf(lan: Lan, start_daemon: StartDaemon) -> None:
    server, client = lan.add("server"), lan.add("client")
    alone = lan.add("alone")
    alone.run("ip", "link", "set", "eth0", "down")
    daemon = start_daemon(machine=server, bind_addr="0.0.0.0", announce=True)
    daemon.wait_for_log("announced as", 10)
    url = f"http://{server.ipv4}:{daemon.port}/healthchecker/"
    assert json.loads(client.run(str(BINARY), "discover", "--json"))[0]["url"] == url
    assert url in client.run(str(BINARY), "discover")
    client.run(str(BINARY), "monitor", "TV", "http://10.77.0.9")
    assert json.loads(client.run(str(BINARY), "info", "TV", "--json"))["url"] == "http://10.77.0.9"
    # What runs beside the daemon may be called localhost.
    server.run(str(BINARY), "monitor", "Beside", "http://localhost:8080")
    with pytest.raises(RuntimeError, match="localhost"):
        client.run(str(BINARY), "monitor", "Beside", "http://localhost:8080")
    with pytest.raises(RuntimeError, match="HealthChecker server"):
        alone.run(str(BINARY), "list")


def test_a_server_is_named_by_its_local_name(lan: Lan, start_daemon: StartDaemon) -> None:
    server, client = lan.add("server"), lan.add("client")
    daemon = start_daemon(machine=server, bind_addr="0.0.0.0")
    announcer = server.start_client("announce-host", "attic-pi.local", server.ipv4)
    assert announcer.stdout and json.loads(announcer.stdout.readline()) == "announced"
    # The system of this machine asks no name service for it, as that of a static program does not.
    named = ("--server", f"http://Attic-Pi.local:{daemon.port}")
    client.run(str(BINARY), "monitor", "TV", "http://10.77.0.9", *named)
    assert json.loads(client.run(str(BINARY), "info", "TV", "--json", *named))["state"]
    # Nor do programs with the Rust client, which have mdns-sd for it.
    client.run("env", f"HEALTHCHECKER_SERVER={named[1]}", rust_example("register"), "Rust", ":8080")
    with pytest.raises(RuntimeError, match="nobody.local"):
        client.run(str(BINARY), "list", "--server", f"http://nobody.local:{daemon.port}")


def test_a_token_is_not_sent_to_whoever_announces_the_name(
    lan: Lan, start_daemon: StartDaemon
) -> None:
    server, client = lan.add("server"), lan.add("client")
    daemon = start_daemon(machine=server, bind_addr="0.0.0.0", announce=True, api_token="s3cret")
    daemon.wait_for_log("announced as", 10)
    register = (str(BINARY), "monitor", "TV", "http://10.77.0.9", "--token", "s3cret")
    with pytest.raises(RuntimeError, match="sent only to a server that is named"):
        client.run(*register)
    client.run(*register, "--server", f"{server.ipv4}:{daemon.port}")


def test_why_nobody_is_found(lan: Lan, start_daemon: StartDaemon) -> None:
    server, client = lan.add("server"), lan.add("client")
    why = (str(BINARY), "discover", "--why")
    assert "nothing at all was heard" in client.run(*why)
    daemon = start_daemon(machine=server, bind_addr="0.0.0.0", announce=True)
    daemon.wait_for_log("announced as", 10)
    address = f"http://{server.ipv4}:{daemon.port}/healthchecker/"
    assert address in client.run(*why)
    # Announced, and not to be reached: a firewall, say.
    client.run("ip", "route", "add", "blackhole", f"{server.ipv4}/32")
    client.run("ip", "-6", "route", "add", "blackhole", f"{server.ipv6}/128")
    said = client.run(*why)
    assert address in said and "takes no connection" in said
    with pytest.raises(RuntimeError, match="is announced at .*, but it takes no connection"):
        client.run(str(BINARY), "list")


def test_on_a_network_with_link_local_addresses_alone_the_server_is_found(
    lan: Lan, start_daemon: StartDaemon
) -> None:
    server, client = lan.add("server"), lan.add("client")
    for machine in (server, client):
        machine.run("ip", "address", "flush", "dev", "eth0", "scope", "global")
    daemon = start_daemon(machine=server, bind_addr="::", announce=True)
    daemon.wait_for_log("announced as", 15)
    url = json.loads(client.run(str(BINARY), "discover", "--json"))[0]["url"]
    assert re.fullmatch(rf"http://\[fe80::[0-9a-f:]+%25eth0\]:{daemon.port}/healthchecker/", url), url
    # The commands find it too, and take what `discover` shows.
    client.run(str(BINARY), "monitor", "TV", "http://tv.local")
    shown = json.loads(client.run(str(BINARY), "info", "TV", "--json", "--server", url))
    assert shown["appname"] == "TV"
    program = (
        "from healthchecker import HealthCheckerServer as Server; "
        "print(Server('Py', 'http://py.local').monitor())"
    )
    assert client.run("env", f"PYTHONPATH={PACKAGE}", sys.executable, "-c", program) == "200\n"
