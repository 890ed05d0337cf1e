"""What an app answers at `/health` (draft-inadarei-api-health-check-06)."""

import json
from enum import Enum
from http.server import BaseHTTPRequestHandler
from typing import Any, Dict, List, Optional, Tuple, Union

CONTENT_TYPE = "application/health+json"


class HealthStatus(Enum):
    """How an app is."""

    PASS = "pass"
    """Fine."""
    WARN = "warn"
    """Working, and somebody should look."""
    FAIL = "fail"
    """Not working."""

    def __str__(self) -> str:
        return self.value

    @property
    def code(self) -> int:
        """The HTTP status that goes with it (section 3.1 of the draft)."""
        return 503 if self is HealthStatus.FAIL else 200


class HealthCheckResponse:
    """An answer in the making: it passes until it is told otherwise.

    `build()` is for Flask; `json()`, `code()` and `headers()` are for every other framework, and
    `send()` is for `http.server`.
    """

    def __init__(self) -> None:
        self._status = HealthStatus.PASS
        self._code: Optional[int] = None
        self._cache = "no-store"
        self._members: Dict[str, Any] = {}

    def status(
        self,
        status: Union[HealthStatus, str] = HealthStatus.PASS,
        httpcode: Optional[int] = None,
    ) -> "HealthCheckResponse":
        """How the app is. `httpcode` instead of the one that goes with it."""
        self._status = HealthStatus(status)
        self._code = httpcode
        return self

    def description(self, text: str) -> "HealthCheckResponse":
        """What the app is, for people."""
        return self.custom("description", text)

    def version(self, version: str) -> "HealthCheckResponse":
        """The public version of the service."""
        return self.custom("version", version)

    def release_id(self, release: str) -> "HealthCheckResponse":
        """The release, in the app's own numbers."""
        return self.custom("releaseId", release)

    def service_id(self, service: str) -> "HealthCheckResponse":
        """What identifies this instance."""
        return self.custom("serviceId", service)

    def notes(self, note: str) -> "HealthCheckResponse":
        """One more note."""
        self._members.setdefault("notes", []).append(note)
        return self

    def output(self, text: str) -> "HealthCheckResponse":
        """What is wrong: the server quotes it in its mail."""
        return self.custom("output", text)

    def checks(self, part: str, value: Any) -> "HealthCheckResponse":
        """One more result of a part of the app, such as `memory:utilization`.

        `value` is a dict with the members of section 4 of the draft (`status`, `observedValue`,
        `observedUnit`, `output`, ...), or what was observed.
        """
        return self._part("checks", part, value)

    def details(self, part: str, value: Any = None) -> "HealthCheckResponse":
        """As `checks`, by the name that it had in the first drafts; or a text alone."""
        return self.custom("details", part) if value is None else self._part("details", part, value)

    def links(self, relation: str, uri: str) -> "HealthCheckResponse":
        """One more link."""
        self._members.setdefault("links", {})[relation] = uri
        return self

    def custom(self, name: str, value: Any) -> "HealthCheckResponse":
        """Any other member, by its name."""
        self._members[name] = value
        return self

    def max_age(self, seconds: int) -> "HealthCheckResponse":
        """For how many seconds a cache may give this answer to others. By default, none may."""
        self._cache = "max-age={}".format(seconds)
        return self

    def build(self) -> Tuple[str, int, Dict[str, str]]:
        """The answer as a Flask view returns it: body, HTTP status, headers."""
        return self.json(), self.code(), self.headers()

    def json(self) -> str:
        """The body."""
        return json.dumps({"status": self._status.value, **self._members})

    def code(self) -> int:
        """The HTTP status."""
        return self._status.code if self._code is None else self._code

    def headers(self) -> Dict[str, str]:
        """The headers that belong to it."""
        return {"Content-Type": CONTENT_TYPE, "Cache-Control": self._cache}

    def send(self, handler: BaseHTTPRequestHandler) -> None:
        """Answers a request of `http.server`."""
        body = self.json().encode()
        handler.send_response(self.code())
        for name, value in self.headers().items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _part(self, place: str, part: str, value: Any) -> "HealthCheckResponse":
        # A text alone may stand there, from `details`.
        if not isinstance(self._members.get(place), dict):
            self._members[place] = {}
        parts: Dict[str, List[Any]] = self._members[place]
        is_whole = isinstance(value, dict)
        parts.setdefault(part, []).append(value if is_whole else {"observedValue": value})
        return self

    # By their older names.
    releaseID = releaseId = release_id
    serviceID = serviceId = service_id
