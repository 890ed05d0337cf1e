"""What an app needs to know about its own machine."""

import os
import socket
from typing import Tuple

__all__ = ["address_facing", "findFreePort", "find_free_port", "getMyIpAddr", "get_my_ip_addr"]

# Where the default route leads (192.0.2.0/24 and 2001:db8::/32 are for documentation, RFC 5737 and RFC
# 3849), and where Zeroconf does, for a network without a router.
_ELSEWHERE = ("192.0.2.1", "224.0.0.251", "2001:db8::1")

# Where the socket is that Werkzeug's reloader hands on to the process that serves.
_RELOADER_SOCKET = "WERKZEUG_SERVER_FD"


def get_my_ip_addr() -> str:
    """The address under which the household reaches this machine, as it stands in a URL.

    That of the interface with the default route, else of the one for multicast, else 127.0.0.1.
    Nothing is sent: to connect a datagram socket only chooses a route. Under a VPN that takes all
    of the traffic it is the VPN's: `HealthCheckerServer.monitor(port=...)` needs no address.
    """
    for there in _ELSEWHERE:
        address = address_facing(there)
        if address:
            return address
    return "127.0.0.1"


def address_facing(there: str) -> str:
    """This machine's address on the way to another, as it stands in a URL; empty if none leads there."""
    kind, unspecified = _kind(there)
    try:
        with socket.socket(kind, socket.SOCK_DGRAM) as probe:
            probe.connect((there, 9))
            address = str(probe.getsockname()[0])
    except OSError:
        return ""
    if address == unspecified or address.lower().startswith("fe80:"):
        return ""
    return "[{}]".format(address) if ":" in address else address


def _kind(address: str) -> Tuple[socket.AddressFamily, str]:
    return (socket.AF_INET6, "::") if ":" in address else (socket.AF_INET, "0.0.0.0")


def find_free_port() -> int:
    """A TCP port that nobody serves on right now.

    Under Flask's reloader two processes run the program, and the inner one serves at the port that
    the outer one chose: there it is that one.
    """
    if os.environ.get("WERKZEUG_RUN_MAIN") == "true":
        port = _port_of_reloader()
        if port:
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def _port_of_reloader() -> int:
    """The port of the socket that was handed on; 0 if there is none."""
    try:
        handed_on = socket.socket(fileno=int(os.environ[_RELOADER_SOCKET]))
    except (KeyError, ValueError, OSError):
        return 0
    try:
        return int(handed_on.getsockname()[1])
    except (OSError, IndexError, TypeError):
        return 0
    finally:
        # It is the server's: not to be closed.
        handed_on.detach()


getMyIpAddr = get_my_ip_addr
findFreePort = find_free_port
