"""What Prometheus reads, and the examples for it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import NewTarget
from daemon import REPOSITORY, Daemon
from waiting import wait_for

EXAMPLES = REPOSITORY / "examples/prometheus"
NAME = 'TV "box" \\ \U0001f373'


def samples(daemon: Daemon) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    answer = daemon.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(answer.text))
    assert len({family.name for family in families}) == len(families)
    assert all(family.documentation and family.type != "unknown" for family in families)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_facts_are_there(daemon: Daemon, new_target: NewTarget) -> None:
    fine, ill = new_target(), new_target()
    ill.warns("disk 98 % full")
    daemon.register(NAME, fine.url, interval=5, healthy=2)
    daemon.register("NAS", ill.url, interval=5)
    daemon.wait_for_state("NAS", "DEGRADED", 20)
    daemon.wait_for_state(NAME, "HEALTHY", 20)
    seen = samples(daemon)
    assert seen["healthchecker_app_state", NAME, "HEALTHY"] == 1
    assert seen["healthchecker_app_state", NAME, "UNKNOWN"] == 0
    assert seen["healthchecker_app_state", "NAS", "DEGRADED"] == 1
    assert seen["healthchecker_apps", "DEGRADED"] == 1
    assert seen["healthchecker_checks_total", "NAS", "warn"] >= 2
    passes = seen["healthchecker_checks_total", NAME, "pass"]
    assert seen["healthchecker_check_duration_seconds_count", NAME] == passes >= 2
    assert seen["healthchecker_check_duration_seconds_bucket", NAME, "+Inf"] == passes
    assert 0 < seen["healthchecker_check_lateness_seconds_count",] <= 20
    assert seen["healthchecker_journal_syncs_total",] >= 2
    assert seen["healthchecker_journal_written_bytes_total",] > 500
    assert seen["healthchecker_pool_threads_limit",] == 36
    assert seen["process_resident_memory_bytes",] > 1_000_000
    assert seen["healthchecker_uptime_seconds",] > 0
    assert seen["healthchecker_outbox_mails",] == 0


def test_checks_are_counted_over_a_restart(daemon: Daemon, new_target: NewTarget) -> None:
    daemon.register("NAS", new_target().url, interval=5)
    key = ("healthchecker_checks_total", "NAS", "pass")
    wait_for(lambda: samples(daemon)[key] >= 2, 20, "two checks")
    before = samples(daemon)[key]
    daemon.stop()
    daemon.start()
    assert samples(daemon)[key] >= before


def promtool(*arguments: str, stdin: str | None = None) -> str:
    if shutil.which("promtool") is None:
        pytest.skip("the command promtool is missing (Debian: prometheus)")
    ended = subprocess.run(
        ["promtool", *arguments],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def test_promtool_has_no_complaint(daemon: Daemon, new_target: NewTarget) -> None:
    daemon.register(NAME, new_target().url)
    assert promtool("check", "metrics", stdin=daemon.get("/metrics").text) == ""


def test_the_example_rules_and_dashboard_speak_of_what_there_is(
    daemon: Daemon, new_target: NewTarget, tmp_path: Path
) -> None:
    daemon.register("NAS", new_target().url, interval=5)
    wait_for(lambda: daemon.info("NAS")["checks"] > 0, 20, "a check")
    known = {name for name, *_ in samples(daemon)}
    # What is said only of apps that speak TLS, say, has no sample here.
    known |= set(re.findall(r"^# TYPE (\S+) gauge$", daemon.get("/metrics").text, re.MULTILINE))
    dashboard = json.loads((EXAMPLES / "dashboard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(asked) >= 12
    alerts = (EXAMPLES / "alerts.yml").read_text()
    named = set(re.findall(r"\b(?:healthchecker|process)_\w+", "\n".join(asked) + alerts))
    assert named <= known, named - known
    promtool("check", "rules", str(EXAMPLES / "alerts.yml"))
    rules = "".join(
        f"  - record: a:{n}\n    expr: {json.dumps(expr.replace('$__rate_interval', '5m'))}\n"
        for n, expr in enumerate(asked)
    )
    (tmp_path / "rules.yml").write_text(f"groups:\n- name: a\n  rules:\n{rules}")
    promtool("check", "rules", str(tmp_path / "rules.yml"))
