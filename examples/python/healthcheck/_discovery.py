"""Finds the server by Zeroconf (RFC 6762, RFC 6763)."""

import re
import socket
import threading
import time
from typing import List, Optional

TYPE = "_http._tcp.local."
# The one name that clients ask for. A second server on the same network is renamed (RFC 6762,
# section 9).
NAME = "_healthchecker." + TYPE
RENAMED = re.compile(r"_healthchecker \(\d+\)\." + re.escape(TYPE))

# How long a server is looked for: Wi-Fi loses some questions.
FIND_SECONDS = 5.0
# How long an address has to take a connection before the next is tried.
CONNECT_SECONDS = 1.0


class CannotSearch(Exception):
    """This machine cannot look for a server; the text says why."""


def find() -> Optional[str]:
    """The address of the server, `http://ADDRESS:PORT`; None if there is none."""
    # On a thread of its own: a caller inside an event loop must not be seen by zeroconf.
    search = _Search()
    thread = threading.Thread(target=search.run, name="healthcheck-find", daemon=True)
    thread.start()
    thread.join()
    if search.trouble is not None:
        raise CannotSearch(search.trouble)
    return search.found


class _Search:
    def __init__(self) -> None:
        self.found: Optional[str] = None
        self.trouble: Optional[str] = None

    def run(self) -> None:
        try:
            self.found = _search()
        # Whatever zeroconf raises, an app must not end of it.
        except Exception as why:
            self.trouble = str(why) or type(why).__name__


def _search() -> Optional[str]:
    from zeroconf import ServiceBrowser, Zeroconf

    zeroconf = Zeroconf()
    try:
        others = _Others()
        ServiceBrowser(zeroconf, TYPE, listener=others)  # type: ignore[arg-type]
        found = _look_up(zeroconf, NAME, FIND_SECONDS)
        for name in [] if found else sorted(others.names):
            found = found or _look_up(zeroconf, name, CONNECT_SECONDS)
        return found
    finally:
        zeroconf.close()


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


def _look_up(zeroconf: "object", name: str, seconds: float) -> Optional[str]:
    until = time.monotonic() + seconds
    left = seconds
    while left > 0:
        info = zeroconf.get_service_info(TYPE, name, int(left * 1000))  # type: ignore[attr-defined]
        if info is None:
            return None
        for address in _by_preference(info.parsed_addresses()):
            if _takes_connection(address, info.port):
                host = "[{}]".format(address) if ":" in address else address
                return "http://{}:{}".format(host, info.port)
        # Known and not there: it may come back at another address.
        time.sleep(min(CONNECT_SECONDS, left))
        left = until - time.monotonic()
    return None


def _by_preference(addresses: List[str]) -> List[str]:
    """IPv4 first: every household has it. No link-local IPv6: a URL cannot name its interface."""
    usable = [address for address in addresses if not address.lower().startswith("fe80:")]
    return sorted(usable, key=lambda address: ":" in address)


def _takes_connection(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
