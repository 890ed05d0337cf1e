"""The description of the interface: valid, and what the daemon really does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from openapi_spec_validator import validate

from conftest import StartDaemon
from daemon import Daemon
from lan import Lan

# Requests for each route: enough for every parameter left out, empty, too long and of a wrong kind.
EXAMPLES = 25
SECONDS = 300
CONFIG = Path(__file__).with_name("schemathesis.toml")


def test_the_description_is_valid(daemon: Daemon) -> None:
    answer = daemon.get("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    validate(answer.json())


def test_what_is_described_is_what_happens(
    start_daemon: StartDaemon, lan: Lan, tmp_path: Path
) -> None:
    """On a machine without a way out: made-up addresses are registered, and asked.

    Not every text that fits a pattern is taken: the daemon is stricter about addresses than that.
    """
    pi = lan.add("pi")
    daemon = start_daemon(machine=pi, bind_addr="127.0.0.1")
    ended = subprocess.run(
        [
            *pi.enter(),
            str(Path(sys.executable).with_name("schemathesis")),
            f"--config-file={CONFIG}",
            "run",
            f"{daemon.base}/openapi.json",
            f"--max-examples={EXAMPLES}",
            "--phases=examples,coverage,fuzzing",
            "--checks=not_a_server_error,status_code_conformance,content_type_conformance,"
            "response_headers_conformance,response_schema_conformance,negative_data_rejection,"
            "unsupported_method",
            "--generation-deterministic",
            "--request-timeout=20",
            "--max-time=45",
            "--warnings=off",
            "--no-color",
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    assert ended.returncode == 0, ended.stdout[-20000:]
