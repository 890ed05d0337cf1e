"""One request over HTTP and its answer, within a time that holds for the whole."""

import http.client
import io
import time
from typing import Dict, NamedTuple, Optional
from urllib.parse import urlsplit

# The most bytes of an answer that are read: the status of 10,000 apps stays well below.
ANSWER_MAX = 64 * 1024 * 1024
# What is taken from the system at once.
PIECE = 64 * 1024


class Response(NamedTuple):
    """What came back."""

    status: int
    body: bytes


class _Received:
    """Bytes that `http.client` reads as if they came from a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object, **__: object) -> io.BytesIO:
        return io.BytesIO(self._data)


def exchange(
    method: str, base: str, target: str, headers: Dict[str, str], body: Optional[str], seconds: float
) -> Response:
    """Makes one request. The look-up of a name is the system's, which ends by itself.

    Raises `OSError`, `http.client.HTTPException` or `ValueError`: no answer, or none that is HTTP.
    """
    until = time.monotonic() + seconds
    parts = urlsplit(base)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    # The interface of a link-local address is for us alone (RFC 6874).
    host, _, zone = (parts.hostname or "").replace("%25", "%").partition("%")
    if zone:
        headers = {**headers, "Host": "[{}]:{}".format(host, parts.port or kind.default_port)}
        host = "{}%{}".format(host, zone)
    connection = kind(host, parts.port, timeout=seconds)
    try:
        connection.connect()
        connection.sock.settimeout(_left(until))
        connection.request(method, target, body, {**headers, "Connection": "close"})
        received = _receive(connection, until)
    finally:
        connection.close()
    response = http.client.HTTPResponse(_Received(received), method=method)  # type: ignore[arg-type]
    response.begin()
    return Response(response.status, response.read())


def _receive(connection: http.client.HTTPConnection, until: float) -> bytes:
    """All that comes. A time-out of the socket alone would begin anew with every byte."""
    received = bytearray()
    while len(received) < ANSWER_MAX:
        connection.sock.settimeout(_left(until))
        piece = connection.sock.recv(PIECE)
        if not piece:
            break
        received += piece
    return bytes(received)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise OSError("no whole answer in time")
    return left
