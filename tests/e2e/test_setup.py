"""`healthchecker setup`: from a few answers to a daemon that mails."""

from __future__ import annotations

import getpass
import os
import pty
import select
import shlex
import shutil
import socket
import stat
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import StartDaemon
from daemon import BINARY
from smtp_server import HOST, PASSWORD, USER, NewSmtpServer, SmtpServer
from test_reverse_proxy import free_port
from waiting import wait_for

SECONDS = 60
# How long a mail server that says nothing is waited for, and what a busy machine takes besides.
HANGING_SECONDS = 60 + 30
CTRL_C = "\x03"


def command(path: Path, *options: object) -> list[str]:
    return [str(BINARY), "setup", "--config", str(path), *map(str, options)]


def on_a_terminal(answers: list[tuple[str, str]], command: list[str], home: Path) -> tuple[int, str]:
    """Types each answer once its question stands there; how it ended, and all that was to be seen."""
    ours, its = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *command], stdin=its, stdout=its, stderr=its, env=environment
    )
    shown = ""
    seen = 0
    try:
        for question, answer in answers:
            while question not in shown[seen:]:
                part = read(ours, SECONDS)
                assert part, shown
                shown += part
            seen = len(shown)
            os.write(ours, answer.encode() if answer == CTRL_C else f"{answer}\n".encode())
        end = time.monotonic() + SECONDS
        while (part := read(ours, 0.1)) or process.poll() is None:
            assert time.monotonic() < end, shown
            shown += part
        assert termios.tcgetattr(its)[3] & termios.ECHO, "what is typed is to be seen again"
    finally:
        process.kill()
        code = process.wait(SECONDS)
        os.close(ours)
        os.close(its)
    return code, shown


def read(terminal: int, seconds: float) -> str:
    """What comes next; nothing if nothing does in time."""
    readable, _, _ = select.select([terminal], [], [], seconds)
    return os.read(terminal, 4096).decode() if readable else ""


def test_what_is_typed_on_a_terminal_makes_a_daemon_that_mails(
    mailbox: SmtpServer, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    path = tmp_path / "config"
    answers = [
        ("Who is told", "owner"),
        ("Who is told", USER),
        ("port of the page", "0"),
        ("How does mail go out", HOST),
        ("Its port", str(mailbox.port)),
        ("The account there", ""),
        ("Its password", "not this one"),
        ("Keep it nevertheless", "n"),
        ("How does mail go out", HOST),
        ("Its port", str(mailbox.port)),
        ("The account there", USER),
        ("Its password", PASSWORD),
    ]
    ca_file = mailbox.authority.ca_file
    code, shown = on_a_terminal(answers, command(path, "--ca_file", ca_file), tmp_path)
    assert code == 0, shown
    assert PASSWORD not in shown and "not this one" not in shown
    assert f"{USER}: accepted" in shown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(mailbox.envelopes) == 1

    daemon = start_daemon(config=path)
    daemon.register("NAS", "http://127.0.0.1:9", interval=5)
    wait_for(lambda: len(mailbox.envelopes) > 1, SECONDS, "the mail about NAS")
    assert "NAS is UNHEALTHY" in str(mailbox.mails()[-1]["Subject"])


def test_options_and_a_pipe_say_it_all(new_smtp_server: NewSmtpServer, tmp_path: Path) -> None:
    server = new_smtp_server(security="none", login=False)
    path = tmp_path / "config"
    options = ["--email", USER, "--port", 0, "--smtp_host", HOST, "--smtp_port", server.port]
    options += ["--smtp_security", "none"]
    for typed, code in [("", 0), ("", 1), ("y\n", 0)]:
        done = subprocess.run(
            command(path, *options),
            input=typed,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env={"HOME": str(tmp_path)},
        )
        assert (done.returncode, done.stderr) == (code, ""), done
    assert len(server.envelopes) == 3
    assert sorted(file.name for file in tmp_path.iterdir()) == ["config", "config.old"]
    # As an installer does it: nothing is asked.
    done = subprocess.run(
        command(path, "--yes"), stdin=subprocess.DEVNULL, env={"HOME": str(tmp_path)}, timeout=SECONDS
    )
    assert done.returncode == 0


def test_ctrl_c_at_the_password_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "config"
    answers = [
        ("Who is told", USER),
        ("port of the page", "0"),
        ("How does mail go out", HOST),
        ("Its port", ""),
        ("The account there", ""),
        ("Its password", CTRL_C),
    ]
    code, shown = on_a_terminal(answers, command(path), tmp_path)
    assert code == 1 and "Ctrl-C; nothing was written" in shown, shown
    assert not path.exists()


def test_the_file_of_another_user_stays_theirs(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    path = tmp_path / "config"
    path.write_text(f"email='{USER}'\n")
    os.chown(path, 65534, 65534)
    done = subprocess.run(command(path, "--port", 0, "--yes"), stdin=subprocess.DEVNULL, timeout=SECONDS)
    assert done.returncode == 0
    for file in (path, tmp_path / "config.old"):
        status = file.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (65534, 65534, 0o600)


def test_a_mail_server_that_says_nothing_is_told_of(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as silent:
        options = ["--email", USER, "--port", 0, "--smtp_host", HOST]
        options += ["--smtp_port", silent.getsockname()[1], "--smtp_security", "none"]
        done = subprocess.run(
            command(tmp_path / "config", *options),
            input="y\n",
            capture_output=True,
            text=True,
            timeout=HANGING_SECONDS,
            env={"HOME": str(tmp_path)},
        )
    assert done.returncode == 0 and "not now" in done.stdout, done
    assert "Keep it nevertheless" in done.stdout and "is written" in done.stdout


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[list[str]]:
    """How a command runs on this machine as if it were another; no file of this user is read or written."""
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if not sshd or not shutil.which("ssh"):
        pytest.skip("no OpenSSH")
    for key in ("host", "own"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / key], check=True)
    port = free_port()
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {tmp_path / 'host'}",
        f"AuthorizedKeysFile {tmp_path / 'own.pub'}",
        f"PidFile {tmp_path / 'pid'}",
        "StrictModes no",
        "UsePAM no",
    ]
    (tmp_path / "sshd_config").write_text("\n".join(lines) + "\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    log = (tmp_path / "sshd.log").open("w")
    server = subprocess.Popen([sshd, "-D", "-e", "-f", tmp_path / "sshd_config"], stderr=log)
    wait_for(lambda: "listening" in (tmp_path / "sshd.log").read_text(), SECONDS, "sshd")
    client = ["ssh", "-F", "none", "-i", str(tmp_path / "own"), "-p", str(port)]
    client += ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={tmp_path / 'hosts'}"]
    yield [*client, "-o", "LogLevel=ERROR", f"{getpass.getuser()}@127.0.0.1"]
    server.terminate()
    server.wait(SECONDS)
    log.close()


def test_over_ssh_with_a_terminal_and_without(
    ssh: list[str], mailbox: SmtpServer, tmp_path: Path
) -> None:
    path = tmp_path / "config"
    there = shlex.join(command(path, "--ca_file", mailbox.authority.ca_file))
    answers = [
        ("Who is told", USER),
        ("port of the page", "0"),
        ("How does mail go out", HOST),
        ("Its port", str(mailbox.port)),
        ("The account there", USER),
        ("Its password", PASSWORD),
    ]
    code, shown = on_a_terminal(answers, [ssh[0], "-tt", *ssh[1:], there], tmp_path)
    assert code == 0 and f"{USER}: accepted" in shown, shown
    assert PASSWORD not in shown and "shown as you type" not in shown
    assert path.exists()
    path.unlink()
    typed = "".join(f"{answer}\n" for _, answer in answers)
    done = subprocess.run([*ssh, there], input=typed, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0 and "shown as you type" in done.stdout, done
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(mailbox.envelopes) == 2
