"""Single calls to the server, over HTTP."""

import http.client
import json
import os
from typing import Any, Dict, NamedTuple, Optional, cast
from urllib.parse import urlencode, urlsplit

from . import _discovery
from ._exchange import exchange
from ._fork import Lock
from ._token import TOKEN_VARIABLE, Token

SERVER_VARIABLE = "HEALTHCHECKER_SERVER"
ROOT = "/healthchecker/"

# How long a call may take in all: the server answers within 25 s, or says that it cannot.
CALL_SECONDS = 30.0

HINT = "(http://ADDRESS:PORT)"
UNNAMED = (
    "the HealthChecker server at {} wants a token, and whoever announces the name of the server could ask "
    "for it: it is sent only to a server that is named. Set {} to http://ADDRESS:PORT"
)


class Answer(NamedTuple):
    """What came of a call."""

    status: int
    """The HTTP status; 503 when no server was reached."""
    error: str
    """Why it was not carried out, in a sentence; empty when it was."""
    content: Dict[str, Any]
    """What the server said."""


class Connection:
    """The way to one server: named, or looked for at the first call and again when it has moved."""

    def __init__(self, server: Optional[str], token: Optional[str]) -> None:
        self._trouble = ""
        self._given: Optional[str] = None
        self._found: Optional[str] = None
        self._token = Token(token)
        self._searching = Lock()
        if server:
            self._given = _normal(server)
        elif os.environ.get(SERVER_VARIABLE):
            self._take_from_environment()

    def _take_from_environment(self) -> None:
        """A name that cannot be read is no leave to talk to whoever is found."""
        try:
            self._given = _normal(os.environ[SERVER_VARIABLE])
        except ValueError as why:
            self._trouble = "{}: {}".format(SERVER_VARIABLE, why)

    @property
    def base(self) -> str:
        """Where the server is, as far as is known: `http://ADDRESS:PORT`."""
        return self._given or self._found or ""

    @property
    def url(self) -> str:
        """Where its calls begin, as far as is known."""
        return self.base + ROOT if self.base else ""

    def search(self) -> Optional[Answer]:
        """Makes sure that the server's address is known; the trouble if it is not."""
        if self._trouble:
            return Answer(503, self._trouble, {})
        return None if self.base else self._search()

    def call(self, method: str, call: str, parameters: Dict[str, object]) -> Answer:
        """Makes one call. Never raises because of the network."""
        trouble = self._token.trouble()
        if trouble:
            return Answer(401, trouble, {})
        is_news = not self.base
        unreachable = self.search()
        if unreachable is not None:
            return unreachable
        answer = self._ask(self.base, method, call, parameters)
        if self._given or is_news or not _is_elsewhere(answer):
            return answer
        unreachable = self._search()
        return unreachable or self._ask(self.base, method, call, parameters)

    def _search(self) -> Optional[Answer]:
        with self._searching:
            self._found = None
            try:
                self._found = _discovery.find()
            except _discovery.CannotSearch as why:
                text = "the network cannot be searched for a HealthChecker server ({}); give its address {}"
                return Answer(503, text.format(why, HINT), {})
            except _discovery.TakesNoConnection as why:
                text = "a HealthChecker server is announced at {}, but it takes no connection; is it running, is a firewall in between?"
                return Answer(503, text.format(why), {})
        if self._found is None:
            text = "no HealthChecker server was found on this network; start one, or give its address {}"
            return Answer(503, text.format(HINT), {})
        return None

    def _ask(self, base: str, method: str, call: str, parameters: Dict[str, object]) -> Answer:
        form = urlencode([(name, str(value)) for name, value in parameters.items()])
        headers = {"Accept": "application/json"}
        if self._token and self._given:
            headers["Authorization"] = self._token.header()
        target = urlsplit(base).path + ROOT + call
        body = None
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = form
        else:
            target += "?" + form
        try:
            response = exchange(method, base, target, headers, body, CALL_SECONDS)
        except ConnectionRefusedError:
            return _unreachable(base, "connection refused")
        except (OSError, http.client.HTTPException, ValueError) as why:
            return _unreachable(base, str(why) or type(why).__name__)
        return self._read(base, call, response.status, response.body)

    def _read(self, base: str, call: str, status: int, text: bytes) -> Answer:
        if status == 401:
            return Answer(401, self._token_trouble(base), {})
        content = _object(text)
        # Many a server answers 200 to everything.
        member = "error" if status != 200 else "appname" if call == "info" else "result"
        if member not in content:
            said = "what answers at {} is no HealthChecker server (HTTP status {}); check address and port"
            return Answer(503, said.format(base, status), {})
        if status != 200:
            return Answer(status, str(content["error"]), content)
        return Answer(200, "", content)

    def _token_trouble(self, base: str) -> str:
        if not self._token:
            return "the HealthChecker server wants a token; set {} to its api_token".format(TOKEN_VARIABLE)
        if not self._given:
            return UNNAMED.format(base, SERVER_VARIABLE)
        return "the HealthChecker server does not accept this token; it must be its api_token"


def _object(text: bytes) -> Dict[str, Any]:
    """A JSON object; of anything else an empty one."""
    try:
        content: object = json.loads(text.decode())
    except ValueError:
        return {}
    return cast(Dict[str, Any], content) if isinstance(content, dict) else {}


def _is_elsewhere(answer: Answer) -> bool:
    """Whether whoever answered, if anybody, is not the server: it may have moved."""
    return answer.status == 503 and not answer.content


def _unreachable(base: str, why: str) -> Answer:
    return Answer(503, "no answer from the HealthChecker server at {}: {}".format(base, why), {})


def _normal(server: str) -> str:
    """An address as people write it (`pi:8080`, `http://pi:8080/healthchecker/`), made plain."""
    text = server.strip()
    text = (text if "://" in text else "http://" + text).rstrip("/")
    if text.endswith(ROOT.rstrip("/")):
        text = text[: -len(ROOT.rstrip("/"))]
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or any(not "!" <= character <= "~" for character in text):
        raise ValueError("{!r} is no address of a server; use http://ADDRESS:PORT".format(server))
    return text
