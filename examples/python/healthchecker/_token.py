"""The server's token, which must not show up anywhere."""

import os
from typing import Optional

TOKEN_VARIABLE = "HEALTHCHECKER_API_TOKEN"

BAD = (
    "the token has a character in it that no token has (a blank, a line break, one beyond ASCII); it was "
    "not sent. It comes from {}"
)


class Token:
    """The token of one server, from the program or from the environment; there may be none."""

    def __init__(self, given: Optional[str]) -> None:
        # One that was read from a file ends with a line feed.
        self._text = (given or os.environ.get(TOKEN_VARIABLE) or "").strip()
        self._source = "the program" if given else TOKEN_VARIABLE

    def __repr__(self) -> str:
        return "<token>" if self._text else "<no token>"

    def __bool__(self) -> bool:
        return bool(self._text)

    def trouble(self) -> str:
        """Why it cannot be one, without showing it; empty when it can."""
        plain = all("!" <= character <= "~" for character in self._text)
        return "" if plain else BAD.format(self._source)

    def header(self) -> str:
        """What goes to a server that may have it."""
        return "Bearer " + self._text
