"""The Python package, with every Python that is to be had here."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from programs import PACKAGE, install_package, run

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
        "sh", "-c", f"cd {PACKAGE} && {python} -m unittest tests/test_healthcheck.py",
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
    assert {"healthcheck", "iputils"} <= {path.name for path in installed.iterdir()}
    for package in ("healthcheck", "iputils"):
        assert (installed / package / "py.typed").exists()
    (metadata,) = installed.glob("*.dist-info/METADATA")
    lines = metadata.read_text().splitlines()
    assert "Requires-Python: >=3.7" in lines
    assert [line for line in lines if line.startswith("Requires-Dist")] == [
        "Requires-Dist: zeroconf>=0.38"
    ]
