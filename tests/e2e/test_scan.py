"""What is seen on the network, and watched from there."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from conftest import StartDaemon
from daemon import BINARY, Daemon
from lan import Lan, Machine
from mdns_client import __file__ as MDNS_CLIENT

DEVICES = 30
SEEN_MAX = 500
# What a scan may hold at its end, and what is left of it: a survey of 500 names takes half of that.
GROWTH_MAX_KIB = 2048
# What it may take meanwhile, the answer as a page or as JSON with it.
PEAK_MAX_KIB = 4096


def scan(machine: Machine, daemon: Daemon) -> list[dict[str, Any]]:
    status, answer = machine.fetch("POST", f"http://127.0.0.1:{daemon.port}/healthchecker/scan")
    assert status == 200, answer
    seen: list[dict[str, Any]] = json.loads(answer)["seen"]
    return seen


def command_line(machine: Machine, daemon: Daemon, *arguments: str) -> str:
    server = f"http://127.0.0.1:{daemon.port}"
    return machine.run(str(BINARY), *arguments, "--server", server)


def resident_kib(daemon: Daemon) -> int:
    assert daemon.process
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def forget_peak(daemon: Daemon) -> None:
    """From now on the peak counts anew (proc(5): 5 to `clear_refs`)."""
    Path(f"/proc/{daemon.pid}/clear_refs").write_text("5")


def peak_kib(daemon: Daemon) -> int:
    status = Path(f"/proc/{daemon.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def test_thirty_devices_are_seen_and_watched_with_one_command(
    lan: Lan, start_daemon: StartDaemon
) -> None:
    server, others = lan.add("server"), lan.add("others")
    daemon = start_daemon(machine=server, bind_addr="0.0.0.0", announce="True")
    program = others.start_client("announce-devices", others.ipv4, str(DEVICES))
    assert program.stdout and json.loads(program.stdout.readline()) == "announced"
    seen = scan(server, daemon)
    names = {device["name"] for device in seen}
    assert len(seen) == DEVICES, seen
    assert {"Device <b>&", "Device 7"} <= names
    assert all(device["address"].startswith(f"{others.ipv4}:") for device in seen)
    assert {device["kind"] for device in seen} >= {"Printer", "Chromecast", "Web page", "SSH"}

    chromecast = next(device["monitor"] for device in seen if device["name"] == "Device 1")
    assert chromecast["url"] == f"tcp://{others.ipv4}:8009"
    shown = command_line(server, daemon, "scan")
    assert "WATCHED" in shown and "Device 29" in shown
    done = command_line(server, daemon, "scan", "--watch")
    # Thirty names, but eight ports of one machine: what is the same target is watched under each name.
    assert f"{DEVICES} apps: {DEVICES} registered" in done, done
    again = scan(server, daemon)
    assert all(device["watched"] and device["monitor"] is None for device in again), again


def test_liars_are_bounded_escaped_and_given_back(lan: Lan, start_daemon: StartDaemon) -> None:
    server, others, liar = lan.add("server"), lan.add("others"), lan.add("liar")
    daemon = start_daemon(machine=server, bind_addr="0.0.0.0", announce="True")
    program = others.start_client("announce-devices", others.ipv4, str(DEVICES))
    assert program.stdout and json.loads(program.stdout.readline()) == "announced"
    scan(server, daemon)
    before = resident_kib(daemon)
    forget_peak(daemon)
    flood = liar.start("python3", MDNS_CLIENT, "lie", "10000")
    seen = scan(server, daemon)
    assert flood.wait(60) == 0
    addresses = {device["address"] for device in seen}
    assert len(seen) <= SEEN_MAX
    lies = [device for device in seen if device["address"] == "10.77.0.250:631"]
    assert lies, "who names a machine of this network is believed"
    assert not {one for one in addresses if one.startswith(("127.", "0.", "198."))}, addresses
    assert not [device for device in seen if device["name"].startswith("_healthchecker")]
    assert not [device for device in seen if {"\t", "\n", "\x1b"} & set(device["name"])]
    honest = [device for device in seen if device["address"].startswith(f"{others.ipv4}:")]
    assert len(honest) == DEVICES, "the liar leaves room for the others"
    peak, after = peak_kib(daemon) - before, resident_kib(daemon) - before
    print(f"a scan with 10,000 lies: at most {peak} KiB more, {after} KiB after it")
    assert peak < PEAK_MAX_KIB and after < GROWTH_MAX_KIB


def test_a_flood_of_other_answers_is_given_back(lan: Lan, start_daemon: StartDaemon) -> None:
    server, liar = lan.add("server"), lan.add("liar")
    daemon = start_daemon(machine=server, bind_addr="0.0.0.0", announce="True")
    scan(server, daemon)
    before = resident_kib(daemon)
    flood = liar.start("python3", MDNS_CLIENT, "flood", "answers", "10000")
    seen = scan(server, daemon)
    assert flood.wait(60) == 0
    assert len(seen) <= SEEN_MAX
    assert resident_kib(daemon) - before < GROWTH_MAX_KIB
    # Whoever looks around at the same time is told so.
    url = f"http://127.0.0.1:{daemon.port}/healthchecker/scan"
    first = subprocess.Popen([*server.enter(), "curl", "-s", "-X", "POST", url], stdout=subprocess.PIPE)
    second = server.fetch("POST", url)
    assert first.stdout and first.wait(30) == 0
    statuses = {second[0], 200 if b'"seen"' in first.stdout.read() else 503}
    assert statuses <= {200, 503} and 200 in statuses
