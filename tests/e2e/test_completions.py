"""What a shell offers to complete: commands, options, names as they have to be written, files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from daemon import BINARY, Daemon
from programs import on_a_terminal, run
from target import Target

NAMES = ("My NAS", "TV: a=b", "it's \"5\" $HOME `\\x", "K\u00fcche & co")


def completed(words: str, server: str = "") -> list[str]:
    """What bash offers behind these words."""
    script = (
        f'PATH={BINARY.parent}:$PATH; source <(healthchecker completions bash); '
        f'COMP_WORDS=({words}); COMP_CWORD=$(({len(words.split())}-1)); '
        '_healthchecker; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    ended = run("bash", "-c", script, HEALTHCHECKER_SERVER=server)
    assert (ended.code, ended.err) == (0, ""), ended
    return ended.out.split("\n")[:-1]


def test_bash_completes_commands_options_and_names(daemon: Daemon, target: Target) -> None:
    daemon.register("My NAS", target.url)
    daemon.register("TV", target.url)
    assert completed("healthchecker re") == ["resume"]
    assert completed("healthchecker --bin") == ["--bind_addr"]
    assert completed("healthchecker monitor --int") == ["--interval"]
    assert completed("healthchecker completions z") == ["zsh"]
    assert completed("healthchecker info ''", daemon.base) == ["My\\ NAS", "TV"]
    assert completed("healthchecker info T", daemon.base) == ["TV"]


@pytest.mark.parametrize(
    "typed",
    [
        "My\\ N",
        '"My N',
        "'My N",
        "TV",
        "TV\\:",
        '"TV: ',
        "it",
        "it\\'s\\ \\\"5",
        "\"it's",
        "'it",
        "K\u00fc",
    ],
)
def test_bash_completes_a_name_as_it_was_begun(daemon: Daemon, target: Target, typed: str) -> None:
    for name in NAMES:
        daemon.register(name, target.url)
    meant = next(name for name in NAMES if name[:2] == typed.strip("\"'")[:2])
    script = f"PATH={BINARY.parent}:$PATH; source <(healthchecker completions bash)\n"
    line = f"healthchecker info {typed}\t --json\nexit\n"
    out = on_a_terminal(
        200, "bash", "--norc", "-i", typed=script + line,
        HEALTHCHECKER_SERVER=daemon.base, LANG="C.UTF-8", TERM="dumb",
    )
    assert json.dumps(meant, ensure_ascii=False)[1:-1] in out, out
    assert f'"url":"{target.url}"' in out, out


def test_files_are_completed_for_import(tmp_path: Path) -> None:
    (tmp_path / "my backup.json").write_text("{}")
    out = on_a_terminal(
        200, "bash", "--norc", "-i",
        typed=f"PATH={BINARY.parent}:$PATH; source <(healthchecker completions bash); cd {tmp_path}\n"
        "healthchecker import my\t --server 127.0.0.1:9\nexit\n",
        LANG="C.UTF-8", TERM="dumb",
    )
    assert "cannot import my backup.json: no export" in out, out
    zsh = run(BINARY, "completions", "zsh").out
    assert "'*:FILE:_files'" in zsh


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completions_are_valid(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    ended = run("sh", "-c", f"{BINARY} completions {shell} | {shell} -n /dev/stdin")
    assert (ended.code, ended.err) == (0, "")


def test_fish_completes_commands_options_and_names(daemon: Daemon, target: Target) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    daemon.register("TV", target.url)

    def offered(line: str) -> list[str]:
        script = f"set -x PATH {BINARY.parent} $PATH; healthchecker completions fish | source; complete -C '{line}'"
        ended = run("fish", "--no-config", "-c", script, HEALTHCHECKER_SERVER=daemon.base)
        return [offer.split("\t")[0] for offer in ended.out.splitlines()]

    assert offered("healthchecker re") == ["resume"]
    assert offered("healthchecker monitor --int") == ["--interval"]
    assert offered("healthchecker info T") == ["TV"]
