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
    conditions: ["[STATUS] == 200", "[RESPONSE_TIME] < 300"]
    alerts: [{type: email, failure-threshold: 4}]
  - name: ssh
    url: "tcp://127.0.0.1:22"
    interval: 1h30m
    conditions: ["[CONNECTED] == true"]
  - name: names
    url: "8.8.8.8"
    dns: {query-name: example.org, query-type: A}
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
    assert done.code == 0 and done.out.endswith("2 apps: 2 registered\n"), done
    nas, ssh = daemon.info("NAS"), daemon.info("SSH")
    assert (nas["url"], nas["path"]) == ("http://127.0.0.1:5001", "/web/?a=1")
    assert (nas["interval"], nas["timeout"], nas["unhealthy"]) == (60, 48, 4)
    exported = daemon.get("/healthchecker/export").json()["apps"][0]
    assert exported["expect"] == "200-299,401"
    assert (ssh["url"], ssh["paused"]) == ("tcp://127.0.0.1:22", True)
    file.write_text(json.dumps({**KUMA, "more": " " * 1024 * 1024}))
    refused = healthchecker("import", file, "--server", daemon.base)
    assert refused.code == 65 and "no list of monitors" in refused.err


def test_the_endpoints_of_gatus(daemon: Daemon, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(GATUS)
    script = EXAMPLES / "import/gatus.py"
    made = run(sys.executable, script, config)
    assert made.code == 0, made
    assert made.err.splitlines() == [
        "core website: not looked at: [RESPONSE_TIME] < 300",
        "ssh: interval 300 instead of 5400",
        "names: not taken over: nothing here does what its 'dns' says",
    ]
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
    assert daemon.info("ssh")["url"] == "tcp://127.0.0.1:22"
    config.write_text("services: []")
    assert run(sys.executable, script, config).code == 65
