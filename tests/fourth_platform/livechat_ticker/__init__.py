# SPDX-License-Identifier: MIT
"""A platform on which every channel counts aloud; it needs no network.

It is what an author of a platform writes: settings, a platform, an upstream, a description.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, ClassVar

from msgspec import Struct
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from livechat.choices import Choice, number
from livechat.core.ports import IEventSink, IPlatform, IWatcher, Located, LookRate, Requester
from livechat.model.chat import Author, ChatData, ChatMessage, ChatMetadata, Roles
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.event_data import EventData
from livechat.model.events import ChannelEvent, ChannelKey, LiveInfo, iso_time
from livechat.model.text import content
from livechat.platforms.description import Page, PlatformContext, PlatformDescription
from livechat.platforms.upstream_error import UpstreamError
from livechat.platforms.watch import Watch


class TickerSettings(Struct, frozen=True):
    """What an operator may choose."""

    every: Annotated[float, Choice(number(0.01, 60), "Seconds from one number to the next.")] = 1.0


@implementer(IPlatform)
class Ticker(Service):
    """The platform."""

    name = "ticker"
    hosts = frozenset({"ticker.example"})
    looks = LookRate(10.0, at_once=10)

    def __init__(self, context: PlatformContext, settings: TickerSettings) -> None:
        self._context = context
        self._settings = settings

    def key(self, identifier: str, identifier_type: str) -> ChannelKey:
        """See `IPlatform`: a word of small letters, or its URL."""
        found = re.fullmatch(r"(?:https://ticker\.example/)?([a-z]{1,20})", identifier)
        if found is None or identifier_type != "username":
            raise ChatError(ErrorCode.INVALID_IDENTIFIER, "A ticker is a word of small letters")
        return ChannelKey(self.name, "username", found[1])

    def resolve(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Located]:
        """See `IPlatform`: a key means itself."""
        return succeed(Located(key))

    def all_lives(self, key: ChannelKey) -> ChannelKey:
        """See `IPlatform`: it has one."""
        return key

    def look(self, key: ChannelKey, requester: Requester, since: float) -> Deferred[Located]:
        """See `IPlatform`: it is always live."""
        return succeed(Located(key))

    def listen(self, key: ChannelKey, begun: Callable[[], None]) -> Callable[[], None]:
        """See `IPlatform`: nothing is told."""
        return lambda: None

    def watch(self, located: Located, sink: IEventSink, requester: Requester) -> IWatcher:
        """See `IPlatform`."""
        context = self._context
        return Watch(
            located.key,
            Counting(located.key, context, self._settings.every),
            sink,
            requester,
            clock=context.clock,
            random=context.random,
            metrics=context.metrics,
            start_timeout=context.start_timeout,
        )


class Tick(EventData, frozen=True, kw_only=True):
    """A number was said.

    :ivar number: which one.
    """

    kind: ClassVar[str] = "tick"

    number: int


class Counting:
    """The upstream of one chat."""

    def __init__(self, key: ChannelKey, context: PlatformContext, every: float) -> None:
        self._key = key
        self._context = context
        self._every = every

    async def follow(self, watch: Watch) -> None:
        """See `Upstream`: count until somebody cancels."""
        name = self._key.identifier
        if name == "silent":
            raise ChatError(ErrorCode.STREAM_NOT_LIVE, "The ticker is silent", "TICKER_SILENT")
        if name == "broken":
            raise UpstreamError("BROKEN", temporary=False)
        watch.flows(LiveInfo(name))
        number = 0
        while True:
            await watch.pause(self._every)
            number += 1
            raw = str(number).encode()
            self._context.tap(self._key.platform, name, raw)
            time = iso_time(round(self._context.now() * 1000))
            watch.received([said(name, time, raw), passed(name, time, number)])

    def close(self) -> None:
        """See `Upstream`: there is nothing to let go of."""


def said(channel: str, time: str, raw: bytes) -> ChatMessage:
    """The message that a number is."""
    author = Author("1", "ticker", "Ticker", None, Roles(broadcaster=True), [])
    data = ChatData(author, content([raw.decode("ascii")]), ChatMetadata())
    return ChatMessage("ticker", time, f"{channel}-{raw.decode('ascii')}", channel, data)


def passed(channel: str, time: str, number: int) -> ChannelEvent:
    """The event that a number is."""
    return ChannelEvent.of(Tick(number=number), "ticker", time, f"{channel}-{number}", channel)


DESCRIPTION = PlatformDescription(
    name="ticker",
    settings=TickerSettings,
    make=Ticker,
    page=Page(
        title="Ticker",
        placeholder="A word",
        hint="A word of small letters; it counts aloud.",
        mark="M4 4h16v16H4z",
        color="#7a5a00",
        color_on_dark="#ffd34d",
        roles={"broadcaster": ("Bell", "The ticker itself")},
        words={"TICKER_SILENT": "This ticker never says a word."},
    ),
    event_kinds=[Tick],
)
