"""The short form of `make soak`: a minute in which everything misbehaves."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from daemon import BINARY, REPOSITORY

# A minute of trouble, and what it takes until all is well again.
WITHIN_SECONDS = 400


@pytest.mark.timeout(WITHIN_SECONDS + 30)
def test_a_minute_of_trouble_loses_nothing_and_leaves_nothing_behind() -> None:
    soak = subprocess.run(
        [sys.executable, REPOSITORY / "tests/soak/soak.py", "--minutes", "1", "--seed", "1"],
        env={**os.environ, "HEALTHCHECKER_BIN": str(BINARY)},
        capture_output=True,
        text=True,
        timeout=WITHIN_SECONDS,
    )
    print(soak.stdout)
    assert soak.returncode == 0, soak.stdout + soak.stderr
