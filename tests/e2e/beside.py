"""Which tests run beside each other under `make test`: most of them wait, so several processes (pytest-xdist)
are at it at one time. Those that are marked `alone` come after that, one by one.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# The tests of one of these files share what is costly to start, or what there is but once: a browser, a
# booted system, mail servers, an address for a name service. One process runs them all. (The groups of pytest-xdist 3.8
# are not kept with pytest 9.2.)
SHARING = {"test_mail_servers.py", "test_names.py", "test_page.py", "test_service.py"}

# Those that take longest begin first, so that nobody waits for the last of them at the end.
LONGEST = ("test_soak.py", "test_clients_on_a_lan.py", "test_hanging.py", "test_disks.py", "test_openapi.py")


def file_of(nodeid: str) -> str:
    """The name of a test's file."""
    return nodeid.split("::")[0].rpartition("/")[2]


class Beside(LoadScopeScheduling):
    """Each test goes to the next process that is free, but for those that share something."""

    def _split_scope(self, nodeid: str) -> str:
        file = file_of(nodeid)
        return file if file in SHARING else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Beside:
    """Called by pytest-xdist."""
    return Beside(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Called by pytest: an order of our own."""
    items.sort(key=lambda item: file_of(item.nodeid) not in LONGEST)
