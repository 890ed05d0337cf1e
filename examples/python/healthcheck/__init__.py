"""The older name of `healthchecker`, for programs that import it so."""

from healthchecker import HealthCheckerServer, HealthCheckResponse, HealthStatus

__all__ = ["HealthCheckResponse", "HealthCheckerServer", "HealthStatus"]


def __getattr__(name: str) -> object:
    """A package of this name on PyPI has other things: who looks for them here must be told."""
    if name.startswith("_"):
        raise AttributeError(name)
    raise ImportError(
        "{!r} is not in this `healthcheck`, which is the older name of `healthchecker`. If you meant the "
        "package healthcheck of PyPI: one has overwritten the other; install that one again, and "
        "import from `healthchecker` where you register".format(name)
    )
