"""The apps of a household in which many are ill, each in its own way."""

from __future__ import annotations

import random
import socket
import struct
from contextlib import suppress

from crowd import PATH, Crowd

RESET = struct.pack("ii", 1, 0)


def answer(status: str, body: bytes, length: int | None = None) -> bytes:
    """An answer; `length` when it lies about it."""
    declared = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {declared}\r\n\r\n".encode() + body


# What an ill app does with a request: bytes to send, and whether it then hangs up, resets, or hangs.
ILLS: dict[str, tuple[bytes, str]] = {
    "hangs": (b"", "hang"),
    "resets": (b"", "reset"),
    "hangs up": (b"", "close"),
    "says fail": (answer("200 OK", b'{"status":"fail","output":"no\\u0000 disk\\r\\nBcc: x"}'), "close"),
    "says 503": (answer("503 Service Unavailable", b'{"status":"fail"}'), "close"),
    "warns": (answer("200 OK", b'{"status":"warn","output":"hot"}'), "close"),
    "babbles": (bytes(range(256)) * 20, "close"),
    "stops half-way": (answer("200 OK", b'{"status":', 1_000), "hang"),
    "ends early": (answer("200 OK", b'{"status":', 1_000), "close"),
    "never ends its head": (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 4_000, "hang"),
    "sends elsewhere": (
        b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n",
        "close",
    ),
    "turns in a circle": (
        b"HTTP/1.1 302 Found\r\nLocation: health\r\nContent-Length: 0\r\n\r\n",
        "close",
    ),
}


class Household(Crowd):
    """Apps of which some are ill. Apps are told apart by their numbers."""

    def __init__(self) -> None:
        self.ills: dict[int, str] = {}
        super().__init__()

    def falls_ill(self, app: int, chance: random.Random) -> str:
        """From now on the app is ill, in a way that chance decides."""
        self.ills[app] = chance.choice(sorted(ILLS))
        return self.ills[app]

    def recovers(self, app: int) -> None:
        """From now on the app is well."""
        self.ills.pop(app, None)

    def hear(self, client: socket.socket) -> None:
        """Well apps answer as in any crowd."""
        with suppress(OSError):
            found = PATH.match(client.recv(4096, socket.MSG_PEEK))
            ill = self.ills.get(int(found[1])) if found else None
            if ill is not None and client.recv(4096):
                self.be(ill, client)
                return
        super().hear(client)

    def be(self, ill: str, client: socket.socket) -> None:
        said, then = ILLS[ill]
        with suppress(OSError):
            client.send(said)
            if then == "hang":
                # Whatever comes next on it is the end.
                return
            if then == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.selector.unregister(client)
        client.close()
