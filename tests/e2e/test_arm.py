"""The program of a Raspberry Pi Zero, run as its processor would: an emulated ARM1176 (ARMv6).

Not tested here, but on a whole emulated Pi Zero (test_pi_zero.py): `.local` names. This emulator does
not know `IP_MULTICAST_IF` and refuses it, so no question for a name ever leaves it.
"""

from __future__ import annotations

import email.utils
import subprocess
from pathlib import Path

import pytest

from arm import BINARY, absent, need
from conftest import NewTarget, StartDaemon
from daemon import Daemon
from smtp_server import USER, Authority, NewSmtpServer
from target import SecureTarget
from waiting import wait_for

EMULATOR = "qemu-arm-static"
# The same, as a program whose clock can be set: it asks the C library for the time.
DYNAMIC_EMULATOR = "qemu-arm"
CLOCK_SETTER = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
FAR_YEAR = 2039

# The budget (docs/size.md).
SIZE_MAX = 2.5 * 1024 * 1024

# An emulated processor takes its time, the more so on a busy machine.
START_SECONDS = 60
CHECK_SECONDS = 60
MAIL_SECONDS = 90


@pytest.fixture(autouse=True)
def needed() -> None:
    """The program and its processor."""
    need(absent(EMULATOR, "readelf"))


def emulated(emulator: str = EMULATOR) -> list[str]:
    return [emulator, "-cpu", "arm1176", str(BINARY)]


def readelf(*what: str) -> str:
    done = subprocess.run(["readelf", *what, str(BINARY)], capture_output=True, check=True)
    return done.stdout.decode()


def test_it_is_static_and_for_hard_float() -> None:
    header = readelf("--file-header")
    assert "ARM" in header and "hard-float ABI" in header and "ELF32" in header
    assert "INTERP" not in readelf("--program-headers")
    assert "no dynamic section" in readelf("--dynamic")
    # Says what the linker made of the parts; whether the processor agrees is seen by running it.
    assert "Tag_CPU_arch: v6" in readelf("--arch-specific")


def test_it_does_not_grow_by_mistake() -> None:
    assert BINARY.stat().st_size <= SIZE_MAX


def register_all(daemon: Daemon, gone: str, secure: str) -> None:
    daemon.register("Gone", gone, interval=5)
    daemon.register("Secure", secure, interval=5, healthy=2)


def test_a_household_on_it(
    start_daemon: StartDaemon,
    new_target: NewTarget,
    authority: Authority,
    new_smtp_server: NewSmtpServer,
) -> None:
    secure = SecureTarget(authority.context("127.0.0.1"))
    mailbox = new_smtp_server(security="tls")
    daemon = start_daemon(
        program=emulated(), start_seconds=START_SECONDS, email=USER, **mailbox.options()
    )
    gone = new_target()
    register_all(daemon, gone.url, secure.url)
    daemon.wait_for_state("Secure", "HEALTHY", CHECK_SECONDS)
    gone.refuses()
    before = daemon.wait_for_state("Gone", "UNHEALTHY", CHECK_SECONDS)
    subject = "[HealthChecker] Gone is UNHEALTHY"
    wait_for(lambda: subject in [mail["Subject"] for mail in mailbox.mails()], MAIL_SECONDS, subject)

    daemon.kill()
    daemon.start()
    after = daemon.info("Gone")
    assert (after["state"], after["since"]) == ("UNHEALTHY", before["since"])
    assert daemon.info("Secure")["state"] == "HEALTHY"
    secure.close()


def test_it_outlives_2038(
    start_daemon: StartDaemon, new_target: NewTarget, new_smtp_server: NewSmtpServer
) -> None:
    need(absent(DYNAMIC_EMULATOR) + ([] if CLOCK_SETTER.exists() else [str(CLOCK_SETTER)]))
    mailbox = new_smtp_server(security="none")
    daemon = start_daemon(
        program=emulated(DYNAMIC_EMULATOR),
        start_seconds=START_SECONDS,
        variables={
            "LD_PRELOAD": str(CLOCK_SETTER),
            "FAKETIME": f"@{FAR_YEAR}-02-03 04:05:06",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        },
        email=USER,
        **mailbox.options(),
    )
    gone = new_target(listening=False)
    daemon.register("Gone", gone.url, interval=5)
    before = daemon.wait_for_state("Gone", "UNHEALTHY", CHECK_SECONDS)
    assert before["since"].startswith(f"{FAR_YEAR}-02-03T04:")
    assert before["last_check"]["time"].startswith(f"{FAR_YEAR}-02-03T04:")
    (mail,) = wait_for(mailbox.mails, MAIL_SECONDS, "the mail")
    assert email.utils.parsedate_to_datetime(mail["Date"]).year == FAR_YEAR
    daemon.kill()
    daemon.start()
    assert daemon.info("Gone")["since"] == before["since"]
    assert all(line.startswith(str(FAR_YEAR)) for line in daemon.lines)
