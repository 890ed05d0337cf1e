"""Whatever clients send: checks go on in time, the next client is served, memory stays small.

The figures of a run are printed (`pytest -s`). What is asserted leaves room for a slow, shared machine.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import Any

import pytest
import requests

from conftest import StartDaemon
from crowd import Crowd
from daemon import Daemon
from measure import Peak, Usage, peak_over, usage
from waiting import wait_for

HERE = Path(__file__).parent

APPS = 20
INTERVAL = 5
# FLOOD_SECONDS=30 is the long form.
FLOOD_SECONDS = int(os.environ.get("FLOOD_SECONDS", "12"))
BROKEN_REQUESTS = 100_000
SLOW, SILENT = 1_500, 300
RESETS_A_SECOND = 1_000

MIB = 1024
GROWTH_MAX = 2 * MIB
# What a stolen processor may add to a gap or an answer.
STOLEN_SECONDS = 1.0
# The HTTP library may start a thread for a connection before the last one's has gone to rest.
SPARE_THREADS = 4
# After that an idle thread of the HTTP library or the pool has gone.
THREADS_GO_SECONDS = 16

# A flood takes all that the machine has.
pytestmark = pytest.mark.alone

Flood = subprocess.Popen[str]


def start_flood(kind: str, daemon: Daemon, *numbers: int) -> Flood:
    command = [sys.executable, str(HERE / "flood.py"), kind, daemon.host, str(daemon.port)]
    return subprocess.Popen(
        [*command, *map(str, numbers)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def outcome(flood: Flood, seconds: float = 150) -> dict[str, Any]:
    """Waits for the end of a flood; what came of it."""
    out, err = flood.communicate(timeout=seconds)
    assert flood.returncode == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def watch(daemon: Daemon, crowd: Crowd, apps: int, interval: int = INTERVAL) -> None:
    """Registers the apps of a crowd, and waits until each has found its place."""
    for app in range(apps):
        daemon.register(f"app{app}", crowd.url(app), interval=interval, timeout=5, healthy=2)
    wait_for(lambda: len(crowd.asked) >= apps, 10, "a check of each app")
    time.sleep(interval)


def warm_up(daemon: Daemon) -> None:
    """What is used for the first time is loaded, and counts as growth no more."""
    outcome(start_flood("broken", daemon, 600))
    outcome(start_flood("resets", daemon, 200, 1))


def assert_on_time(crowd: Crowd, apps: Iterator[int] | range, seconds: float) -> float:
    """No check of these was lost in the last seconds, and none came late; the worst gap."""
    worst = 0.0
    for app in apps:
        gaps = crowd.gaps(app)
        assert len(gaps) >= int(seconds / INTERVAL) - 1, f"app{app}: checks were lost: {gaps}"
        worst = max(worst, *gaps)
    assert worst <= 1.05 * INTERVAL + STOLEN_SECONDS, f"a gap of {worst:.3f} s"
    return worst


def assert_no_growth(before: Usage, peak: Usage) -> None:
    assert peak.resident - before.resident <= GROWTH_MAX, f"{before} {peak}"


def assert_nothing_left(daemon: Daemon, before: Usage) -> None:
    """Threads and descriptors go back to what they were."""
    wait_for(
        lambda: (now := usage(daemon.pid)).descriptors <= before.descriptors
        and now.threads <= before.threads,
        THREADS_GO_SECONDS + 10,
        f"the end of all threads and connections of the flood (before it: {before})",
    )


@dataclass
class Answers:
    """How an honest client fared."""

    took: list[float] = field(default_factory=list)
    dropped: int = 0

    def __str__(self) -> str:
        took = [seconds * 1e3 for seconds in self.took]
        median, worst = statistics.median(took), max(took)
        return (
            f"{len(took)} answers, {self.dropped} dropped; median {median:.1f} ms, "
            f"worst {worst:.1f} ms"
        )


def ask_again_and_again(daemon: Daemon, flood: Flood) -> Answers:
    """Asks as an honest client does, until the flood is over."""
    answers = Answers()
    while flood.poll() is None:
        begun = time.monotonic()
        try:
            assert daemon.get("/health").status_code == 200
            answers.took.append(time.monotonic() - begun)
        except requests.ConnectionError:
            answers.dropped += 1
        time.sleep(0.05)
    return answers


def assert_served(answers: Answers) -> None:
    """Every request was answered, and hardly later than usual."""
    assert answers.dropped == 0
    assert max(answers.took) <= 1 + STOLEN_SECONDS
    assert statistics.median(answers.took) <= 0.1


def test_a_crowd_of_slow_and_silent_clients_harms_nobody(daemon: Daemon, crowd: Crowd) -> None:
    watch(daemon, crowd, APPS)
    warm_up(daemon)
    before = peak_over(daemon.pid, 2)
    crowd.forget()
    with Peak(daemon.pid) as peak:
        flood = start_flood("crowd", daemon, SLOW, SILENT, FLOOD_SECONDS)
        answers = ask_again_and_again(daemon, flood)
    worst_gap = assert_on_time(crowd, range(APPS), FLOOD_SECONDS)
    print(f"\n{outcome(flood)}; {answers}; worst gap {worst_gap:.3f} s; {before} -> {peak.seen}")
    assert_served(answers)
    assert_no_growth(before, peak.seen)
    assert peak.seen.threads <= before.threads + SPARE_THREADS
    assert_nothing_left(daemon, before)


def test_broken_requests_are_refused_and_leave_nothing_behind(daemon: Daemon, crowd: Crowd) -> None:
    watch(daemon, crowd, APPS)
    warm_up(daemon)
    before = peak_over(daemon.pid, 2)
    begun = time.monotonic()
    with Peak(daemon.pid) as peak:
        statuses = outcome(start_flood("broken", daemon, BROKEN_REQUESTS))["statuses"]
    print(f"\n{time.monotonic() - begun:.1f} s; {statuses}; {before} -> {peak.seen}")
    # Those that are HTTP and wrong otherwise are the API's to refuse: 400 and 404. No other 5xx than
    # the gate's own.
    assert set(statuses) <= {"400", "404", "405", "413", "431", "501", "503"}
    assert sum(statuses.values()) == BROKEN_REQUESTS
    assert_no_growth(before, peak.seen)
    assert_nothing_left(daemon, before)
    assert daemon.get("/healthchecker/status").json()["server"]["apps"]["unhealthy"] == 0


def test_a_thousand_resets_a_second_leave_nothing_behind(daemon: Daemon, crowd: Crowd) -> None:
    watch(daemon, crowd, APPS)
    warm_up(daemon)
    before = peak_over(daemon.pid, 2)
    crowd.forget()
    with Peak(daemon.pid) as peak:
        flood = start_flood("resets", daemon, RESETS_A_SECOND, FLOOD_SECONDS)
        answers = ask_again_and_again(daemon, flood)
    worst_gap = assert_on_time(crowd, range(APPS), FLOOD_SECONDS)
    print(f"\n{outcome(flood)}; {answers}; worst gap {worst_gap:.3f} s; {before} -> {peak.seen}")
    assert_served(answers)
    assert_no_growth(before, peak.seen)
    assert_nothing_left(daemon, before)


def refusal(daemon: Daemon, request: bytes) -> bytes:
    """What the daemon says to these bytes."""
    with socket.create_connection((daemon.host, daemon.port), timeout=20) as client:
        client.sendall(request)
        answer = b""
        while data := client.recv(4096):
            answer += data
        return answer


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"TRACE / HTTP/1.1\r\n\r\n", 405),
        (b"GET /half", 408),
        (b"POST / HTTP/1.1\r\nContent-Length: 9000000000000000000\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 9000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    ],
)
def test_the_gate_says_what_is_wrong(daemon: Daemon, request_: bytes, status: int) -> None:
    answer = refusal(daemon, request_)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
    head, body = answer.split(b"\r\n\r\n")
    assert b"Connection: close" in head and json.loads(body)["error"]


class Ulimit:
    """A machine that allows few open files."""

    def __init__(self, files: int) -> None:
        self.files = files

    def enter(self) -> list[str]:
        """What goes before a command that is to run there."""
        return ["sh", "-c", f'ulimit -n {self.files} && exec "$@"', "sh"]


def test_with_64_descriptors_checks_go_on_in_a_flood(
    start_daemon: StartDaemon, crowd: Crowd
) -> None:
    daemon = start_daemon(machine=Ulimit(64))
    daemon.wait_for_log("only 64 files may be open", 5)
    apps = 100
    watch(daemon, crowd, apps)
    crowd.forget()
    with Peak(daemon.pid) as peak:
        flood = start_flood("crowd", daemon, SLOW, SILENT, FLOOD_SECONDS)
        answers = ask_again_and_again(daemon, flood)
    worst_gap = assert_on_time(crowd, range(apps), FLOOD_SECONDS)
    print(f"\n{answers}; worst gap {worst_gap:.3f} s; {peak.seen}")
    assert peak.seen.descriptors < 64
    outcome(flood)
    states = {app["state"] for app in daemon.get("/healthchecker/status").json()["apps"]}
    assert states == {"HEALTHY"}
    assert "Too many open files" not in daemon.log()


def allow(daemon: Daemon, files: int) -> None:
    """From now on it may have so many open files."""
    _, most = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (files, most))


def test_it_recovers_when_the_system_had_no_descriptor_left(
    daemon: Daemon, crowd: Crowd
) -> None:
    watch(daemon, crowd, 2)
    usual, _ = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
    allow(daemon, 3)
    # Accepting fails: the client waits in the system's queue.
    with socket.create_connection((daemon.host, daemon.port), timeout=20) as client:
        client.sendall(b"GET /health HTTP/1.1\r\n\r\n")
        daemon.wait_for_log("cannot accept a connection", 5)
        # The HTTP library behind the gate fails too, and its accept thread ends for good.
        (private,) = glob(f"/tmp/healthchecker-{daemon.pid}-*/api-*")
        with suppress(OSError), socket.socket(socket.AF_UNIX) as inner:
            inner.connect(private)
            inner.settimeout(5)
            inner.recv(1)
        # No check can be made: that says nothing about the apps.
        time.sleep(INTERVAL)
        allow(daemon, usual)
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    daemon.wait_for_log("HTTP server ended .* and was started again", 5)
    crowd.forget()
    wait_for(lambda: len(crowd.asked) == 2, 2 * INTERVAL, "checks of both apps")
    # Any other panic fails the test.
    daemon.lines = [line for line in daemon.lines if "/tiny_http-" not in line]
    assert [daemon.info(f"app{app}")["failures"] for app in range(2)] == [0, 0]
