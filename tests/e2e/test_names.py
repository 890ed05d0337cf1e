"""Apps that are registered by name, and name services that misbehave: whose fault is it, and who is asked?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import NewTarget, StartDaemon
from daemon import BINARY, Daemon
from lan import Lan, Machine
from lan_mail import OWNER, MailServer
from name_server import NXDOMAIN, REFUSED, SERVFAIL, SILENT, Name, NamedBy, NameServer
from smtp_server import NewSmtpServer
from target import Target
from waiting import wait_for

ADDRESS = "127.9.9.53"
# An emulated processor takes its time.
START_SECONDS = 60
CHECK_SECONDS = 60
HERE = ["127.0.0.1"]
# The system gives a silent name service this time, and no second one.
PATIENCE = "options timeout:2 attempts:1"


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    """A name service that knows no name yet."""
    try:
        server = NameServer(ADDRESS)
    except PermissionError:
        pytest.skip("port 53 is for root")
    yield server
    server.close()


@pytest.fixture
def start_here(
    start_daemon: StartDaemon, name_server: NameServer, tmp_path: Path, any_program: list[str]
) -> Callable[..., Daemon]:
    """Starts daemons that ask this name service."""

    def start(hosts: str | None = None, **options: object) -> Daemon:
        machine = NamedBy(name_server.address, tmp_path, PATIENCE, hosts)
        if reason := machine.why_unavailable():
            pytest.skip(reason)
        options = {"start_seconds": START_SECONDS, "program": any_program, **options}
        return start_daemon(machine=machine, **options)

    return start


def named(target: Target, name: str) -> str:
    return target.url.replace("127.0.0.1", name)


@pytest.mark.parametrize("any_program", ["tested"], indirect=True)
def test_a_name_service_that_forgets_a_name_for_a_moment_is_no_alarm(
    start_here: Callable[..., Daemon], name_server: NameServer, target: Target
) -> None:
    daemon = start_here()
    name_server.names["nas.household.example"] = Name(ipv4=HERE)
    daemon.register("NAS", named(target, "nas.household.example"), interval=5, healthy=2)
    daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
    # A failure, so that the name is asked for again at once.
    del name_server.names["nas.household.example"]
    target.refuses()
    wait_for(lambda: daemon.info("NAS")["failures"], CHECK_SECONDS, "a failed check")
    target.passes()
    checks = daemon.info("NAS")["checks"]
    wait_for(lambda: daemon.info("NAS")["checks"] >= checks + 2, CHECK_SECONDS, "two checks")
    info = daemon.info("NAS")
    assert (info["state"], info["failures"]) == ("HEALTHY", 1), info["last_check"]


@pytest.mark.parametrize(
    ("any_program", "code"),
    [("tested", SILENT), ("static", NXDOMAIN), ("static", SERVFAIL), ("static", REFUSED)],
    indirect=["any_program"],
)
def test_a_bad_answer_for_ipv6_does_not_hide_the_ipv4_address(
    start_here: Callable[..., Daemon], name_server: NameServer, target: Target, code: int
) -> None:
    daemon = start_here()
    name_server.names["nas.household.example"] = Name(ipv4=HERE, ipv6_code=code)
    daemon.register("NAS", named(target, "nas.household.example"), interval=5, timeout=2, healthy=2)
    info = daemon.wait_for_state("NAS", "HEALTHY", CHECK_SECONDS)
    assert info["failures"] == 0


@pytest.mark.parametrize("any_program", ["tested"], indirect=True)
def test_names_that_get_no_answer_do_not_starve_those_that_do(
    start_here: Callable[..., Daemon], name_server: NameServer, new_target: NewTarget
) -> None:
    daemon = start_here()
    away = [f"app{n}.away.example" for n in range(40)]
    near = [f"app{n}.household.example" for n in range(5)]
    target = new_target()
    silent = Name(ipv4_code=SILENT, ipv6_code=SILENT)
    name_server.names = {name: silent for name in away} | {name: Name(ipv4=HERE) for name in near}
    for name in away + near:
        daemon.register(name, named(target, name), interval=5, timeout=2, healthy=2)
    for name in near:
        daemon.wait_for_state(name, "HEALTHY", CHECK_SECONDS)
    for name in away:
        daemon.wait_for_state(name, "UNHEALTHY", CHECK_SECONDS)
    assert [daemon.info(name)["failures"] for name in near] == [0] * len(near)
    # After a restart nothing is known of those that were never found.
    daemon.stop()
    daemon.start()
    before = {name: daemon.info(name)["checks"] for name in near}
    for name in near:
        wait_for_another_check(daemon, name, before[name])
    assert [daemon.info(name)["failures"] for name in near] == [0] * len(near)


@pytest.mark.parametrize("any_program", ["tested"], indirect=True)
def test_without_a_name_service_apps_and_the_mail_server_keep_their_last_good_addresses(
    start_here: Callable[..., Daemon],
    name_server: NameServer,
    new_target: NewTarget,
    new_smtp_server: NewSmtpServer,
) -> None:
    app, mail = "nas.household.example", "mail.household.example"
    mailbox = new_smtp_server(security="none", login=False)
    name_server.names = {app: Name(ipv4=HERE), mail: Name(ipv4=HERE)}
    options = {**mailbox.options(), "smtp_host": mail, "email": OWNER}
    daemon = start_here(**options)
    nas, printer = new_target(), new_target()
    for name, target in [("NAS", nas), ("Printer", printer)]:
        daemon.register(name, named(target, app), interval=5, timeout=2, healthy=2, unhealthy=2)
        daemon.wait_for_state(name, "HEALTHY", CHECK_SECONDS)
    daemon.wait_for_log("the mail server is there and lets us in", CHECK_SECONDS)
    for name in (app, mail):
        name_server.names[name] = Name(ipv4_code=SILENT, ipv6_code=SILENT)
    # Nothing but the disk knows where they are.
    daemon.kill()
    daemon.start()
    checks = daemon.info("NAS")["checks"]
    printer.fails("out of paper")
    daemon.wait_for_state("Printer", "UNHEALTHY", CHECK_SECONDS)
    wait_for_another_check(daemon, "NAS", checks)
    told = "Printer is UNHEALTHY"
    wait_for(lambda: [one for one in mailbox.mails() if told in one["subject"]], CHECK_SECONDS, told)
    info = daemon.info("NAS")
    assert (info["state"], info["failures"]) == ("HEALTHY", 0), info["last_check"]


def wait_for_another_check(daemon: Daemon, name: str, before: int) -> None:
    wait_for(lambda: daemon.info(name)["checks"] > before, CHECK_SECONDS, f"a check of {name}")


def test_an_app_that_moved_to_another_address_is_found_though_its_record_lives(
    start_daemon: StartDaemon, lan: Lan
) -> None:
    long = "4500"
    watcher, first, second = lan.add("watcher"), lan.add("first"), lan.add("second")
    announcer = first.start_client("announce-host", "kodi.local", first.ipv4, long)
    assert announcer.stdout and announcer.stdout.readline()
    serving = first.start_client("serve", first.ipv4)
    assert serving.stdout
    port = serving.stdout.readline().strip()
    daemon = start_daemon(machine=watcher, bind_addr="0.0.0.0")
    base = f"http://{watcher.ipv4}:{daemon.port}/healthchecker"
    url = f"http://kodi.local:{port}"
    watcher.client("post", f"{base}/monitor?appname=Kodi&url={url}&interval=5&healthy=2")
    wait_for(lambda: state(watcher, base) == "HEALTHY", CHECK_SECONDS, "a healthy app")
    # Its plug is pulled, and it comes back elsewhere.
    for process in (announcer, serving):
        process.kill()
    assert second.start_client("serve", second.ipv4, port).stdout
    lan.switch.run("ip", "link", "set", f"port{second.number}", "down")
    moved = second.start_client("announce-host", "kodi.local", second.ipv4, long)
    assert moved.stdout and moved.stdout.readline()
    # Nobody heard the announcement.
    lan.switch.run("ip", "link", "set", f"port{second.number}", "up")
    wait_for(lambda: passed(watcher, base) >= 3, CHECK_SECONDS, "passes at the new address")
    assert info(watcher, base)["failed_in_a_row"] == 0


def test_a_mail_server_is_found_by_its_local_name(start_daemon: StartDaemon, lan: Lan) -> None:
    watcher, post_office = lan.add("watcher"), lan.add("post_office")
    mail = MailServer(post_office, post_office.ipv4)
    options = {**mail.options(), "smtp_host": "Mail.local", "email": OWNER}
    daemon = start_daemon(machine=watcher, bind_addr="0.0.0.0", **options)
    daemon.wait_for_log("Mail.local is not found: nobody answers for this name", CHECK_SECONDS)
    announcer = post_office.start_client("announce-host", "mail.local", post_office.ipv4)
    assert announcer.stdout and announcer.stdout.readline()
    daemon.wait_for_log("the mail server is there and lets us in", CHECK_SECONDS)
    given = [f"HEALTHCHECKER_{name.upper()}={value}" for name, value in options.items()]
    said = watcher.run("env", *given, str(BINARY), "test-mail")
    assert f"{OWNER}: accepted (250 2.0.0 OK queued)" in said
    mail.wait_for(lambda one: "Test mail" in one["subject"], CHECK_SECONDS, "the test mail")


@dataclass
class NamedOnLan:
    """A machine of the network, with names of its own."""

    machine: Machine
    names: NamedBy

    def enter(self) -> list[str]:
        """What goes before a command that is to run there."""
        return [*self.machine.enter(), *self.names.enter()]


def start_on_lan(
    start_daemon: StartDaemon, machine: Machine, folder: Path, hosts: str, **options: object
) -> tuple[Daemon, str]:
    """A daemon on this machine, which knows these hosts; and where it serves."""
    names = NamedBy(ADDRESS, folder, hosts=hosts)
    if reason := names.why_unavailable():
        pytest.skip(reason)
    daemon = start_daemon(machine=NamedOnLan(machine, names), bind_addr="0.0.0.0", **options)
    return daemon, f"http://{machine.ipv4}:{daemon.port}/healthchecker"


def test_a_name_that_leads_to_the_daemons_own_machine_is_not_followed_for_others(
    start_daemon: StartDaemon, lan: Lan, tmp_path: Path
) -> None:
    watcher, stranger = lan.add("watcher"), lan.add("stranger")
    daemon, base = start_on_lan(start_daemon, watcher, tmp_path, "127.0.1.1 raspberrypi\n")
    private = watcher.start_client("serve", "127.0.1.1")
    assert private.stdout
    url = f"http://raspberrypi:{private.stdout.readline().strip()}"
    register = f"monitor?appname=Kodi&url={url}&interval=5&healthy=2"
    stranger.client("post", f"{base}/{register}")
    wait_for(lambda: state(watcher, base) == "UNHEALTHY", CHECK_SECONDS, "a refusal")
    reason = "raspberrypi is the health checker's own machine here (127.0.1.1)"
    assert reason in str(info(watcher, base)["last_check"])
    # It is remembered who asked.
    daemon.stop()
    daemon.start()
    checks = info(watcher, base)["checks"]
    wait_for(lambda: info(watcher, base)["checks"] != checks, CHECK_SECONDS, "a check")
    assert reason in str(info(watcher, base)["last_check"])
    # From this machine itself the name means what it says.
    own = base.replace(watcher.ipv4, "127.0.0.1")
    watcher.client("post", f"{own}/{register}")
    wait_for(lambda: state(watcher, base) == "HEALTHY", CHECK_SECONDS, "a healthy app")


def test_addresses_that_answer_nothing_leave_a_slow_app_its_time(
    start_daemon: StartDaemon, lan: Lan, tmp_path: Path
) -> None:
    watcher, app = lan.add("watcher"), lan.add("app")
    silent = ["10.77.0.98", "10.77.0.99", "fd77::99"]
    hosts = "".join(f"{address} slow\n" for address in [*silent, app.ipv4])
    _, base = start_on_lan(start_daemon, watcher, tmp_path, hosts)
    serving = app.start_client("serve", app.ipv4, "0", "3")
    assert serving.stdout
    url = f"http://slow:{serving.stdout.readline().strip()}"
    register = f"monitor?appname=Kodi&url={url}&interval=5&timeout=5&healthy=2"
    watcher.client("post", f"{base}/{register}")
    wait_for(lambda: state(watcher, base) == "HEALTHY", CHECK_SECONDS, "a healthy app")
    assert info(watcher, base)["failures"] == 0


def test_ports_of_ours_that_are_used_up_are_nobodys_failure(
    start_daemon: StartDaemon, lan: Lan, tmp_path: Path
) -> None:
    watcher = lan.add("watcher")
    daemon, base = start_on_lan(start_daemon, watcher, tmp_path, "", debug=True)
    app = watcher.start_client("serve", watcher.ipv4)
    assert app.stdout
    port = app.stdout.readline().strip()
    register = f"monitor?appname=Kodi&url=http://{watcher.ipv4}:{port}&interval=5&healthy=2"
    watcher.client("post", f"{base}/{register}")
    wait_for(lambda: state(watcher, base) == "HEALTHY", CHECK_SECONDS, "a healthy app")
    two = 'echo "50000 50001" > /proc/sys/net/ipv4/ip_local_port_range'
    watcher.run("sh", "-c", two)
    holder = watcher.start_client("hold", watcher.ipv4, port, "2")
    assert holder.stdout and holder.stdout.readline()
    already = len(daemon.lines)
    failed = "cannot ask: Cannot assign requested address"

    def seen() -> int:
        return sum(failed in line for line in daemon.lines[already:])

    wait_for(lambda: seen() >= 3, CHECK_SECONDS, "checks that could not be made")
    assert (state(watcher, base), info(watcher, base)["failures"]) == ("HEALTHY", 0)


def info(machine: Machine, base: str) -> dict[str, object]:
    import json

    answer = machine.client("get", f"{base}/info?appname=Kodi")
    found: dict[str, object] = json.loads(answer["body"])
    return found


def state(machine: Machine, base: str) -> object:
    return info(machine, base)["state"]


def passed(machine: Machine, base: str) -> int:
    count = info(machine, base)["passed_in_a_row"]
    assert isinstance(count, int)
    return count
