"""Takes two programs through the same session and prints how what they said differs.

    make compare BEFORE=FILE AFTER=FILE       two programs, at the same time
    tests/session/compare.py PROGRAM          one program: the recording itself

For two versions of a release, or for a change that must not be seen from outside. Compared, byte
for byte: each answer of HTTP with its head, pages, JSON, metrics, the OpenAPI document, mails and
their envelopes, what apps are asked, log lines, what the command line prints and ends with; through
registrations good and bad, apps that fail, hang, warn and recover, a restart and a power cut,
tokens, `--test` and bad options. What no two runs share is a word in the recording: `recording.py`
lists it. Not in it: Zeroconf, TLS, and what takes hours.

It takes about a minute. Ends with 0 when nothing differs and with 1 when something does, or when
a program answers so that the session cannot go on. What `--verbose` logs of a request shows types
of the program's inside, which may change.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "e2e"))

from session import BREAKS_OFF, Session  # noqa: E402


def record(program: Path) -> list[str]:
    """What the program says in the session."""
    with tempfile.TemporaryDirectory(prefix="session-") as folder:
        return Session(program.absolute(), Path(folder)).run()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("programs", nargs="+", type=Path, metavar="PROGRAM")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep the recordings there, as before and after"
    )
    arguments = parser.parse_args()
    if len(arguments.programs) > 2:
        parser.error("two programs at most")
    with ThreadPoolExecutor() as at_once:
        recordings = list(at_once.map(record, arguments.programs))
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        for name, lines in zip(("before", "after"), recordings, strict=False):
            (arguments.keep / name).write_text("\n".join(lines) + "\n")
    if len(recordings) == 1:
        print("\n".join(recordings[0]))
        return 0
    before, after = recordings
    differences = list(difflib.unified_diff(before, after, "before", "after", lineterm="", n=5))
    print("\n".join(differences) or f"nothing differs in {len(before)} lines")
    broken_off = any(line.startswith(f"=== {BREAKS_OFF}") for line in before + after)
    return 1 if differences or broken_off else 0


if __name__ == "__main__":
    sys.exit(main())
