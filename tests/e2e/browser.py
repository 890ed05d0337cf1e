"""A real browser: Chromium, without a screen."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from lan import Machine
from node_tools import install

FOLDER = Path(__file__).parent / "browser"
CLOSE_SECONDS = 20


def why_unavailable() -> str | None:
    """Why there is no browser; none when there is one."""
    for command in ("chromium", "node", "npm"):
        if shutil.which(command) is None:
            return f"the command {command} is missing"
    return None


class BrowserError(AssertionError):
    """The browser could not do what it was told."""


class Browser:
    """One browser with one page, on a machine of a `Lan` if that is given."""

    def __init__(self, machine: Machine | None = None) -> None:
        install(FOLDER)
        chromium = shutil.which("chromium")
        assert chromium
        self.process = subprocess.Popen(
            [*(machine.enter() if machine else []), "node", "bridge.mjs", chromium],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, what: str, **how: object) -> Any:
        """One command of the bridge; what came of it."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps({"do": what, **how}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": "the browser has ended"}
        if "error" in answer:
            raise BrowserError(f"{what} {how}: {answer['error']}")
        self.complaints: list[str] = answer["complaints"]
        return answer["result"]

    def open(self, url: str, **how: object) -> dict[str, int]:
        """Opens a page in a fresh profile; its status and size."""
        opened: dict[str, int] = self.do("open", url=url, **how)
        return opened

    def see(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return self.do("evaluate", expression=expression)

    def text(self, selector: str = "main") -> str:
        """The text of an element, as it is shown."""
        shown: str = self.see(f"document.querySelector({json.dumps(selector)}).innerText")
        return shown

    def click(self, selector: str) -> None:
        """Clicks, and waits until the page that follows is there."""
        self.do("click", selector=selector)

    def fill(self, selector: str, text: str) -> None:
        """Types a text into a field, in place of what is in it."""
        self.do("fill", selector=selector, text=text)

    def accessible(self) -> None:
        """Nothing is wrong with the page for people who use a keyboard or a screen reader."""
        violations = self.violations()
        assert violations == [], json.dumps(violations, indent=1, ensure_ascii=False)

    def fits(self) -> None:
        """Nothing of the page is beside the screen."""
        wide = self.see(
            """[...document.querySelectorAll('body *:not(.off, .off *)')]
            .filter(one => one.getBoundingClientRect().right > innerWidth + 0.5)
            .map(one => one.outerHTML.slice(0, 120))"""
        )
        assert wide == [] and self.see("document.documentElement.scrollWidth <= innerWidth")

    def violations(self) -> list[dict[str, Any]]:
        """What axe-core finds wrong for people who use a keyboard or a screen reader."""
        found: list[dict[str, Any]] = self.do("axe")
        return found

    def close(self) -> None:
        """Ends it."""
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
