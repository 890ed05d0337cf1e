"""What tests do on a machine of the `Lan`: a program, because a namespace is a process's.

lan_client.py resolve NAME SECONDS     one service, by its full name, as JSON
lan_client.py list TYPE SECONDS        each service found in this time, a JSON line each
lan_client.py browse TYPE              each service added or removed, a JSON line each
lan_client.py announce-host NAME IP [TTL]  answers for the host NAME until standard input ends
lan_client.py announce-devices IP COUNT  announces so many devices of many kinds until standard input
                                       ends, one of them called <b>&
lan_client.py get URL...               status and body of each answer, a JSON line each; `post` likewise
lan_client.py serve IP [PORT [SECONDS]]  a healthy app that takes its time; prints its port, until
                                       standard input ends
lan_client.py hang IP                  one that answers nothing, since it accepts nobody; likewise
lan_client.py hold IP PORT COUNT       so many connections, until standard input ends
lan_client.py take-mail IP             a mail server; prints its port, then a JSON line for each mail
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import http.server
import json
import socket
import sys
import threading
import time
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import requests
from aiosmtpd.smtp import SMTP, Envelope, Session
from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, ServiceStateChange, Zeroconf

# Emulated machines, too, have time to answer.
ANSWER_SECONDS = 60


def say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


def resolve(name: str, seconds: str) -> None:
    service_type = name.split(".", 1)[1]
    zeroconf = Zeroconf(ip_version=IPVersion.All)
    info = zeroconf.get_service_info(service_type, name, int(float(seconds) * 1000))
    if info is None:
        say(None)
    else:
        properties = {
            key.decode(): value.decode() if value is not None else None
            for key, value in info.properties.items()
        }
        say(
            {
                "name": info.name,
                "server": info.server,
                "port": info.port,
                "addresses": sorted(info.parsed_addresses(IPVersion.All)),
                "properties": properties,
            }
        )
    zeroconf.close()


def list_services(service_type: str, seconds: str) -> None:
    names: set[str] = set()

    def handle(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        names.add(name)

    zeroconf = Zeroconf(ip_version=IPVersion.V4Only)
    ServiceBrowser(zeroconf, service_type, handlers=[handle])
    time.sleep(float(seconds))
    for name in sorted(names):
        # What the browser has heard, then what is said now: two with one name differ.
        for _ in range(2):
            info = ServiceInfo(service_type, name)
            if info.request(zeroconf, 1500):
                addresses = info.parsed_addresses(IPVersion.V4Only)
                say({"name": name, "port": info.port, "addresses": addresses})
    zeroconf.close()


def browse(service_type: str) -> None:
    def handle(
        zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        say({"name": name, "change": state_change.name})

    zeroconf = Zeroconf(ip_version=IPVersion.All)
    ServiceBrowser(zeroconf, service_type, handlers=[handle])
    sys.stdin.read()
    zeroconf.close()


def announce_host(name: str, address: str, ttl: str = "120") -> None:
    service_type = "_test._tcp.local."
    zeroconf = Zeroconf(ip_version=IPVersion.V4Only)
    info = ServiceInfo(
        service_type,
        f"test.{service_type}",
        addresses=[socket.inet_aton(address)],
        port=1,
        server=f"{name}.",
        host_ttl=int(ttl),
    )
    zeroconf.register_service(info)
    say("announced")
    sys.stdin.read()
    zeroconf.close()


DEVICES = [
    ("_ipp._tcp", 631),
    ("_googlecast._tcp", 8009),
    ("_ssh._tcp", 22),
    ("_http._tcp", 80),
    ("_hap._tcp", 5001),
    ("_esphomelib._tcp", 6053),
    ("_smb._tcp", 445),
    ("_mqtt._tcp", 1883),
]


def announce_devices(address: str, count: str) -> None:
    zeroconf = Zeroconf(ip_version=IPVersion.V4Only)
    for number in range(int(count)):
        service, port = DEVICES[number % len(DEVICES)]
        name = f"Device {number}" if number else "Device <b>&"
        info = ServiceInfo(
            f"{service}.local.",
            f"{name}.{service}.local.",
            addresses=[socket.inet_aton(address)],
            port=port,
            server=f"device{number}.local.",
        )
        zeroconf.register_service(info, cooperating_responders=True)
    say("announced")
    sys.stdin.read()
    zeroconf.close()


def get(*urls: str) -> None:
    ask("GET", *urls)


def post(*urls: str) -> None:
    ask("POST", *urls)


def ask(method: str, *urls: str) -> None:
    for url in urls:
        answer = requests.request(method, url, timeout=ANSWER_SECONDS)
        say({"status": answer.status_code, "body": answer.text})


class HealthyApp(http.server.BaseHTTPRequestHandler):
    takes_seconds = 0.0

    def do_GET(self) -> None:
        time.sleep(self.takes_seconds)
        body = b'{"status": "pass"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/health+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # Whoever asks may have had enough.
        with suppress(BrokenPipeError):
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def serve(address: str, port: str = "0", seconds: str = "0") -> None:
    HealthyApp.takes_seconds = float(seconds)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    http.server.ThreadingHTTPServer.address_family = family
    server = http.server.ThreadingHTTPServer((address, int(port)), HealthyApp)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    say(server.server_port)
    sys.stdin.read()


def hang(address: str) -> None:
    with socket.create_server((address, 0), backlog=512) as listener:
        say(listener.getsockname()[1])
        sys.stdin.read()


def hold(address: str, port: str, count: str) -> None:
    held = [socket.create_connection((address, int(port))) for _ in range(int(count))]
    say(len(held))
    sys.stdin.read()


class TakeMail:
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.original_content, bytes)
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        body = mail.get_body(("plain",))  # type: ignore[attr-defined]
        say({"to": envelope.rcpt_tos, "subject": mail["Subject"], "text": body.get_content()})
        return "250 2.0.0 OK queued"


def take_mail(address: str) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(TakeMail()), address, 0)
        say(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, sys.stdin.read)

    asyncio.run(serve())


COMMANDS: dict[str, Callable[..., None]] = {
    "resolve": resolve,
    "list": list_services,
    "browse": browse,
    "announce-host": announce_host,
    "announce-devices": announce_devices,
    "get": get,
    "post": post,
    "serve": serve,
    "hang": hang,
    "hold": hold,
    "take-mail": take_mail,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
