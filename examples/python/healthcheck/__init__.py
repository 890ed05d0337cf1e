"""Registers an app with HealthChecker, and answers its health checks.

    from healthcheck import HealthCheckerServer

    HealthCheckerServer(app="NAS", url="http://192.168.1.20:8080").monitor(emailAddr="me@example.org")

Nothing in here raises because of the network: the answer is an HTTP status, 503 when no server was
reached. Why is said by `HealthCheckerServer.error`, and logged as a warning of `healthcheck`.
"""

from .response import HealthCheckResponse, HealthStatus
from .server import HealthCheckerServer

__all__ = ["HealthCheckResponse", "HealthCheckerServer", "HealthStatus"]
