"""A daemon that is stopped for a while in the middle of its checks: its apps are not to blame."""

from __future__ import annotations

import os
import signal
import time

from conftest import StartDaemon
from crowd import Crowd
from daemon import Daemon
from waiting import wait_for

APPS = range(12)
HUNG = 12
INTERVAL = 5
TIMEOUT = 2
# So long that a check is under way at any time.
TAKES_SECONDS = 1.0
STOPPED_SECONDS = 4.0
# On a busy machine.
SOON = 15


def stop_for_a_while(daemon: Daemon, seconds: float = STOPPED_SECONDS) -> None:
    """Longer than a check may take, unless told otherwise."""
    os.kill(daemon.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(daemon.pid, signal.SIGCONT)


def test_our_own_standstill_is_not_blamed_on_the_apps(
    start_daemon: StartDaemon, crowd: Crowd
) -> None:
    daemon = start_daemon(debug=True)
    crowd.takes = dict.fromkeys(APPS, TAKES_SECONDS)
    for app in [*APPS, HUNG]:
        daemon.register(
            f"app{app}", crowd.url(app), interval=INTERVAL, timeout=TIMEOUT, healthy=2
        )
    for app in [*APPS, HUNG]:
        daemon.wait_for_state(f"app{app}", "HEALTHY", 30)

    for _ in range(2):
        crowd.forget()
        wait_for(lambda: len(crowd.asked) >= 2, INTERVAL, "checks that begin")
        # The check has begun, and is answered while we are stopped.
        time.sleep(0.3)
        stop_for_a_while(daemon)
    time.sleep(TIMEOUT + TAKES_SECONDS)
    told = {f"app{app}": daemon.info(f"app{app}") for app in APPS}
    assert {name: info["failures"] for name, info in told.items() if info["failures"]} == {}
    assert {info["state"] for info in told.values()} == {"HEALTHY"}

    # A check that nobody answered meanwhile is void, and made again at once. (While many threads are
    # held, it would be one on a short time-out, which is broken off and made in full.)
    crowd.takes = {}
    crowd.forget()
    wait_for(lambda: len(crowd.asked) > len(APPS), SOON, "a round of quick checks")
    crowd.hanging = {HUNG}
    before = len(crowd.asked[HUNG])
    wait_for(lambda: len(crowd.asked[HUNG]) > before, INTERVAL + TIMEOUT, "a check that hangs")
    stop_for_a_while(daemon)
    daemon.wait_for_log(f"app{HUNG}: no verdict.*we stood still", SOON)
    assert daemon.info(f"app{HUNG}")["failures"] == 0
    assert len(crowd.asked[HUNG]) >= before + 2
    # And what is down is found all the same, also by one that is stopped for moments all the time.
    def found() -> bool:
        stop_for_a_while(daemon, 0.4)
        time.sleep(0.4)
        return str(daemon.info(f"app{HUNG}")["state"]) == "UNHEALTHY"

    wait_for(found, 2 * (2 * INTERVAL + TIMEOUT), "the end of the app that hangs")
    assert "for want of threads" not in daemon.log()
