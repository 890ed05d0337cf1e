"""`healthchecker import` of what other monitors have on record."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from daemon import BINARY, Daemon
from programs import EXAMPLES, healthchecker, run

KUMA = {
    "version": "1.23.11",
    "notificationList": [],
    "proxyList": [],
    "monitorList": [
        {
            "id": 1,
            "name": "NAS",
            "type": "http",
            "url": "http://127.0.0.1:5001/web/?a=1",
            "method": "GET",
            "hostname": None,
            "port": None,
            "maxretries": 3,
            "weight": 2000,
            "active": True,
            "timeout": 48,
            "interval": 60,
            "retryInterval": 60,
            "keyword": None,
            "ignoreTls": False,
            "upsideDown": False,
            "accepted_statuscodes": ["200-299", "401"],
        },
        {"id": 2, "name": "SSH", "type": "port", "hostname": "127.0.0.1", "port": 22, "active": 0},
        {
            "id": 4,
            "name": "Backup",
            "type": "push",
            "pushToken": "abc",
            "interval": 86400,
            "maxretries": 0,
            "active": 1,
        },
        {"id": 3, "name": "Names", "type": "dns", "hostname": "example.org", "active": 1},
    ],
}

GATUS = """
alerting:
  email: {from: a@example.org}
endpoints:
  - name: website
    group: core
    url: "http://127.0.0.1:8080/health?full=1"
    interval: 5m
    client: {timeout: 20s}
    headers: {Authorization: "Basic bWU6c2VjcmV0", X-Key: secret}
    conditions: ["[STATUS] == 200", "[RESPONSE_TIME] < 300", "[BODY] == pat(*open today*)", "[BODY].a == 1"]
    alerts: [{type: email, failure-threshold: 4}]
  - name: ssh
    url: "tcp://127.0.0.1:22"
    interval: 1h30m
    conditions: ["[CONNECTED] == true"]
  - name: names
    url: "8.8.8.8"
    dns: {query-name: example.org, query-type: A}
  - name: shop
    url: "https://me:p%40ss@127.0.0.1"
    conditions: ["[STATUS] < 400", "[CERTIFICATE_EXPIRATION] > 48h"]
external-endpoints:
  - name: backup
    token: secret
    heartbeat: {interval: 26h}
  - name: told
    token: secret
"""


def test_a_backup_of_uptime_kuma(daemon: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "kuma.json"
    file.write_text(json.dumps(KUMA))
    rehearsed = healthchecker("import", file, "--dry-run", "--server", daemon.base)
    assert rehearsed.code == 0, rehearsed
    assert "Names: not taken over: nothing here checks what it calls 'dns'\n" in rehearsed.out
    assert "nothing was changed" in rehearsed.out
    assert daemon.get("/healthchecker/export").json()["apps"] == []
    done = healthchecker("import", file, "--server", daemon.base)
    assert done.code == 0 and done.out.endswith("3 apps: 3 registered\n"), done
    nas, ssh = daemon.info("NAS"), daemon.info("SSH")
    assert (nas["url"], nas["path"]) == ("http://127.0.0.1:5001", "/web/?a=1")
    assert (nas["interval"], nas["timeout"], nas["unhealthy"]) == (60, 48, 4)
    exported = daemon.get("/healthchecker/export").json()["apps"]
    assert [app["expect"] for app in exported if app["appname"] == "NAS"] == ["200-299,401"]
    backup = daemon.info("Backup")
    assert (backup["kind"], backup["interval"], backup["unhealthy"]) == ("beat", 86400, 1)
    assert "Backup: its job is to call /healthchecker/beat" in done.err + done.out
    assert (ssh["url"], ssh["paused"]) == ("tcp://127.0.0.1:22", True)
    file.write_text(json.dumps({**KUMA, "more": " " * 1024 * 1024}))
    refused = healthchecker("import", file, "--server", daemon.base)
    assert refused.code == 65 and "no list of monitors" in refused.err


def test_a_ping_of_gatus(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text('endpoints: [{name: NAS, url: "icmp://[fd00::7]", conditions: ["[CONNECTED] == true"]}]')
    made = run(sys.executable, EXAMPLES / "import/gatus.py", config)
    assert (made.code, made.err) == (0, ""), made
    (nas,) = json.loads(made.out)["apps"]
    assert (nas["appname"], nas["url"]) == ("NAS", "ping://[fd00::7]") and "path" not in nas


def test_the_endpoints_of_gatus(daemon: Daemon, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(GATUS)
    script = EXAMPLES / "import/gatus.py"
    made = run(sys.executable, script, config)
    assert made.code == 0, made
    assert made.err.splitlines() == [
        "core website: its header X-Key is not sent",
        "core website: more than 300 ms is a warning, no failure",
        "core website: not looked at: [BODY].a == 1",
        "ssh: interval 300 instead of 5400",
        "names: not taken over: nothing here does what its 'dns' says",
        "shop: its certificate is DEGRADED three days before it ends, whatever 'conditions' says",
        "backup: its job is to call /healthchecker/beat from now on",
        "told: not taken over: it has no 'heartbeat', so nobody knows when it is late",
    ]
    assert "secret" not in made.err
    done = subprocess.run(
        [str(BINARY), "import", "-", "--server", daemon.base],
        input=made.out,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done
    site = daemon.info("core website")
    assert (site["url"], site["path"]) == ("http://127.0.0.1:8080", "/health?full=1")
    assert (site["interval"], site["timeout"], site["unhealthy"]) == (300, 20, 4)
    assert (site["slow"], site["contains"], site["auth_set"]) == (300, "open today", True)
    assert (daemon.info("shop")["url"], daemon.info("shop")["auth_set"]) == ("https://127.0.0.1", True)
    backup = daemon.info("backup")
    assert (backup["kind"], backup["interval"], backup["unhealthy"]) == ("beat", 26 * 3600, 1)
    assert daemon.info("ssh")["url"] == "tcp://127.0.0.1:22"
    for wrong in (b"services: []", b"", b"a: [", b"\xff\xfe", b"[" * 10_000):
        config.write_bytes(wrong)
        refused = run(sys.executable, script, config)
        assert refused.code == 65 and "Traceback" not in refused.err, refused
