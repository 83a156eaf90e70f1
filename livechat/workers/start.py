# SPDX-License-Identifier: MIT
"""From options to a supervisor with its ports open."""

from __future__ import annotations

import atexit
import os
import socket
import sys
from typing import Any, Final

from livechat.access import Access
from livechat.command_line import DaemonOptions, exit_with_usage_error
from livechat.listening import ListenError
from livechat.options import Settings
from livechat.systemd import Notifier
from livechat.workers.ports import SharedPorts
from livechat.workers.supervisor import Supervisor

#: Starts a worker.  What lies in the working directory is none of its modules.
COMMAND: Final = (sys.executable, "-P", "-m", "livechat.worker")

#: Seconds that a worker takes to stop, beside those over which it closes its clients.
STOP: Final = 9.5


def supervisor(reactor: Any, options: DaemonOptions) -> Supervisor:
    """The supervisor that options ask for.

    :raises SystemExit: an option cannot be fulfilled; one line on stderr.
    """
    settings = options.chosen.daemon
    try:
        Access(settings.tokens)
    except ValueError as error:
        exit_with_usage_error(f"--tokens {error}")
    ports = SharedPorts(reactor, settings.workers)
    try:
        _open(ports, settings)
    except ListenError as error:
        exit_with_usage_error(str(error))

    def give_up(code: int) -> None:
        # `twistd` has no exit code for a service that fails; it is done when these are called.
        atexit.register(os._exit, code)
        reactor.stop()

    node = settings.node or f"{socket.gethostname()}:{os.getpid()}"
    made: list[Supervisor] = []
    notifier = Notifier.of(
        reactor,
        os.environ,
        os.getpid(),
        lambda: f"{made[0].serving} of {settings.workers} workers serve",
    )
    made.append(
        Supervisor(
            reactor,
            ports,
            notifier,
            [f"{node}/{index}" for index in range(1, settings.workers + 1)],
            COMMAND,
            options.words,
            dict(os.environ),
            settings.drain_seconds + STOP,
            give_up,
        )
    )
    return made[0]


def _open(ports: SharedPorts, settings: Settings) -> None:
    for endpoint in (*settings.listen, *settings.admin_listen):
        ports.open(endpoint)
    if not settings.admin_listen:
        ports.open_admin()
    if not settings.listen and not ports.open_passed():
        ports.open_everywhere(settings.port)
