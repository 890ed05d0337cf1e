"""Hostile clients, on one thread and without a library: the flood must not eat the machine.

Run as a program, so that it shares no interpreter with the test that measures:

    python flood.py crowd HOST PORT SLOW SILENT SECONDS
    python flood.py broken HOST PORT COUNT
    python flood.py resets HOST PORT A_SECOND SECONDS

It prints what came of it as one line of JSON.
"""

from __future__ import annotations

import errno
import json
import random
import resource
import selectors
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count

# The clients' addresses, of this machine or of one on a `Lan`. Each has its share of the places at the gate.
ADDRESSES = 60
ON_LOOPBACK = [f"127.0.9.{1 + number}" for number in range(ADDRESSES)]
ON_LAN = [f"10.77.0.{101 + number}" for number in range(ADDRESSES)]
# Between two bytes of a slow client.
A_BYTE_EVERY = 2.0
# Broken requests at once.
AT_ONCE = 48
# Nothing of the flood waits longer for an answer.
PATIENCE = 15.0

RESET = struct.pack("ii", 1, 0)

HEAD = b"POST /healthchecker/monitor HTTP/1.1\r\nHost: a\r\n"
LONG = b"x" * 9000
BROKEN: list[bytes] = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 64,
    b"GET\r\n\r\n",
    b"GET /health\r\n\r\n",
    b"GET /health HTTP/9.9\r\n\r\n",
    b"GET /health HTTP/1.1\nHost: a\n\n",
    b"GET /health HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: \x00\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: k\xc3\xbcche\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /health HTTP/1.1\r\n: no name\r\n\r\n",
    b"GET /health HTTP/1.1\r\nA: " + LONG + b"\r\n\r\n",
    b"GET /" + LONG + b" HTTP/1.1\r\n\r\n",
    b"GET /health HTTP/1.1\r\n" + b"A: b\r\n" * 100 + b"\r\n",
    b"\r\n" * 40,
    b"BREW /coffee HTTP/1.1\r\n\r\n",
    b"TRACE / HTTP/1.1\r\n\r\n",
    HEAD + b"Content-Length: 9000000000000000000\r\n\r\n",
    HEAD + b"Content-Length: -1\r\n\r\n",
    HEAD + b"Content-Length: 0x10\r\n\r\n",
    HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    HEAD + b"Content-Length: 17000\r\n\r\n" + b"y" * 3000,
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: identity, chunked\r\nContent-Length: 5\r\n\r\nhello",
    HEAD + b"Content-Length: 5\r\n\r\nappna",
    HEAD + b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\":[[[[",
    # As deep as a body can be: it must not come to the end of a stack.
    HEAD + b"Content-Length: 16000\r\n\r\n{\"appname\":" + b"[" * 15_989,
    HEAD + b"Content-Length: 16000\r\n\r\n{\"a\":" + b"{\"a\":" * 3_199,
    b"GET /healthchecker/info?appname=%00%ff HTTP/1.1\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\n\r\n",
]


def open_descriptors(wanted: int) -> None:
    """A crowd needs more than the usual 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, most), most))


class Client:
    """One connection."""

    def __init__(self, server: tuple[str, int], number: int) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        # Without this option the kernel picks a port before it knows where to, and runs out of them.
        self.socket.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        addresses = ON_LOOPBACK if server[0].startswith("127.") else ON_LAN
        self.socket.bind((addresses[number % ADDRESSES], 0))
        self.begun_at = time.monotonic()
        self.heard = b""
        code = self.socket.connect_ex(server)
        if code not in (0, errno.EINPROGRESS):
            self.socket.close()
            raise OSError(code, "connect")

    def send(self, data: bytes) -> None:
        """Sends what fits."""
        with suppress(OSError):
            self.socket.send(data)

    def listen(self) -> bool:
        """Takes what has come; false at the end."""
        try:
            data = self.socket.recv(4096)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.heard += data
        return bool(data)

    def status(self) -> str:
        """The status code of the answer; `none` when there was none."""
        return self.heard[9:12].decode() if self.heard.startswith(b"HTTP/1.1 ") else "none"


def crowd(server: tuple[str, int], slow: int, silent: int, seconds: float) -> dict[str, object]:
    """`slow` clients that send a byte now and then, `silent` ones that send none; whoever is thrown
    out comes back. Spread over many addresses."""
    open_descriptors(slow + silent + 100)
    request = b"POST /healthchecker/monitor HTTP/1.1\r\nHost: a\r\nX-Slow: " + b"z" * 1000
    selector = selectors.DefaultSelector()
    numbers = count()
    opened = ended = 0
    # How far each slow client has come, in the order of its next byte.
    turns: list[tuple[float, Client, int]] = []
    until = time.monotonic() + seconds
    missing = [True] * slow + [False] * silent
    kind: dict[Client, bool] = {}
    while (now := time.monotonic()) < until:
        for _ in range(min(len(missing), 40)):
            is_slow = missing.pop()
            try:
                client = Client(server, next(numbers))
            except OSError:
                missing.append(is_slow)
                break
            opened += 1
            kind[client] = is_slow
            selector.register(client.socket, selectors.EVENT_READ, client)
            if is_slow:
                turns.append((now + random.uniform(0, A_BYTE_EVERY), client, 0))
        for key, _ in selector.select(0.02):
            client = key.data
            if not client.listen():
                selector.unregister(client.socket)
                client.socket.close()
                missing.append(kind.pop(client))
                ended += 1
        later = []
        for at, client, sent in turns:
            if client not in kind:
                continue
            if at <= now:
                client.send(request[sent : sent + 1])
                at, sent = now + A_BYTE_EVERY, sent + 1
            later.append((at, client, sent))
        turns = later
    return {"opened": opened, "ended": ended, "connected": len(kind)}


def talk(
    server: tuple[str, int], messages: Iterator[bytes], at_once: int, done: Callable[[Client], None]
) -> None:
    """Sends each message on a connection of its own, `at_once` at a time, and hears the answer."""
    selector = selectors.DefaultSelector()
    numbers = count()
    running: set[Client] = set()
    more = True
    while more or running:
        while more and len(running) < at_once:
            message = next(messages, None)
            if message is None:
                more = False
                break
            client = Client(server, next(numbers))
            running.add(client)
            selector.register(client.socket, selectors.EVENT_WRITE, (client, message))
        for key, _ in selector.select(1.0):
            client, message = key.data
            if message:
                client.send(message)
                selector.modify(client.socket, selectors.EVENT_READ, (client, b""))
            elif not client.listen():
                end(selector, client, running, done)
        for client in [one for one in running if time.monotonic() - one.begun_at > PATIENCE]:
            end(selector, client, running, done)


def end(
    selector: selectors.BaseSelector,
    client: Client,
    running: set[Client],
    done: Callable[[Client], None],
) -> None:
    selector.unregister(client.socket)
    client.socket.close()
    running.remove(client)
    done(client)


def broken(server: tuple[str, int], total: int) -> dict[str, object]:
    """Sends `total` broken requests of all kinds; how many were answered with what."""
    statuses: Counter[str] = Counter()

    def done(client: Client) -> None:
        statuses[client.status()] += 1

    messages = (BROKEN[n % len(BROKEN)] for n in range(total))
    talk(server, messages, AT_ONCE, done)
    return {"statuses": dict(statuses)}


def resets(server: tuple[str, int], a_second: int, seconds: float) -> dict[str, object]:
    """Connects, says something or nothing, and resets the connection, again and again."""
    said = [b"", b"GET /hea", b"GET /health HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]
    begun, made = time.monotonic(), 0
    while made < a_second * seconds:
        wait = begun + made / a_second - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        for _ in range(10):
            with socket.socket() as client:
                client.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
                client.bind((ON_LOOPBACK[made % ADDRESSES], 0))
                client.settimeout(PATIENCE)
                client.connect(server)
                client.sendall(said[made % len(said)])
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            made += 1
    return {"made": made, "a_second": round(made / (time.monotonic() - begun))}


def main(kind: str, host: str, port: str, *numbers: str) -> None:
    """The command line."""
    server = (host, int(port))
    values = [int(number) for number in numbers]
    kinds: dict[str, Callable[..., dict[str, object]]] = {
        "crowd": crowd,
        "broken": broken,
        "resets": resets,
    }
    print(json.dumps(kinds[kind](server, *values)))


if __name__ == "__main__":
    main(*sys.argv[1:])
