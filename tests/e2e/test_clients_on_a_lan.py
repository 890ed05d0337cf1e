"""Apps and the daemon on machines of their own: found by Zeroconf alone, watched, and mailed about."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import avahi
from avahi import Avahi
from conftest import StartDaemon
from daemon import Daemon
from lan import Lan, Machine
from lan_mail import OWNER, MailServer
from programs import EXAMPLES, PACKAGE, install_package, rust_example
from waiting import wait_for

FLASK_APP, RUST_APP = "Sample HealthChecker App", "Rust App"

# Zeroconf takes up to five seconds, the program's start another.
REGISTER_SECONDS = 20
# Four passed checks, ten seconds apart.
HEALTHY_SECONDS = 50
# `keep_registered` looks once a minute, and searches for five seconds.
MOVE_SECONDS = 90


class Household:
    """A daemon on one machine, apps on another, and nothing that either was told of the other."""

    def __init__(self, lan: Lan, start_daemon: StartDaemon, package: Path) -> None:
        self.server, self.client = lan.add("server"), lan.add("client")
        self.start_daemon = start_daemon
        self.package = package
        self.mail = MailServer(self.server)

    def serve(self, machine: Machine, **options: object) -> Daemon:
        options = {"bind_addr": "0.0.0.0", "announce": True, **options}
        return self.start_daemon(machine=machine, **options)

    def python(self, program: str) -> subprocess.Popen[str]:
        """Starts an example in Python on the client's machine."""
        return self.client.start(
            sys.executable, "-u", str(PACKAGE / program), PYTHONPATH=str(self.package)
        )

    def info(self, daemon: Daemon, app: str) -> dict[str, Any]:
        """What the daemon knows of an app, asked on its own machine; empty if it is unknown."""
        assert daemon.machine
        url = f"http://127.0.0.1:{daemon.port}/healthchecker/info?appname={app.replace(' ', '+')}"
        answer = daemon.machine.client("get", url)
        known: dict[str, Any] = json.loads(answer["body"]) if answer["status"] == 200 else {}
        return known


@pytest.fixture
def household(lan: Lan, start_daemon: StartDaemon, tmp_path: Path) -> Household:
    return Household(lan, start_daemon, install_package(tmp_path / "package"))


def first_line(program: subprocess.Popen[str]) -> str:
    assert program.stdout
    return program.stdout.readline().rstrip("\n")


def test_the_programs_of_the_readme_are_watched_and_mailed_about(household: Household) -> None:
    server, mail = household.server, household.mail
    daemon = household.serve(server, **mail.options())
    daemon.wait_for_log("announced as", 10)
    registered = f"Registered with HealthChecker at http://{server.ipv4}:{daemon.port}/healthchecker/"

    assert first_line(household.python("register.py")) == registered
    flask = household.python("flask_app.py")
    assert first_line(flask) == registered
    rust = household.client.start(rust_example("app"))

    wait_for(lambda: household.info(daemon, RUST_APP), REGISTER_SECONDS, "the Rust app registered")
    for app in (FLASK_APP, RUST_APP):
        info = household.info(daemon, app)
        assert info["url"].startswith(f"http://{household.client.ipv4}:")
        assert (info["email"], info["interval"], info["healthy"]) == ([OWNER], 10, 4)
        wait_for(
            lambda app=app: household.info(daemon, app)["state"] == "HEALTHY",  # type: ignore[misc]
            HEALTHY_SECONDS,
            f"{app} HEALTHY",
        )
        body = household.info(daemon, app)["last_check"]["body"]
        assert json.loads(body) == {"status": "pass", "description": app}
        mail.wait_for(
            lambda mail, app=app: "Now watching" in mail["subject"] and app in mail["text"],  # type: ignore[misc]
            20,
            f"the mail that {app} is watched",
        )
    # There is no such web page here.
    assert household.info(daemon, "MyApp")["email"] == [OWNER]
    mail.wait_for(lambda mail: "MyApp is UNHEALTHY" in mail["subject"], 60, "the mail about MyApp")

    # Ctrl-C is a stop; a crash is none, and is noticed.
    flask.send_signal(2)
    assert flask.wait(timeout=REGISTER_SECONDS) == 0
    assert household.info(daemon, FLASK_APP) == {}
    rust.kill()
    mail.wait_for(lambda mail: "Rust App is UNHEALTHY" in mail["subject"], 45, "the mail of a crash")


def test_an_app_outlives_a_server_that_starts_late_and_one_that_moves(
    household: Household, lan: Lan
) -> None:
    household.client.start(rust_example("app"))
    python = (
        "import healthchecker, time; healthchecker.HealthCheckerServer('Py', 'http://10.77.0.2:1')"
        ".keep_registered(interval=300); time.sleep(600)"
    )
    household.client.start(sys.executable, "-c", python, PYTHONPATH=str(household.package))
    daemon = household.serve(household.server)
    for app in (RUST_APP, "Py"):
        wait_for(
            lambda app=app: household.info(daemon, app),  # type: ignore[misc]
            MOVE_SECONDS,
            f"{app} registered with a server that started late",
        )
    daemon.stop()
    elsewhere = household.serve(lan.add("other"))
    for app in (RUST_APP, "Py"):
        wait_for(
            lambda app=app: household.info(elsewhere, app),  # type: ignore[misc]
            MOVE_SECONDS,
            f"{app} registered with a server at another address",
        )


PORT_ALONE = """
import json
from healthchecker import HealthCheckerServer
from healthchecker.iputils import get_my_ip_addr
one = HealthCheckerServer("Py")
print(json.dumps([one.monitor(port=8080), one.my_address(), get_my_ip_addr(), one.error()]))
"""


def ask_for_addresses(household: Household) -> tuple[int, str, str, str]:
    """Registers a port alone from the client's machine: the status, the addresses it goes by."""
    program = household.client.start(
        sys.executable, "-c", PORT_ALONE, PYTHONPATH=str(household.package)
    )
    status, facing, default, error = json.loads(first_line(program))
    return status, facing, default, error


def address_of_rust(household: Household, daemon: Daemon) -> object:
    """Registers a port alone with the Rust client: the address that the daemon has of it."""
    household.client.run(rust_example("register"), "Rust", ":8080")
    return household.info(daemon, "Rust")["url"]


def test_a_port_alone_is_at_the_address_that_the_household_reaches(household: Household) -> None:
    """Behind a VPN that takes all of the traffic, without a default route, on IPv6 only."""
    client = household.client
    daemon = household.serve(household.server, bind_addr="::")
    daemon.wait_for_log("announced as", 10)
    client.run("ip", "link", "add", "vpn0", "type", "veth", "peer", "name", "vpn1")
    client.run("ip", "address", "add", "10.99.0.2/24", "dev", "vpn0")
    client.run("ip", "link", "set", "vpn0", "up")
    client.run("ip", "route", "add", "default", "dev", "vpn0")
    assert ask_for_addresses(household) == (200, client.ipv4, "10.99.0.2", "")
    assert household.info(daemon, "Py")["url"] == f"http://{client.ipv4}:8080"
    assert address_of_rust(household, daemon) == f"http://{client.ipv4}:8080"

    client.run("ip", "link", "delete", "vpn0")
    assert ask_for_addresses(household) == (200, client.ipv4, client.ipv4, "")

    client.run("ip", "-4", "address", "flush", "dev", "eth0")
    client.run("ip", "-6", "route", "add", "default", "dev", "eth0")
    literal = f"[{client.ipv6}]"
    assert ask_for_addresses(household) == (200, literal, literal, "")
    assert household.info(daemon, "Py")["url"] == f"http://{literal}:8080"
    assert address_of_rust(household, daemon) == f"http://{literal}:8080"


def test_a_shell_finds_the_server_by_avahi(
    lan: Lan, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    reason = avahi.why_unavailable()
    if reason is not None:
        pytest.skip(reason)
    server, client = lan.add("server"), lan.add("client")
    daemon = start_daemon(machine=server, bind_addr="0.0.0.0", announce=True)
    daemon.wait_for_log("announced as", 10)
    responder = Avahi(client, tmp_path / "avahi")
    try:
        register = str(EXAMPLES / "shell/register.sh")
        said = responder.run("sh", register, "NAS", f"http://{client.ipv4}:8080")
    finally:
        responder.close()
    assert json.loads(said) == {"appname": "NAS", "result": "registered"}
