# SPDX-License-Identifier: MIT
"""Real proxies, each on a free loopback port, that serve a daemon under a path."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet.task import deferLater
from twisted.trial.unittest import SkipTest

from tests.support.sockets import number_of, reserved

#: Seconds that the server may take to start.
PATIENCE = 20.0

#: A whole configuration of nginx around what docs/proxies.md tells people to write.
_NGINX = """\
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


class _Proxy:
    """One server, not yet started.

    :ivar port: where it listens.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        if shutil.which(self.name) is None and os.environ.get("LIVECHAT_REQUIRE_PROXIES") != "1":
            raise SkipTest(f"{self.name} is not installed")
        self._held = reserved()
        self.port = number_of(self._held)
        self.directory = Path(tempfile.mkdtemp(prefix=f"livechat-{self.name}-"))
        self.configuration = self.directory / "configuration"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str | Path]:
        """What starts it."""
        raise NotImplementedError

    async def start(self, reactor: Any) -> None:
        """Start it and wait until it accepts connections."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=log,
                env=os.environ | {"HOME": str(self.directory)},
            )
        for _ in range(int(PATIENCE / 0.02)):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            await deferLater(reactor, 0.02)
        raise AssertionError(f"{self.name}: {(self.directory / 'log').read_text()}")

    def close(self) -> None:
        """End it and remove its files."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
        self._held.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Nginx(_Proxy):
    """nginx.

    :param location: the blocks inside `server { }`.
    """

    name = "nginx"

    def __init__(self, location: str) -> None:
        super().__init__()
        self.configuration.write_text(
            _NGINX.format(directory=self.directory, port=self.port, location=location)
        )

    def command(self) -> list[str | Path]:
        """See `_Proxy`."""
        return ["nginx", "-p", self.directory, "-c", self.configuration]


class Caddy(_Proxy):
    """Caddy.

    :param site: a site for `chat.example.org`, which is served here without TLS.
    """

    name = "caddy"

    def __init__(self, site: str) -> None:
        super().__init__()
        here = site.replace("chat.example.org", f"http://127.0.0.1:{self.port}")
        self.configuration.write_text(f"{{\n\tadmin off\n}}\n{here}")

    def command(self) -> list[str | Path]:
        """See `_Proxy`."""
        return ["caddy", "run", "--adapter", "caddyfile", "--config", self.configuration]
