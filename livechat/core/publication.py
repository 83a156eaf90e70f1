# SPDX-License-Identifier: MIT
"""One thing that a channel published, from its number to the bytes that subscribers receive."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from livechat.core.clients import IEncoding, Place
from livechat.core.filters import ChatFilter, Facts
from livechat.model.chat import ChatMessage
from livechat.model.events import ChannelKey, Event, event_bit, item_of, seconds_of
from livechat.protocol.commands import MAX_HOLD
from livechat.protocol.messages import decode_payload, encode_payload, envelope


class Publication(Struct, eq=False):
    """A chat message or an event with its place in the channel's order.

    :ivar epoch: the order that `seq` belongs to.
    :ivar seq: rises by one with everything that the channel publishes.
    :ivar kind: `chat` or an event kind.
    :ivar item: what names the event within its channel.
    :ivar author: the id of who wrote it; empty where it is no chat message.
    :ivar timestamp: the time that the event bears, ISO 8601 UTC.
    :ivar room_id: the room that it names.
    :ivar bit: by which subscribers take it or do not (`livechat.model.events`).
    :ivar payload: its JSON, without the envelope that names the channel.
    :ivar removed: whether it was deleted, or its author timed out, while it was held.
    :ivar resume: the number after which somebody who has it goes on; None: its own.
    """

    epoch: str
    seq: int
    kind: str
    item: str
    author: str
    timestamp: str
    room_id: str
    bit: int
    payload: bytes
    _event: Event | None = None
    _encoded: dict[tuple[IEncoding, ChannelKey], bytes] = field(default_factory=dict)
    # What filters look at, and what each of them has said; None before there was a filter.
    _facts: Facts | None = None
    _passed: dict[ChatFilter, bool] | None = None
    removed: bool = False
    resume: int | None = None

    @classmethod
    def of(cls, epoch: str, seq: int, event: Event) -> Publication:
        """An event as a publication.

        :raises ValueError, TypeError, OverflowError: the event cannot be encoded.
        """
        if isinstance(event, ChatMessage):
            kind, item, author = "chat", event.message_id, event.data.author.id
        else:
            kind, item, author = event.type, item_of(event), ""
        return cls(
            epoch,
            seq,
            kind,
            item,
            author,
            event.timestamp,
            event.room_id,
            event_bit(event),
            encode_payload(event),
            event,
        )

    @property
    def event(self) -> Event:
        """What it was made from; a node that received it from another one decodes the payload.

        :raises msgspec.MsgspecError: the payload is not of a kind that is known here.
        """
        if self._event is None:
            self._event = decode_payload(self.kind, self.payload)
        return self._event

    def message(self, key: ChannelKey) -> bytes:
        """The JSON message for those who subscribed by this identifier."""
        return envelope(self.kind, self.payload, key, self.seq)

    def encoded(self, encoding: IEncoding, key: ChannelKey) -> bytes:
        """The bytes for one kind of connection and identifier, made once for all subscribers."""
        data = self._encoded.get((encoding, key))
        if data is None:
            place = Place(key, self.epoch, self.seq if self.resume is None else self.resume)
            data = self._encoded[encoding, key] = encoding.encode(self.message(key), place)
        return data

    def resuming(self, after: int) -> Publication:
        """The same for those who are still to be given chats with lower numbers.

        :param after: the number after which those come.
        """
        return replace(self, resume=after, _encoded={})

    def passes(self, chosen: ChatFilter) -> bool:
        """Whether a filter lets it through, found out once; whatever is no chat comes through."""
        if self.kind != "chat":
            return True
        if self._passed is None:
            self._passed = {}
        passed = self._passed.get(chosen)
        if passed is None:
            passed = self._passed[chosen] = self._judged(chosen)
        return passed

    def _judged(self, chosen: ChatFilter) -> bool:
        if self._facts is None:
            try:
                event = self.event
            except msgspec.MsgspecError:
                # Another version of the daemon wrote it: nobody knows what is in it.
                return False
            assert isinstance(event, ChatMessage)
            self._facts = Facts(event)
        return chosen.passes(self._facts)


def latest(until: str, publications: Iterable[Publication]) -> str:
    """The latest time that publications bear, ISO 8601 UTC.

    :param until: the one before them; empty for none.
    """
    return max(until, *(publication.timestamp for publication in publications))


def age(publication: Publication, now: float) -> float:
    """For how many seconds it has been published, as far as anybody who holds chats asks.

    :param now: wall time in seconds.
    """
    said = publication.timestamp
    return min(max(0.0, now - seconds_of(said)), MAX_HOLD) if said else 0.0
