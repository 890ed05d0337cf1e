"""An app's way to the server."""

import logging
import socket
from typing import Any, Dict, Iterable, Optional, Union
from urllib.parse import urlsplit

from ._connection import Answer, Connection
from ._keeper import Keeper
from .iputils import address_facing

log = logging.getLogger("healthchecker")


class HealthCheckerServer:
    """The server, as one app sees it.

    `url` is where the app is; with `:8080`, or with `port=8080` in `monitor`, it is at the address from
    which the server is called. The server is looked for by Zeroconf at the first call, and again when
    it has moved, unless `server`, or the variable `HEALTHCHECKER_SERVER`, names it
    (`http://ADDRESS:PORT`). `token` is the server's `api_token`; without it the variable
    `HEALTHCHECKER_API_TOKEN` is used. It is sent only to a server that is named.

    A program that ends, or crashes, stays registered and is noticed: only `stop()` ends that. In a
    process that was forked nothing is kept registered until it says so itself.
    """

    def __init__(
        self, app: str, url: str = "", server: Optional[str] = None, token: Optional[str] = None
    ) -> None:
        self._app = app
        self._url = url
        self._connection = Connection(server, token)
        self._keeper: Optional[Keeper] = None
        # What is wrong with the calls that were made, and with those of the keeper.
        self._error = ""
        self._keeper_error = ""

    def monitor(
        self,
        emailAddr: Union[str, Iterable[str]] = "",
        timeout: Optional[int] = None,
        interval: Optional[int] = None,
        unhealthy: Optional[int] = None,
        healthy: Optional[int] = None,
        path: Optional[str] = None,
        expect: Optional[str] = None,
        port: Optional[int] = None,
        **more: object
    ) -> int:
        """Asks to be watched, or to be watched differently; the HTTP status, 200 when it is done.
        What is left out is as the server has it by default.

        emailAddr: who is told, several with commas between; empty means the server's own default.
        timeout: seconds to wait for an answer, 2 to 60; 5.
        interval: seconds between two checks, 5 to 300; 30.
        unhealthy: failed checks in a row before UNHEALTHY, 2 to 10; 2.
        healthy: passed checks in a row before HEALTHY, 2 to 10; 10.
        path: where to ask; `/health`. expect: the status codes that count, such as `200-299,401`; `200`.
        port: the app is there, at the address from which this call comes; instead of `url`.
        more: any other parameter of the server, by its name: `may_be_off=True` for what may be off or
            away, whose silence alarms nobody, `parent="Switch"` for what is behind it, `reminders=False`
            for trouble that is told once, `quiet="02:30-04:00"` for when nobody is told (left out, they
            stay as they are), `kind="beat"` for an app that is not asked and calls `beat` by itself; such
            a one needs no `url`. `contains="Welcome"` is what must be in an answer, `slow=500` how many
            milliseconds a pass may take that is no warning. `auth="USER:PASSWORD"`, or `"Bearer TOKEN"`, is
            what the app wants to be shown, `tls="pin"` makes do with the certificate that is seen first.
        """
        fields = self._fields(
            emailAddr, timeout, interval, unhealthy, healthy, path, expect, port, more
        )
        return self._tell(self._call("POST", "monitor", fields))

    def keep_registered(
        self,
        emailAddr: Union[str, Iterable[str]] = "",
        timeout: Optional[int] = None,
        interval: Optional[int] = None,
        unhealthy: Optional[int] = None,
        healthy: Optional[int] = None,
        path: Optional[str] = None,
        expect: Optional[str] = None,
        port: Optional[int] = None,
        **more: object
    ) -> None:
        """Does what `monitor` does, with the same parameters, in the background: until a server
        has taken it, and again when a server comes back that knows nothing of it, at another
        address perhaps. Ends with `stop()`, or with the program.
        """
        fields = self._fields(
            emailAddr, timeout, interval, unhealthy, healthy, path, expect, port, more
        )
        self._end_keeper()
        self._keeper = Keeper(
            register=lambda: self._call("POST", "monitor", fields),
            look=lambda: self._call("GET", "info"),
            tell=self._tell_of_keeper,
        )
        trouble = self._keeper.start()
        if trouble is not None:
            self._tell_of_keeper(Answer(503, "nothing is kept registered: {}".format(trouble), {}))

    def beat(self) -> int:
        """Reports, as an app of `kind="beat"`, which is not asked, that it is well; the HTTP status."""
        return self._tell(self._call("POST", "beat"))

    def beat_start(self) -> int:
        """Reports that it begins: the time until the next `beat` is told with that; the HTTP status."""
        return self._tell(self._call("POST", "beat/start"))

    def beat_fail(self) -> int:
        """Reports that it failed; the HTTP status."""
        return self._tell(self._call("POST", "beat/fail"))

    def pause(self, span: str = "") -> int:
        """Asks to be left alone for now; the HTTP status.

        span: such as `10m` (`s`, `m`, `h`, `d`): checks go on, and nobody is told for so long.
        """
        return self._tell(self._call("POST", "pause", {"for": span} if span else None))

    def mute(self, span: str = "recovery", to: str = "") -> int:
        """Tells people no more of trouble that they know; the HTTP status, 404 where there is none.

        span: such as `8h`, `recovery` (until it is over), or `0` (tell them again). to: whom; everybody who
            was told when empty.
        """
        parameters: Dict[str, object] = {"for": span}
        if to:
            parameters["to"] = to
        return self._tell(self._call("POST", "mute", parameters))

    def resume(self) -> int:
        """Asks to be checked again, and ends what `pause` began; the HTTP status."""
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

    def my_address(self) -> str:
        """This machine's address as the server reaches it, as it stands in a URL; empty when no server
        is found. Under a VPN, too, when the server is in the household.
        """
        if not self.url():
            return ""
        parts = urlsplit(self._connection.base)
        try:
            found = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return ""
        return next(filter(None, (address_facing(str(one[4][0])) for one in found)), "")

    def error(self) -> str:
        """Why the last call was not carried out, in a sentence; else what is in the way of
        `keep_registered`; empty when nothing is.
        """
        return self._error or self._keeper_error

    def _fields(
        self,
        emailAddr: Union[str, Iterable[str]],
        timeout: Optional[int],
        interval: Optional[int],
        unhealthy: Optional[int],
        healthy: Optional[int],
        path: Optional[str],
        expect: Optional[str],
        port: Optional[int],
        more: Dict[str, Any],
    ) -> Dict[str, object]:
        """The parameters of a registration. A wrong type is the program's fault, and said at once."""
        fields: Dict[str, object] = {
            "url": self._url if port is None else ":{}".format(int(port)),
            "timeout": timeout,
            "interval": interval,
            "unhealthy": unhealthy,
            "healthy": healthy,
            "path": path,
            "expect": expect,
        }
        fields = {name: value for name, value in fields.items() if value not in (None, "")}
        fields.update(more)
        # An empty one means the server's default, as no other parameter may be empty.
        email = emailAddr or fields.pop("email", "")
        fields["email"] = email if isinstance(email, str) else ",".join(email)  # type: ignore[arg-type]
        return fields

    def _call(
        self, method: str, call: str, parameters: Optional[Dict[str, object]] = None
    ) -> Answer:
        return self._connection.call(method, call, {"appname": self._app, **(parameters or {})})

    def _tell(self, answer: Answer) -> int:
        self._error = self._warn(answer, self._error)
        return answer.status

    def _tell_of_keeper(self, answer: Answer) -> int:
        self._keeper_error = self._warn(answer, self._keeper_error)
        return answer.status

    def _warn(self, answer: Answer, before: str) -> str:
        """Each reason once."""
        if answer.error and answer.error != before:
            log.warning("%s: %s", self._app, answer.error)
        return answer.error

    def _end_keeper(self) -> None:
        if self._keeper is not None:
            self._keeper.end()
            self._keeper = None
        self._keeper_error = ""
