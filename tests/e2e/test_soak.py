"""The short forms of `make soak` and `make day`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from daemon import BINARY, REPOSITORY

# A minute of trouble, or ten seconds of work of a thousand apps, and what it takes until all is well again: on a machine
# that has ten times as much to do besides.
WITHIN_SECONDS = 400


def soak(script: str, *options: str) -> None:
    """Runs it to its end, which must be a good one."""
    done = subprocess.run(
        [sys.executable, REPOSITORY / "tests/soak" / script, *options],
        env={**os.environ, "HEALTHCHECKER_BIN": str(BINARY)},
        capture_output=True,
        text=True,
        timeout=WITHIN_SECONDS,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(WITHIN_SECONDS + 30)
def test_a_minute_of_trouble_loses_nothing_and_leaves_nothing_behind() -> None:
    soak("soak.py", "--minutes", "1", "--seed", "1")


@pytest.mark.timeout(WITHIN_SECONDS + 30)
def test_a_day_in_short_has_everybody_told_of_every_illness() -> None:
    soak("day.py", "--apps", "1000", "--checks", "2000")
