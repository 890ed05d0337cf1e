"""Pictures of each kind of mail, as a phone shows it by day and by night: `make mails`."""

from __future__ import annotations

import sys
from pathlib import Path

from browser import Browser
from daemon import REPOSITORY

PICTURES = REPOSITORY / "docs/mails"
# Of a phone that is held upright; the page is as long as it is.
WIDTH, HEIGHT = 400, 200


def main() -> None:
    letters = sorted(Path(sys.argv[1]).glob("*.html"))
    assert letters, "no letters to take pictures of"
    PICTURES.mkdir(exist_ok=True)
    for old in PICTURES.glob("*.png"):
        old.unlink()
    browser = Browser()
    for letter in letters:
        for dark in (False, True):
            browser.open(letter.resolve().as_uri(), width=WIDTH, height=HEIGHT, dark=dark)
            # Else its reader has to push it to and fro.
            assert browser.see("document.documentElement.scrollWidth") <= WIDTH, letter.stem
            name = f"{letter.stem}{'-dark' if dark else ''}.png"
            browser.do("screenshot", path=str(PICTURES / name), whole=True)
    browser.close()


if __name__ == "__main__":
    main()
