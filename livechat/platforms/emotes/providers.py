# SPDX-License-Identifier: MIT
"""The providers of emotes that are asked, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from msgspec import Struct
from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Cooperator

from livechat.platforms.description import PlatformContext
from livechat.platforms.emotes.client import Client
from livechat.platforms.emotes.counts import Counts
from livechat.platforms.emotes.event_socket import BTTV, SEVEN_TV, Dialect
from livechat.platforms.emotes.kept_set import Shared
from livechat.platforms.emotes.limits import TURN
from livechat.platforms.emotes.live_updates import LiveUpdates, Socket
from livechat.platforms.emotes.provider import Bttv, Ffz, Provider, SevenTv
from livechat.platforms.emotes.source import EmoteSource
from livechat.platforms.enrichment.ports import IPictureSource
from livechat.platforms.steps import Steps


class Address(Struct, frozen=True):
    """Where one provider is.

    :ivar url: without a path of ours.
    :ivar socket_url: where it tells of changes; empty: nowhere.
    """

    provider: str
    url: str
    socket_url: str = ""


_PROVIDERS: Final[dict[str, Callable[[Client, Cooperator], Provider]]] = {
    "7tv": SevenTv,
    "bttv": Bttv,
    "ffz": Ffz,
}

_DIALECTS: Final[dict[str, Dialect]] = {"7tv": SEVEN_TV, "bttv": BTTV}


class Providers(Service):
    """Those that have an address.

    :ivar sources: for `PlatformContext.picture_sources`.
    """

    def __init__(self, context: PlatformContext, addresses: Sequence[Address]) -> None:
        counts = Counts(context.metrics)
        self._sources: list[EmoteSource] = []
        self._updates: list[LiveUpdates] = []
        self._parts = in_parts(context.clock)
        for address in addresses:
            self._add(context, address, counts)

    @property
    def sources(self) -> Sequence[IPictureSource]:
        """One for each provider."""
        return self._sources

    def stopService(self) -> None:
        """Ask and hear nothing any more."""
        super().stopService()
        for source in self._sources:
            source.stop()
        for updates in self._updates:
            updates.stop()

    def _add(self, context: PlatformContext, address: Address, counts: Counts) -> None:
        name = address.provider
        steps = Steps(context.clock, context.metrics, name)
        client = Client(
            name,
            address.url,
            context.http,
            context.clock,
            context.random,
            context.metrics,
            counts,
        )
        updates = None
        if address.socket_url:
            updates = LiveUpdates(
                Socket(
                    name,
                    address.socket_url,
                    _DIALECTS[name],
                    context.connect,
                    context.clock,
                    context.random,
                    context.metrics,
                    steps,
                    counts.connections.labels(name),
                    counts.changes.labels(name),
                )
            )
            self._updates.append(updates)
        loaded = counts.loaded.labels(name)
        shared = Shared(context.clock, context.random, steps, updates, partial(loaded.inc))
        self._sources.append(EmoteSource(_PROVIDERS[name](client, self._parts), shared))


def in_parts(clock: IReactorTime) -> Cooperator:
    """Reads all sets, in turns of the event loop that all of them share."""

    def turn() -> Callable[[], bool]:
        end = clock.seconds() + TURN
        return lambda: clock.seconds() >= end

    return Cooperator(turn, lambda work: clock.callLater(0, work))
