"""The feature `client`: few packages, and none of the daemon's."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from daemon import REPOSITORY

# What only the daemon needs: TLS, mail, the web server, procedural macros.
DAEMONS = {"lettre", "rustls", "ring", "tiny_http", "serde", "serde_derive", "syn", "url", "time"}


def test_the_client_brings_as_few_packages_as_the_readme_says() -> None:
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not installed")
    command = ["cargo", "tree", "--no-default-features", "--features", "client", "--edges", "normal"]
    listed = subprocess.run(
        [*command, "--locked", "--prefix", "none", "--format", "{p}"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    packages = {line.split()[0] for line in listed.stdout.splitlines()} - {"healthchecker"}
    assert not packages & DAEMONS
    readme = (REPOSITORY / "README.md").read_text()
    said = re.search(r"The Rust client brings (\d+) packages \(`([^`]*)`", readme)
    assert said, "the README says nothing of it"
    assert (int(said[1]), said[2]) == (len(packages), " ".join(command))
