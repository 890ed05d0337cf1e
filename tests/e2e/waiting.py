"""Waiting for what has to happen, for no longer than it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.05


def wait_for(condition: Callable[[], T], seconds: float, what: str = "the condition") -> T:
    """Asks `condition` again and again until it holds; what it answered.

    Fails when it does not hold within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come about within {seconds} s")
        time.sleep(POLL_SECONDS)
