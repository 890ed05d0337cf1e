"""Behind nginx and Caddy, set up as `docs/reverse-proxy.md` says."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from browser import Browser
from conftest import StartDaemon
from daemon import REPOSITORY, Daemon
from target import Target
from waiting import wait_for

GUIDE = REPOSITORY / "docs/reverse-proxy.md"
START_SECONDS = 20
NAME = "health.example.org"
BROWSER = {"User-Agent": "Mozilla/5.0", "Accept": "text/html", "Sec-Fetch-Site": "same-origin"}

RunProxy = Callable[[list[str], int], None]


def blocks(language: str) -> list[str]:
    """The pieces of configuration that the guide shows for a proxy, in order."""
    return re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def run_proxy(tmp_path: Path) -> Iterator[RunProxy]:
    """Runs a proxy until the end of the test, once it listens on a port."""
    with ExitStack() as running:

        def run(command: list[str], port: int) -> None:
            log = running.enter_context((tmp_path / "proxy.log").open("w"))
            home = {"HOME": str(tmp_path), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
            process = subprocess.Popen(
                command, env=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            running.callback(process.wait)
            running.callback(process.terminate)

            def listens() -> bool:
                assert process.poll() is None, (tmp_path / "proxy.log").read_text()
                with socket.socket() as one:
                    return one.connect_ex(("127.0.0.1", port)) == 0

            wait_for(listens, START_SECONDS, command[0])

        yield run


def nginx(tmp_path: Path, piece: str, port: int, daemon: Daemon) -> list[str]:
    """A server of the guide, or a location in one of ours; with a port and a folder that need no root."""
    piece = piece.replace("127.0.0.1:9090", f"127.0.0.1:{daemon.port}")
    if not piece.startswith("server"):
        piece = f"server {{ listen 127.0.0.1:{port}; {piece} }}"
    piece = piece.replace("listen 443", f"listen 127.0.0.1:{port}")
    for file, ours in (("certs/health.example.org.pem", "cert"), ("private/health.example.org.key", "key")):
        piece = piece.replace(f"/etc/ssl/{file}", str(tmp_path / f"{ours}.pem"))
    folders = "".join(
        f"{kind}_temp_path {tmp_path};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"daemon off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
    whole += f"http {{ access_log off; {folders}\n{piece}\n}}"
    (tmp_path / "nginx.conf").write_text(whole)
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin") or pytest.skip("nginx is missing")
    return [program, "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]


def caddy(tmp_path: Path, piece: str, port: int, daemon: Daemon) -> list[str]:
    """A site of the guide, without a certificate from the internet."""
    piece = re.sub(r"^\S+ \{", f"http://:{port} {{\n bind 127.0.0.1", piece)
    piece = piece.replace("127.0.0.1:9090", f"127.0.0.1:{daemon.port}")
    (tmp_path / "Caddyfile").write_text("{\n admin off\n auto_https off\n}\n" + piece)
    program = shutil.which("caddy") or pytest.skip("caddy is missing")
    return [program, "run", "--config", str(tmp_path / "Caddyfile"), "--adapter", "caddyfile"]


class Visitor:
    """A person with a browser, as the proxy and the daemon see one."""

    def __init__(self, port: int, scheme: str = "http") -> None:
        self.authority = f"{NAME}:{port}"
        self.origin = f"{scheme}://{self.authority}"
        self.base = f"{scheme}://127.0.0.1:{port}"

    def open(self, path: str) -> requests.Response:
        return self.ask("GET", path)

    def press(self, path: str, **fields: str) -> requests.Response:
        return self.ask("POST", path, data=fields, headers={"Origin": self.origin})

    def register(self, path: str, **fields: str) -> requests.Response:
        """As a program does, which has no marks of a browser."""
        return self.send("POST", path, data=fields)

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> requests.Response:
        return self.send(method, path, headers={**BROWSER, **(headers or {})}, **options)

    def send(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> requests.Response:
        options = {"timeout": 10, "allow_redirects": False, **options}
        headers = {"Host": self.authority, **(headers or {})}
        with requests.Session() as session:
            session.trust_env, session.verify = False, False
            return session.request(method, self.base + path, headers=headers, **options)


def works(visitor: Visitor, home: str) -> None:
    """The page is there, each of its links below that leads somewhere, and a button is obeyed."""
    page = visitor.open(home)
    assert page.status_code == 200 and "<title>" in page.text, page.text
    links = {
        urljoin(home, link.replace("&amp;", "&"))
        for link in re.findall(r'(?:href|action|formaction)="([^"#]+)"', page.text)
        if not link.startswith("data:")
    }
    assert len(links) >= 8 and all(link.startswith(home) for link in links), links
    for link in sorted(links):
        # What is only pressed is there as well.
        assert visitor.open(link).status_code in (200, 403, 405), link
    [pause] = [link for link in links if link.endswith("/pause")]
    pressed = visitor.press(pause, appname="NAS")
    assert pressed.status_code == 303, pressed.text
    back = visitor.open(urljoin(pause, pressed.headers["Location"]))
    assert back.status_code == 200 and "PAUSED" in back.text.upper()
    nowhere = visitor.open(home + "no/where")
    [back_home] = re.findall(r'<a href="([^"]*)">Back to all apps', nowhere.text)
    assert nowhere.status_code == 404
    assert visitor.open(urljoin(home + "no/where", back_home)).text.count("<article") == 1
    monitor = urljoin(pause, "monitor")
    for url in ("http://localhost:5000", ":8080"):
        told = visitor.register(monitor, appname="elsewhere", url=url)
        assert told.status_code == 400 and told.json()["field"] == "url", told.text


@pytest.fixture
def daemon(start_daemon: StartDaemon, target: Target) -> Daemon:
    one = start_daemon(allow_host=NAME)
    one.register("NAS", target.url)
    return one


@pytest.mark.filterwarnings("ignore:Unverified HTTPS")
def test_nginx_with_tls(daemon: Daemon, tmp_path: Path, run_proxy: RunProxy) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NAME}"]
        + ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")],
        check=True,
        capture_output=True,
    )
    port = free_port()
    run_proxy(nginx(tmp_path, blocks("nginx")[0], port, daemon), port)
    works(Visitor(port, "https"), "/")
    assert daemon.info("NAS")["paused"]


def test_caddy(daemon: Daemon, tmp_path: Path, run_proxy: RunProxy) -> None:
    port = free_port()
    run_proxy(caddy(tmp_path, blocks("caddy")[0], port, daemon), port)
    works(Visitor(port), "/")
    assert daemon.info("NAS")["paused"]


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_a_path_of_the_proxy_s_own(
    proxy: Callable[..., list[str]], daemon: Daemon, tmp_path: Path, run_proxy: RunProxy
) -> None:
    port = free_port()
    run_proxy(proxy(tmp_path, blocks(proxy.__name__)[1], port, daemon), port)
    visitor = Visitor(port)
    works(visitor, "/health-checker/")
    # What is not handed on is not ours.
    assert "HealthChecker" not in visitor.open("/").text
    assert "HealthChecker" not in visitor.open("/healthchecker/").text


def test_a_browser_below_a_path_of_the_proxy_s_own(
    start_daemon: StartDaemon, target: Target, tmp_path: Path, run_proxy: RunProxy, browser: Browser
) -> None:
    port = free_port()
    home = f"http://127.0.0.1:{port}/health-checker/"
    daemon = start_daemon(public_url=home)
    run_proxy(nginx(tmp_path, blocks("nginx")[1], port, daemon), port)
    browser.open(home)
    call = browser.text("main pre")
    assert call.endswith(f" {home}healthchecker/monitor"), call
    for base, server in ((home, home.rstrip("/")), (daemon.base + "/", "/")):
        described = requests.get(base + "openapi.json", timeout=10).json()
        assert described["servers"] == [{"url": server}]
    assert f" {daemon.base}/healthchecker/monitor" in daemon.get("/", headers=BROWSER).text
    daemon.register("TV box", target.url)
    for script in (True, False):
        browser.open(home, script=script)
        browser.click("h3 a")
        browser.click("text=Change …")
        browser.fill("#field-email", f"{script}@example.org")
        browser.click("text=Save")
        assert browser.see("location.pathname") == "/health-checker/healthchecker/info"
        assert daemon.info("TV box")["email"] == [f"{script}@example.org"]
        browser.click("button:has-text('Pause')" if script else "button:has-text('Resume')")
        assert browser.see("location.pathname") == "/health-checker/healthchecker/info"
        assert daemon.info("TV box")["paused"] == script
        browser.click("text=All apps")
        assert browser.see("location.pathname") == "/health-checker/healthchecker/"
    assert browser.complaints == []


@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_the_daemon_s_own_path(
    proxy: Callable[..., list[str]], daemon: Daemon, tmp_path: Path, run_proxy: RunProxy
) -> None:
    port = free_port()
    run_proxy(proxy(tmp_path, blocks(proxy.__name__)[2], port, daemon), port)
    visitor = Visitor(port)
    page = visitor.open("/healthchecker/")
    assert page.status_code == 200 and "<article" in page.text
    # What is not handed on is not ours.
    assert "HealthChecker" not in visitor.open("/").text


def test_nginx_as_it_comes_is_told_what_is_missing(
    daemon: Daemon, tmp_path: Path, run_proxy: RunProxy
) -> None:
    port = free_port()
    piece = blocks("nginx")[2].replace("proxy_set_header Host $http_host;", "")
    run_proxy(nginx(tmp_path, piece, port, daemon), port)
    pressed = Visitor(port).press("/healthchecker/pause", appname="NAS")
    assert pressed.status_code == 403
    assert "proxy" in pressed.text and "Host" in pressed.text, pressed.text
