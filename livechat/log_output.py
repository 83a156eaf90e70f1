# SPDX-License-Identifier: MIT
"""The log: which events become lines, how many of a kind, and where they go.

`twistd` decides where: its options `--logfile` and `--syslog` hold for both formats.  It takes our
observer in place of its own because the application has one (`ILogObserver`).
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TextIO

from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.logfile import LogFile
from zope.interface import implementer

from livechat.log_lines import LEVELS, Event, Form, level_of
from livechat.pacing import TokenBucket

#: Lines of a kind per second in the long run, and at once.
RATE: Final = 10.0
BURST: Final = 200

#: A traceback costs as much as so many lines.
TRACEBACK: Final = 10

#: Seconds from one line about what was left out to the next.
REPORT_EVERY: Final = 10.0

#: Kinds of line that are told apart.
_MAX_KINDS: Final = 1000

_log = Logger()


@implementer(ILogObserver)
class LogOutput:
    """Writes events from a level on, not too many of a kind.

    A kind is what one statement of the source logs.

    :param write: takes a line, without its end, and its level.
    :param seconds: the clock.
    :param left_out: told each time that a line is left out.
    """

    def __init__(
        self,
        form: Form,
        level: str,
        write: Callable[[str, str], None],
        seconds: Callable[[], float],
        left_out: Callable[[], None],
    ) -> None:
        self._form = form
        self._levels = frozenset(LEVELS[LEVELS.index(level) :])
        self._write = write
        self._seconds = seconds
        self._left_out = left_out
        self._buckets: dict[tuple[object, object, str], TokenBucket] = {}
        self._missing: dict[tuple[object, object, str], int] = {}
        self._report_at = 0.0

    def __call__(self, event: Event) -> None:
        """See `ILogObserver`."""
        level = level_of(event)
        if level not in self._levels:
            return
        kind = (event.get("log_namespace"), event.get("log_format"), level)
        if self._admits(kind, TRACEBACK if "log_failure" in event else 1):
            self._put(event, level)
        if self._missing and self._seconds() >= self._report_at:
            self._report()

    def _admits(self, kind: tuple[object, object, str], cost: int) -> bool:
        bucket = self._buckets.get(kind)
        if bucket is None:
            if len(self._buckets) >= _MAX_KINDS:
                del self._buckets[next(iter(self._buckets))]
            bucket = self._buckets[kind] = TokenBucket(RATE, BURST, self._seconds)
        if bucket.take(cost):
            return True
        if not self._missing:
            self._report_at = self._seconds() + REPORT_EVERY
        self._missing[kind] = self._missing.get(kind, 0) + 1
        self._left_out()
        return False

    def _report(self) -> None:
        missing, self._missing = self._missing, {}
        for (namespace, said, level), count in missing.items():
            _log.warn(
                "{count} lines of one kind were left out: {kind}",
                count=count,
                kind=f"{namespace}#{level}: {said}",
            )

    def _put(self, event: Event, level: str) -> None:
        line = self._form(event)
        if line:
            self._write(line, level)


class LoggedService:
    """A service that brings its own log observer to `twistd`; a base class beside `Service`."""

    log_output: LogOutput | None = None

    def setServiceParent(self, parent: Any) -> None:
        """Twisted: the application, from which `twistd` takes the observer of the log."""
        if self.log_output is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self.log_output)
        super().setServiceParent(parent)  # type: ignore[misc]


def destination(twistd: Mapping[str, Any], reactor: Any) -> Callable[[str, str], None]:
    """Where `twistd` would write, by its options.

    :raises OSError: the file cannot be written.
    """
    if twistd.get("syslog"):
        return _to_syslog(twistd.get("prefix") or "livechat")
    name = twistd.get("logfile")
    in_foreground = twistd.get("nodaemon", False)
    if name == "-" or (in_foreground and not name):
        return _to_stream(sys.stdout)
    file = LogFile.fromFullPath(name or "twistd.log")
    if not signal.getsignal(signal.SIGUSR1):
        # As `twistd` does it.
        signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(file.rotate))
    return _to_stream(file)


def _to_stream(stream: TextIO | LogFile) -> Callable[[str, str], None]:
    def write(line: str, level: str) -> None:
        stream.write(f"{line}\n")
        stream.flush()

    return write


def _to_syslog(prefix: str) -> Callable[[str, str], None]:
    # Not on every system.
    import syslog  # noqa: PLC0415

    syslog.openlog(prefix, syslog.LOG_PID)
    priorities = {
        "debug": syslog.LOG_DEBUG,
        "info": syslog.LOG_INFO,
        "warn": syslog.LOG_WARNING,
        "error": syslog.LOG_ERR,
        "critical": syslog.LOG_CRIT,
    }

    def write(line: str, level: str) -> None:
        for part in line.split("\n"):
            syslog.syslog(priorities[level], part)

    return write
