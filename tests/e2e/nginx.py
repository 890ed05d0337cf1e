"""A real nginx, as it stands before most of what a household has."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from waiting import wait_for

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
START_SECONDS = 20


class Nginx:
    """Serves what `servers` says: blocks of its configuration, in which `FOLDER` is its folder.

    `asked()` is who was asked for what, by whom shown: a line `PORT PATH AUTHORIZATION` for each request.
    """

    def __init__(self, folder: Path, port: int, servers: str) -> None:
        if NGINX is None:
            pytest.skip("there is no nginx")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, port
        self.configuration = folder / "nginx.conf"
        self.access = folder / "access.log"
        self.configure(servers)
        self.process = subprocess.Popen([NGINX, "-c", self.configuration, "-e", folder / "error.log"])
        wait_for(self.listens, START_SECONDS, "nginx")

    def configure(self, servers: str) -> None:
        """What it serves when it reads its configuration next."""
        # Else its workers may not read our folder.
        who = "user root; " if os.geteuid() == 0 else ""
        self.configuration.write_text(
            f"""{who}daemon off; pid FOLDER/pid; error_log FOLDER/error.log; events {{}}
            http {{
              log_format asked '$server_port $request_uri $http_authorization'; access_log {self.access} asked;
              gzip on; gzip_min_length 1; types {{ application/json json; }} default_type text/html;
              client_body_temp_path FOLDER; proxy_temp_path FOLDER; fastcgi_temp_path FOLDER;
              uwsgi_temp_path FOLDER; scgi_temp_path FOLDER;
              {servers} }}""".replace("FOLDER", str(self.folder))
        )

    def serves(self, servers: str) -> None:
        """From now on it serves this."""
        self.configure(servers)
        self.process.send_signal(signal.SIGHUP)

    def listens(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def asked(self) -> list[str]:
        return self.access.read_text().splitlines() if self.access.exists() else []

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
