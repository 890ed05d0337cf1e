"""Registers an app with HealthChecker, and answers its health checks.

    from healthchecker import HealthCheckerServer

    HealthCheckerServer(app="NAS").monitor(port=8080, emailAddr="me@example.org")

Nothing in here raises because of the network: the answer is an HTTP status, 503 when no server was
reached. Why is said by `HealthCheckerServer.error`, and logged as a warning of `healthchecker`.
`python -m healthchecker` says which server is found, and what is in the way.
"""

from .response import HealthCheckResponse, HealthStatus
from .server import HealthCheckerServer

__all__ = ["HealthCheckResponse", "HealthCheckerServer", "HealthStatus"]
