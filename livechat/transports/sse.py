# SPDX-License-Identifier: MIT
"""Server-sent events on `GET /sse`: the query is the subscribe, and the answer never ends.

Every server message is one event.  The head of the answer is held back until the first message, so
that a subscribe which fails is answered with a status that keeps a browser from coming back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from msgspec import UNSET
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.core.ports import IEncoding, ISubscriber, Requester
from livechat.core.session import Session
from livechat.model.errors import ChatError, CloseCode, ErrorCode
from livechat.protocol import messages
from livechat.protocol.queries import NOWHERE, place_of, subscribes
from livechat.transports.buffered import BufferedConnection
from livechat.transports.client_registry import AdmissionError, ClientRegistry
from livechat.transports.ping_wheel import PingWheel
from livechat.transports.site import HEADERS
from livechat.transports.sse_encodings import ONE_CHAT, SEVERAL_CHATS, Positions, event

_log = Logger()

PATH: Final = b"/sse"

#: Seconds that the head of an answer is held back at most.
HEAD_TIMEOUT: Final = 10.0

#: Seconds for a client to read the end of its answer.
END_TIMEOUT: Final = 10.0

_COMMENT: Final = b":\n\n"
_ERROR: Final = b'{"type":"error"'


#: Statuses of errors that do not pass; all others are 400.
_STATUSES: Final[Mapping[str, int]] = {
    ErrorCode.STREAM_NOT_FOUND: 404,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.UPSTREAM_UNAVAILABLE: 403,
}


class _State(Enum):
    """What a connection is doing.

    Asked -> Streaming -> Closing; Asked -> Closing where nothing can be had.
    """

    ASKED = auto()
    STREAMING = auto()
    CLOSING = auto()


class _Request:
    """The head of a request, as far as it is looked at."""

    def __init__(self, head: bytes) -> None:
        first, *lines = head.split(b"\r\n")
        self.method, target, _ = first.split(b" ")
        self.query = target.partition(b"?")[2].decode("utf-8", "replace")
        self.headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.decode("latin-1").partition(":")
            name, value = name.lower(), value.strip(" \t")
            before = self.headers.get(name)
            self.headers[name] = value if before is None else f"{before}, {value}"


@implementer(ISubscriber)
class EventStream(BufferedConnection, Protocol):
    """One client's stream of events.

    :ivar positions: how far it has come in its chats.
    """

    factory: EventStreams

    def __init__(self, registry: ClientRegistry) -> None:
        super().__init__()
        self.registry = registry
        self.encoding: IEncoding = ONE_CHAT
        self.requester: Requester = Requester()
        self.positions = Positions((), ())
        self._session: Session | None = None
        self._state = _State.ASKED
        self._cors: Mapping[bytes, bytes] = {}
        # Errors that came before anything else.
        self._errors: list[bytes] = []
        self._looking: IDelayedCall | None = None
        # When the next state is entered, if nothing else leads there.
        self._timeout: IDelayedCall | None = None
        self._unwanted = 0

    @property
    def can_send(self) -> bool:
        """See `BufferedConnection`."""
        return self._state is _State.STREAMING

    def connectionMade(self) -> None:
        """Twisted: the connection was handed over; its request comes in one piece."""
        self.factory.connections += 1

    def dataReceived(self, data: bytes) -> None:
        """Twisted: the request, and whatever nobody asked for after it."""
        if self._session is None and self._state is _State.ASKED:
            head, _, data = data.partition(b"\r\n\r\n")
            try:
                self._asked(_Request(head))
            except Exception:
                _log.failure("a stream could not be set up")
                self.close(CloseCode.INTERNAL, "internal error")
        self._unwanted += len(data)
        if self._unwanted > self.registry.limits.message:
            self.abort()

    def _asked(self, request: _Request) -> None:
        origin = request.headers.get("origin")
        self._cors = self.registry.origins.cors(
            None if origin is None else origin.encode("latin-1")
        )
        if request.method not in (b"GET", b"HEAD"):
            self._answer(405, b"not allowed\n", {b"allow": b"GET, HEAD, OPTIONS"})
            return
        peer = str(getattr(self.transport.getPeer(), "host", ""))
        try:
            token = parse_qs(request.query).get("token", [""])[0]
            self.grant = self.registry.permit(request.headers, token)
            if request.method == b"HEAD":
                self._answer(200, b"", _EVENTS)
                return
            self.requester = self.registry.admit(peer, request.headers, self.grant)
        except AdmissionError as error:
            self.registry.metrics.refused.labels(str(error.status), error.word).inc()
            headers = {b"www-authenticate": b"Bearer"} if error.status == 401 else {}
            body = b"" if request.method == b"HEAD" else error.reason.encode() + b"\n"
            self._answer(error.status, body, headers)
            return
        self._timeout = self.factory.later(HEAD_TIMEOUT, self._begin)
        self._session = session = self.registry.opened(self)
        self.factory.wheel.add(self)
        last_event_id = request.headers.get("last-event-id", "")
        try:
            commands = subscribes(request.query, last_event_id)
        except ChatError as error:
            self.send(messages.encode(messages.failure(error)))
            return
        if len(commands) > 1:
            self.encoding = SEVERAL_CHATS
            self.positions = _positions(session, commands)
        for command in commands:
            if self._state is not _State.CLOSING:
                session.received(msgspec.json.encode(command))

    def send(self, message: bytes) -> None:
        """See `ISubscriber`."""
        is_error = message.startswith(_ERROR)
        if is_error and self._looking is None:
            # Perhaps it was the last chat; who sends this has not let go of it yet.
            self._looking = self.factory.later(0, self._look)
        if self._state is _State.ASKED:
            if is_error:
                self._errors.append(message)
                return
            self._begin()
        data = event(message)
        self.registry.metrics.sent.inc(len(data))
        self.write_encoded(data)

    def _begin(self) -> None:
        """Say that the stream begins."""
        self._cancel(self._timeout)
        self._state = _State.STREAMING
        self.start_sending()
        self.transport.write(self._head(200, _EVENTS) + b"".join(map(event, self._errors)))
        self.allow_direct_writes()

    def _look(self) -> None:
        """After an error: end the answer if nothing can follow."""
        self._looking = None
        if self._session is None or not self._session.holds_nothing:
            return
        if self._state is _State.ASKED:
            self._answer(_status(self._errors), b"".join(map(event, self._errors)), _EVENTS)
        else:
            self._end(flush=True)

    def ping(self) -> None:
        """See `Pinged`: a comment, by which proxies see that the stream is alive."""
        if self.can_send:
            self.transport.write(_COMMENT)

    def close(self, code: CloseCode, reason: str) -> None:
        """See `ISubscriber`."""
        if self._state is _State.ASKED:
            status = 500 if code is CloseCode.INTERNAL else 503
            self._answer(status, reason.encode() + b"\n")
        else:
            self._end(flush=code is CloseCode.GOING_AWAY)

    def _answer(self, status: int, body: bytes, headers: Mapping[bytes, bytes] = {}) -> None:
        """Answer with something that ends."""
        self.transport.write(self._head(status, {**_TEXT, **headers}) + body)
        self._state = _State.CLOSING
        self._close()

    def _end(self, *, flush: bool) -> None:
        """End the stream."""
        if self._state is _State.CLOSING:
            return
        self.stop_sending(flush=flush)
        self._state = _State.CLOSING
        # Over TLS a registered producer would keep the connection from closing.
        self.transport.unregisterProducer()
        self._close()

    def _close(self) -> None:
        self._cancel(self._timeout)
        self._timeout = self.factory.later(END_TIMEOUT, self.abort)
        self.transport.loseConnection()

    def _cancel(self, call: IDelayedCall | None) -> None:
        if call is not None and call.active():
            call.cancel()

    def _head(self, status: int, headers: Mapping[bytes, bytes]) -> bytes:
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        lines += [
            name + b": " + value
            for name, value in {**HEADERS, **self._cors, **_ALWAYS, **headers}.items()
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Twisted: the connection has ended."""
        self.factory.connections -= 1
        self._state = _State.CLOSING
        self.stop_sending()
        self._cancel(self._looking)
        self._cancel(self._timeout)
        session, self._session = self._session, None
        if session is not None:
            self.factory.wheel.remove(self)
            try:
                session.closed()
            finally:
                self.registry.left(self)


_ALWAYS: Final = {b"cache-control": b"no-store", b"connection": b"close"}
_TEXT: Final = {b"content-type": b"text/plain; charset=utf-8"}
# The second header keeps nginx from gathering what it passes on.
_EVENTS: Final = {b"content-type": b"text/event-stream", b"x-accel-buffering": b"no"}


def _positions(session: Session, commands: Sequence[Mapping[str, Any]]) -> Positions:
    keys = []
    begin = []
    for command in commands:
        names = (command.get(name, UNSET) for name in ("platform", "identifier", "identifierType"))
        keys.append(session.key_of(*names))
        since = command.get("since")
        text = f"{since.get('epoch')}:{since.get('seq')}" if isinstance(since, dict) else ""
        begin.append(text if place_of(text) else NOWHERE)
    return Positions(keys, [each.encode() for each in begin])


def _status(errors: Sequence[bytes]) -> int:
    """The status of an answer that is nothing but errors."""
    failures = [msgspec.json.decode(error, type=messages.Failure) for error in errors]
    if any(failure.temporary is True for failure in failures):
        return 503
    return _STATUSES.get(failures[0].code, 400)


class EventStreams(Factory):
    """Makes a stream for every request of one.

    :param registry: admits the clients and makes their sessions.
    :ivar connections: see `Transport`.
    """

    noisy = False

    def __init__(self, clock: IReactorTime, registry: ClientRegistry) -> None:
        self.connections = 0
        self.later: Callable[..., IDelayedCall] = clock.callLater
        self.wheel: PingWheel[EventStream] = PingWheel(clock, EventStream.abort, answers=False)
        self._registry = registry

    def takes(self, head: bytes) -> bool:
        """See `Transport`.  What a browser asks for leave beforehand is the site's."""
        words = head.partition(b"\r\n")[0].split(b" ")
        return len(words) == 3 and words[0] != b"OPTIONS" and words[1].partition(b"?")[0] == PATH

    def buildProtocol(self, addr: Any) -> Any:
        """Twisted: a request was read."""
        stream = EventStream(self._registry)
        stream.factory = self
        return stream
