"""What is packaged: the service, the manual page, and the Debian package of a Raspberry Pi."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from daemon import BINARY, REPOSITORY

PACKAGING = REPOSITORY / "packaging"
ARM = REPOSITORY / "target/arm-unknown-linux-musleabihf/release/healthchecker"
UNIT = PACKAGING / "systemd/healthchecker.service"
SECONDS = 120


def needs(*tools: str) -> None:
    """Skips the test where a tool is missing."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def run(*command: str | Path) -> str:
    """Runs a command that must end well; what it printed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The files as `make install` lays them out, for `/usr`."""
    run(PACKAGING / "install.sh", tmp_path, "/usr", BINARY, BINARY)
    return tmp_path


def test_what_is_installed_is_complete(installed: Path) -> None:
    files = {str(file.relative_to(installed)) for file in installed.rglob("*") if file.is_file()}
    assert {
        "etc/healthchecker/config",
        "usr/bin/healthchecker",
        "usr/share/man/man1/healthchecker.1.gz",
        "usr/share/bash-completion/completions/healthchecker",
        "usr/share/zsh/vendor-completions/_healthchecker",
        "usr/share/fish/vendor_completions.d/healthchecker.fish",
        "usr/lib/sysctl.d/50-healthchecker.conf",
    } <= files
    config = installed / "etc/healthchecker/config"
    assert config.stat().st_mode & 0o777 == 0o600, "it may hold secrets"
    config.write_text("port=9090\n")
    run(PACKAGING / "install.sh", installed, "/usr", BINARY, BINARY)
    assert config.read_text() == "port=9090\n", "the owner's is kept"


def test_the_manual_page_has_every_option_and_every_command(tmp_path: Path) -> None:
    needs("man")
    page = tmp_path / "healthchecker.1"
    page.write_text(run(PACKAGING / "man.sh", BINARY))
    complaints = subprocess.run(
        ["man", "--warnings", "-l", page],
        env={**os.environ, "MANWIDTH": "200", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert complaints.stderr == ""
    said = run(BINARY, "--help")
    options = set(re.findall(r"^  (?:-\w+, |    )(--\w+)", said, re.MULTILINE))
    commands = set(re.findall(r"^  healthchecker ([a-z-]+) ", said, re.MULTILINE))
    assert len(options) > 20 and len(commands) > 8
    missing = {word for word in options | commands if word not in complaints.stdout}
    assert not missing


def test_the_unit_is_one_that_systemd_likes(installed: Path, tmp_path: Path) -> None:
    needs("systemd-analyze")
    # It looks for the program where the unit says it is.
    unit = tmp_path / "healthchecker.service"
    here = UNIT.read_text().replace("/usr/bin/healthchecker", str(BINARY.resolve()))
    unit.write_text(re.sub("^Documentation=.*$", "", here, flags=re.MULTILINE))
    assert run("systemd-analyze", "verify", unit) == ""
    # 0 is a service that can do nothing, 10 one that can do everything.
    run("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit)


def test_the_script_for_openrc_is_one_that_a_shell_reads() -> None:
    run("sh", "-n", PACKAGING / "openrc/healthchecker")


def test_the_debian_package_of_a_raspberry_pi() -> None:
    needs("dpkg-deb", "lintian")
    if not ARM.exists():
        pytest.skip("no program for it: make arm")
    built = run(PACKAGING / "deb.sh", "armhf", BINARY)
    package = re.search(r"'(target/debian/\S+_armhf\.deb)'", built)
    assert package, built
    path = REPOSITORY / package[1]
    first = path.read_bytes()
    run(PACKAGING / "deb.sh", "armhf", BINARY)
    assert path.read_bytes() == first, "the same bytes each time"
    assert run("dpkg-deb", "--field", path, "Architecture").strip() == "armhf"
    assert run("dpkg-deb", "--info", path, "conffiles").split() == ["/etc/healthchecker/config"]
    run("lintian", "--allow-root", "--fail-on", "error,warning", path)
