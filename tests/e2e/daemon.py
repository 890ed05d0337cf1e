"""The real binary, started, talked to and stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any, Self

import requests

from lan import Machine
from waiting import wait_for

REPOSITORY = Path(__file__).parent.parent.parent
DEFAULT = REPOSITORY / "target/debug/healthchecker"
# Its whole path: it is started in folders of its own.
BINARY = Path(os.environ.get("HEALTHCHECKER_BIN", DEFAULT)).absolute()

SERVING = re.compile(r"serving on http://(?P<host>\S+):(?P<port>\d+)/healthchecker/")

START_SECONDS = 10
STOP_SECONDS = 10
REQUEST_SECONDS = 10


class Daemon:
    """One daemon with a folder of its own; options are given by the environment.

    It may be stopped and started again: options and folder stay, the log goes on.
    """

    def __init__(
        self,
        folder: Path,
        machine: Machine | None = None,
        variables: dict[str, str] | None = None,
        program: list[str] | None = None,
        start_seconds: float = START_SECONDS,
        **options: object,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.machine = machine
        self.variables = variables or {}
        self.program = program or [str(BINARY)]
        self.start_seconds = start_seconds
        self.options: dict[str, object] = {
            "bind_addr": "127.0.0.1",
            "announce": False,
            # No test asks anybody on the internet; who wants anchors names some of its own network.
            "anchors": None,
            "state_dir": folder / "state",
            **options,
        }
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.reader: threading.Thread | None = None
        self.host = ""
        self.port = 0

    def start(self) -> Self:
        """Starts it and waits until it serves."""
        already = len(self.lines)
        self.process = subprocess.Popen(
            [*(self.machine.enter() if self.machine else []), *self.program],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self.reader = threading.Thread(target=self.collect_lines, daemon=True)
        self.reader.start()
        serving = wait_for(lambda: self.find_serving(already), self.start_seconds, "the start")
        assert isinstance(serving, re.Match), self.log()
        self.host, self.port = serving["host"], int(serving["port"])
        return self

    def environment(self) -> dict[str, str]:
        """Nothing of ours but what a program needs, the options, and what the test adds."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        given = {
            f"HEALTHCHECKER_{name.upper()}": str(value) for name, value in self.options.items()
        }
        return {**kept, "HOME": str(self.folder), **given, **self.variables}

    def collect_lines(self) -> None:
        assert self.process and self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def find_serving(self, already: int) -> re.Match[str] | bool | None:
        """The line that says where it serves; true when it ended instead."""
        found = (SERVING.search(line) for line in self.lines[already:])
        assert self.process
        return next(filter(None, found), None) or self.process.poll() is not None

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process
        return self.process.pid

    @property
    def base(self) -> str:
        """Where it serves, for a client that can reach the address it is bound to."""
        return f"http://{self.host}:{self.port}"

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request; redirects are not followed."""
        options = {"timeout": REQUEST_SECONDS, "allow_redirects": False, **options}
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.base + path, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """One GET."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        """One POST."""
        return self.request("POST", path, **options)

    def register(self, appname: str, url: str, **fields: object) -> None:
        """Registers an app, which must succeed."""
        answer = self.post(
            "/healthchecker/monitor", data={"appname": appname, "url": url, **fields}
        )
        assert answer.status_code == 200, answer.text

    def info(self, appname: str) -> dict[str, Any]:
        """One app as JSON."""
        answer = self.get("/healthchecker/info", params={"appname": appname})
        assert answer.status_code == 200, answer.text
        info: dict[str, Any] = answer.json()
        return info

    def wait_for_state(self, appname: str, state: str, seconds: float) -> dict[str, Any]:
        """Waits until the app is in `state`; the app as JSON."""
        wait_for(lambda: self.info(appname)["state"] == state, seconds, f"{appname} {state}")
        return self.info(appname)

    def wait_for_log(self, pattern: str, seconds: float) -> str:
        """Waits for a line of the log that the regular expression finds; the line."""
        return wait_for(
            lambda: next((line for line in self.lines if re.search(pattern, line)), None) or "",
            seconds,
            f"a log line like {pattern!r}",
        )

    def log(self) -> str:
        """All that it has logged."""
        return "\n".join(self.lines)

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        """Stops it in an orderly way, which must end well."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(by)
            self.wait_for_end()
            assert self.process.returncode == 0, self.log()

    def kill(self) -> None:
        """Stops it as a power cut does."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.wait_for_end()

    def wait_for_end(self) -> None:
        assert self.process and self.reader
        try:
            self.process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"did not stop within {STOP_SECONDS} s:\n{self.log()}") from None
        self.reader.join(timeout=STOP_SECONDS)

    def close(self) -> None:
        """Ends the test's use of it: stopped, and nothing in it has panicked."""
        try:
            self.stop()
        finally:
            self.kill()
        assert "panicked" not in self.log(), self.log()
