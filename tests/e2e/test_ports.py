"""Ports that are connected to, and real programs behind them."""

from __future__ import annotations

import shutil
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from daemon import BINARY, Daemon
from programs import run
from waiting import wait_for

CHECK_SECONDS = 40
SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Sshd:
    """A real SSH server on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        options = {"Port": self.port, "ListenAddress": "127.0.0.1", "HostKey": key}
        lines = [f"{name} {value}" for name, value in options.items()]
        (folder / "sshd_config").write_text("\n".join([*lines, "PidFile none", "UsePAM no", ""]))

    def start(self) -> None:
        assert SSHD
        # Debian's makes it at boot.
        Path("/run/sshd").mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", self.folder / "sshd_config"], stderr=log
            )
        wait_for(lambda: "listening" in self.log(), 10, "sshd")

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
            self.process = None

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    if SSHD is None:
        pytest.skip("there is no sshd")
    one = Sshd(tmp_path)
    one.start()
    yield one
    one.stop()


@contextmanager
def half_open() -> Iterator[socket.socket]:
    """A port whose connections stay half open: who listens takes none, and its queue is full."""
    with ExitStack() as open_ones:
        listener = open_ones.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        while True:
            one = open_ones.enter_context(socket.socket())
            one.settimeout(0.3)
            try:
                one.connect(listener.getsockname())
            except TimeoutError:
                break
        yield listener


def test_an_ssh_server_is_watched_by_its_port(daemon: Daemon, sshd: Sshd) -> None:
    url = f"tcp://127.0.0.1:{sshd.port}"
    daemon.register("NAS", url, interval=5, healthy=2)
    info = daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
    assert (info["kind"], info["url"], info["path"]) == ("tcp", url, None)
    last = info["last_check"]
    assert (last["outcome"], last["reason"], last["http_status"]) == ("pass", "connected", None)
    assert "connection closed by" in sshd.log().lower(), "left in order"
    sshd.stop()
    info = daemon.wait_for_state("NAS", "UNHEALTHY", CHECK_SECONDS)
    assert info["last_check"]["reason"] == "connection refused"
    sshd.start()
    daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)


def test_a_connection_that_stays_half_open_is_no_answer(daemon: Daemon) -> None:
    with half_open() as listener:
        port = listener.getsockname()[1]
        daemon.register("Printer", f"tcp://127.0.0.1:{port}", interval=5, timeout=2, healthy=2)
        info = daemon.wait_for_state("Printer", "UNHEALTHY", CHECK_SECONDS)
        assert info["last_check"]["reason"] == "no answer within 2 s"
        # It takes connections again.
        listener.settimeout(1)
        with suppress(TimeoutError):
            while True:
                listener.accept()[0].close()
        listener.listen(64)
        daemon.wait_for_state("Printer", "HEALTHY", CHECK_SECONDS)


def test_a_connection_that_is_reset_was_one_and_costs_nothing(daemon: Daemon) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken: list[int] = []

        def reset() -> None:
            while True:
                with suppress(OSError):
                    client, _ = listener.accept()
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    client.close()
                    taken.append(1)
                    continue
                return

        thread = threading.Thread(target=reset, daemon=True)
        thread.start()
        daemon.register("MQTT", f"tcp://127.0.0.1:{listener.getsockname()[1]}", interval=5, healthy=2)
        info = daemon.wait_for_state("MQTT", "HEALTHY", CHECK_SECONDS)
        assert (info["last_check"]["reason"], info["failures"]) == ("connected", 0)
        assert len(taken) >= 2
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def test_a_port_is_everywhere_that_an_app_is(daemon: Daemon, tmp_path: Path) -> None:
    def command(*words: object) -> str:
        done = run(BINARY, *words, "--server", daemon.base)
        assert done.code == 0, done.err
        return done.out

    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        command("monitor", "MQTT", url, "--interval", "60")
        wait_for(lambda: "pass, " in command("list"), CHECK_SECONDS, "a check")
        assert url in command("list") and url in command("info", "MQTT")
        page = daemon.get("/healthchecker/info?appname=MQTT&format=html").text
        assert url in page and "connected" in page
        kept = next(iter(daemon.get("/healthchecker/export").json()["apps"]))
        assert (kept["kind"], kept["path"], kept["expect"]) == ("tcp", None, None)
        backup = tmp_path / "backup.json"
        command("export", backup)
        assert "MQTT: would be unchanged" in command("import", backup, "--dry-run")
        # It learns to speak HTTP, and forgets it again.
        assert "url tcp://" in command("edit", "MQTT", "--url", "http://127.0.0.1:9", "--path", "/x")
        assert daemon.info("MQTT")["path"] == "/x" and daemon.info("MQTT")["interval"] == 60
        assert "url http://" in command("edit", "MQTT", "--url", url)
        assert daemon.info("MQTT")["kind"] == "tcp"
        command("stop", "MQTT")
        assert "MQTT: registered" in command("import", backup)
    daemon.stop()
    daemon.start()
    info = daemon.info("MQTT")
    assert (info["kind"], info["url"], info["interval"]) == ("tcp", url, 60)


def test_what_is_of_http_alone_is_refused(daemon: Daemon) -> None:
    fields = {"appname": "NAS", "url": "tcp://127.0.0.1:22", "expect": "200-299"}
    answer = daemon.post("/healthchecker/monitor", data=fields)
    assert (answer.status_code, answer.json()["field"]) == (400, "expect")
    answer = daemon.post("/healthchecker/monitor", data={"appname": "NAS", "url": "tcp://nas"})
    assert "such as tcp://192.168.1.20:22" in answer.json()["error"]
