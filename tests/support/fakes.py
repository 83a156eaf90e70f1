# SPDX-License-Identifier: MIT
"""Ends of the wire for tests of the core: a scripted platform and a subscriber that keeps frames.

Both are verified against the ports they stand for (`tests.test_fakes`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from msgspec import structs
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from zope.interface import implementer

from livechat.access import EVERYTHING, Grant
from livechat.brokers.local import LocalBroker
from livechat.core.channel_log import ChannelLog
from livechat.core.clients import Place
from livechat.core.fanout import COALESCE
from livechat.core.hub import Hub
from livechat.core.options import Options
from livechat.core.ports import (
    IBroker,
    IEncoding,
    IEventSink,
    IHistory,
    IPlatform,
    IStatsStore,
    ISubscriber,
    IWatcher,
    Located,
    LookRate,
    Requester,
)
from livechat.core.publication import Publication
from livechat.core.services import Services
from livechat.core.subscription import Subscription
from livechat.core.turns import Turns
from livechat.history.memory import TTL, MemoryHistory
from livechat.metrics import Metrics
from livechat.model.chat import Author, ChatData, ChatMessage, ChatMetadata, Roles
from livechat.model.errors import ChatError, CloseCode, ErrorCode
from livechat.model.event_data import KINDS
from livechat.model.events import CHAT_BIT, ChannelEvent, ChannelKey, Event, LiveInfo
from livechat.model.text import content
from livechat.statistics.memory import MemoryStats
from tests.support.examples import least
from tests.support.schema import frames


def unframed(data: bytes) -> list[bytes]:
    """Payloads of unmasked text frames; anything else is a failure of the test."""
    payloads = []
    while data:
        assert data[0] == 0x81, f"not a text frame: {data[:8]!r}"
        size, at = data[1], 2
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, at = int.from_bytes(data[2:10], "big"), 10
        assert len(data) >= at + size, "a frame is cut off"
        payloads.append(data[at : at + size])
        data = data[at + size :]
    return payloads


@implementer(IEncoding)
class LineEncoding:
    """Each message as one line.

    :param name: stands at the head of each line, so that two encodings can be told apart.
    """

    def __init__(self, name: bytes = b"") -> None:
        self.name = name
        self.encoded: list[bytes] = []

    def encode(self, message: bytes, place: Place | None = None) -> bytes:
        """See `IEncoding`."""
        self.encoded.append(message)
        return self.name + message + b"\n"

    def write(self, subscribers: Sequence[ISubscriber], data: bytes) -> None:
        """See `IEncoding`."""
        for subscriber in subscribers:
            assert isinstance(subscriber, KeptMessages)
            subscriber.write(data)


LINES = LineEncoding()


@implementer(ISubscriber)
class KeptMessages:
    """A subscriber that keeps what it was sent.

    :ivar writes: what it was given, write by write, one line for each message.
    :ivar upon: called after each write.
    :ivar reads: whether it reads; what it was given may be below any bound only if it does.
    """

    def __init__(self, encoding: LineEncoding = LINES) -> None:
        self.encoding: IEncoding = encoding
        self.pending: int = 0
        self.requester: Requester = Requester()
        self.grant: Grant = EVERYTHING
        self.writes: list[bytes] = []
        self.closed: tuple[CloseCode, str] | None = None
        self.upon: Callable[[], object] = lambda: None
        self.reads = True
        self.below: list[Deferred[None]] = []

    def send(self, message: bytes) -> None:
        """See `ISubscriber`."""
        self.write(message + b"\n")

    def write(self, data: bytes) -> None:
        """Bytes of its encoding."""
        self.writes.append(data)
        self.upon()

    def when_below(self, size: int) -> Deferred[None]:
        """See `ISubscriber`."""
        if self.reads:
            return succeed(None)
        self.below.append(Deferred())
        return self.below[-1]

    def read(self) -> None:
        """Read what was given, once; it goes on not reading."""
        below, self.below = self.below, []
        for waiting in below:
            waiting.callback(None)

    def close(self, code: CloseCode, reason: str) -> None:
        """See `ISubscriber`."""
        self.closed = (code, reason)

    def taken(self) -> list[dict[str, Any]]:
        """Messages since the last call."""
        data, self.writes = b"".join(self.writes), []
        return [frames().read(line) for line in data.splitlines()]

    def kinds(self) -> list[str]:
        """What each message since the last call was: its status, its code, or its type."""
        return [m.get("status") or m.get("code") or m["type"] for m in self.taken()]


@implementer(IWatcher)
class ScriptedWatcher:
    """An upstream that does what the test says."""

    def __init__(self, located: Located, sink: IEventSink) -> None:
        self.located = located
        self.key = located.key
        self.sink = sink
        self.started: Deferred[LiveInfo] | None = None
        self.trouble = ""
        self.stops = 0
        self.stopping: Deferred[None] = succeed(None)

    def start(self) -> Deferred[LiveInfo]:
        """See `IWatcher`."""
        self.started = Deferred()
        return self.started

    def stop(self) -> Deferred[None]:
        """See `IWatcher`."""
        self.stops += 1
        if self.started is not None and not self.started.called:
            self.started.cancel()
        return self.stopping

    def live(self, **info: Any) -> None:
        """The start succeeds."""
        assert self.started is not None
        self.started.callback(LiveInfo(f"live-{self.key.identifier}", **info))

    def fail(self, code: ErrorCode = ErrorCode.STREAM_NOT_LIVE) -> None:
        """The start fails."""
        assert self.started is not None
        self.started.errback(ChatError(code, "No"))


@implementer(IPlatform)
class ScriptedPlatform(Service):
    """A platform whose watchers the test moves; names are lower-cased, `bad` ones refused."""

    hosts = frozenset({"scripted.test"})
    looks = LookRate(10.0, at_once=2)

    name: str

    def __init__(self, name: str = "twitch") -> None:
        self.name = name
        self.watchers: list[ScriptedWatcher] = []
        self.looks_made: list[tuple[ChannelKey, float, Deferred[Located]]] = []
        #: Who wants to know when which channel goes live.
        self.listeners: list[tuple[ChannelKey, Callable[[], None]]] = []

    def key(self, identifier: str, identifier_type: str) -> ChannelKey:
        """See `IPlatform`."""
        if identifier_type != "username" or "bad" in identifier:
            raise ChatError(ErrorCode.INVALID_IDENTIFIER, "Not a channel")
        name = identifier.rsplit("/", 1)[-1].removeprefix("@").lower()
        return ChannelKey(self.name, identifier_type, name)

    def resolve(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Located]:
        """See `IPlatform`."""
        return succeed(Located(key))

    def all_lives(self, key: ChannelKey) -> ChannelKey:
        """See `IPlatform`: all lives of a name have a key of their own."""
        return ChannelKey(self.name, "lives", key.identifier)

    def look(self, key: ChannelKey, requester: Requester, since: float) -> Deferred[Located]:
        """See `IPlatform`: it is answered when the test says so."""
        look: Deferred[Located] = Deferred()
        self.looks_made.append((key, since, look))
        return look

    def absent(self, code: ErrorCode = ErrorCode.STREAM_NOT_LIVE, **more: Any) -> None:
        """The last look finds nothing."""
        self.looks_made[-1][2].errback(ChatError(code, "No", **more))

    def found(self, name: str = "") -> None:
        """The last look finds a chat.

        :param name: of the chat; left out: that of the channel.
        """
        key, _, look = self.looks_made[-1]
        look.callback(Located(ChannelKey(self.name, "username", name or key.identifier)))

    def listen(self, key: ChannelKey, begun: Callable[[], None]) -> Callable[[], None]:
        """See `IPlatform`: `hint` tells."""
        listener = (key, begun)
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def hint(self, name: str = "ann") -> None:
        """The platform tells that a channel has gone live."""
        for key, begun in list(self.listeners):
            if key.identifier == name:
                begun()

    def watch(self, located: Located, sink: IEventSink, requester: Requester) -> IWatcher:
        """See `IPlatform`."""
        watcher = ScriptedWatcher(located, sink)
        self.watchers.append(watcher)
        return watcher


def chat(
    message_id: str = "m1",
    text: str = "hello",
    user: str = "ann",
    *,
    platform: str = "twitch",
    **metadata: Any,
) -> ChatMessage:
    """A plain message."""
    return ChatMessage(
        platform,
        "2026-01-02T03:04:05.678Z",
        message_id,
        "room",
        ChatData(
            Author(f"id-{user}", user, user.title(), None, Roles(), []),
            content([text]),
            ChatMetadata(**metadata),
        ),
    )


def happening(kind: str = "raid", event_id: str = "e1", **data: Any) -> ChannelEvent:
    """An event of some kind, with what it cannot do without and what the test says of it."""
    made = structs.replace(least(KINDS[kind]), **data)
    return ChannelEvent(kind, "twitch", "2026-01-02T03:04:05.678Z", event_id, "room", made)


def chats(count: int, start: int = 0) -> Sequence[Event]:
    """So many different messages."""
    return [chat(f"m{n}", f"text {n}") for n in range(start, start + count)]


class RawPublication(Publication):
    """A publication whose message is its payload, without an envelope."""

    def message(self, key: ChannelKey) -> bytes:
        """The payload alone."""
        return self.payload


def raw(payload: bytes) -> Publication:
    """A publication that subscribers receive as exactly these bytes."""
    return RawPublication("epoch", 1, "chat", "item", "", "", "", CHAT_BIT, payload)


def subscribed(subscriber: ISubscriber) -> Subscription:
    """A subscription of a subscriber that wants chats only."""
    key = ChannelKey("twitch", "username", "ann")
    return Subscription(key, subscriber, "ann", Options(), lambda _: None)


def nobody() -> None:
    """Somebody who does not mind that statistics have changed."""


def services_on(
    clock: IReactorTime,
    metrics: Metrics,
    broker: IBroker | None = None,
    store: IStatsStore | None = None,
    history: IHistory | None = None,
) -> Services:
    """What the channels of one node share, on a fake clock, with everything in memory."""
    return Services(
        clock=clock,
        now=clock.seconds,
        broker=broker or LocalBroker(clock, clock.seconds, Random(1), ttl=TTL),
        history=history or MemoryHistory(clock),
        turns=Turns(clock),
        store=store or MemoryStats(),
        metrics=metrics,
        log=ChannelLog(clock, metrics),
        stats_limit=100,
        coalesce=COALESCE,
        node=lambda: "test:1",
    )


def hub_on(clock: Clock, metrics: Metrics, *, linger: float = 0.0, max_channels: int = 100) -> Hub:
    """A hub of one node on a fake clock, with everything in memory."""
    return Hub(services_on(clock, metrics), linger=linger, max_channels=max_channels)
