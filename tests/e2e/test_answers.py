"""What an answer must be like, beyond its status: with a real nginx that serves a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crowd import Crowd
from daemon import Daemon
from nginx import Nginx
from test_ports import free_port

CHECK_SECONDS = 40


@pytest.fixture
def page(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Where nginx serves a page, packed for whoever takes that, and the page."""
    port, file = free_port(), tmp_path / "index.html"
    file.write_text("<h1>Latest posts &amp; Küche</h1>")
    nginx = Nginx(tmp_path, port, f"server {{ listen 127.0.0.1:{port}; root FOLDER; }}")
    yield f"http://127.0.0.1:{port}", file
    nginx.close()


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
