"""`make demo`: the story that shows a newcomer what the daemon does is told to its end."""

from __future__ import annotations

import re
import subprocess

from daemon import BINARY
from programs import rust_example

STORY_SECONDS = 160
"""It takes one minute where nothing else runs."""


def test_the_demonstration_tells_its_story_to_the_end() -> None:
    command = [rust_example("demo"), str(BINARY), "--once"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=STORY_SECONDS)
    assert ended.returncode == 0, ended
    mails = [
        line.split("[HealthChecker] ")[1]
        for line in ended.stdout.splitlines()
        if "[HealthChecker] " in line
    ]
    # The three vanish together, and any of them may be the first that is missed.
    first_of_them = re.compile("(Heating|Lights|Music) and 2")
    troubles = [first_of_them.sub("NAME and 2", mail) for mail in mails if "UNHEALTHY" in mail]
    assert sorted(troubles) == [
        "3 apps are UNHEALTHY: NAME and 2 on 127.0.0.1",
        "Doorbell is UNHEALTHY",
        "Kodi is UNHEALTHY",
    ], ended.stdout
    assert sum(" again after " in mail for mail in mails) == 4, ended.stdout
