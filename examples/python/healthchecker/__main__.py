"""`python -m healthchecker`: where the server is, and what stands in the way of finding it."""

import importlib.util
import sys
from pathlib import Path
from typing import Iterator

from .iputils import get_my_ip_addr
from .server import HealthCheckerServer

# The older names of this package, which two packages on PyPI have, too.
ALIASES = ("healthcheck", "iputils")


def strangers() -> Iterator[str]:
    """The older names that lead to somebody else's package, and where that is."""
    here = Path(__file__).resolve().parent.parent
    for name in ALIASES:
        found = importlib.util.find_spec(name)
        origin = Path(found.origin).resolve() if found is not None and found.origin else None
        if origin is None:
            yield "{} is not there: something has removed it".format(name)
        elif origin.parent.parent != here:
            yield "{} is somebody else's: {}".format(name, origin)


def main() -> int:
    """Says it; 0 when a server is found, 1 when not."""
    for stranger in strangers():
        print("{}; import from `healthchecker` instead".format(stranger))
    server = HealthCheckerServer(app="")
    url = server.url()
    if not url:
        print(server.error())
        return 1
    print("server: {}".format(url))
    print("this machine, as it is reached from there: {}".format(server.my_address() or get_my_ip_addr()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
