"""`healthchecker setup`: from a few answers to a daemon that mails."""

from __future__ import annotations

import os
import pty
import stat
import subprocess
from pathlib import Path

from conftest import StartDaemon
from daemon import BINARY
from smtp_server import HOST, PASSWORD, USER, NewSmtpServer, SmtpServer
from waiting import wait_for

SECONDS = 60


def command(path: Path, *options: object) -> list[str]:
    return [str(BINARY), "setup", "--config", str(path), *map(str, options)]


def on_a_terminal(answers: list[tuple[str, str]], command: list[str], home: Path) -> tuple[int, str]:
    """Types each answer once its question stands there; how it ended, and all that was to be seen."""
    ours, its = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    process = subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, start_new_session=True, env=environment
    )
    os.close(its)
    shown = ""
    seen = 0
    try:
        for question, answer in answers:
            while question not in shown[seen:]:
                shown += os.read(ours, 4096).decode()
            seen = len(shown)
            os.write(ours, f"{answer}\n".encode())
        # Linux ends a terminal that nobody has open with an error.
        while part := os.read(ours, 4096):
            shown += part.decode()
    except OSError:
        pass
    finally:
        code = process.wait(SECONDS)
        os.close(ours)
    return code, shown


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
