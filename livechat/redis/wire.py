# SPDX-License-Identifier: MIT
"""The protocol of one connection to Redis: txredisapi's, with bounds and checks.

What is not Redis's protocol ends the connection, and `reason` says why.

Importing this module installs a reactor (txredisapi does), so only the module that puts a daemon
together does so, and late.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure
from txredisapi import RedisProtocol

from livechat.redis.replies import NotRedis, Replies

_log = Logger()

#: Seconds in which Redis must answer; otherwise the connection is given up.
REPLY_TIMEOUT: Final = 2.0

#: Bytes of the longest answer that is read, unless the owner of a link expects longer ones.
MAX_REPLY: Final = 16 << 20


class Wire(RedisProtocol):  # type: ignore[misc]
    """One connection.

    :param heard: told the topic and the payload of what was published.
    :ivar reason: why it has ended; empty before.
    :ivar silent: whether nothing has come on it yet.
    :ivar reads: how often something has come.
    """

    def __init__(self, heard: Callable[[str, bytes], None], max_reply: int = MAX_REPLY) -> None:
        super().__init__(charset=None, replyTimeout=REPLY_TIMEOUT, convertNumbers=False)
        self.reason = ""
        self.silent = True
        self.reads = 0
        self._heard = heard
        self._replies = Replies(max_reply)

    def dataReceived(self, data: bytes, unpause: bool = False) -> None:
        """Twisted: something has come."""
        self.silent = False
        self.reads += 1
        try:
            for reply in self._replies.feed(data):
                self.replyReceived(reply)
                if self.reason:
                    break
        except NotRedis as error:
            self.give_up(str(error))

    def _build_command(self, *args: object, **kwargs: object) -> bytes:
        """txredisapi: a command as bytes; its own way takes five times as long."""
        parts = [b"*%d\r\n" % len(args)]
        for one in args:
            data = one if isinstance(one, bytes) else str(one).encode()
            parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
        return b"".join(parts)

    def replyReceived(self, reply: object) -> None:
        """txredisapi: an answer, or something that was published."""
        if isinstance(reply, list) and reply[:1] == [b"message"]:
            self._published(reply)
        elif self.replyQueue.waiting:
            super().replyReceived(reply)
        else:
            self.give_up("an answer came to no question")

    def _published(self, message: list[object]) -> None:
        _, topic, payload = message if len(message) == 3 else (None, None, None)
        if not isinstance(topic, bytes) or not isinstance(payload, bytes):
            self.give_up("the answer is not Redis's")
            return
        try:
            self._heard(topic.decode("utf-8", "replace"), payload)
        except Exception:
            _log.failure("what was published under {topic} was not taken", topic=topic)

    def give_up(self, reason: str) -> None:
        """End the connection."""
        self.reason = self.reason or reason
        self.transport.abortConnection()

    def connectionLost(self, why: Failure) -> None:
        """Twisted: it has ended."""
        self.reason = self.reason or _ending(why.value)
        super().connectionLost(why)


class WireFactory(Factory):
    """Makes the one protocol of a connection.

    :param clock: on which the time limits of its answers are.
    """

    noisy = False

    def __init__(
        self, clock: IReactorTime, heard: Callable[[str, bytes], None], max_reply: int = MAX_REPLY
    ) -> None:
        self._clock = clock
        self._heard = heard
        self._max_reply = max_reply

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """The protocol of a new connection."""
        protocol = Wire(self._heard, self._max_reply)
        protocol.factory = self
        protocol.callLater = partial(Deadline, self._clock, protocol)
        return protocol


class Deadline:
    """A call that txredisapi makes when an answer is late.

    Where this process was late itself the answer lies there unread: it is read first.  So the call
    is made after a turn of the reactor in which nothing has come.
    """

    def __init__(
        self, clock: IReactorTime, wire: Wire, seconds: float, call: Callable[[], object]
    ) -> None:
        self._clock = clock
        self._wire = wire
        self._late = call
        self._call = clock.callLater(seconds, self._look, -1)

    def active(self) -> bool:
        """As `IDelayedCall`."""
        return self._call.active()

    def cancel(self) -> None:
        """As `IDelayedCall`."""
        self._call.cancel()

    def _look(self, reads: int) -> None:
        if reads == self._wire.reads:
            self._late()
        else:
            self._call = self._clock.callLater(0, self._look, self._wire.reads)


def _ending(error: BaseException | None) -> str:
    """Why a connection has ended, for people."""
    if isinstance(error, ConnectionDone):
        return "Redis closed the connection"
    if isinstance(error, VerificationError):
        return "TLS: the certificate is not for this host name"
    if not isinstance(error, SSL.Error):
        return "the connection was lost"
    reasons = [str(part[-1]) for part in (error.args[0] if error.args else ()) if part]
    if any("certificate verify failed" in reason for reason in reasons):
        return "TLS: the certificate is not trusted; SSL_CERT_FILE names a file of those that are"
    return f"TLS: {reasons[-1] if reasons else 'the handshake failed'}"
