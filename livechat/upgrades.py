# SPDX-License-Identifier: MIT
"""WebSocket upgrades that a server is asked for, with what Autobahn leaves open.

Autobahn writes what a client sent into its log and its answers as it came, refuses a client for a
parameter that it does not know, and leaves a connection open where answering raised an exception.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny, ConnectionRequest
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

_log = Logger()

#: Seconds between two lines about upgrades that were refused with the same status.
_QUIET: Final = 60.0

#: Characters of a refusal that a client and the log are given.
_LONGEST_REASON: Final = 100

#: A token (RFC 9110 section 5.6.2), of a length that makes sense.
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")

_DEFLATE: Final = "permessage-deflate"
_FLAGS: Final = frozenset({"client_no_context_takeover", "server_no_context_takeover"})
_WINDOW_BITS: Final = re.compile("[89]|1[0-5]")


class Refusals:
    """Upgrades that were refused: each is counted, and few are logged.

    :param seconds: the clock.
    :param count: given the HTTP status of each, and why in a word.
    """

    def __init__(
        self, seconds: Callable[[], float], count: Callable[[int, str], None] | None = None
    ) -> None:
        self._seconds = seconds
        self._count = count
        self._since_line: dict[int, int] = {}
        self._quiet_until: dict[int, float] = {}

    def add(self, status: int, reason: str, why: str = "invalid") -> None:
        """One more; `reason` holds nothing that the client sent."""
        if self._count is not None:
            self._count(status, why)
        number = self._since_line.get(status, 0) + 1
        now = self._seconds()
        if now < self._quiet_until.get(status, 0.0):
            self._since_line[status] = number
            return
        self._since_line[status] = 0
        self._quiet_until[status] = now + _QUIET
        _log.info(
            "upgrades refused with {status} since the last such line: {n}; the last: {reason}",
            status=status,
            n=number,
            reason=reason,
        )


class SilentLog:
    """Takes Autobahn's log lines: they repeat raw what a peer sent, as often as it sends it."""

    def _nothing(self, *arguments: object, **values: object) -> None:
        """No line."""

    trace = debug = info = warn = error = critical = _nothing


@implementer(IPushProducer)
class MustRead:
    """Drops a connection whose peer is sent little and lets even that pile up.

    To be registered with the transport, which says when it holds too much.

    :param drop: drops the connection.
    """

    def __init__(self, drop: Callable[[], None]) -> None:
        self._drop = drop

    def pauseProducing(self) -> None:
        """See `IPushProducer`: the peer does not read."""
        self._drop()

    def resumeProducing(self) -> None:
        """See `IPushProducer`."""

    def stopProducing(self) -> None:
        """See `IPushProducer`."""


class UpgradedConnection(WebSocketServerProtocol):
    """A connection that asks for an upgrade; its factory has `refusals`.

    :ivar refused_for: why it is refused, in a word; `invalid`: the request is none.
    """

    log: Any = SilentLog()
    refused_for = "invalid"

    def admit(self, request: ConnectionRequest) -> None:
        """Whether this client may connect; for subclasses.

        :raises ConnectionDeny: it may not.
        """

    def onConnect(self, request: ConnectionRequest) -> str | None:
        """Let the client in, and take the first subprotocol that it offers.

        A browser that offers some and is given none closes the connection.
        """
        try:
            self.admit(request)
        except ConnectionDeny:
            raise
        except Exception:
            _log.failure("an upgrade could not be decided on")
            self.refused_for = "internal"
            raise ConnectionDeny(500, "internal error") from None
        return next((name for name in request.protocols if _TOKEN.fullmatch(name)), None)

    def succeedHandshake(self, res: object) -> None:
        """Autobahn: answer with 101.  Extensions that are not to be understood are passed over."""
        self.websocket_extensions = readable_offers(self.websocket_extensions)
        try:
            super().succeedHandshake(res)
        except Exception:
            _log.failure("an upgrade failed")
            self.dropConnection(abort=True)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Twisted: the connection is gone.

        Autobahn's two futures have the connection as their result.  Without letting go of them it
        would be kept, with its request, until Python looks for circles.
        """
        super().connectionLost(reason)
        released: Any = None
        self.is_open = self.is_closed = released

    def failHandshake(self, reason: str, code: int = 400, responseHeaders: Any = None) -> None:
        """Autobahn: refuse the upgrade."""
        said = plain_reason(reason)
        self.wasNotCleanReason = said
        factory: Any = self.factory
        factory.refusals.add(code, said, self.refused_for)
        body = f"{said}\n".encode()
        headers = [
            *(responseHeaders or ()),
            ("Connection", "close"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
        ]
        lines = [f"HTTP/1.1 {code} {HTTPStatus(code).phrase}", *(f"{n}: {v}" for n, v in headers)]
        self.sendData("\r\n".join([*lines, "", ""]).encode() + body)
        self.dropConnection(abort=False)


def plain_reason(reason: str) -> str:
    """A reason of Autobahn's without what the client sent, which is quoted or behind a colon."""
    without = re.sub('"[^\r\n]*"', "", reason).partition(":")[0]
    printable = "".join(c for c in without if " " <= c <= "~")
    return " ".join(printable.split())[:_LONGEST_REASON]


def readable_offers(
    extensions: Sequence[tuple[str, Mapping[str, Sequence[object]]]],
) -> list[tuple[str, dict[str, list[object]]]]:
    """The offers of permessage-deflate whose parameters are all valid (RFC 7692 section 7.1).

    The others are to be declined, not to be answered with an error.  What window a client allows
    itself makes no difference to us, so its size is left out.
    """
    readable = []
    for name, parameters in extensions:
        if name == _DEFLATE and all(_is_valid(n, v) for n, v in parameters.items()):
            kept = {n: list(v) for n, v in parameters.items()}
            if "client_max_window_bits" in kept:
                kept["client_max_window_bits"] = [True]
            readable.append((name, kept))
    return readable


def _is_valid(name: str, values: Sequence[object]) -> bool:
    if len(values) != 1:
        return False
    (value,) = values
    bits = isinstance(value, str) and _WINDOW_BITS.fullmatch(value) is not None
    if name in _FLAGS:
        return value is True
    if name == "client_max_window_bits":
        return value is True or bits
    # A window of 8 bits is valid, but zlib does not know it.
    return name == "server_max_window_bits" and bits and value != "8"
