# SPDX-License-Identifier: MIT
"""One thing that a channel published, from its number to the bytes that subscribers receive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from msgspec import Struct, field

from livechat.core.clients import IEncoding, Place
from livechat.model.chat import ChatMessage
from livechat.model.events import ChannelKey, Event, event_bit
from livechat.protocol.messages import encode_payload, envelope


class Publication(Struct, eq=False):
    """A chat message or an event with its place in the channel's order.

    :ivar epoch: the order that `seq` belongs to.
    :ivar seq: rises by one with everything that the channel publishes.
    :ivar kind: `chat` or an event kind.
    :ivar event: what it was made from.
    :ivar payload: its JSON, without the envelope that names the channel.
    :ivar bit: by which subscribers take it or do not (`livechat.model.events`).
    """

    epoch: str
    seq: int
    kind: str
    event: Event
    payload: bytes
    bit: int
    # As something kept may be; here it is still on its way to everybody.
    removed: ClassVar[bool] = False
    _encoded: dict[tuple[IEncoding, ChannelKey], bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, epoch: str, seq: int, event: Event) -> Publication:
        """An event as a publication.

        :raises ValueError, TypeError, OverflowError: the event cannot be encoded.
        """
        kind = "chat" if isinstance(event, ChatMessage) else event.type
        return cls(epoch, seq, kind, event, encode_payload(event), event_bit(event))

    def message(self, key: ChannelKey) -> bytes:
        """The JSON message for those who subscribed by this identifier."""
        return envelope(self.kind, self.payload, key, self.seq)

    def encoded(self, encoding: IEncoding, key: ChannelKey) -> bytes:
        """The bytes for one kind of connection and identifier, made once for all subscribers."""
        data = self._encoded.get((encoding, key))
        if data is None:
            place = Place(key, self.epoch, self.seq)
            data = self._encoded[encoding, key] = encoding.encode(self.message(key), place)
        return data


def latest(until: str, publications: Iterable[Publication]) -> str:
    """The latest time that publications bear, ISO 8601 UTC.

    :param until: the one before them; empty for none.
    """
    return max(until, *(publication.event.timestamp for publication in publications))
