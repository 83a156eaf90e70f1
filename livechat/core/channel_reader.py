# SPDX-License-Identifier: MIT
"""What anybody may read of a channel without watching it: statistics, and what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET
from twisted.internet.defer import Deferred

from livechat.access import EVERYTHING, Grant
from livechat.core.clients import Place
from livechat.core.hub import Hub
from livechat.core.naming import AboutChat, Names
from livechat.core.ports import IPlatform
from livechat.model import error_catalogue
from livechat.model.events import ChannelKey
from livechat.protocol.messages import history
from livechat.protocol.queries import window


class ChannelReader:
    """Answers questions about the channels of a hub; starts none of them.

    :param platforms: all platforms, by what clients call them.
    """

    def __init__(self, hub: Hub, platforms: Mapping[str, IPlatform]) -> None:
        self._hub = hub
        self._names = Names(platforms)

    def stats(
        self, platform: str, identifier: str, query: Mapping[str, str], grant: Grant = EVERYTHING
    ) -> Deferred[bytes]:
        """The statistics of a channel, as a `stats` message.

        :param query: may hold `identifierType`.
        :param grant: what the client may read.
        :raises ChatError: the channel cannot be named so, or may not be read; or through the
            Deferred: there are none.
        """
        return self._hub.read_stats(self._key(platform, identifier, query, grant))

    def history(
        self, platform: str, identifier: str, query: Mapping[str, str], grant: Grant = EVERYTHING
    ) -> Deferred[bytes]:
        """What is kept of a channel that is watched, or was a while ago.

        :param query: may hold `identifierType`, `limit` and `since`.
        :raises ChatError: the query is wrong, or the channel may not be read; or through the
            Deferred: `STREAM_NOT_FOUND`, nothing is kept.
        """
        key = self._key(platform, identifier, query, grant)
        wanted = window(query)

        def found(place: Place | None) -> bytes:
            if place is None:
                raise error_catalogue.NO_DATA.error()
            past = self._hub.past(place, wanted.since, wanted.limit)
            recovered = None if wanted.since is None else past.complete
            frames = [one.message(key) for one in past.publications]
            return history(place.epoch, place.seq, frames, recovered)

        return self._hub.last(key).addCallback(found)

    def overview(self) -> bytes:
        """Every channel of this node, for operators (`livechat.core.overview`)."""
        return self._hub.overview()

    def _key(
        self, platform: str, identifier: str, query: Mapping[str, str], grant: Grant
    ) -> ChannelKey:
        try:
            kind = query.get("identifierType", UNSET)
            return self._names.meant(platform, identifier, kind, grant).key
        except AboutChat as about:
            raise about.error from None
