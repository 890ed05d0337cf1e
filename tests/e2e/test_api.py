"""The HTTP interface of the real binary, call by call."""

from __future__ import annotations

import json
import re
import socket
from datetime import datetime
from typing import Any

import pytest
import requests

from conftest import StartDaemon
from daemon import Daemon
from target import Target
from waiting import wait_for

MONITOR = "/healthchecker/monitor"
INFO = "/healthchecker/info"

APP_FIELDS = set(
    "appname url path email timeout interval unhealthy healthy state since paused quiet_until failed_in_a_row "
    "passed_in_a_row checks failures uptime_24h last_healthy certificate_ends last_check".split()
)
CHECK_FIELDS = set("time outcome http_status latency_ms reason body".split())
RFC_3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def fields(url: str, **given: object) -> dict[str, str]:
    """A good registration, but for what is given; `None` leaves a field out."""
    all_fields = {"appname": "Kodi", "url": url, **given}
    return {name: str(value) for name, value in all_fields.items() if value is not None}


def error_of(answer: requests.Response, status: int) -> dict[str, Any]:
    """The error in an answer, which has `status`."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"].startswith("application/json")
    error: dict[str, Any] = answer.json()
    assert error["error"]
    return error


# The field, a bad value, and what the sentence must name besides it.
BAD_VALUES = [
    ("timeout", "1", ["2", "60"]),
    ("timeout", "61", ["2", "60"]),
    ("timeout", "soon", ["2", "60"]),
    ("timeout", "2.5", ["2", "60"]),
    ("timeout", "-3", ["2", "60"]),
    ("timeout", "99999999999999999999", ["2", "60"]),
    ("interval", "4", ["5", "300"]),
    ("interval", "301", ["5", "300"]),
    ("interval", "5 s", ["5", "300"]),
    ("unhealthy", "1", ["2", "10"]),
    ("unhealthy", "11", ["2", "10"]),
    ("unhealthy_threshold", "11", ["2", "10"]),
    ("healthy", "1", ["2", "10"]),
    ("healthy", "11", ["2", "10"]),
    ("healthy_threshold", "0", ["2", "10"]),
    ("path", "health", ["/"]),
    ("expect", "ok", []),
    ("expect", "299-200", []),
    ("expect", "200-", []),
    ("url", "ftp://192.0.2.1/", ["http://", "https://"]),
    ("url", "192.0.2.1", ["http://", "https://"]),
    ("url", "http://", []),
    ("url", 'http://a"b{`:1/', ["letters"]),
    ("url", "http://a..b", ["letters"]),
    ("url", "http://*", ["letters"]),
    ("url", "http://239.255.255.250", ["many"]),
    ("email", "nobody", []),
    ("email", "a@b.example, nobody", []),
]


@pytest.mark.parametrize(("field", "value", "named"), BAD_VALUES)
def test_a_bad_value_is_named_with_what_would_be_right(
    daemon: Daemon, target: Target, field: str, value: str, named: list[str]
) -> None:
    answer = daemon.post(MONITOR, data=fields(target.url) | {field: value})
    error = error_of(answer, 400)
    assert error["field"] in (field, field.removesuffix("_threshold"))
    for word in [value.split(", ")[-1].replace('"', '\\"'), *named]:
        assert word in error["error"], error
    assert daemon.get(INFO, params={"appname": "Kodi"}).status_code == 404


@pytest.mark.parametrize("field", ["appname", "url"])
@pytest.mark.parametrize("value", [None, "", "   "], ids=["missing", "empty", "blank"])
def test_a_required_field_must_be_there(
    daemon: Daemon, target: Target, field: str, value: str | None
) -> None:
    answer = daemon.post(MONITOR, data=fields(target.url) | {field: value})
    assert error_of(answer, 400)["field"] == field


@pytest.mark.parametrize("field", ["timeout", "interval", "unhealthy", "healthy", "path", "expect"])
def test_an_empty_field_is_refused(daemon: Daemon, target: Target, field: str) -> None:
    answer = daemon.post(MONITOR, data=fields(target.url) | {field: ""})
    assert error_of(answer, 400)["field"] == field


@pytest.mark.parametrize(
    "appname", ["x" * 129, "new\nline", "\x1b[31mred", "nul\0"], ids=["long", "lf", "esc", "nul"]
)
def test_a_name_is_short_and_printable(daemon: Daemon, target: Target, appname: str) -> None:
    error = error_of(daemon.post(MONITOR, json=fields(target.url, appname=appname)), 400)
    assert error["field"] == "appname"
    assert "128" in error["error"] or "control" in error["error"]
    assert not re.search(r"[\x00-\x1f\x7f]", error["error"])


def test_names_that_look_alike_are_one_app(daemon: Daemon, target: Target) -> None:
    for given in ["My NAS", " My NAS", "My  NAS\r\n", "My\u00a0NAS"]:
        answer = daemon.post(MONITOR, json=fields(f" {target.url} ", appname=given))
        assert answer.status_code == 200, answer.text
        assert answer.json()["appname"] == "My NAS"
    assert daemon.info(" My NAS")["url"] == target.url
    assert daemon.get("/healthchecker/log", params={"appname": "My NAS "}).status_code == 200
    page = daemon.get(INFO, params={"appname": "My NAS ", "format": "html"})
    assert page.status_code == 200
    for unseen in ["\u00ad", "\u200d", "\u3164", "\u2800", "\U000e0041"]:
        answer = daemon.post(MONITOR, data=fields(target.url, appname=f"My{unseen}NAS"))
        error = error_of(answer, 400)
        assert error["field"] == "appname"
        assert f"U+{ord(unseen):04X}" in error["error"]
    (app,) = daemon.get("/healthchecker/status").json()["apps"]
    assert app["appname"] == "My NAS"
    answer = daemon.post("/healthchecker/stop", data={"appname": "My NAS "})
    assert answer.json() == {"appname": "My NAS", "result": "stopped"}


@pytest.mark.parametrize("field", ["colour", "tls", "quiet", "kind"])
def test_an_unknown_field_is_refused(daemon: Daemon, target: Target, field: str) -> None:
    error = error_of(daemon.post(MONITOR, data=fields(target.url) | {field: "x"}), 400)
    assert error["field"] == field
    assert field in error["error"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"])
def test_this_machine_itself_may_name_its_own_addresses(daemon: Daemon, host: str) -> None:
    daemon.register("Kodi", f"http://{host}:1")
    assert daemon.info("Kodi")["url"].startswith(f"http://{host}:1")


@pytest.mark.parametrize("form", ["form", "json", "query"])
def test_parameters_come_in_three_forms(daemon: Daemon, target: Target, form: str) -> None:
    given = fields(target.url, email="a@b.example,c@d.example", timeout=3, interval=60)
    key = {"form": "data", "json": "json", "query": "params"}[form]
    answer = daemon.post(MONITOR, **{key: given})
    assert answer.status_code == 200, answer.text
    info = daemon.info("Kodi")
    assert info["email"] == ["a@b.example", "c@d.example"]
    assert (info["timeout"], info["interval"]) == (3, 60)
    assert (info["unhealthy"], info["healthy"], info["path"]) == (2, 10, "/health")


def test_a_body_may_come_in_chunks(daemon: Daemon, target: Target) -> None:
    parts = [part.encode() for part in json.dumps(fields(target.url, interval=60)).partition(",")]
    answer = daemon.post(MONITOR, data=iter(parts), headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    assert daemon.info("Kodi")["interval"] == 60
    too_long = daemon.post(MONITOR, data=iter([b"x" * 10_000] * 2))
    assert "too long" in error_of(too_long, 413)["error"]


def test_json_may_hold_numbers(daemon: Daemon, target: Target) -> None:
    given = {"appname": "Kodi", "url": target.url, "timeout": 3, "healthy": 2}
    assert daemon.post(MONITOR, json=given).status_code == 200
    assert (daemon.info("Kodi")["timeout"], daemon.info("Kodi")["healthy"]) == (3, 2)


@pytest.mark.parametrize("appname", [["a", "b"], ["a"], True, {}], ids=str)
def test_a_name_in_json_is_a_text(daemon: Daemon, target: Target, appname: object) -> None:
    error = error_of(daemon.post(MONITOR, json={"appname": appname, "url": target.url}), 400)
    assert error["field"] == "appname"
    assert "must be a text" in error["error"]
    assert daemon.get("/healthchecker/status").json()["apps"] == []


def test_json_may_begin_with_a_byte_order_mark(daemon: Daemon, target: Target) -> None:
    body = json.dumps(fields(target.url)).encode("utf-8-sig")
    answer = daemon.post(MONITOR, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("body", ["{", "[]", '"Kodi"', "{}"])
def test_broken_json_is_refused(daemon: Daemon, body: str) -> None:
    error_of(daemon.post(MONITOR, data=body, headers={"Content-Type": "application/json"}), 400)


def test_thresholds_have_two_names_each(daemon: Daemon, target: Target) -> None:
    daemon.register("Kodi", target.url, unhealthy_threshold=3, healthy_threshold=4)
    assert (daemon.info("Kodi")["unhealthy"], daemon.info("Kodi")["healthy"]) == (3, 4)


def test_a_registration_is_updated_in_place(daemon: Daemon, target: Target) -> None:
    daemon.register("Kodi", target.url, interval=5, healthy=2)
    healthy = daemon.wait_for_state("Kodi", "HEALTHY", 15)
    daemon.register("Kodi", target.url, interval=6, healthy=2)
    info = daemon.info("Kodi")
    assert (info["interval"], info["state"], info["since"]) == (6, "HEALTHY", healthy["since"])
    assert info["checks"] >= healthy["checks"]
    daemon.register("Kodi", target.url.replace("127.0.0.1", "localhost"), interval=6, healthy=2)
    assert daemon.info("Kodi")["state"] == "UNKNOWN"


def test_info_is_complete(daemon: Daemon, target: Target) -> None:
    daemon.register("Kodi", target.url)
    wait_for(lambda: daemon.info("Kodi")["checks"] > 0, 5, "the first check")
    info = daemon.info("Kodi")
    assert APP_FIELDS | {"recent"} <= set(info)
    assert set(info["last_check"]) == CHECK_FIELDS
    assert (info["state"], info["paused"], info["checks"], info["failures"]) == (
        "UNKNOWN",
        False,
        1,
        0,
    )
    last = info["last_check"]
    assert (last["outcome"], last["http_status"]) == ("pass", 200)
    assert set(info["recent"][0]) == {"time", "outcome", "latency_ms"}
    for text in (info["since"], last["time"], info["recent"][0]["time"]):
        assert RFC_3339_UTC.fullmatch(text), text
    assert target.requests[0].path == "/health"
    headers = {name.lower(): value for name, value in target.requests[0].headers.items()}
    assert headers["accept"] == "application/health+json, application/json, */*;q=0.5"
    assert headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_app_is_paused_resumed_and_stopped(daemon: Daemon, target: Target, method: str) -> None:
    daemon.register("Kodi", target.url)

    def call(what: str) -> None:
        answer = daemon.request(method, f"/healthchecker/{what}", params={"appname": "Kodi"})
        assert answer.status_code == 200, answer.text

    call("pause")
    assert daemon.info("Kodi")["paused"] is True
    call("resume")
    assert (daemon.info("Kodi")["paused"], daemon.info("Kodi")["state"]) == (False, "UNKNOWN")
    call("stop")
    assert daemon.get(INFO, params={"appname": "Kodi"}).status_code == 404


def test_stop_has_an_old_name(daemon: Daemon, target: Target) -> None:
    daemon.register("Kodi", target.url)
    assert daemon.get("/healthchecker/stopmonitoring?appname=Kodi").status_code == 200
    assert daemon.get(INFO, params={"appname": "Kodi"}).status_code == 404


@pytest.mark.parametrize("call", ["pause", "resume", "stop", "stopmonitoring", "info"])
def test_an_unknown_app_is_not_found(daemon: Daemon, call: str) -> None:
    error = error_of(daemon.get(f"/healthchecker/{call}", params={"appname": "Nobody"}), 404)
    assert "Nobody" in error["error"]


@pytest.mark.parametrize("call", ["pause", "resume", "stop", "info"])
def test_the_app_must_be_named(daemon: Daemon, call: str) -> None:
    assert error_of(daemon.get(f"/healthchecker/{call}"), 400)["field"] == "appname"


@pytest.mark.parametrize(
    "path", ["/healthchecker/nothing", "/favicon", "/health/x"]
)
def test_an_unknown_path_is_not_found(daemon: Daemon, path: str) -> None:
    error_of(daemon.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", MONITOR, {"POST"}),
        ("DELETE", MONITOR, {"POST"}),
        ("PUT", "/healthchecker/pause", {"GET", "POST"}),
        ("DELETE", "/healthchecker/stop", {"GET", "POST"}),
        ("POST", INFO, {"GET"}),
        ("POST", "/healthchecker/status", {"GET"}),
        ("POST", "/health", {"GET"}),
        ("POST", "/", {"GET"}),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    daemon: Daemon, method: str, path: str, allowed: set[str]
) -> None:
    answer = daemon.request(method, path)
    error_of(answer, 405)
    assert set(re.split(r",\s*", answer.headers["Allow"])) - {"HEAD", "OPTIONS"} == allowed


def test_status_has_the_daemon_and_all_apps(daemon: Daemon, target: Target) -> None:
    daemon.register("<b>Kodi</b>", target.url)
    for path in ("/", "/healthchecker/status", "/healthchecker/status?format=json"):
        answer = daemon.get(path, headers={"Accept": "application/json"})
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        status = answer.json()
        assert set(status) == {"server", "apps"}
        assert [app["appname"] for app in status["apps"]] == ["<b>Kodi</b>"]
        assert APP_FIELDS <= set(status["apps"][0])


def test_its_own_health_is_health_json(daemon: Daemon) -> None:
    answer = daemon.get("/health")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/health+json")
    assert answer.json()["status"] == "pass"
    assert answer.json()["checks"]


def test_a_sick_app_is_not_our_sickness(daemon: Daemon, target: Target) -> None:
    target.fails("disk full")
    daemon.register("Kodi", target.url, interval=5)
    daemon.wait_for_state("Kodi", "UNHEALTHY", 15)
    assert daemon.get("/health").json()["status"] == "pass"
    assert "disk full" in daemon.info("Kodi")["last_check"]["reason"]


def raw(daemon: Daemon, request: bytes) -> bytes:
    """What comes back for these bytes."""
    with socket.create_connection((daemon.host, daemon.port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000 + b"\r\n\r\n", b"431"),
        (
            b"POST /healthchecker/monitor HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
            b"413",
        ),
        (b"POST /healthchecker/monitor HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n", b"400"),
    ],
    ids=["nonsense", "long head", "long body", "odd length"],
)
def test_a_malformed_request_is_answered(
    daemon: Daemon, request_bytes: bytes, status: bytes
) -> None:
    assert raw(daemon, request_bytes).startswith(b"HTTP/1.1 " + status)
    assert daemon.get("/health").status_code == 200


def test_a_blank_in_the_address_is_named(daemon: Daemon) -> None:
    answer = raw(daemon, b"GET /healthchecker/info?appname=a b HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400") and b"%20" in answer


def test_a_taken_port_ends_the_start(daemon: Daemon, start_daemon: StartDaemon) -> None:
    with pytest.raises(AssertionError, match=str(daemon.port)) as told:
        start_daemon(port=daemon.port)
    assert str(told.value).count("choose another") == 1


def test_a_call_that_takes_nothing_says_so(daemon: Daemon) -> None:
    error = error_of(daemon.get("/health?x=1"), 400)
    assert error["error"] == 'unknown parameter "x"; health takes none'


def test_what_may_be_off_stays_so_until_it_is_said_otherwise(daemon: Daemon, target: Target) -> None:
    app = {"appname": "TV", "url": target.url, "interval": 300}
    for said, expected in [
        ({}, False),
        ({"may_be_off": True}, True),
        ({}, True),
        ({"may_be_off": None}, False),
        ({"may_be_off": "yes"}, True),
        ({"may_be_off": ""}, False),
    ]:
        answer = daemon.post("/healthchecker/monitor", json={**app, **said})
        assert answer.status_code == 200, answer.text
        assert daemon.info("TV")["may_be_off"] is expected, said
        (exported,) = daemon.get("/healthchecker/export").json()["apps"]
        assert exported["may_be_off"] is expected, said
        page = daemon.get("/healthchecker/info?appname=TV&format=html").text
        assert ("it may be off or away" in page) is expected, said
    for wrong in ("perhaps", [True], 2):
        answer = daemon.post("/healthchecker/monitor", json={**app, "may_be_off": wrong})
        assert (answer.status_code, answer.json()["field"]) == (400, "may_be_off"), wrong
        assert "must be true or false" in answer.json()["error"], wrong


def test_parents_are_kept_checked_and_warned_of(daemon: Daemon, target: Target) -> None:
    def register(name: str, **said: object) -> requests.Response:
        fields = {"appname": name, "url": target.url, "interval": 300, **said}
        return daemon.post("/healthchecker/monitor", json=fields)

    answer = register("NAS", parent=["Switch, upstairs", "Router"])
    assert answer.status_code == 200, answer.text
    warnings = answer.json()["warnings"]
    assert [name in warning for name, warning in zip(["Switch, upstairs", "Router"], warnings)] == [True, True]
    answer = register("Switch, upstairs")
    assert "warnings" not in answer.json(), answer.text
    assert daemon.info("NAS")["parent"] == ["Switch, upstairs", "Router"]
    assert "Behind" in daemon.get("/healthchecker/info?appname=NAS&format=html").text
    for parent in (["NAS"], "NAS"):
        answer = register("Router", parent=parent)
        assert (answer.status_code, answer.json()["field"]) == (400, "parent"), answer.text
        assert '"Router" is behind "NAS" is behind "Router"' in answer.json()["error"]
    assert len(register("NAS").json()["warnings"]) == 1, "left out, they stay"
    exported = {app["appname"]: app for app in daemon.get("/healthchecker/export").json()["apps"]}
    assert exported["NAS"]["parent"] == ["Switch, upstairs", "Router"]
    assert exported["Switch, upstairs"]["parent"] == []
    assert register("NAS", parent=None).status_code == 200
    assert daemon.info("NAS")["parent"] == []


def test_reminders_are_on_until_somebody_says_no(daemon: Daemon, target: Target) -> None:
    app = {"appname": "TV", "url": target.url, "interval": 300}
    for said, expected in [
        ({}, True),
        ({"reminders": False}, False),
        ({}, False),
        ({"reminders": None}, True),
        ({"reminders": "no"}, False),
        ({"reminders": ""}, True),
    ]:
        answer = daemon.post("/healthchecker/monitor", json={**app, **said})
        assert answer.status_code == 200, answer.text
        assert daemon.info("TV")["reminders"] is expected, said
        (exported,) = daemon.get("/healthchecker/export").json()["apps"]
        assert exported["reminders"] is expected, said
        page = daemon.get("/healthchecker/info?appname=TV&format=html").text
        assert ("Reminders" in page) is not expected, said
    answer = daemon.post("/healthchecker/monitor", json={**app, "reminders": "often"})
    assert (answer.status_code, answer.json()["field"]) == (400, "reminders")


def test_quiet_times_stay_until_somebody_says_otherwise(daemon: Daemon, target: Target) -> None:
    app = {"appname": "TV", "url": target.url, "interval": 300}
    for said, expected in [
        ({}, []),
        ({"quiet": "2:30-04:00, sa su 22:00-09:00"}, ["02:30-04:00", "Sa Su 22:00-09:00"]),
        ({}, ["02:30-04:00", "Sa Su 22:00-09:00"]),
        ({"quiet": ["Mo-We 13:00-14:00"]}, ["Mo Tu We 13:00-14:00"]),
        ({"quiet": "never"}, ["never"]),
        ({"quiet": None}, []),
        ({"quiet": "00:00-24:00"}, ["00:00-24:00"]),
    ]:
        answer = daemon.post("/healthchecker/monitor", json={**app, **said})
        assert answer.status_code == 200, answer.text
        assert daemon.info("TV")["quiet"] == expected, said
        (exported,) = daemon.get("/healthchecker/export").json()["apps"]
        assert exported["quiet"] == expected, said
    assert daemon.info("TV")["quiet_until"] is not None
    page = daemon.get("/healthchecker/info?appname=TV&format=html").text
    assert "00:00-24:00" in page and "Nobody is told until" in page
    assert "Quiet:</b> 1 of 1" in daemon.get("/healthchecker/?format=html").text
    for wrong in ["night", "04:00", "4-5", "02:30-02:30", "Sat 02:30-04:00", "25:00-26:00", [7]]:
        answer = daemon.post("/healthchecker/monitor", json={**app, "quiet": wrong})
        assert (answer.status_code, answer.json()["field"]) == (400, "quiet"), wrong
        assert "02:30-04:00" in answer.json()["error"]
    assert daemon.info("TV")["quiet"] == ["00:00-24:00"]


def test_quiet_is_asked_for_and_ends(daemon: Daemon, target: Target) -> None:
    daemon.register("Kodi", target.url)
    wait_for(lambda: daemon.info("Kodi")["checks"], 5, "the first check")
    state = daemon.info("Kodi")["state"]
    answer = daemon.get("/healthchecker/pause", params={"appname": "Kodi", "for": "10m"})
    assert answer.json() == {"appname": "Kodi", "result": "quiet"}
    info = daemon.info("Kodi")
    assert (info["paused"], info["state"]) == (False, state)
    until = info["quiet_until"]
    assert RFC_3339_UTC.fullmatch(until)
    assert 'healthchecker_app_quiet{app="Kodi"} 1' in daemon.get("/metrics").text
    assert "End quiet" in daemon.get("/healthchecker/info?appname=Kodi&format=html").text
    daemon.kill()
    daemon.start()
    assert abs(seconds(daemon.info("Kodi")["quiet_until"]) - seconds(until)) < 2
    assert daemon.post("/healthchecker/resume", json={"appname": "Kodi"}).status_code == 200
    assert daemon.info("Kodi")["quiet_until"] is None
    for wrong in ["", "10", "59s", "31d", "1.5h", "ten", "-5m", "+5m", "99999999999999999999d"]:
        error = error_of(
            daemon.post("/healthchecker/pause", json={"appname": "Kodi", "for": wrong}), 400
        )
        assert error["field"] == "for", wrong
    assert daemon.info("Kodi")["quiet_until"] is None and not daemon.info("Kodi")["paused"]


def seconds(rfc_3339: str) -> float:
    return datetime.fromisoformat(rfc_3339.replace("Z", "+00:00")).timestamp()
