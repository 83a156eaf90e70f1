# SPDX-License-Identifier: MIT
"""A real nginx on a free loopback port that serves a daemon under a path."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest

from tests.support.redis import free_port

#: Seconds that the server may take to start.
PATIENCE = 20.0

#: What docs/operating.md tells people to write, between the markers of a whole configuration.
_CONFIGURATION = """\
daemon off;
master_process off;
pid {directory}/pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{
    listen 127.0.0.1:{port};
    {location}
  }}
}}
"""


def require_nginx() -> None:
    """Skip the test where there is no nginx, unless it is demanded."""
    if shutil.which("nginx") is None and os.environ.get("LIVECHAT_REQUIRE_NGINX") != "1":
        raise SkipTest("nginx is not installed")


class Nginx:
    """One server, not yet started.

    :param location: the blocks inside `server { }`.
    :ivar port: where it listens.
    """

    def __init__(self, location: str) -> None:
        require_nginx()
        self.port = free_port()
        self._directory = Path(tempfile.mkdtemp(prefix="livechat-nginx-"))
        configuration = _CONFIGURATION.format(
            directory=self._directory, port=self.port, location=location
        )
        (self._directory / "nginx.conf").write_text(configuration)
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, reactor: Any) -> None:
        """Start it and wait until it accepts connections."""
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["nginx", "-p", self._directory, "-c", self._directory / "nginx.conf"],
                stdout=log,
                stderr=log,
            )
        for _ in range(int(PATIENCE / 0.02)):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            await deferLater(reactor, 0.02)
        raise AssertionError(f"nginx: {(self._directory / 'log').read_text()}")

    def close(self) -> None:
        """End it and remove its files."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
        shutil.rmtree(self._directory, ignore_errors=True)
