#!/usr/bin/env python3
"""Prints what a program is made of: packaging/size.py PROGRAM, which must not be stripped.

Code is counted by the crate whose function it is; generic code of std counts for std, whoever
uses it. What a feature costs is counted by the lines that code stems from, wherever the compiler put it: so the
program must have their tables, and LLVM's symbolizer be installed. Tables in Markdown, for docs/size.md.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

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
    "certificates that end": ("engine::registry::certificates::", "daemon::trust::der::"),
    "whom TLS believes, pins": ("daemon::trust::", "engine::registration::tls::", "daemon::prober::secure::"),
    "authorities of one's own": ("config::certificates::",),
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
        if match and match[2] != "NOBITS" and "A" in match[4] and not match[1].startswith(".debug"):
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


def lines(program: str) -> list[tuple[int, int]]:
    """From where to where the machine's code stems from one line of source."""
    headers = output("readelf", "--section-headers", "--wide", program)
    text = re.search(r" \.text +PROGBITS +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+)", headers)
    if text is None:
        return []
    begin = int(text[1], 16)
    end = begin + int(text[2], 16)
    table = output("readelf", "--debug-dump=decodedline", "--wide", program)
    rows = {int(row[2], 16): row[1] for row in re.finditer(r"\s(\d+|-)\s+0x([0-9a-f]+)", table)}
    # Of functions that the linker left out, it forgot where they are.
    inside = sorted(at for at in rows if begin <= at < end)
    return [(at, to) for at, to in pairwise([*inside, end]) if rows[at] != "-"]


def features(program: str) -> Counter[str]:
    """The bytes that stem from the files of each, with what of libraries was put into them."""
    found: Counter[str] = Counter()
    ranges = lines(program)
    asked = "\n".join(hex(at) for at, _ in ranges)
    command = ("llvm-symbolizer", f"--obj={program}", "--inlines", "--no-demangle")
    told = subprocess.run(command, input=asked, capture_output=True, text=True, check=True).stdout
    for (at, to), frames in zip(ranges, told.split("\n\n"), strict=False):
        # From the innermost outwards; every second line is a place. Ours begin with no other folder.
        own = re.search(r"^\./src/(.*?)(?:/mod)?\.rs:", frames, re.MULTILINE)
        found[feature(own[1]) if own else ""] += to - at
    return found


def feature(file: str) -> str:
    where = "::".join(file.split("/")) + "::"
    return next((name for name, begins in FEATURES.items() if where.startswith(begins)), "")


def main() -> None:
    program = sys.argv[1]
    rooms, prices = code(program, room), features(program)
    del rooms[""], prices[""]
    tables = (
        ("section", sections(program)),
        ("code of", code(program, crate)),
        ("of it ours, in", rooms),
        ("of it for", prices),
    )
    for title, sizes in tables:
        print(f"| {title} | bytes |\n| --- | ---: |")
        for name, size in sizes.most_common(SHOWN):
            print(f"| {name} | {size:,} |")
        print(f"| all | {sum(sizes.values()):,} |\n")


if __name__ == "__main__":
    main()
