"""Finds the server by Zeroconf (RFC 6762, RFC 6763)."""

import re
import selectors
import socket
import threading
import time
from typing import TYPE_CHECKING, Iterable, List, Optional, Tuple

if TYPE_CHECKING:
    from zeroconf import Zeroconf

TYPE = "_http._tcp.local."
# The one name that clients ask for. A second server on the same network is renamed (RFC 6762,
# section 9).
NAME = "_healthchecker." + TYPE
RENAMED = re.compile(r"_healthchecker \(\d+\)\." + re.escape(TYPE))

# How long a server is looked for, all of it: Wi-Fi loses some questions and some handshakes.
FIND_SECONDS = 5.0
# For so long only the one of the plain name is looked for.
PLAIN_SECONDS = 2.0
# How long the addresses of one announcement have to take a connection before the next try.
CONNECT_SECONDS = 1.0
# So much earlier than IPv6 is IPv4 tried (RFC 8305, section 5, the other way round).
HEAD_START_SECONDS = 0.25
RANKS = (0, 1, 2)
# Between two tries: what was announced and not there comes back, at another address perhaps.
PAUSE_SECONDS = 0.25
# The most addresses of one announcement that are tried: a server with Docker has a dozen.
ADDRESSES_MAX = 16
# The most announcements of renamed servers that are looked at.
OTHERS_MAX = 8

Address = Tuple[str, int]


class CannotSearch(Exception):
    """This machine cannot look for a server; the text says why."""


class TakesNoConnection(Exception):
    """A server is announced, and not there; the text says where."""


def find() -> Optional[str]:
    """The address of the server, `http://ADDRESS:PORT`; None if nobody announces one.

    Raises `CannotSearch` and `TakesNoConnection`, within `FIND_SECONDS` or so.
    """
    # On a thread of its own: a caller inside an event loop must not be seen by zeroconf.
    search = _Search()
    thread = threading.Thread(target=search.run, name="healthchecker-find", daemon=True)
    try:
        thread.start()
    except RuntimeError as why:
        # A program that ends can start none.
        raise CannotSearch(str(why)) from None
    thread.join()
    if search.trouble is not None:
        raise search.trouble
    return search.found


class _Search:
    def __init__(self) -> None:
        self.found: Optional[str] = None
        self.trouble: Optional[Exception] = None

    def run(self) -> None:
        try:
            self.found = _search()
        except TakesNoConnection as why:
            self.trouble = why
        # Whatever zeroconf raises, an app must not end of it.
        except Exception as why:
            self.trouble = CannotSearch(str(why) or type(why).__name__)


def _search() -> Optional[str]:
    from zeroconf import ServiceBrowser

    begun = time.monotonic()
    until = begun + FIND_SECONDS
    silent: List[Address] = []
    zeroconf = _open()
    try:
        others = _Others()
        ServiceBrowser(zeroconf, TYPE, listener=others)  # type: ignore[arg-type]
        while True:
            names = [NAME]
            if time.monotonic() - begun >= PLAIN_SECONDS:
                names += sorted(others.names)[:OTHERS_MAX]
            for name in names:
                announced = _announced(zeroconf, name, until)
                taken = _first_taken(announced, min(until, time.monotonic() + CONNECT_SECONDS))
                if taken is not None:
                    return _url(taken)
                silent = announced or silent
            left = until - time.monotonic()
            if left <= 0:
                break
            time.sleep(min(PAUSE_SECONDS, left))
    finally:
        zeroconf.close()
    if silent:
        raise TakesNoConnection(", ".join(_url(address) for address in silent[:3]))
    return None


def _open() -> "Zeroconf":
    """By both families: left to itself, zeroconf asks by IPv4 alone."""
    from zeroconf import IPVersion, Zeroconf

    try:
        return Zeroconf(ip_version=IPVersion.All)
    except OSError:
        # A kernel without IPv6.
        return Zeroconf()


class _Others:
    """Hears of renamed servers while the first is looked for."""

    def __init__(self) -> None:
        self.names: List[str] = []

    def add_service(self, zeroconf: object, service_type: str, name: str) -> None:
        if RENAMED.fullmatch(name) and name not in self.names:
            self.names.append(name)

    def update_service(self, zeroconf: object, service_type: str, name: str) -> None:
        self.add_service(zeroconf, service_type, name)

    def remove_service(self, zeroconf: object, service_type: str, name: str) -> None:
        if name in self.names:
            self.names.remove(name)


def _announced(zeroconf: "Zeroconf", name: str, until: float) -> List[Address]:
    """Where the server of this name says that it is."""
    milliseconds = int(min(PLAIN_SECONDS, max(until - time.monotonic(), 0)) * 1000)
    info = zeroconf.get_service_info(TYPE, name, milliseconds)
    if info is not None and all(":" in address for address in info.parsed_scoped_addresses()):
        # The first answer is enough for zeroconf; that of the other family may be on its way.
        time.sleep(HEAD_START_SECONDS)
        info = zeroconf.get_service_info(TYPE, name, milliseconds) or info
    if info is None or not info.port:
        return []
    return [(address, info.port) for address in _by_preference(info.parsed_scoped_addresses())]


def _by_preference(addresses: Iterable[str]) -> List[str]:
    """IPv4 first: every household has it. Link-local IPv6 last, and only with its interface."""
    usable = [one for one in addresses if "%" in one or not one.lower().startswith("fe80:")]
    return sorted(usable, key=_rank)[:ADDRESSES_MAX]


def _rank(address: str) -> int:
    return RANKS[-1] if "%" in address else int(":" in address)


def _first_taken(addresses: List[Address], until: float) -> Optional[Address]:
    """The first address that takes a connection: all of IPv4 are tried side by side, a moment later
    those of IPv6, and then those that are link-local, at which no app can be registered."""
    with selectors.DefaultSelector() as waiting:
        try:
            for rank in RANKS:
                for address in addresses:
                    if _rank(address[0]) == rank:
                        _begin(waiting, address)
                wait = CONNECT_SECONDS if rank == RANKS[-1] else HEAD_START_SECONDS
                taken = _wait_for_one(waiting, min(until, time.monotonic() + wait))
                if taken is not None:
                    return taken
            return None
        finally:
            for key in list(waiting.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]


def _wait_for_one(waiting: selectors.BaseSelector, until: float) -> Optional[Address]:
    while waiting.get_map():
        left = until - time.monotonic()
        if left <= 0:
            break
        for key, _ in waiting.select(left):
            waiting.unregister(key.fileobj)
            tried: socket.socket = key.fileobj  # type: ignore[assignment]
            with tried:
                if tried.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    return key.data  # type: ignore[no-any-return]
    return None


def _begin(waiting: selectors.BaseSelector, address: Address) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        one = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return
    one.setblocking(False)
    try:
        # The interface of a link-local address is a field of its own.
        numeric = socket.AI_NUMERICHOST
        one.connect(socket.getaddrinfo(*address, family, socket.SOCK_STREAM, 0, numeric)[0][4])
    except BlockingIOError:
        pass
    except OSError:
        one.close()
        return
    waiting.register(one, selectors.EVENT_WRITE, address)


def _url(address: Address) -> str:
    # In a URL the interface stands behind %25 (RFC 6874).
    host = "[{}]".format(address[0].replace("%", "%25")) if ":" in address[0] else address[0]
    return "http://{}:{}".format(host, address[1])
