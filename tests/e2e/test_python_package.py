"""The Python package, with every Python that is to be had here."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import StartDaemon
from daemon import Daemon
from programs import PACKAGE, install_package, run
from target import Target
from waiting import wait_for

# The older names of the first are for programs that import them.
PACKAGES = ("healthchecker", "healthcheck", "iputils")
OLDEST = (3, 7)
NEWEST_MINOR = 20


def pythons() -> list[str]:
    """One for each version, from the path and from pyenv."""
    named = [f"python3.{minor}" for minor in range(OLDEST[1], NEWEST_MINOR)]
    candidates = [found for name in named if (found := shutil.which(name))]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates += [str(path) for path in sorted(pyenv.glob("3.*/bin/python"))]
    found: dict[tuple[int, int], str] = {}
    for candidate in candidates:
        # A shim of pyenv may lead nowhere.
        done = subprocess.run(
            [candidate, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            major, minor = map(int, done.stdout.split())
            if (major, minor) >= OLDEST:
                found.setdefault((major, minor), candidate)
    return [found[version] for version in sorted(found)]


@pytest.mark.parametrize("python", pythons())
def test_it_keeps_its_promises(python: str) -> None:
    ended = run(
        "sh", "-c", f"cd {PACKAGE} && {python} -m unittest tests/test_healthchecker.py",
        PYTHONDONTWRITEBYTECODE=1,
    )  # fmt: skip
    assert ended.code == 0, ended.err


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_the_oldest_python_can_read_it(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=OLDEST)


def test_it_can_be_installed_and_is_typed(tmp_path: Path) -> None:
    installed = install_package(tmp_path)
    assert set(PACKAGES) <= {path.name for path in installed.iterdir()}
    for package in PACKAGES:
        assert (installed / package / "py.typed").exists()
    (metadata,) = installed.glob("*.dist-info/METADATA")
    lines = metadata.read_text().splitlines()
    assert "Requires-Python: >=3.7" in lines
    needs = [line for line in lines if line.startswith("Requires-Dist") and "extra" not in line]
    assert [line.split(";")[0].strip() for line in needs] == [
        "Requires-Dist: zeroconf<0.40,>=0.38",
        "Requires-Dist: zeroconf>=0.38",
    ]
    assert list(installed.glob("*.dist-info/licenses/LICENSE")), "its licence comes along"


def test_building_it_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
    before = sorted(source.rglob("*"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--target", tmp_path / "x", source], check=True)
    assert sorted(source.rglob("*")) == before


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_its_types_hold(checker: str) -> None:
    """Strictly, as its pyproject.toml says."""
    arguments = [*PACKAGES, "--no-incremental"] if checker == "mypy" else ["--pythonpath", sys.executable]
    ended = run("sh", "-c", 'cd "$0" && exec "$@"', PACKAGE, sys.executable, "-m", checker, *arguments)
    assert ended.code == 0, ended.out + ended.err


CALLS = """
import json, logging, sys
from healthchecker import HealthCheckerServer
app, url, server, how = json.loads(sys.argv[1])
logging.disable()
one = HealthCheckerServer(app, url, server=server)
print(json.dumps([one.monitor(**how), one.error()]))
"""


def monitor(app: str, url: str, server: str, how: dict[str, object], **variables: str) -> tuple[int, str]:
    """Registers by the package; the status, and the sentence when that is not 200."""
    arguments = json.dumps([app, url, server, how])
    ended = run(sys.executable, "-c", CALLS, arguments, PYTHONPATH=PACKAGE, **variables)
    assert (ended.code, ended.err) == (0, "")
    status, error = json.loads(ended.out)
    return status, error


def test_each_mistake_is_a_status_and_a_sentence(start_daemon: StartDaemon, target: Target) -> None:
    daemon = start_daemon(api_token="s3cret-of-the-house")
    right = {"HEALTHCHECKER_API_TOKEN": "s3cret-of-the-house"}
    good = ("NAS", target.url, daemon.base)
    assert monitor(*good, {"emailAddr": "a@example.org"}, **right) == (200, "")
    for call, how, variables, status, said in (
        (good, {"interval": 3}, right, 400, "interval must be a whole number of seconds from 5"),
        (good, {"colour": "red"}, right, 400, 'unknown parameter "colour"'),
        (("", *good[1:]), {}, right, 400, "appname is empty"),
        (("x" * 129, *good[1:]), {}, right, 400, "appname has 129 characters"),
        (good, {}, {}, 401, "wants a token; set HEALTHCHECKER_API_TOKEN"),
        (good, {}, {"HEALTHCHECKER_API_TOKEN": "guess"}, 401, "does not accept this token"),
        (good, {}, {"HEALTHCHECKER_API_TOKEN": "two words"}, 401, "a character in it that no token has"),
        ((*good[:2], target.url), {}, right, 503, "is no HealthChecker server"),
    ):
        got, error = monitor(*call, how, **variables)  # type: ignore[arg-type]
        assert got == status and said in error, (got, error)
    daemon.stop()
    assert monitor(*good, {}, **right) == (
        503,
        f"no answer from the HealthChecker server at {daemon.base}: connection refused",
    )


def test_under_flasks_reloader_the_port_is_that_of_the_process_that_serves(
    daemon: Daemon, tmp_path: Path
) -> None:
    program = (PACKAGE / "flask_app.py").read_text()
    assert "debug=False" in program
    (tmp_path / "flask_app.py").write_text(program.replace("debug=False", "debug=True"))
    # Its processes are a group of their own: the outer one does not end the inner one.
    flask = subprocess.Popen(
        [sys.executable, "flask_app.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PACKAGE), "HEALTHCHECKER_SERVER": daemon.base},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    name = "Sample HealthChecker App"
    try:
        known = {"appname": name}
        wait_for(
            lambda: daemon.get("/healthchecker/info", params=known).status_code == 200, 20, name
        )
        info = daemon.wait_for_state(name, "HEALTHY", 60)
        registered = [line for line in daemon.lines if "at http://127.0.0.1:" in line and name in line]
        addresses = {line.split(" at ")[1] for line in registered}
        assert len(registered) >= 2 and len(addresses) == 1, registered
        assert info["failures"] == 0, "nobody was taken for the other"
    finally:
        os.killpg(flask.pid, signal.SIGKILL)
        flask.wait(10)


def test_an_older_client_keeps_working(daemon: Daemon, target: Target) -> None:
    headers = {"Cache-Control": "no-cache"}
    form = {
        "appname": "MyApp",
        "url": target.url,
        "email": "",
        "timeout": 5,
        "interval": 30,
        "unhealthy_threshold": 2,
        "healthy_threshold": 10,
    }
    assert daemon.post("/healthchecker/monitor", data=form, headers=headers).status_code == 200
    for call in ("pause", "resume", "info", "stop"):
        answer = daemon.get(f"/healthchecker/{call}", params={"appname": "MyApp"}, headers=headers)
        assert answer.status_code == 200, call
