#!/usr/bin/env python3
"""Runs a test program until its first test fails: first_failure.py PROGRAM ARGUMENTS

A mutant is caught by one failed test. What the other tests would say of it is not waited for:
that takes a minute for each mutant, and with this it takes the few seconds until the first.
"""

from __future__ import annotations

import subprocess
import sys


def main(command: list[str]) -> int:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        for line in tests.stdout:
            print(line, end="", flush=True)
            if line.startswith("test ") and line.endswith("... FAILED\n"):
                tests.kill()
                return 101
        return tests.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
