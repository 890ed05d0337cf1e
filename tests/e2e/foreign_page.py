"""A page on a foreign site that tries all that a page can to have a browser act for its owner.

Opened with a real Chromium. Names lead to the loopback interface, so that to the browser it is what it is
in a household: a public site here, `http://pi.local` there. (To a loopback address it would send
headers that give a foreign page away, which it does not send to an address of the LAN.)
"""

from __future__ import annotations

import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-headless-shell")

FOREIGN = "evil.example"
HOUSEHOLD = "pi.local"
# An address of the loopback interface that the daemon does not have.
ADDRESS = "127.0.0.2"
BROWSER_SECONDS = 60

PAGE = """<!DOCTYPE html>
<title>Win a prize</title>
<img src="{stop}?appname=image">
<link rel="stylesheet" href="{stop}?appname=stylesheet">
<iframe src="{stop}?appname=frame"></iframe>
<iframe name="hidden"></iframe>
<form id="form" method="post" action="{stop}" target="hidden">
  <input name="appname" value="form">
</form>
<script src="{stop}?appname=script"></script>
<script>
  const ask = (path, options) => fetch("{base}" + path, options).catch(() => null);
  const simple = (appname) => ({{ method: "POST", mode: "no-cors", body: "appname=" + appname }});
  const told = {{ "Content-Type": "application/json", "Authorization": "Bearer guess" }};
  (async () => {{
    document.getElementById("form").submit();
    navigator.sendBeacon("{stop}", new URLSearchParams({{ appname: "beacon" }}));
    await ask("/healthchecker/stop", simple("fetch"));
    await ask("/healthchecker/stop?appname=get", {{ mode: "no-cors" }});
    await ask("/healthchecker/stop", {{ method: "POST", headers: told, body: '{{"appname":"json"}}' }});
    await ask("/healthchecker/stop", {{ ...simple("hidden"), referrerPolicy: "no-referrer" }});
    await ask("/healthchecker/watch", {{ ...simple("thief&url=evil.example") }});
    const read = await ask("/healthchecker/status").then((answer) => answer && answer.text());
    document.body.append(read ? "STOLEN " + read : "nothing to see");
    setTimeout(() => {{ document.title = "done"; }}, 500);
  }})();
</script>
"""

ATTEMPTS = ["image", "stylesheet", "frame", "form", "script", "beacon", "fetch", "get", "json", "hidden"]


class ForeignSite:
    """Serves the page."""

    def __init__(self, daemon_port: int) -> None:
        base = f"http://{HOUSEHOLD}:{daemon_port}"
        page = PAGE.format(base=base, stop=base + "/healthchecker/stop").encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer((ADDRESS, 0), Handler)

    @property
    def url(self) -> str:
        return f"http://{FOREIGN}:{self.server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def open_in_chromium(url: str, folder: Path) -> str:
    """Opens a page, lets its scripts run, and returns what it has become."""
    assert CHROMIUM
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            f"--user-data-dir={folder}",
            f"--host-resolver-rules=MAP {FOREIGN} {ADDRESS}, MAP {HOUSEHOLD} 127.0.0.1, MAP * ~NOTFOUND",
            "--virtual-time-budget=10000",
            "--dump-dom",
            url,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BROWSER_SECONDS,
        check=True,
    )
    return done.stdout
