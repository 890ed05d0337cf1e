"""The older name of `healthchecker.iputils`, for programs that import it so."""

from healthchecker.iputils import findFreePort, find_free_port, get_my_ip_addr, getMyIpAddr

__all__ = ["findFreePort", "find_free_port", "getMyIpAddr", "get_my_ip_addr"]


def __getattr__(name: str) -> object:
    """A package of this name on PyPI has other things: who looks for them here must be told."""
    if name.startswith("_"):
        raise AttributeError(name)
    raise ImportError(
        "{!r} is not in this `iputils`, which is the older name of `healthchecker.iputils`. If you meant "
        "the package iputils of PyPI: one has overwritten the other; install that one again, and "
        "import from `healthchecker.iputils` where you register".format(name)
    )
