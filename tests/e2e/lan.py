"""A small network in namespaces: some machines on one Ethernet segment, and nobody else.

Works as root, or as anybody where unprivileged user namespaces are allowed. Each namespace is held
open by a `cat` that ends with this process, so nothing is left behind.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from waiting import wait_for

HERE = Path(__file__).parent
TOOLS = ("unshare", "nsenter", "ip")
# A hundred registrations with an emulated machine, while other tests run, take most of it.
RUN_SECONDS = 180


# With as few modules as it takes: it is started again and again.
FETCH = """
import http.client, sys
method, url = sys.argv[1:]
host, _, path = url.removeprefix("http://").partition("/")
connection = http.client.HTTPConnection(host, timeout=60)
connection.request(method, "/" + path)
answer = connection.getresponse()
print(answer.status)
sys.stdout.write(answer.read().decode())
"""


def run(command: list[str]) -> str:
    """Runs a command to its end; what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Namespace:
    """A network namespace, as long as this object is not closed."""

    def __init__(self, inside: Namespace | None = None) -> None:
        self.privileged = os.geteuid() == 0
        if self.privileged:
            command = ["unshare", "--net"]
        elif inside is None:
            command = ["unshare", "--user", "--map-root-user", "--net"]
        else:
            command = [*inside.enter(), "unshare", "--net"]
        self.holder = subprocess.Popen(
            [*command, "sh", "-c", "echo ready; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.holder.stdout and self.holder.stderr
        if self.holder.stdout.readline() != "ready\n":
            raise RuntimeError(self.holder.stderr.read().strip())

    @property
    def pid(self) -> int:
        """The process that holds the namespace. (The tools exec, so it is the one we started.)"""
        return self.holder.pid

    def enter(self) -> list[str]:
        """What goes before a command that is to run in here."""
        user = [] if self.privileged else ["--user", "--preserve-credentials"]
        return ["nsenter", f"--target={self.pid}", *user, "--net", "--"]

    def run(self, *command: str) -> str:
        """Runs a command in here to its end; what it printed."""
        return run([*self.enter(), *command])

    def close(self) -> None:
        """Lets the namespace go, with the interfaces in it."""
        assert self.holder.stdin
        self.holder.stdin.close()
        self.holder.wait(timeout=10)


@dataclass
class Machine:
    """One machine on the segment: its interface is called `eth0`."""

    name: str
    number: int
    namespace: Namespace
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def ipv4(self) -> str:
        """Its IPv4 address."""
        return f"10.77.0.{self.number}"

    @property
    def ipv6(self) -> str:
        """Its IPv6 address (it has a link-local one besides)."""
        return f"fd77::{self.number}"

    def enter(self) -> list[str]:
        """What goes before a command that is to run on this machine."""
        return self.namespace.enter()

    def run(self, *command: str) -> str:
        """Runs a command on this machine to its end; what it printed."""
        return self.namespace.run(*command)

    def client(self, *arguments: str) -> Any:
        """Runs `lan_client.py` on this machine to its end; its answer."""
        return json.loads(self.run(*client_command(*arguments)))

    def start_client(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts `lan_client.py` on this machine; it runs until the test ends."""
        return self.start(*client_command(*arguments))

    def start(self, *command: str, **variables: str) -> subprocess.Popen[str]:
        """Starts a program on this machine, with these variables besides ours; it runs until the
        test ends."""
        program = subprocess.Popen(
            [*self.enter(), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **variables},
        )
        self.started.append(program)
        return program

    def fetch(self, method: str, url: str) -> tuple[int, str]:
        """One request from this machine, sooner made than by `client`: status and body."""
        status, _, body = self.run(sys.executable, "-SE", "-c", FETCH, method, url).partition("\n")
        return int(status), body

    def has_settled(self) -> bool:
        """Whether all addresses can be used (duplicate address detection has ended)."""
        shown = self.run("ip", "-6", "address", "show", "dev", "eth0")
        return "tentative" not in shown and "fe80" in shown


class Internet(Machine):
    """A machine that has any number of public addresses, at the end of a router's line."""

    def __init__(self, router: Machine, namespace: Namespace) -> None:
        super().__init__("internet", 0, namespace)
        self.router = router
        peer = ["peer", "name", "eth0", "netns", str(namespace.pid)]
        router.run("ip", "link", "add", "wan", "type", "veth", *peer)
        router.run("ip", "address", "add", "198.51.100.1/24", "dev", "wan")
        router.run("ip", "link", "set", "wan", "up")
        router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "set", "eth0", "up")
        self.run("ip", "address", "add", "198.51.100.2/24", "dev", "eth0")
        self.run("ip", "route", "add", "default", "via", "198.51.100.1")
        self.cable("up")

    def add_address(self, address: str) -> None:
        """One more address of the internet."""
        self.run("ip", "address", "add", f"{address}/32", "dev", "lo")

    def cable(self, how: str) -> None:
        """The router's line: `down` or `up`. Nobody else sees anything of it."""
        self.run("ip", "link", "set", "eth0", how)
        if how == "up":
            self.run("ip", "route", "replace", "default", "via", "198.51.100.1")
            self.router.run("ip", "route", "replace", "default", "via", "198.51.100.2")


def client_command(*arguments: str) -> list[str]:
    return [sys.executable, str(HERE / "lan_client.py"), *arguments]


class Lan:
    """A bridge, and machines on it."""

    def __init__(self) -> None:
        self.switch = Namespace()
        self.machines: list[Machine] = []
        self.behind: list[Namespace] = []
        self.other: str | None = None
        self.switch.run("ip", "link", "set", "lo", "up")
        # No snooping: a bridge without a querier would stop forwarding multicast after a while.
        self.switch.run("ip", "link", "add", "lan", "type", "bridge", "mcast_snooping", "0")
        self.switch.run("ip", "link", "set", "lan", "up")

    def add(self, name: str) -> Machine:
        """Puts one more machine on the segment."""
        machine = Machine(name, len(self.machines) + 1, Namespace(inside=self.switch))
        port = f"port{machine.number}"
        pid = str(machine.namespace.pid)
        peer = ["peer", "name", "eth0", "netns", pid]
        self.switch.run("ip", "link", "add", port, "type", "veth", *peer)
        self.switch.run("ip", "link", "set", port, "master", "lan", "up")
        machine.run("ip", "link", "set", "lo", "up")
        self.machines.append(machine)
        self.connect(machine)
        return machine

    def connect(self, machine: Machine) -> None:
        """Gives the machine its addresses and routes."""
        machine.run("ip", "link", "set", "eth0", "up")
        machine.run("ip", "address", "replace", f"{machine.ipv4}/24", "dev", "eth0")
        machine.run("ip", "address", "replace", f"{machine.ipv6}/64", "dev", "eth0", "nodad")
        machine.run("ip", "route", "replace", "224.0.0.0/4", "dev", "eth0")
        wait_for(machine.has_settled, 10, f"the addresses of {machine.name}")

    def cable(self, machine: Machine, how: str) -> None:
        """Its cable to the switch: `down` or `up`."""
        self.switch.run("ip", "link", "set", f"port{machine.number}", how)

    def forget_ipv4(self, router: Machine) -> None:
        """From now on there is IPv6 alone, and the router leads out of it."""
        router.run("ip", "address", "add", "fe80::1/64", "dev", "eth0", "nodad")
        for machine in self.machines:
            machine.run("ip", "-4", "address", "flush", "dev", "eth0")
            if machine is not router:
                machine.run("ip", "-6", "route", "add", "default", "via", "fe80::1", "dev", "eth0")

    def add_internet(self, router: Machine) -> Internet:
        """What lies behind the router, which is the gateway of all other machines from now on."""
        internet = Internet(router, Namespace(inside=self.switch))
        self.behind.append(internet.namespace)
        for machine in self.machines:
            if machine is not router:
                machine.run("ip", "route", "replace", "default", "via", router.ipv4)
        return internet

    def part(self, machine: Machine) -> None:
        """Puts the machine on a segment of its own, which it does not notice."""
        if self.other is None:
            self.other = "other"
            self.switch.run("ip", "link", "add", self.other, "type", "bridge", "mcast_snooping", "0")
            self.switch.run("ip", "link", "set", self.other, "up")
        self.switch.run("ip", "link", "set", f"port{machine.number}", "master", self.other)

    def join(self, machine: Machine) -> None:
        """Puts the machine back on the segment of all others, which it does not notice either."""
        self.switch.run("ip", "link", "set", f"port{machine.number}", "master", "lan")

    def close(self) -> None:
        """Ends what was started on the machines, then the machines."""
        for machine in self.machines:
            for process in machine.started:
                process.kill()
                process.wait(timeout=10)
            machine.namespace.close()
        for namespace in self.behind:
            namespace.close()
        self.switch.close()


def why_unavailable() -> str | None:
    """Why there can be no such network here; `None` when there can."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    try:
        lan = Lan()
        try:
            lan.add("probe")
        finally:
            lan.close()
    except (RuntimeError, OSError) as error:
        return f"no network namespaces here (neither root nor user namespaces): {error}"
    return None
