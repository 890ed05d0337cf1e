"""A mail server on the loopback interface: it keeps what it accepts, and misbehaves when told to."""

from __future__ import annotations

import asyncio
import base64
import datetime
import email
import email.policy
import ipaddress
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from email.message import EmailMessage
from itertools import count
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
USER = "owner@household.example"
PASSWORD = "correct horse"
TOKEN = "ya29.a0Aa4xrX"

START_SECONDS = 10

HANG_UP = "HANG UP"
"""Instead of a reply: the connection is reset."""

STAGES = ("GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "BODY", "END")
"""Where a reply can be put. BODY is amid the message, END after its last dot; to hang up there
keeps the message, but loses the 250."""

# Long enough that nobody says that it ends.
LIFETIME_SECONDS = 90 * 86400.0


class Authority:
    """A private certificate authority, made for one test run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = count(1)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Household Authority")])
        authority = self.builder(self.name, self.key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(pem(authority.sign(self.key, hashes.SHA256())))

    def context(self, *names: str, seconds: float = LIFETIME_SECONDS) -> ssl.SSLContext:
        """What a server called `names` (addresses or host names) needs to speak TLS, for so long."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain(*names, seconds=seconds))
        return context

    def chain(self, *names: str, seconds: float = LIFETIME_SECONDS) -> Path:
        """The same as a file: a key, and a certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail server")])
        alternatives = x509.SubjectAlternativeName([general_name(name) for name in names])
        builder = self.builder(subject, key, seconds)
        builder = builder.add_extension(alternatives, critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        chain = self.folder / f"server{next(self.numbers)}.pem"
        chain.write_bytes(private + pem(builder.sign(self.key, hashes.SHA256())))
        return chain

    def builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, seconds: float = LIFETIME_SECONDS
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(seconds=seconds))
        )


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class SmtpServer:
    """Runs on a thread of its own. It is its own handler in the sense of aiosmtpd.

    `security` is `starttls`, `tls` or `none`; with `login`, nothing is accepted before a login
    (PLAIN, LOGIN or XOAUTH2), and with STARTTLS no login before that.
    """

    def __init__(
        self,
        authority: Authority,
        security: str = "starttls",
        login: bool = True,
        names: tuple[str, ...] = (HOST,),
    ) -> None:
        self.authority = authority
        self.security = security
        self.login = login
        self.context = None if security == "none" else authority.context(*names)
        self.port = 0
        self.connections = 0
        self.envelopes: list[Envelope] = []
        # Mechanism and account of each attempt to log in, successful or not.
        self.logins: list[tuple[str, str]] = []
        self.next_replies: dict[str, list[str]] = defaultdict(list)
        self.standing_replies: dict[str, str] = {}
        self.start()

    def options(self) -> dict[str, object]:
        """What a daemon must be told to send its mails here."""
        options: dict[str, object] = {
            "smtp_host": HOST,
            "smtp_port": self.port,
            "smtp_security": self.security,
            "mail_from": USER,
        }
        if self.context:
            options["ca_file"] = self.authority.ca_file
        if self.login:
            options |= {"smtp_user": USER, "smtp_password": PASSWORD}
        return options

    def mails(self) -> list[EmailMessage]:
        """All mails accepted so far, oldest first."""
        return [parsed(envelope) for envelope in list(self.envelopes)]

    def answer(self, stage: str, reply: str, times: int | None = None) -> None:
        """Replies so at that stage, the next `times` times or from now on; see `STAGES`."""
        assert stage in STAGES, stage
        if times is None:
            self.standing_replies[stage] = reply
        else:
            self.next_replies[stage] += [reply] * times

    def behave(self) -> None:
        """Forgets all that `answer` was told."""
        self.next_replies.clear()
        self.standing_replies.clear()

    def reply_at(self, stage: str) -> str | None:
        """What was asked for at this stage; None to behave as usual."""
        if self.next_replies[stage]:
            return self.next_replies[stage].pop(0)
        return self.standing_replies.get(stage)

    def start(self) -> None:
        """Listens; on the same port as before, when it was stopped."""
        listening = threading.Event()
        self.thread = threading.Thread(
            target=lambda: asyncio.run(self.serve(listening)), daemon=True
        )
        self.thread.start()
        assert listening.wait(START_SECONDS), "the mail server did not start"

    def stop(self) -> None:
        """Closes the listener and all connections: from now on they are refused."""
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.stopped.set)
            self.thread.join(START_SECONDS)

    async def serve(self, listening: threading.Event) -> None:
        self.loop = asyncio.get_running_loop()
        self.stopped = asyncio.Event()
        wrapper = self.context if self.security == "tls" else None
        server = await self.loop.create_server(
            lambda: Conversation(self), HOST, self.port, ssl=wrapper
        )
        self.port = server.sockets[0].getsockname()[1]
        listening.set()
        await self.stopped.wait()
        # The end of `asyncio.run` cancels the conversations, which close their connections.
        server.close()

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        """Called by aiosmtpd for PLAIN and LOGIN."""
        assert isinstance(data, LoginPassword)
        account, password = data.login.decode(), data.password.decode()
        self.logins.append((mechanism, account))
        return AuthResult(success=(account, password) == (USER, PASSWORD), handled=False)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        """As Gmail does it: a bad token is answered with a challenge first, and 535 after that."""
        fields = base64.b64decode(args[1]).decode().split("\x01")
        account = fields[0].removeprefix("user=")
        self.logins.append(("XOAUTH2", account))
        if account == USER and fields[1:] == [f"auth=Bearer {TOKEN}", "", ""]:
            return AuthResult(success=True)
        await server.challenge_auth('{"status":"400","schemes":"Bearer","scope":"mail"}')
        return AuthResult(success=False, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd with the whole message."""
        assert isinstance(server, Conversation)
        reply = self.reply_at("END")
        if reply in (None, HANG_UP):
            self.envelopes.append(envelope)
        if reply == HANG_UP:
            server.hang_up()
        return reply or "250 2.0.0 OK queued"


def parsed(envelope: Envelope) -> EmailMessage:
    assert isinstance(envelope.original_content, bytes)
    mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


class Conversation(SMTP):
    """One connection, with replies put in where the server was told to."""

    def __init__(self, server: SmtpServer) -> None:
        self.script = server
        self.greeted = False
        starttls = server.security == "starttls"
        super().__init__(
            server,
            hostname="mail.household.example",
            tls_context=server.context if starttls else None,
            require_starttls=starttls,
            auth_required=server.login,
            auth_require_tls=starttls,
            authenticator=server.authenticate,
        )

    async def push(self, status: str | bytes) -> None:
        if not self.greeted:
            self.greeted = True
            self.script.connections += 1
            if await self.scripted("GREETING"):
                return
        await super().push(status)

    async def scripted(self, stage: str) -> bool:
        """Says what was asked for at this stage, if anything was."""
        reply = self.script.reply_at(stage)
        if reply == HANG_UP:
            self.hang_up()
        elif reply is not None:
            await super().push(reply)
        return reply is not None

    def hang_up(self) -> None:
        assert self.transport
        self.transport.abort()

    async def smtp_EHLO(self, hostname: str) -> None:
        if not await self.scripted("EHLO"):
            await super().smtp_EHLO(hostname)

    async def smtp_AUTH(self, arg: str) -> None:
        if not await self.scripted("AUTH"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not await self.scripted("MAIL"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if not await self.scripted("RCPT"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if await self.scripted("DATA"):
            return
        if self.script.reply_at("BODY") is None:
            await super().smtp_DATA(arg)
            return
        await self.push("354 go on")
        await self._reader.readline()
        self.hang_up()


NewSmtpServer = Callable[..., SmtpServer]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the mail servers' certificates."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def new_smtp_server(authority: Authority) -> Iterator[NewSmtpServer]:
    """Makes mail servers: `new_smtp_server(security="tls")`. All are stopped at the end."""
    with ExitStack() as made:

        def new(**options: object) -> SmtpServer:
            one = SmtpServer(authority, **options)
            made.callback(one.stop)
            return one

        yield new


@pytest.fixture
def mailbox(new_smtp_server: NewSmtpServer) -> SmtpServer:
    """A mail server that wants STARTTLS and a login."""
    return new_smtp_server()
