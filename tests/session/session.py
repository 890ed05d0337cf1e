"""The script: what happens to every program alike, on the loopback interface.

Time decides nothing in it. Apps have the longest interval there is, and each check but the first is
asked for, once what the last one brought about has arrived: two runs of one program say the same.
"""

from __future__ import annotations

import json
import traceback
from urllib.parse import quote

from smtp_server import Authority
from stage import BROWSER, FORM, GONE, MailServer, Stage
from target import Answer

OWNER, ANNA = "owner@home.example", "anna@home.example"
# The longest there is: no check comes of itself while the session lasts.
INTERVAL = 300
BREAKS_OFF = "the session breaks off"


class Session(Stage):
    """One program from its first word to its last."""

    def run(self) -> list[str]:
        """All of it, or as far as it goes: a program that answers otherwise may break it off."""
        with self.made:
            try:
                self.command_line()
                self.household()
                self.guarded()
                self.development()
            except Exception as why:
                traceback.print_exc()
                self.recording.heading(f"{BREAKS_OFF}: {why!r}")
        return self.recording.lines

    # What needs no server.

    def command_line(self) -> None:
        """Help, and what is wrong with options."""
        for arguments in (
            ["--help"],
            ["--version"],
            ["--check_config"],
            ["--port", "x", "--workers", "0", "--bind_addr", "nowhere", "--nonsense"],
            ["--email", "nobody", "--public_url", "ftp://x", "--smtp_security", "none"],
            ["--config", "missing"],
            ["--port"],
            ["serve"],
            ["test-mail"],
            ["test-mail", "--gmail_token", "ya29.x"],
        ):
            self.command(*arguments)
        self.write(
            "good", "# all is well\nport = 0\ndebug=True\nemail=['a@b.example', \"c@d.example\"]\n"
        )
        self.write(
            "bad", "port=nine\nport=9\nworkers=[1\nverbos=True\nemail='a\n\nbind_addr=1.2.3\n"
        )
        self.command("--config", "good", "--check_config")
        self.command("--config", "bad")
        words = (
            "list monitor edit info pause resume stop log seen export import discover completions"
        )
        for word in words.split():
            self.command(word, "--help")
        for shell in ("bash", "zsh", "fish", "csh"):
            self.command("completions", shell)
        self.command("monitor", "Kodi")
        self.command("list", "--limit", "3")
        self.command("list", "--server", "nonsense")

    # The household.

    def household(self) -> None:
        """Apps come, fall ill, recover and go, and the power fails."""
        self.mailbox = MailServer(Authority(self.folder), security="none", login=False)
        self.made.callback(self.mailbox.stop)
        self.recording.call(self.mailbox.port, "SMTP-PORT")
        options = {"email": OWNER, "verbose": True, **self.mailbox.options()}
        with self.serving("household", **options):
            self.registrations()
            self.refusals()
            self.show_all()
            self.troubles()
            self.changes()
            self.commands()
            self.restarts()
        self.asked_of_apps()

    def registrations(self) -> None:
        """Good ones, in every form there is."""
        kodi = self.new_app("Kodi")
        nas = self.new_app("NAS")
        self.post(
            "monitor", {"appname": "Kodi", "url": kodi.url, "interval": INTERVAL, "healthy": 2}
        )
        self.wait_for_first_check("Kodi")
        fields = {
            "appname": "NAS",
            "url": nas.url,
            "interval": INTERVAL,
            "timeout": 2,
            "healthy": 2,
            "email": [OWNER, ANNA],
            "path": "/state",
            "expect": "200-299,401",
        }
        self.exchange(
            "POST",
            "/healthchecker/monitor",
            json.dumps(fields),
            {"Content-Type": "application/json"},
        )
        self.wait_for_first_check("NAS")
        self.mails(2, "the first checks of Kodi and NAS")
        self.post(
            "monitor", {"appname": "Kodi", "url": kodi.url, "interval": INTERVAL, "healthy": 2}
        )
        self.post(
            "monitor",
            {
                "appname": "Kodi",
                "url": kodi.url,
                "interval": INTERVAL,
                "healthy": 2,
                "unhealthy": 3,
            },
        )
        self.post(
            "monitor", {"appname": "Kodi", "url": kodi.url, "interval": INTERVAL, "healthy": 2}
        )
        light = self.new_app("Küche <Licht>", listening=False)
        query = f"appname={quote('Küche <Licht>')}&url={quote(light.url)}&healthy=2"
        query += f"&interval={INTERVAL}"
        self.exchange("POST", f"/healthchecker/monitor?{query}")
        self.wait_for_first_check("Küche <Licht>")
        fields = {"appname": "Gone", "url": f":{nas.port}", "email": GONE, "interval": INTERVAL}
        part = '--b\r\nContent-Disposition: form-data; name="appname"\r\n\r\nGone\r\n--b--\r\n'
        self.exchange(
            "POST",
            "/healthchecker/monitor",
            part,
            {"Content-Type": "multipart/form-data; boundary=b"},
        )
        self.post("monitor", fields)
        self.wait_for_first_check("Gone")
        self.wait_for_log(f"{GONE} refused", "the refusal of the mail about Gone")

    def refusals(self) -> None:
        """Requests that cannot be carried out."""
        url = self.apps["Kodi"].url
        good = {"appname": "Bad", "url": url, "interval": INTERVAL}
        for wrong in (
            {},
            {"appname": ""},
            {"appname": "x" * 129},
            {"appname": "a\nb"},
            {"url": None},
            {"url": ""},
            {"url": "ftp://x"},
            {"url": "http://"},
            {"url": "http://a b/"},
            {"url": "http://user@h/"},
            {"timeout": 1},
            {"timeout": 61},
            {"timeout": "2.5"},
            {"timeout": "-3"},
            {"timeout": ""},
            {"interval": 4},
            {"interval": 301},
            {"interval": "x"},
            {"unhealthy": 1},
            {"unhealthy": 11},
            {"unhealthy": 2, "unhealthy_threshold": 3},
            {"healthy": 1},
            {"healthy_threshold": 99},
            {"path": "health"},
            {"path": "/a b"},
            {"expect": "2xx"},
            {"expect": "600"},
            {"expect": "300-200"},
            {"email": "nobody"},
            {"email": "a@b.example,,x"},
            {"colour": "red"},
            {"intervall": 5},
            {"kind": "http"},
            {"slow": 3},
        ):
            fields = {**good, **wrong} if wrong else {}
            self.post(
                "monitor", {name: value for name, value in fields.items() if value is not None}
            )
        # What was not so bad after all.
        self.post("stop", {"appname": "Bad"})
        plain = {"Content-Type": "application/json"}
        for body in (
            "",
            "{",
            "[]",
            '"x"',
            '{"appname":1,"url":2}',
            '{"appname":"Bad","url":null}',
            '{"appname":"Bad","appname":"Worse"}',
            '{"appname":["a","b"],"url":"http://a/"}',
            '{"appname":"Bad","url":"http://a/","interval":5.5}',
            '{"appname":"Bad","x":{}}',
        ):
            self.exchange("POST", "/healthchecker/monitor", body, plain)
        self.exchange(
            "POST",
            "/healthchecker/monitor?appname=a&appname=b",
            "appname=c",
            {"Content-Type": FORM},
        )
        self.exchange("POST", "/healthchecker/monitor", "x", {"Content-Type": "text/plain"})
        for path in ("monitor", "pause", "resume", "stop", "check", "seen", "nowhere"):
            for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE"):
                self.exchange(method, f"/healthchecker/{path}")
        for path in (
            "info",
            "info?appname=",
            "info?appname=Nobody",
            "info?appname=Kodi&x=1",
            "log?limit=0",
            "log?limit=x",
            "log?appname=Nobody",
            "status?format=xml",
            "status?a=b",
            "export?x=1",
            "pause?appname=Nobody",
            "resume?appname=Nobody",
            "stop?appname=a&appname=b",
            "stopmonitoring?appname=Nobody",
            "stop?appname=%zz",
            "info?appname=%ff",
        ):
            self.get(f"/healthchecker/{path}")
            self.get(f"/healthchecker/{path}", BROWSER)
        for fields in ({"email": "a@b.example"}, {"email": ""}, {"appname": "Nobody"}):
            self.post("seen", fields)
        self.post("check", {"appname": "Nobody"})
        self.post("pause", {"appname": "Kodi"}, {**BROWSER, "Origin": "http://evil.example"})
        self.post(
            "pause",
            {"appname": "Kodi"},
            {**BROWSER, "Host": "evil.example", "Origin": "http://evil.example"},
        )
        self.get("/healthchecker/stop?appname=Kodi", BROWSER)
        for raw in (
            b"nonsense\r\n\r\n",
            b"GET / HTTP/3.0\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9_000 + b"\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"POST /healthchecker/check HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"d\r\nappname=Nobod\r\n1\r\ny\r\n0\r\n\r\n",
            b"POST /healthchecker/check HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            b"Content-Type: " + FORM.encode() + b"\r\nContent-Length: 14\r\n\r\nappname=Nobody",
        ):
            self.raw(raw)

    def troubles(self) -> None:
        """Apps fail, hang, warn and recover; each time who is told, and what is shown."""
        kodi, nas = self.apps["Kodi"], self.apps["NAS"]
        self.check("Kodi")
        kodi.fails("disk 98 % full\r\nBcc: x <b>")
        self.check("Kodi")
        self.check("Kodi")
        self.mails(1, "Kodi is UNHEALTHY")
        self.show("Kodi")
        kodi.passes()
        self.check("Kodi")
        self.check("Kodi")
        self.mails(1, "Kodi is HEALTHY again")
        self.check("NAS")
        nas.warns("hot")
        self.check("NAS")
        self.check("NAS")
        self.mails(2, "NAS is DEGRADED")
        nas.hangs()
        self.check("NAS")
        self.check("NAS")
        self.mails(2, "NAS is UNHEALTHY")
        self.show("NAS")
        for answer in (
            Answer(401, "", "text/plain"),
            Answer(503, "<h1>Busy</h1>", "text/html"),
            Answer(302, "", headers={"Location": "http://elsewhere.example/"}),
            Answer(302, "", headers={"Location": "/state"}),
            Answer(200, "{", "application/json"),
            Answer(
                200,
                json.dumps(
                    {"status": "error", "checks": {"cpu": [{"status": "fail", "output": "hot"}]}}
                ),
            ),
            Answer(200, json.dumps({"status": "up", "details": {"é": "\u0007 \u202e"}})),
        ):
            nas.answers(answer)
            self.check("NAS")
            self.get("/healthchecker/info?appname=NAS")
        self.check("Küche <Licht>")
        self.apps["Küche <Licht>"].listens()
        self.check("Küche <Licht>")
        nas.passes()
        self.check("NAS")
        self.check("NAS")
        self.mails(2, "NAS is HEALTHY again")
        self.show_all()

    def changes(self) -> None:
        """Pause, resume, check, seen and stop, by programs and by the page."""
        self.exchange("GET", "/healthchecker/pause?appname=Kodi")
        self.post("pause", {"appname": "Kodi"})
        self.post("check", {"appname": "Kodi"})
        self.get("/healthchecker/info?appname=Kodi")
        self.post("resume", {"appname": "kodi"})
        with self.checked("Kodi"):
            self.post("resume", {"appname": "Kodi"})
        ours = {**BROWSER, "Origin": self.daemon.base, "Sec-Fetch-Site": "same-origin"}
        self.post(
            "pause", {"appname": "Gone"}, {**ours, "Referer": f"{self.daemon.base}/healthchecker/"}
        )
        page = f"{self.daemon.base}/healthchecker/info?appname=Gone"
        with self.checked("Gone"):
            self.post("resume", {"appname": "Gone"}, {**ours, "Referer": page})
        self.exchange(
            "POST",
            "/healthchecker/seen",
            json.dumps({"email": GONE}),
            {"Content-Type": "application/json"},
        )
        self.post("seen", {"email": GONE})
        self.get("/health")
        self.post("stop", {"appname": "Gone"}, ours)
        self.get("/healthchecker/log?appname=Gone")
        self.get("/healthchecker/incidents")
        self.show_all()

    def commands(self) -> None:
        """The command line's way to all of this."""
        server = {"HEALTHCHECKER_SERVER": self.daemon.base}
        url = self.apps["Kodi"].url
        for arguments in (
            ["list"],
            ["list", "--json"],
            ["list", "--names"],
            ["list", "--state", "HEALTHY"],
            ["list", "--state", "X"],
            ["info", "Kodi"],
            ["info", "Kodi", "--json"],
            ["info", "Nobody"],
            ["log"],
            ["log", "NAS", "--limit", "2"],
            ["log", "--json"],
            ["incidents"],
            ["pause", "Kodi"],
            ["list"],
            ["pause", "Nobody"],
            ["monitor", "Clock", url, "--interval", str(INTERVAL), "--healthy", "3"],
            ["monitor", "Clock", url, "--interval", "1"],
            ["monitor", "Clock", url, "--timeout", "x"],
            ["edit", "Clock", "--path", "/time"],
            ["edit", "Clock"],
            ["edit", "Nobody", "--path", "/x"],
            ["export", "saved.json"],
            ["export"],
            ["stop", "Clock"],
            ["stop", "Clock"],
            ["import", "saved.json"],
            ["import", "missing.json"],
            ["import", "good"],
            ["seen", GONE],
            ["completions", "bash"],
        ):
            self.command(*arguments, **server)
        self.wait_for_first_check("Clock")
        self.mails(1, "Clock is watched")

    def restarts(self) -> None:
        """An orderly end and a power cut: nothing is forgotten."""
        # Who fails says after a restart for how long.
        self.apps["NAS"].fails("no disk")
        self.check("NAS")
        self.check("NAS")
        self.mails(2, "NAS is UNHEALTHY before the restart")
        for end in (self.daemon.stop, self.daemon.kill):
            self.recording.heading(f"restart after {end.__name__}")
            end()
            self.daemon.start()
            self.show("NAS")
            self.show_all()
        self.apps["NAS"].passes()
        self.check("NAS")
        self.check("NAS")
        self.mails(2, "NAS is HEALTHY again after the restarts")

    # Other households.

    def guarded(self) -> None:
        """An owner who lets in whom he knows."""
        options = {
            "api_token": "to-change",
            "read_token": "to-read",
            "allow_email": "*@home.example",
            "email": "me@elsewhere.example",
            "allow_host": "pi.example",
        }
        with self.serving("guarded", **options):
            url = self.new_app("Guarded").url
            fields = {"appname": "Guarded", "url": url, "interval": INTERVAL}
            change, read = (
                {"Authorization": f"Bearer {token}"} for token in ("to-change", "to-read")
            )
            for credentials in (
                {},
                {"Authorization": "Bearer wrong"},
                {"Authorization": "Basic eDp5"},
                read,
                change,
            ):
                self.post("monitor", fields, credentials)
                if credentials is change:
                    self.wait_for_first_check("Guarded", change)
                self.get("/health", credentials)
                self.get("/healthchecker/", {**BROWSER, **credentials})
            self.post("monitor", {**fields, "email": ANNA}, change)
            self.post("monitor", {**fields, "email": "you@elsewhere.example"}, change)
            for host in ("pi.example", "other.example"):
                self.get("/healthchecker/", {**BROWSER, **read, "Host": host})
            server = {"HEALTHCHECKER_SERVER": self.daemon.base}
            self.command("list", **server)
            self.command("list", HEALTHCHECKER_API_TOKEN="to-change", **server)
            self.command("pause", "Guarded", "--token", "to-read", **server)

    def development(self) -> None:
        """With `--test`, mails go to the log."""
        app = self.new_app("Test")
        with self.serving(
            "development", test=True, email=OWNER, mail_from=OWNER, public_url="http://pi.example/"
        ):
            self.post("monitor", {"appname": "Test", "url": app.url, "interval": INTERVAL})
            self.wait_for_first_check("Test")
            app.answers(Answer(500))
            self.check("Test")
            self.check("Test")
            self.wait_for_log("Test is UNHEALTHY", "the mail in the log")
        self.command(
            "test-mail",
            "--email",
            f"{OWNER},{ANNA}",
            **{
                f"HEALTHCHECKER_{name.upper()}": str(value)
                for name, value in self.mailbox.options().items()
            },
        )
        self.mails(2, "test-mail")
