"""A name service for the daemon, which says what the test wants."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

A, AAAA = 1, 28
NO_DATA, SERVFAIL, NXDOMAIN, REFUSED, SILENT = 0, 2, 3, 5, -1
HEAD = struct.Struct("!6H")
# Response, recursion desired and available.
FLAGS = 0x8180
CLASS_IN = 1


@dataclass
class Name:
    """What is said of one name: its addresses, or else a code for each family."""

    ipv4: list[str] = field(default_factory=list)
    ipv6: list[str] = field(default_factory=list)
    ipv4_code: int = NO_DATA
    ipv6_code: int = NO_DATA

    def answer(self, kind: int) -> tuple[int, list[bytes]]:
        """Code and records for a question of this kind."""
        if kind == A:
            return self.ipv4_code, [socket.inet_pton(socket.AF_INET, one) for one in self.ipv4]
        if kind == AAAA:
            return self.ipv6_code, [socket.inet_pton(socket.AF_INET6, one) for one in self.ipv6]
        return NO_DATA, []


class NameServer:
    """Answers over UDP at an address of the loopback interface. Names that it does not know do not exist."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.names: dict[str, Name] = {}
        self.closing = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while not self.closing:
            question, client = self.socket.recvfrom(512)
            answer = self.answer(question) if question else None
            if answer is not None:
                self.socket.sendto(answer, client)

    def answer(self, question: bytes) -> bytes | None:
        """The whole packet; nothing where the name is silent."""
        (number, *_) = HEAD.unpack_from(question)
        labels, at = [], HEAD.size
        while length := question[at]:
            labels.append(question[at + 1 : at + 1 + length].decode())
            at += 1 + length
        end = at + 5
        (kind,) = struct.unpack_from("!H", question, at + 1)
        name = self.names.get(".".join(labels).lower(), Name(ipv4_code=NXDOMAIN, ipv6_code=NXDOMAIN))
        code, addresses = name.answer(kind)
        if code == SILENT:
            return None
        records = [
            struct.pack("!HHHIH", 0xC00C, kind, CLASS_IN, 1, len(address)) + address
            for address in addresses
        ]
        head = HEAD.pack(number, FLAGS | code, 1, len(records), 0, 0)
        return head + question[HEAD.size : end] + b"".join(records)

    def close(self) -> None:
        """Ends it."""
        self.closing = True
        # Wakes the thread.
        self.socket.sendto(b"", (self.address, 53))
        self.thread.join(timeout=10)
        self.socket.close()


class NamedBy:
    """This machine, with another name service, and with other names of its own if they are given.
    With `options`, see resolv.conf(5), the system waits for the service as long as they say."""

    def __init__(
        self, address: str, folder: Path, options: str = "", hosts: str | None = None
    ) -> None:
        self.files = {"/etc/resolv.conf": f"nameserver {address}\n{options}\n"}
        if hosts is not None:
            self.files["/etc/hosts"] = hosts
        self.folder = folder

    def enter(self) -> list[str]:
        """What goes before a command that is to run there."""
        steps = []
        for number, (place, text) in enumerate(self.files.items()):
            file = self.folder / f"{Path(place).name}.{number}"
            file.write_text(text)
            steps.append(f"mount --bind {file} {place}")
        return ["unshare", "--mount", "sh", "-c", " && ".join([*steps, 'exec "$@"']), "sh"]

    def why_unavailable(self) -> str | None:
        """Why there can be none here."""
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            return "needs root and unshare"
        command = [*self.enter(), "true"]
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
        return tried.stderr.strip() or None
