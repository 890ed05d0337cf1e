"""Locks that outlive a fork.

A child process has its parent's memory and none of its threads: a lock that one of those held is
held for ever. (`os.fork`, and with it pre-forking web servers and `multiprocessing`.)
"""

import os
import threading
import weakref


class Forked:
    """Is told when its process was forked, in the child, where no other thread runs then."""

    def __init__(self) -> None:
        _TOLD.add(self)

    def in_child(self) -> None:
        """Leaves behind what was its parent's."""
        raise NotImplementedError


_TOLD: "weakref.WeakSet[Forked]" = weakref.WeakSet()


def _tell_all() -> None:
    for one in list(_TOLD):
        one.in_child()


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell_all)


class Lock(Forked):
    """A lock that is free in a child process, whoever held it in the parent."""

    def __init__(self) -> None:
        super().__init__()
        self.in_child()

    def in_child(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
