"""What the package promises, with nothing but the standard library: a server of a few lines, and a
stand-in for zeroconf. Run by every Python that is to be had (tests/e2e/test_python_package.py)."""

import http.client
import importlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import types
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Callable, Dict, List, Optional, Tuple
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import healthchecker
from healthchecker import (
    HealthCheckerServer,
    HealthCheckResponse,
    HealthStatus,
    _connection,
    _discovery,
    iputils,
)
from healthchecker._connection import Answer
from healthchecker._keeper import LOOK_EVERY, REFUSED, RETRY_FIRST, Keeper


class Server:
    """Answers like the daemon, and keeps what was asked."""

    def __init__(self) -> None:
        self.status, self.content = 200, {"result": "registered"}  # type: Tuple[int, Dict[str, Any]]
        self.body: Optional[bytes] = None
        self.asked: List[Tuple[str, str, Dict[str, str], Optional[str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                fields = parse_qs(parts.query or text, keep_blank_values=True)
                outer.asked.append(
                    (
                        self.command,
                        parts.path,
                        {name: values[0] for name, values in fields.items()},
                        self.headers.get("Authorization"),
                    )
                )
                body = json.dumps(outer.content).encode() if outer.body is None else outer.body
                self.send_response(outer.status)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:{}".format(self.server.server_port)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Calls(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Server()
        self.addCleanup(self.server.close)
        logging.getLogger("healthchecker").setLevel(logging.CRITICAL)
        self.app = HealthCheckerServer("Küche", "http://kitchen", server=self.server.url)

    def test_a_registration_carries_what_was_said(self) -> None:
        self.assertEqual(self.app.monitor(emailAddr="a@b.c", interval=10, healthy=4), 200)
        method, path, fields, token = self.server.asked[0]
        self.assertEqual((method, path, token), ("POST", "/healthchecker/monitor", None))
        self.assertEqual(
            fields,
            {
                "appname": "Küche",
                "url": "http://kitchen",
                "email": "a@b.c",
                "interval": "10",
                "healthy": "4",
            },
        )
        self.assertEqual(self.app.url(), self.server.url + "/healthchecker/")
        self.assertEqual(self.app.status(), 200)

    def test_nobody_to_tell_and_several(self) -> None:
        self.app.monitor()
        self.app.monitor(email="a@b.c", emailAddr="")
        self.app.monitor(emailAddr=["a@b.c", "d@e.f"])  # type: ignore[arg-type]
        self.assertEqual([asked[2]["email"] for asked in self.server.asked], ["", "a@b.c", "a@b.c,d@e.f"])

    def test_a_beat_has_no_address_and_no_defaults(self) -> None:
        backup = HealthCheckerServer("Backup", server=self.server.url)
        self.assertEqual(backup.monitor(kind="beat", interval=86400), 200)
        self.assertEqual((backup.beat_start(), backup.beat(), backup.beat_fail()), (200, 200, 200))
        fields = self.server.asked[0][2]
        self.assertEqual(
            fields, {"appname": "Backup", "kind": "beat", "interval": "86400", "email": ""}
        )
        calls = [asked[:2] for asked in self.server.asked[1:]]
        path = "/healthchecker/beat"
        self.assertEqual(
            calls, [("POST", path + "/start"), ("POST", path), ("POST", path + "/fail")]
        )

    def test_the_other_calls(self) -> None:
        for call in (self.app.pause, self.app.resume, self.app.stop):
            self.assertEqual(call(), 200)
        self.server.content = {"result": "x", "appname": "A", "state": "HEALTHY"}
        self.assertEqual(self.app.info()["state"], "HEALTHY")
        self.assertEqual(
            [(asked[0], asked[1], asked[2]) for asked in self.server.asked],
            [
                ("POST", "/healthchecker/pause", {"appname": "Küche"}),
                ("POST", "/healthchecker/resume", {"appname": "Küche"}),
                ("POST", "/healthchecker/stop", {"appname": "Küche"}),
                ("GET", "/healthchecker/info", {"appname": "Küche"}),
            ],
        )
        self.assertEqual(self.app.pause("10m"), 200)
        self.assertEqual(self.server.asked[-1][2], {"appname": "Küche", "for": "10m"})
        self.assertEqual(self.app.mute("8h", to="a@b.c"), 200)
        self.assertEqual(self.server.asked[-1][1], "/healthchecker/mute")
        self.assertEqual(self.server.asked[-1][2], {"appname": "Küche", "for": "8h", "to": "a@b.c"})

    def test_a_refusal_is_a_status_and_the_sentence_of_the_server(self) -> None:
        self.server.status, self.server.content = 400, {"error": "interval must be 5 to 300, not 3"}
        self.assertEqual(self.app.monitor(interval=3), 400)
        self.assertEqual(self.app.error(), "interval must be 5 to 300, not 3")
        self.assertEqual(self.app.info(), {})
        self.server.status, self.server.content = 200, {"result": "registered"}
        self.app.monitor()
        self.assertEqual(self.app.error(), "")

    def test_a_token(self) -> None:
        self.server.status, self.server.content = 401, {"error": "a token is needed"}
        self.assertEqual(self.app.stop(), 401)
        self.assertIn("set HEALTHCHECKER_API_TOKEN", self.app.error())
        app = HealthCheckerServer("A", "http://a", server=self.server.url, token="secret")
        self.assertEqual(app.stop(), 401)
        self.assertIn("does not accept this token", app.error())
        with mock.patch.dict("os.environ", {"HEALTHCHECKER_API_TOKEN": "other"}):
            HealthCheckerServer("A", "http://a", server=self.server.url).stop()
        tokens = [asked[3] for asked in self.server.asked]
        self.assertEqual(tokens, [None, "Bearer secret", "Bearer other"])

    def test_a_token_from_a_file_ends_with_a_line(self) -> None:
        HealthCheckerServer("A", "http://a", server=self.server.url, token=" secret\r\n").stop()
        self.assertEqual(self.server.asked[0][3], "Bearer secret")

    def test_what_is_no_token_is_not_sent_and_not_shown(self) -> None:
        for token in ("sec ret", "sec\nret", "s\u00e9cret", "sec\x00ret"):
            app = HealthCheckerServer("A", "http://a", server=self.server.url, token=token)
            with self.assertLogs("healthchecker", logging.WARNING) as logged:
                logging.getLogger("healthchecker").setLevel(logging.WARNING)
                self.assertEqual(app.stop(), 401)
            self.assertIn("no token has", app.error())
            for text in (app.error(), *logged.output, repr(vars(app)), repr(vars(app._connection))):
                self.assertNotIn("ret", text.replace("secret of", ""))
        self.assertEqual(self.server.asked, [])

    def test_the_environment_names_the_server(self) -> None:
        with mock.patch.dict("os.environ", {"HEALTHCHECKER_SERVER": self.server.url}):
            self.assertEqual(HealthCheckerServer("A", "http://a").stop(), 200)
        with mock.patch.dict("os.environ", {"HEALTHCHECKER_SERVER": "http://pi:port"}):
            app = HealthCheckerServer("A", "http://a")
        self.assertEqual((app.stop(), app.url()), (503, ""))
        self.assertIn("HEALTHCHECKER_SERVER: 'http://pi:port' is no address", app.error())

    def test_a_port_is_enough(self) -> None:
        app = HealthCheckerServer("A", server=self.server.url)
        self.assertEqual(app.monitor(port=8080), 200)
        self.assertEqual(HealthCheckerServer("A", ":8081", server=self.server.url).monitor(), 200)
        self.assertEqual([asked[2]["url"] for asked in self.server.asked], [":8080", ":8081"])
        self.assertEqual(app.my_address(), "127.0.0.1")

    def test_a_wrong_type_is_said_to_who_made_it(self) -> None:
        for call in (self.app.monitor, self.app.keep_registered):
            with self.assertRaises(TypeError):
                call(emailAddr=5)  # type: ignore[arg-type]
        self.assertEqual(self.server.asked, [])

    def test_a_call_ends_in_time_whatever_comes(self) -> None:
        """A byte now and then: every single wait is short."""
        listener = socket.create_server(("127.0.0.1", 0)) if sys.version_info >= (3, 8) else None
        if listener is None:
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
        ended = threading.Event()

        def drip() -> None:
            with listener.accept()[0] as one:
                while not ended.wait(0.05):
                    try:
                        one.sendall(b"H")
                    except OSError:
                        return

        threading.Thread(target=drip, daemon=True).start()
        self.addCleanup(listener.close)
        self.addCleanup(ended.set)
        app = HealthCheckerServer("A", "http://a", server="127.0.0.1:%d" % listener.getsockname()[1])
        begun = time.monotonic()
        with mock.patch.object(_connection, "CALL_SECONDS", 0.5):
            self.assertEqual(app.monitor(), 503)
        self.assertLess(time.monotonic() - begun, 5)

    def test_something_else_answers(self) -> None:
        for status, body in ((200, b"<html>"), (200, b"{}"), (404, b"[]"), (200, b"\xff"), (302, b"{}")):
            self.server.status, self.server.body = status, body
            self.assertEqual(self.app.monitor(), 503)
            self.assertIn("is no HealthChecker server", self.app.error())

    def test_nothing_answers(self) -> None:
        port = iputils.findFreePort()
        app = HealthCheckerServer("A", "http://a", server="127.0.0.1:{}".format(port))
        self.assertEqual(app.monitor(), 503)
        self.assertIn("connection refused", app.error())

    def test_the_address_is_understood_as_people_write_it(self) -> None:
        bare = self.server.url[len("http://") :]
        for address in (bare, self.server.url + "/", self.server.url + "/healthchecker/"):
            self.assertEqual(HealthCheckerServer("A", "http://a", server=address).stop(), 200)
        for address in ("ftp://pi", "http://", "http://pi:port", "a b"):
            with self.assertRaisesRegex(ValueError, "is no address of a server"):
                HealthCheckerServer("A", "http://a", server=address)

    def test_the_end_of_a_program_is_no_stop(self) -> None:
        self.app.monitor()
        del self.app
        self.assertEqual(len(self.server.asked), 1)


class Service:
    def __init__(self, port: int, *addresses: str) -> None:
        self.port, self.addresses = port, addresses

    def parsed_scoped_addresses(self) -> List[str]:
        return list(self.addresses)


class Network:
    """A stand-in for the module `zeroconf`."""

    def __init__(self, services: Dict[str, Service], fails: bool = False) -> None:
        network = self
        self.asked: List[str] = []

        class Zeroconf:
            def __init__(self, **how: object) -> None:
                if fails:
                    raise OSError("Network is unreachable")

            def get_service_info(self, kind: str, name: str, milliseconds: int) -> Optional[Service]:
                network.asked.append(name)
                return services.get(name)

            def close(self) -> None:
                pass

        def browse(zeroconf: Zeroconf, kind: str, listener: Any) -> None:
            for name in services:
                listener.add_service(zeroconf, kind, name)

        module = types.ModuleType("zeroconf")
        module.Zeroconf, module.ServiceBrowser = Zeroconf, browse  # type: ignore[attr-defined]
        module.IPVersion = types.SimpleNamespace(All=None)  # type: ignore[attr-defined]
        self.patch = mock.patch.dict(sys.modules, {"zeroconf": module})

    def __enter__(self) -> "Network":
        self.patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.patch.stop()


class Discovery(unittest.TestCase):
    def setUp(self) -> None:
        self.server = Server()
        self.addCleanup(self.server.close)
        logging.getLogger("healthchecker").setLevel(logging.CRITICAL)
        self.port = self.server.server.server_port
        self.app = HealthCheckerServer("A", "http://a")
        for name, seconds in (("FIND_SECONDS", 0.4), ("PLAIN_SECONDS", 0.05)):
            patch = mock.patch.object(_discovery, name, seconds)
            patch.start()
            self.addCleanup(patch.stop)

    def test_the_server_is_found_by_its_name_alone(self) -> None:
        name = "_healthchecker._http._tcp.local."
        with Network({name: Service(self.port, "fe80::1", "127.0.0.1")}) as network:
            self.assertEqual(self.app.monitor(), 200)
            self.assertEqual(self.app.monitor(), 200)
        self.assertEqual(network.asked, [name])
        self.assertEqual(self.app.url(), self.server.url + "/healthchecker/")

    def test_link_local_addresses_come_last_and_only_with_their_interface(self) -> None:
        given = ["fe80::1%2", "fe80::2", "fd77::1", "10.0.0.1"]
        self.assertEqual(_discovery._by_preference(given), ["10.0.0.1", "fd77::1", "fe80::1%2"])

    def test_a_renamed_one_is_found_when_there_is_no_other(self) -> None:
        names = ["printer._http._tcp.local.", "_healthchecker (2)._http._tcp.local."]
        with Network({name: Service(self.port, "127.0.0.1") for name in names}):
            self.assertEqual(self.app.monitor(), 200)

    def test_without_a_server_it_is_a_503_and_no_exception(self) -> None:
        with Network({}):
            for call in (self.app.monitor, self.app.pause, self.app.resume, self.app.stop):
                self.assertEqual(call(), 503)
            self.assertEqual((self.app.url(), self.app.status(), self.app.info()), ("", 503, {}))
        self.assertIn("no HealthChecker server was found on this network", self.app.error())

    def test_dead_addresses_do_not_hold_it_up(self) -> None:
        """A stranger announces thirty under the plain name; the server is renamed."""
        dead = ["127.0.1.%d" % number for number in range(30)]
        announced = {
            "_healthchecker._http._tcp.local.": Service(1, *dead),
            "_healthchecker (2)._http._tcp.local.": Service(self.port, "127.0.0.1"),
        }
        begun = time.monotonic()
        with Network(announced), mock.patch.object(_discovery, "FIND_SECONDS", 3.0):
            self.assertEqual(self.app.monitor(), 200)
        self.assertLess(time.monotonic() - begun, 3)

    def test_announced_and_not_there_is_another_sentence(self) -> None:
        port = iputils.find_free_port()
        with Network({"_healthchecker._http._tcp.local.": Service(port, "127.0.0.1")}):
            self.assertEqual(self.app.monitor(), 503)
        said = "is announced at http://127.0.0.1:{}, but it takes no connection".format(port)
        self.assertIn(said, self.app.error())

    def test_it_is_tried_again_until_the_time_is_over(self) -> None:
        later = iputils.find_free_port()
        name = "_healthchecker._http._tcp.local."
        listener = socket.socket()
        self.addCleanup(listener.close)

        def listen() -> None:
            listener.bind(("127.0.0.1", later))
            listener.listen(8)

        threading.Timer(0.5, listen).start()
        with Network({name: Service(later, "127.0.0.1")}):
            with mock.patch.object(_discovery, "FIND_SECONDS", 10.0):
                self.assertEqual(self.app.url(), "http://127.0.0.1:%d/healthchecker/" % later)

    def test_the_token_goes_to_no_server_that_only_announces_itself(self) -> None:
        name = "_healthchecker._http._tcp.local."
        app = HealthCheckerServer("A", "http://a", token="secret")
        self.server.status, self.server.content = 401, {"error": "a token is needed"}
        with Network({name: Service(self.port, "127.0.0.1")}):
            self.assertEqual(app.monitor(), 401)
        self.assertEqual(self.server.asked[0][3], None)
        self.assertIn("sent only to a server that is named. Set HEALTHCHECKER_SERVER", app.error())

    def test_without_a_network_it_is_a_503_and_no_exception(self) -> None:
        with Network({}, fails=True):
            self.assertEqual(self.app.monitor(), 503)
        self.assertIn("cannot be searched", self.app.error())
        self.assertIn("Network is unreachable", self.app.error())

    def test_a_server_that_moved_is_found_again(self) -> None:
        other = Server()
        name = "_healthchecker._http._tcp.local."
        with Network({name: Service(other.server.server_port, "127.0.0.1")}):
            self.assertEqual(self.app.monitor(), 200)
        other.close()
        with Network({name: Service(self.port, "127.0.0.1")}):
            self.assertEqual(self.app.monitor(), 200)
        self.assertEqual(len(self.server.asked), 1)


class Keeping(unittest.TestCase):
    def setUp(self) -> None:
        self.known, self.status, self.registrations = False, 200, 0
        self.keeper = Keeper(self.register, self.look, lambda answer: answer.status)

    def register(self) -> Answer:
        if self.status == 200:
            self.known, self.registrations = True, self.registrations + 1
        return Answer(self.status, "", {})

    def look(self) -> Answer:
        return Answer(self.status if self.known or self.status != 200 else 404, "", {})

    def test_a_late_server_is_waited_for(self) -> None:
        self.status = 503
        self.assertEqual([self.keeper.step() for _ in range(6)], [5, 10, 20, 40, 60, 60])
        self.status = 200
        self.assertEqual(self.keeper.step(), LOOK_EVERY)

    def test_it_registers_again_only_with_a_server_that_forgot(self) -> None:
        for _ in range(3):
            self.keeper.step()
        self.assertEqual(self.registrations, 1)
        self.status = 503
        self.assertEqual(self.keeper.step(), RETRY_FIRST)
        self.status, self.known = 200, False
        self.keeper.step()
        self.assertEqual(self.registrations, 2)

    def test_a_look_that_is_refused_falls_back_to_registering(self) -> None:
        """Only reading needs a token: it may have forgotten the app, or not."""
        self.keeper.step()
        with mock.patch.object(self.keeper, "_look", lambda: Answer(401, "", {})):
            self.assertEqual([self.keeper.step() for _ in range(3)], [LOOK_EVERY] * 3)
        self.assertEqual(self.registrations, 4)

    def test_a_refusal_is_tried_again_slowly(self) -> None:
        self.status = 400
        self.assertEqual(self.keeper.step(), REFUSED)

    def test_in_the_background_until_stopped(self) -> None:
        server = Server()
        self.addCleanup(server.close)
        app = HealthCheckerServer("A", "http://a", server=server.url)
        app.keep_registered(emailAddr="a@b.c", interval=10)
        deadline = threading.Event()
        while not server.asked and not deadline.wait(0.01):
            pass
        self.assertEqual(server.asked[0][2]["email"], "a@b.c")
        app.stop()
        self.assertEqual(server.asked[-1][1], "/healthchecker/stop")
        for thread in threading.enumerate():
            if thread.name == "keep-registered":
                thread.join(5)
                self.assertFalse(thread.is_alive())


class Processes(unittest.TestCase):
    """What becomes of it in programs that fork, reload and end."""

    def setUp(self) -> None:
        self.server = Server()
        self.addCleanup(self.server.close)
        logging.getLogger("healthchecker").setLevel(logging.CRITICAL)

    def in_child(self, does: Callable[[], bool]) -> None:
        """Forks; the child must come to an end, and well."""
        child = os.fork()
        if child == 0:
            os._exit(0 if does() else 1)
        deadline = time.monotonic() + 10
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                os.kill(child, 9)
                os.waitpid(child, 0)
                self.fail("the child hangs")
            time.sleep(0.01)
        self.assertEqual(status, 0)

    def test_a_child_of_a_fork_does_not_wait_for_its_parents_threads(self) -> None:
        app = HealthCheckerServer("A", "http://a", server=self.server.url)
        app.keep_registered()
        assert app._keeper is not None
        with app._keeper._busy:
            self.in_child(lambda: app.stop() == 200 and app.monitor() == 200)
        app.stop()

    def test_a_child_of_a_fork_finds_the_server_though_its_parent_was_looking(self) -> None:
        app = HealthCheckerServer("A", "http://a")
        found = "http://127.0.0.1:1"
        with mock.patch.object(_discovery, "find", lambda: found):
            with app._connection._searching:
                self.in_child(lambda: app.url() == found + "/healthchecker/")

    def test_a_forked_child_keeps_an_app_registered_when_it_says_so(self) -> None:
        app = HealthCheckerServer("A", "http://a", server=self.server.url)
        app.keep_registered()

        def again() -> bool:
            app.keep_registered()
            return app.stop() == 200

        self.in_child(again)
        app.stop()

    def test_at_the_end_of_a_program_a_call_is_a_status(self) -> None:
        """No thread can be started any more."""
        program = (
            "import atexit, logging; from healthchecker import HealthCheckerServer\n"
            "one = HealthCheckerServer('A', 'http://a')\n"
            "atexit.register(lambda: print(one.stop(), one.keep_registered(), one.error() != ''))\n"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            timeout=60,
        )
        self.assertIn(b"503 None True", ended.stdout)
        self.assertNotIn(b"Traceback", ended.stderr)

    def test_under_the_reloader_both_processes_have_one_port(self) -> None:
        with socket.socket() as outer:
            outer.bind(("127.0.0.1", 0))
            port = outer.getsockname()[1]
            variables = {"WERKZEUG_RUN_MAIN": "true", "WERKZEUG_SERVER_FD": str(outer.fileno())}
            with mock.patch.dict("os.environ", variables):
                self.assertEqual((iputils.find_free_port(), iputils.findFreePort()), (port, port))
            self.assertEqual(outer.getsockname()[1], port)
        for number in ("x", "-1", "99999"):
            with mock.patch.dict("os.environ", {**variables, "WERKZEUG_SERVER_FD": number}):
                self.assertGreater(iputils.find_free_port(), 0)

    def test_the_keeper_does_not_speak_over_the_program(self) -> None:
        app = HealthCheckerServer("A", "http://a", server=self.server.url)
        self.server.status, self.server.content = 400, {"error": "interval is wrong"}
        app.monitor(interval=1)
        app._tell_of_keeper(Answer(200, "", {}))
        self.assertEqual(app.error(), "interval is wrong")
        self.server.status, self.server.content = 200, {"result": "registered"}
        app.monitor()
        app._tell_of_keeper(Answer(503, "nobody there", {}))
        self.assertEqual(app.error(), "nobody there")


class Responses(unittest.TestCase):
    def test_every_member_is_where_the_draft_has_it(self) -> None:
        body, code, headers = (
            HealthCheckResponse()
            .description("NAS")
            .version("1")
            .releaseID("1.2")
            .serviceId("f03e")
            .notes("one")
            .notes("two")
            .output("disk 98 % full")
            .checks("disk:utilization", {"observedValue": 98, "status": "warn"})
            .checks("disk:utilization", 3)
            .details("uptime", 7)
            .links("about", "http://nas/about")
            .custom("more", True)
            .status(HealthStatus.FAIL)
            .build()
        )
        self.assertEqual(code, 503)
        self.assertEqual(
            headers, {"Content-Type": "application/health+json", "Cache-Control": "no-store"}
        )
        self.assertEqual(
            json.loads(body),
            {
                "status": "fail",
                "description": "NAS",
                "version": "1",
                "releaseId": "1.2",
                "serviceId": "f03e",
                "notes": ["one", "two"],
                "output": "disk 98 % full",
                "checks": {
                    "disk:utilization": [
                        {"observedValue": 98, "status": "warn"},
                        {"observedValue": 3},
                    ]
                },
                "details": {"uptime": [{"observedValue": 7}]},
                "links": {"about": "http://nas/about"},
                "more": True,
            },
        )

    def test_the_status_decides_the_code(self) -> None:
        for status, code in (("pass", 200), (HealthStatus.WARN, 200), ("fail", 503)):
            self.assertEqual(HealthCheckResponse().status(status).code(), code)
        self.assertEqual(HealthCheckResponse().status(HealthStatus.FAIL, 500).code(), 500)
        self.assertEqual(HealthCheckResponse().max_age(5).headers()["Cache-Control"], "max-age=5")
        self.assertEqual(str(HealthStatus.PASS), "pass")

    def test_http_server_sends_it(self) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                HealthCheckResponse().status("fail").send(self)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.handle_request, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
        self.addCleanup(connection.close)
        connection.request("GET", "/health")
        answer = connection.getresponse()
        self.assertEqual((answer.status, json.loads(answer.read().decode())), (503, {"status": "fail"}))
        self.assertEqual(answer.getheader("Content-Type"), "application/health+json")

    def test_the_names_that_programs_import(self) -> None:
        self.assertEqual(
            set(healthchecker.__all__), {"HealthCheckResponse", "HealthStatus", "HealthCheckerServer"}
        )
        older, older_iputils = map(importlib.import_module, ("healthcheck", "iputils"))
        for name in healthchecker.__all__:
            self.assertIs(getattr(older, name), getattr(healthchecker, name))
        self.assertIs(older_iputils.getMyIpAddr, iputils.getMyIpAddr)
        self.assertRegex(iputils.getMyIpAddr(), r"^\d+\.\d+\.\d+\.\d+$")
        self.assertGreater(iputils.findFreePort(), 0)


    def test_the_older_names_say_so_when_another_package_is_meant(self) -> None:
        for line in ("from healthcheck import EnvironmentDump", "from iputils import subnet"):
            with self.assertRaisesRegex(ImportError, "one has overwritten the other"):
                exec(line)
        self.assertFalse(hasattr(importlib.import_module("healthcheck"), "__path_of_nobody__"))


if __name__ == "__main__":
    unittest.main()
