"""What the script can do: start a program, talk to it, wait for it. What it says is recorded."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiosmtpd.smtp import SMTP, Envelope

from daemon import Daemon
from recording import Recording, visible
from smtp_server import HOST, SmtpServer
from target import Target
from waiting import wait_for

# The script's own questions come from here: how often it asks is chance, and not in the recording.
PEEKER = "127.0.0.9"
# What the script waits for comes within a second or two; newcomers are gathered for ten.
SECONDS = 60
FORM = "application/x-www-form-urlencoded"
BROWSER = {"Accept": "text/html,application/xhtml+xml", "User-Agent": "Mozilla/5.0"}
# A mailbox that no longer exists.
GONE = "gone@home.example"


class MailServer(SmtpServer):
    """One that knows everybody but `GONE`."""

    async def handle_RCPT(
        self, server: SMTP, session: object, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Called by aiosmtpd for each recipient."""
        if address == GONE:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options += options
        return "250 OK"


class Stage:
    """One program, the apps that it watches, and the mail server that it tells."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.program = program
        self.folder = folder
        self.recording = Recording()
        self.recording.call(folder, "FOLDER")
        self.recording.call(program, "PROGRAM")
        self.made = ExitStack()
        self.apps: dict[str, Target] = {}
        self.told = 0

    @contextmanager
    def serving(self, name: str, **options: object) -> Iterator[None]:
        """A daemon, as long as it is needed."""
        self.recording.heading(f"a daemon: {name}")
        program, variables = [str(self.program)], {"TMPDIR": str(self.folder)}
        self.daemon = Daemon(self.folder / name, program=program, variables=variables, **options)
        self.made.callback(self.daemon.kill)
        self.daemon.start()
        self.recording.call(self.daemon.port, f"PORT-OF-{name.upper()}")
        try:
            yield
        finally:
            self.end_and_say_log()

    def new_app(self, name: str, listening: bool = True) -> Target:
        """An app to be watched, with a name for its port."""
        app = self.apps[name] = Target(listening)
        self.made.callback(app.close)
        self.recording.call(app.port, f"PORT-OF-APP-{len(self.apps)}")
        return app

    def command(self, *arguments: str, **variables: str) -> None:
        """Runs the program, and records what it prints and how it ends."""
        self.recording.heading(f"healthchecker {' '.join(arguments)}")
        ended = subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
        )
        for stream, said in (("out", ended.stdout), ("err", ended.stderr)):
            self.recording.say(
                "".join(f"{stream}: {line}\n" for line in visible(said).splitlines())[:-1]
            )
        self.recording.say(f"exit code {ended.returncode}")

    def get(self, path: str, headers: dict[str, str] | None = None) -> None:
        """One GET."""
        self.exchange("GET", path, None, headers)

    def post(
        self, what: str, fields: Mapping[str, object], headers: dict[str, str] | None = None
    ) -> None:
        """A form."""
        body = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in fields.items())
        self.exchange(
            "POST", f"/healthchecker/{what}", body, {"Content-Type": FORM, **(headers or {})}
        )

    def exchange(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        """One request, and its answer byte for byte."""
        fields = {"Host": f"{HOST}:{self.daemon.port}", **(headers or {})}
        sent = (body or "").encode()
        if body is not None:
            fields["Content-Length"] = str(len(sent))
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.raw(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + sent)

    def raw(self, request: bytes) -> None:
        """Bytes that ought to be a request, and the answer to them."""
        shown = request if len(request) < 2_000 else request[:200] + b"..."
        head, _, body = shown.partition(b"\r\n\r\n")
        self.recording.heading(
            "; ".join(visible(part).replace("\\r\n", "; ") for part in (head, body) if part)
        )
        with socket.create_connection((HOST, self.daemon.port), SECONDS) as client:
            client.sendall(request)
            answer = b"".join(iter(lambda: client.recv(65_536), b""))
        self.recording.answer(answer)

    def show(self, name: str) -> None:
        """One app, as it is shown everywhere."""
        at = f"/healthchecker/info?appname={quote(name)}"
        self.get(at)
        self.get(at, BROWSER)
        self.get(f"/healthchecker/log?appname={quote(name)}&limit=5")

    def show_all(self) -> None:
        """The whole household."""
        for path in (
            "/",
            "/healthchecker/status",
            "/healthchecker/status?format=html",
            "/healthchecker/log",
            "/healthchecker/export",
            "/health",
            "/metrics",
            "/openapi.json",
        ):
            self.get(path)
        self.get("/", BROWSER)
        self.exchange("HEAD", "/healthchecker/status")
        for name in self.watched():
            self.get(f"/healthchecker/info?appname={quote(name)}", BROWSER)

    def check(self, name: str) -> None:
        """Asks for a check, and waits for its verdict."""
        with self.checked(name):
            self.post("check", {"appname": name})

    @contextmanager
    def checked(self, name: str) -> Iterator[None]:
        """What is done within brings about a check, whose verdict is waited for."""
        # One that is forgiven does not count, but is seen.
        before = self.checks_of(name)
        yield
        wait_for(lambda: self.checks_of(name) != before, SECONDS, f"a check of {name}")

    def wait_for_first_check(self, name: str, headers: dict[str, str] | None = None) -> None:
        wait_for(lambda: self.checks_of(name, headers)[1], SECONDS, f"the first check of {name}")

    def checks_of(self, name: str, headers: dict[str, str] | None = None) -> tuple[object, object]:
        info = self.peek(f"/healthchecker/info?appname={quote(name)}", headers)
        return info["checks"], info["last_check"]

    def watched(self) -> list[str]:
        return [app["appname"] for app in self.peek("/healthchecker/status")["apps"]]

    def peek(self, path: str, headers: dict[str, str] | None = None) -> Any:
        """JSON that the script itself wants to know."""
        client = HTTPConnection(HOST, self.daemon.port, SECONDS, source_address=(PEEKER, 0))
        with closing(client):
            client.request("GET", path, headers=headers or {})
            return json.load(client.getresponse())

    def wait_for_log(self, pattern: str, what: str) -> None:
        self.recording.heading(f"waiting for {what}")
        self.daemon.wait_for_log(pattern, SECONDS)

    def mails(self, count: int, what: str) -> None:
        """Waits for so many mails more, and records them byte for byte."""
        self.recording.heading(f"mails: {what}")
        wait_for(lambda: len(self.mailbox.envelopes) >= self.told + count, SECONDS, what)
        new = self.mailbox.envelopes[self.told :]
        self.told += len(new)
        for envelope in sorted(new, key=lambda envelope: envelope.rcpt_tos):
            assert isinstance(envelope.original_content, bytes)
            self.recording.say(f"MAIL FROM:{envelope.mail_from} {envelope.mail_options}")
            self.recording.say(f"RCPT TO:{envelope.rcpt_tos} {envelope.rcpt_options}")
            self.recording.mail(envelope.original_content)

    def end_and_say_log(self) -> None:
        """Ends the daemon, and records all that it logged."""
        try:
            self.daemon.close()
        finally:
            self.recording.heading("log lines")
            lines = [line for line in self.daemon.lines if f" {PEEKER} " not in line]
            self.recording.log(lines)

    def asked_of_apps(self) -> None:
        """What the apps were sent."""
        for name, app in self.apps.items():
            self.recording.heading(f"what {name} was asked")
            asked = [f"GET {request.path} {request.headers}" for request in app.requests]
            for words, again in groupby(asked):
                self.recording.say(f"{len(list(again))} times {words}")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
