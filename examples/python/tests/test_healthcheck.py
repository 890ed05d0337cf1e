"""What the package promises, with nothing but the standard library: a server of a few lines, and a
stand-in for zeroconf. Run by every Python that is to be had (tests/e2e/test_python_package.py)."""

import http.client
import json
import logging
import sys
import threading
import types
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Dict, List, Optional, Tuple
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import healthcheck
import iputils
from healthcheck import HealthCheckerServer, HealthCheckResponse, HealthStatus, _discovery
from healthcheck._connection import Answer
from healthcheck._keeper import LOOK_EVERY, REFUSED, RETRY_FIRST, Keeper


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
        logging.getLogger("healthcheck").setLevel(logging.CRITICAL)
        self.app = HealthCheckerServer("Küche", "http://kitchen", server=self.server.url)

    def test_a_registration_carries_every_parameter(self) -> None:
        self.assertEqual(self.app.monitor(emailAddr="a@b.c", interval=10, healthy=4), 200)
        method, path, fields, token = self.server.asked[0]
        self.assertEqual((method, path, token), ("POST", "/healthchecker/monitor", None))
        self.assertEqual(
            fields,
            {
                "appname": "Küche",
                "url": "http://kitchen",
                "email": "a@b.c",
                "timeout": "5",
                "interval": "10",
                "unhealthy": "2",
                "healthy": "4",
                "path": "/health",
                "expect": "200",
            },
        )
        self.assertEqual(self.app.url(), self.server.url + "/healthchecker/")
        self.assertEqual(self.app.status(), 200)

    def test_nobody_to_tell_and_several(self) -> None:
        self.app.monitor()
        self.app.monitor(email="a@b.c", emailAddr="")
        self.app.monitor(emailAddr=["a@b.c", "d@e.f"])  # type: ignore[arg-type]
        self.assertEqual([asked[2]["email"] for asked in self.server.asked], ["", "a@b.c", "a@b.c,d@e.f"])

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

    def parsed_addresses(self) -> List[str]:
        return list(self.addresses)


class Network:
    """A stand-in for the module `zeroconf`."""

    def __init__(self, services: Dict[str, Service], fails: bool = False) -> None:
        network = self
        self.asked: List[str] = []

        class Zeroconf:
            def __init__(self) -> None:
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
        logging.getLogger("healthcheck").setLevel(logging.CRITICAL)
        self.port = self.server.server.server_port
        self.app = HealthCheckerServer("A", "http://a")
        for name in ("FIND_SECONDS", "CONNECT_SECONDS"):
            patch = mock.patch.object(_discovery, name, 0.2)
            patch.start()
            self.addCleanup(patch.stop)

    def test_the_server_is_found_by_its_name_alone(self) -> None:
        name = "_healthchecker._http._tcp.local."
        with Network({name: Service(self.port, "fe80::1", "127.0.0.1")}) as network:
            self.assertEqual(self.app.monitor(), 200)
            self.assertEqual(self.app.monitor(), 200)
        self.assertEqual(network.asked, [name])
        self.assertEqual(self.app.url(), self.server.url + "/healthchecker/")

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
            set(healthcheck.__all__), {"HealthCheckResponse", "HealthStatus", "HealthCheckerServer"}
        )
        self.assertRegex(iputils.getMyIpAddr(), r"^\d+\.\d+\.\d+\.\d+$")
        self.assertGreater(iputils.findFreePort(), 0)


if __name__ == "__main__":
    unittest.main()
