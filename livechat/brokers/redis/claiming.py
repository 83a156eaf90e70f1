# SPDX-License-Identifier: MIT
"""Asking Redis about one channel: who leads it, what was published, and telling it what changes."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Literal

from msgspec import Struct, field
from twisted.internet.defer import Deferred, DeferredSemaphore

from livechat.brokers.redis.layout import (
    CLAIM,
    LEAVE,
    MAX_BYTES,
    OFFER,
    ORDER_TTL,
    PASS,
    READ,
    Claimed,
    epoch_name,
    epoch_number,
    frames,
    read_claim,
    read_entries,
)
from livechat.brokers.redis.messages import Batch, Left, Offer, encode
from livechat.core.clients import Place
from livechat.core.ports import Start
from livechat.model.events import ChannelKey
from livechat.redis.link import RedisLink

#: How a node claims: it takes what is free; it leaves to others for a while what seems to be free
#: since its leader is gone; it takes nothing.
Patience = Literal["", "some", "never"]

#: Claims on their way at once: taking over many channels must not stall the chat.
MAX_CLAIMS = 50


class Claims(Struct, eq=False):
    """The questions of one node.

    :ivar now: wall time in seconds.
    :ivar me: by what name this node leads.
    :ivar size: publications that a log keeps.
    :ivar ttl: seconds for which the order of a channel is kept that all have left.
    :ivar made: how many claims were made.
    """

    link: RedisLink
    now: Callable[[], float]
    random: Random
    me: Callable[[], str]
    size: int
    ttl: float
    made: int = 0
    _turns: DeferredSemaphore = field(default_factory=lambda: DeferredSemaphore(MAX_CLAIMS))

    def keys(self, channel: ChannelKey) -> tuple[str, str]:
        """Order and log of a channel."""
        names = self.link.names
        return names.key_of(channel, "order"), names.key_of(channel, "log")

    def topic(self, channel: ChannelKey) -> str:
        """Where a channel is published."""
        return self.link.names.topic_of(channel, "out")

    async def claim(
        self, channel: ChannelKey, held: str, patience: Patience, known: Start, seen: int
    ) -> Claimed:
        """Join a channel, or see whether it is still ours.

        :param held: by what name this node has led it until now; empty: it has not.
        :param known: what this node knows to have been published last.
        :param seen: the highest term that this node knows of.
        :raises RedisDown, RedisRefused: there is no answer.
        :raises ValueError, msgspec.MsgspecError: what is there is not ours.
        """
        await self._turns.acquire()
        try:
            self.made += 1
            reply = await self.link.run(
                CLAIM,
                self.keys(channel),
                self.me(),
                held,
                self.link.names.key("node:"),
                patience,
                str(epoch_number(known.epoch)) if known.epoch else "",
                str(known.seq),
                str(seen),
                str(self.new_epoch()),
                self.topic(channel),
                str(ORDER_TTL),
                str(known.seq + 1) if known.epoch else "",
                str(self.size),
                str(MAX_BYTES),
                f"{known.until} {known.room_id}",
            )
        finally:
            self._turns.release()
        return read_claim(reply)

    def new_epoch(self) -> int:
        """The number of an epoch that there has not been."""
        return round(self.now() * 1000) * 1000 + self.random.randrange(1000)

    async def order(self, channel: ChannelKey) -> Place | None:
        """What was published last in a channel, whoever leads it; raises as `claim` does.

        :return: None: nobody leads it, and nobody has lately.
        """
        found = await self.link.ask("HMGET", self.keys(channel)[0], "epoch", "place")
        if not isinstance(found, list) or None in found:
            return None
        epoch, place = found
        return Place(channel, epoch_name(int(epoch)), int(place.split(b" ", 1)[0]))

    async def read(self, channel: ChannelKey, epoch: str, after: int) -> list[Batch]:
        """What the log holds after a number; raises as `claim` does."""
        if not self.size:
            return []
        number = epoch_number(epoch)
        reply = await self.link.run(
            READ,
            self.keys(channel)[1:],
            f"{number}-{after + 1}",
            f"{number}-18446744073709551615",
            str(self.size),
            str(MAX_BYTES),
        )
        return read_entries(frames(reply))

    def offer(
        self, channel: ChannelKey, leader: str, term: int, *, wanted: bool
    ) -> Deferred[bytes]:
        """Say that the leader wants to go; answers how many hear it, if it leads at all."""
        message = encode(Offer(leader, wanted))
        return self.link.run(
            OFFER,
            self.keys(channel)[:1],
            leader,
            str(term),
            self.topic(channel),
            "1" if wanted else "",
            message,
        )

    def hand(self, channel: ChannelKey, leader: str, term: int, heir: str) -> Deferred[bytes]:
        """Let another node lead; answers as `pass.lua` says."""
        return self.link.run(
            PASS,
            self.keys(channel)[:1],
            leader,
            str(term),
            self.topic(channel),
            self.link.names.key("node:"),
            heir,
            str(ORDER_TTL),
        )

    def leave(self, channel: ChannelKey, leader: str, term: int, given: int) -> Deferred[bytes]:
        """Say that the leader has left.

        :param term: 0: whichever it was given last.
        :param given: the highest number that it has given, whether Redis has what it was given to.
        """
        return self.link.run(
            LEAVE,
            self.keys(channel),
            leader,
            str(term),
            self.topic(channel),
            encode(Left()),
            str(round(self.ttl * 1000)),
            str(given),
        )
