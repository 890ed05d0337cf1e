"""Who may do what: tokens, and browsers on foreign pages."""

from __future__ import annotations

import base64
import re
import socket
from pathlib import Path

import pytest
import requests

from conftest import StartDaemon
from daemon import Daemon
from target import Target

API_TOKEN = "the-api-token-0123456789"
READ_TOKEN = "the-read-token-0123456789"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

CHANGES = [
    ("POST", "/healthchecker/monitor"),
    ("POST", "/healthchecker/pause"),
    ("GET", "/healthchecker/pause"),
    ("POST", "/healthchecker/resume"),
    ("GET", "/healthchecker/resume"),
    ("POST", "/healthchecker/stop"),
    ("GET", "/healthchecker/stop"),
    ("GET", "/healthchecker/stopmonitoring"),
]
READS = [
    "/",
    "/health",
    "/healthchecker/",
    "/healthchecker/status",
    "/healthchecker/info",
    "/healthchecker/log",
    "/healthchecker/incidents",
]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(token: str, user: str = "owner") -> dict[str, str]:
    """As a browser sends it once its person has logged in."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()}


def is_watched(daemon: Daemon, appname: str = "NAS", **options: object) -> bool:
    answer = daemon.get("/healthchecker/info", params={"appname": appname}, **options)
    return answer.status_code == 200


def assert_needs_token(answer: requests.Response) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "token" in answer.json()["error"]


def test_without_a_token_nothing_changes_and_with_it_everything_does(
    start_daemon: StartDaemon, target: Target
) -> None:
    daemon = start_daemon(api_token=API_TOKEN)
    app = {"appname": "NAS", "url": target.url}
    for method, path in CHANGES:
        for headers in [
            {},
            bearer(API_TOKEN[:-1]),
            bearer(API_TOKEN + "x"),
            bearer(API_TOKEN.upper()),
            {"Authorization": API_TOKEN},
            {"Authorization": f"Basic {API_TOKEN}"},
        ]:
            assert_needs_token(daemon.request(method, path, params=app, headers=headers))
    assert not is_watched(daemon)
    registered = daemon.post("/healthchecker/monitor", data=app, headers=bearer(API_TOKEN))
    assert registered.status_code == 200
    assert is_watched(daemon), "reading needs none"
    stop = "/healthchecker/stop?appname=NAS"
    assert_needs_token(daemon.get(stop))
    assert is_watched(daemon)
    assert daemon.get(stop, headers={"Authorization": f"bearer {API_TOKEN}"}).status_code == 200
    assert not is_watched(daemon)


def test_reading_needs_one_of_two_tokens_once_there_is_one_for_it(
    start_daemon: StartDaemon,
) -> None:
    daemon = start_daemon(api_token=API_TOKEN, read_token=READ_TOKEN)
    for path in READS:
        for method in ["GET", "HEAD"]:
            closed = daemon.request(method, path)
            assert (closed.status_code, closed.headers["WWW-Authenticate"]) == (401, "Bearer")
        for token in [API_TOKEN, READ_TOKEN]:
            opened = daemon.get(path, headers=bearer(token))
            assert opened.status_code == (400 if "info" in path else 200), path
    for method, path in CHANGES:
        assert_needs_token(daemon.request(method, path, headers=bearer(READ_TOKEN)))


def test_tokens_come_from_files(start_daemon: StartDaemon, tmp_path: Path) -> None:
    for name, token in [("api", API_TOKEN), ("read", READ_TOKEN)]:
        (tmp_path / name).write_text(token + "\n")
    daemon = start_daemon(api_token_file=tmp_path / "api", read_token_file=tmp_path / "read")
    assert daemon.get("/health").status_code == 401
    assert daemon.get("/health", headers=bearer(READ_TOKEN)).status_code == 200
    stop = "/healthchecker/stop?appname=none"
    assert daemon.get(stop).status_code == 401
    assert daemon.get(stop, headers=bearer(API_TOKEN)).status_code == 404
    assert API_TOKEN not in daemon.log() and READ_TOKEN not in daemon.log()


BROWSER = {"User-Agent": FIREFOX, "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_is_asked_to_log_in_and_a_program_for_its_token(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(debug=True, api_token=API_TOKEN, read_token=READ_TOKEN)
    own_page = {**BROWSER, "Origin": daemon.base}
    for headers in [{}, basic("wrong"), basic(READ_TOKEN[:-1]), {"Authorization": "Basic !"}]:
        for path in READS:
            for person in [BROWSER, {"User-Agent": "Lynx/2.9.2", "Accept": "text/html"}]:
                assert_asks_to_log_in(daemon.get(path, headers={**person, **headers}))
            assert_needs_token(daemon.get(path, headers=headers))
        assert "any user name" in daemon.get("/", headers=BROWSER).text
        posted = daemon.post("/healthchecker/stop", data={"appname": "x"}, headers={**own_page, **headers})
        assert_asks_to_log_in(posted)
    for user in ["", "owner", "J\u00fcrgen"]:
        for token in [API_TOKEN, READ_TOKEN]:
            for client in [BROWSER, {}]:
                assert daemon.get("/", headers={**client, **basic(token, user)}).status_code == 200
    stop = "/healthchecker/stop?appname=none"
    assert_asks_to_log_in(daemon.post(stop, headers={**own_page, **basic(READ_TOKEN)}))
    assert daemon.post(stop, headers={**own_page, **basic(API_TOKEN)}).status_code == 404
    assert daemon.post(stop, headers=basic(API_TOKEN)).status_code == 404
    for secret in [API_TOKEN, READ_TOKEN, *(basic(t)["Authorization"][6:] for t in [API_TOKEN, READ_TOKEN])]:
        assert secret not in daemon.log()


def assert_asks_to_log_in(answer: requests.Response) -> None:
    assert answer.status_code == 401, answer.text
    challenges = answer.raw.headers.getlist("WWW-Authenticate")
    assert challenges == ['Basic realm="HealthChecker", charset="UTF-8"', "Bearer"]
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "password" in answer.text and "<script" not in answer.text


# What browsers send for what a foreign page can have them do, to http://192.168.1.5:PORT. Chromium sends
# no Sec-Fetch headers to an address that is neither https nor loopback.
FOREIGN = {
    "an image, Chromium": {"User-Agent": FIREFOX},
    "an image, Firefox": {
        "User-Agent": FIREFOX,
        "Referer": "http://evil.example/",
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "no-cors",
        "Sec-Fetch-Dest": "image",
    },
    "a link that is followed": {
        "User-Agent": FIREFOX,
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
        "Sec-Fetch-User": "?1",
    },
    "a form": {"User-Agent": FIREFOX, "Origin": "http://evil.example"},
    "a form in a sandbox": {"User-Agent": FIREFOX, "Origin": "null"},
    "a form without a trace": {"User-Agent": FIREFOX},
    "a script with a name of its own": {"User-Agent": "curl/8", "Origin": "http://evil.example"},
    "another app on the same machine": {
        "User-Agent": FIREFOX,
        "Origin": "http://192.168.1.5:8080",
        "Host": "192.168.1.5:9090",
    },
    "a page that passed its own name for ours": {
        "User-Agent": FIREFOX,
        "Origin": "http://evil.example:9090",
        "Host": "evil.example:9090",
        "Sec-Fetch-Site": "same-origin",
    },
}


@pytest.mark.parametrize("page", FOREIGN)
def test_a_foreign_page_changes_nothing(daemon: Daemon, target: Target, page: str) -> None:
    daemon.register("NAS", target.url)
    for method, path in CHANGES:
        app = {"appname": "NAS"} | ({"url": "http://127.0.0.1:9"} if "monitor" in path else {})
        answer = daemon.request(method, path, params=app, headers=FOREIGN[page])
        assert answer.status_code == 403, answer.text
        assert "browser" in answer.json()["error"] or "allow_host" in answer.json()["error"]
    info = daemon.info("NAS")
    assert (info["url"], info["paused"]) == (target.url, False)


@pytest.mark.parametrize("page", FOREIGN)
def test_a_foreign_page_changes_nothing_in_a_browser_that_has_logged_in(
    start_daemon: StartDaemon, target: Target, page: str
) -> None:
    daemon = start_daemon(api_token=API_TOKEN, read_token=READ_TOKEN)
    app = {"appname": "NAS", "url": target.url}
    assert daemon.post("/healthchecker/monitor", data=app, headers=basic(API_TOKEN)).status_code == 200
    for method, path in CHANGES:
        headers = {**FOREIGN[page], **basic(API_TOKEN)}
        answer = daemon.request(method, path, params=app, headers=headers)
        assert answer.status_code == 403, answer.text
        assert "WWW-Authenticate" not in answer.headers
    assert is_watched(daemon, headers=basic(READ_TOKEN))


OWN_PAGE = b"User-Agent: Mozilla/5.0\r\nOrigin: http://pi.local\r\n"
STOP = b"/healthchecker/stop?appname=NAS"


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        # Two pages, or two hosts, of which one is ours.
        (b"POST " + STOP, b"Host: pi.local\r\n" + OWN_PAGE + b"Origin: http://evil.example\r\n", 400),
        (b"POST " + STOP, b"Host: pi.local\r\nOrigin: http://evil.example\r\n" + OWN_PAGE, 400),
        (b"POST " + STOP, b"Host: pi.local\r\nHost: evil.example\r\n" + OWN_PAGE, 400),
        (b"POST " + STOP, OWN_PAGE + b"Host: pi.local\r\nOrigin : http://evil.example\r\n", 400),
        (b"POST " + STOP, b"Host: pi.local\r\n" + OWN_PAGE + b" http://evil.example\r\n", 400),
        (b"POST " + STOP, b"Host: pi.local\r\n" + OWN_PAGE[:-2] + b", http://evil.example\r\n", 403),
        (b"POST " + STOP, b"Host: pi.local, evil.example\r\n" + OWN_PAGE, 403),
        (b"POST " + STOP, OWN_PAGE, 403),
        (b"POST " + STOP, b"Host:\r\n" + OWN_PAGE, 403),
        # A whole address: its name counts.
        (b"POST http://evil.example" + STOP, b"Host: pi.local\r\n" + OWN_PAGE, 403),
        (b"POST http://evil.example@pi.local" + STOP, b"Host: pi.local\r\n" + OWN_PAGE, 403),
        # What a page may send without asking first.
        (b"POST " + STOP, b"Host: pi.local\r\nUser-Agent: Mozilla/5.0\r\nContent-Type: text/plain\r\n", 403),
        (b"POST " + STOP, b"Host: pi.local\r\nSec-Fetch-Mode: no-cors\r\n", 403),
        # What it must ask for first is never allowed.
        (b"OPTIONS " + STOP, b"Host: pi.local\r\nAccess-Control-Request-Method: POST\r\n" + OWN_PAGE, 405),
        (b"HEAD " + STOP, b"Host: pi.local\r\n", 405),
        (b"get " + STOP, b"Host: pi.local\r\n", 501),
        *(
            (b"GET " + path + b"?appname=NAS", b"Host: pi.local\r\n", 404)
            for path in [
                b"/healthchecker//stop",
                b"//healthchecker/stop",
                b"/healthchecker/stop/",
                b"/healthchecker/./stop",
                b"/healthchecker/%2e/stop",
                b"/healthchecker/%73top",
                b"/healthchecker/info/../stop",
                b"/HealthChecker/Stop",
                b"/healthchecker/stop;a",
            ]
        ),
        (b"GET " + STOP + b"&appname=other", b"Host: pi.local\r\n", 400),
        (b"GET " + STOP + b"&APPNAME=other", b"Host: pi.local\r\n", 400),
    ],
)
def test_no_odd_spelling_gets_past_the_rules(
    daemon: Daemon, target: Target, request_line: bytes, headers: bytes, status: int
) -> None:
    daemon.register("NAS", target.url, interval=300)
    with socket.create_connection(("127.0.0.1", daemon.port), 5) as client:
        client.sendall(request_line + b" HTTP/1.1\r\n" + headers + b"\r\n")
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer
    assert b"Access-Control-" not in answer
    assert is_watched(daemon)


def test_a_name_in_query_and_body_is_refused(daemon: Daemon, target: Target) -> None:
    daemon.register("NAS", target.url, interval=300)
    for body in [{"data": {"appname": "NAS"}}, {"json": {"appname": "NAS"}}]:
        for name in ["NAS", "other"]:
            answer = daemon.post(f"/healthchecker/stop?appname={name}", **body)
            assert (answer.status_code, answer.json()["field"]) == (400, "appname")
    assert is_watched(daemon)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer " + "a" * 7000, 401),
        ("Basic " + "QUFB" * 1700, 401),
        ("Bearer " + "a" * 9000, 431),
        ("Basic " + "QUFB" * 2300, 431),
        ("Basic ====", 401),
        ("Basic \u00fc", 400),
        (f'Bearer "{API_TOKEN}"', 401),
        (f"Bearer {API_TOKEN}, Bearer x", 401),
        (f"Negotiate {API_TOKEN}", 401),
    ],
)
def test_odd_tokens_open_nothing(start_daemon: StartDaemon, authorization: str, status: int) -> None:
    daemon = start_daemon(debug=True, api_token=API_TOKEN)
    headers = {"Authorization": authorization.encode("latin-1")}
    assert daemon.post("/healthchecker/stop?appname=x", headers=headers).status_code == status
    assert API_TOKEN not in daemon.log() and "QUFBQUFB" not in daemon.log()


def test_our_own_page_changes_what_it_asks_for(start_daemon: StartDaemon, target: Target) -> None:
    daemon = start_daemon(allow_host="hc.example.org")
    for host in ["192.168.1.5:9090", "pi.local:9090", "pi", "hc.example.org"]:
        for page in [{"Origin": f"http://{host}"}, {"Referer": f"https://{host}/status?a=b"}]:
            daemon.register("NAS", target.url)
            headers = {"User-Agent": FIREFOX, "Host": host, **page}
            data = {"appname": "NAS"}
            assert daemon.get("/", headers=headers).status_code == 200
            answer = daemon.post("/healthchecker/stop", data=data, headers=headers)
            assert answer.status_code == 200, answer.text
    rebound = {"User-Agent": FIREFOX, "Host": "evil.example"}
    assert daemon.get("/", headers=rebound).status_code == 403, "the names are named"


@pytest.mark.parametrize("agent", ["curl/8.14.1", "python-requests/2.32.5", "ESP8266HTTPClient", None])
def test_programs_keep_their_gets(daemon: Daemon, target: Target, agent: str | None) -> None:
    for host in [None, "evil.example"]:
        daemon.register("NAS", target.url)
        headers = {"User-Agent": agent, "Host": host}
        for call in ["pause", "resume", "stop"]:
            answer = daemon.get(f"/healthchecker/{call}?appname=NAS", headers=headers)
            assert answer.status_code == 200, answer.text


def test_the_fetch_of_node_is_no_browser(daemon: Daemon, target: Target) -> None:
    headers = {"User-Agent": "node", "Sec-Fetch-Mode": "cors"}
    answer = daemon.post(
        "/healthchecker/monitor", json={"appname": "Node", "url": target.url}, headers=headers
    )
    assert answer.status_code == 200, answer.text
    for mark in [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]:
        answer = daemon.post("/healthchecker/stop?appname=Node", headers={**headers, **mark})
        assert answer.status_code == 403, answer.text


def test_every_answer_tells_browsers_to_be_careful(daemon: Daemon) -> None:
    others = [("GET", "/none"), ("PUT", "/health"), ("TRACE", "/"), ("GET", "/" + 9000 * "x")]
    for method, path in [*(("GET", path) for path in READS), *others]:
        headers = daemon.request(method, path).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        policy = headers["Content-Security-Policy"]
        assert re.search(r"default-src 'none'", policy) and "frame-ancestors 'none'" in policy, path
        assert "Access-Control-Allow-Origin" not in headers, path
