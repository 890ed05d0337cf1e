"""An app to be watched, whose health the test decides."""

from __future__ import annotations

import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HEALTH_JSON = "application/health+json"


@dataclass(frozen=True)
class Answer:
    """What the app says. `status` 0: nothing, the connection stays open."""

    status: int = 200
    body: str = json.dumps({"status": "pass"})
    content_type: str = HEALTH_JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A request that arrived, at a time on the monotonic clock."""

    time: float
    path: str
    headers: dict[str, str]


class Target:
    """An HTTP server on a port of its own; it keeps the port while it refuses connections."""

    def __init__(self, listening: bool = True) -> None:
        self.answer = Answer()
        self.requests: list[Request] = []
        self.released = threading.Event()
        self.server = self.bound_server(0)
        self.thread: threading.Thread | None = None
        self.port = int(self.server.server_address[1])
        if listening:
            self.listens()

    @property
    def url(self) -> str:
        """The address to register."""
        return f"http://127.0.0.1:{self.port}"

    def passes(self) -> None:
        """From now on it is fine."""
        self.answers(Answer())

    def warns(self, output: str) -> None:
        """From now on it warns."""
        self.answers(Answer(body=json.dumps({"status": "warn", "output": output})))

    def fails(self, output: str) -> None:
        """From now on it says itself that it fails."""
        self.answers(Answer(body=json.dumps({"status": "fail", "output": output})))

    def hangs(self) -> None:
        """From now on it takes requests and never answers."""
        self.answers(Answer(status=0))

    def answers(self, answer: Answer) -> None:
        """From now on it says this. Those that hung get their answer too."""
        self.answer = answer
        self.released.set()
        self.released = threading.Event()
        self.listens()

    def listens(self) -> None:
        """From now on it takes connections."""
        if self.thread is None:
            self.server.server_activate()
            self.thread = threading.Thread(
                target=self.server.serve_forever, args=(0.02,), daemon=True
            )
            self.thread.start()

    def refuses(self) -> None:
        """From now on it refuses connections: its port is taken, and nobody listens."""
        if self.thread is not None:
            self.server.shutdown()
            self.thread.join()
            self.thread = None
            self.server.server_close()
            self.server = self.bound_server(self.port)

    def close(self) -> None:
        """Ends it."""
        self.refuses()
        self.released.set()
        self.server.server_close()

    def bound_server(self, port: int) -> ThreadingHTTPServer:
        """A server that is bound and does not listen yet."""
        server = ThreadingHTTPServer(("127.0.0.1", port), self.handler(), bind_and_activate=False)
        server.daemon_threads = True
        server.block_on_close = False
        server.server_bind()
        return server

    def handler(self) -> type[BaseHTTPRequestHandler]:
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                target.requests.append(Request(time.monotonic(), self.path, dict(self.headers)))
                released = target.released
                if target.answer.status == 0:
                    released.wait()
                self.say(target.answer)

            def say(self, answer: Answer) -> None:
                body = answer.body.encode()
                self.send_response(answer.status or 503)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except ConnectionError:
                    self.close_connection = True

        return Handler


class SecureTarget(Target):
    """An app that speaks TLS, with a certificate of the household's authority."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        super().__init__()

    @property
    def url(self) -> str:
        """The address to register."""
        return f"https://127.0.0.1:{self.port}"

    def bound_server(self, port: int) -> ThreadingHTTPServer:
        """The server, its connections secured when they are taken."""
        server = super().bound_server(port)
        server.socket = self.context.wrap_socket(server.socket, server_side=True)
        return server
