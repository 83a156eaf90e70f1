# SPDX-License-Identifier: MIT
"""A WebSocket to a platform: Autobahn's client with every limit set and without its timers.

Those know only the global reactor; ours, on the clock that is handed in, take their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IReactorTime,
    IStreamClientEndpoint,
)

from livechat.upgrades import MustRead, SilentLog

#: Seconds for TCP, TLS and the upgrade together.
OPEN_TIMEOUT: Final = 15.0

#: Longest answer to the upgrade, in bytes.
MAX_HEAD: Final = 64 * 1024

#: Seconds for the server to answer our close frame; then the connection is dropped.
CLOSE_TIMEOUT: Final = 3.0

#: Given host, port and whether with TLS: where to connect.
Connect = Callable[[str, int, bool], IStreamClientEndpoint]


class SocketError(Exception):
    """There is no open connection; the message says why."""


class ClientSocket(WebSocketClientProtocol):
    """One connection.

    :ivar opened: fires when the upgrade has succeeded; fails with what `refusal` makes.
    :ivar lost: fires with the reason when it is gone; never fails.
    """

    # A TCP transport; Autobahn's annotation knows less.
    transport: Any

    log: Any = SilentLog()

    def __init__(self, clock: IReactorTime) -> None:
        super().__init__()
        self.opened: Deferred[None] = Deferred()
        self.lost: Deferred[str] = Deferred()
        self.clock = clock
        self._closing: IDelayedCall | None = None
        self._head = 0
        self._reason = ""

    # For those who use it.

    def drop(self, reason: str) -> None:
        """End it at once; idempotent."""
        self._reason = self._reason or reason
        if self.transport is not None:
            self.transport.abortConnection()

    # For subclasses.

    def entered(self) -> None:
        """It is open, and whoever waited for that has been told."""

    def left(self) -> None:
        """It is gone: stop every timer."""

    def refusal(self, why: str) -> Exception:
        """The error for whoever waited for it to open."""
        line = str(getattr(self, "http_status_line", "")).split()
        status = f" ({line[1]})" if len(line) > 1 and line[1].isdigit() else ""
        return SocketError(f"no upgrade{status}: {why}")

    # Called by Autobahn and Twisted.

    def dataReceived(self, data: bytes) -> None:
        """Keep what Autobahn makes of a stranger's bytes from getting out of hand."""
        if self.state == self.STATE_CONNECTING:
            self._head += len(data)
            if self._head > MAX_HEAD:
                self.drop("the answer to the upgrade is too large")
                return
            try:
                super().dataReceived(data)
            except ValueError as error:
                # Autobahn decodes the head of the answer without asking whether it is text.
                self.drop(f"unreadable answer to the upgrade: {error}")
        else:
            super().dataReceived(data)
        if self.state == self.STATE_CLOSING:
            self._watch_closing()

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Browsers leave the usual port out of `Host`; Autobahn never does."""
        if self.state == self.STATE_CONNECTING:
            usual = b":443\r\nUpgrade:" if self.factory.isSecure else b":80\r\nUpgrade:"
            data = data.replace(usual, b"\r\nUpgrade:", 1)
        super().sendData(data, sync, chopsize)

    def onOpen(self) -> None:
        """The upgrade has succeeded."""
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(True)
        # Otherwise our answers to pings and frames could pile up without end.
        deaf = MustRead(lambda: self.drop("the server does not read"))
        self.transport.registerProducer(deaf, True)
        self.opened.callback(None)
        if self.state == self.STATE_OPEN:
            self.entered()

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        """The connection is gone, in whichever way."""
        if self._closing is not None and self._closing.active():
            self._closing.cancel()
        self.left()
        why = self._reason or (f"closed by the server ({code})" if wasClean else "connection lost")
        if not self.opened.called:
            self.opened.errback(self.refusal(why))
        if not self.lost.called:
            self.lost.callback(why)

    def _watch_closing(self) -> None:
        if self._closing is None:
            self._closing = self.clock.callLater(CLOSE_TIMEOUT, self.drop, "close not answered")


S = TypeVar("S", bound=ClientSocket)


async def connected(
    connect: Connect,
    clock: IReactorTime,
    url: str,
    made: S,
    *,
    headers: Mapping[str, str],
    longest: int,
) -> S:
    """A connection that is open.

    :param made: the protocol of this one attempt.
    :param headers: of the upgrade, in this order.
    :param longest: bytes of the longest message that is taken.
    :raises SocketError: nobody answers, or not in time.
    :raises Exception: the upgrade is refused: what `ClientSocket.refusal` makes.
    """
    parts = urlsplit(url)
    tls = parts.scheme == "wss"
    factory = _OneSocket(url, made, clock, headers, longest)
    endpoint = connect(parts.hostname or "", parts.port or (443 if tls else 80), tls)
    connecting: Deferred[Any] = endpoint.connect(factory)
    timer = clock.callLater(OPEN_TIMEOUT, connecting.cancel)
    socket: S | None = None
    try:
        socket = await connecting
        timer.cancel()
        timer = clock.callLater(OPEN_TIMEOUT, socket.drop, "no answer to the upgrade")
        await socket.opened
    except BaseException as error:
        if socket is not None:
            socket.drop("given up")
            raise
        if not isinstance(error, Exception):
            raise
        note: object = error
        if isinstance(error, CancelledError | ConnectingCancelledError):
            if timer.active():
                raise CancelledError from None
            note = "no connection in time"
        raise SocketError(str(note)) from error
    finally:
        if timer.active():
            timer.cancel()
    return socket


class _OneSocket(WebSocketClientFactory):
    """Makes the one protocol of one attempt."""

    noisy = False

    def __init__(
        self,
        url: str,
        made: ClientSocket,
        clock: IReactorTime,
        headers: Mapping[str, str],
        longest: int,
    ) -> None:
        # The User-Agent stands among the headers, so that all are in the order of a browser.
        super().__init__(url, useragent=None, headers=dict(headers), reactor=clock)
        self.setProtocolOptions(
            **PROTOCOL_OPTIONS, maxFramePayloadSize=longest, maxMessagePayloadSize=longest
        )
        self._made = made

    def buildProtocol(self, addr: IAddress | None) -> ClientSocket:
        """The protocol of this attempt."""
        self._made.factory = self
        return self._made


#: Every option that Autobahn's client knows but the longest message, none left to its default.
PROTOCOL_OPTIONS: Final[Mapping[str, Any]] = {
    "version": 18,
    "utf8validateIncoming": True,
    "acceptMaskedServerFrames": False,
    "maskClientFrames": True,
    "applyMask": True,
    "autoFragmentSize": 0,
    # Tell the server why, rather than dropping it; `ClientSocket` sees to it that this ends.
    "failByDrop": False,
    "echoCloseCodeReason": False,
    "serverConnectionDropTimeout": 0,
    "openHandshakeTimeout": 0,
    "closeHandshakeTimeout": 0,
    "tcpNoDelay": True,
    "perMessageCompressionOffers": [],
    "perMessageCompressionAccept": lambda offer: None,
    # Whoever wants pings sends them by the clock that is handed in.
    "autoPingInterval": 0,
    "autoPingTimeout": 0,
    "autoPingSize": 12,
    "autoPingRestartOnAnyTraffic": False,
}
