"""What Configobj writes in unrepr mode is what the daemon reads.

Many values are made from a seed, written by the real `configobj`, and read by the real binary with
`--check_config`, which shows them as Python literals again. The seed can be set with ROUNDTRIP_SEED.
"""

import ast
import os
import pathlib
import random
import re
import subprocess

import pytest
from configobj import ConfigObj

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("HEALTHCHECKER_BIN", ROOT / "target/debug/healthchecker")).resolve()
SEED = int(os.environ.get("ROUNDTRIP_SEED", "20261123"))
RUNS = 200
HIDDEN = "(set, hidden)"
EXIT_CONFIG = 78

AWKWARD = list("#;:='\"\\[](){},%$@!? \t") + [
    "'''", '"""', "\\n", "\\x41", "\\N{BULLET}", " # ", "=", "True", "None", "é", "ß", "猫", "😀", "\u00a0",
    "\u00ad", "\u200d", "\u202e", "\ufeff", "\ue000", "\U0010fffd",
]
CONTROL = ["\n", "\r\n", "\0", "\x1b[2J", "\x7f", "\x85", "\u2028"]


def text(rng):
    return "".join(
        rng.choice([rng.choice(AWKWARD), chr(rng.randrange(0x20, 0x7F)), rng.choice("abcXYZ0189")])
        for _ in range(rng.randrange(1, 24))
    ).replace("\t", " ")


def addresses(rng):
    return [f"{rng.choice(['me', 'o.hara', 'a+b', 'x#y', 'it=s'])}{i}@example.org" for i in range(rng.randrange(0, 4))]


def values(rng):
    """Some options with values that are valid; whether sending mail works does not matter."""
    every = {
        "verbose": rng.choice([True, False]),
        "test": rng.choice([True, False]),
        "debug": rng.choice([True, False]),
        "announce": rng.choice([True, False]),
        "bind_addr": rng.choice(["0.0.0.0", "::", "192.0.2.7", "::1"]),
        "port": rng.randrange(0, 65536),
        "workers": rng.randrange(1, 257),
        "settle": rng.choice([f"{60 * rng.randrange(1, 30) + rng.randrange(1, 60)}s", f"{rng.randrange(1, 31)}m"]),
        "anchors": rng.choice([["192.0.2.1:53", "[2001:db8::1]:443"], ("198.51.100.1:1",)]),
        "timezone": rng.choice([None, "Europe/Berlin", "<+0545>-5:45", "UTC"]),
        "public_url": rng.choice([None, "http://pi.local:9090/?a=b;c#d", "https://[2001:db8::1]/'x'"]),
        "email": rng.choice([addresses(rng), tuple(addresses(rng))]),
        "mail_from": rng.choice([None, "hc@example.org"]),
        "mail_without_clock": rng.choice([True, False]),
        "reminders": rng.choice([True, False]),
        "quiet": rng.choice([[], ["02:30-04:00"], ("Sa Su 22:00-09:00", "01:00-02:00")]),
        "gmail_user": rng.choice([None, "me@gmail.com"]),
        "smtp_host": rng.choice([None, "mail.example.org", "192.0.2.9"]),
        "smtp_port": rng.choice([None, rng.randrange(1, 65536)]),
        "smtp_security": rng.choice([None, "tls", "starttls", "none"]),
        "smtp_user": text(rng),
        "smtp_password": text(rng),
    }
    names = rng.sample(sorted(every), rng.randrange(1, len(every) + 1))
    return {name: every[name] for name in names}


def write(path, settings, rng):
    config = ConfigObj(unrepr=True, encoding="utf-8")
    config.filename = str(path)
    config.BOM = rng.choice([True, False])
    config.newlines = rng.choice(["\n", "\r\n"])
    for name, value in settings.items():
        config[name] = value
        if rng.random() < 0.3:
            config.comments[name] = ["", "# a comment with '''quotes''' and a = sign"]
            config.inline_comments[name] = rng.choice(["# it's glued on", "it's behind"])
    config.write()


def check(path, *args):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nowhere"}
    command = [BINARY, "--config", path, "--check_config", *args]
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=20)


def shown(output):
    """The table of --check_config: name to (value, where from)."""
    table = {}
    for line in output.split("\n"):
        row = re.fullmatch(r"(\w+) += (.*) # (default|command line .*|environment .*|.*:\d+)", line)
        if row:
            value = row[2].rstrip()
            table[row[1]] = (HIDDEN if value == HIDDEN else ast.literal_eval(value), row[3])
    return table


@pytest.mark.parametrize("run", range(RUNS))
def test_what_configobj_writes_is_read_back(tmp_path, run):
    rng = random.Random(SEED + run)
    settings = values(rng)
    path = tmp_path / "config"
    write(path, settings, rng)
    result = check(path)
    assert result.returncode == 0, result.stderr
    table = shown(result.stdout)
    assert ConfigObj(str(path), unrepr=True, encoding="utf-8").dict() == settings, "configobj agrees with itself"
    for name, value in settings.items():
        if value is None:
            assert table[name] == (None, "default")
            continue
        expected = HIDDEN if name == "smtp_password" else list(value) if isinstance(value, tuple) else value
        found, origin = table[name]
        assert found == expected and type(found) is type(expected), name
        file, _, line = origin.rpartition(":")
        assert file == str(path)
        raw = path.read_bytes().decode("utf-8-sig").split("\n")
        assert raw[int(line) - 1].startswith(f"{name} = "), "the line that it stands on"
    if "smtp_password" in settings and len(settings["smtp_password"]) > 8:
        assert settings["smtp_password"] not in result.stdout + result.stderr


@pytest.mark.parametrize("control", CONTROL)
def test_a_control_character_is_read_as_such_and_refused(tmp_path, control):
    rng = random.Random(SEED)
    path = tmp_path / "config"
    settings = {"smtp_user": f"a{control}b", "smtp_password": f"hunter2{control}hunter3"}
    write(path, settings, rng)
    result = check(path)
    assert result.returncode == EXIT_CONFIG
    assert "hunter" not in result.stderr
    problems = [line for line in result.stderr.split("\n") if ": smtp_user: " in line]
    shown_value = re.search(r"smtp_user: ('.*?') contains a control character", problems[0])
    assert ast.literal_eval(shown_value[1]) == settings["smtp_user"]
    assert ": smtp_password: the secret contains a control character" in result.stderr


@pytest.mark.parametrize("user", ["x@eA\u0301", "x@A猫.jp", "x@KÜ.de"])
def test_an_account_with_a_domain_beyond_ascii_is_only_a_text(tmp_path, user):
    """`idna_adapter` 1.0.0 panics on such domains; they must not reach it."""
    path = tmp_path / "config"
    write(path, {"smtp_user": user, "smtp_host": "relay", "smtp_password": "p", "email": "a@b.c"}, random.Random(1))
    result = check(path)
    assert result.returncode == 0, result.stderr
    assert shown(result.stdout)["smtp_user"][0] == user


def test_the_shipped_file_is_valid():
    result = check(ROOT / "config")
    assert result.returncode == 0, result.stderr
    assert {origin for _, origin in shown(result.stdout).values()} == {"default"}


def test_all_mistakes_are_named_at_once(tmp_path):
    path = tmp_path / "config"
    path.write_text("prot=1\nworkers=0\nworkers=1\ndebug=Maybe\n[mail]\nsmtp_user='open\n")
    result = check(path, "--colour")
    assert result.returncode == EXIT_CONFIG
    assert result.stdout == ""
    lines = re.findall(rf"{re.escape(str(path))}:(\d+): ", result.stderr)
    assert lines == ["1", "2", "3", "4", "5", "6"]
    assert "did you mean port?" in result.stderr
    assert "--colour" in result.stderr


def test_a_named_file_that_is_missing_is_a_mistake(tmp_path):
    result = check(tmp_path / "gone")
    assert result.returncode == EXIT_CONFIG
    assert "gone" in result.stderr


@pytest.mark.parametrize("option", ["--help", "--version", "--check_config"])
def test_a_closed_pipe_and_a_full_disk_do_not_panic(option):
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": "/nonexistent"}
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        result = subprocess.run(
            [BINARY, option], stdout=pipe, stderr=subprocess.PIPE, env=environment, cwd="/", timeout=20
        )
    assert (result.returncode, result.stderr) == (0, b"")
    with open("/dev/full", "wb") as full:
        result = subprocess.run(
            [BINARY, option], stdout=full, stderr=subprocess.PIPE, env=environment, cwd="/", timeout=20
        )
    assert (result.returncode, result.stderr) == (1, b"")
