"""Keeps an app registered, from a thread of its own."""

import threading
from typing import Callable, Optional

from ._connection import Answer
from ._fork import Forked, Lock

# The first pause after a failure; it doubles, up to the last: an app is watched again a minute
# after the server is back.
RETRY_FIRST = 5.0
RETRY_LAST = 60.0
# Between two looks whether the server still knows the app.
LOOK_EVERY = 60.0
# What the server refused will be right only after somebody changed something there.
REFUSED = 300.0

# The server shows nothing to those who have no token for reading.
HIDDEN = (401, 403)


class Keeper(Forked):
    """Calls `register` until it succeeds, and again when `look` finds the app unknown."""

    def __init__(
        self,
        register: Callable[[], Answer],
        look: Callable[[], Answer],
        tell: Callable[[Answer], int],
    ) -> None:
        super().__init__()
        self._register = register
        self._look = look
        self._tell = tell
        self._ended = threading.Event()
        self._busy = Lock()
        self._known = False
        self._retry = RETRY_FIRST

    def start(self) -> Optional[str]:
        """Starts the thread, which does not keep the program from ending. Why not, if it cannot."""
        thread = threading.Thread(target=self._run, name="keep-registered", daemon=True)
        try:
            thread.start()
        except RuntimeError as why:
            return str(why)
        return None

    def end(self) -> None:
        """Ends it; nothing is registered any more when this returns."""
        self._ended.set()
        with self._busy:
            pass

    def in_child(self) -> None:
        """The thread is the parent's, which goes on with it."""
        self._ended = threading.Event()

    def _run(self) -> None:
        pause = 0.0
        while not self._ended.wait(pause):
            with self._busy:
                if not self._ended.is_set():
                    pause = self.step()

    def step(self) -> float:
        """Does what is to be done now; how many seconds to wait until the next time."""
        answer = self._look() if self._known else self._register()
        if self._known and (answer.status == 404 or answer.status in HIDDEN):
            # It has forgotten the app, or does not say: to register again changes nothing then.
            self._known = False
            answer = self._register()
        if self._tell(answer) == 200:
            self._known, self._retry = True, RETRY_FIRST
            return LOOK_EVERY
        pause, self._retry = self._retry, min(self._retry * 2, RETRY_LAST)
        return REFUSED if 400 <= answer.status < 500 else pause
