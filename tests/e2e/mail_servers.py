"""Real mail servers on the loopback interface, each with a few services that are as strict as in the wild.

Both need root. Postfix is Debian's package (not set up: ours is in a folder of its own); Exim, which cannot be
installed beside it, is taken out of its package.
"""

from __future__ import annotations

import base64
import email
import email.policy
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from daemon import REPOSITORY
from waiting import wait_for

HOST = "127.0.0.1"
DOMAIN = "household.example"
OWNER = f"owner@{DOMAIN}"
OTHER = f"other@{DOMAIN}"
ABROAD = "friend@elsewhere.example"
LOGIN, PASSWORD = "pi", "correct horse"

START_SECONDS = 30
DOWNLOAD_SECONDS = 120
PACKED = ("exim4-daemon-light", "exim4-base")
EXIM_FILES = REPOSITORY / "target" / "exim"
EXIM_PROGRAM = EXIM_FILES / "usr" / "sbin" / "exim4"

# Each answers at RCPT or later, as Postfix does by default.
STRICT = {
    "open": "",
    # Who does not say a whole name, or an address, is refused.
    "whole_name": "-o smtpd_helo_required=yes "
    "-o smtpd_helo_restrictions=reject_invalid_helo_hostname,reject_non_fqdn_helo_hostname",
    # An address is nobody's who did not log in as its owner.
    "own_sender": "-o smtpd_sasl_auth_enable=yes -o smtpd_sender_restrictions=reject_sender_login_mismatch",
    "no_clients": "-o smtpd_client_restrictions=reject",
    # Whoever says this is taken for a spammer.
    "filter": "-o cleanup_service_name=strict_cleanup",
}
SPAM = "cheap pills"

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = mail.{domain}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 192.0.2.0/24
mydestination =
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ {{{owner}=owner/}}, {{{other}=other/}} }}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_relay_restrictions = reject_unauth_destination
smtpd_sender_login_maps = inline:{{ {{{owner}={login}}} }}
smtpd_sasl_type = dovecot
smtpd_sasl_path = {folder}/auth
smtpd_peername_lookup = no
"""

MASTER = """
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
strict_cleanup unix n - n - 0 cleanup -o body_checks=regexp:{folder}/body_checks
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
smtp unix - - n - - error
local unix - n n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

EXIM = """
primary_hostname = mail.{domain}
exim_path = {program}
spool_directory = {folder}
log_file_path = {folder}/%slog
keep_environment =
tls_advertise_hosts =
local_interfaces = 127.0.0.1
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  require message = relay not permitted
          domains = {domain}
  require verify = recipient
  accept
begin routers
here:
  driver = accept
  local_parts = owner
  transport = store
begin transports
store:
  driver = appendfile
  directory = {folder}/mail
  maildir_format
  user = {user}
  create_directory
"""


def why_not() -> str | None:
    """Why none can run here; None: they can."""
    if os.geteuid() != 0:
        return "mail servers need root"
    return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def mails_in(folder: Path) -> list[EmailMessage]:
    """The mails of a Maildir, oldest first."""
    files = sorted((folder / "new").glob("*"), key=lambda file: file.stat().st_mtime)
    parsed = [email.message_from_bytes(it.read_bytes(), policy=email.policy.default) for it in files]
    return [mail for mail in parsed if isinstance(mail, EmailMessage)]


class Accounts:
    """Who may log in, in the words of Dovecot's authentication protocol, which Postfix speaks."""

    def __init__(self, path: Path) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        path.chmod(0o666)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.converse, args=(client,), daemon=True).start()

    def converse(self, client: socket.socket) -> None:
        hello = "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\tc\nDONE\n"
        with client, client.makefile("rw") as lines:
            lines.write(hello)
            lines.flush()
            for line in lines:
                fields = line.rstrip("\n").split("\t")
                if fields[0] != "AUTH":
                    continue
                said = next(it for it in fields if it.startswith("resp=")).removeprefix("resp=")
                _, user, password = base64.b64decode(said).decode().split("\0")
                word = "OK" if (user, password) == (LOGIN, PASSWORD) else "FAIL"
                lines.write(f"{word}\t{fields[1]}\tuser={user}\n")
                lines.flush()

    def close(self) -> None:
        self.listener.close()


class Postfix:
    """One Postfix with a port for each kind of strictness (`STRICT`)."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self.folder = folder
        for name in ("etc", "queue", "data", "mail"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        shutil.chown(folder / "mail", "nobody")
        self.ports = {name: free_port() for name in STRICT}
        values = {"folder": folder, "domain": DOMAIN, "owner": OWNER, "other": OTHER}
        (folder / "etc" / "main.cf").write_text(MAIN.format(**values, login=LOGIN))
        services = [
            f"{HOST}:{self.ports[name]} inet n - n - - smtpd {options}"
            for name, options in STRICT.items()
        ]
        (folder / "etc" / "master.cf").write_text(MASTER.format(**values) + "\n".join(services) + "\n")
        (folder / "body_checks").write_text(f"/{SPAM}/ REJECT this is spam\n")
        self.accounts = Accounts(folder / "auth")
        self.control("start")
        wait_for(lambda: all(map(answers, self.ports.values())), START_SECONDS, "Postfix")

    def control(self, word: str) -> None:
        ended = subprocess.run(
            ["postfix", "-c", str(self.folder / "etc"), word], capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr

    def mails(self, owner: str = "owner") -> list[EmailMessage]:
        """The mails that reached this person."""
        return mails_in(self.folder / "mail" / owner)

    def close(self) -> None:
        self.control("stop")
        self.accounts.close()


class Exim:
    """One Exim that relays for nobody, and knows one mailbox."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o755)
        self.folder = folder
        self.port = free_port()
        # The user whom Debian's Exim insists on, for this process and its children only.
        user = "Debian-exim"
        shutil.chown(folder, "mail", "mail")
        ids = pwd.getpwnam("mail")
        for name, line in (
            ("passwd", f"{user}:x:{ids.pw_uid}:{ids.pw_gid}::/nonexistent:/usr/sbin/nologin\n"),
            ("group", f"{user}:x:{ids.pw_gid}:\n"),
        ):
            (folder / name).write_text(line + Path("/etc", name).read_text())
        config = folder / "exim.conf"
        config.write_text(EXIM.format(folder=folder, domain=DOMAIN, user=user, program=EXIM_PROGRAM))
        script = (
            f"mount --bind {folder}/passwd /etc/passwd && mount --bind {folder}/group /etc/group && "
            f"exec {EXIM_PROGRAM} -C {config} -bdf -oX {HOST}.{self.port} -oP {folder}/pid"
        )
        self.process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        wait_for(lambda: self.process.poll() is not None or answers(self.port), START_SECONDS, "Exim")
        assert self.process.poll() is None and self.process.stdout, self.process.communicate()

    def mails(self) -> list[EmailMessage]:
        """The mails that reached the owner."""
        return mails_in(self.folder / "mail")

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=START_SECONDS)


def unpack_exim() -> str | None:
    """Gets Exim out of its packages, once; why not, if that cannot be done."""
    if EXIM_PROGRAM.exists():
        return None
    if shutil.which("apt-get") is None:
        return "there is no apt-get to get Exim with"
    with tempfile.TemporaryDirectory() as folder:
        got = subprocess.run(
            ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *PACKED],
            cwd=folder, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS,
        )  # fmt: skip
        if got.returncode != 0:
            return f"Exim cannot be downloaded: {got.stderr}"
        half = EXIM_FILES.with_name("exim.half")
        shutil.rmtree(half, ignore_errors=True)
        for package in Path(folder).glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", str(package), str(half)], check=True)
        half.rename(EXIM_FILES)
    return None


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    """A Postfix, for all tests of a file."""
    if reason := why_not():
        pytest.skip(reason)
    if shutil.which("postfix") is None:
        pytest.skip("the command postfix is missing (Debian: postfix)")
    with tempfile.TemporaryDirectory() as folder:
        one = Postfix(Path(folder))
        yield one
        one.close()


@pytest.fixture(scope="module")
def exim() -> Iterator[Exim]:
    """An Exim, for all tests of a file."""
    if reason := why_not() or unpack_exim():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory() as folder:
        one = Exim(Path(folder))
        yield one
        one.close()
