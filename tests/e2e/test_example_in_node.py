"""The example in Node: an app that registers, answers, and stays registered."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Self

import pytest

from conftest import StartDaemon
from daemon import Daemon
from programs import EXAMPLES, needs, run
from stranger import Stranger
from waiting import wait_for


def node_18() -> str:
    """The oldest Node that the example runs on, or a later one."""
    node = needs("node")
    if int(run(node, "--version").out.lstrip("v").split(".")[0]) < 18:
        pytest.skip("the example needs Node 18")
    return node


def test_node_registers_and_answers(daemon: Daemon) -> None:
    app = subprocess.Popen(
        [node_18(), str(EXAMPLES / "node/app.mjs")],
        env={"HEALTHCHECKER_SERVER": daemon.base, "PATH": "/usr/bin:/bin"},
    )
    try:
        wait_for(
            lambda: (
                (daemon.info("Node App").get("last_check") or {}).get("outcome") == "pass"
                if daemon.get("/healthchecker/info", params={"appname": "Node App"}).ok
                else False
            ),
            20,
            "a passed check of the Node app",
        )
        assert '"description":"Node App"' in daemon.info("Node App")["last_check"]["body"]
    finally:
        app.kill()
        app.wait(timeout=10)


KEEPER = """
import { createInterface } from 'node:readline';
import { HealthCheckerServer } from '%s';
const server = new HealthCheckerServer('Node', ':8080');
for await (const line of createInterface({ input: process.stdin })) {
  const how = JSON.parse(line);
  console.log('=', how === null ? (await server.stop()).result : await server.step(how));
}
"""


class NodeKeeper:
    """The keeper of the Node example, which takes one step at a time."""

    def __init__(self, folder: Path, **variables: str) -> None:
        program = folder / "keeper.mjs"
        program.write_text(KEEPER % (EXAMPLES / "node/healthchecker.mjs"))
        self.process = subprocess.Popen(
            [node_18(), str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={"PATH": "/usr/bin:/bin", **variables},
        )
        self.said: list[str] = []

    def step(self, **how: object) -> int:
        """One step, registering with these fields; after how many seconds the next is due."""
        return int(self.ask(how)) // 1000

    def ask(self, how: object) -> str:
        assert self.process.stdin and self.process.stdout
        print(json.dumps(how), file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            if line.startswith("= "):
                return line.removeprefix("= ").strip()
            self.said.append(line)
        raise AssertionError("".join(self.said))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(timeout=10)


def test_node_stays_registered(start_daemon: StartDaemon, tmp_path: Path) -> None:
    daemon = start_daemon(api_token="secret", read_token="other")
    base = f"127.0.0.1:{daemon.port}/healthchecker/"
    reader = {"Authorization": "Bearer other"}

    def url() -> object:
        answer = daemon.get("/healthchecker/info", params={"appname": "Node"}, headers=reader)
        return answer.json().get("url")

    with NodeKeeper(
        tmp_path, HEALTHCHECKER_SERVER=base, HEALTHCHECKER_API_TOKEN="secret\n"
    ) as node:
        assert node.step(interval=3) == 300
        assert "interval must be " in node.said[-1]
        assert node.step(interval=30) == 60
        assert url() == "http://127.0.0.1:8080"
        daemon.post(
            "/healthchecker/stop",
            data={"appname": "Node"},
            headers={"Authorization": "Bearer secret"},
        )
        assert url() is None
        assert node.step(interval=30) == 60
        assert url() == "http://127.0.0.1:8080"
        port = daemon.port
        daemon.stop()
        assert [node.step() for _ in range(6)] == [5, 10, 20, 40, 60, 60]
        daemon.options["port"] = port
        daemon.start()
        assert node.step(interval=30) == 60
        assert node.ask(None) == "stopped"
        assert url() is None
    assert "secret" not in "".join(node.said)


def test_node_keeps_a_base_path_and_knows_a_stranger(tmp_path: Path, stranger: Stranger) -> None:
    server = {"HEALTHCHECKER_SERVER": f"{stranger.base}/watch/"}
    with NodeKeeper(tmp_path, **server, HEALTHCHECKER_API_TOKEN="secret") as node:
        assert node.step() == 5
        assert "is no HealthChecker server" in node.said[-1]
    assert stranger.asked == [("POST", "/watch/healthchecker/monitor", "Bearer secret")]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("HEALTHCHECKER_SERVER", "", "is no address of a server"),
        ("HEALTHCHECKER_SERVER", "ftp://pi", "is no address of a server"),
        ("HEALTHCHECKER_API_TOKEN", "se\ncret", "it was not sent"),
    ],
)
def test_node_says_what_it_cannot_use(variable: str, value: str, said: str) -> None:
    variables = {"HEALTHCHECKER_SERVER": "http://127.0.0.1:9", variable: value}
    ended = run(node_18(), EXAMPLES / "node/app.mjs", **variables)
    assert ended.code != 0
    assert said in ended.err and "cret" not in ended.err
