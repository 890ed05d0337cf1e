#!/usr/bin/env python3
"""Prints what a program is made of: packaging/size.py PROGRAM, which must not be stripped.

Code is counted by the crate whose function it is; generic code of std counts for std, whoever
uses it. A table in Markdown, for docs/size.md.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable

# Where the name of a function tells of a crate only after this: `<&mut [T] as ...>`, `core::...`.
PREFIX = re.compile(r"^(?:[<&*\[( ]|mut |dyn |const )+")
CRATE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SHOWN = 30
OWN = "healthchecker"
FEATURES = {
    "what is seen on the network": (
        "daemon::api::scan::",
        "daemon::page::scan::",
        "daemon::discovery::survey::",
        "engine::presets::",
        "client::cli::scan::",
    ),
    "the form": ("daemon::api::watch::", "daemon::page::watch::"),
    "the other pages": ("daemon::page::",),
    "`setup`": ("setup::",),
    "lists from elsewhere": ("client::cli::kuma::",),
    "a port": ("daemon::prober::port::",),
    "a ping": ("daemon::prober::ping::", "daemon::echo::"),
    "beats": ("engine::beats::", "daemon::api::beat::"),
    "logins": ("daemon::prober::login::", "engine::registration::auth::", "engine::text::secret::"),
    "certificates that end": ("engine::registry::certificates::",),
    "whose certificate it is": ("daemon::trust::", "config::certificates::"),
}
"""What a person may ask the price of, by the modules that nothing else needs; the first that fits counts."""
# The modules of a path of ours: what follows is a function, or a type.
OWN_PATH = re.compile(rf"{OWN}::((?:[a-z][a-z0-9_]*::)*)")


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def sections(program: str) -> Counter[str]:
    """The bytes of each section that is in the file and not for debuggers."""
    found: Counter[str] = Counter()
    for line in output("readelf", "--section-headers", "--wide", program).splitlines():
        match = re.match(r"\s*\[ *\d+\] (\.\S+)\s+(\S+)\s+\S+ \S+ ([0-9a-f]+) \S+ +(\S*)", line)
        if match and match[2] != "NOBITS" and "A" in match[4]:
            found[match[1]] += int(match[3], 16)
    return found


def code(program: str, of: Callable[[str], str]) -> Counter[str]:
    """The bytes of code of each part, as a function's name tells which."""
    found: Counter[str] = Counter()
    counted: set[str] = set()
    for line in output("nm", "--print-size", "--demangle", program).splitlines():
        match = re.match(r"([0-9a-f]+) ([0-9a-f]+) [tTwW] (.*)", line)
        # Of functions that the linker found equal, the first.
        if match and match[1] not in counted:
            counted.add(match[1])
            found[of(match[3])] += int(match[2], 16)
    return found


def crate(function: str) -> str:
    if "::" not in function and "<" not in function:
        return "C: musl, compiler-rt, ring's"
    bare = PREFIX.sub("", function)
    name = CRATE.match(bare)
    # Implementations for u16, str, [u8] and their like are core's.
    return name[0] if name and f"{name[0]}::" in bare else "core"


def modules(function: str) -> str:
    """Where in our own house it is: `daemon::page::watch::`; empty for what is others'."""
    path = OWN_PATH.search(function) if crate(function) == OWN else None
    return path[1] if path else ""


def room(function: str) -> str:
    return "::".join(modules(function).split("::")[:2]).rstrip(":")


def feature(function: str) -> str:
    where = modules(function)
    return next((name for name, begins in FEATURES.items() if where.startswith(begins)), "")


def main() -> None:
    program = sys.argv[1]
    rooms, features = code(program, room), code(program, feature)
    del rooms[""], features[""]
    tables = (
        ("section", sections(program)),
        ("code of", code(program, crate)),
        ("of it ours, in", rooms),
        ("of it for", features),
    )
    for title, sizes in tables:
        print(f"| {title} | bytes |\n| --- | ---: |")
        for name, size in sizes.most_common(SHOWN):
            print(f"| {name} | {size:,} |")
        print(f"| all | {sum(sizes.values()):,} |\n")


if __name__ == "__main__":
    main()
