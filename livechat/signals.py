# SPDX-License-Identifier: MIT
"""What signals mean to the daemon.

SIGHUP reads again what may change.  SIGTERM and SIGINT stop; a second one stops at once.  SIGUSR1
and SIGUSR2 do nothing unless they have a handler already (`twistd` rotates its log file at
SIGUSR1); they must not end the process, which is what the system does by default.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from twisted.logger import Logger

_log = Logger()

#: These the system may not have.
_RELOAD: Final = getattr(signal, "SIGHUP", None)
_NAMELESS: Final = ("SIGUSR1", "SIGUSR2")


class Signals:
    """Installs the handlers.

    :param reload: called for SIGHUP, in the reactor.
    :param hurry: called for the second signal to stop, in the reactor.
    """

    def __init__(self, reactor: Any, reload: Callable[[], None], hurry: Callable[[], None]) -> None:
        self._reactor = reactor
        self._reload = reload
        self._hurry = hurry
        self._stopping = False

    def install(self) -> None:
        """Install them: SIGHUP now, the others after the reactor and `twistd` installed theirs."""
        if _RELOAD is not None:
            signal.signal(_RELOAD, self._reload_soon)
        self._reactor.callWhenRunning(self._install_others)

    def _install_others(self) -> None:
        for name in _NAMELESS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, signal.SIG_IGN)
        for number in (signal.SIGINT, signal.SIGTERM):
            stop = signal.getsignal(number)
            if callable(stop):
                signal.signal(number, self._stopper(stop))

    def _stopper(self, stop: Callable[[int, FrameType | None], Any]) -> Callable[..., None]:
        def received(number: int, frame: FrameType | None) -> None:
            if self._stopping:
                self._reactor.callFromThread(self._hurry)
            else:
                self._stopping = True
                stop(number, frame)

        return received

    def _reload_soon(self, number: int, frame: FrameType | None) -> None:
        self._reactor.callFromThread(self._reload)
