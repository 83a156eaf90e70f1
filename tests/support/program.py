# SPDX-License-Identifier: MIT
"""The daemon started as a user starts it: any command, real signals, real files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.request import urlopen

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parents[2]

#: Seconds that anything here may take before the test fails; the machine may be slow.
PATIENCE = 120.0

#: Each way of starting in the foreground, without the options.
COMMAND = (sys.executable, "-m", "livechat")
_TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")
TWISTD = (*_TWISTD, "--nodaemon", "--pidfile=", "livechat")
BACKGROUND = (*_TWISTD, "livechat")
# That is what the command `twist` runs, too.
TWIST = (sys.executable, "-m", "twisted", "livechat")


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of the tests without what chooses options, and with this checkout."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    chosen = {k: v for k, v in os.environ.items() if not k.startswith("LIVECHAT_")}
    for name in ("PORT", "REDIS_URL", "STATS_STORAGE"):
        chosen.pop(name, None)
    return {**chosen, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **more}


class Program:
    """A command that runs until it is stopped; killed after `PATIENCE` at the latest.

    :ivar log: what it has written so far to stdout, and to stderr unless that is apart.
    """

    def __init__(
        self, case: SynchronousTestCase, directory: Path, *command: str, **variables: str
    ) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment(variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        self._output = self.process.stdout
        self.log = ""
        self._timer = threading.Timer(PATIENCE, self.process.kill)
        self._timer.start()
        case.addCleanup(self._clean_up)

    def until(self, text: str) -> str:
        """Read until a line holds a text; that line."""
        for line in self._output:
            self.log += line
            if text in line:
                return line
        raise AssertionError(f"it ended before it said {text!r}:\n{self.log}")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ended(self) -> int:
        """Wait for its end; its exit code, negative for a signal."""
        self.log += self._output.read()
        return self.process.wait()

    def _clean_up(self) -> None:
        self._timer.cancel()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._output.close()


def run(directory: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        command,
        cwd=directory,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def get(port: int, path: str = "/health", host: str = "127.0.0.1") -> str:
    """The body of an answer over HTTP."""
    with urlopen(f"http://{host}:{port}{path}", timeout=PATIENCE) as answer:
        body: bytes = answer.read()
    return body.decode()
