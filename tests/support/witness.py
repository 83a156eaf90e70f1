# SPDX-License-Identifier: MIT
"""Clients that come back again and again, and whether they were given everything once.

What was said on the platform is known (`Truth`).  A `Witness` watches channels at whichever node it
can reach, resumes after each loss, and keeps the order in which it was given everything.  `judge`
compares the two: nothing twice, nothing backwards, and nothing missing but where the order says so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

import msgspec
from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone

#: Seconds from a loss to the next try.
PAUSE: Final = 0.1


class Truth:
    """What was said in one channel.

    :ivar ids: of the messages, in order.
    :ivar times: when each was said, by the clock of the test.
    """

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.times: list[float] = []

    def said(self, message_id: str, at: float) -> None:
        """Something was said."""
        self.ids.append(message_id)
        self.times.append(at)


class Heard:
    """What one witness was given of one channel, over all its connections.

    :ivar given: ids of chats, `gap`, and `lost` where it was told that something is missing.
    :ivar times: when each of them came.
    :ivar epoch: the order that it is in.
    :ivar seq: the number after which everything is still to come.
    :ivar epochs: how many orders it was in.
    :ivar jumps: how often a number was not the next one.
    :ivar backwards: how often a number did not rise.
    :ivar statuses: every status: when it came, what it was, and its reason or `recovered`.
    :ivar begun: when it was greeted first; 0: never.
    """

    def __init__(self, history: int = 0) -> None:
        self._history = history
        self.given: list[str] = []
        self.times: list[float] = []
        self.epoch = ""
        self.seq = 0
        self.epochs = self.jumps = self.backwards = 0
        self.statuses: list[tuple[float, str, object]] = []
        self.gaps: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.totals: int | None = None
        self.begun = 0.0

    @property
    def since(self) -> dict[str, object] | None:
        """Where to go on."""
        return {"epoch": self.epoch, "seq": self.seq} if self.epoch else None

    @property
    def chats(self) -> list[str]:
        """The ids of all chats that it was given."""
        return [one for one in self.given if one not in ("gap", "lost")]

    def take(self, message: dict[str, Any], now: float) -> None:
        """A message has come."""
        kind = message["type"]
        if kind in ("chat", "event"):
            data = message["data"]
            self.backwards += message["seq"] <= self.seq
            self.jumps += message["seq"] > self.seq + 1
            self.seq = message["seq"]
            if kind == "chat":
                self.given.append(data["message_id"])
                self.times.append(now)
            elif data["type"] == "gap":
                self.given.append("gap")
                self.times.append(now)
                self.gaps.append(data["data"])
        elif kind == "status":
            self._status(message, now)
        elif kind == "stats":
            self.totals = message["data"]["totalMessages"]
        elif kind == "error":
            self.errors.append(message["code"])

    def _status(self, message: dict[str, Any], now: float) -> None:
        status = message["status"]
        more = message.get("reason", message.get("recovered", message.get("details")))
        self.statuses.append((now, status, more))
        if status == "started":
            if more is False:
                self.given.append("lost")
                self.times.append(now)
            self.begun = self.begun or now
            if message["epoch"] != self.epoch:
                self.epochs += 1
                # Of the history that was asked for the first comes next.
                self.epoch, self.seq = message["epoch"], message["seq"] - self._history
            # Else what follows comes after what it has, whether it was there before or comes now.


class Verdict(msgspec.Struct):
    """How what was given compares with what was said.

    :ivar due: messages that were to be given.
    :ivar doubled: given more than once.
    :ivar backwards: numbers that did not rise within an epoch.
    :ivar covered: missing where a gap, or a word that something is missing, stands in the order.
    :ivar missing: missing, and nothing says so.
    """

    due: int = 0
    doubled: int = 0
    backwards: int = 0
    covered: int = 0
    missing: int = 0
    gaps: int = 0
    errors: int = 0

    def __iadd__(self, other: Verdict) -> Verdict:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    @property
    def is_good(self) -> bool:
        """Whether everything was given once, in order, or its absence was told."""
        return not (self.doubled or self.backwards or self.missing or self.errors)


def judge(heard: Heard, truth: Truth, begin: float, end: float) -> Verdict:
    """Compare, for what was said in this time, in seconds of the clock of the test."""
    chats = heard.chats
    verdict = Verdict(doubled=len(chats) - len(set(chats)), gaps=len(heard.gaps))
    verdict.errors, verdict.backwards = len(heard.errors), heard.backwards
    position = {one: index for index, one in enumerate(heard.given)}
    marks = [index for index, one in enumerate(heard.given) if one in ("gap", "lost")]
    begin = max(begin, heard.begun or end)
    found = [position.get(one, -1) for one in truth.ids]
    before = [-1] * len(found)
    for index in range(1, len(found)):
        before[index] = found[index - 1] if found[index - 1] >= 0 else before[index - 1]
    after = [len(heard.given)] * len(found)
    for index in range(len(found) - 2, -1, -1):
        after[index] = found[index + 1] if found[index + 1] >= 0 else after[index + 1]
    for index, said in enumerate(truth.times):
        if not begin < said < end:
            continue
        verdict.due += 1
        if found[index] < 0:
            low, high = sorted((before[index], after[index]))
            mark = bisect_right(marks, low)
            if mark < len(marks) and marks[mark] <= high:
                verdict.covered += 1
            else:
                verdict.missing += 1
    return verdict


def unexplained(heard: Heard, truth: Truth, begin: float, end: float) -> Sequence[float]:
    """When the messages were said that are missing, by the clock of the test."""
    given = set(heard.given)
    begin = max(begin, heard.begun or end)
    pairs = zip(truth.ids, truth.times, strict=True)
    return [at for one, at in pairs if begin < at < end and one not in given]


class _Connection(WebSocketClientProtocol):
    """One connection of a witness."""

    witness: Witness

    def onOpen(self) -> None:
        self.witness.opened(self)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.witness.received(payload)

    def connectionLost(self, reason: Any = connectionDone) -> None:
        super().connectionLost(reason)
        self.witness.lost(self)

    def abort(self) -> None:
        """Lose it, without a farewell."""
        transport: Any = self.transport
        transport.abortConnection()


class _Factory(WebSocketClientFactory):
    """Makes connections of one witness."""

    noisy = False

    def __init__(self, witness: Witness, reactor: Any) -> None:
        super().__init__(f"ws://127.0.0.1:{witness.port}/ws", reactor=reactor)
        self.setProtocolOptions(openHandshakeTimeout=5)
        self._witness = witness

    def buildProtocol(self, addr: Any) -> _Connection:
        made = _Connection()
        made.factory = self
        made.witness = self._witness
        return made

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self._witness.lost(None)


class Witness:
    """A client that watches channels for as long as the test runs.

    :param ports: where it may connect at this moment; the one that it comes from stands last.
    :param channels: what it watches.
    :param random: for the order in which it tries nodes; None: always the first.
    """

    def __init__(
        self,
        reactor: Any,
        ports: Callable[[], Sequence[int]],
        channels: Sequence[str],
        *,
        random: Random | None = None,
        **options: Any,
    ) -> None:
        self.heard = {channel: Heard(options.get("history", 0)) for channel in channels}
        self.port = 0
        self._reactor = reactor
        self._ports = ports
        self._random = random
        self._options = {"events": True, **options}
        self._connection: _Connection | None = None
        self._connector: Any = None
        self._call: IDelayedCall | None = None
        self._is_closed = False

    def connect(self) -> None:
        """Connect now, and again whenever the connection is lost."""
        self._call = None
        ports = list(self._ports())
        if not ports:
            self._again()
            return
        if self._random is not None:
            self.port = self._random.choice([p for p in ports if p != self.port] or ports)
        else:
            self.port = ports[0]
        factory = _Factory(self, self._reactor)
        self._connector = self._reactor.connectTCP("127.0.0.1", self.port, factory, timeout=5)

    def close(self) -> None:
        """Connect no more."""
        self._is_closed = True
        if self._call is not None:
            self._call.cancel()
        if self._connection is not None:
            self._connection.abort()
        elif self._connector is not None:
            self._connector.disconnect()

    def roam(self) -> None:
        """Lose the connection, without a farewell."""
        if self._connection is not None:
            self._connection.abort()

    def opened(self, connection: _Connection) -> None:
        """Subscribe to everything, after what it has."""
        self._connection = connection
        for channel, heard in self.heard.items():
            command = {
                "type": "subscribe",
                "platform": "twitch",
                "identifier": channel,
                "id": channel,
                **self._options,
            }
            if heard.since is not None:
                command["since"] = heard.since
            connection.sendMessage(msgspec.json.encode(command))

    def received(self, payload: bytes) -> None:
        """A message has come."""
        message = msgspec.json.decode(payload)
        heard = self.heard.get(message.get("identifier", message.get("id", "")))
        if heard is not None:
            heard.take(message, self._reactor.seconds())
            if message["type"] == "error":
                # The chat is not held any more.
                self.roam()

    def lost(self, connection: _Connection | None) -> None:
        """The connection has ended, or there was none."""
        self._connection = None
        self._again()

    def _again(self) -> None:
        if not self._is_closed and self._call is None:
            self._call = self._reactor.callLater(PAUSE, self.connect)
