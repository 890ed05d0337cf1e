#!/usr/bin/env python3
"""Turns the configuration of Gatus into a document that `healthchecker import` takes.

    pip install pyyaml
    ./gatus.py config.yaml > apps.json
    healthchecker import apps.json --dry-run
    healthchecker import apps.json

What cannot be taken over, or not as it was, is listed on standard error.
"""

import base64
import binascii
import json
import re
import sys
from urllib.parse import unquote, urlsplit

import yaml

SIZE_MAX = 1024 * 1024
"""Bytes; a list of endpoints is no longer."""

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
INTERVAL, TIMEOUT, CHECKS = (5, 300), (2, 60), (2, 10)
BEATS_APART, LATE_BEATS = (5, 3_024_000), (1, 10)
SLOW, TEXT_MAX = (1, 60_000), 200
"""What `monitor` takes."""


class NotTaken(Exception):
    """Why an endpoint is left out."""


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: gatus.py CONFIG.YAML > apps.json", file=sys.stderr)
        return 64
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            text = file.read(SIZE_MAX + 1)
        if len(text) > SIZE_MAX:
            print(f"more than {SIZE_MAX} bytes, which no list of endpoints has", file=sys.stderr)
            return 65
        config = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as why:
        print(f"{sys.argv[1]} cannot be read: {why}", file=sys.stderr)
        return 65
    config = config if isinstance(config, dict) else {}
    lists = [(config.get("endpoints"), app), (config.get("external-endpoints"), beat)]
    if not any(isinstance(endpoints, list) for endpoints, _ in lists):
        print("no configuration of Gatus: there is no list 'endpoints' in it", file=sys.stderr)
        return 65
    apps = []
    for endpoint, taken in [(it, taken) for endpoints, taken in lists for it in endpoints or []]:
        remarks: list[str] = []
        name = name_of(endpoint)
        try:
            apps.append(taken(endpoint, name, remarks))
        except NotTaken as why:
            remarks.append(f"not taken over: {why}")
        for remark in remarks:
            print(f"{name}: {remark}", file=sys.stderr)
    json.dump({"healthchecker_export": 1, "apps": apps}, sys.stdout, indent=2, ensure_ascii=False)
    print()
    return 0


def name_of(endpoint: object) -> str:
    if not isinstance(endpoint, dict) or not endpoint.get("name"):
        return "an endpoint without a name"
    group = endpoint.get("group")
    return f"{group} {endpoint['name']}" if group else str(endpoint["name"])


def app(endpoint: object, name: str, remarks: list[str]) -> dict[str, object]:
    if not isinstance(endpoint, dict) or not endpoint.get("name"):
        raise NotTaken("it has none")
    if endpoint.get("method", "GET") != "GET":
        raise NotTaken(f"it asks by {endpoint['method']}, we by GET")
    for what in ("dns", "ssh", "body", "graphql"):
        if endpoint.get(what):
            raise NotTaken(f"nothing here does what its '{what}' says")
    fields: dict[str, object] = {"appname": name, **target(str(endpoint.get("url", "")))}
    for header, value in (endpoint.get("headers") or {}).items():
        auth = auth_of(str(value)) if header.lower() == "authorization" else None
        if auth is None:
            remarks.append(f"its header {header} is not sent")
        else:
            fields["auth"] = auth
    client = endpoint.get("client") or {}
    if client.get("insecure"):
        fields["tls"] = "off"
    for condition in endpoint.get("conditions") or []:
        take_condition(str(condition), fields, remarks)
    put(fields, "interval", seconds(endpoint.get("interval", "60s")), INTERVAL, remarks)
    put(fields, "timeout", seconds(client.get("timeout", "10s")), TIMEOUT, remarks)
    alerts = endpoint.get("alerts") or [{}]
    put(fields, "unhealthy", alerts[0].get("failure-threshold", 3), CHECKS, remarks)
    put(fields, "healthy", alerts[0].get("success-threshold", 2), CHECKS, remarks)
    fields["paused"] = endpoint.get("enabled", True) is False
    return fields


def target(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme == "tcp":
        return {"url": url}
    if parts.scheme == "icmp":
        return {"url": f"ping://{parts.netloc}"}
    if parts.scheme not in ("http", "https"):
        raise NotTaken(f"nothing here checks '{parts.scheme}://'")
    login, _, host = parts.netloc.rpartition("@")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fields: dict[str, object] = {"url": f"{parts.scheme}://{host}", "path": path}
    return {**fields, "auth": unquote(login if ":" in login else login + ":")} if login else fields


def auth_of(header: str) -> str | None:
    """What `monitor` calls `auth`; none if it is neither a login nor a token."""
    scheme, _, rest = header.partition(" ")
    if scheme == "Bearer":
        return header
    try:
        return base64.b64decode(rest, validate=True).decode() if scheme == "Basic" else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def beat(endpoint: object, name: str, remarks: list[str]) -> dict[str, object]:
    """One that reports by itself."""
    if not isinstance(endpoint, dict) or not endpoint.get("name"):
        raise NotTaken("it has none")
    interval = (endpoint.get("heartbeat") or {}).get("interval")
    if interval is None:
        raise NotTaken("it has no 'heartbeat', so nobody knows when it is late")
    fields: dict[str, object] = {"appname": name, "kind": "beat"}
    remarks.append("its job is to call /healthchecker/beat from now on")
    put(fields, "interval", seconds(interval), BEATS_APART, remarks)
    alerts = endpoint.get("alerts") or [{}]
    put(fields, "unhealthy", alerts[0].get("failure-threshold", 1), LATE_BEATS, remarks)
    fields["paused"] = endpoint.get("enabled", True) is False
    return fields


def take_condition(condition: str, fields: dict[str, object], remarks: list[str]) -> None:
    status = re.fullmatch(r"\[STATUS\] == (\d{3})|\[STATUS\] == any\(([\d, ]+)\)", condition)
    below = re.fullmatch(r"\[STATUS\] < (\d{3})", condition)
    slow = re.fullmatch(r"\[RESPONSE_TIME\] <=? (\d+)", condition)
    text = re.fullmatch(r"\[BODY\] == pat\(\*([^*?\[\]\\]+)\*\)", condition)
    if status:
        fields["expect"] = (status[1] or status[2]).replace(" ", "")
    elif below:
        fields["expect"] = f"200-{int(below[1]) - 1}"
    elif slow and "path" in fields and SLOW[0] <= int(slow[1]) <= SLOW[1]:
        fields["slow"] = int(slow[1])
        remarks.append(f"more than {slow[1]} ms is a warning, no failure")
    elif text and "path" in fields and len(text[1]) <= TEXT_MAX:
        fields["contains"] = text[1]
    elif condition.startswith("[CERTIFICATE_EXPIRATION] >"):
        remarks.append("its certificate is DEGRADED three days before it ends, whatever 'conditions' says")
    elif condition != "[CONNECTED] == true":
        remarks.append(f"not looked at: {condition}")


def put(
    fields: dict[str, object],
    name: str,
    value: float,
    valid: tuple[int, int],
    remarks: list[str],
) -> None:
    """As near to it as the field goes."""
    taken = min(max(round(value), valid[0]), valid[1])
    if taken != value:
        remarks.append(f"{name} {taken} instead of {value:g}")
    fields[name] = taken


def seconds(duration: object) -> float:
    """`1m30s`, as Go writes a duration."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", str(duration))
    if not parts:
        raise NotTaken(f"'{duration}' is no duration")
    return sum(float(number) * UNITS[unit] for number, unit in parts)


if __name__ == "__main__":
    sys.exit(main())
