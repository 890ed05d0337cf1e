"""The Debian package on a machine that systemd runs: the service starts, works behind its fence,
comes back when it hangs, and keeps what it knows until it is purged.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

import debian
from conftest import why_no_lan
from daemon import BINARY, REPOSITORY, SERVING
from debian import Debian
from lan import Lan, Machine, run
from lan_mail import OWNER, MailServer
from waiting import wait_for

# The first test may have to wait for the system, which debootstrap makes.
pytestmark = pytest.mark.timeout(900)

UNIT = "healthchecker.service"
CONFIG = "/etc/healthchecker/config"
PORT = 9090
START_SECONDS = 20
CHECK_SECONDS = 40
MAIL_SECONDS = 60
API_TOKEN = "the-api-token-0123456789"

# As short as the test of the watchdog can bear on a busy machine.
WATCHDOG_SECONDS = 6
# To be found dead, to be told to end, to be killed when it does not, and to start.
HANG_SECONDS = WATCHDOG_SECONDS + 20 + 5 + START_SECONDS


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Debian package of the program under test."""
    missing = [tool for tool in ("dpkg", "dpkg-deb", "strip", "curl") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("package")
    stripped = folder / "healthchecker"
    run(["strip", "-o", str(stripped), str(BINARY)])
    architecture = run(["dpkg", "--print-architecture"]).strip()
    script = str(REPOSITORY / "packaging/deb.sh")
    # It is installed, not sent: packed without effort.
    variables = [f"OUT={folder}", "DPKG_DEB_COMPRESSOR_LEVEL=0"]
    run(["env", *variables, script, architecture, str(BINARY), str(stripped)])
    (made,) = folder.glob("*.deb")
    return made


class Service:
    """The package, installed on a machine, and the service that it brings."""

    def __init__(self, system: Debian, package: Path) -> None:
        self.system = system
        self.machine = system.machine
        self.install(package)

    def install(self, package: Path) -> None:
        """Installs the package, or a newer one over it."""
        shutil.copy(package, self.system.path("/root"))
        self.system.run("dpkg", "--install", f"/root/{package.name}")

    def systemctl(self, *arguments: str) -> None:
        self.system.run("systemctl", *arguments)

    def shows(self, name: str) -> str:
        """What systemd says of it."""
        return self.system.run("systemctl", "show", "--value", f"--property={name}", UNIT).strip()

    def process(self, file: str) -> str:
        """A file of `/proc` about its process."""
        return self.system.run("cat", f"/proc/{self.shows('MainPID')}/{file}")

    def log(self) -> str:
        """All that it has logged."""
        return self.system.run("journalctl", f"--unit={UNIT}", "--output=cat", "--no-pager")

    def configure(self, **options: object) -> None:
        """Gives it these options, in the file that its owner edits, and starts it with them."""
        lines = [f"{name}={value!r}\n" for name, value in {"port": PORT, **options}.items()]
        self.system.path(CONFIG).write_text("".join(lines))
        self.systemctl("restart", UNIT)

    def override(self, *lines: str) -> None:
        """What `systemctl edit` does, with these lines of the section `[Service]`."""
        folder = self.system.path(f"/etc/systemd/system/{UNIT}.d")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "override.conf").write_text("\n".join(["[Service]", *lines, ""]))
        self.systemctl("daemon-reload")

    def ask(self, path: str, *options: str, port: int = PORT) -> str:
        """An answer of its API, asked on its own machine."""
        command = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "10"]
        return self.machine.run(*command, *options, f"http://127.0.0.1:{port}{path}")

    def register(self, appname: str, url: str, **fields: object) -> None:
        given = {"appname": appname, "url": url, **fields}
        data = [("--data-urlencode", f"{name}={value}") for name, value in given.items()]
        answer = json.loads(self.ask("/healthchecker/monitor", *chain.from_iterable(data)))
        assert answer == {"appname": appname, "result": "registered"}

    def info(self, appname: str) -> dict[str, Any]:
        info: dict[str, Any] = json.loads(self.ask(f"/healthchecker/info?appname={appname}"))
        return info

    def wait_for_state(self, appname: str, state: str) -> None:
        wait_for(lambda: self.info(appname)["state"] == state, CHECK_SECONDS, f"{appname} {state}")


@pytest.fixture
def client(lan: Lan) -> Machine:
    """Another machine on the same segment."""
    return lan.add("client")


@pytest.fixture(scope="session")
def systems_boot(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Skips all where no system can be booted, and says why."""
    reason = why_no_lan()
    if reason is None:
        network = Lan()
        reason = debian.why_unavailable(network, tmp_path_factory.mktemp("probe") / "boot.log")
        network.close()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture
def service(systems_boot: None, lan: Lan, package: Path, tmp_path: Path) -> Iterator[Service]:
    """The service as the package has started it."""
    system = Debian(lan.add("server"), tmp_path / "boot.log")
    try:
        one = Service(system, package)
        yield one
        assert "panicked" not in one.log()
    finally:
        system.close()


def test_what_setup_writes_is_what_the_service_does(service: Service) -> None:
    answers = ["--email", "me@example.org", "--port", str(PORT + 1), "--yes"]
    said = service.system.run("healthchecker", "setup", "--config", CONFIG, *answers)
    assert "systemctl restart" in said, said
    config = service.system.path(CONFIG)
    assert config.stat().st_mode & 0o777 == 0o600
    assert config.with_name("config.old").exists(), "that of the package is kept"
    service.systemctl("restart", UNIT)
    form = service.ask("/healthchecker/watch", "--header", "Accept: text/html", port=PORT + 1)
    assert "if left empty: me@example.org" in form


def test_it_starts_when_it_is_installed_and_can_do_little(service: Service) -> None:
    assert service.shows("Type") == "notify"
    assert service.shows("ActiveState") == "active", "dpkg waits until it says that it is ready"
    assert service.system.run("systemctl", "is-enabled", UNIT).strip() == "enabled"
    serving = SERVING.search(service.log())
    assert serving, service.log()
    assert json.loads(service.ask("/health", port=int(serving["port"])))["status"] == "pass"

    status = dict(line.split(":\t", 1) for line in service.process("status").splitlines())
    assert "0" not in status["Uid"].split()
    assert (int(status["CapEff"], 16), status["NoNewPrivs"]) == (0, "1")
    assert status["Seccomp"] == "2", "a filter of system calls"
    mounts = [line.split() for line in service.process("mountinfo").splitlines()]
    writable = {mount[4] for mount in mounts if mount[5].split(",")[0] == "rw"}
    assert "/" not in writable and "/etc" not in writable
    assert "/var/lib/private/healthchecker" in writable


def test_behind_its_fence_it_checks_mails_and_speaks_zeroconf(
    service: Service, client: Machine
) -> None:
    mail = MailServer(client, client.ipv4)
    finder = client.start_client("browse", "_http._tcp.local.")
    app = client.start_client("serve", client.ipv4)
    announcer = client.start_client("announce-host", "kodi.local", client.ipv4)
    assert app.stdout and announcer.stdout and finder.stdout
    port = int(app.stdout.readline())
    assert "announced" in announcer.stdout.readline()

    service.configure(email=OWNER, **mail.options())
    service.register("Kodi", f"http://kodi.local:{port}", interval=5, healthy=2, unhealthy=2)
    service.wait_for_state("Kodi", "HEALTHY")
    assert any("_healthchecker." in line for line in iter(finder.stdout.readline, ""))
    app.kill()
    service.wait_for_state("Kodi", "UNHEALTHY")
    mail.wait_for(lambda mail: "Kodi is UNHEALTHY" in mail["subject"], MAIL_SECONDS, "the mail")


def test_behind_its_fence_it_pings_by_a_socket_that_needs_no_capability(
    service: Service, client: Machine
) -> None:
    # What the package has the system do at its start, which is not a container's to do.
    allowed = "/proc/sys/net/ipv4/ping_group_range"
    service.machine.run("sh", "-c", f"echo '0 2147483647' > {allowed}")
    service.configure()
    assert int(service.process("status").split("CapBnd:\t")[1].split()[0], 16) == 0
    for name, host in (("four", client.ipv4), ("six", f"[{client.ipv6}]")):
        service.register(name, f"ping://{host}", interval=5, healthy=2, unhealthy=2)
        service.wait_for_state(name, "HEALTHY")
        assert service.info(name)["last_check"]["reason"] == "echo answered"
    client.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all")
    service.wait_for_state("four", "UNHEALTHY")
    assert service.info("six")["state"] == "HEALTHY"


def test_a_mistake_is_reported_once_in_the_file_that_its_owner_edits(service: Service) -> None:
    service.system.path(CONFIG).write_text("interval='often'\n")
    code, _ = service.system.try_run("systemctl", "restart", UNIT)
    assert code != 0
    assert f"{CONFIG}:1: interval" in service.log()
    assert service.shows("ActiveState") == "failed", "and not tried again and again"
    service.configure()
    assert service.shows("ActiveState") == "active"


def test_secrets_reach_it_as_credentials(service: Service) -> None:
    secret = service.system.path("/etc/healthchecker/api_token")
    secret.write_text(f"{API_TOKEN}\n")
    secret.chmod(0o600)
    service.override(
        "LoadCredential=api_token:/etc/healthchecker/api_token",
        "Environment=HEALTHCHECKER_API_TOKEN_FILE=%d/api_token",
    )
    service.configure()
    call = ["/healthchecker/monitor", "--data", "appname=NAS&url=http://127.0.0.1:1"]
    assert "api_token" in service.ask(*call), "what is missing"
    answer = service.ask(*call, "--header", f"Authorization: Bearer {API_TOKEN}")
    assert json.loads(answer) == {"appname": "NAS", "result": "registered"}
    assert API_TOKEN not in service.log()


def test_systemd_starts_it_anew_when_it_hangs(service: Service) -> None:
    service.override(f"WatchdogSec={WATCHDOG_SECONDS}")
    service.configure()
    service.register("NAS", "http://127.0.0.1:1")

    def fed() -> int:
        return int(service.shows("WatchdogTimestampMonotonic"))

    started = fed()
    wait_for(
        lambda: fed() > started + 1_500_000 * WATCHDOG_SECONDS, 5 * WATCHDOG_SECONDS, "the dog fed"
    )
    assert service.shows("NRestarts") == "0"
    service.systemctl("kill", "--signal=STOP", UNIT)
    wait_for(lambda: service.shows("NRestarts") == "1", HANG_SECONDS, "its new start")
    wait_for(lambda: service.shows("ActiveState") == "active", START_SECONDS, "that it is ready")
    assert service.info("NAS")["url"] == "http://127.0.0.1:1"


def newer(package: Path, folder: Path) -> Path:
    """The same package, a version later."""
    tree, later = folder / "tree", folder / "later.deb"
    run(["dpkg-deb", "--raw-extract", str(package), str(tree)])
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text().replace("\nVersion: ", "\nVersion: 1:"))
    run(["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(tree), str(later)])
    return later


def test_what_it_knows_outlives_all_but_a_purge(
    service: Service, package: Path, tmp_path: Path
) -> None:
    system = service.system
    service.configure()
    service.register("NAS", "http://127.0.0.1:1")
    before = service.shows("MainPID")
    service.systemctl("restart", UNIT)
    assert service.info("NAS")["url"] == "http://127.0.0.1:1"
    assert service.shows("MainPID") != before

    before = service.shows("MainPID")
    service.install(newer(package, tmp_path))
    version = system.run("dpkg-query", "--show", "--showformat=${Version}", "healthchecker")
    assert version.startswith("1:")
    assert service.shows("MainPID") != before, "the new program runs"
    assert service.info("NAS")["url"] == "http://127.0.0.1:1", "the owner's port, too, is kept"

    system.run("dpkg", "--remove", "healthchecker")
    assert service.shows("ActiveState") == "inactive"
    assert system.path(CONFIG).exists()
    service.install(package)
    assert service.info("NAS")["url"] == "http://127.0.0.1:1"

    system.run("dpkg", "--purge", "healthchecker")
    assert service.shows("ActiveState") == "inactive"
    for gone in ("/etc/healthchecker", "/var/lib/healthchecker", "/var/lib/private/healthchecker"):
        assert system.try_run("test", "-e", gone)[0] != 0, gone
    assert system.try_run("systemctl", "cat", UNIT)[0] != 0
