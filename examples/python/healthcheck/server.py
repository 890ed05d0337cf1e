"""An app's way to the server."""

import logging
from typing import Any, Dict, Optional

from ._connection import Answer, Connection
from ._keeper import Keeper

log = logging.getLogger("healthcheck")


class HealthCheckerServer:
    """The server, as one app sees it.

    It is looked for by Zeroconf at the first call, and again when it has moved, unless `server`
    names it (`http://ADDRESS:PORT`). `token` is the server's `api_token`; without it the variable
    `HEALTHCHECKER_API_TOKEN` is used.

    A program that ends, or crashes, stays registered and is noticed: only `stop()` ends that.
    """

    def __init__(
        self, app: str, url: str, server: Optional[str] = None, token: Optional[str] = None
    ) -> None:
        self._app = app
        self._url = url
        self._connection = Connection(server, token)
        self._keeper: Optional[Keeper] = None
        self._error = ""

    def monitor(
        self,
        emailAddr: str = "",
        timeout: int = 5,
        interval: int = 30,
        unhealthy: int = 2,
        healthy: int = 10,
        path: str = "/health",
        expect: str = "200",
        **more: object
    ) -> int:
        """Asks to be watched, or to be watched differently; the HTTP status, 200 when it is done.

        emailAddr: who is told, several with commas between; empty means the server's own default.
        timeout: seconds to wait for an answer, 2 to 60.
        interval: seconds between two checks, 5 to 300.
        unhealthy: failed checks in a row before UNHEALTHY, 2 to 10.
        healthy: passed checks in a row before HEALTHY, 2 to 10.
        path: where to ask. expect: the status codes that count, such as `200-299,401`.
        more: any other parameter of the server, by its name.
        """
        fields = {
            "emailAddr": emailAddr,
            "timeout": timeout,
            "interval": interval,
            "unhealthy": unhealthy,
            "healthy": healthy,
            "path": path,
            "expect": expect,
        }
        return self._tell(self._register({**fields, **more}))

    def keep_registered(self, **how: object) -> None:
        """Does what `monitor` does, with the same parameters, in the background: until a server
        has taken it, and again when a server comes back that knows nothing of it, at another
        address perhaps. Ends with `stop()`, or with the program.
        """
        self._end_keeper()
        self._keeper = Keeper(
            register=lambda: self._register(how),
            look=lambda: self._call("GET", "info"),
            tell=self._tell,
        )
        self._keeper.start()

    def pause(self) -> int:
        """Asks to be left alone for now; the HTTP status."""
        return self._tell(self._call("POST", "pause"))

    def resume(self) -> int:
        """Asks to be checked again; the HTTP status."""
        return self._tell(self._call("POST", "resume"))

    def stop(self) -> int:
        """Asks to be forgotten; the HTTP status."""
        self._end_keeper()
        return self._tell(self._call("POST", "stop"))

    def info(self) -> Dict[str, Any]:
        """What the server knows of the app: parameters, state, counters, recent checks. Empty when
        it cannot be had; `error()` says why.
        """
        answer = self._call("GET", "info")
        return answer.content if self._tell(answer) == 200 else {}

    def url(self) -> str:
        """Where the server is, `http://ADDRESS:PORT/healthchecker/`; empty when none is found."""
        trouble = self._connection.search()
        if trouble is not None:
            self._tell(trouble)
        return self._connection.url

    def status(self) -> int:
        """200 when the server is known, or found; 503 when it is not."""
        return 200 if self.url() else 503

    def error(self) -> str:
        """Why the last call was not carried out, in a sentence; empty when it was."""
        return self._error

    def _register(self, fields: Dict[str, Any]) -> Answer:
        fields = dict(fields)
        # An empty one means the server's default, as no other parameter may be empty.
        email = fields.pop("emailAddr", "") or fields.pop("email", "")
        fields.pop("email", None)
        fields["email"] = email if isinstance(email, str) else ",".join(email)
        return self._call("POST", "monitor", url=self._url, **fields)

    def _call(self, method: str, call: str, **parameters: object) -> Answer:
        return self._connection.call(method, call, {"appname": self._app, **parameters})

    def _tell(self, answer: Answer) -> int:
        if answer.error and answer.error != self._error:
            log.warning("%s: %s", self._app, answer.error)
        self._error = answer.error
        return answer.status

    def _end_keeper(self) -> None:
        if self._keeper is not None:
            self._keeper.end()
            self._keeper = None
