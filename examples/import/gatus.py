#!/usr/bin/env python3
"""Turns the configuration of Gatus into a document that `healthchecker import` takes.

    pip install pyyaml
    ./gatus.py config.yaml > apps.json
    healthchecker import apps.json --dry-run
    healthchecker import apps.json

What cannot be taken over, or not as it was, is listed on standard error.
"""

import json
import re
import sys
from urllib.parse import urlsplit

import yaml

SIZE_MAX = 1024 * 1024
"""Bytes; a list of endpoints is no longer."""

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
INTERVAL, TIMEOUT, CHECKS = (5, 300), (2, 60), (2, 10)
"""What `monitor` takes."""


class NotTaken(Exception):
    """Why an endpoint is left out."""


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: gatus.py CONFIG.YAML > apps.json", file=sys.stderr)
        return 64
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read(SIZE_MAX + 1)
    if len(text) > SIZE_MAX:
        print(f"more than {SIZE_MAX} bytes, which no list of endpoints has", file=sys.stderr)
        return 65
    config = yaml.safe_load(text)
    endpoints = config.get("endpoints") if isinstance(config, dict) else None
    if not isinstance(endpoints, list):
        print("no configuration of Gatus: there is no list 'endpoints' in it", file=sys.stderr)
        return 65
    apps = []
    for endpoint in endpoints:
        remarks: list[str] = []
        name = name_of(endpoint)
        try:
            apps.append(app(endpoint, name, remarks))
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
    if endpoint.get("headers"):
        remarks.append("its headers are not sent")
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
    if "@" in parts.netloc:
        raise NotTaken("a login stands in its address")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return {"url": f"{parts.scheme}://{parts.netloc}", "path": path}


def take_condition(condition: str, fields: dict[str, object], remarks: list[str]) -> None:
    status = re.fullmatch(r"\[STATUS\] == (\d{3})|\[STATUS\] == any\(([\d, ]+)\)", condition)
    below = re.fullmatch(r"\[STATUS\] < (\d{3})", condition)
    if status:
        fields["expect"] = (status[1] or status[2]).replace(" ", "")
    elif below:
        fields["expect"] = f"200-{int(below[1]) - 1}"
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
