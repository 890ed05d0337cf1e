"""Many apps on one thread: each answers at once or hangs, and when each was asked is noted."""

from __future__ import annotations

import heapq
import re
import selectors
import socket
import threading
import time
from collections import defaultdict
from contextlib import suppress

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/health+json\r\nContent-Length: 17\r\n"
    b'Connection: close\r\n\r\n{"status":"pass"}'
)
PATH = re.compile(rb"GET /(\d+)/health ")


class Crowd:
    """Apps on one port, told apart by their path: `url(7)` is the address of the seventh."""

    def __init__(self) -> None:
        self.listeners: dict[str, socket.socket] = {}
        self.port = 0
        self.hanging: set[int] = set()
        # Seconds that an app takes to answer.
        self.takes: dict[int, float] = {}
        # Who is to be answered when: the time, a number that differs, the connection.
        self.owed: list[tuple[float, int, socket.socket]] = []
        self.asked: dict[int, list[float]] = defaultdict(list)
        self.selector = selectors.DefaultSelector()
        self.listen("127.0.0.1")
        self.ended = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def listen(self, host: str) -> None:
        """They are at this address of our own machine, too, as if it were another one."""
        if host not in self.listeners:
            listener = socket.create_server((host, self.port), backlog=512)
            listener.setblocking(False)
            self.port = listener.getsockname()[1]
            self.listeners[host] = listener
            self.selector.register(listener, selectors.EVENT_READ)

    def url(self, app: int, host: str = "127.0.0.1") -> str:
        """The address to register."""
        return f"http://{host}:{self.port}/{app}"

    def forget(self) -> None:
        """What was asked so far no longer counts."""
        self.asked.clear()

    def gaps(self, app: int) -> list[float]:
        """The times between two checks of an app."""
        times = list(self.asked[app])
        return [after - before for before, after in zip(times, times[1:], strict=False)]

    def recover(self) -> None:
        """All are fine from now on. Those that were asked while they hung never hear."""
        self.hanging = set()

    def close(self) -> None:
        """Ends it."""
        self.ended = True
        self.thread.join()
        for key in list(self.selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self.selector.close()

    def serve(self) -> None:
        while not self.ended:
            for key, _ in self.selector.select(0.02 if self.owed else 0.1):
                assert isinstance(key.fileobj, socket.socket)
                if key.fileobj in self.listeners.values():
                    self.accept(key.fileobj)
                else:
                    self.hear(key.fileobj)
            while self.owed and self.owed[0][0] <= time.monotonic():
                self.say(heapq.heappop(self.owed)[2], ANSWER)

    def accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                client.setblocking(False)
                self.selector.register(client, selectors.EVENT_READ)

    def hear(self, client: socket.socket) -> None:
        """Notes who was asked for. What hangs is held until the other side hangs up."""
        try:
            request = client.recv(4096)
        except OSError:
            request = b""
        found = PATH.match(request)
        app = int(found[1]) if found else -1
        if found:
            self.asked[app].append(time.monotonic())
        if app in self.hanging and request:
            return
        self.selector.unregister(client)
        if request and app in self.takes:
            at = time.monotonic() + self.takes[app]
            heapq.heappush(self.owed, (at, client.fileno(), client))
        else:
            self.say(client, ANSWER if request else b"")

    def say(self, client: socket.socket, answer: bytes) -> None:
        with suppress(OSError):
            client.send(answer)
        client.close()
