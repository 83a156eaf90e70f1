# SPDX-License-Identifier: MIT
"""What systemd wants to know about the daemon.

The protocol is `sd_notify(3)`: datagrams of `NAME=value` lines to the socket that the environment
names.  Without that variable nothing is sent.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

_log = Logger()

#: Seconds between two lines of status where systemd wants no more signs of life.
STATUS_EVERY: Final = 10.0


class Notifier:
    """Says that the daemon is ready, alive, reading its files again, or stopping.

    Signs of life come from the event loop.  When that stands still they stop, and systemd starts
    the daemon anew (`WatchdogSec=`).

    :ivar period: seconds between two signs of life.
    :param address: of systemd's socket; a name that begins with `@` has no file.  Empty: nobody
        listens.
    :param watchdog: seconds without a sign of life after which systemd acts; 0: it does not.
    :param describe: one line on how the daemon is, shown by `systemctl status`.
    """

    def __init__(
        self, clock: IReactorTime, address: str, watchdog: float, describe: Callable[[], str]
    ) -> None:
        self._address = address
        self._describe = describe
        # Half of the time, as sd_watchdog_enabled(3) advises.
        self.period = watchdog / 2 if watchdog else STATUS_EVERY
        self._watchdog = watchdog
        self._loop = LoopingCall(self._alive)
        self._loop.clock = clock

    @classmethod
    def of(
        cls,
        clock: IReactorTime,
        environ: Mapping[str, str],
        process: int,
        describe: Callable[[], str],
    ) -> Notifier:
        """As the environment says.

        :param process: our process number: the watchdog may be meant for another one.
        """
        microseconds = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", str(process)) == str(process)
        watchdog = int(microseconds) / 1e6 if ours and microseconds.isdecimal() else 0.0
        return cls(clock, environ.get("NOTIFY_SOCKET", ""), watchdog, describe)

    def ready(self) -> None:
        """The ports are open and the parts are running."""
        if not self._address:
            return
        self._send("READY=1")
        if not self._loop.running:
            self._loop.start(self.period)

    def reloading(self) -> None:
        """Files are being read again; `ready` follows."""
        self._send("RELOADING=1")

    def stopping(self) -> None:
        """The daemon is stopping; it goes on giving signs of life."""
        self._send("STOPPING=1")

    def stopped(self) -> None:
        """Nothing more will be said."""
        if self._loop.running:
            self._loop.stop()

    def _alive(self) -> None:
        sign = "WATCHDOG=1\n" if self._watchdog else ""
        self._send(f"{sign}STATUS={self._describe()}")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto(message.encode(), address)
        except OSError as error:
            _log.warn("systemd cannot be told {what}: {error}", what=message, error=str(error))
