"""Single calls to the server, over HTTP."""

import http.client
import json
import os
import threading
from typing import Any, Dict, NamedTuple, Optional
from urllib.parse import urlencode, urlsplit

from . import _discovery

TOKEN_VARIABLE = "HEALTHCHECKER_API_TOKEN"
ROOT = "/healthchecker/"

# How long each step of a call may take: the server answers within 25 s, or says that it cannot.
CALL_SECONDS = 30.0
# The most bytes of an answer that are read.
ANSWER_MAX = 64 * 1024 * 1024

HINT = "(http://ADDRESS:PORT)"


class Answer(NamedTuple):
    """What came of a call."""

    status: int
    """The HTTP status; 503 when no server was reached."""
    error: str
    """Why it was not carried out, in a sentence; empty when it was."""
    content: Dict[str, Any]
    """What the server said."""


class Connection:
    """The way to one server: looked for at the first call, and again when it has moved."""

    def __init__(self, server: Optional[str], token: Optional[str]) -> None:
        self._given = _normal(server) if server else None
        self._found: Optional[str] = None
        self._token = token or os.environ.get(TOKEN_VARIABLE, "")
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where the server is, as far as is known."""
        base = self._given or self._found
        return base + ROOT if base else ""

    def search(self) -> Optional[Answer]:
        """Makes sure that the server's address is known; the trouble if it is not."""
        return None if self.url else self._search()

    def call(self, method: str, call: str, parameters: Dict[str, object]) -> Answer:
        """Makes one call. Never raises because of the network."""
        known = self._given or self._found
        if known:
            answer = self._ask(known, method, call, parameters)
            if self._given or not _is_elsewhere(answer):
                return answer
        trouble = self._search()
        if trouble is not None:
            return trouble
        assert self._found is not None
        return self._ask(self._found, method, call, parameters)

    def _search(self) -> Optional[Answer]:
        with self._lock:
            try:
                self._found = _discovery.find()
            except _discovery.CannotSearch as why:
                self._found = None
                text = "the network cannot be searched for a HealthChecker server ({}); give its address {}"
                return Answer(503, text.format(why, HINT), {})
        if self._found is None:
            text = "no HealthChecker server was found on this network; start one, or give its address {}"
            return Answer(503, text.format(HINT), {})
        return None

    def _ask(self, base: str, method: str, call: str, parameters: Dict[str, object]) -> Answer:
        form = urlencode([(name, str(value)) for name, value in parameters.items()])
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = "Bearer " + self._token
        parts = urlsplit(base)
        target = parts.path + ROOT + call
        body = None
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = form
        else:
            target += "?" + form
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        try:
            connection = kind(parts.hostname or "", parts.port, timeout=CALL_SECONDS)
            try:
                connection.request(method, target, body, headers)
                response = connection.getresponse()
                text = response.read(ANSWER_MAX)
            finally:
                connection.close()
        except ConnectionRefusedError:
            return _unreachable(base, "connection refused")
        except (OSError, http.client.HTTPException, ValueError) as why:
            return _unreachable(base, str(why) or type(why).__name__)
        return self._read(base, call, response.status, text)

    def _read(self, base: str, call: str, status: int, text: bytes) -> Answer:
        try:
            content = json.loads(text.decode())
        except ValueError:
            content = None
        if status == 401:
            return Answer(401, self._token_trouble(), {})
        # Many a server answers 200 to everything.
        member = "error" if status != 200 else "appname" if call == "info" else "result"
        if not isinstance(content, dict) or member not in content:
            said = "what answers at {} is no HealthChecker server (HTTP status {}); check address and port"
            return Answer(503, said.format(base, status), {})
        if status != 200:
            return Answer(status, str(content["error"]), content)
        return Answer(200, "", content)

    def _token_trouble(self) -> str:
        if self._token:
            return "the HealthChecker server does not accept this token; it must be its api_token"
        return "the HealthChecker server wants a token; set {} to its api_token".format(TOKEN_VARIABLE)


def _is_elsewhere(answer: Answer) -> bool:
    """Whether whoever answered, if anybody, is not the server: it may have moved."""
    return answer.status == 503 and not answer.content


def _unreachable(base: str, why: str) -> Answer:
    return Answer(503, "no answer from the HealthChecker server at {}: {}".format(base, why), {})


def _normal(server: str) -> str:
    """An address as people write it (`pi:8080`, `http://pi:8080/healthchecker/`), made plain."""
    text = server.strip() if "://" in server else "http://" + server.strip()
    text = text.rstrip("/")
    if text.endswith(ROOT.rstrip("/")):
        text = text[: -len(ROOT.rstrip("/"))]
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or " " in text:
        raise ValueError("{!r} is no address of a server; use http://ADDRESS:PORT".format(server))
    return text
