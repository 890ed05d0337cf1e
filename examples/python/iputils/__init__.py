"""What an app needs to know about its own machine."""

import socket

__all__ = ["findFreePort", "find_free_port", "getMyIpAddr", "get_my_ip_addr"]

# Where the default route leads (192.0.2.0/24 is for documentation, RFC 5737), and where Zeroconf
# does, for a network without a router.
_ELSEWHERE = ("192.0.2.1", "224.0.0.251")


def get_my_ip_addr() -> str:
    """The address under which the household reaches this machine.

    That of the interface with the default route, else of the one for multicast, else 127.0.0.1.
    Nothing is sent: to connect a datagram socket only chooses a route.
    """
    for there in _ELSEWHERE:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((there, 9))
                address = str(probe.getsockname()[0])
            except OSError:
                continue
            if address != "0.0.0.0":
                return address
    return "127.0.0.1"


def find_free_port() -> int:
    """A TCP port that nobody serves on right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


getMyIpAddr = get_my_ip_addr
findFreePort = find_free_port
