"""Apps that hang, and a name service that does: the others keep their interval, and they are found."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import StartDaemon
from crowd import Crowd
from daemon import Daemon
from measure import Peak, usage
from name_server import NamedBy
from waiting import wait_for

APPS = 100
GOOD = range(APPS // 2, APPS)
INTERVAL = TIMEOUT = 5
LONG_TIMEOUT = 20
# Twice `unhealthy * interval + timeout`.
FOUND_SECONDS = 2 * (2 * INTERVAL + TIMEOUT)
# Quick apps fall due in rounds; when all of one hang, they wait for threads by turns. Alone on a machine they are
# found within 25 s, beside others a turn or two later.
A_TURN_SECONDS = TIMEOUT
# Fifty names share the few threads that ask the system, which holds each for as long as it likes: their
# turns take rounds. What is promised is that nobody else waits for them.
NAMELESS_FOUND_SECONDS = 2 * FOUND_SECONDS
# What a stolen processor may add.
STOLEN_SECONDS = 1.0
# A stack and the buffers of a check for each thread, in a build that is not optimised.
HEAP_GROWTH_MAX_KIB = 3 * 1024
IDLE_THREADS_GO_SECONDS = 10


def register(daemon: Daemon, app: int, url: str, timeout: int = TIMEOUT) -> None:
    daemon.register(f"app{app}", url, interval=INTERVAL, timeout=timeout, healthy=2)


def states(daemon: Daemon, apps: range) -> set[str]:
    """The states that these are in."""
    known = {
        app["appname"]: app["state"] for app in daemon.get("/healthchecker/status").json()["apps"]
    }
    return {known[f"app{app}"] for app in apps}


def assert_kept_their_interval(crowd: Crowd) -> float:
    worst = max(max(crowd.gaps(app)) - crowd.takes.get(app, 0.0) for app in GOOD)
    assert worst <= 1.05 * INTERVAL + STOLEN_SECONDS
    return worst


def test_fifty_apps_that_hang_delay_nobody_and_are_found(daemon: Daemon, crowd: Crowd) -> None:
    for app in range(APPS):
        register(daemon, app, crowd.url(app))
    wait_for(lambda: states(daemon, range(APPS)) == {"HEALTHY"}, 30, "a healthy household")
    before = usage(daemon.pid)
    crowd.forget()
    crowd.hanging = set(range(APPS // 2))
    begun = time.monotonic()
    hung = range(APPS // 2)
    with Peak(daemon.pid) as peak:
        wait_for(
            lambda: states(daemon, hung) == {"UNHEALTHY"},
            FOUND_SECONDS + A_TURN_SECONDS + 3 * STOLEN_SECONDS,
            "the end of all that hang",
        )
        found = time.monotonic() - begun
        time.sleep(max(0.0, FOUND_SECONDS - found))
    worst = assert_kept_their_interval(crowd)
    print(f"\nfound after {found:.1f} s; worst gap {worst:.3f} s; {before} -> {peak.seen}")
    assert states(daemon, GOOD) == {"HEALTHY"}
    assert peak.seen.heap - before.heap <= HEAP_GROWTH_MAX_KIB
    crowd.recover()
    # A stolen processor keeps some more busy at once than before: it is those of the hung apps that go.
    needed = (before.threads + peak.seen.threads) // 2
    wait_for(
        lambda: usage(daemon.pid).threads <= needed,
        TIMEOUT + INTERVAL + 2 * IDLE_THREADS_GO_SECONDS,
        "the end of threads that are not needed",
    )


def test_with_long_time_outs_those_that_answer_slowly_keep_their_interval_too(
    daemon: Daemon, crowd: Crowd
) -> None:
    crowd.takes = {app: 0.6 for app in list(GOOD)[::5]}
    for app in range(APPS):
        register(daemon, app, crowd.url(app), LONG_TIMEOUT if app not in GOOD else TIMEOUT)
    wait_for(lambda: states(daemon, range(APPS)) == {"HEALTHY"}, 30, "a healthy household")
    crowd.forget()
    crowd.hanging = set(range(APPS // 2))
    # 50 of them take 20 s each: more than 36 threads can ask every 5 s. That is said.
    late = "checks come late for want of threads"
    daemon.wait_for_log(late, 2 * LONG_TIMEOUT)
    health = daemon.get("/health").json()
    assert health["status"] == "warn"
    assert health["checks"]["checks:waiting"][0]["output"].startswith(late)
    time.sleep(LONG_TIMEOUT)
    assert_kept_their_interval(crowd)
    assert states(daemon, GOOD) == {"HEALTHY"}
    assert "healthchecker_checks_late_total 0" not in daemon.get("/metrics").text.splitlines()


@pytest.fixture
def silent_name_service() -> Iterator[str]:
    """The address of a name service that hears and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        try:
            silent.bind(("127.9.9.9", 53))
        except PermissionError:
            pytest.skip("port 53 is for root")
        yield "127.9.9.9"


def test_a_name_service_that_hangs_delays_only_those_that_need_it(
    start_daemon: StartDaemon, crowd: Crowd, silent_name_service: str, tmp_path: Path
) -> None:
    machine = NamedBy(silent_name_service, tmp_path)
    if reason := machine.why_unavailable():
        pytest.skip(reason)
    daemon = start_daemon(machine=machine)
    for app in GOOD:
        register(daemon, app, crowd.url(app))
    wait_for(lambda: states(daemon, GOOD) == {"HEALTHY"}, 30, "a healthy household")
    crowd.forget()
    begun = time.monotonic()
    nameless = range(APPS // 2)
    for app in nameless:
        register(daemon, app, crowd.url(app, host=f"app{app}.household.example"))
    wait_for(
        lambda: states(daemon, nameless) == {"UNHEALTHY"},
        NAMELESS_FOUND_SECONDS,
        "the end of all that have no name",
    )
    found = time.monotonic() - begun
    time.sleep(max(0.0, FOUND_SECONDS - found))
    worst = assert_kept_their_interval(crowd)
    print(f"\nfound after {found:.1f} s; worst gap {worst:.3f} s; {usage(daemon.pid)}")
    assert states(daemon, GOOD) == {"HEALTHY"}
    assert "household.example" in daemon.info("app0")["last_check"]["reason"]
