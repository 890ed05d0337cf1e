"""A certificate that ends soon: said once, then a state, and over when it is renewed; with a real nginx."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

from conftest import StartDaemon
from daemon import Daemon
from mails import Mailbox
from nginx import Nginx
from smtp_server import HOST, USER, Authority
from test_ports import free_port
from waiting import wait_for

CHECK_SECONDS = 60
MAIL_SECONDS = 30
DAY = 86400


def warnings(daemon: Daemon) -> list[str]:
    """What the health check log has of checks that warned."""
    lines = map(json.loads, daemon.get("/healthchecker/log?appname=NAS").text.splitlines())
    return [line["reason"] for line in lines if line.get("outcome") == "warn"]


def more_checks(daemon: Daemon, how_many: int) -> None:
    begun = daemon.info("NAS")["checks"]
    wait_for(lambda: daemon.info("NAS")["checks"] >= begun + how_many, CHECK_SECONDS, "checks")


def test_a_certificate_that_ends_is_said_once_then_degraded_and_over_when_it_is_renewed(
    start_daemon: StartDaemon, authority: Authority, mailbox: Mailbox, tmp_path: Path
) -> None:
    port = free_port()

    def lasting(days: float) -> str:
        chain = authority.chain(HOST, seconds=days * DAY)
        return f"""server {{ listen 127.0.0.1:{port} ssl; return 200 ok;
          ssl_certificate {chain}; ssl_certificate_key {chain}; }}"""

    nginx = Nginx(tmp_path / "nginx", port, lasting(10))
    daemon = start_daemon(email=USER, **mailbox.options())
    daemon.register("NAS", f"https://{HOST}:{port}", interval=5, healthy=2)
    daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
    ends = datetime.datetime.fromisoformat(daemon.info("NAS")["certificate_ends"])
    left = ends - datetime.datetime.now(datetime.UTC)
    assert abs(left - datetime.timedelta(days=10)) < datetime.timedelta(minutes=10)
    said = warnings(daemon)
    assert len(said) == 1 and said[0].startswith("the certificate ends on "), said
    # Once, over a restart, too.
    daemon.kill()
    daemon.start()
    wait_for(lambda: daemon.info("NAS")["certificate_ends"], CHECK_SECONDS, "a check")
    more_checks(daemon, 1)
    assert warnings(daemon) == said
    metric = f'healthchecker_app_certificate_end_timestamp_seconds{{app="NAS"}} {ends.timestamp():.0f}'
    assert metric in daemon.get("/metrics").text.splitlines()
    page = daemon.get("/healthchecker/info?appname=NAS", headers={"Accept": "text/html"}).text
    assert "Certificate ends" in page
    nginx.serves(lasting(2))
    info = daemon.wait_for_state("NAS", "DEGRADED", CHECK_SECONDS)
    assert info["last_check"]["outcome"] == "warn"
    assert info["last_check"]["reason"].startswith("the certificate ends on ")
    wait_for(
        lambda: [mail for mail in mailbox.mails() if "NAS is DEGRADED" in mail["Subject"]], MAIL_SECONDS, "a mail"
    )
    nginx.serves(lasting(90))
    daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
    nginx.close()
