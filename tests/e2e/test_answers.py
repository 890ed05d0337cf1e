"""What an answer must be like, beyond its status: with a real nginx that serves a page."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowd import Crowd
from daemon import Daemon
from test_ports import free_port

CHECK_SECONDS = 40
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")


@pytest.fixture
def page(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Where nginx serves a page, packed for whoever takes that, and the page."""
    if NGINX is None:
        pytest.skip("there is no nginx")
    port, file = free_port(), tmp_path / "index.html"
    file.write_text("<h1>Latest posts &amp; Küche</h1>")
    # Else its workers may not read our folder.
    who = "user root; " if os.geteuid() == 0 else ""
    (tmp_path / "nginx.conf").write_text(
        f"""{who}daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;
        events {{}}
        http {{ access_log off; gzip on; gzip_min_length 1;
          client_body_temp_path {tmp_path}; proxy_temp_path {tmp_path}; fastcgi_temp_path {tmp_path};
          uwsgi_temp_path {tmp_path}; scgi_temp_path {tmp_path};
          server {{ listen 127.0.0.1:{port}; root {tmp_path}; }} }}"""
    )
    nginx = subprocess.Popen([NGINX, "-c", tmp_path / "nginx.conf"])
    yield f"http://127.0.0.1:{port}", file
    nginx.terminate()
    nginx.wait(10)


def test_a_page_must_contain_a_text(daemon: Daemon, page: tuple[str, Path]) -> None:
    url, file = page
    daemon.register("Blog", url, path="/index.html", interval=5, healthy=2, contains="posts &amp; Küche")
    info = daemon.wait_for_state("Blog", "HEALTHY", CHECK_SECONDS)
    assert info["contains"] == "posts &amp; Küche"
    file.write_text("<h1>It works!</h1>")
    info = daemon.wait_for_state("Blog", "UNHEALTHY", CHECK_SECONDS)
    assert info["last_check"]["reason"] == 'the answer does not contain "posts &amp; Küche"'
    # An app that registers at each start does not wipe what its owner set.
    daemon.register("Blog", url, path="/index.html", interval=5, healthy=2)
    assert daemon.info("Blog")["contains"] == "posts &amp; Küche"
    daemon.register("Blog", url, path="/index.html", interval=5, healthy=2, contains="")
    assert daemon.wait_for_state("Blog", "HEALTHY", CHECK_SECONDS)["contains"] is None


def test_a_slow_answer_is_a_warning(daemon: Daemon, crowd: Crowd) -> None:
    crowd.takes = {1: 0.4}
    daemon.register("Blog", crowd.url(1), interval=5, healthy=2, slow=300)
    info = daemon.wait_for_state("Blog", "DEGRADED", CHECK_SECONDS)
    last = info["last_check"]
    assert last["outcome"] == "warn" and last["http_status"] == 200 and info["slow"] == 300
    assert last["reason"] == f"slow: {last['latency_ms']} ms, more than 300 ms"
    crowd.takes = {}
    daemon.wait_for_state("Blog", "HEALTHY", CHECK_SECONDS)
