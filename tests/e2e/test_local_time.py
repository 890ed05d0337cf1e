"""Local time: in mails, on pages, in the log and on the command line, and UTC in JSON."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from daemon import BINARY, Daemon
from smtp_server import SmtpServer
from target import Target
from waiting import wait_for

# Nepal: no other is so many minutes ahead.
NEPAL = "<+0545>-5:45"
LOCAL = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \+05:45"


@pytest.mark.parametrize("given", ["option", "TZ"])
def test_people_are_told_local_time_and_programs_utc(
    mailbox: SmtpServer, target: Target, tmp_path: Path, given: str
) -> None:
    zone = {"timezone": NEPAL} if given == "option" else {}
    variables = {} if given == "option" else {"TZ": NEPAL}
    options = {"email": "owner@household.example", **zone, **mailbox.options()}
    daemon = Daemon(tmp_path, variables=variables, **options).start()
    try:
        daemon.register("NAS", target.url, interval=5)
        wait_for(lambda: mailbox.mails(), 20, "the first mail")
        body = mailbox.mails()[0].get_body(("plain",))
        assert body and re.search(f"passed at {LOCAL}", body.get_content()), body
        page = daemon.get("/", headers={"Accept": "text/html"}).text
        assert re.search(rf'As of <time datetime="[^"]+Z">{LOCAL}</time>', page), page
        page = daemon.get("/healthchecker/info?appname=NAS&format=html").text
        assert re.search(rf"<h2>Last check</h2><p>{LOCAL}:", page), page
        assert re.search(rf'datetime="[^"]+Z">{LOCAL}</time><span>', page), page
        assert daemon.info("NAS")["since"].endswith("Z")
        log = daemon.get("/healthchecker/log").text
        assert "Z" in log and "+05:45" not in log
        log_line = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+05:45 \[")
        assert all(map(log_line.match, daemon.lines)), daemon.log()
        told = subprocess.run(
            [BINARY, "info", "NAS", "--server", daemon.base],
            env={"PATH": os.environ["PATH"], "TZ": "IST-5:30"},
            stdout=subprocess.PIPE,
            text=True,
            timeout=20,
            check=True,
        ).stdout
        assert re.search(r"^Since: .*\+05:30$", told, re.M), told
    finally:
        daemon.close()


def test_what_is_no_zone_ends_the_start_and_a_foreign_variable_does_not(tmp_path: Path) -> None:
    daemon = Daemon(tmp_path, variables={"TZ": "Mars/Olympus"}).start()
    try:
        assert sum("TZ is not followed: 'Mars/Olympus'" in line for line in daemon.lines) == 1
    finally:
        daemon.close()
    (tmp_path / "config").write_text("timezone='Europe/Berlni'\n")
    done = subprocess.run(
        [BINARY, "--check_config"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=20,
    )
    assert done.returncode == 78
    assert "./config:1: timezone: 'Europe/Berlni' is no time zone" in done.stderr, done.stderr
